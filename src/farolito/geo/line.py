"""Polylines in local metres: the nearest point, a part, the length."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from farolito.geo.distance import XY, Foot, point_to_segment


def length_m(line: Sequence[XY]) -> float:
    return sum(math.dist(a, b) for a, b in pairwise(line))


def foot_on_line(point: XY, line: Sequence[XY]) -> tuple[Foot, float]:
    """The nearest point of a polyline, and how many metres along it that is."""
    best, best_along_m, passed_m = point_to_segment(point, line[0], line[0]), 0.0, 0.0
    for a, b in pairwise(line):
        foot = point_to_segment(point, a, b)
        step_m = math.dist(a, b)
        if foot.off_m < best.off_m:
            best, best_along_m = foot, passed_m + foot.fraction * step_m
        passed_m += step_m
    return best, best_along_m


def slice_line(line: Sequence[XY], from_m: float, to_m: float) -> list[XY]:
    """The part of a polyline between two distances along it, both ends included."""
    cut: list[XY] = []
    passed_m = 0.0
    for a, b in pairwise(line):
        step_m = math.dist(a, b)
        low, high = max(from_m, passed_m), min(to_m, passed_m + step_m)
        if low <= high:
            cut += [_between(a, b, (m - passed_m) / step_m if step_m else 0.0) for m in (low, high)]
        passed_m += step_m
    return cut or [line[-1]]


def _between(a: XY, b: XY, fraction: float) -> XY:
    return a[0] + (b[0] - a[0]) * fraction, a[1] + (b[1] - a[1]) * fraction
