"""The sensor at work: it listens, tells what it heard, says how it is, and gives what is wanted.

Three tasks beside the listening: pulses and heartbeats in order, one message at a time; wants,
held open at the node; clips, which are larger and must not keep pulses waiting.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from farolito import __version__
from farolito.ingest.gunshot.envelope import Head, Says, seal
from farolito.ingest.gunshot.sensor import outbox as box
from farolito.ingest.gunshot.sensor.clock import ClockHealth, clock_health
from farolito.ingest.gunshot.sensor.ears import Ears, Heard
from farolito.ingest.gunshot.sensor.link import Link, LinkDown, NotTaken
from farolito.ingest.gunshot.sensor.place import Fix, gps_place, temperature_c
from farolito.ingest.gunshot.sensor.settings import Settings
from farolito.ingest.gunshot.sensor.sources import MicrophoneLost, Piece
from farolito.ingest.gunshot.wire import PULSES_MAX, Clip, Heartbeat, Message, Want, WantsAsked

log = logging.getLogger(__name__)

HEARTBEAT_S = 10.0
LOOK_S = 60.0  # how often the place is asked of gpsd
REMAKE_S = 20.0  # a message refused for so long is made again: its pulses are late by now
BACK_OFF_S, BACK_OFF_S_MAX = 0.25, 15.0
WANTS_MAX = 16  # to be answered; past it the oldest goes
WANT_WAITS_S = 10.0  # for sound that is still to come
WANT_LOOK_S = 0.2
ERROR_S_MAX = 1e6

_encode = msgspec.json.Encoder().encode
Boots = Callable[[], int]


class Outside(NamedTuple):
    """What the program asks of the world besides sound: the time, chance, its own health."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.SystemRandom().random
    clock: Callable[[], Awaitable[ClockHealth]] = clock_health
    heartbeat_s: float = HEARTBEAT_S


