"""Agreements on the screen: written, read, tried, signed by two, stopped by one press."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Locator, expect

from tests.browser.screens import Screen, Screens
from tests.browser.test_accessibility import assert_accessible
from tests.metro import SHERIFF, Metro
from tests.running import RunningNode

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.asyncio(loop_scope="session")]


async def keeper(screens: Screens, node: RunningNode, persona: str = "admin") -> Screen:
    """A person of this agency at its agreements."""
    screen = await screens.sign_in(node.port, persona)
    await screen.go("/agreements")
    await expect(screen.page.get_by_role("tab", name="We give")).to_be_visible()
    return screen


async def written(screen: Screen, title: str) -> None:
    """A draft of plate reads for the sheriff, by the keyboard's own key for a new one."""
    await screen.press("n")
    await screen.at("grantee").select_option(SHERIFF.agency_id)
    await screen.at("title").fill(title)
    await screen.at("text").fill("For cars that cross the county line.")
    await screen.page.get_by_label("answered in full").check()
    await screen.page.get_by_label("Call in progress").check()
    await screen.page.get_by_label("Operator").check()
    until = datetime.now(UTC).date() + timedelta(days=100)
    await screen.at("expires").fill(until.isoformat())
    await screen.at("draft-save").click()
    await expect(screen.at("agreement")).to_have_attribute("data-state", "draft")


async def signed(screen: Screen) -> None:
    await expect(screen.at("sign")).to_be_disabled()
    await screen.press("m")
    await expect(screen.at("simulation")).to_be_visible()
    await screen.at("sign").click()
    await expect(screen.at("said")).to_be_visible()


def row(screen: Screen, title: str) -> Locator:
    return screen.page.locator("[data-row]", has_text=title)


async def test_two_people_sign_what_they_have_read_and_tried(
    neighbours: Metro, screens: Screens
) -> None:
    title = "Plates across the line"
    admin = await keeper(screens, neighbours.city)
    await written(admin, title)
    await expect(admin.at("document")).to_contain_text("county-so receives")
    await expect(admin.at("document")).to_contain_text("For cars that cross the county line.")
    await signed(admin)
    await expect(admin.at("said")).to_contain_text("One more person")
    await expect(admin.at("sign")).to_have_count(0)
    boss = await keeper(screens, neighbours.city, "supervisor")
    await row(boss, title).click()
    await signed(boss)
    await expect(boss.at("agreement")).to_have_attribute("data-state", "in_force")
    sheriff = await keeper(screens, neighbours.sheriff)
    await sheriff.press("2")
    await expect(row(sheriff, title)).to_have_attribute("data-state", "in_force")


async def test_a_form_says_what_is_missing_and_opens_nothing(
    neighbours: Metro, screens: Screens
) -> None:
    admin = await keeper(screens, neighbours.city)
    await admin.press("n")
    await admin.at("draft-save").click()
    await expect(admin.at("missing")).to_contain_text("who may have it")
    await expect(admin.at("missing")).to_contain_text("what is shared")


async def test_one_press_stops_on_both_sides(neighbours: Metro, screens: Screens) -> None:
    agreement = await neighbours.agree(
        neighbours.city, neighbours.sheriff, title="To be stopped by one press"
    )
    sheriff = await keeper(screens, neighbours.sheriff)
    await sheriff.press("2")
    await sheriff.page.locator(f"[data-row='{agreement['agreement_id']}']").click()
    await expect(sheriff.at("agreement")).to_have_attribute("data-state", "in_force")
    boss = await keeper(screens, neighbours.city, "supervisor")
    await boss.page.locator(f"[data-row='{agreement['agreement_id']}']").click()
    await boss.press("x")
    await expect(boss.page.locator("[data-because]").first).to_be_focused()
    await boss.page.locator("[data-because=misuse]").click()
    await expect(boss.at("agreement")).to_have_attribute("data-state", "revoked")
    await expect(boss.at("agreement")).to_contain_text("Stopped by City Police: Misused")
    await expect(boss.at("said")).to_have_text(re.compile(r"It took [\d.]+ (ms|s)\."))
    await neighbours.received(neighbours.sheriff, agreement["agreement_id"], "revoked")
    await sheriff.page.reload()
    await expect(
        sheriff.page.locator(f"[data-row='{agreement['agreement_id']}']")
    ).to_have_attribute("data-state", "revoked")


async def test_who_does_not_keep_agreements_reads_them_alone(
    neighbours: Metro, screens: Screens
) -> None:
    agreement = await neighbours.agree(neighbours.city, neighbours.sheriff, title="To be read")
    for persona in ("operator", "auditor"):
        reader = await keeper(screens, neighbours.city, persona)
        await reader.page.locator(f"[data-row='{agreement['agreement_id']}']").click()
        await expect(reader.at("document")).to_contain_text("In the signers' words")
        await expect(reader.page.locator("[data-because]")).to_have_count(0)
        await expect(reader.at("write")).to_have_count(0)


async def test_the_page_breaks_no_rule(neighbours: Metro, screens: Screens) -> None:
    await neighbours.agree(neighbours.city, neighbours.sheriff, title="Seen in both looks")
    admin = await keeper(screens, neighbours.city)
    await row(admin, "Seen in both looks").click()
    await expect(admin.at("document")).to_be_visible()
    await assert_accessible(admin)
    await admin.press("n")
    await admin.at("draft-save").click()
    await expect(admin.at("missing")).to_be_visible()
    await assert_accessible(admin)
