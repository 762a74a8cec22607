"""A door in a process of its own takes in what the node's own door does."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import httpx
import msgspec
import pytest

from farolito.app.supervise import ChildStatus
from tests.ports import free_port
from tests.running import RunningNode, read, running_node, until

pytestmark = pytest.mark.node


async def test_a_read_through_a_door_of_its_own_is_recorded_and_raises_its_alert(
    state: Path,
) -> None:
    port = free_port()
    async with running_node(state, door_ports=(port,)) as node:
        await node.list_plate("ABC1234")
        key = await node.reader_key()
        answer = await _send(port, key, "ABC1234")
        assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
        await node.recorded(1)
        assert node.node.pipeline.raised == 1


async def test_a_killed_door_comes_back_by_itself(state: Path) -> None:
    port = free_port()
    async with running_node(state, door_ports=(port,)) as node:
        key = await node.reader_key()
        os.kill(_door(node).pid, signal.SIGKILL)
        await until(lambda: _door(node).is_ready and _door(node).restarts == 1)
        assert (await _send(port, key, "ABC1234")).status_code == 202


async def test_a_wrong_key_is_refused_there_too(state: Path) -> None:
    port = free_port()
    async with running_node(state, door_ports=(port,)):
        assert (await _send(port, "fk_wrong", "ABC1234")).status_code == 401


def _door(node: RunningNode) -> ChildStatus:
    return next(c for c in node.node.supervisor.status() if c.name.startswith("door"))


async def _send(port: int, key: str, plate: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.post(
            f"http://127.0.0.1:{port}/ingest/lpr/farolito",
            content=msgspec.json.encode([read(plate)]),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
