"""Plate Recognizer Stream web-hooks: JSON alone, or multipart with the frame.

Names after guides.platerecognizer.com. Plates come in lower case, confidences are 0…1, times are
RFC 3339. A message has no key of its own: the frame's file name and the result's place in it are
one. `plate` and `vehicle` come flat, or as objects with `props` where the whole vehicle is
detected. `direction` is an angle in the picture, not on the map, and is left out.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

import msgspec

from farolito.ingest.lpr import body as envelope
from farolito.ingest.lpr import moment, vehicle
from farolito.ingest.lpr.decoded import HEARTBEAT, Decoded, settle
from farolito.ingest.lpr.pictures import Album
from farolito.ingest.lpr.report import Report, plate_read
from farolito.model import Device, Picture, PlateRead, Rejected, Seen, SeenVehicle

NAME: Final = "platerecognizer"
RESULTS_MAX = 64  # plates in one frame; more is refused

_MOVEMENTS: dict[str, Literal["approaching", "receding"]] = {
    "front": "approaching",
    "rear": "receding",
}


class Scored(msgspec.Struct):
    """A value under whichever name its list uses, with its score."""

    value: str | None = None
    plate: str | None = None
    color: str | None = None
    orientation: str | None = None
    make: str | None = None
    model: str | None = None
    score: float | None = None


class Region(msgspec.Struct):
    code: str | None = None
    score: float | None = None


class PlateProps(msgspec.Struct):
    plate: list[Scored] = []
    region: list[Scored] = []


class PlateObject(msgspec.Struct):
    props: PlateProps = msgspec.field(default_factory=PlateProps)


class VehicleProps(msgspec.Struct):
    make_model: list[Scored] = []
    color: list[Scored] = []
    orientation: list[Scored] = []


class Vehicle(msgspec.Struct):
    type: str | None = None
    score: float | None = None
    props: VehicleProps | None = None


class Result(msgspec.Struct):
    plate: str | PlateObject | None = None
    score: float | None = None
    region: Region | None = None
    candidates: list[Scored] = []
    vehicle: Vehicle | None = None
    model_make: list[Scored] = []
    color: list[Scored] = []
    orientation: list[Scored] = []


class Data(msgspec.Struct):
    camera_id: str | None = None
    filename: str | None = None
    timestamp: str | None = None
    results: list[Result] | None = None


class Hook(msgspec.Struct):
    event: str | None = None
    id: str | None = None


class Message(msgspec.Struct):
    hook: Hook
    data: Data | None = None


_MESSAGE = msgspec.json.Decoder(Message)


def _first(told: list[Scored]) -> Scored:
    """The surest of a list, which the vendor sorts; an empty one where there is none."""
    return told[0] if told else Scored()


def _vehicle(result: Result) -> SeenVehicle | None:
    told = result.vehicle or Vehicle()
    props = told.props or VehicleProps(result.model_make, result.color, result.orientation)
    car, paint = _first(props.make_model), _first(props.color)

    def of_car(word: str | None) -> Seen | None:
        return vehicle.seen(vehicle.plain(word), car.score)

    return vehicle.vehicle(
        make=of_car(car.make),
        model=of_car(car.model),
        colour=vehicle.seen(vehicle.colour(paint.color or paint.value), paint.score),
        kind=vehicle.seen(vehicle.kind(told.type), told.score),
    )


def _flat(result: Result) -> Result:
    """The result with its plate flat, whichever way it was told."""
    told = result.plate
    if not isinstance(told, PlateObject):
        return result
    best, region = _first(told.props.plate), _first(told.props.region)
    result.plate, result.score = best.value, best.score
    result.region = Region(region.value, region.score)
    result.candidates = told.props.plate
    return result


def _report(result: Result, at: datetime, event: str) -> Report:
    flat = _flat(result)
    region = flat.region or Region()
    facing = flat.orientation
    if flat.vehicle is not None and flat.vehicle.props is not None:
        facing = flat.vehicle.props.orientation
    orientation = _first(facing).orientation or _first(facing).value or ""
    return Report(
        text=flat.plate if isinstance(flat.plate, str) else None,
        no_plate_words=frozenset(),
        captured_at=at,
        event=event,
        confidence=flat.score,
        candidates=[(c.plate or c.value or "", c.score) for c in flat.candidates],
        state=region.code,
        state_confidence=region.score,
        movement=_MOVEMENTS.get(orientation.lower()),
        vehicle=_vehicle(flat),
    )


def _opened(body: bytes, kind: str, content_type: str) -> tuple[bytes, list[envelope.Part]]:
    """The JSON and the other parts."""
    if kind not in envelope.MULTIPART_TYPES:
        return body, []
    parts = envelope.parts(body, content_type)
    for part in parts:
        if part.field == "json":
            return part.content, [other for other in parts if other is not part]
    raise Rejected("malformed_multipart", "a multipart message without its json part")


def _frame(album: Album, parts: list[envelope.Part]) -> tuple[Picture, ...]:
    frames = [part.content for part in parts if part.field.startswith("upload")]
    return album.add(frames[0], "scene") if frames else ()


def decode(body: bytes, content_type: str, device: Device, received_at: datetime) -> Decoded:
    """Raises Rejected."""
    kind = envelope.media_type(content_type, envelope.JSON_TYPES + envelope.MULTIPART_TYPES)
    text, others = _opened(body, kind, content_type)
    message = envelope.json_value(_MESSAGE, text)
    if message.hook.event not in {None, "recognition"}:
        return HEARTBEAT  # camera status and its like
    data = message.data
    if data is None or data.results is None:
        raise Rejected("wrong_shape", "a recognition without results")
    if len(data.results) > RESULTS_MAX:
        raise Rejected("too_many", f"{len(data.results)} plates in a frame")
    at = moment.from_iso(data.timestamp, device)
    album = Album()
    frame = _frame(album, others)
    reads: list[PlateRead] = []
    errors: list[tuple[int, Rejected]] = []
    for item, result in enumerate(data.results):
        event = f"{data.camera_id}/{data.filename or data.timestamp}#{item}"
        try:
            report = _report(result, at, event)
            report.pictures = frame
            reads.append(plate_read(report, NAME, device, received_at))
        except Rejected as error:
            errors.append((item, error))
    return settle(reads, errors, album.contents, album.dropped)
