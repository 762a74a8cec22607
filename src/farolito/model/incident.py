"""What happened in the city: calls, alerts and reports that belong together, and why."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from farolito.model.alert import AlertState, Level
from farolito.model.brief import LineKind
from farolito.model.call import CalledUnit, CallKind
from farolito.model.ids import AgencyId, BriefId, IncidentId, PersonId, UnitId
from farolito.model.place import Point


class PartKind(StrEnum):
    CALL = "call"
    ALERT = "alert"
    REPORT = "report"  # an officer or operator says so
    SHOT = "shot"


class LinkBy(StrEnum):
    """Why a part belongs to its incident."""

    FIRST = "first"  # it opened the incident
    TOLD = "told"  # the CAD says: another telling of the same call
    NEAR = "near"  # time, place, kind and road distance
    PLATE = "plate"  # the same plate
    PERSON = "person"  # a person joined them


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """`says` is a sentence for the operator; `metres` by road, `seconds` between the two."""

    by: LinkBy
    says: str
    metres: float | None = None
    seconds: float | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One event of an incident. `part_id` is the call's, alert's or report's own id.

    `alert` is how far an alert has come: until a person confirmed it, it is for operators only.
    """

    kind: PartKind
    part_id: UUID
    label: str  # the call's number, the alert's plate
    at: datetime  # when it happened or was told
    joined_at: datetime
    link: Link
    joined_by: PersonId | None = None  # None: the machine
    alert: AlertState | None = None

    @property
    def is_confirmed(self) -> bool:
        """Whether a person stands behind it: a caller, an officer, or who confirmed the alert."""
        return self.alert not in (AlertState.WAITING, AlertState.TAKEN, AlertState.REJECTED)


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator pushed to everybody on the way, and the line of the brief it goes to."""

    fact_id: UUID
    line: LineKind
    says: str
    at: datetime
    by: PersonId
    by_name: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What an officer or operator reported by hand, as a part of an incident."""

    report_id: UUID
    at: datetime
    says: str
    by: PersonId
    by_name: str
    kind: CallKind = CallKind.OTHER
    place: Point | None = None


class IncidentState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    JOINED = "joined"  # all its parts went over to `joined_to`


class Jurisdiction(msgspec.Struct, frozen=True, kw_only=True):
    """Whose law holds at the place, and who of those assigned may enforce it there.

    `commissioned` holds the nation's commission, `without` does not; `says` is the line for both
    operator and officer.
    """

    nation: AgencyId
    name: str
    says: str
    commissioned: tuple[UnitId, ...] = ()
    without: tuple[UnitId, ...] = ()


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """`version` grows by one with each change, and every version is kept.

    `apart` holds parts that a person split off: no machine joins them again.
    """

    incident_id: IncidentId
    agency: AgencyId
    version: int
    state: IncidentState
    kind: CallKind
    level: Level
    where: str  # as people say it
    place: Point | None
    opened_at: datetime
    changed_at: datetime
    parts: tuple[Part, ...]
    kind_says: str = ""  # the dispatcher's own word
    within_m: float | None = None
    units: tuple[CalledUnit, ...] = ()  # everybody assigned, with the newest status
    facts: tuple[Fact, ...] = ()
    reports: tuple[Report, ...] = ()
    apart: tuple[UUID, ...] = ()
    joined_to: IncidentId | None = None
    doubtful: bool = False  # place or time are shown as doubtful
    jurisdiction: Jurisdiction | None = None  # on a partner nation's land


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the log that writes itself. `what` is a stable word for screens to mark."""

    at: datetime
    version: int  # of the incident
    what: str
    says: str
    who: PersonId | None = None
    name: str | None = None
    unit: UnitId | None = None
    permit: int | None = None


class AnswerKind(StrEnum):
    """The officer's one tap."""

    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    ASK_RTCC = "ask_rtcc"
    CLEAR = "clear"


class OfficerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`answer_id` is made by the phone: told twice, kept once. `tapped_at`: the phone's time."""

    answer_id: UUID
    brief_id: BriefId
    incident_id: IncidentId
    unit: UnitId
    person: PersonId
    kind: AnswerKind
    at: datetime
    tapped_at: datetime | None = None
    says: str = ""
