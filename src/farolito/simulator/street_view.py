"""What a camera on a pole sees of the practice metro, as a calm drawing with a burnt-in clock.

In: a place and a pose, the time, the cars that drive near it. Out: pictures, blue-green-red.
What does not move is drawn once for a pose and a light; cars are drawn over it, and what stands
nearer is put back in front of them by the depth of each pixel.

Sums (2 cores, one used): a place 0.2–0.5 s once; a pose 30–80 ms at 640x360; a picture with its
cars 1–3 ms. A place holds some 3 MB, a pose 2 MB at 640x360.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from farolito.geo.street_map import StreetMap
from farolito.simulator import car_shapes, street_ground, street_walls
from farolito.simulator.car_shapes import Car
from farolito.simulator.daylight import Colour, Light
from farolito.simulator.faces import HAZE_M, Depth, Face, Faces, Picture, flat
from farolito.simulator.perspective import Floats, Lens, Pose, sector_of
from farolito.simulator.street_ground import Streets

SAND: Colour = (150, 178, 194)
CAR_M = 260.0  # farther cars are a pixel or two: not drawn
SHADOW_M = 240.0
_TEXTURE_M = 0.35  # metres of ground to one cell of its texture
_LAMP_REACH_M = 8.0
_BEHIND_M = 0.6  # a car stands in front of what is not nearer than this


class Metro:
    """The whole city's shapes, once for all cameras."""

    def __init__(self, street_map: StreetMap) -> None:
        self.street_map = street_map
        self.streets = Streets(street_map)
        self.houses = street_walls.Houses(street_map)
        chance = np.random.default_rng(11)
        rough = chance.normal(0, 1, (256, 256)).astype(np.float32)
        soft = cv2.GaussianBlur(np.tile(rough, (3, 3)), (0, 0), 9)[256:512, 256:512]
        fine = cv2.GaussianBlur(np.tile(rough.T, (3, 3)), (0, 0), 1)[256:512, 256:512]
        self.texture: NDArray[np.float32] = (
            0.030 * soft / soft.std() + 0.022 * fine / fine.std()
        ).astype(np.float32)


class Surroundings:
    """What stands and lies around one place, in the order to draw it; where the camera does not
    turn, what it sees of that."""

    def __init__(self, metro: Metro, pose: Pose, turns: bool = False) -> None:
        self.metro, self.at = metro, (pose.x, pose.y)
        sector, at, height_m = sector_of(pose, turns), (pose.x, pose.y), pose.height_m
        eye = (at[0], at[1], height_m)
        ground, standing = Faces(eye), Faces(eye)
        streets = metro.streets
        street_ground.draw_areas(ground, metro.street_map, at)
        street_walls.draw_lots(ground, metro.houses, at)
        street_ground.draw_streets(ground, streets, sector)
        self.lamps = street_walls.lamps(streets, at)
        self.parked = street_walls.parked(streets, at)
        street_walls.draw_houses(standing, metro.houses, sector)
        street_walls.draw_trees(standing, streets, sector)
        street_walls.draw_poles(standing, streets, sector, self.lamps)
        street_walls.draw_parked(standing, self.parked, sector)
        self.ground, self.standing = ground.freeze_as_laid(), standing.freeze()

    @cached_property
    def blocks(self) -> list[tuple[Floats, float]]:
        """Footprint and height of what throws a shadow near by."""
        return [(r, b.height_m) for _, b, r in self.metro.houses.near(self.at, SHADOW_M)]


