"""All of a node that is about sound: doors of sensors and vendors, locator, desk, figures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from farolito.acoustics.coverage import Surface
from farolito.acoustics.storm import Storm
from farolito.app.config import Config
from farolito.app.health import Sound
from farolito.app.listening import Listening
from farolito.app.locator import Locator
from farolito.app.sensors import Sensors
from farolito.app.supervise import Supervisor
from farolito.app.watch import Watch
from farolito.bus import Bus
from farolito.desk import ShotDesk
from farolito.gate import Gate
from farolito.geo.zones import Atlas, Beats
from farolito.identity import SensorKeys
from farolito.ingest.door import GunshotDoors
from farolito.ingest.gunshot.decoded import VendorAlert
from farolito.ingest.gunshot.door import SensorDoor
from farolito.ingest.gunshot.mqtt import SoundSource
from farolito.ingest.gunshot.spelling import Spelling
from farolito.ingest.gunshot.vendor_door import VendorDoor
from farolito.ingest.gunshot.wants import Wants
from farolito.ingest.run import CALLS_BACK_OFF_S, keep_running
from farolito.ingest.signature import SignerFor
from farolito.media import Pictures
from farolito.model import (
    AgencyId,
    Device,
    DeviceId,
    FarolitoError,
    Person,
    Point,
)
from farolito.store import Database
from farolito.store.database import AWAY


class Rooms(NamedTuple):
    """What the node has made already."""

    database: Database
    bus: Bus
    gate: Gate
    pictures: Pictures
    supervisor: Supervisor
    watch: Watch
    system: Person
    signer_for: SignerFor
    on_storms: Callable[[Sequence[Storm]], None]
    describe: Callable[[Point], str | None]


class Shots:
    """`desk` is where people meet shots; `work` what must run for them to come."""

    def __init__(
        self,
        config: Config,
        rooms: Rooms,
        state: Path,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
    ) -> None:
        self._config = config
        self._rooms = rooms
        self._clock = clock
        self._agency = AgencyId(config.agency.id)
        self.wants = Wants(clock)
        self.sensors = Sensors(rooms.database, self._agency, clock)
        self.locator = Locator(rooms.supervisor, state)
        self.desk = ShotDesk(
            rooms.gate, rooms.system, clock, ids, self._zone, ZoneInfo(config.agency.zone)
        )
        self.desk.chance_heard = self._chance_heard
        self.desk.describe = rooms.describe
        self._zones: Beats | Atlas | None = _beats(config.gunshot.beats)
        keys = SensorKeys(rooms.database, self._agency, clock)
        sensors = SensorDoor(
            rooms.bus.sound.publish,
            keys.sensor,
            keys.heard,
            rooms.watch,
            self.wants,
            away=AWAY,
            alarm=self._alarm,
        )
        vendors = VendorDoor(
            self._take_vendor,
            rooms.watch,
            away=AWAY,
            signer_for=rooms.signer_for,
            spellings={
                one.device: Spelling.with_more(one.fields, one.classes)
                for one in config.gunshot_vendor
            },
        )
        self.doors = GunshotDoors(sensors, vendors)
        self.listening = Listening(
            rooms.database,
            rooms.bus,
            self.locator,
            self.sensors,
            self.desk,
            self.wants,
            rooms.pictures,
            self._agency,
            clock,
            rooms.on_storms,
        )

    async def close(self) -> None:
        await self.locator.close()

    def work(self) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        runs: dict[str, Callable[[], Awaitable[Any]]] = {"listening": self.listening.run}
        for broker in self._config.gunshot_mqtt:
            source = SoundSource(broker, self.doors.sensors.hear, self.wants, self._clock)
            name = f"sensors at {broker.name}"
            runs[name] = partial(keep_running, name, source.run, CALLS_BACK_OFF_S)
        return runs

    async def view(self) -> Mapping[str, Any]:
        """Every sensor as it is, and the air they hear through."""
        return {
            "at": self._clock(),
            "weather": self.sensors.weather,
            "sensors": self.sensors.view(),
        }

    async def coverage(self) -> Mapping[str, Any]:
        """Where a shot would be heard now, as the screen draws it."""
        surface = self.sensors.coverage()
        down = [device.device_id for device, trust in self.sensors.not_up() if not trust.is_up]
        return {
            "at": self._clock(),
            "weather": self.sensors.weather,
            "dead": down,
            **_drawn(surface, self.sensors),
        }

    def health(self) -> Sound:
        ticks, delays = sorted(self.listening.ticks_s), sorted(self.listening.delays_s)
        return Sound(
            sensors=self.sensors.count,
            not_up=[(device.name, t.says, t.do) for device, t in self.sensors.not_up()],
            repeated=[(d.name, count) for d, count in self.sensors.repeated(self._clock())],
            told=self.listening.told,
            let_go=self.listening.let_go,
            tick_p99_ms=round(1000 * ticks[int(0.99 * len(ticks))], 1) if ticks else None,
            delay_p95_s=round(delays[int(0.95 * len(delays))], 2) if delays else None,
        )

    async def registered(self) -> None:
        """Sensors were added, moved or removed."""
        await self.sensors.load()

    def _zone(self, place: Point) -> str:
        """By the agency's beats, or by an atlas that begins where its sensors do."""
        if self._zones is None:
            places = self.sensors.places() or [place]
            self._zones = Atlas.around(places)
        return self._zones.zone(place)

    def _chance_heard(self, place: Point) -> float | None:
        surface = self.sensors.coverage()
        if surface is None:
            return None
        return surface.at(*self.sensors.plane.to_m((place.lat, place.lon)))

    def _alarm(self, sensor: DeviceId, reason: str, _says: str, at: datetime) -> None:
        if reason == "replayed":
            self.sensors.replayed(sensor, at)

    async def _take_vendor(self, device: Device, alert: VendorAlert) -> None:
        if alert.shot is not None and not alert.cancelled:
            await self.desk.hear(alert.shot, alert.track, alert.body)
        elif alert.cancelled:
            more = f": {alert.note}" if alert.note else ""
            await self.desk.withdraw(alert.track, f"Taken back by {device.name}{more}")


def _beats(file: str) -> Beats | None:
    """Raises FarolitoError where the file cannot be used: the figures would be of other zones."""
    if not file:
        return None
    try:
        return Beats.of_geojson(Path(file).read_bytes())
    except OSError as why:
        raise FarolitoError(
            f"[gunshot] beats: {file} cannot be read ({why.strerror})", "name a GeoJSON file"
        ) from why


def _drawn(surface: Surface | None, sensors: Sensors) -> Mapping[str, Any]:
    """Percent by cell, row by row from the north; −1 where no sensor is near."""
    if surface is None:
        return {"rows": 0, "columns": 0, "p": []}
    rows, columns = surface.p.shape
    south, west = sensors.plane.to_degrees((surface.west_m, surface.south_m))
    corner = (surface.west_m + columns * surface.cell_m, surface.south_m + rows * surface.cell_m)
    north, east = sensors.plane.to_degrees(corner)
    percent = np.where(np.isnan(surface.p), -1, np.rint(100 * np.nan_to_num(surface.p)))
    return {
        "west": west,
        "south": south,
        "east": east,
        "north": north,
        "rows": rows,
        "columns": columns,
        "p": percent[::-1].astype(int).ravel().tolist(),
        "median": surface.median,
        "area_km2_over_90": surface.area_km2(0.9),
    }
