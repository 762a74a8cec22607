"""Public figures as they were published, and what the owner of a plate is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from farolito.model.errors import Invalid
from farolito.model.ids import AgencyId
from farolito.model.plates import is_normal
from farolito.model.purpose import Purpose


class PublishedFigures(msgspec.Struct, frozen=True, kw_only=True):
    """`document`: the canonical bytes that the entry `permit` fixes. `counts`: all that was counted
    for it by name, the withheld ones too; never shown to anybody."""

    period: str
    since: datetime
    until: datetime
    published_at: datetime
    permit: int
    document: bytes
    counts: Mapping[str, int]


class OwnPlateQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """`owner`: who asks, and `checked`: by what somebody at the desk saw that it is theirs."""

    plate: str
    state: str
    since: datetime
    until: datetime
    owner: str
    checked: str

    def __post_init__(self) -> None:
        if not is_normal(self.plate):
            raise Invalid("a plate that is not normalised")
        if not (self.owner.strip() and self.checked.strip()):
            raise Invalid(
                "nobody has seen whose plate this is",
                "say who asks, and which papers of the person and the car were seen",
            )
        if self.since.tzinfo is None or self.until.tzinfo is None or self.since >= self.until:
            raise Invalid("a time that is none", "ask from a day to a later one")


class SearchesOfPlate(msgspec.Struct, frozen=True, kw_only=True):
    """Searches of one month by one agency for one purpose. `month`: of the agency's own clock,
    "2026-10". `put_to`: owners that our own people asked besides."""

    month: str
    agency: AgencyId
    purpose: Purpose | None
    searches: int
    refused: int
    put_to: tuple[AgencyId, ...] = ()


class OwnPlateAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner is told. `not_yet`: searches for cases that are still open; None where the
    law leaves them out. `since`: no earlier than what the ledger can still open. `ask_too`:
    agencies whose own ledgers we do not see."""

    question: OwnPlateQuestion
    rows: tuple[SearchesOfPlate, ...]
    not_yet: int | None
    open_cases: Literal["told", "counted", "left_out"]
    ask_too: tuple[str, ...]
    names: Mapping[str, str]
    answered_at: datetime
