"""Where a plate was, asked of named owners: what one of them does not say stands on top."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from playwright.async_api import Locator, expect

from farolito.model import Device, DeviceId
from tests.browser.screens import Screen, Screens
from tests.browser.test_accessibility import LOOKS, assert_accessible, wear
from tests.metro import SHERIFF, Metro
from tests.running import READER, RunningNode

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.asyncio(loop_scope="session")]


async def read_at(node: RunningNode, plate: str) -> None:
    """A reader of this node's reads a plate; returns when it is kept."""
    device = Device(
        device_id=DeviceId("main-1"), agency=node.node.agency.agency_id, kind="plate_reader",
        name="Main @ 1st", format="farolito", place=READER.place,
    )  # fmt: skip
    key, now = await node.reader_key(device), datetime.now(UTC).isoformat()
    before = node.node.pipeline.recorded
    answer = await node.send(key, [{"id": f"{plate}-{now}", "plate": plate, "captured_at": now}])
    assert answer.status_code == 202, answer.text
    async with asyncio.timeout(10):
        while node.node.pipeline.recorded <= before:
            await asyncio.sleep(0.02)


async def searcher(screens: Screens, node: RunningNode, persona: str = "operator") -> Screen:
    screen = await screens.open(node.port, "/search")
    await screen.at(f"persona-{persona}").click()
    await expect(screen.at("plate")).to_be_focused()
    await expect(screen.at("owners")).to_contain_text(SHERIFF.name)
    return screen


async def asked(screen: Screen, plate: str, case: str = "26-118204") -> None:
    """By the keyboard, from the plate to the answers."""
    await screen.at("plate").fill(plate)
    await screen.at("purpose").select_option("in_progress_call")
    await screen.at("case").fill(case)
    await screen.press("Enter")
    await expect(screen.page.locator("[data-owner]").first).to_be_visible()


def owner(screen: Screen, agency: str) -> Locator:
    return screen.page.locator(f"[data-owner={agency}]")


async def test_a_refusal_never_looks_like_nothing_found(
    neighbours: Metro, screens: Screens
) -> None:
    await read_at(neighbours.city, "SRH101")
    await read_at(neighbours.sheriff, "SRH101")
    screen = await searcher(screens, neighbours.city)
    await screen.page.locator("main").click(position={"x": 900, "y": 500})
    await screen.press("1")  # the first owner, by its number
    await expect(screen.page.get_by_label(SHERIFF.name)).to_be_checked()
    await asked(screen, "srh-101")
    await expect(screen.at("incomplete")).to_contain_text("NOT COMPLETE: 1 of 2 owners answered")
    await expect(screen.at("incomplete")).to_contain_text(SHERIFF.name)
    await expect(owner(screen, "city-pd")).to_have_attribute("data-state", "answered")
    await expect(owner(screen, SHERIFF.agency_id)).to_have_attribute("data-state", "refused")
    agreement = await neighbours.agree(neighbours.sheriff, neighbours.city, title="For searches")
    await screen.page.get_by_role("button", name="Ask again").click()
    await expect(screen.at("complete")).to_have_text("All 2 owners answered.")
    answered = owner(screen, SHERIFF.agency_id)
    await expect(answered).to_have_attribute("data-state", "answered")
    await expect(answered.locator("[data-read]")).to_have_count(1)
    await expect(answered).to_contain_text("of their ledger")
    await assert_accessible(screen)
    await screen.page.locator("h2").first.click()
    await screen.press("t")
    await expect(screen.page.locator("[data-read]")).to_have_count(2)
    boss = await neighbours.sheriff.sign_in("supervisor")
    path = f"/api/agreements/{agreement['agreement_id']}/revoke"
    assert (await boss.post(path, {"because": "not_needed"})).status_code == 200


async def test_nothing_is_asked_without_purpose_and_case(
    neighbours: Metro, screens: Screens
) -> None:
    screen = await searcher(screens, neighbours.city)
    await screen.at("plate").fill("SRH102")
    await screen.press("Enter")
    await expect(screen.at("lacks")).to_contain_text("Choose a purpose.")
    await expect(screen.at("lacks")).to_contain_text("Give the case or call.")
    assert not [url for url in screen.asked if url.endswith("/api/search/plate")]


async def test_everybody_who_searches_sees_whom_one_may_ask(
    neighbours: Metro, screens: Screens
) -> None:
    for persona in ("supervisor", "detective"):
        await searcher(screens, neighbours.city, persona)


async def test_answers_of_an_older_question_say_so(neighbours: Metro, screens: Screens) -> None:
    screen = await searcher(screens, neighbours.city)
    await asked(screen, "SRH103")
    await expect(owner(screen, "city-pd")).to_have_attribute("data-state", "nothing")
    await screen.at("plate").fill("SRH104")
    await expect(screen.page.get_by_text("they belong to the question above")).to_be_visible()


async def test_a_refusal_of_our_own_node_is_a_sentence(neighbours: Metro, screens: Screens) -> None:
    screen = await searcher(screens, neighbours.city)
    screen.expects(r"status of 403 .*/api/search/plate$")
    await screen.at("plate").fill("SRH105")
    await screen.at("purpose").select_option("criminal_investigation")
    await screen.at("case").fill("26-1")
    await screen.press("Enter")  # an operator searches for a call, not for an investigation
    await expect(screen.at("problem")).to_be_visible()
    await expect(screen.page.locator("[data-owner]")).to_have_count(0)


@LOOKS
async def test_the_page_breaks_no_rule(neighbours: Metro, screens: Screens, look: str) -> None:
    screen = await searcher(screens, neighbours.city)
    await wear(screen, look)
    await expect(screen.at("owners")).to_contain_text(SHERIFF.name)
    await assert_accessible(screen)
    await screen.page.get_by_label(SHERIFF.name).check()
    await asked(screen, "SRH106")
    await expect(screen.at("incomplete")).to_be_visible()
    await assert_accessible(screen)
