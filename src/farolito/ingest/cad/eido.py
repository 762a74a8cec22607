"""NENA's Emergency Incident Data Object (EIDO, NENA-STA-021.1), JSON.

Read by structure, forgiving: what has another type than the standard says is taken as not told.
A document is one incident as its sender knows it now. Taken as the standard leaves it open:
- the call's number is the Incident Tracking Identifier, without its `urn:…:incidentid:`; the
  CAD's own number (`internalIncidentId`) comes later than the first message, so it cannot name
  the call, and is kept as a note;
- REPLACED means "this incident was replaced by that one", REPLACING the other way round;
- a document with a call and no incident component is a call handed over by another agency;
- a routing location is where the network sends the call, often a cell tower's address: it is
  told as "about".
`$id` and `$ref` are keys of the data.
"""

from __future__ import annotations

from datetime import datetime
from html.parser import HTMLParser
from typing import Any, Final

import msgspec

from farolito.ingest.cad.decoded import Decoded
from farolito.ingest.cad.eido_parts import (
    Document,
    moment,
    objects,
    referenced,
    text_of,
    texts_of,
)
from farolito.ingest.cad.eido_vehicles import vehicle_of
from farolito.ingest.cad.json_text import json_type, json_value
from farolito.ingest.cad.kinds import kind_of
from farolito.ingest.cad.pidf import Told, told_place
from farolito.ingest.cad.report import Report, ToldHazard, call_update
from farolito.ingest.cad.statuses import call_state_of, unit_status_of
from farolito.model import (
    CallKind,
    CallState,
    CallVehicle,
    Device,
    Doubt,
    HazardKind,
    Rejected,
    UnitStatus,
)

NAME: Final = "eido"
ITEMS_MAX = 1_000  # of one component; a document with more is refused
HTML_CHARACTERS_MAX = 40_000  # of a note, tags included; the rest is not read

_ANY = msgspec.json.Decoder(dict[str, Any])
_URNS = ("urn:emergency:uid:incidentid:", "urn:nena:uid:incidentid:")
_PRIORITY_WORDS = {"highest": 1, "high": 2, "normal": 3, "low": 3, "lowest": 3}
# Which location speaks of the incident: the first of these that tells anything.
_PLACE_ORDER = ("incident", "dispatch", "scene", "caller", "alarm", "device", "routing")
_HAZARD_WORDS: tuple[tuple[HazardKind, tuple[str, ...]], ...] = (
    (HazardKind.WEAPON, ("weapon", "gun", "firearm", "armed", "knife", "explosive")),
    (HazardKind.DOG, ("dog", "animal", "canine")),
    (HazardKind.VIOLENCE, ("violen", "assault", "combative", "hostile", "threat")),
    (HazardKind.OFFICER_SAFETY, ("officer", "responder", "police")),
    (HazardKind.PREMISE, ("premise", "location", "hazmat", "hazardous", "structur")),
)


def decode(body: bytes, content_type: str, device: Device, received_at: datetime) -> Decoded:
    """Raises Rejected."""
    json_type(content_type)
    return decode_document(json_value(_ANY, body), device, received_at)


def decode_document(document: Any, device: Device, received_at: datetime) -> Decoded:
    """The incident's update, and one for each incident that it replaces. Raises Rejected."""
    if not isinstance(document, dict) or not isinstance(document.get("$id"), str):
        raise Rejected("not_eido", "a document without $id", "send a whole EIDO")
    sent_at = moment(document.get("lastUpdateTimeStamp"))
    if sent_at is None:
        do = "send lastUpdateTimeStamp as RFC 3339 with an offset"
        raise Rejected("bad_time", "an EIDO without the time of its last update", do)
    for name, component in document.items():
        if isinstance(component, list) and len(component) > ITEMS_MAX:
            raise Rejected("too_many", f"more than {ITEMS_MAX} items in {name[:60]}")
    whole = Document(document, number_of(document["$id"]))
    report = _report(whole, sent_at)
    replaced = [
        Report(number=other, sent_at=sent_at, duplicate_of=report.number)
        for other, direction in _merges(whole)
        if direction == "REPLACING"
    ]
    updates = [call_update(one, device, received_at) for one in (report, *replaced)]
    return Decoded(tuple(updates))


def number_of(tracking_id: str) -> str:
    """`urn:emergency:uid:incidentid:a56e:bcf.example` → `a56e:bcf.example`."""
    for urn in _URNS:
        if tracking_id.lower().startswith(urn):
            return tracking_id[len(urn) :]
    return tracking_id


