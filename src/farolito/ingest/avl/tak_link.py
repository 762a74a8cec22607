"""One TAK connection, whichever side began it: read, bounded, paced, parsed; and written.

What comes in is cut, and waits in a lane: a flood costs the cutting and no more, since what waits
is parsed at a pace, and of each unit only the newest position waits for that. What goes out waits
in a lane likewise: a slow phone gets the newest positions late rather than all of them never.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import cached_property

from farolito.ingest.avl.cot import CotEvent, Framer, parse, position_of, to_proto, to_xml
from farolito.ingest.avl.heard import Clock, Tell
from farolito.ingest.avl.lane import Lane
from farolito.model import Rejected

READ_BYTES_MAX = 2**16
BYTES_A_SECOND_MAX = 4 * 2**20  # then the sender waits in TCP
GARBAGE_BYTES_MAX = 2 * 2**20  # so much without one good event ends the connection
WRITE_BUFFER_BYTES = 2**16
WRITE_S_MAX = 30.0  # who takes nothing for so long is gone
TOLD_EVERY_S = 1.0  # a flood is told of in sums


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Outgoing:
    """An event to send, encoded once for all who get it."""

    def __init__(self, event: CotEvent) -> None:
        self.event = event

    @cached_property
    def xml(self) -> bytes:
        return to_xml(self.event)

    @cached_property
    def proto(self) -> bytes:
        return to_proto(self.event)


class Pace:
    """So many a second on average, and a second's worth at once."""

    def __init__(self, a_second: float) -> None:
        self._a_second = a_second
        self._left = a_second
        self._at = asyncio.get_running_loop().time()

    @property
    def left(self) -> float:
        """What may be taken now without a wait."""
        now = asyncio.get_running_loop().time()
        self._left = min(self._a_second, self._left + (now - self._at) * self._a_second)
        self._at = now
        return self._left

    async def take(self, size: float = 1.0) -> None:
        self._left = self.left - size
        if self._left < 0:
            await asyncio.sleep(-self._left / self._a_second)


class Link:
    """`on_event` gets every good event, in the order of the lane; `tell` what was not good."""

    def __init__(
        self,
        ends: Ends,
        events_a_second: int,
        tell: Tell,
        clock: Clock,
        out: Lane[Outgoing] | None = None,
    ) -> None:
        self._reader, self._writer = ends
        self._tell = tell
        self._clock = clock
        self._framer = Framer()
        self._in: Lane[bytes] = Lane()
        self.out: Lane[Outgoing] = out if out is not None else Lane()
        self._pace = Pace(events_a_second)
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._since_good = 0  # bytes that were no event, since the last one that was
        self._refused = 0  # messages that found the lane full
        self._told = (0, 0, 0, 0.0)  # conflated, refused, skipped so far; when
        self.is_proto = False
        self.heard_at = asyncio.get_running_loop().time()
        self._writer.transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)

    async def run(self, on_event: Callable[[CotEvent], Awaitable[None]]) -> None:
        """Until the connection ends. Raises Rejected where we end it, OSError where it breaks."""
        works = (self._read(), self._work(on_event), self._write())
        tasks = {asyncio.create_task(work) for work in works}
        try:
            done, _ = await asyncio.wait(
                {*tasks, self._failed}, return_when=asyncio.FIRST_COMPLETED
            )
            for ended in done:
                ended.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._failed.cancel()
            self._writer.close()

    def send(self, outgoing: Outgoing) -> None:
        """Queue a message. Whoever has let a thousand of them wait is ended, by name."""
        if not self.out.put(outgoing):
            self.fail(Rejected("too_slow", "a TAK client that does not take its messages"))

    def send_place(self, unit: str, outgoing: Outgoing) -> None:
        self.out.put_place(unit, outgoing)

    def fail(self, why: Exception) -> None:
        if not self._failed.done():
            self._failed.set_exception(why)

    def write_now(self, event: CotEvent) -> None:
        """Past the lane, in the form spoken now: words about the connection itself."""
        self._writer.write(to_proto(event) if self.is_proto else to_xml(event))

    def hold(self) -> None:
        """Write nothing from the lane until `speak`."""
        self._may_write.clear()

    def unanswered(self) -> None:
        """The other side had its time to say which form to speak."""
        if not self._may_write.is_set():
            self.fail(Rejected("no_answer", "a TAK server that offers version 1 and stays silent"))

    def speak(self, proto: bool) -> None:
        """From the next byte on, in this form."""
        self.is_proto = proto
        self._may_write.set()

    async def _read(self) -> None:
        pace = Pace(BYTES_A_SECOND_MAX)
        while data := await self._reader.read(READ_BYTES_MAX):
            self.heard_at = asyncio.get_running_loop().time()
            messages = self._framer.feed(data)
            for message in messages:
                self._admit(message)
            # What waits to be parsed may be good: a flood is no garbage.
            self._since_good += len(data) - sum(map(len, messages))
            if self._since_good > GARBAGE_BYTES_MAX:
                says = f"{GARBAGE_BYTES_MAX // 2**20} MiB without one good event"
                raise Rejected("garbage", says, "see what listens and speaks at this port")
            await pace.take(len(data))
            await asyncio.sleep(0)  # a sender that never pauses must not starve the others
        self._in.close()
        # What came whole before the end still counts: the worker ends the link.
        await asyncio.get_running_loop().create_future()

    def _admit(self, message: bytes) -> None:
        unit = position_of(message)
        if unit is None:
            self._refused += not self._in.put(message)
            return
        in_time = not self._in.has_places and len(self._in) < self._pace.left
        if not in_time or not self._in.put(message):
            self._in.put_place(unit, message)

    async def _work(self, on_event: Callable[[CotEvent], Awaitable[None]]) -> None:
        while (message := await self._in.take()) is not None:
            await self._pace.take()
            self._tell_of_floods()
            try:
                event = parse(message)
            except Rejected as why:
                self._since_good += len(message)
                self._tell(why, message)
                continue
            self._since_good = 0
            await on_event(event)

    async def _write(self) -> None:
        while (outgoing := await self.out.take()) is not None:
            await self._may_write.wait()
            if outgoing.event.stale < self._clock():
                says = "an event that ended before it could be sent"
                self._tell(Rejected("stale", says), b"")
                continue
            try:
                self._writer.write(outgoing.proto if self.is_proto else outgoing.xml)
                async with asyncio.timeout(WRITE_S_MAX):
                    await self._writer.drain()
            except TimeoutError as error:
                raise Rejected("too_slow", "a TAK client that takes nothing") from error

    def _tell_of_floods(self) -> None:
        now = asyncio.get_running_loop().time()
        conflated, refused, skipped, at = self._told
        news = (self._in.conflated, self._refused, self._framer.skipped)
        if now - at < TOLD_EVERY_S or news == (conflated, refused, skipped):
            return
        self._told = (*news, now)
        if news[0] > conflated:
            says = f"{news[0] - conflated} positions gave way to newer ones"
            self._tell(Rejected("flood", says, "let it send a position a second"), b"")
        if news[1] > refused:
            says = f"{news[1] - refused} events found no room to wait"
            self._tell(Rejected("flood_lost", says, "let it send less"), b"")
        if news[2] > skipped:
            says = f"{news[2] - skipped} bytes between events"
            self._tell(Rejected("garbage", says, "send CoT events only"), b"")
