"""SRT in (draft-sharabayko-srt, by `tstrans`): an encoder pushes MPEG-TS to us, or we call it.

`srt://10.0.0.5:9000?streamid=door-3` calls the encoder; `srt://0.0.0.0:9000?mode=listener&
streamid=door-3` waits for it to call. The login's word is the passphrase, its user the stream id
where the address has none. Who calls us must know the passphrase: else anybody could bring us a
picture and say that it is the camera's. `tstrans` blocks, so each line has a thread of its own.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from hmac import compare_digest
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from tstrans.exceptions import DemuxError, SrtError, SrtErrorKind
from tstrans.srt import Builder, DemuxReceiver, Socket

from farolito.codec import Broken, Figures, OnUnit
from farolito.ingest.video.guard import Guard
from farolito.ingest.video.transport_stream import Piece, Video, config, malformed
from farolito.ingest.video.units import Units
from farolito.model import Login, PictureState, StreamSource

LATENCY_MS = 120  # within which a lost packet is sent again, where the address says none
LATENCY_MS_RANGE = (20, 8_000)
CALL_S_MAX = 15.0  # until an encoder has called, or answered
SILENT_S_MAX = 8.0  # without a picture; then the line is STALLED
QUEUE_BYTES_MAX = 8 * 2**20  # between the thread and us; beyond it units are lost
LISTEN_PORT_MIN = 1024
PASSPHRASE_CHARACTERS = (10, 79)  # what SRT itself asks for
_STEP_MS = 200  # after which a waiting thread looks whether it is to stop
_JOIN_S_MAX = 5.0


class Where(NamedTuple):
    """What an SRT address says."""

    host: str
    port: int
    is_listener: bool
    stream_id: str
    latency_ms: int


def read_url(url: str) -> Where:
    """Raises Broken NOT_FOUND."""
    try:
        parts = urlsplit(url)
        told = {word: values[-1] for word, values in parse_qs(parts.query).items()}
        port = parts.port or 0
        latency = int(told.get("latency", LATENCY_MS))
    except ValueError:
        raise _wrong_address("it is no address") from None
    mode = told.get("mode", "caller")
    if parts.scheme != "srt" or not port or not parts.hostname:
        raise _wrong_address("it needs srt://, a host and a port")
    if mode not in {"caller", "listener"}:
        raise _wrong_address("its mode is neither caller nor listener")
    if mode == "listener" and port < LISTEN_PORT_MIN:
        raise _wrong_address(f"we listen at port {LISTEN_PORT_MIN} and above")
    low, high = LATENCY_MS_RANGE
    stream_id = told.get("streamid", "")[:512]
    return Where(parts.hostname, port, mode == "listener", stream_id, min(max(latency, low), high))


class SrtUpstream:
    """The Upstream of an SRT address."""

    def __init__(
        self, source: StreamSource, login: Login | None, guard: Guard, now_us: Callable[[], int]
    ) -> None:
        self._source = source
        self._login = login
        self._guard = guard
        self._units = Units(now_us)

    @property
    def figures(self) -> Figures:
        return self._units.figures

    async def run(self, on_unit: OnUnit) -> None:
        """Raises Broken."""
        link = _Link(await self._opener(), asyncio.get_running_loop())
        link.start()
        try:
            await self._take(link, on_unit)
        finally:
            link.stop()
            await asyncio.to_thread(link.join, _JOIN_S_MAX)

    async def _opener(self) -> Callable[[threading.Event], Socket]:
        where = read_url(self._source.url)
        word = self._login.word if self._login else ""
        stream_id = where.stream_id or (self._login.user if self._login else "")
        least, most = PASSPHRASE_CHARACTERS
        if (word or where.is_listener) and not least <= len(word) <= most:
            says = "the line's passphrase is missing, too short or too long"
            do = f"give it {least} to {most} characters, here and at the encoder"
            raise Broken(PictureState.REFUSED, says, do)
        if where.is_listener:
            url = f"srt://{_bracketed(where.host)}:{where.port}?mode=listener"
            builder = Builder(url, latency_ms=where.latency_ms, passphrase=word).listener()
            return lambda stopped: _accepted(builder, stream_id, stopped)
        allowed = await self._guard.allow(self._source.url, ("srt",))
        caller = Builder(
            f"srt://{_bracketed(allowed.address)}:{allowed.port}",
            latency_ms=where.latency_ms,
            passphrase=word or None,
            stream_id=stream_id or None,
            connect_timeout_ms=int(CALL_S_MAX * 1000),
        ).caller()
        return lambda _: _called(caller)

    async def _take(self, link: _Link, on_unit: OnUnit) -> None:
        while True:
            wait_s = SILENT_S_MAX if self._units.figures.bytes else CALL_S_MAX + SILENT_S_MAX
            try:
                async with asyncio.timeout(wait_s):
                    await link.more.wait()
            except TimeoutError:
                says = f"the camera sent no picture for {wait_s:g} s"
                raise Broken(PictureState.STALLED, says, "check the encoder") from None
            for piece in link.taken():
                if piece is None:
                    self._units.lost(1)
                    continue
                self._units.came(len(piece[0]))
                for unit in self._units.take(*piece):
                    on_unit(unit)
            if link.ended is not None:
                raise link.ended


class _Link(threading.Thread):
    """The thread of one line: what it takes waits in a queue with a limit."""

    def __init__(
        self, opener: Callable[[threading.Event], Socket], loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(name="srt", daemon=True)
        self.more = asyncio.Event()
        self.ended: Exception | None = None
        self._opener = opener
        self._loop = loop
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._queue: deque[Piece | None] = deque()
        self._queued = 0
        self._receiver: DemuxReceiver | None = None

    def stop(self) -> None:
        """From the loop's thread. The line's own ends within `_STEP_MS`."""
        with self._lock:
            self._stopped.set()
            if self._receiver is not None:
                self._receiver.cancel_handle().cancel()

    def taken(self) -> list[Piece | None]:
        with self._lock:
            pieces, self._queued = list(self._queue), 0
            self._queue.clear()
            if self.ended is None:
                self.more.clear()
        return pieces

    def run(self) -> None:
        try:
            self._receive(self._opener(self._stopped))
            ended: Exception = _hung_up()
        except Broken as broken:
            ended = broken
        except DemuxError:
            ended = malformed()
        except SrtError as error:
            ended = _broken(error)
        except Exception as error:
            ended = error
        with self._lock:
            self.ended = ended
        self._wake()

    def _receive(self, socket: Socket) -> None:
        receiver = socket.into_demux_receiver(demux_config=config())
        with self._lock:
            self._receiver = receiver
            if self._stopped.is_set():
                receiver.cancel_handle().cancel()
        video = Video()
        try:
            for event in receiver:
                pieces = list(video.pieces(event))
                if pieces:
                    self._put(pieces)
        finally:
            receiver.close()

    def _put(self, pieces: list[Piece | None]) -> None:
        with self._lock:
            if self._queued > QUEUE_BYTES_MAX:
                pieces = [None] if not self._queue or self._queue[-1] is not None else []
            self._queue.extend(pieces)
            self._queued += sum(len(piece[0]) for piece in pieces if piece)
        self._wake()

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self.more.set)
        except RuntimeError:  # the loop is closed: nobody waits any more
            self._stopped.set()


def _accepted(builder: Builder, stream_id: str, stopped: threading.Event) -> Socket:
    """The first caller with our stream id. Raises Broken, SrtError."""
    listener = builder.listen()
    try:
        for _ in range(int(CALL_S_MAX * 1000 / _STEP_MS)):
            if stopped.is_set():
                break
            try:
                socket = listener.accept(timeout_ms=_STEP_MS)
            except SrtError as error:
                if error.kind is SrtErrorKind.TIMEOUT:
                    continue
                raise
            if compare_digest((socket.stream_id() or "").encode(), stream_id.encode()):
                return socket
            socket.close()  # somebody else's picture
    finally:
        listener.close()
    says = f"no encoder has called with this stream id within {CALL_S_MAX:g} s"
    do = "check its address, port, stream id and passphrase"
    raise Broken(PictureState.UNREACHABLE, says, do)


def _called(builder: Builder) -> Socket:
    return builder.connect()


def _broken(error: SrtError) -> Broken:
    told = error.message.lower()
    if "badsecret" in told or "unsecure" in told:
        says = "the encoder does not take our passphrase"
        return Broken(PictureState.REFUSED, says, "check the login's word")
    if "peer rejected" in told:
        says = "the encoder turns us away"
        return Broken(PictureState.REFUSED, says, "check the stream id and the passphrase")
    if error.kind is SrtErrorKind.CONFIG_INVALID:
        return _wrong_address("SRT does not take it")
    if error.kind in {SrtErrorKind.TIMEOUT, SrtErrorKind.CONNECT_FAILED}:
        do = "check its power, its network and its port (UDP)"
        return Broken(PictureState.UNREACHABLE, "the encoder does not answer", do)
    if error.kind in {SrtErrorKind.IO, SrtErrorKind.ACCEPT_FAILED}:
        says = "the line's port cannot be opened here"
        do = "give each camera that pushes a port of its own"
        return Broken(PictureState.UNREACHABLE, says, do)
    return _hung_up()


def _hung_up() -> Broken:
    return Broken(PictureState.STALLED, "the encoder hung up", "check the encoder")


def _wrong_address(how: str) -> Broken:
    says = f"the line's address cannot be used: {how}"
    return Broken(PictureState.NOT_FOUND, says, "write srt://HOST:PORT?mode=…&streamid=…")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
