"""What is believed of one camera, from what it answered lately: two of the last three decide.

The first picture of a camera that nobody knew is believed at once; all else is asked twice.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime

import msgspec

from farolito.codec import Broken
from farolito.media.sight import Sight
from farolito.media.usual import believed
from farolito.model import CameraHealth, CameraId, ImageFault, PictureState
from farolito.viewing import words

LAST = 3
_CLOCK = frozenset({ImageFault.WRONG_CLOCK})
_NOBODY_LOOKS = "it answers; nobody looks, since its owner does not let us now"


class Verdict:
    """`fails`: questions without an answer, in a row."""

    def __init__(self, camera_id: CameraId, health: CameraHealth | None = None) -> None:
        self.camera_id = camera_id
        self.fails = 0
        self._health = health
        self._states: deque[PictureState] = deque(maxlen=LAST)
        self._pictures: deque[frozenset[ImageFault]] = deque(maxlen=LAST)
        self._faults: frozenset[ImageFault] = frozenset()
        self._turned_at: datetime | None = None  # when the state that is not yet believed began
        if health is not None:
            self.known(health)

    @property
    def health(self) -> CameraHealth | None:
        return self._health

    @property
    def is_well(self) -> bool:
        return self._health is not None and self._health.state is PictureState.LIVE

    @property
    def is_sure(self) -> bool:
        """Whether the last answer told what is believed."""
        if not self._states or self._health is None or self._states[-1] is not self._health.state:
            return False
        return not self._pictures or self._pictures[-1] == self._faults - _CLOCK

    def known(self, health: CameraHealth) -> None:
        """What another process found before."""
        self._health, self.fails = health, health.missed
        self._faults = frozenset(health.faults)

    def forget_view(self) -> None:
        """It looks elsewhere, on purpose."""
        self._pictures.clear()
        self._faults &= _CLOCK

    def saw(self, sight: Sight, faults: frozenset[ImageFault], now: datetime) -> CameraHealth:
        self._pictures.append(faults)
        clock = self._faults & _CLOCK
        self._faults = clock | believed(self._faults - clock, tuple(self._pictures))
        says = "; ".join(words.fault(one).says for one in sorted(self._faults))
        return self._well(now, says, (sight.width, sight.height))

    def answered(self, now: datetime) -> CameraHealth:
        """Without a picture."""
        return self._well(now, _NOBODY_LOOKS, None)

    def failed(self, why: Broken, now: datetime) -> CameraHealth:
        self.fails += 1
        was = self._health or _unknown(self.camera_id, now)
        if self._turns_to(why.state, now):
            self._pictures.clear()
            self._faults &= _CLOCK
            was = msgspec.structs.replace(
                was, state=why.state, since=self._turned_at or now, faults=()
            )
        if was.state is why.state:
            was = msgspec.structs.replace(was, says=why.says, do=why.do)
        return self._is(msgspec.structs.replace(was, looked_at=now, missed=self.fails))

    def busy(self, now: datetime) -> CameraHealth | None:
        """It gives no second picture beside the one that somebody watches."""
        self.fails = 0
        if self._health is None:
            return None
        return self._is(msgspec.structs.replace(self._health, looked_at=now))

    def clock(self, error_s: float, measured_at: datetime, *, is_off: bool) -> CameraHealth | None:
        if self._health is None:
            return None
        self._faults = self._faults - _CLOCK | (_CLOCK if is_off else frozenset())
        told = tuple(sorted(self._faults)) if self.is_well else self._health.faults
        return self._is(
            msgspec.structs.replace(
                self._health, faults=told, clock_error_s=error_s, clock_measured_at=measured_at
            )
        )

    def _well(self, now: datetime, says: str, size: tuple[int, int] | None) -> CameraHealth:
        self.fails = 0
        was = self._health or _unknown(self.camera_id, now)
        if self._turns_to(PictureState.LIVE, now):
            since = self._turned_at or now
            was = msgspec.structs.replace(was, state=PictureState.LIVE, since=since, do="")
        if was.state is PictureState.LIVE:
            was = msgspec.structs.replace(was, says=says, faults=tuple(sorted(self._faults)))
        if size is not None:
            was = msgspec.structs.replace(was, width=size[0], height=size[1])
        return self._is(msgspec.structs.replace(was, looked_at=now, missed=0))

    def _turns_to(self, told: PictureState, now: datetime) -> bool:
        """Whether it is now to be believed that the camera is in another state than before."""
        self._states.append(told)
        was = self._health.state if self._health is not None else PictureState.UNKNOWN
        if told is was:
            self._turned_at = None
            return False
        if self._turned_at is None or self._states.count(told) == 1:
            self._turned_at = now
        is_first = was is PictureState.UNKNOWN and told is PictureState.LIVE
        return is_first or self._states.count(told) > LAST // 2

    def _is(self, health: CameraHealth) -> CameraHealth:
        self._health = health
        return health


def _unknown(camera_id: CameraId, now: datetime) -> CameraHealth:
    return CameraHealth(camera_id=camera_id, state=PictureState.UNKNOWN, since=now)
