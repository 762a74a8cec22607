"""Who may watch, and for how long: one token, one viewing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from farolito.media.control import Closed, Cut, Opened, TokenRefused
from farolito.media.hub import Limits
from farolito.model import CameraId
from tests.media.stage import ANA, BEN, CAMERA, Stage, pulled, stage, until

OTHER = CameraId("rail-yard")


def _forged(on: Stage) -> str:
    return on.token(secret=b"x" * 32)


@pytest.mark.parametrize(
    ("reason", "token"),
    [
        ("forged", _forged),
        ("forged", lambda _: "no token at all"),
        ("forged", lambda on: on.token()[:-8]),
        ("expired", lambda on: on.token(made_s=-700, until_s=-1)),
        ("expired", lambda on: on.token(made_s=-61)),
        ("other_camera", lambda on: on.token(OTHER)),
    ],
)
async def test_a_token_that_opens_nothing_is_said_so_and_told_to_the_node(
    reason: str, token: Any
) -> None:
    async with stage() as on:
        browser = await on.browser(token(on))
        assert (await browser.hears("end"))["why"] == reason
        assert await browser.is_closed()
        assert [one.reason for one in on.heard(TokenRefused)] == [reason]
        assert not on.opened
        assert not on.heard(Opened)


async def test_a_token_opens_once_however_it_is_written() -> None:
    async with stage() as on:
        token = on.token()
        await on.watching(token)
        for again in (token, token[:4] + "\n" + token[4:], "!" + token):
            browser = await on.browser(again)
            assert (await browser.hears("end"))["why"] == "replayed"
        assert [one.permit for one in on.heard(TokenRefused)] == [1, 1, 1]
        assert len(on.heard(Opened)) == 1


async def test_what_is_no_token_ends_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("farolito.media.listener.TOKEN_S_MAX", 0.1)
    async with stage() as on:
        late = await on.line()
        assert b'"late"' in bytes(str(await late.recv()), "utf-8")
        for first in ("{", '{"k":"ping","t":1}', b"\x00", '{"k":"token","token":"' + 5000 * "x"):
            line = await on.line()
            await line.send(first)
            await line.wait_closed()
        assert {one.reason for one in on.heard(TokenRefused)} == {"forged"}


async def test_a_viewing_ends_with_its_time() -> None:
    async with stage() as on:
        browser = await on.watching(on.token(until_s=0.2))
        on.clock.passes(1)
        assert (await browser.hears("end"))["why"] == "expired"
        assert await browser.is_closed()
        assert [one.why for one in on.heard(Closed)] == ["expired"]


async def test_a_newer_token_prolongs_and_one_of_somebody_else_ends() -> None:
    async with stage(pulled(), pulled(OTHER)) as on:
        browser = await on.watching(on.token(until_s=0.3))
        await browser.say(k="token", token=on.token(until_s=300))
        await browser.say(k="ping", t=7)
        assert (await browser.hears("pong"))["t"] == 7
        on.clock.passes(1)
        (await on.camera()).group(1)
        assert (await browser.picture()).is_key
        await browser.say(k="token", token=on.token(person=BEN))
        assert (await browser.hears("end"))["why"] == "other_camera"
        assert await browser.is_closed()

        second = await on.watching(on.token(person=ANA))
        await second.say(k="token", token=on.token(OTHER, person=ANA))
        assert (await second.hears("end"))["why"] == "other_camera"
        await until(lambda: len(on.heard(Closed)) == 2)
        assert [one.permit for one in on.heard(Opened)] == [1, 4]
        assert [one.permit for one in on.heard(Closed)] == [1, 4]


async def test_a_cut_ends_viewings_at_once_and_says_why() -> None:
    async with stage(pulled(), pulled(OTHER)) as on:
        by_permit, prolonged, by_camera, stays = [
            await on.watching(on.token(camera, until_s=60))
            for camera in (CAMERA, CAMERA, OTHER, CAMERA)
        ]
        await prolonged.say(k="token", token=on.token())
        await prolonged.say(k="ping", t=1)
        await prolonged.hears("pong")
        other = await on.camera(OTHER)
        on.hub.cut(Cut(permits=(1, 5), reason="the permit was withdrawn"))
        on.hub.cut(Cut(cameras=(OTHER,), reason="its owner took consent back"))
        for browser, says in (
            (by_permit, "the permit was withdrawn"),
            (prolonged, "the permit was withdrawn"),
            (by_camera, "its owner took consent back"),
        ):
            end = await browser.hears("end")
            assert (end["why"], end["says"]) == ("cut", says)
            assert await browser.is_closed()
        await until(lambda: not other.is_open)  # it does not linger
        (await on.camera()).group(1)
        assert (await stays.picture()).is_key
        assert sorted(one.permit for one in on.heard(Closed)) == [1, 2, 3]


async def test_a_cut_also_ends_what_was_permitted_and_not_yet_opened() -> None:
    async with stage(pulled(), pulled(OTHER)) as on:
        of_permit, of_camera = on.token(), on.token(OTHER)
        on.hub.cut(Cut(permits=(1,), cameras=(OTHER,), reason="consent was taken back"))
        for token in (of_permit, of_camera):
            browser = await on.browser(token)
            assert (await browser.hears("end"))["why"] == "expired"
        on.clock.passes(0.1)
        await on.watching(on.token(OTHER))  # it was given again


async def test_a_process_that_is_new_takes_no_token_that_an_older_one_may_have_taken() -> None:
    async with stage() as on:
        browser = await on.browser(on.token(made_s=-1))
        assert (await browser.hears("end"))["why"] == "expired"


async def test_what_is_open_again_after_a_cut_is_not_ended_by_the_line_of_before() -> None:
    async with stage(limits=Limits(linger_s=0.2)) as on:
        await on.watching()
        before = await on.camera()
        on.hub.cut(Cut(cameras=(CAMERA,), reason="consent was taken back"))
        await until(lambda: not before.is_open)
        on.clock.passes(0.1)
        browser = await on.watching()
        now = await on.camera(which=1)
        await browser.line.close()  # it lingers now
        browser = await on.watching()
        await asyncio.sleep(0.4)
        assert now.is_open


async def test_a_camera_that_is_forgotten_is_cut() -> None:
    async with stage(pulled(), pulled(OTHER)) as on:
        browser = await on.watching()
        camera = await on.camera()
        on.know(pulled(OTHER))
        assert (await browser.hears("end"))["why"] == "cut"
        await until(lambda: not camera.is_open)


async def test_as_many_watch_as_a_camera_bears() -> None:
    async with stage(limits=Limits(viewers_of_camera=2)) as on:
        await on.watching()
        await on.watching()
        third = await on.browser()
        assert (await third.hears("end"))["why"] == "broken"
        assert len(on.heard(Opened)) == 2


async def test_each_viewing_is_told_closed_once_when_the_hub_ends() -> None:
    async with stage() as on:
        for _ in range(3):
            await on.watching()
    assert [one.permit for one in on.heard(Closed)] == [1, 2, 3]
    assert {one.why for one in on.heard(Closed)} == {"stopped"}
