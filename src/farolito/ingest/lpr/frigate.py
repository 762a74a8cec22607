"""Frigate's MQTT messages: `frigate/tracked_object_update` of type `lpr`, and `frigate/events`.

Names after docs.frigate.video. Scores are 0…1, times seconds since 1970. The tracked object's id
is the car's key: an event is told again each time Frigate knows more. `name` and `sub_label` say
which known car Frigate takes it for; what was read stands in `plate` and
`recognized_license_plate`, and only that is taken. Messages about persons and faces are not read
at all.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from farolito.ingest.lpr import body as envelope
from farolito.ingest.lpr import moment
from farolito.ingest.lpr.decoded import HEARTBEAT, Decoded
from farolito.ingest.lpr.report import Report, plate_read
from farolito.model import Device, Rejected

NAME: Final = "frigate"

_OTHER_TYPES = frozenset({"description", "face", "classification"})
_EVENT_TYPES = frozenset({"new", "update", "end"})


class Update(msgspec.Struct):
    """`frigate/tracked_object_update`, type `lpr`."""

    id: str
    plate: str | None = None
    score: float | None = None
    timestamp: float | None = None


class Tracked(msgspec.Struct):
    """The `after` of `frigate/events`; a plate stands at the top or, via the API, under `data`."""

    id: str
    frame_time: float | None = None
    start_time: float | None = None
    recognized_license_plate: str | None = None
    recognized_license_plate_score: float | None = None
    current_estimated_speed: float | None = None


class Event(msgspec.Struct):
    after: Tracked


class AnyMessage(msgspec.Struct):
    type: str


_ANY = msgspec.json.Decoder(AnyMessage)
_UPDATE = msgspec.json.Decoder(Update)
_EVENT = msgspec.json.Decoder(Event)


def _of_update(update: Update) -> Report:
    return Report(
        text=update.plate,
        captured_at=moment.since_epoch(update.timestamp),
        event=update.id,
        confidence=update.score,
    )


def _of_event(tracked: Tracked) -> Report:
    told = tracked.frame_time if tracked.frame_time is not None else tracked.start_time
    return Report(
        text=tracked.recognized_license_plate,
        captured_at=moment.since_epoch(told),
        event=tracked.id,
        telling="event",
        confidence=tracked.recognized_license_plate_score,
    )


def decode(body: bytes, content_type: str, device: Device, received_at: datetime) -> Decoded:
    """Raises Rejected. MQTT has no content type: "" stands for it."""
    envelope.media_type(content_type, envelope.JSON_TYPES)
    kind = envelope.json_value(_ANY, body).type
    if kind == "lpr":
        report = _of_update(envelope.json_value(_UPDATE, body))
    elif kind in _EVENT_TYPES:
        tracked = envelope.json_value(_EVENT, body).after
        if tracked.recognized_license_plate is None:
            return HEARTBEAT  # a tracked object whose plate is not read (yet), or that has none
        report = _of_event(tracked)
    elif kind in _OTHER_TYPES:
        return HEARTBEAT
    else:
        raise Rejected("not_a_plate_read", "a message of a kind that carries no plate")
    return Decoded((plate_read(report, NAME, device, received_at),))
