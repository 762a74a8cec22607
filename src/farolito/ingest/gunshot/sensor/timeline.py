"""Which moment a sample was heard at.

A file tells its start. A microphone does not: what is known is when each piece of sound arrived,
and it arrives late by chance but never early. So the earliest arrival of each second counts, and
a line through them gives the offset and how fast the sound card's own clock runs.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

import numpy as np

BUCKET_S = 1.0
BUCKETS = 64  # seconds on which the line rests
LINE_FROM = 8  # seconds before the card's own speed is believed
JUMP_S = 0.050  # arrivals this far off the line mean a set clock, or lost sound
JUMPED = 3  # in so many seconds one after another
ERROR_S_MIN = 0.0005  # nothing that comes through a pipe is known better


class Timeline(Protocol):
    """`at_s`: seconds since 1970 of a sample. `error_s`: its uncertainty besides the clock's."""

    error_s: float

    def at_s(self, sample: float) -> float: ...

    def sample_at(self, at_s: float) -> float: ...


class FileTime:
    """A recording whose first sample was heard at `starts_at_s`."""

    error_s = 0.0

    def __init__(self, rate_hz: int, starts_at_s: float) -> None:
        self._rate = rate_hz
        self._start = starts_at_s

    def at_s(self, sample: float) -> float:
        return self._start + sample / self._rate

    def sample_at(self, at_s: float) -> float:
        return (at_s - self._start) * self._rate


class ArrivalTime:
    """A live stream. `latency_s`: from the air to us at the least, as measured for the card."""

    def __init__(self, rate_hz: int, latency_s: float = 0.0) -> None:
        self._rate = rate_hz
        self._latency = latency_s
        self._earliest: deque[tuple[float, float]] = deque(maxlen=BUCKETS)  # (sound s, late s)
        self._bucket = -1
        self._off = 0
        self._origin = 0.0
        self._line = (0.0, 0.0)  # late = a + b · sound s, from the origin
        self.error_s = ERROR_S_MIN

    def arrived(self, until_sample: int, now_s: float) -> None:
        """All samples up to this one are here, now."""
        sound_s = until_sample / self._rate
        late = now_s - sound_s
        bucket = int(sound_s // BUCKET_S)
        if bucket != self._bucket:
            if self._earliest and self._has_jumped():
                self._earliest.clear()
            self._bucket = bucket
            self._earliest.append((sound_s, late))
        elif late < self._earliest[-1][1]:
            self._earliest[-1] = (sound_s, late)
        else:
            return
        self._fit()

    def at_s(self, sample: float) -> float:
        sound_s = sample / self._rate
        return self._origin + sound_s + self._line[0] + self._line[1] * sound_s - self._latency

    def sample_at(self, at_s: float) -> float:
        sound_s = (at_s + self._latency - self._origin - self._line[0]) / (1.0 + self._line[1])
        return sound_s * self._rate

    def _has_jumped(self) -> bool:
        """Whether the second that has just ended makes it too many off the line."""
        sound_s, late = self._earliest[-1]
        if len(self._earliest) < 2:
            return False
        expected = self._origin + self._line[0] + self._line[1] * sound_s
        self._off = self._off + 1 if abs(late - expected) > JUMP_S else 0
        if self._off < JUMPED:
            return False
        self._off = 0
        return True

    def _fit(self) -> None:
        sound = np.array([s for s, _ in self._earliest])
        late = np.array([at for _, at in self._earliest])
        self._origin = float(late[0])
        late = late - self._origin  # seconds since 1970 would eat the microseconds
        if len(late) < LINE_FROM:
            self._line = (float(late.min()), 0.0)
            self.error_s = max(ERROR_S_MIN, float(late.std()))
            return
        slope = float(np.polyfit(sound - sound[0], late, 1)[0])
        level = late - slope * sound
        middle = float(np.median(level))
        spread = 1.4826 * float(np.median(np.abs(level - middle)))
        self._line = (middle, slope)
        self.error_s = max(ERROR_S_MIN, spread)
