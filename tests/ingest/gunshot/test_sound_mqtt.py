"""Sensors over MQTT, with a real broker: durable before acknowledged, wants told at once."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec
import pytest
from amqtt.broker import Broker

from farolito.ingest.gunshot.mqtt import NotTaken, SoundSource
from farolito.ingest.gunshot.sources import GunshotMqtt
from farolito.model import DeviceId, FarolitoError
from tests.ingest.gunshot.sensor_builders import NOW, Behind, a_clip, before, sealed, us
from tests.ports import free_port

SOON_S = 15
TOPIC, WANTS = "farolito/sound/ridge-04", "farolito/wants/ridge-04"
RIDGE_ID = DeviceId("ridge-04")


@pytest.fixture
async def port() -> AsyncIterator[int]:
    port = free_port()
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {}},
        }
    )
    await broker.start()
    yield port
    await broker.shutdown()


@pytest.fixture
async def keeping_port(tmp_path: Path) -> AsyncIterator[int]:
    """A broker that keeps what was not acknowledged, as MQTT asks: NATS, speaking MQTT."""
    port = free_port()
    settings = tmp_path / "nats.conf"
    settings.write_text(
        f"""
        server_name: mqtt-test
        listen: "127.0.0.1:-1"
        jetstream {{ store_dir: "{tmp_path / "store"}" }}
        mqtt {{ listen: "127.0.0.1:{port}", ack_wait: "1s" }}
        """
    )
    command = Path(sys.executable).with_name("nats-server")
    child = await asyncio.create_subprocess_exec(
        command, "-c", settings, stderr=asyncio.subprocess.PIPE
    )
    assert child.stderr is not None
    async with asyncio.timeout(SOON_S):
        while b"Server is ready" not in await child.stderr.readline():
            pass
    yield port
    child.terminate()
    await child.communicate()


def source(port: int, behind: Behind, **more: Any) -> SoundSource:
    config = GunshotMqtt(
        name="sensors", host="127.0.0.1", port=port, client_id="farolito-ears", **more
    )
    return SoundSource(config, behind.door.hear, behind.wants, lambda: NOW)


@contextlib.asynccontextmanager
async def listening(port: int, behind: Behind) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(source(port, behind).run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_heard(client: aiomqtt.Client, behind: Behind, message: bytes) -> None:
    """A first message, sent until the subscription stands; a repeat of it is told before."""
    while not behind.published:
        await client.publish(TOPIC, message, qos=1)
        await asyncio.sleep(0.05)


async def test_what_sensors_publish_is_heard_and_the_bad_told(port: int) -> None:
    behind = Behind()
    async with listening(port, behind), aiomqtt.Client("127.0.0.1", port) as sensor:
        async with asyncio.timeout(SOON_S):
            await until_heard(sensor, behind, sealed(1))
            await sensor.publish(TOPIC, b"{", qos=1)
            await sensor.publish("farolito/sound/valley-01", sealed(2), qos=1)
            await sensor.publish(TOPIC, sealed(3, pulses=[{"at": before(2)}]), qos=1)
            while len(behind.published) < 2:
                await asyncio.sleep(0.01)
    assert [us(one.onset_at) for one in behind.impulses] == [before(1), before(2)]
    assert sorted(set(behind.reasons)) == ["not_sealed", "wrong_topic"]


async def test_a_want_is_published_at_once_and_its_clip_comes_in(port: int) -> None:
    behind = Behind()
    async with listening(port, behind), aiomqtt.Client("127.0.0.1", port) as sensor:
        async with asyncio.timeout(SOON_S):
            await sensor.subscribe(WANTS, qos=1)
            await until_heard(sensor, behind, sealed(1))
            number = behind.wants.ask(RIDGE_ID, NOW, 1.0)
            message = await anext(aiter(sensor.messages))
            assert isinstance(message.payload, bytes)
            [want] = msgspec.json.decode(message.payload)["wants"]
            assert want == {"want": number, "from": us(NOW), "seconds": 1.0}
            clip = a_clip(want["want"], want["from"])
            await sensor.publish(TOPIC, sealed(2, clip=clip), qos=1)
            while not behind.published[-1].clips:
                await asyncio.sleep(0.01)
    assert len(behind.published[-1].sounds) == 1


async def test_what_the_bus_does_not_take_the_broker_keeps_and_sends_again(
    keeping_port: int,
) -> None:
    behind = Behind()
    async with asyncio.timeout(SOON_S), aiomqtt.Client("127.0.0.1", keeping_port) as sensor:
        async with listening(keeping_port, behind) as running:
            await until_heard(sensor, behind, sealed(1))
            behind.bus_is_down = True
            await sensor.publish(TOPIC, sealed(2), qos=1)
            with pytest.raises(NotTaken, match="bus is not connected"):
                await running
        assert len(behind.published) == 1
        behind.bus_is_down = False
        async with listening(keeping_port, behind):
            while len(behind.published) < 2:
                await asyncio.sleep(0.01)
    assert behind.alarms == []


async def test_sensors_do_not_wait_for_each_others_disk(port: int) -> None:
    """While the bus is busy with the first, those after it are on their way to it."""
    behind = Behind()
    async with listening(port, behind), aiomqtt.Client("127.0.0.1", port) as sensor:
        async with asyncio.timeout(SOON_S):
            await until_heard(sensor, behind, sealed(1))
            behind.held = asyncio.Event()
            for sequence in range(2, 12):
                message = sealed(sequence, pulses=[{"at": before(sequence / 10)}])
                await sensor.publish(TOPIC, message, qos=1)
            while behind.begun < 11:
                await asyncio.sleep(0.01)
            assert len(behind.published) == 1
            behind.held.set()
            while len(behind.published) < 11:
                await asyncio.sleep(0.01)


async def test_a_broker_that_is_away_is_raised_to_the_supervisor() -> None:
    with pytest.raises(aiomqtt.MqttError):
        await source(free_port(), Behind()).run()


async def test_a_missing_secret_file_is_said_without_its_content(tmp_path: Path) -> None:
    with pytest.raises(FarolitoError, match="cannot read"):
        await source(1, Behind(), username="x", secret_file=str(tmp_path / "none")).run()
