"""What a camera usually shows at each hour of the day, and what is wrong now against that.

Judged by its own history, since a desert and a tunnel have nothing in common; by bounds that hold
for every camera only where it has none yet. What was judged wrong is never learnt from.

The bounds were set on drawn pictures of 14 to 18 places at noon, dusk and night, with noise, coded
finely and coarsely: sharpness 0.105–0.20 by day and from 0.07 at night; out of focus (blurred by
0.6 % of the picture's width) at most 0.047 and 0.06. Agreement of edges 0.94–1 in the same hour,
0.89 at most when turned by 8°, 0.3 in the middle when turned by 20°; dusk against night 0.43–0.52,
which is why they are not compared. Nobody has measured them on real cameras. Dense fog by day looks
like a cover, to every camera at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from farolito.media.sight import ACROSS, DIRECTIONS, DOWN, NO_EDGE, Sight
from farolito.model import ImageFault

HOURS = 24
BLOCKS = ACROSS * DOWN
LEARNS = 0.2  # of a new picture, into the mean of its hour

DARK, EMPTY = 16.0, 0.85  # brightness, and share of blocks with nothing in them: black
FLAT_MORE, FLAT_LEAST = 0.35, 0.55  # of blocks, more than usual, and at all: something covers it
FLAT_DAY = 0.65  # whatever is usual: by day; a camera that is covered from its first day
SOFT_SHARE = 0.5  # of its usual sharpness
SOFT = 0.05  # whatever is usual
MOVED_BELOW = 0.45  # agreement with the best of its hours
LEARNT_ABOVE = 0.6  # so alike a picture renews its hour
EDGES_LEAST = 16  # blocks; with fewer nobody can tell where it looks
LIGHT = 30.0  # of brightness: hours that differ by more cannot be compared,
LIGHT_SHARE = 0.25  # nor by more than this share of the brighter one: in the dark little is much
STILL = 0.2  # levels between two pictures minutes apart: not even the noise changed
STILL_S = 40.0

_KINDS = DIRECTIONS + 1


class Numbers(NamedTuple):
    """Of one hour, as they usually are."""

    mean: float
    sharpness: float
    flat: float


class Usual:
    """Some 2.5 kB a camera."""

    def __init__(self) -> None:
        self.edges = np.full((HOURS, BLOCKS // 2), 0xFF, dtype=np.uint8)  # two blocks a byte
        self.numbers = np.full((HOURS, len(Numbers._fields)), np.nan, dtype=np.float32)
        self.last: tuple[float, tuple[float, ...]] | None = None

    def judge(
        self, sight: Sight, hour: int, at_s: float, *, turns: bool = False, is_day: bool = True
    ) -> frozenset[ImageFault]:
        """What is wrong with one picture, and learn from it where nothing is. `turns`: it may look
        anywhere. `is_day`: there is light, so a black picture cannot be the night's."""
        was, self.last = self.last, (at_s, sight.sums)
        if self._is_black(sight, hour, is_day):
            return frozenset({ImageFault.BLACK})
        found = set()
        if was is not None and _is_still(was, self.last):
            found.add(ImageFault.FROZEN)
        # What turns shows another place each time: its past tells nothing of the present view.
        usual = None if turns else self._of(hour)
        if _is_covered(sight, usual, is_day):
            found.add(ImageFault.OBSTRUCTED)
        elif _is_soft(sight, usual):
            found.add(ImageFault.BLUR)
        elif not turns and self._is_moved(sight):
            found.add(ImageFault.MOVED)
        if not found:
            self._learn(sight, hour)
        return frozenset(found)

    def _is_black(self, sight: Sight, hour: int, is_day: bool) -> bool:
        if sight.mean >= DARK or sight.flat < EMPTY:
            return False
        usual = self._of(hour)
        return is_day or (usual is not None and usual.mean >= 2 * DARK)

    def _is_moved(self, sight: Sight) -> bool:
        alike = self._alike(sight)
        return alike is not None and alike < MOVED_BELOW

    def _alike(self, sight: Sight) -> float | None:
        """Agreement with the best hour of a like light; None where none can be compared."""
        known = self.numbers[:, 0]
        near = np.minimum(LIGHT, LIGHT_SHARE * np.maximum(known, sight.mean))
        hours = np.flatnonzero(np.abs(known - sight.mean) <= near)  # nan: no hour
        if not len(hours):
            return None
        edges = np.frombuffer(sight.edges, dtype=np.uint8)
        usual = _unpacked(self.edges[hours])
        enough = (usual < NO_EDGE).sum(axis=1) >= EDGES_LEAST
        if not enough.any() or (edges < NO_EDGE).sum() < EDGES_LEAST:
            return None
        return float(agreement(usual[enough], edges).max())

    def _learn(self, sight: Sight, hour: int) -> None:
        new = np.array(Numbers(sight.mean, sight.sharpness, sight.flat), dtype=np.float32)
        alike = self._alike(sight)
        is_new = bool(np.isnan(self.numbers[hour, 0]))
        self.numbers[hour] = new if is_new else (1 - LEARNS) * self.numbers[hour] + LEARNS * new
        if is_new or alike is None or alike >= LEARNT_ABOVE:
            self.edges[hour] = _packed(np.frombuffer(sight.edges, dtype=np.uint8))

    def _of(self, hour: int) -> Numbers | None:
        """This hour's, else that of the nearest one known, three hours off at most."""
        for off in (0, -1, 1, -2, 2, -3, 3):
            row = self.numbers[(hour + off) % HOURS]
            if not np.isnan(row[0]):
                return Numbers(*row.tolist())
        return None

    def to_bytes(self) -> bytes:
        return self.edges.tobytes() + self.numbers.tobytes()

    @classmethod
    def of_bytes(cls, kept: bytes) -> Usual:
        """What cannot be read is as nothing."""
        one = cls()
        if len(kept) == one.edges.nbytes + one.numbers.nbytes:
            edges = np.frombuffer(kept, dtype=np.uint8, count=one.edges.size)
            numbers = np.frombuffer(kept, dtype=np.float32, offset=one.edges.nbytes)
            one.edges[:], one.numbers[:] = edges.reshape(HOURS, -1), numbers.reshape(HOURS, -1)
        return one


