"""Back-projection: for every cell, the score of the best single round that it could have fired.

A sensor in range without a pulse counts `ln(1 - p)`, one with a pulse `ln((p + (1 - p)·q) / q)`,
where p is its chance to hear a round from there and q the chance that some stray pulse lies in
the window by itself. Sums: a metro cell sees about 30 sensors and 10 stray pulses in 8 s, 3 µs;
10 km² are 2,000 coarse cells, and only those that could hold a place are looked at finely.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from farolito.acoustics.settings import Tuning
from farolito.acoustics.window import Floats, Ints, Law, Window, path
from farolito.kernel import kernel

APART_M, APART_S = 45.0, 0.2  # a candidate this near to one already tried is the same
STACKED_MIN = 2.0  # a cell that scores less holds nothing
PROMISING_NATS = 12.0
NEVER, STALE = -1e9, -1
BIN_SHARE = 0.6  # of the spread that a round's arrivals can have: few reach its edges


@kernel
def _best_round(  # noqa: PLR0913 - one loop over arrays, for the compiler
    window: Window, law: Law, x: float, y: float, bin_s: float, stray: Floats, tried: Floats
) -> tuple[float, float, int]:
    """(score, time, sensors) of the best round of one place, none near a place and time tried.

    Arrivals less travel times fall into bins; a round is two bins side by side. Sensors come one
    after another, so a sensor counts once in a round if the last to count there was another.
    `stray`: each pulse's chance that a round holds such a one by itself.
    """
    first_s = window.at_s.min() - law.range_max_m / (0.8 * law.sound_mps)
    bins = int((window.at_s.max() - first_s) / bin_s) + 2
    score, middle = np.zeros(bins), np.zeros(bins)
    sensors, last = np.zeros(bins, np.int64), np.full(bins, -1, np.int64)
    base = 0.0
    for i in range(window.x_m.size):
        _, travel, p = path(window, law, i, x, y)
        if p <= 0.0:
            continue
        miss = math.log(1.0 - p)
        base += miss
        for j in range(window.start[i], window.start[i + 1]):
            if window.is_used[j]:
                continue
            tau = window.at_s[j] - travel
            b = int((tau - first_s) / bin_s)
            gain = math.log(p / stray[j] + 1.0 - p) - miss
            for k in range(max(b - 1, 0), b + 1):
                if last[k] != i:
                    last[k] = i
                    score[k] += gain
                    middle[k] += gain * tau
                    sensors[k] += 1
    best, best_at, best_sensors = NEVER, 0.0, 0
    for k in range(bins):
        if sensors[k] == 0 or base + score[k] <= best:
            continue
        at = middle[k] / score[k]
        is_new = True
        for m in range(tried.shape[0]):
            ex, ey = tried[m, 0] - x, tried[m, 1] - y
            if abs(tried[m, 2] - at) < APART_S and ex * ex + ey * ey < tried[m, 3]:
                is_new = False
                break
        if is_new:
            best, best_at, best_sensors = base + score[k], at, sensors[k]
    return best, best_at, best_sensors


@kernel
def _stack(
    window: Window, law: Law, cells: Floats, bin_s: float, stray: Floats
) -> tuple[Floats, Floats, Ints]:
    """Score, time and sensors of the best round of each of `cells` (n, 2)."""
    n = cells.shape[0]
    score, at, sensors = np.empty(n), np.empty(n), np.empty(n, np.int64)
    tried = np.empty((0, 4))
    for c in range(n):
        score[c], at[c], sensors[c] = _best_round(
            window, law, cells[c, 0], cells[c, 1], bin_s, stray, tried
        )
    return score, at, sensors


class Cells(NamedTuple):
    """What is known of each cell. `bound`: it scores no more, even if nothing was tried; `seen`:
    the version in which `score` was computed."""

    place: Floats
    score: Floats
    at_s: Floats
    bound: Floats
    seen: Ints


@kernel
def _best_cell(  # noqa: PLR0913 - columns, for the compiler
    window: Window, law: Law, cells: Cells, version: int, bin_s: float, stray: Floats,
    tried: Floats,
) -> int:  # fmt: skip
    """The cell that scores best, -1 where none is left."""
    while True:
        top = int(np.argmax(cells.score))
        if cells.score[top] <= STACKED_MIN:
            return -1
        if cells.seen[top] == version:
            return top
        x, y = cells.place[top, 0], cells.place[top, 1]
        score, at, _ = _best_round(window, law, x, y, bin_s, stray, tried)
        cells.score[top], cells.at_s[top] = score, at
        if tried.shape[0] == 0:
            cells.bound[top] = score
        cells.seen[top] = version


class Stack:
    """The cells worth a look, kept best first while pulses are taken away.

    Taking pulses away, or saying that a place was tried, only ever lowers a cell's score: so an
    old score is a bound, and only the cell on top is ever computed anew (lazy greedy; Minoux
    1978).
    """

    def __init__(self, window: Window, law: Law, tuning: Tuning, cells: Floats) -> None:
        self._window, self._law = window, law
        self._tried = np.empty((0, 4))
        self._version = 0
        step_m = tuning.coarse_m
        while True:
            self._bin_s = BIN_SHARE * 2 * (math.sqrt(0.5) * step_m / law.sound_mps + tuning.slack_s)
            fine_s = (
                BIN_SHARE * 2 * (math.sqrt(0.5) * tuning.cell_m / law.sound_mps + tuning.slack_s)
            )
            # Coarse cells are judged by the fine ones' chance of a stray, as a bound of theirs.
            self._stray = 1.0 - np.exp(-window.rate_per_s * 2 * fine_s)
            score, at, sensors = _stack(window, law, cells, self._bin_s, self._stray)
            kept = (score > STACKED_MIN) & (sensors >= tuning.sensors_min - 1)
            if step_m <= tuning.cell_m:
                break
            cells = _divide(cells[kept], step_m)
            step_m /= 2
        seen = np.zeros(int(kept.sum()), dtype=np.int64)
        self._cells = Cells(cells[kept], score[kept], at[kept], score[kept].copy(), seen)

    def avoid(self, places: list[tuple[float, float, float, float]]) -> None:
        """From now on skip rounds near these (x, y, time, reach²) too."""
        self._tried = np.concatenate((self._tried, np.array(places)))
        cells = self._cells
        for x, y, at_s, reach2 in places:
            near = np.abs(cells.at_s - at_s) < APART_S
            near &= (cells.place[:, 0] - x) ** 2 + (cells.place[:, 1] - y) ** 2 < reach2
            cells.seen[near] = STALE

    def retry(self) -> None:
        """Pulses were taken away or rates raised; forget what was tried."""
        self._tried = np.empty((0, 4))
        self._stray = 1.0 - np.exp(-self._window.rate_per_s * 2 * self._bin_s)
        self._version += 1
        self._cells.score[:] = self._cells.bound

    def renew(self) -> None:
        """Pulses may have become free again: no old score is a bound any more."""
        score, at_s, _ = _stack(
            self._window, self._law, self._cells.place, self._bin_s, self._stray
        )
        self._cells.score[:], self._cells.at_s[:], self._cells.bound[:] = score, at_s, score

    def best(self) -> tuple[float, float, float, float] | None:
        """(score, x, y, time) of the best round that is left, or None."""
        cells = self._cells
        if not cells.score.size:
            return None
        top = _best_cell(
            self._window, self._law, cells, self._version, self._bin_s, self._stray, self._tried
        )
        if top < 0:
            return None
        x, y = cells.place[top]
        return float(cells.score[top]), float(x), float(y), float(cells.at_s[top])


def promising(
    window: Window, law: Law, tuning: Tuning, cells: Floats, cell_m: float
) -> list[tuple[float, float]]:
    """Those of `cells` that score anything like the best of them."""
    bin_s = BIN_SHARE * 2 * (math.sqrt(0.5) * cell_m / law.sound_mps + tuning.slack_s)
    stray = 1.0 - np.exp(-window.rate_per_s * 2 * bin_s)
    score, _, sensors = _stack(window, law, cells, bin_s, stray)
    kept = (sensors >= tuning.sensors_min - 1) & (score > score.max() - PROMISING_NATS)
    return [(float(x), float(y)) for x, y in cells[kept]]


def coarse_cells(window: Window, tuning: Tuning) -> Floats:
    """Centres of the coarse cells within `margin_m` of a sensor that is up, (n, 2)."""
    up = window.hears > 0
    if not up.any():
        return np.empty((0, 2))
    x, y = window.x_m[up], window.y_m[up]
    step = tuning.coarse_m
    across = np.arange(x.min() - tuning.margin_m, x.max() + tuning.margin_m + step, step)
    along = np.arange(y.min() - tuning.margin_m, y.max() + tuning.margin_m + step, step)
    cells = np.stack(np.meshgrid(across, along), axis=-1).reshape(-1, 2)
    near = np.full(len(cells), np.inf)
    for at_x, at_y in zip(x, y, strict=True):
        near = np.minimum(near, np.hypot(cells[:, 0] - at_x, cells[:, 1] - at_y))
    return cells[near <= tuning.margin_m + step]


def _divide(cells: Floats, step_m: float) -> Floats:
    """Each cell's four quarters."""
    offsets = np.array([-0.25, 0.25]) * step_m
    inner = np.stack(np.meshgrid(offsets, offsets), axis=-1).reshape(-1, 2)
    divided: Floats = (cells[:, None, :] + inner[None, :, :]).reshape(-1, 2)
    return divided
