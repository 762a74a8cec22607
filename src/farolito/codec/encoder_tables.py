"""The numbers of ITU-T H.264 that the practice cameras' encoder needs, each by its table there.

Codes are pairs of arrays: how many bits, and which. A length of 0 is a code that does not exist.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.int32]

MB = 16  # luma samples of a macroblock, across and down


def _padded(rows: tuple[tuple[int, ...], ...], width: int) -> Table:
    return np.array([row + (0,) * (width - len(row)) for row in rows], dtype=np.int32)


# Figure 8-8, the zig-zag of a 4x4 block: raster place of each coefficient in the order sent.
ZIGZAG: Table = np.array([0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15], dtype=np.int32)
# Figure 6-10: where the sixteen luma blocks of a macroblock lie, in blocks.
BLOCK_X: Table = np.array([0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3], dtype=np.int32)
BLOCK_Y: Table = np.array([0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3], dtype=np.int32)

# Section 8.5.9, normAdjust: corners, middles, the rest; and the factors that divide by it.
_SHARES = ((10, 16, 13), (11, 18, 14), (13, 20, 16), (14, 23, 18), (16, 25, 20), (18, 29, 23))
_FACTORS = (
    (13107, 5243, 8066), (11916, 4660, 7490), (10082, 4194, 6554),
    (9362, 3647, 5825), (8192, 3355, 5243), (7282, 2893, 4559),
)  # fmt: skip


def _by_place(rows: tuple[tuple[int, int, int], ...]) -> Table:
    kinds = [0 if not (k // 4 | k) & 1 else 1 if k // 4 & k & 1 else 2 for k in range(16)]
    return np.array([[row[kind] for kind in kinds] for row in rows], dtype=np.int32)


SCALE: Table = _by_place(_SHARES)
FACTOR: Table = _by_place(_FACTORS)

# Table 8-15: the chroma quantiser of each luma quantiser.
CHROMA_QP: Table = np.array(
    [*range(30), 29, 30, 31, 32, 32, 33, 34, 34, 35, 35, 36, 36, 37, 37, 37, 38, 38, 38, 39, 39,
     39, 39],
    dtype=np.int32,
)  # fmt: skip

# Table 9-4, inter, for 4:2:0: the code number of each coded block pattern.
_CBP_OF_CODE = (
    0, 16, 1, 2, 4, 8, 32, 3, 5, 10, 12, 15, 47, 7, 11, 13, 14, 6, 9, 31, 35, 37, 42, 44, 33, 34,
    36, 40, 39, 43, 45, 46, 17, 18, 20, 24, 19, 21, 26, 28, 23, 27, 29, 30, 22, 25, 38, 41,
)  # fmt: skip
CBP_CODE: Table = np.argsort(np.array(_CBP_OF_CODE)).astype(np.int32)

# Table 9-5, coeff_token: [which table][4 · coefficients + trailing ones]. The fifth is chroma DC.
_TOKEN_BITS = (
    (1, 0, 0, 0, 6, 2, 0, 0, 8, 6, 3, 0, 9, 8, 7, 5, 10, 9, 8, 6, 11, 10, 9, 7, 13, 11, 10, 8,
     13, 13, 11, 9, 13, 13, 13, 10, 14, 14, 13, 11, 14, 14, 14, 13, 15, 15, 14, 14, 15, 15, 15, 14,
     16, 15, 15, 15, 16, 16, 16, 15, 16, 16, 16, 16, 16, 16, 16, 16),
    (2, 0, 0, 0, 6, 2, 0, 0, 6, 5, 3, 0, 7, 6, 6, 4, 8, 6, 6, 4, 8, 7, 7, 5, 9, 8, 8, 6, 11, 9, 9,
     6, 11, 11, 11, 7, 12, 11, 11, 9, 12, 12, 12, 11, 12, 12, 12, 11, 13, 13, 13, 12, 13, 13, 13,
     13, 13, 14, 13, 13, 14, 14, 14, 13, 14, 14, 14, 14),
    (4, 0, 0, 0, 6, 4, 0, 0, 6, 5, 4, 0, 6, 5, 5, 4, 7, 5, 5, 4, 7, 5, 5, 4, 7, 6, 6, 4, 7, 6, 6, 4,
     8, 7, 7, 5, 8, 8, 7, 6, 9, 8, 8, 7, 9, 9, 8, 8, 9, 9, 9, 8, 10, 9, 9, 9, 10, 10, 10, 10, 10,
     10, 10, 10, 10, 10, 10, 10),
    (6, 0, 0, 0, 6, 6, 0, 0, 6, 6, 6, 0, *(6,) * 56),
    (2, 0, 0, 0, 6, 1, 0, 0, 6, 6, 3, 0, 6, 7, 7, 6, 6, 8, 8, 7),
)  # fmt: skip
_TOKEN = (
    (1, 0, 0, 0, 5, 1, 0, 0, 7, 4, 1, 0, 7, 6, 5, 3, 7, 6, 5, 3, 7, 6, 5, 4, 15, 6, 5, 4, 11, 14, 5,
     4, 8, 10, 13, 4, 15, 14, 9, 4, 11, 10, 13, 12, 15, 14, 9, 12, 11, 10, 13, 8, 15, 1, 9, 12, 11,
     14, 13, 8, 7, 10, 9, 12, 4, 6, 5, 8),
    (3, 0, 0, 0, 11, 2, 0, 0, 7, 7, 3, 0, 7, 10, 9, 5, 7, 6, 5, 4, 4, 6, 5, 6, 7, 6, 5, 8, 15, 6, 5,
     4, 11, 14, 13, 4, 15, 10, 9, 4, 11, 14, 13, 12, 8, 10, 9, 8, 15, 14, 13, 12, 11, 10, 9, 12, 7,
     11, 6, 8, 9, 8, 10, 1, 7, 6, 5, 4),
    (15, 0, 0, 0, 15, 14, 0, 0, 11, 15, 13, 0, 8, 12, 14, 12, 15, 10, 11, 11, 11, 8, 9, 10, 9, 14,
     13, 9, 8, 10, 9, 8, 15, 14, 13, 13, 11, 14, 10, 12, 15, 10, 13, 12, 11, 14, 9, 12, 8, 10, 13,
     8, 13, 7, 9, 12, 9, 12, 11, 10, 5, 8, 7, 6, 1, 4, 3, 2),
    (3, 0, 0, 0, 0, 1, 0, 0, 4, 5, 6, 0, *range(8, 64)),
    (1, 0, 0, 0, 7, 1, 0, 0, 4, 6, 1, 0, 3, 3, 2, 5, 2, 3, 2, 0),
)  # fmt: skip
TOKEN_BITS: Table = _padded(_TOKEN_BITS, 68)
TOKEN: Table = _padded(_TOKEN, 68)

# Tables 9-7 and 9-8, total_zeros: [coefficients − 1][zeros]; then 9-9 (a), for chroma DC.
ZEROS_BITS: Table = _padded(
    (
        (1, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 9),
        (3, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 6, 6, 6, 6),
        (4, 3, 3, 3, 4, 4, 3, 3, 4, 5, 5, 6, 5, 6),
        (5, 3, 4, 4, 3, 3, 3, 4, 3, 4, 5, 5, 5),
        (4, 4, 4, 3, 3, 3, 3, 3, 4, 5, 4, 5),
        (6, 5, 3, 3, 3, 3, 3, 3, 4, 3, 6),
        (6, 5, 3, 3, 3, 2, 3, 4, 3, 6),
        (6, 4, 5, 3, 2, 2, 3, 3, 6),
        (6, 6, 4, 2, 2, 3, 2, 5),
        (5, 5, 3, 2, 2, 2, 4),
        (4, 4, 3, 3, 1, 3),
        (4, 4, 2, 1, 3),
        (3, 3, 1, 2),
        (2, 2, 1),
        (1, 1),
    ),
    16,
)
ZEROS: Table = _padded(
    (
        (1, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 1),
        (7, 6, 5, 4, 3, 5, 4, 3, 2, 3, 2, 3, 2, 1, 0),
        (5, 7, 6, 5, 4, 3, 4, 3, 2, 3, 2, 1, 1, 0),
        (3, 7, 5, 4, 6, 5, 4, 3, 3, 2, 2, 1, 0),
        (5, 4, 3, 7, 6, 5, 4, 3, 2, 1, 1, 0),
        (1, 1, 7, 6, 5, 4, 3, 2, 1, 1, 0),
        (1, 1, 5, 4, 3, 3, 2, 1, 1, 0),
        (1, 1, 1, 3, 3, 2, 2, 1, 0),
        (1, 0, 1, 3, 2, 1, 1, 1),
        (1, 0, 1, 3, 2, 1, 1),
        (0, 1, 1, 2, 1, 3),
        (0, 1, 1, 1, 1),
        (0, 1, 1, 1),
        (0, 1, 1),
        (0, 1),
    ),
    16,
)
CHROMA_ZEROS_BITS: Table = _padded(((1, 2, 3, 3), (1, 2, 2), (1, 1)), 4)
CHROMA_ZEROS: Table = _padded(((1, 1, 1, 0), (1, 1, 0), (1, 0)), 4)

# Table 9-10, run_before: [zeros left − 1, at most 6][run].
RUN_BITS: Table = _padded(
    (
        (1, 1),
        (1, 2, 2),
        (2, 2, 2, 2),
        (2, 2, 2, 3, 3),
        (2, 2, 3, 3, 3, 3),
        (2, 3, 3, 3, 3, 3, 3),
        (3, 3, 3, 3, 3, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11),
    ),
    15,
)
RUN: Table = _padded(
    (
        (1, 0),
        (1, 1, 0),
        (3, 2, 1, 0),
        (3, 2, 1, 1, 0),
        (3, 2, 3, 2, 1, 0),
        (3, 0, 1, 3, 2, 5, 4),
        (7, 6, 5, 4, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1),
    ),
    15,
)
