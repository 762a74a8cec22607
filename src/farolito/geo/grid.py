"""A grid of square cells that finds what lies near a place without looking at everything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import floor

from farolito.geo.distance import XY


class Grid:
    """Numbers (of segments, nodes, …) by the cells their boxes touch. Metres of one plane."""

    def __init__(self, cell_m: float) -> None:
        self._cell_m = cell_m
        self._cells: dict[tuple[int, int], list[int]] = {}

    def add(self, number: int, corner: XY, opposite: XY) -> None:
        """Put `number` in every cell of the box between two corners."""
        for cell in self._cells_of(corner, opposite):
            self._cells.setdefault(cell, []).append(number)

    def within(self, at: XY, radius_m: float) -> set[int]:
        """Everything that may be nearer than `radius_m`, and some that is not."""
        low = (at[0] - radius_m, at[1] - radius_m)
        high = (at[0] + radius_m, at[1] + radius_m)
        found: set[int] = set()
        for cell in self._cells_of(low, high):
            found.update(self._cells.get(cell, ()))
        return found

    def nearest(
        self, at: XY, off_m: Callable[[int], float], within_m: float
    ) -> tuple[int, float] | None:
        """The number whose `off_m` is least, and that distance; None when all are farther.

        Looks in a square that doubles until nothing outside can be nearer. Ties go to the
        lower number, so that the same map gives the same answer.
        """
        radius_m = self._cell_m / 4  # most places asked for are on or beside a street
        while True:
            radius_m = min(radius_m, within_m)
            best = _least(self.within(at, radius_m), off_m)
            if best is not None and best[1] <= radius_m:
                return best
            if radius_m >= within_m:
                return None
            radius_m *= 2

    def _cells_of(self, corner: XY, opposite: XY) -> Iterator[tuple[int, int]]:
        x0, x1 = sorted((corner[0], opposite[0]))
        y0, y1 = sorted((corner[1], opposite[1]))
        for i in range(floor(x0 / self._cell_m), floor(x1 / self._cell_m) + 1):
            for j in range(floor(y0 / self._cell_m), floor(y1 / self._cell_m) + 1):
                yield i, j


def _least(numbers: Iterable[int], off_m: Callable[[int], float]) -> tuple[int, float] | None:
    best = min(((off_m(number), number) for number in numbers), default=None)
    return None if best is None else (best[1], best[0])
