"""One passage, the same for every kind of asking."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Generic, NoReturn, TypeVar

import msgspec

from farolito.audit import Entry, Ledger, LedgerDown, LedgerStatus, Spool
from farolito.audit.tree import leaf_hash
from farolito.gate.foreign import ForeignWork, limits_of
from farolito.media import Pictures
from farolito.media.token import Grant, mint
from farolito.model import (
    Act,
    Agency,
    AgencyId,
    AgreementId,
    Away,
    CameraId,
    EnvelopeId,
    FarolitoError,
    Person,
    Purpose,
    Refused,
    SessionId,
    ShareClass,
    Thing,
)
from farolito.model.camera import WATCH_MINUTES_MAX
from farolito.policy import Policies, Refusal, Request, facts_of_question
from farolito.policy.request import Fact
from farolito.store import Database, Records
from farolito.store.database import AWAY

T = TypeVar("T")
Facts = Callable[[Records], Awaitable[Mapping[str, Fact]]]
Work = Callable[[Records, int], Awaitable[T]]
HEARTBEAT = "heartbeat"
SPOOLED = -1  # the permit's number while the ledger is down: it gets a real one afterwards
LEAVES_KEPT = 1_000  # of the newest entries; a receipt of an older one is read from the ledger


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants what, and why. `query` says what was asked for in words the owner may open;
    `fixes`: the SHA-256 of a thing that the entry is to fix for ever. `counterpart`: the receipt
    of the other agency's entry about the same; `ori`: of the asker's agency, where it is not ours.
    """

    person: Person
    thing: Thing
    purpose: Purpose | None
    query: str
    signed_in_at: datetime | None = None  # None: the node itself
    proved_at: datetime | None = None  # a passkey was shown last; None: it was the sign-in itself
    session: SessionId | None = None
    case: str | None = None
    on_behalf_of: str | None = None
    device: str | None = None
    facts: Mapping[str, Fact] = {}
    fixes: str | None = None
    agreement: AgreementId | None = None
    counterpart: str | None = None
    ori: str | None = None


class PictureName(msgspec.Struct, frozen=True):
    day: date
    sha256: str


class LedgerPage(msgspec.Struct, frozen=True):
    entries: Sequence[Any]
    checkpoint: str
    status: LedgerStatus


class Answer(msgspec.Struct, Generic[T], frozen=True):
    """What was asked for, and the ledger entry that permits it."""

    value: T
    permit: int


class Look(msgspec.Struct, frozen=True):
    """What opens a camera's picture once, and when the permission ends."""

    token: str
    until: datetime


def system_ask(person: Person, thing: Thing, query: str, device: str | None = None) -> Ask:
    """The node acting by a standing rule."""
    return Ask(person=person, thing=thing, purpose=Purpose.SYSTEM, query=query, device=device)


