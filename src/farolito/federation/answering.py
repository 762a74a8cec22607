"""Answering other agencies: our own rules decide, our own ledger has it first, our own limits stand
in the query itself.

What an answer holds is exactly one plate's reads within the agreement. A refusal is an answer with
a receipt. Whatever goes wrong on the way is no answer, never an empty one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from farolito.desk.search import found
from farolito.federation.envelope import Envelope, body_of
from farolito.federation.questions import ANSWER_S_MAX, Found, Question
from farolito.gate import Ask, Gate, LedgerDown, Limits, Records
from farolito.model import (
    AgencyId,
    AgreementId,
    Answering,
    Away,
    Invalid,
    Partner,
    PartnerState,
    Person,
    PersonId,
    PlateRead,
    Refused,
    ShareClass,
    Thing,
    normalise_plate,
)
from farolito.model.search import AnswerState, AskedCount, PlateQuestion, Provenance, ReadsWanted

NEW_FOR = timedelta(days=1)  # a new asker stands on the health page for so long


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """What our own people are told at once: an agency asks for the first time, or asked about
    something that is kept from it. `because`: "first" or "silent"."""

    agency_id: AgencyId
    name: str
    at: datetime
    because: str
    permit: int
    agreement_id: AgreementId


class PlateAnswers:
    """Takes "ask" messages. `zone`: the agency's own, for its days; `contact`: whom a partner is
    told to call; `is_suspended`: what an agency told us of its own person."""

    def __init__(  # noqa: PLR0913 - the gate, whom we know, and what they are told
        self,
        gate: Gate,
        partners: Callable[[], Mapping[AgencyId, Partner]],
        clock: Callable[[], datetime],
        zone: ZoneInfo,
        contact: str,
        is_suspended: Callable[[AgencyId, PersonId], bool] = lambda *_: False,
    ) -> None:
        self._gate = gate
        self._partners = partners
        self._clock = clock
        self._zone = zone
        self._contact = contact
        self._is_suspended = is_suspended

    async def take(self, envelope: Envelope) -> Found:
        """The sealed answer's body. Raises Refused where nobody can be written down as the asker,
        Away where we could not look."""
        asked: Question = body_of(envelope, Question)
        partner = self._partners().get(envelope.sender)
        if partner is None or partner.state is not PartnerState.CONFIRMED:
            raise Refused("not_a_partner", "no partner of ours", "join, and let people confirm it")
        ask = self._ask(asked, partner)
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                return await self._answer(ask, asked, partner)
        except Refused as no:
            return await self._refused(ask, asked, no)
        except TimeoutError as error:
            raise Away("the records take too long", "ask again, for a shorter time") from error
        except LedgerDown as error:
            raise Away("the ledger cannot be written, so nothing is answered") from error

    async def _answer(self, ask: Ask, asked: Question, partner: Partner) -> Found:
        if (asked.agency, asked.ori) != (partner.agency_id, partner.card.ori):
            await self._gate.refuse(
                ask, "forged_agency", "a question in another agency's name", "ask in your own"
            )
        if not asked.receipt.startswith(f"{partner.agency_id}#"):
            await self._gate.refuse(
                ask, "no_receipt", "a question without its entry in your own ledger",
                "write it down before you ask",
            )  # fmt: skip
        if self._is_suspended(partner.agency_id, ask.person.person_id):
            await self._gate.refuse(
                ask, "suspended", "their own agency has suspended this person", "ask your agency"
            )
        try:
            question = _question(asked)
        except Invalid as error:
            await self._gate.refuse(ask, "malformed", error.says, error.do)
        now = self._clock()
        older = max(0, (now - question.until).days)

        async def work(records: Records, permit: int, limits: Limits) -> Found:
            reads = await records.reads.search(
                ReadsWanted(
                    plates=(question.plate,),
                    since=max(question.since, limits.since),
                    until=question.until,
                    state=question.state,
                    zones=limits.zones,
                    limit=limits.rows + 1,
                )
            )
            answer = await self._found(question, permit, limits, reads)
            outcome = answer.state.value
            if reads and limits.answering is Answering.SILENT:
                outcome = Answering.SILENT.value
            await self._count(records, partner, outcome, answer)
            return answer

        answer = await self._gate.foreign_read(ask, ShareClass.PLATE_READ, work, older)
        self._gate.after_act()
        return answer.value

    async def _found(
        self, question: PlateQuestion, permit: int, limits: Limits, reads: Sequence[PlateRead]
    ) -> Found:
        """In the agreement's manner. A silent owner's answer equals one that found nothing."""
        state = AnswerState.NOTHING
        if reads and limits.answering is not Answering.SILENT:
            is_full = limits.answering is Answering.FULL
            state = AnswerState.ANSWERED if is_full else AnswerState.POINTER
        provenance = Provenance(
            owner=self._gate.owner,
            agreement_id=limits.agreement_id,
            keep_until=limits.keep_until,
        )
        given = reads[: limits.rows] if state is AnswerState.ANSWERED else ()
        return Found(
            state=state,
            receipt=await self._gate.receipt(permit),
            permit=permit,
            agreement_id=limits.agreement_id,
            contact=self._contact if state is AnswerState.POINTER else "",
            reads=tuple(found(read, provenance=provenance) for read in given),
            more=len(given) < len(reads) and state is AnswerState.ANSWERED,
            since=limits.since if limits.since > question.since else None,
            zones=tuple(zone.name for zone in limits.zones),
        )

    async def _refused(self, ask: Ask, asked: Question, no: Refused) -> Found:
        """A refusal that stands in our ledger, with its receipt."""
        assert no.permit is not None, "the gate writes every refusal down"
        answer = Found(
            state=AnswerState.REFUSED,
            receipt=await self._gate.receipt(no.permit),
            permit=no.permit,
            agreement_id=asked.agreement_id,
            reason=no.reason,
            says=no.says,
            do=no.do,
        )
        partner = self._partners()[ask.person.agency]
        await self._gate.keep_messages(lambda r: self._count(r, partner, no.reason, answer))
        self._gate.after_act()
        return answer

    async def _count(self, records: Records, partner: Partner, outcome: str, answer: Found) -> None:
        """Count it; and tell our own people of who never asked before, or must not know."""
        now, asker = self._clock(), partner.agency_id
        day = now.astimezone(self._zone).date()
        is_first = await records.envelopes.asked(asker, now, day, outcome, len(answer.reads))
        is_silent = outcome == Answering.SILENT.value
        if is_first or is_silent:
            told = Asker(
                agency_id=asker,
                name=partner.card.name,
                at=now,
                because="first" if is_first else "silent",
                permit=answer.permit,
                agreement_id=answer.agreement_id,
            )
            await records.feed.tell("asker", told, now)

    async def asked(self, days: int) -> list[AskedCount]:
        """Who asked how often and what came of it, by day: for the digest and the reports."""
        since = self._today() - timedelta(days=days - 1)
        return await self._gate.keep_messages(lambda r: r.envelopes.questions(since))

    async def new_askers(self) -> dict[AgencyId, datetime]:
        """Agencies whose first question of all came within the last day."""
        since = self._clock() - NEW_FOR
        return await self._gate.keep_messages(lambda r: r.envelopes.new_askers(since))

    def _today(self) -> date:
        return self._clock().astimezone(self._zone).date()

    def _ask(self, asked: Question, partner: Partner) -> Ask:
        """The agency is that of the line it came by; the rest is what that agency vouches for."""
        facts: dict[str, str | int | bool] = {}
        if asked.on_behalf_agency:
            facts["on_behalf_agency"] = asked.on_behalf_agency
        return Ask(
            person=Person(
                person_id=PersonId(asked.person_id),
                agency=partner.agency_id,
                name=asked.name,
                role=asked.role,
            ),
            thing=Thing.PLATE_READ,
            purpose=asked.purpose,
            query=(
                f"plate {asked.plate} of {asked.state or 'any state'},"
                f" {asked.since.isoformat(timespec='seconds')} to"
                f" {asked.until.isoformat(timespec='seconds')}"
            ),
            signed_in_at=self._clock() - timedelta(seconds=asked.signed_in_s),
            case=asked.case,
            on_behalf_of=asked.on_behalf_of,
            facts=facts,
            agreement=asked.agreement_id,
            counterpart=asked.receipt,
            ori=partner.card.ori,
        )


def _question(asked: Question) -> PlateQuestion:
    """Raises Invalid."""
    return PlateQuestion(
        plate=normalise_plate(asked.plate),
        state=asked.state,
        since=asked.since,
        until=asked.until,
    )
