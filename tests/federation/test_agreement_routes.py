"""Agreements over the API, as the screens and the command line meet them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import MISSING, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec
import pytest

from farolito.app.clock import ids
from farolito.console import Services, make_app
from farolito.federation.signatures import File, check
from farolito.identity import Identity
from tests.federation.agreeing import ORIGIN, Desk
from tests.federation.neighbours import Neighbours
from tests.federation.test_aid import incident

ADMIN_TOKEN = "token of the node"


class Web:
    """The city's console in a demo, asked in this process."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        self.desk = desk
        side = desk.side
        identity = Identity(
            side.database, "localhost", [ORIGIN], side.clock, lambda n: ids().bytes * (n // 16 + 1),
            demo=True, agency=side.agency_id,
        )  # fmt: skip
        known: dict[str, Any] = {
            "agency": side.agency, "node_name": "test", "version": "0", "demo": True,
            "origin": ORIGIN, "gate": side.gate, "identity": identity, "clock": side.clock,
            "ids": ids, "admin_token": ADMIN_TOKEN, "tiles": folder / "tiles",
            "web": folder / "web",
            "agreements": desk.console,
        }  # fmt: skip
        others = {one.name: None for one in fields(Services) if one.default is MISSING}
        app = make_app(Services(**{**others, **known}))
        self.transport = httpx.ASGITransport(cast(Any, app), client=("127.0.0.1", 5))
        self._open: list[httpx.AsyncClient] = []

    async def sign_in(self, persona: str) -> httpx.AsyncClient:
        http = httpx.AsyncClient(transport=self.transport, base_url=ORIGIN)
        self._open.append(http)
        answer = await http.post("/api/session/demo", json={"persona": persona})
        assert answer.status_code == 200, answer.text
        http.headers["X-Farolito-CSRF"] = answer.json()["csrf"]
        return http

    async def close(self) -> None:
        for http in self._open:
            await http.aclose()


@pytest.fixture
async def web(neighbours: Neighbours, tmp_path: Path) -> AsyncIterator[Web]:
    made = Web(Desk(neighbours.city, demo=True), tmp_path)
    yield made
    await made.close()


def terms(web: Web, **more: Any) -> dict[str, Any]:
    now = web.desk.side.clock()
    return {
        "grantee": "county-so",
        "title": "Plates at the county line",
        "text": "So that a stolen car does not vanish.",
        "classes": {"plate_read": "full", "alert": "pointer"},
        "sharing": ["ask", "follow"],
        "purposes": ["criminal_investigation"],
        "roles": ["detective"],
        "starts": now.isoformat(),
        "expires": (now + timedelta(days=30)).isoformat(),
        "keep_days": 7,
        "zones": [
            {
                "name": "North end",
                "ring": [
                    {"lat": 35.1, "lon": -106.6},
                    {"lat": 35.2, "lon": -106.6},
                    {"lat": 35.2, "lon": -106.5},
                ],
            }
        ],
        "hours": [{"days": [0, 1, 2, 3, 4], "since": "07:00", "until": "19:00"}],
    } | more


async def test_from_draft_to_its_end(web: Web) -> None:
    admin, supervisor = await web.sign_in("admin"), await web.sign_in("supervisor")
    made = await admin.post("/api/agreements", json=terms(web))
    assert made.status_code == 201, made.text
    path = f"/api/agreements/{made.json()['agreement_id']}"
    trial = await supervisor.get(f"{path}/simulation?days=30")
    assert trial.json().keys() >= {"asked", "gains", "losses", "permit"}
    for who, state in ((admin, "proposed"), (supervisor, "in_force")):
        assert (await who.post(f"{path}/sign-options", json={})).json() == {"demo": True}
        signed = await who.post(f"{path}/sign", json={"credential": None})
        assert signed.json()["state"] == state, signed.text
    shown = (await supervisor.get("/api/agreements")).json()
    [one] = shown["given"]
    assert shown["received"] == []
    assert (one["grantor_name"], one["zones"]) == ("City Police", ["North end"])
    assert one["classes"] == {"plate_read": "full", "alert": "pointer"}
    assert one["hours"] == [{"days": [0, 1, 2, 3, 4], "since": "07:00:00", "until": "19:00:00"}]
    assert [(s["name"], s["demo"]) for s in one["signatures"]][1] == ("Dolores Aragon", True)
    assert (one["can_sign"], one["told"], one["purge"]) == (False, "waiting", None)
    ended = await supervisor.post(f"{path}/revoke", json={"because": "misuse"})
    assert (ended.json()["state"], ended.json()["revoked_by"]) == ("revoked", "city-pd")


async def test_who_may_not_is_told_so(web: Web) -> None:
    admin, auditor = await web.sign_in("admin"), await web.sign_in("auditor")
    made = (await admin.post("/api/agreements", json=terms(web))).json()
    assert (await auditor.get("/api/agreements")).status_code == 200
    for path, body in (
        ("/api/agreements", terms(web)),
        (f"/api/agreements/{made['agreement_id']}/sign", {"credential": None}),
        (f"/api/agreements/{made['agreement_id']}/revoke", {"because": "misuse"}),
    ):
        said = await auditor.post(path, json=body)
        assert said.status_code == 403, said.text
        assert said.json()["permit"] is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"classes": {"everything": "full"}},
        {"classes": {}},
        {"keep_days": 400},
        {"expires": "2036-01-01T00:00:00Z"},
        {"starts": "2026-11-23T10:00:00"},
        {"grantor": "county-so"},
        {"hop_limit": 1},
        {"hours": [{"days": [7], "since": "07:00", "until": "19:00"}]},
    ],
)
async def test_terms_that_are_none_are_refused(web: Web, wrong: dict[str, Any]) -> None:
    admin = await web.sign_in("admin")
    said = await admin.post("/api/agreements", json=terms(web, **wrong))
    assert said.status_code in (400, 422), said.text


