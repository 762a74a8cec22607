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
from farolito.acoustics.settings import Tuning
from farolito.acoustics.window import Flags, Floats, Ints, Law, Window, paths
from farolito.kernel import kernel

SILENT, MASKED = -1, -2  # in place of a pulse: not heard, or drowned by another source's
DELAY_EARLY_S, DELAY_LATE_S = -0.044, 0.064
NEAR_SDS = 3.5  # farther from its round than this, a pulse is another's
ECHO_FIRST_S, ECHOES_S = 0.02, 1.0  # after a direct arrival its echoes come between
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
    early_sd_s: float
    late_sd_s: float
    freedom: float
    jitter_sd_s: float
    keep_share: float
    echo_rate_per_s: float
    echo_s: float

    @classmethod
    def of(cls, tuning: Tuning, deployment: Deployment) -> Rule:
        return cls(
            tuning.round_half_s, tuning.round_tight_s, tuning.string_s, tuning.rounds_max,
            tuning.round_score_min, tuning.sensors_min, tuning.dead_s,
            deployment.early_sd_s, deployment.late_sd_s, deployment.freedom,
            deployment.jitter_sd_s, tuning.round_keep_share, tuning.echo_rate_per_s, tuning.echo_s,
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
            q = 1.0 - math.exp(-window.quiet_per_s[i] * q_width_s)
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
    """Whether the silence of sensor i at that time says nothing: it had just reported another
    source and was deaf, or what it heard then may still be on its way to us."""
    if at > window.until_s:
        return True
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
    claimed = np.empty(times.size + 1, np.int64)
    for k in range(times.size):
        at = times[k] + travel + delay
        j = _nearest(window, i, at, reach)
        if j < 0:
            if not _is_masked(window, i, at, rule.dead_s):
                open_rounds += 1
            continue
        open_rounds += 1
        claimed[heard] = j
        heard += 1
        residual = window.at_s[j] - at
        off += residual
        fit += peak - 0.5 * (residual / sd) ** 2 - math.log(window.rate_per_s[j])
    a, b = HEARS_STRENGTH * p, HEARS_STRENGTH * (1.0 - p)
    score = _log_beta(a + heard, b + open_rounds - heard) - _log_beta(a, b)
    if heard > 0:
        off /= heard
        # The delay is integrated out (Laplace): its own density, times the width of the peak.
        score += fit + _log_path(rule, delay + off)
        score += 0.5 * math.log(2.0 * math.pi * sd * sd / heard)
        claimed[heard] = window.start[i + 1]
        score += _echoes(window, rule, claimed[: heard + 1])
    return score, heard, off


@kernel
def _log_path(rule: Rule, delay: float) -> float:
    """Density of a path's delay: a Student-t with one scale for early and one for late."""
    nu = rule.freedom
    scale = rule.early_sd_s if delay < 0.0 else rule.late_sd_s
    peak = math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2) - 0.5 * math.log(nu * math.pi)
    peak -= math.log(0.5 * (rule.early_sd_s + rule.late_sd_s))
    return peak - (nu + 1) / 2 * math.log(1 + (delay / scale) ** 2 / nu)


@kernel
def _echoes(window: Window, rule: Rule, claimed: Ints) -> float:
    """What direct arrivals explain besides themselves: the pulses shortly after them, as echoes.
    `claimed`: pulses in order of time, and the end of the sensor's."""
    score = 0.0
    for c in range(claimed.size - 1):
        j = claimed[c]
        end = claimed[c + 1]
        last = c == claimed.size - 2
        span = ECHOES_S if last else min(ECHOES_S, window.at_s[end] - window.at_s[j])
        score -= rule.echo_rate_per_s * rule.echo_s * (1.0 - math.exp(-span / rule.echo_s))
        for m in range(j + 1, end):
            since = window.at_s[m] - window.at_s[j]
            if since > ECHOES_S:
                break
            if not window.is_used[m]:
                rate = rule.echo_rate_per_s * math.exp(-since / rule.echo_s)
                score += math.log(1.0 + rate / window.rate_per_s[m])
    return score


