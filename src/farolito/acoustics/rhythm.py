"""A string by its rhythm: the gaps between its rounds are the same at every sensor.

One sensor puts a string forth; another heard it where the same gaps come again, later by one
offset. Echoes keep the rhythm too, so a sensor has several ways to have heard a string.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from farolito.acoustics.rounds import NEAR_SDS, SILENT, Rule
from farolito.acoustics.window import Floats, Ints, Law, Window

RHYTHMS_MAX, OFFERS_MAX = 8, 10
BEHIND_NATS = 15.0  # a rhythm so far behind the likeliest is none
PULSES_MAX = 60  # of one sensor that are looked at, the latest
ECHOES_S = 1.0
SLOW, SPARE_S = 0.95, 0.060  # the slowest sound as a share of the air's, and how late paths are


class Rhythm(NamedTuple):
    """A string as sensor `by` heard it: arrival times there, seconds as the window's."""

    by: int
    at_s: Floats


class Offers(NamedTuple):
    """How sensors may have heard a rhythm, a row for each way: by which sensor, how much later
    than at the sensor that put it forth, how many rounds, the log-likelihood ratio of its pulses
    (place and participation apart), their level (nan: not told), and the pulse of each round
    (ways, rounds; SILENT where there is none)."""

    sensor: Ints
    offset_s: Floats
    heard: Ints
    nats: Floats
    level_db: Floats
    pulse: Ints


def rhythms(window: Window, law: Law, rule: Rule) -> list[tuple[Rhythm, Offers]]:
    """The likeliest strings of a window, all put forth by one sensor, the likeliest first."""
    free = [_free(window, i) for i in range(window.x_m.size)]
    best: list[tuple[float, Rhythm, Offers]] = []
    for by in range(window.x_m.size):
        told = []
        for at_s in _strings(window, law, rule, free, by):
            rhythm = Rhythm(by, at_s)
            offers = offers_of(window, law, rule, free, rhythm)
            told.append((_bound(window, offers, rule, at_s.size), rhythm, offers))
        told.sort(key=lambda one: -one[0])
        if told and (not best or told[0][0] > best[0][0]):
            best = told
    return [
        (rhythm, offers)
        for bound, rhythm, offers in best[:RHYTHMS_MAX]
        if bound > best[0][0] - BEHIND_NATS
    ]


def cost(rule: Rule, rounds: int, sensors: int) -> float:
    """What choosing the rounds' times freely wins by itself. The first one's is integrated
    against its prior elsewhere; here it is that prior."""
    width_s = rule.jitter_sd_s * math.sqrt(2 * math.pi / max(sensors, 1))
    return (rounds - 1) * math.log(2 * rule.string_s / width_s) + math.log(2 * rule.string_s)


def offers_of(window: Window, law: Law, rule: Rule, free: list[Ints], rhythm: Rhythm) -> Offers:
    """All ways in which the sensors may have heard a rhythm."""
    rows: list[tuple[int, float, int, float, float, Ints]] = []
    for i in range(window.x_m.size):
        ways = []
        apart_s = _apart_s(window, law, rhythm.by, i)
        theirs_s = window.at_s[free[i]]
        is_own = i == rhythm.by
        for offset_s in (
            [0.0] if is_own else _offsets(theirs_s, rhythm.at_s, apart_s, rule.jitter_sd_s)
        ):
            way = _way(window, rule, free[i], rhythm.at_s + offset_s)
            if way is not None:
                off, nats, pulse = way
                level = window.level_db[pulse[pulse != SILENT]]
                level_db = float(np.median(level)) if level.size else math.nan
                heard = int((pulse != SILENT).sum())
                ways.append((i, offset_s + off, heard, nats, level_db, pulse))
        ways.sort(key=lambda way: -way[3])
        rows += ways[:OFFERS_MAX]
    sensor, offset, heards, nats_, level_, pulses = zip(*rows, strict=True)
    return Offers(
        np.array(sensor, dtype=np.int64), np.array(offset), np.array(heards, dtype=np.int64),
        np.array(nats_), np.array(level_), np.array(pulses, dtype=np.int64),
    )  # fmt: skip


def _free(window: Window, i: int) -> Ints:
    pulses = np.arange(window.start[i], window.start[i + 1])
    free: Ints = pulses[~window.is_used[pulses]][-PULSES_MAX:]
    return free


