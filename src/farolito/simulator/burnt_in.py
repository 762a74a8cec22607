"""What a camera writes into its own picture: its name, date and clock; and the strip of a test.

The letters are a 5x7 bitmap font drawn here, so that a clock reads the same on every machine.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

STRIP_AT, STRIP_BLOCK_PX, STRIP_COLUMNS = (8, 8), 16, 32
_HIGH, _LOW = 235, 16
# Rows of five from the top, the left pixel the highest bit.
_FONT = {
    "0": (14, 17, 19, 21, 25, 17, 14), "1": (4, 12, 4, 4, 4, 4, 14),
    "2": (14, 17, 1, 2, 4, 8, 31), "3": (31, 2, 4, 2, 1, 17, 14),
    "4": (2, 6, 10, 18, 31, 2, 2), "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14), "7": (31, 1, 2, 4, 8, 8, 8),
    "8": (14, 17, 17, 14, 17, 17, 14), "9": (14, 17, 17, 15, 1, 2, 12),
    "A": (14, 17, 17, 17, 31, 17, 17), "B": (30, 17, 17, 30, 17, 17, 30),
    "C": (14, 17, 16, 16, 16, 17, 14), "D": (28, 18, 17, 17, 17, 18, 28),
    "E": (31, 16, 16, 30, 16, 16, 31), "F": (31, 16, 16, 30, 16, 16, 16),
    "G": (14, 17, 16, 23, 17, 17, 15), "H": (17, 17, 17, 31, 17, 17, 17),
    "I": (14, 4, 4, 4, 4, 4, 14), "J": (7, 2, 2, 2, 2, 18, 12),
    "K": (17, 18, 20, 24, 20, 18, 17), "L": (16, 16, 16, 16, 16, 16, 31),
    "M": (17, 27, 21, 21, 17, 17, 17), "N": (17, 17, 25, 21, 19, 17, 17),
    "O": (14, 17, 17, 17, 17, 17, 14), "P": (30, 17, 17, 30, 16, 16, 16),
    "Q": (14, 17, 17, 17, 21, 18, 13), "R": (30, 17, 17, 30, 20, 18, 17),
    "S": (15, 16, 16, 14, 1, 1, 30), "T": (31, 4, 4, 4, 4, 4, 4),
    "U": (17, 17, 17, 17, 17, 17, 14), "V": (17, 17, 17, 17, 17, 10, 4),
    "W": (17, 17, 17, 21, 21, 21, 10), "X": (17, 17, 10, 4, 10, 17, 17),
    "Y": (17, 17, 17, 10, 4, 4, 4), "Z": (31, 1, 2, 4, 8, 16, 31),
    "-": (0, 0, 0, 31, 0, 0, 0), ":": (0, 12, 12, 0, 12, 12, 0), ".": (0, 0, 0, 0, 0, 12, 12),
    ",": (0, 0, 0, 0, 12, 4, 8), "/": (0, 1, 2, 4, 8, 16, 0), "&": (12, 18, 20, 8, 21, 18, 13),
    "@": (14, 17, 1, 13, 21, 21, 14), "'": (12, 4, 8, 0, 0, 0, 0), "(": (2, 4, 8, 8, 8, 4, 2),
    ")": (8, 4, 2, 2, 2, 4, 8), "+": (0, 4, 4, 31, 4, 4, 0), "?": (14, 17, 1, 2, 4, 0, 4),
    " ": (0, 0, 0, 0, 0, 0, 0), "_": (0, 0, 0, 0, 0, 0, 31),
}  # fmt: skip


@lru_cache(maxsize=512)
def letters(text: str, scale: int) -> NDArray[np.bool_]:
    """The text as a mask, 7·scale high and 6·scale a letter wide. Unknown letters are `?`."""
    columns = []
    for letter in text.upper():
        rows = np.array(_FONT.get(letter, _FONT["?"]), np.uint8)
        columns.append((rows[:, None] >> np.arange(4, -1, -1, dtype=np.uint8)) & 1)
        columns.append(np.zeros((7, 1), np.uint8))
    mask = np.concatenate(columns or [np.zeros((7, 1), np.uint8)], axis=1)
    return np.kron(mask, np.ones((scale, scale), np.uint8)).astype(bool)


def write(picture: Picture, text: str, at: tuple[int, int], scale: int) -> None:
    """White on a dark edge. `at`: the upper left of the first letter, pixels; cut at the border."""
    mask = letters(text, scale)
    x, y = at
    height = min(mask.shape[0], picture.shape[0] - y)
    width = min(mask.shape[1], picture.shape[1] - x)
    mask = mask[:height, :width]
    pad = scale
    box = picture[max(0, y - pad) : y + height + pad, max(0, x - pad) : x + width + pad]
    box[:] = box // 3
    picture[y : y + height, x : x + width][mask] = _HIGH


def stamp(picture: Picture, name: str, clock: datetime) -> None:
    """The camera's name at the lower left, its own date and clock at the upper left."""
    scale = max(1, picture.shape[0] // 300)
    edge = 6 * scale
    write(picture, f"{clock:%Y-%m-%d %H:%M:%S}", (edge, edge), scale)
    most = (picture.shape[1] - 2 * edge) // (6 * scale)
    write(picture, name[:most], (edge, picture.shape[0] - edge - 7 * scale), scale)


def strip_bits(epoch_ms: int, number: int) -> int:
    """44 bits of time, 16 of the picture's number, 4 that check the 15 nibbles before."""
    value = (epoch_ms & ((1 << 44) - 1)) << 16 | (number & 0xFFFF)
    check = 0
    for k in range(15):
        check ^= value >> 4 * k & 15
    return value << 4 | check


def strip(luma: Picture, epoch_ms: int, number: int) -> None:
    """The clock that a machine reads, into the upper left of a luma plane: 2 rows of 32 blocks."""
    bits = strip_bits(epoch_ms, number)
    row = np.array([_HIGH if bits >> k & 1 else _LOW for k in range(63, -1, -1)], np.uint8)
    blocks = np.kron(
        row.reshape(2, STRIP_COLUMNS), np.ones((STRIP_BLOCK_PX, STRIP_BLOCK_PX), np.uint8)
    )
    x, y = STRIP_AT
    luma[y : y + blocks.shape[0], x : x + blocks.shape[1]] = blocks


def read_strip(luma: Picture) -> tuple[int, int] | None:
    """Time and number as `strip` wrote them; None where the check is wrong."""
    x, y = STRIP_AT
    half = STRIP_BLOCK_PX // 2
    bits = 0
    for k in range(64):
        column, row = x + k % STRIP_COLUMNS * 16 + half, y + k // STRIP_COLUMNS * 16 + half
        bits = bits << 1 | int(luma[row, column] > 125)
    number, epoch_ms = bits >> 4 & 0xFFFF, bits >> 20
    return (epoch_ms, number) if strip_bits(epoch_ms, number) == bits else None
