"""The running locator's share of `bench shots`: pulses as they come in, a tick each quarter second.

A pulse can be told 250 ms after its onset (the picker waits for the sound behind it) and crosses
the network in Gamma(2, 0.1 s). Measured in a process that does nothing else: how long each tick
takes, and how long after the discharge the first answer stands that is about it (a round within
0.4 s and 60 m), the tick's own time included. Each trial has 100 sensors and 10 s of strays first.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from farolito.acoustics import Pulse, Source
from farolito.acoustics.evaluate import NEAR_M, REACHES_PROBABILITY, judge, percent, rank
from farolito.acoustics.listening import Listening
from farolito.cli.bench_shots_city import SEEDS_APART, shooting
from farolito.simulator.sound import JUDGE_SEEDS
from farolito.simulator.sound_trial import Trial, trial

Progress = Callable[[float], None]
TICK_S = 0.25
PICKED_S, NETWORK_S = 0.250, 0.1  # Gamma(2, NETWORK_S)
AFTER_S = 6.0  # ticks go on so long after the last pulse
STREAM_SEEDS = 5_000  # from here on within a bench seed's, apart from the batch trials
QUICK = {"single": 3, "string": 3, "two_shooters": 1}
FULL = {"single": 60, "string": 60, "full_auto": 30, "two_shooters": 30, "five_strings": 20}


class Streamed(msgspec.Struct, frozen=True, kw_only=True):
    """One trial. `first_s`: discharge to first answer about it, None: there was none."""

    scene: str
    ticks_s: tuple[float, ...]
    first_s: tuple[float | None, ...]
    first_error_m: tuple[float, ...]
    last_near: tuple[bool, ...]  # the newest answer lies within 25 m
    revisions: tuple[int, ...]
    extra_events: int


def asked(quick: bool, seed: int) -> list[tuple[str, int]]:
    first = JUDGE_SEEDS + seed * SEEDS_APART + STREAM_SEEDS
    scenes = QUICK if quick else FULL
    return [
        (scene, first + n)
        for n in range(max(scenes.values()))
        for scene, count in scenes.items()
        if n < count
    ]


def stream(scene: str, seed: int) -> Streamed:
    """One trial through a fresh `Listening`."""
    made = trial(scene, seed)
    come = arrivals(made.heard.pulses, np.random.default_rng([seed, 1]))
    listening = Listening(made.town.net, made.town.air)
    told: dict[int, Source] = {}  # by track, the newest
    ticks_s: list[float] = []
    truths = [shooting(event) for event in made.events]
    first: list[tuple[float, float] | None] = [None] * len(truths)
    now_s, at = made.span_s[0], 0
    while now_s < made.span_s[1] + AFTER_S:
        until = at
        while until < len(come) and come[until][0] <= now_s:
            until += 1
        begun = time.perf_counter()
        listening.hear([pulse for _, pulse in come[at:until]])
        for source in listening.tick(now_s):
            told[source.track] = source
        ticks_s.append(time.perf_counter() - begun)
        at = until
        scene_now = judge(truths, list(told.values()))
        for number, verdict in enumerate(scene_now.verdicts):
            if verdict.error_m is not None and first[number] is None:
                first[number] = (now_s + ticks_s[-1] - truths[number].times_s[0], verdict.error_m)
        now_s += TICK_S
    return _streamed(made, told, ticks_s, first)


def arrivals(pulses: Sequence[Pulse], rng: np.random.Generator) -> list[tuple[float, Pulse]]:
    """Each pulse with the moment from which the locator can have it."""
    late = PICKED_S + rng.gamma(2, NETWORK_S, len(pulses))
    return sorted(
        ((pulse.at_s + float(by), pulse) for pulse, by in zip(pulses, late, strict=True)),
        key=lambda come: come[0],
    )


def _streamed(
    made: Trial,
    told: dict[int, Source],
    ticks_s: Sequence[float],
    first: Sequence[tuple[float, float] | None],
) -> Streamed:
    scene = judge([shooting(event) for event in made.events], list(told.values()))
    return Streamed(
        scene=made.scene,
        ticks_s=tuple(ticks_s),
        first_s=tuple(None if one is None else one[0] for one in first),
        first_error_m=tuple(one[1] for one in first if one is not None),
        last_near=tuple(verdict.error_m is not None and verdict.error_m <= NEAR_M
                        for verdict in scene.verdicts),
        revisions=tuple(
            source.revision for source in told.values()
            if source.probability >= REACHES_PROBABILITY
        ),
        extra_events=scene.extra_events,
    )  # fmt: skip


def warm_up() -> None:
    """Compile what is compiled on first use, so that no tick pays for it, as the node does."""
    stream("single", 1)


def figures(streamed: Sequence[Streamed]) -> dict[str, Any]:
    ticks = [1000 * tick for one in streamed for tick in one.ticks_s]
    # A shooting that was never answered counts as later than all that were.
    waits = [math.inf if s is None else s for one in streamed for s in one.first_s]
    return {
        "tick_p50_ms": rank(ticks, 0.50),
        "tick_p99_ms": rank(ticks, 0.99),
        "tick_max_ms": max(ticks, default=None),
        "ticks": len(ticks),
        "first_solution_p50_s": _wait(waits, 0.50),
        "first_solution_p95_s": _wait(waits, 0.95),
        "first_error_median_m": rank((e for one in streamed for e in one.first_error_m), 0.5),
        "stream_answered_percent": percent(w < math.inf for w in waits),
        "stream_within_25m_percent": percent(near for one in streamed for near in one.last_near),
        "stream_revisions_median": rank((r for one in streamed for r in one.revisions), 0.5),
        "stream_ghosts_per_100": (
            100 * sum(one.extra_events for one in streamed) / len(streamed) if streamed else None
        ),
    }


def _wait(waits: Sequence[float], share: float) -> float | None:
    """The wait that `share` of them do not pass; None where that one was never answered."""
    if not waits:
        return None
    found = sorted(waits)[math.ceil(share * (len(waits) - 1))]
    return found if found < math.inf else None
