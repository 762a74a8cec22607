"""Is it a JPEG, is it whole, and how large is its picture (ITU-T T.81, annex B)."""

from __future__ import annotations

from farolito.codec.unit import Broken
from farolito.model import PictureState

PIXELS_MAX = 16_384  # a side
SEGMENTS_MAX = 500  # before the picture's own data; cameras write some ten
_BEGIN, _END = b"\xff\xd8\xff", b"\xff\xd9"
_TAIL_BYTES = 1024  # of padding that cameras put after the end
_SIZES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length
_SCAN = 0xDA
_OTHER = {
    b"\x89PNG": "a PNG", b"GIF8": "a GIF", b"RIFF": "a WebP", b"BM": "a bitmap", b"--": "a stream",
}  # fmt: skip


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height. Raises Broken: NOT_A_PICTURE, MALFORMED for one that is cut off."""
    if not data.startswith(_BEGIN):
        raise Broken(PictureState.NOT_A_PICTURE, *_what(data))
    size = _size(data)
    if _END not in data[-_TAIL_BYTES:]:
        raise _malformed("stops before its end")
    return size


def _size(data: bytes) -> tuple[int, int]:
    at = 2
    for _ in range(SEGMENTS_MAX):
        if at + 4 > len(data):
            break
        if data[at] != 0xFF:
            raise _malformed("is broken in its head")
        kind = data[at + 1]
        if kind == 0xFF or kind in _ALONE:
            at += 1 if kind == 0xFF else 2
            continue
        if kind in _SIZES:
            return _checked(data[at + 5 : at + 9])
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if kind == _SCAN or length < 2:
            raise _malformed("tells no size")
        at += 2 + length
    raise _malformed("stops in its head")


def _checked(told: bytes) -> tuple[int, int]:
    height, width = int.from_bytes(told[:2], "big"), int.from_bytes(told[2:], "big")
    if len(told) < 4 or not (0 < width <= PIXELS_MAX and 0 < height <= PIXELS_MAX):
        raise _malformed(f"tells of a picture of {width} × {height}")
    return width, height


def _what(data: bytes) -> tuple[str, str]:
    head = data[:512].lstrip().lower()
    if head.startswith((b"<!", b"<html", b"<head", b"<?xml", b"<script", b"<body")):
        return "a web page stands where the picture should be", (
            "open the address in a browser: is it a login page? Correct the user or the address"
        )
    for begin, name in _OTHER.items():
        if data.startswith(begin):
            return f"{name} stands where a JPEG should be", "give the address of its JPEG"
    if not data:
        return "the camera sends an empty picture", "restart it, or correct the address"
    return "what the camera sends is no JPEG", "give the address of its JPEG"


def _malformed(how: str) -> Broken:
    do = "if it stays so, restart the camera"
    return Broken(PictureState.MALFORMED, f"the camera's JPEG {how}", do)
