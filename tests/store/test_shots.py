"""What is kept of shots is the agency's own, and ends with all that came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import msgspec

from farolito.desk.shot_steps import raised
from farolito.model import (
    AgencyId,
    MissId,
    PersonId,
    Point,
    ShotAlert,
    ShotMiss,
    ShotOutcome,
)
from farolito.store import Database, Records
from tests.desk.city import AGENCY, spot
from tests.desk.gunfire import shot

OLD, NEW = datetime(2025, 1, 10, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
TABLES = ("shot_alerts", "shot_versions", "shot_history", "shot_tracks", "shot_evidence")


@asynccontextmanager
async def records(
    database: Database, agency: AgencyId = AGENCY.agency_id
) -> AsyncIterator[Records]:
    async with database.transaction(agency) as connection:
        yield Records(connection, agency)


def alert_of(number: int, at: datetime, x: float = 500.0) -> ShotAlert:
    alert = raised(UUID(int=number), shot(x, at=at), at)
    return msgspec.structs.replace(alert, zone="A1")


async def kept(records: Records, number: int, at: datetime) -> ShotAlert:
    """An alert with two versions, a line, a track and its pulses; and a miss far away."""
    alert = alert_of(number, at)
    await records.shots.add(alert)
    later = msgspec.structs.replace(alert, version=2)
    await records.shots.save(later)
    await records.shots.note(later, "said", None, 7)
    await records.shots.remember(f"boot:{number}", alert.shot.shot_id, alert.alert_id, 1, at)
    await records.shots.keep_evidence(alert.shot.shot_id, alert.alert_id, b"pulses", at)
    await records.shots.keep_miss(
        ShotMiss(
            miss_id=MissId(UUID(int=number)), agency=AGENCY.agency_id, at=at, said_at=at,
            place=spot(0, 0), known_by=ShotOutcome.VIDEO, by=PersonId(UUID(int=1)),
        )
    )  # fmt: skip
    return later


async def test_a_shot_past_its_time_takes_versions_tracks_and_pulses_along(
    database: Database,
) -> None:
    async with records(database) as ours:
        await kept(ours, 1, OLD)
        await kept(ours, 2, NEW)
        assert await ours.shots.end_before(date(2026, 1, 1)) == 2, "an alert and a miss"
        left = {
            table: await ours.connection.fetchval(f"select count(*) from {table}")
            for table in (*TABLES, "shot_misses")
        }
    assert left == {
        "shot_alerts": 1, "shot_versions": 2, "shot_history": 1, "shot_tracks": 1,
        "shot_evidence": 1, "shot_misses": 1,
    }  # fmt: skip


async def test_another_agency_finds_nothing_of_it(database: Database) -> None:
    async with records(database) as ours:
        alert = await kept(ours, 1, NEW)
    async with records(database, AgencyId("county-so")) as theirs:
        shots = theirs.shots
        assert await shots.get(alert.alert_id) is None
        assert await shots.versions(alert.alert_id) == []
        assert await shots.track("boot:1") is None
        assert await shots.evidence(alert.shot.shot_id) is None
        assert await shots.misses(OLD, NEW + timedelta(days=1)) == []
        assert await shots.end_before(date(2027, 1, 1)) == 0
    async with records(database) as ours:
        assert await ours.shots.get(alert.alert_id) == alert


async def test_what_comes_back_is_what_was_kept(database: Database) -> None:
    async with records(database) as ours:
        alert = await kept(ours, 1, NEW)
        versions = await ours.shots.versions(alert.alert_id)
        assert [one.version for one in versions] == [1, 2]
        assert versions[-1].alert == alert
        assert await ours.shots.version(alert.alert_id, 1) == versions[0].alert
        [case] = await ours.shots.cases(NEW, NEW + timedelta(days=1))
        assert (case.zone, case.reviewed_as, case.outcome) == ("A1", None, None)


async def test_what_is_near_is_found_at_any_latitude(database: Database) -> None:
    """The box only preselects: it may hold more, and must not hold less."""
    async with records(database) as ours:
        for number, lat in enumerate((0.5, 25.0, 40.0, 51.0, -34.0), 1):
            place = Point(lat, -100.0)
            told = msgspec.structs.replace(shot(at=NEW), place=place)
            alert = raised(UUID(int=number), told, NEW)
            await ours.shots.add(alert)
            east = Point(lat, -100.0 + 0.00140)  # 156 m at the equator, 98 m at 51 degrees
            span = timedelta(minutes=1)
            assert await ours.shots.near(east, 160.0, NEW - span, NEW + span) == [alert]
            assert await ours.shots.near(east, 160.0, NEW + span, NEW + 2 * span) == []
            far = Point(lat + 0.0030, -100.0)
            assert await ours.shots.near(far, 160.0, NEW - span, NEW + span) == []


async def test_a_track_remembers_the_newest_revision(database: Database) -> None:
    async with records(database) as ours:
        alert = await kept(ours, 1, NEW)
        shot_id = alert.shot.shot_id
        await ours.shots.remember("boot:1", shot_id, alert.alert_id, 4, NEW)
        track = await ours.shots.track("boot:1")
        assert track is not None
        assert (track.shot_id, track.alert_id, track.revision) == (shot_id, alert.alert_id, 4)
        assert len(await ours.shots.tracks_of([alert.alert_id])) == 1
