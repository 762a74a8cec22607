"""Agreements and partners, of which a test names only what matters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from farolito.model import (
    Act,
    Agency,
    AgencyCard,
    AgencyId,
    Agreement,
    AgreementId,
    AgreementState,
    Answering,
    Partner,
    PartnerState,
    Purpose,
    Role,
    ShareClass,
    Sharing,
    SignedAgreement,
    Thing,
)
from farolito.policy import Policies, Request

from .conftest import CITY, NOON, request

COUNTY, PUEBLO, TEXAS, FEDERAL, STRANGER = (
    AgencyId(name) for name in ("county-so", "pueblo-pd", "texas-pd", "federal", "stranger")
)
PLATES = AgreementId(UUID(int=1))


def partner(name: AgencyId, law: str = "us-nm", **more: Any) -> Partner:
    card: dict[str, Any] = {"government": "county", **more}
    state = card.pop("state", PartnerState.CONFIRMED)
    return Partner(
        card=AgencyCard(
            agency_id=name, name=name, ori="NM9990000", law=law, key="0" * 64,
            ledger_key="", witness_key="", ca_pem="", **card,
        ),
        state=state,
        since=NOON,
    )  # fmt: skip


PARTNERS: Mapping[AgencyId, Partner] = {
    COUNTY: partner(COUNTY),
    PUEBLO: partner(PUEBLO, government="tribal"),
    TEXAS: partner(TEXAS, law="us-tx", government="city"),
    FEDERAL: partner(FEDERAL, government="federal"),
}


def terms(**changed: Any) -> Agreement:
    told: dict[str, Any] = {
        "agreement_id": PLATES,
        "grantor": CITY.agency_id,
        "grantee": COUNTY,
        "title": "Plate reads and alerts",
        "text": "So that a stolen car does not vanish at the county line.",
        "classes": {ShareClass.PLATE_READ: Answering.FULL, ShareClass.ALERT: Answering.POINTER},
        "sharing": (Sharing.ASK, Sharing.FOLLOW),
        "purposes": (Purpose.CRIMINAL_INVESTIGATION, Purpose.MISSING_PERSON),
        "roles": (Role.DETECTIVE,),
        "starts": NOON - timedelta(days=1),
        "expires": NOON + timedelta(days=90),
        "keep_days": 7,
    }
    return Agreement(**(told | changed))


def signed(
    agreement: Agreement, state: AgreementState = AgreementState.IN_FORCE
) -> SignedAgreement:
    return SignedAgreement(
        document="", agreement=agreement, state=state, drafted_at=NOON, changed_at=NOON
    )


def agreed(*agreements: Agreement | SignedAgreement, law: str = "us-nm") -> Policies:
    """The city's rules with these agreements, its neighbours known."""
    whole = [one if isinstance(one, SignedAgreement) else signed(one) for one in agreements]
    return without_agreements(law).with_agreements(whole, PARTNERS)


@cache
def without_agreements(law: str) -> Policies:
    city = Agency(agency_id=CITY.agency_id, name="City", ori="NM0010100", law=law)
    return Policies.load(law, [city])


def question(**changed: Any) -> Request:
    """A county detective's, right in everything for `terms()`."""
    told: dict[str, Any] = {
        "role": Role.DETECTIVE,
        "act": Act.READ,
        "thing": Thing.PLATE_READ,
        "purpose": Purpose.MISSING_PERSON,
        "agency": COUNTY,
        "case": "2026-1",
        "agreement": PLATES,
        "facts": {"record_age_days": 0},
    }
    told |= changed
    positional = [told.pop(name) for name in ("role", "act", "thing", "purpose")]
    return request(*positional, **told)
