"""The operator's calls: the list by keys, the panel of an incident, and what its keys send out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from tests.browser.line import Line
from tests.browser.screens import Screen, Screens
from tests.browser.town import Town, corner
from tests.running import assigned

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.asyncio(loop_scope="session")]

# What stands still on the screen of a call: without ages, which go on by themselves.
STILL = """
() => {
  const words = (node) => {
    const still = node.cloneNode(true)
    still.querySelectorAll('.age').forEach((age) => age.remove())
    return still.textContent.replace(/\\s+/g, ' ').trim()
  }
  const all = (selector) => [...document.querySelectorAll(selector)]
  return {
    rows: all('[data-incident]').map((r) => [r.dataset.incident, r.dataset.state, words(r)]),
    units: all('[data-unit]').map((unit) => [unit.dataset.unit, unit.dataset.status]),
    parts: all('[data-part]').map(words),
    log: all('[data-testid=incident-log] li').map(words),
    doubts: all('[data-testid=doubts]').map(words),
  }
}
"""
STEPS = (
    "call taken", "here", "unit assigned", "brief composed", "delivered", "opened", "on scene",
)  # fmt: skip
UNITS_S = {"ms": 0.001, "s": 1.0, "min": 60.0}


def unit_of(operator: Screen, unit: str) -> Locator:
    return operator.page.locator(f"[data-unit='{unit}']")


def seconds(sign: str, number: str, unit: str) -> float:
    """Of "+", "41", "ms"."""
    return (-1 if sign == "−" else 1) * float(number) * UNITS_S[unit]


async def walk_to(operator: Screen, incident_id: str) -> None:
    """Press J until this row is the chosen one."""
    rows = operator.page.locator("[data-incident]")
    ids = await rows.evaluate_all("rows => rows.map(row => row.dataset.incident)")
    await operator.press(*"j" * (ids.index(incident_id) + 1))
    await expect(operator.incident(incident_id)).to_have_attribute("aria-current", "true")


async def test_j_and_enter_open_a_call_that_shows_who_is_on_it_and_what_each_has_seen(
    town: Town, screens: Screens, town_line: Line
) -> None:
    operator = await town.console(screens)
    await town.drive("3B15", 300, 300)
    await town.call(
        "26-3101", kind="suspicious", priority=2, place=corner(300, 700),
        units=assigned("3B15"), people="one man with a torch",
    )  # fmt: skip
    incident_id = str((await town.of_call("26-3101"))["incident_id"])
    row, unit = operator.incident(incident_id), unit_of(operator, "3B15")
    await expect(row).to_contain_text("Suspicious activity")
    await expect(row).to_contain_text("3B15")
    await walk_to(operator, incident_id)
    await operator.press("Enter")
    await expect(operator.page.locator("section.panel")).to_be_focused()
    await expect(operator.at("incident-head")).to_contain_text("CAD 26-3101")
    await expect(operator.page.locator("section.panel")).to_contain_text("one man with a torch")
    passed = re.compile(r"^/search#near=35\.\d+%2C-106\.\d+&at=.*&case=26-3101$")
    await expect(operator.at("passed")).to_have_attribute("href", passed)
    await expect(unit).to_have_attribute("data-status", "assigned")
    await expect(unit.locator(".way")).to_contain_text("there in")
    await expect(unit.locator(".way")).to_contain_text("position")
    await expect(unit.get_by_test_id("seen")).to_contain_text("has no brief on a screen yet")

    phone = await town.phone(screens, "3B15", town_line.port)
    phone.expects(r"WebSocket connection|net::ERR_")
    await expect(phone.at("brief")).to_contain_text("26-3101")
    await expect(unit.get_by_test_id("seen")).to_contain_text("opened v")
    await expect(unit.get_by_test_id("seen")).to_contain_text("has seen the newest")

    version = int(await phone.at("brief").get_attribute("data-version") or 0)
    town_line.cut()
    await expect(phone.at("stale")).to_be_visible()
    await town.call("26-3101", people="two men with torches")
    await expect(unit.get_by_test_id("seen")).to_contain_text(f"has not seen v{version + 1}")
    town_line.mend()
    await phone.page.evaluate("dispatchEvent(new Event('online'))")
    await expect(phone.at("brief")).to_contain_text("two men with torches")
    await expect(unit.get_by_test_id("seen")).to_contain_text("has seen the newest")
    await expect(unit.get_by_test_id("seen")).not_to_contain_text("has not seen")


async def test_s_splits_what_was_joined_and_both_stand_in_the_list(
    town: Town, screens: Screens
) -> None:
    operator = await town.console(screens)
    for number, x in (("26-3102", 700), ("26-3103", 740)):
        await town.call(number, kind="crash", priority=2, place=corner(x, 300))
    whole = await town.opened(operator, "26-3102")
    part = operator.page.locator("[data-part]", has_text="26-3103")
    await expect(part).to_contain_text("m by road apart")
    await expect(part).to_contain_text("several callers see the same crash")

    await operator.press("s")
    dialog = operator.page.get_by_role("dialog", name="Split off a part")
    await expect(dialog.get_by_role("radio", name="26-3103")).to_be_checked()
    await expect(dialog).to_contain_text("becomes an incident of its own")
    await operator.press("Escape")
    await expect(part).to_be_visible()
    await operator.press("s", "Enter")
    await expect(dialog).to_have_count(0)
    await expect(part).to_have_count(0)
    apart = str((await town.of_call("26-3103"))["incident_id"])
    assert apart != whole
    for incident_id in (whole, apart):
        await expect(operator.incident(incident_id)).to_have_attribute("data-state", "open")
    await expect(operator.at("incident-log")).to_contain_text("26-3103")


async def test_f_pushes_a_fact_and_b_briefs_the_nearest_unit(town: Town, screens: Screens) -> None:
    for unit, x in (("4C02", 620), ("4C09", 900)):
        await town.drive(unit, x, 700)
    phone = await town.phone(screens, "4C02")
    await expect(phone.page.get_by_text("No brief.")).to_be_visible()
    operator = await town.console(screens)
    await town.call("26-3104", kind="domestic", priority=1, place=corner(600, 700))
    await town.opened(operator, "26-3104")
    await expect(operator.page.get_by_text("No unit is assigned.")).to_be_visible()

    await operator.press("b")
    dialog = operator.page.get_by_role("dialog")
    await expect(dialog.get_by_role("radio").first).to_be_focused()
    await expect(operator.at("unit-do")).to_have_text("Brief 4C02")
    await operator.press("Enter")
    await expect(dialog).to_have_count(0)
    await expect(unit_of(operator, "4C02")).to_have_attribute("data-status", "assigned")
    await expect(phone.at("brief")).to_contain_text("26-3104")
    await expect(phone.at("brief")).not_to_contain_text("being looked up")
    version = int(await phone.at("brief").get_attribute("data-version") or 0)

    await operator.press("f")
    await expect(operator.page.get_by_role("dialog", name="Push a fact")).to_be_visible()
    await operator.press("3")
    await expect(operator.at("fact-says")).to_be_focused()
    await operator.page.keyboard.type("knife in the kitchen")
    await operator.press("Enter")
    await expect(dialog).to_have_count(0)
    await expect(phone.at("brief")).to_have_attribute("data-version", str(version + 1))
    await expect(phone.line("hazards")).to_contain_text("knife in the kitchen")
    await expect(phone.line("hazards").locator("[data-changed]")).to_be_visible()
    log = operator.at("incident-log").locator("[data-what=fact]")
    await expect(log).to_contain_text("knife in the kitchen")
    assert [u["unit"] for u in (await town.of_call("26-3104"))["units"]] == ["4C02"]


async def test_a_silent_dispatch_system_is_a_banner_until_it_shows_itself(
    town: Town, screens: Screens
) -> None:
    operator = await town.console(screens)
    banner = operator.at("silent-sources")
    await expect(banner).to_contain_text("CAD Quiet CAD silent for")
    await expect(banner).to_contain_text("New calls may be missing.")
    town.heartbeat.touch()
    await expect(banner).to_have_count(0)


async def test_a_call_without_a_place_is_doubtful_and_stands_nowhere_on_the_map(
    town: Town, screens: Screens
) -> None:
    operator = await town.console(screens)
    await town.call("26-3105", kind="missing_person", priority=2, address="by the old mill")
    incident_id = await town.opened(operator, "26-3105")
    await expect(operator.incident(incident_id)).to_contain_text("doubtful")
    await expect(operator.at("doubts")).to_contain_text("No place is known")
    await operator.press("m")
    row = operator.page.get_by_role("row").filter(has_text="Missing person")
    await expect(row).to_contain_text("by the old mill (place not found) (doubtful)")
    await expect(row).to_contain_text("place not told")


async def test_a_live_screen_of_calls_equals_the_same_screen_reloaded(
    town: Town, screens: Screens
) -> None:
    operator = await town.console(screens)
    officer = await town.node.officer("4C16")
    await town.call(
        "26-3106", kind="hit_and_run", priority=2, place=corner(900, 300), units=assigned("4C16")
    )
    await town.opened(operator, "26-3106")
    await town.call("26-3107", kind="hit_and_run", priority=2, place=corner(930, 300))
    await town.call("26-3108", kind="fire", priority=1, address="the paper mill")
    [mine] = (await officer.get("/api/briefs/mine")).json()["briefs"]
    path = f"/api/briefs/{mine['brief']['brief_id']}"
    answer: dict[str, Any] = {
        "answer_id": "0193a000-0000-7000-8000-000000003106", "kind": "on_scene", "says": "",
        "tapped_at": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    assert (await officer.post(f"{path}/answer", answer)).status_code == 200
    await town.call("26-3108", state="closed")

    closed = str((await town.of_call("26-3108"))["incident_id"])
    await expect(operator.incident(closed)).to_have_attribute("data-state", "closed")
    await expect(operator.page.locator("[data-part]")).to_have_count(2)
    log = operator.at("incident-log")
    await expect(log.locator("[data-what=unit_on_scene]")).to_have_count(1)
    await expect(unit_of(operator, "4C16")).to_have_attribute("data-status", "on_scene")
    live = await operator.page.evaluate(STILL)
    await operator.page.reload()
    await expect(operator.at("line")).to_have_text("Live")
    await expect(operator.page.locator("[data-part]")).to_have_count(2)
    assert await operator.page.evaluate(STILL) == live


async def test_the_honest_clocks_show_the_steps_in_their_order_with_the_caveat_in_both_languages(
    town: Town, screens: Screens
) -> None:
    phone = await town.phone(screens, "2S20")
    taken = datetime.now(UTC) - timedelta(seconds=4)
    await town.call(
        "26-3109", kind="stabbing", priority=1, place=corner(100, 300), units=assigned("2S20"),
        taken_at=taken.isoformat(),
    )  # fmt: skip
    await expect(phone.at("brief")).to_contain_text("26-3109")
    await phone.at("on_scene").tap()
    await expect(phone.at("said")).to_contain_text("sent")

    screen = await screens.operator(town.node.port)
    await screen.go("/timings")
    row = screen.page.locator("[data-timing='26-3109']")
    await expect(row).to_contain_text("2S20")
    says = await row.get_by_role("img", name="From the call’s arrival here").get_attribute(
        "aria-label"
    )
    told = [step.rsplit(" ", 3) for step in str(says).split(": ")[1].split(", ")]
    assert [step[0] for step in told if step[0] != "heard"] == list(STEPS)
    after_s = [seconds(*step[1:]) for step in told if step[0] != "heard"]
    assert after_s == sorted(after_s)
    assert after_s[:2] == [pytest.approx(-4, abs=2), 0]
    await expect(row).to_contain_text("by the officer’s tap")

    caveat = screen.at("p1-delay")
    await expect(caveat).to_contain_text("This is an upper bound, not a cause")
    await screen.page.get_by_role("button", name="You and this screen").click()
    await screen.page.get_by_role("button", name="Español").click()
    await expect(caveat).to_contain_text("Es un límite superior, no una causa")
    await expect(row).to_contain_text("según el toque del oficial")
    await expect(screen.page.get_by_role("columnheader", name="Unidad", exact=True)).to_be_visible()
