"""How many rounds one place explains, and how well: the score by which places are judged.

All rounds of a place share each sensor's path, so at every sensor the whole string arrives late
by one delay, common to the rounds, and keeps its rhythm to a few milliseconds. A mixture of two
shooters, or a place that is wrong by one firing period, keeps no rhythm at one small delay.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from farolito.acoustics.deployment import Deployment
from farolito.acoustics.kernel import kernel
from farolito.acoustics.settings import Tuning
from farolito.acoustics.window import Floats, Ints, Law, Window, paths

SILENT, MASKED = -1, -2  # in place of a pulse: not heard, or drowned by another source's
DELAY_EARLY_S, DELAY_LATE_S, DELAY_STEP_S = -0.044, 0.064, 0.004
NEAR_SDS = 3.5  # farther from its round than this, a pulse is another's
HEARS_STRENGTH = 3.0  # the range's curve is worth this many rounds against a sensor's own record
PLACE_COST = 6.0  # a place may be chosen freely: what that alone wins
SECOND_SHARE = 0.4  # of the strongest round's score and sensors, what each other must have


class Rule(NamedTuple):
    """Scalars of tuning and deployment for the kernels."""

    half_s: float
    tight_s: float
    string_s: float
    rounds_max: int
    score_min: float
    sensors_min: int
    dead_s: float
    path_sd_s: float
    freedom: float
    jitter_sd_s: float

    @classmethod
    def of(cls, tuning: Tuning, deployment: Deployment) -> Rule:
        return cls(
            tuning.round_half_s, tuning.round_tight_s, tuning.string_s, tuning.rounds_max,
            tuning.round_score_min, tuning.sensors_min, tuning.dead_s,
            deployment.path_sd_s, deployment.freedom, deployment.jitter_sd_s,
        )  # fmt: skip


class Train(NamedTuple):
    """The rounds of one place. `pulse` (rounds, sensors): which pulse each sensor heard each by,
    SILENT or MASKED. `delay_s`: of each sensor's path, nan where it heard nothing. `score`: of
    all rounds together, costs taken off; `expected`: what a true source would score in the mean;
    `best_round`: the strongest round's score by itself."""

    at_s: Floats
    pulse: Ints
    delay_s: Floats
    score: float
    expected: float
    best_round: float


@kernel
def expected_of_round(window: Window, hears: Floats, q_width_s: float) -> float:
    """Score that a true round is expected to reach: nats, by the law of participation."""
    total = 0.0
    for i in range(hears.size):
        p = hears[i]
        if p > 0.0:
            rate = 0.05
            if window.start[i + 1] > window.start[i]:
                rate = window.rate_per_s[window.start[i]]
            q = 1.0 - math.exp(-rate * q_width_s)
            total += p * math.log((p + (1.0 - p) * q) / q) + (1.0 - p) * math.log(1.0 - p)
    return total


