"""What goes to viewers and comes from them, as bytes of a WebSocket (RFC 6455).

Frames from a server are not masked, so one frame serves every viewer: it is built once, and each
gets the same bytes. Units: a head of 24 bytes, big-endian, then an Annex B unit, a JPEG or fMP4.
"""

from __future__ import annotations

from struct import Struct
from typing import Literal, NamedTuple

import msgspec

from farolito.codec import AccessUnit, Codec
from farolito.media.control import Quality
from farolito.model import CameraId, PictureState

MESSAGE_BYTES_MAX = 4096  # from a viewer: a token and a few words
VERSION = 1
HEADER_BYTES = 24
KEY, JPEG, CATCH_UP, INIT = 1, 2, 4, 8  # flags

Mode = Literal["units", "mse", "still"]

_TEXT, _BINARY = 0x81, 0x82  # the whole message in one frame
_HEADER = Struct(">BBHIQQ")
_SHORT, _MIDDLE, _LONG = Struct(">BB"), Struct(">BBH"), Struct(">BBQ")


class Packed(NamedTuple):
    """A unit as viewers get it. `frame`: the whole WebSocket frame; the unit begins at `at`."""

    frame: bytes
    at: int
    sequence: int
    media_us: int
    received_us: int
    is_key: bool
    codec: Codec

    @property
    def size(self) -> int:
        return len(self.frame)

    def unit(self) -> AccessUnit:
        data = self.frame[self.at :]
        return AccessUnit(data, self.media_us, self.received_us, self.is_key, self.codec)


def pack(unit: AccessUnit, sequence: int, media_us: int) -> Packed:
    """`media_us`: on the feed's own line of time, which goes on when a camera comes back."""
    flags = (KEY if unit.is_key else 0) | (JPEG if unit.codec == "jpeg" else 0)
    head = _head(len(unit.data), flags, sequence, media_us, unit.received_us)
    return Packed(
        head + unit.data,
        len(head),
        sequence,
        media_us,
        unit.received_us,
        unit.is_key,
        unit.codec,
    )


def catch_up(packed: Packed) -> tuple[bytes, memoryview]:
    """The same unit, marked: decode it and do not draw it. Its data is not copied."""
    data = memoryview(packed.frame)[packed.at :]
    flags = CATCH_UP | (KEY if packed.is_key else 0) | (JPEG if packed.codec == "jpeg" else 0)
    return _head(len(data), flags, packed.sequence, packed.media_us, packed.received_us), data


def binary(flags: int, packed: Packed, data: bytes) -> bytes:
    """Other bytes of the same moment: a fragment, its init segment, a still."""
    head = _head(len(data), flags, packed.sequence, packed.media_us, packed.received_us)
    return head + data


def _head(size: int, flags: int, sequence: int, media_us: int, received_us: int) -> bytes:
    header = _HEADER.pack(VERSION, flags, 0, sequence & 0xFFFF_FFFF, media_us, received_us)
    return _opening(_BINARY, HEADER_BYTES + size) + header


def _opening(kind: int, size: int) -> bytes:
    if size < 126:
        return _SHORT.pack(kind, size)
    if size < 1 << 16:
        return _MIDDLE.pack(kind, 126, size)
    return _LONG.pack(kind, 127, size)


class Said(msgspec.Struct, frozen=True, kw_only=True, tag_field="k"):
    """A message to a viewer, as JSON."""


class Begun(Said, frozen=True, kw_only=True, tag="open"):
    """A token was taken. Times in µs since 1970, by our clock."""

    camera_id: CameraId
    codec: Codec
    quality: Quality
    until_us: int
    now_us: int


class Changed(Said, frozen=True, kw_only=True, tag="state"):
    """How the camera is, where it changed."""

    state: PictureState
    says: str
    do: str


class Moved(Said, frozen=True, kw_only=True, tag="quality"):
    """What the viewer gets from here on, and why."""

    quality: Quality
    why: Literal["slow", "asked", "unslow", "no_sub"]


class Starts(Said, frozen=True, kw_only=True, tag="init"):
    """An init segment follows: `codec` is what a browser's MediaSource wants to hear."""

    codec: str
    width: int
    height: int


class Pong(Said, frozen=True, kw_only=True, tag="pong"):
    t: int | float
    now_us: int


class Ended(Said, frozen=True, kw_only=True, tag="end"):
    """The last word. `why`: cut, expired, left, silent, broken, stopped, forged, replayed,
    other_camera, late."""

    why: str
    says: str
    do: str


def text(message: Said) -> bytes:
    """The message as a whole frame."""
    body = _encode(message)
    return _opening(_TEXT, len(body)) + body


class Show(msgspec.Struct, frozen=True, kw_only=True, tag_field="k", tag="token"):
    """The first message, and whenever a newer token prolongs the viewing."""

    token: str
    mode: Mode = "units"
    quality: Quality = "full"


class AskQuality(msgspec.Struct, frozen=True, kw_only=True, tag_field="k", tag="quality"):
    quality: Quality


class Ping(msgspec.Struct, frozen=True, kw_only=True, tag_field="k", tag="ping"):
    t: int | float


Asked = Show | AskQuality | Ping

_encode = msgspec.json.Encoder().encode
_asked = msgspec.json.Decoder(Asked).decode


def asked(message: str | bytes) -> Asked | None:
    """What a viewer says; None where it is nothing that a viewer says."""
    try:
        found: Asked = _asked(message)
    except (msgspec.DecodeError, ValueError):
        return None
    return found
