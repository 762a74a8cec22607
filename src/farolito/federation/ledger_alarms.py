"""Alarms about ledgers: kept, written down, told to every partner, and weighed by each of them."""

from __future__ import annotations

import asyncio
import logging
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from farolito.federation.envelope import Envelope, body_of
from farolito.federation.post import PartnerAway, Post
from farolito.gate import Gate, system_ask
from farolito.gate.witnesses import (
    Alarm,
    Doubt,
    Evidence,
    LedgerDown,
    OwnLog,
    Standing,
    VerifierKey,
    WitnessBook,
    log_of,
    weigh,
)
from farolito.model import (
    Act,
    AgencyId,
    FarolitoError,
    Invalid,
    Partner,
    PartnerState,
    Person,
    Refused,
    Thing,
)

log = logging.getLogger(__name__)

PROOF_HASHES_MAX = 63

Partners = Callable[[], Mapping[AgencyId, Partner]]
OnAlarm = Callable[[Alarm], Awaitable[None]]


class Prove(msgspec.Struct, frozen=True, tag="prove", forbid_unknown_fields=True):
    """How does your ledger of `new` entries continue that of `old`?"""

    old: int
    new: int


class Proved(msgspec.Struct, frozen=True):
    """Hashes in base64; None: there is no proof."""

    proof: tuple[str, ...] | None = None

    @property
    def hashes(self) -> list[bytes] | None:
        """None also for what is no proof at all."""
        if self.proof is None or len(self.proof) > PROOF_HASHES_MAX:
            return None
        try:
            return [b64decode(text, validate=True) for text in self.proof]
        except (Base64Error, ValueError):
            return None


