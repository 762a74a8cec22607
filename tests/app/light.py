"""All of a node that is about sound but its engines: sensors, locator, desk and store, in a time
that the test winds. Messages come in as the lane gives them out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple, cast

import numpy as np

from farolito.acoustics import Air, Pulse, Sensor
from farolito.acoustics.storm import Storm
from farolito.acoustics.wav import Recording, encode_wav
from farolito.app.clock import ids
from farolito.app.listening import TICK_S, Listening
from farolito.app.locating import Session
from farolito.app.locator import Asked, Found, Locator, Question, Reply, steps
from farolito.app.sensors import Sensors
from farolito.bus import Bus, SoundBatch
from farolito.desk import ShotDesk
from farolito.ingest.gunshot.wants import Wants
from farolito.media import Pictures
from farolito.model import (
    DeviceId,
    Impulse,
    ImpulseId,
    SensorReport,
    ShotAlert,
    SoundClip,
    digest_id,
)
from farolito.simulator.bang import Event
from farolito.simulator.ears import Ears
from farolito.simulator.metro import lat_lon
from farolito.simulator.sound import sound
from farolito.store import Records
from farolito.store.devices import Devices
from tests.desk.city import AGENCY, City

ARRIVES_S = 0.4  # after its onset
BEATS_S = 10.0


class NearLocator:
    """The locator's own session, without the process around it."""

    def __init__(self) -> None:
        self.boot = "near"
        self._session = Session()
        self._given: tuple[tuple[Sensor, ...], Air] | None = None
        self._now: tuple[tuple[Sensor, ...], Air] = ((), Air())
        self.asked_past = 0

    def use(self, net: tuple[Sensor, ...], air: Air) -> None:
        self._now = (net, air)

    async def tick(self, pulses: Sequence[Pulse], now_s: float) -> Reply:
        given = self._now if self._now != self._given else (None, None)
        self._given = self._now
        return self._session.answer(Question(now_s, tuple(pulses), *given))

    async def past(self, pulses: Sequence[Pulse]) -> Asked:
        self.asked_past += 1
        session, found = Session(), dict[int, Found]()
        for question in steps(pulses, *self._now):
            found |= {one.source.track: one for one in session.answer(question).found}
        return Asked(f"past-{self.asked_past}", tuple(found.values()))


class Told(NamedTuple):
    arrives_s: float
    pulse: Pulse


