"""Where was this plate? From the own records, with a neighbour's, and out of one shared database.

The same reads are handed in at the doors of the city and of its partners, so that as many stand
behind each plate at either. The three ways of asking take turns, plate by plate, in a turning
order. What is measured of ours is HTTP in and JSON out, with rules and ledgers on both sides; what
is measured of the shared database is the bare query alone.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from farolito.app.demo_neighbours import Neighbouring
from farolito.cli.bench_metro_nodes import Agencies, Seat, until
from farolito.cli.bench_running import percentile_ms
from farolito.cli.bench_sender import request, send_all
from farolito.federation.post import A_MINUTE_MAX
from farolito.model import FarolitoError
from farolito.simulator.bulk import bulk

PLATES = 40  # the most read ones, which are asked for in turn
WARM_UP = 3
CONNECTIONS = 4
TURN_S = 60 / A_MINUTE_MAX  # an owner takes no more questions of one partner than that
FOUND_MAX = 400  # of two agencies; a node answers with 200 of its own
OWNERS_FEW, OWNERS_MANY = 5, 20
_POOLED = (
    "create table pooled (like reads including defaults);"
    "insert into pooled select * from reads; insert into pooled select * from reads;"
    "create index on pooled (plate, captured_at); analyze pooled"
)
# As farolito.store.reads asks it, without what only zones and states need.
_QUERY = (
    "select r.*, n.device_id from pooled r join readers n on n.number = r.reader"
    " where plate = any($1::text[]) and captured_at >= $2 and captured_at < $3"
    " order by captured_at desc limit $4"
)

Figures = dict[str, float | None]
Ask = Callable[[str], Awaitable[int]]


class Asked:
    """Seconds of each way of asking, and what did not come back."""

    def __init__(self) -> None:
        self.local: list[float] = []
        self.federated: list[float] = []
        self.shared: list[float] = []
        self.reads: list[int] = []
        self.unanswered = 0


async def fill(all_: Agencies, reads: int, seed: int) -> list[str]:
    """The same reads at each agency's door; answers the plates with most of them."""
    bodies = list(bulk(seed, reads, datetime.now(UTC) - timedelta(hours=2)))
    for one in (all_.city, *all_.partners):
        key = await reader(one, "bench-reader")
        requests = [request("/ingest/lpr/farolito", key, body) for body in bodies]
        sent = await send_all("127.0.0.1", one.hosted.port, requests, CONNECTIONS)
        if sent.accepted != sent.requests:
            raise FarolitoError(f"{sent.requests - sent.accepted} requests were not accepted")
        await until(partial(_is_recorded, one, reads))
    counts = Counter(read["plate"] for body in bodies for read in msgspec.json.decode(body))
    return [plate for plate, _ in counts.most_common(PLATES)]


async def reader(at: Neighbouring, name: str) -> str:
    """The key of a new plate reader."""
    device = {
        "device_id": name, "agency": at.told.agency_id, "kind": "plate_reader", "name": name,
        "format": "farolito",
    }  # fmt: skip
    return str((await at.admin("POST", "/api/admin/devices", device))["key"])


async def asks(
    all_: Agencies, plates: Sequence[str], seconds: float, progress: Callable[[float], None]
) -> Asked:
    """The three ways, in turn, for so long. The sheriff lets the city ask."""
    operator = await all_.seat(all_.city, "operator")
    sheriff = all_.sheriff.told.agency_id
    asked = Asked()
    connection = await _pool(all_.city)
    try:
        since = datetime.now(UTC) - timedelta(days=1)
        ways: list[tuple[Ask, list[float]]] = [
            (partial(_ask, operator, owners=()), asked.local),
            (partial(_ask, operator, owners=(sheriff,)), asked.federated),
            (partial(_bare, connection, since=since), asked.shared),
        ]
        for way, _ in ways * WARM_UP:
            await way(plates[0])
        turn, began = 0, time.perf_counter()
        while (spent := time.perf_counter() - began) < seconds:
            first = turn % len(ways)
            for way, took in ways[first:] + ways[:first]:
                await _one(asked, way, plates[turn % len(plates)], took)
            turn += 1
            progress(spent / seconds)
            await asyncio.sleep(turn * TURN_S - (time.perf_counter() - began))
    finally:
        await connection.close()
    return asked


