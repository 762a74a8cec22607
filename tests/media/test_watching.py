"""What a browser gets of a camera: at once, in order, in the form it can show."""

from __future__ import annotations

import asyncio

import cv2
import numpy as np
from websockets.exceptions import InvalidStatus

from farolito.codec.boxes import find
from farolito.media.control import Closed, Opened
from farolito.media.hub import Limits
from farolito.model import CameraId, PictureState
from tests.media.stage import CAMERA, broken, coded, pulled, stage, until

CATCH_UP = 4


async def test_whoever_comes_late_gets_all_since_the_last_key_frame_and_draws_the_newest() -> None:
    async with stage() as on:
        first = await on.watching()
        camera = await on.camera()
        camera.group(10)
        assert len(await first.pictures(10)) == 10
        late = await on.watching()
        got = await late.pictures(10)
        assert [one.is_key for one in got] == [True] + [False] * 9
        assert [bool(one.flags & CATCH_UP) for one in got] == [True] * 9 + [False]
        camera.show(b"live")
        assert (await late.picture()).data == (await first.picture()).data == b"live"


async def test_a_hundred_viewers_of_a_camera_get_the_same_bytes_over_one_line() -> None:
    async with stage() as on:
        tokens = [on.token() for _ in range(100)]
        browsers = await asyncio.gather(*(on.watching(token) for token in tokens))
        camera = await on.camera()
        for data, is_key in coded():
            camera.show(data, is_key)
        got = await asyncio.gather(*(one.pictures(10) for one in browsers))
        assert all(one == got[0] for one in got)
        assert [one.data for one in got[0]] == [data for data, _ in coded()]
        assert [one.sequence for one in got[0]] == list(range(1, 11))
        assert len(on.opened[CAMERA, "full"]) == 1
        assert len(on.heard(Opened)) == 100


async def test_a_line_lingers_after_its_last_viewer_and_then_ends() -> None:
    async with stage(limits=Limits(linger_s=0.3)) as on:
        first = await on.watching()
        camera = await on.camera()
        await first.line.close()
        await until(lambda: on.heard(Closed))
        again = await on.watching()  # within the 0.3 s
        await asyncio.sleep(0.4)
        assert camera.is_open
        await again.line.close()
        await until(lambda: not camera.is_open)
        assert len(on.opened[CAMERA, "full"]) == 1
        assert [one.why for one in on.heard(Closed)] == ["left", "left"]


async def test_nothing_is_pulled_before_a_token_was_taken() -> None:
    async with stage(pulled(), pulled(CameraId("rail-yard"))) as on:
        line = await on.line()
        await on.watching()
        await on.camera()
        assert list(on.opened) == [(CAMERA, "full")]
        await line.close()


async def test_a_camera_that_dies_is_shown_so_and_comes_back_on_one_line_of_time() -> None:
    async with stage() as on:
        browser = await on.watching()
        camera = await on.camera()
        camera.group(3)
        before = (await browser.pictures(3))[-1]
        assert (await browser.hears("state"))["state"] == "connecting"
        assert (await browser.hears("state"))["state"] == "live"
        camera.dies(broken(PictureState.UNREACHABLE))
        said = await browser.hears("state")
        assert (said["state"], said["do"]) == ("unreachable", "look at its power")
        on.clock.passes(5)
        camera = await on.camera(which=1)
        camera.show(b"no key yet")
        camera.group(2)
        assert (await browser.hears("state"))["state"] == "live"
        after = await browser.pictures(2)
        assert after[0].is_key
        assert 5_000_000 < after[0].media_us - before.media_us < 6_000_000


async def test_what_we_fall_over_is_one_camera_s_trouble() -> None:
    async with stage(pulled(), pulled(CameraId("rail-yard"))) as on:
        bad, good = await on.watching(), await on.watching(on.token(CameraId("rail-yard")))
        camera = await on.camera()
        camera._end.set_exception(ZeroDivisionError())
        while (await bad.hears("state"))["state"] != "malformed":
            pass
        (await on.camera(CameraId("rail-yard"))).group(3)
        assert len(await good.pictures(3)) == 3


async def test_a_wall_is_served_by_the_key_frames_of_one_substream() -> None:
    async with stage(pulled(sub=True)) as on:
        tiles = [await on.watching(on.token(), quality="key") for _ in range(3)]
        camera = await on.camera(quality="sub")
        camera.group(5)
        camera.group(5)
        for tile in tiles:
            assert all(one.is_key for one in await tile.pictures(2))
        assert on.opened.keys() == {(CAMERA, "sub")}


async def test_without_a_substream_the_viewer_is_told_what_it_gets_instead() -> None:
    async with stage() as on:
        browser = await on.watching(quality="sub")
        assert await browser.hears("quality") == {
            "k": "quality",
            "quality": "full",
            "why": "no_sub",
        }


