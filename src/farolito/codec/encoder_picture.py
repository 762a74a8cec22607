"""One picture as H.264 macroblocks: predict, transform, quantise, write, and what a decoder sees.

Sums: 1280x720 is 3,600 macroblocks; one that did not change costs a comparison of 384 bytes
(0.1 µs), one that did some 2–3 µs. Section numbers are ITU-T H.264's.

The picture as decoded is one buffer, worked on in place: all motion is zero, so a macroblock
that is skipped is one that is left alone.
"""

from __future__ import annotations

import numpy as np

from farolito.codec.encoder_bits import (
    CHROMA_DC,
    LEVEL_MAX,
    Bytes,
    Ints,
    Sink,
    put,
    put_block,
    put_ue,
)
from farolito.codec.encoder_tables import (
    BLOCK_X,
    BLOCK_Y,
    CBP_CODE,
    CHROMA_QP,
    FACTOR,
    MB,
    SCALE,
    ZIGZAG,
)
from farolito.kernel import kernel

Planes = tuple[Bytes, Bytes, Bytes]
At = tuple[int, int]  # a macroblock: column, row

MB_BITS_MAX = (
    3_100  # of 3,200 that a macroblock may have (A.3.1); above, its samples go as they are
)
VERTICAL, HORIZONTAL, MEAN = 0, 1, 2  # how Intra_16x16 predicts (8.3.3); chroma: its own order
INTER_GAIN = (
    200  # an intra macroblock must be nearer by this sum of differences: it costs more bits
)


@kernel
def code_picture(
    pictures: tuple[Planes, Planes, Planes], counts: Planes, how: Ints, sink: Sink
) -> None:
    """All macroblocks of one slice. `pictures`: now, as it was last time, as the decoder has it.

    `counts`: for each block of 4x4 samples how many levels it has, all 0 before. `how`: quantiser,
    and 1 for a picture that needs no other.
    """
    now, was, seen = pictures
    qp, is_key = how[0], how[1] == 1
    rows, columns = now[0].shape[0] // MB, now[0].shape[1] // MB
    room = np.zeros((3, 16, 16), dtype=np.int32)  # the prediction
    levels = np.zeros((26, 16), dtype=np.int32)  # 16 luma, 8 chroma, luma's and chroma's means
    skipped = 0
    for row in range(rows):
        for column in range(columns):
            at = (column, row)
            if not is_key and _is_same(now, was, at):
                skipped += 1
                continue
            kind = _predict(now, seen, at, (room, is_key))
            if kind < 0:
                _quantise(now, at, room, (levels, qp, False))
                if not levels[:24].any() and not levels[25].any():
                    skipped += 1
                    continue
            else:
                _quantise(now, at, room, (levels, qp, True))
            if not is_key:
                put_ue(sink, skipped)
                skipped = 0
            _put_macroblock((now, seen), counts, at, (room, levels, kind, qp, is_key), sink)
    if not is_key and skipped:
        put_ue(sink, skipped)


@kernel
def _is_same(now: Planes, was: Planes, at: At) -> bool:
    x, y = at[0] * MB, at[1] * MB
    for j in range(y, y + MB):
        for i in range(x, x + MB):
            if now[0][j, i] != was[0][j, i]:
                return False
    x, y = x // 2, y // 2
    for j in range(y, y + 8):
        for i in range(x, x + 8):
            if now[1][j, i] != was[1][j, i] or now[2][j, i] != was[2][j, i]:
                return False
    return True


@kernel
def _sample(plane: Bytes, x: int, y: int) -> int:
    """With a sign: less than nothing must not become 255, nor 2⁶⁴."""
    value: int = 0 + plane[y, x]
    return value


