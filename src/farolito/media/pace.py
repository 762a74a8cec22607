"""Which units a viewer gets, by how far it is behind, and when it should get fewer or more.

Whole groups of pictures are left out, never single ones: what depends on a lost picture cannot be
drawn. The figures stand in `Paces`, so that a test need not wait for them.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

S = 1_000_000  # µs


class Paces(NamedTuple):
    """In µs. `grace`: for the first pictures, which come all at once. `slow_after`: of being
    behind, then a viewer gets less; `forgiven_after`: without being behind. `quiet`: after it,
    more is tried; it doubles up to `quiet_max` where that was too much within `relapse`."""

    grace: int = 5 * S
    slow_after: int = 4 * S
    forgiven_after: int = 10 * S
    quiet: int = 20 * S
    quiet_max: int = 320 * S
    relapse: int = 60 * S


class Pace:
    def __init__(self, paces: Paces) -> None:
        self._paces = paces
        self._quiet = paces.quiet
        self._skipping = False
        self._is_late = False  # it skips because it was behind
        self._grace_until: int | None = None
        self._behind_since: int | None = None
        self._behind_at = 0  # last time
        self._moved_at = 0
        self._rose_at: int | None = None
        self.dropped = 0

    def caught_up(self, now_us: int) -> None:
        """All pictures since a key frame were just sent at once: that queue is no slowness."""
        self._skipping = False
        self._grace_until = now_us + self._paces.grace

    def await_key(self) -> None:
        """Nothing before the next key frame can be drawn."""
        self._skipping, self._is_late = True, False

    def takes(self, is_key: bool, queued: int, high_water: int, now_us: int) -> bool:
        """Is this unit to be sent? `queued`: bytes that its line has not taken yet."""
        if queued <= high_water:
            self._grace_until = None
            if is_key or not self._skipping:
                self._skipping = self._is_late = False
                return True
        elif self._grace_until is not None and now_us < self._grace_until and not self._skipping:
            return True
        else:
            self._skipping = self._is_late = True
        self.dropped += 1
        if self._is_late:
            self._behind(now_us)
        return False

    def moved(self, now_us: int, *, up: bool) -> None:
        """It gets more or less from now on."""
        paces = self._paces
        if not up and self._rose_at is not None and now_us - self._rose_at < paces.relapse:
            self._quiet = min(2 * self._quiet, paces.quiet_max)
        self._rose_at = now_us if up else None
        self._moved_at = now_us
        self._behind_since = None

    def verdict(self, now_us: int) -> Literal["slow", "unslow", ""]:
        """Does it go on being behind, or has it kept up for long?"""
        paces = self._paces
        if self._behind_since is not None:
            if now_us - self._behind_at > paces.forgiven_after:
                self._behind_since = None
            elif self._behind_at - self._behind_since >= paces.slow_after:
                return "slow"
        if self._rose_at is not None and now_us - self._rose_at > 2 * paces.relapse:
            self._quiet = paces.quiet  # it has kept up with more
        if now_us - max(self._behind_at, self._moved_at) >= self._quiet:
            return "unslow"
        return ""

    def _behind(self, now_us: int) -> None:
        self._behind_at = now_us
        if self._behind_since is None:
            self._behind_since = now_us