def agreement(
    usual: npt.NDArray[np.uint8], edges: npt.NDArray[np.uint8]
) -> npt.NDArray[np.float64]:
    """Of each row of `usual` with `edges`, above what chance would give (Cohen's weighted kappa):
    1 the same, 0 like two pictures that have nothing to do with each other. Neighbouring
    directions are nearly the same; streets are full of level lines, which chance accounts for."""
    a, b = np.minimum(usual, DIRECTIONS), np.minimum(edges, DIRECTIONS)
    observed = _ALIKE[a, b[None, :]].mean(axis=1)
    of_a = np.stack([(a == kind).mean(axis=1) for kind in range(_KINDS)], axis=1)
    of_b = np.bincount(b, minlength=_KINDS) / len(b)
    by_chance = of_a @ _ALIKE @ of_b
    return np.asarray((observed - by_chance) / np.maximum(1 - by_chance, 1e-6))


def _alike_table() -> npt.NDArray[np.float64]:
    step = np.abs(np.subtract.outer(np.arange(DIRECTIONS), np.arange(DIRECTIONS)))
    step = np.minimum(step, DIRECTIONS - step)
    table = np.zeros((_KINDS, _KINDS))
    table[:DIRECTIONS, :DIRECTIONS] = np.select([step == 0, step == 1], [1.0, 0.7], 0.0)
    table[DIRECTIONS, DIRECTIONS] = 1.0
    return table


_ALIKE = _alike_table()


def _is_covered(sight: Sight, usual: Numbers | None, is_day: bool) -> bool:
    if is_day and sight.flat >= FLAT_DAY:
        return True
    return usual is not None and sight.flat >= max(FLAT_LEAST, usual.flat + FLAT_MORE)


def _is_soft(sight: Sight, usual: Numbers | None) -> bool:
    """Where hardly a block has anything in it there is no edge to be sharp."""
    if sight.flat >= EMPTY:
        return False
    return sight.sharpness < (SOFT if usual is None else max(SOFT, SOFT_SHARE * usual.sharpness))


def _is_still(was: tuple[float, tuple[float, ...]], now: tuple[float, tuple[float, ...]]) -> bool:
    if now[0] - was[0] < STILL_S:
        return False
    apart = np.subtract(was[1], now[1])
    return float(np.sqrt((apart * apart).mean())) < STILL


def _packed(edges: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(edges[0::2] << 4 | edges[1::2], dtype=np.uint8)


def _unpacked(packed: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.stack([packed >> 4, packed & 15], axis=-1).reshape(len(packed), BLOCKS)


Recent = tuple[frozenset[ImageFault], ...]  # of the last three pictures, the newest last


def believed(before: frozenset[ImageFault], recent: Recent) -> frozenset[ImageFault]:
    """A fault begins when two of the last three pictures show it, and ends when two do not."""
    counts: Mapping[ImageFault, int] = {
        fault: sum(fault in one for one in recent) for fault in ImageFault
    }
    return frozenset(
        fault
        for fault, count in counts.items()
        if count >= 2 or (fault in before and len(recent) - count < 2)
    )
