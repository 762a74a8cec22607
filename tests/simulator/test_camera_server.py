"""The practice cameras on the wire, pulled by our own line, by FFmpeg and by two ONVIF clients."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import httpx
import msgspec
import numpy as np
import pytest
from onvif import ONVIFCamera  # type: ignore[import-untyped]

from farolito.codec import AccessUnit, Broken
from farolito.ingest.video.guard import Guard
from farolito.ingest.video.onvif import OnvifCamera
from farolito.ingest.video.open import one_key_unit, open_upstream
from farolito.model import Login, PictureState
from farolito.model.camera import StreamSource
from farolito.simulator import burnt_in
from farolito.simulator.camera_server import CameraServer
from farolito.simulator.cameras import Fault, Lines, PracticeCamera, PracticeCameras, place_cameras
from farolito.simulator.world import SimulatorConfig, World, make_world

GUARD = Guard((ipaddress.ip_network("127.0.0.0/8"),))


@pytest.fixture(scope="module")
def world() -> World:
    """One whose shift begins now: the cameras' clock is the machine's."""
    return make_world(SimulatorConfig(start=datetime.now(UTC), vehicles=3_000, readers=20))


@pytest.fixture(scope="module")
def practice(world: World) -> PracticeCameras:
    return place_cameras(world)


@pytest.fixture
async def server(world: World, practice: PracticeCameras) -> AsyncIterator[CameraServer]:
    lines = Lines(rtsp_port=0, http_port=0)
    async with CameraServer(lines, world, practice, hour=12.3) as server:
        yield server


def source(server: CameraServer, path: str, transport: str = "tcp") -> StreamSource:
    made = StreamSource(protocol="rtsp", url=f"rtsp://127.0.0.1:{server.rtsp_port}/{path}")
    return msgspec.structs.replace(made, transport=transport)


async def units_of(
    server: CameraServer, path: str, login: Login | None, count: int, transport: str = "tcp"
) -> list[AccessUnit]:
    line = open_upstream(
        source(server, path, transport), login, GUARD, now_us=lambda: time.time_ns() // 1000
    )
    units: list[AccessUnit] = []
    enough = asyncio.Event()

    def take(unit: AccessUnit) -> None:
        units.append(unit)
        if len(units) >= count:
            enough.set()

    running = asyncio.create_task(line.run(take))
    waiting = asyncio.create_task(enough.wait())
    await asyncio.wait({running, waiting}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    running.cancel()
    waiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return units[:count]


def pictures(units: list[AccessUnit], folder: Path) -> list[np.ndarray]:
    file = folder / "pulled.h264"
    file.write_bytes(b"".join(unit.data for unit in units))
    film = cv2.VideoCapture(str(file), cv2.CAP_FFMPEG)
    found = []
    while (read := film.read())[0]:
        found.append(read[1])
    return found


def _with(practice: PracticeCameras, fault: Fault | None) -> PracticeCamera:
    return next(c for c in practice.cameras if c.fault is fault and c.camera.ptz is None)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_a_camera_is_drawn_while_it_is_pulled_and_begins_with_a_key(
    server: CameraServer, practice: PracticeCameras, transport: str, tmp_path: Path
) -> None:
    one = _with(practice, None)
    camera = one.camera.camera_id
    units = await units_of(server, f"{camera}/sub", one.login, 4, transport)
    assert [u.is_key for u in units] == [True, False, False, False]
    steps = np.diff([u.media_us for u in units])
    assert all(abs(step % 200_000) < 2_000 or step % 200_000 > 198_000 for step in steps)
    shown = pictures(units, tmp_path)
    assert [p.shape for p in shown] == [(180, 320, 3)] * 4
    assert server.street is not None
    direct = server.street.eyes[camera].jpeg((320, 180), datetime.now(UTC))
    same = cv2.imdecode(np.frombuffer(direct, np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(shown[-1].astype(int) - same).mean() < 6


async def test_a_wrong_word_a_wrong_path_and_a_dead_switch_are_told_apart(
    server: CameraServer, practice: PracticeCameras
) -> None:
    one, dead = _with(practice, None), _with(practice, Fault.DEAD)
    wrong = Login(user=one.login.user, word="no")
    for path, login, state in (
        (f"{one.camera.camera_id}/sub", wrong, PictureState.REFUSED),
        (f"{one.camera.camera_id}/third", one.login, PictureState.NOT_FOUND),
        (f"{dead.camera.camera_id}/sub", dead.login, PictureState.UNREACHABLE),
    ):
        line = open_upstream(source(server, path), login, GUARD, now_us=lambda: 0)
        with pytest.raises(Broken) as broken:
            await one_key_unit(line, 10)
        assert broken.value.state is state


async def test_a_stuck_camera_shows_the_same_picture_to_whoever_comes(
    server: CameraServer, practice: PracticeCameras
) -> None:
    now, later = datetime.now(UTC), datetime.now(UTC) + timedelta(seconds=5)
    assert server.street is not None
    for fault, is_same in ((Fault.FROZEN, True), (Fault.WRONG_CLOCK, False)):
        eye = server.street.eyes[_with(practice, fault).camera.camera_id]
        first = eye.i420((320, 180), now)
        eye.rest()
        assert np.array_equal(first, eye.i420((320, 180), later)) is is_same


async def test_the_clock_in_the_test_picture_is_the_clock_of_this_machine(
    server: CameraServer, tmp_path: Path
) -> None:
    units = await units_of(server, "clock", None, 5)
    ages = []
    for unit, picture in zip(units, pictures(units, tmp_path), strict=True):
        luma = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.uint8)
        read = burnt_in.read_strip(luma)
        assert read is not None
        ages.append(unit.received_us // 1000 - read[0])
    assert all(0 <= age < 1_000 for age in ages)


async def test_loops_give_everyone_the_same_pictures_without_holes(server: CameraServer) -> None:
    await server.streams.prepare_loop()
    pulled = await asyncio.gather(*(units_of(server, f"loop/{n}", None, 20) for n in range(6)))
    assert all(len(units) == 20 and units[0].is_key for units in pulled)
    steps = np.diff([u.media_us for u in pulled[0]])
    assert set(np.round(steps / 40_000)) == {1}


async def test_our_onvif_line_turns_the_drawn_view(
    server: CameraServer, practice: PracticeCameras
) -> None:
    one = next(c for c in practice.cameras if c.camera.ptz is not None)
    ptz, bearing = one.camera.ptz, one.camera.bearing_deg
    assert ptz is not None
    assert bearing is not None
    url = f"http://127.0.0.1:{server.http_port}/onvif/{one.camera.camera_id}/device_service"
    async with OnvifCamera(url, one.login, GUARD, lambda: datetime.now(UTC)) as camera:
        assert (await camera.device()).maker == "Farolito"
        assert abs((await camera.clock()).error_s) < 1.5
        offered = await camera.offered()
        assert (offered.main.url, bool(offered.sub), bool(offered.ptz)) == (
            f"rtsp://127.0.0.1:{server.rtsp_port}/{one.camera.camera_id}/main", True, True,
        )  # fmt: skip
        before = await _snapshot(offered.snapshot_url, one.login)
        turning = await camera.ptz(offered.profile, ptz, bearing)
        await turning.turn_to((bearing + 90) % 360, -12.0, 0.0)
        async with asyncio.timeout(10):
            while (seen := await turning.where()).is_moving:
                await asyncio.sleep(0.05)
        assert seen.bearing_deg == pytest.approx((bearing + 90) % 360, abs=0.5)
        assert seen.tilt_deg == pytest.approx(-12.0, abs=0.5)
        assert not np.array_equal(before, await _snapshot(offered.snapshot_url, one.login))
    wrong = Login(user=one.login.user, word="no")
    async with OnvifCamera(url, wrong, GUARD, lambda: datetime.now(UTC)) as camera:
        with pytest.raises(Broken):
            await camera.offered()


async def _snapshot(url: str, login: Login) -> np.ndarray:
    async with httpx.AsyncClient(auth=httpx.DigestAuth(login.user, login.word)) as client:
        assert (await httpx.AsyncClient().get(url)).status_code == 401
        answer = await client.get(url)
    assert answer.headers["content-type"] == "image/jpeg"
    picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture


async def test_home_assistants_onvif_client_understands_every_answer(
    server: CameraServer, practice: PracticeCameras
) -> None:
    one = next(c for c in practice.cameras if c.camera.ptz is not None)
    base = f"http://127.0.0.1:{server.http_port}/onvif/{one.camera.camera_id}"
    # It puts the port and its own path behind whatever it takes for the host.
    camera = ONVIFCamera(f"{base}/device_service?", 80, one.login.user, one.login.word)
    try:
        await camera.update_xaddrs()
        device = await camera.create_devicemgmt_service()
        assert (await device.GetDeviceInformation()).Model == "Practice PTZ"
        assert (await device.GetSystemDateAndTime()).UTCDateTime.Date.Year >= 2026
        assert (await camera.get_capabilities())["PTZ"]["XAddr"] == f"{base}/ptz"
        media = await camera.create_media_service()
        profiles = await media.GetProfiles()
        assert [p.token for p in profiles] == ["main", "sub"]
        setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
        told = await media.GetStreamUri({"StreamSetup": setup, "ProfileToken": "sub"})
        assert told.Uri.endswith(f"/{one.camera.camera_id}/sub")
        assert (await media.GetSnapshotUri({"ProfileToken": "main"})).Uri == f"{base}/snapshot.jpg"
        ptz = await camera.create_ptz_service()
        options = await ptz.GetConfigurationOptions({"ConfigurationToken": "ptz"})
        assert options.Spaces.ContinuousPanTiltVelocitySpace[0].XRange.Max == 1.0
        speed = {"PanTilt": {"x": 0.5, "y": 0.0}}
        await ptz.ContinuousMove({"ProfileToken": "main", "Velocity": speed})
        assert (await ptz.GetStatus({"ProfileToken": "main"})).MoveStatus.PanTilt == "MOVING"
        await ptz.Stop({"ProfileToken": "main"})
        await ptz.AbsoluteMove(
            {"ProfileToken": "main", "Position": {"PanTilt": {"x": 0.1, "y": 0.2}}}
        )
        await ptz.GotoHomePosition({"ProfileToken": "main"})
        assert (await ptz.GetStatus({"ProfileToken": "main"})).Position.PanTilt.x is not None
    finally:
        await camera.close()
