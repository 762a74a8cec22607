"""The dispatch system's line is patient and in order; officers' phones read and answer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest
import uvicorn
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from farolito.identity import CREW, PERSONAS
from farolito.model import Role, UnitId, UnitStatus
from farolito.simulator import phones
from farolito.simulator.cad_line import WAITING_MAX, CadLine
from farolito.simulator.cad_message import CadMessage
from farolito.simulator.dispatcher import Errand
from farolito.simulator.patrol import STEADY, UNITS
from farolito.simulator.phones import Phone
from tests.ports import free_port
from tests.running import until
from tests.simulator.test_calls import SECRET

UNIT = UnitId("2A21")
BRIEF = {"brief_id": "0192e1a0-0000-7000-8000-000000000001", "version": 1, "call": "26-1",
         "incident_id": "0192e1a0-0000-7000-8000-000000000002"}  # fmt: skip


class Node:
    """A listener that keeps what it was told; `statuses` are its first answers to the CAD."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.numbers: list[str] = []
        self.beats = 0
        self.ids: list[str] = []
        self.posts: list[tuple[str, dict[str, Any], str]] = []
        self.sign_ins = 0
        self.refuses_sign_in = 0
        self.lines: list[WebSocket] = []

    async def cad(self, request: Request) -> Response:
        body = await request.body()
        event = Webhook(SECRET).verify(body, dict(request.headers))
        assert request.query_params["device"] == "cad"
        if event["type"].endswith("heartbeat"):
            self.beats += 1
            return JSONResponse({}, 202)
        self.ids.append(request.headers["webhook-id"])
        status = self.statuses.pop(0) if self.statuses else 202
        if status == 202:
            self.numbers.append(event["data"]["number"])
        return JSONResponse({}, status)

    async def sign_in(self, request: Request) -> Response:
        self.sign_ins += 1
        if self.refuses_sign_in:
            self.refuses_sign_in -= 1
            return JSONResponse({}, 503)
        answer = JSONResponse({"csrf": "token"})
        answer.set_cookie("farolito", "officer")
        return answer

    async def brief(self, request: Request) -> Response:
        word = request.url.path.rpartition("/")[2]
        assert request.headers["x-farolito-csrf"] == "token"
        self.posts.append((word, await request.json(), request.headers["cookie"]))
        return JSONResponse({})

    async def live(self, line: WebSocket) -> None:
        await line.accept()
        self.lines.append(line)
        while (await line.receive())["type"] != "websocket.disconnect":
            pass

    async def tell(self, seq: int = 1, **brief: Any) -> None:
        told = {"k": "brief", "seq": seq, "brief": {**BRIEF, **brief}}
        await self.lines[-1].send_text(msgspec.json.encode(told).decode())

    def said(self) -> list[str]:
        return [told["kind"] for _, told, _ in self.posts]


