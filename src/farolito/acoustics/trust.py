"""Which sensors can be believed now: set aside with a reason, taken back on evidence.

A sensor is judged by what is known of it (`History`) beside its neighbours (`Peers`), so that
weather that troubles all of them is nobody's fault. What puts a sensor aside and what lets it
return are two different limits, so that nothing flaps. `history.Watch` keeps the histories.

What counts against a sensor is only what it signed itself: whoever repeats its messages must not
be able to silence it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec
import numpy as np

from farolito.acoustics.history import Beat, Expected, History, Watch
from farolito.acoustics.net import Net

LATE_S, DOWN_S = 45.0, 90.0  # since the last sign of life
BACK_BEATS = 2  # heartbeats, each in time, before a sensor that was down counts as up
CLOCK_MAX_S, CLOCK_BACK_S = 0.020, 0.010  # median offset from the arrivals that others agree on
CLAIM_MAX_S, CLAIM_BACK_S = 0.010, 0.005  # of its own estimate, 1 sd
AHEAD_MAX_S = 0.020  # an onset this much later than its own arrival is a clock ahead
SOURCES_MIN = 5  # before residuals judge a clock
PLACES_MIN, APART_M = 3, 100.0  # from so many places: an echo is constant from one place alone
AGREE_S = 0.015  # offsets of a wrong clock lie so close to their middle
AGREE_SHARE = 0.6
RECENT = 12  # sources that can bring a sensor back
PLACE_MAX_M, PLACE_BACK_M = 25.0, 15.0
PLACE_BEATS = 3
SHIFT_MAX_M, SHIFT_STEP_M, SHIFT_SOURCES = 240.0, 10.0, 8
FLOOD_TIMES, FLOOD_BACK_TIMES = 10.0, 4.0  # of the net's median rate
FLOOD_PER_S = 0.5  # and never below this
DEAF_CHANCE, DEAF_SHARE = 1e-4, 0.25
DEAF_BACK, DEAF_BACK_OF = 3, 5
DRIFT_PER_S = 1e-6  # a crystal without GPS: 1 ppm, 3.6 ms an hour
CLOCK_SD_S = 0.0005
ASIDE_SHARE_MAX = 0.25  # of the sensors up; beyond it, it is the net or the weather, not they


class State(StrEnum):
    UP = "up"
    LATE = "late"  # quiet for longer than a heartbeat; still believed
    ASIDE = "aside"  # alive, and not believed
    DOWN = "down"


class Cause(StrEnum):
    CLOCK = "clock"
    CLAIM = "claim"  # its own word on its clock
    PLACE = "place"
    FLOOD = "flood"
    DEAF = "deaf"


_STATISTICAL = (Cause.CLOCK, Cause.FLOOD, Cause.DEAF)
"""Causes that compare a sensor with others: these may never empty the net."""

DO: Mapping[Cause, str] = {
    Cause.CLOCK: "look at its GPS antenna and restart it",
    Cause.CLAIM: "look at its GPS antenna; it returns by itself when its clock is locked",
    Cause.PLACE: "survey its place again and register it",
    Cause.FLOOD: "listen to a clip: something rattles or works beside it",
    Cause.DEAF: "test its microphone, or take it out of the net",
}


class Peers(msgspec.Struct, frozen=True, kw_only=True):
    """What the net as a whole does now: the median rate of pulses over a minute."""

    pulses_per_s: float = 0.05


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """The standing of one sensor. `says`: why, with figures; `do`: what helps. The last three
    are what the locator is given. `causes`: when each began."""

    sensor: str
    state: State
    says: str = ""
    do: str = ""
    clock_sd_s: float = CLOCK_SD_S
    strays_per_s: float = 0.05
    hears: float = 1.0
    causes: dict[Cause, float] = {}

    @property
    def is_up(self) -> bool:
        return self.state in (State.UP, State.LATE)


def trusted(watch: Watch, before: Mapping[str, Trust], now_s: float) -> list[Trust]:
    """The standing of every registered sensor now, in the net's order."""
    histories = watch.histories(now_s)
    rates = [one.pulses_per_s for one in histories if one.heard_at_s is not None]
    peers = Peers(pulses_per_s=float(np.median(rates)) if rates else 0.0)
    return keep_enough([judge(one, before.get(one.sensor), peers, now_s) for one in histories])


