"""Travel times on the streets: where a place meets the road, A to B, and who is nearest.

Times are free flow: length over the segment's speed, one-ways held, no signals, no turn costs,
no traffic. A sum for the size: a metro of 5,000 nodes has about 12,000 directed edges; a search
settles at most all of them at ~1 µs each in a heap, so a route is a few milliseconds.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from farolito.geo.distance import XY, Foot, Plane
from farolito.geo.grid import Grid
from farolito.geo.line import foot_on_line, length_m, slice_line
from farolito.geo.street_map import LatLon, Segment, StreetMap

SNAP_M_MAX = 500.0  # a place farther from any road is not on this map: no route
GRID_CELL_M = 100.0  # about a city block
AT_NODE_M = 1.0  # a place this near a junction may leave it by any street
HEADING_M = 8.0  # of street before and behind, by which a direction is judged; nearer a junction
# a car may be on the other street as well
SPEED_MPS_MIN = 0.5  # a speed of 0 in the data would make a street take for ever


class Snap(NamedTuple):
    """Where a place meets the road: `off_m` away, `along_m` from the segment's start."""

    segment: int  # position in `StreetMap.segments`
    at: LatLon
    off_m: float
    along_m: float


class Route(NamedTuple):
    """A drive: its time, its length, and its line from the one snapped place to the other."""

    seconds: float
    metres: float
    line: tuple[LatLon, ...]


class Drive(NamedTuple):
    """A way without its line."""

    seconds: float
    metres: float


class _Edge(NamedTuple):
    to: int
    seconds: float
    segment: int
    forward: bool


class _Door(NamedTuple):
    """One node of the segment a place was snapped to: how long to drive between them."""

    node: int
    seconds: float
    at_m: float  # where on the segment the node is: 0 or its length


class _Way(NamedTuple):
    """What a search found: out of the first segment, along the edges, into the last."""

    seconds: float
    leave_m: float
    edges: list[_Edge]
    enter_m: float


