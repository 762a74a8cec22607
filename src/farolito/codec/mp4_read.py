"""Reading our own fragmented MP4 back: its units with their times, its fragments as bytes.

Other people's files are not meant: what `fmp4` does not write is not looked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct, error
from typing import NamedTuple

from farolito.codec.boxes import Box, boxes, find
from farolito.codec.h264 import SPS, annex_b, nal_type
from farolito.model import Invalid

UNITS_MAX = 1_000_000  # 11 hours at 25 pictures a second

_NTP_EPOCH_S = 2_208_988_800
_HALF = 1 << 31
_ENTRY_BYTES = 86  # of `avc1` before the `avcC` in it
_DEPENDS = 0x0001_0000
_RUN = Struct(">III")
_SHIFTED_RUN = Struct(">IIIi")
_TWO = Struct(">II")
_TIME = Struct(">Q")
_CLOCK = Struct(">IIQQ")


class Unit(NamedTuple):
    """`at`: when it is shown, in ticks of 1/90000 s from the clip's beginning."""

    data: bytes
    at: int
    ticks: int
    is_key: bool


class Fragment(NamedTuple):
    """`start` … `end`: its bytes in the file, its `prft` with them. `at`: ticks of its first
    picture; `received_us`: our clock then, µs since 1970, None where it is not told."""

    start: int
    end: int
    at: int
    received_us: int | None
    units: int


def fragments(raw: bytes) -> Iterator[Fragment]:
    """Raises Invalid."""
    start, received_us = 0, None
    moof: Box | None = None
    for one in boxes(raw):
        if one.kind == b"prft":
            start, received_us = one.at, _received_us(raw, one)
        elif one.kind == b"moof":
            moof = one
            start = start if received_us is not None else one.at
        elif one.kind == b"mdat" and moof is not None:
            run = list(_samples(raw, moof))
            if run:
                yield Fragment(start, one.end, run[0][0], received_us, len(run))
            moof = received_us = None


def units(raw: bytes) -> Iterator[Unit]:
    """Annex B; a key unit begins with its parameter sets. Raises Invalid."""
    sets = _sets_of(raw)
    count = 0
    for moof in boxes(raw):
        if moof.kind != b"moof":
            continue
        for at, ticks, is_key, start, size in _samples(raw, moof):
            count += 1
            if start + size > len(raw) or count > UNITS_MAX:
                raise Invalid("a clip whose fragments do not fit it")
            parts = list(_parts(raw, start, start + size))
            if is_key and not any(nal_type(part) == SPS for part in parts):
                parts = [*sets, *parts]
            yield Unit(annex_b(parts), at, ticks, is_key)


def size_of(raw: bytes) -> tuple[int, int]:
    """Width and height at the beginning. Raises Invalid."""
    entry = _entry(raw)
    width, height = Struct(">HH").unpack_from(raw, entry.body + 24)
    return width, height


def _samples(raw: bytes, moof: Box) -> Iterator[tuple[int, int, bool, int, int]]:
    """Of one fragment: when shown, how long, key, where, size."""
    try:
        yield from _run(raw, moof)
    except error as why:
        raise Invalid("a fragment that ends too early") from why


def _run(raw: bytes, moof: Box) -> Iterator[tuple[int, int, bool, int, int]]:
    inside = (moof.body, moof.end)
    timed, run = find(raw, "traf/tfdt", *inside), find(raw, "traf/trun", *inside)
    if timed is None or run is None:
        raise Invalid("a fragment that is not one of ours")
    (decoded,) = _TIME.unpack_from(raw, timed.body + 4)
    kind, count = _TWO.unpack_from(raw, run.body)
    (_, offset) = _TWO.unpack_from(raw, run.body + 4)
    shifted = bool(kind & 0x800)
    row = _SHIFTED_RUN if shifted else _RUN
    if kind & 0x0701 != 0x0701 or count * row.size > run.end - run.body:
        raise Invalid("a fragment that is not one of ours")
    where = moof.at + offset
    for number in range(count):
        told = row.unpack_from(raw, run.body + 12 + number * row.size)
        ticks, size, flags = told[:3]
        shown = decoded + (told[3] if shifted else 0)
        yield shown, ticks, not flags & _DEPENDS, where, size
        decoded += ticks
        where += size


def _parts(raw: bytes, at: int, end: int) -> Iterator[bytes]:
    while at < end:
        size = int.from_bytes(raw[at : at + 4], "big")
        at += 4
        if not 0 < size <= end - at:
            raise Invalid("a picture whose parts do not fit it")
        yield raw[at : at + size]
        at += size


def _entry(raw: bytes) -> Box:
    listed = find(raw, "moov/trak/mdia/minf/stbl/stsd")
    found = next(boxes(raw, listed.body + 8, listed.end), None) if listed else None
    if found is None or found.end - found.at < _ENTRY_BYTES or found.kind[:3] != b"avc":
        raise Invalid("a file that is no clip of ours")
    return found


def _sets_of(raw: bytes) -> list[bytes]:
    entry = _entry(raw)
    config = find(raw, "avcC", entry.at + _ENTRY_BYTES, entry.end)
    if config is None:
        raise Invalid("a clip without parameter sets")
    return list(_sets(raw[config.body : config.end]))


def _sets(config: bytes) -> Iterator[bytes]:
    at = 5
    for mask in (31, 255):
        count = config[at] & mask if at < len(config) else 0
        at += 1
        for _ in range(count):
            size = int.from_bytes(config[at : at + 2], "big")
            at += 2
            if not 0 < size <= len(config) - at:
                raise Invalid("a clip whose parameter sets do not fit it")
            yield config[at : at + size]
            at += size


def _received_us(raw: bytes, one: Box) -> int:
    if one.end - one.body < _CLOCK.size:
        raise Invalid("a clip whose clock is cut off")
    ntp: int = _CLOCK.unpack_from(raw, one.body)[2]
    seconds, part = ntp >> 32, ntp & 0xFFFF_FFFF
    return (seconds - _NTP_EPOCH_S) * 1_000_000 + (part * 1_000_000 + _HALF >> 32)
