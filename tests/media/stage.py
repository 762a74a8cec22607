"""A hub with its listener on a free port, cameras that show what a test says, and browsers."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from struct import Struct
from typing import Any, NamedTuple

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from farolito.codec import AccessUnit, Broken, Figures, OnUnit
from farolito.codec.encoder import Encoder
from farolito.media.control import Know, Pulled, Quality, Said
from farolito.media.hub import Hub, Limits
from farolito.media.listener import Listener
from farolito.media.token import Grant, mint
from farolito.model import CameraId, PersonId, PictureState, StreamSource, new_id

SECRET = b"s" * 32
WAIT_S = 10.0
FRAME_US = 40_000
CAMERA = CameraId("4th-and-central")
_HEADER = Struct(">BBHIQQ")


class Clock:
    """A test's own time, µs since 1970."""

    def __init__(self) -> None:
        self.us = 1_800_000_000_000_000

    def now_us(self) -> int:
        return self.us

    def passes(self, seconds: float) -> None:
        self.us += round(seconds * 1_000_000)


class Camera:
    """An upstream that delivers what it is told to show, as a camera's line does."""

    def __init__(self, clock: Clock) -> None:
        self.figures = Figures()
        self.is_open = False
        self._clock = clock
        self._on_unit: OnUnit | None = None
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._media_us = 0

    async def run(self, on_unit: OnUnit) -> None:
        self._on_unit, self.is_open = on_unit, True
        try:
            await self._end
        finally:
            self._on_unit, self.is_open = None, False

    def show(self, data: bytes, is_key: bool = False) -> None:
        self._clock.passes(FRAME_US / 1_000_000)
        self._media_us += FRAME_US
        assert self._on_unit is not None
        codec = "jpeg" if data.startswith(b"\xff\xd8") else "h264"
        unit = AccessUnit(data, self._media_us, self._clock.us, is_key or codec == "jpeg")
        self._on_unit(unit._replace(codec=codec))  # type: ignore[arg-type]

    def group(self, units: int, size: int = 2_000) -> None:
        """A key frame and what follows it, of bytes that no decoder would take."""
        for at in range(units):
            self.show(os.urandom(8) + bytes(size - 8), at == 0)

    def dies(self, why: Broken) -> None:
        self._end.set_exception(why)


class Got(NamedTuple):
    """A picture as it came to a browser."""

    flags: int
    sequence: int
    media_us: int
    data: bytes

    @property
    def is_key(self) -> bool:
        return bool(self.flags & 1)


def got(message: bytes) -> Got:
    version, flags, nothing, sequence, media_us, _ = _HEADER.unpack_from(message)
    assert (version, nothing) == (1, 0)
    return Got(flags, sequence, media_us, message[_HEADER.size :])


class Browser:
    def __init__(self, line: ClientConnection) -> None:
        self.line = line
        self.texts: list[dict[str, Any]] = []

    async def say(self, **message: object) -> None:
        await self.line.send(json.dumps(message))

    async def picture(self) -> Got:
        """The next picture; what is said before it is kept in `texts`."""
        while True:
            async with asyncio.timeout(WAIT_S):
                message = await self.line.recv()
            if isinstance(message, bytes):
                return got(message)
            self.texts.append(json.loads(message))

    async def pictures(self, count: int) -> list[Got]:
        return [await self.picture() for _ in range(count)]

    async def hears(self, kind: str) -> dict[str, Any]:
        """The next text of this kind, pictures left aside."""
        while True:
            for at, text in enumerate(self.texts):
                if text["k"] == kind:
                    del self.texts[: at + 1]
                    return text
            async with asyncio.timeout(WAIT_S):
                message = await self.line.recv()
            if isinstance(message, str):
                self.texts.append(json.loads(message))

    async def leaves(self) -> None:
        await self.line.close()

    async def is_closed(self) -> bool:
        async with asyncio.timeout(WAIT_S):
            await self.line.wait_closed()
        return True


