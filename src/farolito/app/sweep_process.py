"""The process that looks whether cameras are well: it pulls key frames and decodes them.

Decoding is another author's code on bytes from anywhere, so it has a process of its own: what it
breaks is started again, and a picture that ended it is not decoded a second time. No picture is
written anywhere. What is kept is what each camera usually shows, as figures that show no scene.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import cv2
import msgspec

from farolito.app.locator import receive
from farolito.app.private_file import write_private
from farolito.codec import AccessUnit, Broken
from farolito.ingest.video.guard import Guard
from farolito.ingest.video.onvif import OnvifCamera
from farolito.ingest.video.open import one_key_unit, open_upstream, probe
from farolito.media.sweep import Clock, Sweep
from farolito.media.sweep_control import (
    Begin,
    Known,
    Look,
    Shown,
    SweepSaid,
    SweepTold,
    Swept,
    Wanted,
    Watched,
)
from farolito.model import CameraId, PictureState

KEY_S_MAX = 8.0  # until the first key picture of a camera
SHOWN_S_MAX = 3.0
KEPT_EVERY_S = 1800.0
UNREAD_BYTES_MAX = 16 * 2**20  # said to a node that does not listen; then this process ends
NICE = 5  # who watches comes first
NETS = Path("/sys/class/net")

log = logging.getLogger(__name__)

_encode = msgspec.msgpack.Encoder().encode
_told = msgspec.msgpack.Decoder(SweepTold).decode
_kept = msgspec.msgpack.Decoder(dict[CameraId, bytes])


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The private file that the node writes. `folder`: for what is usual, and which picture is
    being decoded. Networks and ports as of a picture process."""

    socket: str
    folder: str
    networks: tuple[str, ...] = ()
    own_ports: tuple[int, ...] = ()


