"""What a gunshot sensor tells: onsets of impulses, its own health, and a short clip on request."""

from __future__ import annotations

from datetime import datetime

import msgspec

from farolito.model.errors import Invalid
from farolito.model.ids import AgencyId, DeviceId, ImpulseId
from farolito.model.place import Point

BANDS_HZ = (125, 250, 500, 1000, 2000, 4000)
"""Centres of the octave bands of `Impulse.bands_db` (IEC 61260-1)."""


class Impulse(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One onset at one sensor. It says nothing about what made it.

    `onset_at` by the sensor's clock, to 0.1 ms or better. `level_db`: peak of the envelope, dB SPL
    where the sensor is calibrated. `snr_db` above the noise before it. `bands_db`: mean level of
    the first 50 ms in the octave bands `BANDS_HZ`. `rise_ms` from 10 % to 90 % of the peak;
    `decay_ms` until the envelope is 10 dB under it. None: the sensor does not tell.
    """

    impulse_id: ImpulseId
    agency: AgencyId
    sensor: DeviceId
    onset_at: datetime
    received_at: datetime
    level_db: float | None = None
    snr_db: float | None = None
    bands_db: tuple[float, ...] = ()
    rise_ms: float | None = None
    decay_ms: float | None = None

    def __post_init__(self) -> None:
        if self.onset_at.tzinfo is None or self.received_at.tzinfo is None:
            raise Invalid("a time without a zone", "send UTC or an offset")
        if self.bands_db and len(self.bands_db) != len(BANDS_HZ):
            raise Invalid(f"{len(self.bands_db)} bands", f"send {len(BANDS_HZ)} bands or none")


class SensorReport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A sensor's heartbeat: what it says of itself. `at` by its own clock.

    `clock_error_s`: what it holds its clock's error to be, 1 sd; `clock_source` "gps", "pps",
    "ntp" or "none". `noise_db`: median level in 150–4000 Hz. Wind where it has an anemometer,
    `wind_from_deg` from north, where it comes *from*. `place`: where its GPS puts it now.
    """

    agency: AgencyId
    sensor: DeviceId
    at: datetime
    received_at: datetime
    clock_error_s: float | None = None
    clock_source: str = "none"
    noise_db: float | None = None
    temperature_c: float | None = None
    wind_mps: float | None = None
    wind_from_deg: float | None = None
    place: Point | None = None
    place_error_m: float | None = None
    uptime_s: float | None = None
    dropped: int = 0  # impulses it could not send since the last heartbeat
    version: str = ""


class SoundClip(msgspec.Struct, frozen=True, kw_only=True):
    """Where a short recording of an impulse is kept, by the SHA-256 of its WAV bytes."""

    sensor: DeviceId
    sha256: str
    starts_at: datetime
    seconds: float
    rate_hz: int


class Weather(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The air that sound crosses, with the uncertainty of each figure (1 sd).

    `wind_from_deg` from north, where it comes *from*. `source` says who measured it; "assumed":
    nobody did.
    """

    at: datetime
    temperature_c: float = 15.0
    wind_mps: float = 0.0
    wind_from_deg: float = 0.0
    temperature_sd_c: float = 8.0
    wind_sd_mps: float = 4.0
    source: str = "assumed"
