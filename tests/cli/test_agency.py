"""`farolito agency` at the prompt of two nodes that do not know each other yet."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from farolito.app.clock import ids
from farolito.app.hosting import Hosting
from farolito.app.partners import JOIN_PATH, Partners, Rooms
from farolito.app.supervise import Supervisor
from farolito.app.web import Web
from farolito.cli.agency import app
from farolito.console import Services, make_app
from farolito.federation.invitation import Code
from farolito.identity import Identity, fingerprint
from tests.databases import Databases
from tests.federation.neighbours import Neighbours, Side, three_neighbours
from tests.federation.strangers import Cables
from tests.ports import free_port


class Town:
    """A node's web over its rooms for partners, on a port of its own, and its prompt."""

    def __init__(self, side: Side, folder: Path, state: Path, listens: str) -> None:
        self.side = side
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.token = folder / f"{side.agency_id}.token"
        self.token.write_text(f"token of {side.agency_id}")
        self.cables = Cables(listens)
        self.supervisor = Supervisor()
        hosting = Hosting(state / side.agency_id, self.supervisor)
        rooms = Rooms(side.gate, side.post, side.key, self.cables, side.system, hosting)
        self.partners = Partners(side.card, rooms, side.clock, ids)
        self._folder = folder
        self._web: Web | None = None

    async def start(self) -> None:
        await self.partners.load()
        side = self.side
        identity = Identity(
            side.database, "localhost", [self.url], side.clock, os.urandom, demo=True,
            agency=side.agency_id,
        )  # fmt: skip
        known: dict[str, Any] = {
            "agency": side.agency, "node_name": "test", "version": "0", "demo": True,
            "origin": self.url, "gate": side.gate, "identity": identity, "clock": side.clock,
            "ids": ids, "admin_token": self.token.read_text(), "tiles": self._folder / "tiles",
            "web": self._folder / "web", "partners": self.partners.for_screens(),
        }  # fmt: skip
        # Of the other rooms nothing is asked here.
        others = {one.name: None for one in fields(Services) if one.default is MISSING}
        self._web = await Web.start(
            make_app(Services(**{**others, **known})), "localhost", self.port
        )

    async def stop(self) -> None:
        await self.supervisor.stop()
        if self._web is not None:
            await self._web.stop()

    async def say(self, *words: str, typed: str = "") -> Result:
        """At the prompt of this node's machine."""
        line = [*words, "--node", self.url, "--token-file", str(self.token)]
        return await asyncio.to_thread(CliRunner().invoke, app, line, input=typed)

    async def told(self, *words: str, typed: str = "") -> str:
        said = await self.say(*words, typed=typed)
        assert said.exit_code == 0, said.output or said.exception
        return said.stdout


@pytest.fixture
async def neighbours(databases: Databases, tmp_path: Path) -> AsyncIterator[Neighbours]:
    async with three_neighbours(databases, tmp_path) as made:
        yield made


@pytest.fixture
async def towns(
    neighbours: Neighbours, tmp_path: Path, state: Path
) -> AsyncIterator[tuple[Town, Town]]:
    city = Town(neighbours.city, tmp_path, state, "city.example:7422")
    sheriff = Town(neighbours.sheriff, tmp_path, state, "")
    for one in (city, sheriff):
        await one.start()
    yield city, sheriff
    for one in (city, sheriff):
        await one.stop()


async def joined(city: Town, sheriff: Town) -> None:
    code = (await city.told("invite")).strip()
    await sheriff.told("join", code)


async def test_two_prompts_join_compare_and_confirm(towns: tuple[Town, Town]) -> None:
    city, sheriff = towns
    code = (await city.told("invite")).splitlines()[0]
    said = await sheriff.told("join", code)
    ours, theirs = fingerprint(sheriff.side.key.public), fingerprint(city.side.key.public)
    assert f"Ours: {ours}" in said
    assert f"Theirs: {theirs}" in said
    assert not sheriff.partners.book.confirmed()

    said = await sheriff.told("confirm", "city-pd", typed="y\n")
    assert "nothing is shared before an agreement is signed" in said
    said = await city.told("confirm", "county-so", "--fingerprint", ours, "--yes")
    assert "County Sheriff is confirmed" in said
    listed = json.loads(await city.told("list", "--json"))
    [one] = listed["partners"]
    assert (one["agency_id"], one["state"], one["connected"]) == ("county-so", "confirmed", True)
    assert theirs in await sheriff.told("show", "city-pd")


async def test_no_is_the_answer_where_nobody_answers(towns: tuple[Town, Town]) -> None:
    city, sheriff = towns
    await joined(city, sheriff)
    for typed in ("n\n", "\n"):
        assert "Not confirmed" in (await sheriff.say("confirm", "city-pd", typed=typed)).output
    assert not sheriff.partners.book.confirmed()


async def test_yes_without_a_fingerprint_and_another_fingerprint_are_refused(
    towns: tuple[Town, Town],
) -> None:
    city, sheriff = towns
    await joined(city, sheriff)
    said = await sheriff.say("confirm", "city-pd", "--yes")
    assert "compares nothing" in str(said.exception)
    wrong = fingerprint(sheriff.side.key.public)
    said = await sheriff.say("confirm", "city-pd", "--fingerprint", wrong, "--yes")
    assert "not the fingerprint" in str(said.exception)
    assert not sheriff.partners.book.confirmed()


