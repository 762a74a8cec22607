"""An engine away is waited out: senders hear it, and nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.running import RunningNode, read, running_node, until

pytestmark = pytest.mark.node


def child(node: RunningNode, name: str) -> int:
    return next(c.pid for c in node.node.supervisor.status() if c.name == name)


async def until_recorded(node: RunningNode, plates: set[str]) -> None:
    """Wait until each of these stands in the store, once, and nothing beside them."""
    async with asyncio.timeout(20):
        while await recorded(node) != sorted(plates):
            await asyncio.sleep(0.05)


async def recorded(node: RunningNode) -> list[str]:
    async with node.node.database.system() as connection:
        return [r["plate"] for r in await connection.fetch("select plate from reads order by 1")]


async def queue(node: RunningNode) -> list[dict[str, Any]]:
    operator = await node.sign_in("operator")
    return list((await operator.get("/api/alerts")).json()["alerts"])


async def test_without_the_bus_a_sender_is_told_to_come_again(node: RunningNode) -> None:
    await node.list_plate("NTS0001")
    key = await node.reader_key()
    assert (await node.send(key, [read("NTS0001")])).status_code == 202
    bus = child(node, "nats")
    os.kill(bus, signal.SIGSTOP)  # away, and not back before we have looked
    os.kill(bus, signal.SIGKILL)
    await until(lambda: not node.node.bus.is_connected)
    refused = await node.send(key, [read("NTS0002")])
    assert refused.status_code == 503
    assert refused.json()["error"] == "bus_down"
    assert int(refused.headers["Retry-After"]) > 0
    await until(lambda: node.node.bus.is_connected, within_s=20)
    assert (await node.send(key, [read("NTS0003")])).status_code == 202
    await until_recorded(node, {"NTS0001", "NTS0003"})
    assert [a["match"]["entry"]["plate"] for a in await queue(node)] == ["NTS0001"]


async def test_without_the_store_reads_wait_on_the_bus(node: RunningNode) -> None:
    await node.list_plate("PGS0002")
    key = await node.reader_key()
    assert (await node.send(key, [read("PGS0001")])).status_code == 202
    os.kill(child(node, "postgres"), signal.SIGKILL)
    assert (await node.send(key, [read("PGS0002")])).status_code == 202
    await until_recorded_again(node, {"PGS0001", "PGS0002"})
    await until(lambda: node.node.ledger.status().healthy, within_s=20)
    assert [a["match"]["entry"]["plate"] for a in await queue(node)] == ["PGS0002"]


async def until_recorded_again(node: RunningNode, plates: set[str]) -> None:
    """As `until_recorded`, over the time in which the store answers nobody."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await until_recorded(node, plates)
            except Exception as why:
                if isinstance(why, TimeoutError):
                    raise
                await asyncio.sleep(0.1)


async def test_a_message_told_again_after_a_restart_is_recognised(state: Path) -> None:
    message = [read("RST0001"), read("RST0002")]
    async with running_node(state) as first:
        await first.list_plate("RST0001")
        key = await first.reader_key()
        assert (await first.send(key, message)).status_code == 202
        await first.recorded(2)
    async with running_node(state) as second:
        assert (await second.send(key, [*message, read("RST0003")])).status_code == 202
        await second.recorded(1)
        assert await recorded(second) == ["RST0001", "RST0002", "RST0003"]
        [alert] = await queue(second)
        assert alert["repeats"] == 0
        assert second.node.pipeline.recorded == 1


async def test_the_end_keeps_what_was_turned_away_last(state: Path) -> None:
    async with running_node(state) as first:
        await first.send("nonsense", [])
    async with running_node(state) as second:
        operator = await second.sign_in("operator")
        letters = (await operator.get("/api/dead-letters")).json()["letters"]
    assert [letter["reason"] for letter in letters] == ["wrong_key"]
