"""What stands between: buildings as walls with a height, and the ground.

A line of sight is straight. A building stops it where the line passes one of its walls lower than
the roof; the ground where it rises above the line by more than its own error. Metres east, north
and up; up is above the sea where the ground is known at both ends, else above the ground.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from farolito.geo.distance import Plane
from farolito.geo.ground import Ground
from farolito.geo.street_map import Building
from farolito.viewing.walls import OWN_WALL_M, first_met, in_cells

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

ROOF_M = 0.5  # a camera so little below a roof stands on it
GROUND_STEPS_MAX = 64  # heights asked for along a line
GROUND_STEP_M = 15.0
CLEAR, BUILDING, GROUND = 0, 1, 2


class Lines(NamedTuple):
    """From `eyes` to `aims` (both n × 3). `is_level`: the ground is not known at both ends, so
    that heights are above it. `roof`: the buildings on which the camera
    stands, filled up with -1 (n × any number);
    `aim`: number of the aim, as in `Aims`."""

    eyes: Floats
    aims: Floats
    is_level: Flags
    roof: Numbers
    aim: Numbers


class Aims(NamedTuple):
    """Which buildings hold which aims: (number of the aim, number of the building)."""

    aim: Numbers
    building: Numbers


class Stops(NamedTuple):
    """For each line: CLEAR, BUILDING or GROUND, and the number of the first building, or -1."""

    what: npt.NDArray[np.int8]
    building: Numbers


class Scene:
    """Buildings and ground around one origin. Read-only."""

    def __init__(
        self, plane: Plane, buildings: Sequence[Building] = (), ground: Ground | None = None
    ) -> None:
        self.plane = plane
        self.buildings = tuple(b for b in buildings if len(b.ring) >= 3)
        self._ground = ground
        rings = [np.array([plane.to_m(at) for at in one.ring]) for one in self.buildings]
        shapes = [shapely.Polygon(ring) for ring in rings]
        self._tree = shapely.STRtree(shapes)
        ends = [np.hstack([ring, np.roll(ring, -1, axis=0)]) for ring in rings]
        owner = np.repeat(np.arange(len(rings)), [len(one) for one in ends])
        walls = np.concatenate(ends) if ends else np.zeros((0, 4))
        # A closed ring ends with a wall of no length.
        is_wall = (walls[:, :2] != walls[:, 2:]).any(axis=1)
        self._walls = in_cells(walls[is_wall], owner[is_wall].astype(np.intp))
        self._height = np.array([one.height_m for one in self.buildings], dtype=np.float64)
        middles = np.array([ring.mean(axis=0) for ring in rings]).reshape(-1, 2)
        self._base = self.ground_m(middles[:, 0], middles[:, 1])
        self._compile()

    def ground_m(self, xs: Floats, ys: Floats) -> Floats:
        """Above the sea; NaN where unknown."""
        if self._ground is None:
            return np.full(np.shape(xs), np.nan)
        lat, lon = self.plane.origin
        north, east = self.plane.to_degrees((1.0, 1.0))
        return self._ground.heights_m(lat + ys * (north - lat), lon + xs * (east - lon))

    def holding(self, xs: Floats, ys: Floats) -> Aims:
        """The buildings that these places lie in."""
        if not self.buildings:
            none = np.zeros(0, dtype=np.intp)
            return Aims(none, none)
        place, building = self._tree.query(shapely.points(xs, ys), predicate="intersects")
        return Aims(place.astype(np.intp), building.astype(np.intp))

    def roof_of(self, xs: Floats, ys: Floats, up: Floats) -> tuple[Numbers, Flags]:
        """For cameras `up` metres above the ground: the buildings on whose roof each stands, as
        rows of `Lines.roof`; and whether it stands inside one, away from its walls."""
        roofs: list[list[int]] = [[] for _ in xs]
        is_inside = np.zeros(len(xs), dtype=np.bool_)
        for camera, building in zip(*self.holding(xs, ys), strict=True):
            if up[camera] >= self._height[building] - ROOF_M:
                roofs[camera].append(building)
            else:
                walls = self._walls.ends[self._walls.owner == building]
                at = np.broadcast_to([xs[camera], ys[camera]], (len(walls), 2))
                is_inside[camera] |= bool((_off(at, walls) > OWN_WALL_M).all())
        most = max(map(len, roofs), default=0)
        rows = [one + [-1] * (most - len(one)) for one in roofs]
        return np.array(rows, dtype=np.intp).reshape(len(xs), most), is_inside

    def stops(self, lines: Lines, held: Aims) -> Stops:
        """What each line meets first. A building that holds the aim does not stop it: its outside
        is seen."""
        what = np.zeros(len(lines.eyes), dtype=np.int8)
        if self._ground is not None:
            what[self._is_under_ground(lines)] = GROUND
        building = first_met(
            lines.eyes, lines.aims, lines.roof, lines.is_level, self._height, self._base,
            lines.aim, held.aim, held.building, self._walls,
        )  # fmt: skip
        what[building >= 0] = BUILDING
        return Stops(what, building)

    def _compile(self) -> None:
        """So that the first who asks does not wait for it."""
        none, numbers = np.zeros((0, 3)), np.zeros(0, dtype=np.intp)
        roof = numbers.reshape(0, 0)
        lines = Lines(none, none, np.zeros(0, dtype=np.bool_), roof, numbers)
        self.stops(lines, Aims(numbers, numbers))

    def _is_under_ground(self, lines: Lines) -> Flags:
        assert self._ground is not None
        way = lines.aims - lines.eyes
        longest = float(np.hypot(way[:, 0], way[:, 1]).max(initial=0.0))
        steps = int(min(GROUND_STEPS_MAX, max(2, longest / GROUND_STEP_M)))
        share = (np.arange(1, steps) / steps)[None, :, None]
        along = lines.eyes[:, None, :] + share * way[:, None, :]
        ground = self.ground_m(along[:, :, 0], along[:, :, 1])
        with np.errstate(invalid="ignore"):
            above = ground - self._ground.error_m > along[:, :, 2]
        return np.asarray(above.any(axis=1) & ~lines.is_level)


def _off(points: Floats, walls: Floats) -> Floats:
    """How far each point is from its wall."""
    step = walls[:, 2:] - walls[:, :2]
    to = points - walls[:, :2]
    length2 = np.maximum((step * step).sum(axis=1), 1e-12)
    along = np.clip((to * step).sum(axis=1) / length2, 0.0, 1.0)[:, None]
    return np.asarray(np.linalg.norm(to - along * step, axis=1))
