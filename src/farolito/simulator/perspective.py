"""How a camera turns places into picture points: a pinhole over flat ground.

Metres east, north and up of the metro's middle; picture points in pixels from the upper left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Pixels = NDArray[np.int32]

NEAR_M = 0.5  # what is nearer is cut away
SHIFT = 3  # picture points are given to OpenCV in eighths of a pixel
FAR_PX = 60_000  # a point farther outside the picture is pulled in: OpenCV counts in 32 bits


class Pose(NamedTuple):
    """Where a camera is and looks. `tilt_deg` below the horizon; `hfov_deg` across the picture."""

    x: float
    y: float
    height_m: float
    bearing_deg: float
    tilt_deg: float
    hfov_deg: float


class Sector(NamedTuple):
    """What a camera at a place can come to see: `half_deg` to either side of a bearing."""

    at: tuple[float, float]
    bearing_deg: float
    half_deg: float

    def holds(self, spot: Sequence[float] | Floats, margin_m: float) -> bool:
        """Whether something so large around the spot may be seen."""
        dx, dy = float(spot[0]) - self.at[0], float(spot[1]) - self.at[1]
        away = math.hypot(dx, dy)
        if away < margin_m + 20:
            return True
        off = math.degrees(math.atan2(dx, dy)) - self.bearing_deg
        grown = self.half_deg + math.degrees(math.asin(margin_m / away))
        return abs((off + 180) % 360 - 180) < grown


def sector_of(pose: Pose, turns: bool) -> Sector:
    half = 180.0 if turns else pose.hfov_deg / 2 + 2
    return Sector((pose.x, pose.y), pose.bearing_deg, half)


class Lens:
    """A pose and a size of picture."""

    def __init__(self, pose: Pose, size: tuple[int, int]) -> None:
        self.pose, self.size = pose, size
        b, t = math.radians(pose.bearing_deg), math.radians(pose.tilt_deg)
        right = (math.cos(b), -math.sin(b), 0.0)
        down = (-math.sin(b) * math.sin(t), -math.cos(b) * math.sin(t), -math.cos(t))
        ahead = (math.sin(b) * math.cos(t), math.cos(b) * math.cos(t), -math.sin(t))
        self._axes = np.array((right, down, ahead))
        self._at = np.array((pose.x, pose.y, pose.height_m))
        self.focal_px = size[0] / 2 / math.tan(math.radians(pose.hfov_deg) / 2)
        self._middle = (size[0] / 2, size[1] / 2)

    @property
    def horizon_px(self) -> float:
        return self._middle[1] - self.focal_px * math.tan(math.radians(self.pose.tilt_deg))

    def seen(self, points: Floats) -> Floats:
        """(…, 3) places as right, down and ahead of the camera, metres."""
        return np.asarray((points - self._at) @ self._axes.T)

    def pixels(self, seen: Floats) -> Floats:
        """(…, 3) as `seen` gives them, all ahead of NEAR_M: (…, 2) picture points."""
        flat = seen[..., :2] / seen[..., 2:3] * self.focal_px + np.array(self._middle)
        return np.asarray(np.clip(flat, -FAR_PX, FAR_PX))

    def polygon(self, seen: Floats) -> Pixels | None:
        """One polygon for OpenCV, cut at NEAR_M; None where nothing of it is ahead."""
        depth = seen[:, 2]
        if depth.min() < NEAR_M:
            seen = cut(seen, depth - NEAR_M)
            if len(seen) < 3:
                return None
        return (self.pixels(seen) * (1 << SHIFT)).astype(np.int32)

    def ground(self) -> tuple[Floats, Floats, int]:
        """East and north of the ground under each pixel below the horizon, and the first row."""
        first = max(0, math.floor(self.horizon_px) + 1)
        width, height = self.size
        across = (np.arange(width) + 0.5 - self._middle[0]) / self.focal_px
        below = (np.arange(first, height) + 0.5 - self._middle[1]) / self.focal_px
        rays = (
            across[None, :, None] * self._axes[0]
            + below[:, None, None] * self._axes[1]
            + self._axes[2]
        )
        falls = np.minimum(rays[..., 2], -1e-4)
        reach = self.pose.height_m / -falls
        return self.pose.x + rays[..., 0] * reach, self.pose.y + rays[..., 1] * reach, first


def cut(points: Floats, inside: Floats) -> Floats:
    """The polygon where `inside` is not negative (Sutherland and Hodgman 1974)."""
    kept: list[Floats] = []
    count = len(points)
    for i in range(count):
        j = (i + 1) % count
        if inside[i] >= 0:
            kept.append(points[i])
        if (inside[i] >= 0) != (inside[j] >= 0):
            share = inside[i] / (inside[i] - inside[j])
            kept.append(points[i] + share * (points[j] - points[i]))
    return np.array(kept).reshape(-1, points.shape[1])