@kernel
def _find(  # noqa: PLR0912, PLR0913, PLR0915 - one sweep over sorted arrays, for the compiler
    window: Window, rule: Rule, travel: Floats, hears: Floats, learned: Floats, delay: Floats,
    around_s: float, half_s: float, score_min: float, sensors_min: int,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Times and scores of the rounds of a place, the strongest first: windows of arrival times,
    less the sensors' delays, that score enough; a pulse belongs to one round only."""
    count = 0
    size = window.at_s.size
    tau, who, gain = np.empty(size), np.empty(size, np.int64), np.empty(size)
    base = 0.0
    for i in range(hears.size):
        if hears[i] <= 0.0:
            continue
        p = learned[i]
        miss = math.log(1.0 - p)
        base += miss
        for j in range(window.start[i], window.start[i + 1]):
            at = window.at_s[j] - travel[i] - delay[i]
            if window.is_used[j] or abs(at - around_s) > rule.string_s:
                continue
            q = 1.0 - math.exp(-window.rate_per_s[j] * 2.0 * half_s)
            tau[count], who[count] = at, i
            gain[count] = math.log((p + (1.0 - p) * q) / q) - miss
            count += 1
    order = np.argsort(tau[:count])
    spent = np.zeros(count, np.bool_)
    times, scores = np.empty(rule.rounds_max), np.empty(rule.rounds_max)
    found = 0
    inside, counted = np.zeros(hears.size, np.int64), np.zeros(hears.size)
    first_score, first_sensors = 0.0, 0
    while found < rule.rounds_max:
        inside[:] = 0
        score, sensors, tail = base, 0, 0
        best, best_sensors, low, high = -1e9, 0, 0, 0
        for head in range(count):
            j = order[head]
            if spent[head]:
                continue
            while tau[order[tail]] < tau[j] - 2.0 * half_s or spent[tail]:
                if not spent[tail]:
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
                best, best_sensors, low, high = score, sensors, tail, head
        if best < score_min or best_sensors < sensors_min:
            break
        if found == 0:
            first_score, first_sensors = best, best_sensors
        elif best < SECOND_SHARE * first_score or best_sensors < SECOND_SHARE * first_sensors:
            break
        inner = np.empty(high - low + 1)
        m = 0
        for h in range(low, high + 1):
            if not spent[h]:
                inner[m] = tau[order[h]]
                spent[h] = True
                m += 1
        times[found], scores[found] = np.median(inner[:m]), best
        found += 1
    return times[:found], scores[:found]


@kernel
def _nearest(window: Window, i: int, at: float, reach: float) -> int:
    """The unused pulse of sensor i nearest to `at`, or SILENT."""
    low, high = window.start[i], window.start[i + 1]
    first = low + np.searchsorted(window.at_s[low:high], at - reach)
    best, pulse = reach, -1
    for j in range(first, high):
        if window.at_s[j] > at + reach:
            break
        off = abs(window.at_s[j] - at)
        if not window.is_used[j] and off <= best:
            best, pulse = off, j
    return pulse


@kernel
def _is_masked(window: Window, i: int, at: float, dead_s: float) -> bool:
    """Whether sensor i was deaf at that time, since it had just reported another source."""
    low, high = window.start[i], window.start[i + 1]
    first = low + np.searchsorted(window.at_s[low:high], at - dead_s)
    for j in range(first, high):
        if window.at_s[j] > at + 0.1 * dead_s:
            break
        if window.is_used[j]:
            return True
    return False


@kernel
def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


@kernel
def _ear(  # noqa: PLR0913 - scalars, for the compiler
    window: Window, rule: Rule, i: int, travel: float, p: float, times: Floats, delay: float
) -> tuple[float, int, float]:
    """Score of sensor i if its path is late by `delay`; rounds heard, and their mean residual."""
    sd = rule.jitter_sd_s
    reach = NEAR_SDS * sd
    peak = math.log(1.0 / (sd * math.sqrt(2.0 * math.pi)))
    heard, open_rounds = 0, 0
    fit, off = 0.0, 0.0
    for k in range(times.size):
        at = times[k] + travel + delay
        j = _nearest(window, i, at, reach)
        if j < 0:
            if not _is_masked(window, i, at, rule.dead_s):
                open_rounds += 1
            continue
        open_rounds += 1
        heard += 1
        residual = window.at_s[j] - at
        off += residual
        fit += peak - 0.5 * (residual / sd) ** 2 - math.log(window.rate_per_s[j])
    a, b = HEARS_STRENGTH * p, HEARS_STRENGTH * (1.0 - p)
    score = _log_beta(a + heard, b + open_rounds - heard) - _log_beta(a, b)
    if heard > 0:
        off /= heard
        nu = rule.freedom
        path = (delay + off) / rule.path_sd_s
        # The delay is integrated out (Laplace): its own density, times the width of the peak.
        score += fit + math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2)
        score -= 0.5 * math.log(nu * math.pi) + math.log(rule.path_sd_s)
        score -= (nu + 1) / 2 * math.log(1 + path * path / nu)
        score += 0.5 * math.log(2.0 * math.pi * sd * sd / heard)
    return score, heard, off


