"""What stands: buildings with windows, trees, poles, signals, parked cars. Far ones first.

Chance draws what the map does not say (trees, parked cars, the colour of a wall), always the
same for the same place.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from farolito.geo.street_map import Building, StreetMap
from farolito.simulator import car_shapes
from farolito.simulator.car_shapes import Car
from farolito.simulator.daylight import Colour
from farolito.simulator.faces import Face, Faces, flat, upright
from farolito.simulator.fleet import COLOURS, MODELS
from farolito.simulator.metro import metres
from farolito.simulator.perspective import Floats, Sector
from farolito.simulator.street_ground import WALK_M, Street, Streets
from farolito.simulator.street_plan import XY

TALL_M, BUILDINGS_M, LOTS_M, WINDOWS_M = 800.0, 480.0, 300.0, 190.0
TREES_M, PARKED_M, POLES_M = 230.0, 130.0, 260.0
STRIP_M = 8.0  # walls are ordered by pieces of this length
LAMP_EVERY_M, LAMP_M = 46.0, 8.5
SIGNAL_CLEAR_M, TREE_CLEAR_M = 13.0, 14.0  # nothing hangs right before a camera
_WALLS: tuple[Colour, ...] = (
    (128, 168, 200), (150, 184, 208), (112, 150, 186), (170, 192, 206), (196, 204, 208),
    (96, 128, 170), (150, 160, 168), (136, 176, 194), (104, 116, 160),
)  # fmt: skip
_TALL: tuple[Colour, ...] = ((176, 172, 166), (150, 150, 150), (160, 172, 184), (140, 128, 116))
_GLASS: Colour = (104, 88, 70)
_LIT: Colour = (120, 200, 250)
_DARK: Colour = (40, 34, 30)
_TRUNK: Colour = (52, 70, 92)
_LEAVES: tuple[Colour, ...] = ((52, 104, 72), (60, 116, 88), (48, 92, 60), (70, 124, 108))
_YARDS: tuple[Colour, ...] = ((98, 144, 132), (120, 160, 164), (136, 166, 182))
_PAVED: Colour = (150, 152, 152)
_POLE: Colour = (120, 122, 122)
_DOORS: tuple[Colour, ...] = ((60, 70, 120), (120, 90, 50), (70, 80, 70), (50, 50, 60))


class Houses:
    """All buildings, found by place."""

    def __init__(self, street_map: StreetMap) -> None:
        self._rings = [np.array([metres(at) for at in b.ring[:-1]]) for b in street_map.buildings]
        self._buildings = street_map.buildings
        self._middles = np.array([ring.mean(axis=0) for ring in self._rings]).reshape(-1, 2)

    def near(self, at: XY, radius_m: float) -> Iterator[tuple[int, Building, Floats]]:
        """Number, building, its corners counted against the clock."""
        away = np.hypot(*(self._middles - at).T)
        for i in np.flatnonzero(away < radius_m):
            ring = self._rings[i]
            x, y = ring.T
            turns_left = float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) > 0
            yield int(i), self._buildings[i], ring if turns_left else ring[::-1]


def draw_lots(ground: Faces, houses: Houses, eye: XY) -> None:
    """The ground that belongs to a building: paved in town, a yard round a house."""
    for number, building, ring in houses.near(eye, LOTS_M):
        grown = 1.22 if building.height_m >= 12 else 1.45
        lot = ring.mean(axis=0) + (ring - ring.mean(axis=0)) * grown
        is_yard = building.height_m < 6.6 and number % 3 != 0
        colour = _YARDS[number % len(_YARDS)] if is_yard else _PAVED
        ground.add([Face(flat(lot.tolist()), colour, None, None, False)], 0.0)


def draw_houses(faces: Faces, houses: Houses, sector: Sector) -> None:
    eye = sector.at
    for number, building, ring in houses.near(eye, TALL_M):
        middle = ring.mean(axis=0)
        if building.height_m < 12 and math.dist(middle, eye) > BUILDINGS_M:
            continue
        if not sector.holds(middle, float(np.abs(ring - middle).max()) * 1.5):
            continue
        chance = random.Random(number)  # noqa: S311 - a drawing
        height = building.height_m
        colour = chance.choice(_TALL if height >= 12 else _WALLS)
        colour = _shaded(colour, chance.uniform(0.9, 1.06))
        for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            _wall(faces, (a, b, height), colour, (eye, chance))
        _roof(faces, ring, height, colour)


def _shaded(colour: Colour, by: float) -> Colour:
    return (colour[0] * by, colour[1] * by, colour[2] * by)


def _roof(faces: Faces, ring: Floats, height: float, colour: Colour) -> None:
    top = np.column_stack((ring, np.full(len(ring), height)))
    up = (0.0, 0.0, 1.0)
    middle = ring.mean(axis=0)
    inner = np.column_stack((middle + (ring - middle) * 0.94, np.full(len(ring), height)))
    pale = _shaded(colour, 1.04)
    faces.add([Face(top, pale, up), Face(inner, (168, 172, 174), up)])


def _wall(
    faces: Faces,
    wall: tuple[Floats, Floats, float],
    colour: Colour,
    seen: tuple[XY, random.Random],
) -> None:
    """In strips, each with its windows."""
    a, b, height = wall
    eye, chance = seen
    long = math.dist(a, b)
    normal = ((b[1] - a[1]) / long, -(b[0] - a[0]) / long, 0.0)
    if (eye[0] - a[0]) * normal[0] + (eye[1] - a[1]) * normal[1] <= 0:
        return
    count = max(1, math.ceil(long / STRIP_M))
    is_near = math.dist(eye, (a + b) / 2) < WINDOWS_M + (120 if height > 12 else 0)
    door = _shaded(chance.choice(_DOORS), 1.0)
    base = _shaded(colour, 0.82)
    for k in range(count):
        start, end = a + (b - a) * k / count, a + (b - a) * (k + 1) / count
        group = [Face(upright(start, end, 0.0, height), colour, normal)]
        group.append(Face(upright(start, end, 0.0, min(0.5, height / 8)), base, normal))
        group.append(Face(upright(start, end, height - 0.25, height), _shaded(colour, 1.1), normal))
        if is_near:
            group += _windows(start, end, height, (normal, chance, k == count // 2, door))
        faces.add(group)


def _windows(
    a: Floats,
    b: Floats,
    height: float,
    how: tuple[tuple[float, float, float], random.Random, bool, Colour],
) -> Iterator[Face]:
    normal, chance, has_door, door = how
    long = math.dist(a, b)

    def pane(left: float, wide: float, low: float, tall: float, colour: Colour) -> Face:
        share, width = left / long, wide / long
        corners = upright(a + (b - a) * share, a + (b - a) * (share + width), low, low + tall)
        glow = _LIT if chance.random() < 0.4 else _DARK
        return Face(corners, colour, normal, glow if colour is _GLASS else None)

    if long < 3.0:
        return
    if height >= 12:
        for floor in range(int((height - 1.5) / 3.6)):
            low = 0.7 + 3.6 * floor
            tall = 2.6 if floor == 0 else 1.9
            for column in range(max(1, int(long / 2.7))):
                left = 0.5 + column * long / max(1, int(long / 2.7))
                yield pane(left, 1.7, low + (0 if floor == 0 else 0.6), tall, _GLASS)
        return
    storeys = 2 if height >= 6.4 else 1
    if has_door:
        yield pane(long / 2 - 0.5, 1.0, 0.0, 2.1, door)
    if height > 6.8 and long > 6:
        yield pane(0.6, long - 1.2, 0.8, 2.0, _GLASS)
        yield pane(0.6, long - 1.2, 3.1, 0.8, chance.choice(_DOORS))
        return
    for storey in range(storeys):
        for left in (long * 0.14, long * 0.66):
            yield pane(left, min(1.5, long * 0.22), 1.0 + 2.9 * storey, 1.3, _GLASS)


def draw_trees(faces: Faces, streets: Streets, sector: Sector) -> None:
    """Along the walks of smaller streets."""
    eye = sector.at
    for i in streets.near(eye, TREES_M):
        street = streets.streets[i]
        if street.segment.kind not in ("local", "collector"):
            continue
        chance = random.Random(i * 31 + 7)  # noqa: S311 - a drawing
        for at in _beside(street, 17.0, street.half_m + WALK_M + 1.6):
            if chance.random() < 0.4 and math.dist(at, eye) < TREES_M:
                size = chance.uniform(0.75, 1.25)
                if math.dist(at, eye) > TREE_CLEAR_M and sector.holds(at, 4.0):
                    _tree(faces, at, eye, (size, chance))


def _beside(street: Street, every_m: float, off_m: float) -> Iterator[XY]:
    """Points on both sides, not near the crossings."""
    for a, b in pairwise(street.line):
        long = math.dist(a, b)
        rx, ry = (b[1] - a[1]) / long, -(b[0] - a[0]) / long
        for k in range(1, int((long - 24) / every_m) + 1):
            share = (12 + k * every_m) / long
            for side in (-1, 1):
                yield (
                    a[0] + share * (b[0] - a[0]) + side * rx * off_m,
                    a[1] + share * (b[1] - a[1]) + side * ry * off_m,
                )


def _tree(faces: Faces, at: XY, eye: XY, how: tuple[float, random.Random]) -> None:
    size, chance = how
    colour = chance.choice(_LEAVES)
    radius, middle = 2.3 * size, 4.1 * size
    group = [
        Face(_board(at, eye, 0.13 * size, (0.0, middle)), _TRUNK),
        Face(_blob(at, eye, (radius, middle), chance), _shaded(colour, 0.8)),
    ]
    high = _blob(at, eye, (radius * 0.72, middle + radius * 0.25), chance)
    group.append(Face(high, _shaded(colour, 1.08), hides=False))
    faces.add(group, math.dist(at, eye))


def _across(at: XY, eye: XY) -> XY:
    """Horizontally, across the line of sight."""
    long = math.dist(at, eye) or 1.0
    return ((eye[1] - at[1]) / long, -(eye[0] - at[0]) / long)


def _board(at: XY, eye: XY, half: float, heights: tuple[float, float]) -> Floats:
    """A thin upright thing, turned toward the camera."""
    ax, ay = _across(at, eye)
    a, b = (at[0] - ax * half, at[1] - ay * half), (at[0] + ax * half, at[1] + ay * half)
    return upright(a, b, *heights)


def _blob(at: XY, eye: XY, round_: tuple[float, float], chance: random.Random) -> Floats:
    ax, ay = _across(at, eye)
    radius, middle = round_
    points = []
    for k in range(11):
        r, turn = radius * chance.uniform(0.82, 1.12), 2 * math.pi * k / 11
        side = r * math.cos(turn)
        points.append((at[0] + ax * side, at[1] + ay * side, middle + 0.86 * r * math.sin(turn)))
    return np.array(points)


def lamps(streets: Streets, eye: XY) -> list[tuple[XY, XY]]:
    """Street lights near a camera: foot, and the place above which the light hangs."""
    found = []
    for i in streets.near(eye, POLES_M):
        street = streets.streets[i]
        if street.segment.kind not in ("arterial", "collector"):
            continue
        reach = street.half_m + 0.9
        for number, foot in enumerate(_beside(street, LAMP_EVERY_M, reach)):
            if number % 2 == number // 2 % 2 and 4.0 < math.dist(foot, eye) < POLES_M:
                middle = _toward_middle(street, foot)
                found.append((foot, (foot[0] + middle[0] * 2.4, foot[1] + middle[1] * 2.4)))
    return found


def _toward_middle(street: Street, at: XY) -> XY:
    a, b = street.line[0], street.line[-1]
    long = math.dist(a, b)
    rx, ry = (b[1] - a[1]) / long, -(b[0] - a[0]) / long
    side = (at[0] - a[0]) * rx + (at[1] - a[1]) * ry
    return (-rx, -ry) if side > 0 else (rx, ry)


def draw_poles(faces: Faces, streets: Streets, sector: Sector, lights: list[tuple[XY, XY]]) -> None:
    eye = sector.at
    for foot, head in lights:
        if not sector.holds(foot, 4.0):
            continue
        group = [
            Face(_board(foot, eye, 0.09, (0.0, LAMP_M)), _POLE),
            Face(_arm(foot, head, LAMP_M - 0.1, 0.12), _POLE),
            Face(_arm(_mid(foot, head), head, LAMP_M - 0.14, 0.2), (190, 194, 194), None,
                 (190, 235, 255)),
        ]  # fmt: skip
        faces.add(group, math.dist(foot, eye))
    for node in streets.nodes_near(eye, POLES_M):
        if node in streets.is_signal and sector.holds(streets.node_at[node], 26.0):
            _signals(faces, streets, node, eye)


def _mid(a: XY, b: XY) -> XY:
    return ((a[0] + 2 * b[0]) / 3, (a[1] + 2 * b[1]) / 3)


def _arm(a: XY, b: XY, height: float, thick: float) -> Floats:
    return upright(a, b, height, height + thick)


def _signals(faces: Faces, streets: Streets, node: int, eye: XY) -> None:
    """At each arm's far right corner a mast with an arm over the lanes, and three heads."""
    at = streets.node_at[node]
    reach = streets.node_half[node] + 2.2
    for k in range(4):
        turn = math.radians(90 * k + 45)
        foot = (at[0] + reach * 1.35 * math.cos(turn), at[1] + reach * 1.35 * math.sin(turn))
        if math.dist(foot, eye) < SIGNAL_CLEAR_M:
            continue  # the camera hangs there itself
        along = math.radians(90 * k + 180)
        end = (foot[0] + 8.5 * math.cos(along), foot[1] + 8.5 * math.sin(along))
        group = [
            Face(_board(foot, eye, 0.14, (0.0, 6.4)), _POLE),
            Face(_arm(foot, end, 6.0, 0.2), _POLE),
        ]
        for share in (0.55, 0.95):
            head = (foot[0] + (end[0] - foot[0]) * share, foot[1] + (end[1] - foot[1]) * share)
            group.append(Face(_board(head, eye, 0.24, (5.1, 6.3)), (40, 44, 44)))
            for low, colour in (
                (5.95, (50, 44, 150)),
                (5.58, (40, 120, 150)),
                (5.2, (60, 120, 50)),
            ):
                group.append(
                    Face(_board(head, eye, 0.12, (low, low + 0.24)), colour, None, colour, False)
                )
        faces.add(group, math.dist(foot, eye))


