"""What a camera says that it sends (SDP, RFC 8866; H.264's own words, RFC 6184, 8.2.1)."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

from farolito.codec import Broken
from farolito.codec.h264 import PPS, SPS, nal_type
from farolito.codec.sps import SPS_BYTES_MAX, read_sps
from farolito.model import PictureState

SDP_BYTES_MAX = 64 * 2**10
TRACKS_MAX = 32
_CLOCK_HZ = 90_000
_H265 = frozenset({"H265", "HEVC"})
_STATIC = {"26": "JPEG", "31": "H261", "32": "MPV", "34": "H263"}  # payload types with a fixed name


class Track(NamedTuple):
    """The camera's H.264. `control` as it stands there, "" where none does; `sets`: SPS and PPS,
    where they are told and can be true. `session_control`: what play is asked of."""

    control: str
    payload_type: int
    clock_hz: int
    sets: tuple[bytes, bytes] | None
    session_control: str = ""


class _Media:
    def __init__(self, line: str) -> None:
        words = line.split()
        self.is_video = words[:1] == ["video"]
        self.formats = words[3:]
        self.control = ""
        self.maps: dict[str, str] = {}
        self.parameters: dict[str, str] = {}

    def attribute(self, name: str, value: str) -> None:
        if name == "control":
            self.control = value
        elif name in ("rtpmap", "fmtp"):
            number, _, rest = value.partition(" ")
            (self.maps if name == "rtpmap" else self.parameters)[number] = rest.strip()

    def codec(self, number: str) -> str:
        return self.maps.get(number, "").partition("/")[0].upper() or _STATIC.get(number, "")


def h264_track(sdp: bytes) -> Track:
    """The first H.264 there is. Raises Broken UNSUPPORTED with what there is instead."""
    session_control, medias = _read(sdp.decode("utf-8", "replace"))
    videos = [media for media in medias if media.is_video]
    for media in videos:
        for number in media.formats:
            if media.codec(number) == "H264" and number.isdecimal() and int(number) < 128:
                sets = _sets(media.parameters.get(number, ""))
                clock = _clock(media.maps[number])
                return Track(media.control, int(number), clock, sets, session_control)
    raise _unsupported({media.codec(number) for media in videos for number in media.formats})


def _read(text: str) -> tuple[str, list[_Media]]:
    session_control = ""
    medias: list[_Media] = []
    for line in text.splitlines():
        kind, _, value = line.strip().partition("=")
        if kind == "m" and len(medias) < TRACKS_MAX:
            medias.append(_Media(value))
        elif kind == "a":
            name, _, rest = value.partition(":")
            if medias:
                medias[-1].attribute(name, rest.strip())
            elif name == "control":
                session_control = rest.strip()
    return session_control, medias


def _clock(mapped: str) -> int:
    rate = mapped.partition("/")[2].partition("/")[0]
    is_clock = rate.isdecimal() and len(rate) <= 7 and int(rate) >= 1000
    return int(rate) if is_clock else _CLOCK_HZ


def _sets(parameters: str) -> tuple[bytes, bytes] | None:
    for part in parameters.split(";"):
        name, _, value = part.strip().partition("=")
        if name.lower() == "sprop-parameter-sets":
            nals = [_nal(one) for one in value.split(",")[:8]]
            sps = next((nal for nal in nals if nal and nal_type(nal) == SPS), b"")
            pps = next((nal for nal in nals if nal and nal_type(nal) == PPS), b"")
            return (sps, pps) if pps and _is_read(sps) else None
    return None


def _is_read(sps: bytes) -> bool:
    """Is it a set that can be? Some tell rubbish here, and the truth in the stream."""
    try:
        read_sps(sps)
    except Broken:
        return False
    return True


def _nal(text: str) -> bytes:
    try:
        nal = base64.b64decode(text.strip() + "=" * (-len(text.strip()) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""
    return nal if len(nal) <= SPS_BYTES_MAX else b""


def _unsupported(codecs: set[str]) -> Broken:
    if codecs & _H265:
        says = "the camera sends H.265 alone, which browsers do not show"
        do = "set its second stream (substream) to H.264 and register that address"
    elif codecs - {""}:
        says = f"the camera sends {', '.join(sorted(_plain(one) for one in codecs - {''}))} alone"
        do = "set one of its streams to H.264 and register that address"
    else:
        says = "the camera offers no video at this address"
        do = "look up the address of its H.264 stream"
    return Broken(PictureState.UNSUPPORTED, says, do)


def _plain(codec: str) -> str:
    return "".join(one for one in codec[:16] if one.isascii() and one.isalnum()) or "?"
