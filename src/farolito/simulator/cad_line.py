"""The practice CAD's line to a node: every message in order, signed, until it is taken.

A dispatch system keeps what it could not deliver, and beats every five seconds so that its
silence is noticed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import UTC, datetime

import httpx
import msgspec

from farolito.simulator.cad_message import (
    CAD,
    CadMessage,
    Posted,
    posted_heartbeat,
    posted_update,
)

PATH = f"/ingest/cad/cloudevents?device={CAD}"
HEARTBEAT_S = 5.0
WAITING_MAX = 1_000  # updates; beyond it the oldest are dropped and counted
PAUSE_S = (0.3, 8.0)  # first and longest before an update is sent again


class Kept(msgspec.Struct):
    """What became of the updates."""

    accepted: int = 0
    rejected: int = 0
    dropped: int = 0


class CadLine:
    """`secret` (`whsec_…`) proves each message."""

    def __init__(self, client: httpx.AsyncClient, secret: str) -> None:
        self._client, self._secret = client, secret
        self._waiting: deque[tuple[int, CadMessage]] = deque()
        self._came = asyncio.Event()
        self._count = 0
        self.kept = Kept()

    def say(self, message: CadMessage) -> None:
        self._count += 1
        if len(self._waiting) >= WAITING_MAX:
            self._waiting.popleft()
            self.kept.dropped += 1
        self._waiting.append((self._count, message))
        self._came.set()

    async def run(self) -> None:
        """Send for ever, one after the other: a later update must not overtake an earlier one."""
        pause_s = PAUSE_S[0]
        while True:
            while not self._waiting:
                self._came.clear()
                await self._came.wait()
            count, message = self._waiting[0]
            now = datetime.now(UTC)
            status = await self._post(posted_update(message, count, self._secret, now))
            if status is None or status >= 500 or status in (408, 429):
                await asyncio.sleep(pause_s)
                pause_s = min(PAUSE_S[1], pause_s * 2)
                continue
            pause_s = PAUSE_S[0]
            if self._waiting and self._waiting[0][0] == count:
                self._waiting.popleft()
            if status < 300:
                self.kept.accepted += 1
            else:
                self.kept.rejected += 1

    async def beat(self) -> None:
        while True:
            await self._post(posted_heartbeat(self._secret, datetime.now(UTC)))
            await asyncio.sleep(HEARTBEAT_S)

    async def _post(self, posted: Posted) -> int | None:
        try:
            answer = await self._client.post(PATH, content=posted.body, headers=posted.headers)
        except httpx.TransportError:
            return None
        return answer.status_code
