"""A place in an officer's words, and words to a place.

`describe`: a place is "street @ cross", how far and which way from it, on which side, give or
take how much. `find`: "street @ cross" or "number street" is a place on the map.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from itertools import combinations, pairwise
from typing import Literal, NamedTuple

from farolito.geo.distance import XY, Foot, Plane, bearing_deg, compass
from farolito.geo.grid import Grid
from farolito.geo.line import foot_on_line, length_m, slice_line
from farolito.geo.street_map import LatLon, Segment, StreetKind, StreetMap, bounds_of
from farolito.geo.street_name import StreetName, fits, is_slip, parse_name

NAME_M_MAX = 250.0  # a place farther from any named street has no street
CROSS_M_MAX = 2_000.0  # a crossing farther away says nothing about a place
CORNER_M = 25.0  # nearer than this to a crossing, a place is "at" it
SIDE_M_MIN = 3.0  # nearer than this to the centre line, a place is on the road, on no side
ONE_CROSSING_M = 80.0  # crossings of the same two streets nearer than this are one (carriageways)
FROM_CENTRE_LINE_M = 10.0  # how far from the centre line a house is put
FOUND_MAX = 20  # results of one question, best first; more are left out
QUESTION_CHARACTERS_MAX = 200  # longer texts are no address: nothing is found
GRID_CELL_M = 100.0
UNLIKE = 2  # the unlikeness of a slip
_IMPORTANCE: dict[StreetKind, int] = {
    "motorway": 4, "arterial": 3, "collector": 2, "local": 1, "path": 0,
}  # fmt: skip
_AT = re.compile(r"\s*(?:@|&|/|\bat\b|\band\b|\by\b|\bcon\b)\s*", re.IGNORECASE)
_NUMBER = re.compile(r"\s*(\d{1,6})[A-Za-z]?\s+(\S.*)")


class Whereabouts(NamedTuple):
    """A place in words, and the parts the words are made of; None is "not known".

    `side` is the compass side of `street` (or the corner, at a crossing). What the uncertainty
    swallows is left out: no side for a place that may as well be on the other one.
    """

    text: str
    street: str
    cross: str | None
    from_cross_m: float | None
    from_cross: str | None  # compass point from the crossing to the place
    side: str | None
    block: int | None  # 1200 for the 1200 block
    plus_minus_m: float | None


class Found(NamedTuple):
    """A place for a text. `unlikeness` 0: as written; 1: parts were left out; 2: misspelt."""

    name: str
    at: LatLon
    kind: Literal["crossing", "address"]
    unlikeness: int


class _Crossing(NamedTuple):
    at: XY
    names: tuple[str, ...]  # the most important first


class Geocoder:
    """Built once from a map; read-only. Memory is about that of the map itself."""

    def __init__(self, street_map: StreetMap) -> None:
        south, west, north, east = bounds_of(street_map)
        self._plane = Plane(((south + north) / 2, (west + east) / 2))
        self._segments = [s for s in street_map.segments if s.name]
        self._lines = [tuple(map(self._plane.to_m, s.line)) for s in self._segments]
        self._grid = Grid(GRID_CELL_M)
        self._by_name: dict[str, list[int]] = {}
        self._importance: dict[str, int] = {}
        for i, segment in enumerate(self._segments):
            self._index(i, segment)
        self._names = {name: parse_name(name) for name in self._by_name}
        self._by_core: dict[str, list[str]] = {}
        for name, parsed in self._names.items():
            self._by_core.setdefault(parsed.core, []).append(name)
        self._crossings = _crossings(street_map, self._plane, self._importance)
        self._crossings_of: dict[str, list[_Crossing]] = {}
        self._crossings_at: dict[tuple[str, str], list[XY]] = {}
        for crossing in self._crossings:
            for name in crossing.names:
                self._crossings_of.setdefault(name, []).append(crossing)
            for a, b in combinations(sorted(crossing.names), 2):
                self._crossings_at.setdefault((a, b), []).append(crossing.at)
        self._buildings = _house_numbers(street_map)

    def _index(self, i: int, segment: Segment) -> None:
        self._by_name.setdefault(segment.name, []).append(i)
        weight = _IMPORTANCE[segment.kind]
        self._importance[segment.name] = max(weight, self._importance.get(segment.name, 0))
        line = self._lines[i]
        for a, b in pairwise(line):
            self._grid.add(i, a, b)

    def describe(self, at: LatLon, plus_minus_m: float | None = None) -> Whereabouts | None:
        """The place in words, or None where no named street is within NAME_M_MAX."""
        xy = self._plane.to_m(at)
        nearest = self._nearest_street(xy)
        if nearest is None:
            return None
        i, foot, along_m = nearest
        name, slack_m = self._segments[i].name, plus_minus_m or 0.0
        crossing = self._nearest_crossing(xy, name)
        block = self._block(i, xy, along_m)
        if crossing is not None and math.dist(crossing.at, xy) <= max(CORNER_M, slack_m):
            return self._at_corner(at, crossing, block, plus_minus_m)
        side = self._wind(foot.at, xy) if foot.off_m > max(SIDE_M_MIN, slack_m) else None
        if crossing is None:
            words = _words(name, None, side and f"{side} side", plus_minus_m)
            return Whereabouts(words, name, None, None, None, side, block, plus_minus_m)
        away_m, wind = math.dist(crossing.at, xy), self._wind(crossing.at, foot.at)
        cross = next(other for other in crossing.names if other != name)
        words = _words(
            f"{name} @ {cross}", f"{_round_m(away_m)} m {wind}", side and f"{side} side",
            plus_minus_m,
        )  # fmt: skip
        return Whereabouts(words, name, cross, away_m, wind, side, block, plus_minus_m)

    def find(self, question: str) -> list[Found]:
        """Places for "street @ cross" or "number street", best first; nothing found is []."""
        if len(question) > QUESTION_CHARACTERS_MAX:
            return []
        parts = [part for part in _AT.split(question, maxsplit=1) if part.strip()]
        found = self._find_crossing(*parts) if len(parts) == 2 else []
        number = _NUMBER.fullmatch(question)
        if number is not None and not found:
            found = self._find_address(int(number[1]), number[2])
        return sorted(found, key=lambda f: (f.unlikeness, f.name, f.at))[:FOUND_MAX]

    def _find_crossing(self, street: str, cross: str) -> list[Found]:
        found: list[Found] = []
        others = self._streets_like(cross)
        for name, far in self._streets_like(street):
            for other, farther in others:
                places = self._crossings_at.get((min(name, other), max(name, other)), ())
                for xy in _gather(places):
                    at = self._plane.to_degrees(xy)
                    found.append(Found(f"{name} @ {other}", at, "crossing", max(far, farther)))
        return found

    def _find_address(self, number: int, street: str) -> list[Found]:
        found: list[Found] = []
        for name, far in self._streets_like(street):
            house = self._buildings.get((number, self._names[name]))
            places = [house] if house else self._on_ranges(number, name)
            found += [Found(f"{number} {name}", at, "address", far) for at in places]
        return found

    def _on_ranges(self, number: int, name: str) -> list[LatLon]:
        places: list[LatLon] = []
        for i in self._by_name[name]:
            segment = self._segments[i]
            for numbers, side in ((segment.left, 1), (segment.right, -1)):
                if numbers is not None and _holds(numbers, number):
                    low, high = numbers
                    fraction = (number - low) / (high - low) if high != low else 0.5
                    places.append(self._beside(self._lines[i], fraction, side))
        return places

    def _streets_like(self, text: str) -> list[tuple[str, int]]:
        """Names that fit, with their unlikeness. A slip is only looked at where nothing fits."""
        asked = parse_name(text)
        if not asked.core:
            return []
        near = [
            (name, far)
            for name in self._by_core.get(asked.core, ())
            if (far := fits(asked, self._names[name])) is not None
        ]
        # Another type (Blvd for Ave) counts only where no street of the asked type is there.
        exact = [(name, far) for name, far in near if far < UNLIKE]
        if exact or near:
            return exact or near
        return [
            (name, UNLIKE)
            for core, names in self._by_core.items()
            if is_slip(asked.core, core)
            for name in names
            if fits(asked, self._names[name]) is not None
        ]

    def _nearest_street(self, xy: XY) -> tuple[int, Foot, float] | None:
        feet: dict[int, tuple[Foot, float]] = {}

        def off_m(i: int) -> float:
            if i not in feet:
                feet[i] = foot_on_line(xy, self._lines[i])
            return feet[i][0].off_m

        found = self._grid.nearest(xy, off_m, NAME_M_MAX)
        return None if found is None else (found[0], *feet[found[0]])

    def _nearest_crossing(self, xy: XY, name: str) -> _Crossing | None:
        near = self._crossings_of.get(name, ())
        best = min(near, key=lambda c: (math.dist(c.at, xy), c.at), default=None)
        return best if best is not None and math.dist(best.at, xy) <= CROSS_M_MAX else None

    def _at_corner(
        self, at: LatLon, crossing: _Crossing, block: int | None, plus_minus_m: float | None
    ) -> Whereabouts:
        name, cross = crossing.names[:2]
        away_m = math.dist(crossing.at, self._plane.to_m(at))
        corner = None
        if away_m > max(SIDE_M_MIN, plus_minus_m or 0.0):
            corner = self._wind(crossing.at, self._plane.to_m(at))
        words = _words(f"{name} @ {cross}", None, corner and f"{corner} corner", plus_minus_m)
        return Whereabouts(words, name, cross, away_m, corner, corner, block, plus_minus_m)

    def _block(self, i: int, xy: XY, along_m: float) -> int | None:
        """The hundred block, from the range of the nearer side, else of the other."""
        line, segment = self._lines[i], self._segments[i]
        is_left = _is_left(xy, line)
        numbers = (segment.left or segment.right) if is_left else (segment.right or segment.left)
        if numbers is None:
            return None
        whole_m = length_m(line)
        fraction = along_m / whole_m if whole_m else 0.0
        return int(numbers[0] + (numbers[1] - numbers[0]) * fraction) // 100 * 100

    def _beside(self, line: tuple[XY, ...], fraction: float, side: int) -> LatLon:
        """A point beside the line: `side` 1 is left of its direction, -1 right."""
        whole_m = length_m(line)
        along_m = whole_m * min(1.0, max(0.0, fraction))
        (x0, y0), (x1, y1) = _step_at(line, along_m)
        step_m = math.dist((x0, y0), (x1, y1)) or 1.0
        x, y = slice_line(line, along_m, along_m)[0]
        off_m = FROM_CENTRE_LINE_M * side / step_m
        return self._plane.to_degrees((x - (y1 - y0) * off_m, y + (x1 - x0) * off_m))

    def _wind(self, start: XY, end: XY) -> str:
        return compass(bearing_deg(self._plane.to_degrees(start), self._plane.to_degrees(end)))


def _crossings(
    street_map: StreetMap, plane: Plane, importance: dict[str, int]
) -> tuple[_Crossing, ...]:
    """Nodes where streets of two or more names meet."""
    names: dict[int, set[str]] = {}
    for segment in street_map.segments:
        if segment.name:
            names.setdefault(segment.start, set()).add(segment.name)
            names.setdefault(segment.end, set()).add(segment.name)
    return tuple(
        _Crossing(
            plane.to_m(node.at),
            tuple(sorted(names[node.node_id], key=lambda name: (-importance[name], name))),
        )
        for node in street_map.nodes
        if len(names.get(node.node_id, ())) > 1
    )


def _house_numbers(street_map: StreetMap) -> dict[tuple[int, StreetName], LatLon]:
    """Buildings that carry an address, by (number, street)."""
    houses: dict[tuple[int, StreetName], LatLon] = {}
    for building in street_map.buildings:
        address = _NUMBER.fullmatch(building.address or "")
        if address is not None:
            lats = [lat for lat, _ in building.ring[:-1]]
            lons = [lon for _, lon in building.ring[:-1]]
            middle = (sum(lats) / len(lats), sum(lons) / len(lons))
            houses.setdefault((int(address[1]), parse_name(address[2])), middle)
    return houses


def _gather(places: Iterable[XY]) -> list[XY]:
    """One place for each crossing: those of two carriageways lie close together."""
    groups: list[list[XY]] = []
    for xy in sorted(places):
        for group in groups:
            if math.dist(group[0], xy) <= ONE_CROSSING_M:
                group.append(xy)
                break
        else:
            groups.append([xy])
    return [(sum(x for x, _ in g) / len(g), sum(y for _, y in g) / len(g)) for g in groups]


def _holds(numbers: tuple[int, int], number: int) -> bool:
    low, high = sorted(numbers)
    is_one_parity = low % 2 == high % 2
    return low <= number <= high and (not is_one_parity or number % 2 == low % 2)


def _step_at(line: tuple[XY, ...], along_m: float) -> tuple[XY, XY]:
    for a, b in pairwise(line):
        step_m = math.dist(a, b)
        if along_m <= step_m and step_m > 0:
            return a, b
        along_m -= step_m
    return line[-2], line[-1]


def _is_left(xy: XY, line: tuple[XY, ...]) -> bool:
    _, along_m = foot_on_line(xy, line)
    (x0, y0), (x1, y1) = _step_at(line, along_m)
    return (x1 - x0) * (xy[1] - y0) - (y1 - y0) * (xy[0] - x0) > 0


def _round_m(metres: float) -> int:
    """People say 60 m, not 57 m; nothing is said to be 0 m away."""
    return max(10, round(metres / 10) * 10)


def _words(street: str, away: str | None, side: str | None, plus_minus_m: float | None) -> str:
    plus_minus = None if plus_minus_m is None else f"± {max(1, math.ceil(plus_minus_m))} m"
    return ", ".join(part for part in (street, away, side, plus_minus) if part)
