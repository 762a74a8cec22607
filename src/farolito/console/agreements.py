"""Agreements as the app hands them to the console, and as the API tells them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from farolito.gate import Answer, Ask
from farolito.model import (
    AgencyId,
    Agreement,
    AgreementId,
    Because,
    IncidentId,
    SignedAgreement,
)
from farolito.model.agreement import AgreementStanding


class Desk(Protocol):
    """What people do with agreements. Everything goes through the gate; raises FarolitoError."""

    async def all(self, ask: Ask) -> Answer[list[AgreementStanding]]: ...

    async def file(self, ask: Ask, agreement_id: AgreementId) -> Answer[Any]: ...

    async def draft(self, ask: Ask, agreement: Agreement) -> Answer[SignedAgreement]: ...

    async def simulate(
        self, ask: Ask, agreement_id: AgreementId, days: int
    ) -> Answer[Mapping[str, Any]]: ...

    async def sign_options(
        self, ask: Ask, agreement_id: AgreementId
    ) -> Answer[Mapping[str, Any]]: ...

    async def sign(
        self, ask: Ask, agreement_id: AgreementId, credential: Mapping[str, Any] | None
    ) -> Answer[SignedAgreement]: ...

    async def revoke(
        self, ask: Ask, agreement_id: AgreementId, because: Because
    ) -> Answer[SignedAgreement]: ...


class Aid(Protocol):
    async def open(
        self, ask: Ask, incident_id: IncidentId, partner: AgencyId, hours: float
    ) -> Answer[SignedAgreement]: ...


@dataclass(frozen=True)
class Agreements:
    """`names`: of every agency that this node knows, its own among them."""

    desk: Desk
    aid: Aid
    names: Callable[[], Mapping[AgencyId, str]]


def card(standing: AgreementStanding, names: Mapping[AgencyId, str]) -> dict[str, Any]:
    return signed_card(standing.signed, names) | {
        "can_sign": standing.can_sign,
        "told": standing.told,
        "purge": standing.purge,
    }


def signed_card(signed: SignedAgreement, names: Mapping[AgencyId, str]) -> dict[str, Any]:
    """Of the persons' signatures the names and times alone: the rest is in the saved file."""
    terms = signed.agreement
    return {
        "agreement_id": terms.agreement_id,
        "grantor": terms.grantor,
        "grantor_name": names.get(terms.grantor, terms.grantor),
        "grantee": terms.grantee,
        "grantee_name": names.get(terms.grantee, terms.grantee),
        "title": terms.title,
        "state": signed.state,
        "drafted_at": signed.drafted_at,
        "changed_at": signed.changed_at,
        "starts": terms.starts,
        "expires": terms.expires,
        "classes": terms.classes,
        "sharing": terms.sharing,
        "purposes": terms.purposes,
        "roles": terms.roles,
        "zones": [zone.name for zone in terms.zones],
        "hours": terms.hours,
        "keep_days": terms.keep_days,
        "record_days": terms.record_days,
        "on_behalf_of": terms.on_behalf_of,
        "declaration": terms.declaration,
        "incident": terms.incident,
        "supersedes": terms.supersedes,
        "document": signed.document,
        "signatures": [
            {"name": one.name, "at": one.at, "demo": one.demo} for one in signed.signatures
        ],
        "revoked_by": signed.revoked_by,
        "revoked_because": signed.revoked_because,
    }
