"""ATAK phones, as far as the wire goes: XML or protobuf, plain or TLS, with their receipts."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from lxml import etree
from takproto.proto import TakMessage  # type: ignore[import-untyped]

from farolito.ingest.avl.cot import CotEvent, Framer, parse, parse_xml, to_proto
from tests.delivery import atak
from tests.running import WAIT_S_MAX


def now() -> datetime:
    return datetime.now(UTC)


class Phone:
    """`raw` is every byte that came; `seen` the events in them, told by other people's parsers."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, uid: str, callsign: str
    ) -> None:
        self._reader, self._writer = reader, writer
        self.uid, self.callsign = uid, callsign
        self.raw = b""
        self.seen: list[CotEvent] = []
        self.is_proto = False
        self._reading = asyncio.create_task(self._read())
        self._news = asyncio.Condition()

    async def _read(self) -> None:
        framer = Framer()
        while data := await self._reader.read(65_536):
            self.raw += data
            for message in framer.feed(data):
                await self._take(message)

    async def _take(self, message: bytes) -> None:
        event = parse(message)
        if message[:1] == b"\xbf":
            told = TakMessage()
            told.ParseFromString(message[_after(message) :])
            assert told.cotEvent.uid == event.uid
        else:
            assert etree.fromstring(message).get("uid") == event.uid
        if event.type == "t-x-takp-v" and self.is_proto:
            await self.write(_request(event))
        async with self._news:
            self.seen.append(event)
            self._news.notify_all()

    async def write(self, message: bytes) -> None:
        self._writer.write(message)
        await self._writer.drain()

    async def say(self, message: bytes) -> None:
        """In the form that this phone speaks."""
        speaks = self.is_proto and any(e.type == "t-x-takp-r" for e in self.seen)
        await self.write(to_proto(parse_xml(message)) if speaks else message)

    async def hello(self) -> None:
        await self.say(atak.position(self.uid, self.callsign, now()))

    async def sees(self, wanted: Callable[[CotEvent], bool]) -> CotEvent:
        """The first event that is so, also one that came already."""
        try:
            async with asyncio.timeout(WAIT_S_MAX), self._news:
                await self._news.wait_for(lambda: any(map(wanted, self.seen)))
        except TimeoutError:
            raise AssertionError([(e.type, e.uid) for e in self.seen]) from None
        return next(event for event in self.seen if wanted(event))

    async def sees_type(self, type_: str, text: str = "") -> CotEvent:
        return await self.sees(lambda e: e.type == type_ and text in e.detail)

    async def close(self) -> None:
        self._writer.close()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)


def _after(message: bytes) -> int:
    """Where the payload begins: after BF and the varint of its length."""
    at = 1
    while message[at] & 0x80:
        at += 1
    return at + 1


def _request(offer: CotEvent) -> bytes:
    detail = "<TakControl><TakRequest version='1'/></TakControl>"
    return atak.event(offer.uid, "t-x-takp-q", detail, now())


@asynccontextmanager
async def phone(
    port: int, uid: str, callsign: str, *, tls: ssl.SSLContext | None = None, proto: bool = False
) -> AsyncIterator[Phone]:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=tls, server_hostname="127.0.0.1" if tls else None
    )
    made = Phone(reader, writer, uid, callsign)
    made.is_proto = proto
    try:
        if proto:
            await made.sees_type("t-x-takp-r")
        await made.hello()
        yield made
    finally:
        await made.close()
