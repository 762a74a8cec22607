"""The rhythm of a string of rounds, and what makes such a rhythm.

Rates of fire: a finger on a semi-automatic some 120–400 rounds a minute, a machine 450–1,000
(TN 098 gives 300 and 450–950). A hammer keeps time to a hundredth, a finger to a third.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

AUTOMATIC_S = (0.055, 0.135)
SEMI_S = (0.14, 1.0)  # aimed fire in Pittsburgh: 0.5–0.93 s
STEADY = 0.12  # coefficient of variation: below it no finger keeps time
METRONOME = 0.05
IRREGULAR = 0.6
EVEN_ROUNDS_MIN = 6  # a trained shooter's three rounds are as even as a hammer's (live fire)
SKIPPED = 1.6  # an interval so many times the median is one where a round went unheard


class Rhythm(msgspec.Struct, frozen=True, kw_only=True):
    """`interval_s`: the median, None with a single round. `shortest_s`, `longest_s`.
    `variation`: coefficient of variation of the intervals, None below six rounds; where that
    makes them steady, an interval of several medians counts as that many, since a round may go
    unheard."""

    rounds: int
    interval_s: float | None = None
    shortest_s: float | None = None
    longest_s: float | None = None
    variation: float | None = None

    def says(self) -> str:
        """How it sounds, as a sentence without a verdict: "5 rounds 0.21–0.26 s apart"."""
        if self.interval_s is None or self.shortest_s is None or self.longest_s is None:
            return "a single round: it has no rhythm to judge by"
        if f"{self.shortest_s:.2f}" == f"{self.longest_s:.2f}":
            return f"{self.rounds} rounds {self.interval_s:.2f} s apart"
        return f"{self.rounds} rounds {self.shortest_s:.2f}–{self.longest_s:.2f} s apart"

    def resembles(self) -> str:
        """What keeps such a rhythm, or "" where nothing can be said."""
        if self.interval_s is None:
            return ""
        steady = self.variation is None or self.variation < STEADY
        if self.rounds >= 3 and AUTOMATIC_S[0] <= self.interval_s <= AUTOMATIC_S[1] and steady:
            return "as automatic fire"
        if self.variation is not None and self.variation < METRONOME:
            return "as even as a machine at work"
        if self.variation is not None and self.variation > IRREGULAR:
            return "irregular, as a string of firecrackers"
        if SEMI_S[0] <= self.interval_s <= SEMI_S[1]:
            return "as a semi-automatic pistol"
        return ""


def rhythm(times_s: Sequence[float]) -> Rhythm:
    """The rhythm of rounds at these times, in order."""
    gaps = np.diff(np.asarray(times_s, dtype=np.float64))
    if not len(gaps):
        return Rhythm(rounds=len(times_s))
    median = max(1e-3, float(np.median(gaps)))
    variation = None
    if len(times_s) >= EVEN_ROUNDS_MIN:
        beats = np.where(gaps > SKIPPED * median, np.maximum(1.0, np.round(gaps / median)), 1.0)
        folded = _variation(gaps / beats)
        variation = folded if folded < STEADY else _variation(gaps)
    return Rhythm(
        rounds=len(times_s),
        interval_s=median,
        shortest_s=float(gaps.min()),
        longest_s=float(gaps.max()),
        variation=variation,
    )


def _variation(gaps: npt.NDArray[np.float64]) -> float:
    return float(gaps.std() / max(1e-3, float(gaps.mean())))
