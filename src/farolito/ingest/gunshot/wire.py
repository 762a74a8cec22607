"""The JSON inside a sealed message, field by field: units and limits. docs/sensor-protocol.md."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from farolito.model import BANDS_HZ

PULSES_MAX = 200  # a message; one with more is refused whole
CLIP_S_MAX = 2.0
CLIP_BYTES_MAX = 256 * 1024
VERSION_CHARACTERS_MAX = 64

# Microseconds since 1970, or ISO 8601 with a zone and at least four decimals of a second.
Moment = Annotated[int, msgspec.Meta(ge=0, lt=10**17)] | Annotated[str, msgspec.Meta(max_length=40)]
Decibel = Annotated[float, msgspec.Meta(ge=-100, le=250)]
_Ms = Annotated[float, msgspec.Meta(ge=0, le=60_000)]


class Pulse(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One onset; the features as model.Impulse has them."""

    at: Moment
    level_db: Decibel | None = None
    snr_db: Decibel | None = None
    bands_db: (
        Annotated[
            tuple[Decibel, ...], msgspec.Meta(min_length=len(BANDS_HZ), max_length=len(BANDS_HZ))
        ]
        | None
    ) = None
    rise_ms: _Ms | None = None
    decay_ms: _Ms | None = None


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a sensor says of itself, every 10 s; as model.SensorReport."""

    at: Moment
    clock_error_s: Annotated[float, msgspec.Meta(ge=0, le=1e6)] | None = None
    clock_source: Literal["gps", "pps", "ntp", "none"] = "none"
    noise_db: Decibel | None = None
    temperature_c: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    wind_mps: Annotated[float, msgspec.Meta(ge=0, le=120)] | None = None
    wind_from_deg: Annotated[float, msgspec.Meta(ge=0, le=360)] | None = None
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    place_error_m: Annotated[float, msgspec.Meta(ge=0, le=1e6)] | None = None
    uptime_s: Annotated[float, msgspec.Meta(ge=0, le=1e10)] | None = None
    dropped: Annotated[int, msgspec.Meta(ge=0, le=10**9)] = 0
    version: Annotated[str, msgspec.Meta(max_length=VERSION_CHARACTERS_MAX)] = ""


class Clip(msgspec.Struct, frozen=True, kw_only=True):
    """The sound that was asked for: `want` as it was told, `wav` PCM16 mono in base64."""

    want: Annotated[int, msgspec.Meta(ge=0, lt=10**17)]
    starts_at: Moment
    wav: Annotated[str, msgspec.Meta(max_length=CLIP_BYTES_MAX * 4 // 3 + 4)]


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All of a message, as it is sent. `late`: the sensor was cut off, and tells now what it
    heard then."""

    pulses: tuple[Pulse, ...] = ()
    heartbeat: Heartbeat | None = None
    clip: Clip | None = None
    late: bool = False


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """The same as it came, each part of which may be bad by itself."""

    pulses: tuple[msgspec.Raw, ...] = ()
    heartbeat: msgspec.Raw = msgspec.Raw()
    clip: msgspec.Raw = msgspec.Raw()
    late: bool = False


class WantsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What a sealed `farolito-wants` carries: only wants with a larger number are news."""

    after: Annotated[int, msgspec.Meta(ge=0, lt=10**17)] = 0


class Want(msgspec.Struct, frozen=True, kw_only=True):
    """A clip that the sensor is asked for. `from_us`: µs since 1970, of its first sample."""

    want: int
    from_us: int = msgspec.field(name="from")
    seconds: float
