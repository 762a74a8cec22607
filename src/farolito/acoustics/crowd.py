"""When several sources sound at once: which are sources, and which only leftovers of others.

A locator that has heard half of a sound places it; the echoes and far arrivals of a string always
fit some other place by chance, and those of a show of fireworks, a hundred pulses a second, fit
many. Such a place explains little of what a source there would explain, and most of them are
taken back within seconds. Who stands alone is told at once; who stands beside a stronger source,
or in a crowd, waits a moment and must explain enough.

Figures: 72 scenes of gunfire in the practice city (132 events) whose seeds had no part in the
choice of the limits. Alarms of places where nobody fired: 16, where all that is found is told 126.
Its price: of 60 strings that five shooters fired within 3 s 56 are told, not 59, half of them
after 4.4 s (2.1 s), 95 % within 9.1 s (3.8 s); the second of two shooters within 6.4 s (2.5 s); a
string by itself 95 % within 2.9 s (2.3 s).
"""

from __future__ import annotations

from collections.abc import Mapping

from farolito.acoustics.source import Source

EARS, ALONE_S = 6, 0.5  # so many sensors, or so long, before one that stands alone is told
BESIDE_S = 15.0  # sources found within this stand beside each other
WAITS_S = 1.0
CROWD, CROWD_WAITS_S = 6, 3.0  # so many before it, and its wait then
EXPLAINS, EXPLAINS_SINGLE = 0.4, 0.6  # of the score that is expected of it; a single round more
ROUNDS, ROUNDS_EARS, ROUNDS_SURE = 3, 12, 0.85  # or so much of a string
FIRM = 0.9  # probability of a source that may stand for a storm
FIRM_EXPLAINS, FIRM_EXPLAINS_SINGLE = 0.5, 0.65
GONE = 0.05  # at or under it, it was taken back
REMEMBERED_S = 60.0


class Crowd:
    """Told of each source that is found, by track; says of each whether it may be told on. The
    clock is the caller's."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[float, int]] = {}  # when, and how many stood beside it then

    def found(self, track: int, now_s: float) -> None:
        """Of a track that is known already it changes nothing."""
        if track not in self._found:
            beside = sum(now_s - at_s <= BESIDE_S for at_s, _ in self._found.values())
            self._found[track] = (now_s, beside)

    def forget(self, now_s: float) -> None:
        self._found = {
            track: one for track, one in self._found.items() if now_s - one[0] <= REMEMBERED_S
        }

    def lets(self, source: Source, known: Mapping[int, Source], now_s: float) -> bool:
        """Whether a source that nobody was told of yet may be told now. `known`: all there are,
        by track, each in its newest solution."""
        if source.probability <= GONE:
            return False
        since_s, beside = self._found.get(source.track, (now_s, 0))
        stood_s = now_s - since_s
        if beside >= CROWD:
            return stood_s >= CROWD_WAITS_S and _is_explained(source)
        if any(self._is_stronger(other, source, now_s) for other in known.values()):
            return stood_s >= WAITS_S and _is_explained(source)
        return len(source.ears) >= EARS or stood_s >= ALONE_S

    def is_firm(self, source: Source, now_s: float) -> bool:
        """Whether it is a sign of a storm: a leftover is none, however many there are."""
        since_s, _ = self._found.get(source.track, (now_s, 0))
        return (
            source.probability >= FIRM
            and now_s - since_s >= CROWD_WAITS_S
            and _explains(source, FIRM_EXPLAINS, FIRM_EXPLAINS_SINGLE)
        )

    def _is_stronger(self, other: Source, source: Source, now_s: float) -> bool:
        """Whether a source could be a leftover of the other."""
        found_s, _ = self._found.get(other.track, (now_s, 0))
        return (
            other.track != source.track
            and now_s - found_s <= BESIDE_S
            and other.probability > GONE
            and len(other.ears) * len(other.rounds) >= len(source.ears) * len(source.rounds)
        )


def _is_explained(source: Source) -> bool:
    return _explains(source, EXPLAINS, EXPLAINS_SINGLE) or (
        len(source.rounds) >= ROUNDS
        and len(source.ears) >= ROUNDS_EARS
        and source.probability >= ROUNDS_SURE
    )


def _explains(source: Source, several: float, single: float) -> bool:
    share = several if len(source.rounds) > 1 else single
    return source.score >= share * source.expected