def _report(whole: Document, sent_at: datetime) -> Report:
    incident = whole.incident
    says = _kind_says(incident)
    told, doubts = _place(whole)
    agency = referenced(whole.root.get("updatedByAgencyReference"))
    return Report(
        number=whole.number,
        sent_at=sent_at,
        taken_at=_taken_at(whole),
        kind=_kind(incident),
        kind_says=says,
        priority=_priority(whole),
        state=_state(incident),
        address=told.address,
        lat=told.lat,
        lon=told.lon,
        within_m=told.within_m,
        units=_units(whole),
        notes=_notes(whole, sent_at),
        vehicles=_vehicles(whole),
        hazards=[_hazard(one) for one in objects(whole.root.get("cautionComponent"))],
        duplicate_of=next((number for number, how in _merges(whole) if how == "REPLACED"), None),
        transferred_from=agency if whole.is_handed_over else None,
        doubts=doubts,
    )


def _kind_says(incident: dict[str, Any]) -> str | None:
    return (
        text_of(incident.get("incidentTypeInternalText"))
        or text_of(incident.get("incidentTypeInternalCode"))
        or text_of(incident.get("incidentTypeCommonRegistryText"))
    )


def _kind(incident: dict[str, Any]) -> CallKind | None:
    """The first of the three words that surely means something; OTHER where none does."""
    words = [
        text_of(incident.get("incidentTypeInternalText")),
        text_of(incident.get("incidentTypeCommonRegistryText")),
        text_of(incident.get("incidentTypeInternalCode")),
    ]
    kinds = [kind_of(word) for word in words if word]
    return next((kind for kind in kinds if kind is not CallKind.OTHER), next(iter(kinds), None))


def _taken_at(whole: Document) -> datetime | None:
    """When the first call was answered, or came in."""
    calls = objects(whole.root.get("callComponent"))
    answered = [moment(call.get("answerDate")) for call in calls]
    started = [moment(call.get("callStartTimestamp")) for call in calls]
    return min((at for at in answered if at), default=None) or min(
        (at for at in started if at), default=None
    )


def _priority(whole: Document) -> int | None:
    number = whole.incident.get("incidentCommonPriorityNumber")
    if isinstance(number, int) and not isinstance(number, bool):
        return number
    words = (call.get("priorityIdentifier") for call in objects(whole.root.get("callComponent")))
    levels = [_PRIORITY_WORDS[word] for word in words if word in _PRIORITY_WORDS]
    return min(levels, default=None)


def _state(incident: dict[str, Any]) -> CallState | None:
    """The furthest that any of its statuses says: the incident has one for each agency."""
    words = texts_of(incident.get("incidentStatusCommonRegistryText"))
    words = words or texts_of(incident.get("incidentStatusInternalText"))
    states = {call_state_of(word) for word in words} - {None}
    # One agency may have closed its part while another still works on it.
    for state in (CallState.OPEN, CallState.TRANSFERRED, CallState.CLOSED):
        if state in states:
            return state
    return None


def _place(whole: Document) -> tuple[Told, list[Doubt]]:
    """The place of the incident, else of its calls, and whether it is only about there."""
    wanted = [*whole.references("incidentComponent"), *whole.references("callComponent")]
    known = objects(whole.root.get("locationComponent"))
    by_id = {text_of(one.get("$id")): one for one in known}
    linked = [by_id[name] for name in dict.fromkeys(wanted) if name in by_id]
    for location in sorted(linked or known, key=_place_rank):
        told = _told(location)
        if told.address is None and told.lat is None:
            continue
        is_routing = "routing" in (text_of(location.get(_LOCATION_TYPE)) or "").lower()
        return told, [Doubt.ABOUT] if is_routing else []
    return Told(), []


_LOCATION_TYPE = "locationTypeDescriptionRegistryText"


def _place_rank(location: dict[str, Any]) -> int:
    word = (text_of(location.get(_LOCATION_TYPE)) or "").lower()
    ranks = [rank for rank, name in enumerate(_PLACE_ORDER) if name in word]
    return min(ranks, default=len(_PLACE_ORDER) - 1)


