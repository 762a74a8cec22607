"""The search for sources in one window: stack, look closely, take the best away, repeat.

A candidate is judged by all the rounds that it explains. Passes ask less and less of each round,
so that sure places are taken before a mixture of two can eat their pulses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from farolito.acoustics.deployment import Deployment
from farolito.acoustics.net import Air
from farolito.acoustics.refine import Fix, Prior, solve
from farolito.acoustics.rounds import Rule, Train, judge, raise_rates, rescore
from farolito.acoustics.settings import Tuning
from farolito.acoustics.stack import APART_M, Stack, coarse_cells
from farolito.acoustics.window import Floats, Ints, Law, Window, paths

WANDER_M_MAX = 250.0  # a candidate whose solution lies farther off was another's
MOVE_M_MAX = 120.0
DAMP_M = 60.0  # around a solution that came to nothing
RAPID_S = 0.2  # slower fire is never taken for itself, one period off
STEADY_S = 0.015
RAPID_STEPS_M = (
    (60.0, 12.0),
    (9.0, 3.0),
)  # how far around a place others are tried, and how densely
STEPS_M = ((45.0, 15.0),)
REASSIGN_SHARE, REASSIGN_TURNS, NEIGHBOURS_MAX = 0.3, 2, 3
WEAK_SHARE, SURE_SHARE, TORN_M = 0.75, 1.0, 400.0
HEARD_SHARE_MIN = 0.25  # of the rounds: a sensor that heard fewer has no say in the place


class Solution(NamedTuple):
    """A place with the rounds it explains. `law`: with the air as refined. `track`: whose newer
    solution this is, -1 of none yet. `is_final`: part of its pulses has left the window, so it is
    not solved again."""

    fix: Fix
    train: Train
    law: Law
    track: int = -1
    is_final: bool = False

    @property
    def x_m(self) -> float:
        return self.fix.x_m

    @property
    def y_m(self) -> float:
        return self.fix.y_m

    @property
    def score(self) -> float:
        return self.train.score

    @property
    def rounds(self) -> int:
        return int(self.train.at_s.size)

    @property
    def heard(self) -> Ints:
        """Sensors that heard any round."""
        return np.flatnonzero((self.train.pulse >= 0).any(axis=0))


def is_steady(at_s: Floats) -> bool:
    """Whether moving the string by one firing period puts most of its rounds on others."""
    if at_s.size < 3:
        return False
    gaps = np.diff(at_s)
    period_s = float(np.median(gaps))
    return period_s <= RAPID_S and int((np.abs(gaps - period_s) < STEADY_S).sum()) * 2 > gaps.size


def quality(solution: Solution) -> float:
    """The score, less where a true source would have scored more: a mixture of two explains many
    pulses, each of its rounds poorly."""
    share = solution.score / max(solution.train.expected, 1.0)
    return solution.score * min(1.0, share)


class Search:
    """One window of pulses and what is known of the city. `run` finds the sources."""

    def __init__(self, window: Window, air: Air, tuning: Tuning, deployment: Deployment) -> None:
        self.window, self.tuning = window, tuning
        self.law, self.rule = Law.of(deployment, air), Rule.of(tuning, deployment)
        self.prior = Prior.of(air, deployment)
        self._quiet_rate = window.rate_per_s.copy()

    def run(
        self,
        cells: Floats | None = None,
        known: Sequence[Solution] = (),
        *,
        may_remake: bool = True,
    ) -> list[Solution]:
        """All sources with a place in `cells` (none: everywhere), beside those known already.
        `may_remake`: weak ones may be sought again, which takes as long as all the rest."""
        found = list(known)
        if found:
            self.mark(found)
        cells = coarse_cells(self.window, self.tuning) if cells is None else cells
        stack = Stack(self.window, self.law, self.tuning, cells)
        for share in self.tuning.passes:
            stack.retry()
            before = len(found)
            self._take(stack, share, found)
            if len(found) > before:
                self.reassign(found, share)
                stack.renew()
        if may_remake and len(found) > 1:
            self.remake(found)
        return found

    def reassign(self, found: list[Solution], share: float) -> None:
        """Each source again with its own and all free pulses, and each source tried as if it were
        none: what was taken greedily is given to whom it belongs."""
        share = min(share, REASSIGN_SHARE)
        for _ in range(REASSIGN_TURNS):
            before = [(one.rounds, round(one.score)) for one in found]
            for solution in sorted(_open(found), key=lambda one: one.score):
                rest = [one for one in found if one is not solution]
                self.mark(rest)
                again = self._again(solution, share)
                found[:] = rest if again is None else [*rest, again]
            for solution in sorted(_open(found), key=lambda one: one.score):
                if solution.score > SURE_SHARE * solution.train.expected:
                    continue
                self._doubt(solution, found, share)
            self.mark(found)
            if before == [(one.rounds, round(one.score)) for one in found]:
                return

    def remake(self, found: list[Solution]) -> None:
        """Weak sources near each other are taken back and sought again, all together: which of
        them was taken first may have been wrong. The better whole is kept."""
        weak = [one for one in _open(found) if one.score < WEAK_SHARE * one.train.expected]
        while weak:
            first = weak.pop()
            torn = [first, *(one for one in weak if _apart_m(one, first) < TORN_M)]
            weak = [one for one in weak if not any(one is other for other in torn)]
            rest = [one for one in found if not any(one is other for other in torn)]
            self.mark(rest)
            cells = coarse_cells(self.window, self.tuning)
            near = np.zeros(len(cells), dtype=np.bool_)
            for one in torn:
                near |= np.hypot(cells[:, 0] - one.x_m, cells[:, 1] - one.y_m) < TORN_M
            remade = list(rest)
            self._take(
                Stack(self.window, self.law, self.tuning, cells[near]), REASSIGN_SHARE, remade
            )
            self.reassign(remade, REASSIGN_SHARE)
            if self._total(remade) > self._total(found):
                found[:] = remade
        self.mark(found)

    def _total(self, found: list[Solution]) -> float:
        """What all sources explain together, beyond what each must."""
        total = 0.0
        for solution in found:
            self.mark([one for one in found if one is not solution], with_echoes=False)
            again = self._again(solution, REASSIGN_SHARE, with_echoes=False)
            total += 0.0 if again is None else again.score - self.worth(solution)
        return total

    def renew(self, found: list[Solution], solution: Solution) -> None:
        """One of `found` again, with the pulses that have come since."""
        rest = [one for one in found if one is not solution]
        self.mark(rest)
        again = self._again(solution, REASSIGN_SHARE)
        if again is not None and again.score >= solution.score - 1.0:
            found[found.index(solution)] = again

    def _doubt(self, doubted: Solution, found: list[Solution], share: float) -> None:
        """Drops a source whose pulses its neighbours' own rounds explain nearly as well. (Not as
        echoes: its score counts already that they could be.)"""
        gain = doubted.score - self.worth(doubted)
        rest = [one for one in found if one is not doubted]
        changed = list(rest)
        near = sorted(_open(rest), key=lambda one: _apart_m(one, doubted))[:NEIGHBOURS_MAX]
        for neighbour in near:
            if _apart_m(neighbour, doubted) > self.law.range_max_m or gain <= 0:
                break
            others = [one for one in changed if one is not neighbour]
            self.mark([*others, doubted], with_echoes=False)
            before = self._again(neighbour, share, with_echoes=False)
            self.mark(others, with_echoes=False)
            again = self._again(neighbour, share, with_echoes=False)
            if before is not None and again is not None and again.score > before.score:
                gain -= again.score - before.score
                self.mark(others)
                changed[changed.index(neighbour)] = self._again(neighbour, share) or neighbour
        if gain <= 0:
            found[:] = changed

    def _again(self, solution: Solution, share: float, with_echoes: bool = True) -> Solution | None:
        """The same source with the pulses that are free now; None: it is worth nothing."""
        rule = self.rule if with_echoes else self.rule._replace(echo_rate_per_s=0.0)
        strongest = int((solution.train.pulse >= 0).sum(axis=1).argmax())
        place = (solution.x_m, solution.y_m, float(solution.train.at_s[strongest]))
        train = judge(self.window, solution.law, rule, place, share)
        if train is None:
            return None
        again = solution._replace(train=train)
        if not with_echoes:
            return again
        again = self.settle(again, share)
        return again if self.is_worth(again) else None

    def _take(self, stack: Stack, share: float, found: list[Solution]) -> None:
        """Takes one source after another until the best is not worth it."""
        while len(found) < self.tuning.sources_max:
            best = self._best_candidate(stack, share)
            if best is None:
                return
            found.append(best)
            self.mark(found)
            stack.retry()

    def worth(self, solution: Solution) -> float:
        """The least score that a source of this place must have."""
        expected = solution.train.expected / solution.rounds
        return max(self.tuning.source_score_min, self.tuning.source_share * expected)

    def is_worth(self, solution: Solution) -> bool:
        return solution.score >= self.worth(solution)

    def _best_candidate(self, stack: Stack, share: float) -> Solution | None:
        """The best of the places that the stack offers, the likeliest of them climbed."""
        offered: list[Solution] = []
        empty, strongest = 0, 0.0
        for _ in range(self.tuning.candidates_max):
            peak = stack.best()
            if peak is None or empty >= self.tuning.give_up_after:
                break
            score, x, y, at_s = peak
            if score < 0.5 * strongest:
                break
            tried = [(x, y, at_s, APART_M**2)]
            solution = self.look((x, y, at_s), share)
            if solution is None or not self.is_worth(solution):
                empty += 1
            else:
                empty = 0
                offered.append(self.settle(solution, share))
                strongest = max(strongest, solution.train.best_round)
                place = (solution.x_m, solution.y_m)
                tried += [(*place, float(t), DAMP_M**2) for t in solution.train.at_s]
            stack.avoid(tried)
        offered.sort(key=quality, reverse=True)
        climbed = [self.climb(solution, share) for solution in offered[: self.tuning.climbed_max]]
        return max(climbed, key=quality, default=None)

    def look(self, place: tuple[float, float, float], share: float) -> Solution | None:
        """A candidate closely: its own arrivals refine it, then all its rounds judge it."""
        start = place
        fix = None
        for reach_s in (0.100, 0.050):
            arrivals = self._arrivals(place, reach_s)
            if arrivals[0].size < self.tuning.sensors_min:
                return None
            fix = solve(*arrivals, self.prior, place)
            place = (fix.x_m, fix.y_m, fix.at_s)
        if fix is None or math.dist(place[:2], start[:2]) > WANDER_M_MAX:
            return None
        law = fix.law(self.law)
        train = judge(self.window, law, self.rule, place, share)
        return None if train is None else Solution(fix, train, law)

    def _arrivals(
        self, place: tuple[float, float, float], reach_s: float
    ) -> tuple[Floats, Floats, Floats]:
        """Sensors (x, y) and times of the unused pulses nearest to one round at `place`."""
        window = self.window
        _, travel, hears = paths(window, self.law, place[0], place[1])
        off = np.abs(window.at_s - place[2] - travel[window.sensor])
        off[window.is_used | (hears[window.sensor] <= 0)] = np.inf
        near = np.flatnonzero(off <= reach_s)
        near = near[np.lexsort((off[near], window.sensor[near]))]
        _, first = np.unique(window.sensor[near], return_index=True)
        pulse = near[first]
        sensor = window.sensor[pulse]
        return window.x_m[sensor], window.y_m[sensor], window.at_s[pulse]

    def settle(self, solution: Solution, share: float) -> Solution:
        """Place from the string's arrivals, rounds from the place, until both stand."""
        for _ in range(3):
            again = self._joint(solution, share)
            if again is None or again.score < solution.score - 1e-6:
                break
            moved_m = math.dist((again.x_m, again.y_m), (solution.x_m, solution.y_m))
            solution = again
            if moved_m < 0.1:
                break
        return solution

    def _joint(self, solution: Solution, share: float) -> Solution | None:
        """One row a sensor: its path's delay over all rounds it heard."""
        train = solution.train
        _, travel, _ = paths(self.window, solution.law, solution.x_m, solution.y_m)
        heard = (train.pulse >= 0).sum(axis=0)
        has_say = np.flatnonzero(heard >= max(1.0, HEARD_SHARE_MIN * solution.rounds))
        if has_say.size < 3:
            return None
        fix = solve(
            self.window.x_m[has_say], self.window.y_m[has_say],
            travel[has_say] + train.delay_s[has_say],
            self.prior, (solution.x_m, solution.y_m, 0.0),
        )  # fmt: skip
        if math.dist((fix.x_m, fix.y_m), (solution.x_m, solution.y_m)) > MOVE_M_MAX:
            return None
        law = fix.law(self.law)
        strongest = int((train.pulse >= 0).sum(axis=1).argmax())
        around_s = float(train.at_s[strongest]) + fix.at_s
        again = judge(self.window, law, self.rule, (fix.x_m, fix.y_m, around_s), share)
        if again is None:
            return None
        return solution._replace(fix=fix, train=again, law=law)

    def climb(self, solution: Solution, share: float) -> Solution:
        """Also the places near by. Of steady rapid fire, one that is wrong by a firing period
        explains all rounds but one, and must lose to the one that explains all; of a single round,
        one where echoes meet must lose to the one that explains them as echoes."""
        around_s = float(solution.train.at_s[solution.rounds // 2])
        reaches = RAPID_STEPS_M if is_steady(solution.train.at_s) else STEPS_M
        for reach_m, step_m in reaches:
            steps = np.arange(-reach_m, reach_m + step_m / 2, step_m)
            middle = (solution.x_m, solution.y_m)
            for dx in steps:
                for dy in steps:
                    place = (middle[0] + float(dx), middle[1] + float(dy), around_s)
                    other = judge(self.window, solution.law, self.rule, place, share)
                    if other is not None and other.score > solution.score:
                        fix = solution.fix._replace(x_m=place[0], y_m=place[1])
                        solution = solution._replace(fix=fix, train=other)
        return self.settle(solution, share)

    def direct(self, group: Sequence[Solution], others: Sequence[Solution]) -> float:
        """Score of direct arrivals alone, beside what others explain with their echoes."""
        self.mark(others)
        rule = self.rule._replace(echo_rate_per_s=0.0)
        return sum(
            rescore(self.window, one.law, rule, (one.x_m, one.y_m), one.train) for one in group
        )

    def mark(self, found: Sequence[Solution], with_echoes: bool = True) -> None:
        """Pulses that the sources explain are used. After each round its echoes raise the rate of
        every sensor that heard it, and of those that heard none of the string: their direct way
        is shut, and echoes are what they hear."""
        window, tuning = self.window, self.tuning
        window.is_used[:] = False
        window.rate_per_s[:] = self._quiet_rate
        for solution in found:
            pulses = solution.train.pulse
            window.is_used[pulses[pulses >= 0]] = True
            if not with_echoes:
                continue
            _, travel, hears = paths(window, solution.law, solution.x_m, solution.y_m)
            due_s = solution.train.at_s[:, None] + travel + np.nan_to_num(solution.train.delay_s)
            is_deaf = (hears > 0) & ~(pulses >= 0).any(axis=0)
            raise_rates(
                window, due_s, (pulses >= 0) | is_deaf, (tuning.echo_rate_per_s, tuning.echo_s)
            )


def _open(found: Sequence[Solution]) -> list[Solution]:
    return [solution for solution in found if not solution.is_final]


def _apart_m(one: Solution, other: Solution) -> float:
    return math.dist((one.x_m, one.y_m), (other.x_m, other.y_m))
