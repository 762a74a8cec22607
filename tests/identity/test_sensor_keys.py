"""Public keys of gunshot sensors: who signs, how far each has come, and what is no key."""

from __future__ import annotations

import base64

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from farolito.identity import Identity, SensorKeys, public_key_of
from farolito.model import Device, DeviceId, Invalid, Point, SensorMark
from farolito.store import Database

from .conftest import CITY, Clock

RIDGE = Device(
    device_id=DeviceId("ridge-04"),
    agency=CITY,
    kind="gunshot_sensor",
    name="Ridge 4",
    format="farolito",
    place=Point(35.0844, -106.6504),
)
KEY = Ed25519PrivateKey.generate().public_key()
RAW = KEY.public_bytes_raw()


@pytest.fixture
def keys(database: Database, clock: Clock) -> SensorKeys:
    return SensorKeys(database, CITY, clock)


async def test_a_registered_sensor_is_known_with_its_place_and_key(
    identity: Identity, keys: SensorKeys
) -> None:
    assert await keys.sensor(RIDGE.device_id) is None
    await identity.register_sensor(RIDGE, RAW)
    sensor = await keys.sensor(RIDGE.device_id)
    assert sensor is not None
    assert (sensor.device, sensor.public_key) == (RIDGE, RAW)


async def test_no_key_that_opens_a_door_is_made_for_a_sensor(
    identity: Identity, database: Database
) -> None:
    await identity.register_sensor(RIDGE, RAW)
    assert await database.pool.fetchval("select count(*) from device_keys") == 0


async def test_a_new_key_counts_within_ten_seconds(
    identity: Identity, keys: SensorKeys, clock: Clock
) -> None:
    await identity.register_sensor(RIDGE, RAW)
    await keys.sensor(RIDGE.device_id)
    await identity.register_sensor(RIDGE, bytes(32))
    clock.pass_(seconds=10)
    sensor = await keys.sensor(RIDGE.device_id)
    assert sensor is not None
    assert sensor.public_key == bytes(32)


async def test_a_removed_sensor_is_nobody_within_ten_seconds(
    identity: Identity, keys: SensorKeys, clock: Clock
) -> None:
    await identity.register_sensor(RIDGE, RAW)
    await keys.sensor(RIDGE.device_id)
    await identity.keys.remove(CITY, RIDGE.device_id)
    clock.pass_(seconds=10)
    assert await keys.sensor(RIDGE.device_id) is None


async def test_how_far_a_sensor_has_come_outlasts_the_process(
    identity: Identity, keys: SensorKeys, database: Database, clock: Clock
) -> None:
    await identity.register_sensor(RIDGE, RAW)
    marks = [
        SensorMark(sensor=RIDGE.device_id, boot=7, sequence=n, heard_at=clock()) for n in range(9)
    ]
    await keys.heard(marks)
    sensor = await SensorKeys(database, CITY, clock).sensor(RIDGE.device_id)
    assert sensor is not None
    assert (sensor.boot, sensor.sequence, sensor.heard_at) == (7, 8, clock())


def test_a_key_is_read_from_base64_and_from_pem() -> None:
    pem = KEY.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert public_key_of(base64.b64encode(RAW).decode() + "\n") == RAW
    assert public_key_of(pem) == RAW


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ridge",
        base64.b64encode(bytes(31)).decode(),
        base64.b64encode(bytes(64)).decode(),
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        generate_private_key(SECP256R1())
        .public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    ],
)
def test_what_is_no_ed25519_key_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(Invalid, match="Ed25519"):
        public_key_of(text)


def test_a_registration_keeps_key_and_place_together() -> None:
    """What the command line sends: a sensor that signs needs both, and nothing else has a key."""
    from farolito.console.routes.admin import NewDevice

    said = msgspec.to_builtins(RIDGE)
    whole = msgspec.convert(said | {"public_key": "x"}, NewDevice)
    whole.check()
    assert whole.device(CITY) == RIDGE
    reader = said | {"kind": "plate_reader", "public_key": "x"}
    for wrong in (said, reader, said | {"public_key": "x", "place": None}):
        with pytest.raises(Invalid, match="give --"):
            msgspec.convert(wrong, NewDevice).check()
