"""One stream of the bus: batches published durably, read in order from any place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec
import nats
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)

from farolito.model import AgencyId, FarolitoError

B = TypeVar("B")

DUPLICATE_WINDOW_S = 120.0
PUBLISH_WAIT_S_MAX = 5.0
PULL_MESSAGES = 128  # asked for at once: at most this many are on their way to us
PULL_EXPIRES_S = 1.0  # with the next one, how late a reader notices that the server was away
SILENT_S = 0.5
_PULL = msgspec.json.encode({"batch": PULL_MESSAGES, "expires": int(PULL_EXPIRES_S * 1e9)})
_EXPIRED = "408"
_NAME = "Nats-Msg-Id"
PUBLISHED_KEPT_MAX = 256  # batches that need no decoding when they come back; the oldest goes


class BusDown(FarolitoError):
    """The bus cannot take a message durably now; the sender is asked to try again."""


@dataclass(frozen=True)
class Delivery(Generic[B]):
    """A batch as it comes out, with its place in the stream."""

    sequence: int
    batch: B


@dataclass(frozen=True)
class Stream(Generic[B]):
    """What a lane carries. `name_of`: the same batch handed in again has the same name."""

    name: str
    subject: str
    bytes_max: int  # when full the door answers 503: nothing durable is thrown away
    kind: type[B]
    name_of: Callable[[B], str]


class Lane(Generic[B]):
    def __init__(self, client: Client, agency: AgencyId, stream: Stream[B]) -> None:
        self._client = client
        self._agency = agency
        self._stream = stream
        self._subject = f"{stream.subject}.{agency}"
        self._js: JetStreamContext = client.jetstream(timeout=PUBLISH_WAIT_S_MAX)
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(stream.kind).decode
        self._published: dict[str, B] = {}

    async def make(self) -> None:
        """Make the stream where there is none."""
        config = StreamConfig(
            name=self._stream.name,
            subjects=[f"{self._stream.subject}.>"],
            storage=StorageType.FILE,
            retention=RetentionPolicy.LIMITS,
            discard=DiscardPolicy.NEW,
            max_bytes=self._stream.bytes_max,
            duplicate_window=DUPLICATE_WINDOW_S,
        )
        try:
            await self._js.stream_info(self._stream.name)
        except nats.js.errors.NotFoundError:
            await self._js.add_stream(config)

    async def publish(self, batch: B) -> None:
        """Return when the batch is synced to disk; raise BusDown where that cannot be had.

        The same batch handed in again within the duplicate window is stored once.
        """
        name = self._stream.name_of(batch)
        if not self._client.is_connected:
            raise BusDown("the bus is not connected", "send again in a few seconds")
        self._published[name] = batch
        if len(self._published) > PUBLISHED_KEPT_MAX:
            del self._published[next(iter(self._published))]
        try:
            await self._js.publish(
                self._subject,
                self._encode(batch),
                timeout=PUBLISH_WAIT_S_MAX,
                stream=self._stream.name,
                headers={_NAME: name},
            )
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
            raise BusDown(
                f"the bus did not take the message ({type(error).__name__})",
                "send again in a few seconds",
            ) from error

    async def after(self, sequence: int) -> AsyncIterator[list[Delivery[B]]]:
        """Batches in order from the one after `sequence`, some at a time, without end.

        The reader keeps its own position, in the transaction of what it does with the batch; a
        lost connection or a gap starts the reading again from the last one given out.
        """
        position = sequence
        while True:
            try:
                async for messages in self._fetch(position):
                    deliveries = []
                    for message in messages:
                        at = message.metadata.sequence.stream
                        if at <= position:
                            continue
                        position = at
                        deliveries.append(Delivery(at, self._batch(message)))
                    if deliveries:
                        yield deliveries
            except (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError):
                await asyncio.sleep(0.2)

    async def forget(self, upto: int) -> None:
        """Drop what every reader has made durable elsewhere, `upto` included. Raises BusDown."""
        try:
            await self._js.purge_stream(self._stream.name, seq=upto + 1)
        except (nats.errors.Error, TimeoutError) as error:
            raise BusDown("the bus does not answer", "it is asked again") from error

    async def waiting(self) -> tuple[int, int]:
        """First and last sequence in the stream: what a reader at the first would still have.

        Raises BusDown.
        """
        try:
            state = (await self._js.stream_info(self._stream.name)).state
        except (nats.errors.Error, TimeoutError) as error:
            raise BusDown("the bus does not answer", "it is asked again") from error
        return state.first_seq, state.last_seq

    def _batch(self, message: Msg) -> B:
        """The batch of a message; one that this process published itself is at hand still."""
        name = (message.headers or {}).get(_NAME, "")
        return self._published.pop(name, None) or self._decode(message.data)

    async def _fetch(self, position: int) -> AsyncIterator[list[Msg]]:
        """Messages as they come, with what else has come by then; ends where it must start anew.

        The client's own `fetch` waits out its time for a full batch, which would hold an alert
        for half a second; so the pull requests are made here and every message is taken at once.
        """
        consumer = await self._js.add_consumer(
            self._stream.name, _from(position + 1, self._subject)
        )
        pulled: asyncio.Queue[Msg] = asyncio.Queue()
        inbox = self._client.new_inbox()
        pulls = await self._client.subscribe(inbox, cb=pulled.put)
        next_subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream.name}.{consumer.name}"
        asked = expected = 0
        try:
            while True:
                if asked <= PULL_MESSAGES // 2:
                    await self._client.publish(next_subject, _PULL, reply=inbox)
                    asked += PULL_MESSAGES
                messages = []
                for message in await _some(pulled):
                    if message.headers and "Status" in message.headers:
                        if message.headers["Status"] != _EXPIRED:
                            return  # the consumer is gone, or the server is another
                        asked = 0
                        continue
                    asked -= 1
                    expected += 1
                    if message.metadata.sequence.consumer != expected:
                        return  # a hole in the consumer's own count: one was lost on the way
                    messages.append(message)
                if messages:
                    yield messages
        finally:
            with suppress(nats.errors.Error, nats.js.errors.Error, TimeoutError):
                await pulls.unsubscribe()
                await self._js.delete_consumer(self._stream.name, consumer.name)


def _from(sequence: int, subject: str) -> ConsumerConfig:
    """A consumer that the server forgets by itself: the reader keeps the position."""
    return ConsumerConfig(
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=sequence,
        filter_subject=subject,
        ack_policy=AckPolicy.NONE,
        inactive_threshold=30.0,
        mem_storage=True,
    )


async def _some(pulled: asyncio.Queue[Msg]) -> list[Msg]:
    """The next message, and those that came with it. Raises TimeoutError when none comes at all:
    an expired request is answered too, so silence means that the server is away."""
    async with asyncio.timeout(PULL_EXPIRES_S + SILENT_S):
        messages = [await pulled.get()]
    while not pulled.empty() and len(messages) < PULL_MESSAGES:
        messages.append(pulled.get_nowait())
    return messages
