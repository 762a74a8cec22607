"""The rival in `bench shots`: plain robust least squares on the nearest six sensors.

What a capable engineer writes in an afternoon: where most sensors report within the time that
sound takes across the net, take the first pulse of each, keep the six that heard first (they are
the nearest), and solve for place and time with a robust loss. No silent sensors, no grid, no
echoes. It gets the same net, pulses and air as the locator. A second one is given the pulses that
the vendor chose for the first round, which no real-time system has: the milder question.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import least_squares

from farolito.acoustics import Air, Net, Pulse

NEAREST = 6
REACH_M = 1_000.0
SCALE_S = 0.010
STARTS_M = 400.0  # further starts so far from the middle


def nearest_six(net: Net, pulses: Sequence[Pulse], air: Air) -> tuple[float, float, float] | None:
    """East, north and moment, or None where fewer than four sensors report together."""
    firsts = _together(net, pulses, REACH_M / air.sound_mps)
    return solve(net, firsts[:NEAREST], air)


def chosen_six(
    net: Net, pulses: Sequence[Pulse], air: Air, chosen: Sequence[str]
) -> tuple[float, float, float] | None:
    """The same on the pulses whose ids are `chosen`."""
    ids = set(chosen)
    firsts = sorted((p.at_s, net.index[p.sensor]) for p in pulses if p.pulse_id in ids)
    return solve(net, firsts[:NEAREST], air)


def solve(
    net: Net, firsts: Sequence[tuple[float, int]], air: Air
) -> tuple[float, float, float] | None:
    """Robust least squares (soft L1, 10 ms) from five starts; the best one counts."""
    if len(firsts) < 4:
        return None
    zero_s = firsts[0][0]
    at_s = np.array([t - zero_s for t, _ in firsts])
    where = np.array([(net.x_m[i], net.y_m[i]) for _, i in firsts])

    def late(x: np.ndarray) -> np.ndarray:
        away = where - x[:2]
        metres = np.maximum(np.hypot(away[:, 0], away[:, 1]), 1.0)
        along = (away[:, 0] * air.wind_x_mps + away[:, 1] * air.wind_y_mps) / metres
        return np.asarray(at_s - x[2] - metres / (air.sound_mps + along))

    middle = where.mean(axis=0)
    best = None
    for dx, dy in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)):
        start = np.array([middle[0] + dx * STARTS_M, middle[1] + dy * STARTS_M, -0.5])
        found = least_squares(
            late, start, loss="soft_l1", f_scale=SCALE_S, x_scale=(100.0, 100.0, 0.3), max_nfev=60
        )
        if best is None or found.cost < best.cost:
            best = found
    assert best is not None
    x, y, t = (float(v) for v in best.x)
    return (x, y, zero_s + t) if math.isfinite(x + y + t) else None


def _together(net: Net, pulses: Sequence[Pulse], within_s: float) -> list[tuple[float, int]]:
    """The first pulse of each sensor in the span of `within_s` that most sensors report in."""
    told = sorted((p.at_s, net.index[p.sensor]) for p in pulses)
    most: list[tuple[float, int]] = []
    counts: dict[int, int] = {}
    end = 0
    best = (0, 0, 0)
    for start in range(len(told)):
        while end < len(told) and told[end][0] <= told[start][0] + within_s:
            counts[told[end][1]] = counts.get(told[end][1], 0) + 1
            end += 1
        if len(counts) > best[0]:
            best = (len(counts), start, end)
        counts[told[start][1]] -= 1
        if not counts[told[start][1]]:
            del counts[told[start][1]]
    seen: set[int] = set()
    for at_s, sensor in told[best[1] : best[2]]:
        if sensor not in seen:
            seen.add(sensor)
            most.append((at_s, sensor))
    return most
