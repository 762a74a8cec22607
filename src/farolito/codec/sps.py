"""What a sequence parameter set tells of a stream (ITU-T H.264, 7.3.2.1.1 and E.1.1).

A camera may lie in it: every count has a limit, and what is past one is Broken.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from farolito.codec.bits import Bits, OutOfBits, without_emulation
from farolito.codec.unit import Broken
from farolito.model import PictureState

SPS_BYTES_MAX = 1024
SIDE_PIXELS_MAX = 16_384
PIXELS_MAX = 139_264 * 256  # of a picture, level 6.2 (table A-1): whoever decodes makes room for it

_SPS_TYPE = 7
# Those whose set tells of chroma, depth and scaling lists.
_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_INTRA_PROFILES = frozenset({44, 86, 100, 110, 122, 244})  # with constraint 3: no reordering
_BASELINE = 66
_CROP_UNITS = {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}  # by chroma_format_idc: across, down
_EXTENDED_SAR = 255
_DO = "set the camera to H.264, baseline or main profile, and restart it"


class Sps(NamedTuple):
    """`width`, `height`: as shown, cropping done. `chroma`: chroma_format_idc (1 is 4:2:0).
    `reorder`: how many pictures may be shown after one that was sent later; 0: shown as sent;
    None: the camera does not say."""

    profile: int
    constraints: int
    level: int
    width: int
    height: int
    chroma: int = 1
    bit_depth_luma: int = 8
    bit_depth_chroma: int = 8
    interlaced: bool = False
    reorder: int | None = None


@lru_cache(maxsize=256)  # the same set comes with every key frame
def read_sps(nal: bytes) -> Sps:
    """`nal` without start code. Raises Broken MALFORMED."""
    if not 4 <= len(nal) <= SPS_BYTES_MAX or nal[0] & 0x1F != _SPS_TYPE:
        raise _malformed("has no size that a parameter set has")
    try:
        return _read(nal)
    except OutOfBits as error:
        raise _malformed("ends too early") from error


def _read(nal: bytes) -> Sps:
    profile, constraints, level = nal[1], nal[2], nal[3]
    bits = Bits(without_emulation(nal[4:]))
    bits.ue()  # its number
    chroma, separate, luma, colour = 1, False, 8, 8
    if profile in _HIGH_PROFILES:
        chroma = _at_most(bits.ue(), 3, "chroma format")
        separate = chroma == 3 and bits.flag()
        luma = 8 + _at_most(bits.ue(), 6, "bit depth")
        colour = 8 + _at_most(bits.ue(), 6, "bit depth")
        bits.flag()
        if bits.flag():
            _skip_scaling_lists(bits, 8 if chroma != 3 else 12)
    _at_most(bits.ue(), 12, "frame numbers")
    order = _picture_order(bits)
    _at_most(bits.ue(), 16, "reference frames")
    bits.flag()
    across, down = bits.ue() + 1, bits.ue() + 1  # in macroblocks of 16 pixels
    progressive = bits.flag()
    if not progressive:
        down *= 2
        bits.flag()
    bits.flag()
    width, height = 16 * across, 16 * down
    if max(width, height) > SIDE_PIXELS_MAX or width * height > PIXELS_MAX:
        raise _malformed(f"tells of a picture of {width} × {height}")
    if bits.flag():
        unit_x, unit_y = _CROP_UNITS[0 if separate else chroma]
        unit_y *= 1 if progressive else 2
        width -= unit_x * (bits.ue() + bits.ue())
        height -= unit_y * (bits.ue() + bits.ue())
    if width <= 0 or height <= 0:
        raise _malformed("crops its picture away")
    never = (
        profile == _BASELINE or order == 2 or (profile in _INTRA_PROFILES and constraints & 0x10)
    )
    reorder = 0 if never else _reorder(bits)
    return Sps(
        profile,
        constraints,
        level,
        width,
        height,
        chroma,
        luma,
        colour,
        not progressive,
        reorder,
    )


def _picture_order(bits: Bits) -> int:
    kind = _at_most(bits.ue(), 2, "picture order")
    if kind == 0:
        _at_most(bits.ue(), 12, "picture order")
    elif kind == 1:
        bits.flag()
        bits.se()
        bits.se()
        for _ in range(_at_most(bits.ue(), 255, "picture order cycle")):
            bits.se()
    return kind


def _skip_scaling_lists(bits: Bits, count: int) -> None:
    for number in range(count):
        if not bits.flag():
            continue
        last, following = 8, 8
        for _ in range(16 if number < 6 else 64):
            if following:
                following = (last + bits.se()) % 256
            last = following or last


def _reorder(bits: Bits) -> int | None:
    """max_num_reorder_frames. A broken tail is common in cameras, and the size stands before it."""
    try:
        return _vui_reorder(bits) if bits.flag() else None
    except OutOfBits:
        return None


def _vui_reorder(bits: Bits) -> int | None:
    if bits.flag() and bits.u(8) == _EXTENDED_SAR:
        bits.u(32)
    if bits.flag():
        bits.flag()  # overscan
    if bits.flag():  # the kind of signal
        bits.u(4)
        if bits.flag():
            bits.u(24)
    if bits.flag():  # where chroma lies
        bits.ue()
        bits.ue()
    if bits.flag():  # clock
        bits.u(65)
    network = bits.flag()
    if network:
        _skip_buffering(bits)
    video = bits.flag()
    if video:
        _skip_buffering(bits)
    if network or video:
        bits.flag()
    bits.flag()
    if not bits.flag():
        return None
    bits.flag()
    for _ in range(4):
        bits.ue()
    frames = bits.ue()
    return frames if frames <= 16 else None


def _skip_buffering(bits: Bits) -> None:
    count = bits.ue() + 1
    if count > 32:
        raise OutOfBits
    bits.u(8)
    for _ in range(count):
        bits.ue()
        bits.ue()
        bits.flag()
    bits.u(20)


def _at_most(value: int, most: int, what: str) -> int:
    if value > most:
        raise _malformed(f"tells of {what} {value}, and {most} is the most there is")
    return value


def _malformed(how: str) -> Broken:
    return Broken(PictureState.MALFORMED, f"the camera's parameter set {how}", _DO)
