"""ONVIF cameras: what they offer, their clock, turning them; and what a second client says."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import httpx
import msgspec
import onvif  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farolito.codec import Broken
from farolito.ingest.video.guard import Guard
from farolito.ingest.video.onvif import OnvifCamera, device_url
from farolito.ingest.video.onvif_ptz import OnvifPtz, Spaces, spaces_of
from farolito.ingest.video.onvif_turns import OnvifTurns
from farolito.model import (
    AgencyId,
    Camera,
    CameraId,
    Login,
    OwnerId,
    PictureState,
    PtzLimits,
)
from tests.ingest.video.onvif_camera import DEGREES, GENERIC, OnvifCameraBox
from tests.ingest.video.web_camera import LOOPBACK, Answer, Asked, WebCamera, ended

OPERATOR = Login(user="operator", word="p&ss")


def now() -> datetime:
    return datetime.now(UTC)


def camera_at(url: str, login: Login | None = OPERATOR, guard: Guard = LOOPBACK) -> OnvifCamera:
    return OnvifCamera(f"{url}/onvif/device_service", login, guard, now)


async def test_a_camera_tells_its_streams_at_the_host_where_it_answers_and_no_login() -> None:
    box = OnvifCameraBox()
    async with WebCamera(box) as web, camera_at(web.url) as camera:
        device, offered = await camera.device(), await camera.offered(rest_bearing_deg=90)
    assert (device.maker, device.model, device.serial) == ("Practice", "PTZ 7", "0042")
    assert offered.main.url == "rtsp://127.0.0.1:8554/p0?a=1&b=2"
    assert offered.sub is not None
    assert offered.sub.url == "rtsp://127.0.0.1:8554/p1?a=1&b=2"
    assert offered.snapshot_url == f"{web.url}/snap.jpg"
    assert offered.ptz is not None
    assert (offered.ptz.pan_from_deg, offered.ptz.pan_to_deg) == (90.0, 80.0)
    assert offered.ptz.tilt_to_deg == 20


async def test_two_clients_of_different_authors_hear_the_same() -> None:
    box = OnvifCameraBox(clock_s=-2)
    async with WebCamera(box) as web:
        async with camera_at(web.url) as camera:
            offered, clock = await camera.offered(), await camera.clock()
        box.own = web.url  # the second client believes what the camera names
        host, port = web.url.removeprefix("http://").split(":")
        second = onvif.ONVIFCamera(host, int(port), OPERATOR.user, OPERATOR.word, adjust_time=True)
        try:
            await second.update_xaddrs()
            media = await second.create_media_service()
            profiles = await media.GetProfiles()
            asked = {
                "StreamSetup": {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}},
                "ProfileToken": profiles[0].token,
            }
            uri = (await media.GetStreamUri(asked)).Uri
            told = await (await second.create_devicemgmt_service()).GetSystemDateAndTime()
        finally:
            await second.close()
    assert [one.token for one in profiles] == ["p0", "p1"]
    assert uri.replace("stray:word@192.0.2.7", "127.0.0.1") == offered.main.url
    day, hour = told.UTCDateTime.Date, told.UTCDateTime.Time
    at = datetime(day.Year, day.Month, day.Day, hour.Hour, hour.Minute, hour.Second, tzinfo=UTC)
    assert abs((at - now()).total_seconds() - clock.error_s) < 2.5


async def test_the_error_of_a_clock_is_measured_with_its_bound_and_does_not_lock_us_out() -> None:
    box = OnvifCameraBox(clock_s=437.0)
    async with WebCamera(box) as web, camera_at(web.url) as camera:
        assert (await camera.device()).maker == "Practice"
        clock = await camera.clock()
    assert abs(clock.error_s - 437.0) <= clock.bound_s
    assert 0.5 <= clock.bound_s < 1.5


@pytest.mark.parametrize("space", [DEGREES, GENERIC])
async def test_a_camera_is_turned_in_degrees_from_north_whatever_it_counts_in(space: str) -> None:
    box = OnvifCameraBox(space=space)
    limits = PtzLimits(tilt_from_deg=-90, tilt_to_deg=20)
    async with WebCamera(box) as web, camera_at(web.url) as camera:
        ptz = await camera.ptz("p0", limits, rest_bearing_deg=200.0)
        await ptz.turn_to(150.0, -30.0, 0.25)
        where = await ptz.where()
        assert where.bearing_deg == pytest.approx(150.0, abs=0.01)
        assert where.tilt_deg == pytest.approx(-30.0, abs=0.01)
        assert (where.zoom, where.is_moving) == (0.25, False)
        wanted = (310.0, -30.0) if space == DEGREES else (-50 / 180, 2 * 60 / 110 - 1)
        assert box.at[:2] == pytest.approx(wanted, abs=1e-5)
        await ptz.turn_to(196.0, -120.0)  # beyond its pan of 350° and its tilt: as near as it gets
        assert box.at[1] == (-90.0 if space == DEGREES else -1.0)
        await ptz.move(2.0, -0.5, 0.0)
        await ptz.stop()
        await ptz.home()
        assert [preset.name for preset in await ptz.presets()] == ["gate"]
        await ptz.go_to("1")
    last = dict(box.calls)
    assert 'x="1.0" y="-0.5"' in last["ContinuousMove"]
    assert "PT15S" in last["ContinuousMove"]
    assert {"Stop", "GotoHomePosition", "GotoPreset"} <= last.keys()


async def test_cameras_are_turned_by_the_register_and_one_without_onvif_says_so() -> None:
    box = OnvifCameraBox()
    async with WebCamera(box) as web:
        camera = Camera(
            camera_id=CameraId("gate"),
            agency=AgencyId("practice-pd"),
            owner=OwnerId("city"),
            name="Gate",
            bearing_deg=90.0,
            ptz=PtzLimits(zoom_max=16.0),
            onvif_url=f"{web.url}/onvif/device_service",
        )
        turns = OnvifTurns(lambda _: OPERATOR, LOOPBACK, now)
        await turns.look_at(camera, 120.0, -10.0, 2.0)
        assert box.at == pytest.approx((30.0, -10.0, 0.25))
        before = len(web.asked)
        await turns.move(camera, 1, 0, 0)
        await turns.stop(camera)
        await turns.home(camera)
        assert len(web.asked) == before + 3  # what it offers is not asked again
        dumb = msgspec.structs.replace(camera, camera_id=CameraId("dumb"), onvif_url="")
        with pytest.raises(Broken) as caught:
            await turns.stop(dumb)
        await turns.close()
    assert caught.value.state is PictureState.UNSUPPORTED


async def test_a_pan_over_north_is_not_left() -> None:
    box = OnvifCameraBox(space=GENERIC)
    limits = PtzLimits(pan_from_deg=300.0, pan_to_deg=60.0)
    async with WebCamera(box) as web, camera_at(web.url) as camera:
        ptz = await camera.ptz("p0", limits, rest_bearing_deg=0.0)
        for wanted, reached in (
            (0.0, 0.0),
            (310.0, 310.0),
            (50.0, 50.0),
            (90.0, 60.0),
            (260.0, 300.0),
        ):
            await ptz.turn_to(wanted, 0.0)
            assert (await ptz.where()).bearing_deg == pytest.approx(reached, abs=0.01)


@pytest.mark.parametrize(
    ("box", "login", "state"),
    [
        (OnvifCameraBox(), Login(user="operator", word="wrong"), PictureState.REFUSED),
        (OnvifCameraBox(), None, PictureState.REFUSED),
        (OnvifCameraBox(codecs=("H265", "JPEG")), OPERATOR, PictureState.UNSUPPORTED),
        (OnvifCameraBox(codecs=()), OPERATOR, PictureState.UNSUPPORTED),
        (lambda _: Answer(b"<html>hello</html>"), OPERATOR, PictureState.MALFORMED),
        (lambda _: Answer(status=404), OPERATOR, PictureState.MALFORMED),
        (lambda _: Answer(status=302, headers={"Location": "http://127.0.0.1/"}), OPERATOR,
         PictureState.MALFORMED),
        (lambda _: Answer(b"<x/>" * 500_000), OPERATOR, PictureState.MALFORMED),
    ],
)  # fmt: skip
async def test_a_camera_that_does_not_offer_what_we_need_says_why(
    box: OnvifCameraBox, login: Login | None, state: PictureState
) -> None:
    async with WebCamera(box) as web, camera_at(web.url, login) as camera:
        with pytest.raises(Broken) as caught:
            await ended(camera.offered())
    assert caught.value.state is state
    assert caught.value.do


async def test_an_onvif_address_into_our_own_house_is_not_asked() -> None:
    async with WebCamera(OnvifCameraBox()) as web, camera_at(web.url, guard=Guard()) as camera:
        with pytest.raises(Broken) as caught:
            await ended(camera.offered())
        assert not web.asked
    assert caught.value.state is PictureState.BLOCKED


class Garbled(httpx.AsyncBaseTransport):
    """The camera's answers with bytes lost, changed, and numbers grown on the way."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = OnvifCameraBox()(Asked("/", {}, await request.aread()))
        body, rng = bytearray(answer.body), self.rng
        for _ in range(rng.choice([0, 0, 1, 3])):
            at = rng.randrange(len(body))
            grown = rng.choice([b"9" * 30, b"nan", b"-", b"9" * 5000, b"<", b"\xff", b""])
            body[at : at + rng.randrange(20)] = grown
        return httpx.Response(answer.status, content=bytes(body), headers=dict(answer.headers))


