"""One WebSocket a client: what happened, in order, resumable, with a tick each second.

The hub reads the feed once for all sockets. A socket gets what its permit allows: an operator
the whole queue and where units are, an officer the own unit's briefs. Alerts are never batched
and never dropped; a client that cannot keep up is sent `reset` and takes a snapshot.

Positions are encoded once for all screens, at most twice a second, and only those that changed:
a screen that missed one gets the present whole, since an old position is worth nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Protocol

import msgspec
from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect

from farolito.console.signed_in import Asker, SignedOut, asker_of
from farolito.gate import Ask, Gate, Records
from farolito.identity import Identity
from farolito.model import (
    Act,
    BriefId,
    FarolitoError,
    Invalid,
    Point,
    Purpose,
    Refused,
    Role,
    Thing,
    UnitId,
    UnitPosition,
    UnitStatus,
)

log = logging.getLogger(__name__)

TICK_S = 1.0
TAIL_ITEMS_MAX = (
    1_000  # kept in memory for all sockets; a client further behind resumes from the store
)
POLL_S = 1.0  # should a nudge be lost, the feed is looked at all the same
CATCH_UP_S_MAX = 1.0  # for a screen that is fresher than the feed's memory; then it starts anew
RECHECK_S = 5.0  # how soon a withdrawn right or sign-in closes a socket
POSITIONS_EVERY_S = 0.5
WAY_EVERY_S = 2.0
CAMERAS_EVERY_S = 2.0
SHARED = "shared"  # the feed's word for what partners let us have
TOLD_BYTES_MAX = 2_000  # of a message from a phone; a longer one is no position

_encode = msgspec.json.Encoder().encode


class Told(msgspec.Struct, frozen=True):
    """What an officer's page tells of itself."""

    k: str
    lat: float
    lon: float
    at: datetime
    accuracy_m: float | None = None
    heading_deg: float | None = None
    speed_mps: float | None = None


_told = msgspec.json.Decoder(Told).decode


class _Shared(msgspec.Struct, frozen=True):
    item_id: str


def _item_id(body: msgspec.Raw) -> str:
    return msgspec.json.decode(body, type=_Shared).item_id


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How a unit gets on. `at`: when `eta_s` was reckoned; a phone counts down from there."""

    brief_id: BriefId | None = None
    eta_s: float | None = None
    metres: float | None = None
    speed_mps: float | None = None
    status: UnitStatus | None = None  # of the own unit, as the incident has it
    at: datetime | None = None


class Moves(Protocol):
    """Where units are; the app's."""

    @property
    def revision(self) -> int: ...

    def rows(self, after: int) -> Sequence[Any]: ...

    async def hear(self, positions: Sequence[UnitPosition]) -> None: ...


# What changed of cameras after a number, and the number to ask after next; None: nothing did.
# Without a number, the counts alone: whoever begins has just fetched the whole.
CameraNews = Callable[[int | None], tuple[int, Mapping[str, Any] | None]]


def _no_cameras(_: int | None) -> tuple[int, None]:
    return 0, None


class SilentSource(msgspec.Struct, frozen=True):
    """A dispatch system that has said nothing for longer than it should."""

    name: str
    seconds: int


class StormCard(msgspec.Struct, frozen=True):
    """Thunder, or a show of fireworks: one card for all that it makes the sensors hear."""

    number: int
    kind: str
    says: str
    since: datetime
    sources: int


class OldList(msgspec.Struct, frozen=True):
    """A hot list past its limit: the alarm of the whole desk, not of one alert."""

    name: str
    hours: int | None  # None: never imported
    dead: bool  # its rows no longer match


