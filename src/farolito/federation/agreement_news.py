"""What two agencies tell each other of their agreements: every change, once, until it is answered.

News wait in the records: a partner who was away learns of an end when it is back, and both ledgers
hold each other's receipt of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from farolito.federation.agreement_book import TROUBLE, AgreementBook, id_of
from farolito.federation.envelope import Envelope
from farolito.federation.post import PartnerAway, Post
from farolito.federation.signatures import check, differs
from farolito.gate import Ask, Gate, Records
from farolito.model import (
    OVER,
    Act,
    AgencyId,
    AgreementState,
    Because,
    FarolitoError,
    Refused,
    SignedAgreement,
)
from farolito.model.agreement import AgreementNews

log = logging.getLogger(__name__)

RETRY_S = 1.0  # between two tries to tell a partner who is away
LOOK_S_MAX = 30.0  # between two looks at what began or ended by its time
# After these words of theirs there is no sense in telling it again.
_FINAL = frozenset(
    {"bad_agreement", "altered_agreement", "not_ours", "not_signed", "not_yours", "malformed"}
)


class Told(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `agree`: how an agreement stands, and the receipt of the sender's entry."""

    signed: SignedAgreement
    receipt: str


class Heard(msgspec.Struct, frozen=True):
    """What goes back: the receipt of the receiver's entry."""

    receipt: str


