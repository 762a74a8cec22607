"""One TAK user as we serve them: who it is, what the gate permits, what they were shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from farolito.delivery.chat import Addressee, Between, Sender
from farolito.delivery.follow import News
from farolito.gate import Ask, Gate
from farolito.ingest.avl.cot import CotEvent
from farolito.ingest.avl.tak_units import TakUser
from farolito.model import (
    Brief,
    BriefId,
    Person,
    Purpose,
    Refused,
    Role,
    Thing,
    UnitId,
)

POST_AGAIN_S = 15.0
POST_TRIES_MAX = 4

# What each role may follow on a map. Who is not here asks for incidents, so that the refusal is in
# the ledger.
_FOLLOWS: Mapping[Role, tuple[Thing, ...]] = {
    Role.OFFICER: (Thing.BRIEF, Thing.INCIDENT),
    Role.OPERATOR: (Thing.INCIDENT, Thing.UNIT, Thing.MAP),
    Role.SUPERVISOR: (Thing.INCIDENT, Thing.UNIT, Thing.MAP),
}


class TakLink(NamedTuple):
    """A way to TAK users: our own server, or the agency's own TAK server that we are a client of.

    `is_direct`: it is our own server, and a user's name is what its certificate proves. Over
    another server users are addressed by call sign, which that server vouches for.
    `send` as TakServer's and TakClient's; `users` who is connected now, None where unknown.
    """

    name: str
    is_direct: bool
    sender: Sender
    send: Callable[[CotEvent, Sequence[str]], int]
    users: Callable[[], Sequence[TakUser]] | None = None


class Who(Protocol):
    """Which of the agency's people a TAK user is; asked again every few seconds. By the app."""

    async def person_of(self, user: TakUser) -> Person | None: ...


Key = tuple[str, str, str]


def key_of(link: TakLink, user: TakUser) -> Key | None:
    """None while the device has not said who it is."""
    if not user.uid or not user.callsign:
        return None
    return (link.name, user.name, user.uid)


class Posted(NamedTuple):
    """A brief's chat that no receipt has proven yet."""

    event: CotEvent
    version: int
    at: float  # of the loop's clock
    tries: int


class Subscriber:
    """`seq`: everything told up to this number has been sent; None while the picture is made,
    and `waiting` holds what comes meanwhile."""

    def __init__(self, link: TakLink, user: TakUser, person: Person) -> None:
        self.link = link
        self.user = user
        self.person = person
        self.permits: dict[Thing, int] = {}
        self.seq: int | None = None
        self.waiting: list[News] = []
        self.shown: set[str] = set()  # uids of markers
        self.units: set[UnitId] = set()
        self.briefs: dict[BriefId, int] = {}  # the newest version sent
        self.running: dict[BriefId, Brief] = {}
        self.posted: dict[BriefId, Posted] = {}
        now = asyncio.get_running_loop().time()
        self.heard_at = self.checked_at = self.permitted_at = now

    @property
    def address(self) -> str:
        """What the link knows them by: a proven name, a unit by our table, a call sign there."""
        if not self.link.is_direct:
            return self.user.callsign or ""
        return self.user.name if self.user.is_proven else self.user.unit or ""

    @property
    def between(self) -> Between:
        to = Addressee(self.user.uid or "", self.user.callsign or self.user.name)
        return Between(self.link.sender, to)

    def send(self, event: CotEvent) -> None:
        self.link.send(event, [self.address])

    def post(self, event: CotEvent, brief: Brief) -> None:
        """Send a brief's chat, and remember it until the device says that it came."""
        self.send(event)
        at = asyncio.get_running_loop().time()
        self.posted[brief.brief_id] = Posted(event, brief.version, at, 1)

    def proven(self, brief_id: BriefId, version: int) -> None:
        posted = self.posted.get(brief_id)
        if posted is not None and posted.version <= version:
            del self.posted[brief_id]

    def post_again(self, now: float) -> int:
        """What was sent a while ago and not proven, to a device that was heard since: a phone
        that lost its network takes what was on the way with it. Gives how many."""
        again = 0
        for brief_id, posted in list(self.posted.items()):
            if now - posted.at < POST_AGAIN_S or self.heard_at <= posted.at:
                continue
            if posted.tries >= POST_TRIES_MAX:  # a client that writes no receipts
                del self.posted[brief_id]
                continue
            self.send(posted.event)
            self.posted[brief_id] = posted._replace(at=now, tries=posted.tries + 1)
            again += 1
        return again

    def may(self, thing: Thing) -> bool:
        return thing in self.permits

    async def ask(self, gate: Gate) -> None:
        """The permits as they are now, each an entry of the ledger. Raises LedgerDown: then the
        permits given before still hold."""
        permits: dict[Thing, int] = {}
        for thing in _FOLLOWS.get(self.person.role, (Thing.INCIDENT,)):
            try:
                permits[thing] = await gate.live(self._ask(thing))
            except Refused:
                continue
        self.permits = permits
        self.permitted_at = asyncio.get_running_loop().time()

    def _ask(self, thing: Thing) -> Ask:
        unit = self.person.unit or ""
        facts: dict[str, str | int | bool] = {"confirmed": True}
        if thing is Thing.BRIEF:
            facts = {"assigned_unit": unit}
        return Ask(
            person=self.person,
            thing=thing,
            purpose=Purpose.IN_PROGRESS_CALL,
            query=f"TAK: {thing.value}s for {unit or self.user.name}",
            device=f"tak {self.link.name}",
            facts=facts,
        )


def spread(event: CotEvent, to: Sequence[Subscriber]) -> None:
    """The same event to many, once a link."""
    by_link: dict[str, list[Subscriber]] = {}
    for one in to:
        by_link.setdefault(one.link.name, []).append(one)
    for those in by_link.values():
        those[0].link.send(event, list(dict.fromkeys(one.address for one in those)))
