"""What the unit of the person at the demo's phone is sent to.

The first call comes within seconds of the start and takes it some two minutes to reach; on the
way there is a premise flag, a second caller who saw another colour, a plate that a reader then
sees, the way the car went, and a second unit. Further calls follow every few minutes.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from farolito.model import CallKind, UnitId
from farolito.simulator import caller_words
from farolito.simulator.addresses import Addresses, Spot
from farolito.simulator.calls import BY_KIND, Draw, Event, Later, described
from farolito.simulator.city import upstream
from farolito.simulator.fleet import Vehicle
from farolito.simulator.hot_list import Plant, Row
from farolito.simulator.misread import Reading, Scripted
from farolito.simulator.patrol import STEADY, Patrol
from farolito.simulator.readers import Reader
from farolito.simulator.scenario import Cue, Scene
from farolito.simulator.traffic import Passage

FIRST_AFTER_S = 10.0  # from the start to the first message of the first call
DRIVES_S = (105.0, 165.0)  # how long the unit should be on its way
REST_S = (50.0, 110.0)  # between two calls
TRIES_MAX = 120  # places looked at; the last one is taken where none fits
SCENE_S = (60.0, 90.0)
FLAG_S, SECOND_CALLER_S, PLATE_S, READ_S, GOING_S, SECOND_UNIT_S = 13, 29, 45, 56, 72, 90
_ABLE = ("farolito", "genetec_sharpv")  # formats whose messages carry crop and state
_NEXT = (
    CallKind.DOMESTIC, CallKind.ROBBERY, CallKind.CRASH, CallKind.BURGLARY, CallKind.ASSAULT,
    CallKind.HIT_AND_RUN, CallKind.WEAPON, CallKind.DISTURBANCE,
)  # fmt: skip


class Story:
    """Calls for one unit. What it asks depends on where the unit is, and on the seed."""

    def __init__(
        self,
        draw: Draw,
        patrol: Patrol,
        readers: Sequence[Reader],
        cast: tuple[Sequence[Vehicle], Mapping[Plant, Sequence[Row]]],
        unit: UnitId = STEADY,
    ) -> None:
        self.unit = unit
        self._draw, self._patrol, self._readers = draw, patrol, readers
        self._fleet, self._rows = cast
        self._told = 0

    def first(self, at: datetime) -> tuple[Event, Scene]:
        """The call whose every fact is set, and the passage of its car past a reader."""
        draw = self._draw
        row = self._row()
        car = self._car(row)
        spot, reader = self._place_with_reader(at)
        kind = BY_KIND[CallKind.SHOTS_FIRED]
        event = draw.event(at, kind, spot, car)
        first, second = caller_words.SAYS[kind.kind][0]
        who = "two men"
        opening = msgspec.structs.replace(draw.first(kind, spot, first, car, who), talk_s=5.0)
        other = msgspec.structs.replace(
            draw.second(kind, spot, second, car, who),
            after_s=float(SECOND_CALLER_S),
            talk_s=21.0,
            vehicle=described(car, "gray" if car.colour != "gray" else "black", vaguely=True),
            marked_after_s=None,
        )
        other = msgspec.structs.replace(
            other, says=second.format(car=other.vehicle.says.upper() if other.vehicle else "CAR")
        )
        event = msgspec.structs.replace(
            event,
            event_id="story-1",
            tellings=(opening, other),
            later=self._facts(at, spot, reader, car),
            scene_s=75.0,
            for_unit=self.unit,
            more_unit_after_s=float(SECOND_UNIT_S),
            reopens=False,
        )
        return event, self._scene(at, reader, car, row)

    def next(self, at: datetime) -> Event:
        """A further call for the unit, from where it is now."""
        draw, chance = self._draw, self._draw.chance
        kind = BY_KIND[_NEXT[self._told % len(_NEXT)]]
        self._told += 1
        spot = self._fitting(chance.sample(draw.addresses.city, TRIES_MAX), at)
        event = draw.event(at, kind, spot)
        later = event.later
        if all(one.hazard is None for one in later) and chance.random() < 0.6:
            flag = Later(after_s=chance.uniform(8, 25), hazard=draw.flag(at, holds=True))
            later = tuple(sorted([*later, flag], key=lambda one: one.after_s))
        return msgspec.structs.replace(
            event,
            event_id=f"story-{self._told + 1}",
            later=later,
            scene_s=chance.uniform(*SCENE_S),
            for_unit=self.unit,
            more_unit_after_s=chance.uniform(50, 90),
            reopens=False,
        )

    def rest_s(self) -> float:
        return self._draw.chance.uniform(*REST_S)

    def _facts(self, at: datetime, spot: Spot, reader: Reader, car: Vehicle) -> tuple[Later, ...]:
        draw = self._draw
        leaving = draw.addresses.leaving(spot.at, reader.sight.heading_deg, draw.chance)
        flag = msgspec.structs.replace(draw.flag(at, holds=True), says=caller_words.PREMISE[0][1])
        return (
            Later(after_s=FLAG_S, hazard=flag),
            Later(
                after_s=PLATE_S,
                says=f"PLATE PER 2ND RP {car.plate}",
                vehicle=described(car, car.colour, plate=True),
            ),
            Later(after_s=GOING_S, says=f"LAST SEEN {leaving.says.upper()}", leaving=leaving),
        )

    def _scene(self, at: datetime, reader: Reader, car: Vehicle, row: Row) -> Scene:
        passage = Passage(
            vehicle=car,
            reader=reader.device.device_id,
            at=at + timedelta(seconds=READ_S),
            heading_deg=reader.sight.heading_deg,
            speed_mps=17.4,
            lane=1,
        )
        return Scene(Cue.CALLED, passage, Scripted(Reading.RIGHT), row)

    def _row(self) -> Row:
        """The last planted car that callers would call white or another plain colour."""
        rows = self._rows[Plant.WANTED]
        plain = [r for r in rows if r.kind != "motorcycle" and r.colour in ("white", "silver")]
        return (plain or rows)[-1]

    def _car(self, row: Row) -> Vehicle:
        assert row.car is not None, "a planted row has its car"
        return self._fleet[row.car]

    def _place_with_reader(self, at: datetime) -> tuple[Spot, Reader]:
        chance: random.Random = self._draw.chance
        able = [
            r for r in self._readers
            if r.device.format in _ABLE and r.device.clock_trusted and r.quality.blur_px < 1.5
        ]  # fmt: skip
        by_spot: dict[Spot, Reader] = {}
        for reader in able or self._readers:
            houses = [s for s in upstream(self._addresses, reader) if not s.is_crossing]
            for spot in chance.sample(houses, min(len(houses), 12)):
                by_spot[spot] = reader
        spots = list(by_spot)
        chance.shuffle(spots)
        spot = self._fitting(spots, at)
        return spot, by_spot[spot]

    @property
    def _addresses(self) -> Addresses:
        return self._draw.addresses

    def _fitting(self, spots: Sequence[Spot], at: datetime) -> Spot:
        """The first to which the drive is neither short nor long, else the nearest to that."""
        middle = sum(DRIVES_S) / 2
        best: tuple[float, Spot] | None = None
        for spot in spots[:TRIES_MAX]:
            takes_s = self._patrol.takes_s(self.unit, spot.at, at, urgent=True)
            if DRIVES_S[0] <= takes_s <= DRIVES_S[1]:
                return spot
            if best is None or abs(takes_s - middle) < best[0]:
                best = (abs(takes_s - middle), spot)
        assert best is not None, "a city has addresses"
        return best[1]
