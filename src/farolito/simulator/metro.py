"""The practice metro Ciudad Luminaria: a made-up city of the high desert, whole from a seed.

A river from north to south, two interstates that cross, a grid bent where the land bends, an old
town, a campus, and two fictitious pueblos with their own land north and south. It has Albuquerque's
latitude, so sun and scale are right, and nothing of its plan. 1.0–1.5 s to draw (2 cores).
"""

from __future__ import annotations

import math
import random

from farolito.geo.street_map import Area, LatLon, Node, Segment, StreetKind, StreetMap
from farolito.simulator import grid, highways, places
from farolito.simulator.street_names import VILLAGE_LANES
from farolito.simulator.street_plan import XY, Plan, Street, drivable, reached

CENTRE: LatLon = (35.1, -106.62)
CITY, COUNTY = "Ciudad Luminaria", "Cuesta County"
NORTH_PUEBLO, SOUTH_PUEBLO = "Pueblo of Agua Serena", "Pueblo of Loma Clara"
HUNDRED_BLOCK_M = 133.0
_SPEEDS_MPS: dict[StreetKind, float] = {
    "motorway": 29.1, "arterial": 17.9, "collector": 13.4, "local": 11.2, "path": 1.4,
}  # fmt: skip
_LANES: dict[StreetKind, int] = {
    "motorway": 3, "arterial": 2, "collector": 1, "local": 1, "path": 1,
}  # fmt: skip
_LAT = math.radians(CENTRE[0])
# Metres in a degree on WGS 84 (NIMA TR8350.2, series in the latitude).
M_PER_LAT = 111_132.92 - 559.82 * math.cos(2 * _LAT) + 1.175 * math.cos(4 * _LAT)
M_PER_LON = 111_412.84 * math.cos(_LAT) - 93.5 * math.cos(3 * _LAT) + 0.118 * math.cos(5 * _LAT)


def lat_lon(at: XY) -> LatLon:
    """WGS 84 degrees, to 0.1 m, of metres east and north of the middle."""
    return (round(CENTRE[0] + at[1] / M_PER_LAT, 6), round(CENTRE[1] + at[0] / M_PER_LON, 6))


def metres(at: LatLon) -> XY:
    """Metres east and north of the middle of the metro."""
    return ((at[1] - CENTRE[1]) * M_PER_LON, (at[0] - CENTRE[0]) * M_PER_LAT)


def make_metro(seed: int) -> StreetMap:
    """The metro of a seed. Its drivable streets hang together, one-way streets obeyed."""
    chance = random.Random(f"metro {seed}")  # noqa: S311 - practice, no secret
    plan = Plan()
    grid.Grid(plan, chance).draw()
    plan.lay(((-797, 1590), (-1500, 2390), (-2440, 3990)), "Camino Antiguo NW", "arterial")
    plan.lay(((1590, -788), (2500, -1700), (4700, -3190)), "Paseo de la Mesa SE", "arterial")
    highways.clear(plan)
    gateways = highways.build(plan)
    _one_way_pairs(plan)
    _old_town(plan, chance)
    _campus(plan)
    _village(plan, chance, (-1500.0, 5900.0, -800.0, 6560.0), gateways["Interstate 23"][1])
    _village(plan, chance, (-1700.0, -6700.0, -1050.0, -6100.0), gateways["Interstate 23"][0])
    _settle(plan)
    return _freeze(plan, chance)


def _one_way_pairs(plan: Plan) -> None:
    """Downtown's pairs: one street there, the next one back."""
    pairs = {
        "Lantern Ave": 1, "Bell Ave": -1, "Silver Row": 1, "Weaver Ave": -1,
        "Third St": 1, "Fourth St": -1, "Sixth St": 1, "Seventh St": -1,
    }  # fmt: skip
    for s in plan.streets.values():
        a, b = plan.nodes[s.start], plan.nodes[s.end]
        middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
        name = s.name.rsplit(" ", 1)[0]
        if name in pairs and grid.inside(grid.DOWNTOWN, middle, 200):
            s.oneway = 1 if pairs[name] > 0 else -1