async def wide(all_: Agencies, plates: Sequence[str], rounds: int) -> Figures:
    """Five owners at once by an operator, twenty by a supervisor; None where there are fewer."""
    found: Figures = {}
    for count, persona in ((OWNERS_FEW, "operator"), (OWNERS_MANY, "supervisor")):
        took: list[float] = []
        if rounds and len(all_.partners) >= count:
            seat = await all_.seat(all_.city, persona)
            owners = [one.told.agency_id for one in all_.partners[:count]]
            asked = Asked()
            for turn in range(rounds):
                plate = plates[turn % len(plates)]
                await _one(asked, partial(_ask, seat, owners=owners), plate, took)
        found[f"owners_{count}_p50_ms"] = percentile_ms(took, 0.50)
        found[f"owners_{count}_p95_ms"] = percentile_ms(took, 0.95)
    return found


def told(asked: Asked) -> tuple[Figures, Figures]:
    """Ours, and the shared database's."""
    local = {share: percentile_ms(asked.local, share) for share in (0.5, 0.95)}
    with_others = {share: percentile_ms(asked.federated, share) for share in (0.5, 0.95)}
    ours: Figures = {
        "federated_overhead_p50_ms": _less(with_others[0.5], local[0.5]),
        "federated_overhead_p95_ms": _less(with_others[0.95], local[0.95]),
        "local_p50_ms": local[0.5],
        "local_p95_ms": local[0.95],
        "federated_p50_ms": with_others[0.5],
        "federated_p95_ms": with_others[0.95],
        "reads_per_answer": sum(asked.reads) / len(asked.reads) if asked.reads else None,
        "asked": len(asked.federated),
        "unanswered": asked.unanswered,
    }
    theirs: Figures = {
        "federated_p50_ms": percentile_ms(asked.shared, 0.50, 3),
        "federated_p95_ms": percentile_ms(asked.shared, 0.95, 3),
    }
    return ours, theirs


def _less(more: float | None, less: float | None) -> float | None:
    return None if more is None or less is None else round(more - less, 1)


async def _one(asked: Asked, way: Ask, plate: str, took: list[float]) -> None:
    began = time.perf_counter()
    reads = await way(plate)
    spent = time.perf_counter() - began
    if reads < 0:
        asked.unanswered += 1
        return
    took.append(spent)
    if took is asked.federated:
        asked.reads.append(reads)


async def _ask(seat: Seat, plate: str, owners: Sequence[str]) -> int:
    """How many reads came; -1 where an owner did not answer."""
    answer = await seat.search(plate, owners)
    if any(one["state"] != "answered" for one in answer["owners"]):
        return -1
    return sum(len(one["reads"]) for one in answer["owners"])


async def _bare(connection: Any, plate: str, since: datetime) -> int:
    rows = await connection.fetch(_QUERY, [plate], since, datetime.now(UTC), FOUND_MAX)
    return len(rows)


async def _pool(at: Neighbouring) -> Any:
    """One table in the city's PostgreSQL with what two agencies have read, and whoever may connect
    sees all of it."""
    state = Path(at.hosted.folder) / "state" / "postgres"
    marker = state / "socket-path"
    host = marker.read_text() if marker.exists() else str(state / "socket")
    connection = await asyncpg.connect(f"postgresql:///farolito?host={host}&user=farolito")
    await connection.execute(_POOLED)
    return connection


async def _is_recorded(at: Neighbouring, reads: int) -> bool | None:
    queue = (await at.admin("GET", "/api/admin/health"))["queues"][0]
    return (queue["waiting"] == 0 and queue["recorded"] >= reads * 0.98) or None
