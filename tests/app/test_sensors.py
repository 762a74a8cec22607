"""What the node does with a sensor that cannot be believed: it says why, keeps that, locates
without it, and takes it back on evidence."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import numpy as np
import pytest

from farolito.acoustics import Ear, Place, Round, Source
from farolito.acoustics.deployment import Deployment
from farolito.app.sensors import Sensors, SensorView
from farolito.geo import Plane
from farolito.model import (
    AgencyId,
    Device,
    DeviceId,
    GunshotSensor,
    Impulse,
    ImpulseId,
    Point,
    SensorMark,
    SensorReport,
)
from farolito.store import Database, Records
from farolito.store.devices import Devices

AGENCY = AgencyId("city-pd")
START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
CENTRE = (35.0844, -106.6504)
SIDE, SPACING_M = 5, 340.0
SICK = "ear-12"
SOUND_MPS = 341.0
STEP_S = 30.0
BEATS = 3  # in a step, as a sensor sends them each 10 s


class Street:
    """25 sensors that a node knows by its store, and time that the test winds."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = START
        self.rng = np.random.default_rng(11)
        self.plane = Plane(CENTRE)
        self.xy = {
            f"ear-{SIDE * row + column:02d}": (
                (column - SIDE // 2) * SPACING_M,
                (row - SIDE // 2) * SPACING_M,
            )
            for row in range(SIDE)
            for column in range(SIDE)
        }
        self.clock_s = dict.fromkeys(self.xy, 0.0)
        self.strays_per_s = dict.fromkeys(self.xy, 0.03)
        self.gps_m = dict.fromkeys(self.xy, (0.0, 0.0))  # by how far it errs
        self.deaf: set[str] = set()
        self.silent: set[str] = set()
        self.tracks = self.impulses = 0
        self.believed: set[str] = set()  # whose pulses went on to the locator of late
        self.sensors = self.another_start()

    def another_start(self) -> Sensors:
        """The node ends and starts: what it knew in memory is gone."""
        self.sensors = Sensors(self.database, AGENCY, lambda: self.now)
        return self.sensors

    async def registered(self) -> Street:
        for name, xy in self.xy.items():
            lat, lon = self.plane.to_degrees(xy)
            device = Device(
                device_id=DeviceId(name), agency=AGENCY, kind="gunshot_sensor", format="farolito",
                name=f"Roof, {name}", place=Point(lat, lon),
            )  # fmt: skip
            async with self.database.system() as connection:
                await Devices(connection).keep(device)
            async with self.database.transaction(AGENCY) as connection:
                await Records(connection, AGENCY).sensors.keep(device.device_id, bytes(32))
        await self.sensors.load()
        return self

    async def minutes(self, minutes: float, sources: int = 0) -> Street:
        """Time passes; `sources` are fired in each half minute, at places all over the net."""
        for _ in range(round(60 * minutes / STEP_S)):
            self.believed.clear()
            for beat in range(BEATS):
                self.beat(beat * STEP_S / BEATS)
            for _ in range(sources):
                self._fire(self.rng.uniform(0, 5))
            for name, rate in self.strays_per_s.items():
                if name not in self.silent:
                    for at_s in np.sort(self.rng.uniform(0, STEP_S, self.rng.poisson(rate * 30))):
                        self._hear([self._impulse(name, float(at_s))])
            self.now += timedelta(seconds=STEP_S)
            await self.sensors.judge(self.now)
        return self

    def beat(self, after_s: float) -> list[SensorReport]:
        at = self.now + timedelta(seconds=after_s)
        told = []
        for name, (x, y) in self.xy.items():
            dx, dy = self.gps_m[name]
            lat, lon = self.plane.to_degrees((x + dx, y + dy))
            if name not in self.silent:
                report = SensorReport(
                    agency=AGENCY, sensor=DeviceId(name), at=at, received_at=at,
                    clock_source="gps", clock_error_s=0.0002, temperature_c=18.0,
                    place=Point(lat, lon), place_error_m=3.0,
                )  # fmt: skip
                told.append(report)
        self.sensors.hear((), told, at)
        return told

    def _fire(self, after_s: float) -> None:
        """A sure source: at each sensor a pulse where it came by, and what a locator makes of
        those that fit."""
        x, y = self.rng.uniform(-600, 600, 2)
        at_s = (self.now + timedelta(seconds=after_s)).timestamp()
        ears: list[Ear] = []
        heard: list[Impulse] = []
        for name, (east, north) in self.xy.items():
            metres = math.hypot(east - x, north - y)
            if self.rng.random() > Deployment().hears(metres) or name in self.deaf:
                continue
            late_s = float(self.rng.normal(0, 0.005)) + self.clock_s[name]
            impulse = self._impulse(name, after_s + metres / SOUND_MPS + late_s)
            heard.append(impulse)
            if abs(late_s) < 0.02:
                ear = Ear(
                    sensor=name, at_s=impulse.onset_at.timestamp(), rounds=1, residual_s=late_s,
                    metres=metres, pulses=(str(impulse.impulse_id),),
                )  # fmt: skip
                ears.append(ear)
        self._hear(heard)
        source = Source(
            track=self.tracks, revision=1, places=(Place(x_m=x, y_m=y, xx=9, xy=0, yy=9),),
            rounds=(Round(at_s=at_s, sensors=len(ears)),), rounds_low=1, rounds_high=1,
            score=50, expected=50, probability=0.99, ears=tuple(ears), sound_mps=SOUND_MPS,
        )  # fmt: skip
        self.tracks += 1
        self.sensors.learn(source)

    def _impulse(self, name: str, after_s: float) -> Impulse:
        self.impulses += 1
        at = self.now + timedelta(seconds=after_s)
        return Impulse(
            impulse_id=ImpulseId(UUID(int=self.impulses)), agency=AGENCY, sensor=DeviceId(name),
            onset_at=at, received_at=at + timedelta(seconds=0.3),
        )  # fmt: skip

    def _hear(self, impulses: list[Impulse]) -> None:
        if impulses:
            at = max(one.received_at for one in impulses)
            self.believed |= {pulse.sensor for pulse in self.sensors.hear(impulses, (), at)}

    def view(self, name: str = SICK) -> SensorView:
        return next(view for view in self.sensors.view() if view.sensor == name)

    async def kept(self, name: str = SICK) -> GunshotSensor:
        async with self.database.transaction(AGENCY) as connection:
            found = await Records(connection, AGENCY).sensors.find(DeviceId(name))
        assert found is not None
        return found

    async def is_aside(self, cause: str, because: str) -> bool:
        """Everywhere: on the screen, on the health page, in the store, and for the locator."""
        says, kept = self.view().says, await self.kept()
        shown = [trust.says for device, trust in self.sensors.not_up() if device.device_id == SICK]
        [known] = [sensor for sensor in self.sensors.net if sensor.name == SICK]
        return (
            self.view().state == "aside"
            and because in says
            and bool(self.view().do)
            and shown == [says]
            and (kept.set_aside or "").startswith(f"{cause}: ")
            and not known.is_up
            and SICK not in self.believed
        )

    async def is_well(self) -> bool:
        [known] = [sensor for sensor in self.sensors.net if sensor.name == SICK]
        kept = await self.kept()
        return self.view().state == "up" and kept.set_aside is None and known.is_up

    def others_are_up(self) -> bool:
        return all(view.state == "up" for view in self.sensors.view() if view.sensor != SICK)


@pytest.fixture
async def street(database: Database) -> Street:
    return await (await Street(database).registered()).minutes(1)


async def test_a_sensor_that_lies_about_its_clock_is_out_until_sources_show_it_right(
    street: Street,
) -> None:
    street.clock_s[SICK] = 0.120
    await street.minutes(6, sources=2)
    assert await street.is_aside("clock", "ms late over")
    assert street.others_are_up()
    assert (await street.kept()).set_aside_at is not None
    street.clock_s[SICK] = 0.0
    await street.minutes(8, sources=2)
    assert await street.is_well()
    assert SICK in street.believed


async def test_a_clock_that_was_wrong_before_a_restart_is_wrong_after_it(street: Street) -> None:
    street.clock_s[SICK] = 0.120
    await street.minutes(6, sources=2)
    assert await street.is_aside("clock", "ms late over")
    await street.another_start().load()
    street.strays_per_s[SICK] = 0.2
    await street.minutes(2)
    assert await street.is_aside("clock", "too few sources since tell otherwise")
    street.clock_s[SICK] = 0.0
    await street.minutes(8, sources=2)
    assert await street.is_well()


async def test_a_sensor_that_stands_elsewhere_is_out_until_its_gps_is_where_it_is_registered(
    street: Street,
) -> None:
    street.gps_m[SICK] = (200.0, 0.0)
    street.strays_per_s[SICK] = 0.2
    await street.minutes(1.5)
    assert await street.is_aside("place", "from where it is registered")
    street.gps_m[SICK] = (2.0, 1.0)
    await street.minutes(1)
    assert await street.is_well()


async def test_a_sensor_that_floods_is_out_until_it_was_calm_for_a_while(street: Street) -> None:
    street.strays_per_s[SICK] = 4.0
    await street.minutes(2)
    assert await street.is_aside("flood", "impulses a second")
    assert street.others_are_up()
    street.strays_per_s[SICK] = 0.03
    await street.minutes(7)
    assert await street.is_well()


async def test_a_deaf_sensor_is_out_until_it_hears_what_others_hear(street: Street) -> None:
    street.deaf.add(SICK)
    street.strays_per_s[SICK] = 0.0
    await street.minutes(8, sources=2)
    assert await street.is_aside("deaf", "sources")
    street.deaf.clear()
    await street.minutes(2, sources=2)
    assert await street.is_well()


async def test_who_repeats_a_sensors_messages_cannot_silence_it(
    street: Street, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(50):
        street.sensors.replayed(DeviceId(SICK), street.now)
    street.strays_per_s[SICK] = 0.2
    await street.minutes(2)
    assert await street.is_well()
    assert SICK in street.believed
    [(device, count)] = street.sensors.repeated(street.now)
    assert (device.device_id, count) == (SICK, 50)
    told = [line for line in caplog.messages if "repeats its messages" in line]
    assert len(told) == 1, "a log is not flooded by it either"
    street.now += timedelta(minutes=31)
    assert street.sensors.repeated(street.now) == []


async def test_a_heartbeat_that_is_read_twice_brings_nobody_back(street: Street) -> None:
    street.silent.add(SICK)
    await street.minutes(3)
    assert street.view().state == "down"
    stale = SensorReport(
        agency=AGENCY, sensor=DeviceId(SICK), at=START, received_at=START + timedelta(seconds=20)
    )
    for _ in range(3):
        street.sensors.hear((), [stale], street.now)
    await street.sensors.judge(street.now)
    assert street.view().state == "down"


async def test_a_node_that_was_away_does_not_hold_that_against_its_sensors(street: Street) -> None:
    street.silent.add(SICK)
    await street.minutes(3)
    told = street.beat(0.0)
    long_ago = START + timedelta(minutes=1)
    told.append(msgspec.structs.replace(told[0], sensor=DeviceId(SICK), received_at=long_ago))
    async with street.database.transaction(AGENCY) as connection:
        await Records(connection, AGENCY).sensors.heard(
            [
                SensorMark(
                    sensor=one.sensor, boot=1, sequence=1, heard_at=one.received_at, report=one
                )
                for one in told
            ]
        )
    street.now += timedelta(minutes=10)
    await street.another_start().load()
    await street.sensors.judge(street.now)
    assert street.others_are_up(), "a shot in this moment is located"
    assert street.view().state == "down", "it was silent before the node ended"
    street.now += timedelta(minutes=2)
    await street.sensors.judge(street.now)
    assert not street.others_are_up(), "who stays silent is down all the same"
