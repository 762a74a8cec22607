"""Turning cameras over ONVIF, whichever is asked for: lines are kept while they are used."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from farolito.codec import Broken
from farolito.ingest.video.guard import Guard
from farolito.ingest.video.onvif import OnvifCamera
from farolito.ingest.video.onvif_ptz import OnvifPtz
from farolito.model import Camera, CameraId, Login, PictureState, PtzLimits

KEPT_MAX = 64  # cameras that are held open; the one that was not used for longest goes first
IDLE = timedelta(minutes=2)


class OnvifTurns:
    """`login_of`: of a camera, None where it has none. Every method raises Broken."""

    def __init__(
        self,
        login_of: Callable[[CameraId], Login | None],
        guard: Guard,
        now: Callable[[], datetime],
    ) -> None:
        self._login_of = login_of
        self._guard = guard
        self._now = now
        self._lines: OrderedDict[CameraId, _Line] = OrderedDict()

    async def move(self, camera: Camera, pan: float, tilt: float, zoom: float) -> None:
        """Speeds −1 … 1: right, up, in. Said again or stopped, else it stops by itself."""
        async with self._ptz(camera) as ptz:
            await ptz.move(pan, tilt, zoom)

    async def stop(self, camera: Camera) -> None:
        async with self._ptz(camera) as ptz:
            await ptz.stop()

    async def look_at(self, camera: Camera, pan_deg: float, tilt_deg: float, zoom: float) -> None:
        """To a bearing from north, an angle above the horizon, a zoom of 1 and more."""
        most = camera.ptz.zoom_max if camera.ptz else 1.0
        # A lens is driven evenly in magnification, not in millimetres: half of its way is its root.
        share = math.log(max(zoom, 1.0)) / math.log(most) if most > 1.0 else None
        async with self._ptz(camera) as ptz:
            await ptz.turn_to(pan_deg, tilt_deg, share)

    async def home(self, camera: Camera) -> None:
        async with self._ptz(camera) as ptz:
            await ptz.home()

    async def close(self) -> None:
        while self._lines:
            await self._lines.popitem()[1].onvif.__aexit__()

    @asynccontextmanager
    async def _ptz(self, camera: Camera) -> AsyncIterator[OnvifPtz]:
        line = await self._line(camera)
        try:
            async with line.one_at_a_time:
                if line.ptz is None:
                    offered = await line.onvif.offered()
                    line.ptz = await line.onvif.ptz(
                        offered.profile, camera.ptz or PtzLimits(), camera.bearing_deg or 0.0
                    )
                yield line.ptz
        except Broken as broken:
            if broken.state is not PictureState.UNSUPPORTED:
                line.ptz = None  # ask it anew next time: it may be another camera by now
            raise

    async def _line(self, camera: Camera) -> _Line:
        if not camera.onvif_url:
            says = "nothing says where this camera can be turned"
            raise Broken(PictureState.UNSUPPORTED, says, "give its ONVIF address in the register")
        now = self._now()
        login = self._login_of(camera.camera_id)
        line = self._lines.get(camera.camera_id)
        if line is not None and (line.camera, line.login) != (camera, login):
            await self._forget(camera.camera_id)
            line = None
        if line is None:
            onvif = OnvifCamera(camera.onvif_url, login, self._guard, self._now)
            line = self._lines[camera.camera_id] = _Line(camera, login, onvif)
        line.used_at = now
        self._lines.move_to_end(camera.camera_id)
        for camera_id, other in list(self._lines.items()):
            if other is line or other.one_at_a_time.locked():
                continue
            if len(self._lines) > KEPT_MAX or now - (other.used_at or now) > IDLE:
                await self._forget(camera_id)
        return line

    async def _forget(self, camera_id: CameraId) -> None:
        line = self._lines.pop(camera_id, None)
        if line is not None:
            await line.onvif.__aexit__()


class _Line:
    def __init__(self, camera: Camera, login: Login | None, onvif: OnvifCamera) -> None:
        self.camera = camera
        self.login = login
        self.onvif = onvif
        self.ptz: OnvifPtz | None = None
        self.used_at: datetime | None = None
        self.one_at_a_time = asyncio.Lock()
