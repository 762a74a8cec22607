"""Signs of life: which dispatch system has been silent for longer than it should.

A dispatch system that has stopped looks just like a quiet night. So each one is expected to show
itself every few seconds: a file, a heartbeat file that its exporter touches, a heartbeat event, an
empty notification, or any message.
"""

from __future__ import annotations

from datetime import datetime

STALE_AFTER_S = 15.0  # where the configuration says nothing else


class Heartbeats:
    """Pure: told of signs of life and asked who is late. The clock is an argument."""

    def __init__(self) -> None:
        self._expected: dict[str, float] = {}
        self._last: dict[str, datetime] = {}

    def expect(self, name: str, every_s: float, since: datetime) -> None:
        """From `since` on, this source must show itself at least so often."""
        self._expected[name] = every_s
        self._last.setdefault(name, since)

    def beat(self, name: str, at: datetime) -> None:
        """A sign of life. One told late does not make a newer one undone."""
        last = self._last.get(name)
        if last is None or at > last:
            self._last[name] = at

    def last(self, name: str) -> datetime | None:
        return self._last.get(name)

    def late(self, now: datetime) -> list[tuple[str, float]]:
        """Sources that are late, with the seconds of their silence; the longest first."""
        silent = [(name, (now - self._last[name]).total_seconds()) for name in self._expected]
        late = [(name, seconds) for name, seconds in silent if seconds > self._expected[name]]
        return sorted(late, key=lambda one: -one[1])