def _strings(window: Window, law: Law, rule: Rule, free: list[Ints], by: int) -> list[Floats]:
    """Sets of arrivals at sensor `by` that come again at another sensor, and each by itself."""
    mine = window.at_s[free[by]]
    near_s = NEAR_SDS * rule.jitter_sd_s
    sets = {frozenset((k,)) for k in range(mine.size)}
    for i in range(window.x_m.size):
        theirs = window.at_s[free[i]]
        if i == by or not theirs.size:
            continue
        apart_s = _apart_s(window, law, by, i)
        for offset_s in (theirs[:, None] - mine[None, :]).ravel():
            if abs(offset_s) > apart_s:
                continue
            off = np.abs(theirs[:, None] - mine[None, :] - offset_s).min(axis=0)
            again = np.flatnonzero(off <= near_s)
            first = mine[again[0]]
            sets.add(frozenset(again[mine[again] - first <= 2 * rule.string_s].tolist()))
    return [mine[sorted(one)] for one in sets if len(one) <= rule.rounds_max]


def _offsets(theirs_s: Floats, at_s: Floats, apart_s: float, jitter_s: float) -> list[float]:
    """Offsets within `apart_s` at which any of a rhythm comes again, none within jitter of
    another."""
    offsets = np.sort((theirs_s[:, None] - at_s[None, :]).ravel())
    offsets = offsets[np.abs(offsets) <= apart_s]
    kept: list[float] = []
    for offset_s in offsets.tolist():
        if not kept or offset_s - kept[-1] > jitter_s:
            kept.append(offset_s)
    return kept


def _apart_s(window: Window, law: Law, i: int, j: int) -> float:
    apart_m = math.hypot(window.x_m[i] - window.x_m[j], window.y_m[i] - window.y_m[j])
    return apart_m / (SLOW * law.sound_mps) + SPARE_S


def _way(window: Window, rule: Rule, free: Ints, due_s: Floats) -> tuple[float, float, Ints] | None:
    """Mean offset, log-likelihood ratio and pulses of a sensor that should hear rounds at
    `due_s`; None where it has none of them."""
    sd = rule.jitter_sd_s
    at_s = window.at_s[free]
    nearest = np.abs(at_s[:, None] - due_s[None, :]).argmin(axis=0)
    off = at_s[nearest] - due_s
    hit = np.abs(off) <= NEAR_SDS * sd
    # A pulse is one round's.
    hit &= np.concatenate(([True], nearest[1:] != nearest[:-1]))
    if not hit.any():
        return None
    claimed = nearest[hit]
    late_s = float(off[hit].mean())
    nats = float(
        np.sum(
            -math.log(sd * math.sqrt(2 * math.pi))
            - 0.5 * ((off[hit] - late_s) / sd) ** 2
            - np.log(window.rate_per_s[free[claimed]])
        )
    )
    nats += 0.5 * math.log(2 * math.pi * sd * sd / claimed.size)
    nats += _echoes(window, rule, free, claimed)
    pulse = np.full(due_s.size, SILENT, dtype=np.int64)
    pulse[hit] = free[claimed]
    return late_s, nats, pulse


def _echoes(window: Window, rule: Rule, free: Ints, claimed: Ints) -> float:
    """What direct arrivals explain besides themselves: the pulses shortly after, as echoes."""
    at_s = window.at_s[free]
    ends = np.append(at_s[claimed[1:]], math.inf)
    nats = 0.0
    for c, end_s in zip(claimed.tolist(), ends.tolist(), strict=True):
        span_s = min(ECHOES_S, end_s - at_s[c])
        nats -= rule.echo_rate_per_s * rule.echo_s * (1 - math.exp(-span_s / rule.echo_s))
        after = np.flatnonzero((at_s > at_s[c]) & (at_s < end_s) & (at_s <= at_s[c] + ECHOES_S))
        since = at_s[after] - at_s[c]
        rate = rule.echo_rate_per_s * np.exp(-since / rule.echo_s)
        nats += float(np.log1p(rate / window.rate_per_s[free[after]]).sum())
    return nats


def _bound(window: Window, offers: Offers, rule: Rule, rounds: int) -> float:
    """What a rhythm could score at a place that suits every sensor."""
    best = np.zeros(window.x_m.size)
    np.maximum.at(best, offers.sensor, offers.nats - math.log(rule.early_sd_s + rule.late_sd_s))
    return float(best.sum()) - cost(rule, rounds, int((best > 0).sum()))
