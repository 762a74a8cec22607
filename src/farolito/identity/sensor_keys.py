"""What gunshot sensors sign with: a public key each, and how far their messages have come.

There is no secret to keep: the private key never leaves the sensor. Cost: a known sensor is one
dictionary look-up; the database is asked once in SENSOR_BELIEVED_FOR for one that speaks, and at
most LOOK_UPS_MAX at once for names that nobody registered.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from farolito.model import AgencyId, DeviceId, GunshotSensor, Invalid, SensorMark
from farolito.model.sensor import PUBLIC_KEY_BYTES
from farolito.store import Database
from farolito.store.sensors import Sensors

# A sensor that is removed, or has a new key, is known as such within this time.
SENSOR_BELIEVED_FOR = timedelta(seconds=10)
SENSORS_BELIEVED_MAX = 10_000  # past it the longest believed is asked for again
LOOK_UPS_MAX = 4


class SensorKeys:
    """One agency's sensors, as its door needs them."""

    def __init__(self, db: Database, agency: AgencyId, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._agency = agency
        self._clock = clock
        self._believed: dict[DeviceId, tuple[GunshotSensor, datetime]] = {}
        self._look_ups = asyncio.Semaphore(LOOK_UPS_MAX)

    async def sensor(self, name: DeviceId) -> GunshotSensor | None:
        """None for a name that no sensor with a key has."""
        now = self._clock()
        believed = self._believed.get(name)
        if believed is not None and now < believed[1]:
            return believed[0]
        async with self._look_ups:
            sensor = await Sensors(self._db.pool, self._agency).find(name)
        self._believed.pop(name, None)
        if sensor is not None:
            if len(self._believed) >= SENSORS_BELIEVED_MAX:
                del self._believed[next(iter(self._believed))]
            self._believed[name] = (sensor, now + SENSOR_BELIEVED_FOR)
        return sensor

    async def heard(self, marks: Sequence[SensorMark]) -> None:
        """Keep how far they have come. A message is accepted after this, so that the same one
        is known as told before when the node has fallen and stands again."""
        async with self._db.transaction(self._agency) as connection:
            await Sensors(connection, self._agency).heard(marks)


def public_key_of(text: str) -> bytes:
    """The 32 bytes of an Ed25519 key: from base64, or from a PEM text. Raises Invalid."""
    do = "give the sensor's Ed25519 public key: 32 bytes in base64, or a PEM file"
    if text.lstrip().startswith("-----BEGIN"):
        try:
            key = load_pem_public_key(text.encode())
        except (ValueError, UnsupportedAlgorithm) as error:
            raise Invalid("a PEM text that holds no public key", do) from error
        if not isinstance(key, Ed25519PublicKey):
            raise Invalid("a key that is not Ed25519", do)
        return key.public_bytes_raw()
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("a public key that is no base64", do) from error
    if len(raw) != PUBLIC_KEY_BYTES:
        raise Invalid(f"a public key of {len(raw)} bytes", do)
    return raw
