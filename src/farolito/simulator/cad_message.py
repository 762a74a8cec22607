"""What a dispatch system says of a call, as our own CAD format writes it, and its signed envelope.

A message tells what is new; what it leaves out is as it was. Envelope: CloudEvents 1.0 in
structured JSON mode, signed per Standard Webhooks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from standardwebhooks import Webhook

from farolito.model import CallId, CallKind, DeviceId, Level, Point, digest_id
from farolito.model.call import (
    CalledUnit,
    CallNote,
    CallState,
    CallVehicle,
    Going,
    Hazard,
)

CAD = DeviceId("cad")
SOURCE = f"/practice/{CAD}"
UPDATED, HEARTBEAT = "org.farolito.call.updated", "org.farolito.cad.heartbeat"
CONTENT_TYPE = "application/cloudevents+json"

__all__ = ["CAD", "CadMessage", "CallTruth", "Posted", "posted_heartbeat", "posted_update"]


class CadMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One update of one call. Units and vehicles tell the present whole, notes and hazards add."""

    number: str
    sent_at: datetime
    ori: str | None = None
    taken_at: datetime | None = None
    kind: CallKind | None = None
    kind_says: str | None = None
    priority: Level | None = None
    state: CallState | None = None
    address: str | None = None
    place: Point | None = None
    within_m: float | None = None
    units: tuple[CalledUnit, ...] | None = None
    notes: tuple[CallNote, ...] = ()
    vehicles: tuple[CallVehicle, ...] | None = None
    hazards: tuple[Hazard, ...] = ()
    people: str | None = None
    going: Going | None = None
    duplicate_of: str | None = None
    transferred_to: str | None = None


class CallTruth(msgspec.Struct, frozen=True, kw_only=True, tag="call", tag_field="what"):
    """What truly is behind a call's number. Calls of one `event` belong to one incident."""

    number: str
    event: str
    at: datetime
    kind: CallKind
    place: Point  # where it truly happens
    told: Point | None  # what the CAD says of it
    plate: str | None = None  # of the car that truly was there
    state: str | None = None


class Posted(msgspec.Struct, frozen=True):
    """A body and the headers that prove whose it is."""

    body: bytes
    headers: Mapping[str, str]


class _Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    specversion: str
    id: str
    source: str
    type: str
    time: datetime
    datacontenttype: str = ""
    data: CadMessage | None = None


def posted_update(message: CadMessage, count: int, secret: str, now: datetime) -> Posted:
    """`count` tells messages of one call and moment apart; the same message keeps its id."""
    mark = digest_id(0, "cad message", message.number, message.sent_at.isoformat(), str(count))
    return _posted(UPDATED, mark, secret, now, message)


def posted_heartbeat(secret: str, now: datetime) -> Posted:
    return _posted(HEARTBEAT, digest_id(0, "cad heartbeat", now.isoformat()), secret, now, None)


def _posted(
    type_: str, mark: UUID | CallId, secret: str, now: datetime, data: CadMessage | None
) -> Posted:
    event = _Event(
        specversion="1.0", id=str(mark), source=SOURCE, type=type_, time=now,
        datacontenttype="application/json" if data else "", data=data,
    )  # fmt: skip
    body = msgspec.json.encode(event)
    name = f"msg_{mark.hex}"
    return Posted(
        body,
        {
            "Content-Type": CONTENT_TYPE,
            "webhook-id": name,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret).sign(name, now.astimezone(UTC), body.decode()),
        },
    )
