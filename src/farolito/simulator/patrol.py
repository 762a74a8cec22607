"""Patrol units of the practice metro, driving their rounds."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from farolito.model import AgencyId, Point, Unit, UnitId
from farolito.simulator.routes import Block, Roads, Ways, along

UNITS = tuple(UnitId(u) for u in ("2A14", "2A21", "3B07", "3B11", "4C02", "1S10"))
_STOP_S = (20, 240)  # how long a unit stands where it arrives


class Fix(msgspec.Struct, frozen=True):
    """One position as a unit's terminal sends it."""

    unit: UnitId
    lat: float
    lon: float
    at: datetime
    heading_deg: float
    speed_mps: float


class _Leg(msgspec.Struct, frozen=True):
    block: Block
    starts_s: float
    lasts_s: float
    stands_s: float  # at the end, before the next


class _Round:
    """One unit's way, drawn as far as anybody has asked."""

    def __init__(self, roads: Roads, ways: Ways, chance: random.Random) -> None:
        self._roads, self._ways, self._chance = roads, ways, chance
        self._goals = range(len(ways.places) - 4)
        self._corner = ways.places[chance.choice(self._goals)]
        self._legs: list[_Leg] = []
        self._starts: list[float] = []
        self._until_s = 0.0

    def at(self, seconds: float) -> tuple[float, float, float, float]:
        """Latitude, longitude, heading, speed."""
        while self._until_s <= seconds:
            self._extend()
        leg = self._legs[bisect_right(self._starts, seconds) - 1]
        share = min(1.0, (seconds - leg.starts_s) / leg.lasts_s)
        (lat, lon), heading = along(self._roads.line(leg.block), share)
        length_m = self._roads.length_m[leg.block.segment]
        speed = length_m / leg.lasts_s if share < 1 else 0.0
        return lat, lon, heading, round(speed, 1)

    def _extend(self) -> None:
        goal = self._chance.choice([g for g in self._goals if self._ways.places[g] != self._corner])
        path = self._ways.toward(self._corner, goal)
        for i, block in enumerate(path):
            last = i == len(path) - 1
            stands_s = self._chance.uniform(*_STOP_S) if last else 0.0
            lasts_s = block.seconds * self._chance.uniform(0.9, 1.2)
            self._legs.append(_Leg(block, self._until_s, lasts_s, stands_s))
            self._starts.append(self._until_s)
            self._until_s += lasts_s + stands_s
        self._corner = self._ways.places[goal]


class Patrol:
    """All units on duty since `start`. The same seed and start give the same rounds."""

    def __init__(
        self, roads: Roads, ways: Ways, seed: int, start: datetime, units: Sequence[UnitId] = UNITS
    ) -> None:
        self._start = start
        self._rounds = {
            u: _Round(roads, ways, random.Random(f"patrol {seed} {u}"))  # noqa: S311
            for u in units
        }

    def fixes(self, at: datetime) -> list[Fix]:
        seconds = max(0.0, (at - self._start) / timedelta(seconds=1))
        found = []
        for unit, way in self._rounds.items():
            lat, lon, heading, speed = way.at(seconds)
            found.append(Fix(unit, lat, lon, at, heading, speed))
        return found

    def units(self, at: datetime, agency: AgencyId) -> list[Unit]:
        return [
            Unit(unit_id=f.unit, agency=agency, place=Point(f.lat, f.lon), heard_at=at)
            for f in self.fixes(at)
        ]
