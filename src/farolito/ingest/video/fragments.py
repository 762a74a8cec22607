"""Others' fragmented MP4 (ISO/IEC 14496-12), as HLS brings it: its H.264 units with their times."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct, error
from typing import NamedTuple

from farolito.codec import Broken, h264
from farolito.codec.boxes import Box, boxes, find
from farolito.model import Invalid, PictureState

SAMPLES_MAX = 10_000  # of one segment; more is MALFORMED
_U32 = Struct(">I")
_ENTRY_BYTES = 86  # of `avc1` before the boxes in it
_TICKS = 90_000
_NO_VIDEO = "the camera's stream has no H.264 video"
_DO = "ask its owner for an H.264 stream"


class Track(NamedTuple):
    """What the head says: which track is the video, its ticks a second, its parameter sets, the
    bytes of a NAL's length, and what holds for a sample that does not say it."""

    number: int
    timescale: int
    sets: tuple[bytes, bytes]
    length_bytes: int
    duration: int
    size: int


def read_head(raw: bytes) -> Track:
    """Of an initialisation segment. Raises Broken: MALFORMED, UNSUPPORTED."""
    try:
        moov = find(raw, "moov")
        if moov is None:
            raise Invalid("no moov")
        for trak in boxes(raw, moov.body, moov.end):
            if trak.kind == b"trak" and (track := _track(raw, trak, moov)) is not None:
                return track
    except (Invalid, error) as why:
        raise _malformed() from why
    raise Broken(PictureState.UNSUPPORTED, _NO_VIDEO, _DO)


def read_segment(raw: bytes, track: Track) -> Iterator[tuple[bytes, int]]:
    """Annex B with its decoding time in 1/90000 s. Raises Broken MALFORMED."""
    try:
        count = 0
        for moof in boxes(raw):
            if moof.kind != b"moof":
                continue
            for traf in boxes(raw, moof.body, moof.end):
                if traf.kind != b"traf":
                    continue
                for at, size, time in _samples(raw, moof, traf, track):
                    count += 1
                    if count > SAMPLES_MAX or at < 0 or at + size > len(raw):
                        raise Invalid("samples beyond the segment")
                    unit = _annex_b(raw[at : at + size], track.length_bytes)
                    yield unit, time * _TICKS // track.timescale
    except (Invalid, error) as why:
        raise _malformed() from why


def _track(raw: bytes, trak: Box, moov: Box) -> Track | None:
    mdia = find(raw, "mdia", trak.body, trak.end)
    tkhd = find(raw, "tkhd", trak.body, trak.end)
    if mdia is None or tkhd is None:
        return None
    listed = find(raw, "minf/stbl/stsd", mdia.body, mdia.end)
    mdhd = find(raw, "mdhd", mdia.body, mdia.end)
    entry = next(boxes(raw, listed.body + 8, listed.end), None) if listed else None
    if entry is None or mdhd is None or entry.kind not in (b"avc1", b"avc3"):
        return None
    config = find(raw, "avcC", entry.at + _ENTRY_BYTES, entry.end)
    sets = _sets(raw[config.body : config.end]) if config else None
    if config is None or sets is None:
        return None
    number = _u32(raw, tkhd.body + (20 if raw[tkhd.body] else 12))
    timescale = _u32(raw, mdhd.body + (20 if raw[mdhd.body] else 12))
    if not timescale:
        raise Invalid("a timescale of 0")
    duration, size = _usual(raw, moov, number)
    return Track(number, timescale, sets, (raw[config.body + 4] & 3) + 1, duration, size)


def _usual(raw: bytes, moov: Box, number: int) -> tuple[int, int]:
    """Default duration and size of the track's samples (`trex`)."""
    mvex = find(raw, "mvex", moov.body, moov.end)
    for trex in boxes(raw, mvex.body, mvex.end) if mvex else ():
        if trex.kind == b"trex" and _u32(raw, trex.body + 4) == number:
            return _u32(raw, trex.body + 12), _u32(raw, trex.body + 16)
    return 0, 0


def _sets(config: bytes) -> tuple[bytes, bytes] | None:
    found, at = [], 5
    for mask in (31, 255):
        count = config[at] & mask if at < len(config) else 0
        at += 1
        for number in range(count):
            size = int.from_bytes(config[at : at + 2], "big")
            if number == 0:
                found.append(config[at + 2 : at + 2 + size])
            at += 2 + size
    return (found[0], found[1]) if len(found) == 2 and all(found) else None


def _samples(raw: bytes, moof: Box, traf: Box, track: Track) -> Iterator[tuple[int, int, int]]:
    """Where, size, decoding time of each sample of our track in a fragment."""
    tfhd = find(raw, "tfhd", traf.body, traf.end)
    if tfhd is None or _u32(raw, tfhd.body + 4) != track.number:
        return
    flags, at = _u32(raw, tfhd.body) & 0xFFFFFF, tfhd.body + 8
    base, duration, size = moof.at, track.duration, track.size
    if flags & 0x01:
        base, at = _u64(raw, at), at + 8
    at += 4 if flags & 0x02 else 0
    if flags & 0x08:
        duration, at = _u32(raw, at), at + 4
    if flags & 0x10:
        size = _u32(raw, at)
    tfdt = find(raw, "tfdt", traf.body, traf.end)
    time = 0
    if tfdt is not None:
        time = _u64(raw, tfdt.body + 4) if raw[tfdt.body] else _u32(raw, tfdt.body + 4)
    where = base
    for trun in boxes(raw, traf.body, traf.end):
        if trun.kind != b"trun":
            continue
        for offset, length, ticks in _run(raw, trun, duration, size):
            where = base + offset if offset is not None else where
            yield where, length, time
            where, time = where + length, time + ticks


def _run(raw: bytes, trun: Box, duration: int, size: int) -> Iterator[tuple[int | None, int, int]]:
    """Of each sample: the offset of the run (with its first one only), size, duration."""
    flags, count = _u32(raw, trun.body) & 0xFFFFFF, _u32(raw, trun.body + 4)
    if count > SAMPLES_MAX:
        raise Invalid("too many samples")
    at, offset = trun.body + 8, None
    if flags & 0x01:
        offset, at = Struct(">i").unpack_from(raw, at)[0], at + 4
    at += 4 if flags & 0x04 else 0
    for _ in range(count):
        told, length = duration, size
        if flags & 0x100:
            told, at = _u32(raw, at), at + 4
        if flags & 0x200:
            length, at = _u32(raw, at), at + 4
        at += 4 * (bool(flags & 0x400) + bool(flags & 0x800))
        if at > trun.end:
            raise Invalid("a run beyond its box")
        yield offset, length, told
        offset = None


def _annex_b(sample: bytes, length_bytes: int) -> bytes:
    parts, at = [], 0
    while at + length_bytes <= len(sample):
        size = int.from_bytes(sample[at : at + length_bytes], "big")
        at += length_bytes
        if size > len(sample) - at:
            raise Invalid("a NAL beyond its sample")
        if size:
            parts.append(sample[at : at + size])
        at += size
    return h264.annex_b(parts) if parts else b""


def _u32(raw: bytes, at: int) -> int:
    return int(_U32.unpack_from(raw, at)[0])


def _u64(raw: bytes, at: int) -> int:
    return int(Struct(">Q").unpack_from(raw, at)[0])


def _malformed() -> Broken:
    return Broken(PictureState.MALFORMED, "a segment of the camera's stream is broken", "")
