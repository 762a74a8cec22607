"""A line as an officer's phone has it, between this machine and a network namespace of its own.

Two TUN devices, one here and one in the namespace, and a loop between them that drops by chance,
delays with jitter but keeps the order, and holds back what is over the rate: a queue of 400 ms,
then the tail is dropped. Kernels without netem can do this too. It wants root, `ip` and
/dev/net/tun, and speaks to nobody but the namespace that it made.

`python -m farolito.cli.bench_link TOLD` with TOLD a JSON file of `Line`; "up" on its output says
that packets pass.
"""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import heapq
import os
import random
import select
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from farolito.model import FarolitoError

NAMESPACE = "farolito-far"
HERE, THERE = "10.77.0.1", "10.77.0.2"
MTU = 1400
QUEUE_S = 0.4
UP_S_MAX = 10.0
_TUNSETIFF, _TUN_WITHOUT_HEADER = 0x400454CA, 0x1001
_NETWORK_NAMESPACE = 0x40000000


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One way and the other alike. `delay_ms` one way; `loss` 0…1; `mbit_s` 0: without limit."""

    delay_ms: float
    jitter_ms: float = 0.0
    loss: float = 0.0
    mbit_s: float = 0.0
    seed: int = 7


def why_not() -> str | None:
    """Why no line can be made here; None: it can."""
    if os.geteuid() != 0:
        return "it wants root"
    if shutil.which("ip") is None:
        return "apt-get install iproute2"
    if not Path("/dev/net/tun").exists():
        return "this kernel has no TUN device"
    return None


@asynccontextmanager
async def lossy_line(line: Line, told: Path) -> AsyncIterator[list[str]]:
    """The line while it is up, and the command that a program is started with to be at its far
    end. Raises FarolitoError where it cannot be made."""
    if problem := why_not():
        raise FarolitoError("no line can be emulated", problem)
    told.write_bytes(msgspec.json.encode(line))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, str(told), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(UP_S_MAX):
            if not await process.stdout.readline():
                raise FarolitoError("the emulated line did not come up", "see what it printed")
        yield ["ip", "netns", "exec", NAMESPACE]
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        _ip("netns", "del", NAMESPACE, check=False)


class _Way:
    """One direction: packets that wait for their moment, in the order in which they came."""

    def __init__(self, line: Line, out: int, chance: random.Random) -> None:
        self._line, self.out, self._chance = line, out, chance
        self._waiting: list[tuple[float, int, bytes]] = []
        self._count = 0
        self._last = self._sent = 0.0

    def take(self, packet: bytes, now: float) -> None:
        line = self._line
        if self._chance.random() < line.loss:
            return
        leaves = now
        if line.mbit_s:
            leaves = max(now, self._sent) + len(packet) * 8 / (line.mbit_s * 1e6)
            if leaves - now > QUEUE_S:
                return
            self._sent = leaves
        jitter = self._chance.uniform(-line.jitter_ms, line.jitter_ms) / 1000
        due = max(self._last, leaves + max(0.0, line.delay_ms / 1000 + jitter))
        self._last = due
        self._count += 1
        heapq.heappush(self._waiting, (due, self._count, packet))

    def give(self, now: float) -> None:
        while self._waiting and self._waiting[0][0] <= now:
            os.write(self.out, heapq.heappop(self._waiting)[2])

    @property
    def next_due(self) -> float | None:
        return self._waiting[0][0] if self._waiting else None


def _pump(line: Line, here: int, there: int) -> None:
    chance = random.Random(line.seed)
    ways = {here: _Way(line, there, chance), there: _Way(line, here, chance)}
    while True:
        due = [way.next_due for way in ways.values() if way.next_due is not None]
        wait = max(0.0, min(due) - time.monotonic()) if due else 1.0
        ready, _, _ = select.select([here, there], [], [], wait)
        now = time.monotonic()
        for source in ready:
            ways[source].take(os.read(source, 65_536), now)
        for way in ways.values():
            way.give(time.monotonic())


def _tun(name: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH", name.encode(), _TUN_WITHOUT_HEADER))
    return device


def _tun_there(name: str) -> int:
    """A device of the namespace: it stays there when we come back."""
    libc = ctypes.CDLL(None, use_errno=True)
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    other = os.open(f"/var/run/netns/{NAMESPACE}", os.O_RDONLY)
    for namespace in (other, own):
        if libc.setns(namespace, _NETWORK_NAMESPACE) != 0:
            raise FarolitoError("cannot enter the namespace", os.strerror(ctypes.get_errno()))
        if namespace == other:
            device = _tun(name)
    os.close(own)
    os.close(other)
    return device


def _ip(*words: str, check: bool = True) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)  # noqa: S603, S607
    if check and done.returncode != 0:
        raise FarolitoError(f"ip {' '.join(words)}", done.stderr.strip())


def main(told: Path) -> None:
    line = msgspec.json.decode(told.read_bytes(), type=Line)
    _ip("netns", "del", NAMESPACE, check=False)
    _ip("netns", "add", NAMESPACE)
    here, there = _tun("flt-here"), _tun_there("flt-there")
    inside = ("-n", NAMESPACE)
    for at, name, own, other in (
        ((), "flt-here", HERE, THERE),
        (inside, "flt-there", THERE, HERE),
    ):
        _ip(*at, "addr", "add", own, "peer", other, "dev", name)
        _ip(*at, "link", "set", name, "mtu", str(MTU), "up")
    _ip(*inside, "link", "set", "lo", "up")
    sys.stdout.write("up\n")
    sys.stdout.flush()
    _pump(line, here, there)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
