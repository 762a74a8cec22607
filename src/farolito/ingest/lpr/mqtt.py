"""Frigate's messages, as they come over MQTT. Brings bytes and knows no format.

A message is acknowledged to the broker only after `hand_in` has returned, so what the node has not
yet made durable the broker keeps and sends again (QoS 1, persistent session: same client id,
clean_session off). Frigate publishes with QoS 0 unless its own `mqtt.qos` is 1: without it the
broker keeps nothing while we are away.
Retry, back-off and health belong to the supervisor: a lost connection is raised.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable

import aiomqtt
import msgspec

TOPICS = ("frigate/tracked_object_update", "frigate/events")
KEEPALIVE_S = 30  # a broker that does not answer for 1.5 times as long is lost
# Waiting in memory; a broker sends at most its own window (mosquitto: 20) before it wants
# acknowledgements. Beyond this, QoS 0 messages are dropped and logged, QoS 1 ones stay unanswered
# and come again with the next connection.
WAITING_MAX = 1_000


class MqttSource(msgspec.Struct, frozen=True, kw_only=True):
    """A broker and what to hear of it. `client_id` names the session that the broker keeps: it
    must be the source's own, and stay."""

    host: str
    client_id: str
    port: int = 1883
    username: str | None = None
    password: str | None = None
    tls: bool = False
    topics: tuple[str, ...] = TOPICS

    def __repr__(self) -> str:
        return f"MqttSource({self.host}:{self.port}, {self.client_id})"  # the password stays out


def _client(source: MqttSource) -> aiomqtt.Client:
    client = aiomqtt.Client(
        source.host,
        source.port,
        identifier=source.client_id,
        username=source.username,
        password=source.password,
        tls_context=ssl.create_default_context() if source.tls else None,
        clean_session=False,
        keepalive=KEEPALIVE_S,
        max_queued_incoming_messages=WAITING_MAX,
    )
    # aiomqtt answers a message as soon as it is queued; the client under it can leave that to us.
    client._client.manual_ack_set(True)
    return client


async def listen(source: MqttSource, hand_in: Callable[[bytes], Awaitable[None]]) -> None:
    """Hands every message in, one after another, until the connection is lost.

    Raises aiomqtt.MqttError when it is, and whatever `hand_in` raises: the message at hand is then
    unanswered and comes again. `hand_in` returns for a message that it rejects for good.
    """
    client = _client(source)
    async with client:
        await client.subscribe([(topic, 1) for topic in source.topics])
        async for message in client.messages:
            await hand_in(bytes(message.payload))
            client._client.ack(message.mid, message.qos)
