"""A person of a real provider at a real node: in, asked for a passkey, and put out everywhere."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.identity.authenticator import Authenticator
from tests.identity.providers import ROLE_CLAIM, RealProvider, real_provider
from tests.ports import free_port
from tests.running import Person, RunningNode, running_node, told

pytestmark = pytest.mark.node


@dataclass
class Street:
    node: RunningNode
    provider: RealProvider
    origin: str

    async def begin(self, http: httpx.AsyncClient, code: str | None = None) -> str:
        body = {"code": code} if code else {}
        answer = await http.post("/api/session/oidc/county/begin", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["address"])

    async def back(self, http: httpx.AsyncClient, address: str) -> httpx.Response:
        path = "/api/session/oidc/county/callback"
        return await http.get(path, params=self.provider.visit(address))

    async def sign_in(
        self,
        http: httpx.AsyncClient,
        sub: str,
        code: str | None = None,
        role: str = "rtcc-operators",
    ) -> Person:
        self.provider.next(sub, claims={"name": "Ana Ortiz", ROLE_CLAIM: role})
        back = await self.back(http, await self.begin(http, code))
        assert (back.status_code, back.headers["location"]) == (303, "/")
        return Person(http, (await http.get("/api/session")).json())

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(base_url=self.node.url, trust_env=False) as http:
            yield http

    async def invite(self, name: str, role: str) -> dict[str, Any]:
        body = {"name": name, "role": role}
        return dict((await self.node.admin("POST", "/api/admin/people", body)).json())


@pytest.fixture
async def street(state: Path, tmp_path: Path) -> AsyncIterator[Street]:
    """Not a demo: nobody comes in by a click."""
    port = free_port()
    origin = f"http://localhost:{port}"
    back = f"{origin}/api/session/oidc/county/callback"
    with real_provider(tmp_path, [back]) as provider:
        one = provider.by_rule()
        async with running_node(state, port, demo=False, oidc=(one,)) as node:
            yield Street(node, provider, origin)


async def test_the_day_of_a_person_who_signs_in_elsewhere(street: Street) -> None:
    async with street.browser() as http:
        offered = (await http.get("/api/session")).json()["providers"]
        assert offered == [{"id": "county", "name": "County sign-in"}]
        operator = await street.sign_in(http, "ana")
        session = operator.session
        assert (session["person"]["role"], session["provider"]) == ("operator", "county")
        assert (session["proved_at"], session["has_passkey"]) == (None, False)
        assert (await operator.get("/api/alerts")).status_code == 200
        await _suspended_within_seconds(street, operator)


async def _suspended_within_seconds(street: Street, operator: Person) -> None:
    person_id = operator.session["person"]["person_id"]
    async with operator.live() as live:
        await told(live, "hello")
        began = time.perf_counter()
        path = f"/api/admin/people/{person_id}/suspend"
        answer = await street.node.admin("POST", path, {"because": "review"})
        assert answer.json()["ended"] == 1
        assert (await operator.get("/api/alerts")).status_code == 401
        assert (await told(live, "closed"))["reason"] == "signed out"
        took_s = time.perf_counter() - began
        assert took_s < 5, took_s
        print(f"suspended: the live screen closed after {took_s:.2f} s")
    street.provider.next("ana", claims={ROLE_CLAIM: "rtcc-operators"})
    back = await street.back(operator.http, await street.begin(operator.http))
    assert back.headers["location"] == "/?sign-in=suspended"
    people = (await street.node.admin("GET", "/api/admin/people")).json()["people"]
    assert [one["suspended_at"] is not None for one in people] == [True]


async def test_a_providers_word_takes_nothing_out_until_a_passkey_is_shown(street: Street) -> None:
    code = (await street.invite("Lee Chavez", "auditor"))["code"]
    async with street.browser() as http:
        auditor = await street.sign_in(http, "lee", code, role="rtcc-auditors")
        refused = await auditor.get("/api/ledger/bundle")
        assert (refused.status_code, refused.json()["error"]) == (403, "sign_in_again")
        passkey = Authenticator(street.origin)
        options = await auditor.post("/api/session/passkeys/begin")
        made = await auditor.post(
            "/api/session/passkeys/finish", {"credential": passkey.register(options.json())}
        )
        assert made.status_code == 200, made.text
        assert (await auditor.get("/api/ledger/bundle")).status_code == 200
        proof = await auditor.post("/api/session/proof/begin")
        shown = passkey.sign_in(proof.json())
        again = await auditor.post("/api/session/proof/finish", {"credential": shown})
        assert again.status_code == 200
        twice = await auditor.post("/api/session/proof/finish", {"credential": shown})
        assert twice.json()["error"] == "stale_challenge"


async def test_who_gives_up_there_is_told_so_here(street: Street) -> None:
    async with street.browser() as http:
        street.provider.next(error="access_denied")
        back = await street.back(http, await street.begin(http))
        assert (back.status_code, back.headers["location"]) == (303, "/?sign-in=denied")
        assert (await http.get("/api/session")).status_code == 401
        lost = await http.get("/api/session/oidc/nowhere/callback", params={"state": "x"})
        assert lost.headers["location"] == "/?sign-in=no_provider"
        wrong = await http.post("/api/session/oidc/county/begin", json={"code": "WRONG"})
        assert (wrong.status_code, wrong.json()["error"]) == (403, "no_invitation")


async def _with_code(street: Street, http: httpx.AsyncClient, code: str) -> Authenticator:
    """A passkey made with an invitation, and its owner signed in by that."""
    passkey = Authenticator(street.origin)
    options = await http.post("/api/session/register/begin", json={"code": code})
    assert options.status_code == 200, options.text
    body = {"code": code, "credential": passkey.register(options.json())}
    made = await http.post("/api/session/register/finish", json=body)
    assert made.status_code == 200, made.text
    return passkey


async def _by_passkey(http: httpx.AsyncClient, passkey: Authenticator) -> httpx.Response:
    options = (await http.post("/api/session/passkey/begin")).json()
    body = {"credential": passkey.sign_in(options)}
    return await http.post("/api/session/passkey/finish", json=body)


async def test_whoever_finds_a_lost_key_finds_it_worth_nothing(street: Street) -> None:
    made = await street.invite("Jo Example", "operator")
    path = f"/api/admin/people/{made['person_id']}"
    async with street.browser() as http, street.browser() as finder:
        lost = await _with_code(street, http, made["code"])
        assert (await _by_passkey(finder, lost)).status_code == 200
        assert (await finder.get("/api/alerts")).status_code == 200
        answer = await street.node.admin("POST", f"{path}/suspend", {"because": "lost_key"})
        assert answer.json()["ended"] == 2
        assert (await finder.get("/api/alerts")).status_code == 401
        restored = await street.node.admin("POST", f"{path}/restore")
        assert restored.json()["passkeys"] == 0
        again = await _by_passkey(finder, lost)
        assert (again.status_code, again.json()["error"]) == (403, "unknown_passkey")
        known = {"name": "Jo Example", "role": "operator", "person_id": made["person_id"]}
        code = (await street.node.admin("POST", "/api/admin/people", known)).json()["code"]
        new = await _with_code(street, http, code)
        assert (await _by_passkey(http, new)).status_code == 200
        session = (await http.get("/api/session")).json()
        assert session["person"]["person_id"] == made["person_id"]


async def test_after_a_lost_key_the_provider_leads_to_a_new_first_passkey(street: Street) -> None:
    async with street.browser() as http:
        ana = await street.sign_in(http, "ana")
        lost = Authenticator(street.origin)
        options = await ana.post("/api/session/passkeys/begin")
        body = {"credential": lost.register(options.json())}
        assert (await ana.post("/api/session/passkeys/finish", body)).status_code == 200
        path = f"/api/admin/people/{ana.session['person']['person_id']}"
        await street.node.admin("POST", f"{path}/suspend", {"because": "lost_key"})
        await street.node.admin("POST", f"{path}/restore")
        assert (await _by_passkey(http, lost)).json()["error"] == "unknown_passkey"
        ana = await street.sign_in(http, "ana")
        assert ana.session["has_passkey"] is False
        options = await ana.post("/api/session/passkeys/begin")
        body = {"credential": Authenticator(street.origin).register(options.json())}
        assert (await ana.post("/api/session/passkeys/finish", body)).status_code == 200


async def test_a_suspension_for_another_reason_leaves_the_passkey(street: Street) -> None:
    made = await street.invite("Jo Example", "operator")
    path = f"/api/admin/people/{made['person_id']}"
    async with street.browser() as http:
        passkey = await _with_code(street, http, made["code"])
        await street.node.admin("POST", f"{path}/suspend", {"because": "review"})
        assert (await _by_passkey(http, passkey)).json()["error"] == "suspended"
        assert (await street.node.admin("POST", f"{path}/restore")).json()["passkeys"] == 1
        assert (await _by_passkey(http, passkey)).status_code == 200
