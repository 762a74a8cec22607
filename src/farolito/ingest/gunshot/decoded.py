"""What the adapters of this room give back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from farolito.model import DeviceId, Impulse, Rejected, SensorReport, Shot, SoundClip


class RejectedPart(msgspec.Struct, frozen=True):
    """What of a message was not taken in: "pulse 3" (from 0), "heartbeat", "clip", "alert 0"."""

    part: str
    reason: str
    says: str
    do: str = ""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What one message of a sensor told.

    `sounds`: WAV bytes by their SHA-256 in hex, the name that the clips carry. `answers`: the
    SHA-256 by the number of the want that a clip answers. `late`: impulses that the sensor could
    not send in time, and says so; they are among `impulses`.
    """

    impulses: tuple[Impulse, ...] = ()
    reports: tuple[SensorReport, ...] = ()
    clips: tuple[SoundClip, ...] = ()
    sounds: Mapping[str, bytes] = {}
    answers: Mapping[int, str] = {}
    rejected: tuple[RejectedPart, ...] = ()
    late: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.impulses or self.reports or self.clips)


class VendorAlert(msgspec.Struct, frozen=True, kw_only=True):
    """What a vendor's service tells of one alert, now or again.

    `track` stays the same for all that it tells of it. `shot` is None for a cancellation that
    says no more than that. `mark` tells this message from others; the same one told again has
    the same. `body`: its bytes, for whoever wants to see what was told.
    """

    track: str
    device: DeviceId
    told_at: datetime
    shot: Shot | None
    mark: str
    body: bytes
    cancelled: bool = False
    reviewed: bool = False  # by the vendor's own people, as it says
    address: str = ""
    beat: str = ""
    note: str = ""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor's message: its alerts, and the records of it that are none."""

    alerts: tuple[VendorAlert, ...] = ()
    rejected: tuple[RejectedPart, ...] = ()


def part(name: str, why: Rejected) -> RejectedPart:
    return RejectedPart(name, why.reason, why.says, why.do)
