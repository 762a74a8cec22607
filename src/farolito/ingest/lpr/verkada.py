"""Verkada's licence plate web-hook (apidocs.verkada.com).

`detected` is milliseconds since 1970, `created` seconds, `confidence` 0…1. The web-hook's id names
the subscription, so camera, time and plate are the car's key. `crop` is a place in the picture,
not a picture.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from farolito.ingest.lpr import body as envelope
from farolito.ingest.lpr import moment
from farolito.ingest.lpr.decoded import HEARTBEAT, Decoded
from farolito.ingest.lpr.report import Report, digest_key, plate_read
from farolito.model import Device, Rejected

NAME: Final = "verkada"


class Data(msgspec.Struct):
    camera_id: str | None = None
    created: float | None = None
    detected: float | None = None
    license_plate_number: str | None = None
    confidence: float | None = None
    license_plate_state: str | None = None
    image_url: str | None = None


class Message(msgspec.Struct):
    webhook_type: str
    data: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)


_MESSAGE = msgspec.json.Decoder(Message)
_DATA = msgspec.json.Decoder(Data)


def decode(body: bytes, content_type: str, device: Device, received_at: datetime) -> Decoded:
    """Raises Rejected."""
    envelope.media_type(content_type, envelope.JSON_TYPES)
    message = envelope.json_value(_MESSAGE, body)
    if message.webhook_type != "lpr":
        return HEARTBEAT  # a subscription carries other kinds of event too
    if not bytes(message.data):
        raise Rejected("wrong_shape", "a plate message without its data")
    data = envelope.json_value(_DATA, bytes(message.data))
    if data.detected is not None:
        at = moment.since_epoch(ms=data.detected)
    else:
        at = moment.since_epoch(data.created)
    report = Report(
        text=data.license_plate_number,
        captured_at=at,
        event=digest_key(data.camera_id, moment.epoch_ms(at), data.license_plate_number),
        confidence=data.confidence,
        state=data.license_plate_state,
        picture_url=data.image_url,
    )
    return Decoded((plate_read(report, NAME, device, received_at),))
