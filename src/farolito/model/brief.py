"""What the officer on the way gets: seven lines, versions, receipts, an outcome."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from farolito.model.errors import Invalid
from farolito.model.hot_list import Confidence
from farolito.model.ids import AgencyId, AlertId, BriefId, IncidentId, PersonId, UnitId
from farolito.model.place import Point


class LineKind(StrEnum):
    """The seven lines, in the order they are shown and spoken."""

    WHAT = "what"
    WHERE = "where"
    HAZARDS = "hazards"
    VEHICLE = "vehicle"
    LAST_SEEN = "last_seen"
    WITH_YOU = "with_you"
    PICTURE = "picture"


class Phrase(msgspec.Struct, frozen=True):
    """A sentence of the catalogues and what goes into it: `key` names the sentence.

    An argument that begins with "@" is itself a key ("@compass.north"); any other is said as is.
    A free text from outside travels as the argument of "text".
    """

    key: str
    args: Mapping[str, str | int | float] = {}


class BriefLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line: what is known, from whom, since when. `known=False` says plainly what is not.

    `says` and `source` are in the agency's own language; `phrases` and `source_phrase` let a
    screen say the same in another.
    """

    kind: LineKind
    says: str
    source: str
    as_of: datetime | None
    confidence: Confidence
    known: bool = True
    phrases: tuple[Phrase, ...] = ()
    source_phrase: Phrase | None = None


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a brief to one unit. A recalled brief keeps its lines and turns red.

    `alert_id` is None where the brief came from a call alone; `incident_id` is None only in
    briefs of before there were incidents.
    """

    brief_id: BriefId
    agency: AgencyId
    unit: UnitId
    version: int
    composed_at: datetime
    lines: tuple[BriefLine, ...]
    change: str  # the difference to the version before, in one spoken sentence
    change_phrases: tuple[Phrase, ...] = ()
    alert_id: AlertId | None = None
    incident_id: IncidentId | None = None
    call: str | None = None  # the event number
    level: int | None = None
    place: Point | None = None
    within_m: float | None = None
    eta_s: float | None = None  # by road when this version was composed
    plate: str | None = None
    state: str | None = None
    recalled: bool = False
    recall_reason: str | None = None
    sent_by: PersonId | None = None  # None: by the unit's assignment in the CAD
    confirmed_by: str = ""  # the person who compared crop and row, as the officer knows them
    outcome: str | None = None
    ended_at: datetime | None = None  # the unit cleared or the incident closed

    def __post_init__(self) -> None:
        if [line.kind for line in self.lines] != list(LineKind):
            raise Invalid("a brief has its seven lines in order")


class ReceiptKind(StrEnum):
    DELIVERED = "delivered"
    OPENED = "opened"
    HEARD = "heard"


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    brief_id: BriefId
    version: int
    kind: ReceiptKind
    at: datetime
    person: PersonId


class Outcome(StrEnum):
    """The officer's one-tap answer."""

    RIGHT_CAR = "right_car"
    WRONG_CAR = "wrong_car"
    GONE = "gone"
