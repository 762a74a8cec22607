"""Back-projection: for every cell, the score of the best single round that it could have fired.

A sensor in range without a pulse counts `ln(1 - p)`, one with a pulse `ln((p + (1 - p)·q) / q)`,
where p is its chance to hear a round from there and q the chance that some stray pulse lies in
the window by itself. Sums: a metro cell sees about 30 sensors and 10 stray pulses in 8 s, 3 µs;
10 km² are 2,000 coarse cells, and only those that could hold a place are looked at finely.
"""

from __future__ import annotations

import math

import numpy as np

from farolito.acoustics.kernel import kernel
from farolito.acoustics.settings import Tuning
from farolito.acoustics.window import Floats, Ints, Law, Window, path

APART_M, APART_S = 45.0, 0.2  # a candidate this near to one already tried is the same
STACKED_MIN = 2.0  # a cell that scores less holds nothing
NEVER = -1e9


@kernel
def _best_round(  # noqa: PLR0913 - one loop over arrays, for the compiler
    window: Window, law: Law, x: float, y: float, width_s: float, q_width_s: float, tried: Floats
) -> tuple[float, float, int]:
    """(score, time, sensors) of the best window of one place, none near a place and time tried."""
    n = window.x_m.size
    count = 0
    base = 0.0
    tau = np.empty(window.at_s.size)
    who = np.empty(window.at_s.size, np.int64)
    gain = np.empty(window.at_s.size)
    for i in range(n):
        _, travel, p = path(window, law, i, x, y)
        if p <= 0.0:
            continue
        miss = math.log(1.0 - p)
        base += miss
        for j in range(window.start[i], window.start[i + 1]):
            if window.is_used[j]:
                continue
            q = 1.0 - math.exp(-window.rate_per_s[j] * q_width_s)
            tau[count] = window.at_s[j] - travel
            who[count] = i
            gain[count] = math.log((p + (1.0 - p) * q) / q) - miss
            count += 1
    order = np.argsort(tau[:count])
    inside = np.zeros(n, np.int64)
    counted = np.zeros(n)
    score, sensors = base, 0
    best, best_at, best_sensors = NEVER, 0.0, 0
    tail = 0
    for head in range(count):
        j = order[head]
        while tau[order[tail]] < tau[j] - width_s:
            k = who[order[tail]]
            inside[k] -= 1
            if inside[k] == 0:
                score -= counted[k]
                sensors -= 1
            tail += 1
        k = who[j]
        if inside[k] == 0:
            counted[k] = gain[j]
            score += gain[j]
            sensors += 1
        inside[k] += 1
        if score > best:
            middle = 0.5 * (tau[j] + tau[order[tail]])
            is_new = True
            for m in range(tried.shape[0]):
                ex, ey = tried[m, 0] - x, tried[m, 1] - y
                if abs(tried[m, 2] - middle) < APART_S and ex * ex + ey * ey < tried[m, 3]:
                    is_new = False
                    break
            if is_new:
                best, best_at, best_sensors = score, middle, sensors
    return best, best_at, best_sensors


@kernel
def _stack(
    window: Window, law: Law, cells: Floats, widths_s: Floats, tried: Floats
) -> tuple[Floats, Floats, Ints]:
    """Score, time and sensors of the best round of each of `cells` (n, 2)."""
    n = cells.shape[0]
    score, at, sensors = np.empty(n), np.empty(n), np.empty(n, np.int64)
    for c in range(n):
        score[c], at[c], sensors[c] = _best_round(
            window, law, cells[c, 0], cells[c, 1], widths_s[0], widths_s[1], tried
        )
    return score, at, sensors


class Stack:
    """The cells worth a look, kept best first while pulses are taken away.

    Taking pulses away, or saying that a place was tried, only ever lowers a cell's score: so an
    old score is a bound, and only the cell on top is ever computed anew (lazy greedy; Minoux
    1978).
    """

    def __init__(self, window: Window, law: Law, tuning: Tuning, cells: Floats) -> None:
        self._window, self._law = window, law
        wide_s = 2 * (math.sqrt(0.5) * tuning.coarse_m / law.sound_mps + tuning.slack_s)
        fine_s = 2 * (math.sqrt(0.5) * tuning.cell_m / law.sound_mps + tuning.slack_s)
        self._widths = np.array([fine_s, fine_s])
        self._tried = np.empty((0, 4))
        coarse, _, sensors = _stack(window, law, cells, np.array([wide_s, fine_s]), self._tried)
        hopeful = cells[(coarse > STACKED_MIN) & (sensors >= tuning.sensors_min - 1)]
        fine = _divide(hopeful, tuning.coarse_m, tuning.cell_m)
        score, at, sensors = _stack(window, law, fine, self._widths, self._tried)
        kept = (score > STACKED_MIN) & (sensors >= tuning.sensors_min - 1)
        self._cells, self._score, self._at = fine[kept], score[kept], at[kept]
        self._seen = np.zeros(int(kept.sum()), dtype=np.int64)
        self._version = 0

    def taken(self) -> None:
        """Pulses were marked as used, or rates raised: every score is now only a bound."""
        self._version += 1

    def avoid(self, places: Floats) -> None:
        """From now on skip rounds near these (x, y, time, reach²), and no others."""
        self._tried = places
        self._version += 1

    def retry(self) -> None:
        """Forget what was tried: all cells are computed anew."""
        self._tried = np.empty((0, 4))
        if self._cells.size:
            self._score, self._at, _ = _stack(
                self._window, self._law, self._cells, self._widths, self._tried
            )
        self._seen[:] = self._version

    def best(self) -> tuple[float, float, float, float] | None:
        """(score, x, y, time) of the best round that is left, or None."""
        while self._score.size:
            top = int(np.argmax(self._score))
            if self._score[top] <= STACKED_MIN:
                return None
            if self._seen[top] == self._version:
                x, y = self._cells[top]
                return float(self._score[top]), float(x), float(y), float(self._at[top])
            cell = self._cells[top]
            self._score[top], self._at[top], _ = _best_round(
                self._window, self._law, float(cell[0]), float(cell[1]),
                float(self._widths[0]), float(self._widths[1]), self._tried,
            )  # fmt: skip
            self._seen[top] = self._version
        return None


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


def _divide(cells: Floats, coarse_m: float, fine_m: float) -> Floats:
    parts = round(coarse_m / fine_m)
    offsets = (np.arange(parts) - (parts - 1) / 2) * fine_m
    inner = np.stack(np.meshgrid(offsets, offsets), axis=-1).reshape(-1, 2)
    divided: Floats = (cells[:, None, :] + inner[None, :, :]).reshape(-1, 2)
    return divided
