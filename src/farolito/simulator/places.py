"""What stands along the streets of the practice metro: buildings, poles, signals, schools."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Sequence

from farolito.geo.street_map import Building, Landmark, LandmarkKind, LatLon, Segment
from farolito.simulator import grid
from farolito.simulator.street_names import school_names, unquartered
from farolito.simulator.street_plan import XY, Plan, Street

BUILDINGS_MAX = 16_000  # the rest of the lots stay empty
SCHOOLS = 36
POLE_EVERY_M = 260.0
ToLatLon = Callable[[XY], LatLon]


def corners(box: tuple[float, float, float, float]) -> list[XY]:
    west, south, east, north = box
    return [(west, south), (east, south), (east, north), (west, north)]


def outline(box: tuple[float, float, float, float], step_m: float = 200.0) -> list[XY]:
    """The box's edge in short steps, so that it bends with the streets."""
    points: list[XY] = []
    ring = corners(box)
    for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
        count = max(1, round(math.dist(a, b) / step_m))
        points += [
            (a[0] + (b[0] - a[0]) * i / count, a[1] + (b[1] - a[1]) * i / count)
            for i in range(count)
        ]
    return points


def buildings(
    plan: Plan, segments: Sequence[Segment], to_lat_lon: ToLatLon, chance: random.Random
) -> tuple[Building, ...]:
    """Houses along the locals, larger ones along main streets, tall ones downtown."""
    found: list[Building] = []
    for street, segment in zip(plan.streets.values(), segments, strict=True):
        if segment.left is None or segment.right is None or street.bridge:
            continue
        if street.axis == "y" and street.kind == "local" and chance.random() < 0.8:
            continue
        for side, numbers in ((1, segment.left), (-1, segment.right)):
            found += _row(plan, street, side, numbers, (to_lat_lon, chance))
    if len(found) > BUILDINGS_MAX:
        kept = sorted(chance.sample(range(len(found)), BUILDINGS_MAX))
        found = [found[i] for i in kept]
    return tuple(found)


def _row(
    plan: Plan,
    street: Street,
    side: int,
    numbers: tuple[int, int],
    making: tuple[ToLatLon, random.Random],
) -> list[Building]:
    """One side of one block. `side` 1 is left of the line."""
    to_lat_lon, chance = making
    a, b = plan.nodes[street.start], plan.nodes[street.end]
    length = math.dist(a, b)
    ux, uy = (b[0] - a[0]) / length, (b[1] - a[1]) / length
    downtown = grid.inside(grid.DOWNTOWN, a) and grid.inside(grid.DOWNTOWN, b)
    lot = 44.0 if downtown or street.kind != "local" else 25.0
    made = []
    for i in range(int((length - 44) / lot)):
        if chance.random() < (0.25 if downtown else 0.36):
            continue
        middle = 22 + lot * (i + 0.5)
        wide, deep, height = _size(lot, downtown, street, chance)
        near = 15.0 + (6.0 if street.kind == "arterial" else 0.0)
        number = numbers[0] + round((numbers[1] - numbers[0]) * middle / length / 2) * 2
        ring = [
            (
                a[0] + ux * (middle + dx) - side * uy * (near + dy),
                a[1] + uy * (middle + dx) + side * ux * (near + dy),
            )
            for dx, dy in ((-wide / 2, 0), (wide / 2, 0), (wide / 2, deep), (-wide / 2, deep))
        ]
        shape = tuple(to_lat_lon(at) for at in [*ring, ring[0]])
        made.append(Building(shape, height, f"{number} {street.name}"))
    return made


def _size(
    lot: float, downtown: bool, street: Street, chance: random.Random
) -> tuple[float, float, float]:
    if downtown:
        height = chance.choice((8, 12, 16, 24, 40, 72))
        return lot * chance.uniform(0.7, 0.95), chance.uniform(22, 36), float(height)
    if street.kind == "local":
        return chance.uniform(11, 19), chance.uniform(9, 16), round(chance.uniform(3.4, 6.5), 1)
    return chance.uniform(16, 40), chance.uniform(14, 28), round(chance.uniform(4.5, 9), 1)


def landmarks(plan: Plan, chance: random.Random, to_lat_lon: ToLatLon) -> tuple[Landmark, ...]:
    found = [*_signals(plan), *_poles(plan), *_schools(plan, chance), *_services()]
    return tuple(Landmark(name, kind, to_lat_lon(at)) for name, kind, at in found)


Placed = tuple[str, LandmarkKind, XY]


def _signals(plan: Plan) -> list[Placed]:
    """A signal where two main streets of different names meet; a camera mount on every second."""
    names: dict[int, dict[str, None]] = defaultdict(dict)
    for s in plan.streets.values():
        if s.kind in ("arterial", "collector") and "Ramp" not in s.name:
            names[s.start][unquartered(s.name)] = None
            names[s.end][unquartered(s.name)] = None
    found: list[Placed] = []
    for node, here in names.items():
        if len(here) >= 2 and node in plan.nodes:
            name = " & ".join(sorted(here)[:2])
            found.append((name, "signal", plan.nodes[node]))
            if len(found) % 3 == 1:
                x, y = plan.nodes[node]
                found.append((f"{name}, mast arm", "camera_mount", (x + 9, y + 9)))
    return found


def _poles(plan: Plan) -> list[Placed]:
    """Street light poles along main streets, on the right kerb."""
    found: list[Placed] = []
    for s in plan.streets.values():
        if s.kind not in ("arterial", "collector") or s.bends:
            continue
        a, b = plan.nodes[s.start], plan.nodes[s.end]
        length = math.dist(a, b)
        if length < 60:
            continue
        ux, uy = (b[0] - a[0]) / length, (b[1] - a[1]) / length
        for i in range(max(1, int(length / POLE_EVERY_M))):
            m = min(length - 20, 40 + i * POLE_EVERY_M)
            at = (a[0] + ux * m + uy * 9, a[1] + uy * m - ux * 9)
            found.append((f"Pole {len(found) + 1001}, {s.name}", "pole", at))
    return found


def _schools(plan: Plan, chance: random.Random) -> list[Placed]:
    nodes = [n for n, at in plan.nodes.items() if abs(at[0]) < 4800 and abs(at[1]) < 4000]
    spots = chance.sample(nodes, SCHOOLS)
    names = school_names(chance)
    return [
        (name, "school", (plan.nodes[n][0] + 55, plan.nodes[n][1] + 48))
        for n, name in zip(spots, names, strict=False)
    ]


def _services() -> list[Placed]:
    placed: list[Placed] = [
        ("Luminaria General Hospital", "hospital", (1250.0, 420.0)),
        ("Sierra Heights Hospital", "hospital", (3250.0, 2450.0)),
        ("West Bank Clinic Hospital", "hospital", (-3700.0, 560.0)),
        ("Luminaria Police Headquarters", "station", (-430.0, 190.0)),
        ("Foothills Substation", "station", (3650.0, 1690.0)),
        ("Valley Substation", "station", (-1500.0, 2470.0)),
        ("West Bank Substation", "station", (-3950.0, -720.0)),
        ("Cuesta County Sheriff's Office", "station", (-250.0, -350.0)),
        ("Agua Serena Tribal Police", "station", (-1150.0, 6220.0)),
        ("Loma Clara Tribal Police", "station", (-1380.0, -6400.0)),
        ("Fire Station 1", "station", (-620.0, -240.0)),
        ("Fire Station 6", "station", (2250.0, -1250.0)),
    ]
    return placed
