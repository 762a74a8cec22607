"""What a solution says: ellipse, ears, the silent, the interval of rounds, a shooter's drift."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from farolito.acoustics.deployment import Deployment, Evidence
from farolito.acoustics.net import Net, Pulse
from farolito.acoustics.search import Search, Solution, is_steady
from farolito.acoustics.source import Ear, Place, Round, Source
from farolito.acoustics.strings import has_moved, rounds_of
from farolito.acoustics.window import Floats, paths

SILENT_P_MIN = 0.5  # a sensor that more likely than not should have heard it
ROUNDS_TAIL = 0.025  # of the 95 % interval of rounds, at each end
WEAK_ROUND_SENSORS = 4  # a round that fewer heard may be none
BESIDE_M, BESIDE_S = 2_000.0, 3.0
# Of steady rapid fire single sensors may be one period off: that does not show in residuals.
STEADY_SD_M = 3.5
DRIFT_SDS_MIN = 3.0  # a drift within this many sd is no drift


class Heard(NamedTuple):
    """The span that was searched: net, pulses in the window's order, and its zero."""

    net: Net
    pulses: Sequence[Pulse]
    zero_s: float
    search: Search
    deployment: Deployment


def account(
    heard: Heard, group: Sequence[Solution], found: Sequence[Solution], places: tuple[Place, ...]
) -> Source:
    """The source of one shooter's solutions among all that were found; `places`: its modes, the
    likeliest first, or none."""
    strongest = max(group, key=lambda one: one.score)
    net, train = heard.net, strongest.train
    window = heard.search.window
    _, travel, hears = paths(window, strongest.law, strongest.x_m, strongest.y_m)
    is_due = float(train.at_s[0]) + travel <= window.until_s
    ears = _ears(heard, group)
    names = {ear.sensor for ear in ears}
    low, high = rounds_interval(strongest, hears)
    told = rounds_of(group)
    more = len(told) - strongest.rounds
    drift = drift_of(heard.search, strongest) if len(group) == 1 else _gone(group, heard.deployment)
    moved = has_moved(group)
    others = [one for one in found if not any(one is mine for mine in group)]
    score = heard.search.direct(group, others)
    expected = train.expected / strongest.rounds * len(told)
    silent = tuple(
        sensor.name
        for i, sensor in enumerate(net.sensors)
        if hears[i] >= SILENT_P_MIN and is_due[i] and sensor.name not in names
    )
    evidence = Evidence(
        score=score,
        expected=expected,
        heard=len(ears),
        in_reach=len(ears) + len(silent),
        beside=max((one.score for one in others if _is_beside(one, strongest)), default=0.0),
    )
    ear_at = [net.index[ear.sensor] for ear in ears]
    return Source(
        track=0,
        revision=1,
        places=places or (_middle(group, heard.deployment),),
        rounds=tuple(
            Round(
                at_s=heard.zero_s + at_s,
                sensors=int((one.train.pulse[k] >= 0).sum()),
                x_m=one.x_m if moved else None,
                y_m=one.y_m if moved else None,
            )
            for at_s, one, k in told
        ),
        rounds_low=low + more,
        rounds_high=high + more,
        score=score,
        expected=expected,
        probability=heard.deployment.probability(evidence),
        ears=ears,
        silent=silent,
        down=tuple(_down(net, heard.deployment, strongest)),
        outside_net=is_outside(net.x_m[ear_at], net.y_m[ear_at], strongest),
        drift_x_m=None if drift is None else drift[0],
        drift_y_m=None if drift is None else drift[1],
        drift_sd_m=None if drift is None else drift[2],
        sound_mps=strongest.law.sound_mps,
        wind_x_mps=strongest.law.wind_x_mps,
        wind_y_mps=strongest.law.wind_y_mps,
    )


