"""Shots before the operator: heard, decided by ear, shown with their doubt, and counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from farolito.console.sockets import StormCard
from farolito.model import Point, Round, Shot, ShotAlert
from tests.browser.gunfire import Gunfire
from tests.browser.screens import Screen, Screens
from tests.browser.test_accessibility import assert_accessible
from tests.running import RunningNode

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.asyncio(loop_scope="session")]

UNIT = "2A14"
APART_PX_MAX = 3  # one round in the clips of four sensors, drawn 330 px wide for three seconds
# Where each clip's loudest moment stands, in pixels from its left edge.
LOUDEST = """
clips => clips.map((canvas) => {
  const pen = canvas.getContext('2d')
  const { data, width, height } = pen.getImageData(0, 0, canvas.width, canvas.height)
  const [red, green, blue] = getComputedStyle(canvas).color.match(/\\d+/g).map(Number)
  let best = { column: -1, height: 0 }
  for (let column = 0; column < width; column++) {
    let painted = 0
    for (let row = 8; row < height; row++) {
      const at = 4 * (row * width + column)
      const off = Math.abs(data[at] - red) + Math.abs(data[at + 1] - green) +
        Math.abs(data[at + 2] - blue)
      if (data[at + 3] > 200 && off < 60) painted += 1
    }
    if (painted > best.height) best = { column, height: painted }
  }
  return best.column
})
"""
# A row's words without its age, which goes on by itself.
ROWS = """
rows => rows.map((row) => {
  const still = row.cloneNode(true)
  still.querySelectorAll('.age, .due').forEach((old) => old.remove())
  return [row.dataset.shot, row.dataset.state, still.textContent.replace(/\\s+/g, ' ')].join(' ')
})
"""


@pytest_asyncio.fixture(loop_scope="session")
async def gunfire(city: RunningNode) -> Gunfire:
    made = Gunfire(city)
    await made.sensors()
    return made


def row(screen: Screen, alert: ShotAlert) -> Locator:
    return screen.page.locator(f"[data-shot='{alert.alert_id}']")


def listened(screen: Screen) -> Locator:
    return screen.page.locator("[data-clip][data-listened=true]")


async def opened(screen: Screen, alert: ShotAlert) -> None:
    """The alert in the panel, with its clips."""
    await row(screen, alert).click()
    await expect(screen.page.locator("[data-clip] canvas")).to_have_count(4)


async def reached(screen: Screen, alert: ShotAlert) -> None:
    """J until it is selected: what other tests left in the queue comes before it."""
    for _ in range(await screen.page.locator("[data-shot]").count()):
        await screen.press("j")
        if await row(screen, alert).get_attribute("aria-current") == "true":
            return
    raise AssertionError("J does not reach the alert")


async def kept(node: RunningNode, alert: ShotAlert) -> dict[str, Any]:
    """The alert as the node has it, with its versions."""
    operator = await node.sign_in("operator")
    return dict((await operator.get(f"/api/shots/{alert.alert_id}")).json())


async def test_keys_alone_take_hear_decide_and_brief_a_shot_that_nobody_may_decide_unheard(
    city: RunningNode, gunfire: Gunfire, screens: Screens
) -> None:
    await city.unit(UNIT, Point(35.09, -106.64))
    operator = await screens.operator(city.port)
    alert = await gunfire.raised()
    await expect(row(operator, alert)).to_contain_text("5 rounds (5 to 6)")
    await expect(row(operator, alert)).to_contain_text("Gunshot 93 %")
    await reached(operator, alert)
    await operator.press("Enter")
    await expect(row(operator, alert)).to_have_attribute("data-state", "taken")
    await expect(operator.page.locator("[data-clip] canvas")).to_have_count(4)

    await expect(operator.at("review-gunshot")).to_be_disabled()
    await operator.press("g")
    await operator.press("1")
    await expect(listened(operator)).to_have_count(1)
    assert (await kept(city, alert))["alert"]["review"] is None, "G before a clip decides nothing"
    await operator.press("g")
    await expect(row(operator, alert)).to_have_attribute("data-state", "confirmed")
    review = (await kept(city, alert))["alert"]["review"]
    assert (review["kind"], review["listened"]) == ("gunshot", ["ear-roof"])

    await expect(operator.at("machine-answer")).to_contain_text("Gunshot 93 %")
    await expect(operator.at("reviewer-answer")).to_contain_text("Gunshot")
    await expect(operator.at("reviewer-answer")).to_contain_text("heard 1 of 4 clips")
    versions = operator.at("shot-versions").get_by_role("listitem")
    await expect(versions).to_contain_text(
        ["reviewed: Gunshot", "taken", "4 clips to hear", "heard and located"]
    )
    await expect(operator.at("to-incident")).to_be_visible()
    await operator.press("b")
    dialog = operator.page.get_by_role("dialog", name="Brief a unit on this incident")
    await dialog.get_by_label("Another unit").fill(UNIT)
    await operator.press("Enter")
    await expect(operator.page.locator(f"[data-unit='{UNIT}']")).to_be_visible()


async def test_a_better_solution_shows_as_a_change_and_loses_nothing_of_a_review_begun(
    city: RunningNode, gunfire: Gunfire, screens: Screens
) -> None:
    alert = await gunfire.raised(500, -500)
    operator = await screens.operator(city.port)
    await opened(operator, alert)
    await operator.press("2")
    await expect(listened(operator)).to_have_count(1)
    note = operator.page.get_by_label("Note")
    await note.fill("whistle before the bang")
    await expect(operator.at("shot-news")).to_have_count(0)

    rounds = alert.shots[0].rounds
    further = [Round(at=rounds[-1].at + timedelta(seconds=n), sensors=5) for n in (1, 2)]
    await gunfire.revise(alert, place=gunfire.spot(510, -490), rounds=(*rounds, *further))
    await expect(operator.at("shot-news")).to_contain_text("moved 14 m, now 7 rounds")
    await expect(row(operator, alert)).to_contain_text("7 rounds")
    await expect(note).to_have_value("whistle before the bang")
    await expect(listened(operator)).to_have_count(1)

    await operator.at("review-firework").click()
    await expect(row(operator, alert)).to_have_attribute("data-state", "rejected")
    told = (await kept(city, alert))["alert"]
    assert (told["review"]["kind"], told["review"]["note"]) == (
        "firework",
        "whistle before the bang",
    )
    await expect(operator.at("machine-answer")).to_contain_text("Gunshot 93 %")
    await expect(operator.at("reviewer-answer")).to_contain_text("Firework")
    await operator.at("outcome-fireworks").click()
    await expect(operator.at("outcome-fireworks")).to_have_attribute("aria-pressed", "true")
    await expect(operator.at("shot-versions")).to_contain_text("outcome: Fireworks")


async def test_one_round_stands_at_one_place_in_the_clips_of_near_and_far_sensors(
    city: RunningNode, gunfire: Gunfire, screens: Screens
) -> None:
    alert = await gunfire.raised(-60, -120, rounds=1)
    operator = await screens.operator(city.port)
    await opened(operator, alert)
    places = await operator.page.locator("[data-clip] canvas").evaluate_all(LOUDEST)
    assert max(places) - min(places) <= APART_PX_MAX, places
    assert min(places) > 0, places


async def test_doubt_is_told_in_the_queue_in_the_panel_and_in_the_table(
    city: RunningNode, gunfire: Gunfire, screens: Screens
) -> None:
    two = await gunfire.hear(gunfire.ambiguous(gunfire.shot(-700, 300, rounds=2, gun=0.4)))
    quiet = await gunfire.hear(gunfire.shot(900, 900, rounds=12, gun=0.05))
    operator = await screens.operator(city.port)
    await expect(row(operator, two)).to_contain_text("one of two places")
    await row(operator, two).click()
    where = operator.at("shot-where")
    await expect(where.get_by_role("listitem")).to_contain_text(["A: 68 %", "B: 27 %"])
    await expect(where).to_contain_text("somewhere else: 5 %")
    await expect(operator.at("kinds")).to_contain_text("Untested on real fireworks")
    await expect(operator.at("hearers")).to_contain_text("1 should have heard it and was silent")
    await operator.press("m")
    table = operator.page.get_by_role("region", name="The map as a table")
    line = table.get_by_role("row", name="2 rounds")
    await expect(line).to_contain_text("A: 68 %")
    await expect(line).to_contain_text("B: 27 %")

    await expect(row(operator, quiet)).to_have_count(0)
    await operator.at("quiet-shots").click()
    await expect(row(operator, quiet)).to_contain_text("not queued")
    await row(operator, quiet).click()
    await expect(operator.at("shot-head")).to_contain_text("12 rounds")


async def test_what_the_machine_took_back_is_struck_out_counts_for_nothing_and_stays_to_be_heard(
    city: RunningNode, gunfire: Gunfire, screens: Screens
) -> None:
    operator = await screens.operator(city.port)
    alert = await gunfire.raised(-1_500, 700)
    alias = gunfire.shot(-1_480, 720, rounds=2, storm="fireworks: 40 sources within 300 m")
    joined = await gunfire.hear(alias)
    assert joined.alert_id == alert.alert_id, "near it, so one alert"
    await expect(row(operator, alert)).to_contain_text("7 rounds in 2 strings")
    await row(operator, alert).click()
    await expect(operator.at("strings").get_by_text("String 2 of 2: 2 rounds")).to_be_visible()
    await operator.at("strings").get_by_text("String 2 of 2").click()
    await expect(operator.at("in-storm").last).to_contain_text("Heard during fireworks: 40 sources")

    await gunfire.take_back(alias)
    await expect(operator.at("shot-news")).to_contain_text("one string taken back")
    await expect(row(operator, alert)).to_contain_text("5 rounds (5 to 6)")
    back = operator.at("taken-back-strings")
    await expect(back).to_contain_text("other places explain it better")
    await expect(back.locator("s")).to_contain_text(["2 rounds"])
    await expect(operator.at("strings")).to_have_count(0)

    await gunfire.take_back(alert.shots[0])
    await expect(operator.at("taken-back")).to_contain_text("Nothing of it stands")
    await expect(operator.at("shot-news")).to_contain_text("taken back by the machine")
    await expect(operator.page.locator("[data-clip] canvas")).to_have_count(4)


async def test_a_storm_is_one_card_over_the_queue_for_as_long_as_the_node_names_it(
    city: RunningNode, gunfire: Gunfire, screens: Screens
) -> None:
    operator = await screens.operator(city.port)
    since = datetime.now(UTC) - timedelta(minutes=4)
    show = StormCard(number=7, kind="show", says="fireworks: 12 sources", since=since, sources=12)
    card = operator.at("storms")
    try:
        city.node.hub.storms = (show,)
        await expect(card).to_contain_text("Fireworks show")
        await expect(card).to_contain_text(f"since {since.astimezone():%H:%M:%S}")
        await expect(card).to_contain_text("only a likely gun comes to the queue")
        city.node.hub.storms = (msgspec.structs.replace(show, sources=31),)
        await expect(card).to_contain_text("31 sources located so far")
        await expect(card.get_by_role("listitem")).to_have_count(1)
        await operator.page.get_by_role("tab", name="Calls").click()
        await expect(card).to_be_visible()
    finally:
        city.node.hub.storms = ()
    await expect(card).to_have_count(0)


async def test_an_incident_leads_to_its_shots_and_a_shot_to_its_incident_by_one_key(
    city: RunningNode, gunfire: Gunfire, screens: Screens
) -> None:
    operator = await screens.operator(city.port)
    alert = await gunfire.raised(2_200, -1_800)
    await opened(operator, alert)
    await operator.press("1")
    await expect(listened(operator)).to_have_count(1)
    await operator.press("g")
    await expect(operator.at("shot-state")).to_contain_text("Confirmed")
    await expect(operator.at("shot-news")).to_have_count(0)
    await expect(operator.at("to-incident")).to_be_visible()
    await operator.press("h")
    part = operator.page.locator(f"[data-part='{alert.alert_id}']")
    await expect(part).to_contain_text("5 rounds")
    await expect(part).to_contain_text("Gunshot, reviewed")
    await operator.press("h")
    await expect(operator.at("shot-head")).to_contain_text("5 rounds")


async def test_a_live_queue_of_shots_equals_the_same_queue_reloaded(
    city: RunningNode, gunfire: Gunfire, screens: Screens
) -> None:
    operator = await screens.operator(city.port)
    first = await gunfire.raised(1_500, 0)
    second = await gunfire.raised(1_500, 600)
    await gunfire.revise(first, place=gunfire.spot(1_520, 10))
    colleague = await city.sign_in("operator")
    taken = await colleague.post(f"/api/shots/{second.alert_id}/take")
    assert taken.status_code == 200, taken.text
    await expect(row(operator, second)).to_have_attribute("data-state", "taken")
    await expect(row(operator, first)).to_be_visible()
    rows = operator.page.locator("[data-shot]")
    live = await rows.evaluate_all(ROWS)
    await operator.page.reload()
    await expect(operator.at("line")).to_have_text("Live")
    await expect(rows).to_have_count(len(live))
    assert await rows.evaluate_all(ROWS) == live


async def test_the_coverage_names_what_is_out_and_a_table_says_the_same_as_the_map(
    city: RunningNode, gunfire: Gunfire, screens: Screens
) -> None:
    operator = await screens.operator(city.port)
    await operator.press("l")
    key = operator.at("coverage-key")
    await expect(key).to_contain_text("90 % and more")
    await expect(key).to_contain_text("1 sensor is out. Bridge")
    await operator.press("m")
    table = operator.page.get_by_role("region", name="The map as a table")
    await expect(table.get_by_role("row", name="Roof")).to_contain_text("Listening")
    await expect(table.get_by_role("row", name="Bridge")).to_contain_text("Out")
    await operator.press("l")
    await expect(key).to_have_count(0)
    await expect(table.get_by_role("row", name="Roof")).to_have_count(0)


async def test_a_missed_shooting_is_written_down_and_counts_and_an_auditor_takes_the_figures(
    city: RunningNode, gunfire: Gunfire, screens: Screens
) -> None:
    operator = await screens.operator(city.port)
    await operator.go("/shots")
    await operator.at("add-miss").click()
    dialog = operator.page.get_by_role("dialog", name="Add a miss")
    await operator.at("miss-do").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("latitude, longitude")
    local = datetime.now(UTC).astimezone() - timedelta(hours=3)
    await operator.at("miss-at").fill(local.strftime("%Y-%m-%dT%H:%M:%S"))
    await operator.at("miss-known").select_option("victim")
    far = gunfire.spot(2_500, 2_500)
    await operator.at("miss-place").fill(f"{far.lat:.5f}, {far.lon:.5f}")
    await operator.at("miss-note").fill("walked into the hospital")
    await operator.at("miss-do").click()
    await expect(dialog).to_have_count(0)
    misses = operator.at("misses").get_by_role("row", name="walked into the hospital")
    await expect(misses).to_contain_text("Victim")
    found = operator.at("figures").locator("section", has_text="of all shootings known")
    await expect(found).to_contain_text("0 of 1")
    await expect(operator.at("csv")).to_have_count(0)

    auditor = await screens.sign_in(city.port, "auditor")
    await auditor.page.wait_for_url("**/audit")
    await auditor.go("/shots")
    await expect(auditor.at("misses")).to_have_count(0)
    async with auditor.page.expect_download() as download:
        await auditor.at("csv").click()
    lines = (await (await download.value).path()).read_text().splitlines()
    assert lines[0].startswith("by,name,alerts,confirmed")
    assert lines[1].startswith("all,,")


async def _joined(gunfire: Gunfire, side: float) -> Shot:
    """A further string of the alert at this side of town."""
    alias = gunfire.shot(side + 30, 20, rounds=2)
    await gunfire.hear(alias)
    return alias


@pytest.fixture
def storm(city: RunningNode) -> Iterator[None]:
    """Thunder goes on."""
    thunder = StormCard(
        number=8, kind="thunder", says="thunder", since=datetime.now(UTC), sources=3
    )  # fmt: skip
    city.node.hub.storms = (thunder,)
    yield
    city.node.hub.storms = ()


@pytest.mark.usefixtures("storm")
async def test_no_screen_of_shots_breaks_a_rule_that_a_machine_can_check(
    city: RunningNode, gunfire: Gunfire, screens: Screens
) -> None:
    side = 3_000
    alert = await gunfire.raised(side, 0)
    await gunfire.hear(gunfire.shot(side, 900, gun=0.05))
    await gunfire.take_back(await _joined(gunfire, side))
    operator = await screens.operator(city.port)
    await opened(operator, alert)
    await expect(operator.page.get_by_text("Drawing the map")).to_have_count(0)
    await operator.at("quiet-shots").click()
    await operator.press("l")
    await expect(operator.at("coverage-key")).to_contain_text("is out")
    await assert_accessible(operator)
    await operator.press("3")
    await expect(listened(operator)).to_have_count(1)
    await operator.press("g")
    await expect(operator.at("outcome")).to_be_visible()
    await expect(operator.at("notice")).to_be_visible()
    await operator.at("hearers").get_by_text("Show each").click()
    await operator.press("m")
    await assert_accessible(operator)
    await operator.go("/shots")
    await expect(operator.at("figures")).to_be_visible()
    await assert_accessible(operator)
    await operator.at("add-miss").click()
    await expect(operator.page.get_by_role("dialog", name="Add a miss")).to_be_visible()
    await assert_accessible(operator)
