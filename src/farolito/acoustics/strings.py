"""Which solutions are one shooter's: the same place, or someone who went on between rounds.

A place is solved from rounds that share each sensor's path. Who walks 15 m changes the paths, so
their rounds are solved apart, and joined here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from farolito.acoustics.search import Solution

SAME_M = 15.0  # two places nearer than this are one, however their rounds interleave
RUN_MPS, RUN_M_MAX = 8.0, 60.0  # how fast and far someone goes between two strings
PAUSE_S_MAX, MIXED_MAX = 5.0, 0.34  # between the two; rounds of the later amid the earlier's
SAME_ROUND_S = 0.04  # two rounds nearer than this in time are one heard twice


def joined(found: Sequence[Solution]) -> list[tuple[Solution, ...]]:
    """The solutions by shooter, each shooter's in order of time."""
    groups: list[list[Solution]] = []
    for solution in sorted(found, key=lambda one: float(one.train.at_s[0])):
        near = [group for group in groups if any(_are_one(one, solution) for one in group)]
        if near:
            min(near, key=lambda group: _apart_m(group[-1], solution)).append(solution)
        else:
            groups.append([solution])
    return [tuple(group) for group in groups]


def has_moved(group: Sequence[Solution]) -> bool:
    return any(_apart_m(group[0], one) > SAME_M for one in group)


def rounds_of(group: Sequence[Solution]) -> list[tuple[float, Solution, int]]:
    """(time, solution, its round) in order of time; one heard twice counts where more heard it."""
    told = sorted(
        ((float(at_s), one, k) for one in group for k, at_s in enumerate(one.train.at_s)),
        key=lambda round_: round_[0],
    )
    kept: list[tuple[float, Solution, int]] = []
    for round_ in told:
        if kept and round_[0] - kept[-1][0] < SAME_ROUND_S:
            kept[-1] = max(kept[-1], round_, key=_sensors)
        else:
            kept.append(round_)
    return kept


def _sensors(round_: tuple[float, Solution, int]) -> int:
    return int((round_[1].train.pulse[round_[2]] >= 0).sum())


def _are_one(earlier: Solution, later: Solution) -> bool:
    apart_m = _apart_m(earlier, later)
    before, after = earlier.train.at_s, later.train.at_s
    if float(after[0] - before[-1]) > PAUSE_S_MAX:
        return False
    if apart_m <= SAME_M:
        return True
    # Two shooters fire at the same time; one who goes on has left the first place for good.
    between_s = float(after.mean() - before.mean())
    if between_s <= 0 or float(np.mean(after < before[-1])) > MIXED_MAX:
        return False
    spread = float(np.trace(earlier.fix.covariance) + np.trace(later.fix.covariance))
    return apart_m <= min(RUN_M_MAX, RUN_MPS * between_s + 2 * math.sqrt(spread))


def _apart_m(one: Solution, other: Solution) -> float:
    return math.dist((one.x_m, one.y_m), (other.x_m, other.y_m))
