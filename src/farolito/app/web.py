"""Serves an ASGI application in the running loop, and says plainly where its port is taken."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext, suppress
from typing import Any, Literal

import uvicorn

from farolito.model import FarolitoError

GRACE_S = 3  # for requests in progress, when the server ends


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
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                host=host,
                port=port,
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
        serving = asyncio.create_task(server.serve(), name=f"web on {port}")
        while not server.started:
            if serving.done():
                raise FarolitoError(
                    f"port {port} on {host} cannot be opened",
                    "another program has it; choose another with --port or in farolito.toml",
                )
            await asyncio.sleep(0.02)
        return cls(server, serving)

    async def stop(self) -> None:
        self._server.should_exit = True
        with suppress(SystemExit, Exception):
            await self.serving
