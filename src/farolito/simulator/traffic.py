"""Cars on the streets of the practice metro: who passes which reader when.

Sums: 20,000 cars make some 60,000 trips a day; at a busy hour about 1.5 start each second, with
~45 blocks each, so drawing an hour of traffic costs about 2 s and holds a few hundred passages.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from farolito.geo.street_map import StreetMap
from farolito.model import DeviceId
from farolito.simulator.fleet import Vehicle, make_fleet
from farolito.simulator.metro import metres
from farolito.simulator.routes import Block, Roads, Ways

ZONE = ZoneInfo("America/Denver")
TRIP_MAX = timedelta(hours=1)  # no trip in the metro lasts longer
PACE = (0.95, 1.35)  # a driver's time for a block, of the map's
PLACES = 44  # where people work, shop and study; four more are the ends of the interstates
_ERRAND_HOURS = (
    0.3, 0.2, 0.1, 0.1, 0.2, 0.4, 0.9, 1.6, 2.4, 3.4, 4.4, 5.4,
    6.0, 5.6, 5.4, 5.8, 6.4, 6.8, 6.2, 5.0, 3.8, 2.6, 1.6, 0.8,
)  # fmt: skip


class Passage(msgspec.Struct, frozen=True, kw_only=True):
    """A car passes a reader: what truly happened, whatever the reader says of it."""

    vehicle: Vehicle
    reader: DeviceId
    at: datetime
    heading_deg: float
    speed_mps: float
    lane: int


class Watched(msgspec.Struct, frozen=True):
    """A block that a reader looks at: how far along, and which way cars go there."""

    reader: DeviceId
    share: float  # 0…1 of the block's length
    heading_deg: float
    lanes: int


class Trip(msgspec.Struct, frozen=True):
    leaves_s: float  # after local midnight
    vehicle: int
    origin: int  # a place, or -1 for home
    goal: int


class Traffic:
    """The fleet and its ways. `passages` needs to know which blocks (by number) are watched."""

    def __init__(self, street_map: StreetMap, seed: int, vehicles: int) -> None:
        self.seed = seed
        self.roads = Roads(street_map)
        self.homes, places, draws = _homes_and_places(self.roads, seed)
        self.ways = Ways(self.roads, places)
        self.gates = range(len(places) - 4, len(places))
        self.fleet = make_fleet(seed, vehicles, len(self.homes), draws)
        self._draws = np.cumsum(draws[:PLACES]) / sum(draws[:PLACES])

    def passages(self, watched: Mapping[int, Watched], start: datetime) -> Iterator[Passage]:
        """Without end, in order of time, from `start` (with a zone) on."""
        waiting: list[tuple[datetime, int, Passage]] = []
        count = 0
        for leaves_at, trip in self.trips(start - TRIP_MAX):
            while waiting and waiting[0][0] < leaves_at:
                passage = heapq.heappop(waiting)[2]
                if passage.at >= start:
                    yield passage
            for passage in self._drive(trip, leaves_at, watched):
                count += 1
                heapq.heappush(waiting, (passage.at, count, passage))

    def trips(self, start: datetime) -> Iterator[tuple[datetime, Trip]]:
        """Without end, in order of leaving, from `start` on."""
        day = start.astimezone(ZONE).date()
        while True:
            midnight = datetime.combine(day, time(), ZONE).astimezone(UTC)
            for trip in self.day(day):
                leaves_at = midnight + timedelta(seconds=trip.leaves_s)
                if leaves_at >= start:
                    yield leaves_at, trip
            day += timedelta(days=1)

    def day(self, day: date) -> list[Trip]:
        """All trips of a local day, by the time they start."""
        chance = np.random.Generator(np.random.PCG64([self.seed, day.toordinal()]))
        fleet, count = self.fleet, len(self.fleet)
        works = np.array([v.commutes for v in fleet]) & (
            chance.random(count) < (0.88 if day.weekday() < 5 else 0.12)
        )
        out_h = np.array([v.leaves_h for v in fleet]) + chance.normal(0, 0.25, count)
        back_h = np.array([v.returns_h for v in fleet]) + chance.normal(0, 0.45, count)
        outings = np.minimum(6, chance.poisson([v.outings for v in fleet]))
        hours = np.cumsum(_ERRAND_HOURS) / sum(_ERRAND_HOURS)
        trips: list[Trip] = []
        for v in fleet:
            if v.passes_through:
                self._add_through(trips, v, chance)
                continue
            if works[v.number]:
                trips.append(Trip(out_h[v.number] * 3600, v.number, -1, v.work))
                trips.append(Trip(back_h[v.number] * 3600, v.number, v.work, -1))
            for _ in range(outings[v.number]):
                hour = float(np.searchsorted(hours, chance.random())) + chance.random()
                goal = int(
                    chance.choice(PLACES, p=self._draws[:PLACES] / self._draws[:PLACES].sum())
                )
                stays_h = chance.uniform(0.4, 1.6)
                trips.append(Trip(hour * 3600, v.number, -1, goal))
                trips.append(Trip((hour + stays_h) * 3600, v.number, goal, -1))
        return sorted((t for t in trips if 0 <= t.leaves_s < 86_400), key=lambda t: t.leaves_s)

    def _add_through(
        self, trips: list[Trip], vehicle: Vehicle, chance: np.random.Generator
    ) -> None:
        if chance.random() < 0.35:
            first, last = chance.choice(len(self.gates), 2, replace=False)
            at_s = chance.uniform(4, 23.5) * 3600
            trips.append(Trip(at_s, vehicle.number, self.gates[int(first)], self.gates[int(last)]))

    def path(self, trip: Trip) -> list[Block]:
        home = self.homes[self.fleet[trip.vehicle].home]
        if trip.origin < 0:
            return self.ways.toward(home, trip.goal)
        if trip.goal < 0:
            return self.ways.away(trip.origin, home)
        return self.ways.toward(self.ways.places[trip.origin], trip.goal)

    def _drive(
        self, trip: Trip, leaves_at: datetime, watched: Mapping[int, Watched]
    ) -> list[Passage]:
        passed: list[Passage] = []
        chance = self._chance(trip)
        pace = chance.uniform(*PACE)
        for block, clock_s, lasts_s in self._timed(trip, pace):
            sight = watched.get(block.number)
            if sight is not None:
                segment = self.roads.segments[block.segment]
                ms = round((clock_s + sight.share * lasts_s) * 1000)
                passed.append(
                    Passage(
                        vehicle=self.fleet[trip.vehicle],
                        reader=sight.reader,
                        at=leaves_at + timedelta(milliseconds=ms),
                        heading_deg=sight.heading_deg,
                        speed_mps=round(segment.speed_mps * chance.uniform(0.72, 1.12), 1),
                        lane=chance.randint(1, sight.lanes),
                    )
                )
        return passed

    def timed(self, trip: Trip) -> list[tuple[Block, float, float]]:
        """Each block of the trip: when it is entered, seconds after leaving, and how long the car
        takes for it, at an even speed."""
        return list(self._timed(trip, self._chance(trip).uniform(*PACE)))

    def _timed(self, trip: Trip, pace: float) -> Iterator[tuple[Block, float, float]]:
        clock_s = 0.0
        for block in self.path(trip):
            yield block, clock_s, block.seconds * pace
            clock_s += block.seconds * pace

    def _chance(self, trip: Trip) -> random.Random:
        return random.Random(f"{self.seed} {trip.vehicle} {trip.leaves_s}")  # noqa: S311


def _homes_and_places(roads: Roads, seed: int) -> tuple[list[int], tuple[int, ...], list[float]]:
    """Homes on local corners; places that draw people, more of them toward the middle; gates."""
    chance = random.Random(f"places {seed}")  # noqa: S311 - practice, no secret
    homes, offers = [], []
    for node, blocks in roads.out.items():
        kinds = {roads.segments[b.segment].kind for b in blocks}
        if not kinds or "motorway" in kinds:
            continue
        if kinds == {"local"}:
            homes.append(node)
        elif "arterial" in kinds:
            offers.append(node)
    offers.sort(key=lambda n: sum(abs(m) for m in metres(roads.at[n])) * chance.uniform(0.3, 1))
    places = offers[:PLACES]
    draws = [1.0 + 5.0 * chance.random() ** 3 for _ in places]
    ends = _gates(roads)
    return homes, (*places, *ends), [*draws, *([0.4] * len(ends))]


def _gates(roads: Roads) -> list[int]:
    """The four outer ends of the interstates: the farthest west, east, south and north."""
    on = sorted({b.start for b in roads.blocks if roads.segments[b.segment].kind == "motorway"})
    at = {n: metres(roads.at[n]) for n in on}
    by_x, by_y = sorted(on, key=lambda n: at[n][0]), sorted(on, key=lambda n: at[n][1])
    return [by_x[0], by_x[-1], by_y[0], by_y[-1]]
