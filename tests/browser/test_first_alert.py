"""From a camera's message to the officer's answer, on the screens of both."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from farolito.model import Point
from tests.browser.screens import Screens
from tests.browser.street import CAMERA, camera_message, camera_sends, photographed
from tests.running import RunningNode

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.asyncio(loop_scope="session")]

LINES = ("what", "where", "hazards", "vehicle", "last_seen", "with_you", "picture")


async def test_a_stranger_turns_a_cameras_message_into_a_brief_and_hears_the_answer(
    mapped: RunningNode, screens: Screens
) -> None:
    await mapped.list_plate("KBD472")
    await mapped.unit("2A14", Point(35.09, -106.64))
    key = await mapped.reader_key(CAMERA)
    operator = await screens.operator(mapped.port)
    officer = await screens.officer(mapped.port)
    await expect(operator.page.get_by_text("Nothing waits.")).to_be_visible()
    await expect(officer.page.get_by_text("No brief.")).to_be_visible()

    sent = await camera_sends(mapped, key, camera_message("KBD472"))
    assert sent.status_code == 202, sent.text
    row = operator.alert("KBD472")
    await expect(row).to_have_attribute("data-state", "waiting")

    await operator.press("j")
    await expect(row).to_have_attribute("aria-current", "true")
    await operator.press("k", "Enter")
    await expect(row).to_have_attribute("data-state", "taken")
    await expect(operator.at("state-seen")).to_be_visible()
    await operator.confirm()
    await expect(row).to_have_attribute("data-state", "confirmed")

    await operator.press("b")
    await operator.at("brief-do").click()
    await expect(operator.at("brief-panel")).to_contain_text("2A14")

    await expect(officer.at("brief")).to_be_visible()
    lines = await officer.page.locator("[data-line]").evaluate_all(
        "lines => lines.map(line => line.dataset.line)"
    )
    assert tuple(lines) == LINES
    await expect(officer.at("brief")).to_contain_text("KBD472")
    for kind in ("delivered", "opened"):
        receipt = operator.page.locator(f"[data-receipt={kind}]")
        await expect(receipt).to_have_attribute("data-got", "yes")

    await officer.at("right_car").tap()
    await expect(officer.at("said")).to_contain_text("sent")
    await expect(operator.at("outcome")).to_have_text("Right car")
    await expect(row).to_have_attribute("data-state", "closed")


async def test_a_2_read_as_a_certain_7_is_marked_and_reaches_no_officer_unconfirmed(
    quiet_city: RunningNode, screens: Screens
) -> None:
    await quiet_city.list_plate("AXK127", list_id="state")
    await quiet_city.list_plate("HDL903", list_id="city")
    await quiet_city.unit("2A14")
    key = await quiet_city.reader_key()
    operator = await screens.operator(quiet_city.port)
    officer = await screens.officer(quiet_city.port)

    await quiet_city.send(key, [photographed("AXK127", truly="AXK122", characters=[1.0] * 6)])
    row = operator.alert("AXK127")
    await row.click()
    last = operator.page.locator("[aria-labelledby=characters-title] .mark").nth(5)
    await expect(last).to_contain_class("look")
    await expect(last).to_contain_text("could be 2")
    await expect(operator.page.get_by_alt_text("Picture of the plate")).to_be_visible()
    await expect(operator.page.locator("[data-check=person]")).to_have_attribute(
        "data-outcome", "waiting"
    )
    await operator.press("b")
    await expect(operator.at("brief-do")).to_have_count(0)
    await operator.at("reject").click()
    await operator.page.get_by_role("radio").first.check()
    await operator.at("reject-do").click()
    await expect(row).to_have_attribute("data-state", "rejected")

    # A true hit after it shows that the phone was listening all the while.
    await quiet_city.send(key, [photographed("HDL903")])
    await operator.alert("HDL903").click()
    await operator.confirm()
    await operator.press("b")
    await operator.at("brief-do").click()
    await expect(officer.at("brief")).to_contain_text("HDL903")
    assert "AXK127" not in await officer.page.locator("body").inner_text()
    mine = await (await quiet_city.sign_in("officer")).get("/api/briefs/mine")
    assert [one["brief"]["plate"] for one in mine.json()["briefs"]] == ["HDL903"]
