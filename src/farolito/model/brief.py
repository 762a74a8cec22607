"""What the officer on the way gets: seven lines, versions, receipts, an outcome."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from farolito.model.errors import Invalid
from farolito.model.hot_list import Confidence
from farolito.model.ids import AgencyId, AlertId, BriefId, PersonId, UnitId
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


class BriefLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line: what is known, from whom, since when. `known=False` says plainly what is not."""

    kind: LineKind
    says: str
    source: str
    as_of: datetime | None
    confidence: Confidence
    known: bool = True


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a brief to one unit. A recalled brief keeps its lines and turns red."""

    brief_id: BriefId
    alert_id: AlertId
    agency: AgencyId
    unit: UnitId
    version: int
    composed_at: datetime
    lines: tuple[BriefLine, ...]
    change: str  # the difference to the version before, in one spoken sentence
    place: Point | None = None
    plate: str | None = None
    state: str | None = None
    recalled: bool = False
    recall_reason: str | None = None
    sent_by: PersonId | None = None
    confirmed_by: str = ""  # the person who compared crop and row, as the officer knows them
    outcome: str | None = None

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


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """A patrol unit on duty, where it was last heard of, and who is in it."""

    unit_id: UnitId
    agency: AgencyId
    officer: PersonId | None = None
    place: Point | None = None
    heard_at: datetime | None = None