class RoadGraph:
    """The drivable part of a map (`path` segments are not), ready for searches. Read-only."""

    def __init__(self, street_map: StreetMap) -> None:
        self._segments = street_map.segments
        self._plane = Plane(_centre(street_map))
        self._numbers = {node.node_id: i for i, node in enumerate(street_map.nodes)}
        places = [self._plane.to_m(node.at) for node in street_map.nodes]
        self._xs = [x for x, _ in places]
        self._ys = [y for _, y in places]
        self._lines = [tuple(map(self._plane.to_m, s.line)) for s in self._segments]
        self._lengths = [length_m(line) for line in self._lines]
        self._out: list[list[_Edge]] = [[] for _ in street_map.nodes]
        self._in: list[list[_Edge]] = [[] for _ in street_map.nodes]
        self._grid = Grid(GRID_CELL_M)
        self._speed_max = SPEED_MPS_MIN
        for i, segment in enumerate(self._segments):
            if segment.kind != "path":
                self._add(i, segment)

    def _add(self, i: int, segment: Segment) -> None:
        for a, b in pairwise(self._lines[i]):
            self._grid.add(i, a, b)
        self._speed_max = max(self._speed_max, _speed(segment))
        start, end = self._numbers[segment.start], self._numbers[segment.end]
        seconds = self._lengths[i] / _speed(segment)
        if segment.oneway >= 0:
            self._out[start].append(_Edge(end, seconds, i, True))
            self._in[end].append(_Edge(start, seconds, i, True))
        if segment.oneway <= 0:
            self._out[end].append(_Edge(start, seconds, i, False))
            self._in[start].append(_Edge(end, seconds, i, False))

    def snap(self, at: LatLon, within_m: float = SNAP_M_MAX) -> Snap | None:
        """The nearest point of a drivable street, or None when all are farther."""
        xy = self._plane.to_m(at)
        feet: dict[int, tuple[Foot, float]] = {}

        def off_m(i: int) -> float:
            if i not in feet:
                feet[i] = foot_on_line(xy, self._lines[i])
            return feet[i][0].off_m

        found = self._grid.nearest(xy, off_m, within_m)
        if found is None:
            return None
        foot, along_m = feet[found[0]]
        return Snap(found[0], self._plane.to_degrees(foot.at), foot.off_m, along_m)

    def route(self, start: LatLon, end: LatLon) -> Route | None:
        """The quickest drive, or None where no road leads there. A* with the straight line."""
        snap_a, snap_b = self.snap(start), self.snap(end)
        if snap_a is None or snap_b is None:
            return None
        direct_s = self._along(snap_a, snap_b)
        way = self._search(snap_a, snap_b, math.inf if direct_s is None else direct_s)
        if way is not None:
            return self._trace(snap_a, snap_b, way)
        if direct_s is None:
            return None
        line = self._piece(snap_a.segment, snap_a.along_m, snap_b.along_m)
        return Route(direct_s, length_m(line), self._degrees(line))

    def nearest(self, to: LatLon, starts: Sequence[LatLon], k: int) -> list[tuple[int, float]]:
        """Which of `starts` reach `to` soonest: (position in `starts`, seconds), soonest first.

        One search backwards from `to` that stops once nobody can be sooner, so asking for 2,000
        units costs one search and 2,000 snaps. Who has no way there is left out.
        """
        goal = self.snap(to)
        if goal is None or k < 1:
            return []
        waiting: dict[int, list[tuple[int, float]]] = {}
        best: dict[int, float] = {}
        for i, at in enumerate(starts):
            snap = self.snap(at)
            if snap is None:
                continue
            direct = self._along(snap, goal)
            if direct is not None:
                best[i] = direct
            for door in self._doors(snap, leaving=True):
                waiting.setdefault(door.node, []).append((i, door.seconds))
        self._settle_backwards(goal, waiting, best, k)
        return sorted(best.items(), key=lambda item: (item[1], item[0]))[:k]

    def street(self, snap: Snap) -> str:
        """The name of the street that a place was snapped to; empty where it has none."""
        return self._segments[snap.segment].name

    def drives(
        self,
        start: LatLon,
        ends: Sequence[LatLon],
        seconds_max: float,
        heading_deg: float | None = None,
    ) -> list[Drive | None]:
        """The quickest drive to each of `ends`; None where none takes at most `seconds_max`.
        `heading_deg`: which way it drives when it starts; it does not turn on that block.

        One search forwards, so hundreds of ends cost one search and as many snaps.
        """
        begin = self.snap(start)
        found: list[Drive | None] = [None] * len(ends)
        if begin is None:
            return found
        ways_out = self._ways_out(begin, heading_deg)
        reached = self._settle_forwards(begin, ways_out, seconds_max, heading_deg is not None)
        for i, at in enumerate(ends):
            snap = self.snap(at)
            if snap is None:
                continue
            ways = []
            direct_s = self._along(begin, snap)
            if direct_s is not None and _leads_to(ways_out, begin, snap, heading_deg):
                ways.append(Drive(direct_s, abs(snap.along_m - begin.along_m)))
            for door in self._doors(snap, leaving=False):
                if door.node in reached:
                    seconds, metres = reached[door.node]
                    more_m = abs(door.at_m - snap.along_m)
                    ways.append(Drive(seconds + door.seconds, metres + more_m))
            best = min(ways, default=None)
            found[i] = best if best is not None and best.seconds <= seconds_max else None
        return found

    def _ways_out(self, begin: Snap, heading_deg: float | None) -> tuple[_Door, ...]:
        """The doors that lie ahead; at a junction, every one."""
        doors = self._doors(begin, leaving=True)
        if heading_deg is None:
            return doors
        piece = self._piece(begin.segment, begin.along_m - HEADING_M, begin.along_m + HEADING_M)
        (x0, y0), (x1, y1) = piece[0], piece[-1]
        ahead = math.radians(heading_deg)
        is_with = (x1 - x0) * math.sin(ahead) + (y1 - y0) * math.cos(ahead) >= 0
        return tuple(
            door
            for door in doors
            if (door.at_m > 0) == is_with or abs(door.at_m - begin.along_m) <= HEADING_M
        )

    def _settle_forwards(
        self, begin: Snap, ways_out: Sequence[_Door], seconds_max: float, keeps_on: bool
    ) -> dict[int, Drive]:
        """Every node within the time, by its quickest way from a snapped place. `keeps_on`: it
        does not turn on the block that it starts on."""
        heap = [(door.seconds, abs(door.at_m - begin.along_m), door.node) for door in ways_out]
        heapq.heapify(heap)
        reached: dict[int, Drive] = {}
        while heap:
            seconds, metres, node = heapq.heappop(heap)
            if seconds > seconds_max:
                break
            if node in reached:
                continue
            reached[node] = Drive(seconds, metres)
            for to, more_s, segment, _ in self._out[node]:
                if to not in reached and not (keeps_on and segment == begin.segment):
                    more_m = self._lengths[segment]
                    heapq.heappush(heap, (seconds + more_s, metres + more_m, to))
        return reached

    def _settle_backwards(
        self,
        goal: Snap,
        waiting: dict[int, list[tuple[int, float]]],
        best: dict[int, float],
        k: int,
    ) -> None:
        heap = [(door.seconds, door.node) for door in self._doors(goal, leaving=False)]
        heapq.heapify(heap)
        settled: set[int] = set()
        bound_s = _kth_least(best, k)
        while heap:
            seconds, node = heapq.heappop(heap)
            if seconds >= bound_s:  # k are nearer than this node: later ones are farther still
                return
            if node in settled:
                continue
            settled.add(node)
            for i, more_s in waiting.get(node, ()):
                best[i] = min(best.get(i, math.inf), seconds + more_s)
                bound_s = _kth_least(best, k)
            for to, more_s, _, _ in self._in[node]:
                if to not in settled:
                    heapq.heappush(heap, (seconds + more_s, to))

    def _search(self, start: Snap, end: Snap, limit_s: float) -> _Way | None:
        """A*: a way quicker than `limit_s`, else None."""
        goals = {door.node: door for door in _farthest_first(self._doors(end, leaving=False))}
        (x, y), xs, ys = self._plane.to_m(end.at), self._xs, self._ys
        pace = 1 / self._speed_max
        cost: dict[int, float] = {}
        came: dict[int, tuple[int, _Edge] | float] = {}  # the step before, or where it began
        heap: list[tuple[float, int]] = []
        for door in _farthest_first(self._doors(start, leaving=True)):
            cost[door.node], came[door.node] = door.seconds, door.at_m
            heap.append((door.seconds, door.node))
        heapq.heapify(heap)
        last: _Door | None = None
        settled: set[int] = set()
        push, pop, hypot = heapq.heappush, heapq.heappop, math.hypot
        while heap:
            guess_s, node = pop(heap)
            if guess_s >= limit_s:
                break
            if node in settled:
                continue
            settled.add(node)
            here_s = cost[node]
            goal = goals.get(node)
            if goal is not None and here_s + goal.seconds < limit_s:
                limit_s, last = here_s + goal.seconds, goal
            for edge in self._out[node]:
                to, more_s, _, _ = edge
                there_s = here_s + more_s
                if to not in cost or there_s < cost[to]:
                    cost[to], came[to] = there_s, (node, edge)
                    push(heap, (there_s + hypot(xs[to] - x, ys[to] - y) * pace, to))
        if last is None:
            return None
        leave_m, edges = _walk_back(came, last.node)
        return _Way(limit_s, leave_m, edges, last.at_m)

    def _doors(self, snap: Snap, leaving: bool) -> tuple[_Door, ...]:
        """The nodes a car can drive to from the snapped place, or from which it can come."""
        segment = self._segments[snap.segment]
        length, speed = self._lengths[snap.segment], _speed(segment)
        to_end_m = length - snap.along_m
        with_it = segment.oneway == 0 or (segment.oneway == 1) == leaving
        against = segment.oneway == 0 or (segment.oneway == -1) == leaving
        doors: list[_Door] = []
        if with_it or to_end_m <= AT_NODE_M:
            doors.append(_Door(self._numbers[segment.end], to_end_m / speed, length))
        if against or snap.along_m <= AT_NODE_M:
            doors.append(_Door(self._numbers[segment.start], snap.along_m / speed, 0.0))
        return tuple(doors)

    def _along(self, a: Snap, b: Snap) -> float | None:
        """Seconds straight along the segment that both stand on, where its direction allows."""
        segment = self._segments[a.segment]
        if a.segment != b.segment or (b.along_m - a.along_m) * segment.oneway < 0:
            return None
        return abs(b.along_m - a.along_m) / _speed(segment)

    def _trace(self, a: Snap, b: Snap, way: _Way) -> Route:
        line = self._piece(a.segment, a.along_m, way.leave_m)
        for edge in way.edges:
            piece = self._lines[edge.segment]
            line += piece if edge.forward else piece[::-1]
        line += self._piece(b.segment, way.enter_m, b.along_m)
        return Route(way.seconds, length_m(line), self._degrees(line))

    def _piece(self, i: int, from_m: float, to_m: float) -> list[XY]:
        line = slice_line(self._lines[i], min(from_m, to_m), max(from_m, to_m))
        return line if from_m <= to_m else line[::-1]

    def _degrees(self, line: Sequence[XY]) -> tuple[LatLon, ...]:
        kept = [xy for i, xy in enumerate(line) if i == 0 or xy != line[i - 1]]
        return tuple(map(self._plane.to_degrees, kept))