class Gate:
    """Decides, writes, does, answers. `owner` is the agency whose data this node keeps."""

    def __init__(  # noqa: PLR0913 - the gate is where these meet
        self,
        policies: Policies,
        ledger: Ledger,
        spool: Spool,
        database: Database,
        pictures: Pictures,
        agency: Agency,
        clock: Callable[[], datetime],
    ) -> None:
        self._pictures = pictures
        self._policies = policies
        self._ledger = ledger
        self._spool = spool
        self._database = database
        self._agency = agency
        self._clock = clock
        self.token_secret = b""  # what picture processes prove tokens by; empty: there are none
        self.after_act: Callable[[], None] = lambda: None  # screens have something new to fetch
        self.zone: tzinfo = UTC  # in which an agreement's hours count: the owner's
        self.after_rules: list[Callable[[], None]] = []  # whoever decided once and must look again
        self._leaves: dict[int, str] = {}  # newest last

    @property
    def owner(self) -> AgencyId:
        return self._agency.agency_id

    @property
    def policies(self) -> Policies:
        """The rules as they stand: for the app, which makes new ones of them."""
        return self._policies

    def use(self, policies: Policies) -> None:
        """Decide by these rules from now on: agreements came into force, or ended.

        What was decided before is decided again: cameras and sockets ask by themselves within
        seconds, and `after_rules` is told at once.
        """
        self._policies = policies
        for tell in self.after_rules:
            tell()

    async def receipt(self, permit: int) -> str:
        """An entry's receipt as text, "<agency>#<index>:<leaf>", as another agency's ledger keeps
        it. Raises NotOpenable where there is no such entry, LedgerDown for one in the spool."""
        if permit == SPOOLED:
            raise LedgerDown("the entry waits in the spool", "ask again when the ledger is back")
        leaf = self._leaves.get(permit) or leaf_hash(await self._ledger.entry(permit)).hex()
        return f"{self.owner}#{permit}:{leaf}"

    async def read(self, ask: Ask, work: Work[T], facts: Facts | None = None) -> Answer[T]:
        return await self._pass(Act.READ, ask, work, facts)

    async def act(self, ask: Ask, work: Work[T], facts: Facts | None = None) -> Answer[T]:
        return await self._changed(self._pass(Act.ACT, ask, work, facts))

    async def safety(self, ask: Ask, work: Work[T], facts: Facts | None = None) -> Answer[T]:
        """An act that keeps an officer safe: with the ledger down it goes out all the same.

        Its entry is written to the signed local spool and reconciled later. Only what carries
        already confirmed knowledge to a unit, or takes it back, may pass here.
        """
        return await self._changed(self._pass(Act.ACT, ask, work, facts, may_spool=True))

    async def export(self, ask: Ask, work: Work[T], facts: Facts | None = None) -> Answer[T]:
        return await self._pass(Act.EXPORT, ask, work, facts)

    async def picture(
        self, ask: Ask, find: Callable[[Records], Awaitable[PictureName | None]], facts: Facts
    ) -> Answer[bytes | None]:
        """A kept picture. None where there is none, or its keeping has ended."""

        async def work(records: Records, permit: int) -> bytes | None:
            name = await find(records)
            if name is None:
                return None
            return await asyncio.to_thread(self._pictures.get, name.day, name.sha256)

        return await self.read(ask, work, facts)

    async def ledger_entries(self, ask: Ask, after: int, limit: int) -> Answer[LedgerPage]:
        """Entries as anybody entitled to the log may see them: commitments, no personal value."""

        async def work(records: Records, permit: int) -> LedgerPage:
            entries = await self._ledger.entries(after, limit)
            checkpoint = await self._ledger.checkpoint()
            return LedgerPage(entries, checkpoint.decode(), self._ledger.status())

        return await self.read(ask, work)

    async def ledger_bundle(self, ask: Ask, first: int, last: int | None) -> Answer[bytes]:
        """A file that proves the entries `first`…`last` (None: to the end) to an outsider."""

        async def work(records: Records, permit: int) -> bytes:
            return await self._ledger.bundle(first, last)

        return await self.export(ask, work)

    async def open_field(self, ask: Ask, index: int, field: str) -> Answer[str | None]:
        """One personal field of the ledger, opened; the opening is an entry of its own."""

        async def work(records: Records, permit: int) -> str | None:
            opened: str | None = await self._ledger.open_field(index, field)
            return opened

        return await self.read(ask, work)

    def vouch(self, text: str) -> str:
        """The ledger's signature line under a text about a thing that this node made."""
        return self._ledger.vouch(text)

    async def ledger_now(self) -> tuple[str, bytes]:
        """The ledger's published key, and its newest signed checkpoint."""
        return str(self._ledger.verifier_key), await self._ledger.checkpoint()

    async def entry_with_proof(self, permit: int) -> tuple[bytes, bytes]:
        """An entry's bytes, which hold no personal value, and its `.tlog-proof`."""
        return await self._ledger.entry(permit), await self._ledger.proof(permit)

    async def live(self, ask: Ask, facts: Facts | None = None) -> int:
        """Permit a subscription; its number. Asked again whenever a right may have changed."""
        return await self._permit(Act.LIVE, ask, await self._known(ask, facts), may_spool=False)

    async def watch(
        self, ask: Ask, camera_id: CameraId, minutes: float, facts: Facts | None = None
    ) -> Answer[Look]:
        """Permit to watch one camera for some minutes. Nothing else makes such a token, and none
        is made before its entry is durable; what was permitted is asked again by `may_still`."""
        assert ask.thing is Thing.CAMERA, "only cameras are watched"
        assert 0 < minutes <= WATCH_MINUTES_MAX, "a permission to watch lasts minutes"
        if not self.token_secret:
            raise FarolitoError("this node shows no pictures", "see [video] in farolito.toml")
        permit = await self._permit(Act.WATCH, ask, await self._known(ask, facts), may_spool=False)
        now = self._clock()
        until = now + timedelta(minutes=minutes)
        grant = Grant(
            permit=permit,
            person=ask.person.person_id,
            camera_id=camera_id,
            made_us=_us(now),
            until_us=_us(until),
        )
        return Answer(Look(mint(self.token_secret, grant), until), permit)

    async def look_after(self, ask: Ask) -> int:
        """Permit the node to look whether cameras are well; the number. It opens nothing to
        anybody, and no picture is kept. `facts` of the ask: those of every camera looked at."""
        assert ask.thing is Thing.CAMERA, "only cameras are looked after"
        return await self._permit(Act.WATCH, ask, ask.facts, may_spool=False)

    def may_still(self, asks: Sequence[Ask], act: Act = Act.WATCH) -> list[Refusal | None]:
        """Whether what `watch` (or `live`) permitted would be permitted now, with the facts in
        each ask.

        It opens nothing and so writes nothing: what ends by it is written down by `watched`.
        """
        decided = self._policies.decide_all([self._request(act, ask, ask.facts) for ask in asks])
        return [one if isinstance(one, Refusal) else None for one in decided]

    async def watched(self, ask: Ask, permit: int, what: str) -> int:
        """Write down that somebody still watches ("heartbeat"), or no longer ("stop: left").

        An end is no answer to anybody: while the ledger is down it waits in the spool, so that
        it is never lost. A heartbeat raises LedgerDown.
        """
        word = what.removeprefix("stop: ")
        assert word.replace("_", "").isalpha(), "a stable word, never free text"
        told = msgspec.structs.replace(ask, query=f"{what} of permit {permit}: {ask.query}")
        return await self._write(told, Act.WATCH, "permit", what, (), may_spool=what != HEARTBEAT)

    async def keep_viewings(self, work: Callable[[Records], Awaitable[T]]) -> T:
        """Rows of who watches: what `watch` permitted and `watched` wrote down, as it is shown."""
        return await self.following(work)

    async def following(self, work: Callable[[Records], Awaitable[T]]) -> T:
        """The next items of a subscription that `live` has permitted.

        Also the node's own look at whether there is anything to do, before it asks to do it.
        Never an answer to a person, never a change.
        """
        async with self._database.transaction(self.owner) as connection:
            return await work(Records(connection, self.owner))

    async def foreign_read(
        self, ask: Ask, share_class: ShareClass, work: ForeignWork[T], age_days: int = 0
    ) -> Answer[T]:
        """Another agency's person reads, by our rules: `ask` names the agreement, and as
        `counterpart` the receipt of the asker's own entry. `age_days`: of the newest record that
        is asked for.

        `work` reads within the limits that it is handed. An agreement that ends meanwhile is a
        refusal: it is decided again, by the rules of that moment, before the answer leaves.
        """
        assert ask.person.agency != self.owner, "our own people have their own door"
        policies, now = self._policies, self._clock()
        signed = policies.terms(ask.agreement) if ask.agreement else None
        facts: dict[str, Fact] = {**ask.facts}
        if signed is not None:  # whatever is found lies within its zones: nothing else is read
            facts |= facts_of_question(signed.agreement, now, self.zone, age_days)
        permit = await self._permit(Act.READ, ask, facts, may_spool=False)
        assert signed is not None, "nothing is permitted without an agreement"
        limits = limits_of(signed.agreement, share_class, self._agency.keep_reads, now)
        async with self._database.transaction(self.owner) as connection:
            value = await work(Records(connection, self.owner), permit, limits)
        if self._policies is not policies:
            again = self._policies.decide(self._request(Act.READ, ask, facts))
            if isinstance(again, Refusal):
                await self.refuse(ask, again.reason, again.says, again.do)
        return Answer(value, permit)

    async def refuse(self, ask: Ask, reason: str, says: str, do: str) -> NoReturn:
        """Write down a refusal that came up outside the rules, or after them; raises Refused."""
        entry = await self._write(ask, Act.READ, "refusal", reason, (), may_spool=False)
        raise Refused(reason, says, do, entry)

    async def heard(self, ask: Ask, permit: int, owner: AgencyId, reason: str, count: int) -> int:
        """Write down what another owner answered to the question of `permit`, before it is shown:
        `reason` in a word, `count` records. `ask` names the agreement, and as `counterpart` the
        owner's receipt; a question that nobody answered has none."""
        assert reason.replace("_", "").isalpha(), "a stable word, never free text"
        told = msgspec.structs.replace(ask, query=f"answer of {owner} to permit {permit}")
        return await self._write(
            told, Act.READ, "permit", reason, (), may_spool=False, count=count
        )  # fmt: skip

    async def is_new(self, sender: AgencyId, envelope_id: EnvelopeId, at: datetime) -> bool:
        """Whether another agency's message was never taken before; from now on it was, durably.

        Raises Away while that cannot be told.
        """
        return await self.keep_messages(lambda r: r.envelopes.take(sender, envelope_id, at))

    async def keep_messages(self, work: Callable[[Records], Awaitable[T]]) -> T:
        """What is known of other agencies' messages: which were taken, how often each asked."""
        try:
            return await self.following(work)
        except AWAY as error:
            raise Away("the records do not answer", "ask again in a few seconds") from error

    async def note(self, ask: Ask, act: Act, reason: str) -> int:
        """Write down a sign-in, a sign-out or their refusal: deeds that need no permit."""
        return await self._write(ask, act, "permit", reason, (), may_spool=False)

    async def _changed(self, passing: Awaitable[Answer[T]]) -> Answer[T]:
        answer = await passing
        self.after_act()
        return answer

    async def _pass(
        self, act: Act, ask: Ask, work: Work[T], facts: Facts | None, *, may_spool: bool = False
    ) -> Answer[T]:
        permit = await self._permit(act, ask, await self._known(ask, facts), may_spool=may_spool)
        async with self._database.transaction(self.owner) as connection:
            return Answer(await work(Records(connection, self.owner), permit), permit)

    async def _known(self, ask: Ask, facts: Facts | None) -> Mapping[str, Fact]:
        """What the policy must know of the thing. Looked up by the gate, shown to nobody."""
        if facts is None:
            return ask.facts
        async with self._database.transaction(self.owner) as connection:
            return {**ask.facts, **await facts(Records(connection, self.owner))}

    async def _permit(
        self, act: Act, ask: Ask, facts: Mapping[str, Fact], *, may_spool: bool
    ) -> int:
        decision = self._policies.decide(self._request(act, ask, facts))
        if isinstance(decision, Refusal):
            entry = await self._write(ask, act, "refusal", decision.reason, (), may_spool=False)
            raise Refused(decision.reason, decision.says, decision.do, entry)
        return await self._write(ask, act, "permit", "permit", decision.rules, may_spool=may_spool)

    def _request(self, act: Act, ask: Ask, facts: Mapping[str, Fact]) -> Request:
        now = self._clock()
        since = ask.signed_in_at or now
        return Request(
            person=ask.person,
            signed_in_s=int((now - since).total_seconds()),
            proved_s=int((now - ask.proved_at).total_seconds()) if ask.proved_at else None,
            act=act,
            thing=ask.thing,
            purpose=ask.purpose,
            case=ask.case,
            on_behalf_of=ask.on_behalf_of,
            owner=self.owner,
            facts=facts,
            now=now,
            agreement=ask.agreement,
        )

    def _user(self, person: Person) -> str:
        """Ours by the id alone, whose name our own register has; others with their name."""
        if person.agency == self.owner:
            return str(person.person_id)
        return f"{person.person_id} {person.name}, {person.role.value} of {person.agency}"

    async def _write(  # noqa: PLR0913 - one column of the entry each
        self, ask: Ask, act: Act, decision: str, reason: str, rules: tuple[str, ...], *,
        may_spool: bool, count: int = 0,
    ) -> int:  # fmt: skip
        entry = Entry(
            at=self._clock(),
            act=act,
            thing=ask.thing,
            decision="permit" if decision == "permit" else "refusal",
            reason=reason,
            actor_role=ask.person.role,
            agency=ask.person.agency,
            ori=ask.ori or self._agency.ori,
            session=str(ask.session) if ask.session else None,
            device=ask.device,
            purpose=ask.purpose,
            count=count,
            policy=self._policies.hash,
            rules=rules,
            fixes=ask.fixes if decision == "permit" else None,
            agreement=str(ask.agreement) if ask.agreement else None,
            counterpart=ask.counterpart,
            personal={
                name: value
                for name, value in (
                    ("user", self._user(ask.person)),
                    ("query", ask.query),
                    ("case", ask.case),
                    ("on_behalf_of", ask.on_behalf_of),
                )
                if value
            },
        )
        try:
            receipt = await self._ledger.append(entry)
        except LedgerDown as error:
            if may_spool:
                self._spool.append(entry)
                return SPOOLED
            raise LedgerDown(
                "the ledger cannot be written, so nothing may be shown", error.do or "see /health"
            ) from error
        self._leaves[receipt.index] = receipt.leaf
        if len(self._leaves) > LEAVES_KEPT:
            del self._leaves[next(iter(self._leaves))]
        return receipt.index


def _us(at: datetime) -> int:
    """µs since 1970."""
    return round(at.timestamp() * 1_000_000)