async def test_a_reason_is_chosen_and_never_typed(web: Web) -> None:
    admin = await web.sign_in("admin")
    made = (await admin.post("/api/agreements", json=terms(web))).json()
    path = f"/api/agreements/{made['agreement_id']}/revoke"
    said = await admin.post(path, json={"because": "they know why"})
    assert said.status_code in (400, 422)


async def test_an_operator_opens_an_incident_by_one_press(web: Web) -> None:
    operator = await web.sign_in("operator")
    path = f"/api/incidents/{await incident(web.desk)}/aid"
    made = await operator.post(path, json={"partner": "county-so", "hours": 2})
    assert made.status_code == 201, made.text
    assert (made.json()["state"], made.json()["signatures"]) == ("in_force", [])
    end = f"/api/agreements/{made.json()['agreement_id']}/revoke"
    assert (await operator.post(end, json={"because": "aid_over"})).json()["state"] == "revoked"


async def test_the_command_line_has_the_whole_file_to_check(web: Web) -> None:
    admin, supervisor = await web.sign_in("admin"), await web.sign_in("supervisor")
    made = (await admin.post("/api/agreements", json=terms(web))).json()
    for who in (admin, supervisor):
        await who.post(f"/api/agreements/{made['agreement_id']}/sign", json={"credential": None})
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with httpx.AsyncClient(transport=web.transport, base_url=ORIGIN) as http:
        path = f"/api/admin/agreements/{made['agreement_id']}"
        file = (await http.get(f"{path}/file", headers=headers)).content
        stranger = await http.get("/api/admin/agreements")
        ended = await http.post(f"{path}/revoke", json={"because": "law"}, headers=headers)
    found = msgspec.json.decode(file, type=File)
    assert found.grantor_key == web.desk.side.card.key
    check(found.signed, found.grantor_key, web.desk.rules.parse, demo=True)
    assert stranger.status_code == 401
    assert ended.json()["state"] == "revoked"
