"""A node with practice cameras about one place, drawn in this process, and one camera that obeys.

All tests of pictures share it; each has an incident of its own where it needs one.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from PIL import Image
from playwright.async_api import Locator, expect

from farolito.app.config import Video
from farolito.model import Camera, CameraId, Consent, Login, OwnerId
from farolito.model.camera import CameraOwner, OwnerKind
from farolito.simulator.camera_server import CameraServer
from farolito.simulator.cameras import Lines, PracticeCamera, PracticeCameras, place_cameras
from farolito.simulator.metro import metres
from farolito.simulator.world import SimulatorConfig, World, make_world
from tests.browser.screens import Screen, Screens
from tests.ingest.video.bad_camera import BadCamera, sdp_of
from tests.ingest.video.pictures import units
from tests.running import Person, RunningNode, assigned, call, numbers, running_node, until

NEAR_M = 130.0
HOUR = 12.3  # of the light: noon
OBEYS = CameraId("obeys")
DEPOT = CameraOwner(
    owner_id=OwnerId("depot"),
    agency="luminaria-pd",  # type: ignore[arg-type] # the node makes it its own
    name="The Depot",
    kind=OwnerKind.PRIVATE,
)
GREYS_MIN = 12.0  # standard deviation: a picture that shows something is not of one tone


class Cinema:
    """`eyes`: where the practice cameras truly look; `obeys`: the camera that stalls when told."""

    def __init__(
        self,
        node: RunningNode,
        server: CameraServer,
        cameras: dict[str, PracticeCamera],
        obeys: BadCamera,
        cad: str,
        place: tuple[float, float],
    ) -> None:
        self.node, self.server, self.cameras, self.obeys = node, server, cameras, obeys
        self._cad, self.place = cad, place
        self.operator: Person

    @property
    def turning(self) -> PracticeCamera:
        return next(one for one in self.cameras.values() if one.camera.ptz is not None)

    @property
    def of_transit(self) -> PracticeCamera:
        """A camera of the owner who signs in at the demo, shown at every hour."""
        return next(
            one
            for one in self.cameras.values()
            if one.camera.owner == "luminaria-transit" and one.camera.consent is Consent.ALWAYS
        )

    @property
    def fixed(self) -> list[str]:
        return [
            name
            for name, one in self.cameras.items()
            if one.camera.ptz is None
            and one.camera.consent is Consent.ALWAYS
            and one is not self.of_transit
        ]

    async def incident(self, number: str, **more: Any) -> str:
        """Shots fired at the place; the incident's id."""
        lat, lon = self.place
        told = {"kind": "shots_fired", "priority": 1, "place": {"lat": lat, "lon": lon}, **more}
        answer = await self.node.hand_in("cad/farolito", call(number, **told), self._cad)
        assert answer.status_code == 202, answer.text
        listed = (await self.operator.get("/api/incidents")).json()["incidents"]
        [found] = [one for one in listed if number in numbers(one)]
        return str(found["incident_id"])

    async def wall(self, screens: Screens, *cameras: str, **settings: Any) -> Screen:
        """The operator's wall with these cameras."""
        screen = await screens.sign_in(self.node.port, "operator", **settings)
        await screen.go(f"/wall?cameras={','.join(cameras)}")
        return screen


def tile(screen: Screen, camera_id: str) -> Locator:
    return screen.page.locator(f"[data-testid=tile][data-camera='{camera_id}']")


async def shows(place: Locator, mode: str = "units") -> None:
    """A live picture of the camera, drawn, and no blank."""
    await expect(place).to_have_attribute("data-mode", mode)
    await expect(place).to_have_attribute("data-standing", "live")
    shape = "video" if mode == "mse" else "canvas:not(.mark)"
    assert await greys(place.locator(shape).first) > GREYS_MIN


async def greys(picture: Locator) -> float:
    return float(np.std(await pixels(picture)))


async def pixels(picture: Locator) -> np.ndarray:
    """As it is on the screen, in grey."""
    shot = Image.open(io.BytesIO(await picture.screenshot())).convert("L")
    return np.asarray(shot, dtype=float)


@asynccontextmanager
async def cinema() -> AsyncIterator[Cinema]:
    folder = Path(tempfile.mkdtemp(prefix="farolito-node-"))
    folder.chmod(0o711)
    world = make_world(
        SimulatorConfig(start=datetime.now(UTC), vehicles=3_000, readers=20, list_rows=60)
    )
    some = _some(world, Lines())
    sps, pps = units(320, 192)[0][:2]
    obeys = BadCamera(units(320, 192), rate=10, sdp=sdp_of((sps, pps)))
    lines = Lines(rtsp_port=0, http_port=0)
    try:
        async with (
            CameraServer(lines, world, some, HOUR) as server,
            obeys.running(),
            running_node(folder, video=Video(networks=("127.0.0.0/8",), sweep_minutes=0)) as node,
        ):
            real = Lines(rtsp_port=server.rtsp_port, http_port=server.http_port)
            some = _some(world, real)
            cameras = {str(one.camera.camera_id): one for one in some.cameras}
            made = Cinema(node, server, cameras, obeys, await node.cad_key(), world.opening[0])
            made.operator = await node.sign_in("operator")
            await _bring(made, some)
            await until(lambda: _is_up(node))
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _some(world: World, lines: Lines) -> PracticeCameras:
    """The cameras about the place where the drill begins. None keeps a ring: nothing is pulled."""
    practice, centre = place_cameras(world, lines), metres(world.opening[0])
    near = [
        msgspec.structs.replace(one, camera=msgspec.structs.replace(one.camera, ring_s=0.0))
        for one in practice.cameras
        if (one.pose.x - centre[0]) ** 2 + (one.pose.y - centre[1]) ** 2 < NEAR_M**2
        and one.fault is None
    ]
    return PracticeCameras(practice.owners, tuple(near))


def _is_up(running: RunningNode) -> bool:
    pictures = running.node.cameras.health().pictures
    return pictures is not None and pictures.up == pictures.processes


async def _bring(cinema: Cinema, some: PracticeCameras) -> None:
    own = Camera(
        camera_id=OBEYS,
        agency=DEPOT.agency,
        owner=DEPOT.owner_id,
        name="The camera that obeys",
        consent=Consent.ALWAYS,
        main=cinema.obeys.source(),
    )
    logins: dict[CameraId, Login] = {CameraId(n): login for n, login in some.logins.items()}
    body = {
        "owners": [*some.owners, DEPOT],
        "cameras": [*some.register, own],
        "logins": logins,
    }
    answer = await cinema.node.admin("POST", "/api/admin/cameras", msgspec.to_builtins(body))
    assert answer.status_code == 200, answer.text


__all__ = ["OBEYS", "Cinema", "assigned", "cinema", "greys", "pixels", "shows", "tile"]