class StreetView:
    """One camera's pictures. Set `pose` or `light` and the still part is drawn anew."""

    def __init__(
        self, around: Callable[[], Surroundings], pose: Pose, size: tuple[int, int]
    ) -> None:
        self.size, self.pose = size, pose
        self._around = around  # asked only when the still part is drawn
        self._drawn_for: tuple[Pose, float] | None = None

    def picture(self, light: Light, cars: Sequence[Car], blinks: int = 0) -> Picture:
        """A picture of its own, without clock. `blinks`: which half of light bars is lit."""
        key = (self.pose, float(light.sun.sum() + light.night))
        if self._drawn_for != key:
            self._lens = Lens(self.pose, self.size)
            self._still, self._depth = backdrop(self._around(), self._lens, light)
            self._drawn_for = key
        shown = [c for c in cars if self.may_show(c)]
        picture = self._still.copy()
        if shown:
            self._draw_cars(picture, shown, light, blinks)
        return picture

    def may_show(self, car: Car) -> bool:
        pose = self.pose
        dx, dy = car.x - pose.x, car.y - pose.y
        away = math.hypot(dx, dy)
        if not 2.0 < away < CAR_M:
            return False
        off = math.degrees(math.atan2(dx, dy)) - pose.bearing_deg
        return away < 25 or abs((off + 180) % 360 - 180) < pose.hfov_deg / 2 + 8

    def _draw_cars(self, picture: Picture, cars: Sequence[Car], light: Light, blinks: int) -> None:
        at = (self.pose.x, self.pose.y)
        eye = (*at, self.pose.height_m)
        flat_on, standing = Faces(eye), Faces(eye)
        for car in cars:
            away = math.dist(at, (car.x, car.y))
            dark = Face(car_shapes.shadow(car), (52, 50, 50), None, None, True)
            flat_on.add([dark], away)
            standing.add(car_shapes.faces(car, at, blinks), away)
        car_depth: Depth = np.full(self._depth.shape, np.inf, np.float32)
        if light.night > 0.4:
            _beams(picture, self._lens, cars)
        for faces in (flat_on, standing):
            faces.freeze().draw(picture, car_depth, self._lens, light)
        _hide(picture, self._still, self._depth, car_depth)


def _hide(picture: Picture, still: Picture, depth: Depth, car_depth: Depth) -> None:
    """Put back what is nearer than the cars. Their soft edges count as theirs."""
    rows = np.flatnonzero(np.isfinite(car_depth).any(axis=1))
    if not len(rows):
        return
    columns = np.flatnonzero(np.isfinite(car_depth[rows[0] : rows[-1] + 1]).any(axis=0))
    box = (
        slice(max(0, rows[0] - 1), rows[-1] + 2),
        slice(max(0, columns[0] - 1), columns[-1] + 2),
    )
    grown = cv2.erode(car_depth[box], np.ones((3, 3), np.uint8))
    hidden = depth[box] < grown - _BEHIND_M
    picture[box][hidden] = still[box][hidden]