def _leads_to(ways_out: Sequence[_Door], begin: Snap, end: Snap, heading_deg: float | None) -> bool:
    """Whether a place on the same segment lies ahead."""
    if heading_deg is None:
        return True
    forward = end.along_m >= begin.along_m
    return len(ways_out) > 1 or any((door.at_m > 0) == forward for door in ways_out)


def _kth_least(seconds: dict[int, float], k: int) -> float:
    return math.inf if len(seconds) < k else heapq.nsmallest(k, seconds.values())[-1]


def _farthest_first(doors: Sequence[_Door]) -> list[_Door]:
    """So that of two doors to one node (a loop) the quicker is kept by a mapping."""
    return sorted(doors, key=lambda door: -door.seconds)


def _walk_back(came: dict[int, tuple[int, _Edge] | float], node: int) -> tuple[float, list[_Edge]]:
    """Where the way left its first segment, and the edges from there to `node`."""
    edges: list[_Edge] = []
    step = came[node]
    while isinstance(step, tuple):
        before, edge = step
        edges.append(edge)
        step = came[before]
    return step, edges[::-1]


def _speed(segment: Segment) -> float:
    return max(SPEED_MPS_MIN, segment.speed_mps)


def _centre(street_map: StreetMap) -> LatLon:
    if not street_map.nodes:
        return 0.0, 0.0
    lats = [node.at[0] for node in street_map.nodes]
    lons = [node.at[1] for node in street_map.nodes]
    return (min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2