def _told(location: dict[str, Any]) -> Told:
    """The place with the streets that cross it: "Central Av @ San Mateo Bl"."""
    value = text_of(location.get("locationByValue"))
    told = told_place(value) if value else Told()
    crossing = _streets(location, "intersectingStreetByValue")
    near = _streets(location, "crossStreetByValue")
    address = told.address
    if crossing and told.street and address:
        address = address.replace(told.street, f"{told.street} @ {crossing[0]}", 1)
    elif near and address:
        address = f"{address} (near {near[0]})"
    described = text_of(location.get("locationDescriptionText"))
    return msgspec.structs.replace(told, address=address or described)


def _streets(location: dict[str, Any], name: str) -> list[str]:
    values = texts_of(location.get(name))[:2]
    return [street for value in values if (street := told_place(value).street)]


def _units(whole: Document) -> list[tuple[str, UnitStatus, datetime | None]] | None:
    """The resources and what each is doing; None where the document has no such component."""
    if not isinstance(whole.root.get("emergencyResourceComponent"), list):
        return None
    units = []
    for resource in objects(whole.root.get("emergencyResourceComponent")):
        name = text_of(resource.get("emergencyResourceName")) or text_of(resource.get("$id"))
        words = [text_of(resource.get("primaryUnitStatusRegistryText"))]
        words += texts_of(resource.get("unitStatusInternal"))
        statuses = (unit_status_of(word) for word in words if word)
        status = next((status for status in statuses if status), None)
        active = text_of(resource.get("activeOnIncidentId"))
        if active is not None and number_of(active) != whole.number:
            status = UnitStatus.CLEARED
        if name is not None and status is not None:
            units.append((name, status, moment(resource.get("lastUpdateTimeStamp"))))
    return units


def _notes(whole: Document, sent_at: datetime) -> list[tuple[str | None, datetime | None, str]]:
    notes: list[tuple[str | None, datetime | None, str]] = []
    for note in objects(whole.root.get("notesComponent")):
        says = text_of(note.get("notesActionComments"))
        if says:
            at = moment(note.get("lastUpdateTimeStamp"))
            notes.append((text_of(note.get("$id")), at, plain_text(says)))
    for link in objects(whole.root.get("linkComponent")):
        other = text_of(link.get("incidentTrackingIdentifier"))
        how = text_of(link.get("linkDirectionCode"))
        if other and how:
            reason = text_of(link.get("transactionReasonText")) or "no reason given"
            says = f"Linked with {number_of(other)} ({how.lower()}): {reason}"
            at = moment(link.get("lastUpdateTimeStamp"))
            notes.append((text_of(link.get("$id")), at, says))
    local = text_of(whole.incident.get("internalIncidentId"))
    if local:
        at = moment(whole.incident.get("lastUpdateTimeStamp")) or sent_at
        notes.append(("internalIncidentId", at, f"The sender's own number: {local}"))
    return notes


def _merges(whole: Document) -> list[tuple[str, str]]:
    merges = []
    for merge in objects(whole.root.get("mergeComponent")):
        other = text_of(merge.get("incidentTrackingIdentifier"))
        how = text_of(merge.get("incidentMergeDirectionCode"))
        if other and how and number_of(other) != whole.number:
            merges.append((number_of(other), how))
    return merges


def _vehicles(whole: Document) -> list[CallVehicle] | None:
    if not isinstance(whole.root.get("vehicleComponent"), list):
        return None
    return [vehicle_of(one) for one in objects(whole.root.get("vehicleComponent"))]


def _hazard(caution: dict[str, Any]) -> ToldHazard:
    words = [
        text_of(caution.get("cautionTypeInternalText")),
        text_of(caution.get("cautionTypeCommonRegistryText")),
        *texts_of(caution.get("cautionTypeCommonSubRegistryText")),
    ]
    says = " · ".join(dict.fromkeys(word for word in words if word))
    low = says.lower()
    kinds = (kind for kind, signs in _HAZARD_WORDS if any(sign in low for sign in signs))
    return ToldHazard(
        kind=next(kinds, HazardKind.OTHER),
        says=says,
        source=text_of(caution.get("cautionSource")),
        as_of=moment(caution.get("startDate")) or moment(caution.get("lastUpdateTimeStamp")),
    )


class _Words(HTMLParser):
    """The words of a note, which the standard writes as HTML: no tag, script or style."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in {"script", "style"}
        self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in {"script", "style"}))
        self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)


def plain_text(html: str) -> str:
    if "<" not in html and "&" not in html:
        return html
    words = _Words()
    try:
        words.feed(html[:HTML_CHARACTERS_MAX])
        words.close()
    except AssertionError:  # what the library raises for a marked section that it does not know
        return html
    return " ".join("".join(words.pieces).split())
