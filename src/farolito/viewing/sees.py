"""Does a camera take a place into its picture: distance, direction, up and down, and what it must
turn for it. What stands between is the scene's to say.

Everything here is arithmetic over arrays, cameras down and points of the place across, so that
2,000 cameras with a reach of a kilometre cost a few ms. Angles in radians, directions from north
clockwise, elevations above the horizon; metres otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from farolito.model import Camera, PtzLimits

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

TARGET_M = 1.2  # above the ground: the middle of a person, the side of a car
PIXELS_ACROSS = 1280
WIDE = math.radians(60.0)  # half a view; a wider lens bends, and spreads its pixels by angle
MARGIN_M = 4.0  # shown around a place by a camera that zooms
_HALF_MAX = math.radians(85.0)
_GOLDEN = math.pi * (3 - math.sqrt(5))


class Lenses(NamedTuple):
    """Cameras as numbers, one row each. `base`: the ground under it, NaN where unknown; `up` above
    that; `rest`: where it looks, NaN where nobody knows; `pan_span` is a full circle where nothing
    limits it."""

    x: Floats
    y: Floats
    base: Floats
    up: Floats
    rest: Floats
    half_across: Floats
    half_high: Floats
    tilt: Floats  # below the horizon
    range_m: Floats
    turns: Flags
    zoom: Floats
    pan_from: Floats
    pan_span: Floats
    tilt_from: Floats
    tilt_to: Floats
    half_turn_s: Floats

    def of(self, which: npt.NDArray[np.intp]) -> Lenses:
        return Lenses._make(column[which] for column in self)


class View(NamedTuple):
    """Rows are cameras, columns points of the place, the first its middle. The flags of `is_far`,
    `is_beside`, `is_beneath` and `is_above` say why a point is not in the picture; `in_view`: none
    of them. For the middle: `metres`, `bearing` from the camera, `pixels_per_m`, the `zoom` that
    this takes, `turn_s`; `chance` that it looks there, below 1 where nobody knows its direction.
    `eye_up` and `aim_up`: heights of both ends of each line; `is_level` as in `scene.Lines`."""

    in_view: Flags
    is_far: Flags
    is_beside: Flags
    is_beneath: Flags
    is_above: Flags
    metres: Floats
    bearing: Floats
    pixels_per_m: Floats
    zoom: Floats
    turn_s: Floats
    chance: Floats
    eye_up: Floats
    aim_up: Floats
    is_level: Flags


def lenses(cameras: Sequence[Camera], xs: Floats, ys: Floats, base: Floats) -> Lenses:
    """Where the tilt is not known, the top of the picture is taken to touch the horizon."""
    turning = [c.ptz for c in cameras]
    ptz = [one or PtzLimits() for one in turning]
    spans = [_span(one) for one in ptz]
    high = np.radians([c.optics.vfov_deg / 2 for c in cameras])
    tilt = np.radians([np.nan if c.tilt_deg is None else c.tilt_deg for c in cameras])
    return Lenses(
        x=xs,
        y=ys,
        base=base,
        up=np.array([c.height_m for c in cameras], dtype=np.float64),
        rest=np.radians([np.nan if c.bearing_deg is None else c.bearing_deg for c in cameras]),
        half_across=np.radians([c.optics.hfov_deg / 2 for c in cameras]),
        half_high=high,
        tilt=np.where(np.isnan(tilt), high, tilt),
        range_m=np.array([c.optics.range_m for c in cameras], dtype=np.float64),
        turns=np.array([one is not None for one in turning], dtype=np.bool_),
        zoom=np.array([max(1.0, one.zoom_max) for one in ptz], dtype=np.float64),
        pan_from=np.radians([one.pan_from_deg or 0.0 for one in ptz]),
        pan_span=np.array(spans, dtype=np.float64),
        tilt_from=np.radians([one.tilt_from_deg for one in ptz]),
        tilt_to=np.radians([one.tilt_to_deg for one in ptz]),
        half_turn_s=np.array([one.seconds_half_turn for one in ptz], dtype=np.float64),
    )


def reach_m(lens: Lenses) -> Floats:
    """As far as each shows a person, zoomed in where it can."""
    return lens.range_m * np.where(lens.turns, lens.zoom, 1.0)


def spread(x: float, y: float, axes: tuple[float, float], bearing: float, count: int) -> Floats:
    """(x, y) of `count` points that share an ellipse evenly, its middle first (Vogel 1979). `axes`:
    half the long one and half the short one; `bearing` of the long one."""
    k = np.arange(count)
    out, turn = np.sqrt(k / max(1, count - 1)), k * _GOLDEN
    long, short = axes[0] * out * np.cos(turn), axes[1] * out * np.sin(turn)
    east = long * math.sin(bearing) + short * math.cos(bearing)
    north = long * math.cos(bearing) - short * math.sin(bearing)
    return np.column_stack([x + east, y + north])


def view(
    lens: Lenses, points: Floats, ground: Floats, extent_m: float, *, about: bool = False
) -> View:
    """What of these points each camera has in its picture, once it has turned to their middle.
    `extent_m`: how far the points lie from it, at most. `about`: only the middle is given, and it
    is in view where any point within `extent_m` may be."""
    dx, dy = points[:, 0] - lens.x[:, None], points[:, 1] - lens.y[:, None]
    across_m = np.hypot(dx, dy)
    is_level = np.isnan(lens.base)[:, None] | np.isnan(ground)[None, :]
    eye_up = np.where(is_level, 0.0, lens.base[:, None]) + lens.up[:, None]
    aim_up = np.where(is_level, 0.0, ground[None, :]) + TARGET_M
    metres = np.hypot(across_m, eye_up - aim_up)
    bearing = np.arctan2(dx, dy)
    below = np.arctan2(eye_up - aim_up, across_m)

    zoom = _zoom(lens, across_m[:, 0], extent_m)
    half = np.where(lens.turns, _zoomed(lens.half_across, zoom), lens.half_across)
    aim, is_short = _aim(lens, bearing[:, 0])
    half = np.where(is_short, lens.half_across, half)  # the place may still be at its edge
    off = np.abs(_wrapped(bearing - aim[:, None]))
    is_unknown = np.isnan(aim)
    slack = np.arcsin(np.minimum(1.0, extent_m / np.maximum(across_m, 1e-6))) if about else 0.0
    is_beside = (off - slack > half[:, None] + 1e-9) & ~is_unknown[:, None]
    low = np.where(lens.turns, -lens.tilt_to, lens.tilt) - lens.half_high
    high = np.where(lens.turns, -lens.tilt_from, lens.tilt) + lens.half_high
    is_far = metres > reach_m(lens)[:, None] + (extent_m if about else 0.0)
    is_beneath = (below > high[:, None] + 1e-9) & (not about)
    is_above = (below < low[:, None] - 1e-9) & (not about)
    return View(
        in_view=~(is_far | is_beside | is_beneath | is_above),
        is_far=is_far,
        is_beside=is_beside,
        is_beneath=is_beneath,
        is_above=is_above,
        metres=metres[:, 0],
        bearing=np.degrees(bearing[:, 0]) % 360,
        pixels_per_m=_pixels_per_m(half, metres[:, 0]),
        zoom=np.where(is_short, 1.0, zoom),
        turn_s=_turn_s(lens, bearing[:, 0], aim, metres[:, 0]),
        chance=np.where(is_unknown, np.minimum(1.0, lens.half_across / math.pi), 1.0),
        eye_up=eye_up,
        aim_up=aim_up,
        is_level=is_level,
    )


def _span(ptz: PtzLimits) -> float:
    """How far it turns, clockwise from its first limit."""
    if ptz.pan_from_deg is None or ptz.pan_to_deg is None:
        return math.tau
    degrees = ptz.pan_to_deg - ptz.pan_from_deg
    return math.tau if abs(degrees) >= 360 else math.radians(degrees % 360)


def _zoom(lens: Lenses, across_m: Floats, extent_m: float) -> Floats:
    """As far in as the whole place, with a margin, stays in the picture."""
    needed = np.arctan2(extent_m + MARGIN_M, across_m)
    widest = np.minimum(lens.half_across, _HALF_MAX)
    fits = np.tan(widest) / np.tan(np.minimum(needed, _HALF_MAX))
    return np.where(lens.turns, np.clip(fits, 1.0, lens.zoom), 1.0)


def _zoomed(half: Floats, zoom: Floats) -> Floats:
    closer = np.arctan(np.tan(np.minimum(half, _HALF_MAX)) / zoom)
    return np.where(zoom > 1.0, closer, half)


def _aim(lens: Lenses, bearing: Floats) -> tuple[Floats, Flags]:
    """Where each looks when it looks at the place as well as it can; whether its limits keep it
    from turning all the way."""
    wanted = (bearing - lens.pan_from) % math.tau
    past = wanted - lens.pan_span
    is_short = lens.turns & (past > 1e-9)
    back = math.tau - wanted  # to the first limit, the other way round
    nearest = np.where(past <= back, lens.pan_span, 0.0)
    turned = lens.pan_from + np.where(is_short, nearest, wanted)
    return np.where(lens.turns, turned, lens.rest), is_short


def _turn_s(lens: Lenses, bearing: Floats, aim: Floats, metres: Floats) -> Floats:
    """Seconds until a camera that turns shows it; 0 where it has it in its picture as it stands.
    A limit is not turned across. Nobody knows where it looks: as if it looked the other way."""
    is_whole = lens.pan_span >= math.tau
    to = (aim - lens.pan_from) % math.tau
    at = np.minimum((lens.rest - lens.pan_from) % math.tau, lens.pan_span)
    angle = np.where(is_whole, np.abs(_wrapped(aim - lens.rest)), np.abs(to - at))
    angle = np.where(np.isnan(angle), np.minimum(lens.pan_span, math.pi), angle)
    off = np.abs(_wrapped(bearing - lens.rest))
    shows = (off <= lens.half_across) & (metres <= lens.range_m)
    return np.where(lens.turns & ~shows, angle / math.pi * lens.half_turn_s, 0.0)


def _pixels_per_m(half: Floats, metres: Floats) -> Floats:
    """Across, at that distance."""
    wide = np.where(half <= WIDE, 2 * np.tan(np.minimum(half, WIDE)), 2 * half)
    return PIXELS_ACROSS / (np.maximum(metres, 0.5) * wide)


def _wrapped(angle: Floats) -> Floats:
    return (angle + math.pi) % math.tau - math.pi
