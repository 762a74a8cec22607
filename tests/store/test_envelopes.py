"""What the store keeps of other agencies' messages and of searches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from farolito.model import AgencyId, EnvelopeId, Point, Purpose, Zone
from farolito.model.ids import PersonId
from farolito.model.search import ReadsWanted, SearchApproval
from farolito.store import Database, reads
from farolito.store.records import Records
from tests.store.test_reads import AT, BARE, FULL, _store

OWN, SHERIFF = AgencyId("city"), AgencyId("county-so")
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ONE, TWO, THREE = (EnvelopeId(UUID(int=n)) for n in (1, 2, 3))


def around(lat: float, lon: float) -> Zone:
    ring = ((-0.01, -0.01), (-0.01, 0.01), (0.01, 0.01), (0.01, -0.01))
    return Zone("zone", tuple(Point(lat + y, lon + x) for y, x in ring))


async def test_a_message_is_new_once_for_each_sender(database: Database) -> None:
    async with database.transaction(OWN) as connection:
        taken = Records(connection, OWN).envelopes
        assert await taken.take(SHERIFF, ONE, NOW)
        assert not await taken.take(SHERIFF, ONE, NOW)
        assert await taken.take(AgencyId("pueblo-pd"), ONE, NOW)
        an_hour_on = NOW + timedelta(hours=1)
        assert await taken.take(SHERIFF, TWO, an_hour_on)
        assert not await taken.take(SHERIFF, ONE, NOW)  # kept for just an hour
        assert await taken.take(SHERIFF, THREE, an_hour_on + timedelta(seconds=1))
        assert await taken.take(SHERIFF, ONE, NOW)
        assert not await taken.take(SHERIFF, TWO, an_hour_on)


async def test_the_first_question_of_an_agency_is_known_as_that(database: Database) -> None:
    day = NOW.date()
    async with database.transaction(OWN) as connection:
        asked = Records(connection, OWN).envelopes
        assert await asked.asked(SHERIFF, NOW, day, "answered", 3)
        assert not await asked.asked(SHERIFF, NOW, day, "answered", 4)
        assert not await asked.asked(SHERIFF, NOW, day, "outside_hours", 0)
        counts = [(a.outcome, a.questions, a.reads) for a in await asked.questions(day)]
        assert counts == [("answered", 2, 7), ("outside_hours", 1, 0)]
        assert await asked.new_askers(NOW) == {SHERIFF: NOW}
        assert await asked.new_askers(NOW + timedelta(seconds=1)) == {}
    async with database.transaction(SHERIFF) as connection:
        assert await Records(connection, SHERIFF).envelopes.questions(day) == []


async def test_an_approval_is_used_once_and_ends(database: Database) -> None:
    approval = SearchApproval(
        approval_id=UUID(int=9),
        approved_by=PersonId(UUID(int=1)),
        person=PersonId(UUID(int=2)),
        owners=(SHERIFF,),
        case="2026-1",
        purpose=Purpose.CRIMINAL_INVESTIGATION,
        expires_at=NOW + timedelta(hours=1),
        permit=4,
    )
    async with database.transaction(OWN) as connection:
        kept = Records(connection, OWN).approvals
        await kept.keep(approval)
        assert await kept.get(approval.approval_id, NOW) == approval
        assert await kept.get(approval.approval_id, approval.expires_at) is None
        assert await kept.use(approval.approval_id, NOW)
        assert not await kept.use(approval.approval_id, NOW)
        assert await kept.get(approval.approval_id, NOW) is None


async def test_a_search_keeps_to_state_time_and_zones(database: Database) -> None:
    await _store(database, reads.Readers(), BARE, FULL)
    whole = ReadsWanted(
        plates=("ABC123",), since=AT - timedelta(days=1), until=AT + timedelta(days=1)
    )
    place = FULL.place
    assert place is not None
    zone, elsewhere = around(place.lat, place.lon), around(place.lat + 1, place.lon)
    async with database.transaction(OWN) as connection:

        async def found(**changed: object) -> list[str]:
            fields = {name: getattr(whole, name) for name in whole.__struct_fields__}
            wanted = ReadsWanted(**(fields | changed))
            return [read.event for read in await Records(connection, OWN).reads.search(wanted)]

        assert await found() == ["2", "1"]
        assert await found(state="NM") == ["2", "1"]  # a read without a state may be of any
        assert await found(state="TX") == ["1"]
        assert await found(since=AT + timedelta(seconds=1)) == ["2"]
        assert await found(until=FULL.captured_at) == ["1"]
        assert await found(zones=(elsewhere, zone)) == ["2"]  # one without a place is in no zone
        assert await found(zones=(elsewhere,)) == []
        assert await found(limit=1) == ["2"]
        assert await found(plates=("ABC124", "A8C123")) == []
