"""Our own format: a JSON object or an array of them, one call each. docs/formats/cad.md."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

import msgspec

from farolito.ingest.cad.decoded import Decoded, settle
from farolito.ingest.cad.json_text import json_type, json_value
from farolito.ingest.cad.kinds import kind_of
from farolito.ingest.cad.report import RECORDS_MAX, Report, ToldHazard, call_update
from farolito.model import (
    CallKind,
    CallState,
    CallUpdate,
    CallVehicle,
    Device,
    Going,
    HazardKind,
    Invalid,
    Point,
    Rejected,
    UnitStatus,
)

NAME: Final = "farolito"

_Time = Annotated[datetime, msgspec.Meta(tz=True)]


class WirePlace(msgspec.Struct, frozen=True):
    lat: float
    lon: float


class WireUnit(msgspec.Struct, frozen=True):
    unit: str
    status: UnitStatus
    at: _Time | None = None


class WireNote(msgspec.Struct, frozen=True):
    says: str
    note_id: str | None = None
    at: _Time | None = None


class WireHazard(msgspec.Struct, frozen=True):
    says: str
    kind: HazardKind = HazardKind.OTHER
    source: str | None = None
    as_of: _Time | None = None
    expires_at: _Time | None = None


class WireGoing(msgspec.Struct, frozen=True):
    says: str
    at: _Time
    heading_deg: float | None = None
    place: WirePlace | None = None


class WireCall(msgspec.Struct, frozen=True):
    """One call as it is sent. What is left out is not told, and changes nothing."""

    number: str
    sent_at: _Time
    ori: str | None = None
    taken_at: _Time | None = None
    kind: CallKind | None = None
    kind_says: str | None = None
    priority: Annotated[int, msgspec.Meta(ge=1, le=9)] | None = None
    state: CallState | None = None
    address: str | None = None
    place: WirePlace | None = None
    within_m: float | None = None
    units: list[WireUnit] | None = None
    notes: list[WireNote] = []
    vehicles: list[CallVehicle] | None = None
    hazards: list[WireHazard] = []
    people: str | None = None
    going: WireGoing | None = None
    duplicate_of: str | None = None
    transferred_to: str | None = None
    transferred_from: str | None = None


_ONE = msgspec.json.Decoder(WireCall)
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])

# What a badly shaped field is called, by the field; any other is `wrong_shape`.
_REASONS = {"sent_at": "bad_time", "taken_at": "bad_time", "at": "bad_time", "as_of": "bad_time"}


def decode(body: bytes, content_type: str, device: Device, received_at: datetime) -> Decoded:
    """Raises Rejected."""
    json_type(content_type)
    opening = body[:64].removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    raws = json_value(_RAWS, body) if opening == b"[" else [body]
    return calls(raws, device, received_at)


def calls(raws: list[msgspec.Raw] | list[bytes], device: Device, received_at: datetime) -> Decoded:
    """Each call by itself, so that a bad one takes only itself."""
    if len(raws) > RECORDS_MAX:
        do = f"send at most {RECORDS_MAX} at once"
        raise Rejected("too_many", f"{len(raws)} calls in a message", do, status=413)
    updates: list[CallUpdate] = []
    errors: list[tuple[int, Rejected]] = []
    for item, raw in enumerate(raws):
        try:
            updates.append(call_update(_report(_wire(bytes(raw))), device, received_at))
        except Rejected as error:
            errors.append((item, error))
    return settle(updates, errors)


def _wire(raw: bytes) -> WireCall:
    try:
        return json_value(_ONE, raw)
    except Rejected as error:
        field = error.says.rpartition("$.")[2].strip("`").rpartition(".")[2]
        if error.reason != "wrong_shape" or field not in _REASONS:
            raise
        do = "send RFC 3339 with an offset or Z"
        raise Rejected(_REASONS[field], error.says, do) from error


def _report(wire: WireCall) -> Report:
    kind = wire.kind
    if kind is None and wire.kind_says is not None:
        kind = kind_of(wire.kind_says)
    return Report(
        number=wire.number,
        sent_at=wire.sent_at,
        ori=wire.ori,
        taken_at=wire.taken_at,
        kind=kind,
        kind_says=wire.kind_says,
        priority=wire.priority,
        state=wire.state,
        address=wire.address,
        lat=wire.place.lat if wire.place else None,
        lon=wire.place.lon if wire.place else None,
        within_m=wire.within_m,
        units=None if wire.units is None else [(u.unit, u.status, u.at) for u in wire.units],
        notes=[(note.note_id, note.at, note.says) for note in wire.notes],
        vehicles=wire.vehicles,
        hazards=[_hazard(hazard) for hazard in wire.hazards],
        people=wire.people,
        going=None if wire.going is None else _going(wire.going),
        duplicate_of=wire.duplicate_of,
        transferred_to=wire.transferred_to,
        transferred_from=wire.transferred_from,
    )


def _hazard(wire: WireHazard) -> ToldHazard:
    return ToldHazard(
        kind=wire.kind,
        says=wire.says,
        source=wire.source,
        as_of=wire.as_of,
        expires_at=wire.expires_at,
    )


def _going(wire: WireGoing) -> Going:
    place = None
    if wire.place is not None:
        try:
            place = Point(wire.place.lat, wire.place.lon)
        except Invalid:
            place = None  # a way somebody went is told by its words; the place is an extra
    return Going(says=wire.says, at=wire.at, heading_deg=wire.heading_deg, place=place)
