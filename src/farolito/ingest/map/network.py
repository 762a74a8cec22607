"""Street lines → nodes and segments: streets are cut wherever they share a point.

Topology comes from coordinates alone. Sources' own node numbers are not used: of Cambridge's
1,872, 80 stand at two or more places up to 6 km apart (rows edited after numbering). What only
crosses without a shared vertex (a bridge) is not joined.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from farolito.geo import LatLon, Node, Segment
from farolito.geo.distance import Plane
from farolito.ingest.map.features import SPEED_MPS, Range, Street

JOIN_M = 0.5  # street ends nearer than this are one junction: two rows, rounded differently
_E7 = 10_000_000  # OpenStreetMap's own resolution, about 1 cm
_Key = tuple[int, int]


def build_network(streets: Sequence[Street]) -> tuple[tuple[Node, ...], tuple[Segment, ...]]:
    """Nodes and segments, numbered from 1 in the order of the streets given."""
    joined = _join_ends(streets)
    lines = [_clean(street.line, joined) for street in streets]
    uses = _uses(lines)
    numbers: dict[_Key, int] = {}
    nodes: list[Node] = []
    segments: list[Segment] = []

    def node_at(at: LatLon) -> int:
        number = numbers.setdefault(_key(at), len(numbers) + 1)
        if number > len(nodes):
            nodes.append(Node(number, at))
        return number

    for street, line in zip(streets, lines, strict=True):
        if len(line) < 2:
            continue
        cuts = [i for i, at in enumerate(line) if i in (0, len(line) - 1) or uses[_key(at)] > 1]
        ranges = zip(*(_share(r, line, cuts) for r in (street.left, street.right)), strict=True)
        for (a, b), (left, right) in zip(pairwise(cuts), ranges, strict=True):
            piece = line[a : b + 1]
            segments.append(
                Segment(
                    segment_id=len(segments) + 1,
                    name=street.name,
                    kind=street.kind,
                    start=node_at(piece[0]),
                    end=node_at(piece[-1]),
                    line=piece,
                    oneway=street.oneway,
                    speed_mps=street.speed_mps or SPEED_MPS[street.kind],
                    lanes=street.lanes,
                    left=left,
                    right=right,
                )
            )
    return tuple(nodes), tuple(segments)


def _key(at: LatLon) -> _Key:
    return round(at[0] * _E7), round(at[1] * _E7)


def _join_ends(streets: Sequence[Street]) -> dict[_Key, LatLon]:
    """For each street end, the first end seen within JOIN_M of it (itself for most)."""
    ends = [at for street in streets if street.line for at in (street.line[0], street.line[-1])]
    if not ends:
        return {}
    plane = Plane(ends[0])
    cells: dict[_Key, list[LatLon]] = {}
    joined: dict[_Key, LatLon] = {}
    for at in ends:
        if _key(at) in joined:
            continue
        x, y = plane.to_m(at)
        i, j = math.floor(x / JOIN_M), math.floor(y / JOIN_M)
        near = [
            other
            for di in (-1, 0, 1)
            for dj in (-1, 0, 1)
            for other in cells.get((i + di, j + dj), ())
            if math.dist(plane.to_m(other), (x, y)) <= JOIN_M
        ]
        if near:
            joined[_key(at)] = near[0]
        else:
            joined[_key(at)] = at
            cells.setdefault((i, j), []).append(at)
    return joined


def _clean(line: Sequence[LatLon], joined: dict[_Key, LatLon]) -> tuple[LatLon, ...]:
    """The line with its ends joined and no point twice in a row."""
    if not line:
        return ()
    ends = (joined[_key(line[0])], *line[1:-1], joined[_key(line[-1])])
    return tuple(at for i, at in enumerate(ends) if i == 0 or _key(at) != _key(ends[i - 1]))


def _uses(lines: Sequence[tuple[LatLon, ...]]) -> Counter[_Key]:
    """How often a point is a vertex of any street; more than once is a junction."""
    return Counter(_key(at) for line in lines for at in line)


def _share(numbers: Range | None, line: tuple[LatLon, ...], cuts: list[int]) -> list[Range | None]:
    """A range dealt out to the pieces of a line by their lengths, even and odd kept apart."""
    if numbers is None or len(cuts) == 2:
        return [numbers] * (len(cuts) - 1)
    first, last = numbers
    step = (2 if (last - first) % 2 == 0 else 1) * (1 if last >= first else -1)
    marks = [first + round((last - first) * f / step) * step for f in _fractions(line, cuts)]
    shares: list[Range | None] = []
    start = first
    for mark in marks[1:]:
        shares.append((start, mark) if (mark - start) * step >= 0 else None)
        start = max(start, mark + step) if step > 0 else min(start, mark + step)
    return shares


def _fractions(line: tuple[LatLon, ...], cuts: list[int]) -> Iterator[float]:
    plane = Plane(line[0])
    points = [plane.to_m(at) for at in line]
    passed_m, marks_m = 0.0, [0.0]
    for a, b in pairwise(points):
        passed_m += math.dist(a, b)
        marks_m.append(passed_m)
    return (marks_m[i] / passed_m for i in cuts)
