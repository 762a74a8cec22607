"""A gunshot sensor as it is registered: what it signs with, and what was last heard of it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from farolito.model.agency import Device
from farolito.model.errors import Invalid
from farolito.model.ids import DeviceId
from farolito.model.impulse import SensorReport

PUBLIC_KEY_BYTES = 32


class GunshotSensor(msgspec.Struct, frozen=True, kw_only=True):
    """`public_key`: Ed25519. `boot` and `sequence` of its newest message: an older one is a
    replay. `set_aside`: why it is not believed now; None where it is."""

    device: Device
    public_key: bytes
    boot: int = 0
    sequence: int = 0
    heard_at: datetime | None = None
    report: SensorReport | None = None
    set_aside: str | None = None
    set_aside_at: datetime | None = None

    def __post_init__(self) -> None:
        if len(self.public_key) != PUBLIC_KEY_BYTES:
            says = f"a public key of {len(self.public_key)} bytes"
            raise Invalid(says, f"give the {PUBLIC_KEY_BYTES} bytes of an Ed25519 key in base64")


class SensorMark(msgspec.Struct, frozen=True, kw_only=True):
    """How far a sensor's messages have come, and its newest heartbeat where one came with it."""

    sensor: DeviceId
    boot: int
    sequence: int
    heard_at: datetime
    report: SensorReport | None = None