async def test_garbled_answers_end_in_broken_and_nothing_else(
    rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("farolito.ingest.video.onvif.GuardedTransport", lambda _: Garbled(rng))
    for _ in range(150):
        async with camera_at("http://camera") as camera:
            try:
                await camera.clock()
                await camera.offered()
                ptz = await camera.ptz("p0", PtzLimits(), 0.0)
                await ptz.where()
                await ptz.presets()
            except Broken:
                continue


def test_a_cameras_usual_address() -> None:
    assert device_url("10.0.0.5") == "http://10.0.0.5:80/onvif/device_service"
    assert device_url("fe80::1", 443, tls=True) == "https://[fe80::1]:443/onvif/device_service"


@settings(max_examples=60, deadline=None)
@given(bearing=st.floats(-1000, 1000), rest=st.floats(0, 359.9), tilt=st.floats(-400, 400))
def test_any_wish_stays_within_what_it_can(bearing: float, rest: float, tilt: float) -> None:
    for spaces in (Spaces(uri=GENERIC), spaces_of([_NODE])):
        for limits in (PtzLimits(), PtzLimits(pan_from_deg=300.0, pan_to_deg=60.0)):
            ptz = OnvifPtz(None, "p", spaces, limits, rest)  # type: ignore[arg-type]
            assert spaces.pan.low - 1e-6 <= ptz._pan(bearing) <= spaces.pan.high + 1e-6
            assert spaces.tilt.low <= ptz._tilt(tilt) <= spaces.tilt.high


_NODE = {
    "ranges": {
        "absolute_pan_tilt": {
            "uri": DEGREES,
            "x": {"min": 0.0, "max": 350.0},
            "y": {"min": -90.0, "max": 20.0},
        }
    }
}