def net_of(registered: Net, trusts: Sequence[Trust]) -> Net:
    """The registered sensors as the locator should take them now, in steps so coarse that the net
    changes seldom."""
    by_name = {trust.sensor: trust for trust in trusts}
    return Net(
        tuple(
            msgspec.structs.replace(
                sensor,
                is_up=by_name[sensor.name].is_up,
                strays_per_s=max(0.01, round(by_name[sensor.name].strays_per_s, 2)),
                hears=max(0.1, round(by_name[sensor.name].hears, 1)),
                clock_sd_s=max(CLOCK_SD_S, round(by_name[sensor.name].clock_sd_s, 3)),
            )
            if sensor.name in by_name
            else sensor
            for sensor in registered.sensors
        )
    )


def judge(history: History, before: Trust | None, peers: Peers, now_s: float) -> Trust:
    """The sensor's standing now, from its history and its standing before."""
    standing = before.causes if before else {}
    reasons = {
        cause: says
        for cause, check in _CHECKS.items()
        if (says := check(history, cause in standing, peers, now_s))
    }
    state, says = _life(history, before, now_s)
    do = "see to its power and its line" if state is State.DOWN else ""
    if reasons and state is not State.DOWN:
        first = next(iter(reasons))
        state, says, do = State.ASIDE, "; ".join(reasons.values()), DO[first]
    return Trust(
        sensor=history.sensor,
        state=state,
        says=says,
        do=do,
        clock_sd_s=clock_sd_s(history, now_s),
        strays_per_s=history.strays_per_s,
        hears=history.hears,
        causes={cause: standing.get(cause, now_s) for cause in reasons},
    )


def keep_enough(trusts: Sequence[Trust]) -> list[Trust]:
    """The same, with no more than a quarter of the living sensors aside for reasons that compare
    them with each other: beyond that the comparison is what is wrong. The longest aside stay."""
    living = sum(trust.state is not State.DOWN for trust in trusts)
    limit = math.floor(living * ASIDE_SHARE_MAX)
    judged = [t for t in trusts if t.causes and all(cause in _STATISTICAL for cause in t.causes)]
    judged.sort(key=lambda trust: (min(trust.causes.values()), trust.sensor))
    spared = {trust.sensor for trust in judged[limit:]}
    why = f"kept, since {len(judged)} of {living} look wrong at once: "
    return [_spared(trust, why) if trust.sensor in spared else trust for trust in trusts]


def _spared(trust: Trust, why: str) -> Trust:
    return msgspec.structs.replace(trust, state=State.UP, do="", says=why + trust.says)


def clock_sd_s(history: History, now_s: float) -> float:
    """1 sd of its clock: its own word, or the drift of a crystal since GPS was lost."""
    beat = history.last_beat
    if beat is None:
        return CLOCK_SD_S
    claimed = beat.clock_error_s if beat.clock_error_s is not None else CLOCK_SD_S
    if beat.clock_source != "none" or history.locked_at_s is None:
        return max(CLOCK_SD_S, claimed)
    return max(CLOCK_SD_S, claimed, (now_s - history.locked_at_s) * DRIFT_PER_S)


def _life(history: History, before: Trust | None, now_s: float) -> tuple[State, str]:
    if history.heard_at_s is None:
        return State.DOWN, "never heard from since it was registered"
    silent_s = now_s - history.heard_at_s
    if silent_s > DOWN_S:
        return State.DOWN, f"silent for {_span(silent_s)}"
    was_down = before is not None and before.state is State.DOWN
    if was_down and history.beats_in_a_row < BACK_BEATS and history.beats:
        return State.DOWN, "heard again; believed after its next heartbeat"
    if silent_s > LATE_S:
        return State.LATE, f"its heartbeat is late: {_span(silent_s)}"
    return State.UP, ""


