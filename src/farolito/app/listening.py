"""What a message of a gunshot sensor goes through: durable pulses in, shots at the desk out.

1. Read the lane `sound` from the kept position; the pulses of sensors that are believed go on.
2. Tick: four times a second the locator hears what is new and tells what became known.
3. Tell: each new or better solution goes to the desk with the pulses it rests on.
4. Ask: the nearest sensors that heard it are asked for two seconds of sound each.
5. Keep: a clip that comes is kept, and shown at its alert.

The locator hears pulses at the time they arrived: what waited while a part of the node was away
is gone through tick by tick, as it would have been, until it is now again. Pulses that arrive
long after their onset (`belated`) are heard with those of their own moment, beside what goes on.

The position follows REPLAYED_S behind what the locator has heard, so that after a crash it hears
the last moments again; what it then tells a second time, the desk recognises. What the desk could
not take is told again until it does.

Sums: 100 sensors × 0.5 pulses/s are 50 pulses/s, 13 a tick; a shot is 1–3 revisions and 4 clips.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import msgspec

from farolito.acoustics import Pulse, Source
from farolito.acoustics.answer import shot_of
from farolito.acoustics.storm import Storm, heard_in
from farolito.app.belated import Belated, Tracks, pulses_of
from farolito.app.locator import Found, Locator, LocatorFell
from farolito.app.sensors import Sensors
from farolito.bus import Bus, SoundBatch
from farolito.desk.shots import ShotDesk
from farolito.media import Pictures
from farolito.model import (
    AgencyId,
    DeviceId,
    FarolitoError,
    Shot,
    ShotAlert,
    ShotAlertId,
    ShotId,
    SoundClip,
    digest_id,
)
from farolito.store import Database, Records, reads
from farolito.store.database import AWAY

log = logging.getLogger(__name__)

CONSUMER = "listening"
TICK_S = 0.25
QUIET_S = 12.0  # without a pulse for so long there is nothing to tick for
REPLAYED_S = 20.0
ADVANCE_EVERY_S = 5.0
JUDGE_EVERY_S = 5.0
BEHIND_S = 2.0  # pulses that wait longer are gone through at the time they arrived
FAR_BEHIND_S, FAR_TICK_S = 30.0, 1.0  # and by longer ticks, so that it is soon now again
FRESH_MAX = 50_000  # pulses that wait for the locator; then the lane waits
FALLS_MAX = 3  # so often the locator falls over the same pulses before they are let go
RETRY_WAIT_S = 0.5
CANCELLED_AGAIN_S = 1.0
CLIPS_ASKED = 4  # of one string
STRINGS_ASKED = 4  # of one alert
ASKED_KEPT = 1_000  # strings of which it is known that sound was asked for
ASKED_WITHIN = timedelta(seconds=25)  # of the discharge: sensors keep the sound of half a minute
CLIP_LEAD_S = 0.3
CLIP_S = 2.0
CLIP_FITS = timedelta(seconds=30)
HEARD_WITHIN_M = 3_000.0
EVIDENCE_BEFORE_S, EVIDENCE_AFTER_S = 3.0, 5.0
LATENCIES_KEPT = 1_000
UNTOLD_MAX = 1_000  # solutions that wait for the desk; the oldest goes, and is counted


class Wants(Protocol):
    """Where sensors fetch what is wanted of them; the door's."""

    def ask(self, sensor: DeviceId, starts_at: datetime, seconds: float) -> Any: ...


