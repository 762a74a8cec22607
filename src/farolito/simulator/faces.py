"""Flat coloured faces, collected for one camera's place and then drawn for any pose and light.

What faces away is left out and the order is far to near, both once: they depend on the place
alone. Turning a camera then costs one multiplication and the filling of polygons.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from farolito.simulator.daylight import Colour, Light
from farolito.simulator.perspective import NEAR_M, SHIFT, Floats, Lens

Picture = NDArray[np.uint8]
Depth = NDArray[np.float32]

HAZE_M = 2_600.0


class Face(NamedTuple):
    """`points` in order round the face. `normal` None: lit from all sides alike. `glow`: the
    colour it has at night by its own light. `hides`: what is behind it is not seen."""

    points: Floats
    colour: Colour
    normal: tuple[float, float, float] | None = None
    glow: Colour | None = None
    hides: bool = True


class Faces:
    """Collected with `add`, ordered by `freeze`, drawn with `draw`."""

    def __init__(self, eye: tuple[float, float, float]) -> None:
        self.eye = np.array(eye)
        self._groups: list[tuple[float, list[Face]]] = []

    def add(self, group: Sequence[Face], metres: float | None = None) -> None:
        """Faces that belong together, in the order to draw. `metres`: how far; their mean."""
        shown = [f for f in group if f.normal is None or self._is_seen(f)]
        if not shown:
            return
        if metres is None:
            middle = np.concatenate([f.points for f in shown]).mean(axis=0)
            metres = float(np.hypot(*(middle - self.eye)[:2]))
        self._groups.append((metres, shown))

    def _is_seen(self, face: Face) -> bool:
        assert face.normal is not None
        toward = self.eye - face.points[0]
        return bool(np.dot(toward, face.normal) > 0)

    def freeze(self) -> Frozen:
        self._groups.sort(key=lambda group: -group[0])
        faces = [face for _, group in self._groups for face in group]
        away = [metres for metres, group in self._groups for _ in group]
        return Frozen(faces, np.array(away))

    def freeze_as_laid(self) -> Frozen:
        """In the order added: for what lies flat on the ground."""
        faces = [face for _, group in self._groups for face in group]
        away = [float(np.hypot(*(face.points.mean(axis=0) - self.eye)[:2])) for face in faces]
        return Frozen(faces, np.array(away))


class Frozen:
    """Faces in their order, as arrays."""

    def __init__(self, faces: list[Face], away: Floats) -> None:
        self._ends = np.cumsum([len(f.points) for f in faces], dtype=int)
        self._points = np.concatenate([f.points for f in faces]) if faces else np.zeros((0, 3))
        self._colours = np.array([f.colour for f in faces], float).reshape(-1, 3)
        self._normals = np.array([f.normal or (0, 0, 0) for f in faces], float).reshape(-1, 3)
        self._even = np.array([f.normal is None for f in faces], bool)
        self._glows = np.array([f.glow or (0, 0, 0) for f in faces], float).reshape(-1, 3)
        self._has_glow = np.array([f.glow is not None for f in faces], bool)
        self._hides = [f.hides for f in faces]
        self._away = away

    def __len__(self) -> int:
        return len(self._ends)

    def draw(self, picture: Picture, depth: Depth | None, lens: Lens, light: Light) -> None:
        """Onto the picture; how far each pixel is goes into `depth` where a face hides."""
        if not len(self):
            return
        seen = lens.seen(self._points)
        starts = np.concatenate(([0], self._ends[:-1]))
        nearest = np.minimum.reduceat(seen[:, 2], starts)
        farthest = np.maximum.reduceat(seen[:, 2], starts)
        flat = lens.pixels(np.maximum(seen, (-np.inf, -np.inf, NEAR_M)))
        low = np.minimum.reduceat(flat, starts, axis=0)
        high = np.maximum.reduceat(flat, starts, axis=0)
        width, height = lens.size
        near = nearest < NEAR_M
        inside = (high[:, 0] > 0) & (low[:, 0] < width) & (high[:, 1] > 0) & (low[:, 1] < height)
        shown = np.flatnonzero((farthest > NEAR_M) & (near | inside))
        colours = self._lit(light)
        points = (flat * (1 << SHIFT)).astype(np.int32)
        for i in shown:
            first, end = starts[i], self._ends[i]
            polygon = lens.polygon(seen[first:end]) if near[i] else points[first:end]
            if polygon is None:
                continue
            colour = (float(colours[i, 0]), float(colours[i, 1]), float(colours[i, 2]))
            cv2.fillPoly(picture, [polygon], colour, cv2.LINE_AA, SHIFT)
            if depth is not None and self._hides[i]:
                metres = float(seen[first:end, 2].mean())
                cv2.fillPoly(depth, [polygon], metres, cv2.LINE_8, SHIFT)

    def _lit(self, light: Light) -> Floats:
        sunny = np.where(self._even, 0.55, np.maximum(0, self._normals @ light.sun))
        colours = self._colours * (light.around + light.direct * sunny[:, None])
        fades = 1 - np.exp(-self._away / HAZE_M)
        colours += (light.haze - colours) * fades[:, None]
        share = light.night * self._has_glow[:, None]
        return np.asarray(np.clip(colours * (1 - share) + self._glows * share, 0, 255))


def upright(
    a: Sequence[float] | Floats, b: Sequence[float] | Floats, low: float, high: float
) -> Floats:
    """A wall's four corners."""
    return np.array(
        ((a[0], a[1], low), (b[0], b[1], low), (b[0], b[1], high), (a[0], a[1], high)), float
    )


def flat(points: Sequence[Sequence[float]], height: float = 0.0) -> Floats:
    return np.array([(p[0], p[1], height) for p in points], float)


def disc(at: Sequence[float], radius: float, corners: int = 14) -> Floats:
    return flat(
        [
            (
                at[0] + radius * math.cos(2 * math.pi * k / corners),
                at[1] + radius * math.sin(2 * math.pi * k / corners),
            )
            for k in range(corners)
        ]
    )