def _claim(history: History, standing: bool, peers: Peers, now_s: float) -> str:
    sd = clock_sd_s(history, now_s)
    beat = history.last_beat
    if sd > (CLAIM_BACK_S if standing else CLAIM_MAX_S):
        source = "its GPS is lost, and " if beat and beat.clock_source == "none" else ""
        return f"{source}its clock may be {1000 * sd:.0f} ms off"
    ahead = history.ahead_s
    if ahead > (0.0 if standing else AHEAD_MAX_S):
        return f"its clock is ahead: an onset came {1000 * ahead:.0f} ms before it happened"
    return ""


def _clock(history: History, standing: bool, peers: Peers, now_s: float) -> str:
    lately = constant_offset(history.expected[-RECENT:])
    found = lately if standing else constant_offset(history.expected)
    if found is None:
        return _still(standing, "its clock was off, and too few sources since tell otherwise")
    offset, of = found
    if abs(offset) <= (CLOCK_BACK_S if standing else CLOCK_MAX_S):
        return ""
    if lately is not None and abs(lately[0]) <= CLOCK_BACK_S:
        return ""  # it was off, and is well again
    side = "late" if offset > 0 else "early"
    return f"its clock: {1000 * abs(offset):.0f} ms {side} over {of} sources"


def _still(standing: bool, says: str) -> str:
    return says if standing else ""


def constant_offset(expected: Sequence[Expected]) -> tuple[float, int] | None:
    """(s, sources): the one delay by which this sensor's pulses miss the arrivals that others
    agree on, whatever the source's place. None where the sources do not tell.

    An echo path gives a constant delay too, but another for each place, so it takes sources from
    several places.
    """
    heard = [one for one in expected if one.offsets_s]
    if len(heard) < SOURCES_MIN:
        return None
    offsets = np.array([offset for one in heard for offset in one.offsets_s])
    owner = np.array([at for at, one in enumerate(heard) for _ in one.offsets_s])
    best: tuple[int, float, list[int]] | None = None
    for centre in offsets:
        near = np.abs(offsets - centre) <= AGREE_S
        voters = sorted({int(at) for at in owner[near]})
        middle = float(np.median(offsets[near]))
        if best is None or (len(voters), -abs(middle)) > (best[0], -abs(best[1])):
            best = (len(voters), middle, voters)
    assert best is not None
    votes, middle, voters = best
    places = _places([heard[at] for at in voters])
    if votes < SOURCES_MIN or votes < AGREE_SHARE * len(heard) or places < PLACES_MIN:
        return None
    return middle, votes


def _places(sources: Sequence[Expected]) -> int:
    apart: list[Expected] = []
    for one in sources:
        if all(math.hypot(one.x_m - o.x_m, one.y_m - o.y_m) > APART_M for o in apart):
            apart.append(one)
    return len(apart)


