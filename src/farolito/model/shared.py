"""What flows between agencies by agreement: as it is told, and as the other side keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from farolito.model.errors import Invalid
from farolito.model.ids import AgencyId, AgreementId, IncidentId
from farolito.model.partner import ShareClass
from farolito.model.place import Point

TITLE_CHARACTERS_MAX = 200
EVERYTHING = AgreementId(UUID(int=0))  # a purge of whatever a partner holds, at the end of it all


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """One thing as its owner tells it. `version` grows with each change of the thing.

    `detail` is made for this class of data and holds nothing else of the owner's records.
    `incident`: the owner's incident that it belongs to. A `recalled` telling takes the thing back
    and says nothing of it but why.
    """

    kind: ShareClass
    item_id: UUID
    version: int
    at: datetime
    title: str = ""
    place: Point | None = None
    incident: IncidentId | None = None
    detail: Mapping[str, Any] = {}
    recalled: bool = False
    recall_says: str = ""

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise Invalid("a time without a zone", "send UTC or an offset")
        if max(len(self.title), len(self.recall_says)) > TITLE_CHARACTERS_MAX:
            raise Invalid("words that are too long", f"at most {TITLE_CHARACTERS_MAX} characters")


class SharedItem(msgspec.Struct, frozen=True, kw_only=True):
    """What a partner let us have, with where it came from and how long we may keep it.

    Hop limit 0: it is never told to a third. `purged`: it is deleted, and this is all that is
    left to tell the screens so. Without a title it is a recall that came before its thing.
    """

    kind: ShareClass
    item_id: UUID
    grantor: AgencyId
    grantor_name: str
    agreement_id: AgreementId | None
    version: int
    at: datetime
    received_at: datetime
    purge_at: datetime
    recalled_at: datetime | None = None
    recall_says: str = ""
    lat: float | None = None
    lon: float | None = None
    title: str = ""
    detail: Mapping[str, Any] = {}
    incident: IncidentId | None = None
    purged: bool = False


class Lane(StrEnum):
    """What waits for a partner, each in an order of its own: a recall overtakes."""

    ITEM = "item"
    RECALL = "recall"
    HANDOVER = "handover"  # records that belong to the partner, made on its land


class Waiting(msgspec.Struct, frozen=True):
    """A thing in the outbox. `body` is what crosses, as JSON."""

    number: int
    kind: ShareClass
    item_id: UUID
    version: int
    body: bytes

    @property
    def telling(self) -> Telling:
        return _telling(self.body)


class Purge(msgspec.Struct, frozen=True):
    """That a partner is to delete what it holds by an agreement. `because`: a stable word."""

    partner: AgencyId
    agreement_id: AgreementId
    because: str
    asked_at: datetime


class Behind(msgspec.Struct, frozen=True):
    """How much waits for a partner, and since when."""

    partner: AgencyId
    waiting: int
    oldest_at: datetime | None


_telling = msgspec.json.Decoder(Telling).decode
