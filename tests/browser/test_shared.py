"""What a partner shares stands on the desk under its name, and what it takes back turns red."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.screens import Screen, Screens
from tests.browser.street import raised
from tests.browser.test_accessibility import assert_accessible
from tests.metro import CITY, SHERIFF, Metro
from tests.running import RunningNode, numbers

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sharing(neighbours: Metro) -> Metro:
    """The sheriff may have the city's confirmed alerts; incidents only by mutual aid."""
    await neighbours.agree(
        neighbours.city, neighbours.sheriff, title="Alerts for the county",
        classes={"alert": "full"}, sharing=["follow"], roles=["operator", "supervisor"],
    )  # fmt: skip
    return neighbours


async def confirmed(node: RunningNode, plate: str) -> dict[str, Any]:
    alert = await raised(node, plate)
    operator = await node.sign_in("operator")
    body = {"version": alert["version"], "crop_compared": True}
    answer = await operator.post(f"/api/alerts/{alert['alert_id']}/confirm", body)
    assert answer.status_code == 200, answer.text
    return alert


async def recalled(node: RunningNode, alert: dict[str, Any]) -> None:
    entry, operator = alert["match"]["entry"], await node.sign_in("operator")
    path = f"/api/lists/{entry['list_id']}/entries/{entry['entry_id']}/recall"
    assert (await operator.post(path, {"reason": "Vehicle recovered"})).status_code == 200


async def called(screen: Screen, node: RunningNode, number: str) -> str:
    """A call, opened on this console; its incident's id."""
    await node.call(await node.cad_key(), number)
    operator = await node.sign_in("operator")
    await screen.page.get_by_role("tab", name="Calls").click()
    told = (await operator.get("/api/incidents")).json()["incidents"]
    [incident] = [one for one in told if number in numbers(one)]
    await screen.incident(incident["incident_id"]).click()
    await expect(screen.at("incident-head")).to_contain_text(number)
    return str(incident["incident_id"])


async def test_a_partners_alert_comes_by_itself_and_its_recall_turns_red(
    sharing: Metro, screens: Screens
) -> None:
    desk = await screens.operator(sharing.sheriff.port)
    alert = await confirmed(sharing.city, "SHD201")
    row = desk.page.locator("[data-shared]", has_text="SHD201")
    await expect(row).to_contain_text(CITY.name)
    await row.click()
    await expect(desk.at("shared-head")).to_contain_text("SHD201")
    await expect(desk.page.get_by_text("never passed on from here")).to_be_visible()
    await recalled(sharing.city, alert)
    await expect(desk.at("recalls")).to_contain_text(f"RECALLED by {CITY.name}")
    await expect(desk.at("recalls")).to_contain_text("SHD201")
    await expect(desk.at("shared-recalled")).to_contain_text("Do not act on it")
    # Its row of the list is taken back as well, which a test beside this one may have shared.
    taken_back = desk.page.locator(f"[data-recall*='{alert['alert_id']}']")
    await taken_back.get_by_text("Seen").click()
    await expect(taken_back).to_have_count(0)
    await expect(row).to_contain_text("RECALLED")


async def test_a_screen_opened_later_shows_the_same(sharing: Metro, screens: Screens) -> None:
    desk = await screens.operator(sharing.sheriff.port)
    await confirmed(sharing.city, "SHD202")
    row = desk.page.locator("[data-shared]", has_text="SHD202")
    await expect(row).to_be_visible()
    words = (await row.inner_text()).split("\n")
    await desk.page.reload()
    await expect(row).to_be_visible()
    assert (await row.inner_text()).split("\n")[0] == words[0]
    await expect(row).to_contain_text(CITY.name)


async def test_an_incident_is_opened_to_a_partner_for_hours_and_ends_by_a_key(
    sharing: Metro, screens: Screens
) -> None:
    here = await screens.operator(sharing.city.port)
    there = await screens.operator(sharing.sheriff.port)
    await there.page.get_by_role("tab", name="Calls").click()
    incident = await called(here, sharing.city, "26-118301")
    await expect(here.at("aid")).to_contain_text("Open to nobody outside")
    await here.press("o")
    await expect(here.page.get_by_role("dialog")).to_contain_text("it ends by itself")
    await assert_accessible(here)
    await here.page.get_by_role("dialog").get_by_label(SHERIFF.name).check()
    await here.page.get_by_role("dialog").get_by_label("1 h", exact=True).check()
    await here.at("aid-do").click()
    await expect(here.at("aid")).to_contain_text("0:59:")
    shared = there.page.locator(f"[data-shared$='{incident}']")
    await expect(shared).to_contain_text(CITY.name)
    await shared.click()
    await expect(there.at("shared-head")).to_be_visible()
    await assert_accessible(there)
    await here.at("aid-end").click()
    await expect(here.at("aid")).to_contain_text("Open to nobody outside")
    await expect(shared).to_have_count(0)  # purged there


async def test_what_partners_share_breaks_no_rule(sharing: Metro, screens: Screens) -> None:
    plate = "SHD203"
    desk = await screens.operator(sharing.sheriff.port)
    alert = await confirmed(sharing.city, plate)
    await desk.page.locator("[data-shared]", has_text=plate).click()
    await assert_accessible(desk)
    await recalled(sharing.city, alert)
    await expect(desk.at("shared-recalled")).to_be_visible()
    await assert_accessible(desk)
    await desk.press("m")
    await expect(desk.page.get_by_role("region", name="The map as a table")).to_contain_text(plate)
    await assert_accessible(desk)
