"""The grid of the practice metro: mile roads, half-mile roads, and what neighbourhoods make of it.

The grid is drawn straight, then bent along the river, round downtown and up to the foothills.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from farolito.geo.street_map import StreetKind
from farolito.simulator import street_names
from farolito.simulator.street_plan import XY, Plan, Street, components

HALF_MILE_M = 800.0
COLUMNS, ROWS = 6, 5  # main lines on each side of the middle
RIVER_COLUMN_M = -3000.0
RIVER_HALF_WIDTH_M = 190.0  # water and bosque
BRIDGE_ROWS = (-4, -2, 0, 2, 4)  # main rows, counted from the middle, that cross the river
DOWNTOWN: tuple[float, float, float, float] = (-1000.0, -560.0, 560.0, 560.0)
CAMPUS = (1720.0, 60.0, 2560.0, 740.0)
OLD_TOWN = (-2300.0, 60.0, -1640.0, 640.0)
AIRFIELD = (2000.0, -4600.0, 4300.0, -3300.0)
PARKS: tuple[tuple[str, float, float, float, float], ...] = (
    ("Tingle Park", -1400.0, -1060.0, -1000.0, -660.0),
    ("Orchard Park", 2600.0, 2000.0, 3000.0, 2400.0),
    ("Arroyo Park", 3400.0, 340.0, 3780.0, 600.0),
    ("Acequia Park", -2380.0, -2130.0, -2010.0, -1870.0),
    ("Mesa Park", -4380.0, -1340.0, -4000.0, -1070.0),
    ("Kestrel Park", 200.0, 2540.0, 600.0, 2800.0),
    ("Paloma Park", 2800.0, -1330.0, 3160.0, -1070.0),
    ("South Valley Park", -1580.0, -3180.0, -1240.0, -2930.0),
)


OPEN_SPACES: tuple[tuple[str, float, float, float, float], ...] = (
    ("Escarpment Open Space", -5000.0, 2450.0, -4050.0, 4200.0),
    ("West Bank Open Space", -5000.0, -4200.0, -3650.0, -3250.0),
    ("Foothills Open Space", 4050.0, 3250.0, 5000.0, 4200.0),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One straight line of the grid; `rank` counts main lines from the middle, None is a local."""

    at_m: float
    kind: StreetKind
    rank: int | None


def inside(box: tuple[float, float, float, float], at: XY, margin_m: float = 0.0) -> bool:
    west, south, east, north = box
    return west - margin_m < at[0] < east + margin_m and south - margin_m < at[1] < north + margin_m


def river_x(y: float) -> float:
    """The middle of the river at a northing, both in metres."""
    return RIVER_COLUMN_M + 330 * math.sin(y / 2100 + 0.6) + 110 * math.sin(y / 830)


def bend(at: XY) -> XY:
    """A point of the straight grid where it lies in the city."""
    x, y = at
    x += (river_x(y) - RIVER_COLUMN_M) * math.exp(-(((x - RIVER_COLUMN_M) / 1100) ** 2))
    r = math.hypot(x + 350, y)
    turn = math.radians(-9) * math.exp(-((r / 1050) ** 4))
    dx, dy = x + 350, y
    x = dx * math.cos(turn) - dy * math.sin(turn) - 350
    y = dx * math.sin(turn) + dy * math.cos(turn)
    foothill = 1 / (1 + math.exp(-(x - 3900) / 350))
    x += foothill * 260 * math.sin(y / 1500 - 0.4)
    y += foothill * 120 * math.sin(x / 700)
    mesa = 1 / (1 + math.exp((x + 4100) / 260))
    return (x, y + mesa * 150 * math.sin(x / 900 + y / 1900))


def _lines(ranks: int, locals_between: int, chance: random.Random) -> list[Line]:
    lines = []
    for rank in range(-ranks, ranks + 1):
        kind: StreetKind = "arterial" if rank % 2 == 0 else "collector"
        lines.append(Line(rank * HALF_MILE_M, kind, rank))
        if rank < ranks:
            step = HALF_MILE_M / (locals_between + 1)
            lines += [
                Line(rank * HALF_MILE_M + step * i + chance.uniform(-14, 14), "local", None)
                for i in range(1, locals_between + 1)
            ]
    return lines


