"""What TAK ends say to each other about the connection itself: pings, and which form to speak.

The server offers version 1 (`t-x-takp-v`), the client asks for it (`t-x-takp-q`) and is then
silent until the answer (`t-x-takp-r`); from the byte after the answer both speak protobuf.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from farolito.ingest import xml
from farolito.ingest.avl.cot import CotEvent, element

PING, PONG = "t-x-c-t", "t-x-c-t-r"
OFFER, REQUEST, RESPONSE = "t-x-takp-v", "t-x-takp-q", "t-x-takp-r"
CONTROL = frozenset({PING, PONG, OFFER, REQUEST, RESPONSE})
VERSION = "1"
ANSWER_WITHIN = timedelta(seconds=60)  # what both ends of the protocol wait for the other


def offer(uid: str, now: datetime) -> CotEvent:
    return _control(OFFER, uid, now, element("TakProtocolSupport", {"version": VERSION}))


def request(uid: str, now: datetime) -> CotEvent:
    """`uid` is the offer's."""
    return _control(REQUEST, uid, now, element("TakRequest", {"version": VERSION}))


def response(uid: str, now: datetime, accepted: bool) -> CotEvent:
    status = "true" if accepted else "false"
    return _control(RESPONSE, uid, now, element("TakResponse", {"status": status}))


def ping(uid: str, now: datetime) -> CotEvent:
    return _event(PING, f"{uid}-ping", now, "")


def pong(asked: CotEvent, now: datetime) -> CotEvent:
    return _event(PONG, f"{asked.uid}-pong", now, "")


def offers_version_1(event: CotEvent) -> bool:
    return _says(event, "TakProtocolSupport", "version", VERSION)


def asks_version_1(event: CotEvent) -> bool:
    return _says(event, "TakRequest", "version", VERSION)


def is_accepted(event: CotEvent) -> bool:
    return _says(event, "TakResponse", "status", "true")


def _says(event: CotEvent, name: str, key: str, value: str) -> bool:
    control = xml.parse(f"<detail>{event.detail}</detail>".encode()).find("TakControl")
    if control is None:
        return False
    return any(told.attributes.get(key) == value for told in control.every(name))


def _control(type_: str, uid: str, now: datetime, inside: str) -> CotEvent:
    return _event(type_, uid, now, element("TakControl", {}, inside))


def _event(type_: str, uid: str, now: datetime, detail: str) -> CotEvent:
    return CotEvent(
        uid=uid,
        type=type_,
        how="m-g",
        time=now,
        start=now,
        stale=now + ANSWER_WITHIN,
        lat=0.0,
        lon=0.0,
        detail=detail,
    )
