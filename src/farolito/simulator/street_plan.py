"""A city on the drawing board: nodes and streets in local metres, still being moved and cut.

x is east, y is north, from the middle of the metro. `metro` draws with it and hands out a frozen
StreetMap; nothing else sees it.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from farolito.geo.street_map import StreetKind

XY = tuple[float, float]
SNAP_M = 28.0  # a new crossing nearer than this to an old one becomes that one


@dataclass(slots=True)
class Street:
    """One block on the board. `axis` is the way its addresses count; None has no addresses."""

    start: int
    end: int
    name: str
    kind: StreetKind
    oneway: Literal[-1, 0, 1] = 0
    bends: tuple[XY, ...] = ()  # between start and end
    axis: Literal["x", "y"] | None = None
    bridge: bool = False


@dataclass
class Plan:
    """The board. Street ids are never used again, so the order of drawing is the order of ids."""

    nodes: dict[int, XY] = field(default_factory=dict)
    streets: dict[int, Street] = field(default_factory=dict)
    _next_node: int = 0
    _next_street: int = 0

    def add_node(self, at: XY) -> int:
        node = self._next_node
        self._next_node += 1
        self.nodes[node] = at
        return node

    def add_street(self, street: Street) -> int:
        number = self._next_street
        self._next_street += 1
        self.streets[number] = street
        return number

    def drop_nodes(self, gone: set[int]) -> None:
        """Take nodes off the board with every street that ends there."""
        for node in gone:
            del self.nodes[node]
        self.streets = {
            n: s for n, s in self.streets.items() if s.start not in gone and s.end not in gone
        }

    def points(self, street: Street) -> list[XY]:
        return [self.nodes[street.start], *street.bends, self.nodes[street.end]]

    def length_m(self, street: Street) -> float:
        points = self.points(street)
        return sum(math.dist(a, b) for a, b in itertools.pairwise(points))

    def nearest(self, at: XY, among: Iterable[int]) -> int:
        return min(among, key=lambda n: (math.dist(self.nodes[n], at), n))

    def degree(self) -> dict[int, int]:
        count: dict[int, int] = defaultdict(int)
        for s in self.streets.values():
            count[s.start] += 1
            count[s.end] += 1
        return count

    def split(self, number: int, at: XY) -> int:
        """Put a node on a straight street; its two halves keep everything else."""
        street = self.streets.pop(number)
        node = self.add_node(at)
        for start, end in ((street.start, node), (node, street.end)):
            self.add_street(
                Street(start, end, street.name, street.kind, street.oneway, axis=street.axis)
            )
        return node

    def lay(self, line: Sequence[XY], name: str, kind: StreetKind) -> list[int]:
        """Draw a street across what is there: a crossing where it meets each street. Its nodes."""
        path: list[int] = []
        for a, b in itertools.pairwise(line):
            for at, number in self._crossings(a, b):
                node = self._crossing_node(at, number)
                if not path or (path[-1] != node and node not in path):
                    path.append(node)
        joined = {frozenset((s.start, s.end)) for s in self.streets.values()}
        for start, end in itertools.pairwise(path):
            if frozenset((start, end)) not in joined:
                self.add_street(Street(start, end, name, kind, axis="y"))
        return path

    def _crossings(self, a: XY, b: XY) -> list[tuple[XY, int]]:
        """Where a–b meets straight streets that may have a crossing, from a to b."""
        numbers = [
            n
            for n, s in self.streets.items()
            if not s.bends and not s.bridge and s.kind not in ("motorway", "path")
        ]
        p = np.array([self.nodes[self.streets[n].start] for n in numbers])
        q = np.array([self.nodes[self.streets[n].end] for n in numbers])
        d, e = np.subtract(b, a), q - p
        cross = d[0] * e[:, 1] - d[1] * e[:, 0]
        w = p - np.array(a)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (w[:, 0] * e[:, 1] - w[:, 1] * e[:, 0]) / cross
            u = (w[:, 0] * d[1] - w[:, 1] * d[0]) / cross
        hits = np.nonzero((t >= 0) & (t <= 1) & (u >= 0) & (u <= 1))[0]
        found = sorted((float(t[i]), numbers[i]) for i in hits)
        return [((a[0] + s * float(d[0]), a[1] + s * float(d[1])), n) for s, n in found]

    def _crossing_node(self, at: XY, number: int) -> int:
        street = self.streets.get(number)
        if street is None:  # split a moment ago, by a crossing close by
            return self.nearest(at, self.nodes)
        for node in (street.start, street.end):
            if math.dist(self.nodes[node], at) < SNAP_M:
                return node
        return self.split(number, at)


def components(nodes: Iterable[int], pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Node → the smallest node it hangs together with (union-find, directions ignored)."""
    root = {n: n for n in nodes}

    def find(n: int) -> int:
        while root[n] != n:
            root[n] = root[root[n]]
            n = root[n]
        return n

    for a, b in pairs:
        low, high = sorted((find(a), find(b)))
        root[high] = low
    return {n: find(n) for n in root}


def reached(start: int, follow: dict[int, list[int]]) -> set[int]:
    seen, todo = {start}, [start]
    while todo:
        for n in follow.get(todo.pop(), ()):
            if n not in seen:
                seen.add(n)
                todo.append(n)
    return seen


def drivable(plan: Plan) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """Where a car may go from each node, and where it may have come from."""
    out: dict[int, list[int]] = defaultdict(list)
    back: dict[int, list[int]] = defaultdict(list)
    for s in plan.streets.values():
        if s.kind == "path":
            continue
        if s.oneway >= 0:
            out[s.start].append(s.end)
            back[s.end].append(s.start)
        if s.oneway <= 0:
            out[s.end].append(s.start)
            back[s.start].append(s.end)
    return out, back
