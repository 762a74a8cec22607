"""Two nodes on one machine, and the clear words where two cannot be."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from farolito.app import web
from farolito.app.build import Node
from farolito.model import FarolitoError
from tests.app.separate import processes_of
from tests.ports import free_port
from tests.running import config, read, running_node

pytestmark = pytest.mark.node


@pytest.fixture
def other_state() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="farolito-node-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


async def test_two_nodes_know_nothing_of_each_other(state: Path, other_state: Path) -> None:
    async with running_node(state) as one, running_node(other_state) as other:
        await one.list_plate("TWO1111")
        key = await one.reader_key()
        assert (await one.send(key, [read("TWO1111")])).status_code == 202
        await one.recorded(1)
        assert (await other.send(key, [read("TWO1111")])).status_code == 401
        here, there = await one.sign_in("operator"), await other.sign_in("operator")
        assert len((await here.get("/api/alerts")).json()["alerts"]) == 1
        assert (await there.get("/api/alerts")).json()["alerts"] == []
        assert one.admin_token != other.admin_token
        # A browser keeps one cookie for both ports: it must open one node only.
        cookies = "; ".join(f"{c.name}={c.value}" for c in here.http.cookies.jar)
        crossed = await other._client().get("/api/alerts", headers={"Cookie": cookies})
        assert crossed.status_code == 401


async def test_a_second_node_on_the_same_state_is_refused(state: Path) -> None:
    async with running_node(state) as first:
        second = Node(config(state, free_port()), demo=True)
        with pytest.raises(FarolitoError, match="already running") as refused:
            await second.start()
        assert "state_dir" in refused.value.do
        assert (await first.send(await first.reader_key(), [read("LCK1111")])).status_code == 202


async def test_a_port_that_another_program_has_is_named(state: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(FarolitoError, match=str(port)) as refused:
            await Node(config(state, port), demo=True).start()
    assert "--port" in refused.value.do
    assert processes_of(state) == {}, "a start that failed leaves nothing behind"
    async with running_node(state) as after:
        assert await after.reader_key()


async def test_a_bus_port_that_was_taken_meanwhile_is_replaced(state: Path) -> None:
    async with running_node(state):
        kept = int((state / "bus-port").read_text())
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", kept))
        other.listen()
        async with running_node(state) as again:
            assert await again.reader_key()
            assert int((state / "bus-port").read_text()) != kept


def test_answers_wait_for_no_receipt() -> None:
    """What the socket accepts inherits it; asyncio sets it for none that names no protocol."""
    with web._claim("127.0.0.1", 0) as claimed:
        assert claimed.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