class Stage:
    def __init__(self, clock: Clock, limits: Limits) -> None:
        self.clock = clock
        self.told: list[Said] = []
        self.opened: dict[tuple[CameraId, Quality], list[Camera]] = defaultdict(list)
        self.hub = Hub(self._open, clock.now_us, self.told.append, limits, lambda: 0.0)
        self.port = 0
        self._permits = 0

    def _open(self, pulled: Pulled, quality: Quality) -> Camera:
        camera = Camera(self.clock)
        self.opened[pulled.camera_id, quality].append(camera)
        return camera

    def know(self, *cameras: Pulled) -> None:
        self.hub.know(Know(cameras=cameras, whole=True))

    def token(
        self,
        camera_id: CameraId = CAMERA,
        *,
        person: PersonId | None = None,
        made_s: float = 0,
        until_s: float = 600,
        secret: bytes = SECRET,
    ) -> str:
        """`made_s`, `until_s`: from now. The permits are 1, 2, 3 …"""
        self._permits += 1
        now_us = self.clock.us
        grant = Grant(
            permit=self._permits,
            person=person or ANA,
            camera_id=camera_id,
            made_us=now_us + round(made_s * 1_000_000),
            until_us=now_us + round(until_s * 1_000_000),
        )
        return mint(secret, grant)

    async def line(self) -> ClientConnection:
        url = f"ws://127.0.0.1:{self.port}/watch"
        return await connect(url, compression=None, max_size=None, max_queue=None)

    async def browser(self, token: str | None = None, **asked: object) -> Browser:
        browser = Browser(await self.line())
        await browser.say(k="token", token=token or self.token(), **asked)
        return browser

    async def watching(self, token: str | None = None, **asked: object) -> Browser:
        """A browser whose viewing has begun."""
        browser = await self.browser(token, **asked)
        await browser.hears("open")
        return browser

    def mute(self, token: str, **asked: object) -> socket.socket:
        """A browser that says its token and reads nothing."""
        line = socket.create_connection(("127.0.0.1", self.port))
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
        line.sendall(
            b"GET /watch HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
            + base64.b64encode(bytes(16))
            + b"\r\n\r\n"
        )
        body = json.dumps({"k": "token", "token": token, **asked}).encode()
        # Masked with zeros, which change nothing.
        line.sendall(bytes((0x81, 0x80 | 126)) + len(body).to_bytes(2, "big") + bytes(4) + body)
        return line

    async def camera(
        self, camera_id: CameraId = CAMERA, quality: Quality = "full", which: int = -1
    ) -> Camera:
        """The line to a camera, once it is open."""
        opened = self.opened[camera_id, quality]
        await until(lambda: len(opened) > max(which, 0) and opened[which].is_open)
        return opened[which]

    def heard(self, kind: type[Any]) -> list[Any]:
        return [one for one in self.told if isinstance(one, kind)]


ANA = PersonId(new_id(1, bytes(10)))
BEN = PersonId(new_id(2, bytes(10)))


def pulled(camera_id: CameraId = CAMERA, *, sub: bool = False, ring_s: float = 0) -> Pulled:
    source = StreamSource(protocol="rtsp", url="rtsp://10.0.0.1/main")
    less = StreamSource(protocol="rtsp", url="rtsp://10.0.0.1/sub")
    return Pulled(camera_id=camera_id, main=source, sub=less if sub else None, ring_s=ring_s)


@asynccontextmanager
async def stage(*cameras: Pulled, limits: Limits = Limits()) -> AsyncIterator[Stage]:  # noqa: B008
    made = Stage(Clock(), limits)
    made.hub.prove_by(SECRET)
    listener = Listener(made.hub, "127.0.0.1", 0, ["http://localhost:8700"])
    made.port = await listener.start()
    made.know(*(cameras or (pulled(),)))
    try:
        yield made
    finally:
        await made.hub.close()
        await listener.close()


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not is_so():
            await asyncio.sleep(0.005)


@cache
def coded(width: int = 64, height: int = 48, pictures: int = 10) -> tuple[tuple[bytes, bool], ...]:
    """Pictures that a decoder takes: a key frame every fifth, each a little brighter."""
    encoder = Encoder(width, height, 25, qp=30)
    made = []
    for at in range(pictures):
        picture = np.full((height * 3 // 2, width), 60 + 10 * at, np.uint8)
        picture[height:] = 128
        one = encoder.encode(picture, key=at % 5 == 0)
        made.append((one.annex_b, one.is_key))
    return tuple(made)


def broken(state: PictureState = PictureState.UNREACHABLE) -> Broken:
    return Broken(state, "the camera does not answer", "look at its power")
