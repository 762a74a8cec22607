"""What happens here, on the maps of TAK users: each gets what the gate permits them, no more.

An officer sees the incidents of the own agency, the shots that a person heard as gunfire, the
units at work on them, and the briefs of the own unit; an operator or supervisor all units and
devices, and no briefs. Who is nobody we know gets nothing. A muted unit has no place here, not
even an old one.

Sums: an incident's change is made once and encoded once for all who get it; 500 officers and
2,000 units at work on nothing cost one look at the units every two seconds.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from farolito.delivery import chat, cot
from farolito.delivery.answers import Answers, Receipts
from farolito.delivery.follow import News
from farolito.delivery.picture import SHOWN_FOR, Around, mates, picture
from farolito.delivery.subscriber import Key, Subscriber, TakLink, Who, key_of, spread
from farolito.delivery.wording import wording_of
from farolito.gate import AWAY, Gate, LedgerDown
from farolito.ingest.avl.cot import CotEvent
from farolito.ingest.avl.tak_units import TakUser
from farolito.model import (
    Brief,
    Incident,
    IncidentId,
    IncidentState,
    Person,
    ShotAlert,
    ShotAlertId,
    Thing,
    Unit,
    UnitId,
)

log = logging.getLogger(__name__)


class Every(NamedTuple):
    """How often what, in seconds."""

    tick: float = 0.5
    recheck: float = 5.0  # how soon a suspension or a change of unit acts
    heartbeat: float = 60.0  # R34: a subscription that runs is asked for, and written, again
    positions: float = 2.0
    renew: float = 20 * 60.0  # markers fade after an hour
    presence: float = 60.0
    silent: float = 10 * 60.0  # a device that stands still reports every few minutes


SUBSCRIBERS_MAX = 5_000  # one more is not served, and counted
STRANGERS_MAX = 5_000  # remembered until the next recheck; past it all are looked up anew
WAITING_MAX = 1_000  # changes while a picture is made; past it the picture is made again

_AWAY: tuple[type[Exception], ...] = (*AWAY, LedgerDown)


class TakFeed:
    """Give it the news (`Follower`) and what users send (`hear`), and let it `run`."""

    def __init__(  # noqa: PLR0913 - made once, by the app
        self,
        gate: Gate,
        who: Who,
        receipts: Receipts,
        around: Around,
        clock: Callable[[], datetime],
        language: str = "en",
        every: Every | None = None,
    ) -> None:
        self._gate = gate
        self._who = who
        self._around = around
        self._clock = clock
        self._every = every or Every()
        self._wording = wording_of(language)
        self._subscribers: dict[Key, Subscriber] = {}
        self._strangers: dict[Key, float] = {}  # until when
        self._open: dict[IncidentId, Incident] = {}
        self._shots: dict[ShotAlertId, ShotAlert] = {}
        self._placed: dict[UnitId, datetime | None] = {}
        self.figures: Counter[str] = Counter()
        self._answers = Answers(receipts, self._wording, clock, self.figures)

    @property
    def users(self) -> int:
        return len(self._subscribers)

    # --- what users send

    async def hear(self, link: TakLink, event: CotEvent, user: TakUser) -> None:
        """Every event of a user, positions too: the first that says who it is subscribes them."""
        one = await self._known(link, user)
        if one is not None:
            one.heard_at = asyncio.get_running_loop().time()
            await self._answers.take(event, one)

    def left(self, link: TakLink, user: TakUser) -> None:
        """The connection ended. A next one gets the picture anew."""
        key = key_of(link, user)
        if key is not None:
            self._subscribers.pop(key, None)

    async def _known(self, link: TakLink, user: TakUser) -> Subscriber | None:
        key = key_of(link, user)
        if key is None:
            return None
        one = self._subscribers.get(key)
        if one is not None:
            one.user = user
            return one
        now = asyncio.get_running_loop().time()
        if self._strangers.get(key, 0.0) > now:
            self.figures["unknown_user"] += 1
            return None
        try:
            return await self._subscribe(link, user, key)
        except _AWAY as why:  # its next event tries again
            self._subscribers.pop(key, None)
            log.warning("a TAK user waits for the store or ledger: %s", type(why).__name__)
            return None

    async def _subscribe(self, link: TakLink, user: TakUser, key: Key) -> Subscriber | None:
        person = await self._who.person_of(user)
        if person is None:
            if len(self._strangers) >= STRANGERS_MAX:
                self._strangers.clear()
            self._strangers[key] = asyncio.get_running_loop().time() + self._every.recheck
            self.figures["unknown_user"] += 1
            return None
        if len(self._subscribers) >= SUBSCRIBERS_MAX:
            self.figures["too_many_users"] += 1
            return None
        one = Subscriber(link, user, person)
        await one.ask(self._gate)
        self._subscribers[key] = one
        await self._present(one)
        return one

    # --- what is told

    async def news(self, items: Sequence[News]) -> None:
        for item in items:
            ready = [one for one in self._subscribers.values() if _is_next(one, item)]
            self._track(item.what, item.stands)
            self._tell(item, ready)
            for one in ready:
                one.seq = item.seq

    async def anew(self) -> None:
        now = await picture(self._gate, None, self._clock())
        self._open = now.incidents
        self._shots = dict(now.shots)
        for one in list(self._subscribers.values()):
            await self._present(one)

    async def _present(self, one: Subscriber) -> None:
        """The picture of now; what is told while it is made follows it."""
        one.seq = None
        while one.seq is None:
            one.waiting.clear()
            now = await picture(self._gate, one.person.unit, self._clock())
            if one.link.is_direct:
                one.send(cot.presence(*one.link.sender, self._clock()))
            self._clean(one, now.incidents, now.shots.values())
            for what in now.incidents.values():
                self._incident(what, True, [one])
            for heard in now.shots.values():
                self._shot(heard, [one])
            if one.may(Thing.MAP):
                self._devices(one)
            for brief in now.briefs:
                self._brief(brief, [one])
            one.units.clear()  # the next look at the units sends them all
            if len(one.waiting) < WAITING_MAX:
                one.seq = now.seq
        await self._news_for(one)

    async def _news_for(self, one: Subscriber) -> None:
        """What waited for the picture of this one."""
        waited, one.waiting = one.waiting, []
        for item in waited:
            if one.seq is None or item.seq <= one.seq:
                continue
            self._tell(item, [one])
            one.seq = item.seq

    def _tell(self, item: News, to: Sequence[Subscriber]) -> None:
        if isinstance(item.what, Brief):
            self._brief(item.what, to)
        elif isinstance(item.what, ShotAlert):
            self._shot(item.what, to)
        else:
            self._incident(item.what, item.stands, to)

    def _track(self, what: Incident | Brief | ShotAlert, stands: bool) -> None:
        if isinstance(what, Brief):
            return
        if isinstance(what, ShotAlert):
            self._shots.pop(what.alert_id, None)
            if stands:
                self._shots[what.alert_id] = what
        elif stands and what.state is IncidentState.OPEN:
            self._open[what.incident_id] = what
        else:
            self._open.pop(what.incident_id, None)

    def _clean(
        self, one: Subscriber, open_: Iterable[IncidentId], heard: Iterable[ShotAlert] = ()
    ) -> None:
        """Take away what was shown and is no more: closed meanwhile, or no longer permitted."""
        agency, now = self._gate.owner, self._clock()
        still = {cot.uid(agency, "incident", each) for each in open_}
        still |= {marker.uid for each in heard for marker in cot.shots(each, now, self._wording)}
        if not one.may(Thing.INCIDENT):
            still = set()
        still |= {cot.uid(agency, "brief", each) for each in one.running}
        for uid in one.shown - still:
            one.send(cot.removal(uid, now))
        one.shown &= still

    def _incident(self, what: Incident, stands: bool, to: Sequence[Subscriber]) -> None:
        now, uid = self._clock(), cot.uid(what.agency, "incident", what.incident_id)
        marker = cot.incident(what, now, self._wording, self._muted()) if stands else None
        if marker is not None:
            those = [one for one in to if one.may(Thing.INCIDENT)]
            spread(marker, those)
            for one in those:
                one.shown.add(uid)
            return
        those = [one for one in to if uid in one.shown]
        spread(cot.removal(uid, now), those)
        for one in those:
            one.shown.discard(uid)

    def _shot(self, what: ShotAlert, to: Sequence[Subscriber]) -> None:
        """Its markers as they are now, and none of those that were: a place that the sensors have
        ruled out, or everything, where a person heard no gunfire."""
        now = self._clock()
        markers = cot.shots(what, now, self._wording)
        those = [one for one in to if one.may(Thing.INCIDENT)]
        for marker in markers:
            spread(marker, those)
        wanted = {marker.uid for marker in markers}
        root = cot.uid(what.agency, "shot", what.alert_id)
        for one in to:
            drawn = {uid for uid in one.shown if uid.startswith(root)}
            keep = wanted if one.may(Thing.INCIDENT) else set()
            for uid in drawn - keep:
                one.send(cot.removal(uid, now))
            one.shown = (one.shown - drawn) | keep

    def _brief(self, what: Brief, to: Sequence[Subscriber]) -> None:
        muted = self._muted()
        for one in to:
            if not one.may(Thing.BRIEF) or one.person.unit != what.unit:
                continue
            if what.unit in muted and not one.link.is_direct:
                self.figures["muted_brief_held"] += 1  # its address and ETA would tell the server
                continue
            if one.briefs.get(what.brief_id, 0) >= what.version:
                continue
            one.briefs[what.brief_id] = what.version
            one.running.pop(what.brief_id, None)  # the newest told is the last in it
            if not cot.is_over(what):
                one.running[what.brief_id] = what
            now = self._clock()
            one.post(chat.brief_chat(what, one.between, now, self._wording, muted), what)
            self._waypoint(one, what, now)
            self.figures["briefs"] += 1

    def _waypoint(self, one: Subscriber, what: Brief, now: datetime) -> None:
        marker = cot.brief(what, now, self._wording)
        uid = cot.uid(what.agency, "brief", what.brief_id)
        if marker is not None:
            one.send(marker)
            one.shown.add(uid)
        elif uid in one.shown:
            one.send(cot.removal(uid, now))
            one.shown.discard(uid)

    def _devices(self, one: Subscriber) -> None:
        now = self._clock()
        for device in self._around.devices():
            marker = cot.device(device, now, self._wording)
            if marker is not None:
                one.send(marker)

    # --- what goes on by itself

    async def run(self) -> None:
        """Rights, positions and renewals, until cancelled."""
        loop = asyncio.get_running_loop()
        placed = renewed = greeted = loop.time()
        while True:
            await asyncio.sleep(self._every.tick)
            await self._recheck()
            now = loop.time()
            if now - placed >= self._every.positions:
                placed = now
                self._positions(self._around.units())
            if now - renewed >= self._every.renew:
                renewed = now
                self._renew()
            if now - greeted >= self._every.presence:
                greeted = now
                self._greet()

    async def _recheck(self) -> None:
        now = asyncio.get_running_loop().time()
        for key, one in list(self._subscribers.items()):
            if _is_away(one, now - self._every.silent):
                self._subscribers.pop(key, None)
                continue
            self.figures["posted_again"] += one.post_again(now)
            if now - one.checked_at < self._every.recheck:
                continue
            one.checked_at = now
            try:
                await self._check(key, one, now)
            except _AWAY as why:  # what was permitted goes on
                log.warning("TAK rights are not looked at: %s", type(why).__name__)
                if one.seq is None:  # its picture was under way: its next event begins anew
                    self._subscribers.pop(key, None)
                return

    async def _check(self, key: Key, one: Subscriber, now: float) -> None:
        person = await self._who.person_of(one.user)
        if self._subscribers.get(key) is not one:
            return  # left meanwhile
        if person is None:
            self._withdraw(key, one)
            return
        if person == one.person and now - one.permitted_at < self._every.heartbeat:
            return
        before = (one.person, set(one.permits))
        one.person = person
        await one.ask(self._gate)
        if (person, set(one.permits)) != before:
            self._change(one, before[0])
            await self._present(one)

    def _withdraw(self, key: Key, one: Subscriber) -> None:
        """No longer ours: the maps are cleared of what we drew on them."""
        self._subscribers.pop(key, None)
        one.permits, one.running, one.posted = {}, {}, {}
        self._clean(one, ())
        self._take_units(one, one.units)
        self.figures["withdrawn"] += 1

    def _change(self, one: Subscriber, before: Person) -> None:
        if one.person.unit != before.unit or not one.may(Thing.BRIEF):
            one.running.clear()
            one.briefs.clear()
            one.posted.clear()
        self._take_units(one, one.units)

    def _positions(self, units: Sequence[Unit]) -> None:
        """Of those who moved or came into view: the newest; of those who may no longer be seen:
        their removal."""
        now = self._clock()
        seen = {unit.unit_id: unit for unit in units if not unit.muted}
        busy = mates(list(self._open.values()))
        to: dict[UnitId, list[Subscriber]] = {}
        for one in self._subscribers.values():
            if one.seq is None:
                continue
            may = self._in_view(one, seen, busy)
            self._take_units(one, one.units - may)
            for unit_id in may:
                is_new = unit_id not in one.units
                if is_new or self._placed.get(unit_id) != seen[unit_id].heard_at:
                    to.setdefault(unit_id, []).append(one)
            one.units = may
        for unit_id, those in to.items():
            marker = cot.unit(seen[unit_id], now, self._wording)
            if marker is not None:
                spread(marker, those)
        self._placed = {unit_id: unit.heard_at for unit_id, unit in seen.items()}

    def _in_view(self, one: Subscriber, seen: dict[UnitId, Unit], busy: set[UnitId]) -> set[UnitId]:
        """A user's own unit is where its own device says; so is what came from the same server."""
        if one.may(Thing.UNIT):
            ids = set(seen)
        elif one.may(Thing.INCIDENT):
            ids = busy & seen.keys()
        else:
            return set()
        ours = "" if one.link.is_direct else f"tak {one.link.name}"
        return {
            unit_id
            for unit_id in ids
            if unit_id != one.person.unit and (not ours or seen[unit_id].source != ours)
        }

    def _take_units(self, one: Subscriber, gone: Iterable[UnitId]) -> None:
        now, agency = self._clock(), self._gate.owner
        for unit_id in list(gone):
            one.send(cot.removal(cot.uid(agency, "unit", unit_id), now))
        one.units = one.units - set(gone)

    def _renew(self) -> None:
        ready = [one for one in self._subscribers.values() if one.seq is not None]
        for what in list(self._open.values()):
            self._incident(what, True, ready)
        now = self._clock()
        for heard in list(self._shots.values()):
            if now - cot.fired_at(heard) <= SHOWN_FOR:
                self._shot(heard, ready)
            else:  # nobody has said what came of it: its marker fades with the shift
                del self._shots[heard.alert_id]
        for one in ready:
            for brief in one.running.values():
                self._waypoint(one, brief, now)

    def _greet(self) -> None:
        for one in self._subscribers.values():
            if one.link.is_direct:
                one.send(cot.presence(*one.link.sender, self._clock()))

    def _muted(self) -> set[UnitId]:
        return {unit.unit_id for unit in self._around.units() if unit.muted}


def _is_away(one: Subscriber, silent_since: float) -> bool:
    if one.link.users is not None:
        return all(user.uid != one.user.uid for user in one.link.users())
    return one.heard_at < silent_since


def _is_next(one: Subscriber, item: News) -> bool:
    """Whether it is for now; what comes while the picture is made waits."""
    if one.seq is None:
        if len(one.waiting) < WAITING_MAX:
            one.waiting.append(item)
        return False
    return item.seq > one.seq