async def serve(file: Path, stop: asyncio.Event) -> None:
    """The process itself, until `stop` or until the node has gone."""
    settings = _read(file)
    os.nice(NICE)
    cv2.setNumThreads(1)
    _keep_memory()
    node = _Node(stop)
    source = _Source(settings, node)
    node.source = source
    book = _Book(Path(settings.folder))
    sweep = Sweep(
        source,
        node.say,
        lambda: datetime.now(UTC),
        kept=book.load(),
        mark=book.mark,
        ended_by=book.ended_by,
    )
    node.sweep = sweep
    socket = Path(settings.socket)
    _let_go(socket)
    server = await asyncio.start_unix_server(node.listen, str(socket))
    _keep_private(socket)
    running = [
        asyncio.create_task(sweep.run(), name="sweep"),
        asyncio.create_task(book.keep(sweep), name="keep what is usual"),
    ]
    try:
        async with server:
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait([stopping, *running], return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            for task in running:
                if task.done():
                    task.result()  # it fell: so does this process, and is started again
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        book.save(sweep.usual())
        book.close()


class _Source:
    """Asks cameras; those that are watched, through the node."""

    def __init__(self, settings: Settings, node: _Node) -> None:
        networks = [ip_network(one) for one in settings.networks]
        self._guard = Guard(networks, own_ports=frozenset(settings.own_ports))
        self._node = node
        self._live: frozenset[CameraId] = frozenset()
        self._waiting: dict[CameraId, asyncio.Future[AccessUnit | None]] = {}

    async def key_unit(self, swept: Swept) -> AccessUnit:
        pulled = swept.pulled
        if self.is_watched(pulled.camera_id):
            unit = await self._shown(pulled.camera_id)
            if unit is not None:
                return unit
        source = pulled.main or pulled.sub
        if source is None:
            says = "the register has no address of its stream"
            raise Broken(PictureState.NOT_FOUND, says, "add it to the camera's entry")
        upstream = open_upstream(source, pulled.login, self._guard, now_us=_now_us)
        return await one_key_unit(upstream, KEY_S_MAX)

    async def answers(self, swept: Swept) -> None:
        source = swept.pulled.main or swept.pulled.sub
        if source is None:
            says = "the register has no address of its stream"
            raise Broken(PictureState.NOT_FOUND, says, "add it to the camera's entry")
        if source.protocol in ("rtsp", "rtsps"):
            await probe(source, swept.pulled.login, self._guard)
            return
        if source.protocol == "srt":
            says = "an SRT sender cannot be asked without its picture"
            raise Broken(PictureState.UNKNOWN, says)
        at = await self._guard.allow(source.url, ("http", "https"))
        try:
            async with asyncio.timeout(KEY_S_MAX):
                _, writer = await asyncio.open_connection(at.address, at.port)
        except (OSError, TimeoutError) as why:
            says = f"its server does not answer ({type(why).__name__})"
            raise Broken(PictureState.UNREACHABLE, says, "check its power and network") from why
        writer.close()

    async def clock(self, swept: Swept) -> Clock:
        camera = OnvifCamera(
            swept.onvif_url, swept.pulled.login, self._guard, lambda: datetime.now(UTC)
        )
        async with camera:
            told = await camera.clock()
        return Clock(told.error_s, told.bound_s, told.measured_at)

    def is_watched(self, camera_id: CameraId) -> bool:
        return camera_id in self._live

    def no_network(self) -> str:
        return no_network(NETS)

    def watched(self, live: tuple[CameraId, ...]) -> None:
        self._live = frozenset(live)

    def shown(self, told: Shown) -> None:
        waiting = self._waiting.get(told.camera_id)
        if waiting is not None and not waiting.done():
            unit = AccessUnit(told.data, 0, _now_us(), True, told.codec)
            waiting.set_result(unit if told.data else None)

    async def _shown(self, camera_id: CameraId) -> AccessUnit | None:
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[AccessUnit | None] = loop.create_future()
        self._waiting[camera_id] = waiting
        self._node.say(Wanted(camera_id=camera_id))
        try:
            async with asyncio.timeout(SHOWN_S_MAX):
                return await waiting
        except TimeoutError:
            return None
        finally:
            del self._waiting[camera_id]


class _Node:
    """The node at the other end of the socket. One line at a time; one that ends without a word
    was only a look whether we are there."""

    sweep: Sweep
    source: _Source

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop
        self._writer: asyncio.StreamWriter | None = None

    def say(self, said: SweepSaid) -> None:
        writer = self._writer
        if writer is None or writer.is_closing():
            return
        body = _encode(said)
        writer.write(len(body).to_bytes(4, "big") + body)
        if writer.transport.get_write_buffer_size() > UNREAD_BYTES_MAX:
            log.error("the node does not listen; this process ends")
            self._stop.set()

    async def listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            body = await receive(reader)
        except (EOFError, OSError):
            writer.close()
            return
        if self._writer is not None:
            writer.close()
            return
        self._writer = writer
        try:
            while True:
                self._hear(_told(body))
                body = await receive(reader)
        except (EOFError, OSError):
            log.info("the node has gone")
        finally:
            self._stop.set()

    def _hear(self, told: SweepTold) -> None:
        match told:
            case Look():
                self.sweep.know(told)
            case Known():
                self.sweep.known(told.health)
            case Watched():
                self.source.watched(told.live)
            case Shown():
                self.source.shown(told)
            case Begin():
                self.sweep.begin(told)


class _Book:
    """What outlasts this process: what is usual, and whose picture it is decoding."""

    def __init__(self, folder: Path) -> None:
        self._usual = folder / "sweep.usual"
        mark, suspect = folder / "sweep.decoding", folder / "sweep.suspect"
        last, before = _text(mark), _text(suspect)
        # Whoever ends this process for reasons of his own does so while some picture is decoded:
        # only the one that it was decoding twice in a row is to blame.
        self.ended_by = last if last and last == before else ""
        if last:
            log.error("this process ended while it decoded a picture of %s", last)
            write_private(suspect, last.encode())
        self._mark = os.open(mark, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)

    def mark(self, camera_id: str) -> None:
        """In the page cache, which outlasts a process: a few µs."""
        os.ftruncate(self._mark, 0)
        os.pwrite(self._mark, camera_id.encode(), 0)

    def load(self) -> dict[CameraId, bytes]:
        try:
            return _kept.decode(self._usual.read_bytes())
        except (OSError, msgspec.DecodeError):
            return {}

    def save(self, usual: dict[CameraId, bytes]) -> None:
        write_private(self._usual, _encode(usual))

    async def keep(self, sweep: Sweep) -> None:
        while True:
            await asyncio.sleep(KEPT_EVERY_S)
            await asyncio.to_thread(self.save, sweep.usual())

    def close(self) -> None:
        """In good order: no picture ended it."""
        self.mark("")
        os.close(self._mark)


def no_network(nets: Path) -> str:
    """Why this machine can reach nobody beyond itself; empty where a network is up, or where it
    has none to begin with."""
    states = []
    for one in nets.glob("*/operstate"):
        if one.parent.name != "lo":
            with suppress(OSError):
                states.append(one.read_text().strip())
    if states and all(state in ("down", "lowerlayerdown", "notpresent") for state in states):
        return "this machine has no network: no cable is up"
    return ""


def _read(file: Path) -> Settings:
    return msgspec.json.decode(file.read_bytes(), type=Settings)


def _text(file: Path) -> str:
    return file.read_text() if file.is_file() else ""


def _let_go(socket: Path) -> None:
    """A socket that a killed process left."""
    socket.unlink(missing_ok=True)


def _keep_private(socket: Path) -> None:
    socket.chmod(0o600)


def _keep_memory() -> None:
    """A decoded picture is 3 MB that glibc would hand back to the kernel each time, and fetch
    anew page by page: a third of the time of a look."""
    trim, mmap = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of malloc.h
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(mmap, 32 * 2**20)
        mallopt(trim, 256 * 2**20)


def _now_us() -> int:
    return time.time_ns() // 1000
