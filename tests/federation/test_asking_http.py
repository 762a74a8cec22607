"""A search as screens ask for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import MISSING, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from farolito.app.clock import ids
from farolito.console import Services, make_app
from farolito.identity import Identity
from tests.federation.askers import PLATE, Askers
from tests.federation.neighbours import START, Neighbours
from tests.federation.reads import seen

ORIGIN = "http://localhost:8700"
FOR_A_CASE = {"X-Farolito-Purpose": "criminal_investigation", "X-Farolito-Case": "2026-0117"}


class Web:
    """The sheriff's screens, asked in this process."""

    def __init__(self, askers: Askers, folder: Path) -> None:
        self.askers = askers
        asker = askers.sheriff
        side = asker.side
        identity = Identity(
            side.database, "localhost", [ORIGIN], side.clock, lambda n: ids().bytes * (n // 16 + 1),
            demo=True, agency=side.agency_id,
        )  # fmt: skip
        known: dict[str, Any] = {
            "agency": side.agency, "node_name": "test", "version": "0", "demo": True,
            "origin": ORIGIN, "gate": side.gate, "identity": identity, "clock": side.clock,
            "ids": ids, "admin_token": "", "search": asker.search, "asked": asker.answers.asked,
            "tiles": folder / "tiles", "web": folder / "web",
        }  # fmt: skip
        others = {one.name: None for one in fields(Services) if one.default is MISSING}
        app = make_app(Services(**{**others, **known}))
        transport = httpx.ASGITransport(cast(Any, app), client=("127.0.0.1", 5))
        self.http = httpx.AsyncClient(transport=transport, base_url=ORIGIN)

    async def sign_in(self, persona: str) -> None:
        answer = await self.http.post("/api/session/demo", json={"persona": persona})
        assert answer.status_code == 200, answer.text
        self.http.headers["X-Farolito-CSRF"] = answer.json()["csrf"]

    async def search(self, headers: dict[str, str] = FOR_A_CASE, **more: Any) -> httpx.Response:
        body = {"plate": PLATE, "since_h": 48, **more}
        return await self.http.post("/api/search/plate", json=body, headers=headers)


@pytest.fixture
async def web(neighbours: Neighbours, tmp_path: Path) -> AsyncIterator[Web]:
    made = Web(Askers(neighbours), tmp_path)
    await made.sign_in("detective")
    yield made
    await made.http.aclose()


async def test_each_owner_has_its_line_and_the_own_one_comes_first(web: Web) -> None:
    askers = web.askers
    by = askers.agree(askers.city, askers.sheriff)
    mine, theirs = await seen(askers.sheriff.side, PLATE), await seen(askers.city.side, PLATE)
    askers.neighbours.cut(askers.sheriff.side, askers.pueblo.side)
    askers.agree(askers.pueblo, askers.sheriff)
    answer = await web.search(owners=["city-pd", "pueblo-pd"])
    assert answer.status_code == 200, answer.text
    told = answer.json()
    lines = [
        (o["agency_id"], o["state"], [r["read_id"] for r in o["reads"]]) for o in told["owners"]
    ]
    assert lines == [
        ("county-so", "answered", [str(mine.read_id)]),
        ("city-pd", "answered", [str(theirs.read_id)]),
        ("pueblo-pd", "away", []),
    ]
    (read,) = told["owners"][1]["reads"]
    assert read["own"] is False
    assert read["provenance"] == {
        "owner": "city-pd", "agreement_id": str(by), "hop_limit": 0,
        "keep_until": (START + timedelta(days=7)).isoformat().replace("+00:00", "Z"),
    }  # fmt: skip
    assert {"name", "reason", "says", "do", "contact", "permit", "ms"} <= set(told["owners"][1])
    entry = await askers.sheriff.side.ledger.entry(told["permit"])
    assert b'"decision":"permit"' in entry


async def test_a_search_without_a_case_is_refused_with_its_entry(web: Web) -> None:
    headers = {"X-Farolito-Purpose": "criminal_investigation"}
    answer = await web.search(headers)
    assert (answer.status_code, answer.json()["error"]) == (403, "case")
    assert answer.json()["permit"] is not None


@pytest.mark.parametrize(
    "body",
    [
        {"plate": "???"},
        {"plate": "ABCDEFGH12345"},
        {"since_h": 0},
        {"since_h": 1e9},
        {"state": "Atlantis"},
        {"owners": [f"agency-{n}" for n in range(40)]},
        {"approved_by": "a friend"},
    ],
)
async def test_what_is_no_question_is_told_so(web: Web, body: dict[str, Any]) -> None:
    answer = await web.search(**body)
    assert answer.status_code in {400, 422}, answer.text


async def test_who_can_be_asked_is_told_with_agreements_and_purposes(web: Web) -> None:
    askers = web.askers
    by = askers.agree(askers.city, askers.sheriff)
    told = (await web.http.get("/api/search/owners", headers=FOR_A_CASE)).json()
    assert (told["own"]["agency_id"], told["owners_max"]) == ("county-so", 5)
    owners = {o["agency_id"]: o for o in told["owners"]}
    assert owners["city-pd"]["purposes"] == ["criminal_investigation"]
    assert [a["agreement_id"] for a in owners["city-pd"]["agreements"]] == [str(by)]
    assert owners["pueblo-pd"]["agreements"] == []


async def test_the_owner_reads_who_asked_in_counts(web: Web) -> None:
    """Asked here by the city; the sheriff's administrator looks."""
    askers = web.askers
    askers.agree(askers.sheriff, askers.city)
    await askers.city.one(askers.sheriff)
    answer = await web.http.get("/api/search/asked")
    assert answer.status_code == 403  # not a detective's
    await web.sign_in("admin")
    told = (await web.http.get("/api/search/asked?days=2")).json()
    assert told["asked"] == [
        {"asker": "city-pd", "day": "2026-11-23", "outcome": "nothing", "questions": 1, "reads": 0}
    ]


async def test_strangers_search_nothing(web: Web) -> None:
    web.http.cookies.clear()
    assert (await web.search()).status_code == 401
    assert (await web.http.get("/api/search/owners")).status_code == 401