@kernel
def _likely_delay(  # noqa: PLR0913 - scalars, for the compiler
    window: Window, rule: Rule, i: int, travel: float, p: float, times: Floats
) -> float:
    """The delay at which most rounds have a pulse at sensor i, weighed by how likely it is; nan
    where none has any."""
    low, high = window.start[i], window.start[i + 1]
    off = np.empty((high - low) * times.size)
    count = 0
    for k in range(times.size):
        at = times[k] + travel
        first = low + np.searchsorted(window.at_s[low:high], at + DELAY_EARLY_S)
        for j in range(first, high):
            if window.at_s[j] > at + DELAY_LATE_S:
                break
            if not window.is_used[j]:
                off[count] = window.at_s[j] - at
                count += 1
    if count == 0:
        return np.nan
    off = np.sort(off[:count])
    gain = math.log(p / (window.quiet_per_s[i] * rule.jitter_sd_s * 2.5)) - math.log(1.0 - p)
    best, delay = -1e9, np.nan
    tail = 0
    for head in range(count):
        while off[head] - off[tail] > 4.0 * rule.jitter_sd_s:
            tail += 1
        middle = np.mean(off[tail : head + 1])
        value = (head - tail + 1) * gain + _log_path(rule, middle)
        if value > best:
            best, delay = value, middle
    return delay


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
        delay = _likely_delay(window, rule, i, travel[i], hears[i], times)
        # A delay no path has: the score of a sensor that heard nothing.
        scores[i], heard, off = _ear(window, rule, i, travel[i], hears[i], times, 1e6)
        if not math.isnan(delay):
            for _ in range(2):
                score, heard, off = _ear(window, rule, i, travel[i], hears[i], times, delay)
                if heard > 0 and score > scores[i]:
                    scores[i] = score
                    delays[i] = delay + off
                delay += off
        for k in range(rounds):
            at = times[k] + travel[i]
            if not math.isnan(delays[i]):
                at += delays[i]
                pulse[k, i] = _nearest(window, i, at, NEAR_SDS * rule.jitter_sd_s)
            if pulse[k, i] < 0 and _is_masked(window, i, at, rule.dead_s):
                pulse[k, i] = -2
    return scores, delays, pulse


@kernel
def _share_of_rounds(window: Window, rule: Rule, hears: Floats, pulse: Ints) -> Floats:
    """Each round's score as a share of what this string's rounds are expected to score, each
    sensor judged by its own record in the string. Another's round has no share in the rhythm."""
    rounds = pulse.shape[0]
    score, expected = np.zeros(rounds), np.zeros(rounds)
    peak = math.log(1.0 / (rule.jitter_sd_s * math.sqrt(2.0 * math.pi))) - 0.5
    for i in range(hears.size):
        if hears[i] <= 0.0:
            continue
        heard, told = 0, 0
        for k in range(rounds):
            heard += pulse[k, i] >= 0
            told += pulse[k, i] != -2
        p = (HEARS_STRENGTH * hears[i] + heard) / (HEARS_STRENGTH + told)
        p = min(p, 0.97)
        miss = math.log(1.0 - p)
        for k in range(rounds):
            if pulse[k, i] == -2:
                continue
            hit = math.log(p / window.quiet_per_s[i]) + peak
            expected[k] += p * hit + (1.0 - p) * miss
            score[k] += hit if pulse[k, i] >= 0 else miss
    return score / np.maximum(expected, 1.0)


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
    due = np.where(around_s + travel <= window.until_s, hears, 0.0)
    expected = expected_of_round(window, due, 2.0 * rule.half_s)
    score_min = max(rule.score_min, share * expected)
    times, scores = _find(
        window, rule, travel, hears, hears, np.zeros(n), around_s, rule.half_s, score_min,
        rule.sensors_min,
    )  # fmt: skip
    best_round = scores[0] if scores.size else 0.0
    times = np.sort(times)
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
            times = np.sort(again)
    times = np.sort(times)
    ears, delays, pulse = _fit(window, rule, travel, hears, times)
    while True:
        shares = _share_of_rounds(window, rule, hears, pulse)
        worst = np.argmin(shares)
        if shares[worst] >= rule.keep_share or times.size == 1:
            break
        times = np.delete(times, worst)
        ears, delays, pulse = _fit(window, rule, travel, hears, times)
    times = _settle(window, travel, delays, pulse, times)
    return times, pulse, delays, ears, expected, best_round, hears


@kernel
def raise_rates(window: Window, due_s: Floats, echoed: Flags, echo: tuple[float, float]) -> None:
    """Adds to each pulse's background rate the echoes of rounds that are due (rounds, sensors) at
    the sensors where they are `echoed`."""
    rate_per_s, echo_s = echo
    for k in range(due_s.shape[0]):
        for i in range(due_s.shape[1]):
            if not echoed[k, i]:
                continue
            low, high = window.start[i], window.start[i + 1]
            first = low + np.searchsorted(window.at_s[low:high], due_s[k, i] + ECHO_FIRST_S)
            for j in range(first, high):
                since = window.at_s[j] - due_s[k, i]
                if since > ECHOES_S:
                    break
                raised = window.quiet_per_s[i] + rate_per_s * math.exp(-since / echo_s)
                window.rate_per_s[j] = max(window.rate_per_s[j], raised)


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
    score = float(ears.sum()) - _cost(rule, pulse)
    return Train(times, pulse, delays, score, expected * times.size, float(best_round))


def rescore(
    window: Window, law: Law, rule: Rule, place: tuple[float, float], train: Train
) -> float:
    """Score of rounds that are known already."""
    _, travel, hears = paths(window, law, place[0], place[1])
    ears, _, pulse = _fit(window, rule, travel, hears, train.at_s)
    return float(ears.sum()) - _cost(rule, pulse)


def _cost(rule: Rule, pulse: Ints) -> float:
    """Each round's time, and the place, were chosen freely: what that alone would win."""
    heard = np.maximum((pulse >= 0).sum(axis=1), 1)
    width_s = rule.jitter_sd_s * math.sqrt(2 * math.pi) / np.sqrt(heard)
    return float(np.log(2 * rule.string_s / width_s).sum()) + PLACE_COST
