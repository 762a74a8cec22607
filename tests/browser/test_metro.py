"""The guided page of the practice metro: seven steps at three real nodes, told as they were."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from farolito.app.demo_neighbours import Neighbour, Neighbouring
from farolito.app.demo_tour import STEPS, Tour
from farolito.app.hosting import Hosted
from farolito.model import AgencyId, Device, DeviceId
from tests.browser.screens import PHONE, Screen, Screens
from tests.browser.test_accessibility import assert_accessible
from tests.metro import CITY, PUEBLO, SHERIFF, Metro, metro
from tests.metro import Neighbour as Told
from tests.running import READER, RunningNode, read, until

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.asyncio(loop_scope="session")]

PLATE = "MTW471"
STEP_MS_MAX = 90_000  # a witness that was away is asked again within a minute
STILL = {"reduced_motion": "reduce"}  # so that colours are judged as they stay


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def practice() -> AsyncIterator[Metro]:
    """Three joined nodes with the walk beside the city's, and a listed car that two have read."""
    async with metro() as made:
        with tempfile.TemporaryDirectory(prefix="farolito-walk-") as folder:
            near = [
                _beside(Path(folder), SHERIFF, made.sheriff),
                _beside(Path(folder), PUEBLO, made.pueblo),
            ]
            tour = Tour(made.city.node.agency, f"http://localhost:{made.city.port}", near)
            made.city.node.tour = tour
            await made.city.list_plate(PLATE)
            await _passed(made.sheriff)
            await _passed(made.city)
            yield made
            await tour.close()


async def _passed(node: RunningNode) -> None:
    """The car passes a reader of this node's; returns when that is kept."""
    device = Device(
        device_id=DeviceId("main-1"), agency=node.node.agency.agency_id, kind="plate_reader",
        name="Main @ 1st", format="farolito", place=READER.place,
    )  # fmt: skip
    before = node.node.pipeline.recorded
    answer = await node.send(await node.reader_key(device), [read(PLATE, id="passed")])
    assert answer.status_code == 202, answer.text
    await until(lambda: node.node.pipeline.recorded > before)


def _beside(folder: Path, told: Told, running: RunningNode) -> Neighbouring:
    """The node as a demo hosts it: a folder with its state in it."""
    home = folder / told.agency_id
    home.mkdir()
    (home / "state").symlink_to(running.node.state)
    agency = AgencyId(told.agency_id)
    known = Neighbour(agency, told.name, told.ori, told.government, "")
    return Neighbouring(known, Hosted(agency, home, running.port))


async def stands_at(screen: Screen, step: str) -> None:
    shown = screen.page.locator(f"[data-shown={step}]")
    await expect(shown).to_be_visible(timeout=STEP_MS_MAX)


async def begun(screen: Screen) -> None:
    """At its beginning, wherever an earlier visitor left it."""
    await expect(screen.at("stage")).to_be_visible()
    if await screen.at("again").count():
        await screen.at("again").click()
    await stands_at(screen, "intro")


async def test_a_visitor_walks_through_all_seven_steps_with_enter_alone(
    practice: Metro, screens: Screens
) -> None:
    screen = await screens.open(practice.city.port, **STILL)
    await screen.at("tour").click()
    await begun(screen)
    await assert_accessible(screen)
    stage = screen.at("stage")
    told = {
        "ask": [PLATE, "2 neighbours"],
        "refused": ["never reached County Sheriff", "no agreement lets us ask"],
        "agree": ["Signature 2 of 2", "keeps the agreement"],
        "answered": ["answers Ana Ortiz: 1 read", "to City Police"],
        "recall": ["takes it back", "sees the recall"],
        "revoke": ["Nothing of it is left", "never reached County Sheriff"],
        "prove": ["all there, none changed", "has signed for the ledgers of"],
    }
    for number, step in enumerate(STEPS, start=1):
        await screen.press("Enter")
        await stands_at(screen, step)
        await expect(screen.page.locator("#stage-title")).to_be_focused()
        await expect(screen.at("announced")).to_contain_text(f"Step {number} done")
        for words in told[step]:
            await expect(stage).to_contain_text(words)
        await assert_accessible(screen)
    await expect(stage).to_contain_text("Alarms against any ledger: 0")
    await expect(screen.page.locator(".bad, .unproved")).to_have_count(0)
    await expect(screen.at("again-last")).to_be_visible()
    await _read_again(screen)


async def _read_again(screen: Screen) -> None:
    """What was taken is read again without being taken again."""
    page = screen.page
    await page.locator("button[data-step=revoke]").click()
    await expect(page.locator("[data-figure]")).to_have_count(2)
    entry = page.locator("[data-deed=purged] .entry")
    receipt = await screen.at("receipt").text_content()
    number = (await entry.inner_text()).split("\n")[0].removeprefix("Entry ").split(" ")[0]
    assert receipt is not None
    assert receipt.startswith(f"{CITY.agency_id}#{number}:")
    await page.locator("button[data-step=agree]").click()
    await screen.at("read-agreement").click()
    await expect(screen.at("document")).to_contain_text("county-so gives, city-pd receives")
    await assert_accessible(screen)
    await screen.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_what_is_told_can_be_looked_at_in_that_agencys_own_console(
    practice: Metro, screens: Screens
) -> None:
    screen = await screens.open(practice.city.port, "/metro", **STILL)
    await begun(screen)
    await screen.at("next").click()
    await stands_at(screen, "ask")
    await screen.at("next").click()
    await stands_at(screen, "refused")
    there = screen.page.get_by_role("link", name="See it at County Sheriff: Ledger, as Auditor")
    await expect(there).to_have_attribute("href", f"http://localhost:{practice.sheriff.port}/audit")
    await screen.page.reload()
    await stands_at(screen, "refused")  # where it stood, told by the node


async def test_the_page_speaks_spanish_and_fits_a_phone(practice: Metro, screens: Screens) -> None:
    screen = await screens.open(
        practice.city.port, "/metro", **{**PHONE, **STILL, "locale": "es-MX"}
    )
    await begun(screen)
    await expect(screen.page.locator("h2")).to_contain_text("Nada compartido")
    await screen.at("next").tap()
    await stands_at(screen, "ask")
    await expect(screen.at("stage")).to_contain_text("tiene MTW471 en pantalla")
    wide = await screen.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["viewport"]["width"]
    await assert_accessible(screen)


async def test_a_node_without_a_practice_metro_says_so_and_offers_no_walk(
    practice: Metro, screens: Screens
) -> None:
    screen = await screens.open(practice.sheriff.port)
    await expect(screen.at("persona-operator")).to_be_visible()
    await expect(screen.at("tour")).to_have_count(0)
    screen.expects(r"status of 404 .*/api/tour$")
    await screen.go("/metro")
    await expect(screen.page.locator("h2")).to_contain_text("no practice metro on this node")
    await assert_accessible(screen)