class Telling:
    def __init__(
        self,
        book: AgreementBook,
        gate: Gate,
        post: Post,
        clock: Callable[[], datetime],
        *,
        demo: bool = False,
    ) -> None:
        self._book = book
        self._gate = gate
        self._post = post
        self._clock = clock
        self._demo = demo
        self._telling: dict[AgencyId, asyncio.Task[None]] = {}
        self._away: set[AgencyId] = set()  # who could not be told at the last try
        post.on("agree", self.take)

    async def run(self) -> None:
        """Begin, end and tell by time and by wake, until cancelled."""
        try:
            while True:
                self._book.changed.clear()
                try:
                    await self._book.tick()
                    await self.tell()
                except TROUBLE as error:
                    log.warning("agreements: %s", error)
                await self._rest()
        finally:
            self._book.stop()
            for task in self._telling.values():
                task.cancel()

    def wake(self) -> None:
        """A partner is back."""
        self._book.changed.set()

    async def _rest(self) -> None:
        waiting = RETRY_S if self._away or self._telling else LOOK_S_MAX
        soonest = self._book.next_time()
        if soonest is not None:
            waiting = min(waiting, (soonest - self._clock()).total_seconds())
        try:
            async with asyncio.timeout(max(0.01, waiting)):
                await self._book.changed.wait()
        except TimeoutError:
            return

    async def tell(self) -> None:
        """Tell every partner what it was not told yet, each in its own time and in order."""
        untold = await self._gate.following(lambda records: records.agreements.untold())
        for partner in {one.partner for one in untold} - set(self._telling):
            news = [one for one in untold if one.partner == partner]
            self._telling[partner] = asyncio.create_task(
                self._tell_all(partner, news), name=f"news for {partner}"
            )

    async def told(self) -> None:
        """Return when nobody is being told anything."""
        while self._telling:
            await asyncio.wait(self._telling.values())

    async def _tell_all(self, partner: AgencyId, untold: Sequence[AgreementNews]) -> None:
        try:
            for one in untold:
                await self._tell_one(one)
            self._away.discard(partner)
            self._book.changed.set()  # there may be more by now
        except TROUBLE as error:
            if partner not in self._away:
                log.warning("%s is not told of agreements yet: %s", partner, error)
            self._away.add(partner)
        finally:
            del self._telling[partner]

    async def _tell_one(self, one: AgreementNews) -> None:
        """Raises FarolitoError where it must be told again."""
        answer, refused = "", ""
        try:
            body = Told(signed=one.signed, receipt=one.receipt)
            back = await self._post.ask(one.partner, "agree", body)
            answer = msgspec.json.decode(back.body, type=Heard).receipt
        except Refused as no:
            if no.reason not in _FINAL:
                raise
            refused = no.reason
        except msgspec.DecodeError as error:
            raise PartnerAway(f"{one.partner} answered nothing that is understood") from error

        async def write(records: Records, permit: int) -> None:
            await records.agreements.told(one.number, self._clock(), answer, refused)

        what = f"told {one.partner} that agreement {id_of(one.signed)} is {one.signed.state}"
        await self._gate.act(self._book.ask(one.signed, what, answer or None), write)

    async def take(self, envelope: Envelope) -> Heard:
        """What a partner tells of an agreement with us; our receipt goes back."""
        told = _told(envelope)
        before = self._book.get(told.signed.agreement.agreement_id)
        ask = self._book.ask(
            told.signed,
            f"{envelope.sender} says that agreement {id_of(told.signed)} is {told.signed.state}",
            told.receipt,
        )
        try:
            self._check(envelope.sender, before, told.signed)
        except Refused as no:
            await self._gate.note(ask, Act.ACT, no.reason)
            raise
        if before is not None and not _is_news(before, told.signed):
            return await self._answer_again(told.signed)
        return await self._believe(ask, envelope.sender, told.signed)

    async def _believe(self, ask: Ask, sender: AgencyId, told: SignedAgreement) -> Heard:
        async def work(records: Records, permit: int) -> list[SignedAgreement]:
            before = await records.agreements.get(told.agreement.agreement_id)
            if before is not None and not _is_news(before, told):
                return []
            after = self._book.as_of_now(before or told, told.state)
            if told.state is AgreementState.REVOKED:
                after = msgspec.structs.replace(
                    after, revoked_by=sender, revoked_because=_because(told.revoked_because)
                )
            await self._book.keep(records, after, permit, tell=False)
            return [after, *await self._book.replace(records, after, permit)]

        answer = await self._gate.act(ask, work)
        if answer.value:
            await self._book.take_effect(answer.value)
        return Heard(await self._gate.receipt(answer.permit))

    async def _answer_again(self, told: SignedAgreement) -> Heard:
        """It was told before, and our answer was lost."""
        states = await self._gate.following(
            lambda records: records.agreements.states(told.agreement.agreement_id)
        )
        return Heard(await self._gate.receipt(states[-1][2]))

    def _check(
        self, sender: AgencyId, before: SignedAgreement | None, told: SignedAgreement
    ) -> None:
        """Raises Refused for what this partner may not tell, or what is not rightly signed."""
        terms = told.agreement
        if {terms.grantor, terms.grantee} != {sender, self._book.own}:
            raise Refused("not_ours", "an agreement of somebody else", "tell those whose it is")
        if before is not None:
            if before.state in (AgreementState.DRAFT, AgreementState.PROPOSED):
                raise Refused("not_signed", "nobody has signed that", "wait until it is")
            if differs(before, told):
                raise Refused("altered_agreement", "that is not what was signed", "")
            if told.state is AgreementState.REPLACED and sender != terms.grantor:
                raise Refused("not_yours", "only who gives replaces", "revoke it")
            return
        if sender != terms.grantor or told.state in (AgreementState.DRAFT, AgreementState.PROPOSED):
            raise Refused("not_signed", "nobody has signed that", "sign it first")
        check(told, self._book.partners()[sender].card.key, self._book.rules.parse, demo=self._demo)


def _told(envelope: Envelope) -> Told:
    try:
        return msgspec.json.decode(envelope.body, type=Told)
    except (msgspec.DecodeError, FarolitoError) as error:
        raise Refused("malformed", "that is no agreement", "send one") from error


def _because(word: str) -> str:
    return word if word in set(Because) else Because.NOT_NEEDED.value


def _is_news(before: SignedAgreement, told: SignedAgreement) -> bool:
    """Whether what the other side tells changes anything. What is over stays over, and what ends
    by its time ends at each side by its own clock."""
    ends = told.state in (AgreementState.REVOKED, AgreementState.REPLACED)
    return before.state not in OVER and ends
