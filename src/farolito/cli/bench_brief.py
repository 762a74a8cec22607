"""`farolito bench brief`: a call on the CAD's door until its brief is on the officer's phone.

While 2,000 units say where they are once a second and 500 officers are connected, calls come one
by one, each with a unit that is assigned to it. Measured from the first byte sent to the door
until the brief's first version has come out of that officer's socket. The rival, in the same run:
the same call as one Cursor on Target event through the taky server alone, from the sender's socket
to that of the one client it is addressed to, with fewer clients connected (it tells each of all
others) and nothing else to do.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from farolito.cli.bench_node import AGENCY, unit_name
from farolito.cli.bench_running import Running, percentile_ms, running
from farolito.cli.bench_sender import request
from farolito.cli.bench_taky import taky_calls
from farolito.model import FarolitoError

Progress = Callable[[float], None]
CENTRE = (35.0844, -106.6504)
WAIT_S_MAX = 10.0  # for a brief; a later one counts as lost
MESSAGE_UNITS = 500  # positions in one message of the radio's gateway


class Sizes(msgspec.Struct, frozen=True):
    seconds: float
    units: int = 2_000
    phones: int = 500
    calls_per_minute: float = 50.0
    rival_phones: int = 100  # taky tells every client of every other: 500 take minutes to connect


QUICK = Sizes(seconds=18)
FULL = Sizes(seconds=240, rival_phones=250)


def run(quick: bool, seed: int, progress: Progress) -> Mapping[str, Any]:
    return asyncio.run(_run(QUICK if quick else FULL, seed, progress))


async def _run(sizes: Sizes, seed: int, progress: Progress) -> Mapping[str, Any]:
    async with running(seed=seed, officers=sizes.phones, streets=True) as node:
        progress(0.3)
        async with _phones(node) as phones, _positions(node, sizes.units):
            taken = await _calls(node, phones, sizes, seed, lambda x: progress(0.3 + x * 0.5))
        lost = sum(1 for seconds in taken if seconds is None)
    known = [seconds for seconds in taken if seconds is not None]
    progress(0.8)
    rival = await taky_calls(len(taken), sizes.rival_phones, sizes.calls_per_minute / 60 * 4)
    progress(1.0)
    ours = percentile_ms(known, 0.95)
    theirs = percentile_ms(rival, 0.95)
    return {
        "figures": {
            "call_to_phone_p50_ms": percentile_ms(known, 0.50),
            "call_to_phone_p95_ms": ours,
            "call_to_phone_p99_ms": percentile_ms(known, 0.99),
            "calls_per_minute": sizes.calls_per_minute,
            "phones": sizes.phones,
            "units": sizes.units,
            "calls": len(taken),
            "lost": lost,
        },
        "baselines": [
            {
                "what": "taky CoT → CoT",
                "figures": {
                    "call_to_phone_p50_ms": percentile_ms(rival, 0.50),
                    "call_to_phone_p95_ms": theirs,
                    "call_to_phone_p99_ms": percentile_ms(rival, 0.99),
                    "phones": sizes.rival_phones,
                },
            }
        ],
        "ratios": {"p95_vs_taky": ours / theirs if ours and theirs else None},
    }


class _Phones:
    """Every officer's page, listening; `came` holds when a call's first brief was there."""

    def __init__(self) -> None:
        self.came: dict[str, float] = {}
        self.news = asyncio.Event()

    async def listen(self, socket: ClientConnection) -> None:
        async for text in socket:
            if '"brief"' not in text[:40]:
                continue
            message = msgspec.json.decode(text)
            if message["k"] == "brief" and message["brief"]["version"] == 1:
                self.came.setdefault(message["brief"]["call"], time.perf_counter())
                self.news.set()


@asynccontextmanager
async def _phones(node: Running) -> AsyncIterator[_Phones]:
    phones = _Phones()
    url = f"ws://127.0.0.1:{node.port}/api/live"
    sockets: list[ClientConnection] = []
    listening: list[asyncio.Task[None]] = []
    try:
        for cookie in node.cookies().values():
            socket = await connect(
                url, additional_headers={"Cookie": cookie}, compression=None, ping_interval=None
            )
            sockets.append(socket)
            listening.append(asyncio.create_task(phones.listen(socket)))
        yield phones
    finally:
        for task in listening:
            task.cancel()
        for socket in sockets:
            socket.transport.abort()


@asynccontextmanager
async def _positions(node: Running, units: int) -> AsyncIterator[None]:
    """Every unit once a second, as a radio's gateway sends them."""
    device = {
        "device_id": "avl", "agency": AGENCY, "kind": "positions", "name": "AVL",
        "format": "farolito",
    }  # fmt: skip
    key = (await node.admin("POST", "/api/admin/devices", device))["key"]

    async def send() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
        step = 0
        while True:
            begun = time.perf_counter()
            for first in range(0, units, MESSAGE_UNITS):
                numbers = range(first, min(first + MESSAGE_UNITS, units))
                body = msgspec.json.encode([_fix(n, step) for n in numbers])
                writer.write(request("/ingest/avl/farolito", key, body))
                head = await reader.readuntil(b"\r\n\r\n")
                if b" 202 " not in head:
                    raise FarolitoError("positions were refused", head.decode("latin-1")[:200])
                await reader.readuntil(b"}")
            step += 1
            await asyncio.sleep(max(0.0, 1 - (time.perf_counter() - begun)))

    sending = asyncio.create_task(send())
    try:
        yield
        if sending.done():
            sending.result()
    finally:
        sending.cancel()


