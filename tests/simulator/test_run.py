"""The practice metro is a patient sender: it tries again, gives up what is refused, and stops."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvicorn
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from farolito.model import DeviceId
from farolito.simulator.run import AVL_KEY, Access, Driven, drive
from farolito.simulator.score import read_calls, read_truth
from farolito.simulator.world import SimulatorConfig, World, make_world
from tests.running import until
from tests.simulator.test_calls import SECRET


class Node:
    """A listener that answers as told and remembers who knocked."""

    def __init__(self, *answers: Response) -> None:
        self._answers = list(answers)
        self.knocks: list[tuple[str, str, str]] = []
        self.positions: list[dict[str, object]] = []
        self.heard = asyncio.Event()
        self.heard_avl = asyncio.Event()
        self.calls: set[str] = set()

    async def reads(self, request: Request) -> Response:
        await request.body()
        head = request.headers
        self.knocks.append((request.url.path, head["content-type"], head["authorization"]))
        if self._answers:
            return self._answers.pop(0)
        self.heard.set()
        return JSONResponse({"accepted": 1}, 202)

    async def avl(self, request: Request) -> Response:
        self.positions = await request.json()
        self.heard_avl.set()
        return JSONResponse({"accepted": len(self.positions)}, 202)

    async def cad(self, request: Request) -> Response:
        told = Webhook(SECRET).verify(await request.body(), dict(request.headers))
        self.calls |= {told["data"]["number"]} if "data" in told else set()
        return JSONResponse({"accepted": 1}, 202)


@asynccontextmanager
async def serving(node: Node) -> AsyncIterator[str]:
    app = Starlette(
        routes=[
            Route("/ingest/avl/farolito", node.avl, methods=["POST"]),
            Route("/ingest/lpr/{form}", node.reads, methods=["POST"]),
            Route("/ingest/cad/cloudevents", node.cad, methods=["POST"]),
        ]
    )
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


@pytest.fixture(scope="module")
def busy_world() -> World:
    """A metro that began a minute ago, so that there is something to send at once."""
    start = datetime.now(UTC) - timedelta(seconds=60)
    return make_world(SimulatorConfig(start=start, vehicles=6_000, readers=30, list_rows=100))


async def driven_until_heard(world: World, node: Node, truth: Path) -> Driven:
    keys = {d.device_id: f"key-{d.device_id}" for d in world.devices}
    keys[AVL_KEY] = "key-avl"
    stop = asyncio.Event()
    async with serving(node) as url:
        drive_task = asyncio.create_task(drive(world, url, Access(keys=keys), stop, truth))
        async with asyncio.timeout(40):
            await asyncio.gather(node.heard.wait(), node.heard_avl.wait())
        stop.set()
        async with asyncio.timeout(20):
            return await drive_task


async def test_readers_use_their_own_doors_and_keys(busy_world: World, tmp_path: Path) -> None:
    node = Node()
    driven = await driven_until_heard(busy_world, node, tmp_path / "truth.jsonl")
    formats = {str(d.device_id): d.format for d in busy_world.devices}
    for path, _, authorization in node.knocks:
        reader = authorization.removeprefix("Bearer key-")
        assert path == f"/ingest/lpr/{formats[reader]}"
    assert driven.accepted >= 1
    assert driven.rejected == 0


async def test_patrol_units_report_where_they_are(busy_world: World, tmp_path: Path) -> None:
    node = Node()
    await driven_until_heard(busy_world, node, tmp_path / "truth.jsonl")
    assert [p["unit"] for p in node.positions] == list(busy_world.config.units)
    fields = {"unit", "lat", "lon", "at", "heading_deg", "speed_mps"}
    assert all(set(p) == fields for p in node.positions)


async def test_a_busy_node_gets_the_message_again(busy_world: World, tmp_path: Path) -> None:
    busy = [Response(status_code=503, headers={"Retry-After": "0"}) for _ in range(3)]
    driven = await driven_until_heard(busy_world, Node(*busy), tmp_path / "truth.jsonl")
    assert driven.retried >= 3
    assert driven.rejected == 0


async def test_a_refused_message_is_not_sent_again(busy_world: World, tmp_path: Path) -> None:
    refused = [JSONResponse({"error": "masked_plate"}, 422) for _ in range(2)]
    driven = await driven_until_heard(busy_world, Node(*refused), tmp_path / "truth.jsonl")
    assert driven.rejected == 2
    assert driven.retried == 0


async def test_the_truth_is_written_apart_and_can_be_read_back(
    busy_world: World, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.jsonl"
    await driven_until_heard(busy_world, Node(), truth)
    told = read_truth(truth)
    assert told
    assert all(t.plate and t.at >= busy_world.config.start for t in told)
    assert all(json.loads(line) for line in truth.read_text().splitlines())


async def test_calls_reach_their_door_and_their_truth_the_book(
    busy_world: World, tmp_path: Path
) -> None:
    node, stop, truth = Node(), asyncio.Event(), tmp_path / "truth.jsonl"
    async with serving(node) as url:
        access = Access(keys={}, cad_secret=SECRET)
        task = asyncio.create_task(drive(busy_world, url, access, stop, truth))
        await until(lambda: len(node.calls) >= 2)
        stop.set()
        async with asyncio.timeout(20):
            driven = await task
    assert driven.cad.accepted >= 2
    assert driven.cad.rejected == 0
    told = read_calls(truth)
    assert node.calls <= {t.number for t in told}
    assert told[0].event == "story-1"
    assert all(t.plate for t in read_truth(truth))


async def test_a_reader_without_a_key_stays_silent(busy_world: World, tmp_path: Path) -> None:
    node, stop, truth = Node(), asyncio.Event(), tmp_path / "truth.jsonl"
    async with serving(node) as url:
        keys = {AVL_KEY: "key-avl", DeviceId("nobody"): "key"}
        task = asyncio.create_task(drive(busy_world, url, Access(keys=keys), stop, truth))
        async with asyncio.timeout(20):
            await node.heard_avl.wait()
        stop.set()
        async with asyncio.timeout(20):
            await task
    assert node.knocks == []
