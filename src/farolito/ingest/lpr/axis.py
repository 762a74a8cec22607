"""Axis License Plate Verifier: its JSON push (developer.axis.com; FF Group protocol 1.6).

Numbers arrive as strings, `plateConfidence` is 0…1. One car is told as new, updated and lost under
one `carID`: later messages correct earlier ones. `capture_timestamp` is milliseconds since 1970;
`datetime` is the camera's local time without zone and stands in where the other is absent.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, Literal

import msgspec

from farolito.ingest.lpr import body as envelope
from farolito.ingest.lpr import moment
from farolito.ingest.lpr.decoded import Decoded
from farolito.ingest.lpr.pictures import Album
from farolito.ingest.lpr.report import Report, plate_read
from farolito.model import Device, Rejected

NAME: Final = "axis"

_MOVEMENTS: dict[str, Literal["approaching", "receding"]] = {
    "in": "approaching",
    "out": "receding",
}
_DATETIME = re.compile("([0-9]{4})([0-9]{2})([0-9]{2}) ?([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{3})")
_STATES = frozenset({"new", "updated", "update", "lost"})


class GeoTag(msgspec.Struct):
    lat: float | None = None
    lon: float | None = None


class Message(msgspec.Struct, rename="camel"):
    car_id: str | int = msgspec.field(name="carID")
    plate_utf8: str | None = msgspec.field(default=None, name="plateUTF8")
    plate_unicode: str | None = None
    datetime: str | None = None
    capture_timestamp: float | None = msgspec.field(default=None, name="capture_timestamp")
    plate_confidence: float | None = None
    plate_region: str | None = None
    car_state: str = "new"
    car_move_direction: str | None = None
    geotag: GeoTag | None = None
    plate_image: str | None = None
    vehicle_image: str | None = None


_MESSAGE = msgspec.json.Decoder(Message, strict=False)


def _captured_at(message: Message, device: Device) -> datetime:
    if message.capture_timestamp is not None:
        return moment.since_epoch(ms=message.capture_timestamp)
    told = _DATETIME.fullmatch((message.datetime or "").strip())
    if told is None:
        raise Rejected("bad_time", "a time that is none", "send YYYYMMDD HHMMSSFFF")
    return moment.from_iso("{}-{}-{}T{}:{}:{}.{}".format(*told.groups()), device)


def decode(body: bytes, content_type: str, device: Device, received_at: datetime) -> Decoded:
    """Raises Rejected."""
    envelope.media_type(content_type, envelope.JSON_TYPES)
    message = envelope.json_value(_MESSAGE, body)
    state, text = message.car_state.lower(), message.plate_utf8 or message.plate_unicode
    if state not in _STATES:
        raise Rejected("wrong_shape", "a car that is neither new, updated nor lost")
    where = message.geotag or GeoTag()
    album = Album()
    report = Report(
        text=text,
        captured_at=_captured_at(message, device),
        event=str(message.car_id),
        telling="" if state == "new" else f"{state} {text}",
        confidence=message.plate_confidence,
        state=message.plate_region,
        lat=where.lat,
        lon=where.lon,
        movement=_MOVEMENTS.get((message.car_move_direction or "").lower()),
        pictures=album.add_base64(message.plate_image, "plate")
        + album.add_base64(message.vehicle_image, "vehicle"),
    )
    read = plate_read(report, NAME, device, received_at)
    return Decoded((read,), album.contents, dropped=tuple(album.dropped))
