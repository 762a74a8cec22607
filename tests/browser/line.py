"""A line between a browser and the node that can be cut, or fall silent, and come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

CHUNK_BYTES = 65_536


class Line:
    """Carries bytes both ways. Cut, it refuses and drops; silent, it keeps what comes."""

    def __init__(self, node_port: int) -> None:
        self._node_port = node_port
        self._whole = asyncio.Event()
        self._whole.set()
        self._is_cut = False
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    @classmethod
    @asynccontextmanager
    async def to(cls, node_port: int) -> AsyncIterator[Line]:
        line = cls(node_port)
        server = await asyncio.start_server(line._carry, "127.0.0.1", 0)
        line.port = server.sockets[0].getsockname()[1]
        try:
            yield line
        finally:
            server.close()
            line.cut()
            await server.wait_closed()

    def cut(self) -> None:
        self._is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    def fall_silent(self) -> None:
        self._whole.clear()

    def mend(self) -> None:
        self._is_cut = False
        self._whole.set()

    async def _carry(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        if self._is_cut:
            back.transport.abort()
            return
        far, forth = await asyncio.open_connection("127.0.0.1", self._node_port)
        self._writers |= {back, forth}
        await asyncio.gather(self._flow(near, forth), self._flow(far, back))
        self._writers -= {back, forth}

    async def _flow(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while chunk := await source.read(CHUNK_BYTES):
                await self._whole.wait()
                sink.write(chunk)
                await sink.drain()
        sink.close()
