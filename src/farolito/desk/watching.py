"""Who watches at this moment: permitted, seen to be open, asked again, cut, and written down.

Every AGAIN_S all that are open are asked again with fresh facts: who signed out or was suspended,
whose camera was closed by its owner, whose incident ended, is cut. From the change to the end of
the picture are at most AGAIN_S and one question to the database, together under 5 s.

Sums: 500 viewings are 500 decisions of 0.1 ms each turn, 3 % of a core, and 8 heartbeats a second.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec

from farolito.desk.cameras import Register, facts_of
from farolito.desk.desk import NotFound
from farolito.gate import HEARTBEAT, Answer, Ask, Gate, Look, Records, system_ask
from farolito.model import (
    Camera,
    CameraId,
    IncidentId,
    Person,
    PersonId,
    SessionId,
    Thing,
    Viewing,
    ViewingId,
)

AGAIN_S = 2.0
HEARTBEAT_EVERY = timedelta(seconds=60)
SEEN_EVERY = timedelta(seconds=10)  # how exactly it is known when a node fell
UNSURE_MAX = timedelta(seconds=15)  # so long nobody could be asked: then all are cut
UNUSED_MAX = timedelta(seconds=65)  # a token opens nothing later
UNWRITTEN_MAX = 20_000  # rows that wait for a store that is away; past it the oldest is let go

log = logging.getLogger(__name__)

Who = Callable[[Sequence[SessionId]], Awaitable[Mapping[SessionId, Person]]]
Cut = Callable[[Sequence[int], str], None]
"""End the pictures of these permits at once, and say why."""


class Reason(NamedTuple):
    """Why a picture ends: a stable word for the log, and what the person is told."""

    word: str
    says: str


_SIGNED_OUT = Reason("signed_out", "you are signed out")
_OTHER_DUTY = Reason("duty_changed", "your duty here changed; sign in again")
_NO_CAMERA = Reason("no_camera", "this camera was taken out of the register")
_UNKNOWN = Reason("unknown", "this permission is not known here any more")
_UNSURE = Reason("unsure", "the node cannot be sure that you may still look")


class _Granted(msgspec.Struct, kw_only=True):
    """A permission, whether or not its picture was opened."""

    ask: Ask
    camera_id: CameraId
    incident: IncidentId | None
    made_at: datetime


class _Open(msgspec.Struct, kw_only=True):
    """A picture that is open. `permits`: its own, and those that may have prolonged it."""

    viewing: Viewing
    ask: Ask
    permits: set[int]
    beat_at: datetime
    ended: Reason | None = None


class _End(msgspec.Struct):
    """`noted`: the ledger has it."""

    viewing: Viewing
    ask: Ask
    at: datetime
    why: str
    noted: bool = False


class Watching:
    """`who`: which of these sessions are signed in now, as whom. `minutes`: of a permission."""

    def __init__(  # noqa: PLR0913 - wired once, by the app
        self,
        gate: Gate,
        register: Register,
        who: Who,
        cut: Cut,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
        system: Person,
        minutes: float = 10.0,
    ) -> None:
        self._gate = gate
        self._register = register
        self._who = who
        self._cut = cut
        self._clock = clock
        self._ids = ids
        self._system = system
        self._minutes = minutes
        self._granted: dict[int, _Granted] = {}
        self._open: dict[int, _Open] = {}
        self._unwritten: deque[Viewing | _End] = deque()
        self._sure_at = clock()
        self._seen_at = clock()
        self._now = asyncio.Event()
        self.let_go = 0  # rows that were never written
        self.gone: list[Callable[[PersonId, CameraId], None]] = []  # told who looks no more at what

    # What people do

    async def watch(
        self, ask: Ask, camera_id: CameraId, incident: IncidentId | None = None
    ) -> Answer[Look]:
        """Permit a picture for some minutes, or more minutes of one that is open.

        Raises Refused, and NotFound for a camera or an open incident that is not there.
        """
        await self._register.refresh()
        camera = self._register.camera(camera_id)
        if camera is None:
            raise NotFound("there is no such camera", "it may have been taken out of the register")
        if incident is not None and not self._register.is_open(incident):
            raise NotFound("there is no such open incident", "watch without it, or for another")
        ask = self._fresh(ask, camera)
        answer = await self._gate.watch(ask, camera_id, self._minutes)
        self._granted[answer.permit] = _Granted(
            ask=ask, camera_id=camera_id, incident=incident, made_at=self._clock()
        )
        for one in self._open.values():
            if one.viewing.camera_id == camera_id and one.ask.session == ask.session:
                one.permits.add(answer.permit)
                one.ask = ask
        return answer

    def watchers(self, camera_id: CameraId) -> int:
        return sum(one.viewing.camera_id == camera_id for one in self._open.values())

    @property
    def count(self) -> int:
        return len(self._open)

    # What processes with pictures tell

    def opened(self, permit: int, camera_id: CameraId, since: datetime) -> None:
        """A token was shown and a picture began. One that we do not know is cut."""
        granted = self._granted.pop(permit, None)
        if granted is None or granted.camera_id != camera_id:
            self._cut([permit], _UNKNOWN.says)
            return
        for one in self._open.values():
            one.permits.discard(permit)
        ask = granted.ask
        assert ask.purpose is not None, "nothing is permitted without a purpose"
        viewing = Viewing(
            viewing_id=ViewingId(self._ids()),
            camera_id=camera_id,
            person=ask.person.person_id,
            who=ask.person.name,
            role=ask.person.role.value,
            purpose=ask.purpose,
            case=ask.case,
            incident=granted.incident,
            permit=permit,
            since=since,
            seen_at=since,
        )
        one = _Open(viewing=viewing, ask=ask, permits={permit}, beat_at=since)
        self._open[permit] = one
        self._write(viewing)
        [reason] = self._against([one], None)
        if reason is not None:
            self._end(one, reason)

    def closed(self, permit: int, until: datetime, why: str) -> None:
        """A picture ended: `why` in a word of the process that held it."""
        one = self._open.pop(permit, None)
        if one is None:
            return
        word = one.ended.word if one.ended is not None else why
        self._write(_End(one.viewing, one.ask, until, word))
        self._now.set()
        who = (one.viewing.person, one.viewing.camera_id)
        if who not in {(o.viewing.person, o.viewing.camera_id) for o in self._open.values()}:
            for told in self.gone:
                told(*who)

    def lost(self, permits: Sequence[int] | None = None, why: str = "broken") -> None:
        """A process with pictures fell, with these or with all that are open."""
        now = self._clock()
        for permit in list(self._open) if permits is None else permits:
            self.closed(permit, now, why)

    # What goes on beside

    async def start(self) -> int:
        """End what a node that fell left open, at the moment when each was last seen to be."""
        if not await self._gate.following(lambda r: r.viewings.open()):
            return 0

        async def work(records: Records, permit: int) -> int:
            return len(await records.viewings.end_left_open("the node fell"))

        ask = system_ask(self._system, Thing.VIEWING, "end viewings that a node left open")
        return (await self._gate.act(ask, work)).value

    def look_again(self) -> None:
        """Something changed: ask all again now. Safe to call often."""
        self._now.set()

    async def run(self) -> None:
        """Ask again and write down, until cancelled. Who cannot be asked about is cut in time."""
        while True:
            try:
                await self.turn()
            except Exception as why:  # store or ledger away for a while
                log.warning("who watches cannot be asked again: %s", type(why).__name__)
                self.doubt()
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S):
                    await self._now.wait()
            self._now.clear()

    async def turn(self) -> None:
        """One round: cut who may not look any more, then write down who does."""
        await self._register.refresh()
        asked = {permit: one.ask.session for permit, one in self._open.items()}
        signed_in = await self._who([*{one for one in asked.values() if one is not None}])
        # Who came or went while the question was out was not asked about.
        every = [
            one for permit, one in self._open.items() if asked.get(permit, 0) == one.ask.session
        ]
        for one, reason in zip(every, self._against(every, signed_in), strict=True):
            if reason is not None:
                self._end(one, reason)
        await self._keep()
        await self._beat()
        self._forget_unused()
        self._sure_at = self._clock()

    def doubt(self) -> None:
        """Cut all, where nobody could be asked for too long."""
        if self._clock() - self._sure_at > UNSURE_MAX:
            for one in list(self._open.values()):
                self._end(one, _UNSURE)

    # Steps

    def _against(
        self, every: Sequence[_Open], signed_in: Mapping[SessionId, Person] | None
    ) -> list[Reason | None]:
        """For each, why it may not go on. `signed_in` None: nobody was asked about sessions."""
        reasons: list[Reason | None] = [self._gone(one, signed_in) for one in every]
        left = [i for i, reason in enumerate(reasons) if reason is None]
        asks = []
        for i in left:
            camera = self._register.camera(every[i].viewing.camera_id)
            assert camera is not None, "a camera that is gone is a reason of its own"
            asks.append(self._fresh(every[i].ask, camera))
        for i, refusal in zip(left, self._gate.may_still(asks), strict=True):
            if refusal is not None:
                reasons[i] = Reason(refusal.reason, refusal.says)
        return reasons

    def _gone(self, one: _Open, signed_in: Mapping[SessionId, Person] | None) -> Reason | None:
        session = one.ask.session
        if self._register.camera(one.viewing.camera_id) is None:
            return _NO_CAMERA
        if session is None or signed_in is None:
            return None
        person = signed_in.get(session)
        if person is None:
            return _SIGNED_OUT
        return None if person == one.ask.person else _OTHER_DUTY

    def _end(self, one: _Open, reason: Reason) -> None:
        """Told each turn until the process says that it is closed: a word can be lost."""
        one.ended = one.ended or reason
        self._cut(sorted(one.permits), reason.says)

    def _fresh(self, ask: Ask, camera: Camera) -> Ask:
        return msgspec.structs.replace(ask, facts=facts_of(self._register, camera, ask.person))

    def _write(self, row: Viewing | _End) -> None:
        self._unwritten.append(row)
        while len(self._unwritten) > UNWRITTEN_MAX:
            self._unwritten.popleft()
            self.let_go += 1

    async def _keep(self) -> None:
        """Write down what began, what ended, and what is open. Nothing is lost by a failure."""
        now = self._clock()
        is_due = now - self._seen_at >= SEEN_EVERY
        rows = list(self._unwritten)
        if not rows and not (is_due and self._open):
            return
        for row in rows:
            if isinstance(row, _End) and not row.noted:
                await self._gate.watched(row.ask, row.viewing.permit, f"stop: {row.why}")
                row.noted = True

        async def work(records: Records) -> None:
            for row in rows:
                if isinstance(row, _End):
                    await records.viewings.end(row.viewing.viewing_id, row.at, row.why)
                else:
                    await records.viewings.begin(row)
            if is_due:
                open_ = [one.viewing.viewing_id for one in self._open.values()]
                await records.viewings.seen(open_, now)

        await self._gate.keep_viewings(work)
        for _ in rows:
            self._unwritten.popleft()
        if is_due:
            self._seen_at = now

    async def _beat(self) -> None:
        now = self._clock()
        due = [
            one
            for one in self._open.values()
            if one.ended is None and now - one.beat_at >= HEARTBEAT_EVERY
        ]
        await asyncio.gather(
            *(self._gate.watched(one.ask, one.viewing.permit, HEARTBEAT) for one in due)
        )
        for one in due:
            one.beat_at = now

    def _forget_unused(self) -> None:
        until = self._clock() - UNUSED_MAX
        for permit in [p for p, one in self._granted.items() if one.made_at < until]:
            del self._granted[permit]
