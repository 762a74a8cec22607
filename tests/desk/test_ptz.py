"""Turning a camera: one holder, a lease kept by use, and where a place lies for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farolito.app.clock import ids
from farolito.desk import Conflict
from farolito.desk.ptz import Aim, Held, Ptz, Wanted, aim_at
from farolito.geo.distance import bearing_deg
from farolito.model import (
    Camera,
    CameraId,
    Consent,
    Invalid,
    Optics,
    Person,
    PersonId,
    PtzLimits,
    Purpose,
    Refused,
    Role,
)
from farolito.store import Database
from tests.desk.cameras import ADMIN, GATE, Watched, gate_camera
from tests.desk.city import AGENCY, a_city, spot

LIMITS = PtzLimits(tilt_from_deg=-60.0, zoom_max=20.0)
DOME = gate_camera(height_m=8.0, ptz=LIMITS)


def person(name: str, role: Role = Role.OPERATOR) -> Person:
    return Person(person_id=PersonId(ids()), agency=AGENCY.agency_id, name=name, role=role)


ANA, LEE, DOLORES = person("Ana"), person("Lee"), person("Dolores", Role.SUPERVISOR)


class Noted:
    """A camera that notes how it was turned."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    async def move(self, camera: Camera, pan: float, tilt: float, zoom: float) -> None:
        self.told.append(("move", pan, tilt, zoom))

    async def stop(self, camera: Camera) -> None:
        self.told.append(("stop",))

    async def look_at(self, camera: Camera, pan_deg: float, tilt_deg: float, zoom: float) -> None:
        self.told.append(("look_at", round(pan_deg), round(tilt_deg), round(zoom, 1)))

    async def home(self, camera: Camera) -> None:
        self.told.append(("home",))


class Turning:
    def __init__(self, city: Watched) -> None:
        self.city = city
        self.turns = Noted()
        self.looks: list[tuple[CameraId, float | None]] = []
        self.ptz = Ptz(
            city.gate, city.book, self.turns, city.clock, lambda *told: self.looks.append(told)
        )

    async def do(self, who: Person, op: Any, **more: Any) -> Held:
        answer = await self.ptz.do(self.city.asks(who), GATE, Wanted(op, **more))
        return answer.value


@pytest.fixture
async def turning(database: Database, tmp_path: Path) -> AsyncIterator[Turning]:
    async with a_city(database, tmp_path) as made:
        yield Turning(await Watched.of(made, tmp_path, DOME))


async def test_one_turns_and_keeps_it_by_use(turning: Turning) -> None:
    taken = await turning.do(ANA, "take")
    assert (taken.held_by, taken.yours) == ("Ana", True)
    turning.city.later(29)
    await turning.do(ANA, "move", pan=0.5)
    turning.city.later(29)
    with pytest.raises(Conflict, match="Ana turns this camera"):
        await turning.do(LEE, "move", pan=-1)
    turning.city.later(2)
    assert turning.ptz.held(GATE, LEE) is None
    await turning.ptz.expire()
    assert turning.turns.told == [("move", 0.5, 0.0, 0.0), ("stop",)]
    assert (await turning.do(LEE, "move", pan=-1)).held_by == "Lee"


async def test_it_is_asked_for_and_handed_over(turning: Turning) -> None:
    await turning.do(ANA, "take")
    asked = await turning.do(LEE, "ask")
    assert (asked.held_by, asked.yours, asked.waiting) == ("Ana", False, ("Lee",))
    given = await turning.do(ANA, "give")
    assert (given.held_by, given.yours, given.waiting) == ("Lee", False, ())
    with pytest.raises(Conflict):
        await turning.do(ANA, "home")
    with pytest.raises(Conflict, match="nobody waits"):
        await turning.do(LEE, "give")
    assert (await turning.do(LEE, "release")).held_by is None


async def test_a_supervisor_takes_it_and_who_had_it_waits(turning: Turning) -> None:
    await turning.do(ANA, "move", tilt=1)
    with pytest.raises(Conflict):
        await turning.do(LEE, "take")
    taken = await turning.do(DOLORES, "take")
    assert (taken.held_by, taken.waiting) == ("Dolores", ("Ana",))


