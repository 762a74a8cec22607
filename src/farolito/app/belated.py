"""Pulses that arrive long after their onset, and the others of their moment.

A sensor that was cut off tells what it heard then; a node that fell is told what waited for its
return. The locator that follows the present has let go of those moments, so they are heard once
more by themselves, with all that is known of them by now.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence

from farolito.acoustics import Pulse, Source

BELATED_S = 6.0  # from the onset to its arrival; the locator searches the last nine seconds
KEPT_S = 150.0  # doors take pulses of two minutes ago
KEPT_MAX = 50_000  # pulses; the oldest go
WAITING_MAX = 5_000  # belated ones; what is beyond is not heard again
QUIET_FOR_S = 3.0  # after the last belated one: others that were cut off come back with it
WAITS_S_MAX = 15.0
BEFORE_S, AFTER_S = 10.0, 10.0  # of each: what else belongs to its moment
TRACKS_KEPT = 1_000
SAME_SHARE = 0.5  # of the pulses that a source was told by: so many make it the same source


class Belated:
    """All pulses of the last minutes, and which of them were late. The clock is the caller's."""

    def __init__(self) -> None:
        self._kept: deque[Pulse] = deque(maxlen=KEPT_MAX)
        self._late: dict[str, tuple[float, Pulse]] = {}  # with when it arrived, in that order
        self._last_s = -math.inf

    def without(self, pulses: Iterable[Pulse], arrived_s: float) -> list[Pulse]:
        """Keep them all; answers those that came in time."""
        in_time = []
        for pulse in pulses:
            self._kept.append(pulse)
            if arrived_s - pulse.at_s <= BELATED_S:
                in_time.append(pulse)
            elif len(self._late) < WAITING_MAX:
                self._late[pulse.pulse_id] = (arrived_s, pulse)
                self._last_s = arrived_s
        while self._kept and self._kept[0].at_s < arrived_s - KEPT_S:
            self._kept.popleft()
        return in_time

    def is_due(self, now_s: float) -> bool:
        """They wait for each other, for a while."""
        is_quiet = now_s - self._last_s > QUIET_FOR_S
        return bool(self._late) and (is_quiet or now_s - self.since_s > WAITS_S_MAX)

    @property
    def since_s(self) -> float:
        """When the first one arrived that was not heard again yet; infinity where there is none."""
        return next((arrived_s for arrived_s, _ in self._late.values()), math.inf)

    @property
    def waiting(self) -> frozenset[str]:
        """Those that are to be heard again, by name."""
        return frozenset(self._late)

    def around(self) -> list[Pulse]:
        """The pulses of the moments that they belong to, in order of the onset."""
        late_s = sorted(pulse.at_s for _, pulse in self._late.values())
        spans: list[tuple[float, float]] = []
        for at_s in late_s:
            if spans and at_s - BEFORE_S <= spans[-1][1]:
                spans[-1] = (spans[-1][0], at_s + AFTER_S)
            else:
                spans.append((at_s - BEFORE_S, at_s + AFTER_S))
        return [
            pulse
            for pulse in sorted(self._kept, key=lambda one: one.at_s)
            if any(from_s <= pulse.at_s <= to_s for from_s, to_s in spans)
        ]

    def done(self, heard: Iterable[str]) -> None:
        for pulse_id in heard:
            self._late.pop(pulse_id, None)

    def heard(self, from_s: float, to_s: float) -> Sequence[Pulse]:
        """Every pulse of a moment, as it was told: what a solution rests on."""
        return [pulse for pulse in self._kept if from_s <= pulse.at_s <= to_s]


class Tracks:
    """What was told, by the pulses that it rests on: a place found with more of them may lie far
    from the first one and is the same source."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[frozenset[str], int]] = {}
        self._settled: dict[str, None] = {}

    def tell(self, track: str, source: Source) -> bool:
        """False where more is known of that track than who follows the present can know."""
        if track in self._settled:
            return False
        self._keep(track, source, source.revision)
        return True

    def settle(self, track: str, source: Source) -> tuple[str, int]:
        """The track and revision of a source that was found with belated pulses, to tell it by;
        `track` where it is a new one."""
        pulses = pulses_of(source)
        shares = {
            known: len(told & pulses) / len(told) for known, (told, _) in self._told.items() if told
        }
        best = max(shares, key=lambda known: shares[known], default=None)
        revision = 1
        if best is not None and shares[best] >= SAME_SHARE:
            track, revision = best, self._told[best][1] + 1
        self._keep(track, source, revision)
        self._settled[track] = None
        return track, revision

    def _keep(self, track: str, source: Source, revision: int) -> None:
        self._told[track] = (pulses_of(source), revision)
        while len(self._told) > TRACKS_KEPT:
            oldest = next(iter(self._told))
            del self._told[oldest]
            self._settled.pop(oldest, None)


def pulses_of(source: Source) -> frozenset[str]:
    return frozenset(pulse_id for ear in source.ears for pulse_id in ear.pulses)
