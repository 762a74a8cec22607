"""The register of cameras in memory: what stands in it, and whose owner lets us look now.

20,000 cameras are some 60 MB here. Which of them are near an open incident is found when incidents
change: a grid, a few dozen cameras each, under a millisecond.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from farolito.desk.consent import ALARM_M, Leave, leave
from farolito.gate import Gate
from farolito.geo import Plane
from farolito.geo.distance import distance_m
from farolito.geo.grid import Grid
from farolito.identity import CameraLogins
from farolito.media.control import Pulled
from farolito.model import (
    AgencyId,
    Camera,
    CameraId,
    CameraOwner,
    FarolitoError,
    Incident,
    IncidentId,
    Login,
    OwnerId,
    Point,
    UnitId,
    UnitStatus,
)
from farolito.store import Database, Records

log = logging.getLogger(__name__)

CELL_M = 500.0
WATCHED_S = 30.0  # of what somebody looks at: a clip may begin with what was just seen


class CameraBook:
    """`revision` grows with each change of the register; `alarms` with each change of what is
    near an open incident."""

    def __init__(  # noqa: PLR0913 - wired once, by the app
        self,
        gate: Gate,
        database: Database,
        logins: CameraLogins,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
        watched_s: float = WATCHED_S,
    ) -> None:
        self._watched_s = watched_s
        self._gate = gate
        self._database = database
        self._box = logins
        self._zone = zone
        self._clock = clock
        self._cameras: dict[CameraId, Camera] = {}
        self._owners: dict[OwnerId, CameraOwner] = {}
        self._logins: dict[CameraId, Login] = {}
        self._incidents: dict[IncidentId, Incident] = {}
        self._near: dict[IncidentId, frozenset[CameraId]] = {}
        self._of_unit: dict[UnitId, frozenset[CameraId]] = {}
        self._alarmed: frozenset[CameraId] = frozenset()
        self._places: tuple[Plane, Grid, list[Camera]] | None = None
        self._has_rings = False
        self.revision = 0
        self.alarms = 0

    @property
    def agency(self) -> AgencyId:
        return self._gate.owner

    async def load(self) -> None:
        """Everything, at the start. A login that does not open is told, and is as none."""
        async with self._database.transaction(self._gate.owner) as connection:
            records = Records(connection, self._gate.owner)
            self._owners = {one.owner_id: one for one in await records.cameras.owners()}
            self._cameras = {one.camera_id: one for one in await records.cameras.all()}
            sealed = await records.cameras.logins()
        for camera_id, secret in sealed.items():
            try:
                self._logins[camera_id] = self._box.open(camera_id, secret)
            except FarolitoError as why:
                log.error("%s; %s", why.says, why.do)
        self._changed()
        await self.refresh()

    # The register

    def camera(self, camera_id: CameraId) -> Camera | None:
        return self._cameras.get(camera_id)

    def owner(self, owner_id: OwnerId) -> CameraOwner | None:
        return self._owners.get(owner_id)

    def all(self) -> Sequence[Camera]:
        return list(self._cameras.values())

    def owners(self) -> Sequence[CameraOwner]:
        return sorted(self._owners.values(), key=lambda one: one.name)

    def __len__(self) -> int:
        return len(self._cameras)

    def seal(self, camera_id: CameraId, login: Login) -> bytes:
        return self._box.seal(camera_id, login)

    def put(
        self,
        owners: Iterable[CameraOwner] = (),
        cameras: Iterable[Camera] = (),
        logins: Mapping[CameraId, Login] = {},
        removed: Iterable[CameraId] = (),
    ) -> None:
        self._owners |= {one.owner_id: one for one in owners}
        self._cameras |= {one.camera_id: one for one in cameras}
        self._logins |= {name: one for name, one in logins.items() if name in self._cameras}
        for camera_id in removed:
            self._cameras.pop(camera_id, None)
            self._logins.pop(camera_id, None)
        self._changed()

    def pulled(self) -> list[Pulled]:
        """The cameras as those who pull must know them.

        A ring is kept only where the owner lets us look at this moment and allows a recording:
        what was seen before an event is a recording as soon as somebody wants it.
        """
        return [
            Pulled(
                camera_id=one.camera_id,
                main=one.main,
                sub=one.sub,
                login=self._logins.get(one.camera_id),
                ring_s=one.ring_s if one.ring_s and self._may_keep(one) else 0.0,
                watched_s=self._watched_s if one.terms.may_record else 0.0,
            )
            for one in self._cameras.values()
            if one.main is not None or one.sub is not None
        ]

    @property
    def has_rings(self) -> bool:
        return self._has_rings

    def login(self, camera_id: CameraId) -> Login | None:
        return self._logins.get(camera_id)

    # Consent

    def leave(self, camera: Camera) -> Leave:
        on_alarm = camera.camera_id in self._alarmed
        return leave(camera, self._clock(), self._zone, on_alarm=on_alarm)

    def closed(self, camera: Camera) -> str:
        """Why its owner lets nobody look now; empty where it is open."""
        found = self.leave(camera)
        return "" if found.is_open else found.says

    def is_near_unit(self, camera_id: CameraId, unit: UnitId) -> bool:
        return camera_id in self._of_unit.get(unit, ())

    def is_open(self, incident: IncidentId) -> bool:
        return incident in self._incidents

    @property
    def alarmed(self) -> frozenset[CameraId]:
        """Cameras within ALARM_M of any open incident."""
        return self._alarmed

    def near(self, incident: IncidentId) -> frozenset[CameraId]:
        """Cameras within ALARM_M of an open incident."""
        return self._near.get(incident, frozenset())

    def is_units_place(self, place: Point, unit: UnitId) -> bool:
        """Whether a place is within ALARM_M of an open incident that this unit is sent to."""
        at = (place.lat, place.lon)
        return any(
            distance_m(at, (one.place.lat, one.place.lon)) <= ALARM_M
            for one in self._incidents.values()
            if one.place is not None and unit in _units(one)
        )

    async def refresh(self) -> None:
        """Look again at which incidents are open: one question, 1 to 5 ms."""
        found = await self._gate.following(lambda records: records.incidents.open_ones())
        incidents = {one.incident_id: one for one in found}
        if incidents != self._incidents:
            self._incidents = incidents
            self._alarm()

    def _may_keep(self, camera: Camera) -> bool:
        return camera.terms.may_record and self.leave(camera).is_open

    def _changed(self) -> None:
        self.revision += 1
        self._has_rings = any(one.ring_s for one in self._cameras.values())
        self._places = None
        self._alarm()

    def _alarm(self) -> None:
        """Which cameras are near which incident, and near whose."""
        before = self._alarmed
        self._near = {
            one.incident_id: self._around(one.place)
            for one in self._incidents.values()
            if one.place is not None
        }
        of_unit: dict[UnitId, set[CameraId]] = {}
        for one in self._incidents.values():
            for unit in _units(one):
                of_unit.setdefault(unit, set()).update(self.near(one.incident_id))
        self._of_unit = {unit: frozenset(near) for unit, near in of_unit.items()}
        self._alarmed = frozenset().union(*self._near.values())
        if self._alarmed != before:
            self.alarms += 1

    def _around(self, place: Point) -> frozenset[CameraId]:
        if not self._cameras:
            return frozenset()
        plane, grid, cameras = self._placed()
        at = (place.lat, place.lon)
        return frozenset(
            cameras[number].camera_id
            for number in grid.within(plane.to_m(at), ALARM_M)
            if distance_m(at, _pair(cameras[number])) <= ALARM_M
        )

    def _placed(self) -> tuple[Plane, Grid, list[Camera]]:
        if self._places is None:
            cameras = [one for one in self._cameras.values() if one.place is not None]
            plane = Plane(_pair(cameras[0]) if cameras else (0.0, 0.0))
            grid = Grid(CELL_M)
            for number, camera in enumerate(cameras):
                xy = plane.to_m(_pair(camera))
                grid.add(number, xy, xy)
            self._places = (plane, grid, cameras)
        return self._places


def _units(incident: Incident) -> set[UnitId]:
    return {one.unit for one in incident.units if one.status is not UnitStatus.CLEARED}


def _pair(camera: Camera) -> tuple[float, float]:
    assert camera.place is not None, "only placed cameras are in the grid"
    return camera.place.lat, camera.place.lon
