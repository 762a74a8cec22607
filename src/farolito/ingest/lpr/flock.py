"""Flock Safety API v3: the hot-list alert web-hook, and a page of `/reads/lookup` results.

Names after docs.flocksafety.com as harvested in api-evangelist/flock-safety. Confidences are 0…1,
times RFC 3339. Flock stores the letter O as zero: a text without O is marked as folded. The alert
says that a list of theirs matched; to us it is a read, and our lists decide.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

import msgspec

from farolito.ingest.lpr import body as envelope
from farolito.ingest.lpr import moment
from farolito.ingest.lpr.decoded import Decoded, settle
from farolito.ingest.lpr.report import Report, plate_read
from farolito.model import Device, PlateRead, Rejected

NAME: Final = "flock"
RESULTS_MAX = 50  # the API's own limit for a page; more is refused

# The one name of a state that theirs and ours differ in.
_STATES = {"washington_dc": "dc"}


class Ocr(msgspec.Struct):
    label: str | None = None
    label_confidence: float | None = msgspec.field(default=None, name="labelConfidence")
    state: str | None = None
    state_confidence: float | None = msgspec.field(default=None, name="stateConfidence")


class Alert(msgspec.Struct, rename="camel"):
    object_id: str
    event_time: str
    device_lat: float | None = None
    device_long: float | None = None
    image_url: str | None = None
    ocr: Ocr | None = None


class Plate(msgspec.Struct):
    plate: str | None = None
    confidence: float | None = None


class State(msgspec.Struct):
    state: str | None = None
    confidence: float | None = None


class Location(msgspec.Struct):
    latitude: float | None = None
    longitude: float | None = None


class LookupDevice(msgspec.Struct):
    location: Location = msgspec.field(default_factory=Location)


class LookupRead(msgspec.Struct, rename="camel"):
    id: str
    captured_at: str
    plate: Plate
    state: State = msgspec.field(default_factory=State)
    device: LookupDevice = msgspec.field(default_factory=LookupDevice)


class Page(msgspec.Struct):
    results: list[msgspec.Raw] | None = None


_ALERT = msgspec.json.Decoder(Alert)
_PAGE = msgspec.json.Decoder(Page)
_READ = msgspec.json.Decoder(LookupRead)


def _folded(text: str | None) -> Literal["O0"] | None:
    return None if text and "O" in text.upper() else "O0"


def _state(text: str | None) -> str | None:
    return _STATES.get(text, text) if text else None


def _of_alert(alert: Alert, device: Device) -> Report:
    ocr = alert.ocr or Ocr()
    return Report(
        text=ocr.label,
        captured_at=moment.from_iso(alert.event_time, device),
        event=alert.object_id,
        confidence=ocr.label_confidence,
        state=_state(ocr.state),
        state_confidence=ocr.state_confidence,
        lat=alert.device_lat,
        lon=alert.device_long,
        picture_url=alert.image_url,
        folded=_folded(ocr.label),
    )


def _of_lookup(read: LookupRead, device: Device) -> Report:
    where = read.device.location
    return Report(
        text=read.plate.plate,
        captured_at=moment.from_iso(read.captured_at, device),
        event=read.id,
        confidence=read.plate.confidence,
        state=_state(read.state.state),
        state_confidence=read.state.confidence,
        lat=where.latitude,
        lon=where.longitude,
        folded=_folded(read.plate.plate),
    )


def _lookup(results: list[msgspec.Raw], device: Device, received_at: datetime) -> Decoded:
    if len(results) > RESULTS_MAX:
        raise Rejected("too_many", f"{len(results)} reads on a page of at most {RESULTS_MAX}")
    reads: list[PlateRead] = []
    errors: list[tuple[int, Rejected]] = []
    for item, raw in enumerate(results):
        try:
            report = _of_lookup(envelope.json_value(_READ, bytes(raw)), device)
            reads.append(plate_read(report, NAME, device, received_at))
        except Rejected as error:
            errors.append((item, error))
    return settle(reads, errors, {})


def decode(body: bytes, content_type: str, device: Device, received_at: datetime) -> Decoded:
    """Raises Rejected."""
    envelope.media_type(content_type, envelope.JSON_TYPES)
    page = envelope.json_value(_PAGE, body)
    if page.results is not None:
        return _lookup(page.results, device, received_at)
    report = _of_alert(envelope.json_value(_ALERT, body), device)
    return Decoded((plate_read(report, NAME, device, received_at),))
