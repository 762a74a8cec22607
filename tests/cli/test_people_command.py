"""`farolito person` at the prompt of a real node: a lost key, from suspension to a new code."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from farolito.cli.people import app
from tests.running import RunningNode, running_node

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
