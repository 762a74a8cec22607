"""A question about one plate or one place: to whom, what came back, and by which right."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

import msgspec

from farolito.model.errors import Invalid
from farolito.model.ids import AgencyId, AgreementId, DeviceId, PersonId, ReadId
from farolito.model.partner import Zone
from farolito.model.place import Point
from farolito.model.plates import is_normal
from farolito.model.purpose import Purpose

OWNERS_MAX = 5  # other agencies in one question; more want a second person's word
OWNERS_APPROVED_MAX = 20  # and with it. There is no "all"
SPAN_MAX = timedelta(days=366)
RADIUS_M_MAX = 1_000.0  # of a place: farther away is another place
PLACE_SPAN_MAX = timedelta(hours=24)  # whoever was somewhere in a week is nobody's business
FOUND_MAX = 200  # reads of one owner, the newest; it is told where there were more


class PlateQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """`owners`: other agencies, by name. `on_behalf_agency`: of whom the asker types for."""

    plate: str
    since: datetime
    until: datetime
    state: str | None = None
    owners: tuple[AgencyId, ...] = ()
    on_behalf_agency: AgencyId | None = None
    approved_by: UUID | None = None  # the approval's number

    def __post_init__(self) -> None:
        if not is_normal(self.plate):
            raise Invalid("a plate that is not normalised")
        _check_span(self.since, self.until, SPAN_MAX, "ask for up to 366 days")
        if len(set(self.owners)) != len(self.owners):
            raise Invalid("an agency that is asked twice", "name each once")


class PlaceQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Which cars were read within `radius_m` of a place."""

    place: Point
    radius_m: float
    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if not 0 < self.radius_m <= RADIUS_M_MAX:
            raise Invalid(
                f"a radius of {self.radius_m:g} m", f"ask for more than 0, up to {RADIUS_M_MAX:g} m"
            )
        _check_span(self.since, self.until, PLACE_SPAN_MAX, "ask for up to 24 hours")


def _check_span(since: datetime, until: datetime, longest: timedelta, do: str) -> None:
    if since.tzinfo is None or until.tzinfo is None:
        raise Invalid("a time without a zone", "send UTC or an offset")
    if not timedelta(0) < until - since <= longest:
        raise Invalid("a span of time that is none, or too long", do)


class ReadsWanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which reads are looked for. `state`: of this one, or where none was read. `zones`: only what
    was read inside one of them; with none of them, everywhere."""

    plates: tuple[str, ...]
    since: datetime
    until: datetime
    state: str | None = None
    zones: tuple[Zone, ...] = ()
    limit: int = FOUND_MAX


class Provenance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose record it is, by which agreement it is here, and when it must be gone."""

    owner: AgencyId
    agreement_id: AgreementId
    keep_until: datetime
    hop_limit: Literal[0] = 0


class FoundRead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A read as an answer holds it. `look_alike`: its text differs from the plate asked for by one
    character that readers confuse; it is another car's unless a person sees otherwise."""

    read_id: ReadId
    captured_at: datetime
    plate: str
    state: str | None
    reader: DeviceId
    confidence: float | None = None
    lat: float | None = None
    lon: float | None = None
    heading_deg: float | None = None
    make: str | None = None
    colour: str | None = None
    kind: str | None = None
    own: bool = False
    look_alike: bool = False
    provenance: Provenance | None = None  # None: our own


class AnswerState(StrEnum):
    ANSWERED = "answered"
    NOTHING = "nothing"  # nothing found, or nothing to give
    POINTER = "pointer"  # there is something: call them
    REFUSED = "refused"
    AWAY = "away"  # no answer: that is not "nothing"


class OwnerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What one owner said. `permit`, `receipt`: of the owner's entry. `since`: from when on it
    looked, where that is later than was asked; `zones`: the only places it looked at; `more`:
    there were more than the newest that are here. `ms`: how long it took."""

    agency_id: AgencyId
    name: str
    state: AnswerState
    own: bool = False
    reason: str = ""
    says: str = ""
    do: str = ""
    contact: str = ""
    reads: tuple[FoundRead, ...] = ()
    more: bool = False
    since: datetime | None = None
    zones: tuple[str, ...] = ()
    permit: int | None = None
    receipt: str | None = None
    agreement_id: AgreementId | None = None
    ms: int = 0


class AskedCount(msgspec.Struct, frozen=True, kw_only=True):
    """One agency's questions to us on one day, by what came of them. `reads`: how many went out."""

    asker: AgencyId
    day: date
    outcome: str  # answered, nothing, pointer, silent, or the reason of a refusal
    questions: int
    reads: int


class SearchApproval(msgspec.Struct, frozen=True, kw_only=True):
    """A second person's word for one wide search of one case. `approved_by` is never `person`;
    `permit`: the ledger's entry of the approving."""

    approval_id: UUID
    approved_by: PersonId
    person: PersonId  # who may ask
    owners: tuple[AgencyId, ...]
    case: str
    purpose: Purpose
    expires_at: datetime
    permit: int
