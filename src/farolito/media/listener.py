"""Where browsers connect for pictures: a port of its own, and nothing on it but `/watch`.

Its sockets hold little, so that what a slow line has not taken waits in our own queue, where whole
groups of pictures can be left out of it; the console's port needs large ones.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, ConnectionClosedError
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.typing import Origin

from farolito.media.grants import TokenTurnedAway
from farolito.media.hub import Full, Hub
from farolito.media.viewer import Viewer
from farolito.media.wire import (
    MESSAGE_BYTES_MAX,
    AskQuality,
    Ended,
    Ping,
    Show,
    asked,
    text,
)
from farolito.model import FarolitoError

PATH = "/watch"
TOKEN_S_MAX = 5.0  # to the handshake's end, and from there to the token
PING_S = 10.0
PONG_S_MAX = 10.0
CLOSE_S_MAX = 1.0
WAITING_MAX = 256  # connections without a token; more are sent away
ASKED_PER_S_MAX = 20  # messages of one viewer

SEND_BUFFER_BYTES = 48 * 1024
NOT_SENT_BYTES = 16 * 1024
_TCP_NOTSENT_LOWAT = 25  # Linux; the socket module does not name it

log = logging.getLogger(__name__)


class Listener:
    """`port` 0 chooses a free one. `origins`: pages that may ask; a program that is no browser
    names none and has a token or not."""

    def __init__(self, hub: Hub, host: str, port: int, origins: Sequence[str] = ()) -> None:
        self._hub = hub
        self._host = host
        self._port = port
        self._origins = [None, *(Origin(one) for one in origins)]
        self._server: Server | None = None
        self._waiting = 0

    async def start(self) -> int:
        """Listen; answers the port. Raises FarolitoError."""
        address = claim(self._host, self._port)
        self._server = await serve(
            self._watch,
            sock=address,
            origins=self._origins,
            compression=None,
            process_request=self._let_in,
            server_header=None,
            open_timeout=TOKEN_S_MAX,
            ping_interval=PING_S,
            ping_timeout=PONG_S_MAX,
            close_timeout=CLOSE_S_MAX,
            max_size=MESSAGE_BYTES_MAX,
            max_queue=4,
            logger=_quiet,
        )
        self._port = address.getsockname()[1]
        return self._port

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def _let_in(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path.partition("?")[0] != PATH:
            return connection.respond(HTTPStatus.NOT_FOUND, "Pictures are at /watch.\n")
        if self._waiting >= WAITING_MAX:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "Come again.\n")
        return None

    async def _watch(self, connection: ServerConnection) -> None:
        """One browser, from its first message to its last."""
        viewer = await self._begin(connection)
        if viewer is None:
            return
        why = "broken"
        try:
            why = await self._until_end(connection, viewer)
        finally:
            self._hub.leave(viewer, why)

    async def _begin(self, connection: ServerConnection) -> Viewer | None:
        self._waiting += 1
        try:
            async with asyncio.timeout(TOKEN_S_MAX):
                first = asked(await connection.recv())
            if not isinstance(first, Show):
                raise self._hub.forged()
            return self._hub.admit(first, connection.transport)
        except TimeoutError:
            says, do = "no permission was shown in time", "open the camera again"
            await _end(connection, Ended(why="late", says=says, do=do))
        except TokenTurnedAway as error:
            await _end(connection, Ended(why=error.reason, says=error.says, do=error.do))
        except Full as error:
            await _end(connection, Ended(why="broken", says=error.says, do=error.do))
        except ConnectionClosed:
            pass
        finally:
            self._waiting -= 1
        return None

    async def _until_end(self, connection: ServerConnection, viewer: Viewer) -> str:
        """Answers why it ended."""
        listening = asyncio.create_task(self._listen(connection, viewer))
        try:
            first: set[asyncio.Future[Any]] = {listening, viewer.ended}
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            if viewer.ended.done():
                ended = viewer.ended.result()
                self._hub.leave(viewer, ended.why)  # the farewell may take its time
                await _end(connection, ended)
                return ended.why
            return listening.result()
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening

    async def _listen(self, connection: ServerConnection, viewer: Viewer) -> str:
        loop = asyncio.get_running_loop()
        second, count = loop.time(), 0
        try:
            async for message in connection:
                if loop.time() - second > 1:
                    second, count = loop.time(), 0
                count += 1
                if count > ASKED_PER_S_MAX or not self._answer(viewer, message):
                    viewer.end("broken", "this browser says what nobody understands")
                    return "broken"
        except ConnectionClosedError as why:
            if why.sent is not None and why.sent.code == CloseCode.INTERNAL_ERROR:
                return "silent"  # it answered no ping
            return "left" if why.sent is None else "broken"
        except TokenTurnedAway as why:
            viewer.end(why.reason, why.says, why.do)
            return why.reason
        return "left"

    def _answer(self, viewer: Viewer, message: str | bytes) -> bool:
        """Did we understand it? Raises TokenTurnedAway."""
        match asked(message):
            case Show() as show:
                self._hub.prolong(viewer, show)
            case AskQuality(quality=quality):
                self._hub.ask_quality(viewer, quality)
            case Ping(t=t):
                viewer.pong(t, self._hub.now_us())
            case _:
                return False
        return True


async def _end(connection: ServerConnection, ended: Ended) -> None:
    """The last word. It does not wait for one who reads nothing longer than CLOSE_S_MAX."""
    if not connection.transport.is_closing():
        connection.transport.write(text(ended))
    with suppress(ConnectionClosed):
        await connection.close(CloseCode.NORMAL_CLOSURE, ended.why)


def claim(host: str, port: int) -> socket.socket:
    """The listening socket; those it accepts inherit its settings. Raises FarolitoError."""
    try:
        family, kind, _, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        claimed = socket.socket(family, kind)
        claimed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        claimed.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        claimed.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        claimed.setsockopt(socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, NOT_SENT_BYTES)
        claimed.bind(where)
    except OSError as error:
        raise FarolitoError(
            f"port {port} on {host} cannot be opened for pictures ({error.strerror})",
            "another program has it; choose another as `port` of [video] in farolito.toml",
        ) from error
    return claimed


# A browser that goes away in mid-word is no news; who it was stands in the ledger.
_quiet = logging.getLogger(f"{__name__}.connections")
_quiet.setLevel(logging.CRITICAL)
