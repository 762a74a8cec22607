"""`farolito person` at the prompt of a real node: a lost key, from suspension to a new code."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from farolito.cli.people import app
from tests.running import AGENCY, RunningNode, running_node

pytestmark = pytest.mark.node


@pytest.fixture
async def node(state: Path) -> AsyncIterator[RunningNode]:
    async with running_node(state) as running:
        yield running


async def test_a_lost_key_is_told_with_the_way_to_a_new_one(node: RunningNode) -> None:
    async def told(*words: str) -> str:
        token = str(node.node.state / "admin.token")
        line = [*words, "--node", node.url, "--token-file", token]
        said = await asyncio.to_thread(CliRunner().invoke, app, line)
        assert said.exit_code == 0, said.output or said.exception
        return said.output

    person = (await told("invite", "Jo Example", "operator")).split("Person ")[1].split(".")[0]
    said = await told("suspend", "Jo Example", "--because", "lost_key")
    assert "never count again" in said
    assert "never count again" not in await told("suspend", person, "--because", "review")
    said = await told("restore", "Jo Example")
    assert f"farolito person invite NAME ROLE --person {person}" in said
    again = await told("invite", "Jo Example", "operator", "--person", person)
    assert f"Person {person}." in again


async def test_a_roster_is_kept_whole_or_not_at_all(node: RunningNode, tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"

    async def said(*words: str) -> Result:
        token = str(node.node.state / "admin.token")
        line = [*words, "--node", node.url, "--token-file", token]
        return await asyncio.to_thread(CliRunner().invoke, app, line)

    async def shifts() -> int:
        async with node.node.database.transaction(AGENCY) as connection:
            return int(await connection.fetchval("select count(*) from shifts"))

    await said("invite", "Jo Example", "operator")
    good = "Jo Example,2026-03-01T22:00-07:00,2026-03-02T06:00-07:00"
    file.write_text(f"person,starts,ends\n{good}\nMo Example,2026-03-02T22:00-07:00,x\n")
    wrong = await said("roster", str(file))
    assert wrong.exit_code != 0
    assert "line 3: no person 'Mo Example' is known" in str(wrong.exception)
    assert await shifts() == 0
    file.write_text(f"person,starts,ends\n{good}\n")
    for more in ([], [], ["--add"]):
        told = await said("roster", str(file), *more)
        assert told.output == "Shifts: 1; people: 1; days: 2026-03-01 to 2026-03-01.\n", (
            told.exception
        )
        assert await shifts() == 1
    missing = await said("roster", str(tmp_path / "none.csv"))
    assert "cannot be read" in str(missing.exception)