def _place(history: History, standing: bool, peers: Peers, now_s: float) -> str:
    beats = [beat for beat in history.beats if beat.x_m is not None][-PLACE_BEATS:]
    if len(beats) == PLACE_BEATS or (standing and beats):
        away = sorted(_away_m(beat, history) for beat in beats)[len(beats) // 2]
        if away > (PLACE_BACK_M if standing else PLACE_MAX_M):
            return f"its GPS puts it {away:.0f} m from where it is registered"
        if standing and len(beats) < PLACE_BEATS:
            return "its place was wrong, and too few heartbeats since tell otherwise"
        return ""
    lately = shifted_place(history.expected[-RECENT:], history.x_m, history.y_m)
    shift = shifted_place(history.expected, history.x_m, history.y_m) and lately
    if shift is None:
        return ""
    return f"its pulses fit a place {shift[0]:.0f} m away ({shift[1]} sources)"


def _away_m(beat: Beat, history: History) -> float:
    assert beat.x_m is not None
    assert beat.y_m is not None
    away = math.hypot(beat.x_m - history.x_m, beat.y_m - history.y_m)
    return max(0.0, away - 2 * (beat.place_error_m or 0.0))


def shifted_place(expected: Sequence[Expected], x_m: float, y_m: float) -> tuple[float, int] | None:
    """(metres, sources): how far off a place would explain its pulses clearly better than the
    registered one does. None where nothing says so."""
    heard = [one for one in expected if one.offsets_s]
    if len(heard) < SHIFT_SOURCES or _places(heard) < PLACES_MIN:
        return None
    offsets = np.full((len(heard), max(len(one.offsets_s) for one in heard)), np.inf)
    for at, one in enumerate(heard):
        offsets[at, : len(one.offsets_s)] = one.offsets_s
    here_votes = int((np.abs(offsets).min(axis=1) <= 2 * AGREE_S).sum())
    if here_votes >= AGREE_SHARE * len(heard):
        return None  # it stands where it is registered; the search is only for those that do not
    source = np.array([(one.x_m, one.y_m, one.sound_mps) for one in heard])
    steps = np.arange(-SHIFT_MAX_M, SHIFT_MAX_M + 1, SHIFT_STEP_M)
    dx, dy = (part.ravel() for part in np.meshgrid(steps, steps))
    here = np.hypot(x_m - source[:, 0], y_m - source[:, 1])
    there = np.hypot(x_m + dx[:, None] - source[:, 0], y_m + dy[:, None] - source[:, 1])
    delay = (there - here) / source[:, 2]
    miss = np.abs(offsets[None, :, :] - delay[:, :, None]).min(axis=2)
    votes = (miss <= AGREE_S).sum(axis=1)
    best = int(np.argmax(votes - 0.001 * np.hypot(dx, dy)))
    away = float(math.hypot(dx[best], dy[best]))
    clearly = votes[best] >= max(SHIFT_SOURCES, AGREE_SHARE * len(heard), 2 * here_votes)
    return (away, int(votes[best])) if clearly and away > PLACE_MAX_M else None


def _flood(history: History, standing: bool, peers: Peers, now_s: float) -> str:
    times = FLOOD_BACK_TIMES if standing else FLOOD_TIMES
    limit = max(FLOOD_PER_S * (0.5 if standing else 1.0), times * peers.pulses_per_s)
    # Aside, it returns only after five minutes without a single loud one.
    rate = history.busiest_per_s if standing else history.pulses_per_s
    if rate <= limit:
        return ""
    return f"{rate:.1f} impulses a second, its neighbours {peers.pulses_per_s:.2f}"


def _deaf(history: History, standing: bool, peers: Peers, now_s: float) -> str:
    expected = history.expected
    if not expected:
        return ""
    heard = sum(one.was_heard for one in expected)
    last = sum(one.was_heard for one in expected[-DEAF_BACK_OF:])
    if last >= DEAF_BACK:
        return ""
    if standing:
        return f"heard {last} of the last {DEAF_BACK_OF} sources near it"
    hoped = sum(one.p for one in expected)
    if heard >= DEAF_SHARE * hoped:
        return ""
    if at_most([one.p for one in expected], heard) >= DEAF_CHANCE:
        return ""
    return f"heard {heard} of {len(expected)} sources where {hoped:.0f} were to be expected"


def at_most(chances: Sequence[float], heard: int) -> float:
    """The chance that so many or fewer hear (Poisson-binomial, exact)."""
    counts = np.zeros(len(chances) + 1)
    counts[0] = 1.0
    for p in chances:
        counts[1:] = counts[1:] * (1 - p) + counts[:-1] * p
        counts[0] *= 1 - p
    return float(counts[: heard + 1].sum())


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 180 else f"{seconds / 60:.0f} min"


_CHECKS = {
    Cause.CLAIM: _claim,
    Cause.PLACE: _place,
    Cause.CLOCK: _clock,
    Cause.FLOOD: _flood,
    Cause.DEAF: _deaf,
}
"""In order: who cannot be believed at all first, then what may be the surroundings."""
