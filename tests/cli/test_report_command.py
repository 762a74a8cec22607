"""`farolito report` at the prompt of a real node: a month, a year for the state, a letter."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import httpx
import pytest
from typer.testing import CliRunner, Result

from farolito.audit.verify_figures import verify_figures
from farolito.cli.report import _last_month, app
from farolito.policy.state_pack import Figure
from farolito.transparency.account_text import EVERYTHING, FIGURES, WIDTH
from farolito.transparency.periods import period_of
from tests.running import Person, RunningNode, running_node

pytestmark = pytest.mark.node
YEAR = f"{datetime.now(UTC):%Y}"
OWNER = ("--state", "NM", "--owner", "Ana Baca", "--checked", "licence and title, by Kim")


@pytest.fixture
async def node(state: Path) -> AsyncIterator[RunningNode]:
    async with running_node(state) as running:
        yield running


async def say(node: RunningNode, *words: str | Path, typed: str = "") -> Result:
    token = node.node.state / "admin.token"
    line = [*map(str, words), "--node", node.url, "--token-file", str(token)]
    return await asyncio.to_thread(CliRunner().invoke, app, line, input=typed)


async def told(node: RunningNode, *words: str | Path, typed: str = "") -> Result:
    said = await say(node, *words, typed=typed)
    assert said.exit_code == 0, said.output or said.exception
    return said


async def search(person: Person, plate: str, times: int) -> None:
    headers = {
        "X-Farolito-CSRF": person.session["csrf"],
        "X-Farolito-Purpose": "missing_person",
        "X-Farolito-Case": "26-000117",
    }
    for _ in range(times):
        body = {"plate": plate, "since_h": 24}
        answer = await person.http.post("/api/search/plate", json=body, headers=headers)
        assert answer.status_code == 200, answer.text


def over(node: RunningNode, period: str) -> None:
    """The node's clock stands after this period."""
    publisher = node.node.public.publisher
    publisher._clock = lambda: period_of(period, UTC).until + timedelta(days=3)


async def test_a_month_is_published_and_printed_as_its_page_has_it(node: RunningNode) -> None:
    await search(await node.sign_in("operator"), "ABC1234", 12)
    month = f"{datetime.now(UTC):%Y-%m}"
    early = await say(node, "month", month)
    assert "is not over" in str(early.exception)
    over(node, month)
    said = await told(node, "month", month)
    assert "Missing person ...." in said.stdout
    assert " 12\n" in said.stdout
    assert "ABC1234" not in said.output
    long = [one.strip() for one in said.stdout.splitlines() if len(one) > WIDTH]
    assert all(one.startswith("farolito audit verify ") for one in long)
    again = json.loads((await told(node, "month", month, "--json")).stdout)
    assert (again["period"], again["page"]) == (month, f"/public/{month}")
    assert "Búsquedas" in (await told(node, "month", month, "--language", "es")).stdout


async def test_a_year_is_no_month_and_a_month_before_the_ledger_is_none(node: RunningNode) -> None:
    await search(await node.sign_in("operator"), "ABC1234", 1)
    assert f"farolito report yearly {YEAR}" in str((await say(node, "month", YEAR)).exception)
    for words in (("month", "2020-01"), ("yearly", "2020")):
        assert "had not begun" in str((await say(node, *words)).exception)
    assert "2026-10" in str((await say(node, "month", "October")).exception)


