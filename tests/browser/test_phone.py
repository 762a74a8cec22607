"""The officer's phone: a 390 × 844 screen, one thumb, and a line that comes and goes."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.line import Line
from tests.browser.screens import PHONE, Screens
from tests.browser.street import briefed
from tests.running import RunningNode

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.asyncio(loop_scope="session")]

TARGET_PX_MIN = 44  # WCAG 2.5.5, for a thumb in a moving car


async def test_a_brief_is_read_and_answered_without_a_map_or_a_video(
    city: RunningNode, screens: Screens
) -> None:
    officer = await screens.officer(city.port)
    await briefed(city, "KBD472")
    await expect(officer.at("brief")).to_contain_text("KBD472")

    await expect(officer.page.locator("[data-line=what]")).to_be_in_viewport()
    for answer in ("read", "right_car", "wrong_car", "gone"):
        await expect(officer.at(answer)).to_be_in_viewport(ratio=1)
        box = await officer.at(answer).bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= TARGET_PX_MIN
    wide = await officer.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["viewport"]["width"]
    await expect(officer.page.locator("canvas, video, img")).to_have_count(0)
    assert not [url for url in officer.asked if "/tiles/" in url or "cityMap" in url]

    await officer.page.get_by_role("button", name="Show picture").tap()
    picture = officer.page.get_by_alt_text("Picture of the vehicle")
    await expect(picture).to_have_js_property("complete", True)
    assert await picture.evaluate("image => image.naturalWidth") > 0


async def test_an_answer_tapped_without_a_line_is_kept_and_sent_when_it_is_back(
    city: RunningNode, screens: Screens, line: Line
) -> None:
    officer = await screens.officer(line.port)
    officer.expects(r"WebSocket connection|net::ERR_")
    brief = await briefed(city, "MTR118")
    await expect(officer.at("brief")).to_contain_text("MTR118")

    line.cut()
    await expect(officer.at("stale")).to_contain_text("S OLD")
    await officer.at("wrong_car").tap()
    await expect(officer.at("said")).to_contain_text("kept on this phone")
    operator = await city.sign_in("operator")
    path = f"/api/alerts/{brief['alert_id']}"
    assert (await operator.get(path)).json()["brief"]["outcome"] is None

    line.mend()
    await expect(officer.at("said")).to_contain_text("sent")
    await expect(officer.at("said")).not_to_contain_text("kept on this phone")
    assert (await operator.get(path)).json()["brief"]["outcome"] == "wrong_car"


async def test_an_answer_kept_on_the_phone_survives_a_reload(
    city: RunningNode, screens: Screens
) -> None:
    officer = await screens.officer(city.port)
    officer.expects(r"net::ERR_")
    brief = await briefed(city, "LVS306")
    await expect(officer.at("brief")).to_contain_text("LVS306")
    await officer.page.route("**/outcome", lambda route: route.abort())
    await officer.at("gone").tap()
    await expect(officer.at("said")).to_contain_text("kept on this phone")

    await officer.page.unroute("**/outcome")
    await officer.page.reload()
    await expect(officer.at("gone")).to_have_attribute("aria-pressed", "true")
    await expect(officer.at("said")).not_to_contain_text("kept on this phone")
    operator = await city.sign_in("operator")
    shown = (await operator.get(f"/api/alerts/{brief['alert_id']}")).json()
    assert shown["brief"]["outcome"] == "gone"


async def test_a_recall_comes_to_the_front_whatever_is_being_read(
    city: RunningNode, screens: Screens
) -> None:
    first = await briefed(city, "CWN551")
    await briefed(city, "HDL903")
    officer = await screens.officer(city.port)
    await expect(officer.at("brief")).to_contain_text("HDL903")
    await expect(officer.at("recalled")).to_have_count(0)

    operator = await city.sign_in("operator")
    alert = (await operator.get(f"/api/alerts/{first['alert_id']}")).json()["alert"]
    entry = alert["match"]["entry"]
    path = f"/api/lists/{entry['list_id']}/entries/{entry['entry_id']}/recall"
    assert (await operator.post(path, {"reason": "plate was misentered"})).status_code == 200
    await expect(officer.at("brief")).to_contain_text("CWN551")
    await expect(officer.at("recalled")).to_contain_text("Do not act on this brief.")
    await expect(officer.at("recalled")).to_contain_text("plate was misentered")


async def test_the_phone_speaks_spanish_at_one_tap_and_keeps_to_it(
    city: RunningNode, screens: Screens
) -> None:
    await briefed(city, "RKG284")
    officer = await screens.officer(city.port)
    await expect(officer.at("right_car")).to_have_text("Right car")
    await officer.page.get_by_role("button", name="Español").tap()
    await expect(officer.at("right_car")).to_have_text("Es el auto")
    await expect(officer.page.locator("html")).to_have_attribute("lang", "es")

    await officer.page.reload()
    await expect(officer.at("right_car")).to_have_text("Es el auto")


async def test_a_phone_set_to_spanish_is_met_in_spanish(
    city: RunningNode, screens: Screens
) -> None:
    officer = await screens.open(city.port, "/brief", **{**PHONE, "locale": "es-MX"})
    await expect(officer.page.locator("html")).to_have_attribute("lang", "es")
    await expect(officer.at("persona-officer")).to_contain_text("Oficial")
