"""Pictures as people meet them: real cameras, a real picture process, a real browser."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.cinema import OBEYS, Cinema, assigned, cinema, pixels, shows, tile
from tests.browser.screens import Screens
from tests.browser.test_accessibility import assert_accessible

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.asyncio(loop_scope="session")]

CUT_WITHIN_S = 5.0
TURNED_DEG = 15.0
TURNED_MIN = 4.0  # mean difference of greys: another view
NUMBER = re.compile(r"^\d+$")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def here() -> AsyncIterator[Cinema]:
    async with cinema() as made:
        yield made


async def test_one_key_opens_the_cameras_that_see_an_incident(
    here: Cinema, screens: Screens
) -> None:
    incident = await here.incident("26-4001")
    operator = await screens.operator(here.node.port)
    await operator.page.get_by_role("tab", name="Calls").click()
    await operator.incident(incident).click()
    await operator.press("v")
    tiles = operator.at("near").get_by_test_id("tile")
    await expect(tiles).to_have_count(4)
    for one in await tiles.all():
        await shows(one)
        await expect(one).to_have_attribute("data-age", NUMBER)
        await expect(one).to_have_attribute("data-delay", NUMBER)
        await expect(one.locator(".mark")).to_have_attribute(
            "data-words", re.compile(r"Ana Ortiz · 0x[0-9a-f]+ · 20\d\d-")
        )
        await expect(one.locator(".foot")).to_contain_text(re.compile(r"age .* s delay .* ms"))
    assert here.turning.camera.camera_id in [
        await one.get_attribute("data-camera") for one in await tiles.all()
    ]
    await expect(operator.at("near")).to_contain_text("must turn first")
    turning = str(here.turning.camera.camera_id)
    await operator.at(f"turn-{turning}").click()
    await expect_turned(here, turning)
    await assert_accessible(operator)
    await operator.at(f"enlarge-{turning}").click()
    await expect(operator.at("look-at")).to_be_visible()
    await operator.press("Escape")
    await operator.press("v")
    await expect(tiles).to_have_count(0)


async def test_a_picture_that_stands_still_is_told_and_moves_again(
    here: Cinema, screens: Screens
) -> None:
    operator = await here.wall(screens, OBEYS)
    one = tile(operator, OBEYS)
    await shows(one)
    here.obeys.rate = 0.3  # a picture in three seconds
    await expect(one).to_have_attribute("data-standing", re.compile("old|state"))
    await expect(one.get_by_test_id("old-age")).to_have_text(re.compile(r"^\d+ s"))
    here.obeys.rate = 10
    await shows(one)


async def test_a_wall_is_kept_and_shows_key_frames_but_for_the_tile_one_is_on(
    here: Cinema, screens: Screens
) -> None:
    operator = await screens.sign_in(here.node.port, "operator")
    await operator.go("/wall")
    await expect(operator.at("wall-start")).to_contain_text("Arrows")
    await operator.page.get_by_role("button", name="4", exact=True).click()
    first, second = here.fixed[:2]
    await operator.press("/")
    await operator.at(f"add-{first}").click()
    await operator.at(f"add-{second}").click()
    await operator.press("Escape")
    await shows(tile(operator, first))
    await shows(tile(operator, second))
    await expect(tile(operator, second)).to_have_attribute("data-quality", "full")
    await expect(tile(operator, first)).to_have_attribute("data-quality", "key")
    await operator.page.locator("[data-place='1']").focus()
    await operator.press("ArrowLeft")
    await expect(tile(operator, first)).to_have_attribute("data-quality", "full")
    await expect(tile(operator, second)).to_have_attribute("data-quality", "key")

    await operator.at("save").click()
    await operator.at("wall-name").fill("Both")
    await operator.at("wall-save").click()
    await expect(operator.page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    await assert_accessible(operator)
    await operator.go("/wall")
    await shows(tile(operator, first))
    elsewhere = await screens.sign_in(here.node.port, "operator")
    await elsewhere.go("/wall")
    await elsewhere.at("saved").select_option("Both")
    await shows(tile(elsewhere, first))
    await shows(tile(elsewhere, second))


async def test_an_empty_wall_fills_itself_with_what_sees_the_incidents(
    here: Cinema, screens: Screens
) -> None:
    await here.incident("26-4002")
    operator = await screens.sign_in(here.node.port, "operator")
    await operator.go("/wall")
    await expect(operator.at("wall-start")).to_be_visible()
    await operator.press("f")
    await expect(operator.at("wall-start")).to_have_count(0)
    told = operator.page.get_by_role("status").filter(has_text="sees the open incidents")
    await expect(told).to_be_visible()
    assert await operator.at("tile").count() >= 4
    await shows(operator.at("tile").first)


async def test_who_takes_a_camera_that_turns_sees_it_turn(here: Cinema, screens: Screens) -> None:
    name = str(here.turning.camera.camera_id)
    operator = await here.wall(screens, name)
    await shows(tile(operator, name))
    await operator.page.locator("[data-place='0']").focus()
    await operator.press("Enter")
    large = operator.at("large")
    await expect(large).to_have_attribute("data-standing", "live")
    await operator.at("ptz-take").click()
    await expect(operator.at("ptz")).to_contain_text("You turn this camera.")
    picture = large.locator("canvas:not(.mark)")
    street = here.server.street
    assert street is not None
    eye = street.eyes[name]
    assert eye.turning is not None
    at_rest, before = eye.turning.pose(time.time()).bearing_deg, await pixels(picture)
    await operator.page.keyboard.down("ArrowRight")
    await expect_turned(here, name, at_rest)
    await operator.page.keyboard.up("ArrowRight")
    async with asyncio.timeout(10):
        while np.abs(await pixels(picture) - before).mean() < TURNED_MIN:
            await asyncio.sleep(0.1)
    await operator.press("Escape")
    await expect(large).to_have_count(0)


async def expect_turned(here: Cinema, name: str, since_deg: float | None = None) -> None:
    """Away from where it looked, or from its rest."""
    street = here.server.street
    assert street is not None
    turning = street.eyes[name].turning
    assert turning is not None
    before = here.turning.pose.bearing_deg if since_deg is None else since_deg
    async with asyncio.timeout(10):
        while abs(turning.pose(time.time()).bearing_deg - before) < TURNED_DEG:
            await asyncio.sleep(0.05)


async def test_an_owner_sees_who_watches_and_takes_the_right_back_within_seconds(
    here: Cinema, screens: Screens
) -> None:
    name = str(here.of_transit.camera.camera_id)
    operator = await here.wall(screens, name)
    await shows(tile(operator, name))
    owner = await screens.sign_in(here.node.port, "owner")
    await owner.page.wait_for_url("**/owner")
    mine = owner.page.locator(f"[data-camera='{name}']")
    await expect(mine).to_contain_text("1 watches now")
    await expect(owner.at("viewings")).to_contain_text("Ana Ortiz")
    await expect(owner.at("viewings")).to_contain_text("watching now")
    await assert_accessible(owner)
    await mine.get_by_role("button", name="Change").click()
    await owner.page.get_by_label("Known, never shown").check()
    operator.expects("status of 403")
    began = time.monotonic()
    await owner.at("consent-save").click()
    await expect(tile(operator, name)).not_to_have_attribute("data-standing", "live")
    await expect(tile(operator, name)).to_contain_text(re.compile("owner|Not for you"))
    assert time.monotonic() - began < CUT_WITHIN_S
    await expect(owner.at("viewings")).not_to_contain_text("watching now")
    await mine.get_by_role("button", name="Change").click()
    await owner.page.get_by_label("Always shown").check()
    await owner.at("consent-save").click()
    await expect(owner.page.get_by_role("status").filter(has_text="changed")).to_be_visible()


async def test_a_phone_shows_the_nearest_camera_on_a_tap_and_not_before(
    here: Cinema, screens: Screens
) -> None:
    await here.node.officer("2A14")
    phone = await screens.officer(here.node.port)
    await here.incident("26-4003", units=assigned("2A14"))
    await expect(phone.at("brief")).to_be_visible()
    assert not [url for url in phone.asked if "watch" in url or "pictures" in url]
    await phone.at("near-camera-open").tap()
    await shows(phone.at("near-camera").get_by_test_id("tile"))
    await phone.at("near-camera-open").tap()
    await expect(phone.at("tile")).to_have_count(0)


@pytest.mark.parametrize(
    ("mode", "gone"),
    [("mse", ["VideoDecoder"]), ("still", ["VideoDecoder", "MediaSource", "ManagedMediaSource"])],
)
async def test_a_browser_without_the_newest_means_still_shows_the_picture(
    here: Cinema, screens: Screens, mode: str, gone: list[str]
) -> None:
    name = here.fixed[0]
    operator = await screens.sign_in(here.node.port, "operator")
    await operator.page.add_init_script("".join(f"delete window.{one};" for one in gone))
    await operator.go(f"/wall?cameras={name}")
    await shows(tile(operator, name), mode)