async def test_a_viewer_that_asks_for_less_gets_it_once_there_is_a_picture() -> None:
    async with stage(pulled(sub=True)) as on:
        browser = await on.watching()
        main = await on.camera()
        main.group(2)
        await browser.pictures(2)
        await browser.say(k="quality", quality="sub")
        sub = await on.camera(quality="sub")
        main.show(b"still the main one")
        assert (await browser.picture()).data == b"still the main one"
        sub.group(2)
        assert (await browser.hears("quality"))["why"] == "asked"
        main.show(b"nobody sees it")
        sub.show(b"less")
        assert [one.data for one in await browser.pictures(3)][-1] == b"less"


async def test_a_substream_that_does_not_come_is_replaced_by_key_frames_of_the_main_one() -> None:
    async with stage(pulled(sub=True)) as on:
        tile = await on.watching(quality="key")
        (await on.camera(quality="sub")).dies(broken(PictureState.NOT_FOUND))
        while (await tile.hears("state"))["state"] != "not_found":
            pass
        on.hub.tick()
        (await on.camera()).group(4)
        said = await tile.hears("quality")
        assert (said["quality"], said["why"]) == ("key", "no_sub")
        assert (await tile.picture()).is_key


async def test_fmp4_begins_with_its_init_segment_and_again_when_parameters_change() -> None:
    async with stage() as on:
        browser = await on.watching(mode="mse")
        camera = await on.camera()
        for data, is_key in coded():
            camera.show(data, is_key)
        init, *fragments = await browser.pictures(11)
        starts = await browser.hears("init")
        assert (starts["width"], starts["height"]) == (64, 48)
        assert starts["codec"].startswith("avc1.42")
        assert init.flags & 8
        assert find(init.data, "moov/trak") is not None
        assert all(find(one.data, "moof") and find(one.data, "mdat") for one in fragments)

        late = await on.watching(mode="mse")  # in the middle of a group
        assert (await late.picture()).data == init.data
        assert len(await late.pictures(5)) == 5
        assert (await late.hears("init"))["width"] == 64

        for data, is_key in coded(96, 64):
            camera.show(data, is_key)
        for one in (browser, late):
            assert (await one.picture()).flags & 8
            assert (await one.hears("init"))["width"] == 96


async def test_stills_are_decoded_from_key_frames_for_who_can_show_nothing_else() -> None:
    async with stage() as on:
        browser = await on.watching(mode="still")
        camera = await on.camera()
        for data, is_key in coded():
            camera.show(data, is_key)
        still = await browser.picture()
        assert still.flags == 3
        picture = cv2.imdecode(np.frombuffer(still.data, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape == (48, 64, 3)


async def test_a_camera_of_single_pictures_passes_them_on() -> None:
    async with stage() as on:
        browser, seldom = await on.watching(), await on.watching(mode="still")
        camera = await on.camera()
        for at in range(60):  # 2.4 s
            camera.show(b"\xff\xd8 %d" % at)
        assert [one.data for one in await browser.pictures(60)][-1] == b"\xff\xd8 59"
        assert [one.data for one in await seldom.pictures(2)] == [b"\xff\xd8 0", b"\xff\xd8 50"]


async def test_a_silent_camera_is_called_stalled_by_ticks_and_not_by_a_late_clock() -> None:
    async with stage() as on:
        browser = await on.watching()
        camera = await on.camera()
        camera.group(2)
        assert (await browser.hears("state"))["state"] == "connecting"
        assert (await browser.hears("state"))["state"] == "live"
        on.clock.passes(60)  # our loop was away
        on.hub.tick()
        assert on.hub.state().lines[0].state is PictureState.LIVE
        for _ in range(12):
            on.hub.tick()
        assert (await browser.hears("state"))["state"] == "stalled"
        for _ in range(40):
            on.hub.tick()
        (await on.camera(which=1)).group(1)
        assert (await browser.hears("state"))["state"] == "connecting"
        assert (await browser.hears("state"))["state"] == "live"


async def test_only_the_watch_path_and_our_own_pages_are_let_in() -> None:
    async with stage() as on:
        for path, origin, status in (
            ("/", None, 404),
            ("/watch", "https://elsewhere.example", 403),
            ("/watch", "http://localhost:8700", 101),
        ):
            assert await _status(f"ws://127.0.0.1:{on.port}{path}", origin) == status


async def _status(url: str, origin: str | None) -> int:
    from websockets.asyncio.client import connect
    from websockets.typing import Origin

    try:
        async with connect(url, origin=Origin(origin) if origin else None, compression=None) as it:
            assert it.response is not None
            return it.response.status_code
    except InvalidStatus as error:
        return error.response.status_code
