"""What travels when one agency asks another about a plate, and what comes back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from farolito.model import AgencyId, AgreementId, PersonId, Purpose, Role
from farolito.model.search import FOUND_MAX, AnswerState, FoundRead

ANSWER_S_MAX = 4.0  # an owner that has not found it by then says so; the asker waits five
RECEIPT = r"^[a-z0-9][a-z0-9-]{0,62}#[0-9]{1,18}:[0-9a-f]{64}$"

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Short = Annotated[str, msgspec.Meta(max_length=100)]
Says = Annotated[str, msgspec.Meta(max_length=500)]
Word = Annotated[str, msgspec.Meta(pattern=r"^[a-z_]{0,40}$")]
Receipt = Annotated[str, msgspec.Meta(pattern=RECEIPT)]
Seconds = Annotated[int, msgspec.Meta(ge=-86_400, le=10**9)]


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One person's question to one owner. `receipt`: of the asker's own entry, written before
    this left. `signed_in_s`: age of the person's sign-in."""

    person_id: PersonId
    name: Name
    role: Role
    agency: AgencyId
    ori: str
    purpose: Purpose
    case: Short | None
    on_behalf_of: Short | None
    on_behalf_agency: AgencyId | None
    signed_in_s: Seconds
    agreement_id: AgreementId
    plate: Short
    state: Annotated[str, msgspec.Meta(max_length=2)] | None
    since: datetime
    until: datetime
    receipt: Receipt


class Found(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The owner's answer, a refusal too. `receipt`, `permit`: of the owner's entry."""

    state: AnswerState
    receipt: Receipt
    permit: int
    agreement_id: AgreementId
    reason: Word = ""
    says: Says = ""
    do: Says = ""
    contact: Says = ""
    reads: Annotated[tuple[FoundRead, ...], msgspec.Meta(max_length=FOUND_MAX)] = ()
    more: bool = False
    since: datetime | None = None
    zones: Annotated[tuple[Name, ...], msgspec.Meta(max_length=100)] = ()
