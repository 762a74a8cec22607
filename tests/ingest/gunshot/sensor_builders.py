"""What the tests of this room share: a sensor with its key, and what stands behind its door."""

from __future__ import annotations

import asyncio
import base64
import io
import wave
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from farolito.bus import BusDown, SoundBatch
from farolito.ingest.gunshot.door import SensorDoor
from farolito.ingest.gunshot.envelope import Head, Says, seal
from farolito.ingest.gunshot.wants import Wants
from farolito.model import (
    AgencyId,
    Device,
    DeviceId,
    GunshotSensor,
    Impulse,
    Point,
    Rejected,
    SensorMark,
)

NOW = datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RIDGE = Device(
    device_id=DeviceId("ridge-04"),
    agency=AgencyId("practice-pd"),
    kind="gunshot_sensor",
    name="Ridge 4",
    format="farolito",
    place=Point(35.0844, -106.6504),
)
VENDOR = Device(
    device_id=DeviceId("acme"),
    agency=AgencyId("practice-pd"),
    kind="gunshot_sensor",
    name="Acme shot alerts",
    format="vendor",
    zone="America/Denver",
)
KEY = Ed25519PrivateKey.from_private_bytes(sha256(b"practice sensor ridge-04").digest())


def us(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def before(seconds: float) -> int:
    """µs since 1970 of a moment so long before NOW."""
    return us(NOW) - round(seconds * 1e6)


def a_wav(seconds: float = 1.0, rate_hz: int = 12_000) -> bytes:
    """PCM of 16 bits, one channel, as Python's own writer makes it."""
    out = io.BytesIO()
    with wave.open(out, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes(b"\x01\x02" * round(seconds * rate_hz))
    return out.getvalue()


def a_clip(want: int, starts_us: int, wav: bytes | None = None) -> dict[str, Any]:
    sound = a_wav() if wav is None else wav
    return {"want": want, "starts_at": starts_us, "wav": base64.b64encode(sound).decode()}


def sensor(boot: int = 0, sequence: int = 0, key: Ed25519PrivateKey = KEY) -> GunshotSensor:
    return GunshotSensor(
        device=RIDGE,
        public_key=key.public_key().public_bytes_raw(),
        boot=boot,
        sequence=sequence,
    )


class StoreAway(Exception):
    """What stands for a store that is not there."""


class Behind:
    """What stands behind the door: a bus, a registry that lasts, and what both were told."""

    def __init__(self, *sensors: GunshotSensor) -> None:
        self.registered = {one.device.device_id: one for one in sensors or (sensor(),)}
        self.published: list[SoundBatch] = []
        self.begun = 0  # handed to the bus, whether or not it has them yet
        self.letters: list[tuple[Device | None, str, bytes]] = []
        self.alarms: list[tuple[str, str]] = []
        self.heard_pulses = 0
        self.bus_is_down = False
        self.store_is_away = False
        self.held: asyncio.Event | None = None
        self.now = NOW
        self.wants = Wants(lambda: self.now)
        self.door = self.start()

    def start(self) -> SensorDoor:
        """A door as it is after a start: it remembers nothing but what the registry has."""
        self.door = SensorDoor(
            self.publish,
            self.find,
            self.keep,
            self,
            self.wants,
            away=(StoreAway,),
            alarm=lambda name, reason, says, at: self.alarms.append((name, reason)),
        )
        return self.door

    async def publish(self, batch: SoundBatch) -> None:
        self.begun += 1
        if self.held is not None:
            await self.held.wait()
        if self.bus_is_down:
            raise BusDown("the bus is not connected", "send again")
        self.published.append(batch)

    async def find(self, name: DeviceId) -> GunshotSensor | None:
        if self.store_is_away:
            raise StoreAway
        return self.registered.get(name)

    async def keep(self, marks: Sequence[SensorMark]) -> None:
        if self.store_is_away:
            raise StoreAway
        for mark in marks:
            known = self.registered[mark.sensor]
            if (mark.boot, mark.sequence) > (known.boot, known.sequence):
                self.registered[mark.sensor] = msgspec.structs.replace(
                    known, boot=mark.boot, sequence=mark.sequence, heard_at=mark.heard_at
                )

    def heard(self, device: Device, format_: str, reads: int, at: datetime) -> None:
        self.heard_pulses += reads

    def rejected(
        self, device: Device | None, format_: str, why: Rejected, body: bytes, at: datetime
    ) -> None:
        self.letters.append((device, why.reason, body))

    @property
    def impulses(self) -> list[Impulse]:
        return [one for batch in self.published for one in batch.impulses]

    @property
    def reasons(self) -> list[str]:
        return [reason for _, reason, _ in self.letters]


def sealed(
    sequence: int = 1,
    boot: int = 100,
    key: Ed25519PrivateKey = KEY,
    name: str = "ridge-04",
    **message: Any,
) -> bytes:
    """A message of the sensor; without other content one pulse of a second ago."""
    content = message or {"pulses": [{"at": before(1)}]}
    head = Head(sensor=name, boot=boot, sequence=sequence, sent_us=us(NOW))
    return seal(key, head, content)


def a_poll(
    after: int = 0, sent_us: int | None = None, key: Ed25519PrivateKey = KEY, **head: Any
) -> str:
    """The header with which a sensor waits for wants."""
    made = Head(
        sensor=head.pop("sensor", "ridge-04"),
        boot=100,
        sequence=0,
        sent_us=us(NOW) if sent_us is None else sent_us,
        says=head.pop("says", Says.WANTS),
    )
    return base64.b64encode(seal(key, made, {"after": after})).decode()