def _is_beside(one: Solution, other: Solution) -> bool:
    """Whether echoes of the one could be taken for the other."""
    apart_m = math.dist((one.x_m, one.y_m), (other.x_m, other.y_m))
    first_s, last_s = float(one.train.at_s[0]), float(one.train.at_s[-1])
    return (
        apart_m < BESIDE_M
        and float(other.train.at_s[-1]) > first_s - BESIDE_S
        and float(other.train.at_s[0]) < last_s + BESIDE_S
    )


def _middle(group: Sequence[Solution], deployment: Deployment) -> Place:
    """The middle of all rounds. Paths are what makes a place wrong, so several solutions of one
    shooter are no surer together than one."""
    share = np.array([one.rounds for one in group]) / sum(one.rounds for one in group)
    places = [place_of(one, deployment) for one in group]

    def mean(values: list[float]) -> float:
        return float(np.dot(share, values))

    return Place(
        x_m=mean([place.x_m for place in places]),
        y_m=mean([place.y_m for place in places]),
        xx=mean([place.xx for place in places]),
        xy=mean([place.xy for place in places]),
        yy=mean([place.yy for place in places]),
    )


def _gone(group: Sequence[Solution], deployment: Deployment) -> tuple[float, float, float] | None:
    """From the first place to the last: x, y, 1 sd an axis."""
    first, last = place_of(group[0], deployment), place_of(group[-1], deployment)
    x_m, y_m = last.x_m - first.x_m, last.y_m - first.y_m
    sd_m = math.sqrt((first.xx + first.yy + last.xx + last.yy) / 2)
    return (x_m, y_m, sd_m) if has_moved(group) else None


def _ears(heard: Heard, group: Sequence[Solution]) -> tuple[Ear, ...]:
    """Everyone who heard any of it, the nearest first."""
    ears: dict[str, Ear] = {}
    for one in sorted(group, key=lambda one: -one.score):
        ranges, _, _ = paths(heard.search.window, one.law, one.x_m, one.y_m)
        for i in one.heard:
            ear = _ear(heard, one, int(i), float(ranges[i]))
            also = ears.get(ear.sensor)
            if also is not None:
                ear = msgspec.structs.replace(
                    also,
                    at_s=min(also.at_s, ear.at_s),
                    rounds=also.rounds + ear.rounds,
                    pulses=also.pulses + ear.pulses,
                )
            ears[ear.sensor] = ear
    return tuple(sorted(ears.values(), key=lambda ear: ear.metres))


def place_of(solution: Solution, deployment: Deployment, share: float = 1.0) -> Place:
    """The solution's place; its covariance has the floor that no number of rounds takes away."""
    covariance, floor = solution.fix.covariance, deployment.ellipse_floor_m**2
    if is_steady(solution.train.at_s):
        floor += STEADY_SD_M**2
    return Place(
        x_m=solution.x_m,
        y_m=solution.y_m,
        xx=float(covariance[0, 0]) + floor,
        xy=float(covariance[0, 1]),
        yy=float(covariance[1, 1]) + floor,
        share=share,
    )


def _ear(heard: Heard, solution: Solution, sensor: int, range_m: float) -> Ear:
    column = solution.train.pulse[:, sensor]
    mine = [heard.pulses[j] for j in column[column >= 0]]
    levels = [pulse.level_db for pulse in mine if pulse.level_db is not None]
    return Ear(
        sensor=heard.net.sensors[sensor].name,
        at_s=mine[0].at_s,
        rounds=len(mine),
        residual_s=float(solution.train.delay_s[sensor]),
        metres=range_m,
        level_db=float(np.median(levels)) if levels else None,
        pulses=tuple(pulse.pulse_id for pulse in mine),
    )


def _down(net: Net, deployment: Deployment, solution: Solution) -> list[str]:
    """Sensors that would have counted, were they not out or set aside."""
    return [
        sensor.name
        for sensor in net.sensors
        if not sensor.is_up
        and deployment.hears(math.dist((sensor.x_m, sensor.y_m), (solution.x_m, solution.y_m)))
        >= SILENT_P_MIN
    ]