def _style(column: int, row: int, chance: random.Random) -> float:
    """The share of local blocks that a half-mile square leaves out."""
    if -2 <= column <= 2 and -2 <= row <= 1:
        return 0.02  # laid out before the motor car
    if -4 <= column <= -2:
        return 0.52  # fields and ditches along the river
    return chance.choice((0.08, 0.16, 0.27, 0.36, 0.42))


@dataclass
class Grid:
    """The grid as drawn: node of each crossing of lines, and what each line is called where."""

    plan: Plan
    chance: random.Random

    def draw(self) -> None:
        self.columns = _lines(COLUMNS, 3, self.chance)
        self.rows = _lines(ROWS, 5, self.chance)
        self._names = street_names.local_names(self.chance)
        self._named: dict[tuple[str, int, int], str] = {}
        self._left_out = {
            (c, r): _style(c, r, self.chance)
            for c in range(-COLUMNS, COLUMNS)
            for r in range(-ROWS, ROWS)
        }
        self._draw_nodes()
        self._draw_rows()
        self._draw_columns()
        self._mend()

    def _draw_nodes(self) -> None:
        self.at: dict[tuple[int, int], int] = {}
        self.straight: dict[int, XY] = {}
        for c, column in enumerate(self.columns):
            for r, row in enumerate(self.rows):
                at = (column.at_m, row.at_m)
                in_river = abs(at[0] - RIVER_COLUMN_M) < RIVER_HALF_WIDTH_M
                if in_river or self._is_kept_open(at):
                    continue
                x, y = bend(at)
                loose = 2.0 if column.rank is not None or row.rank is not None else 11.0
                node = self.plan.add_node(
                    (x + self.chance.gauss(0, loose), y + self.chance.gauss(0, loose))
                )
                self.at[c, r] = node
                self.straight[node] = at

    @staticmethod
    def _is_kept_open(at: XY) -> bool:
        kept = (CAMPUS, OLD_TOWN, AIRFIELD, *(p[1:] for p in (*PARKS, *OPEN_SPACES)))
        return any(inside(box, at) for box in kept)

    def _draw_rows(self) -> None:
        for r, row in enumerate(self.rows):
            for c in range(len(self.columns) - 1):
                self._draw_block(row, "x", (c, r), (c + 1, r))
            if row.rank in BRIDGE_ROWS:
                self._draw_bridge(r, row)

    def _draw_columns(self) -> None:
        for c, column in enumerate(self.columns):
            for r in range(len(self.rows) - 1):
                self._draw_block(column, "y", (c, r), (c, r + 1))

    def _draw_block(
        self, line: Line, axis: Literal["x", "y"], a: tuple[int, int], b: tuple[int, int]
    ) -> None:
        if a not in self.at or b not in self.at:
            return
        start, end = self.at[a], self.at[b]
        mid = self._middle(start, end)
        if line.rank is None and self.chance.random() < self._left_out[_square(mid)]:
            return
        self.plan.add_street(
            Street(start, end, self._name(line, axis, mid, a), line.kind, axis=axis)
        )

    def _draw_bridge(self, r: int, row: Line) -> None:
        west = max(c for (c, rr) in self.at if rr == r and self.columns[c].at_m < RIVER_COLUMN_M)
        east = min(c for (c, rr) in self.at if rr == r and self.columns[c].at_m > RIVER_COLUMN_M)
        start, end = self.at[west, r], self.at[east, r]
        name = self._name(row, "x", (RIVER_COLUMN_M, row.at_m), (west, r))
        self.plan.add_street(Street(start, end, name, "arterial", axis="x", bridge=True))

    def _middle(self, start: int, end: int) -> XY:
        (ax, ay), (bx, by) = self.straight[start], self.straight[end]
        return ((ax + bx) / 2, (ay + by) / 2)

    def _name(self, line: Line, axis: Literal["x", "y"], mid: XY, a: tuple[int, int]) -> str:
        quarter = ("N" if mid[1] >= 0 else "S") + ("E" if mid[0] >= 0 else "W")
        if line.rank is not None:
            known = street_names.ARTERIALS_EW if axis == "x" else street_names.ARTERIALS_NS
            return f"{known[line.rank + (ROWS if axis == 'x' else COLUMNS)]} {quarter}"
        number = a[1] if axis == "x" else a[0]
        old = self._downtown_name(axis, mid, number)
        if old:
            return f"{old} {quarter}"
        along = math.floor((mid[0] if axis == "x" else mid[1]) / (2 * HALF_MILE_M))
        key = (axis, number, along)
        if key not in self._named:
            self._named[key] = next(self._names)
        return f"{self._named[key]} {quarter}"

    def _downtown_name(self, axis: str, mid: XY, number: int) -> str | None:
        if axis == "y" and -1600 < mid[0] < 0 and abs(mid[1]) < 1600:
            west_of_first = [c for c in self.columns if -1600 < c.at_m < 0 and c.rank is None]
            order = sorted(c.at_m for c in west_of_first)[::-1]
            return f"{street_names.ORDINALS[order.index(self.columns[number].at_m) + 1]} St"
        if axis == "x" and abs(mid[1]) < 800 and -1600 < mid[0] < 1600:
            near = [r for r, row in enumerate(self.rows) if abs(row.at_m) < 800 and not row.rank]
            near = [r for r in near if self.rows[r].rank is None]
            return street_names.DOWNTOWN_EW[near.index(number)]
        return None

    def _mend(self) -> None:
        """Put back what was left out where its absence would cut somebody off; drop the rest."""
        joined = [(s.start, s.end) for s in self.plan.streets.values()]
        part = components(self.plan.nodes, joined)
        have = {frozenset(pair) for pair in joined}
        for a, b, line, axis in self._neighbours():
            start, end = self.at[a], self.at[b]
            if part[start] != part[end] and frozenset((start, end)) not in have:
                mid = self._middle(start, end)
                name = self._name(line, axis, mid, a)
                self.plan.add_street(Street(start, end, name, line.kind, axis=axis))
                low, high = sorted((part[start], part[end]))
                part = {n: low if p == high else p for n, p in part.items()}

    def _neighbours(
        self,
    ) -> Iterator[tuple[tuple[int, int], tuple[int, int], Line, Literal["x", "y"]]]:
        for c, r in list(self.at):
            if (c + 1, r) in self.at:
                yield (c, r), (c + 1, r), self.rows[r], "x"
            if (c, r + 1) in self.at:
                yield (c, r), (c, r + 1), self.columns[c], "y"


