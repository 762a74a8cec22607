"""Least squares that distrusts outliers: place, time, and the air from arrival times.

Residuals are Student-t (paths around buildings), the air is known by a prior from the weather
report, and each sensor has one row: rounds of one place share its path's delay, so the covariance
counts sensors, not pulses.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from farolito.acoustics.deployment import Deployment
from farolito.acoustics.net import Air
from farolito.acoustics.window import Floats, Law
from farolito.kernel import kernel

STEP_M_MAX = 150.0
STEP_M_STOP = 0.02
STEPS_MAX = 20


class Prior(NamedTuple):
    """What is known of the air beforehand, and how paths scatter."""

    sound_mps: float
    wind_x_mps: float
    wind_y_mps: float
    sound_sd_mps: float
    wind_sd_mps: float
    early_sd_s: float
    late_sd_s: float
    freedom: float

    @classmethod
    def of(cls, air: Air, deployment: Deployment) -> Prior:
        return cls(
            air.sound_mps, air.wind_x_mps, air.wind_y_mps,
            max(air.sound_sd_mps, 0.05), max(air.wind_sd_mps, 0.05),
            deployment.early_sd_s,
            deployment.late_sd_s, deployment.freedom,
        )  # fmt: skip


class Fix(NamedTuple):
    """A solution: where, when, in what air, and how it fits. `covariance`: 2 × 2, m²."""

    x_m: float
    y_m: float
    at_s: float
    sound_mps: float
    wind_x_mps: float
    wind_y_mps: float
    residual_s: Floats
    covariance: Floats

    def law(self, law: Law) -> Law:
        """The law with the air as it was refined."""
        return law._replace(
            sound_mps=self.sound_mps, wind_x_mps=self.wind_x_mps, wind_y_mps=self.wind_y_mps
        )


@kernel
def _rows(  # noqa: PLR0913 - columns, for the compiler
    x: Floats, y: Floats, at: Floats, state: Floats, rows: Floats, residual: Floats
) -> None:
    """Jacobian rows of the arrival times after (x, y, t0, c, wx, wy), and residuals."""
    for i in range(x.size):
        dx, dy = x[i] - state[0], y[i] - state[1]
        d = max(math.sqrt(dx * dx + dy * dy), 0.1)
        ux, uy = dx / d, dy / d
        e = state[3] + state[4] * ux + state[5] * uy
        residual[i] = at[i] - state[2] - d / e
        rows[i, 0] = -ux / e
        rows[i, 1] = -uy / e
        rows[i, 2] = 1.0
        rows[i, 3] = -d / (e * e)
        rows[i, 4] = -d * ux / (e * e)
        rows[i, 5] = -d * uy / (e * e)


@kernel
def _solve(
    x: Floats, y: Floats, at: Floats, prior: Prior, state: Floats
) -> tuple[Floats, Floats, Floats]:
    """Iteratively reweighted Gauss–Newton from `state`; (state, residuals, covariance 2 × 2)."""
    n = x.size
    nu = prior.freedom
    rows, residual = np.empty((n, 6)), np.empty(n)
    known = np.array([prior.sound_mps, prior.wind_x_mps, prior.wind_y_mps])
    sure = np.array([prior.sound_sd_mps**-2, prior.wind_sd_mps**-2, prior.wind_sd_mps**-2])
    solved = np.empty(6)
    solved[:] = state
    for _ in range(STEPS_MAX):
        _rows(x, y, at, solved, rows, residual)
        left, right = np.zeros((6, 6)), np.zeros(6)
        for i in range(n):
            scale = prior.early_sd_s if residual[i] < 0.0 else prior.late_sd_s
            weight = (nu + 1.0) / (nu + (residual[i] / scale) ** 2) / scale**2
            for a in range(6):
                right[a] += weight * rows[i, a] * residual[i]
                for b in range(6):
                    left[a, b] += weight * rows[i, a] * rows[i, b]
        for a in range(3):
            left[3 + a, 3 + a] += sure[a]
            right[3 + a] += sure[a] * (known[a] - solved[3 + a])
        # A thousandth of a metre's worth keeps three sensors in a row solvable.
        left[0, 0] += 1e-6
        left[1, 1] += 1e-6
        step = np.linalg.solve(left, right)
        length = math.sqrt(step[0] ** 2 + step[1] ** 2)
        if length > STEP_M_MAX:
            step *= STEP_M_MAX / length
        solved += step
        if length < STEP_M_STOP:
            break
    _rows(x, y, at, solved, rows, residual)
    # The expected information of a Student-t, not the weights of the last step: those are
    # (nu + 3)/(nu + 1) times too sure.
    information = np.zeros((6, 6))
    # Of a density with two scales, the information goes by their product.
    sureness = (nu + 1.0) / ((nu + 3.0) * prior.early_sd_s * prior.late_sd_s)
    for i in range(n):
        for a in range(6):
            for b in range(6):
                information[a, b] += sureness * rows[i, a] * rows[i, b]
    for a in range(3):
        information[3 + a, 3 + a] += sure[a]
    information[0, 0] += 1e-6
    information[1, 1] += 1e-6
    covariance = np.empty((2, 2))
    covariance[:] = np.linalg.inv(information)[:2, :2]
    return solved, residual, covariance


def solve(x: Floats, y: Floats, at: Floats, prior: Prior, start: tuple[float, float, float]) -> Fix:
    """The place and time (seconds as `at`) that explain arrivals `at` at sensors (x, y), from
    `start` (x, y, time)."""
    state = np.array([*start, prior.sound_mps, prior.wind_x_mps, prior.wind_y_mps])
    found, residual, covariance = _solve(x, y, at, prior, state)
    x_m, y_m, at_s, *air = found.tolist()
    return Fix(x_m, y_m, at_s, air[0], air[1], air[2], residual, covariance)
