"""Sensors over MQTT: the same sealed bytes on `farolito/sound/<sensor>`, wants on
`farolito/wants/<sensor>`.

A message is acknowledged to the broker only after it is durable, so what the node could not take
the broker keeps and sends again (QoS 1, persistent session). Thirty sensors that hear one shot
need not wait for each other's disk: messages are taken in side by side and acknowledged in the
order in which they came, as MQTT asks (3.1.1, section 4.6).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import aiomqtt
import msgspec

from farolito.ingest.gunshot.door import Answer
from farolito.ingest.gunshot.sources import GunshotMqtt
from farolito.ingest.gunshot.wants import Wants
from farolito.ingest.gunshot.wire import Want
from farolito.model import DeviceId, FarolitoError

KEEPALIVE_S = 30
WAITING_MAX = 1_000  # messages in memory; of more, the broker keeps those that ask for an answer
SIDE_BY_SIDE_MAX = 64  # taken in at once
WANTS_WAITING_MAX = 256  # to be published; a want that is later than that is nobody's any more
COME_AGAIN = 503

Hear = Callable[[bytes, datetime, str], Awaitable[Answer]]


class NotTaken(FarolitoError):
    """The node cannot take messages now: the connection is ended, and they come again."""


class SoundSource:
    """One broker. `run` listens until the connection is lost: the supervisor begins again."""

    def __init__(
        self,
        config: GunshotMqtt,
        hear: Hear,
        wants: Wants,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._config = config
        self._hear = hear
        self._wants = wants
        self._clock = clock

    async def run(self) -> None:
        """Raises aiomqtt.MqttError when the connection is lost, NotTaken when the node's own bus
        or store is away: what is unanswered comes again."""
        asked: asyncio.Queue[tuple[DeviceId, Want]] = asyncio.Queue(WANTS_WAITING_MAX)

        def ask(sensor: DeviceId, want: Want) -> None:
            if not asked.full():
                asked.put_nowait((sensor, want))

        leave = self._wants.listen(ask)
        try:
            async with self._client() as client:
                await client.subscribe([(topic, 1) for topic in self._config.topics])
                await _first_ended(self._take(client), self._tell(client, asked))
        finally:
            leave()

    async def _take(self, client: aiomqtt.Client) -> None:
        """Hands messages in side by side; the acknowledgements follow in order."""
        taken: asyncio.Queue[tuple[aiomqtt.Message, asyncio.Task[Answer]]]
        taken = asyncio.Queue(SIDE_BY_SIDE_MAX)
        begun: set[asyncio.Task[Answer]] = set()

        async def hand_in() -> None:
            async for message in client.messages:
                body = message.payload if isinstance(message.payload, bytes) else b""
                sensor = str(message.topic).rpartition("/")[2]
                task = asyncio.create_task(self._answered(body, sensor))
                begun.add(task)
                task.add_done_callback(begun.discard)
                await taken.put((message, task))

        async def acknowledge() -> None:
            while True:
                message, task = await taken.get()
                status, answer = await task
                if status == COME_AGAIN:
                    raise NotTaken(str(answer["says"]), "the broker sends it again")
                client._client.ack(message.mid, message.qos)

        try:
            await _first_ended(hand_in(), acknowledge())
        finally:
            for task in begun:
                task.cancel()

    async def _answered(self, body: bytes, sensor: str) -> Answer:
        return await self._hear(body, self._clock(), sensor)

    async def _tell(
        self, client: aiomqtt.Client, asked: asyncio.Queue[tuple[DeviceId, Want]]
    ) -> None:
        """Publishes each want as it is asked."""
        while True:
            sensor, want = await asked.get()
            body = msgspec.json.encode({"wants": [want]})
            await client.publish(f"{self._config.wants_topic}/{sensor}", body, qos=1)

    def _client(self) -> aiomqtt.Client:
        config = self._config
        context = ssl.create_default_context(cafile=config.authority or None)
        client = aiomqtt.Client(
            config.host,
            config.port,
            identifier=config.client_id,
            username=config.username or None,
            password=_secret(config.secret_file),
            tls_context=context if config.tls else None,
            clean_session=False,
            keepalive=KEEPALIVE_S,
            max_queued_incoming_messages=WAITING_MAX,
        )
        # aiomqtt answers a message as soon as it is queued; the client under it leaves that to us.
        client._client.manual_ack_set(True)
        return client


async def _first_ended(*works: Awaitable[None]) -> None:
    """Runs them side by side until one ends, which for these means that it raises."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _secret(file: str) -> str | None:
    if not file:
        return None
    try:
        return Path(file).read_text().strip()
    except OSError as error:
        do = "name a file that this account may read"
        raise FarolitoError(
            f"cannot read the broker's word for us: {error.strerror}", do
        ) from error
