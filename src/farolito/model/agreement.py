"""What one agency lets another have: the terms, and who signed them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

import msgspec

from farolito.model.camera import Hours
from farolito.model.errors import Invalid
from farolito.model.ids import AgencyId, AgreementId, IncidentId
from farolito.model.partner import ShareClass, Zone
from farolito.model.person import Role
from farolito.model.purpose import Purpose

TERM_MAX = timedelta(days=365)
AID_MAX = timedelta(hours=12)  # mutual aid ends by itself
SIGNERS = 2  # persons of the grantor, each with a passkey


class Answering(StrEnum):
    """N-DEx's white, gray and black: how a question is answered."""

    FULL = "full"
    POINTER = "pointer"  # that there is something, and whom to call
    SILENT = "silent"  # the asker is told "nothing to give"; the owner is told who asked


class Sharing(StrEnum):
    ASK = "ask"  # a question travels to the owner
    FOLLOW = "follow"  # what happens flows to the grantee


class Declaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an agency of another state, or a federal one, signed before it gets anything."""

    declaration_id: str
    signed_by: str
    expires: datetime


class Agreement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The machine's terms; `text` is what people read and sign with them.

    Empty `zones`: everywhere; empty `hours`: always; hours are the grantor's local ones.
    `keep_days`: how long the grantee keeps what it received; 0: for this view alone.
    `record_days`: how far back records are opened. `incident` is set for mutual aid alone: one
    incident, for hours, by one person's key.
    """

    agreement_id: AgreementId
    grantor: AgencyId
    grantee: AgencyId
    title: str
    text: str
    classes: Mapping[ShareClass, Answering]
    sharing: tuple[Sharing, ...]
    purposes: tuple[Purpose, ...]
    roles: tuple[Role, ...]
    starts: datetime
    expires: datetime
    keep_days: int
    record_days: int = 30
    zones: tuple[Zone, ...] = ()
    hours: tuple[Hours, ...] = ()
    on_behalf_of: tuple[AgencyId, ...] = ()
    declaration: Declaration | None = None
    incident: IncidentId | None = None
    supersedes: AgreementId | None = None
    hop_limit: Literal[0] = 0  # nothing is ever passed on

    def __post_init__(self) -> None:
        for at in (self.starts, self.expires):
            if at.tzinfo is None:
                raise Invalid("a time without a zone", "write UTC or an offset")
        longest = AID_MAX if self.incident else TERM_MAX
        if not timedelta(0) < self.expires - self.starts <= longest:
            raise Invalid(
                f"an agreement from {self.starts} to {self.expires}",
                f"let it end after it begins, within {longest}",
            )
        if self.grantor == self.grantee:
            raise Invalid("an agreement of an agency with itself")
        missing = [n for n in ("classes", "sharing", "purposes", "roles") if not getattr(self, n)]
        if missing:
            raise Invalid(f"an agreement without {', '.join(missing)}", "name what it is about")
        if not (0 <= self.keep_days <= TERM_MAX.days and self.record_days > 0):
            raise Invalid("keep_days or record_days out of bounds", "0 to 365, and 1 or more")


class AgreementState(StrEnum):
    DRAFT = "draft"
    PROPOSED = "proposed"  # one person of the grantor has signed
    IN_FORCE = "in_force"  # two persons and the grantor's key; it acts between starts and expires
    REVOKED = "revoked"  # by either side, at once
    REPLACED = "replaced"  # by one that supersedes it
    EXPIRED = "expired"


class Because(StrEnum):
    """Why an agreement was ended before its time. Chosen, never typed."""

    NOT_NEEDED = "not_needed"
    MISUSE = "misuse"  # what was given was used for something else
    TERMS_BROKEN = "terms_broken"
    LAW = "law"  # the law, or a court, or the council wants it so
    SECURITY = "security"  # a key, a person or a node over there cannot be trusted now
    MISTAKE = "mistake"  # the terms were not what was meant
    LEAVING = "leaving"  # the agencies part
    AID_OVER = "aid_over"  # mutual aid is no longer needed


OVER = frozenset({AgreementState.REVOKED, AgreementState.REPLACED, AgreementState.EXPIRED})


class PersonSignature(msgspec.Struct, frozen=True, kw_only=True):
    """One person's passkey over the document's digest: WebAuthn's own assertion, kept whole, so
    that it can be verified later by whoever has the public key. base64url without padding."""

    name: str
    at: datetime
    credential_id: str
    public_key: str  # COSE key
    authenticator_data: str
    client_data: str
    signature: str
    demo: bool = False  # made by a practice node's own software key, for a persona


class SignedAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """The document as both sides keep it. `document`: the exact bytes that were signed, as text;
    `agency_signature`: of the grantor's key over them and the persons' signatures, hexadecimal."""

    document: str
    agreement: Agreement
    state: AgreementState
    signatures: tuple[PersonSignature, ...] = ()
    agency_signature: str = ""
    drafted_at: datetime
    changed_at: datetime
    revoked_by: AgencyId | None = None
    revoked_because: str = ""  # a word of a closed list

    def in_force(self, at: datetime) -> bool:
        return (
            self.state is AgreementState.IN_FORCE
            and self.agreement.starts <= at < self.agreement.expires
        )


class AgreementNews(msgspec.Struct, frozen=True, kw_only=True):
    """What the other side is to be told of an agreement. `number`: in which order; `receipt`: of
    our entry of the change; `told_at`: when it answered, with its receipt (`answer`) or the word
    of its refusal."""

    partner: AgencyId
    number: int
    receipt: str
    told_at: datetime | None
    answer: str
    refused: str
    signed: SignedAgreement


class PurgeStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What became of what the grantee had received, after the end. `count`: what it deleted;
    `receipt`: of its entry about that."""

    asked_at: datetime
    answered_at: datetime | None
    count: int | None
    receipt: str | None


class AgreementStanding(msgspec.Struct, frozen=True, kw_only=True):
    """An agreement as one person meets it. `told`: "", "waiting", "told", or the word by which
    the other side refused it."""

    signed: SignedAgreement
    can_sign: bool
    told: str
    purge: PurgeStanding | None = None