async def test_the_yearly_report_is_one_command_a_text_and_its_proof(
    node: RunningNode, tmp_path: Path
) -> None:
    await search(await node.sign_in("operator"), "ABC1234", 12)
    over(node, YEAR)
    said = await told(node, "yearly", YEAR, "--out", tmp_path / "report.txt")
    proof = tmp_path / f"city-pd-{YEAR}.farolito-figures"
    assert said.stdout.splitlines() == [str(tmp_path / "report.txt"), str(proof)]
    assert "New Mexico Department of Public Safety" in said.stderr
    assert "Counsel first" in said.stderr
    text = (tmp_path / "report.txt").read_text()
    assert "To: New Mexico Department of Public Safety." in text
    assert "ORI NM9990100" in text
    assert "Unauthorised access" in text
    assert "no approval is on file" not in text, "no sensor stands here"
    assert "Hot-list hits" not in text, "the law of New Mexico does not ask for them"
    assert f"farolito audit verify {proof.name} --witness witnesses.txt" in text
    assert verify_figures(proof.read_bytes()).problems == ()
    async with httpx.AsyncClient(base_url=node.url, trust_env=False) as stranger:
        assert (await stranger.get(f"/public/{YEAR}.txt")).text == text


async def test_without_a_name_the_report_lies_here(
    node: RunningNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await search(await node.sign_in("operator"), "ABC1234", 1)
    over(node, YEAR)
    monkeypatch.chdir(tmp_path)
    made = json.loads((await told(node, "yearly", YEAR, "--json")).stdout)
    assert (made["text"], made["period"]) == (f"city-pd-{YEAR}.txt", YEAR)
    assert (tmp_path / made["text"]).exists()
    assert (tmp_path / made["proof"]).exists()
    nowhere = await say(node, "yearly", YEAR, "--out", tmp_path / "absent" / "x.txt")
    assert "cannot be written" in str(nowhere.exception)


async def test_the_owners_letter_comes_after_what_the_clerk_checks(
    node: RunningNode, tmp_path: Path
) -> None:
    await search(await node.sign_in("operator"), "ABC1234", 3)
    file = tmp_path / "letter.txt"
    said = await told(node, "plate", "ABC 1234", *OWNER, "--language", "en", "--out", file)
    assert "title or registration" in said.stderr
    assert said.stdout == f"{file}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "3 others that may not be told yet" in file.read_text()
    assert "Ana Baca" in file.read_text()
    both = (await told(node, "plate", "ABC 1234", *OWNER)).stdout
    assert [one.splitlines()[0] for one in both.split("\f")] == [
        "Was my plate searched?", "¿Se buscó mi placa?",
    ]  # fmt: skip
    answer = json.loads((await told(node, "plate", "ABC 1234", *OWNER, "--json")).stdout)
    assert answer["answer"]["not_yet"] == 3
    before = await told(node, "plate", "ABC 1234", *OWNER, "--until", "2026-01-01", "--json")
    assert json.loads(before.stdout)["answer"]["not_yet"] == 0
    permit = answer["permit"]
    assert "licence and title, by Kim" in await node.node.ledger.open_field(permit, "query")


async def test_what_is_not_given_is_asked_for_and_nothing_goes_without_it(
    node: RunningNode,
) -> None:
    typed = "ABC 1234\nNM\nAna Baca\nlicence and title, by Kim\n"
    assert "Ana Baca" in (await told(node, "plate", typed=typed)).stdout
    size = node.node.ledger.status().size
    assert (await say(node, "plate", typed="ABC 1234\nNM\nAna Baca\n")).exit_code == 1
    assert node.node.ledger.status().size == size
    blank = await say(node, "plate", "ABC 1234", *OWNER[:-1], " ")
    assert "which papers" in str(blank.exception)


@pytest.mark.parametrize(
    ("now", "last"),
    [("2026-11-01", "2026-09"), ("2026-11-02", "2026-10"), ("2027-01-15", "2026-12")],
)
async def test_the_last_month_is_the_one_that_ended_a_day_ago(now: str, last: str) -> None:
    assert _last_month(datetime.fromisoformat(now).replace(tzinfo=UTC)) == last


def test_every_figure_that_a_state_pack_may_ask_for_has_its_place_in_the_text() -> None:
    assert set(get_args(Figure)) <= set(FIGURES)
    assert set(EVERYTHING) <= set(FIGURES)
