"""Public accounts of a real node: counted, fixed, served to strangers, checked offline."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from typer.testing import CliRunner

from farolito.app.config import Approval
from farolito.audit.verify_figures import verify_figures
from farolito.cli.audit import app as audit_command
from farolito.transparency.periods import period_of
from tests.running import Person, RunningNode, running_node

pytestmark = pytest.mark.node

APPROVAL = Approval(kind="plate_reader", impact_report="IR-7", council_approval="R-26-118")

AIRCRAFT = Approval(kind="aircraft", impact_report="IR-9", council_approval="O-26-031")


@pytest.fixture
async def node(state: Path) -> AsyncIterator[RunningNode]:
    async with running_node(state, approval=(APPROVAL, AIRCRAFT)) as running:
        yield running


async def search(
    person: Person,
    plate: str,
    *,
    case: str | None = "26-000117",
    purpose: str = "in_progress_call",
) -> httpx.Response:
    headers = {
        "X-Farolito-CSRF": person.session["csrf"],
        "X-Farolito-Purpose": purpose,
    } | ({"X-Farolito-Case": case} if case else {})
    return await person.http.post(
        "/api/search/plate", json={"plate": plate, "since_h": 24}, headers=headers
    )


async def published(node: RunningNode) -> dict[str, Any]:
    answer = await node.admin("POST", "/api/admin/reports/figures", {"period": "so-far"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def values(told: dict[str, Any]) -> dict[str, int | None]:
    return {one["name"]: one["value"] for one in told["figures"]["figures"]}


async def test_an_account_is_counted_fixed_served_and_checked_offline(
    node: RunningNode, tmp_path: Path
) -> None:
    operator = await node.sign_in("operator")
    for _ in range(12):
        assert (await search(operator, "ABC1234")).status_code == 200
        assert (await search(operator, "ABC1234", purpose="missing_person")).status_code == 200
    for _ in range(8):
        assert (await search(operator, "ABC1234", case=None)).status_code == 403
    told = await published(node)
    assert values(told)["searches/in_progress_call/all"] == 12
    assert values(told)["searches/missing_person/all"] == 12
    assert values(told)["searches/all/all"] is None, "else all other purposes are none"
    assert values(told)["refused/all/all"] == 8

    async with httpx.AsyncClient(base_url=node.url, trust_env=False) as stranger:
        page = await stranger.get(told["page"])
        assert page.status_code == 200
        assert "ABC1234" not in page.text
        assert "R-26-118" in page.text
        newest = await stranger.get("/public?lang=es")
        assert "Búsquedas de una placa" in newest.text
        document = await stranger.get(f"{told['page']}.json")
        assert document.json()["figures"] == told["figures"]["figures"]
        proof = await stranger.get(f"{told['page']}.farolito-figures")
        keys = await stranger.get("/public/witnesses.txt")
        assert (await stranger.get("/public/2031-01")).status_code == 404

    auditor = await node.sign_in("auditor")
    bundle = await auditor.get("/api/ledger/bundle")
    verdict = verify_figures(proof.content, bundles=[bundle.content])
    assert verdict.problems == ()
    shown = [value for value in values(told).values() if value is not None]
    assert verdict.recounted == len(shown)
    assert verdict.figures is not None
    assert verdict.figures.document() == document.content

    file, log = tmp_path / "figures", tmp_path / "key"
    file.write_bytes(proof.content)
    log.write_text(keys.text.split(" ", 1)[0])
    checked = CliRunner().invoke(audit_command, ["verify", str(file), "--key", str(log)])
    assert checked.exit_code == 0, checked.output
    assert "searches/missing_person/all: 12" in checked.output


async def test_the_page_names_the_proof_as_the_browser_saves_it(node: RunningNode) -> None:
    told = await published(node)
    async with httpx.AsyncClient(base_url=node.url, trust_env=False) as stranger:
        page = await stranger.get(told["page"])
        text = await stranger.get(f"{told['page']}.txt")
        proof = await stranger.get(f"{told['page']}.farolito-figures")
    saved = proof.headers["content-disposition"].split('"')[1]
    assert saved == f"city-pd-{told['period']}.farolito-figures"
    for said in (page, text):
        assert f"farolito audit verify {saved} --witness witnesses.txt" in said.text


async def test_the_public_page_says_how_an_owner_asks_in_two_languages(node: RunningNode) -> None:
    async with httpx.AsyncClient(base_url=node.url, trust_env=False) as stranger:
        for page in ("/public", (await published(node))["page"]):
            english = (await stranger.get(page)).text
            spanish = (await stranger.get(f"{page}?lang=es")).text
            assert "Ask the records desk of City Police" in english
            assert "oficina de registros de City Police" in spanish
            for said in (english, spanish):
                assert 'id="own-plate"' in said


async def test_aircraft_stand_by_their_approval_though_none_is_connected(
    node: RunningNode,
) -> None:
    told = await published(node)
    sensors = {one["kind"]: one for one in told["figures"]["told"]["sensors"]}
    assert sensors["aircraft"]["count"] is None
    async with httpx.AsyncClient(base_url=node.url, trust_env=False) as stranger:
        page = (await stranger.get(told["page"])).text
        text = (await stranger.get(f"{told['page']}.txt")).text
        spanish = (await stranger.get(f"{told['page']}?lang=es")).text
    for said in (page, text):
        assert "Aircraft" in said
        assert "IR-9 · O-26-031" in said
        assert "None is connected to this system" in said
    assert "Aeronaves" in spanish


async def test_a_month_that_is_over_is_published_once_by_the_node_itself(node: RunningNode) -> None:
    operator = await node.sign_in("operator")
    await search(operator, "ABC1234")
    publisher = node.node.public.publisher
    assert await publisher.due() == [], "no month is over"
    running = await publisher.next_due()
    publisher._clock = lambda: running.until + timedelta(hours=25)
    assert [one.name for one in await publisher.due()] == [running.name]
    first = await publisher.month(running.name)
    assert await publisher.due() == []
    assert await publisher.month(running.name) == first, "and not a second time"
    entries = await node.node.ledger.entries(first.permit - 1, 1)
    assert entries[0].entry["actor_role"] == "system"
    assert entries[0].entry["thing"] == "report"


async def test_a_month_that_runs_is_not_published(node: RunningNode) -> None:
    running = period_of(f"{datetime.now(UTC):%Y-%m}", UTC)
    answer = await node.admin("POST", "/api/admin/reports/figures", {"period": running.name})
    assert answer.status_code == 422
    assert "not over" in answer.json()["says"]
    assert (await node.admin("POST", "/api/admin/reports/figures", {"period": "x"})).is_error


async def test_the_yearly_report_publishes_its_months_and_is_addressed(node: RunningNode) -> None:
    operator = await node.sign_in("operator")
    for _ in range(7):
        await search(operator, "ABC1234")
    publisher = node.node.public.publisher
    year = f"{datetime.now(UTC):%Y}"
    publisher._clock = lambda: period_of(year, UTC).until + timedelta(days=3)
    answer = await node.admin("POST", "/api/admin/reports/yearly", {"year": int(year)})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["period"] == year
    periods = await publisher.periods()
    months = [f"{year}-{n:02d}" for n in range(datetime.now(UTC).month, 13)]
    assert set(periods) == {year, *months}
    assert told["figures"]["told"]["law"]["report"]["to"].startswith("New Mexico")
    async with httpx.AsyncClient(base_url=node.url, trust_env=False) as stranger:
        page = await stranger.get(f"/public/{year}")
    assert "New Mexico Department of Public Safety" in page.text
    assert "NM9990100" in page.text


OWNER = {"plate": "ABC 1234", "state": "NM", "owner": "Ana Baca", "checked": "licence, title"}


async def own_plate(person: Person, **more: Any) -> httpx.Response:
    return await person.post("/api/reports/own-plate", {**OWNER, **more})


async def test_the_owner_of_a_plate_is_told_months_purposes_and_agencies_and_no_more(
    node: RunningNode,
) -> None:
    operator = await node.sign_in("operator")
    for _ in range(3):
        await search(operator, "ABC1234")
    await search(operator, "ABC1234", case=None)
    await search(operator, "XYZ7890")
    admin = await node.sign_in("admin")
    told = (await own_plate(admin)).json()
    month = f"{datetime.now(UTC):%Y-%m}"
    assert told["answer"]["not_yet"] == 3, "nobody knows here that the case has ended"
    [row] = told["answer"]["rows"]
    assert (row["searches"], row["refused"]) == (0, 1)
    key = await node.cad_key()
    await node.call(key, "26-000117", state="closed")
    later = (await own_plate(admin)).json()
    assert later["answer"]["not_yet"] == 0
    [row] = later["answer"]["rows"]
    assert (row["month"], row["searches"], row["refused"]) == (month, 3, 1)
    assert (row["agency"], row["purpose"]) == ("city-pd", "in_progress_call")
    assert "3 times" in later["letters"]["en"]
    assert "26-000117" not in str(later)
    assert operator.session["person"]["person_id"] not in str(later)


async def test_a_call_that_is_open_keeps_its_searches_untold(node: RunningNode) -> None:
    key = await node.cad_key()
    await node.call(key, "26-000117")
    operator = await node.sign_in("operator")
    await search(operator, "ABC1234")
    admin = await node.sign_in("admin")
    told = (await own_plate(admin)).json()
    assert (told["answer"]["rows"], told["answer"]["not_yet"]) == ([], 1)
    assert "1 others that may not be told yet" in told["letters"]["en"]


async def test_another_states_plate_of_the_same_letters_is_another_car(node: RunningNode) -> None:
    operator = await node.sign_in("operator")
    headers = {
        "X-Farolito-CSRF": operator.session["csrf"],
        "X-Farolito-Purpose": "in_progress_call",
        "X-Farolito-Case": "26-000117",
    }
    body = {"plate": "ABC1234", "since_h": 24, "state": "TX"}
    assert (await operator.http.post("/api/search/plate", json=body, headers=headers)).is_success
    admin = await node.sign_in("admin")
    told = (await own_plate(admin)).json()["answer"]
    assert (told["rows"], told["not_yet"]) == ([], 0)
    assert (await own_plate(admin, state="TX")).json()["answer"]["not_yet"] == 1


async def test_the_answer_is_logged_and_the_records_desk_alone_gives_it(node: RunningNode) -> None:
    for persona in ("operator", "auditor", "supervisor"):
        person = await node.sign_in(persona)
        assert (await own_plate(person)).status_code == 403, persona
    admin = await node.sign_in("admin")
    assert (await own_plate(admin, checked=" ")).status_code == 422
    permit = (await own_plate(admin)).json()["permit"]
    assert "Ana Baca" in await node.node.ledger.open_field(permit, "query")
    [entry] = await node.node.ledger.entries(permit - 1, 1)
    assert (entry.entry["act"], entry.entry["thing"]) == ("export", "report")
    assert b"Baca" not in msgspec.json.encode(entry.entry)
