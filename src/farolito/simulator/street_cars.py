"""Where every car of the practice metro is at a moment: the same trips that pass the readers.

A car that passes a plate reader is at the reader's place at that very millisecond, since both are
worked out from the same blocks. Patrol cars are where their terminals say, a lane to the right.

Sums: at a busy hour 800 cars drive and 2 set out each second; one block's entry is 100 bytes, a
trip has 23 of them: some 2 MB. What is past is dropped every PRUNE_S.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

from farolito.model import UnitStatus
from farolito.simulator.car_shapes import Car
from farolito.simulator.metro import metres
from farolito.simulator.routes import Block, Roads
from farolito.simulator.street_ground import lane_m
from farolito.simulator.street_plan import XY
from farolito.simulator.traffic import TRIP_MAX, Passage
from farolito.simulator.world import World

AHEAD_S = 3.0  # trips are drawn this long before they begin
PRUNE_S = 20.0
TURN_M = 9.0  # before and after a corner a car is on its bend
SCRIPTED_M = 350.0  # how far before and after its reader a car of the drill is driven
PATROL_LANE_M = 2.8
_DRIVING = (UnitStatus.ASSIGNED, UnitStatus.EN_ROUTE, UnitStatus.ON_SCENE)


class _Drives(NamedTuple):
    """One car on one block: seconds since the start; the blocks before and after it, or -1."""

    enters_s: float
    leaves_s: float
    vehicle: int
    before: int
    after: int
    lane: float  # 0…1, from the leftmost to the rightmost


class _Way(NamedTuple):
    """A block's line as driven: points, and the metres to each."""

    points: tuple[XY, ...]
    metres: tuple[float, ...]
    block: Block


class _Spot(NamedTuple):
    at: XY
    toward: XY  # a unit vector


