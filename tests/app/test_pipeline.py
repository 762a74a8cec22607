"""The pipeline waits for what is away, and goes on where it was."""

from __future__ import annotations

import os
import signal
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from farolito.bus import BusDown
from tests.running import RunningNode, read, until

pytestmark = pytest.mark.node


async def test_a_lost_bus_that_is_told_to_forget_is_a_wait_not_an_end(node: RunningNode) -> None:
    """The pipeline waits out BusDown; any other error would end it, and with it the node."""
    await node.node.bus._client.close()
    with pytest.raises(BusDown):
        await node.node.bus.reads.forget(0)


async def test_reads_go_on_within_two_seconds_of_the_bus_being_back(node: RunningNode) -> None:
    key = await node.reader_key()
    await node.send(key, [read("BCK0001")])
    await node.recorded(1)
    server = next(c.pid for c in node.node.supervisor.status() if c.name == "nats")
    os.kill(server, signal.SIGKILL)
    await until(lambda: not node.node.bus.is_connected)
    await until(lambda: node.node.bus.is_connected, within_s=20)
    assert (await node.send(key, [read("BCK0002")])).status_code == 202
    await until(lambda: node.node.pipeline.recorded == 2, within_s=3)


async def test_pictures_of_a_batch_over_midnight_are_found_under_their_own_day(
    node: RunningNode,
) -> None:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    crops = [b"\xff\xd8\xff before", b"\xff\xd8\xff after"]
    moments = [midnight - timedelta(seconds=1), midnight + timedelta(seconds=1)]
    reads = [
        read(f"MID{i}23", captured_at=at.isoformat(), crop=b64encode(crop).decode())
        for i, (at, crop) in enumerate(zip(moments, crops, strict=True))
    ]
    await node.send(await node.reader_key(), reads)
    await node.recorded(2)
    for at, crop in zip(moments, crops, strict=True):
        assert node.node.pictures.get(at.date(), sha256(crop).hexdigest()) == crop
