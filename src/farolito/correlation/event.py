"""An event as it is held against others, and the incidents it is held against."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import msgspec

from farolito.model import (
    CallKind,
    IncidentId,
    Invalid,
    LinkBy,
    PartKind,
    Point,
    fold_o,
    normalise_plate,
)

PLATE_CHARACTERS_MIN = 4  # a shorter text is part of a plate, and fits many cars
PLACE_M_MAX = 200.0  # a place no better known than this is no place to compare

Road = Callable[[Point, Point], tuple[float, float] | None]
"""Metres and seconds by road; None where no road leads there, or there is no map."""

Plate = tuple[str, str | None]  # as `plate_key` writes it, and the issuing state


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What correlation looks at, of a call, an alert, a report or shots that sensors heard.

    `at`: when it happened, or was told; of shots, the discharge. `is_sure`: nothing contradicts
    the place. `is_confirmed`: a person stands behind it. `joined_by`: how it came to its incident.
    """

    part_id: UUID
    part: PartKind
    kind: CallKind
    at: datetime
    place: Point | None = None
    within_m: float = 0.0
    is_sure: bool = True
    plates: frozenset[Plate] = frozenset()
    makes: frozenset[str] = frozenset()
    number: str | None = None
    duplicate_of: str | None = None
    is_confirmed: bool = True
    joined_by: LinkBy = LinkBy.FIRST

    @property
    def spot(self) -> Point | None:
        """The place, where it is known well enough to be compared."""
        return self.place if self.is_sure and self.within_m <= PLACE_M_MAX else None


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An open incident with its events. `apart`: parts that a person split off it."""

    incident_id: IncidentId
    opened_at: datetime
    events: tuple[Event, ...]
    apart: frozenset[UUID] = frozenset()

    @property
    def parts(self) -> frozenset[UUID]:
        return frozenset(event.part_id for event in self.events)


def plate_key(text: str) -> str | None:
    """A plate as it is compared: normalised, O as 0; None for a partial one."""
    if "?" in text or "*" in text:
        return None
    try:
        plate = fold_o(normalise_plate(text))
    except Invalid:
        return None
    return plate if len(plate) >= PLATE_CHARACTERS_MIN else None
