"""How well a place can be known at all: the Cramér–Rao bound of the sensors that heard it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from farolito.acoustics.net import Air

Floats = npt.NDArray[np.float64]
PATH_SD_S, FREEDOM = 0.010, 3.0
UNKNOWNS = 6  # x, y, time, speed of sound, wind east and north


def bound_m(
    sensors: Sequence[tuple[float, float]],
    at: tuple[float, float],
    air: Air,
    *,
    path_sd_s: float = PATH_SD_S,
    freedom: float = FREEDOM,
) -> float:
    """Root of the sum of the smallest variances east and north, metres; infinite where the
    sensors cannot tell the place.

    Each sensor counts once however many rounds it heard, since all take one path. Its arrival
    scatters as Student's t with `freedom` and `path_sd_s`, whose Fisher information is
    (ν+1)/((ν+3)σ²); the air's priors are added.
    """
    if len(sensors) < 3:
        return math.inf
    rows = jacobian(np.array(sensors, dtype=np.float64), at, air)
    information = rows.T @ rows * (freedom + 1) / ((freedom + 3) * path_sd_s**2)
    for unknown, sd in ((3, air.sound_sd_mps), (4, air.wind_sd_mps), (5, air.wind_sd_mps)):
        information[unknown, unknown] += 1 / max(sd, 1e-6) ** 2
    # Scaled so that metres, seconds and metres a second are of one size before the inversion.
    size = 1 / np.sqrt(np.maximum(np.diag(information), 1e-30))
    scaled = information * np.outer(size, size)
    if np.linalg.cond(scaled) > 1e12:
        return math.inf
    covariance = np.linalg.inv(scaled) * np.outer(size, size)
    return float(math.sqrt(covariance[0, 0] + covariance[1, 1]))


def jacobian(sensors: Floats, at: tuple[float, float], air: Air) -> Floats:
    """Rows d(arrival)/d(x, y, time, c, wind x, wind y), a row a sensor (n × 2 metres)."""
    away = sensors - np.array(at)
    metres = np.maximum(np.hypot(away[:, 0], away[:, 1]), 1.0)
    u = away / metres[:, None]
    e = air.sound_mps + u @ np.array([air.wind_x_mps, air.wind_y_mps])
    later = -metres / e**2
    return np.column_stack([
        -u[:, 0] / e, -u[:, 1] / e, np.ones(len(e)), later, later * u[:, 0], later * u[:, 1],
    ])  # fmt: skip
