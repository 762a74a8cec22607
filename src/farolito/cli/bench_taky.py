"""The rival of the brief: one event through the taky server, to the one client it is for."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

from farolito.cli.bench_ports import free_ports
from farolito.model import FarolitoError

START_S_MAX = 20.0
WAIT_S_MAX = 10.0
KNOWN_WITHIN_S = 0.01  # then it is asked again, a little more patiently
_CONFIG = """[taky]
bind_ip = 127.0.0.1
root_dir = {root}
[cot_server]
port = {port}
"""

# What ATAK says of itself; taky takes nobody for a user who says less.
_SELF = (
    '<takv os="33" version="5.4" device="phone" platform="ATAK-CIV"/>'
    '<contact callsign="{callsign}" endpoint="*:-1:stcp"/><uid Droid="{callsign}"/>'
    '<__group name="Cyan" role="Team Member"/><status battery="90"/>'
    '<track speed="0" course="0"/>'
)


async def taky_calls(calls: int, clients: int, per_s: float) -> list[float]:
    """Seconds from the sender's socket to the addressed client's, for each call."""
    async with _taky() as port:
        desk = await _Client.connect(port, "DESK")
        phones = []
        for n in range(clients):
            phone = await _Client.connect(port, f"U{n:04d}")
            # The server knows a client by its first event; it is asked until it does.
            await _known(desk, phone)
            phones.append(phone)
        taken = []
        for n in range(calls):
            phone = phones[n % clients]
            taken.append(await _through(desk, phone, f"call-{n}"))
            await asyncio.sleep(1 / per_s)
        for client in (*phones, desk):
            client.writer.close()
    return taken


class _Client:
    def __init__(
        self, callsign: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.callsign = callsign
        self.writer = writer
        self.came: dict[str, float] = {}
        self._news = asyncio.Event()
        self._listening = asyncio.create_task(self._listen(reader))

    @classmethod
    async def connect(cls, port: int, callsign: str) -> _Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        client = cls(callsign, reader, writer)
        writer.write(_event(callsign, "a-f-G-U-C", _SELF.format(callsign=callsign)))
        await writer.drain()
        return client

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        waiting = b""
        while True:
            try:
                chunk = await reader.read(65_536)
            except ConnectionError:
                chunk = b""
            if not chunk:
                return
            now = time.perf_counter()
            waiting += chunk
            *whole, waiting = waiting.split(b"</event>")
            for event in whole:
                found = re.search(rb"uid=['\"]([^'\"]+)", event)
                if found:
                    self.came.setdefault(found.group(1).decode(), now)
                    self._news.set()

    async def wait(self, uid: str, seconds: float) -> bool:
        end = time.perf_counter() + seconds
        while uid not in self.came and (left := end - time.perf_counter()) > 0:
            self._news.clear()
            try:
                async with asyncio.timeout(left):
                    await self._news.wait()
            except TimeoutError:
                return uid in self.came
        return uid in self.came


async def _through(desk: _Client, phone: _Client, uid: str) -> float:
    body = _event(uid, "b-m-p-s-m", _to(phone.callsign))
    start = time.perf_counter()
    desk.writer.write(body)
    if not await phone.wait(uid, WAIT_S_MAX):
        raise FarolitoError("taky did not deliver an event", "see whether it still runs")
    return phone.came[uid] - start


async def _known(desk: _Client, phone: _Client) -> None:
    for attempt in range(50):
        uid = f"hello-{phone.callsign}-{attempt}"
        desk.writer.write(_event(uid, "b-m-p-s-m", _to(phone.callsign)))
        if await phone.wait(uid, KNOWN_WITHIN_S * (attempt + 1)):
            return
    raise FarolitoError("taky does not know its client", "try again on a quieter machine")


def _to(callsign: str) -> str:
    says = "P2 disturbance, Central Av at 4th St. Two people shouting in front of a shop."
    return f'<marti><dest callsign="{callsign}"/></marti><remarks>{says}</remarks>'


def _event(uid: str, kind: str, detail: str) -> bytes:
    now = datetime.now(UTC)
    at, stale = (f"{t:%Y-%m-%dT%H:%M:%S.%f}Z" for t in (now, now + timedelta(hours=1)))
    return (
        f'<event version="2.0" uid="{uid}" type="{kind}" how="m-g" time="{at}" start="{at}"'
        f' stale="{stale}"><point lat="35.0844" lon="-106.6504" hae="9999999" ce="25"'
        f' le="9999999"/><detail>{detail}</detail></event>'
    ).encode()


@asynccontextmanager
async def _taky() -> AsyncIterator[int]:
    if find_spec("taky") is None:
        raise FarolitoError("taky, the rival, is not installed", "pip install farolito[bench]")
    root = Path(tempfile.mkdtemp(prefix="farolito-taky-"))
    [port] = free_ports(1)
    (root / "taky.conf").write_text(_CONFIG.format(root=root, port=port))
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "taky.cot", "-c", str(root / "taky.conf")],
        cwd=root,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _listens(port, process)
        yield port
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        shutil.rmtree(root, ignore_errors=True)


async def _listens(port: int, process: asyncio.subprocess.Process) -> None:
    end = time.monotonic() + START_S_MAX
    while time.monotonic() < end and process.returncode is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise FarolitoError("taky did not start", "run it by hand to see why: python -m taky.cot")
