"""Seven lines from an alert: a plain function, the same alert gives the same lines.

Each line says its source and how old it is; what nobody knows is said as such, because a silent
line reads like an all-clear.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from farolito.model import (
    Alert,
    BriefLine,
    Confidence,
    HotListEntry,
    LineKind,
    PlateRead,
    SeenVehicle,
    Unit,
)

_COMPASS = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What the map knows of the place and the units, looked up before composing."""

    place: str  # "Central Avenue @ 4th Street, northeast side"
    reader: str  # "Central @ 4th, eastbound"
    eta_s: float | None = None  # by road, for the unit that is briefed
    others: Sequence[tuple[Unit, float]] = ()  # other units and their straight distance in metres


def compose(alert: Alert, around: Around, confirmed_by: str) -> tuple[BriefLine, ...]:
    """The lines in the order of `LineKind`."""
    entry, read = alert.match.entry, alert.newest
    return (
        _what(alert, entry, confirmed_by),
        _where(read, around),
        _hazards(entry),
        _vehicle(alert, entry, read),
        _last_seen(alert, read, around),
        _with_you(around, read.captured_at),
        _picture(read),
    )


def change_between(before: Sequence[BriefLine], after: Sequence[BriefLine]) -> str:
    """What is new, in one sentence that can be spoken."""
    new = [a.says for b, a in zip(before, after, strict=True) if a.says != b.says]
    return "Update: " + " ".join(new) if new else "No change."


def _what(alert: Alert, entry: HotListEntry, confirmed_by: str) -> BriefLine:
    case = f", case {entry.case}" if entry.case else ""
    return BriefLine(
        kind=LineKind.WHAT,
        says=f"P{int(alert.level)} {entry.reason}{case}.",
        source=(
            f"plate compared by {confirmed_by}; row of {entry.source_agency},"
            f" confirm with {entry.confirm_with}"
        ),
        as_of=entry.entered_at,
        confidence=Confidence.CONFIRMED,
    )


def _where(read: PlateRead, around: Around) -> BriefLine:
    eta = ""
    if around.eta_s is not None:
        eta = f" About {max(1, round(around.eta_s / 60))} min by road."
    return BriefLine(
        kind=LineKind.WHERE,
        says=f"{around.place}.{eta}",
        source=around.reader,
        as_of=read.captured_at,
        confidence=Confidence.MACHINE,
    )


def _hazards(entry: HotListEntry) -> BriefLine:
    """Only what the row itself says: no other source of hazards is connected."""
    return BriefLine(
        kind=LineKind.HAZARDS,
        says="Driver and weapons not known. Confirm the row before a stop.",
        source="the row alone: no history of places or persons was asked",
        as_of=entry.entered_at,
        confidence=Confidence.MACHINE,
        known=False,
    )


def _vehicle(alert: Alert, entry: HotListEntry, read: PlateRead) -> BriefLine:
    listed = entry.vehicle
    parts = [
        str(x) for x in (listed.year, listed.colour, listed.make, listed.model, listed.kind) if x
    ] if listed else []  # fmt: skip
    row = " ".join(parts) or "vehicle not described on the row"
    seen = _seen(read.vehicle)
    state = entry.state or "state not listed"
    return BriefLine(
        kind=LineKind.VEHICLE,
        says=f"{state} {entry.plate}: plate confirmed. Row: {row}. Seen: {seen}.",
        source="row, and the reader's own look",
        as_of=read.captured_at,
        confidence=Confidence.MACHINE,  # a person compared the plate, not the car
        known=listed is not None,
    )


def _last_seen(alert: Alert, read: PlateRead, around: Around) -> BriefLine:
    heading = f", heading {compass(read.heading_deg)}" if read.heading_deg is not None else ""
    times = f" Seen {alert.repeats + 1} times." if alert.repeats else ""
    return BriefLine(
        kind=LineKind.LAST_SEEN,
        says=f"At {around.reader}{heading}.{times}",
        source="plate reader",
        as_of=read.captured_at,
        confidence=Confidence.MACHINE,
    )


def _with_you(around: Around, as_of: datetime) -> BriefLine:
    near = [f"{unit.unit_id} {metres / 1000:.1f} km away" for unit, metres in around.others[:3]]
    return BriefLine(
        kind=LineKind.WITH_YOU,
        says=f"Nearest: {', '.join(near)}." if near else "No other unit's position is known.",
        source="unit positions",
        as_of=as_of,
        confidence=Confidence.MACHINE,
        known=bool(near),
    )


def _picture(read: PlateRead) -> BriefLine:
    shows = sorted({picture.shows for picture in read.pictures})
    return BriefLine(
        kind=LineKind.PICTURE,
        says=f"Picture of the {' and the '.join(shows)}." if shows else "No picture was sent.",
        source="plate reader",
        as_of=read.captured_at if shows else None,
        confidence=Confidence.MACHINE,
        known=bool(shows),
    )


def compass(heading_deg: float) -> str:
    return _COMPASS[round(heading_deg / 45) % 8]


def _seen(vehicle: SeenVehicle | None) -> str:
    if vehicle is None:
        return "nothing but the plate"
    parts = [s.value for s in (vehicle.colour, vehicle.make, vehicle.model, vehicle.kind) if s]
    return " ".join(parts) or "nothing but the plate"