async def test_who_looks_no_more_turns_no_more(turning: Turning) -> None:
    await turning.do(ANA, "move", zoom=1)
    await turning.ptz.drop(LEE.person_id, GATE)
    assert turning.ptz.held(GATE, ANA) is not None
    await turning.ptz.drop(ANA.person_id, GATE)
    assert turning.ptz.held(GATE, ANA) is None
    assert turning.turns.told[-1] == ("stop",)


async def test_it_looks_at_a_place_and_says_where_it_cannot(turning: Turning) -> None:
    place = spot(80, 0)
    there = await turning.do(ANA, "look_at", lat=place.lat, lon=place.lon)
    assert turning.turns.told == [("look_at", 90, -6, 6.6)]
    assert there.turn_s == 0, "it rests so"
    assert [name for name, _ in turning.looks] == [GATE]
    limited = msgspec.structs.replace(LIMITS, pan_from_deg=300.0, pan_to_deg=45.0)
    await turning.city.bring(msgspec.structs.replace(DOME, ptz=limited))
    with pytest.raises(Invalid, match="turns from 300° to 45°, and the place lies at 90°"):
        await turning.do(ANA, "look_at", lat=place.lat, lon=place.lon)
    north = spot(0, 80)
    quarter = await turning.do(ANA, "look_at", lat=north.lat, lon=north.lon)
    assert quarter.turn_s == LIMITS.seconds_half_turn / 2
    for wrong in ({}, {"lat": 35.0}, {"lat": 0.0, "lon": 0.0}):
        with pytest.raises(Invalid):
            await turning.do(ANA, "look_at", **wrong)
    for speed in (1.1, -2.0, float("nan"), float("inf")):
        with pytest.raises(Invalid, match="speed"):
            await turning.do(ANA, "move", pan=speed)


async def test_each_turn_is_an_entry_and_a_refusal_turns_nothing(turning: Turning) -> None:
    before = turning.city.ledger.status().size
    await turning.do(ANA, "home")
    assert await turning.city.entries(before - 1) == [("act", "permit")]
    with pytest.raises(Refused):
        await turning.ptz.do(turning.city.asks(ADMIN), GATE, Wanted("home"))
    await turning.city.bring(
        msgspec.structs.replace(DOME, consent=Consent.REGISTRY_ONLY), gate_fixed()
    )
    with pytest.raises(Refused) as told:
        await turning.do(ANA, "home")
    assert told.value.reason == "no_consent"
    assert turning.turns.told == [("home",)]
    ask = turning.city.asks(ANA, Purpose.IN_PROGRESS_CALL)
    with pytest.raises(Invalid, match="does not turn"):
        await turning.ptz.do(ask, CameraId("fixed"), Wanted("home"))


def gate_fixed() -> Camera:
    return msgspec.structs.replace(DOME, camera_id=CameraId("fixed"), ptz=None)


@given(
    st.floats(-2000, 2000), st.floats(-2000, 2000), st.floats(0, 359.9), st.floats(0, 359.9),
    st.floats(1, 60),
)  # fmt: skip
def test_an_aim_is_within_what_the_camera_does(
    x: float, y: float, start: float, end: float, height: float
) -> None:
    limits = PtzLimits(pan_from_deg=start, pan_to_deg=end, tilt_from_deg=-80.0, zoom_max=30.0)
    one = msgspec.structs.replace(DOME, ptz=limits, height_m=height, optics=Optics(hfov_deg=60.0))
    try:
        aim = aim_at(one, spot(x, y))
    except Invalid:
        return
    assert isinstance(aim, Aim)
    assert 0 <= aim.pan_deg < 360
    assert (aim.pan_deg - start) % 360 <= (end - start) % 360
    assert -80 <= aim.tilt_deg < 0
    assert 1 <= aim.zoom <= 30
    origin, place = spot(0, 0), spot(x, y)
    assert aim.pan_deg == bearing_deg((origin.lat, origin.lon), (place.lat, place.lon))
