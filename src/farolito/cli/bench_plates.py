"""`farolito bench plates`: from the door to the alert, and the matching alone.

(a) reads a second through HTTP until they are durable, recorded and matched, in requests of 100
(through a door in a process of its own, and all in one process) and of one; (b) read to alert on
the console's socket while 1,000 reads a second arrive; (c) and (d) the matching itself, see
bench_plates_matching. The rival of (a), a bare COPY of the same rows into a table like ours, runs
in the same PostgreSQL right after.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
from websockets.asyncio.client import connect

from farolito.cli import bench_plates_matching
from farolito.cli.bench_node import AGENCY, listed_plates
from farolito.cli.bench_running import Running, percentile_ms, running
from farolito.cli.bench_sender import request, send_all
from farolito.ingest.lpr import FORMATS
from farolito.model import AgencyId, Device, DeviceId, FarolitoError
from farolito.simulator.bulk import bulk
from farolito.store import reads as store_reads

ROWS = 300_000
LISTED_PER_S = 4
BACKGROUND_PER_S = 1_000
COPY_ROWS = 10_000
Progress = Callable[[float], None]


class Sizes(msgspec.Struct, frozen=True):
    batches: int
    singles: int
    alert_s: float


QUICK = Sizes(batches=2_500, singles=6_000, alert_s=6)
FULL = Sizes(batches=15_000, singles=30_000, alert_s=40)


def run(quick: bool, seed: int, progress: Progress) -> Mapping[str, Any]:
    doors = asyncio.run(_doors(QUICK if quick else FULL, seed, lambda x: progress(x * 0.6)))
    matching = bench_plates_matching.run(quick, seed, lambda x: progress(0.6 + x * 0.4))
    return {
        "figures": {**doors["figures"], **matching["figures"]},
        "baselines": [*doors["baselines"], *matching["baselines"]],
        "ratios": {**doors["ratios"], **matching["ratios"]},
    }


async def _doors(sizes: Sizes, seed: int, progress: Progress) -> dict[str, Any]:
    async with _node(ROWS, seed) as bench:
        await bench.register()
        progress(0.2)
        alone = await bench.batches(sizes.batches // 2, seed, bench.port)
        batched = await bench.batches(sizes.batches, seed + 3, bench.door_port)
        progress(0.5)
        single = await bench.singles(sizes.singles, seed + 1)
        progress(0.7)
        alerts = await bench.alerts(sizes.alert_s, seed + 2)
        progress(0.9)
        copied = await bench.bare_copy(sizes.batches * 100)
        progress(1.0)
    return {
        "figures": {
            "ingest_reads_per_s": batched,
            "ingest_one_process_reads_per_s": alone,
            "ingest_single_reads_per_s": single,
            "alert_p50_ms": percentile_ms(alerts, 0.50),
            "alert_p99_ms": percentile_ms(alerts, 0.99),
            "alerts_measured": len(alerts),
        },
        "baselines": [{"what": "bare COPY", "figures": {"ingest_reads_per_s": copied}}],
        "ratios": {"ingest_vs_copy": batched / copied},
    }


class _Bench:
    def __init__(self, node: Running, listed: list[str]) -> None:
        self.state = node.state
        self.port, self.door_port = node.port, node.door_ports[0]
        self.http = node.http
        self.admin = node.admin
        self.key = ""
        self.listed = listed

    async def register(self) -> None:
        device = {
            "device_id": "bench-reader", "agency": AGENCY, "kind": "plate_reader",
            "name": "Bench", "format": "farolito",
        }  # fmt: skip
        self.key = (await self.admin("POST", "/api/admin/devices", device))["key"]

    async def batches(self, count: int, seed: int, port: int) -> float:
        """Reads a second, from the first byte sent until the last read is recorded."""
        bodies = bulk(seed, count * 100, datetime.now(UTC) - timedelta(hours=1))
        requests = [request("/ingest/lpr/farolito", self.key, body) for body in bodies]
        return await self._until_recorded(requests, 100, (port, 8))

    async def singles(self, count: int, seed: int) -> float:
        bodies = bulk(seed, count, datetime.now(UTC) - timedelta(hours=2))
        each = [b"[" + raw + b"]" for body in bodies for raw in _items(body)][:count]
        requests = [request("/ingest/lpr/farolito", self.key, body) for body in each]
        return await self._until_recorded(requests, 1, (self.port, 64))

    async def _until_recorded(
        self, requests: list[bytes], each: int, through: tuple[int, int]
    ) -> float:
        port, connections = through
        before = (await self._queue())["recorded"]
        start = time.perf_counter()
        sent = await send_all("127.0.0.1", port, requests, connections)
        if sent.accepted != sent.requests:
            raise FarolitoError(f"{sent.requests - sent.accepted} requests were not accepted")
        while True:
            queue = await self._queue()
            if queue["waiting"] == 0 and queue["recorded"] - before >= len(requests) * each * 0.98:
                break
            await asyncio.sleep(0.05)
        return len(requests) * each / (time.perf_counter() - start)

    async def alerts(self, seconds: float, seed: int) -> list[float]:
        """Seconds from handing in a listed read to its alert on the operator's socket."""
        answer = await self.http.post("/api/session/demo", json={"persona": "operator"})
        cookie = answer.headers["set-cookie"].partition(";")[0]
        sent_at: dict[str, float] = {}
        seen: list[float] = []
        socket_url = f"ws://127.0.0.1:{self.port}/api/live"
        async with connect(socket_url, additional_headers={"Cookie": cookie}) as live:
            listening = asyncio.create_task(_listen(live, sent_at, seen))
            background = asyncio.create_task(self._background(seconds, seed))
            await self._listed(seconds, sent_at)
            await background
            await _until(lambda: len(seen) >= len(sent_at), 10)
            listening.cancel()
        return seen

    async def _background(self, seconds: float, seed: int) -> None:
        count = int(BACKGROUND_PER_S * seconds)
        bodies = bulk(seed, count, datetime.now(UTC) - timedelta(hours=3))
        tens: list[bytes] = []
        for body in bodies:
            items = _items(body)
            tens += [b"[" + b",".join(items[i : i + 10]) + b"]" for i in range(0, len(items), 10)]
        requests = [request("/ingest/lpr/farolito", self.key, body) for body in tens]
        await send_all("127.0.0.1", self.port, requests, 8, per_s=BACKGROUND_PER_S / 10)

    async def _listed(self, seconds: float, sent_at: dict[str, float]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for plate in self.listed[: int(seconds * LISTED_PER_S)]:
            body = msgspec.json.encode([{
                "plate": plate, "captured_at": datetime.now(UTC), "confidence": 0.99,
                "characters": [0.999] * len(plate), "state": "NM", "state_confidence": 0.99,
            }])  # fmt: skip
            sent_at[plate] = time.perf_counter()
            writer.write(request("/ingest/lpr/farolito", self.key, body))
            await reader.readuntil(b"\r\n\r\n")
            await reader.readuntil(b"}")
            await asyncio.sleep(1 / LISTED_PER_S)
        writer.close()

    async def bare_copy(self, rows: int) -> float:
        """The rival: the same rows, packed beforehand, by COPY alone into a table like ours."""
        sockets = self.state / "postgres"
        marker = sockets / "socket-path"
        host = marker.read_text() if marker.exists() else str(sockets / "socket")
        connection = await asyncpg.connect(f"postgresql:///farolito?host={host}&user=farolito")
        await connection.execute(
            "create table bare (like reads including defaults);"
            "create index on bare (plate, captured_at); create index on bare (reader, captured_at);"
            "create index on bare using brin (captured_at) with (pages_per_range = 32)"
        )
        chunk = _packed(COPY_ROWS)
        start = time.perf_counter()
        for _ in range(max(1, rows // COPY_ROWS)):
            await store_reads.copy(connection, chunk, table="bare")
        seconds = time.perf_counter() - start
        await connection.close()
        return max(1, rows // COPY_ROWS) * COPY_ROWS / seconds

    async def _queue(self) -> dict[str, Any]:
        return dict((await self.admin("GET", "/api/admin/health"))["queues"][0])


async def _listen(live: Any, sent_at: Mapping[str, float], seen: list[float]) -> None:
    async for text in live:
        message = msgspec.json.decode(text)
        if message["k"] == "alert":
            plate = message["alert"]["match"]["entry"]["plate"]
            if plate in sent_at and message["alert"]["version"] == 1:
                seen.append(time.perf_counter() - sent_at[plate])


async def _until(true: Callable[[], bool], seconds: float) -> None:
    end = time.perf_counter() + seconds
    while not true() and time.perf_counter() < end:
        await asyncio.sleep(0.01)


@asynccontextmanager
async def _node(rows: int, seed: int) -> AsyncIterator[_Bench]:
    async with running(rows=rows, seed=seed, doors=1) as node:
        yield _Bench(node, listed_plates(rows, seed))


def _packed(rows: int) -> bytes:
    """Rows like those that the door delivers, in binary COPY form."""
    now = datetime.now(UTC)
    device = Device(
        device_id=DeviceId("bench-reader"), agency=AgencyId(AGENCY), kind="plate_reader",
        name="Bench", format="farolito",
    )  # fmt: skip
    readers = store_reads.Readers()
    readers.know(device.agency, device.device_id, 1)
    decode = FORMATS["farolito"].decode
    bodies = bulk(1, rows, now - timedelta(hours=1))
    decoded = [decode(body, "application/json", device, now) for body in bodies]
    return store_reads.pack([read for d in decoded for read in d.reads], readers)


def _items(body: bytes) -> list[bytes]:
    """The single reads of a batch, each as its own JSON."""
    return [bytes(raw) for raw in msgspec.json.decode(body, type=list[msgspec.Raw])]