class Sensor:
    """`boots`: the number of a start, larger each time it is asked."""

    def __init__(
        self,
        settings: Settings,
        key: Ed25519PrivateKey,
        link: Link,
        boots: Boots,
        outside: Outside | None = None,
    ) -> None:
        self._settings = settings
        self._key = key
        self._link = link
        self._boots = boots
        self._outside = outside or Outside()
        self._boot = boots()
        self._sequence = 0
        self._ears = Ears(settings.full_scale_db, clips=settings.clips)
        self._outbox: box.Outbox[Heard] = box.Outbox()
        self._wants: OrderedDict[int, tuple[Want, float]] = OrderedDict()
        self._after = 0
        self._news = asyncio.Event()
        self._wanted = asyncio.Event()
        self._began = self._outside.monotonic()
        self._fix: Fix | None = None
        self._is_down = False
        self.pulses_sent = 0
        self.clips_sent = 0
        self.messages_refused = 0

    @property
    def waiting(self) -> int:
        """Pulses that the node does not have yet."""
        return len(self._outbox)

    @property
    def dropped(self) -> int:
        """Pulses that nobody will ever get, since the last heartbeat."""
        return self._outbox.dropped

    @property
    def clips_refused(self) -> int:
        return self._ears.refused.total()

    async def run(self, source: AsyncIterator[Piece], linger_s: float = 0.0) -> None:
        """Until the source ends, and `linger_s` longer to tell what it brought and give what is
        wanted of it. Raises what the source raises."""
        tasks = [
            asyncio.create_task(work)
            for work in (self._tell(), self._poll(), self._give(), self._look())
        ]
        listening = asyncio.create_task(self._listen(source))
        try:
            await asyncio.wait([listening, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()  # we are wrong: let it fall
            await listening
            await asyncio.sleep(linger_s)
        finally:
            for task in [listening, *tasks]:
                task.cancel()
            await asyncio.gather(listening, *tasks, return_exceptions=True)

    async def _listen(self, source: AsyncIterator[Piece]) -> None:
        async for piece in source:
            if piece.is_first:
                self._queue(self._ears.end())
            self._queue(self._ears.hear(piece))
            await asyncio.sleep(0)  # files played at full speed leave the others their turn
        self._queue(self._ears.end())

    def _queue(self, heard: Sequence[Heard]) -> None:
        if heard:
            self._outbox.put(heard)
            self._news.set()

    async def _tell(self) -> None:
        """Pulses as they come, and a heartbeat each `heartbeat_s`; in order, each until taken."""
        due = self._outside.monotonic()
        while True:
            wait_s = max(0.0, due - self._outside.monotonic())
            if not len(self._outbox) and wait_s:
                self._news.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._news.wait()
            is_due = self._outside.monotonic() >= due
            if not len(self._outbox) and not is_due:
                continue
            heartbeat = await self._heartbeat() if is_due else None
            if await self._told(heartbeat) and is_due:
                due = self._outside.monotonic() + self._outside.heartbeat_s

    async def _told(self, heartbeat: Heartbeat | None) -> bool:
        """One message, sent until it is taken, refused, or so old that it must be made anew."""
        now_s = self._outside.now()
        heard = self._outbox.take(PULSES_MAX, now_s)
        if not heard and heartbeat is None:
            return False
        message = Message(
            pulses=tuple(one.pulse for one in heard),
            heartbeat=heartbeat,
            late=bool(heard) and now_s - heard[0].at_s > box.LATE_S,
        )
        try:
            if not await self._sent(message, REMAKE_S):
                return False
        except NotTaken as why:
            self._refused(why)
            if why.reason in {"replayed", "bad_boot"}:
                return False  # a new start: its pulses go again
        else:
            self._ears.told(heard)
            self.pulses_sent += len(heard)
        self._outbox.sent(heard)
        if heartbeat is not None:
            self._outbox.told(heartbeat.dropped)
        return True

    async def _sent(self, message: Message, at_most_s: float) -> bool:
        """Whether it is durable at the node. The same bytes each time, so that the node knows a
        repeat. Raises NotTaken."""
        sealed = seal(self._key, self._head(Says.SOUND), _encode(message))
        until = self._outside.monotonic() + at_most_s
        pause_s = BACK_OFF_S
        while True:
            try:
                wants = await self._link.send(sealed)
            except LinkDown as why:
                self._lost(why)
                if self._outside.monotonic() >= until:
                    return False
                # Half of it by chance: a hundred sensors that lost one node do not return at once.
                await asyncio.sleep(pause_s * (0.5 + 0.5 * self._outside.chance()))
                pause_s = min(2 * pause_s, BACK_OFF_S_MAX)
            else:
                self._back()
                self._note(wants)
                return True

    def _head(self, says: Says) -> Head:
        self._sequence += 1
        return Head(
            sensor=self._settings.sensor,
            boot=self._boot,
            sequence=self._sequence,
            sent_us=round(self._outside.now() * 1e6),
            says=says,
        )

    def _refused(self, why: NotTaken) -> None:
        self.messages_refused += 1
        log.error("the node refuses a message (%s): %s; %s", why.reason, why.says, why.do)
        if why.reason == "replayed":
            self._boot, self._sequence = self._boots(), 0

    async def _heartbeat(self) -> Heartbeat:
        settings = self._settings
        clock = await self._outside.clock()
        fix = self._fix
        error = clock.error_s
        if error is not None:
            error = min((error**2 + self._ears.timing_error_s**2) ** 0.5, ERROR_S_MAX)
        return Heartbeat(
            at=round(self._outside.now() * 1e6),
            clock_error_s=error,
            clock_source=clock.source,
            noise_db=self._ears.noise_db,
            temperature_c=temperature_c(settings.temperature_file),
            lat=settings.lat if fix is None else fix.lat,
            lon=settings.lon if fix is None else fix.lon,
            place_error_m=settings.place_error_m if fix is None else fix.error_m,
            uptime_s=self._outside.monotonic() - self._began,
            dropped=self._outbox.dropped,
            version=__version__,
        )

    async def _look(self) -> None:
        """Where it stands, by its GPS."""
        while self._settings.gps:
            self._fix = await gps_place() or self._fix
            await asyncio.sleep(LOOK_S)
        await asyncio.Event().wait()

    async def _poll(self) -> None:
        """What is wanted of this sensor, for ever."""
        pause_s = BACK_OFF_S
        while True:
            asked = seal(self._key, self._head(Says.WANTS), _encode(WantsAsked(after=self._after)))
            try:
                self._note(await self._link.wants(asked))
                pause_s = BACK_OFF_S
                await asyncio.sleep(0)
            except (LinkDown, NotTaken):
                # Told by the messages already, which go the same way.
                await asyncio.sleep(pause_s * (0.5 + 0.5 * self._outside.chance()))
                pause_s = min(2 * pause_s, BACK_OFF_S_MAX)

    def _note(self, wants: Sequence[Want]) -> None:
        """Each want once, however often it is told."""
        for want in wants:
            if want.want <= self._after:
                continue
            self._after = want.want
            while len(self._wants) >= WANTS_MAX:
                self._wants.popitem(last=False)
            self._wants[want.want] = (want, self._outside.monotonic() + WANT_WAITS_S)
            self._wanted.set()

    async def _give(self) -> None:
        """Wanted clips, one at a time; what is not ready yet is looked at again."""
        while True:
            await self._wanted.wait()
            for number, (want, until) in list(self._wants.items()):
                clip = self._ears.clip(want, self._outside.now())
                if isinstance(clip, Clip):
                    self._wants.pop(number, None)
                    await self._hand_over(clip)
                elif clip.reason != "not_yet" or self._outside.monotonic() > until:
                    self._wants.pop(number, None)
                    log.info("no clip for want %d: %s", number, clip.reason)
            if self._wants:
                await asyncio.sleep(WANT_LOOK_S)
            else:
                self._wanted.clear()

    async def _hand_over(self, clip: Clip) -> None:
        try:
            if await self._sent(Message(clip=clip), REMAKE_S):
                self.clips_sent += 1
        except NotTaken as why:
            self._refused(why)

    def _lost(self, why: LinkDown) -> None:
        if not self._is_down:
            log.warning("%s; %s", why.says, why.do)
        self._is_down = True

    def _back(self) -> None:
        if self._is_down:
            log.warning("the node takes messages again; %d pulses wait", len(self._outbox))
        self._is_down = False


async def for_ever(
    open_source: Callable[[], AsyncIterator[Piece]],
) -> AsyncIterator[Piece]:
    """A microphone's stream, opened again each time it is lost."""
    pause_s, is_lost = BACK_OFF_S, False
    while True:
        try:
            async for piece in open_source():
                if is_lost:
                    log.warning("the microphone is back")
                pause_s, is_lost = BACK_OFF_S, False
                yield piece
        except MicrophoneLost as why:
            if not is_lost:
                log.error("%s; %s", why.says, why.do)
            is_lost = True
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, BACK_OFF_S_MAX)
