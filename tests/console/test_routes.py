"""Every route there is: who comes in without a name, without a token, without a permit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from litestar.routes import HTTPRoute

from farolito.app.for_screens import services_of
from farolito.console import make_app
from farolito.console.app import PAGES
from tests.running import RunningNode

pytestmark = [pytest.mark.node, pytest.mark.asyncio(loop_scope="module")]

# What anybody may ask: pages and their parts, the way in, whether the web lives, and what is
# published: figures with small counts hidden. No other data.
OPEN = {
    "/": "the page", **dict.fromkeys((f"/{name}" for name in PAGES), "the page"),
    "/sw.js": "the page's own worker",
    "/brief.webmanifest": "its name",
    "/api/words": "words, no fact", "/api/words/plate": "words, no fact",
    "/favicon.svg": "a picture", "/favicon.ico": "the same", "/livez": "that the web answers",
    "/api/session/demo": "the way in", "/api/session/passkey/begin": "the way in",
    "/api/session/passkey/finish": "the way in", "/api/session/register/begin": "the way in",
    "/api/session/register/finish": "the way in",
    "/api/session/oidc/plate/begin": "the way in", "/api/session/oidc/plate/callback": "the way in",
    "/public/shots": "published figures", "/public/shots.json": "published figures",
    "/public": "published figures", "/public/plate": "published figures",
    "/api/federation/join": "the way in of a neighbour's node, by a code that works once",
    "/api/tour": "the practice metro's walk, on its own machine", "/api/tour/again": "the same",
    "/api/tour/plate": "the same",
}  # fmt: skip
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


def routes(node: RunningNode) -> Iterator[tuple[str, str]]:
    """(method, path) of every route of the web, with made-up values for its variables."""
    app = make_app(services_of(node.node))
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method in route.methods - {"OPTIONS", "HEAD"}:
                yield method, filled(route.path)


def filled(path: str) -> str:
    values = {"uuid": str(uuid4()), "int": "1", "str": "plate"}
    return re.sub(r"{\w+:(\w+)}", lambda found: values[found[1]], path)


async def test_there_are_routes_to_walk(shared_node: RunningNode) -> None:
    found = set(routes(shared_node))
    assert len(found) > 30
    assert {path for _, path in found} >= set(OPEN)


async def test_a_stranger_gets_nothing_but_the_way_in(shared_node: RunningNode) -> None:
    async with httpx.AsyncClient(base_url=shared_node.url, trust_env=False) as stranger:
        for method, path in routes(shared_node):
            if path in OPEN:
                continue
            for body in (None, {}, {"reason": "x", "version": 1, "crop_compared": True}):
                answer = await stranger.request(method, path, json=body)
                assert answer.status_code == 401, (method, path, body, answer.text)


async def test_an_unsafe_request_needs_our_own_pages_token(shared_node: RunningNode) -> None:
    operator = await shared_node.sign_in("operator")
    walked = 0
    for method, path in routes(shared_node):
        if method not in UNSAFE or path in OPEN or path.startswith("/api/admin/"):
            continue
        for token in (None, "", "0" * 32, "ñ"):
            headers = {} if token is None else {b"X-Farolito-CSRF": token.encode()}
            answer = await operator.http.request(method, path, json={}, headers=headers)
            assert answer.status_code == 403, (method, path, answer.text)
            assert answer.json()["error"] == "forged"
        walked += 1
    assert walked >= 8
    assert (await operator.get("/api/alerts")).status_code == 200, "and is still signed in"


async def test_a_persons_sign_in_opens_no_administration(shared_node: RunningNode) -> None:
    operator = await shared_node.sign_in("operator")
    for method, path in routes(shared_node):
        if path.startswith("/api/admin/"):
            answer = await operator.post(path) if method == "POST" else await operator.get(path)
            assert answer.status_code == 401, (method, path)


async def test_every_answer_forbids_frames_and_foreign_hosts(shared_node: RunningNode) -> None:
    operator = await shared_node.sign_in("operator")
    for path in ("/", "/livez", "/api/alerts", "/api/nothing-here"):
        headers = (await operator.get(path)).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/tiles/../keys/ledger.key", "/tiles/%2e%2e/admin.token", "/assets/../../admin.token",
             "/tiles/..%2fadmin.token", "/tiles//etc/passwd"],
)  # fmt: skip
async def test_no_path_leads_out_of_the_served_folders(shared_node: RunningNode, path: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as stranger:
        url = httpx.URL(shared_node.url).copy_with(raw_path=path.encode())
        answer = await stranger.get(url)
    assert answer.status_code in {400, 404}
    assert shared_node.admin_token not in answer.text


@pytest.mark.parametrize(
    "body", [b"{", b"null", b"[]", b'{"version": "x"}', b'{"version": 1e400}', b"\xff"]
)
async def test_a_wrong_body_is_named_not_a_fault(shared_node: RunningNode, body: bytes) -> None:
    operator = await shared_node.sign_in("operator")
    headers = {
        "X-Farolito-CSRF": operator.session["csrf"],
        "Content-Type": "application/json",
    }
    for method, path in routes(shared_node):
        if method != "POST" or path in OPEN or path.startswith("/api/admin/"):
            continue
        answer = await operator.http.post(path, content=body, headers=headers)
        assert 400 <= answer.status_code < 500, (path, body, answer.text)
        assert answer.json()["says"]


@pytest.mark.parametrize(
    "path",
    ["/api/stopped?limit=-1", "/api/stopped?limit=x", "/api/dead-letters?limit=-5",
     "/api/find?q=%00", "/api/find?q=%F0%9F%9A%97", "/api/find?q=" + "A" * 3000,
     "/api/stopped?limit=99999999999999999999"],
)  # fmt: skip
async def test_a_wrong_question_is_named_not_a_fault(shared_node: RunningNode, path: str) -> None:
    operator = await shared_node.sign_in("operator")
    answer = await operator.get(path)
    assert answer.status_code < 500, answer.text


@pytest.mark.parametrize(
    "path",
    ["/api/ledger?after=-99", "/api/ledger?after=99999999999999999999", "/api/ledger?limit=-1",
     "/api/ledger?limit=0", "/api/ledger/bundle?first=-5", "/api/ledger/bundle?first=999999999",
     "/api/ledger/bundle?first=5&last=2", "/api/ledger/bundle?last=99999999999999999999"],
)  # fmt: skip
async def test_a_wrong_question_to_the_ledger_is_named(shared_node: RunningNode, path: str) -> None:
    auditor = await shared_node.sign_in("auditor")
    answer = await auditor.get(path)
    assert answer.status_code < 500, answer.text


async def test_a_fault_of_ours_is_said_in_our_own_shape_and_tells_nothing(
    shared_node: RunningNode, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def falls(*_: Any) -> None:
        raise AssertionError("SECRET12")

    monkeypatch.setattr(shared_node.node.identity, "whoami", falls)
    async with httpx.AsyncClient(base_url=shared_node.url, trust_env=False) as person:
        answer = await person.get("/api/alerts")
    assert answer.status_code == 500
    assert answer.json()["says"]
    assert "SECRET12" not in answer.text
    assert "AssertionError" in caplog.text, "whoever is on call hears of it"
    assert "SECRET12" not in caplog.text
