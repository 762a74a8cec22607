"""Judging a locator against a known truth: error, rounds, ellipse, what was missed or made up.

The locator never sees what is used here. Two cases: a live-fire test (one shooting in the window
and no known moment), and a scene of several shootings whose moments are known.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from farolito.acoustics.source import Place, Source

NEAR_M = 25.0  # what contracts of the trade ask for
HIT_S, HIT_M = 0.4, 60.0  # an answer with a round this near a true one is about it
REACHES_PROBABILITY = 0.2  # below, a source is kept and shown to nobody unasked
ELLIPSE95 = -2 * math.log(0.05)  # chi-square of 2 degrees of freedom: 5.99


class Shooting(msgspec.Struct, frozen=True, kw_only=True):
    """The truth: rounds from a place (m, in the net's plane). `places`: of each round, where the
    shooter moved. `times_s` empty: not known."""

    x_m: float
    y_m: float
    rounds: int
    times_s: tuple[float, ...] = ()
    places: tuple[tuple[float, float], ...] = ()


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """How one shooting fared. `near_mode`: the truth lies within 25 m of one of the places shown.
    None: it was not located."""

    located: bool
    error_m: float | None = None
    rounds_true: int = 0
    rounds_found: int = 0
    ellipse95_holds: bool | None = None
    modes: int = 0
    near_mode: bool = False
    rounds_low: int = 0
    rounds_high: int = 0

    @property
    def is_near(self) -> bool:
        return self.error_m is not None and self.error_m <= NEAR_M

    @property
    def is_near_or_said_so(self) -> bool:
        """Within 25 m, or told as one of several places with the truth among them."""
        return self.is_near or (self.modes > 1 and self.near_mode)


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """Verdicts on the shootings of one window, and how many sources belong to none."""

    verdicts: tuple[Verdict, ...]
    extra_events: int
    extra_kept: int = 0  # too unlikely to reach anybody


def judge_alone(truth: Shooting, sources: Sequence[Source]) -> Scene:
    """One shooting in the window: the answer is the source with the highest score, wherever it
    is, and every other one is an extra event."""
    reach = [source for source in sources if source.probability >= REACHES_PROBABILITY]
    if not reach:
        missed = Verdict(located=False, rounds_true=truth.rounds)
        return Scene(verdicts=(missed,), extra_events=0, extra_kept=len(sources))
    best = max(reach, key=lambda source: source.score)
    return Scene(
        verdicts=(_verdict(truth, best),),
        extra_events=len(reach) - 1,
        extra_kept=len(sources) - len(reach),
    )


def judge(truths: Sequence[Shooting], sources: Sequence[Source]) -> Scene:
    """Several shootings with known moments. Each answer stands for one shooting at most, the
    nearest pairs first; answers that are left over are extra events."""
    reach = [source for source in sources if source.probability >= REACHES_PROBABILITY]
    pairs = sorted(
        (_error_m(truth, source), t, s)
        for t, truth in enumerate(truths)
        for s, source in enumerate(reach)
        if _is_about(truth, source)
    )
    answer: dict[int, int] = {}
    for _, t, s in pairs:
        if t not in answer and s not in answer.values():
            answer[t] = s
    verdicts = [
        _verdict(truth, reach[answer[t]])
        if t in answer
        else Verdict(located=False, rounds_true=truth.rounds)
        for t, truth in enumerate(truths)
    ]
    return Scene(
        verdicts=tuple(verdicts),
        extra_events=len(reach) - len(answer),
        extra_kept=len(sources) - len(reach),
    )


def holds(place: Place, x_m: float, y_m: float) -> bool:
    """Whether the place's 95 % ellipse holds a point."""
    dx, dy = x_m - place.x_m, y_m - place.y_m
    determinant = place.xx * place.yy - place.xy**2
    if determinant <= 0:
        return False
    square = (place.yy * dx * dx - 2 * place.xy * dx * dy + place.xx * dy * dy) / determinant
    return square <= ELLIPSE95


def percent(yes: Iterable[bool]) -> float | None:
    """Share of true ones in percent; None of nothing."""
    told = list(yes)
    return 100 * sum(told) / len(told) if told else None


def rank(values: Iterable[float], share: float) -> float | None:
    """The value below which `share` of them lie (linear between neighbours); None of nothing."""
    told = list(values)
    return float(np.quantile(told, share)) if told else None


def _is_about(truth: Shooting, source: Source) -> bool:
    if _error_m(truth, source) > HIT_M:
        return False
    return any(abs(r.at_s - t) <= HIT_S for r in source.rounds for t in truth.times_s)


def _error_m(truth: Shooting, source: Source) -> float:
    return math.dist(_where(truth, source), (source.place.x_m, source.place.y_m))


def _where(truth: Shooting, source: Source) -> tuple[float, float]:
    """Where the truth is for this answer: of a shooter who moved, the middle of the rounds."""
    if not truth.places:
        return (truth.x_m, truth.y_m)
    xs, ys = zip(*truth.places, strict=True)
    return (sum(xs) / len(xs), sum(ys) / len(ys))


def _verdict(truth: Shooting, source: Source) -> Verdict:
    """An answer that shows several places claims that the truth is in one of their ellipses."""
    x_m, y_m = _where(truth, source)
    return Verdict(
        located=True,
        error_m=_error_m(truth, source),
        rounds_true=truth.rounds,
        rounds_found=len(source.rounds),
        ellipse95_holds=any(holds(place, x_m, y_m) for place in source.places),
        modes=len(source.places),
        near_mode=any(
            math.dist((x_m, y_m), (place.x_m, place.y_m)) <= NEAR_M for place in source.places
        ),
        rounds_low=source.rounds_low,
        rounds_high=source.rounds_high,
    )
