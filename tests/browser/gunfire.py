"""Gunfire as a locator tells it to a node, with the sound that each sensor recorded of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from farolito.acoustics.net import SOUND_MPS_PER_ROOT_KELVIN
from farolito.acoustics.wav import Recording, encode_wav
from farolito.app.clock import ids
from farolito.geo import Plane
from farolito.model import (
    Device,
    DeviceId,
    Ellipse,
    Heard,
    Mode,
    Point,
    Round,
    SensorReport,
    Shot,
    ShotAlert,
    ShotId,
    SoundClip,
    SoundKind,
    Weather,
)
from farolito.simulator.sound_waves import RATE_HZ, Sounding, recording
from tests.running import AGENCY, RunningNode

MIDDLE = Point(35.0844, -106.6504)
AIR = Weather(
    at=datetime(2026, 11, 2, tzinfo=UTC), temperature_c=12, wind_mps=3, wind_from_deg=250,
    source="city-station",
)  # fmt: skip
# Metres east and north of the middle, and how far a sensor is out of step.
EARS = {
    "ear-roof": (60, 140, 1.0), "ear-school": (-220, 90, -2.0), "ear-mill": (310, -160, 3.0),
    "ear-depot": (-150, -400, -1.0), "ear-tower": (520, 380, 4.0),
}  # fmt: skip
SILENT, DOWN = "ear-park", "ear-bridge"
QUIET_ONES = {SILENT: (120, -420), DOWN: (-480, 60)}
CLIP_LEAD_S, CLIP_S = 0.5, 3.0
PACE_S = 0.31


class Gunfire:
    """Shots near the middle of town. Each test's shots lie at a place of their own."""

    def __init__(self, node: RunningNode) -> None:
        self.node = node
        self.plane = Plane((MIDDLE.lat, MIDDLE.lon))

    async def sensors(self) -> None:
        """Seven sensors around the middle are registered, as an administrator does."""
        for name, (x, y, *_) in {**EARS, **QUIET_ONES}.items():
            words = name.removeprefix("ear-").capitalize()
            device = Device(
                device_id=DeviceId(name), agency=AGENCY, kind="gunshot_sensor", name=words,
                format="farolito", place=self.spot(x, y),
            )  # fmt: skip
            key = hashlib.sha256(name.encode()).digest()
            await self.node.node.identity.register_sensor(device, key)
        net = self.node.node.shots.sensors
        await self.node.node.shots.registered()
        now = datetime.now(UTC)
        beats = [
            SensorReport(
                agency=AGENCY, sensor=DeviceId(name), at=now, received_at=now,
                clock_error_s=0.0008, clock_source="gps", noise_db=48.0, temperature_c=12.0,
                place=self.spot(x, y), uptime_s=86_400,
            )
            for name, (x, y, *_) in {**EARS, SILENT: QUIET_ONES[SILENT]}.items()
        ]  # fmt: skip
        net.hear([], beats, now)
        await net.judge(now)

    def spot(self, x: float, y: float) -> Point:
        return Point(*self.plane.to_degrees((x, y)))

    def shot(
        self, x: float = 0.0, y: float = 0.0, *, rounds: int = 5, gun: float = 0.93, **more: Any
    ) -> Shot:
        """A string that was fired six seconds ago and heard by five sensors."""
        at = datetime.now(UTC) - timedelta(seconds=6)
        fired = [at + timedelta(seconds=PACE_S * n) for n in range(rounds)]
        heard = tuple(
            Heard(
                sensor=DeviceId(name), metres=metres, rounds=rounds, residual_ms=off,
                onset_at=at + timedelta(seconds=self.travel_s(metres) + off / 1000),
                level_db=120 - 16 * float(np.log10(metres)),
            )
            for name, metres, off in self._ways(x, y)
        )  # fmt: skip
        rest = 1 - gun
        told: dict[str, Any] = {
            "shot_id": ShotId(ids()), "agency": AGENCY, "revision": 1, "source": "sensors",
            "discharged_at": at, "located_at": at + timedelta(seconds=2.3),
            "place": self.spot(x, y), "probability": 1.0,
            "rounds": tuple(Round(at=one, sensors=len(heard)) for one in fired),
            "rounds_low": rounds, "rounds_high": rounds + 1,
            "kinds": {
                SoundKind.GUNSHOT: gun, SoundKind.FIREWORK: 0.6 * rest,
                SoundKind.VEHICLE: 0.25 * rest, SoundKind.CONSTRUCTION: 0.1 * rest,
                SoundKind.OTHER: 0.05 * rest,
            },
            "ellipse": Ellipse(semi_major_m=9, semi_minor_m=5, bearing_deg=40), "heard": heard,
            "silent": (DeviceId(SILENT),), "down": (DeviceId(DOWN),), "weather": AIR,
            "because": (
                "5 rounds at an even pace of 0.31 s: as a semi-automatic fires.",
                "Heard farther than firecrackers are.",
            ),
        }  # fmt: skip
        return Shot(**{**told, **more})

    def ambiguous(self, shot: Shot) -> Shot:
        """The same, as a thin net tells it: it could have been at either of two places."""
        away = Point(shot.place.lat + 0.0011, shot.place.lon - 0.0009)
        wide = Ellipse(semi_major_m=24, semi_minor_m=11, bearing_deg=120)
        modes = (
            Mode(place=shot.place, ellipse=wide, share=0.68),
            Mode(place=away, ellipse=wide, share=0.27),
        )
        return msgspec.structs.replace(shot, modes=modes, ellipse=wide)

    async def hear(self, shot: Shot, track: str | None = None) -> ShotAlert:
        """The locator tells the node; the alert that this raised or changed."""
        alert = await self.node.node.shots.desk.hear(shot, track or f"test:{shot.shot_id}")
        assert alert is not None, "it changed something"
        return alert

    async def revise(self, alert: ShotAlert, **changes: Any) -> ShotAlert:
        """A better solution of its first string."""
        [shot] = alert.shots
        better = msgspec.structs.replace(shot, revision=shot.revision + 1, **changes)
        return await self.hear(better, f"test:{shot.shot_id}")

    async def take_back(self, shot: Shot) -> ShotAlert:
        """The locator found that other places explain it better."""
        withdrawn = msgspec.structs.replace(shot, revision=shot.revision + 1, probability=0.02)
        return await self.hear(withdrawn, f"test:{shot.shot_id}")

    async def send_clips(self, alert: ShotAlert, sensors: Sequence[str] = tuple(EARS)[:4]) -> None:
        """Sensors send back what they recorded of its first string."""
        shot = alert.shots[0]
        rng = np.random.default_rng(7)
        clips = []
        for heard in shot.heard:
            if str(heard.sensor) not in sensors:
                continue
            first = heard.onset_at
            soundings = [
                Sounding(
                    what="handgun", level_db=heard.level_db or 70.0, metres=heard.metres,
                    at_s=CLIP_LEAD_S + (one.at - shot.rounds[0].at).total_seconds(),
                )
                for one in shot.rounds
            ]  # fmt: skip
            content = encode_wav(Recording(recording(soundings, CLIP_S, rng), RATE_HZ))
            sha256 = hashlib.sha256(content).hexdigest()
            starts_at = first - timedelta(seconds=CLIP_LEAD_S)
            self.node.node.pictures.keep(starts_at.date(), {sha256: content})
            clips.append(
                SoundClip(
                    sensor=heard.sensor, sha256=sha256, starts_at=starts_at, seconds=CLIP_S,
                    rate_hz=RATE_HZ,
                )
            )  # fmt: skip
        await self.node.node.shots.desk.attach(alert.alert_id, clips)

    async def raised(self, x: float = 0.0, y: float = 0.0, **more: Any) -> ShotAlert:
        """An alert with its sound, waiting in the queue."""
        alert = await self.hear(self.shot(x, y, **more))
        await self.send_clips(alert)
        return alert

    @staticmethod
    def travel_s(metres: float) -> float:
        return metres / (SOUND_MPS_PER_ROOT_KELVIN * float(np.sqrt(AIR.temperature_c + 273.15)))

    def _ways(self, x: float, y: float) -> list[tuple[str, float, float]]:
        return [
            (name, float(np.hypot(ear_x - x, ear_y - y)), off)
            for name, (ear_x, ear_y, off) in EARS.items()
        ]
