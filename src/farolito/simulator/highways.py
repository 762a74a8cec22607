"""The two interstates of the practice metro: carriageways, ramps and the interchange.

Interstates 23 and 48 do not exist. Each carriageway is one-way; a local street does not cross,
a half-mile road passes, a mile road has ramps.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from farolito.simulator.street_plan import XY, Plan, Street

CLEAR_M = 78.0  # no crossing of streets stands nearer to the middle of an interstate
CARRIAGEWAY_M = 17.0  # from the middle
TERMINAL_M = 74.0  # where ramps meet the street
RAMP_M = 255.0
KNOT_M = 330.0  # the interchange's ramps leave and join this far out
STEP_M = 220.0


@dataclass(frozen=True)
class Highway:
    """`side(at)` > 0 is east of a north–south one, north of an east–west one (metres)."""

    name: str
    way: Literal["x", "y"]
    ends_m: tuple[float, float]
    middle: Callable[[float], float]

    def at(self, along: float, aside: float = 0.0) -> XY:
        """The point `aside` metres to the right of travel toward greater `along`."""
        slope = (self.middle(along + 1) - self.middle(along - 1)) / 2
        norm = math.hypot(1, slope)
        across = self.middle(along)
        if self.way == "y":
            return (across + aside / norm, along - aside * slope / norm)
        return (along + aside * slope / norm, across - aside / norm)

    def side(self, at: XY) -> float:
        x, y = at
        return x - self.middle(y) if self.way == "y" else y - self.middle(x)


I23 = Highway("Interstate 23", "y", (-8200.0, 8600.0), lambda y: 1030 + 170 * math.sin(y / 2500))
I48 = Highway("Interstate 48", "x", (-7600.0, 8000.0), lambda x: 1010 + 140 * math.sin(x / 2300))


@dataclass
class Crossing:
    """Where a street passes an interstate, and the two nodes its ramps end at."""

    along: float
    low: int
    high: int


def clear(plan: Plan) -> None:
    """Make room: drop nodes in the way and cut the locals; main streets pass over or under."""
    for road in (I23, I48):
        gone = {n for n, at in plan.nodes.items() if abs(road.side(at)) < CLEAR_M}
        _bypass(plan, gone)
        plan.drop_nodes(gone)
        for number, s in list(plan.streets.items()):
            a, b = road.side(plan.nodes[s.start]), road.side(plan.nodes[s.end])
            if a * b < 0 and s.kind not in ("arterial", "collector"):
                del plan.streets[number]


def _bypass(plan: Plan, gone: set[int]) -> None:
    """Main streets keep running past the nodes that are about to go."""
    for node in sorted(gone):
        for axis in ("x", "y"):
            through = [
                n
                for n, s in plan.streets.items()
                if node in (s.start, s.end) and s.axis == axis and s.kind != "local"
            ]
            if len(through) != 2:
                continue
            first, second = (plan.streets.pop(n) for n in through)
            if first.end != node:
                first, second = second, first
            plan.add_street(Street(first.start, second.end, first.name, first.kind, axis=axis))


def build(plan: Plan) -> dict[str, list[int]]:
    """Lay both interstates; gateways at their ends. Node ids by "I23", "I48" ends."""
    crossings = {road.name: _terminals(plan, road) for road in (I23, I48)}
    ends = {road.name: _ends(plan, road) for road in (I23, I48)}
    knot = _knot()
    joints: dict[tuple[str, int, str], int] = {}
    for road in (I23, I48):
        for sense in (1, -1):
            stops = _stops(road, crossings[road.name], sense, knot[road.name])
            _carriageway(plan, road, sense, stops, (ends[road.name], joints))
    _knot_ramps(plan, joints)
    return ends


def _ends(plan: Plan, road: Highway) -> list[int]:
    return [plan.add_node(road.at(m)) for m in road.ends_m]


def _knot() -> dict[str, float]:
    y = 1010.0
    for _ in range(20):
        y = I48.middle(I23.middle(y))
    return {I23.name: y, I48.name: I23.middle(y)}


def _terminals(plan: Plan, road: Highway) -> list[Crossing]:
    """Put the ramps' ends on each mile road that crosses."""
    found = []
    for number, s in list(plan.streets.items()):
        a, b = plan.nodes[s.start], plan.nodes[s.end]
        if s.kind != "arterial" or road.side(a) * road.side(b) >= 0 or s.bends:
            continue
        share = road.side(a) / (road.side(a) - road.side(b))
        at = (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]))
        along = at[1] if road.way == "y" else at[0]
        ends = []
        for end in (s.start, s.end):
            p = plan.nodes[end]
            d = math.dist(at, p)
            if d < TERMINAL_M + 35:
                ends.append(end)
                continue
            spot = (
                at[0] + (p[0] - at[0]) * TERMINAL_M / d,
                at[1] + (p[1] - at[1]) * TERMINAL_M / d,
            )
            ends.append(plan.add_node(spot))
        _rejoin(plan, number, s, ends)
        low, high = sorted(ends, key=lambda n: road.side(plan.nodes[n]))
        found.append(Crossing(along, low, high))
    return sorted(found, key=lambda c: c.along)