def _beams(picture: Picture, lens: Lens, cars: Sequence[Car]) -> None:
    """The ground before a car, lit by its lamps."""
    for car in cars:
        turn = math.radians(car.heading_deg)
        ahead, right = (math.sin(turn), math.cos(turn)), (math.cos(turn), -math.sin(turn))
        for reach, half, add in ((15.0, 3.0, 16), (9.0, 2.0, 22)):
            corners = [
                (car.x + ahead[0] * m + right[0] * s, car.y + ahead[1] * m + right[1] * s)
                for m, s in ((2.3, -0.7), (reach, -half), (reach + 1, 0), (reach, half), (2.3, 0.7))
            ]
            polygon = lens.polygon(lens.seen(flat(corners)))
            if polygon is None:
                continue
            low, high = polygon.min(axis=0) >> 3, (polygon.max(axis=0) >> 3) + 1
            x0, y0 = max(0, low[0]), max(0, low[1])
            part = picture[y0 : max(0, high[1]), x0 : max(0, high[0])]
            if not part.size:
                continue
            mask: Picture = np.zeros(part.shape[:2], np.uint8)
            moved = polygon - np.array((x0 << 3, y0 << 3), np.int32)
            cv2.fillPoly(mask, [moved.astype(np.int32)], add, cv2.LINE_AA, 3)
            soft = 1 + 2 * (min(mask.shape) // 12)
            mask = np.asarray(cv2.GaussianBlur(mask, (soft, soft), 0), np.uint8)
            part[:] = cv2.add(part, cv2.merge([mask, mask, mask]))


def backdrop(around: Surroundings, lens: Lens, light: Light) -> tuple[Picture, Depth]:
    """All that stands still, and how far away it is at each pixel; infinite for ground and sky."""
    width, height = lens.size
    picture = np.zeros((height, width, 3), np.uint8)
    depth = np.full((height, width), np.inf, np.float32)
    _sky(picture, lens, light)
    first = min(height, max(0, math.floor(lens.horizon_px) + 1))
    if first < height:
        picture[first:] = np.array(SAND)
        unlit = light._replace(direct=np.zeros(3), around=np.ones(3), night=0.0)
        around.ground.draw(picture, None, lens, unlit)
        _ground_light(picture, around, lens, light)
    around.standing.draw(picture, depth, lens, light)
    return picture, depth


def _sky(picture: Picture, lens: Lens, light: Light) -> None:
    """Paler toward the horizon; hills in the east, as high as the Sandias are there."""
    height, width = picture.shape[:2]
    above = (lens.horizon_px - np.arange(height)) / lens.focal_px
    share = np.clip(above / 0.55, 0, 1)[:, None] ** 0.7
    rows = light.sky_low * (1 - share) + light.sky_high * share
    picture[:] = rows[:, None, :].astype(np.uint8)
    across = (np.arange(-4, width + 8, 4) - width / 2) / lens.focal_px
    bearing = np.radians(lens.pose.bearing_deg) + np.arctan(across)
    for tall, seed, blend in ((0.052, 1.3, 0.62), (0.026, 4.1, 0.45)):
        east = np.clip(np.sin(bearing) + 0.35, 0, None)
        rough = sum(np.sin(bearing * k * 3 + seed * k) / k for k in (2, 3, 5, 8, 13, 21))
        top = lens.horizon_px - lens.focal_px * (0.006 + tall * east * (0.8 + 0.18 * rough))
        ridge = np.column_stack((across * lens.focal_px + width / 2, top))
        foot = [(width + 8, lens.horizon_px + 2), (-8, lens.horizon_px + 2)]
        polygon = (np.concatenate((ridge, foot)) * 8).astype(np.int32)
        hill = np.array((128.0, 112.0, 104.0)) * (light.around + 0.4 * light.direct)
        colour = hill * (1 - blend) + light.haze * blend
        rgb = (float(colour[0]), float(colour[1]), float(colour[2]))
        cv2.fillPoly(picture, [polygon], rgb, cv2.LINE_AA, 3)


def _ground_light(picture: Picture, around: Surroundings, lens: Lens, light: Light) -> None:
    """Texture, shadows, street lamps and haze, over the ground drawn in plain colours."""
    east, north, first = lens.ground()
    ground = picture[first:].astype(np.float32)
    away = np.hypot(east - around.at[0], north - around.at[1])
    cell = (
        (east / _TEXTURE_M).astype(np.int64) & 255,
        (north / _TEXTURE_M).astype(np.int64) & 255,
    )
    rough = around.metro.texture[cell] * np.exp(-away / 90)
    sunny = np.full(ground.shape[:2], float(light.sun[2]), np.float32)
    sunny *= 1 - 0.88 * _shadows(around, lens, light)[first:]
    lamps = np.zeros(ground.shape[:2], np.float32)
    if light.night > 0.05:
        for _, (x, y) in around.lamps:
            square = ((east - x) ** 2 + (north - y) ** 2) / _LAMP_REACH_M**2
            lamps += (light.night / (1 + square) ** 1.6).astype(np.float32)
    bright = light.around + light.direct * sunny[..., None]
    bright = bright + np.minimum(lamps, 1.2)[..., None] * np.array((0.42, 0.60, 0.68))
    ground *= bright * (1 + rough[..., None])
    fades = (1 - np.exp(-away / HAZE_M))[..., None]
    ground += (light.haze - ground) * fades
    picture[first:] = np.clip(ground, 0, 255)


def _shadows(around: Surroundings, lens: Lens, light: Light) -> NDArray[np.float32]:
    """1 where no sun comes, with soft edges."""
    width, height = lens.size
    mask = np.zeros((height, width), np.uint8)
    for ring, tall in around.blocks:
        thrown = street_walls.shadow_of(ring, tall, light.sun)
        hull = cv2.convexHull(thrown[:, :2].astype(np.float32))[:, 0]
        polygon = lens.polygon(lens.seen(flat(hull.tolist())))
        if polygon is not None:
            cv2.fillPoly(mask, [polygon], 255, cv2.LINE_AA, 3)
    for car in around.parked:
        polygon = lens.polygon(lens.seen(car_shapes.shadow(car)))
        if polygon is not None:
            cv2.fillPoly(mask, [polygon], 255, cv2.LINE_AA, 3)
    soft = cv2.GaussianBlur(mask, (3, 3), 0)
    return np.asarray(soft, np.float32) / np.float32(255)
