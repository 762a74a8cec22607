"""How a practice camera turns: speeds, a place to go to, home. The clock is an argument."""

from __future__ import annotations

import math
from typing import NamedTuple

from farolito.model.camera import PtzLimits
from farolito.simulator.perspective import Pose

PAN_DEG_S, TILT_DEG_S, ZOOM_S = 60.0, 40.0, 0.5  # at full speed; zoom as a share of its whole way
MOVE_S_MAX = 10.0  # a movement that nobody ends, ends here


class Aim(NamedTuple):
    """As ONVIF's generic spaces have it: pan −1 … 1 from home, a half turn each way; tilt −1 … 1
    between its limits, up; zoom 0 … 1."""

    pan: float
    tilt: float
    zoom: float


class Turning:
    """Where a camera looks. Ask with times that grow, seconds of one clock."""

    def __init__(self, home: Pose, limits: PtzLimits) -> None:
        self._home, self._limits = home, limits
        self._pan = self._zoom = 0.0  # degrees right of home; 0 … 1
        self._tilt = -home.tilt_deg  # above the horizon
        self._speed = Aim(0.0, 0.0, 0.0)
        self._goal: tuple[float, float, float] | None = None
        self._at_s, self._ends_s = 0.0, 0.0

    def pose(self, now_s: float) -> Pose:
        self._go_on(now_s)
        zoom = self._limits.zoom_max**self._zoom
        half = math.tan(math.radians(self._home.hfov_deg / 2)) / zoom
        return self._home._replace(
            bearing_deg=(self._home.bearing_deg + self._pan) % 360,
            tilt_deg=-self._tilt,
            hfov_deg=2 * math.degrees(math.atan(half)),
        )

    def aim(self, now_s: float) -> Aim:
        self._go_on(now_s)
        low, high = self._limits.tilt_from_deg, self._limits.tilt_to_deg
        return Aim(self._pan / 180, 2 * (self._tilt - low) / (high - low) - 1, self._zoom)

    def is_moving(self, now_s: float) -> bool:
        self._go_on(now_s)
        return self._goal is not None or any(self._speed)

    def move(self, speed: Aim, now_s: float, for_s: float = MOVE_S_MAX) -> None:
        """Speeds −1 … 1: right, up, nearer."""
        self._go_on(now_s)
        self._goal = None
        self._speed = Aim(*(min(1.0, max(-1.0, s)) for s in speed))
        self._ends_s = now_s + min(max(for_s, 0.0), MOVE_S_MAX)

    def stop(self, now_s: float) -> None:
        self._go_on(now_s)
        self._goal, self._speed = None, Aim(0.0, 0.0, 0.0)

    def go(self, pan: float | None, tilt: float | None, zoom: float | None, now_s: float) -> None:
        """To a place as `Aim` has it; None leaves that part where it is."""
        self.stop(now_s)
        low, high = self._limits.tilt_from_deg, self._limits.tilt_to_deg
        self._goal = (
            self._pan if pan is None else 180 * min(1.0, max(-1.0, pan)),
            self._tilt if tilt is None else low + (high - low) * (min(1, max(-1, tilt)) + 1) / 2,
            self._zoom if zoom is None else min(1.0, max(0.0, zoom)),
        )

    def home(self, now_s: float) -> None:
        self.stop(now_s)
        self._goal = (0.0, -self._home.tilt_deg, 0.0)

    def _go_on(self, now_s: float) -> None:
        lasts_s, self._at_s = max(0.0, now_s - self._at_s), now_s
        if self._goal is not None:
            self._near(self._goal, lasts_s)
            return
        if not any(self._speed):
            return
        lasts_s = min(lasts_s, max(0.0, self._ends_s - (now_s - lasts_s)))
        self._pan = _turned(self._pan + self._speed.pan * PAN_DEG_S * lasts_s)
        low, high = self._limits.tilt_from_deg, self._limits.tilt_to_deg
        self._tilt = min(high, max(low, self._tilt + self._speed.tilt * TILT_DEG_S * lasts_s))
        self._zoom = min(1.0, max(0.0, self._zoom + self._speed.zoom * ZOOM_S * lasts_s))
        if now_s >= self._ends_s:
            self._speed = Aim(0.0, 0.0, 0.0)

    def _near(self, goal: tuple[float, float, float], lasts_s: float) -> None:
        pan = _turned(goal[0] - self._pan)
        self._pan = _turned(self._pan + _step(pan, PAN_DEG_S * lasts_s))
        self._tilt += _step(goal[1] - self._tilt, TILT_DEG_S * lasts_s)
        self._zoom += _step(goal[2] - self._zoom, ZOOM_S * lasts_s)
        left = abs(_turned(goal[0] - self._pan)), abs(goal[1] - self._tilt), goal[2] - self._zoom
        if max(left[0], left[1], abs(left[2])) < 1e-6:
            self._goal = None


def _turned(degrees: float) -> float:
    return (degrees + 180) % 360 - 180


def _step(left: float, most: float) -> float:
    return math.copysign(min(abs(left), most), left)
