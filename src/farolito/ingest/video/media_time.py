"""A camera's own line of time, from the ticks of RTP: wraps, jumps and reordering taken out."""

from __future__ import annotations

WRAP = 2**32
JUMP_S = 10.0  # so far ahead is no picture later, but a clock that was set
BACK_S_MAX = 1.0  # so far back is a B picture; further is a clock that was set
STEP_US_MIN = 1_000  # between two pictures, where the ticks do not go on


class MediaTime:
    """Ticks of 1/`clock_hz` s in the order that pictures came. The result never goes back."""

    def __init__(self, clock_hz: int = 90_000) -> None:
        self._clock_hz = clock_hz
        self._ahead_max = int(JUMP_S * clock_hz)
        self._back_max = int(BACK_S_MAX * clock_hz)
        self._ticks: int | None = None
        self._line = 0  # ticks since the first picture
        self._step = clock_hz // 25  # the last good time of a picture
        self._last_us = 0

    def of(self, ticks: int) -> int:
        """µs since the first picture."""
        if self._ticks is None:
            self._ticks = ticks
            return 0
        ahead = (ticks - self._ticks) % WRAP
        self._ticks = ticks
        if ahead < self._ahead_max:
            self._step = ahead or self._step
            self._line += ahead
        elif WRAP - ahead <= self._back_max:
            self._line -= WRAP - ahead
        else:
            self._line = self._last_us * self._clock_hz // 1_000_000 + self._step
        self._last_us = max(self._line * 1_000_000 // self._clock_hz, self._last_us + STEP_US_MIN)
        return self._last_us
