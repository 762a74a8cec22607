"""Where a unit is: what one source said, and the newest that is believed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from farolito.model.errors import Invalid
from farolito.model.ids import AgencyId, PersonId, UnitId
from farolito.model.place import Point


class Doubt(StrEnum):
    """Why a position or a call's fact is shown as doubtful. Nothing doubtful is shown as sure."""

    IMPOSSIBLE_SPEED = "impossible_speed"  # faster from the last place than any car
    TWO_PLACES = "two_places"  # two sources put the unit far apart at one time
    CLOCK_SKEW = "clock_skew"  # the source's clock is off: the time of arrival is used
    OUT_OF_ORDER = "out_of_order"  # told later than something newer
    NO_PLACE = "no_place"  # a call without a place that can be found
    PLACES_DIFFER = "places_differ"  # the address and the coordinates are far apart
    ABOUT = "about"  # the place is a street or an area, not an address


class UnitPosition(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One source's word on where a unit is.

    `at` is the source's own time, `received_at` ours. `heading_deg` from north, `speed_mps` over
    ground, `accuracy_m` the radius that holds the true place in 95 of 100 cases; None: not told.
    """

    unit: UnitId
    agency: AgencyId
    place: Point
    at: datetime
    received_at: datetime
    source: str  # the device, "phone", or "tak <server>"
    heading_deg: float | None = None
    speed_mps: float | None = None
    accuracy_m: float | None = None
    doubt: Doubt | None = None

    def __post_init__(self) -> None:
        if self.at.tzinfo is None or self.received_at.tzinfo is None:
            raise Invalid("a time without a zone", "send UTC or an offset")


class Unit(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A patrol unit on duty, where it was last heard of, and who is in it.

    A `muted` unit (undercover) never leaves its agency: not to TAK, partners or the public.
    `commissions`: the nations that have commissioned its officers to enforce their law.
    """

    unit_id: UnitId
    agency: AgencyId
    officer: PersonId | None = None
    place: Point | None = None
    heard_at: datetime | None = None
    source: str | None = None
    heading_deg: float | None = None
    speed_mps: float | None = None
    accuracy_m: float | None = None
    doubt: Doubt | None = None
    muted: bool = False
    commissions: tuple[AgencyId, ...] = ()
