"""The practice metro's sensors at work: each sends what it heard, says how it is, and sends the
sound that it is asked for.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any, BinaryIO, Protocol

import httpx
import msgspec
import numpy as np

from farolito.acoustics import Pulse
from farolito.acoustics.wav import Recording, encode_wav
from farolito.simulator import sensor_message
from farolito.simulator.ears import Ear, Ears
from farolito.simulator.sensor_message import Body, Signing
from farolito.simulator.sound_waves import RATE_HZ, Sounding, recording
from farolito.simulator.soundscape import Told

PATH = "/ingest/gunshot/farolito"
WANTS = "/ingest/gunshot/wants"
STEP_S = 0.1
PICKS_S = 0.25  # a sensor knows an onset this long after it: it waits for the peak and the bands
HEARTBEAT_S = 10.0
POLL_S_MAX = 35.0
PAUSE_S = (0.5, 8.0)
TRIES_MAX = 20
CLIP_S = 2.0
ANEMOMETERS_EVERY = 12  # every so many sensors one measures the wind too


class Heard(Protocol):
    """What the sensors hear, moment by moment; `truths` are taken out and written down."""

    @property
    def truths(self) -> list[Any]: ...

    def until(self, at: datetime) -> list[Told]: ...

    def behind(self, sensor: str, from_s: float, to_s: float) -> list[Told]: ...


class SoundKept(msgspec.Struct):
    """What became of the sensors' messages."""

    accepted: int = 0
    rejected: int = 0
    dropped: int = 0


class SoundLine:
    """`now` tells the practice metro's time."""

    def __init__(
        self,
        base_url: str,
        ears: Ears,
        soundscape: Heard,
        now: Callable[[], datetime],
        book: BinaryIO,
    ) -> None:
        self._base_url = base_url
        self._ears = ears
        self._scape = soundscape
        self._now = now
        self._book = book
        boot = int(now().timestamp())
        self._speaking = [ear for ear in ears.ears if ear.device.device_id not in ears.silent]
        self._signing = {
            str(ear.device.device_id): Signing(str(ear.device.device_id), ear.key, boot)
            for ear in self._speaking
        }
        self._rng = np.random.default_rng(boot)
        self._sending: set[asyncio.Task[None]] = set()
        self.kept = SoundKept()

    async def run(self) -> None:
        """Until cancelled. Every sensor waits at the door of its own, so the client has room."""
        limits = httpx.Limits(max_connections=4 * len(self._speaking) + 16)
        async with (
            httpx.AsyncClient(base_url=self._base_url, timeout=POLL_S_MAX, limits=limits) as client,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(self._tell(client))
            for at, ear in enumerate(self._speaking):
                tasks.create_task(self._beat(client, ear, at))
                tasks.create_task(self._listen(client, ear))

    async def _tell(self, client: httpx.AsyncClient) -> None:
        """Pulses of one sensor that come close together are one message."""
        while True:
            now = self._now()
            heard: dict[str, list[Pulse]] = defaultdict(list)
            for told in self._scape.until(_before(now, PICKS_S)):
                if told.pulse.sensor in self._signing:
                    heard[told.pulse.sensor].append(told.pulse)
            for truth in self._scape.truths:
                self._book.write(msgspec.json.encode(truth) + b"\n")
            self._scape.truths.clear()
            for sensor, pulses in heard.items():
                self._begin(self._send(client, sensor, sensor_message.pulses(pulses)))
            await asyncio.sleep(STEP_S)

    async def _beat(self, client: httpx.AsyncClient, ear: Ear, at: int) -> None:
        """One after the other, not all at once."""
        sensor = str(ear.device.device_id)
        town = self._ears.town
        celsius = (town.sound_mps / 20.03) ** 2 - 273.15
        wind = None
        if at % ANEMOMETERS_EVERY == 0:
            x, y = town.wind
            wind = {
                "wind_mps": round(math.hypot(x, y), 1),
                "wind_from_deg": round(math.degrees(math.atan2(-x, -y)) % 360, 0),
            }
        while True:
            body = sensor_message.heartbeat(
                self._now().timestamp(),
                celsius + self._rng.normal(0, 0.5),
                float(town.noise_db[at]),
                wind,
            )
            await self._send(client, sensor, body)
            await asyncio.sleep(HEARTBEAT_S * (0.9 + 0.2 * self._rng.random()))

    async def _listen(self, client: httpx.AsyncClient, ear: Ear) -> None:
        """Wait for a want, send its sound, wait on."""
        sensor, newest = str(ear.device.device_id), 0
        while True:
            sealed = self._signing[sensor].poll(newest, self._now().timestamp())
            try:
                answer = await client.get(WANTS, headers={"X-Farolito-Sealed": sealed})
                wants: list[dict[str, Any]] = answer.json()["wants"] if answer.is_success else []
            except (httpx.HTTPError, ValueError, KeyError):
                wants = []
                await asyncio.sleep(PAUSE_S[1] * self._rng.random())
                continue
            if not answer.is_success:
                await asyncio.sleep(PAUSE_S[1])
            for want in wants:
                newest = max(newest, want["want"])
                body = await asyncio.to_thread(self._clip, sensor, want)
                await self._send(client, sensor, body)

    def _clip(self, sensor: str, want: dict[str, Any]) -> Body:
        """The sound of a moment, made of what the sensor picked in it."""
        starts_s, seconds = want["from"] / 1e6, min(CLIP_S, want["seconds"])
        told = self._scape.behind(sensor, starts_s, starts_s + seconds)
        soundings = [_sounding(one, starts_s) for one in told]
        samples = recording(soundings, seconds, self._rng)
        assert len(samples) <= CLIP_S * RATE_HZ, "a clip is two seconds at most"
        return sensor_message.clip(want["want"], starts_s, encode_wav(Recording(samples, RATE_HZ)))

    def _begin(self, sending: Any) -> None:
        task = asyncio.create_task(sending)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, client: httpx.AsyncClient, sensor: str, body: Body) -> None:
        """Until it is taken or refused for good."""
        message = self._signing[sensor].message(body, time.time())
        pause_s = PAUSE_S[0]
        for _ in range(TRIES_MAX):
            try:
                answer = await client.post(PATH, content=message)
            except httpx.TransportError:
                pass
            else:
                if answer.is_success:
                    self.kept.accepted += 1
                    return
                if answer.status_code < 500 and answer.status_code != 429:
                    self.kept.rejected += 1
                    return
            await asyncio.sleep(pause_s)
            pause_s = min(PAUSE_S[1], pause_s * 2)
        self.kept.dropped += 1


def _sounding(told: Told, starts_s: float) -> Sounding:
    pulse = told.pulse
    return Sounding(
        what=told.of.what if told.of else "stray",
        at_s=pulse.at_s - starts_s,
        level_db=pulse.level_db or 60.0,
    )


def _before(at: datetime, seconds: float) -> datetime:
    return datetime.fromtimestamp(at.timestamp() - seconds, at.tzinfo)
