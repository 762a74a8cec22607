"""Pulses that the node does not have yet, in order of time, and never more than so many."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

WAITING_MAX = 5_000  # pulses; a full city's New Year's Eve is 20 a second: four minutes
LATE_S = 25.0  # an older one is told as late: the node would call it stale
TOO_LATE_S = 110.0  # nobody locates a shot of two minutes ago


class Timed(Protocol):
    """Whatever was heard at a time, seconds since 1970."""

    @property
    def at_s(self) -> float: ...


One = TypeVar("One", bound=Timed)


class Outbox(Generic[One]):
    """`take` lends the oldest; `sent` lets them go once they are durable at the node; until then
    they stay where they are, so a message that was lost is made again from them.

    At the limit the oldest go, and count in `dropped`, until a heartbeat has told it.
    """

    def __init__(self, limit: int = WAITING_MAX) -> None:
        assert limit > 0
        self._limit = limit
        self._waiting: deque[One] = deque()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, pulses: Iterable[One]) -> None:
        for pulse in pulses:
            if len(self._waiting) >= self._limit:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(pulse)

    def take(self, count: int, now_s: float) -> list[One]:
        """The oldest, at most `count`; what is too late for anybody goes first."""
        while self._waiting and now_s - self._waiting[0].at_s > TOO_LATE_S:
            self._waiting.popleft()
            self.dropped += 1
        return [self._waiting[i] for i in range(min(count, len(self._waiting)))]

    def sent(self, pulses: Iterable[One]) -> None:
        """These are durable, or refused for good. One that was dropped meanwhile was counted as
        lost although it is not: it is taken off again."""
        for pulse in pulses:
            if self._waiting and self._waiting[0] is pulse:
                self._waiting.popleft()
            else:
                self.dropped = max(0, self.dropped - 1)

    def told(self, dropped: int) -> None:
        """A heartbeat with this number is durable."""
        self.dropped = max(0, self.dropped - dropped)