def _rejoin(plan: Plan, number: int, s: Street, ends: list[int]) -> None:
    del plan.streets[number]
    chain = [s.start, *(e for e in ends if e not in (s.start, s.end)), s.end]
    for a, b in itertools.pairwise(chain):
        over = {a, b} == set(ends)
        plan.add_street(Street(a, b, s.name, s.kind, s.oneway, axis=s.axis, bridge=over))


Stop = tuple[float, str, int]  # along, what: off | on | knot-off | knot-on, the street's node


def _stops(road: Highway, crossings: list[Crossing], sense: int, knot: float) -> list[Stop]:
    """The joints of one carriageway in the order they are driven."""
    stops: list[Stop] = []
    for c in crossings:
        if not road.ends_m[0] + 600 < c.along < road.ends_m[1] - 600:
            continue
        right = sense if road.way == "y" else -sense
        terminal = c.high if right > 0 else c.low
        stops.append((c.along - sense * RAMP_M, "off", terminal))
        stops.append((c.along + sense * RAMP_M, "on", terminal))
    stops.append((knot - sense * KNOT_M, "knot-off", -1))
    stops.append((knot + sense * KNOT_M, "knot-on", -1))
    return sorted(stops, key=lambda s: s[0] * sense)


def _carriageway(
    plan: Plan,
    road: Highway,
    sense: int,
    stops: list[Stop],
    shared: tuple[list[int], dict[tuple[str, int, str], int]],
) -> None:
    ends, joints = shared
    here = ends[0] if sense > 0 else ends[1]
    along = road.ends_m[0] if sense > 0 else road.ends_m[1]
    for m, what, terminal in stops:
        node = plan.add_node(road.at(m, sense * CARRIAGEWAY_M))
        _one_way(plan, road, sense, (here, along, node, m))
        here, along = node, m
        if what == "off":
            _ramp(plan, road, node, terminal)
        elif what == "on":
            _ramp(plan, road, terminal, node)
        else:
            joints[road.name, sense, what] = node
    last, m = (ends[1], road.ends_m[1]) if sense > 0 else (ends[0], road.ends_m[0])
    _one_way(plan, road, sense, (here, along, last, m))


def _one_way(plan: Plan, road: Highway, sense: int, piece: tuple[int, float, int, float]) -> None:
    start, a, end, b = piece
    count = int(abs(b - a) / STEP_M)
    bends = tuple(
        road.at(a + (b - a) * i / (count + 1), sense * CARRIAGEWAY_M) for i in range(1, count + 1)
    )
    bound = {("y", 1): "North", ("y", -1): "South", ("x", 1): "East", ("x", -1): "West"}
    name = f"{road.name} {bound[road.way, sense]}"
    plan.add_street(Street(start, end, name, "motorway", 1, bends))


def _ramp(plan: Plan, road: Highway, start: int, end: int) -> None:
    plan.add_street(Street(start, end, f"{road.name} Ramp", "collector", 1))


def _knot_ramps(plan: Plan, joints: dict[tuple[str, int, str], int]) -> None:
    """Eight ramps: from each carriageway to both of the other interstate."""
    for road, other in ((I23, I48), (I48, I23)):
        for sense in (1, -1):
            for turn in (1, -1):
                start = joints[road.name, sense, "knot-off"]
                end = joints[other.name, turn, "knot-on"]
                a, b = plan.nodes[start], plan.nodes[end]
                mid = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
                knot = (I23.middle(_knot()[I23.name]), _knot()[I23.name])
                bow = (mid[0] + 0.3 * (knot[0] - mid[0]), mid[1] + 0.3 * (knot[1] - mid[1]))
                plan.add_street(Street(start, end, "Knot Ramp", "motorway", 1, (bow,)))
