"""Lists of wanted plates, and what one row of them says."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from farolito.model.errors import Invalid
from farolito.model.ids import AgencyId, EntryId, ListId
from farolito.model.plates import normalise_plate


class Confidence(StrEnum):
    """How a value came about: a person looked and said so, somebody told it, or only a machine."""

    CONFIRMED = "confirmed"
    TOLD = "told"  # by a caller, a dispatcher, a record: nobody has checked it
    MACHINE = "machine"


class ListedVehicle(msgspec.Struct, frozen=True, gc=False):
    """What the row says of the vehicle, lower case; None is "not told"."""

    make: str | None = None
    model: str | None = None
    colour: str | None = None
    kind: str | None = None
    year: int | None = None


class HotList(msgspec.Struct, frozen=True, kw_only=True):
    """A list as one agency keeps it.

    `stale_after`: a list not imported for longer raises an alarm and its rows stop matching
    once `dead_after` has passed (a recovered car that stays listed puts a gun on its owner).
    `threshold` is the posterior a read must reach to be a lead rather than a possible one.
    `folded`: its issuer stores O as 0.
    """

    list_id: ListId
    agency: AgencyId
    name: str
    stale_after: timedelta
    dead_after: timedelta
    threshold: float = 0.9
    folded: bool = False
    imported_at: datetime | None = None

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise Invalid(f"threshold {self.threshold} is not between 0 and 1")
        if self.dead_after < self.stale_after:
            raise Invalid("a list cannot be dead before it is stale")


class HotListEntry(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One row: a plate somebody is looking for, why, for whom, and with whom to confirm it."""

    entry_id: EntryId
    list_id: ListId
    agency: AgencyId
    plate: str
    state: str | None
    reason: str  # the category in plain words: "stolen vehicle"
    category: str  # the category as the agency's configuration names it: "stolen_vehicle"
    source_agency: str  # who entered it: an ORI or a name
    entered_at: datetime
    expires_at: datetime | None
    confirm_with: str  # the telephone or terminal address that confirms the row
    case: str | None = None
    vehicle: ListedVehicle | None = None
    recalled_at: datetime | None = None
    recall_reason: str | None = None
    restricted: bool = False  # its source forbids showing it outside the owning unit

    def __post_init__(self) -> None:
        if normalise_plate(self.plate) != self.plate:
            raise Invalid("a plate that is not normalised")
        if self.entered_at.tzinfo is None:
            raise Invalid("a time without a zone")