def is_outside(x_m: Floats, y_m: Floats, place: Solution) -> bool:
    """Whether the place lies outside the hull of these sensors: all of them within a half turn."""
    bearings = np.sort(np.arctan2(y_m - place.y_m, x_m - place.x_m))
    gaps = np.diff(bearings, append=bearings[0] + 2 * math.pi)
    return bool(gaps.max() > math.pi)


def rounds_interval(solution: Solution, hears: Floats) -> tuple[int, int]:
    """95 % interval of the number of rounds: some may have been heard by too few to be seen."""
    train, rounds = solution.train, solution.rounds
    sensors = (train.pulse >= 0).sum(axis=1)
    heard = (train.pulse >= 0).sum(axis=0)
    learned = (2 * hears + heard) / (2 + rounds)
    chances = learned[hears > 0]
    need = max(WEAK_ROUND_SENSORS - 1, math.ceil(0.4 * int(sensors.max())))
    missed = _fewer_than(need, chances)
    extra, tail = 0, 1.0 - (1.0 - missed) ** rounds
    # Rounds unseen before the n-th seen one: a negative binomial, summed until its tail is small.
    chance = (1.0 - missed) ** rounds
    while tail > ROUNDS_TAIL and extra < rounds:
        extra += 1
        chance *= missed * (rounds + extra - 1) / extra
        tail -= chance
    weak = int((sensors < WEAK_ROUND_SENSORS).sum())
    return max(1, rounds - weak), rounds + extra


def _fewer_than(need: int, chances: Floats) -> float:
    """Chance that fewer than `need` sensors hear a round (Poisson binomial)."""
    dist = np.zeros(need)
    dist[0] = 1.0
    for p in chances:
        dist[1:] = dist[1:] * (1 - p) + dist[:-1] * p
        dist[0] *= 1 - p
    return float(dist.sum())


def drift_of(search: Search, solution: Solution) -> tuple[float, float, float] | None:
    """How far the shooter went from the first round to the last (x, y, 1 sd a axis), m.

    Least squares of what each arrival deviates from its sensor's delay, on the way that the
    place moves along the line of sight; each round's own time is free.
    """
    train, window = solution.train, search.window
    span_s = float(train.at_s[-1] - train.at_s[0])
    if solution.rounds < 3 or span_s <= 0.5:
        return None
    _, travel, _ = paths(window, solution.law, solution.x_m, solution.y_m)
    k, i = np.nonzero(train.pulse >= 0)
    ear = np.searchsorted(solution.heard, i)
    at = window.at_s[train.pulse[k, i]]
    dx, dy = window.x_m[i] - solution.x_m, window.y_m[i] - solution.y_m
    d = np.maximum(np.hypot(dx, dy), 1.0)
    along = (train.at_s[k] - train.at_s.mean()) / span_s
    each = np.arange(at.size)
    rows = np.zeros((at.size, 2 + solution.rounds + solution.heard.size))
    rows[:, 0] = -dx / d / solution.law.sound_mps * along
    rows[:, 1] = -dy / d / solution.law.sound_mps * along
    rows[each, 2 + k] = 1.0
    rows[each, 2 + solution.rounds + ear] = 1.0
    off = at - train.at_s[k] - travel[i] - train.delay_s[i]
    # All rounds later or all paths longer is the same: a grain of the prior settles it.
    normal = rows.T @ rows + np.diag([1e-12, 1e-12] + [1e-3] * (rows.shape[1] - 2))
    inverse = np.linalg.inv(normal)
    found = inverse @ (rows.T @ off)
    free = at.size - 2 - solution.rounds - solution.heard.size + 1
    if free < 4:
        return None
    spread = float(np.sum((off - rows @ found) ** 2)) / free
    sd = np.sqrt(np.diag(inverse)[:2] * max(spread, 1e-8))
    drift_sd = float(np.hypot(*sd) / math.sqrt(2))
    if math.hypot(found[0], found[1]) < DRIFT_SDS_MIN * drift_sd * math.sqrt(2):
        return None
    return float(found[0]), float(found[1]), drift_sd
