"""A node whose records outlive its bus: a restored backup, or a disk that lost the stream."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.running import RunningNode, read, running_node

pytestmark = pytest.mark.node


async def until_recorded(node: RunningNode, plates: list[str]) -> None:
    async with asyncio.timeout(20):
        while await recorded(node) != plates:
            await asyncio.sleep(0.05)


async def recorded(node: RunningNode) -> list[str]:
    async with node.node.database.system() as connection:
        return [r["plate"] for r in await connection.fetch("select plate from reads order by 1")]


async def test_reads_are_recorded_from_a_stream_that_begins_anew(state: Path) -> None:
    async with running_node(state) as node:
        key = await node.reader_key()
        for number in range(3):
            assert (await node.send(key, [read(f"ONE000{number}")])).status_code == 202
        await node.recorded(3)
    await asyncio.to_thread(shutil.rmtree, state / "nats")
    async with running_node(state) as node:
        assert (await node.send(key, [read("TWO0000")])).status_code == 202
        await until_recorded(node, ["ONE0000", "ONE0001", "ONE0002", "TWO0000"])