@asynccontextmanager
async def serving(node: Node, port: int | None = None) -> AsyncIterator[str]:
    app = Starlette(
        routes=[
            Route("/ingest/cad/cloudevents", node.cad, methods=["POST"]),
            Route("/api/session/demo", node.sign_in, methods=["POST"]),
            Route("/api/briefs/{brief}/{word}", node.brief, methods=["POST"]),
            WebSocketRoute("/api/live", node.live),
        ]
    )
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port or 0))
    config = uvicorn.Config(
        app, log_level="error", lifespan="off", ws="websockets-sansio",
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


@asynccontextmanager
async def running(*works: Any) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def said(number: int) -> CadMessage:
    return CadMessage(number=f"26-{number}", sent_at=datetime.now(UTC))


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """People with quick hands, and lines that try again at once."""
    for name in ("DELIVERED_S", "OPENED_S", "HEARD_S", "TAPS_S", "PAUSE_S"):
        monkeypatch.setattr(phones, name, (0.01, 0.02))
    monkeypatch.setattr(phones, "TAPS", 1.0)
    monkeypatch.setattr(phones, "LOOKS_S", 0.01)
    monkeypatch.setattr(phones, "SIGNS_IN_S", 0.01)


async def test_updates_arrive_in_order_and_once_though_the_node_was_busy() -> None:
    node = Node(503, 202, 429, 503, 202)
    async with serving(node) as url, httpx.AsyncClient(base_url=url) as client:
        line = CadLine(client, SECRET)
        for number in range(5):
            line.say(said(number))
        async with running(line.run(), line.beat()):
            await until(lambda: line.kept.accepted == 5 and node.beats > 0)
    assert node.numbers == [f"26-{n}" for n in range(5)]
    assert len(set(node.ids)) == 5  # an update told again has the same id


async def test_a_refused_update_does_not_hold_up_the_next() -> None:
    node = Node(422)
    async with serving(node) as url, httpx.AsyncClient(base_url=url) as client:
        line = CadLine(client, SECRET)
        line.say(said(1))
        line.say(said(2))
        async with running(line.run()):
            await until(lambda: line.kept.accepted == 1)
    assert (line.kept.rejected, node.numbers) == (1, ["26-2"])


async def test_what_the_node_missed_while_away_is_bounded_and_told_later() -> None:
    port, node = free_port(), Node()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        line = CadLine(client, SECRET)
        for number in range(WAITING_MAX + 3):
            line.say(said(number))
        assert line.kept.dropped == 3
        async with running(line.run()), serving(node, port):
            await until(lambda: len(node.numbers) >= 20)
    assert node.numbers[0] == "26-3"


async def test_a_phone_reads_its_brief_and_tells_what_the_officer_does() -> None:
    node, errand = Node(), [Errand("26-1", UnitStatus.ASSIGNED)]
    async with serving(node) as url:
        phone = Phone(url, "officer-2a21", UNIT, lambda _: errand[0] if errand else None, 7)
        async with running(phone.run()):
            await until(lambda: bool(node.lines))
            await node.tell()
            await until(lambda: "heard" in node.said())
            errand[0] = Errand("26-1", UnitStatus.EN_ROUTE)
            await until(lambda: "en_route" in node.said())
            await node.tell(version=2)
            await until(lambda: node.said().count("heard") == 2)
            errand[0] = Errand("26-1", UnitStatus.ON_SCENE)
            await until(lambda: "on_scene" in node.said())
            errand.clear()
            await until(lambda: "clear" in node.said())
    words = node.said()
    assert words[:3] == ["delivered", "opened", "heard"]
    assert [w for w in words if w in ("en_route", "on_scene", "clear")] == [
        "en_route", "on_scene", "clear",
    ]  # fmt: skip
    receipts = [told for word, told, _ in node.posts if word == "receipt"]
    assert {r["version"] for r in receipts} == {1, 2}
    answers = [told for word, told, _ in node.posts if word == "answer"]
    assert len({a["answer_id"] for a in answers}) == 3
    assert all("tapped_at" in a for a in answers)
    assert all(cookie == "farolito=officer" for _, _, cookie in node.posts)


async def test_a_unit_that_is_on_another_call_is_done_with_the_first() -> None:
    node, errand = Node(), [Errand("26-1", UnitStatus.EN_ROUTE)]
    async with serving(node) as url:
        phone = Phone(url, "officer-2a21", UNIT, lambda _: errand[0], 7)
        async with running(phone.run()):
            await until(lambda: bool(node.lines))
            await node.tell()
            await until(lambda: "en_route" in node.said())
            errand[0] = Errand("26-2", UnitStatus.ASSIGNED)
            await until(lambda: "clear" in node.said())
    assert "on_scene" not in node.said()


async def test_a_phone_comes_back_after_a_refusal_and_after_a_lost_line() -> None:
    port, node = free_port(), Node()
    node.refuses_sign_in = 1
    url = f"http://127.0.0.1:{port}"
    phone = Phone(url, "officer-2a21", UNIT, lambda _: None, 7)
    async with running(phone.run()), serving(node, port):
        await until(lambda: len(node.lines) == 1)
        await node.tell(seq=41)
        await until(lambda: "opened" in node.said())
        await node.lines[0].close()
        await until(lambda: len(node.lines) == 2)
    assert node.sign_ins == 3
    assert [line.query_params.get("after") for line in node.lines] == [None, "41"]


def test_each_practice_unit_but_the_persons_has_an_officer_of_its_own() -> None:
    assert {p.unit for p in CREW} == set(UNITS) - {STEADY}
    assert all(p.hidden and p.role is Role.OFFICER for p in CREW)
    assert len({p.name for p in (*CREW, *PERSONAS)}) == len(CREW) + len(PERSONAS)
    assert not any(p.hidden for p in PERSONAS)
