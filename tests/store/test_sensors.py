"""The registry of gunshot sensors: keys, how far each has come, what it told, who is set aside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from farolito.model import (
    AgencyId,
    Device,
    DeviceId,
    GunshotSensor,
    Point,
    SensorMark,
    SensorReport,
)
from farolito.store import Database, Records
from farolito.store.devices import Devices

CITY, PUEBLO = AgencyId("city-pd"), AgencyId("pueblo-pd")
RIDGE = DeviceId("ridge-04")
KEY, OTHER_KEY = bytes(range(32)), bytes(32)
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def device(name: DeviceId = RIDGE, agency: AgencyId = CITY) -> Device:
    return Device(
        device_id=name, agency=agency, kind="gunshot_sensor", name="Ridge 4", format="farolito",
        place=Point(35.08, -106.65),
    )  # fmt: skip


async def register(database: Database, agency: AgencyId = CITY, key: bytes = KEY) -> None:
    async with database.system() as connection:
        await Devices(connection).keep(device(agency=agency))
    async with database.transaction(agency) as connection:
        await Records(connection, agency).sensors.keep(RIDGE, key)


async def known(database: Database, agency: AgencyId = CITY) -> GunshotSensor | None:
    async with database.transaction(agency) as connection:
        return await Records(connection, agency).sensors.find(RIDGE)


async def heard(database: Database, *marks: SensorMark) -> GunshotSensor:
    async with database.transaction(CITY) as connection:
        await Records(connection, CITY).sensors.heard(marks)
    sensor = await known(database)
    assert sensor is not None
    return sensor


def mark(boot: int, sequence: int, after_s: float = 0, **more: Any) -> SensorMark:
    at = NOW + timedelta(seconds=after_s)
    return SensorMark(sensor=RIDGE, boot=boot, sequence=sequence, heard_at=at, **more)


def report(after_s: float, noise_db: float) -> SensorReport:
    at = NOW + timedelta(seconds=after_s)
    return SensorReport(agency=CITY, sensor=RIDGE, at=at, received_at=at, noise_db=noise_db)


async def test_a_sensor_has_its_place_and_its_key(database: Database) -> None:
    await register(database)
    assert await known(database) == GunshotSensor(device=device(), public_key=KEY)


async def test_a_device_without_a_key_is_no_sensor(database: Database) -> None:
    async with database.system() as connection:
        await Devices(connection).keep(device())
    assert await known(database) is None


async def test_a_removed_device_is_no_sensor_any_more(database: Database) -> None:
    await register(database)
    async with database.system() as connection:
        await Devices(connection).remove(CITY, RIDGE, NOW)
    assert await known(database) is None


async def test_the_newest_mark_of_several_is_kept_whatever_their_order(database: Database) -> None:
    await register(database)
    sensor = await heard(database, mark(7, 12, 3), mark(7, 9, 2), mark(6, 80, 1))
    assert (sensor.boot, sensor.sequence) == (7, 12)
    assert sensor.heard_at == NOW + timedelta(seconds=3)


async def test_a_mark_that_comes_late_takes_nothing_back(database: Database) -> None:
    await register(database)
    await heard(database, mark(7, 12, 3))
    sensor = await heard(database, mark(7, 11, 1), mark(6, 900, 2))
    assert (sensor.boot, sensor.sequence) == (7, 12)
    assert sensor.heard_at == NOW + timedelta(seconds=3)


async def test_a_new_start_begins_its_sequence_anew(database: Database) -> None:
    await register(database)
    await heard(database, mark(7, 12))
    sensor = await heard(database, mark(8, 0))
    assert (sensor.boot, sensor.sequence) == (8, 0)


async def test_the_newest_report_stays_where_a_message_brings_none(database: Database) -> None:
    await register(database)
    first, second = report(0, 41.5), report(10, 44.0)
    sensor = await heard(database, mark(7, 2, report=second), mark(7, 1, report=first), mark(7, 3))
    assert sensor.report == second
    assert (await heard(database, mark(7, 4))).report == second


async def test_the_same_key_again_keeps_the_mark_and_another_key_begins_anew(
    database: Database,
) -> None:
    await register(database)
    await heard(database, mark(7, 12))
    await register(database)
    same = await known(database)
    assert same is not None
    assert (same.boot, same.sequence) == (7, 12)
    await register(database, key=OTHER_KEY)
    anew = await known(database)
    assert anew is not None
    assert (anew.public_key, anew.boot, anew.sequence) == (OTHER_KEY, 0, 0)


async def test_who_is_set_aside_stays_so_with_its_reason_until_it_is_believed(
    database: Database,
) -> None:
    await register(database)
    async with database.transaction(CITY) as connection:
        sensors = Records(connection, CITY).sensors
        assert await sensors.set_aside(RIDGE, "clock off by 2 s", NOW)
        assert not await sensors.set_aside(RIDGE, "clock off by 2 s", NOW), "nothing changed"
    [sensor] = await all_of(database)
    assert (sensor.set_aside, sensor.set_aside_at) == ("clock off by 2 s", NOW)
    async with database.transaction(CITY) as connection:
        assert await Records(connection, CITY).sensors.set_aside(RIDGE, None, NOW)
    [sensor] = await all_of(database)
    assert (sensor.set_aside, sensor.set_aside_at) == (None, None)


async def all_of(database: Database) -> list[GunshotSensor]:
    async with database.transaction(CITY) as connection:
        return await Records(connection, CITY).sensors.all()


async def test_an_agency_sees_its_own_sensors_alone(database: Database) -> None:
    await register(database)
    await register(database, PUEBLO, OTHER_KEY)
    ours = await known(database)
    theirs = await known(database, PUEBLO)
    assert ours is not None
    assert theirs is not None
    assert (ours.public_key, theirs.public_key) == (KEY, OTHER_KEY)
    async with database.transaction(CITY) as connection:
        assert await Records(connection, PUEBLO).sensors.all() == []
