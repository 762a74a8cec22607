"""What waits for one connection, bounded: messages in their order, of positions the newest only."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")

MESSAGES_MAX = 1_000  # incidents, briefs, answers; one more is refused, and its putter told
PLACES_MAX = 5_000  # units with a position waiting; for one more the oldest goes


class Lane(Generic[T]):
    """Messages go before positions: a brief does not wait behind two thousand cars."""

    def __init__(self, messages_max: int = MESSAGES_MAX, places_max: int = PLACES_MAX) -> None:
        self._messages_max = messages_max
        self._places_max = places_max
        self._messages: deque[T] = deque()
        self._places: dict[str, T] = {}
        self._filled = asyncio.Event()
        self._closed = False
        self.conflated = 0  # positions that a newer one replaced, or that had to go for another

    def __len__(self) -> int:
        return len(self._messages) + len(self._places)

    @property
    def has_places(self) -> bool:
        return bool(self._places)

    def put(self, message: T) -> bool:
        """False where the lane is full: the message was not taken."""
        if len(self._messages) >= self._messages_max:
            return False
        self._messages.append(message)
        self._filled.set()
        return True

    def put_place(self, unit: str, place: T) -> None:
        """A unit keeps its turn: its newest place goes when its oldest would have gone."""
        if unit in self._places:
            self.conflated += 1
        elif len(self._places) >= self._places_max:
            del self._places[next(iter(self._places))]
            self.conflated += 1
        self._places[unit] = place
        self._filled.set()

    def forget_place(self, unit: str) -> None:
        """The unit has no place any more: what waits would bring it back."""
        self._places.pop(unit, None)

    def close(self) -> None:
        """No more comes: who takes gets what waits, then None."""
        self._closed = True
        self._filled.set()

    async def take(self) -> T | None:
        while not len(self):
            if self._closed:
                return None
            self._filled.clear()
            await self._filled.wait()
        if self._messages:
            return self._messages.popleft()
        return self._places.pop(next(iter(self._places)))