class LightNode:
    """`queued`: every alert that ever called a person, by name."""

    def __init__(self, city: City, pictures: Pictures, ears: Ears, seed: int) -> None:
        self.city, self.pictures, self.ears = city, pictures, ears
        self.rng = np.random.default_rng([0x11, seed])
        self.storms: list[Storm] = []
        self.queued: dict[Any, ShotAlert] = {}
        self.impulses = 0
        self.wrong_clocks: frozenset[str] = frozenset()  # who own to it in their heartbeats
        self._coming: list[Told] = []
        self._beat_s = -math.inf
        self.desk = ShotDesk(city.gate, city.system, city.clock, ids, lambda _: "")
        self.desk.followers.append(self._follow)
        self.wants = Wants(city.clock)
        self.start()

    def start(self) -> None:
        """A node that knows what the store has, and nothing else."""
        agency = AGENCY.agency_id
        self.locator = NearLocator()
        self.sensors = Sensors(self.city.database, agency, self.city.clock)
        self.listening = Listening(
            self.city.database,
            cast(Bus, None),  # only `run` reads the lane
            cast(Locator, self.locator),
            self.sensors,
            self.desk,
            self.wants,
            self.pictures,
            agency,
            self.city.clock,
            self._see,
        )

    async def registered(self) -> LightNode:
        async with self.city.database.system() as connection:
            for ear in self.ears.ears:
                await Devices(connection).keep(ear.device)
        async with self.city.database.transaction(AGENCY.agency_id) as connection:
            for ear in self.ears.ears:
                sensors = Records(connection, AGENCY.agency_id).sensors
                await sensors.keep(ear.device.device_id, ear.public_key)
        await self.sensors.load()
        await self.seconds(21)
        return self

    @property
    def now_s(self) -> float:
        return self.city.clock().timestamp()

    def make(self, events: Sequence[Event], stray_s: float = 0.0) -> list[Pulse]:
        """What the sensors will tell of these, in their time."""
        at_s = min(bang.at_s for event in events for bang in event.bangs)
        heard = sound(events, self.ears.town, (at_s, at_s + stray_s), self.rng).pulses
        self.tell(heard)
        return list(heard)

    def tell(self, pulses: Iterable[Pulse], late_s: float = 0.0) -> None:
        """They come in so long after their onset, and no sooner than now."""
        coming = [Told(max(p.at_s + ARRIVES_S + late_s, self.now_s), p) for p in pulses]
        self._coming = sorted([*self._coming, *coming], key=lambda told: told.arrives_s)

    def hold_back(self, sensors: Iterable[str]) -> list[Pulse]:
        """The pulses of sensors that are cut off: they are not told until somebody does."""
        cut = set(sensors)
        held = [told.pulse for told in self._coming if told.pulse.sensor in cut]
        self._coming = [told for told in self._coming if told.pulse.sensor not in cut]
        return held

    async def seconds(self, seconds: float) -> None:
        """Time passes, tick by tick."""
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            self.city.later(TICK_S)
            now = self.city.clock()
            if self.now_s - self._beat_s >= BEATS_S:
                self._beat_s = self.now_s
                await self.listening.take_in(SoundBatch("beat", (), self._beats(now)))
                await self.sensors.judge(now)
            heard = [told for told in self._coming if told.arrives_s <= self.now_s]
            self._coming = self._coming[len(heard) :]
            if heard:
                impulses = tuple(self._impulse(told) for told in heard)
                await self.listening.take_in(SoundBatch("pulses", impulses))
            if self.listening.belated_is_due(self.now_s):
                await self.listening.hear_belated()
            await self.listening.tick(self.now_s)
            await self.listening.tell_all()

    async def hear_clip(self, sensor: DeviceId, starts_at: datetime) -> SoundClip:
        """A recording comes in from the lane, as the door has let it in."""
        samples = 0.1 * self.rng.normal(size=24_000)
        wav = encode_wav(Recording(samples, 12_000))
        clip = SoundClip(
            sensor=sensor, sha256=sha256(wav).hexdigest(), starts_at=starts_at, seconds=2.0,
            rate_hz=12_000,
        )  # fmt: skip
        await self.listening.take_in(SoundBatch("clip", clips=(clip,), sounds={clip.sha256: wav}))
        return clip

    async def alerts(self) -> list[ShotAlert]:
        async with self.city.records() as records:
            return [*await records.shots.queue(), *await records.shots.quiet()]

    def _impulse(self, told: Told) -> Impulse:
        self.impulses += 1
        pulse = told.pulse
        onset_at = datetime.fromtimestamp(pulse.at_s, UTC)
        name = digest_id(int(pulse.at_s * 1000), pulse.sensor, repr(pulse.at_s))
        return Impulse(
            impulse_id=ImpulseId(name), agency=AGENCY.agency_id, sensor=DeviceId(pulse.sensor),
            onset_at=onset_at, received_at=datetime.fromtimestamp(told.arrives_s, UTC),
            level_db=pulse.level_db, snr_db=pulse.snr_db, bands_db=pulse.bands_db,
            rise_ms=pulse.rise_ms, decay_ms=pulse.decay_ms,
        )  # fmt: skip

    def _beats(self, at: datetime) -> tuple[SensorReport, ...]:
        return tuple(
            SensorReport(
                agency=AGENCY.agency_id,
                sensor=ear.device.device_id,
                at=at,
                received_at=at,
                clock_source="gps",
                temperature_c=18.0,
                clock_error_s=0.05 if ear.device.device_id in self.wrong_clocks else 0.0002,
            )
            for ear in self.ears.ears
        )

    def _see(self, storms: Sequence[Storm]) -> None:
        seen = {one.number: one for one in self.storms} | {one.number: one for one in storms}
        self.storms = list(seen.values())

    async def _follow(self, records: Records, alert: ShotAlert, says: str) -> None:
        if alert.is_queued:
            self.queued[alert.alert_id] = alert


def metres_off(alert: ShotAlert, event: Event) -> float:
    """From the place that is told to where it was."""
    lat, lon = lat_lon((event.x_m, event.y_m))
    east = (alert.shot.place.lon - lon) * 111_320 * math.cos(math.radians(lat))
    return math.hypot((alert.shot.place.lat - lat) * 111_320, east)
