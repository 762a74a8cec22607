"""Which clips are wanted of which sensor, until it has sent them or no longer has them.

Only what stands here is taken in: a sensor cannot send sound that nobody asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from farolito.ingest.gunshot.wire import CLIP_S_MAX, Want
from farolito.model import DeviceId, Rejected, SoundClip

WANT_LIVES_S = 30.0  # sensors keep the sound of about as long
WANTS_MAX = 8  # of one sensor at once; past it the oldest is given up
POLLS_MAX = 2  # of one sensor at once: its own, and the one it has not noticed to be lost
HELD_S_MAX = 25.0  # how long a poll waits for a want
SLACK_S = 0.25  # how far a clip may begin or end beside what was asked for

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Asked = Callable[[DeviceId, Want], None]


class Wants:
    """In memory: what is wanted when the node ends is wanted no more."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._wants: dict[DeviceId, dict[int, tuple[Want, datetime]]] = {}
        self._polls: dict[DeviceId, list[asyncio.Future[None]]] = {}
        self._newest = 0
        self._listeners: list[Asked] = []

    def ask(self, sensor: DeviceId, starts_at: datetime, seconds: float) -> int:
        """The want's number. At most CLIP_S_MAX seconds are asked for."""
        now = self._clock()
        # Numbers grow over a restart as well, so that a sensor takes each for news.
        self._newest = max(self._newest + 1, int(now.timestamp() * 1000))
        want = Want(
            want=self._newest,
            from_us=(starts_at - _EPOCH) // timedelta(microseconds=1),
            seconds=min(seconds, CLIP_S_MAX),
        )
        mine = self._alive(sensor)
        while len(mine) >= WANTS_MAX:
            del mine[next(iter(mine))]
        mine[want.want] = (want, now + timedelta(seconds=WANT_LIVES_S))
        self._wants[sensor] = mine
        for poll in self._polls.pop(sensor, []):
            if not poll.done():
                poll.set_result(None)
        for listener in self._listeners:
            listener(sensor, want)
        return want.want

    def open(self, sensor: DeviceId, after: int = 0) -> list[Want]:
        """What is wanted of it now, the oldest first."""
        return [want for number, (want, _) in self._alive(sensor).items() if number > after]

    async def held(self, sensor: DeviceId, after: int, seconds: float) -> list[Want]:
        """What is wanted, as soon as something is; empty after so many seconds.

        Raises Rejected `busy` (429) where the sensor waits already.
        """
        found = self.open(sensor, after)
        if found or seconds <= 0:
            return found
        polls = self._polls.setdefault(sensor, [])
        if len(polls) >= POLLS_MAX:
            raise Rejected("busy", "this sensor waits already", "wait in one place", 429)
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        polls.append(told)
        try:
            await asyncio.wait([told], timeout=min(seconds, HELD_S_MAX))
        finally:
            self._leave(sensor, told)
        return self.open(sensor, after)

    def asked_for(self, sensor: DeviceId, number: int, clip: SoundClip) -> None:
        """Raises Rejected `not_asked` for a clip that is not the one that is wanted."""
        known = self._alive(sensor).get(number)
        do = "send sound only when a want asks for it, and no more of it"
        if known is None:
            raise Rejected("not_asked", "a clip that is not wanted, or no longer", do)
        want, slack_us = known[0], SLACK_S * 1e6
        starts_us = (clip.starts_at - _EPOCH) // timedelta(microseconds=1)
        ends_us = starts_us + clip.seconds * 1e6
        if starts_us < want.from_us - slack_us or (
            ends_us > want.from_us + want.seconds * 1e6 + slack_us
        ):
            raise Rejected("not_asked", "a clip of another time than is wanted", do)

    def met(self, sensor: DeviceId, number: int) -> None:
        """Its clip is here, durable."""
        self._alive(sensor).pop(number, None)

    def listen(self, listener: Asked) -> Callable[[], None]:
        """`listener` is told of each want; the answer ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @property
    def waiting(self) -> int:
        """How many polls are held."""
        return sum(len(polls) for polls in self._polls.values())

    def wake(self) -> None:
        """Answer every poll now: the node ends."""
        for polls in self._polls.values():
            for poll in polls:
                if not poll.done():
                    poll.set_result(None)

    def _alive(self, sensor: DeviceId) -> dict[int, tuple[Want, datetime]]:
        mine = self._wants.get(sensor)
        if mine is None:
            return {}
        now = self._clock()
        for number in [number for number, (_, until) in mine.items() if until <= now]:
            del mine[number]
        if not mine:
            del self._wants[sensor]
        return mine

    def _leave(self, sensor: DeviceId, told: asyncio.Future[None]) -> None:
        polls = self._polls.get(sensor, [])
        if told in polls:
            polls.remove(told)
        if not polls:
            self._polls.pop(sensor, None)