class LedgerAlarms:
    """`post` carries them; `book` keeps them; `own` answers where our own ledger is doubted."""

    def __init__(  # noqa: PLR0913 - whom it knows and where it keeps what it knows
        self,
        post: Post,
        partners: Partners,
        own: OwnLog,
        book: WitnessBook,
        gate: Gate,
        system: Person,
    ) -> None:
        self._post = post
        self._partners = partners
        self._own = own
        self._book = book
        self._gate = gate
        self._system = system
        self.followers: list[OnAlarm] = []
        self.to_tell = asyncio.Event()
        post.on("alarm", self._take)

    def confirmed(self) -> list[Partner]:
        return [p for p in self._partners().values() if p.state is PartnerState.CONFIRMED]

    def owner_of(self, ledger: str) -> Partner | None:
        """The confirmed partner with this ledger; None also for our own."""
        return next((p for p in self.confirmed() if p.card.ledger_key == ledger), None)

    async def all(self) -> list[Alarm]:
        """About our own ledger, and those that are still a confirmed partner's; newest first."""
        known = {self._own.key, *(p.card.ledger_key for p in self.confirmed())}
        return [one for one in await self._book.alarms() if one.evidence.log in known]

    async def found(self, evidence: Evidence) -> None:
        """This node found it by itself, and has weighed it."""
        state = weigh(evidence, VerifierKey.parse(evidence.log))
        assert state is not None, "what this node finds has weight"
        await self._raise(evidence, state, self._post.own)

    async def ask_for_proof(self, owner: Partner, old: int, new: int) -> list[bytes] | None:
        """What the ledger of a partner answers. Raises PartnerAway, Refused."""
        back = await self._post.ask(owner.agency_id, "witness", Prove(old, new))
        return body_of(back, Proved).hashes  # type: ignore[no-any-return]

    async def ask_again(self) -> None:
        """Put what is unanswered to the ledgers once more: one that was away may clear it up."""
        for alarm in await self.all():
            if alarm.state is Standing.UNANSWERED:
                state, _ = await self._weighed(alarm.evidence, self.owner_of(alarm.evidence.log))
                if state is Standing.EXPLAINED:
                    await self._book.explained(alarm.evidence)

    async def tell(self) -> None:
        """Tell every partner what this node found and what that partner has not heard yet."""
        self.to_tell.clear()
        for alarm in await self._book.alarms():
            if alarm.raised_by != self._post.own or alarm.state is Standing.EXPLAINED:
                continue
            waiting = [p for p in self.confirmed() if p.agency_id not in alarm.told]
            heard = await asyncio.gather(*(self._tell(partner, alarm) for partner in waiting))
            told = [p.agency_id for p, yes in zip(waiting, heard, strict=True) if yes]
            if told:
                await self._book.told(alarm.alarm_id, told)

    async def _tell(self, partner: Partner, alarm: Alarm) -> bool:
        """False: it is away, and is told later."""
        try:
            back = await self._post.ask(partner.agency_id, "alarm", alarm.evidence)
            proof = body_of(back, Proved).hashes
        except PartnerAway:
            return False
        except Refused as no:
            log.warning("%s does not take an alarm: %s", partner.agency_id, no.says)
            return True
        key = VerifierKey.parse(alarm.evidence.log)
        if proof is not None and weigh(alarm.evidence, key, proof) is Standing.EXPLAINED:
            await self._book.explained(alarm.evidence)
        return True

    async def _take(self, envelope: Envelope) -> Proved:
        """A partner doubts a ledger. Raises Refused where what it tells shows nothing."""
        evidence: Evidence = body_of(envelope, Evidence)
        owner = self.owner_of(evidence.log)
        if owner is None and evidence.log != self._own.key:
            raise Refused("unknown_log", "no ledger of a partner of ours", "")
        if evidence.doubt is Doubt.CONFESSED and (
            owner is None or owner.agency_id != envelope.sender
        ):
            raise Refused("unproved", "only its own agency confesses for a ledger", "")
        state, proof = await self._weighed(evidence, owner)
        if state is None:
            raise Refused("unproved", "what is told does not speak against that ledger", "")
        if state is Standing.EXPLAINED and proof is not None:
            return Proved(tuple(b64encode(hash_).decode() for hash_ in proof))
        await self._raise(evidence, state, envelope.sender)
        return Proved()

    async def _weighed(
        self, evidence: Evidence, owner: Partner | None
    ) -> tuple[Standing | None, Sequence[bytes] | None]:
        """What it is worth once the ledger itself has been asked, where it can clear that up."""
        key = self._key_of(evidence.log, owner)
        state = weigh(evidence, key)
        if state is not Standing.UNANSWERED:
            return state, None
        old, new = sorted(int(note.split("\n", 2)[1]) for note in evidence.notes)
        proof = await self._proof(owner, old, new)
        return weigh(evidence, key, proof), proof

    def _key_of(self, ledger: str, owner: Partner | None) -> VerifierKey:
        agency = owner.agency_id if owner else self._post.own
        try:
            return log_of(ledger, agency)
        except Invalid as error:
            raise Refused("unknown_log", error.says, error.do) from error

    async def _proof(self, owner: Partner | None, old: int, new: int) -> list[bytes] | None:
        if owner is None:
            own = await self._own.prove(old, new)
            return None if own is None else Proved(tuple(own)).hashes
        try:
            return await self.ask_for_proof(owner, old, new)
        except (PartnerAway, Refused):
            return None

    async def _raise(self, evidence: Evidence, state: Standing, by: AgencyId) -> None:
        """Keep it, write it down, tell our own people. Partners are told by `tell`, once each."""
        alarm = await self._book.keep_alarm(evidence, state, by)
        if alarm is None:
            return
        log.error("ALARM: the ledger %s: %s, %s", evidence.log, evidence.doubt, state)
        ask = system_ask(self._system, Thing.LEDGER, f"{evidence.doubt} of {evidence.log}")
        ask = msgspec.structs.replace(ask, fixes=evidence.digest)
        word = "alarm_raised" if by == self._post.own else "alarm_taken"
        try:
            await self._gate.note(ask, Act.ACT, word)
        except LedgerDown as down:
            log.error("that alarm stands in no entry of our own ledger: %s", down.says)
        self.to_tell.set()
        for follow in self.followers:
            try:
                await follow(alarm)
            except FarolitoError as why:
                log.warning("nobody was shown the alarm: %s", why.says)
