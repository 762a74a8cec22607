"""What can be written in `sensor.toml`. Nothing here opens anything but that file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import msgspec

from farolito.model import FarolitoError

FILE = "sensor.toml"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class Mqtt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[mqtt]`: a broker between the sensor and the node."""

    host: str
    port: int = 8883
    username: str = ""
    secret_file: str = ""  # the broker's word for this sensor, alone in a file
    tls: bool = True
    authority: str = ""  # who signed the broker's certificate (PEM); empty: the system's list
    topic: str = "farolito/sound"  # before the sensor's name
    wants_topic: str = "farolito/wants"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`sensor`: the name it is registered by. `device`, `rate_hz`, `latency_s`: the microphone as
    ALSA knows it, and how long the card takes from the air to us. `full_scale_db`: the dB SPL of
    an amplitude of 1, from a calibrator; None: levels are told as none."""

    sensor: str
    key_file: str
    node: str = ""  # https://…; empty where a broker stands between
    authority: str = ""  # who signed the node's certificate (PEM); empty: the system's list
    mqtt: Mqtt | None = None
    device: str = "default"
    rate_hz: Annotated[int, msgspec.Meta(ge=8_000, le=192_000)] = 48_000
    latency_s: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    full_scale_db: Annotated[float, msgspec.Meta(ge=0, le=200)] | None = None
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    place_error_m: Annotated[float, msgspec.Meta(ge=0)] | None = None
    gps: bool = False  # ask gpsd for the place instead
    temperature_file: str = ""  # °C, or 1/1000 °C as the kernel's sensors tell it
    clips: bool = True  # False: no sound leaves this sensor, whoever asks

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.sensor):
            raise ValueError(f"sensor {self.sensor!r}: use a–z, 0–9 and -, as it is registered")
        if not self.node and self.mqtt is None:
            raise ValueError('say where to: node = "https://…", or [mqtt]')
        if (self.lat is None) != (self.lon is None):
            raise ValueError("lat and lon come together")


def load(path: Path) -> Settings:
    """Raises FarolitoError that names the line that is wrong."""
    do = "docs/sensor.md describes every line"
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Settings)
    except OSError as error:
        raise FarolitoError(f"cannot read {path}: {error.strerror}", do) from error
    except (msgspec.DecodeError, ValueError) as error:
        raise FarolitoError(f"{path}: {error}", do) from error