def _fix(number: int, step: int) -> dict[str, Any]:
    """A unit on a grid of its own, going north at 10 m/s and back again each minute."""
    row, column = divmod(number, 50)
    north = 9e-5 * (step % 60 if step // 60 % 2 == 0 else 60 - step % 60)
    return {
        "unit": unit_name(number),
        "lat": CENTRE[0] + row * 2e-3 - 0.04 + north,
        "lon": CENTRE[1] + column * 2e-3 - 0.05,
        "at": datetime.now(UTC),
        "heading_deg": 0.0,
        "speed_mps": 10.0,
    }


async def _calls(
    node: Running, phones: _Phones, sizes: Sizes, seed: int, progress: Progress
) -> list[float | None]:
    """Seconds from door to phone for each call; None where no brief came."""
    device = {
        "device_id": "cad", "agency": AGENCY, "kind": "cad", "name": "CAD", "format": "farolito",
    }  # fmt: skip
    key = (await node.admin("POST", "/api/admin/devices", device))["key"]
    chance = random.Random(seed)
    sent: dict[str, float] = {}
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    count = int(sizes.seconds * sizes.calls_per_minute / 60)
    begun = time.perf_counter()
    for n in range(count):
        await asyncio.sleep(max(0.0, begun + n * 60 / sizes.calls_per_minute - time.perf_counter()))
        number = f"26-{n:06d}"
        body = msgspec.json.encode(_call(number, n % sizes.phones, chance))
        sent[number] = time.perf_counter()
        writer.write(request("/ingest/cad/farolito", key, body))
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 202 " not in head:
            raise FarolitoError("a call was refused", head.decode("latin-1")[:200])
        await reader.readuntil(b"}")
        progress(n / count)
    writer.close()
    end = time.perf_counter() + WAIT_S_MAX
    while len(phones.came) < count and time.perf_counter() < end:
        await asyncio.sleep(0.05)
    return [
        phones.came[number] - at if number in phones.came else None for number, at in sent.items()
    ]


def _call(number: str, unit: int, chance: random.Random) -> dict[str, Any]:
    """A call somewhere in the metro, so far from the others that it is one of its own."""
    now = datetime.now(UTC)
    return {
        "number": number, "sent_at": now, "taken_at": now, "kind": "disturbance",
        "kind_says": "DISTURBANCE", "priority": 2, "state": "open",
        "place": {
            "lat": CENTRE[0] + chance.uniform(-0.04, 0.04),
            "lon": CENTRE[1] + chance.uniform(-0.05, 0.05),
        },
        "units": [{"unit": unit_name(unit), "status": "assigned", "at": now}],
        "notes": [{"note_id": "1", "at": now, "says": "Two people shouting in front of a shop."}],
    }  # fmt: skip
