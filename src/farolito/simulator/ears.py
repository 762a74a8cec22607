"""The practice metro's gunshot sensors: where they stand, and the keys they sign with.

A part of the city is equipped, as cities do it: a square of PER_KM2 sensors on a hexagonal net
around where the drill's first shots are fired. Nothing of it resembles a real city's net.
"""

from __future__ import annotations

import hashlib
import math

import msgspec
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from farolito.acoustics import Net, Sensor
from farolito.geo.street_map import LatLon
from farolito.model import AgencyId, Device, DeviceId, Point
from farolito.simulator.metro import lat_lon, metres
from farolito.simulator.sound import JITTER_SD_M, PER_KM2, PITTSBURGH_LIKE, Town
from farolito.simulator.street_plan import XY

FORMAT = "farolito"
SILENT = 1  # sensors that are registered and say nothing: somebody must notice


class Ear(msgspec.Struct, frozen=True):
    """One sensor as the node must know it, and what it signs with. Practice keys, no secret."""

    device: Device
    key: bytes  # Ed25519, 32 bytes of the private key

    @property
    def public_key(self) -> bytes:
        private = Ed25519PrivateKey.from_private_bytes(self.key)
        return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


class Ears(msgspec.Struct, frozen=True):
    """The sensors and the hidden truth of each: `town` in metres of the metro's middle."""

    ears: tuple[Ear, ...]
    town: Town
    silent: frozenset[DeviceId]
    centre: XY
    side_m: float

    def covers(self, at: XY, margin_m: float = 100.0) -> bool:
        half = self.side_m / 2 - margin_m
        return abs(at[0] - self.centre[0]) <= half and abs(at[1] - self.centre[1]) <= half


def place_ears(seed: int, agency: AgencyId, around: LatLon, count: int) -> Ears:
    """`count` sensors, near enough, in a square around a place. The same seed, the same net."""
    rng = np.random.default_rng([0xEA5, seed])
    centre = metres(around)
    side = math.sqrt(count / PER_KM2) * 1000.0
    spacing = math.sqrt(2 / (math.sqrt(3) * PER_KM2)) * 1000.0
    ears: list[Ear] = []
    sensors: list[Sensor] = []
    rows = int(side / (spacing * math.sqrt(3) / 2)) + 1
    for row in range(rows):
        for column in range(int(side / spacing) + 1):
            x = (column + 0.5 * (row % 2)) * spacing + rng.normal(0, JITTER_SD_M)
            y = row * spacing * math.sqrt(3) / 2 + rng.normal(0, JITTER_SD_M)
            at = (centre[0] - side / 2 + float(x), centre[1] - side / 2 + float(y))
            name = f"ear-{row + 1:02d}{chr(ord('a') + column)}"
            lat, lon = lat_lon(at)
            device = Device(
                device_id=DeviceId(name),
                agency=agency,
                kind="gunshot_sensor",
                name=f"Gunshot sensor {row + 1}{chr(ord('A') + column)}",
                format=FORMAT,
                place=Point(lat, lon),
            )
            key = hashlib.sha256(f"practice ear {seed} {name}".encode()).digest()
            ears.append(Ear(device, key))
            sensors.append(
                Sensor(name=name, x_m=at[0], y_m=at[1], strays_per_s=PITTSBURGH_LIKE.strays_per_s)
            )
    town = Town(Net(tuple(sensors)), PITTSBURGH_LIKE, rng)
    town.set_air(18.0, (2.4, -1.2), rng)
    silent = frozenset(ear.device.device_id for ear in ears[-SILENT:])
    return Ears(tuple(ears), town, silent, centre, side)
