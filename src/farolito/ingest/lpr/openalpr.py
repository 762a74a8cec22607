"""OpenALPR and Rekor Scout web-hooks: `alpr_results`, `alpr_group`, `alpr_alert`, `vehicle`,
`heartbeat`.

Names after openalpr/openalpr `alpr_impl.cpp` and `daemon.cpp`, and the web-hook page of
help.rekor.ai. Confidences are 0…100, times milliseconds since 1970. One car is told several times:
each frame as `alpr_results`, then once as a group that names the frames' uuids; the first of them
is the car's key, so that the group corrects what its frames said.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from farolito.ingest.lpr import body as envelope
from farolito.ingest.lpr import moment, vehicle
from farolito.ingest.lpr.decoded import HEARTBEAT, Decoded, settle
from farolito.ingest.lpr.number import share
from farolito.ingest.lpr.pictures import Album
from farolito.ingest.lpr.report import Report, plate_read
from farolito.model import Device, Picture, PlateRead, Rejected, Seen, SeenVehicle

NAME: Final = "openalpr"
RESULTS_MAX = 64  # plates in one frame; more is refused

# OpenALPR's "truck-standard" is a pickup (its own sample is a Ford F-150); "missing" is no kind.
_UNKNOWN_POSITION = -1.0  # what it sends as latitude and longitude without a GPS receiver


class Named(msgspec.Struct):
    name: str
    confidence: float | None = None


class Vehicle(msgspec.Struct):
    color: list[Named] = []
    make: list[Named] = []
    make_model: list[Named] = []
    body_type: list[Named] = []
    year: list[Named] = []


class Candidate(msgspec.Struct):
    plate: str
    confidence: float | None = None


class Plate(msgspec.Struct):
    plate: str | None = None
    confidence: float | None = None
    plate_index: int = 0
    region: str | None = None
    region_confidence: float | None = None
    candidates: list[Candidate] = []
    vehicle: Vehicle | None = None
    plate_crop_jpeg: str | None = None


class Message(msgspec.Struct):
    """All kinds in one: they share their names."""

    data_type: str
    epoch_time: float | None = None
    epoch_start: float | None = None
    uuid: str | None = None
    uuids: list[str] = []
    best_uuid: str | None = None
    best_plate: Plate | None = None
    best_plate_number: str | None = None
    best_confidence: float | None = None
    best_region: str | None = None
    best_region_confidence: float | None = None
    candidates: list[Candidate] = []
    results: list[Plate] = []
    vehicle: Vehicle | None = None
    vehicle_crop_jpeg: str | None = None
    gps_latitude: float | None = None
    gps_longitude: float | None = None
    plate_number: str | None = None
    agent_uid: str | None = None
    camera_number: int | None = None
    group: Message | None = None


_MESSAGE = msgspec.json.Decoder(Message, strict=False)


def _surest(told: list[Named]) -> Named | None:
    return max(told, key=lambda one: one.confidence or 0, default=None)


def _seen(told: list[Named], word: str) -> Seen | None:
    surest = _surest(told)
    if surest is None:
        return None
    value = {"colour": vehicle.colour, "kind": vehicle.kind}.get(word, vehicle.plain)(surest.name)
    return vehicle.seen(value, share(surest.confidence))


def _model(told: Vehicle) -> Seen | None:
    """`ford_f-150` is make and model in one word; the make stands for itself."""
    surest = _surest(told.make_model)
    if surest is None:
        return None
    model = surest.name.partition("_")[2] or surest.name
    return vehicle.seen(vehicle.plain(model), share(surest.confidence))


def _vehicle(told: Vehicle | None) -> SeenVehicle | None:
    if told is None:
        return None
    return vehicle.vehicle(
        make=_seen(told.make, "make"),
        model=_model(told),
        colour=_seen(told.color, "colour"),
        kind=_seen(told.body_type, "kind"),
        year=_seen(told.year, "year"),
    )


def _report(plate: Plate, message: Message, at: datetime, event: str) -> Report:
    lat, lon = message.gps_latitude, message.gps_longitude
    if lat == _UNKNOWN_POSITION == lon:
        lat = lon = None
    candidates = plate.candidates or message.candidates
    return Report(
        text=plate.plate,
        captured_at=at,
        event=event,
        confidence=share(plate.confidence),
        candidates=[(c.plate, share(c.confidence)) for c in candidates],
        state=plate.region,
        # A region without confidence comes with 0: it was not measured, not surely wrong.
        state_confidence=share(plate.region_confidence) or None,
        lat=lat,
        lon=lon,
        vehicle=_vehicle(plate.vehicle or message.vehicle),
    )


def _results(message: Message, device: Device, received_at: datetime) -> Decoded:
    """One frame with any number of plates."""
    if len(message.results) > RESULTS_MAX:
        raise Rejected("too_many", f"{len(message.results)} plates in a frame")
    at = moment.since_epoch(ms=message.epoch_time)
    album = Album()
    reads: list[PlateRead] = []
    errors: list[tuple[int, Rejected]] = []
    for item, plate in enumerate(message.results):
        uuid = message.uuid or f"{message.camera_number}-{message.epoch_time or 0:.0f}"
        event = f"{uuid}#{plate.plate_index}" if plate.plate_index else uuid
        try:
            report = _report(plate, message, at, event)
            report.pictures = album.add_base64(plate.plate_crop_jpeg, "plate", item)
            reads.append(plate_read(report, NAME, device, received_at))
        except Rejected as error:
            errors.append((item, error))
    return settle(reads, errors, album.contents, album.dropped)


def _group(
    message: Message, device: Device, received_at: datetime, alert: Message | None = None
) -> Decoded:
    """One car over its frames; `alert` is the message around it, where it is one of a list."""
    plate = message.best_plate or Plate()
    sender = alert or message
    plate.plate = plate.plate or message.best_plate_number or sender.plate_number
    if plate.confidence is None:
        plate.confidence = message.best_confidence
    if plate.region is None:
        plate.region = message.best_region
        plate.region_confidence = message.best_region_confidence
    told = message.epoch_start or message.epoch_time or sender.epoch_time
    event = message.uuids[0] if message.uuids else message.best_uuid
    if event is None:
        event = f"{sender.agent_uid}-{sender.camera_number}-{told or 0:.0f}"
    report = _report(plate, message, moment.since_epoch(ms=told), event)
    report.telling = "group"  # its first frame may bear the same time and key
    album = Album()
    report.pictures = _pictures(album, plate, message)
    read = plate_read(report, NAME, device, received_at)
    return Decoded((read,), album.contents, dropped=tuple(album.dropped))


def _pictures(album: Album, plate: Plate, message: Message) -> tuple[Picture, ...]:
    return album.add_base64(plate.plate_crop_jpeg, "plate") + album.add_base64(
        message.vehicle_crop_jpeg, "vehicle"
    )


def _alert(message: Message, device: Device, received_at: datetime) -> Decoded:
    """The vendor's own list matched. To us it is a read: our lists decide."""
    group = message.group or Message(data_type="alpr_group")
    return _group(group, device, received_at, alert=message)


def _vehicle_message(message: Message, device: Device, received_at: datetime) -> Decoded:
    """A car, with or without a plate; one without says only that the agent lives."""
    if message.best_plate is None and not message.best_plate_number:
        return HEARTBEAT
    return _group(message, device, received_at)


def decode(body: bytes, content_type: str, device: Device, received_at: datetime) -> Decoded:
    """Raises Rejected; `not_a_plate_read` for a kind of message that is none of the known."""
    envelope.media_type(content_type, envelope.JSON_TYPES)
    message = envelope.json_value(_MESSAGE, body)
    match message.data_type:
        case "alpr_results":
            return _results(message, device, received_at)
        case "alpr_group":
            return _group(message, device, received_at)
        case "alpr_alert":
            return _alert(message, device, received_at)
        case "vehicle":
            return _vehicle_message(message, device, received_at)
        case "heartbeat":
            return HEARTBEAT
    raise Rejected("not_a_plate_read", "a message of a kind that carries no plate")
