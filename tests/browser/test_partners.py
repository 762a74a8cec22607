"""Another agency on the screen: its fingerprint heard, typed, compared; and the end of the link."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.screens import Screen, Screens
from tests.browser.test_accessibility import assert_accessible
from tests.metro import PUEBLO, SHERIFF, Metro
from tests.running import RunningNode, numbers

ON_LAND = {"lat": 35.25, "lon": -106.55}  # the pueblo's
pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.asyncio(loop_scope="session")]


async def at_partners(screens: Screens, node: RunningNode, persona: str = "admin") -> Screen:
    screen = await screens.sign_in(node.port, persona)
    await screen.go("/agreements#partners")
    await expect(screen.page.locator("[data-row]").first).to_be_visible()
    return screen


async def told(screen: Screen) -> str:
    """The own fingerprint, as a person reads it out."""
    groups = screen.at("own-key").locator("li")
    await expect(groups).to_have_count(8)
    return " ".join(await groups.all_inner_texts())


async def test_a_partner_is_confirmed_by_what_is_read_over_the_telephone(
    neighbours: Metro, screens: Screens
) -> None:
    city, pueblo = neighbours.city, neighbours.pueblo
    code = (await city.admin("POST", "/api/admin/partners/invite", {"address": city.url})).json()
    joined = await pueblo.admin("POST", "/api/admin/partners/join", {"code": code["code"]})
    assert joined.status_code == 200, joined.text
    here, there = await at_partners(screens, city), await at_partners(screens, pueblo)
    row = here.page.locator(f"[data-row={PUEBLO.agency_id}]")
    await expect(row).to_contain_text("Compare the fingerprints")
    await row.click()
    await there.page.locator("[data-row=city-pd]").click()
    read_out = await told(there)
    wrong = read_out[:-1] + ("0" if read_out[-1] != "0" else "1")
    await here.at("heard").fill(wrong)
    await expect(here.at("partner")).to_contain_text("Not the same")
    await expect(here.at("confirm-partner")).to_be_disabled()
    await assert_accessible(here)
    await here.at("heard").fill(read_out.replace(" ", "").upper())
    await here.at("confirm-partner").click()
    await expect(here.at("partner")).to_contain_text("is confirmed")
    await there.at("heard").fill(await told_by(here))
    await there.at("confirm-partner").click()
    await expect(there.at("partner")).to_contain_text("is confirmed")
    await neighbours.linked(city, pueblo)
    await whose_law_holds(screens, city)


async def whose_law_holds(screens: Screens, city: RunningNode) -> None:
    """A call on the pueblo's land, once it is a confirmed partner."""
    key, number = await city.cad_key(), "26-118401"
    await city.call(key, number, place=ON_LAND, units=[{"unit": "2A18", "status": "assigned"}])
    desk = await screens.operator(city.port)
    await desk.page.get_by_role("tab", name="Calls").click()
    operator = await city.sign_in("operator")
    told = (await operator.get("/api/incidents")).json()["incidents"]
    [incident] = [one for one in told if number in numbers(one)]
    await desk.incident(incident["incident_id"]).click()
    await expect(desk.at("jurisdiction")).to_contain_text(f"On the land of {PUEBLO.name}")
    await expect(desk.at("jurisdiction")).to_contain_text("2A18: no commission of this nation.")
    await expect(desk.page.get_by_label("Legend")).to_contain_text("Nation’s land")
    await assert_accessible(desk)


async def told_by(screen: Screen) -> str:
    await screen.press("1", "3")
    return await told(screen)


async def test_who_administers_nothing_confirms_and_ends_nothing(
    neighbours: Metro, screens: Screens
) -> None:
    for persona in ("supervisor", "operator", "auditor"):
        screen = await at_partners(screens, neighbours.city, persona)
        await screen.page.locator(f"[data-row={SHERIFF.agency_id}]").click()
        await expect(screen.at("partner")).to_contain_text("Fingerprint compared")
        await expect(screen.at("leave")).to_have_count(0)


async def test_the_page_breaks_no_rule(neighbours: Metro, screens: Screens) -> None:
    screen = await at_partners(screens, neighbours.city)
    await expect(screen.at("own-key")).to_be_visible()
    await assert_accessible(screen)
    await screen.page.locator(f"[data-row={SHERIFF.agency_id}]").click()
    await screen.at("leave").click()
    await expect(screen.page.get_by_role("dialog")).to_be_visible()
    await assert_accessible(screen)
