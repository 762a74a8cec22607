"""CloudEvents 1.0 in structured JSON mode: an envelope around our own format.

    {"specversion": "1.0", "type": "org.farolito.call.updated", "id": "…", "source": "…",
     "data": {…one call, or an array of them…}}

`org.farolito.cad.heartbeat` has no data and says that its source lives. Whose message it is, the
signature tells (ingest/signature.py), never `source`.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Final, Literal

import msgspec

from farolito.ingest.cad import farolito
from farolito.ingest.cad.decoded import HEARTBEAT, Decoded
from farolito.ingest.cad.json_text import json_type, json_value
from farolito.model import Device, Rejected

NAME: Final = "cloudevents"
CALL_UPDATED = "org.farolito.call.updated"
HEARTBEAT_TYPE = "org.farolito.cad.heartbeat"
_BATCH = "application/cloudevents-batch+json"


class Event(msgspec.Struct, frozen=True):
    """The attributes that CloudEvents requires, and the data."""

    specversion: Literal["1.0"]
    type: str
    id: str
    source: str
    data: msgspec.Raw = msgspec.Raw()
    data_base64: str | None = None


_EVENT = msgspec.json.Decoder(Event)
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])


def decode(body: bytes, content_type: str, device: Device, received_at: datetime) -> Decoded:
    """Raises Rejected."""
    if content_type.partition(";")[0].strip().lower() == _BATCH:
        do = "send each event by itself"
        raise Rejected("wrong_content_type", "a batch of events", do, status=415)
    json_type(content_type)
    event = json_value(_EVENT, body)
    if event.type == HEARTBEAT_TYPE:
        return HEARTBEAT
    if event.type != CALL_UPDATED:
        do = f"send {CALL_UPDATED} or {HEARTBEAT_TYPE}"
        raise Rejected("unknown_type", "an event of a type that this door does not take", do)
    data = _data(event)
    raws = json_value(_RAWS, data) if data[:1] == b"[" else [data]
    return farolito.calls(raws, device, received_at)


def _data(event: Event) -> bytes:
    data = bytes(event.data).strip()
    if event.data_base64 is not None and not data:
        try:
            data = base64.b64decode(event.data_base64, validate=True).strip()
        except (binascii.Error, ValueError) as error:
            raise Rejected("wrong_shape", "data_base64 that is no base64", "send data") from error
    if not data or data == b"null":
        raise Rejected("wrong_shape", "an event without data", "send the call as data")
    return data


def source_of(body: bytes) -> str:
    """The `source` of an event, to learn whose secret to try. Raises Rejected."""
    return json_value(_EVENT, body).source
