"""Where a plate was, asked of named owners: what one of them does not say stands on top."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from playwright.async_api import Locator, expect

from farolito.model import Device, DeviceId, PersonId
from farolito.review import watching
from tests.browser.screens import Screen, Screens
from tests.browser.test_accessibility import assert_accessible
from tests.console.test_review_routes import searched
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


@pytest.fixture
def short_shifts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every search is of a shift of its own: nobody waits eight hours here."""
    monkeypatch.setattr(watching, "AGAIN_AFTER", timedelta(0))


async def looked_before(node: RunningNode, plate: str, case: str) -> None:
    """The operator searches; returns when the node would remind them of it."""
    person = await node.sign_in("operator")
    assert (await searched(person, plate, case))["status"] == 200
    who, subject = PersonId(UUID(person.session["person"]["person_id"])), f"plate:{plate}"
    async with asyncio.timeout(20):
        while node.node.reviews.watching.looked(who, subject) is None:
            await asyncio.sleep(0.1)


@pytest.mark.usefixtures("short_shifts")
async def test_who_searches_again_is_asked_why_and_another_person_confirms(
    neighbours: Metro, screens: Screens
) -> None:
    case = "26-118777"
    await looked_before(neighbours.city, "SRH201", case)
    screen = await searcher(screens, neighbours.city)
    await asked(screen, "SRH201", case)
    why = screen.at("why")
    await expect(why).to_contain_text("You have searched this plate 2 times in")
    await assert_accessible(screen)
    await screen.press("w")
    await expect(why.get_by_label(f"{case} is about this plate")).to_be_focused()
    await screen.press("Enter")
    done = screen.at("why-done")
    await expect(done).to_contain_text("It is on record.")
    await expect(done).to_be_focused()
    second = await searcher(screens, neighbours.city, "supervisor")
    await asked(second, "SRH201", case)
    await expect(second.at("why")).to_have_count(0)  # nobody reminds them: their first look
    await second.press("w")
    await expect(second.at("why").get_by_label("Ana Ortiz put on record")).to_be_focused()
    await assert_accessible(second)
    await second.press("Enter")
    await expect(second.at("why-done")).to_contain_text("by two people’s word")
    await screen.at("go").click()
    await expect(screen.page.locator("[data-owner]").first).to_be_visible()
    await screen.page.wait_for_load_state("networkidle")
    await expect(screen.at("why")).to_have_count(0)  # the case explains it now


@pytest.mark.usefixtures("short_shifts")
async def test_who_does_not_say_why_goes_on_and_another_case_may_be_named(
    neighbours: Metro, screens: Screens
) -> None:
    await looked_before(neighbours.city, "SRH202", "26-118778")
    screen = await searcher(screens, neighbours.city)
    await asked(screen, "SRH202", "26-118778")
    await expect(owner(screen, "city-pd")).to_be_visible()  # the answer is there all the same
    await expect(screen.at("why")).to_be_visible()
    await screen.press("w", "Escape")
    await expect(screen.at("why")).to_have_count(0)
    await expect(screen.page.locator("#answers")).to_be_focused()
    await screen.press("w")
    await expect(screen.page.get_by_label("26-118778 is about this plate")).to_be_focused()
    await screen.press("ArrowDown", "Enter")
    await expect(screen.at("why")).to_contain_text("Give the number of the other case.")
    await expect(screen.at("why-case")).to_be_focused()
    await screen.page.keyboard.type("26-118779")
    await screen.press("Enter")
    await expect(screen.at("why-done")).to_contain_text("From now on search it under 26-118779")


@pytest.mark.usefixtures("short_shifts")
async def test_who_searches_again_is_asked_in_spanish(neighbours: Metro, screens: Screens) -> None:
    await looked_before(neighbours.city, "SRH203", "26-118780")
    screen = await screens.open(neighbours.city.port, "/search", locale="es-MX")
    await screen.at("persona-operator").click()
    await expect(screen.at("plate")).to_be_focused()
    await asked(screen, "SRH203", "26-118780")
    await expect(screen.at("why")).to_contain_text("Ha buscado esta placa 2 veces en")


async def test_the_page_breaks_no_rule(neighbours: Metro, screens: Screens) -> None:
    screen = await searcher(screens, neighbours.city)
    await expect(screen.at("owners")).to_contain_text(SHERIFF.name)
    await assert_accessible(screen)
    await screen.page.get_by_label(SHERIFF.name).check()
    await asked(screen, "SRH106")
    await expect(screen.at("incomplete")).to_be_visible()
    await assert_accessible(screen)


async def test_from_an_incident_two_keys_lead_to_the_cars_that_passed(
    neighbours: Metro, screens: Screens
) -> None:
    """The page has place, time and case filled in; a purpose and Enter are left."""
    city = neighbours.city
    await read_at(city, "SRH201")
    await read_at(city, "SRH202")
    assert READER.place is not None
    lat, lon = READER.place.lat, READER.place.lon
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    screen = await screens.open(city.port, f"/search#near={lat},{lon}&at={at}&case=26-118209")
    await screen.at("persona-operator").click()
    await expect(screen.at("place")).to_have_value(f"{lat}, {lon}")
    await expect(screen.at("case")).to_have_value("26-118209")
    await screen.at("purpose").select_option("in_progress_call")
    await screen.press("Enter")
    own = owner(screen, "city-pd")
    await expect(own).to_have_attribute("data-state", "answered")
    await expect(own).to_contain_text("SRH202")
    await expect(own).to_contain_text("SRH201")
    await expect(screen.page.locator("h2").first).to_contain_text("Within 250 m of")
    await expect(screen.page.locator(".read-mark")).to_have_text(re.compile(r"^\d+×$"))
    await assert_accessible(screen)
    assert screen.page.url.endswith("/search"), "the address keeps neither place nor case"
    # The same window, from the next incident: only what stands behind # is another.
    await screen.page.evaluate(f"location.hash = 'near=35.2,-106.6&at={at}&case=26-118210'")
    await expect(screen.at("place")).to_have_value("35.2, -106.6")
    await expect(screen.at("case")).to_have_value("26-118210")
    await expect(screen.at("place")).to_be_focused()


async def test_a_place_where_no_reader_stands_is_not_called_empty(
    neighbours: Metro, screens: Screens
) -> None:
    await read_at(neighbours.city, "SRH203")  # a reader stands somewhere
    screen = await searcher(screens, neighbours.city)
    await screen.page.locator("h2").first.click()
    await screen.press("p")
    await expect(screen.at("place")).to_be_focused()
    await screen.press("Enter")
    await expect(screen.at("lacks")).to_contain_text("Name the place, or click it on the map.")
    await screen.at("place").fill("35.2001, -106.6001")
    await screen.at("purpose").select_option("in_progress_call")
    await screen.at("case").fill("26-118204")
    await screen.press("Enter")
    await expect(screen.at("no-reader")).to_contain_text("No reader of ours stands in the circle")
    await expect(owner(screen, "city-pd")).not_to_contain_text("the car was not there")