class StreetCars:
    """Asked with times that grow, or stay within some seconds; from any thread.

    `plays`: whether the dispatch centre's shift is played along, so that patrol cars drive to the
    calls that another process, with the same configuration, tells the node of.
    """

    def __init__(self, world: World, plays: bool = True) -> None:
        self.world = world
        self._lock = threading.Lock()
        self._plays = plays and world.config.calls
        self._roads: Roads = world.traffic.roads
        self._ways: dict[int, _Way] = {}
        blocks = self._roads.blocks
        lines = [np.array([metres(at) for at in self._roads.line(b)]) for b in blocks]
        self._middles = np.array([line.mean(axis=0) for line in lines])
        self._reach = np.array([np.ptp(line, axis=0).max() / 2 + 10 for line in lines])
        self._on: dict[int, list[_Drives]] = {}
        self._practice = world.practice_start()
        self._trips = world.traffic.trips(self._practice - TRIP_MAX)
        self._next = next(self._trips)
        self._scripted = world.scripted()
        self._next_scripted = next(self._scripted, None)
        self._pruned_s = 0.0
        self._patrol: tuple[float, list[Car]] = (-1.0, [])

    def blocks_near(self, at: XY, radius_m: float) -> tuple[int, ...]:
        """What `near` needs to know of a place; worked out once for a camera."""
        away = np.hypot(*(self._middles - at).T) - self._reach
        return tuple(int(i) for i in np.flatnonzero(away < radius_m))

    def near(self, blocks: Iterable[int], now: datetime) -> list[Car]:
        """The cars on these blocks, and all patrol cars."""
        at_s = (now - self.world.config.start) / timedelta(seconds=1)
        with self._lock:
            self._draw_until(at_s + AHEAD_S)
            cars = [
                self._car(number, drives, at_s)
                for number in blocks
                for drives in self._on.get(number, ())
                if drives.enters_s <= at_s < drives.leaves_s
            ]
            return cars + self._patrol_cars(now, at_s)

    # What drives

    def _draw_until(self, until_s: float) -> None:
        if until_s - self._pruned_s > PRUNE_S:
            self._prune(until_s - AHEAD_S - PRUNE_S)
            self._pruned_s = until_s
        speed = self.world.config.speed
        while True:
            leaves_at, trip = self._next
            leaves_s = (leaves_at - self._practice) / timedelta(seconds=1) / speed
            if leaves_s > until_s:
                break
            timed = self.world.traffic.timed(trip)
            lane = (trip.vehicle * 0.618) % 1
            self._enter(
                [(b, leaves_s + s / speed, lasts / speed) for b, s, lasts in timed],
                (trip.vehicle, lane, until_s - AHEAD_S - PRUNE_S),
            )
            self._next = next(self._trips)
        start = self.world.config.start
        while (scripted := self._next_scripted) is not None:
            passes_s = (scripted.at - start) / timedelta(seconds=1)
            if passes_s > until_s + 60:
                break
            self._enter_scripted(scripted, passes_s)
            self._next_scripted = next(self._scripted, None)

    def _enter(self, timed: list[tuple[Block, float, float]], of: tuple[int, float, float]) -> None:
        vehicle, lane, since_s = of
        numbers = [block.number for block, _, _ in timed]
        for i, (block, enters_s, lasts_s) in enumerate(timed):
            if enters_s + lasts_s < since_s:
                continue
            before = numbers[i - 1] if i else -1
            after = numbers[i + 1] if i + 1 < len(numbers) else -1
            drives = _Drives(enters_s, enters_s + lasts_s, vehicle, before, after, lane)
            self._on.setdefault(block.number, []).append(drives)

    def _enter_scripted(self, passage: Passage, passes_s: float) -> None:
        """A car of the drill: straight toward its reader, past it and on."""
        reader = next(r for r in self.world.readers if r.device.device_id == passage.reader)
        first = self._roads.blocks[reader.block]
        chain, length = [first], 0.0
        while length < SCRIPTED_M and (block := self._straightest(chain[0], back=True)):
            chain.insert(0, block)
            length += self._way(block.number).metres[-1]
        length = 0.0
        while length < SCRIPTED_M and (block := self._straightest(chain[-1], back=False)):
            chain.append(block)
            length += self._way(block.number).metres[-1]
        ahead_m = 0.0
        for block in chain[: chain.index(first)]:
            ahead_m += self._way(block.number).metres[-1]
        ahead_m += reader.sight.share * self._way(first.number).metres[-1]
        clock_s = passes_s - ahead_m / passage.speed_mps
        timed = []
        for block in chain:
            lasts_s = self._way(block.number).metres[-1] / passage.speed_mps
            timed.append((block, clock_s, lasts_s))
            clock_s += lasts_s
        lane = (passage.lane - 0.5) / max(1, reader.sight.lanes)
        self._enter(timed, (passage.vehicle.number, lane, -math.inf))

    def _straightest(self, block: Block, back: bool) -> Block | None:
        """The next block with the least bend; none where the street ends or only turns."""
        way = self._way(block.number)
        some = self._roads.back[block.start] if back else self._roads.out[block.end]
        here = _unit(*way.points[:2]) if back else _unit(*way.points[-2:])

        def straight(other: Block) -> float:
            points = self._way(other.number).points
            there = _unit(*points[-2:]) if back else _unit(*points[:2])
            return here[0] * there[0] + here[1] * there[1]

        best = max(some, key=straight, default=None)
        return best if best is not None and straight(best) > 0.7 else None

    def _prune(self, before_s: float) -> None:
        for number, found in list(self._on.items()):
            kept = [d for d in found if d.leaves_s >= before_s]
            if kept:
                self._on[number] = kept
            else:
                del self._on[number]

    # Where it is

    def _way(self, number: int) -> _Way:
        way = self._ways.get(number)
        if way is None:
            block = self._roads.blocks[number]
            points = tuple(metres(at) for at in self._roads.line(block))
            gone = tuple(accumulate((math.dist(a, b) for a, b in pairwise(points)), initial=0.0))
            way = self._ways[number] = _Way(points, gone, block)
        return way

    def _car(self, number: int, drives: _Drives, at_s: float) -> Car:
        share = (at_s - drives.enters_s) / (drives.leaves_s - drives.enters_s)
        long = self._way(number).metres[-1]
        at, toward = self._bent(number, drives, share * long)
        vehicle = self.world.traffic.fleet[drives.vehicle]
        return Car(
            at[0],
            at[1],
            math.degrees(math.atan2(*toward)) % 360,
            vehicle.kind,
            vehicle.colour,
            long / (drives.leaves_s - drives.enters_s),
        )

    def _bent(self, number: int, drives: _Drives, gone_m: float) -> _Spot:
        """On the lane; near a corner on the curve between the two lanes."""
        long = self._way(number).metres[-1]
        for other, left_m in ((drives.before, gone_m), (drives.after, long - gone_m)):
            if other < 0:
                continue
            turn_m = min(TURN_M, 0.4 * long, 0.4 * self._way(other).metres[-1])
            if left_m >= turn_m:
                continue
            part = left_m / (2 * turn_m)
            if other == drives.before:
                first = self._on_lane(other, self._way(other).metres[-1] - turn_m, drives.lane)
                return _curve(first, self._on_lane(number, turn_m, drives.lane), 0.5 + part)
            last = self._on_lane(other, turn_m, drives.lane)
            return _curve(self._on_lane(number, long - turn_m, drives.lane), last, 0.5 - part)
        return self._on_lane(number, gone_m, drives.lane)

    def _on_lane(self, number: int, gone_m: float, lane: float) -> _Spot:
        way = self._way(number)
        i = min(len(way.points) - 2, max(0, bisect_right(way.metres, gone_m) - 1))
        a, b = way.points[i], way.points[i + 1]
        tx, ty = _unit(a, b)
        segment = self._roads.segments[way.block.segment]
        right = lane_m(segment, min(segment.lanes, 1 + int(lane * segment.lanes)))
        along = gone_m - way.metres[i]
        return _Spot((a[0] + tx * along + ty * right, a[1] + ty * along - tx * right), (tx, ty))

    def _patrol_cars(self, now: datetime, at_s: float) -> list[Car]:
        asked_s, cars = self._patrol
        if abs(at_s - asked_s) < 0.02:
            return cars
        dispatcher = self.world.dispatcher if self._plays else None
        if dispatcher is not None:
            dispatcher.until(now)  # what it says is for the traffic's process to tell
        cars = []
        for fix in self.world.patrol.fixes(now):
            x, y = metres((fix.lat, fix.lon))
            turn = math.radians(fix.heading_deg)
            errand = dispatcher.errand(fix.unit) if dispatcher is not None else None
            cars.append(
                Car(
                    x + math.cos(turn) * PATROL_LANE_M,
                    y - math.sin(turn) * PATROL_LANE_M,
                    fix.heading_deg,
                    "patrol",
                    "black",
                    fix.speed_mps,
                    errand is not None and errand.status in _DRIVING,
                )
            )
        self._patrol = (at_s, cars)
        return cars


def _unit(a: XY, b: XY) -> XY:
    long = math.dist(a, b) or 1.0
    return ((b[0] - a[0]) / long, (b[1] - a[1]) / long)


def _curve(first: _Spot, last: _Spot, share: float) -> _Spot:
    """A quadratic curve that leaves one lane and joins the other."""
    (ax, ay), (tx, ty) = first
    (bx, by), (ux, uy) = last
    cross = tx * uy - ty * ux
    if abs(cross) > 0.15:
        far = ((bx - ax) * uy - (by - ay) * ux) / cross
        cx, cy = ax + tx * far, ay + ty * far
    else:
        cx, cy = (ax + bx) / 2, (ay + by) / 2
    keep = 1 - share
    x = keep * keep * ax + 2 * keep * share * cx + share * share * bx
    y = keep * keep * ay + 2 * keep * share * cy + share * share * by
    dx = keep * (cx - ax) + share * (bx - cx)
    dy = keep * (cy - ay) + share * (by - cy)
    long = math.hypot(dx, dy)
    return _Spot((x, y), (dx / long, dy / long) if long > 1e-6 else (ux, uy))