def parked(streets: Streets, eye: XY) -> list[Car]:
    """Cars that stand at the kerbs of local streets all day."""
    found = []
    kinds, shares = [m[2] for m in MODELS], [m[3] for m in MODELS]
    for i in streets.near(eye, PARKED_M):
        street = streets.streets[i]
        if street.segment.kind != "local":
            continue
        chance = random.Random(i * 17 + 3)  # noqa: S311 - a drawing
        a, b = street.line[0], street.line[-1]
        heading = math.degrees(math.atan2(b[0] - a[0], b[1] - a[1])) % 360
        for at in _beside(street, 9.0, street.half_m - 1.15):
            kind = chance.choices(kinds, shares)[0]
            colour = chance.choices([c for c, _ in COLOURS], [w for _, w in COLOURS])[0]
            if chance.random() < 0.24 and kind not in ("truck", "motorcycle"):
                side = _toward_middle(street, at)
                is_right = side[0] * (b[1] - a[1]) - side[1] * (b[0] - a[0]) < 0
                found.append(Car(*at, heading if is_right else (heading + 180) % 360, kind, colour))
    return found


def draw_parked(faces: Faces, cars: list[Car], sector: Sector) -> None:
    eye = sector.at
    for car in cars:
        away = math.dist((car.x, car.y), eye)
        if 3.0 < away < PARKED_M and sector.holds((car.x, car.y), 4.0):
            dark = [f._replace(glow=None) for f in car_shapes.faces(car, eye)]
            faces.add(dark, away)


def shadow_of(ring: Floats, height: float, sun: Floats) -> Floats:
    """Where a block's shadow falls: its foot and its top, thrown along the sun's rays."""
    thrown = ring - sun[:2] / sun[2] * height
    return flat(np.concatenate((ring, thrown)).tolist())
