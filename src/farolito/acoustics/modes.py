"""Where else it may have been: with few sensors, several places explain what was heard.

Every basin around is climbed and weighed by its score, its width, and how well the levels fall
off with range; all that keep a share are told. Levels say little (8 dB of scatter), but they cost
nothing and know the near side from the far one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from farolito.acoustics.account import place_of
from farolito.acoustics.deployment import Deployment
from farolito.acoustics.rounds import judge
from farolito.acoustics.search import Search, Solution
from farolito.acoustics.source import Place
from farolito.acoustics.stack import promising
from farolito.acoustics.window import Floats, paths

FEW_SENSORS = 9  # that heard it: with more, no second place explains it
AROUND_M = 1_200.0
CELL_M = 40.0
BASINS_MAX = 12
APART_M = 20.0  # places nearer than this are one
SCORE_NATS = 2.5  # a score counts for one nat each: paths share causes, so it is too sure


def modes(
    search: Search, deployment: Deployment, solution: Solution, others: Sequence[Solution]
) -> tuple[Place, ...]:
    """The places of one source, the likeliest first, each with its share; one where no second
    has `mode_share_min`."""
    tuning = search.tuning
    if solution.heard.size > FEW_SENSORS:
        return (place_of(solution, deployment),)
    search.mark(others)
    best = [solution]
    for start in _basins(search, solution):
        climbed = search.settle(start, 0.0)
        near = [one for one in best if _apart_m(one, climbed) < APART_M]
        if not near:
            best.append(climbed)
        elif all(climbed.score > one.score for one in near) and near[0] is not solution:
            best = [one for one in best if one not in near] + [climbed]
    weight = np.array([_weight(search, deployment, one) for one in best])
    share = np.exp(weight - weight.max())
    share /= share.sum()
    shown = sorted(
        (
            (float(part), one)
            for part, one in zip(share, best, strict=True)
            if part >= tuning.mode_share_min
        ),
        key=lambda shown: -shown[0],
    )[: tuning.modes_max]
    if len(shown) == 1:
        return (place_of(shown[0][1], deployment),)
    return tuple(place_of(one, deployment, part) for part, one in shown)


def _basins(search: Search, solution: Solution) -> list[Solution]:
    """Places to climb from: the best cells of a wide look, none beside another."""
    reach = np.arange(-AROUND_M, AROUND_M + CELL_M / 2, CELL_M)
    cells = np.stack(np.meshgrid(reach, reach), axis=-1).reshape(-1, 2)
    cells = cells[np.hypot(cells[:, 0], cells[:, 1]) <= AROUND_M]
    cells += (solution.x_m, solution.y_m)
    around_s = float(solution.train.at_s[solution.rounds // 2])
    found: list[Solution] = []
    for x, y in promising(search.window, search.law, search.tuning, cells, CELL_M):
        train = judge(search.window, search.law, search.rule, (x, y, around_s))
        if train is not None:
            fix = solution.fix._replace(x_m=x, y_m=y)
            found.append(solution._replace(fix=fix, train=train))
    found.sort(key=lambda one: -one.score)
    basins: list[Solution] = []
    for one in found:
        if all(_apart_m(one, other) > 2 * CELL_M for other in basins):
            basins.append(one)
        if len(basins) == BASINS_MAX:
            break
    return basins


def _weight(search: Search, deployment: Deployment, solution: Solution) -> float:
    """Logarithm of the basin's probability, but for a constant."""
    width = 0.5 * math.log(max(float(np.linalg.det(solution.fix.covariance)), 1.0))
    return solution.score / SCORE_NATS + width + _levels(search, deployment, solution)


def _levels(search: Search, deployment: Deployment, solution: Solution) -> float:
    """How well the levels fall off with range; how loud the gun is, is not known."""
    window, pulse = search.window, solution.train.pulse
    ranges, _, _ = paths(window, solution.law, solution.x_m, solution.y_m)
    off: list[float] = []
    for i in solution.heard:
        levels = window.level_db[pulse[pulse[:, i] >= 0, i]]
        levels = levels[np.isfinite(levels)]
        if levels.size:
            lost_db = deployment.slope_db * math.log10(max(float(ranges[i]), 10.0))
            off.append(float(np.median(levels)) - deployment.level_db + lost_db)
    if not off:
        return 0.0
    residual: Floats = np.array(off) / deployment.level_sd_db
    gun = (deployment.level_sd_db / deployment.gun_sd_db) ** 2
    misfit = float(np.sum(residual**2)) - float(np.sum(residual)) ** 2 / (len(off) + gun)
    return -0.5 * (misfit - len(off))


def _apart_m(one: Solution, other: Solution) -> float:
    return math.dist((one.x_m, one.y_m), (other.x_m, other.y_m))
