"""Hands in together what comes while the one before is on its way (a group commit).

When a shot is heard, thirty sensors tell it within a second, and each waits for the disk: those
that come while it is busy go with the next write, all at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

ITEMS_MAX = 500  # in one write; the rest go with the one after it

T = TypeVar("T")


class Together(Generic[T]):
    def __init__(self, hand_in: Callable[[list[T]], Awaitable[None]]) -> None:
        self._hand_in = hand_in
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._running: asyncio.Task[None] | None = None

    async def put(self, item: T) -> None:
        """Returns when it is written. Raises what `hand_in` raised for the write it went with."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        await done

    async def close(self) -> None:
        """Returns when nothing waits any more."""
        while self._running is not None:
            await asyncio.wait([self._running])

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:ITEMS_MAX], self._waiting[ITEMS_MAX:]
                await self._write(batch)
        finally:
            self._running = None

    async def _write(self, batch: list[tuple[T, asyncio.Future[None]]]) -> None:
        waiting = [done for _, done in batch]
        try:
            await self._hand_in([item for item, _ in batch])
        except BaseException as why:
            for done in waiting:
                if not done.done():
                    done.set_exception(why) if isinstance(why, Exception) else done.cancel()
            if not isinstance(why, Exception):
                raise
        else:
            for done in waiting:
                if not done.done():
                    done.set_result(None)
