"""Shots and their alerts with what a test does not care about filled in."""

from __future__ import annotations

import io
import struct
import wave
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from farolito.model import (
    AgencyId,
    AlertState,
    DeviceId,
    Ellipse,
    Heard,
    Level,
    Mode,
    PersonId,
    Point,
    Round,
    Shot,
    ShotAlert,
    ShotAlertId,
    ShotId,
    ShotReview,
    SoundKind,
)

AGENCY = AgencyId("city-pd")
HEARD_AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
PLACE = Point(35.0844, -106.6504)
REVIEWER = PersonId(UUID(int=7))


def rounds(
    n: int = 5, at: datetime = HEARD_AT, every_s: float = 0.325, sensors: int = 9
) -> tuple[Round, ...]:
    return tuple(Round(at=at + timedelta(seconds=i * every_s), sensors=sensors) for i in range(n))


def ellipse(semi_major_m: float = 12.0, semi_minor_m: float = 6.0, bearing_deg: float = 30) -> Any:
    return Ellipse(semi_major_m=semi_major_m, semi_minor_m=semi_minor_m, bearing_deg=bearing_deg)


def mode(place: Point, share: float) -> Mode:
    return Mode(place=place, ellipse=ellipse(), share=share)


def shot(n: int = 5, at: datetime = HEARD_AT, **more: Any) -> Shot:
    """`n` rounds from one place, heard by nine sensors, surely gunfire by the machine."""
    told: dict[str, Any] = {
        "shot_id": ShotId(uuid4()),
        "agency": AGENCY,
        "revision": 1,
        "source": "sensors",
        "discharged_at": at,
        "located_at": at + timedelta(seconds=2),
        "place": PLACE,
        "rounds": rounds(n, at),
        "probability": 0.98,
        "kinds": {SoundKind.GUNSHOT: 0.95, SoundKind.FIREWORK: 0.05},
        "ellipse": ellipse(),
        "heard": tuple(
            Heard(
                sensor=DeviceId(f"s{i}"), metres=100.0 * i, onset_at=at, rounds=n, residual_ms=0.0
            )
            for i in range(1, 10)
        ),
    }
    return Shot(**{**told, **more})


def shot_alert(
    *shots: Shot, state: AlertState = AlertState.CONFIRMED, **more: Any
) -> ShotAlert:  # fmt: skip
    """Reviewed by a person as gunfire unless `state` says otherwise."""
    told: Sequence[Shot] = shots or (shot(),)
    kind = {AlertState.CONFIRMED: SoundKind.GUNSHOT, AlertState.CLOSED: SoundKind.GUNSHOT,
            AlertState.REJECTED: SoundKind.FIREWORK}.get(state)  # fmt: skip
    at = told[0].discharged_at
    made: dict[str, Any] = {
        "alert_id": ShotAlertId(uuid4()),
        "agency": AGENCY,
        "version": 3,
        "level": Level.P1,
        "state": state,
        "shots": tuple(told),
        "machine": told[0],
        "raised_at": at + timedelta(seconds=2),
        "changed_at": at + timedelta(seconds=40),
        "review": None if kind is None else ShotReview(
            at=at + timedelta(seconds=40), by=REVIEWER, kind=kind
        ),
    }  # fmt: skip
    return ShotAlert(**{**made, **more})


def wav(samples: list[float], *, width: int = 2, channels: int = 1, rate_hz: int = 4_000) -> bytes:
    """PCM of values in −1…1."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((channels, width, rate_hz, 0, "NONE", ""))
        full = 2 ** (8 * width - 1) - 1
        file.writeframes(b"".join(
            struct.pack("<i", round(one * full))[:width] if width > 1
            else struct.pack("B", round(one * 127) + 128)
            for one in samples
        ))  # fmt: skip
    return out.getvalue()
