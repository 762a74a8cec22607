"""Who and what is in reach of shots: units that could come, what may have seen who left.

The search goes over the road graph once for each place it may have been: some 50 ms in a metro of
10,000 streets with 300 readers, in a thread, so that nobody waits for it but who asked. Reads of
plates are not opened here: which reader to look at from which second needs no case, what it read
does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

import msgspec

from farolito.acoustics.net import Air
from farolito.app.surroundings import MapSurroundings
from farolito.geo.distance import distance_m
from farolito.geo.reach import Origin, Passing, Window, windows
from farolito.geo.shot_place import ROUGH_M
from farolito.model import Camera, Point, Shot, ShotAlert, Unit

UNITS_TOLD = 8
CAMERAS_TOLD = 50  # the nearest; what is farther shows nothing of the place
READERS_TOLD = 50  # the soonest that a car can pass
CAMERA_M_MAX = 1_500.0  # a shot is heard no farther
PLACES_LOOKED_FROM = 4  # of those among which the sensors could not choose


class UnitInReach(msgspec.Struct, frozen=True, kw_only=True):
    """`metres` in a straight line; `eta_s` by road, None where no road is known."""

    unit: str
    eta_s: float | None
    metres: float


class CameraInReach(msgspec.Struct, frozen=True, kw_only=True):
    """`sound_at`: when the first shot could be heard there, for a camera that records sound. The
    window, by road, is when somebody who left could drive past."""

    device: str
    name: str
    place: Point
    metres: float
    sound_at: datetime
    road_m: float | None = None
    earliest_at: datetime | None = None
    latest_at: datetime | None = None
    passing: Passing | None = None


class ReaderInReach(msgspec.Struct, frozen=True, kw_only=True):
    device: str
    name: str
    place: Point
    road_m: float
    earliest_at: datetime
    latest_at: datetime
    passing: Passing


class _Stands(NamedTuple):
    """A camera or reader where it stands."""

    record: str
    name: str
    place: Point
    kind: str


class Units(Protocol):
    def all(self) -> Sequence[Unit]: ...


class Reach:
    """`cameras`: of the register."""

    def __init__(
        self,
        surroundings: MapSurroundings,
        units: Units,
        clock: Callable[[], datetime],
        cameras: Callable[[], Sequence[Camera]] = tuple,
    ) -> None:
        self._surroundings = surroundings
        self._units = units
        self._clock = clock
        self._cameras = cameras

    async def of(self, alert: ShotAlert) -> Mapping[str, Any]:
        """Units by how soon they could be there, cameras by how near, readers by how soon a car
        that left could pass them."""
        return await asyncio.to_thread(self._of, alert, list(self._units.all()))

    def _of(self, alert: ShotAlert, units: Sequence[Unit]) -> Mapping[str, Any]:
        now, shot = self._clock(), alert.shot
        devices = [
            _Stands(d.device_id, d.name, d.place, d.kind)
            for d in self._surroundings.devices.values()
            if d.place is not None and d.kind in ("camera", "plate_reader")
        ]
        devices += [
            _Stands(c.camera_id, c.name, c.place, "camera")
            for c in self._cameras()
            if c.place is not None and distance_m(_pair(shot.place), _pair(c.place)) <= CAMERA_M_MAX
        ]
        passed = self._windows(alert, devices)
        near = self._surroundings.nearest(shot.place, units, now, UNITS_TOLD)
        cameras = [
            _camera(device, window, shot, alert, now)
            for device, window in zip(devices, passed, strict=True)
            if device.kind == "camera"
        ]
        readers = [
            _reader(device, window, now)
            for device, window in zip(devices, passed, strict=True)
            if device.kind == "plate_reader" and window is not None
        ]
        seeing = sorted(
            (one for one in cameras if one.metres <= CAMERA_M_MAX), key=lambda one: one.metres
        )
        soonest = sorted(readers, key=lambda one: (one.earliest_at, one.device))
        return {
            "units": [
                UnitInReach(unit=n.unit.unit_id, eta_s=n.seconds, metres=round(n.metres))
                for n in near
            ],
            "cameras": seeing[:CAMERAS_TOLD],
            "readers": soonest[:READERS_TOLD],
        }

    def _windows(self, alert: ShotAlert, devices: Sequence[_Stands]) -> list[Window | None]:
        graph = self._surroundings.graph
        if graph is None:
            return [None for _ in devices]
        first = min(one.discharged_at for one in alert.strings)
        last = max(one.rounds[-1].at for one in alert.strings)
        places = [_pair(device.place) for device in devices]
        return windows(graph, _origins(alert.shot), (first, max(first, last)), places)


def _origins(shot: Shot) -> list[Origin]:
    if shot.modes:
        return [
            Origin(_pair(one.place), one.ellipse.semi_major_m)
            for one in shot.modes[:PLACES_LOOKED_FROM]
        ]
    return [Origin(_pair(shot.place), shot.ellipse.semi_major_m if shot.ellipse else ROUGH_M)]


def _camera(
    device: _Stands, window: Window | None, shot: Shot, alert: ShotAlert, now: datetime
) -> CameraInReach:
    metres = distance_m(_pair(shot.place), _pair(device.place))
    air = Air(temperature_c=shot.weather.temperature_c) if shot.weather else Air()
    first = min(one.discharged_at for one in alert.strings)
    told = CameraInReach(
        device=device.record,
        name=device.name,
        place=device.place,
        metres=round(metres),
        sound_at=first + timedelta(seconds=metres / air.sound_mps),
    )
    if window is None:
        return told
    return msgspec.structs.replace(
        told,
        road_m=round(window.road_m),
        earliest_at=window.earliest_at,
        latest_at=window.latest_at,
        passing=window.passing(now),
    )


def _reader(device: _Stands, window: Window, now: datetime) -> ReaderInReach:
    return ReaderInReach(
        device=device.record,
        name=device.name,
        place=device.place,
        road_m=round(window.road_m),
        earliest_at=window.earliest_at,
        latest_at=window.latest_at,
        passing=window.passing(now),
    )


def _pair(place: Point) -> tuple[float, float]:
    return place.lat, place.lon