def _old_town(plan: Plan, chance: random.Random) -> None:
    corners = [grid.bend(at) for at in places.corners(grid.OLD_TOWN)]
    west, east = min(x for x, _ in corners) + 45, max(x for x, _ in corners) - 35
    south, north = min(y for _, y in corners) + 35, max(y for _, y in corners) - 35
    outside = list(plan.nodes)
    made = grid.lanes(plan, chance, (west, south, east, north))
    for s in plan.streets.values():
        if s.start in made:
            s.name += " NW"
    for x, y in [(x, y) for x in (west, east) for y in (south, (south + north) / 2, north)]:
        gate = plan.nearest((x, y), made)
        street = plan.nearest(plan.nodes[gate], outside)
        plan.add_street(Street(street, gate, "Calle de la Entrada NW", "local", axis="x"))


def _around(plan: Plan, box: tuple[float, float, float, float], reach_m: float) -> list[int]:
    corners = [grid.bend(at) for at in places.corners(box)]
    bent = (
        min(x for x, _ in corners), min(y for _, y in corners),
        max(x for x, _ in corners), max(y for _, y in corners),
    )  # fmt: skip
    near = [n for n, at in plan.nodes.items() if grid.inside(bent, at, reach_m)]
    return near[:: max(1, len(near) // 9)]


def _campus(plan: Plan) -> None:
    """Foot paths across the campus, from gates on the streets round it."""
    west, south, east, north = grid.CAMPUS
    middle = ((west + east) / 2, (south + north) / 2)
    gates = _around(plan, grid.CAMPUS, 60)
    hub = plan.add_node(middle)
    for gate in gates:
        at = plan.nodes[gate]
        halfway = ((at[0] + 2 * middle[0]) / 3 + 40, (at[1] + 2 * middle[1]) / 3 - 25)
        node = plan.add_node(halfway)
        plan.add_street(Street(gate, node, "Campus Walk", "path"))
        plan.add_street(Street(node, hub, "Campus Walk", "path"))


def _village(
    plan: Plan, chance: random.Random, box: tuple[float, float, float, float], gateway: int
) -> None:
    """A pueblo's village on its own land, with a road to the city and one to the interstate."""
    city = [n for n, s in plan.degree().items() if s >= 2 and n in plan.nodes]
    first = max(plan.streets) + 1
    made = grid.lanes(plan, chance, box)
    names = dict(zip(_names_from(plan, first), VILLAGE_LANES * 3, strict=False))
    for number, s in plan.streets.items():
        if number >= first:
            s.name = names[s.name]
    edge = 4000.0 if box[1] > 0 else -4000.0
    middle = ((box[0] + box[2]) / 2, box[1] if box[1] > 0 else box[3])
    south = plan.nearest((middle[0], edge), city)
    door = plan.nearest(middle, made)
    name = f"{NORTH_PUEBLO if box[1] > 0 else SOUTH_PUEBLO} Rd"
    half = ((plan.nodes[south][0] + middle[0]) / 2 - 120, (edge + middle[1]) / 2)
    plan.add_street(Street(south, door, name.removeprefix("Pueblo of "), "collector", 0, (half,)))
    far = plan.nearest(plan.nodes[gateway], made)
    a, b = plan.nodes[far], plan.nodes[gateway]
    bow = ((a[0] + b[0]) / 2 - 200, (a[1] * 2 + b[1]) / 3)
    plan.add_street(Street(far, gateway, "Tribal Road 7", "collector", 0, (bow,)))


def _names_from(plan: Plan, first: int) -> list[str]:
    return list(dict.fromkeys(s.name for n, s in plan.streets.items() if n >= first))


def _settle(plan: Plan) -> None:
    """Whatever a car could not reach or leave becomes two-way, and failing that goes."""
    anchor = plan.nearest((0.0, 0.0), plan.nodes)
    for _ in range(4):
        out, back = drivable(plan)
        strong = reached(anchor, out) & reached(anchor, back)
        astray = [
            s
            for s in plan.streets.values()
            if s.kind not in ("motorway", "path")
            and s.oneway
            and (s.start not in strong or s.end not in strong)
        ]
        if not astray:
            break
        for s in astray:
            s.oneway = 0
    out, back = drivable(plan)
    strong = reached(anchor, out) & reached(anchor, back)
    on_foot = {
        n
        for s in plan.streets.values()
        if s.kind == "path" and (s.start in strong or s.end in strong or s.name == "Campus Walk")
        for n in (s.start, s.end)
    }
    plan.drop_nodes(set(plan.nodes) - strong - on_foot)


def _freeze(plan: Plan, chance: random.Random) -> StreetMap:
    number = {n: i for i, n in enumerate(plan.nodes)}
    segments = tuple(_segment(i, s, plan, number) for i, s in enumerate(plan.streets.values()))
    return StreetMap(
        name=f"{CITY} (practice metro)",
        source="Farolito simulator; made up, any likeness in name is chance; Apache-2.0",
        nodes=tuple(Node(number[n], lat_lon(at)) for n, at in plan.nodes.items()),
        segments=segments,
        areas=_areas(),
        buildings=places.buildings(plan, segments, lat_lon, chance),
        landmarks=places.landmarks(plan, chance, lat_lon),
    )


def _segment(index: int, s: Street, plan: Plan, number: dict[int, int]) -> Segment:
    left, right = _addresses(s, plan)
    return Segment(
        segment_id=index,
        name=s.name,
        kind=s.kind,
        start=number[s.start],
        end=number[s.end],
        line=tuple(lat_lon(at) for at in plan.points(s)),
        oneway=s.oneway,
        speed_mps=_SPEEDS_MPS[s.kind],
        lanes=3 if s.kind == "arterial" and s.bridge else _LANES[s.kind],
        left=left,
        right=right,
    )


def _addresses(s: Street, plan: Plan) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """Hundreds count away from the middle of the city; even numbers on the right going out."""
    if s.axis is None or s.bridge:
        return None, None
    a, b = plan.nodes[s.start], plan.nodes[s.end]
    along = (a[0], b[0]) if s.axis == "x" else (a[1], b[1])
    first, last = (round(abs(m) / HUNDRED_BLOCK_M * 100) // 2 * 2 for m in along)
    if abs(last - first) < 8:
        return None, None
    out = first < last
    even = (first + 2, last) if out else (first, last + 2)
    odd = (first + 1, last - 1) if out else (first - 1, last + 1)
    return (odd, even) if out else (even, odd)


def _ring(points: list[XY]) -> tuple[LatLon, ...]:
    return tuple(lat_lon(at) for at in [*points, points[0]])


def _bent(box: tuple[float, float, float, float]) -> tuple[LatLon, ...]:
    return _ring([grid.bend(at) for at in places.outline(box)])


def _river() -> tuple[LatLon, ...]:
    reach = range(-9000, 9001, 200)
    west = [(grid.river_x(y) - 62 - 18 * math.sin(y / 370), float(y)) for y in reach]
    east = [(grid.river_x(y) + 62 + 20 * math.sin(y / 510), float(y)) for y in reach]
    return _ring(west + east[::-1])


def _areas() -> tuple[Area, ...]:
    city = (-4900.0, -4100.0, 4900.0, 4100.0)
    bosque = [(grid.river_x(y) - 175, float(y)) for y in range(-4000, 4001, 200)]
    bosque += [(grid.river_x(y) + 175, float(y)) for y in range(4000, -4001, -200)]
    north: list[XY] = [
        (-5200, 4600),
        (-2200, 4480),
        (900, 4620),
        (4700, 4500),
        (5600, 9000),
        (-5600, 9000),
    ]
    south: list[XY] = [(-5000, -4560), (4300, -4720), (4800, -8700), (-5400, -8700)]
    county: list[XY] = [(-8800, -9000), (8800, -9000), (8800, 9200), (-8800, 9200)]
    beats = [
        Area(f"Beat {column + 1}{row + 1}{1 + (column + row) % 2}", "beat", _bent(box))
        for column, (west, east) in enumerate(((-4900, -2850), (-2850, 0), (0, 2400), (2400, 4900)))
        for row, (low, high) in enumerate(((-4100, -1350), (-1350, 1350), (1350, 4100)))
        for box in [(float(west), float(low), float(east), float(high))]
    ]
    return (
        Area(COUNTY, "county", _ring(county)),
        Area(CITY, "city", _bent(city)),
        Area(
            f"{NORTH_PUEBLO} (fictitious)",
            "tribal",
            _ring(north),
        ),
        Area(
            f"{SOUTH_PUEBLO} (fictitious)",
            "tribal",
            _ring(south),
        ),
        Area("Luminaria Bosque", "open_space", _ring(bosque)),
        Area("Rio Claro", "river", _river()),
        Area("Mesa Airfield", "open_space", _bent(grid.AIRFIELD)),
        Area("Luminaria State University", "university", _bent(grid.CAMPUS)),
        Area("Plaza Vieja Old Town", "old_town", _bent(grid.OLD_TOWN)),
        *(Area(name, "open_space", _bent((w, s, e, n))) for name, w, s, e, n in grid.OPEN_SPACES),
        *(Area(name, "park", _bent((w, s, e, n))) for name, w, s, e, n in grid.PARKS),
        *beats,
    )
