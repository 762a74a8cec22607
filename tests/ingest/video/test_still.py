"""A camera of single JPEGs: new ones are told, the same ones counted, other things refused."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from farolito.codec import AccessUnit, Broken
from farolito.codec.jpeg import jpeg_size
from farolito.ingest.video.guard import Guard
from farolito.ingest.video.still import STILL_BYTES_MAX, StillUpstream
from farolito.model import Login, PictureState, StreamSource
from tests.ingest.video.web_camera import (
    LOOPBACK,
    Answer,
    Asked,
    WebCamera,
    digest_checked,
    ended,
    until,
)


def now_us() -> int:
    return time.time_ns() // 1000


def jpeg(shade: int, size: tuple[int, int] = (64, 48)) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, (shade, shade, shade)).save(made, "JPEG")
    return made.getvalue()


def still(url: str, login: Login | None = None, guard: Guard = LOOPBACK) -> StillUpstream:
    source = StreamSource(protocol="jpeg", url=url, period_s=0.2)
    return StillUpstream(source, login, guard, now_us)


async def watched(
    upstream: StillUpstream, enough: Callable[[list[AccessUnit]], bool]
) -> list[AccessUnit]:
    units: list[AccessUnit] = []
    task = asyncio.create_task(upstream.run(units.append))
    try:
        await until(lambda: task.done() or enough(units))
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return units


async def broken(answer: Answer, login: Login | None = None) -> Broken:
    async with WebCamera(lambda _: answer) as camera:
        with pytest.raises(Broken) as caught:
            await ended(still(f"{camera.url}/a.jpg", login).run(lambda _: None))
    return caught.value


async def test_a_new_picture_is_told_once_and_the_same_one_is_counted() -> None:
    shades = iter([10, 10, 10, 90, 90])

    def answer(_: Asked) -> Answer:
        return Answer(jpeg(next(shades, 90)))

    async with WebCamera(answer) as camera:
        upstream = still(f"{camera.url}/a.jpg")
        units = await watched(upstream, lambda _: upstream.same >= 2 and len(camera.asked) > 5)
    assert [unit.data for unit in units] == [jpeg(10), jpeg(90)]
    assert all(unit.codec == "jpeg" and unit.is_key for unit in units)
    assert units[0].media_us < units[1].media_us
    figures = upstream.figures
    assert (figures.units, figures.width, figures.height) == (2, 64, 48)
    assert figures.bytes > 4 * len(jpeg(10))


async def test_a_server_that_says_not_modified_for_ever_is_asked_plainly_now_and_then() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.headers.get("if-none-match") == '"1"':
            return Answer(status=304)
        return Answer(jpeg(len(camera.asked)), headers={"ETag": '"1"'})

    async with WebCamera(answer) as camera:
        upstream = still(f"{camera.url}/a.jpg")
        units = await watched(upstream, lambda units: len(units) == 2)
    assert units[0].data != units[1].data


async def test_a_camera_that_asks_for_digest_gets_it_and_its_password_stays_out_of_the_clear() -> (
    None
):
    answer = digest_checked(lambda _: Answer(jpeg(5)), "viewer", "p:ss word")
    async with WebCamera(answer) as camera:
        login = Login(user="viewer", word="p:ss word")
        units = await watched(still(f"{camera.url}/a.jpg?x=1", login), bool)
        assert units[0].data == jpeg(5)
        shown = [asked.headers.get("authorization", "") for asked in camera.asked]
        assert not any("basic" in one.lower() for one in shown)
        stranger = still(f"{camera.url}/a.jpg", Login(user="viewer", word="wrong"))
        with pytest.raises(Broken) as caught:
            await ended(stranger.run(lambda _: None))
    assert caught.value.state is PictureState.REFUSED


async def test_a_login_is_not_shown_to_where_a_camera_sends_us() -> None:
    async with WebCamera(lambda _: Answer(status=401, headers={"WWW-Authenticate": "Basic"})) as b:

        def answer(asked: Asked) -> Answer:
            return Answer(status=302, headers={"Location": f"{b.url}/stolen.jpg"})

        async with WebCamera(answer) as a:
            upstream = still(f"{a.url}/a.jpg", Login(user="viewer", word="secret"))
            with pytest.raises(Broken) as caught:
                await ended(upstream.run(lambda _: None))
    assert caught.value.state is PictureState.REFUSED
    assert [asked.path for asked in b.asked] == ["/stolen.jpg"]
    assert "authorization" not in b.asked[0].headers


async def test_a_redirect_into_our_own_house_is_blocked() -> None:
    only = Guard([ip_network("127.0.0.1/32")])
    answer = Answer(status=302, headers={"Location": "http://127.0.0.2:8700/api/admin/health"})
    async with WebCamera(lambda _: answer) as camera:
        with pytest.raises(Broken) as caught:
            await ended(still(f"{camera.url}/a.jpg", guard=only).run(lambda _: None))
    assert caught.value.state is PictureState.BLOCKED


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Answer(b"<!DOCTYPE html><title>Log in</title>", headers={"Content-Type": "image/jpeg"}),
         PictureState.NOT_A_PICTURE),
        (Answer(b"\x89PNG\r\n\x1a\n"), PictureState.NOT_A_PICTURE),
        (Answer(b""), PictureState.NOT_A_PICTURE),
        (Answer(jpeg(9)[:-40]), PictureState.MALFORMED),
        (Answer(jpeg(9), cut_at=100), PictureState.MALFORMED),
        (Answer(b"\xff\xd8\xff" + b"x" * 9, headers={"Content-Length": str(STILL_BYTES_MAX + 1)}),
         PictureState.TOO_MUCH),
        (Answer(jpeg(9), headers={"Content-Encoding": "gzip"}), PictureState.MALFORMED),
        (Answer(status=404), PictureState.NOT_FOUND),
        (Answer(status=403), PictureState.REFUSED),
        (Answer(status=503), PictureState.UNREACHABLE),
        (Answer(status=302, headers={"Location": "/again"}), PictureState.NOT_FOUND),
    ],
)  # fmt: skip
async def test_what_is_no_picture_ends_in_a_word_and_in_what_to_do(
    answer: Answer, state: PictureState
) -> None:
    found = await broken(answer)
    assert found.state is state
    assert found.says


async def test_a_camera_that_is_off_and_one_that_is_forbidden_are_told_apart() -> None:
    async with WebCamera(lambda _: Answer()) as camera:
        off = camera.url
    for url, guard, state in (
        (off, LOOPBACK, PictureState.UNREACHABLE),
        (off, Guard(), PictureState.BLOCKED),
    ):
        with pytest.raises(Broken) as caught:
            await ended(still(url, guard=guard).run(lambda _: None))
        assert caught.value.state is state


async def test_a_camera_that_fails_once_goes_on() -> None:
    answers = iter([Answer(jpeg(1)), Answer(status=503), Answer(jpeg(2)[:-9]), Answer(jpeg(3))])
    async with WebCamera(lambda _: next(answers, Answer(jpeg(3)))) as camera:
        units = await watched(still(camera.url), lambda units: len(units) == 2)
    assert [unit.data for unit in units] == [jpeg(1), jpeg(3)]


@given(
    body=st.binary(max_size=200),
    cut=st.integers(0, 600),
    at=st.integers(0, 600),
    byte=st.integers(0, 255),
)
def test_bytes_of_any_kind_are_a_jpeg_or_broken(body: bytes, cut: int, at: int, byte: int) -> None:
    changed = bytearray(jpeg(7))
    changed[at % len(changed)] = byte
    for data in (body, b"\xff\xd8\xff" + body, bytes(changed[: max(3, cut)]), bytes(changed)):
        try:
            width, height = jpeg_size(data)
        except Broken:
            continue
        assert width > 0
        assert height > 0