class Listening:
    """One consumer of one agency's sound. It may be killed at any moment."""

    def __init__(  # noqa: PLR0913 - wired once, by app/shots
        self,
        database: Database,
        bus: Bus,
        locator: Locator,
        sensors: Sensors,
        desk: ShotDesk,
        wants: Wants,
        pictures: Pictures,
        agency: AgencyId,
        clock: Callable[[], datetime],
        on_storms: Callable[[Sequence[Storm]], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._bus = bus
        self._locator = locator
        self._sensors = sensors
        self._desk = desk
        self._wants = wants
        self._pictures = pictures
        self._agency = agency
        self._clock = clock
        self._on_storms = on_storms
        self._fresh: deque[tuple[float, Pulse]] = deque()  # with when it arrived
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._belated, self._tracks = Belated(), Tracks()
        self._last_pulse_s = -math.inf
        self._marks: deque[tuple[float, int]] = deque()  # (arrived, sequence)
        self._read, self._written = 0, 0  # in the lane: how far it is read, was written at first
        self._falls = 0
        self._storms: Sequence[Storm] = ()
        self._untold: deque[tuple[Shot, str, bytes]] = deque()
        self._asked: dict[UUID, UUID] = {}  # a string, with what it was asked for together with
        self.elsewhere: Callable[[SoundClip, bytes], Awaitable[None]] = _nowhere
        self.position = 0
        self.told = 0
        self.let_go = 0
        self.ticks_s: deque[float] = deque(maxlen=LATENCIES_KEPT)
        self.delays_s: deque[float] = deque(maxlen=LATENCIES_KEPT)  # discharge → at the desk

    async def run(self) -> None:
        """Work until cancelled. What is away is waited out, never skipped."""
        while True:
            try:
                await self._resume()
                await _until_one_ends(
                    self._follow(),
                    self._tick_on(),
                    self._hear_belated_on(),
                    self._advance_on(),
                )
            except (*AWAY, asyncpg.PostgresError, FarolitoError, OSError) as why:
                log.warning("listening waits and starts again: %s", type(why).__name__)
            await asyncio.sleep(RETRY_WAIT_S)

    async def _resume(self) -> None:
        await self._sensors.load()
        async with self._database.system() as connection:
            self.position = await reads.position(connection, CONSUMER)
        first, last = await self._bus.sound.waiting()
        self._written = last if first <= last else 0
        if self.position > last:
            log.warning("the lane of sound begins anew; so does the reading of it")
            self.position = 0
        self._read = self.position
        self._marks.clear()
        await self.ask_again()

    async def _follow(self) -> None:
        async for deliveries in self._bus.sound.after(self.position):
            for delivery in deliveries:
                arrived_s = await self.take_in(delivery.batch)
                self._marks.append((arrived_s, delivery.sequence))
                self._read = delivery.sequence
            await self._has_room.wait()

    async def take_in(self, batch: SoundBatch) -> float:
        """The pulses to the next tick, the rest to where it belongs; when it had arrived."""
        now = self._clock()
        told = [one.received_at for one in batch.impulses]
        told += [one.received_at for one in batch.reports]
        arrived = min(max(told, default=now), now)
        arrived_s = arrived.timestamp()
        pulses = self._sensors.hear(batch.impulses, batch.reports, arrived)
        self._fresh.extend((arrived_s, one) for one in self._belated.without(pulses, arrived_s))
        if pulses:
            self._last_pulse_s = arrived_s
        if len(self._fresh) > FRESH_MAX:
            self._has_room.clear()
        for clip in batch.clips:
            await self._keep(clip, batch.sounds[clip.sha256])
        return arrived_s

    async def _tick_on(self) -> None:
        judged = -math.inf
        loop = asyncio.get_running_loop()
        while True:
            at_s, is_behind = self._time()
            if not self._fresh and self._read < self._written:
                await asyncio.sleep(TICK_S)  # what is in the lane was before now
                continue
            if self._sensors.wants_judging or loop.time() - judged > JUDGE_EVERY_S:
                judged = loop.time()
                await self._sensors.judge(datetime.fromtimestamp(at_s, UTC))
            await self.tell_all()
            if is_behind or at_s - self._last_pulse_s < QUIET_S or self._storms:
                await self.tick(at_s)
                await self.tell_all()
            if not is_behind:
                await asyncio.sleep(TICK_S)

    def _time(self) -> tuple[float, bool]:
        """The moment to hear next, and whether it is past: the oldest pulse waits too long."""
        now_s = self._clock().timestamp()
        behind_s = now_s - self._fresh[0][0] if self._fresh else 0.0
        if behind_s <= BEHIND_S:
            return now_s, False
        step_s = FAR_TICK_S if behind_s > FAR_BEHIND_S else TICK_S
        return self._fresh[0][0] + step_s, True

    async def tick(self, at_s: float) -> None:
        """The locator hears what arrived by then. Pulses stay in line until it has."""
        due = [pulse for _, pulse in takewhile(lambda one: one[0] <= at_s, self._fresh)]
        self._locator.use(self._sensors.net, self._sensors.air)
        try:
            reply = await self._locator.tick(due, at_s)
        except LocatorFell:
            self._falls += 1
            if self._falls >= FALLS_MAX:
                log.error("the locator falls over %d pulses; they are let go", len(due))
                self._locator.forget()
                self._heard_by_locator(len(due))
            raise
        self._heard_by_locator(len(due))
        self.ticks_s.append(reply.took_s)
        self._storms = reply.storms
        self._on_storms(reply.storms)
        for found in reply.found:
            self._sensors.learn(found.source)
            track = f"{self._locator.boot}:{found.source.track}"
            if self._tracks.tell(track, found.source):
                self._put(self._shot(found, track))

    def _heard_by_locator(self, count: int) -> None:
        self._falls = 0
        for _ in range(count):
            self._fresh.popleft()
        if len(self._fresh) <= FRESH_MAX:
            self._has_room.set()

    async def _hear_belated_on(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if self.belated_is_due(self._clock().timestamp()):
                await self.hear_belated()

    def belated_is_due(self, now_s: float) -> bool:
        return self._belated.is_due(now_s)

    async def hear_belated(self) -> None:
        """What was known already, and what no belated pulse belongs to, is not told again."""
        late = self._belated.waiting
        asked = await self._locator.past(self._belated.around())
        for found in asked.found:
            if pulses_of(found.source).isdisjoint(late):
                continue
            named = f"{asked.boot}:{found.source.track}"
            track, revision = self._tracks.settle(named, found.source)
            source = msgspec.structs.replace(found.source, revision=revision)
            told = self._in_storms(msgspec.structs.replace(found, source=source))
            self._put(self._shot(told, track))
        self._belated.done(late)

    def _in_storms(self, found: Found) -> Found:
        """As it counts in the storms that there are: who hears the past alone knows of none."""
        place = found.source.place
        kinds, storm = heard_in(self._storms, place.x_m, place.y_m, found.kinds)
        if found.storm or not storm:
            return found
        return Found(found.source, kinds, (*found.because, storm), storm)

    def _put(self, told: tuple[Shot, str, bytes]) -> None:
        self._untold.append(told)
        if len(self._untold) > UNTOLD_MAX:
            self._untold.popleft()
            self.let_go += 1

    async def tell_all(self) -> None:
        """To the desk, one after another; what it cannot take stays in line."""
        while self._untold:
            await self._tell(*self._untold[0])
            self._untold.popleft()

    def _shot(self, found: Found, track: str) -> tuple[Shot, str, bytes]:
        source = found.source
        first_ms = int(source.rounds[0].at_s * 1000)
        shot = shot_of(
            source,
            self._sensors.plane,
            agency=self._agency,
            shot_id=ShotId(digest_id(first_ms, self._agency, track)),
            located_at=self._clock(),
            weather=self._sensors.weather,
            kinds=found.kinds,
            because=found.because,
        )
        shot = msgspec.structs.replace(shot, storm=found.storm)
        return shot, track, self._evidence(source)

    def _evidence(self, source: Source) -> bytes:
        """Every pulse around it and the sensors as they stood, so that it can be solved again."""
        first, last = source.rounds[0].at_s, source.rounds[-1].at_s
        pulses = self._belated.heard(first - EVIDENCE_BEFORE_S, last + EVIDENCE_AFTER_S)
        return msgspec.msgpack.encode(
            {"pulses": pulses, "net": self._sensors.net, "air": self._sensors.air}
        )

    async def _tell(self, shot: Shot, track: str, evidence: bytes) -> None:
        alert = await self._desk.hear(shot, track, evidence)
        if alert is None:
            return
        if shot.revision == 1:
            self.told += 1
            self.delays_s.append((self._clock() - shot.discharged_at).total_seconds())
        self._ask_for_sound(alert)

    def _ask_for_sound(self, alert: ShotAlert) -> None:
        """Of the nearest that heard each string: there the sound is least changed by its way."""
        for string in alert.strings:
            self._ask_for_string(string, string.shot_id, alert.alert_id)

    def want_sound(self, shot: Shot, track: str) -> None:
        """Of a shot that is another government's: its people hear it before they decide, too."""
        name = digest_id(0, "sound", track)
        self._ask_for_string(shot, name, name)

    def _ask_for_string(self, string: Shot, name: UUID, together: UUID) -> None:
        is_past = self._clock() - string.discharged_at > ASKED_WITHIN
        if name in self._asked or is_past or not string.heard:
            return
        if sum(one == together for one in self._asked.values()) >= STRINGS_ASKED:
            return
        if len(self._asked) >= ASKED_KEPT:
            del self._asked[next(iter(self._asked))]
        self._asked[name] = together
        for ear in sorted(string.heard, key=lambda ear: ear.metres)[:CLIPS_ASKED]:
            starts_at = ear.onset_at - timedelta(seconds=CLIP_LEAD_S)
            self._wants.ask(ear.sensor, starts_at, CLIP_S)

    async def ask_again(self) -> None:
        """What is wanted is known in memory alone: of alerts without sound that were raised just
        before this start, it is asked for anew."""
        async with self._database.transaction(self._agency) as connection:
            shots = Records(connection, self._agency).shots
            waiting = [*await shots.queue(), *await shots.quiet()]
        for alert in waiting:
            if not alert.clips:
                self._ask_for_sound(alert)

    async def _keep(self, clip: SoundClip, sound: bytes) -> None:
        """A clip goes to the alert that its sensor heard, and to the nation on whose land that
        was; one that none asked for is let go."""
        await self.elsewhere(clip, sound)
        place = self._sensors.place_of(clip.sensor)
        if place is None:
            return
        async with self._database.transaction(self._agency) as connection:
            around = await Records(connection, self._agency).shots.near(
                place, HEARD_WITHIN_M, clip.starts_at - CLIP_FITS, clip.starts_at + CLIP_FITS
            )
        for alert in around:
            if any(shot.is_in(clip) for shot in alert.shots):
                await keep_sound(self._pictures, self._desk, alert.alert_id, clip, sound)

    async def _advance_on(self) -> None:
        while True:
            await asyncio.sleep(ADVANCE_EVERY_S)
            await self._advance()

    async def _advance(self) -> None:
        """Keep the position of what no solution can need any more, and let the bus forget it."""
        heard_s = min(self._time()[0], self._belated.since_s)
        position = self.position
        while self._marks and self._marks[0][0] < heard_s - REPLAYED_S and not self._untold:
            position = self._marks.popleft()[1]
        if position == self.position:
            return
        async with self._database.system() as connection:
            await reads.advance(connection, CONSUMER, position)
        self.position = position
        await self._bus.sound.forget(position)


async def keep_sound(
    pictures: Pictures, desk: ShotDesk, alert_id: ShotAlertId, clip: SoundClip, sound: bytes
) -> None:
    """Kept for as long as its alert, before the alert says that it is there."""
    day = clip.starts_at.astimezone(UTC).date()
    await asyncio.to_thread(pictures.keep, day, {clip.sha256: sound})
    await asyncio.to_thread(pictures.hold, day, [clip.sha256])
    await desk.attach(alert_id, [clip])


async def _nowhere(_: SoundClip, __: bytes) -> None:
    return None


async def _until_one_ends(*works: Coroutine[Any, Any, None]) -> None:
    """All side by side; none is left when this returns. Raises what the first one raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        # Until Python 3.12 a wait that ends in the moment of its cancellation swallows it.
        while left := [task for task in tasks if not task.done()]:
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=CANCELLED_AGAIN_S)
