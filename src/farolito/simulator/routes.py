"""Fastest ways to and from a few places of the practice metro, worked out once.

One tree of fastest ways to each place and one from it: a trip then costs as many steps as it has
blocks. 2,900 corners take ~10 ms a tree (2 cores, Python).
"""

from __future__ import annotations

import heapq
import math
from itertools import pairwise

import msgspec

from farolito.geo.street_map import LatLon, Segment, StreetMap
from farolito.simulator.metro import metres


class Block(msgspec.Struct, frozen=True):
    """One segment driven one way. `number` tells it from the same segment driven back."""

    number: int
    segment: int
    start: int
    end: int
    seconds: float


class Roads:
    """The directed blocks a car may drive. Paths are not for cars."""

    def __init__(self, street_map: StreetMap) -> None:
        self.segments = street_map.segments
        self.at: dict[int, LatLon] = {n.node_id: n.at for n in street_map.nodes}
        self.blocks: list[Block] = []
        self.out: dict[int, list[Block]] = {n: [] for n in self.at}
        self.back: dict[int, list[Block]] = {n: [] for n in self.at}
        self.length_m = [line_length_m(s.line) for s in street_map.segments]
        for position, segment in enumerate(street_map.segments):
            if segment.kind == "path":
                continue
            if segment.oneway >= 0:
                self._add(position, segment.start, segment.end, segment)
            if segment.oneway <= 0:
                self._add(position, segment.end, segment.start, segment)

    def _add(self, position: int, start: int, end: int, segment: Segment) -> None:
        # A corner costs some seconds, so that trips keep to the main streets as drivers do.
        corner_s = {"motorway": 0.0, "arterial": 4.0, "collector": 5.5}.get(segment.kind, 7.0)
        seconds = self.length_m[position] / segment.speed_mps + corner_s
        block = Block(len(self.blocks), position, start, end, seconds)
        self.blocks.append(block)
        self.out[start].append(block)
        self.back[end].append(block)

    def is_forward(self, block: Block) -> bool:
        return self.segments[block.segment].start == block.start

    def line(self, block: Block) -> tuple[LatLon, ...]:
        """The block's line in the direction driven."""
        line = self.segments[block.segment].line
        return line if self.is_forward(block) else line[::-1]

    def tree(self, place: int, *, to: bool) -> dict[int, Block]:
        """For each corner the block to take next toward `place`, or the last one from it."""
        edges = self.back if to else self.out
        best = {place: 0.0}
        found: dict[int, Block] = {}
        queue = [(0.0, place)]
        while queue:
            cost, node = heapq.heappop(queue)
            if cost > best[node]:
                continue
            for block in edges[node]:
                beyond = block.start if to else block.end
                ahead = cost + block.seconds
                if ahead < best.get(beyond, math.inf):
                    best[beyond] = ahead
                    found[beyond] = block
                    heapq.heappush(queue, (ahead, beyond))
        return found


class Ways:
    """The trees of all places. `places` are corners."""

    def __init__(self, roads: Roads, places: tuple[int, ...]) -> None:
        self.places = places
        self._to = [roads.tree(p, to=True) for p in places]
        self._from = [roads.tree(p, to=False) for p in places]

    def toward(self, corner: int, place: int) -> list[Block]:
        tree, path = self._to[place], []
        while corner != self.places[place]:
            block = tree[corner]
            path.append(block)
            corner = block.end
        return path

    def away(self, place: int, corner: int) -> list[Block]:
        tree, path = self._from[place], []
        while corner != self.places[place]:
            block = tree[corner]
            path.append(block)
            corner = block.start
        return path[::-1]


def line_length_m(line: tuple[LatLon, ...]) -> float:
    return sum(math.dist(metres(a), metres(b)) for a, b in pairwise(line))


def heading_deg(a: LatLon, b: LatLon) -> float:
    """Direction from a to b, clockwise from north, 0…360."""
    (ax, ay), (bx, by) = metres(a), metres(b)
    return round(math.degrees(math.atan2(bx - ax, by - ay)) % 360, 1)


def along(line: tuple[LatLon, ...], share: float) -> tuple[LatLon, float]:
    """The point at a share (0…1) of a line's length, and the heading there."""
    left = share * line_length_m(line)
    for a, b in pairwise(line):
        step = math.dist(metres(a), metres(b))
        if left <= step and step > 0:
            f = left / step
            at = (round(a[0] + f * (b[0] - a[0]), 6), round(a[1] + f * (b[1] - a[1]), 6))
            return at, heading_deg(a, b)
        left -= step
    return line[-1], heading_deg(line[-2], line[-1])
