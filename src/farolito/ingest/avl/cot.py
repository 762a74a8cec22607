"""Cursor on Target events, as TAK speaks them: XML, and protobuf of the TAK protocol version 1.

Both forms give the same CotEvent and can be made from it. What the base event says (MITRE's
`Event.xsd`: required attributes, their types) is checked; what stands in `<detail>` is everybody's
own and is kept as it came, as text that is known to be well-formed XML.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from takproto.proto import TakMessage  # type: ignore[import-untyped]

from farolito.ingest import xml
from farolito.ingest.avl.cot_detail import attribute, element, inner_detail, split_typed, typed_xml
from farolito.ingest.avl.cot_stream import EVENT_BYTES_MAX, MESH_HEADER, Framer, take_varint
from farolito.model import Invalid, Rejected

__all__ = [
    "FRIEND",
    "UNKNOWN",
    "CotEvent",
    "Framer",
    "element",
    "parse",
    "parse_proto",
    "parse_xml",
    "position_of",
    "to_proto",
    "to_xml",
]

UNKNOWN = 9_999_999.0  # how CoT writes a height or an error that nobody knows
_UNKNOWN_MIN = 999_999.0  # what older clients and the protobuf form write instead
FRIEND = "a-f-G"  # a friendly unit on the ground
_HEAD_BYTES = 1024  # an event's own attributes stand within
_says_friend = re.compile(rb"""\stype=["']a-f-G""").search
_says_uid = re.compile(rb"""\suid=["']([^"']+)["']""").search
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

# The patterns of the base schema.
_is_type = re.compile(r"\w+(-\w+)*(;[^;]*)?").fullmatch
_is_how = re.compile(r"\w(-\w+)*").fullmatch
_is_version = re.compile(r"2(\.\d+)?", re.ASCII).fullmatch
_is_number = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII).fullmatch


class CotEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something at a place for a while. `hae`, `ce`, `le` are metres; None: not known.

    `detail` is the XML inside `<detail>`: "" where there is none. Who makes an event writes it
    with `element`; what is parsed is well-formed. `lat`/`lon` 0/0 is allowed: control events and
    routes have no place of their own.
    """

    uid: str
    type: str
    how: str
    time: datetime
    start: datetime
    stale: datetime
    lat: float
    lon: float
    hae: float | None = None
    ce: float | None = None
    le: float | None = None
    detail: str = ""
    access: str = ""
    qos: str = ""
    opex: str = ""

    def __post_init__(self) -> None:
        if not (-90 <= self.lat <= 90 and -180 <= self.lon <= 180):
            raise Invalid(f"{self.lat}, {self.lon} is not on Earth", "send WGS 84 degrees")
        if self.time.tzinfo is None or self.start.tzinfo is None or self.stale.tzinfo is None:
            raise Invalid("a time without a zone", "send UTC")


def parse(message: bytes) -> CotEvent:
    """One event in either form, as a Framer or a datagram brings it."""
    return parse_proto(message) if message[:1] == b"\xbf" else parse_xml(message)


def parse_xml(message: bytes) -> CotEvent:
    """Raises Rejected: what `xml.parse` raises, `not_an_event`, `missing_attribute`,
    `bad_attribute`, `bad_time`, `no_zone`, `no_place`, `too_large`."""
    if len(message) > EVENT_BYTES_MAX:
        raise _too_large()
    root = xml.parse(message)
    point = root.find("point")
    if root.name != "event" or point is None:
        raise Rejected("not_an_event", f"<{root.name}> is no CoT event with a point", "send events")
    said = root.attributes
    if not _is_version(_needed(said, "version")):
        raise Rejected("bad_attribute", "a CoT version other than 2", "send version 2.0")
    at = point.attributes
    return _event(
        uid=_needed(said, "uid"),
        type=_needed(said, "type"),
        how=_needed(said, "how"),
        time=_time(_needed(said, "time")),
        start=_time(_needed(said, "start")),
        stale=_time(_needed(said, "stale")),
        lat=_number(at, "lat"),
        lon=_number(at, "lon"),
        hae=_measure(_number(at, "hae")),
        ce=_error(_number(at, "ce")),
        le=_error(_number(at, "le")),
        detail=inner_detail(message, root),
        access=said.get("access", ""),
        qos=said.get("qos", ""),
        opex=said.get("opex", ""),
    )


def position_of(message: bytes) -> str | None:
    """The uid where the message is a friendly position, found without reading all of it.

    For queues that keep a unit's newest position only: what is wrong with it, `parse` says.
    """
    if message[:1] == b"\xbf":
        told = TakMessage()
        try:
            told.ParseFromString(_payload(message))
        except (DecodeError, Rejected):
            return None
        return told.cotEvent.uid if told.cotEvent.type.startswith(FRIEND) else None
    head = message[:_HEAD_BYTES]
    uid = _says_uid(head)
    return uid[1].decode("utf-8", "replace") if uid and _says_friend(head) else None


def to_xml(event: CotEvent) -> bytes:
    optional = "".join(
        f' {name}="{attribute(value)}"'
        for name, value in (("access", event.access), ("qos", event.qos), ("opex", event.opex))
        if value
    )
    return (
        "<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n"
        f'<event version="2.0" uid="{attribute(event.uid)}" type="{attribute(event.type)}"'
        f' time="{_written(event.time)}" start="{_written(event.start)}"'
        f' stale="{_written(event.stale)}" how="{attribute(event.how)}"{optional}>'
        f'<point lat="{_decimal(event.lat)}" lon="{_decimal(event.lon)}"'
        f' hae="{_decimal(event.hae)}" ce="{_decimal(event.ce)}" le="{_decimal(event.le)}"/>'
        f"<detail>{event.detail}</detail></event>"
    ).encode("utf-8", "replace")


def parse_proto(message: bytes) -> CotEvent:
    """A frame with its header: `BF varint` (stream) or `BF 01 BF` (mesh).

    Raises Rejected: `malformed_proto`, and as parse_xml.
    """
    told = TakMessage()
    try:
        told.ParseFromString(_payload(message))
    except DecodeError as error:
        raise Rejected("malformed_proto", "no TAK protocol message", "send version 1") from error
    if not told.HasField("cotEvent"):
        raise Rejected("not_an_event", "a TAK message without an event", "send events")
    event = told.cotEvent
    for name in ("uid", "type", "how"):
        if not getattr(event, name):
            raise _missing(name)
    return _event(
        uid=event.uid,
        type=event.type,
        how=event.how,
        time=_from_ms(event.sendTime),
        start=_from_ms(event.startTime),
        stale=_from_ms(event.staleTime),
        lat=event.lat,
        lon=event.lon,
        hae=_measure(event.hae),
        ce=_error(event.ce),
        le=_error(event.le),
        detail=typed_xml(event.detail),
        access=event.access,
        qos=event.qos,
        opex=event.opex,
    )


def to_proto(event: CotEvent) -> bytes:
    """A stream frame. Raises Rejected where `detail` is no well-formed XML."""
    told = TakMessage()
    to = told.cotEvent
    to.uid, to.type, to.how = event.uid, event.type, event.how
    to.access, to.qos, to.opex = event.access, event.qos, event.opex
    to.sendTime, to.startTime = _to_ms(event.time), _to_ms(event.start)
    to.staleTime = _to_ms(event.stale)
    to.lat, to.lon = event.lat, event.lon
    to.hae, to.ce, to.le = (
        UNKNOWN if value is None else value for value in (event.hae, event.ce, event.le)
    )
    split_typed(event.detail, to.detail)
    payload: bytes = told.SerializeToString()
    return b"\xbf" + _varint(len(payload)) + payload


def _event(**said: object) -> CotEvent:
    if not _is_type(str(said["type"])) or not _is_how(str(said["how"])):
        raise Rejected("bad_attribute", "a type or how that CoT does not allow", "see Event.xsd")
    try:
        return CotEvent(**said)  # type: ignore[arg-type]
    except Invalid as error:
        raise Rejected("no_place", error.says, error.do) from error


def _payload(message: bytes) -> bytes:
    if len(message) > EVENT_BYTES_MAX:
        raise _too_large()
    if message[:3] == MESH_HEADER:
        return message[3:]
    if message[:1] != b"\xbf":
        raise Rejected("malformed_proto", "no TAK protocol header", "send version 1")
    found = take_varint(message, 1)
    if found is None or found[1] + found[0] != len(message):
        raise Rejected("truncated", "a TAK frame shorter or longer than it says", "send it again")
    return message[found[1] :]


def _varint(number: int) -> bytes:
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)


def _needed(said: Mapping[str, str], name: str) -> str:
    value = said.get(name)
    if not value:
        raise _missing(name)
    return value


def _number(said: Mapping[str, str], name: str) -> float:
    text = _needed(said, name).strip()
    if _is_number(text):
        return float(text)
    if text.lower() == "nan" and name not in {"lat", "lon"}:  # Java's way to not know
        return math.nan
    raise Rejected("bad_attribute", f"{name} is no number", "send decimal numbers")


def _measure(value: float) -> float | None:
    return value if abs(value) < _UNKNOWN_MIN else None  # not so for NaN either


def _error(value: float) -> float | None:
    return value if 0 <= value < _UNKNOWN_MIN else None


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
        if at.tzinfo is None:
            raise Rejected("no_zone", "a time without a zone", "send UTC, ending in Z")
        return at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Rejected("bad_time", "a time that is none", "send 2026-11-23T10:00:00Z") from error


def _from_ms(ms: int) -> datetime:
    if not ms:
        raise _missing("time")
    try:
        return _EPOCH + timedelta(milliseconds=ms)
    except OverflowError as error:
        raise Rejected("bad_time", "a time past the year 9999", "check its clock") from error


def _to_ms(at: datetime) -> int:
    return max(0, (at - _EPOCH) // _MS)


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _decimal(value: float | None) -> str:
    if value is None:
        return str(UNKNOWN)
    text = repr(value)
    return f"{value:.12f}" if "e" in text else text  # xs:decimal knows no exponent


def _missing(name: str) -> Rejected:
    return Rejected("missing_attribute", f"a CoT event without {name}", "see Event.xsd")


def _too_large() -> Rejected:
    return Rejected(
        "too_large", f"an event over {EVENT_BYTES_MAX // 2**10} KiB", "send less detail", 413
    )
