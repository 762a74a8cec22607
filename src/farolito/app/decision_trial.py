"""How many decisions the rules make in a second on one core. For `farolito bench metro`.

Our own operator's question, and a neighbour's by an agreement among a hundred, each decided by
itself as the gate does: no batch, and no ledger.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from farolito.model import (
    Act,
    Agency,
    AgencyCard,
    AgencyId,
    Agreement,
    AgreementId,
    AgreementState,
    Answering,
    Invalid,
    Partner,
    PartnerState,
    Person,
    PersonId,
    Purpose,
    Role,
    ShareClass,
    Sharing,
    SignedAgreement,
    Thing,
)
from farolito.policy import Permit, Policies, Request, facts_of_question

OWN = AgencyId("bench-pd")
NEIGHBOUR = AgencyId("bench-so")
LAW = "us-nm"
ZONE = ZoneInfo("America/Denver")
AGREEMENTS = 100
BETWEEN_LOOKS = 20  # decisions between two looks at the clock
CASE = "26-000117"


class Trial(NamedTuple):
    own_per_s: float
    foreign_per_s: float


def trial(seconds: float) -> Trial:
    """Half of the time for each. Raises Invalid where one of the questions is not permitted."""
    now = datetime.now(UTC)
    known = [_agreement(number, now) for number in range(1, AGREEMENTS + 1)]
    policies = _policies(known)
    own = _question(OWN, now)
    terms = known[-1].agreement
    foreign = msgspec.structs.replace(
        _question(NEIGHBOUR, now),
        agreement=terms.agreement_id,
        facts=facts_of_question(terms, now, ZONE, record_age_days=0),
    )
    return Trial(*(_per_s(policies, asked, seconds / 2) for asked in (own, foreign)))


def _per_s(policies: Policies, asked: Request, seconds: float) -> float:
    first = policies.decide(asked)
    if not isinstance(first, Permit):
        raise Invalid(f"the rules refuse what is measured: {first.says}", first.do)
    count, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        for _ in range(BETWEEN_LOOKS):
            policies.decide(asked)
        count += BETWEEN_LOOKS
    return count / took


def _policies(known: list[SignedAgreement]) -> Policies:
    own = Agency(agency_id=OWN, name="Bench Police", ori="NM9990000", law=LAW)
    card = AgencyCard(
        agency_id=NEIGHBOUR, name="Bench Sheriff", ori="NM9990200", law=LAW, government="county",
        key="0" * 64, ledger_key="", witness_key="", ca_pem="",
    )  # fmt: skip
    partner = Partner(card=card, state=PartnerState.CONFIRMED, since=known[0].drafted_at)
    return Policies.load(LAW, [own]).with_agreements(known, {NEIGHBOUR: partner})


def _agreement(number: int, now: datetime) -> SignedAgreement:
    terms = Agreement(
        agreement_id=AgreementId(UUID(int=number)),
        grantor=OWN,
        grantee=NEIGHBOUR,
        title=f"Plates between neighbours, {number}",
        text="So that a stolen car does not vanish at the county line.",
        classes={ShareClass.PLATE_READ: Answering.FULL},
        sharing=(Sharing.ASK,),
        purposes=(Purpose.IN_PROGRESS_CALL, Purpose.CRIMINAL_INVESTIGATION),
        roles=(Role.OPERATOR, Role.DETECTIVE),
        starts=now - timedelta(days=1),
        expires=now + timedelta(days=90),
        keep_days=7,
    )
    return SignedAgreement(
        document="",
        agreement=terms,
        state=AgreementState.IN_FORCE,
        drafted_at=now,
        changed_at=now,
    )


def _question(agency: AgencyId, now: datetime) -> Request:
    """An operator's, at work on a call: where was this plate?"""
    person = Person(
        person_id=PersonId(UUID(int=1)), agency=agency, name="Ana Ortiz", role=Role.OPERATOR
    )
    return Request(
        person=person,
        signed_in_s=60,
        act=Act.READ,
        thing=Thing.PLATE_READ,
        purpose=Purpose.IN_PROGRESS_CALL,
        case=CASE,
        owner=OWN,
        now=now,
    )
