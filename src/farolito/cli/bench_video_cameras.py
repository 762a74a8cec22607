"""Cameras to measure, in a process of their own, and a node that has them in its register.

`clock-…` burn the moment into their pictures, all of them the same ones; `loop-…` and `kept-…` play
a prepared ten seconds. A node keeps the last half minute of what is watched in memory where the
owner allows recordings; that of `loop-…` does not, so that a line alone can be weighed. All are
H.264, 1280×720, 25 a second, some 2 Mbit/s, with a key frame every 2 s.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from ipaddress import ip_network
from pathlib import Path
from typing import NamedTuple

import msgspec

from farolito.cli.bench_node import AGENCY
from farolito.cli.bench_ports import free_ports
from farolito.cli.bench_processes import beside, pid_of
from farolito.cli.bench_running import Running, running
from farolito.codec import Broken
from farolito.ingest.video.guard import Guard
from farolito.ingest.video.open import open_upstream
from farolito.model import FarolitoError, StreamSource
from farolito.simulator.camera_server import CameraWork
from farolito.simulator.cameras import Lines

NETWORKS = ("127.0.0.0/8",)
LOOP_S_MAX = 60.0  # until the ten seconds are coded
UP_S_MAX = 30.0
CLOCKS = 12


class Bed(NamedTuple):
    """`pid`: of the process that holds pictures."""

    node: Running
    rtsp: str
    pid: int

    @property
    def clock_url(self) -> str:
        return f"{self.rtsp}/clock"

    def loop_urls(self, count: int) -> list[str]:
        return [f"{self.rtsp}/loop/{n}" for n in range(count)]


def clock(number: int) -> str:
    return f"clock-{number}"


def loops(count: int) -> list[str]:
    return [f"loop-{n}" for n in range(count)]


def kept(count: int) -> list[str]:
    """The same again, of owners who allow recordings."""
    return [f"kept-{n}" for n in range(count)]


@asynccontextmanager
async def bed(folder: Path, seed: int, count: int, host: str) -> AsyncIterator[Bed]:
    """`count`: of loops; `host`: the address that the node listens on."""
    async with AsyncExitStack() as stack:
        rtsp, node = await asyncio.gather(
            stack.enter_async_context(_cameras(folder)),
            stack.enter_async_context(running(seed=seed, host=host, networks=NETWORKS)),
        )
        await node.admin("POST", "/api/admin/cameras", _register(rtsp, count))
        yield Bed(node, rtsp, await _pictures(node))


@asynccontextmanager
async def _cameras(folder: Path) -> AsyncIterator[str]:
    (port,) = free_ports(1)
    told, started = folder / "cameras.json", folder / "cameras.started"
    work = CameraWork(lines=Lines(rtsp_port=port, http_port=0), started=str(started))
    told.write_bytes(msgspec.json.encode(work))
    argv = (sys.executable, "-m", "farolito", "simulate-cameras", str(told))
    async with beside(*argv, ready=started):
        rtsp = f"rtsp://127.0.0.1:{port}"
        await _prepared(f"{rtsp}/loop/0")
        yield rtsp


async def _prepared(url: str) -> None:
    """Once its first picture has come; a line that ends before is opened again."""
    guard = Guard([ip_network(one) for one in NETWORKS])
    source = StreamSource(protocol="rtsp", url=url)
    came = asyncio.Event()

    async def pull() -> None:
        while True:
            line = open_upstream(source, None, guard, now_us=lambda: time.time_ns() // 1000)
            with suppress(Broken):
                await line.run(lambda _: came.set())

    pulling = asyncio.create_task(pull())
    waiting = asyncio.create_task(came.wait())
    both = (pulling, waiting)
    await asyncio.wait(both, timeout=LOOP_S_MAX, return_when=asyncio.FIRST_COMPLETED)
    for task in both:
        task.cancel()
    await asyncio.wait(both)
    if not came.is_set():
        raise FarolitoError("the practice cameras show nothing", "see what they printed above")


async def _pictures(node: Running) -> int:
    """The process that holds pictures, once browsers can come to it."""
    told = node.state / "pictures-0.json"
    end = time.monotonic() + UP_S_MAX
    while time.monotonic() < end:
        with suppress(OSError):
            port = msgspec.json.decode(told.read_bytes())["port"]
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return pid_of(str(told))
        await asyncio.sleep(0.1)
    raise FarolitoError("the process that holds pictures did not start", "see the node's log")


def _register(rtsp: str, count: int) -> dict[str, object]:
    streams = {clock(n): f"{rtsp}/clock/{n}" for n in range(CLOCKS)}
    for n, (loop, keeping) in enumerate(zip(loops(count), kept(count), strict=True)):
        streams |= dict.fromkeys((loop, keeping), f"{rtsp}/loop/{n}")
    unkept = {*loops(count)}
    cameras = [
        {
            "camera_id": name, "agency": AGENCY, "owner": "bench", "name": name,
            "consent": "always", "main": {"protocol": "rtsp", "url": url},
            "terms": {"may_record": name not in unkept},
        }
        for name, url in streams.items()
    ]  # fmt: skip
    owner = {"owner_id": "bench", "agency": AGENCY, "name": "Bench", "kind": "city"}
    return {"owners": [owner], "cameras": cameras}