@kernel
def _predict(now: Planes, seen: Planes, at: At, into: tuple[Ints, bool]) -> int:
    """Fills the room. Negative: from the picture before; else luma's way + 4 · chroma's."""
    room, is_key = into
    x, y = at[0] * MB, at[1] * MB
    luma, off = _nearest_way(now[0], seen[0], (x, y), MB)
    if not is_key:
        kept = 0
        for j in range(MB):
            for i in range(MB):
                kept += abs(_sample(now[0], x + i, y + j) - seen[0][y + j, x + i])
        if kept <= off + INTER_GAIN:
            _take(room[0], seen[0], (x, y), MB)
            _take(room[1], seen[1], (x // 2, y // 2), 8)
            _take(room[2], seen[2], (x // 2, y // 2), 8)
            return -1
    _fill(room[0], seen[0], (x, y, MB), luma)
    x, y = x // 2, y // 2
    blue, off_b = _nearest_way(now[1], seen[1], (x, y), 8)
    red, off_r = _nearest_way(now[2], seen[2], (x, y), 8)
    chroma = blue if off_b > off_r else red
    for plane in range(1, 3):
        if chroma == MEAN:
            _fill_means(room[plane], seen[plane], (x, y))
        else:
            _fill(room[plane], seen[plane], (x, y, 8), chroma)
    return luma + 4 * chroma


@kernel
def _take(room: Ints, seen: Bytes, at: At, size: int) -> None:
    for j in range(size):
        for i in range(size):
            room[j, i] = seen[at[1] + j, at[0] + i]


@kernel
def _nearest_way(now: Bytes, seen: Bytes, at: At, size: int) -> tuple[int, int]:
    """Which of the neighbours' ways is nearest, and the sum of differences that it leaves."""
    x, y = at
    mean = _mean(seen, at, size)
    best, least = MEAN, 0
    down, across = 0, 0
    for j in range(size):
        for i in range(size):
            here = _sample(now, x + i, y + j)
            least += abs(here - mean)
            if y > 0:
                down += abs(here - seen[y - 1, x + i])
            if x > 0:
                across += abs(here - seen[y + j, x - 1])
    if y > 0 and down < least:
        best, least = VERTICAL, down
    if x > 0 and across < least:
        best, least = HORIZONTAL, across
    return best, least


@kernel
def _mean(seen: Bytes, at: At, size: int) -> int:
    """Of the row above and the column to the left, as far as they are there (8.3.3.3)."""
    x, y = at
    total, count = 0, 0
    if y > 0:
        count += size
        for i in range(size):
            total += seen[y - 1, x + i]
    if x > 0:
        count += size
        for j in range(size):
            total += seen[y + j, x - 1]
    return (total + count // 2) // count if count else 128


@kernel
def _fill(room: Ints, seen: Bytes, box: tuple[int, int, int], way: int) -> None:
    x, y, size = box
    mean = _mean(seen, (x, y), size) if way == MEAN else 0
    for j in range(size):
        for i in range(size):
            if way == VERTICAL:
                room[j, i] = seen[y - 1, x + i]
            elif way == HORIZONTAL:
                room[j, i] = seen[y + j, x - 1]
            else:
                room[j, i] = mean


@kernel
def _fill_means(room: Ints, seen: Bytes, at: At) -> None:
    """Each 4x4 block of chroma has a mean of its own, of its nearest neighbours (8.3.4.1-3)."""
    x, y = at
    for block in range(4):
        bx, by = 4 * (block & 1), 4 * (block >> 1)
        above, left = 0, 0
        for k in range(4):
            if y > 0:
                above += seen[y - 1, x + bx + k]
            if x > 0:
                left += seen[y + by + k, x - 1]
        if y == 0 and x == 0:
            mean = 128
        elif y > 0 and (x == 0 or (bx > 0 and by == 0)):
            mean = (above + 2) >> 2
        elif x > 0 and (y == 0 or (bx == 0 and by > 0)):
            mean = (left + 2) >> 2
        else:
            mean = (above + left + 4) >> 3
        for j in range(4):
            for i in range(4):
                room[by + j, bx + i] = mean


@kernel
def _transform(now: Bytes, at: At, room: Ints, into: Ints) -> None:
    """The core transform of what the prediction leaves of a 4x4 block (8.6, backwards).

    `at`: the block in the picture. `room`: the prediction of this block.
    """
    x, y = at
    for j in range(4):
        a = _sample(now, x, y + j) - room[j, 0]
        b = _sample(now, x + 1, y + j) - room[j, 1]
        c = _sample(now, x + 2, y + j) - room[j, 2]
        d = _sample(now, x + 3, y + j) - room[j, 3]
        into[4 * j] = a + b + c + d
        into[4 * j + 1] = 2 * (a - d) + b - c
        into[4 * j + 2] = a - b - c + d
        into[4 * j + 3] = a - d - 2 * (b - c)
    for i in range(4):
        a, b, c, d = into[i], into[4 + i], into[8 + i], into[12 + i]
        into[i] = a + b + c + d
        into[4 + i] = 2 * (a - d) + b - c
        into[8 + i] = a - b - c + d
        into[12 + i] = a - d - 2 * (b - c)


@kernel
def _hadamard(block: Ints) -> None:
    """Of the sixteen means of a macroblock; its own inverse but for a factor (8.5.10)."""
    for step, apart in ((1, 4), (4, 1)):
        for k in range(4):
            i = k * apart
            a, b, c, d = block[i], block[i + step], block[i + 2 * step], block[i + 3 * step]
            block[i] = a + b + c + d
            block[i + step] = a + b - c - d
            block[i + 2 * step] = a - b - c + d
            block[i + 3 * step] = a - b + c - d


@kernel
def _level(value: int, factor: int, shift: int, add: int) -> int:
    level = min((abs(value) * factor + add) >> shift, LEVEL_MAX)
    return -level if value < 0 else level


@kernel
def _quantise(now: Planes, at: At, room: Ints, into: tuple[Ints, int, bool]) -> None:
    """Levels of all blocks in raster order; a block's mean apart where it travels apart.

    levels[0:16] luma, [16:20] and [20:24] chroma, [24] luma's means, [25] chroma's, 4 + 4.
    """
    levels, qp, is_intra = into
    levels[24, :] = 0
    add = (1 << (15 + qp // 6)) // (3 if is_intra else 6)
    for block in range(16):
        bx, by = 4 * BLOCK_X[block], 4 * BLOCK_Y[block]
        own = levels[block]
        _transform(now[0], (at[0] * MB + bx, at[1] * MB + by), room[0, by:, bx:], own)
        if is_intra:
            levels[24, by + bx // 4] = own[0]
            own[0] = 0
        for k in range(16):
            own[k] = _level(own[k], FACTOR[qp % 6, k], 15 + qp // 6, add)
    if is_intra:
        means = levels[24]
        _hadamard(means)
        for k in range(16):
            half = (means[k] + 1) >> 1
            means[k] = _level(half, FACTOR[qp % 6, 0], 16 + qp // 6, 2 * add)
    qc = CHROMA_QP[qp]
    add = (1 << (15 + qc // 6)) // (3 if is_intra else 6)
    for plane in range(1, 3):
        means = levels[25, 4 * plane - 4 :]
        for block in range(4):
            bx, by = 4 * (block & 1), 4 * (block >> 1)
            own = levels[12 + 4 * plane + block]
            place = (at[0] * 8 + bx, at[1] * 8 + by)
            _transform(now[plane], place, room[plane, by:, bx:], own)
            means[block] = own[0]
            own[0] = 0
            for k in range(1, 16):
                own[k] = _level(own[k], FACTOR[qc % 6, k], 15 + qc // 6, add)
        a, b, c, d = means[0], means[1], means[2], means[3]
        sums = (a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d)
        for k in range(4):
            means[k] = _level(sums[k], FACTOR[qc % 6, 0], 16 + qc // 6, 2 * add)


@kernel
def _put_macroblock(
    pictures: tuple[Planes, Planes],
    counts: Planes,
    at: At,
    made: tuple[Ints, Ints, int, int, bool],
    sink: Sink,
) -> None:
    """Written, and rebuilt as the decoder will; samples where levels would be longer."""
    now, seen = pictures
    room, levels, kind, qp, is_key = made
    state = sink[1]
    before = (state[0], state[1], state[2])
    cbp = 0
    for block in range(16):
        if levels[block].any():
            cbp |= 1 << (block >> 2)
    if kind >= 0 and cbp:
        cbp = 15
    if levels[16:24].any():
        cbp |= 32
    elif levels[25, :8].any():
        cbp |= 16
    if kind >= 0:
        _put_intra(sink, kind, cbp, is_key)
    else:
        put_ue(sink, 0)  # P_L0_16x16, whose motion differs from the expected by 0 and 0
        put(sink, 3, 2)
        put_ue(sink, CBP_CODE[cbp])
    if cbp or kind >= 0:
        put(sink, 1, 1)  # the quantiser stays
        _put_levels(sink, levels, counts, (at[0], at[1], cbp, kind >= 0))
    if (state[0] - before[0]) * 8 + state[2] - before[2] > MB_BITS_MAX:
        state[0], state[1], state[2] = before
        _put_samples((now, seen), counts, at, is_key, sink)
        return
    _rebuild(seen, at, room, (levels, qp, kind >= 0))


@kernel
def _put_intra(sink: Sink, kind: int, cbp: int, is_key: bool) -> None:
    luma, chroma = kind & 3, kind >> 2
    number = 1 + luma + 4 * (cbp >> 4) + (12 if cbp & 15 else 0)  # Table 7-11
    put_ue(sink, number if is_key else number + 5)
    # Chroma counts its ways in another order (Table 8-5): mean, horizontal, vertical.
    put_ue(sink, 0 if chroma == MEAN else 1 if chroma == HORIZONTAL else 2)


@kernel
def _context(counts: Bytes, x: int, y: int) -> int:
    """How many levels the blocks to the left and above let expect (9.2.1)."""
    if x > 0 and y > 0:
        return (_sample(counts, x - 1, y) + _sample(counts, x, y - 1) + 1) >> 1
    if x > 0:
        return _sample(counts, x - 1, y)
    return _sample(counts, x, y - 1) if y > 0 else 0


@kernel
def _put_levels(
    sink: Sink, levels: Ints, counts: Planes, which: tuple[int, int, int, bool]
) -> None:
    column, row, cbp, is_16 = which
    line = np.empty(16, dtype=np.int32)
    if is_16:
        for k in range(16):
            line[k] = levels[24, ZIGZAG[k]]
        put_block(sink, line, 16, _context(counts[0], 4 * column, 4 * row))
    first = 1 if is_16 else 0
    for block in range(16):
        x, y = 4 * column + BLOCK_X[block], 4 * row + BLOCK_Y[block]
        counts[0][y, x] = 0
        if cbp & (1 << (block >> 2)):
            for k in range(first, 16):
                line[k - first] = levels[block, ZIGZAG[k]]
            total = put_block(sink, line, 16 - first, _context(counts[0], x, y))
            counts[0][y, x] = total
    if cbp & 48:
        put_block(sink, levels[25], 4, CHROMA_DC)
        put_block(sink, levels[25, 4:], 4, CHROMA_DC)
    for plane in range(1, 3):
        for block in range(4):
            x, y = 2 * column + (block & 1), 2 * row + (block >> 1)
            counts[plane][y, x] = 0
            if cbp & 32:
                for k in range(1, 16):
                    line[k - 1] = levels[12 + 4 * plane + block, ZIGZAG[k]]
                total = put_block(sink, line, 15, _context(counts[plane], x, y))
                counts[plane][y, x] = total


@kernel
def _put_samples(
    pictures: tuple[Planes, Planes], counts: Planes, at: At, is_key: bool, sink: Sink
) -> None:
    """I_PCM: the samples themselves (7.3.5)."""
    now, seen = pictures
    put_ue(sink, 25 if is_key else 30)
    if sink[1][2]:
        put(sink, 0, 8 - sink[1][2])
    for plane in range(3):
        size = MB if plane == 0 else 8
        x, y = at[0] * size, at[1] * size
        for j in range(y, y + size):
            for i in range(x, x + size):
                put(sink, now[plane][j, i], 8)
                seen[plane][j, i] = now[plane][j, i]
        x, y = x // 4, y // 4
        counts[plane][y : y + size // 4, x : x + size // 4] = 16


@kernel
def _rebuild(seen: Planes, at: At, room: Ints, made: tuple[Ints, int, bool]) -> None:
    """What the decoder makes of the levels (8.5)."""
    levels, qp, is_16 = made
    grow, part = qp // 6, qp % 6
    if is_16:
        means = levels[24]
        _hadamard(means)
        for k in range(16):
            means[k] = (((means[k] * SCALE[part, 0]) << grow) + 2) >> 2
    for block in range(16):
        bx, by = 4 * BLOCK_X[block], 4 * BLOCK_Y[block]
        own = levels[block]
        for k in range(16):
            own[k] = (own[k] * SCALE[part, k]) << grow
        if is_16:
            own[0] = levels[24, by + bx // 4]
        place = (at[0] * MB + bx, at[1] * MB + by)
        _add(seen[0], place, room[0, by:, bx:], own)
    qc = CHROMA_QP[qp]
    grow, part = qc // 6, qc % 6
    for plane in range(1, 3):
        means = levels[25, 4 * plane - 4 :]
        a, b, c, d = means[0], means[1], means[2], means[3]
        sums = (a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d)
        for block in range(4):
            bx, by = 4 * (block & 1), 4 * (block >> 1)
            own = levels[12 + 4 * plane + block]
            for k in range(1, 16):
                own[k] = (own[k] * SCALE[part, k]) << grow
            own[0] = ((sums[block] * SCALE[part, 0]) << grow) >> 1
            _add(seen[plane], (at[0] * 8 + bx, at[1] * 8 + by), room[plane, by:, bx:], own)


@kernel
def _add(seen: Bytes, at: At, room: Ints, own: Ints) -> None:
    """The inverse transform on top of the prediction (8.5.12.2)."""
    for j in range(4):
        e = own[4 * j] + own[4 * j + 2]
        f = own[4 * j] - own[4 * j + 2]
        g = (own[4 * j + 1] >> 1) - own[4 * j + 3]
        h = own[4 * j + 1] + (own[4 * j + 3] >> 1)
        own[4 * j], own[4 * j + 1] = e + h, f + g
        own[4 * j + 2], own[4 * j + 3] = f - g, e - h
    x, y = at
    for i in range(4):
        e = own[i] + own[8 + i]
        f = own[i] - own[8 + i]
        g = (own[4 + i] >> 1) - own[12 + i]
        h = own[4 + i] + (own[12 + i] >> 1)
        _set(seen, x + i, y, room[0, i] + ((e + h + 32) >> 6))
        _set(seen, x + i, y + 1, room[1, i] + ((f + g + 32) >> 6))
        _set(seen, x + i, y + 2, room[2, i] + ((f - g + 32) >> 6))
        _set(seen, x + i, y + 3, room[3, i] + ((e - h + 32) >> 6))


@kernel
def _set(seen: Bytes, x: int, y: int, value: int) -> None:
    seen[y, x] = min(255, max(0, value))