async def test_leaving_shows_what_both_deleted(towns: tuple[Town, Town]) -> None:
    city, sheriff = towns
    await joined(city, sheriff)
    await city.told("confirm", "county-so", typed="y\n")
    await sheriff.told("confirm", "city-pd", typed="y\n")

    async def purge(partner: str) -> dict[str, int]:
        return {"shared": 4}

    sheriff.partners.parting.on_leave.append(purge)
    said = await city.told("leave", "county-so", "--yes")
    assert 'Deleted there: {"shared": 4}' in said
    assert "Their receipt: county-so#" in said
    assert not city.partners.book.partners()
    assert "left" in await sheriff.told("list")


async def test_leave_names_one_or_all(towns: tuple[Town, Town]) -> None:
    city, _ = towns
    assert "leave whom?" in str((await city.say("leave", "--yes")).exception)
    assert "leave whom?" in str((await city.say("leave", "x", "--all", "--yes")).exception)
    await city.told("leave", "--all", "--yes")


async def test_the_other_nodes_words_reach_the_prompt(towns: tuple[Town, Town]) -> None:
    city, sheriff = towns
    code = (await city.told("invite")).strip()
    city.side.later(24 * 3600)
    said = await sheriff.say("join", code)
    assert "this code is not in force" in str(said.exception)


async def test_a_node_that_is_away_is_named_and_the_code_stays_good(
    towns: tuple[Town, Town],
) -> None:
    city, sheriff = towns
    code = (await city.told("invite")).strip()
    await city.stop()
    assert "no node answers at" in str((await sheriff.say("join", code)).exception)
    await city.start()
    await sheriff.told("join", code)


async def test_strangers_find_one_open_route_and_nothing_behind_it(
    towns: tuple[Town, Town],
) -> None:
    city, _ = towns
    before = city.side.ledger.status().size
    async with httpx.AsyncClient(base_url=city.url, trust_env=False) as http:
        for path in ("/api/partners", "/api/admin/partners"):
            assert (await http.get(path)).status_code == 401
        for path in ("invite", "join", "city-pd/confirm", "city-pd/leave", "leave-all"):
            assert (await http.post(f"/api/admin/partners/{path}", json={})).status_code == 401
        for raw in (b"", b"{}", b"\xff" * 100, b'{"said":"{}","mac":"00"}'):
            assert (await http.post(JOIN_PATH, content=raw)).status_code == 403
        assert (await http.post(JOIN_PATH, content=b"x" * 2**19)).status_code == 413
    assert city.side.ledger.status().size == before


async def test_screens_show_partners_to_those_who_may(towns: tuple[Town, Town]) -> None:
    city, sheriff = towns
    await joined(city, sheriff)
    theirs = fingerprint(sheriff.side.key.public)
    async with httpx.AsyncClient(base_url=city.url, trust_env=False) as http:
        session = (await http.post("/api/session/demo", json={"persona": "operator"})).json()
        shown = (await http.get("/api/partners")).json()
        assert shown["own"]["agency_id"] == "city-pd"
        assert shown["partners"][0]["fingerprint"] == theirs
        assert shown["permit"]
        csrf = {"X-Farolito-CSRF": session["csrf"]}
        body = {"fingerprint": theirs}
        no = await http.post("/api/partners/county-so/confirm", json=body, headers=csrf)
        assert no.status_code == 403

        session = (await http.post("/api/session/demo", json={"persona": "admin"})).json()
        csrf = {"X-Farolito-CSRF": session["csrf"]}
        wrong = await http.post(
            "/api/partners/county-so/confirm", json={"fingerprint": "0000"}, headers=csrf
        )
        assert (wrong.status_code, wrong.json()["error"]) == (403, "another_key")
        right = await http.post("/api/partners/county-so/confirm", json=body, headers=csrf)
        assert right.json()["partner"]["state"] == "confirmed"
        left = await http.post("/api/partners/county-so/leave", headers=csrf)
        assert left.json()["partner"]["state"] == "left"


async def test_an_agency_is_hosted_packed_and_unpacked(
    towns: tuple[Town, Town], state: Path
) -> None:
    city = towns[0]
    name = ["host", "village-pd", "--name", "Village Police", "--ori", "NM9990400"]
    url = (await city.told(*name)).splitlines()[0]
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"{url}/api/partners")).status_code == 401
    assert f"hosted here, {url}" in await city.told("list")
    assert "there already" in str((await city.say(*name)).exception)

    archive, home = state / "village.tar.gz", state / "home"
    digest = (await city.told("pack", str(archive), "--hosted", "village-pd")).splitlines()[0]
    assert "village-pd" not in await city.told("list")
    wrong = await asyncio.to_thread(_unpack, archive, home, "0" * 64)
    assert "not the archive that was packed" in str(wrong.exception)
    right = await asyncio.to_thread(_unpack, archive, home, digest)
    assert right.stdout.splitlines()[0] == digest
    assert (home / "state" / "keys" / "ledger.key").exists()


def _unpack(archive: Path, home: Path, digest: str) -> Result:
    return CliRunner().invoke(app, ["unpack", str(archive), str(home), "--digest", digest])


async def test_the_code_names_the_address_that_was_given(towns: tuple[Town, Town]) -> None:
    city, _ = towns
    code = Code.read(await city.told("invite", "--address", "https://rtcc.example.gov/"))
    assert code.address == "https://rtcc.example.gov"
    assert "web address" in str((await city.say("invite", "--address", "ftp://x")).exception)
