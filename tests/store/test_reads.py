"""A read comes back from the store as it went in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from farolito.model import (
    AgencyId,
    Candidate,
    DeviceId,
    Picture,
    PlateRead,
    Point,
    ReadId,
    Seen,
    SeenVehicle,
    digest_id,
)
from farolito.store import Database, reads

CITY, READER = AgencyId("city"), DeviceId("central-at-4th-eb")
AT = datetime(2026, 5, 21, 16, 10, 6, 471_000, tzinfo=UTC)
BARE = PlateRead(
    read_id=ReadId(digest_id(int(AT.timestamp() * 1000), "bare")),
    agency=CITY,
    reader=READER,
    captured_at=AT,
    received_at=AT + timedelta(seconds=1),
    text="ABC123",
    plate="ABC123",
    source="farolito",
    event="1",
)
FULL = PlateRead(
    read_id=ReadId(digest_id(int(AT.timestamp() * 1000), "full")),
    agency=CITY,
    reader=READER,
    captured_at=AT + timedelta(minutes=1),
    received_at=AT + timedelta(minutes=2),
    text="abc-123",
    plate="ABC123",
    source="hikvision",
    event="2",
    confidence=0.934,
    characters=(0.99, 0.99, 0.61, 0.99, 0.5, 1.0),
    candidates=(Candidate("A8C123", 0.2), Candidate("ABC128")),
    state="NM",
    state_confidence=0.75,
    place=Point(35.0844, -106.6504),
    heading_deg=93.0,
    movement="receding",
    lane=2,
    speed_mps=13.4,
    vehicle=SeenVehicle(make=Seen("ford", 0.9), colour=Seen("white"), kind=Seen("pickup")),
    pictures=(Picture("0" * 64, "plate"),),
    picture_url="https://pictures.example/x.jpg",
    folded="O0",
)


async def _store(database: Database, readers: reads.Readers, *stored: PlateRead) -> None:
    async with database.system() as connection:
        readers.remember(await readers.learn(connection, {(CITY, READER)}))
        await reads.copy(connection, reads.pack(stored, readers))


@pytest.mark.parametrize("stored", [BARE, FULL], ids=["bare", "full"])
async def test_a_read_comes_back_as_it_went_in(database: Database, stored: PlateRead) -> None:
    await _store(database, reads.Readers(), stored)
    async with database.transaction(CITY) as connection:
        assert await reads.history(connection, "ABC123", AT - timedelta(days=1)) == [stored]


async def test_another_agencys_reads_are_not_in_the_history(database: Database) -> None:
    await _store(database, reads.Readers(), FULL)
    async with database.transaction(AgencyId("pueblo")) as connection:
        assert await reads.history(connection, "ABC123", AT - timedelta(days=1)) == []


async def test_a_readers_number_from_a_transaction_that_failed_is_not_used(
    database: Database,
) -> None:
    """A number whose row was rolled back would hide every read that is stored under it."""
    readers = reads.Readers()

    async def fail() -> None:
        async with database.system() as connection:
            await readers.learn(connection, {(CITY, READER)})
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await fail()
    with pytest.raises(KeyError):
        readers.number(BARE)
    await _store(database, readers, BARE)
    async with database.transaction(CITY) as connection:
        assert await reads.history(connection, "ABC123", AT - timedelta(days=1)) == [BARE]
