"""A process that holds pictures: it pulls cameras and serves browsers on a port of its own.

What it must know it is told over a private socket, anew whenever it was started: cameras, and
what tokens are proved by. When the node's line to it ends, so does it, and with it every viewing.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import time
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path

import msgspec

from farolito.app.locator import receive
from farolito.codec import AccessUnit, Broken, Upstream
from farolito.ingest.video.guard import Guard
from farolito.ingest.video.open import open_upstream
from farolito.media.control import (
    ClipMade,
    Cut,
    Hold,
    Key,
    KeyShown,
    Know,
    MakeClip,
    Pulled,
    Quality,
    Ready,
    Said,
    ShowKey,
    Told,
)
from farolito.media.hub import Hub, Limits
from farolito.media.listener import Listener
from farolito.model import PictureState

STATE_EVERY_S = 1.0
CLIPS_MAX = 16  # made at a time
UNREAD_BYTES_MAX = 64 * 2**20  # said to a node that does not listen; then this process ends

log = logging.getLogger(__name__)

_encode = msgspec.msgpack.Encoder().encode
_told = msgspec.msgpack.Decoder(Told).decode


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The private file that the node writes. `networks`: of cameras besides private and public
    ones; `own_ports`: of the node, where no camera is."""

    socket: str
    host: str = "127.0.0.1"
    port: int = 0
    origins: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    own_ports: tuple[int, ...] = ()
    ring_bytes: int = 1024 * 2**20


def now_us() -> int:
    return time.time_ns() // 1000


async def serve(file: Path, stop: asyncio.Event) -> None:
    """The process itself, until `stop` or until the node has gone."""
    settings = _read(file)
    _allow_many_lines()
    node = _Node(stop)
    limits = Limits(ring_bytes=settings.ring_bytes)
    opener = _Opener(settings)
    hub = Hub(opener.open, now_us, node.say, limits)
    listener = Listener(hub, settings.host, settings.port, settings.origins)
    node.port = await listener.start()
    opener.guard(node.port)
    node.hub = hub
    hub.start()
    socket = Path(settings.socket)
    _let_go(socket)
    server = await asyncio.start_unix_server(node.listen, str(socket))
    _keep_private(socket)
    try:
        async with server:
            await stop.wait()
            await hub.close()
            await node.hang_up()
    finally:
        await listener.close()


class _Opener:
    """What the hub asks for a line to a camera."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._guard = Guard()

    def guard(self, port: int) -> None:
        networks = [ip_network(one) for one in self._settings.networks]
        self._guard = Guard(networks, own_ports={port, *self._settings.own_ports})

    def open(self, pulled: Pulled, quality: Quality) -> Upstream:
        """Raises Broken where the camera has no such stream."""
        source = pulled.sub if quality == "sub" else pulled.main
        if source is None:
            says = "the register has no address of this stream"
            raise Broken(PictureState.NOT_FOUND, says, "add it to the camera's entry")
        return open_upstream(source, pulled.login, self._guard, now_us=now_us)


class _Node:
    """The node at the other end of the socket. It has one line at a time; one that ends without
    a word was only a look whether we are there."""

    hub: Hub

    def __init__(self, stop: asyncio.Event) -> None:
        self.port = 0
        self._stop = stop
        self._writer: asyncio.StreamWriter | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def say(self, said: Said) -> None:
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
        self.say(Ready(port=self.port))
        telling = asyncio.create_task(self._tell_state(), name="tell the state")
        try:
            while True:
                self._hear(_told(body))
                body = await receive(reader)
        except (EOFError, OSError):
            log.info("the node has gone")
        finally:
            telling.cancel()
            self._stop.set()

    async def hang_up(self) -> None:
        """What was said last must still arrive."""
        if self._writer is not None:
            self._writer.close()
            with suppress(OSError):  # the node has gone before
                await self._writer.wait_closed()

    def _hear(self, told: Told) -> None:
        match told:
            case Key(secret=secret):
                self.hub.prove_by(secret)
            case Know():
                self.hub.know(told)
            case Cut():
                self.hub.cut(told)
            case Hold():
                self.hub.hold(told)
            case MakeClip():
                self._make_clip(told)
            case ShowKey():
                self.say(_shown(told.request, self.hub.newest_key(told.camera_id)))

    def _make_clip(self, wanted: MakeClip) -> None:
        if len(self._tasks) >= CLIPS_MAX:
            busy = f"{CLIPS_MAX} clips are being made already"
            self.say(ClipMade(request=wanted.request, problem=busy, do="come again in a moment"))
            return

        async def make() -> None:
            self.say(await self.hub.make_clip(wanted))

        task = asyncio.create_task(make(), name="make a clip")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_state(self) -> None:
        while True:
            self.say(self.hub.state())
            await asyncio.sleep(STATE_EVERY_S)


def _shown(request: int, unit: AccessUnit | None) -> KeyShown:
    if unit is None:
        return KeyShown(request=request)
    return KeyShown(request=request, data=unit.data, codec=unit.codec, received_us=unit.received_us)


def _allow_many_lines() -> None:
    """A line is a file to the system, and its usual limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _read(file: Path) -> Settings:
    return msgspec.json.decode(file.read_bytes(), type=Settings)


def _keep_private(socket: Path) -> None:
    socket.chmod(0o600)


def _let_go(socket: Path) -> None:
    """A socket that a killed process left."""
    socket.unlink(missing_ok=True)
