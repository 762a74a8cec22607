"""The register of cameras, who watched them, what was kept of them, and people's walls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import msgspec
import pytest

from farolito.app.clock import ids
from farolito.model import (
    AgencyId,
    CameraId,
    Clip,
    ClipId,
    ClipKind,
    Consent,
    ImageFault,
    IncidentId,
    OwnerId,
    PersonId,
    PictureState,
    Purpose,
)
from farolito.model.wall import Tile, Wall
from farolito.store import Database, Records
from farolito.store.walls import WALLS_MAX
from tests.camera_builders import CITY, NOON, SCHOOLS, TRANSIT, camera, health, viewing

PUEBLO = AgencyId("pueblo-pd")
MANY = 2_500  # more than one statement takes
LATER = NOON + timedelta(minutes=10)


@asynccontextmanager
async def records(database: Database, agency: AgencyId = CITY) -> AsyncIterator[Records]:
    async with database.transaction(agency) as connection:
        yield Records(connection, agency)


async def furnish(database: Database, *names: str) -> None:
    async with records(database) as r:
        await r.cameras.keep_owners([TRANSIT, SCHOOLS])
        await r.cameras.keep([camera(name) for name in names], NOON)


async def test_a_register_comes_back_as_it_was_written(database: Database) -> None:
    many = [camera(f"c-{n:05}", ring_s=float(n % 3)) for n in range(MANY)]
    async with records(database) as r:
        await r.cameras.keep_owners([TRANSIT, SCHOOLS])
        await r.cameras.keep(many, NOON)
    async with records(database) as r:
        assert await r.cameras.owners() == [TRANSIT, SCHOOLS]
        assert await r.cameras.all() == many
        assert await r.cameras.get(CameraId("c-00007")) == many[7]
        assert await r.cameras.get(CameraId("none")) is None


async def test_a_camera_without_a_known_owner_is_refused(database: Database) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with records(database) as r:
            await r.cameras.keep([camera("gate")], NOON)


async def test_a_removed_camera_is_known_and_shown_no_more(database: Database) -> None:
    await furnish(database, "gate", "hall")
    async with records(database) as r:
        await r.cameras.keep_logins({CameraId("gate"): b"sealed"})
        await r.cameras.keep_health([health("gate")])
        assert await r.cameras.remove([CameraId("gate"), CameraId("none")], LATER) == ["gate"]
        assert [one.camera_id for one in await r.cameras.all()] == ["hall"]
        assert (await r.cameras.logins(), await r.cameras.health()) == ({}, [])
        known = await r.cameras.known([CameraId("gate"), CameraId("hall"), CameraId("none")])
        assert {name: one.is_removed for name, one in known.items()} == {
            "gate": True,
            "hall": False,
        }
        await r.cameras.keep([camera("gate", consent=Consent.REGISTRY_ONLY)], LATER)
        back = await r.cameras.get(CameraId("gate"))
        assert back is not None
        assert back.consent is Consent.REGISTRY_ONLY


async def test_health_is_the_newest_of_cameras_that_are_there(database: Database) -> None:
    await furnish(database, "gate")
    worse = health("gate", PictureState.UNREACHABLE, faults=(ImageFault.BLACK,), missed=2)
    async with records(database) as r:
        await r.cameras.keep_health([health("gate"), health("none")])
        await r.cameras.keep_health([worse])
        assert await r.cameras.health() == [worse]


async def test_a_viewing_from_its_beginning_to_its_end(database: Database) -> None:
    await furnish(database, "gate")
    begun = viewing("gate", case="2026-1")
    async with records(database) as r:
        await r.viewings.begin(begun)
        await r.viewings.seen([begun.viewing_id], NOON + timedelta(minutes=1))
        [now] = await r.viewings.open()
        assert now == msgspec.structs.replace(begun, seen_at=NOON + timedelta(minutes=1))
        assert await r.viewings.end(begun.viewing_id, LATER, "left")
        assert not await r.viewings.end(begun.viewing_id, LATER, "cut"), "it had ended"
        gate, hour = CameraId("gate"), timedelta(hours=1)
        await r.viewings.recorded(gate, begun.person, LATER + hour, LATER + 2 * hour)
        await r.viewings.recorded(gate, PersonId(ids()), NOON, LATER)
        [ended] = await r.viewings.of_camera(gate)
        assert not ended.kept_recording, "of another time, or another person's"
        await r.viewings.recorded(gate, begun.person, LATER, LATER + hour)
        [ended] = await r.viewings.of_camera(CameraId("gate"))
        assert (ended.until, ended.why_ended, ended.kept_recording) == (LATER, "left", True)
        assert await r.viewings.open() == []


async def test_what_a_fallen_node_left_open_ended_when_it_was_last_seen(
    database: Database,
) -> None:
    await furnish(database, "gate")
    left, over = viewing("gate"), viewing("gate")
    async with records(database) as r:
        for one in (left, over):
            await r.viewings.begin(one)
        await r.viewings.end(over.viewing_id, LATER, "left")
        await r.viewings.seen([left.viewing_id], NOON + timedelta(minutes=3))
        [ended] = await r.viewings.end_left_open("the node stopped")
        assert ended.viewing_id == left.viewing_id
        assert ended.until == NOON + timedelta(minutes=3)
        assert await r.viewings.end_left_open("the node stopped") == []


async def test_an_owner_sees_the_own_cameras_with_minutes(database: Database) -> None:
    await furnish(database, "gate", "hall")
    long_ago = NOON - timedelta(days=40)
    async with records(database) as r:
        await r.cameras.keep([camera("yard", owner=SCHOOLS.owner_id)], NOON)
        for name, since, minutes in (("gate", NOON, 10), ("gate", NOON, 5), ("yard", NOON, 7),
                                     ("hall", long_ago, 9)):  # fmt: skip
            one = viewing(name, since)
            await r.viewings.begin(one)
            await r.viewings.end(one.viewing_id, since + timedelta(minutes=minutes), "left")
        await r.viewings.begin(viewing("gate", NOON + timedelta(hours=1)))
        sums = await r.viewings.sums(OwnerId("luminaria-transit"), NOON - timedelta(days=30))
        assert [(one.camera_id, one.minutes, one.now) for one in sums] == [("gate", 15.0, 1)]
        seen = await r.viewings.of_owner(OwnerId("luminaria-transit"))
        assert [one.camera_id for one in seen] == ["gate", "gate", "gate", "hall"]
        before = await r.viewings.of_camera(CameraId("gate"), NOON + timedelta(minutes=1), 1)
        assert [one.since for one in before] == [NOON]
        assert await r.viewings.end_before(NOON) == 1


async def test_another_agency_sees_nothing_of_it(database: Database) -> None:
    await furnish(database, "gate")
    async with records(database) as r:
        await r.viewings.begin(viewing("gate"))
    async with records(database, PUEBLO) as r:
        theirs = type(r)(r.connection, CITY)
        assert await theirs.cameras.all() == []
        assert await theirs.viewings.open() == []


async def test_clips_are_kept_with_what_was_made_of_them(database: Database) -> None:
    await furnish(database, "gate")
    incident = IncidentId(ids())
    first = clip(incident)
    blurred = clip(incident, kind=ClipKind.REDACTED, source=first.clip_id, made_at=LATER)
    async with records(database) as r:
        await r.clips.keep(first, b"signed")
        await r.clips.keep(blurred, b"signed too")
        assert await r.clips.get(first.clip_id) == first
        assert await r.clips.manifest(blurred.clip_id) == b"signed too"
        assert await r.clips.made_from(first.clip_id) == [blurred]
        assert await r.clips.find(incident=incident) == [blurred, first]
        assert await r.clips.find(camera_id=CameraId("hall")) == []
        with pytest.raises(asyncpg.UniqueViolationError):
            async with r.connection.transaction():
                await r.clips.keep(first, b"other")


def clip(incident: IncidentId, **more: object) -> Clip:
    told: dict[str, object] = {"kind": ClipKind.ORIGINAL, "made_at": NOON, **more}
    made = Clip(
        clip_id=ClipId(ids()), agency=CITY, camera_id=CameraId("gate"), kind=ClipKind.ORIGINAL,
        since=NOON, until=LATER, made_at=NOON, made_by=PersonId(ids()),
        purpose=Purpose.IN_PROGRESS_CALL, case=None, incident=incident, sha256="00", size=1,
        frames=1, permit=7,
    )  # fmt: skip
    return msgspec.structs.replace(made, **told)


async def test_walls_are_each_persons_own_and_no_more_than_there_may_be(
    database: Database,
) -> None:
    ana, sam = PersonId(ids()), PersonId(ids())
    wall = Wall(columns=2, tiles=(Tile(CameraId("gate")), None))
    async with records(database) as r:
        assert await r.walls.keep(ana, "night", wall)
        wider = msgspec.structs.replace(wall, columns=3)
        assert await r.walls.keep(ana, "night", wider)
        assert (await r.walls.of(ana), await r.walls.of(sam)) == ({"night": wider}, {})
        for n in range(WALLS_MAX - 1):
            assert await r.walls.keep(ana, f"wall {n}", wall)
        assert not await r.walls.keep(ana, "one more", wall)
        assert await r.walls.keep(ana, "night", wall), "a known one may change"
        assert await r.walls.drop(ana, "night")
        assert not await r.walls.drop(ana, "night")
