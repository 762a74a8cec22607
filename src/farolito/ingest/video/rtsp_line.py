"""One TCP or TLS connection to a camera: answers to our requests, and RTP frames between them.

300 connections bring 7,500 reads a second. All of a thread read into one room, since what is read
is used up before the next one reads; a connection keeps only the end that is not whole yet.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import NamedTuple, cast

from farolito.codec import Broken
from farolito.ingest.video.rtp import FRAME, Depacketizer
from farolito.ingest.video.rtsp_message import Message, read_message, request
from farolito.model import PictureState

RATE_WINDOW_S = 2.0
UNREAD_BYTES_MAX = 64 * 2**10  # that a camera leaves of ours
UNANSWERED_MAX = 16  # requests; the oldest is forgotten

_ROOM_BYTES = 256 * 2**10
_BLANK = b"\r\n"


class Limits(NamedTuple):
    """Of one line; seconds and bytes. `stall_s`: without a packet of the picture; `picture_s`:
    with packets, and no picture that can be shown; `tick_s`: how often both are looked at."""

    connect_s: float = 5.0
    answer_s: float = 5.0
    stall_s: float = 5.0
    picture_s: float = 30.0
    tick_s: float = 1.0
    bytes_per_s: int = 25_000_000 // 8


class Meter:
    """Counts what comes, and says when it is more than we take from one camera."""

    def __init__(
        self, now_us: Callable[[], int], clock: Callable[[], float], bytes_per_s: int
    ) -> None:
        self._now_us = now_us
        self._clock = clock
        self._window_bytes = int(bytes_per_s * RATE_WINDOW_S)
        self._since = clock()
        self._until_bytes = self._window_bytes
        self.bytes = 0
        self.last_us = 0

    def came(self, count: int) -> int:
        """The time by our clock, µs. Raises Broken TOO_MUCH."""
        self.bytes += count
        self.last_us = self._now_us()
        if self.bytes > self._until_bytes:
            now = self._clock()
            if now - self._since < RATE_WINDOW_S:
                most = self._window_bytes * 8 / RATE_WINDOW_S / 1e6
                raise Broken(
                    PictureState.TOO_MUCH,
                    f"the camera sends more than {most:g} Mbit/s",
                    "lower its bit rate, or register its substream",
                )
            self._since = now
            self._until_bytes = self.bytes + self._window_bytes
        return self.last_us


class _Room(threading.local):
    def __init__(self) -> None:
        self.raw = bytearray(_ROOM_BYTES)
        self.view = memoryview(self.raw)


_ROOM = _Room()


class Line(asyncio.BufferedProtocol):
    """`ended` is done when the connection is; `why` says how."""

    def __init__(self, meter: Meter) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.why: Exception | None = None
        self._meter = meter
        self._raw, self._view = _ROOM.raw, _ROOM.view
        self._tail = b""
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._cseq = 0
        self._channel = -1
        self._track: Depacketizer | None = None

    def take(self, channel: int, track: Depacketizer) -> None:
        """RTP of this channel goes to `track` from now on."""
        self._channel, self._track = channel, track

    def post(self, method: str, uri: str, headers: Mapping[str, str]) -> asyncio.Future[Message]:
        """Sends a request; the future is its answer, or why the line ended."""
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        if self.why is not None:
            answer.set_exception(self.why)
            answer.exception()  # nobody may be waiting for it
            return answer
        self._cseq += 1
        if len(self._waiting) >= UNANSWERED_MAX:
            del self._waiting[min(self._waiting)]
        self._waiting[self._cseq] = answer
        self.write(request(method, uri, self._cseq, headers))
        return answer

    def write(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > UNREAD_BYTES_MAX:
            says = "the camera does not read what is said to it"
            self.fail(Broken(PictureState.STALLED, says, "restart the camera"))

    def own_address(self) -> str:
        assert self._transport is not None
        return str(self._transport.get_extra_info("sockname")[0])

    def fail(self, why: Exception) -> None:
        """The line ends here and now, for this reason; the first one counts."""
        if self.why is None:
            self.why = why
            if not self.ended.done():
                self.ended.set_result(None)
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(why)
                    answer.exception()
            self._waiting.clear()
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Ends the line when what was written is sent."""
        if self.why is None:
            self.why = _closed()
            if self._transport is not None:
                self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        # What is no OSError is a fault of ours, and whoever runs this line shall see it.
        self.fail(_closed() if exc is None or isinstance(exc, OSError) else exc)

    def get_buffer(self, sizehint: int) -> memoryview:
        tail = self._tail
        if tail:
            self._raw[: len(tail)] = tail
        return self._view[len(tail) :]

    def buffer_updated(self, nbytes: int) -> None:
        if self.why is not None:
            return
        try:
            self._received(len(self._tail) + nbytes, self._meter.came(nbytes))
        except Broken as broken:
            self.fail(broken)

    def _received(self, end: int, now_us: int) -> None:
        raw = self._raw
        if self._track is not None:
            self._track.received_us = now_us
        at = 0
        while end - at >= 4:
            if raw[at] == FRAME:
                begin, at = at, self._frames(at, end)
                if at == begin:
                    break
            elif raw[at] in _BLANK:  # some end a body with one more line
                at += 1
            else:
                found = read_message(raw, at, end)
                if found is None:
                    break
                message, at = found
                self._answered(message)
        self._tail = bytes(self._view[at:end])

    def _frames(self, at: int, end: int) -> int:
        if self._track is not None:
            return self._track.frames(self._raw, self._view, at, end, self._channel)
        stop = at + 4 + (self._raw[at + 2] << 8 | self._raw[at + 3])
        return at if stop > end else stop

    def _answered(self, message: Message) -> None:
        if not message.status:
            return  # the camera asks something; nobody needs our answer
        number = message.cseq
        if number < 0 and len(self._waiting) == 1:
            number = next(iter(self._waiting))  # some leave the number out
        answer = self._waiting.pop(number, None)
        if answer is not None and not answer.done():
            answer.set_result(message)


def _closed() -> Broken:
    return Broken(
        PictureState.UNREACHABLE,
        "the camera closed the line",
        "look whether it restarts, or has too many viewers",
    )
