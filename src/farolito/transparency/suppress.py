"""Hiding small counts so that nobody computes them from those that stand beside them.

A count under five is hidden first. Then every hidden count is attacked as an outsider would: with
the totals, the other tables, and the bounds that the marks themselves tell. While one of them has
only one possible value, a further count beside it is hidden as well. (Primary and secondary cell
suppression: A. Hundepool et al., Statistical Disclosure Control, Wiley 2012, chapter 4.)

The attack is an integer program, which HiGHS solves exactly. Some 150 unknowns, as many programs
at worst of a few milliseconds each; one answer settles many counts, so a year takes under a second.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

SMALL = 5  # counts under it are hidden

_FARTHEST = 100.0  # from the truth; an end, so that every program has one

Cell = tuple[str, str, str]  # table, row, column


class Sum(NamedTuple):
    """`least` ≤ Σ weight · count ≤ `most`: what the reader of the page knows to be so."""

    weights: Mapping[Cell, int]
    least: float = 0.0
    most: float = 0.0

    def is_whole(self, cell: Cell) -> bool:
        """Whether the others add up to it."""
        return self.least == self.most and self.weights[cell] < 0


def hidden(
    counts: Mapping[Cell, int], sums: Sequence[Sum], already: Collection[Cell] = ()
) -> frozenset[Cell]:
    """The counts not to be shown: the small ones, and those that would give one away.

    `counts` must satisfy `sums`. A hidden count under `SMALL` may be marked as such; one that is
    hidden beside it is known to be no smaller. `already`: counts that were withheld elsewhere
    before; they stay hidden, and are not given away either.
    """
    gone = {cell for cell, count in counts.items() if count < SMALL} | set(already)
    # What may be otherwise stays so while more is hidden: a table that reads the same still does.
    safe: set[Cell] = set()
    for cell in sorted(gone):
        while cell not in safe:
            other = _Attack(counts, sums, gone).another(cell)
            beside = _beside(cell, counts, sums, gone)
            if other is not None:
                safe |= other
            elif beside is not None:
                gone.add(beside)
            else:
                break  # all is hidden, so that nothing is left to compute it from
    return frozenset(gone)


def _beside(
    cell: Cell, counts: Mapping[Cell, int], sums: Sequence[Sum], gone: Collection[Cell]
) -> Cell | None:
    """What to hide besides: of the counts that it adds up with, one of its own table before one
    of another, a part before a whole, and the least; where all those are hidden, any."""
    shown = [
        (other[0] != cell[0], one.is_whole(other), counts[other], other)
        for one in sums
        if cell in one.weights
        for other in one.weights
        if other not in gone
    ]
    rest = [(True, True, count, other) for other, count in counts.items() if other not in gone]
    return min(shown or rest)[-1] if shown or rest else None


class _Attack:
    """The program of somebody who knows the page: unknowns are the hidden counts."""

    def __init__(
        self, counts: Mapping[Cell, int], sums: Sequence[Sum], gone: Collection[Cell]
    ) -> None:
        self._cells = sorted(gone)
        self._true = np.array([counts[cell] for cell in self._cells], float)
        self._least = np.where(self._true < SMALL, 0.0, SMALL)
        self._most = np.where(self._true < SMALL, SMALL - 1.0, np.inf)
        at = {cell: i for i, cell in enumerate(self._cells)}
        rows, low, high = [], [], []
        for one in sums:
            row = np.zeros(len(self._cells))
            known = 0.0
            for cell, weight in one.weights.items():
                if cell in at:
                    row[at[cell]] += weight
                else:
                    known += weight * counts[cell]
            if row.any():
                rows.append(row)
                low.append(one.least - known)
                high.append(one.most - known)
        self._sums = LinearConstraint(np.array(rows), low, high) if rows else None
        # Half of them down and half of them up: an answer that differs in much settles much.
        self._lean = np.where(np.arange(len(self._cells)) % 2 == 0, 1.0, -1.0)

    def another(self, cell: Cell) -> set[Cell] | None:
        """The cells that differ from the truth in some table that reads the same and in which
        this one does; None where there is no such table."""
        i = self._cells.index(cell)
        for least, most in (
            (self._least[i], self._true[i] - 1),
            (self._true[i] + 1, self._most[i]),
        ):
            if least > most:
                continue
            low, high = self._least.copy(), np.minimum(self._most, self._true + _FARTHEST)
            low[i], high[i] = least, most
            found = milp(
                self._lean,
                integrality=np.ones(len(self._cells)),
                bounds=Bounds(low, high),
                constraints=self._sums,
            )
            if found.success:
                differs = np.rint(found.x) != self._true
                return {one for one, is_other in zip(self._cells, differs, strict=True) if is_other}
        return None
