"""Plate reads of a side, as its own readers made them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from farolito.app.clock import ids
from farolito.model import AgencyId, DeviceId, PlateRead, Point, ReadId
from farolito.store import Database, reads
from tests.federation.neighbours import START, Side

IN_TOWN = Point(35.10, -106.63)


def read(agency: AgencyId, plate: str, minutes_ago: float = 30.0, **more: Any) -> PlateRead:
    at = START - timedelta(minutes=minutes_ago)
    told: dict[str, Any] = {
        "read_id": ReadId(ids()), "agency": agency, "reader": DeviceId("main-at-2nd"),
        "captured_at": at, "received_at": at, "text": plate, "plate": plate, "source": "farolito",
        "event": "1", "state": "NM", "place": IN_TOWN,
    }  # fmt: skip
    return PlateRead(**{**told, **more})


async def keep(database: Database, *made: PlateRead) -> None:
    readers = reads.Readers()
    async with database.system() as connection:
        readers.remember(await readers.learn(connection, {(r.agency, r.reader) for r in made}))
        await reads.copy(connection, reads.pack(made, readers))


async def seen(side: Side, plate: str, minutes_ago: float = 30.0, **more: Any) -> PlateRead:
    made = read(side.agency_id, plate, minutes_ago, **more)
    await keep(side.database, made)
    return made
