"""Patrol units of the practice metro: each keeps to its beat, and drives to calls when sent.

A unit on patrol goes from corner to corner of its beat and stands a while at some. Sent to a call
it takes the quickest way on the road graph, stays there until it is cleared, and goes back. At
the end of a watch it drives to its station and is not free until the next crew takes it out.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from farolito.geo import RoadGraph
from farolito.geo.street_map import Area, LatLon, StreetMap
from farolito.model import AgencyId, Point, Unit, UnitId
from farolito.simulator.metro import metres
from farolito.simulator.motion import Drive, Moment

UNITS = tuple(
    UnitId(u)
    for u in (
        "2A14", "1A03", "1A12", "1S10", "2A18", "2A21", "2B05", "3B07", "3B11", "3B15", "4C02",
        "4C09", "4C16", "2S20", "1B06", "3A04",
    )
)  # fmt: skip
STEADY = UNITS[0]  # the unit of the person at the demo's phone: it never changes its crew
GOAL_M = (250.0, 1_600.0)  # how far a unit on patrol looks ahead
LEGS_KEPT = 8  # older ones are forgotten: nobody asks where a car was an hour ago
HANDOVER_S = 600.0
WATCHES_H = (6.0, 14.0, 22.0)  # local; each unit changes some minutes later, never all at once
_STANDS_S = (10, 120)  # where a unit on patrol arrives
_SIGNAL_WAITS, _SIGNAL_S = 0.45, (4, 26)  # share of signals that are red, and for how long
_CROSSES_MPS = 8.0  # with light and siren across a signal


class Fix(msgspec.Struct, frozen=True):
    """One position as a unit's terminal sends it."""

    unit: UnitId
    lat: float
    lon: float
    at: datetime
    heading_deg: float
    speed_mps: float


class _Leg(msgspec.Struct, frozen=True):
    starts_s: float
    drive: Drive
    ends_s: float  # with the standing at its end


class Streets:
    """What a driver knows of the map: ways, limits, signals, beats and stations."""

    def __init__(self, street_map: StreetMap) -> None:
        self.graph = RoadGraph(street_map)
        self._limits = [s.speed_mps for s in street_map.segments]
        self._signals = {_key(m.at) for m in street_map.landmarks if m.kind == "signal"}
        inner = {
            n for s in street_map.segments if s.kind not in ("motorway", "path")
            for n in (s.start, s.end)
        }  # fmt: skip
        corners = [n.at for n in street_map.nodes if n.node_id in inner]
        self.beats = tuple(a for a in street_map.areas if a.kind == "beat")
        self.corners: Mapping[str, list[LatLon]] = {
            beat.name: [at for at in corners if is_inside(at, beat)] for beat in self.beats
        }
        self.stations = [
            m.at for m in street_map.landmarks
            if m.kind == "station" and ("Substation" in m.name or "Police Head" in m.name)
        ]  # fmt: skip

    def drive(
        self, start: LatLon, end: LatLon, chance: random.Random, *, urgent: bool, speed: float = 0
    ) -> Drive:
        """The quickest way as this driver takes it; standing still where there is none."""
        route = self.graph.route(start, end)
        line = route.line if route is not None and len(route.line) > 1 else (start, start)
        pace = chance.uniform(1.1, 1.3) if urgent else chance.uniform(0.82, 0.98)
        limits = [self._limit(a, b) * pace for a, b in pairwise(line)]
        at_signal = [i for i in range(1, len(line) - 1) if _key(line[i]) in self._signals]
        if urgent:
            return Drive(line, limits, {}, dict.fromkeys(at_signal, _CROSSES_MPS), speed)
        waits = {
            i: chance.uniform(*_SIGNAL_S) for i in at_signal if chance.random() < _SIGNAL_WAITS
        }
        return Drive(line, limits, waits, {}, speed)

    def _limit(self, a: LatLon, b: LatLon) -> float:
        snap = self.graph.snap(((a[0] + b[0]) / 2, (a[1] + b[1]) / 2))
        return self._limits[snap.segment] if snap is not None else 11.2


class _Car:
    """One unit's way, drawn as far as anybody has asked."""

    def __init__(
        self, streets: Streets, chance: random.Random, beat: str, station: LatLon, watch_s: float
    ) -> None:
        self.beat = beat
        self.is_sent = False
        self._streets, self._chance, self._station = streets, chance, station
        self._watch_s = watch_s  # when the next crew takes over
        self._handover_s = (math.inf, math.inf)
        start = chance.choice(streets.corners[beat])
        self._legs = [_Leg(0.0, Drive((start, start), (1.0,), {}, {}), chance.uniform(1, 30))]
        self._starts = [0.0]

    def at(self, seconds: float) -> Moment:
        while not self.is_sent and self._legs[-1].ends_s <= seconds:
            self._patrol_on()
        leg = self._legs[max(0, bisect_right(self._starts, seconds) - 1)]
        return leg.drive.at(seconds - leg.starts_s)

    def is_free(self, seconds: float) -> bool:
        self.at(seconds)
        return not self.is_sent and not self._handover_s[0] <= seconds < self._handover_s[1]

    def send(self, drive: Drive, seconds: float) -> float:
        """Turn to a call. When it arrives, in seconds since the start."""
        self._turn(seconds)
        self.is_sent = True
        return self._add(seconds, drive, 0.0)

    def clear(self, seconds: float) -> None:
        if not self.is_sent:
            return
        here = self.at(seconds).at
        self._turn(seconds)
        self.is_sent = False
        self._add(seconds, Drive((here, here), (1.0,), {}, {}), self._chance.uniform(5, 25))

    def _turn(self, seconds: float) -> None:
        """Forget what was planned after this moment."""
        while len(self._legs) > 1 and self._legs[-1].starts_s >= seconds:
            self._legs.pop()
            self._starts.pop()

    def _patrol_on(self) -> None:
        last = self._legs[-1]
        here = last.drive.end
        if last.ends_s >= self._watch_s:
            drive = self._streets.drive(here, self._station, self._chance, urgent=False)
            ends_s = self._add(last.ends_s, drive, HANDOVER_S)
            self._handover_s = (last.ends_s, ends_s + HANDOVER_S)
            self._watch_s += 8 * 3600
            return
        drive = self._streets.drive(here, self._goal(here), self._chance, urgent=False)
        self._add(last.ends_s, drive, self._chance.uniform(*_STANDS_S))

    def _goal(self, here: LatLon) -> LatLon:
        """A corner of the own beat, not far; the nearest of a few when the unit is far away."""
        corners = self._streets.corners[self.beat]
        some = [self._chance.choice(corners) for _ in range(12)]
        some = [at for at in some if _metres_between(here, at) > GOAL_M[0]] or some
        near = [at for at in some if _metres_between(here, at) < GOAL_M[1]]
        return near[0] if near else _nearest(here, some)

    def _add(self, starts_s: float, drive: Drive, stands_s: float) -> float:
        arrives_s = starts_s + drive.lasts_s
        self._legs.append(_Leg(starts_s, drive, arrives_s + max(1.0, stands_s)))
        self._starts.append(starts_s)
        del self._legs[:-LEGS_KEPT], self._starts[:-LEGS_KEPT]
        return arrives_s


