"""What a TAK client's position becomes here, and which events are no position at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from farolito.ingest.avl.cot import CotEvent, element
from farolito.ingest.avl.heard import Origin
from farolito.ingest.avl.tak_units import Roster, TakUnits, TakUser, sender_uid, with_contact
from farolito.model import AgencyId, Rejected, UnitPosition
from tests.ingest.avl.cot_builders import NOW, a_car, an_event

ORIGIN = Origin(AgencyId("practice-pd"), "tak county")


class Taken:
    """TakUnits with what came out of it."""

    def __init__(self) -> None:
        self.positions: list[UnitPosition] = []
        self.others: list[CotEvent] = []
        self.told: Counter[str] = Counter()
        self.units = TakUnits(ORIGIN, self._hear, self._tell, lambda: NOW, self._other)

    async def take(self, event: CotEvent, **roster: Any) -> None:
        given: dict[str, Any] = {"units": {}, "callsigns": "any"}
        user = with_contact(TakUser(name="county"), event, Roster(**(given | roster)))
        await self.units.on_event(event, user)

    async def _hear(self, positions: Sequence[UnitPosition]) -> None:
        self.positions += positions

    def _tell(self, why: Rejected, _: bytes) -> None:
        self.told[why.reason] += 1

    async def _other(self, event: CotEvent, _: TakUser) -> None:
        self.others.append(event)


async def test_a_cars_event_is_a_position_with_heading_speed_and_accuracy() -> None:
    taken = Taken()
    await taken.take(a_car("2A14", speed="12.5", course="271.0", ce=10.0))
    (position,) = taken.positions
    assert (position.unit, position.heading_deg, position.speed_mps) == ("2A14", 271.0, 12.5)
    assert position.accuracy_m == pytest.approx(16.2), "95 of 100, where the phone says 68"
    assert (position.source, position.at, position.received_at) == ("tak county", NOW, NOW)


async def test_what_is_not_known_stays_unknown() -> None:
    taken = Taken()
    contact = element("contact", {"callsign": "2A14"})
    await taken.take(an_event(ce=None, detail=contact))
    await taken.take(an_event(detail=contact + element("track", {"speed": "NaN", "course": "x"})))
    for position in taken.positions:
        assert (position.heading_deg, position.speed_mps) == (None, None)
    assert taken.positions[0].accuracy_m is None


async def test_the_table_names_a_unit_by_its_device_or_its_call_sign() -> None:
    taken = Taken()
    await taken.take(a_car("Unit 14"), units={"Unit 14": "2A14"}, callsigns="none")
    await taken.take(a_car("x"), units={"ANDROID-x": "2B20"}, callsigns="none")
    assert [position.unit for position in taken.positions] == ["2A14", "2B20"]


async def test_a_client_that_is_no_unit_is_counted_and_not_heard() -> None:
    taken = Taken()
    await taken.take(a_car("2A14"), callsigns="known")
    await taken.take(a_car("2A14"), callsigns="known", known=lambda unit: unit == "2A14")
    assert len(taken.positions) == 1
    assert taken.told == {"unknown_unit": 1}


async def test_a_stranger_is_told_of_once_in_a_while_and_not_with_every_position() -> None:
    taken = Taken()
    for _ in range(50):
        await taken.take(a_car("9Z99"), callsigns="none")
        await taken.take(a_car("9Z98"), callsigns="none")
    assert taken.told == {"unknown_unit": 2}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"lat": 0.0, "lon": 0.0}, "no_place"),
        ({"time": NOW + timedelta(days=2)}, "future_time"),
    ],
)
async def test_an_impossible_position_is_named(said: dict[str, Any], reason: str) -> None:
    taken = Taken()
    await taken.take(a_car(**said))
    assert taken.told == {reason: 1}


async def test_a_marker_that_a_person_drew_and_other_events_move_no_unit() -> None:
    taken = Taken()
    await taken.take(a_car(how="h-g-i-g-o"))
    await taken.take(a_car(type="a-h-G"))
    await taken.take(an_event(type="b-t-f"))
    assert taken.positions == []
    assert len(taken.others) == 3


def test_an_event_names_the_device_that_made_it() -> None:
    link = element("link", {"uid": "ANDROID-7", "relation": "p-p"})
    assert sender_uid(an_event(uid="marker", detail=link)) == "ANDROID-7"
    assert sender_uid(an_event(uid="self")) == "self"
