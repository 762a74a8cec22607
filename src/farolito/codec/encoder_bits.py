"""How H.264 writes numbers: Exp-Golomb codes and CAVLC (ITU-T H.264, 9.1 and 9.2), compiled.

A sink is where bits go: bytes, and three numbers — how many bytes are full, the bits that do not
fill one yet, and how many those are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from farolito.codec.encoder_tables import (
    CHROMA_ZEROS,
    CHROMA_ZEROS_BITS,
    RUN,
    RUN_BITS,
    TOKEN,
    TOKEN_BITS,
    ZEROS,
    ZEROS_BITS,
)
from farolito.kernel import kernel

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int32]
Sink = tuple[Bytes, NDArray[np.int64]]

CHROMA_DC = -1  # the context of the two or four numbers that hold a chroma block's means
LEVEL_MAX = 2_000  # Baseline has no code for a level of which twice is 4,126 or more


@kernel
def put(sink: Sink, value: int, bits: int) -> None:
    """The lowest `bits` of a value, at most 32."""
    out, at = sink
    held = (at[1] << bits) | value
    count = at[2] + bits
    while count >= 8:
        count -= 8
        out[at[0]] = (held >> count) & 255
        at[0] += 1
    at[1] = held & ((1 << count) - 1)
    at[2] = count


@kernel
def put_ue(sink: Sink, value: int) -> None:
    bits = 0
    while (value + 1) >> bits:
        bits += 1
    put(sink, value + 1, 2 * bits - 1)


@kernel
def put_block(sink: Sink, levels: Ints, count: int, context: int) -> int:
    """The first `count` levels, in the order of the zig-zag; how many were not 0 (9.2).

    `context`: the count expected of the neighbours (nC), or CHROMA_DC.
    """
    total, ones, last = 0, 0, -1
    for i in range(count):
        if levels[i] != 0:
            total += 1
            last = i
            ones = ones + 1 if abs(levels[i]) == 1 else 0
    ones = min(ones, 3)
    table = 4
    if context >= 0:
        table = 0 if context < 2 else 1 if context < 4 else 2 if context < 8 else 3
    token = 4 * total + ones
    put(sink, TOKEN[table, token], TOKEN_BITS[table, token])
    if total == 0:
        return 0
    _put_levels(sink, levels, last, (total, ones))
    zeros = last + 1 - total
    if total < count:
        if context == CHROMA_DC:
            put(sink, CHROMA_ZEROS[total - 1, zeros], CHROMA_ZEROS_BITS[total - 1, zeros])
        else:
            put(sink, ZEROS[total - 1, zeros], ZEROS_BITS[total - 1, zeros])
    _put_runs(sink, levels, last, zeros)
    return total


@kernel
def _put_levels(sink: Sink, levels: Ints, last: int, counts: tuple[int, int]) -> None:
    """Signs of the trailing ones, then the other levels, the highest frequency first (9.2.2)."""
    total, ones = counts
    done = 0
    long = 1 if total > 10 and ones < 3 else 0
    for i in range(last, -1, -1):
        level = levels[i]
        if level == 0:
            continue
        if done < ones:
            put(sink, 1 if level < 0 else 0, 1)
            done += 1
            continue
        code = 2 * abs(level) - 2 + (1 if level < 0 else 0)
        if done == ones and ones < 3:
            code -= 2
        _put_level(sink, code, long)
        if long == 0:
            long = 1
        if abs(level) > (3 << (long - 1)) and long < 6:
            long += 1
        done += 1


@kernel
def _put_level(sink: Sink, code: int, long: int) -> None:
    """`long`: how many bits follow the prefix (suffixLength)."""
    if long == 0 and code < 14:
        put(sink, 1, code + 1)
    elif long == 0 and code < 30:
        put(sink, 1, 15)
        put(sink, code - 14, 4)
    elif long > 0 and code < (15 << long):
        put(sink, 1, (code >> long) + 1)
        put(sink, code & ((1 << long) - 1), long)
    else:
        put(sink, 1, 16)
        put(sink, code - (30 if long == 0 else 15 << long), 12)


@kernel
def _put_runs(sink: Sink, levels: Ints, last: int, zeros: int) -> None:
    """How many zeros stand before each level, the highest frequency first (9.2.3)."""
    run = 0
    for i in range(last - 1, -1, -1):
        if zeros <= 0:
            return
        if levels[i] == 0:
            run += 1
            continue
        table = min(zeros, 7) - 1
        put(sink, RUN[table, run], RUN_BITS[table, run])
        zeros -= run
        run = 0


@kernel
def escape(raw: Bytes, count: int, out: Bytes) -> int:
    """No start code within: a 3 between two zeros and a byte up to 3 (7.4.1). Bytes written."""
    zeros, n = 0, 0
    for i in range(count):
        byte = raw[i]
        if zeros == 2 and byte <= 3:
            out[n] = 3
            n += 1
            zeros = 0
        out[n] = byte
        n += 1
        zeros = zeros + 1 if byte == 0 else 0
    return n