class Patrol:
    """All units since `start`. The same seed, start and errands give the same ways.

    `hour` is the local hour at `start`, by which watches change.
    """

    def __init__(
        self,
        streets: Streets,
        seed: int,
        start: datetime,
        units: Sequence[UnitId] = UNITS,
        hour: float = 16.7,
    ) -> None:
        self.streets = streets
        self._start = start
        self._chance = random.Random(f"errands {seed}")  # noqa: S311 - practice, no secret
        self._cars: dict[UnitId, _Car] = {}
        for number, unit in enumerate(units):
            chance = random.Random(f"patrol {seed} {unit}")  # noqa: S311 - practice, no secret
            # Six of the twelve beats, in the middle, come first: a small shift stays together.
            beat = streets.beats[(4 + number * 5) % len(streets.beats)].name
            station = _nearest(streets.corners[beat][0], streets.stations)
            watch_s = math.inf if unit == STEADY else _next_watch_s(hour, number)
            self._cars[unit] = _Car(streets, chance, beat, station, watch_s)

    @property
    def units_on_duty(self) -> tuple[UnitId, ...]:
        return tuple(self._cars)

    def beat(self, unit: UnitId) -> str:
        return self._cars[unit].beat

    def where(self, unit: UnitId, at: datetime) -> Moment:
        return self._cars[unit].at(self._seconds(at))

    def is_free(self, unit: UnitId, at: datetime) -> bool:
        """On patrol: neither sent to a call nor changing its crew."""
        return self._cars[unit].is_free(self._seconds(at))

    def free(self, at: datetime) -> list[UnitId]:
        return [unit for unit in self._cars if self.is_free(unit, at)]

    def takes_s(self, unit: UnitId, to: LatLon, at: datetime, *, urgent: bool) -> float:
        """About how long this unit would drive there."""
        here = self.where(unit, at).at
        middling = random.Random("middling")  # noqa: S311 - a usual driver, no secret
        return self.streets.drive(here, to, middling, urgent=urgent).lasts_s

    def send(self, unit: UnitId, to: LatLon, at: datetime, *, urgent: bool) -> datetime:
        """The unit turns to a call and stays there until `clear`. When it arrives."""
        car = self._cars[unit]
        seconds = self._seconds(at)
        now = car.at(seconds)
        drive = self.streets.drive(now.at, to, self._chance, urgent=urgent, speed=now.speed_mps)
        return self._start + timedelta(seconds=car.send(drive, seconds))

    def clear(self, unit: UnitId, at: datetime) -> None:
        """Back to the beat, from wherever it is."""
        self._cars[unit].clear(self._seconds(at))

    def fixes(self, at: datetime) -> list[Fix]:
        seconds = self._seconds(at)
        found = []
        for unit, car in self._cars.items():
            (lat, lon), heading, speed = car.at(seconds)
            found.append(Fix(unit, lat, lon, at, heading, speed))
        return found

    def units(self, at: datetime, agency: AgencyId) -> list[Unit]:
        return [
            Unit(unit_id=f.unit, agency=agency, place=Point(f.lat, f.lon), heard_at=at)
            for f in self.fixes(at)
        ]

    def _seconds(self, at: datetime) -> float:
        return max(0.0, (at - self._start) / timedelta(seconds=1))


def is_inside(at: LatLon, area: Area) -> bool:
    """Whether the area's ring holds the point: an odd number of crossings to the east."""
    inside = False
    for (lat_a, lon_a), (lat_b, lon_b) in pairwise(area.ring):
        if (lat_a > at[0]) != (lat_b > at[0]):
            lon = lon_a + (at[0] - lat_a) / (lat_b - lat_a) * (lon_b - lon_a)
            inside ^= at[1] < lon
    return inside


def _next_watch_s(hour: float, number: int) -> float:
    ahead_h = min((w - hour) % 24 for w in WATCHES_H)
    return ahead_h * 3600 + number * 7 % 60 * 60


def _nearest(here: LatLon, some: Sequence[LatLon]) -> LatLon:
    return min(some, key=lambda at: _metres_between(here, at))


def _metres_between(a: LatLon, b: LatLon) -> float:
    return math.dist(metres(a), metres(b))


def _key(at: LatLon) -> tuple[float, float]:
    return round(at[0], 5), round(at[1], 5)
