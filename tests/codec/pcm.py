"""H.264 that anybody can write: key pictures of raw samples, and pictures that change nothing.

Enough for tests of what carries pictures: real parameter sets, real slices, decoded by anything.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from farolito.codec import AccessUnit
from farolito.codec.h264 import annex_b

Picture = NDArray[np.uint8]
FRAME_NUM_BITS = 4


class _Bits:
    def __init__(self) -> None:
        self._text: list[str] = []

    def u(self, bits: int, value: int) -> None:
        self._text.append(f"{value:0{bits}b}")

    def ue(self, value: int) -> None:
        code = f"{value + 1:b}"
        self._text.append("0" * (len(code) - 1) + code)

    def se(self, value: int) -> None:
        self.ue(2 * value - 1 if value > 0 else -2 * value)

    def align(self) -> None:
        left = -sum(map(len, self._text)) % 8
        self._text.append("0" * left)

    def raw(self, content: bytes) -> None:
        self._text.append(f"{int.from_bytes(content, 'big'):0{8 * len(content)}b}")

    def nal(self, head: int) -> bytes:
        self.u(1, 1)
        self.align()
        text = "".join(self._text)
        body = int(text, 2).to_bytes(len(text) // 8, "big")
        return bytes([head]) + _emulated(body)


def _emulated(body: bytes) -> bytes:
    out = bytearray()
    zeros = 0
    for byte in body:
        if zeros >= 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)


def sps(width: int, height: int, number: int = 0, profile: int = 66) -> bytes:
    bits = _Bits()
    bits.u(8, profile)
    bits.u(8, 0xC0 if profile == 66 else 0)
    bits.u(8, 40)
    bits.ue(number)
    if profile == 100:
        bits.ue(1)  # 4:2:0
        bits.ue(0)
        bits.ue(0)
        bits.u(2, 0)
    bits.ue(FRAME_NUM_BITS - 4)
    bits.ue(2)  # shown as sent
    bits.ue(1)  # reference frames
    bits.u(1, 0)
    across, down = -(-width // 16), -(-height // 16)
    bits.ue(across - 1)
    bits.ue(down - 1)
    bits.u(2, 0b11)  # frames alone; 8×8 inference
    cropped = (across * 16 != width) or (down * 16 != height)
    bits.u(1, int(cropped))
    if cropped:
        for value in (0, (across * 16 - width) // 2, 0, (down * 16 - height) // 2):
            bits.ue(value)
    bits.u(1, 0)
    return bits.nal(0x67)


def pps(number: int = 0) -> bytes:
    bits = _Bits()
    bits.ue(number)
    bits.ue(number)
    bits.u(2, 0)
    bits.ue(0)
    bits.ue(0)
    bits.ue(0)
    bits.u(3, 0)
    bits.se(0)
    bits.se(0)
    bits.se(0)
    bits.u(3, 0b100)  # the filter is told per slice: off, so that samples stay as they are
    return bits.nal(0x68)


def key(luma: Picture, sets: tuple[bytes, bytes], idr: int = 0, number: int = 0) -> bytes:
    """A key unit of grey samples, sides multiples of 16."""
    bits = _Bits()
    bits.ue(0)
    bits.ue(7)  # I, all slices
    bits.ue(number)
    bits.u(FRAME_NUM_BITS, 0)
    bits.ue(idr % 2)
    bits.u(2, 0)
    bits.se(0)
    bits.ue(1)  # no filter
    grey = bytes([128]) * 128
    for y in range(0, luma.shape[0], 16):
        for x in range(0, luma.shape[1], 16):
            bits.ue(25)  # I_PCM
            bits.align()
            bits.raw(luma[y : y + 16, x : x + 16].tobytes() + grey)
    return annex_b([*sets, bits.nal(0x65)])


def same(width: int, height: int, frame: int, number: int = 0) -> bytes:
    """A unit that shows the picture before it once more; `frame`: since the key unit, from 1."""
    bits = _Bits()
    bits.ue(0)
    bits.ue(5)  # P, all slices
    bits.ue(number)
    bits.u(FRAME_NUM_BITS, frame % (1 << FRAME_NUM_BITS))
    bits.u(1, 0)
    bits.u(1, 0)
    bits.u(1, 0)  # no marking by hand
    bits.se(0)
    bits.ue(1)
    bits.ue(-(-width // 16) * -(-height // 16))
    return annex_b([bits.nal(0x61)])


def stream(
    pictures: list[Picture], gop: int = 5, fps: float = 25.0, start_us: int = 0,
    received_us: int = 1_780_000_000_000_000, profile: int = 66,
) -> list[AccessUnit]:  # fmt: skip
    """Each picture as a key unit, held for `gop` units in all."""
    made = []
    for n, luma in enumerate(pictures):
        height, width = luma.shape
        sets = (sps(width, height, profile=profile), pps())
        for frame in range(gop):
            at = round((n * gop + frame) * 1e6 / fps)
            data = key(luma, sets, n) if frame == 0 else same(width, height, frame)
            made.append(AccessUnit(data, start_us + at, received_us + at, frame == 0))
    return made
