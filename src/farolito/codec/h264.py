"""H.264 as bytes (ITU-T H.264): units cut into NALs, parameter sets, key pictures, B slices.

A unit is Annex B: NALs, each behind 00 00 01 or 00 00 00 01. A NAL is given without its start code
and with its emulation bytes.
"""

from __future__ import annotations

from farolito.codec.bits import Bits, OutOfBits, without_emulation
from farolito.codec.sps import read_sps

START = b"\x00\x00\x00\x01"
_START = b"\x00\x00\x01"

# nal_unit_type, table 7-1
SLICE = 1
KEY_SLICE = 5
SEI = 6
SPS = 7
PPS = 8
DELIMITER = 9

_TYPE = 0x1F
_SLICE_HEADER_BYTES = 12  # two numbers of at most 32 bits, and emulation bytes among them
_B_SLICE = 1  # slice_type % 5, table 7-6


def nal_type(nal: bytes) -> int:
    return nal[0] & _TYPE


def nals(unit: bytes) -> list[bytes]:
    """The NALs of a unit in their order; empty ones, and bytes before the first, are left out.

    Zeros at the end of a NAL are the padding that Annex B allows.
    """
    found = []
    at = unit.find(_START)
    while at >= 0:
        begin = at + 3
        at = unit.find(_START, begin)
        nal = (unit[begin:at] if at >= 0 else unit[begin:]).rstrip(b"\x00")
        if nal:
            found.append(nal)
    return found


def annex_b(parts: list[bytes]) -> bytes:
    """NALs as one unit, each behind a start code of four bytes."""
    return START + START.join(parts)


def parameter_sets(unit: bytes) -> tuple[bytes, bytes] | None:
    """The first SPS and the first PPS of a unit, or None where one of them is missing."""
    sps = pps = None
    for nal in nals(unit):
        kind = nal[0] & _TYPE
        if kind == SPS and sps is None:
            sps = nal
        elif kind == PPS and pps is None:
            pps = nal
        elif kind in (SLICE, KEY_SLICE):
            break
    return (sps, pps) if sps and pps else None


def is_key(unit: bytes) -> bool:
    """A decoder may begin here: the unit holds a slice of an IDR picture."""
    return any(nal[0] & _TYPE == KEY_SLICE for nal in nals(unit))


def is_b_slice(nal: bytes) -> bool:
    """Is this a slice whose picture may be shown before one that came earlier? 7.3.3."""
    if not nal or nal[0] & _TYPE not in (SLICE, KEY_SLICE):
        return False
    bits = Bits(without_emulation(nal[1:_SLICE_HEADER_BYTES]))
    try:
        bits.ue()  # first_mb_in_slice
        return bits.ue() % 5 == _B_SLICE
    except OutOfBits:
        return False


def size_of(sps: bytes) -> tuple[int, int]:
    """Width and height in pixels, as shown. Raises Broken MALFORMED."""
    read = read_sps(sps)
    return read.width, read.height


def codec_string(sps: bytes) -> str:
    """What a browser wants to hear: `avc1.42C01F` (RFC 6381, 3.3). Raises Broken MALFORMED."""
    read = read_sps(sps)
    return f"avc1.{read.profile:02X}{read.constraints:02X}{read.level:02X}"
