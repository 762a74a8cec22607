"""One WebSocket a client: what happened, in order, resumable, with a tick each second.

The hub reads the feed once for all sockets. A socket gets what its permit allows: an operator
the whole queue, an officer the own unit's briefs. Alerts are never batched and never dropped; a
client that cannot keep up is sent `reset` and takes a snapshot.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec
from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect

from farolito.console.signed_in import Asker, SignedOut, asker_of
from farolito.gate import Gate, Records
from farolito.identity import Identity
from farolito.model import FarolitoError, Refused, Role, Thing, Unit

log = logging.getLogger(__name__)

TICK_S = 1.0
TAIL_ITEMS_MAX = (
    1_000  # kept in memory for all sockets; a client further behind resumes from the store
)
POLL_S = 1.0  # should a nudge be lost, the feed is looked at all the same
CATCH_UP_S_MAX = 1.0  # for a screen that is fresher than the feed's memory; then it starts anew
RECHECK_S = 5.0  # how soon a withdrawn right or sign-in closes a socket

_encode = msgspec.json.Encoder().encode


class OldList(msgspec.Struct, frozen=True):
    """A hot list past its limit: the alarm of the whole desk, not of one alert."""

    name: str
    hours: int | None  # None: never imported
    dead: bool  # its rows no longer match


class Hub:
    """Follows the feed and wakes the sockets."""

    def __init__(self, gate: Gate, clock: Callable[[], datetime]) -> None:
        self._gate = gate
        self._clock = clock
        self._tail: deque[Any] = deque(maxlen=TAIL_ITEMS_MAX)
        self._nudged = asyncio.Event()
        self._news = asyncio.Condition()
        self.seq = 0
        self.units: Sequence[Unit] = ()
        self.old_lists: Sequence[OldList] = ()  # told by the app, shown until they are renewed
        self.sockets = 0

    def nudge(self) -> None:
        """Something was told; safe to call often."""
        self._nudged.set()

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                await self._fetch()
            except Exception as why:  # the store away for a while: ticks go on, and say so
                log.warning("the live feed waits: %s", type(why).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._nudged.wait(), POLL_S)
            self._nudged.clear()

    async def _fetch(self) -> None:
        async def work(records: Records) -> tuple[Any, int, list[Unit]]:
            items = await records.feed.after(self.seq)
            end = await records.feed.end()
            return items, end, await records.units.all()

        items, end, self.units = await self._gate.following(work)
        async with self._news:
            if items is None:
                self._tail.clear()
                self.seq = end
            else:
                self._tail.extend(items)
                self.seq = max([self.seq, *(item.seq for item in items)])
            self._news.notify_all()

    async def wait_past(self, seq: int, timeout_s: float) -> None:
        async with self._news:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait_for(lambda: self.seq > seq), timeout_s)

    async def after(self, seq: int) -> Sequence[Any] | None:
        """Items after `seq`; None where the client must take a snapshot."""
        if seq > self.seq:  # a snapshot comes from the store, which is ahead of this memory
            self.nudge()
            await self.wait_past(seq - 1, CATCH_UP_S_MAX)
        if seq == self.seq:
            return ()
        if seq > self.seq:
            return None  # another node's number, or a store that was restored: start anew
        if self._tail and self._tail[0].seq <= seq + 1:
            return [item for item in self._tail if item.seq > seq]
        return await self._gate.following(lambda r: r.feed.after(seq))


class Live:
    """One client's socket, from its permit to its end."""

    def __init__(
        self, socket: WebSocket[Any, Any, Any], hub: Hub, gate: Gate, identity: Identity,
        clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._socket = socket
        self._hub = hub
        self._gate = gate
        self._identity = identity
        self._clock = clock

    async def run(self) -> None:
        await self._socket.accept()
        try:
            asker = await asker_of(self._socket, self._identity)
            permit = await self._permit(asker)
        except (SignedOut, Refused, FarolitoError) as why:
            await self._send({"k": "closed", "reason": why.says})
            await self._socket.close(code=4401)
            return
        self._hub.sockets += 1
        watch = asyncio.create_task(self._drain())
        try:
            await self._serve(asker, permit, watch)
        except (WebSocketDisconnect, RuntimeError):
            pass  # the client went away
        finally:
            self._hub.sockets -= 1
            watch.cancel()

    async def _permit(self, asker: Asker) -> int:
        if asker.person.role is Role.OFFICER:
            unit = asker.person.unit or ""
            return await self._gate.live(
                asker.ask(Thing.BRIEF, f"live briefs of {unit}", assigned_unit=unit)
            )
        return await self._gate.live(asker.ask(Thing.ALERT, "live queue"))

    async def _drain(self) -> None:
        """Read what the client sends, which is nothing, to notice that it left."""
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                await self._socket.receive_data(mode="text")

    async def _serve(self, asker: Asker, permit: int, watch: asyncio.Task[None]) -> None:
        asked = self._socket.query_params.get("after", "")
        seq = int(asked) if asked.isdecimal() else self._hub.seq
        await self._send({"k": "hello", "seq": seq, "at": self._clock(), "permit": permit})
        loop = asyncio.get_running_loop()
        checked = ticked = loop.time()
        units: Sequence[Unit] = ()
        old_lists: Sequence[OldList] = ()
        while not watch.done():
            seq = await self._send_news(asker, seq)
            now = loop.time()
            if now - ticked >= TICK_S:
                ticked = now
                await self._send({"k": "tick", "at": self._clock()})
                if asker.person.role is not Role.OFFICER and self._hub.units != units:
                    units = self._hub.units
                    await self._send({"k": "units", "at": self._clock(), "units": units})
                if asker.person.role is not Role.OFFICER and self._hub.old_lists != old_lists:
                    old_lists = self._hub.old_lists
                    await self._send({"k": "lists", "at": self._clock(), "old": old_lists})
            if now - checked >= RECHECK_S:
                checked = now
                if await self._identity.whoami(asker.cookie, touch=False) is None:
                    await self._send({"k": "closed", "reason": "signed out"})
                    await self._socket.close(code=4401)
                    return
            await self._hub.wait_past(seq, max(0.0, ticked + TICK_S - loop.time()))

    async def _send_news(self, asker: Asker, seq: int) -> int:
        items = await self._hub.after(seq)
        if items is None:
            await self._send({"k": "reset"})
            return self._hub.seq
        for item in items:
            if _may_see(asker, item):
                await self._send(
                    {"k": item.kind, "seq": item.seq, "at": item.at, "unit": item.unit,
                     item.kind: item.body}
                )  # fmt: skip
            seq = item.seq
        return seq

    async def _send(self, message: dict[str, Any]) -> None:
        await self._socket.send_text(_encode(message).decode())


def _may_see(asker: Asker, item: Any) -> bool:
    """The permit as a filter: an officer's socket carries the own unit's briefs alone."""
    if asker.person.role is Role.OFFICER:
        return item.kind in {"brief", "receipt"} and item.unit == asker.person.unit
    return True