@kernel
def _fit(
    window: Window, rule: Rule, travel: Floats, hears: Floats, times: Floats
) -> tuple[Floats, Floats, Ints]:
    """Per sensor: score, delay (nan: heard nothing), and the pulse of each round."""
    n, rounds = hears.size, times.size
    scores, delays = np.zeros(n), np.full(n, np.nan)
    pulse = np.full((rounds, n), -1, np.int64)
    for i in range(n):
        if hears[i] <= 0.0:
            continue
        best, best_delay, best_heard = -1e9, 0.0, 0
        delay = DELAY_EARLY_S
        while delay <= DELAY_LATE_S:
            score, heard, off = _ear(window, rule, i, travel[i], hears[i], times, delay)
            if score > best:
                best, best_delay, best_heard = score, delay + off, heard
            delay += DELAY_STEP_S
        if best_heard > 0:
            score, heard, off = _ear(window, rule, i, travel[i], hears[i], times, best_delay)
            if score >= best:
                best, best_heard = score, heard
                best_delay += off
        scores[i] = best
        if best_heard > 0:
            delays[i] = best_delay
        for k in range(rounds):
            at = times[k] + travel[i] + best_delay
            if best_heard > 0:
                pulse[k, i] = _nearest(window, i, at, NEAR_SDS * rule.jitter_sd_s)
            if pulse[k, i] < 0 and _is_masked(window, i, at, rule.dead_s):
                pulse[k, i] = -2
    return scores, delays, pulse


@kernel
def _settle(window: Window, travel: Floats, delays: Floats, pulse: Ints, times: Floats) -> Floats:
    """Times of the rounds anew: the median over the sensors of arrival less path and delay."""
    settled = times.copy()
    off = np.empty(delays.size)
    for k in range(times.size):
        m = 0
        for i in range(delays.size):
            if pulse[k, i] >= 0:
                off[m] = window.at_s[pulse[k, i]] - travel[i] - delays[i]
                m += 1
        if m > 0:
            settled[k] = np.median(off[:m])
    return settled


@kernel
def _judge(  # noqa: PLR0913 - columns, for the compiler
    window: Window, law: Law, rule: Rule, x: float, y: float, around_s: float, share: float
) -> tuple[Floats, Ints, Floats, Floats, float, float, Floats]:
    """The rounds of a place by turns: times from delays, delays from times."""
    _, travel, hears = paths(window, law, x, y)
    n = hears.size
    expected = expected_of_round(window, hears, 2.0 * rule.half_s)
    score_min = max(rule.score_min, share * expected)
    times, scores = _find(
        window, rule, travel, hears, hears, np.zeros(n), around_s, rule.half_s, score_min,
        rule.sensors_min,
    )  # fmt: skip
    best_round = scores[0] if scores.size else 0.0
    ears, delays, pulse = np.zeros(n), np.full(n, np.nan), np.full((0, n), -1, np.int64)
    if times.size == 0:
        return times, pulse, delays, ears, expected, best_round, hears
    for turn in range(2):
        ears, delays, pulse = _fit(window, rule, travel, hears, times)
        times = _settle(window, travel, delays, pulse, times)
        learned, known = hears.copy(), np.zeros(n)
        for i in range(n):
            if hears[i] > 0.0:
                heard = 0
                for k in range(times.size):
                    if pulse[k, i] >= 0:
                        heard += 1
                learned[i] = (2.0 * hears[i] + heard) / (2.0 + times.size)
                learned[i] = min(max(learned[i], 0.02), 0.97)
                if not math.isnan(delays[i]):
                    known[i] = delays[i]
        if turn == 0:
            again, scores = _find(
                window, rule, travel, hears, learned, known, around_s, rule.tight_s,
                0.75 * score_min, rule.sensors_min - 1,
            )  # fmt: skip
            if again.size == 0:
                break
            best_round = max(best_round, scores[0])
            times = again
    times = np.sort(times)
    ears, delays, pulse = _fit(window, rule, travel, hears, times)
    times = _settle(window, travel, delays, pulse, times)
    return times, pulse, delays, ears, expected, best_round, hears


def judge(
    window: Window, law: Law, rule: Rule, place: tuple[float, float, float], share: float = 0.0
) -> Train | None:
    """The rounds that a source at `place` (x, y, about when) fired, or None.

    `share`: of the score expected of a round there, what each must reach.
    """
    times, pulse, delays, ears, expected, best_round, _ = _judge(
        window, law, rule, place[0], place[1], place[2], share
    )
    if times.size == 0:
        return None
    # Each round's time was chosen freely within the string's span: what that alone would win.
    heard = np.maximum((pulse >= 0).sum(axis=1), 1)
    width_s = rule.jitter_sd_s * math.sqrt(2 * math.pi) / np.sqrt(heard)
    cost = float(np.log(2 * rule.string_s / width_s).sum()) + PLACE_COST
    return Train(
        times, pulse, delays, float(ears.sum()) - cost, expected * times.size, float(best_round)
    )
