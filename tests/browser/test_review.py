"""Somebody outside looks at searches: nothing personal before it is opened, decided by key."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.screens import Screens
from tests.browser.test_accessibility import assert_accessible
from tests.console.test_review_routes import review_of, searched
from tests.running import RunningNode

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.asyncio(loop_scope="session")]


async def raised(node: RunningNode, plate: str) -> None:
    """An operator asks for what the law rules out; the node has found it when this returns."""
    operator, auditor = await node.sign_in("operator"), await node.sign_in("auditor")
    no = await searched(operator, plate, "26-118204", "immigration_enforcement")
    await review_of(auditor, no["permit"])


async def test_a_review_is_opened_with_a_reason_and_decided_by_key(
    quiet_city: RunningNode, screens: Screens
) -> None:
    await raised(quiet_city, "RVB101")
    screen = await screens.sign_in(quiet_city.port, "auditor")
    await screen.go("/review")
    row = screen.page.locator("[data-rule=on_behalf]").first
    await expect(row).to_be_visible()
    await expect(row).to_have_attribute("aria-current", "true")  # the most urgent one, at once
    number = await row.get_attribute("data-row")
    page = screen.page
    await expect(page.locator("article")).to_contain_text("Immigration enforcement")
    await expect(page.locator("article")).not_to_contain_text("26-118204")
    await page.locator("[data-field=case]").first.click()
    await page.get_by_label("Report of misuse").check()
    await screen.at("open-field").click()
    await expect(page.locator("article")).to_contain_text("26-118204")
    await expect(page.locator("article")).not_to_contain_text("RVB101")
    await page.locator("article h2").click()
    await screen.press("m")
    await expect(screen.at("confirm-decision")).to_be_focused()
    await screen.press("Escape")
    await expect(screen.at("confirm-decision")).to_have_count(0)
    await screen.press("t")
    await expect(screen.at("confirm-decision")).to_be_focused()
    await screen.press("Enter")
    await expect(page.get_by_role("status").filter(has_text="Training")).to_be_visible()
    await expect(page.locator(f"[data-row='{number}']")).to_have_count(0)
    await page.locator("main h2").first.click()
    await screen.press("2")
    await expect(screen.at("decided")).to_contain_text("Training, Lee Chavez")
    await screen.press("3")
    await expect(screen.at("digest")).to_contain_text("Ruled out, or for somebody else")


async def test_the_oversight_body_comes_to_its_reviews_at_sign_in(
    city: RunningNode, screens: Screens
) -> None:
    screen = await screens.sign_in(city.port, "oversight")
    await screen.page.wait_for_url("**/review")
    await expect(screen.at("none")).to_be_visible()


async def test_a_plate_is_protected_by_key_and_never_shown_again(
    city: RunningNode, screens: Screens
) -> None:
    screen = await screens.sign_in(city.port, "oversight")
    await screen.page.wait_for_url("**/review")
    await expect(screen.at("none")).to_be_visible()
    await screen.press("3")
    plate, count = screen.at("protected-plate"), screen.at("protected-count")
    await plate.press("Enter")
    await expect(screen.at("protected")).to_contain_text("Type a plate.")
    await screen.page.keyboard.type("rvb-401")
    await screen.press("Enter")
    await expect(count).to_contain_text("1 plate is protected now")
    await expect(plate).to_have_value("")
    await expect(plate).to_be_focused()
    await assert_accessible(screen)
    operator, auditor = await city.sign_in("operator"), await city.sign_in("auditor")
    found = await searched(operator, "RVB401", "26-118204")
    assert (await review_of(auditor, found["permit"]))["rule"] == "protected"
    await plate.fill("RVB401")
    await screen.at("unprotect").click()
    await expect(count).to_contain_text("0 plates are protected now")


async def test_the_page_speaks_spanish(city: RunningNode, screens: Screens) -> None:
    await raised(city, "RVB201")
    screen = await screens.sign_in(city.port, "auditor", locale="es-MX")
    await screen.go("/review")
    article = screen.page.locator("article")
    await screen.page.locator("[data-rule=on_behalf]").first.click()
    await expect(article).to_contain_text("Excluido, o para otra persona")
    await expect(article.locator("[data-decision=misuse]")).to_contain_text("Mal uso confirmado")


async def test_reviews_are_accessible(city: RunningNode, screens: Screens) -> None:
    await raised(city, "RVB301")
    screen = await screens.open(city.port, "/review")
    await screen.at("persona-auditor").click()
    await expect(screen.page.locator("[data-field=case]").first).to_be_visible()
    await assert_accessible(screen)
    await screen.page.locator("[data-field=case]").first.click()
    await expect(screen.at("open-field")).to_be_visible()
    await assert_accessible(screen)
    await screen.press("Escape")
    await screen.page.locator("article h2").click()
    await screen.press("3")
    await expect(screen.at("digest")).to_be_visible()
    await assert_accessible(screen)
