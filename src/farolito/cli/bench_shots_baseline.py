"""The rival in `bench shots`: plain robust least squares on the nearest six sensors.

What a capable engineer writes in an afternoon: take the pulse that most neighbours could have
heard too (within the time that sound takes between the sensors; the louder one of equals), keep
the six nearest sensors with such a pulse, the loudest of each, and solve for place and moment with
a robust loss. No silent sensors, no grid, no echoes. It gets the same net, pulses and air as the
locator. A second one is given the pulses that the vendor chose for the first round, which no
real-time system has: the milder question.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import least_squares

from farolito.acoustics import Air, Net, Pulse

NEAREST = 6
AROUND = 10  # sensors about the anchor that are asked whether they heard it too
LATE_S = 0.020  # beyond what sound takes from sensor to sensor
SCALE_S = 0.010
RUNAWAY_M = 3_000.0
STARTS_M = 400.0  # further starts so far from the middle
QUIET_DB = 0.0  # of a pulse whose level is not told


def nearest_six(net: Net, pulses: Sequence[Pulse], air: Air) -> tuple[float, float, float] | None:
    """East, north and moment, or None where no four neighbours report together."""
    best: tuple[int, float, list[tuple[float, int]]] = (0, 0.0, [])
    by_sensor: dict[int, list[Pulse]] = {}
    for pulse in pulses:
        by_sensor.setdefault(net.index[pulse.sensor], []).append(pulse)
    for anchor in pulses:
        heard = _with(anchor, by_sensor, net, air)
        level = QUIET_DB if anchor.level_db is None else anchor.level_db
        if (len(heard), level) > best[:2]:
            best = (len(heard), level, heard)
    return solve(net, best[2][:NEAREST], air)


def _with(
    anchor: Pulse, by_sensor: dict[int, list[Pulse]], net: Net, air: Air
) -> list[tuple[float, int]]:
    """Moment and sensor of what the sensors about the anchor's could have heard of the same
    sound, the nearest first."""
    at = net.index[anchor.sensor]
    metres = np.hypot(net.x_m - net.x_m[at], net.y_m - net.y_m[at])
    heard = []
    for near in np.argsort(metres)[:AROUND].tolist():
        within_s = metres[near] / air.sound_mps + LATE_S
        told = [p for p in by_sensor.get(near, ()) if abs(p.at_s - anchor.at_s) <= within_s]
        if told:
            loudest = max(told, key=lambda p: QUIET_DB if p.level_db is None else p.level_db)
            heard.append((loudest.at_s, near))
    return heard


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
    zero_s = min(t for t, _ in firsts)
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
    # A place that no sensor could hear is one that the solver ran away to.
    is_sane = math.isfinite(x + y + t) and math.dist((x, y), tuple(middle)) <= RUNAWAY_M
    return (x, y, zero_s + t) if is_sane else None
