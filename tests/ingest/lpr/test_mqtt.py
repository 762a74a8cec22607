"""Frigate over MQTT, with a real broker."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiomqtt
import pytest
from amqtt.broker import Broker

import farolito.ingest.lpr as room
from farolito.ingest.lpr import FORMATS
from farolito.ingest.lpr.mqtt import MqttSource, listen
from farolito.model import AgencyId, Device, DeviceId
from tests.ports import free_port

SAMPLE = (Path(room.__file__).parent / "samples" / "frigate" / "good_update.json").read_bytes()
TOPIC = "frigate/tracked_object_update"
SOON_S = 10
NOW = datetime(2026, 3, 14, 17, 21, tzinfo=UTC)
READER = Device(
    device_id=DeviceId("yard"),
    agency=AgencyId("practice-pd"),
    kind="plate_reader",
    name="Yard",
    format="frigate",
)


class BusIsDown(Exception):
    """What the node's side raises where it cannot make a message durable."""


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
async def broker(port: int) -> AsyncIterator[Broker]:
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {}},
        }
    )
    await broker.start()
    yield broker
    with contextlib.suppress(Exception):  # a test may have shut it down
        await broker.shutdown()


def source(port: int) -> MqttSource:
    return MqttSource(host="127.0.0.1", port=port, client_id="farolito-test", password="secret")


async def publish(port: int, *bodies: bytes) -> None:
    async with aiomqtt.Client("127.0.0.1", port) as client:
        for body in bodies:
            await client.publish(TOPIC, body, qos=1)


@contextlib.asynccontextmanager
async def listening(
    port: int, heard: asyncio.Queue[bytes], fails: bool = False
) -> AsyncIterator[asyncio.Task[None]]:
    """A listener with its subscription in place."""

    async def hand_in(body: bytes) -> None:
        heard.put_nowait(body)
        if fails:
            raise BusIsDown

    task = asyncio.create_task(listen(source(port), hand_in))
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, BusIsDown, aiomqtt.MqttError):
            await task


async def publish_until_heard(port: int, heard: asyncio.Queue[bytes], body: bytes) -> None:
    """A first message: the broker knows the session's subscription once it is heard."""
    async with asyncio.timeout(SOON_S):
        while heard.empty():
            await publish(port, body)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    await heard.get()
                    return


@pytest.mark.usefixtures("broker")
async def test_what_the_broker_says_comes_in_as_a_read(port: int) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    async with listening(port, heard):
        await publish_until_heard(port, heard, b"{}")
        await publish(port, SAMPLE)
        async with asyncio.timeout(SOON_S):
            while (body := await heard.get()) == b"{}":
                pass
    (read,) = FORMATS["frigate"].decode(body, "", READER, NOW).reads
    assert (read.plate, read.event) == ("BXK417", "1773508830.9-kq81zx")


@pytest.fixture
async def keeping_broker(port: int, tmp_path: Path) -> AsyncIterator[None]:
    """A broker that keeps what was not acknowledged, as MQTT asks (section 4.4): NATS, speaking
    MQTT. The one above forgets it after five seconds."""
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
    yield
    child.terminate()
    await child.communicate()


@pytest.mark.usefixtures("keeping_broker")
async def test_a_message_that_was_not_made_durable_comes_again(port: int) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    async with listening(port, heard):
        await publish_until_heard(port, heard, b"first")
    async with listening(port, heard, fails=True) as task:
        await publish(port, SAMPLE)
        with pytest.raises(BusIsDown):
            async with asyncio.timeout(SOON_S):
                await task
    while not heard.empty():
        heard.get_nowait()
    async with listening(port, heard), asyncio.timeout(SOON_S):
        while await heard.get() != SAMPLE:
            pass


@pytest.mark.usefixtures("keeping_broker")
async def test_a_message_that_was_handed_in_does_not_come_again(port: int) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    async with listening(port, heard):
        await publish_until_heard(port, heard, b"first")
        await publish(port, b"second")
        async with asyncio.timeout(SOON_S):
            while await heard.get() != b"second":
                pass
    async with listening(port, heard):
        await publish(port, b"third")
        async with asyncio.timeout(SOON_S):
            assert await heard.get() == b"third"


@contextlib.asynccontextmanager
async def a_wire_to(port: int) -> AsyncIterator[tuple[int, list[asyncio.StreamWriter]]]:
    """A port that leads to `port`, and the ends to cut."""
    ends: list[asyncio.StreamWriter] = []

    async def carry(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        while chunk := await source.read(4096):
            to.write(chunk)
            await to.drain()

    async def lead_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        ends.extend((writer, far_writer))
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))

    server = await asyncio.start_server(lead_on, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], ends
    server.close()


@pytest.mark.usefixtures("broker")
async def test_a_lost_connection_is_raised(port: int) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    async with a_wire_to(port) as (wire, ends), listening(wire, heard) as task:
        await publish_until_heard(port, heard, b"first")
        for end in ends:
            end.close()
        with pytest.raises(aiomqtt.MqttError):
            async with asyncio.timeout(SOON_S):
                await task


def test_a_source_shown_in_a_log_does_not_show_its_password() -> None:
    assert "secret" not in repr(source(1883))
