"""Serves an ASGI application in the running loop, and says plainly where its port is taken."""

from __future__ import annotations

import asyncio
import socket
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, Literal

import uvicorn

from farolito.model import FarolitoError

GRACE_S = 3  # for requests in progress, when the server ends


def web_folder() -> Path:
    """Where the built front end lies in the package."""
    import farolito.console

    return Path(farolito.console.__file__).parent / "web"


class Web:
    """One listening address. `serving` ends when the server does."""

    def __init__(self, server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
        self._server = server
        self.serving = serving

    @classmethod
    async def start(
        cls, app: Any, host: str, port: int, lifespan: Literal["on", "off"] = "off"
    ) -> Web:
        """Listen, and return when connections are taken. Raises FarolitoError where they never
        will be."""
        address = _claim(host, port)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                lifespan=lifespan,
                access_log=False,
                log_config=None,
                server_header=False,
                timeout_graceful_shutdown=GRACE_S,
                ws="websockets-sansio",
                proxy_headers=False,
            )
        )
        server.capture_signals = nullcontext  # type: ignore[assignment]  # the command's own
        serving = asyncio.create_task(server.serve([address]), name=f"web on {port}")
        while not server.started:
            if serving.done():
                address.close()
                raise _taken(host, port) from serving.exception()
            await asyncio.sleep(0.02)
        return cls(server, serving)

    async def stop(self) -> None:
        self._server.should_exit = True
        with suppress(SystemExit, Exception):
            await self.serving


def _claim(host: str, port: int) -> socket.socket:
    """The address, ours from here on. The server itself would end the process where it is not."""
    try:
        family, kind, _, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        claimed = socket.socket(family, kind)
    except OSError as error:
        raise _taken(host, port) from error
    try:
        claimed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by what it accepts. Without it an answer in two parts waits 40 ms for a receipt
        # of the first; asyncio sets it only for sockets that name their protocol.
        claimed.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        claimed.bind(where)
    except OSError as error:
        claimed.close()
        raise _taken(host, port) from error
    return claimed


def _taken(host: str, port: int) -> FarolitoError:
    return FarolitoError(
        f"port {port} on {host} cannot be opened",
        "another program has it; choose another with --port or in farolito.toml",
    )
