"""What lies flat: kerbs, asphalt, lines, crossings, parks, water. Drawn in layers, lowest first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from farolito.geo.street_map import Segment, StreetMap
from farolito.simulator.daylight import Colour
from farolito.simulator.faces import Face, Faces, disc, flat
from farolito.simulator.metro import metres
from farolito.simulator.perspective import Floats, Sector
from farolito.simulator.street_plan import XY

# From the middle of the street to its kerb; and where its lanes' middles are, to the right of it.
HALF_M = {"motorway": 7.4, "arterial": 8.2, "collector": 5.9, "local": 4.6, "path": 1.3}
WALK_M = 2.4
DRAWN_M, LINES_M = 420.0, 170.0  # how far streets and their lines are drawn
_AREA_COLOURS: dict[str, Colour] = {
    "park": (70, 132, 104), "open_space": (118, 158, 172), "river": (150, 128, 96),
    "university": (92, 142, 122),
}  # fmt: skip
_WALK: Colour = (176, 182, 184)
_KERB: Colour = (198, 202, 202)
_ASPHALT: Colour = (104, 102, 100)
_MOTORWAY: Colour = (122, 120, 118)
_WHITE: Colour = (214, 216, 216)
_YELLOW: Colour = (60, 176, 214)
_PATH: Colour = (150, 170, 182)


class Street(NamedTuple):
    """A segment in metres, with how much of each end belongs to a crossing."""

    segment: Segment
    line: tuple[XY, ...]
    half_m: float
    starts_m: float
    ends_m: float


class Streets:
    """All streets, found by place."""

    def __init__(self, street_map: StreetMap) -> None:
        halves: dict[int, list[tuple[int, float]]] = {}
        for number, s in enumerate(street_map.segments):
            for node in (s.start, s.end):
                halves.setdefault(node, []).append((number, HALF_M[s.kind]))
        self.node_half = {n: max(h for _, h in found) for n, found in halves.items()}
        self.node_at = {n.node_id: metres(n.at) for n in street_map.nodes}
        self.arms = {n: len(found) for n, found in halves.items()}
        self.is_signal = _signals(street_map, self.node_at)
        self.streets = [self._street(n, s, halves) for n, s in enumerate(street_map.segments)]
        self._middles = np.array([np.mean(s.line, axis=0) for s in self.streets])
        self._reach = np.array([_length(s.line) / 2 for s in self.streets])
        self._nodes = np.array(list(self.node_at))
        self._node_places = np.array(list(self.node_at.values()))

    def _street(
        self, number: int, s: Segment, halves: dict[int, list[tuple[int, float]]]
    ) -> Street:
        def trimmed(node: int) -> float:
            others = [h for n, h in halves[node] if n != number]
            return (max(others) + 1.5) if len(others) > 1 else 0.0

        line = tuple(metres(at) for at in s.line)
        return Street(s, line, HALF_M[s.kind], trimmed(s.start), trimmed(s.end))

    def near(self, at: XY, radius_m: float) -> list[int]:
        away = np.hypot(*(self._middles - at).T) - self._reach
        return [int(i) for i in np.flatnonzero(away < radius_m)]

    def nodes_near(self, at: XY, radius_m: float) -> list[int]:
        away = np.hypot(*(self._node_places - at).T)
        return [int(n) for n in self._nodes[away < radius_m]]


def _signals(street_map: StreetMap, nodes: dict[int, XY]) -> set[int]:
    by_place = {(round(x), round(y)): n for n, (x, y) in nodes.items()}
    found = set()
    for mark in street_map.landmarks:
        if mark.kind == "signal":
            x, y = metres(mark.at)
            node = by_place.get((round(x), round(y)))
            if node is not None:
                found.add(node)
    return found


def lane_m(segment: Segment, lane: int) -> float:
    """How far right of the middle line, as driven, lane 1 (the left one), 2 … has its middle."""
    if segment.oneway:
        width = 3.6 if segment.kind == "motorway" else 3.0
        return (lane - (segment.lanes + 1) / 2) * width
    if segment.kind == "arterial":
        return 1.5 + 3.2 * (lane - 0.5)
    return 1.8 + 3.2 * (lane - 1)


def draw_areas(faces: Faces, street_map: StreetMap, eye: XY) -> None:
    for area in street_map.areas:
        if area.kind in _AREA_COLOURS:
            ring = [metres(at) for at in area.ring]
            if min(math.dist(eye, at) for at in ring) < 3_000:
                _add(faces, flat(ring), _AREA_COLOURS[area.kind])


def draw_streets(faces: Faces, streets: Streets, sector: Sector) -> None:
    """Walks, kerbs, asphalt and lines around a camera, from the ground up."""
    eye = sector.at
    near = [streets.streets[i] for i in streets.near(eye, DRAWN_M)]
    near = [s for s in near if _is_in(sector, s)]
    nodes = [n for n in streets.nodes_near(eye, DRAWN_M) if streets.arms[n] > 1]
    roads = [s for s in near if s.segment.kind != "path"]
    for s in near:
        if s.segment.kind == "path":
            _lay(faces, s, 1.3, _PATH)
        elif s.segment.kind != "motorway":
            _lay(faces, s, s.half_m + WALK_M, _WALK)
    for n in nodes:
        _add(faces, disc(streets.node_at[n], streets.node_half[n] + WALK_M * 0.8), _WALK)
    for s in roads:
        _lay(faces, s, s.half_m + 0.25, _KERB)
    for n in nodes:
        _add(faces, disc(streets.node_at[n], streets.node_half[n] + 0.9), _KERB)
    for s in roads:
        _lay(faces, s, s.half_m, _MOTORWAY if s.segment.kind == "motorway" else _ASPHALT)
    for n in nodes:
        _add(faces, disc(streets.node_at[n], streets.node_half[n] + 0.7), _ASPHALT)
    for i in streets.near(eye, LINES_M):
        street = streets.streets[i]
        if street.segment.kind != "path" and _is_in(sector, street):
            _lines(faces, streets, street)


def _is_in(sector: Sector, street: Street) -> bool:
    for a, b in pairwise(street.line):
        count = int(math.dist(a, b) / 40) + 1
        if any(sector.holds(_on(a, b, k / count), 34.0) for k in range(count + 1)):
            return True
    return False


def _add(faces: Faces, points: Floats, colour: Colour) -> None:
    faces.add([Face(points, colour, None, None, False)], 0.0)


def _lay(faces: Faces, street: Street, half_m: float, colour: Colour) -> None:
    for a, b in pairwise(street.line):
        _add(faces, strip(a, b, (-half_m, half_m)), colour)
    for at in street.line[1:-1]:
        _add(faces, disc(at, half_m), colour)


def strip(a: XY, b: XY, sides: tuple[float, float]) -> Floats:
    """Along a to b, between two distances to the right of that line."""
    rx, ry = _right(a, b)
    low, high = sides
    return flat(
        (
            (a[0] + rx * low, a[1] + ry * low),
            (b[0] + rx * low, b[1] + ry * low),
            (b[0] + rx * high, b[1] + ry * high),
            (a[0] + rx * high, a[1] + ry * high),
        )
    )


def _right(a: XY, b: XY) -> XY:
    long = math.dist(a, b) or 1.0
    return ((b[1] - a[1]) / long, -(b[0] - a[0]) / long)


def _length(line: Sequence[XY]) -> float:
    return sum(math.dist(a, b) for a, b in pairwise(line))


def _lines(faces: Faces, streets: Streets, street: Street) -> None:
    s = street.segment
    length = _length(street.line)
    at_start, at_end = s.start in streets.is_signal, s.end in streets.is_signal
    room = (street.starts_m + (5.0 if at_start else 1.0), street.ends_m + (5.0 if at_end else 1.0))
    if length < sum(room) + 8:
        return
    for offset, colour, dash in _marks(s, street.half_m):
        for a, b in _pieces(street.line, room, dash):
            _add(faces, strip(a, b, (offset - 0.09, offset + 0.09)), colour)
    if s.kind in ("arterial", "collector", "local"):
        if at_start:
            _crossing(faces, street, street.line[0], street.line[1], street.starts_m)
        if at_end:
            _crossing(faces, street, street.line[-1], street.line[-2], street.ends_m)


def _marks(s: Segment, half: float) -> Iterator[tuple[float, Colour, float]]:
    """How far right of the middle, colour, and the length of a dash; 0 for a line throughout."""
    if s.kind == "motorway":
        yield -half + 1.6, _YELLOW, 0
        yield half - 1.6, _WHITE, 0
        yield -1.8, _WHITE, 3
        yield 1.8, _WHITE, 3
    elif s.oneway:
        yield 0.0, _WHITE, 3
    elif s.kind == "arterial":
        for side in (-1, 1):
            yield side * 1.5, _YELLOW, 0
            yield side * 1.2, _YELLOW, 3
            yield side * 4.7, _WHITE, 3
            yield side * (half - 0.4), _WHITE, 0
    elif s.kind == "collector":
        for side in (-1, 1):
            yield side * 0.16, _YELLOW, 0
            yield side * (half - 2.2), _WHITE, 0


def _pieces(line: Sequence[XY], room: tuple[float, float], dash: float) -> Iterator[tuple[XY, XY]]:
    """The line without its ends, whole or in dashes of which two in three are left out."""
    total, gone = _length(line), 0.0
    for a, b in pairwise(line):
        long = math.dist(a, b)
        first, last = max(0.0, room[0] - gone), min(long, total - room[1] - gone)
        gone += long
        step = dash * 3 or 25.0
        at = first
        while at < last:
            end = min(last, at + (dash or step))
            yield _on(a, b, at / long), _on(a, b, end / long)
            at += step


def _on(a: XY, b: XY, share: float) -> XY:
    return (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]))


def _crossing(faces: Faces, street: Street, corner: XY, beyond: XY, trim: float) -> None:
    """A zebra before the crossing, and the line where cars wait."""
    long = math.dist(corner, beyond)
    near, far = _on(corner, beyond, (trim + 0.3) / long), _on(corner, beyond, (trim + 3.0) / long)
    half = street.half_m - 0.6
    bars = int(2 * half / 1.2)
    for k in range(bars):
        left = -half + k * 1.2
        _add(faces, strip(near, far, (left, left + 0.6)), _WHITE)
    # Cars that come toward the corner keep right: seen from the corner, they are on the left.
    a, b = _on(corner, beyond, (trim + 4.0) / long), _on(corner, beyond, (trim + 4.5) / long)
    to_middle = 1.5 if street.segment.kind == "arterial" else 0.2
    sides = (-half, half) if street.segment.oneway else (-half, -to_middle)
    _add(faces, strip(a, b, sides), _WHITE)
