"""To the node by way of an MQTT broker: the same sealed bytes, wants as they are published.

A message counts as taken once the broker has acknowledged it (QoS 1): it keeps it for the node,
which acknowledges only what is durable.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import AsyncExitStack
from pathlib import Path

import aiomqtt
import msgspec

from farolito.ingest.gunshot.sensor.link import LinkDown
from farolito.ingest.gunshot.sensor.settings import Mqtt
from farolito.ingest.gunshot.wire import Want
from farolito.model import FarolitoError

KEEPALIVE_S = 20
ANSWER_S = 10.0
HELD_S = 25.0  # a poll waits so long for a want
WAITING_MAX = 100


class _Wanted(msgspec.Struct):
    wants: list[Want]


_wanted = msgspec.json.Decoder(_Wanted).decode


class BrokerLink:
    """Connects with the first message, and again after each loss."""

    def __init__(self, config: Mqtt, sensor: str) -> None:
        self._config = config
        self._sensor = sensor
        self._client: aiomqtt.Client | None = None
        self._stack = AsyncExitStack()
        self._connecting = asyncio.Lock()
        self._wants: asyncio.Queue[Want] = asyncio.Queue(WAITING_MAX)
        self._listening: asyncio.Task[None] | None = None

    async def send(self, sealed: bytes) -> list[Want]:
        client = await self._connected()
        topic = f"{self._config.topic}/{self._sensor}"
        try:
            async with asyncio.timeout(ANSWER_S):
                await client.publish(topic, sealed, qos=1, timeout=ANSWER_S)
        except (aiomqtt.MqttError, TimeoutError) as error:
            await self._lost()
            raise LinkDown("the broker did not take a message", "see the broker") from error
        return []

    async def wants(self, asked: bytes) -> list[Want]:
        """`asked` is not needed: the broker lets only this sensor read its topic."""
        await self._connected()
        try:
            async with asyncio.timeout(HELD_S):
                return [await self._wants.get()]
        except TimeoutError:
            return []

    async def close(self) -> None:
        await self._lost()

    async def _connected(self) -> aiomqtt.Client:
        async with self._connecting:
            if self._client is not None and not self._is_over():
                return self._client
            await self._lost()
            client = self._made()
            try:
                async with asyncio.timeout(ANSWER_S):
                    await self._stack.enter_async_context(client)
                    await client.subscribe(f"{self._config.wants_topic}/{self._sensor}", 1)
            except (aiomqtt.MqttError, TimeoutError) as error:
                await self._lost()
                config = self._config
                says = f"no broker at {config.host}:{config.port}"
                raise LinkDown(says, "see its address, its certificate and our word") from error
            self._client = client
            self._listening = asyncio.create_task(self._listen(client))
            return client

    def _is_over(self) -> bool:
        return self._listening is None or self._listening.done()

    async def _lost(self) -> None:
        self._client = None
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
            self._listening = None
        stack, self._stack = self._stack, AsyncExitStack()
        try:
            await stack.aclose()
        except aiomqtt.MqttError:
            return  # it was lost already

    async def _listen(self, client: aiomqtt.Client) -> None:
        """Ends, and with it the connection, when the broker is lost."""
        try:
            async for message in client.messages:
                self._hear(message.payload)
        except aiomqtt.MqttError:
            return

    def _hear(self, payload: object) -> None:
        try:
            wanted = _wanted(payload) if isinstance(payload, bytes) else _Wanted([])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return  # whoever writes there that is not the node is not answered
        for want in wanted.wants:
            if not self._wants.full():
                self._wants.put_nowait(want)

    def _made(self) -> aiomqtt.Client:
        config = self._config
        context = ssl.create_default_context(cafile=config.authority or None)
        return aiomqtt.Client(
            config.host,
            config.port,
            identifier=f"farolito-sensor-{self._sensor}",
            username=config.username or None,
            password=_secret(config.secret_file),
            tls_context=context if config.tls else None,
            keepalive=KEEPALIVE_S,
            max_queued_incoming_messages=WAITING_MAX,
        )


def _secret(file: str) -> str | None:
    if not file:
        return None
    try:
        return Path(file).read_text().strip()
    except OSError as error:
        do = "name a file that this account may read"
        raise FarolitoError(f"cannot read {file}: {error.strerror}", do) from error