def _square(at: XY) -> tuple[int, int]:
    column = max(-COLUMNS, min(COLUMNS - 1, math.floor(at[0] / HALF_MILE_M)))
    row = max(-ROWS, min(ROWS - 1, math.floor(at[1] / HALF_MILE_M)))
    return column, row


def lanes(plan: Plan, chance: random.Random, box: tuple[float, float, float, float]) -> list[int]:
    """Irregular lanes round a plaza, as a town grows before anybody plans it. The new nodes."""
    west, south, east, north = box
    step = 82.0
    columns, rows = int((east - west) / step), int((north - south) / step)
    at: dict[tuple[int, int], int] = {}
    for c in range(columns):
        for r in range(rows):
            plaza = abs(c - columns // 2) <= 1 and abs(r - rows // 2) <= 1
            loose = 3.0 if plaza else 21.0
            x, y = west + step * (c + 0.6), south + step * (r + 0.6)
            at[c, r] = plan.add_node((x + chance.gauss(0, loose), y + chance.gauss(0, loose)))
    middle = (columns // 2, rows // 2)
    plan.drop_nodes({at.pop(middle)})
    _draw_lanes(plan, chance, at)
    return list(at.values())


def _draw_lanes(plan: Plan, chance: random.Random, at: dict[tuple[int, int], int]) -> None:
    """Join the nodes of a lane quarter: all that is needed to hang together, some more, loosely."""
    pairs = [
        (a, b)
        for a in at
        for b in ((a[0] + 1, a[1]), (a[0], a[1] + 1), (a[0] + 1, a[1] + 1))
        if b in at and ((b[0] - a[0]) + (b[1] - a[1]) == 1 or chance.random() < 0.22)
    ]
    chance.shuffle(pairs)
    part = {n: n for n in at.values()}
    for a, b in pairs:
        start, end = at[a], at[b]
        if part[start] == part[end] and chance.random() < 0.42:
            continue
        low, high = sorted((part[start], part[end]))
        part = {n: low if p == high else p for n, p in part.items()}
        ew = a[1] == b[1]
        known = street_names.LANES
        name = known[(a[1] * 2 if ew else a[0] * 2 + 1) % len(known)]
        plan.add_street(Street(start, end, name, "local", axis="x" if ew else "y"))
