"""HLS playlists (RFC 8216), read by `m3u8`: which variant to take, which segments there are."""

from __future__ import annotations

import math
import re
from typing import NamedTuple
from urllib.parse import urljoin

import m3u8  # type: ignore[import-untyped]

from farolito.codec import Broken
from farolito.model import PictureState

PLAYLIST_BYTES_MAX = 128 * 1024  # a larger one is TOO_MUCH; live ones have some kilobytes
LINES_MAX = 5_000  # more is MALFORMED
TARGET_S = (0.1, 30.0)  # a target duration outside is brought to the nearer end
VARIANTS_MAX = 100
# m3u8 breaks on attributes that it does not know, so it sees only the tags that we need.
_TAGS = (
    "#EXTM3U", "#EXTINF:", "#EXT-X-TARGETDURATION:", "#EXT-X-MEDIA-SEQUENCE:", "#EXT-X-KEY:",
    "#EXT-X-MAP:", "#EXT-X-BYTERANGE:", "#EXT-X-STREAM-INF:",
)  # fmt: skip
_BARE_TAGS = ("#EXT-X-DISCONTINUITY", "#EXT-X-ENDLIST", "#EXT-X-GAP")
_TARGET = re.compile(r"(#EXT-X-TARGETDURATION:\d{1,9})\.\d*", re.ASCII)
_NOT_OURS = ("hvc1", "hev1", "av01", "vp09", "dvh1", "dvhe")
_WRONG = (ValueError, KeyError, TypeError, IndexError, OverflowError, AttributeError)


class Part(NamedTuple):
    """A piece of a resource; `begin` … `end` (bytes, end not included) where it is not all."""

    url: str
    begin: int | None = None
    end: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        if self.begin is None or self.end is None:
            return {}
        return {"Range": f"bytes={self.begin}-{self.end - 1}"}


class Segment(NamedTuple):
    """`number`: its media sequence. `is_cut`: what came before is another stream. `head`: what
    must stand before it, in fMP4."""

    number: int
    part: Part
    seconds: float
    is_cut: bool = False
    head: Part | None = None


class Playlist(NamedTuple):
    """A media playlist. `is_over`: nothing more will come."""

    target_s: float
    segments: tuple[Segment, ...]
    is_over: bool


class Variant(NamedTuple):
    url: str
    bits: int  # a second, at most
    codecs: str


def read_playlist(body: bytes, url: str) -> Playlist | list[Variant]:
    """A media playlist, or the variants of a master playlist. Raises Broken: NOT_A_PICTURE,
    MALFORMED, UNSUPPORTED (encrypted)."""
    read = _read(body, url)
    try:
        if read.is_variant:
            return [
                Variant(
                    urljoin(url, one.uri),
                    int(one.stream_info.bandwidth or 0),
                    str(one.stream_info.codecs or "").lower(),
                )
                for one in list(read.playlists)[:VARIANTS_MAX]
                if one.uri
            ]
        return _media(read, url)
    except _WRONG as error:
        raise _malformed("cannot be read") from error


def best_variant(variants: list[Variant], bits_max: int) -> str:
    """The address of the richest H.264 within `bits_max`, else of the leanest. Raises Broken."""
    if not variants:
        raise _malformed("names no stream")
    ours = [one for one in variants if _is_h264(one)]
    if not ours:
        what = sorted({one.codecs for one in variants})[0][:40]
        says = f"the camera's streams are {what}, not H.264"
        raise Broken(PictureState.UNSUPPORTED, says, "ask its owner for an H.264 stream")
    within = [one for one in ours if one.bits <= bits_max]
    best = max(within, key=_bits) if within else min(ours, key=_bits)
    return best.url


def _bits(variant: Variant) -> int:
    return variant.bits


def _is_h264(variant: Variant) -> bool:
    named = [word.strip() for word in variant.codecs.split(",") if word.strip()]
    if any(word.startswith("avc") for word in named) or not named:
        return True  # one that names none is tried
    return not any(word.startswith(_NOT_OURS) for word in named) and not all(
        word.startswith(("mp4a", "ac-3", "ec-3", "opus")) for word in named
    )


def _read(body: bytes, url: str) -> m3u8.M3U8:
    text = body.decode("utf-8", "replace").lstrip("\ufeff \r\n")
    if not text.startswith("#EXTM3U"):
        if text[:1] == "<":
            says = "a web page stands where the stream's playlist should be"
            raise Broken(PictureState.NOT_A_PICTURE, says, "open the address in a browser")
        raise _malformed("does not begin as one")
    lines = text.splitlines()
    if len(lines) > LINES_MAX:
        raise _malformed(f"has more than {LINES_MAX} lines")
    # The standard wants whole seconds here, and m3u8 insists; some servers write 4.0.
    kept = [_TARGET.sub(r"\1", line.strip()) for line in lines if _is_kept(line.strip())]
    try:
        return m3u8.loads("\n".join(kept) + "\n", uri=url)
    except _WRONG as error:
        raise _malformed("cannot be read") from error


def _is_kept(line: str) -> bool:
    if not line.startswith("#"):
        return bool(line)
    return line.startswith(_TAGS) or line in _BARE_TAGS


def _media(read: m3u8.M3U8, url: str) -> Playlist:
    segments = []
    first = int(read.media_sequence or 0)
    ends: dict[str, int] = {}
    for number, one in enumerate(read.segments, first):
        if one.key is not None and one.key.method not in (None, "NONE"):
            says = "the camera's stream is encrypted for its own player"
            raise Broken(PictureState.UNSUPPORTED, says, "ask its owner for a plain stream")
        if not one.uri or one.gap_tag:
            continue
        where = urljoin(url, one.uri)
        part = _part(where, one.byterange, ends)
        seconds = min(max(float(one.duration or 0), 0.0), TARGET_S[1])
        segments.append(Segment(number, part, seconds, bool(one.discontinuity), _head(one, url)))
    told = float(read.target_duration or max((one.seconds for one in segments), default=2.0))
    target = min(max(told, TARGET_S[0]), TARGET_S[1]) if math.isfinite(told) else TARGET_S[1]
    return Playlist(target, tuple(segments), bool(read.is_endlist))


def _head(one: m3u8.Segment, url: str) -> Part | None:
    if one.init_section is None or not one.init_section.uri:
        return None
    return _part(urljoin(url, one.init_section.uri), one.init_section.byterange, {})


def _part(url: str, told: str | None, ends: dict[str, int]) -> Part:
    """`length@begin`, or `length` from where the last one of this resource ended."""
    if not told:
        return Part(url)
    length, _, begin = str(told).partition("@")
    at = int(begin) if begin else ends.get(url, 0)
    size = int(length)
    if size <= 0 or at < 0:
        raise ValueError(told)
    ends[url] = at + size
    return Part(url, at, at + size)


def _malformed(how: str) -> Broken:
    return Broken(PictureState.MALFORMED, f"the stream's playlist {how}", "ask its owner")
