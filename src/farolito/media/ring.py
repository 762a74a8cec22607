"""What cameras showed before an event: access units in memory, never on disk.

Sums: 30 s at 2 Mbit/s are 7.5 MB a camera; 100 cameras near sensors and readers are 750 MB. Whole
groups of pictures come and go, so that a ring always begins at a key frame.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from farolito.media.wire import Packed

CAMERA_BYTES_MAX = 64 * 2**20  # of one ring: 30 s at 17 Mbit/s
HELD_BYTES_MAX = 256 * 2**20  # of one that an open incident holds
GROUP_BYTES_MAX = 32 * 2**20  # a longer one is cut: the ring begins anew at the next key frame

S = 1_000_000  # µs


class Group(list[Packed]):
    """Pictures from a key frame to before the next."""

    size = 0


class Ring:
    """`seconds` of one camera, more while it is held. `bytes`: as many as are kept."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.bytes = 0
        self.let_go_us = 0  # when a bound made it drop what it should have kept; 0: never
        self._groups: deque[Group] = deque()
        self._held_since: int | None = None
        self._held_until = 0

    def take(self, packed: Packed) -> None:
        """The next unit; old ones leave by time and by bytes."""
        now_us = packed.received_us
        if packed.is_key:
            self._groups.append(Group())
            self.expire(now_us)
        elif not self._groups:
            return
        newest = self._groups[-1]
        if newest.size + packed.size > GROUP_BYTES_MAX:
            self.clear()
            self.let_go_us = now_us
            return
        newest.append(packed)
        newest.size += packed.size
        self.bytes += packed.size
        most = HELD_BYTES_MAX if self.is_held(now_us) else CAMERA_BYTES_MAX
        while self.bytes > most and self.drop_oldest(now_us):
            pass

    def expire(self, now_us: int) -> None:
        """What is too old leaves, also where nothing new comes."""
        oldest_us = now_us - round(self.seconds * S)
        if self.is_held(now_us) and self._held_since is not None:
            oldest_us = min(oldest_us, self._held_since)
        # A group leaves when the one after it reaches back far enough.
        while len(self._groups) > 1 and self._next_began(now_us) <= oldest_us:
            self.bytes -= self._groups.popleft().size
        if (
            len(self._groups) == 1
            and self._groups[0]
            and self._groups[0][-1].received_us < oldest_us
        ):
            self.clear()

    def hold(self, now_us: int, until_us: int) -> None:
        """What is kept now stays until then, and so does what comes. A later hold adds time."""
        if not self.is_held(now_us):
            self._held_since = now_us - round(self.seconds * S)
        self._held_until = max(self._held_until, until_us)

    def is_held(self, now_us: int) -> bool:
        return now_us < self._held_until

    def drop_oldest(self, now_us: int) -> bool:
        """Give a group's memory back before its time; the newest group stays."""
        if len(self._groups) < 2:
            return False
        self.bytes -= self._groups.popleft().size
        self.let_go_us = now_us
        return True

    def clear(self) -> None:
        self._groups.clear()
        self.bytes = 0

    def from_key(self, from_us: int) -> list[Packed]:
        """What is kept, from the key frame at or before `from_us`; from the first, where all came
        later."""
        return from_key([one for group in self._groups for one in group], from_us)

    @property
    def first_us(self) -> int | None:
        return self._groups[0][0].received_us if self._groups and self._groups[0] else None

    def _next_began(self, now_us: int) -> int:
        following = self._groups[1]
        return following[0].received_us if following else now_us


def from_key(units: list[Packed], from_us: int) -> list[Packed]:
    """The units from the last key frame at or before `from_us`, or from the first key frame."""
    begin = None
    for at, one in enumerate(units):
        if not one.is_key:
            continue
        if begin is not None and one.received_us > from_us:
            break
        begin = at
    return units[begin:] if begin is not None else []


def give_back(rings: Iterable[Ring], bytes_max: int, now_us: int) -> int:
    """Drop groups of the largest rings until all together keep no more than `bytes_max`; answers
    what they keep."""
    kept = sum(ring.bytes for ring in rings)
    if kept <= bytes_max:
        return kept
    by_size = sorted(rings, key=lambda ring: ring.bytes, reverse=True)
    while kept > bytes_max:
        by_size.sort(key=lambda ring: ring.bytes, reverse=True)
        before = by_size[0].bytes
        if not by_size[0].drop_oldest(now_us):
            by_size.pop(0)
            if not by_size:
                break
            continue
        kept -= before - by_size[0].bytes
    return kept
