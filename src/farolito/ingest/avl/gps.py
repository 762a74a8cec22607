"""Listens for what modems send: NMEA or TAIP, over UDP or TCP. One dialect is one class beside.

UDP and TCP alike give sentences of one sender; whose they are the dialect says. Bounded: a
sentence by its length, a sender by its sentences a second, all senders by their number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from farolito.ingest.avl import nmea, taip
from farolito.ingest.avl.heard import Clock, Hear, Origin, Strangers, Tell
from farolito.ingest.avl.sources import GpsListener
from farolito.model import Rejected, UnitPosition

SENTENCE_BYTES_MAX = 1_024  # NMEA allows 82, TAIP modems stay under 200
SENTENCES_A_SECOND_MAX = 50  # of a sender; more are dropped and counted. A modem sends about 5
SENDERS_MAX = 5_000  # known at once; for one more the longest silent is forgotten
CONNECTIONS_MAX = 5_000  # over TCP; one more is refused, by name
IDLE_S_MAX = 600.0  # a silent TCP connection is a modem that lost its network
POSITIONS_WAITING_MAX = 10_000


class Dialect(Protocol):
    """One sender's sentences, in the order they came."""

    END: bytes

    def position(self, sentence: bytes, received_at: datetime) -> UnitPosition | None:
        """None for a sentence that tells no place. Raises Rejected."""
        ...


class _Sender:
    """What is known of one address: its dialect's state, half a sentence, and its rate."""

    __slots__ = ("address", "count", "dialect", "held", "lost", "second")

    def __init__(self, address: str, dialect: Dialect) -> None:
        self.address = address
        self.dialect = dialect
        self.held = b""
        self.second = 0
        self.count = 0  # sentences in this second
        self.lost = 0  # of them too many

    def sentences(self, data: bytes) -> list[bytes]:
        """Whole sentences. Raises Rejected `too_large` where none ends in time."""
        *whole, self.held = (self.held + data).split(self.dialect.END)
        if len(self.held) > SENTENCE_BYTES_MAX:
            self.held = b""
            says = f"no end of a sentence in {SENTENCE_BYTES_MAX} bytes"
            raise Rejected("too_large", says, "send NMEA or TAIP as the listener is set")
        return [text for text in map(bytes.strip, whole) if text]


class GpsServer:
    """Listens between `start` and `close`; `run` does both, for a supervisor."""

    def __init__(
        self,
        config: GpsListener,
        origin: Origin,
        hear: Hear,
        tell: Tell,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._config = config
        self._origin = origin
        self._hear = hear
        self._tell = tell
        self._strangers = Strangers(tell, clock)
        self._clock = clock
        self._senders: dict[str, _Sender] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._waiting: asyncio.Queue[UnitPosition] = asyncio.Queue(POSITIONS_WAITING_MAX)

    @property
    def is_open(self) -> bool:
        return self._transport is not None or self._server is not None

    @property
    def port(self) -> int:
        if self._transport is not None:
            return int(self._transport.get_extra_info("sockname")[1])
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def run(self) -> None:
        """Until cancelled. Raises OSError for a taken port, and whatever `hear` raises."""
        await self.start()
        try:
            while True:
                positions = [await self._waiting.get()]
                while not self._waiting.empty():
                    positions.append(self._waiting.get_nowait())
                await self._hear(positions)
        finally:
            await self.close()

    async def start(self) -> None:
        address = (self._config.host, self._config.port)
        if self._config.transport == "tcp":
            self._server = await asyncio.start_server(self._welcome, *address)
            return
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self._datagram), local_addr=address
        )

    async def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
        self._transport = self._server = None

    def _datagram(self, data: bytes, address: tuple[Any, ...]) -> None:
        sender = self._sender(f"{address[0]}:{address[1]}")
        # A datagram is whole, so its last sentence needs no end of its own.
        self._take(sender, data + sender.dialect.END)

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._read(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # a modem that lost its network comes again; cancelled only by close
        except Rejected as why:
            self._tell(why, b"")
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) > CONNECTIONS_MAX:
            raise Rejected("too_many_clients", f"more than {CONNECTIONS_MAX} modems at one port")
        host, port = (writer.get_extra_info("peername") or ("?", 0))[:2]
        sender = self._sender(f"{host}:{port}")
        while True:
            async with asyncio.timeout(IDLE_S_MAX):
                data = await reader.read(SENTENCE_BYTES_MAX)
            if not data:
                break
            self._take(sender, data)
            await asyncio.sleep(0)  # who never pauses must not starve the others
        if sender.held.strip():
            self._tell(Rejected("truncated", "half a sentence", "send whole ones"), sender.held)

    def _sender(self, address: str) -> _Sender:
        sender = self._senders.pop(address, None)
        if sender is None:
            make: Callable[..., Dialect] = (
                nmea.Nmea if self._config.protocol == "nmea" else taip.Taip
            )
            sender = _Sender(address, make(self._config, self._origin, address))
            if len(self._senders) >= SENDERS_MAX:
                del self._senders[next(iter(self._senders))]
        self._senders[address] = sender
        return sender

    def _take(self, sender: _Sender, data: bytes) -> None:
        now = self._clock()
        try:
            sentences = sender.sentences(data)
        except Rejected as why:
            self._tell(why, data[:SENTENCE_BYTES_MAX])
            return
        for sentence in sentences:
            if not self._is_paced(sender, now):
                continue
            try:
                position = sender.dialect.position(sentence, now)
            except Rejected as why:
                self._strangers.tell(sender.address, why, sentence)
                continue
            if position is not None:
                self._put(position)

    def _put(self, position: UnitPosition) -> None:
        if self._waiting.full():
            self._waiting.get_nowait()  # the oldest: its unit's next one is behind it
            self._tell(Rejected("flood", "a position gave way to newer ones"), b"")
        self._waiting.put_nowait(position)

    def _is_paced(self, sender: _Sender, now: datetime) -> bool:
        second = int(now.timestamp())
        if second != sender.second:
            if sender.lost:
                says = f"{sender.lost} sentences of one sender in a second were too many"
                self._tell(Rejected("flood", says, "let it send one position a second"), b"")
            sender.second, sender.count, sender.lost = second, 0, 0
        sender.count += 1
        if sender.count > SENTENCES_A_SECOND_MAX:
            sender.lost += 1
            return False
        return True


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[bytes, tuple[Any, ...]], None]) -> None:
        self._take = take

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._take(data, addr)
