"""When many sources sound at once: which of them are sources, and which only leftovers of others.

A locator that has heard half of a sound places it; the echoes and far arrivals of a show of
fireworks, a hundred pulses a second, always fit some place by chance. Such a place explains
little of what a source there would explain, and most of them are taken back within seconds. In a
calm sky a source is told at once. In a crowded one it waits a moment, and must explain enough.
"""

from __future__ import annotations

from farolito.acoustics.source import Source

CROWDED_SOURCES, CROWDED_S = 4, 15.0  # so many before it, found within
WAITS_S = 3.0
EXPLAINS, EXPLAINS_SINGLE = 0.5, 0.65  # of the score that is expected of it; a single round more
FIRM = 0.9  # probability of a source that may stand for a storm
GONE = 0.05  # at or under it, it was taken back
REMEMBERED_S = 60.0


class Crowd:
    """Told of each source that is found, by track; says of each whether it may be told on. The
    clock is the caller's."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[float, bool]] = {}  # when, and whether in a crowded sky

    def found(self, track: int, now_s: float) -> None:
        """Of a track that is known already it changes nothing."""
        if track in self._found:
            return
        before = sum(now_s - at_s <= CROWDED_S for at_s, _ in self._found.values())
        self._found[track] = (now_s, before >= CROWDED_SOURCES)

    def forget(self, now_s: float) -> None:
        self._found = {
            track: one for track, one in self._found.items() if now_s - one[0] <= REMEMBERED_S
        }

    def lets(self, source: Source, now_s: float) -> bool:
        """Whether a source that nobody was told of yet may be told now."""
        if source.probability <= GONE:
            return False
        since_s, in_crowd = self._found.get(source.track, (now_s, False))
        return not in_crowd or (now_s - since_s >= WAITS_S and _explains(source))

    def is_firm(self, source: Source, now_s: float) -> bool:
        """Whether it is a sign of a storm: a leftover is none, however many there are."""
        since_s, _ = self._found.get(source.track, (now_s, False))
        return source.probability >= FIRM and now_s - since_s >= WAITS_S and _explains(source)


def _explains(source: Source) -> bool:
    share = EXPLAINS if len(source.rounds) > 1 else EXPLAINS_SINGLE
    return source.score >= share * source.expected
