"""How a patrol car moves along a line of streets: it speeds up, keeps to a speed, brakes, waits.

Sums: a drive of 2 km has some 20 pieces and is worked out in about 0.4 ms; asking where the car
is costs one bisection.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from farolito.geo.street_map import LatLon
from farolito.simulator.metro import lat_lon, metres
from farolito.simulator.street_plan import XY

SPEEDS_UP_MPS2 = 2.2
BRAKES_MPS2 = 3.2
STRAIGHT_DEG = 18.0  # a bend smaller than this slows nobody
CORNER_MPS = (3.5, 13.0)  # through a turn back, and through the slightest that slows


class Moment(NamedTuple):
    at: LatLon
    heading_deg: float
    speed_mps: float


class _Piece(NamedTuple):
    """One straight piece: `rise_s` speeding up from `v0`, `keep_s` at `peak`, `fall_s` braking."""

    starts_s: float
    start: XY
    toward: XY  # unit vector
    heading_deg: float
    length_m: float
    v0: float
    peak: float
    rise_s: float
    keep_s: float
    fall_s: float


class Drive:
    """A car's way along a line in time. It ends standing.

    `limits_mps`: the speed kept on each piece of the line. `waits_s`: by a point's number, how
    long the car stands there. `slow_mps`: by a point's number, the most it passes it with.
    """

    def __init__(
        self,
        line: Sequence[LatLon],
        limits_mps: Sequence[float],
        waits_s: Mapping[int, float],
        slow_mps: Mapping[int, float],
        speed_mps: float = 0.0,
    ) -> None:
        points = [metres(at) for at in line]
        self.start, self.end = line[0], line[-1]
        caps = _caps(points, limits_mps, {**dict.fromkeys(waits_s, 0.0), **slow_mps}, speed_mps)
        self._pieces: list[_Piece] = []
        self.metres = 0.0
        clock_s = 0.0
        for i, (a, b) in enumerate(pairwise(points)):
            length_m = math.dist(a, b)
            if length_m < 0.01:
                continue
            clock_s += waits_s.get(i, 0.0)
            piece, lasts_s = _piece(clock_s, (a, b), (caps[i], limits_mps[i], caps[i + 1]))
            self._pieces.append(piece)
            clock_s += lasts_s
            self.metres += length_m
        self.lasts_s = clock_s
        self._starts = [p.starts_s for p in self._pieces]

    def at(self, seconds: float) -> Moment:
        """Where the car is so long after the start; before it stands at one end, after at the
        other."""
        if not self._pieces:
            return Moment(self.end, 0.0, 0.0)
        piece = self._pieces[max(0, bisect_right(self._starts, seconds) - 1)]
        gone_m, speed = _gone(piece, max(0.0, seconds - piece.starts_s))
        x, y = piece.start
        at = (x + piece.toward[0] * gone_m, y + piece.toward[1] * gone_m)
        return Moment(lat_lon(at), piece.heading_deg, round(speed, 1))


def _piece(
    starts_s: float, ends: tuple[XY, XY], speeds: tuple[float, float, float]
) -> tuple[_Piece, float]:
    """The piece, and how long it takes. `speeds`: at its start, kept, at its end."""
    (ax, ay), (bx, by) = ends
    v0, limit, v1 = speeds
    length_m = math.dist(*ends)
    up, down = SPEEDS_UP_MPS2, BRAKES_MPS2
    # Where speeding up from v0 and braking down to v1 meet, no limit held.
    meet = math.sqrt((2 * up * down * length_m + down * v0 * v0 + up * v1 * v1) / (up + down))
    peak = max(v0, v1, min(limit, meet), 0.3)
    rise_m, fall_m = (peak**2 - v0**2) / (2 * up), (peak**2 - v1**2) / (2 * down)
    keep_s = max(0.0, length_m - rise_m - fall_m) / peak
    piece = _Piece(
        starts_s=starts_s,
        start=ends[0],
        toward=((bx - ax) / length_m, (by - ay) / length_m),
        heading_deg=round(math.degrees(math.atan2(bx - ax, by - ay)) % 360, 1) % 360,
        length_m=length_m,
        v0=v0,
        peak=peak,
        rise_s=(peak - v0) / up,
        keep_s=keep_s,
        fall_s=(peak - v1) / down,
    )
    return piece, piece.rise_s + piece.keep_s + piece.fall_s


def _gone(piece: _Piece, seconds: float) -> tuple[float, float]:
    """Metres along the piece and speed, so long after its start."""
    if seconds <= piece.rise_s:
        gone_m = piece.v0 * seconds + SPEEDS_UP_MPS2 * seconds**2 / 2
        return min(piece.length_m, gone_m), piece.v0 + SPEEDS_UP_MPS2 * seconds
    rise_m = (piece.v0 + piece.peak) / 2 * piece.rise_s
    seconds -= piece.rise_s
    if seconds <= piece.keep_s:
        return min(piece.length_m, rise_m + piece.peak * seconds), piece.peak
    keep_m = piece.peak * piece.keep_s
    seconds = min(seconds - piece.keep_s, piece.fall_s)
    gone_m = rise_m + keep_m + piece.peak * seconds - BRAKES_MPS2 * seconds**2 / 2
    return min(piece.length_m, gone_m), piece.peak - BRAKES_MPS2 * seconds


def _caps(
    points: Sequence[XY],
    limits_mps: Sequence[float],
    at_most: Mapping[int, float],
    speed_mps: float,
) -> list[float]:
    """The speed at each point: what bends, stops, speeding up and braking allow."""
    lengths = [math.dist(a, b) for a, b in pairwise(points)]
    caps = [_corner(points, i) for i in range(len(points))]
    for i, limit in enumerate(limits_mps):
        caps[i] = min(caps[i], limit)
        caps[i + 1] = min(caps[i + 1], limit)
    caps = [min(cap, at_most.get(i, cap)) for i, cap in enumerate(caps)]
    caps[0], caps[-1] = min(caps[0], speed_mps), 0.0
    for i, length_m in enumerate(lengths):
        caps[i + 1] = min(caps[i + 1], math.sqrt(caps[i] ** 2 + 2 * SPEEDS_UP_MPS2 * length_m))
    for i in range(len(lengths) - 1, -1, -1):
        caps[i] = min(caps[i], math.sqrt(caps[i + 1] ** 2 + 2 * BRAKES_MPS2 * lengths[i]))
    return caps


def _corner(points: Sequence[XY], i: int) -> float:
    if i in (0, len(points) - 1):
        return math.inf
    (ax, ay), (bx, by), (cx, cy) = points[i - 1 : i + 2]
    turn = math.atan2(cx - bx, cy - by) - math.atan2(bx - ax, by - ay)
    degrees = abs((math.degrees(turn) + 180) % 360 - 180)
    if degrees < STRAIGHT_DEG:
        return math.inf
    slowest, quickest = CORNER_MPS
    return max(slowest, quickest - (quickest - slowest) * (degrees - STRAIGHT_DEG) / 80)
