"""Asking other owners, by name: which agreement, what travels, what is believed of the answer.

Our own gate has permitted the question and its entry is durable before anything here runs. What
the owner answers is written down too, with the owner's receipt, before anybody is shown it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from farolito.federation.envelope import body_of
from farolito.federation.post import Post
from farolito.federation.questions import Found, Question
from farolito.gate import Ask, Gate, LedgerDown
from farolito.model import (
    Agency,
    AgencyId,
    AgreementId,
    Away,
    FarolitoError,
    Partner,
    PartnerState,
    Refused,
    ShareClass,
    Sharing,
    SignedAgreement,
)
from farolito.model.search import AnswerState, OwnerAnswer, PlateQuestion

# An owner whose node could not look, for whatever cause, has not said no: it is away.
_NOT_LOOKED = frozenset({"away", "fault", "invalid", "flood", "stale", "malformed", "not_here"})

WORD_MAX, SAYS_MAX = 40, 500  # characters of what an owner says


class _Right(NamedTuple):
    """Whom we ask, by what."""

    partner: Partner
    agreement_id: AgreementId


class Asking:
    """`agreements`: all that are in force, of both directions; `partners`: those known here."""

    def __init__(  # noqa: PLR0913 - who asks, by what, whom, and when
        self,
        gate: Gate,
        post: Post,
        agency: Agency,
        partners: Callable[[], Mapping[AgencyId, Partner]],
        agreements: Callable[[], Sequence[SignedAgreement]],
        clock: Callable[[], datetime],
    ) -> None:
        self._gate = gate
        self._post = post
        self._agency = agency
        self._partners = partners
        self._agreements = agreements
        self._clock = clock

    async def ask(
        self, ask: Ask, question: PlateQuestion, owner: AgencyId, permit: int
    ) -> OwnerAnswer:
        """One owner's answer, whatever it is. Raises LedgerDown where it cannot be written down:
        then nothing may be shown."""
        began = time.perf_counter()
        try:
            right = self._right(ask, owner)
            answer = await self._asked(ask, question, right, permit)
        except Refused as no:
            state = AnswerState.AWAY if no.reason in _NOT_LOOKED else AnswerState.REFUSED
            answer = self._none(owner, state, no.reason, no)
        except LedgerDown:
            raise
        except Away as no:
            answer = self._none(owner, AnswerState.AWAY, "away", no)
        except msgspec.MsgspecError:
            why = FarolitoError("what came back is no answer", "call the owner")
            answer = self._none(owner, AnswerState.AWAY, "malformed", why)
        told = msgspec.structs.replace(
            ask, agreement=answer.agreement_id, counterpart=answer.receipt
        )
        word = answer.reason or answer.state.value
        await self._gate.heard(told, permit, owner, word, len(answer.reads))
        return msgspec.structs.replace(answer, ms=round((time.perf_counter() - began) * 1000))

    async def whom(self) -> list[Mapping[str, Any]]:
        """Who can be asked about a plate: by which agreements, for which purposes and roles."""
        told = []
        for owner, partner in self._partners().items():
            if partner.state is not PartnerState.CONFIRMED:
                continue
            terms = [one.agreement for one in self._of(owner)]
            told.append(
                {
                    "agency_id": owner,
                    "name": partner.card.name,
                    "own": False,
                    "contact": partner.card.contact,
                    "purposes": sorted({p for t in terms for p in t.purposes}),
                    "agreements": [
                        {
                            "agreement_id": t.agreement_id,
                            "title": t.title,
                            "expires": t.expires,
                            "answering": t.classes[ShareClass.PLATE_READ],
                            "purposes": t.purposes,
                            "roles": t.roles,
                            "zones": [zone.name for zone in t.zones],
                            "record_days": t.record_days,
                        }
                        for t in terms
                    ],
                }
            )
        return sorted(told, key=lambda one: str(one["name"]))

    def _right(self, ask: Ask, owner: AgencyId) -> _Right:
        """The agreement that fits the question best; whether it opens anything is for its owner to
        say. Raises Refused where there is none to name."""
        partner = self._partners().get(owner)
        if partner is None or partner.state is not PartnerState.CONFIRMED:
            raise Refused("not_a_partner", f"{owner} is no partner of ours", "see who can be asked")
        agreements = self._of(owner)
        if not agreements:
            raise Refused(
                "no_agreement", f"no agreement lets us ask {partner.card.name}", "call them"
            )

        def fits(one: SignedAgreement) -> tuple[bool, bool, datetime]:
            terms = one.agreement
            return (
                ask.purpose in terms.purposes,
                ask.person.role in terms.roles,
                terms.expires,
            )

        return _Right(partner, max(agreements, key=fits).agreement.agreement_id)

    def _of(self, owner: AgencyId) -> list[SignedAgreement]:
        now = self._clock()
        return [
            one
            for one in self._agreements()
            if one.in_force(now)
            and one.agreement.grantor == owner
            and one.agreement.grantee == self._agency.agency_id
            and ShareClass.PLATE_READ in one.agreement.classes
            and Sharing.ASK in one.agreement.sharing
        ]

    async def _asked(
        self, ask: Ask, question: PlateQuestion, right: _Right, permit: int
    ) -> OwnerAnswer:
        receipt = await self._gate.receipt(permit)
        body = self._body(ask, question, right.agreement_id, receipt)
        owner = right.partner.agency_id
        back = await self._post.ask(owner, "ask", body)
        found: Found = body_of(back, Found)
        _believe(found, question, right)
        return OwnerAnswer(
            agency_id=owner,
            name=right.partner.card.name,
            state=found.state,
            reason=found.reason,
            says=found.says,
            do=found.do,
            contact=found.contact,
            reads=found.reads,
            more=found.more,
            since=found.since,
            zones=found.zones,
            permit=found.permit,
            receipt=found.receipt,
            agreement_id=found.agreement_id,
        )

    def _body(
        self, ask: Ask, question: PlateQuestion, agreement_id: AgreementId, receipt: str
    ) -> Question:
        now, person = self._clock(), ask.person
        if ask.purpose is None:
            raise Refused("no_purpose", "no purpose was given", "choose one from the list")
        return Question(
            person_id=person.person_id,
            name=person.name,
            role=person.role,
            agency=self._agency.agency_id,
            ori=self._agency.ori,
            purpose=ask.purpose,
            case=ask.case,
            on_behalf_of=ask.on_behalf_of,
            on_behalf_agency=question.on_behalf_agency,
            signed_in_s=int((now - (ask.signed_in_at or now)).total_seconds()),
            agreement_id=agreement_id,
            plate=question.plate,
            state=question.state,
            since=question.since,
            until=question.until,
            receipt=receipt,
        )

    def _none(
        self, owner: AgencyId, state: AnswerState, reason: str, why: FarolitoError
    ) -> OwnerAnswer:
        partner = self._partners().get(owner)
        is_word = len(reason) <= WORD_MAX and reason.replace("_", "").isalpha()
        return OwnerAnswer(
            agency_id=owner,
            name=partner.card.name if partner else owner,
            state=state,
            reason=reason if is_word else "not_understood",
            says=why.says[:SAYS_MAX],
            do=why.do[:SAYS_MAX],
            contact=partner.card.contact if partner else "",
        )


def _believe(found: Found, question: PlateQuestion, right: _Right) -> None:
    """Raises Refused ("malformed") for an answer that answers another question than ours, or
    brings records of somebody else."""
    owner = right.partner.agency_id
    is_right = (
        found.state is not AnswerState.AWAY
        and found.agreement_id == right.agreement_id
        and found.receipt.startswith(f"{owner}#{found.permit}:")
        and bool(found.reads) == (found.state is AnswerState.ANSWERED)
        and bool(found.reason) == (found.state is AnswerState.REFUSED)
        and all(
            read.plate == question.plate
            and question.since <= read.captured_at < question.until
            and not (read.own or read.look_alike)
            and read.provenance is not None
            and read.provenance.owner == owner
            and read.provenance.agreement_id == right.agreement_id
            for read in found.reads
        )
    )
    if not is_right:
        raise Refused("malformed", "the answer is not one to our question", "call the owner")