class Hub:
    """Follows the feed and wakes the sockets."""

    def __init__(
        self,
        gate: Gate,
        clock: Callable[[], datetime],
        moves: Moves,
        way: Callable[[UnitId], Way | None] = lambda _: None,
    ) -> None:
        self._gate = gate
        self._clock = clock
        self.moves = moves
        self.way = way
        self._moved = asyncio.Condition()
        self._step: tuple[int, int, str] = (0, 0, "")  # revisions from, to, and the message
        self._whole: tuple[int, str] = (-1, "")
        self._tail: deque[Any] = deque(maxlen=TAIL_ITEMS_MAX)
        self._nudged = asyncio.Event()
        self._news = asyncio.Condition()
        self.seq = 0
        self.silent: Sequence[SilentSource] = ()  # likewise
        self.storms: Sequence[StormCard] = ()  # likewise
        self.old_lists: Sequence[OldList] = ()  # told by the app, shown until they are renewed
        self.sockets = 0
        self.cameras: CameraNews = _no_cameras
        self.looks = 0  # grows when somebody may have been put out

    def look_again(self) -> None:
        """Somebody was put out: every socket looks within a tick whether it may stay."""
        self.looks += 1

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
                async with asyncio.timeout(POLL_S):
                    await self._nudged.wait()
            self._nudged.clear()

    async def run_positions(self) -> None:
        """Encode what moved, for all screens at once, until cancelled."""
        while True:
            await asyncio.sleep(POSITIONS_EVERY_S)
            done, now = self._step[1], self.moves.revision
            if now != done and self.sockets:
                self._step = (done, now, self._positions(self.moves.rows(done), full=False))
                async with self._moved:
                    self._moved.notify_all()

    async def positions_after(self, revision: int) -> tuple[int, str]:
        """Wait for what moved after `revision`: the present whole, unless one step leads on."""
        if revision < 0:
            return self._all_positions()
        async with self._moved:
            await self._moved.wait_for(lambda: self._step[1] > revision)
        start, end, message = self._step
        return (end, message) if start == revision else self._all_positions()

    def _all_positions(self) -> tuple[int, str]:
        """The whole as of the last step, encoded once for all who need it."""
        end = self._step[1]
        if self._whole[0] != end or not end:
            self._whole = (end, self._positions(self.moves.rows(0), full=True))
        return self._whole

    def _positions(self, rows: Sequence[Any], *, full: bool) -> str:
        body = {"k": "positions", "at": self._clock(), "full": full, "p": rows}
        return _encode(body).decode()

    async def _fetch(self) -> None:
        async def work(records: Records) -> tuple[Any, int]:
            return await records.feed.after(self.seq), await records.feed.end()

        items, end = await self._gate.following(work)
        async with self._news:
            if items is None:
                self._tail.clear()
                self.seq = end
            else:
                self._tail.extend(items)
                self._let_go(items)
                self.seq = max([self.seq, *(item.seq for item in items)])
            self._news.notify_all()

    def _let_go(self, items: Sequence[Any]) -> None:
        """What partners shared is not held longer in memory than in the store: the newest word on
        each thing alone, and of what was deleted that it was."""
        newest = {_item_id(item.body): item.seq for item in items if item.kind == SHARED}
        if not newest:
            return
        kept = [
            item
            for item in self._tail
            if item.kind != SHARED or newest.get(_item_id(item.body), item.seq) == item.seq
        ]
        self._tail = deque(kept, maxlen=TAIL_ITEMS_MAX)

    async def wait_past(self, seq: int, timeout_s: float) -> None:
        async with self._news:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._news.wait_for(lambda: self.seq > seq)

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
        self._asked: list[Ask] = []  # what the permit was for

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
        watch = asyncio.create_task(self._listen(asker))
        beside = [asyncio.create_task(tell(asker)) for tell in self._beside(asker.person.role)]
        try:
            await self._serve(asker, permit, watch)
        except (WebSocketDisconnect, RuntimeError):
            pass  # the client went away
        finally:
            self._hub.sockets -= 1
            for task in (watch, *beside):
                task.cancel()

    def _beside(self, role: Role) -> Sequence[Callable[[Asker], Coroutine[Any, Any, None]]]:
        """What is told at a pace of its own."""
        if role is Role.OFFICER:
            return (self._tell_way,)
        return (self._tell_positions, self._tell_cameras)

    async def _permit(self, asker: Asker) -> int:
        if asker.person.role is Role.OFFICER:
            unit = asker.person.unit or ""
            ask = asker.ask(Thing.BRIEF, f"live briefs of {unit}", assigned_unit=unit)
        else:
            ask = asker.ask(Thing.ALERT, "live queue")
        self._asked = [ask]
        return await self._gate.live(ask)

    async def _listen(self, asker: Asker) -> None:
        """What the client says: an officer's own position. Ends when the client leaves."""
        allowed: bool | None = None
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                text = await self._socket.receive_data(mode="text")
                if asker.person.role is not Role.OFFICER or allowed is False:
                    continue
                if allowed is None:
                    allowed = await self._may_tell(asker)
                if allowed:
                    await self._hear(asker, str(text))

    async def _may_tell(self, asker: Asker) -> bool:
        """Once a socket, so that a second's position is not an entry of the ledger each."""
        unit = asker.person.unit or ""

        async def nothing_more(records: Records, permit: int) -> None:
            return None

        try:
            ask = asker.ask(Thing.UNIT, f"own positions of {unit}", assigned_unit=unit)
            await self._gate.act(ask, nothing_more)
        except FarolitoError:
            return False
        return True

    async def _hear(self, asker: Asker, text: str) -> None:
        if len(text) > TOLD_BYTES_MAX or asker.person.unit is None:
            return
        try:
            told = _told(text)
            position = UnitPosition(
                unit=asker.person.unit,
                agency=asker.person.agency,
                place=Point(told.lat, told.lon),
                at=told.at,
                received_at=self._clock(),
                source="phone",
                heading_deg=told.heading_deg,
                speed_mps=told.speed_mps,
                accuracy_m=told.accuracy_m,
            )
        except (msgspec.DecodeError, Invalid):
            return
        await self._hub.moves.hear([position])

    async def _tell_positions(self, asker: Asker) -> None:
        revision = -1
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                revision, message = await self._hub.positions_after(revision)
                await self._socket.send_text(message)

    async def _tell_cameras(self, asker: Asker) -> None:
        """How cameras are, to those who may see the register."""
        ask = asker.ask(Thing.CAMERA, "live states of cameras", usual=Purpose.IN_PROGRESS_CALL)
        try:
            await self._gate.live(ask)
        except FarolitoError:
            return
        seen: int | None = None
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                seen, news = self._hub.cameras(seen)
                if news is not None:
                    await self._send({**news, "at": self._clock()})
                await asyncio.sleep(CAMERAS_EVERY_S)

    async def _tell_way(self, asker: Asker) -> None:
        told: Way | None = None
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                way = self._hub.way(asker.person.unit or UnitId(""))
                if way is not None and way != told:
                    told = way
                    body = msgspec.structs.asdict(way)
                    await self._send({**body, "k": "way", "at": way.at or self._clock()})
                await asyncio.sleep(WAY_EVERY_S)

    async def _serve(self, asker: Asker, permit: int, watch: asyncio.Task[None]) -> None:
        asked = self._socket.query_params.get("after", "")
        seq = int(asked) if asked.isdecimal() else self._hub.seq
        await self._send({"k": "hello", "seq": seq, "at": self._clock(), "permit": permit})
        loop = asyncio.get_running_loop()
        checked = ticked = loop.time()
        looks = self._hub.looks
        shown: dict[str, Sequence[Any]] = {"lists": (), "sources": (), "storms": ()}
        while not watch.done():
            seq = await self._send_news(asker, seq)
            now = loop.time()
            if now - ticked >= TICK_S:
                ticked = now
                await self._send({"k": "tick", "at": self._clock()})
                if asker.person.role is not Role.OFFICER:
                    await self._send_alarms(shown)
            if now - checked >= RECHECK_S or looks != self._hub.looks:
                checked, looks = now, self._hub.looks
                if reason := await self._why_close(asker):
                    await self._send({"k": "closed", "reason": reason})
                    await self._socket.close(code=4401)
                    return
            await self._hub.wait_past(seq, max(0.0, ticked + TICK_S - loop.time()))

    async def _why_close(self, asker: Asker) -> str | None:
        """The sign-in ended, or the rules of now no longer open what was permitted."""
        if await self._identity.whoami(asker.cookie, touch=False) is None:
            return "signed out"
        refused = self._gate.may_still(self._asked, Act.LIVE)[0]
        return refused.says if refused else None

    async def _send_alarms(self, shown: dict[str, Sequence[Any]]) -> None:
        """The alarms of the whole desk, where they changed."""
        for kind, key, now in (
            ("lists", "old", self._hub.old_lists),
            ("sources", "silent", self._hub.silent),
            ("storms", "storms", self._hub.storms),
        ):
            if now != shown[kind]:
                shown[kind] = now
                await self._send({"k": kind, "at": self._clock(), key: now})

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

    async def _send(self, message: Mapping[str, Any]) -> None:
        await self._socket.send_text(_encode(message).decode())


def _may_see(asker: Asker, item: Any) -> bool:
    """The permit as a filter: an officer's socket carries the own unit's briefs alone."""
    if asker.person.role is Role.OFFICER:
        return item.kind in {"brief", "receipt", "answer"} and item.unit == asker.person.unit
    return True
