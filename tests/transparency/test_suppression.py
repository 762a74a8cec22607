"""A count under five cannot be had from the public figures, by whatever sum."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from functools import cache
from math import inf

import pytest

from farolito.model import ShotRecord
from farolito.transparency import SMALL, PublicFigures, public_figures
from farolito.transparency.shots import BROKEN_DOWN, OUTCOMES, Count
from farolito.transparency.suppress import Cell, Sum, hidden
from tests.transparency.made_up import UNTIL, Case, made_up, record

Range = tuple[float, float]
SEEDS = range(15)


@cache
def made(seed: int) -> tuple[ShotRecord, PublicFigures]:
    """A record by chance, and what is published of it."""
    told = made_up(random.Random(seed))
    return told, public_figures(told, "City Police")


def cells(figures: PublicFigures) -> dict[Cell, Count]:
    """Every count of the page, by where it stands."""
    shown: dict[Cell, Count] = {
        ("all", "", name): getattr(figures.all, name) for name in ("alerts", *OUTCOMES, "misses")
    }
    for table, rows in (("zone", figures.by_zone), ("hour", figures.by_hour)):
        shown |= {
            (table, row.name, name): getattr(row, name) for row in rows for name in BROKEN_DOWN
        }
    return shown | {("kind", one.name, "alerts"): one.alerts for one in figures.by_kind}


def sums(figures: PublicFigures) -> Iterator[tuple[Cell, list[Cell]]]:
    """What adds up on the page: a count, and those that it is the sum of."""
    yield ("all", "", "alerts"), [("all", "", name) for name in OUTCOMES]
    yield ("all", "", "alerts"), [("kind", "gunshot", "alerts")]
    for table, rows in (("zone", figures.by_zone), ("hour", figures.by_hour)):
        for name in BROKEN_DOWN if rows else ():
            yield ("all", "", name), [(table, row.name, name) for row in rows]


def narrowed(figures: PublicFigures) -> dict[Cell, Range]:
    """What a patient reader with a pencil knows of each count: bounds drawn through every sum
    until nothing moves any more."""
    known: dict[Cell, Range] = {}
    for cell, count in cells(figures).items():
        if isinstance(count, int):
            known[cell] = (count, count)
        else:
            known[cell] = (0, SMALL - 1) if count else (SMALL, inf)
    tables = [("zone", figures.by_zone), ("hour", figures.by_hour)]
    while True:
        before = dict(known)
        for whole, parts in sums(figures):
            narrow(known, whole, parts)
        for table, rows in tables:
            for row in rows:
                alerts, confirmed = (table, row.name, "alerts"), (table, row.name, "confirmed")
                known[alerts] = (max(known[alerts][0], known[confirmed][0]), known[alerts][1])
                known[confirmed] = (known[confirmed][0], min(known[confirmed][1], known[alerts][1]))
        if known == before:
            return known


def narrow(known: dict[Cell, Range], whole: Cell, parts: list[Cell]) -> None:
    least, most = (sum(known[part][end] for part in parts) for end in (0, 1))
    known[whole] = (max(known[whole][0], least), min(known[whole][1], most))
    for part in parts:
        low, high = known[part]
        others_most = sum(known[one][1] for one in parts if one != part)
        others_least = least - low
        known[part] = (
            max(low, known[whole][0] - others_most),
            min(high, known[whole][1] - others_least),
        )
        least += known[part][0] - low


@pytest.mark.parametrize("seed", SEEDS)
def test_a_reader_with_a_pencil_finds_no_small_count(seed: int) -> None:
    _, figures = made(seed)
    small = [cell for cell, count in cells(figures).items() if count == f"<{SMALL}"]
    known = narrowed(figures)
    told = [(cell, known[cell]) for cell in small if known[cell][0] >= known[cell][1]]
    assert told == [], f"seed {seed}"


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_shown_is_true_and_never_small(seed: int) -> None:
    told, figures = made(seed)
    true = {("all", "", name): getattr(told.all, name) for name in ("alerts", *OUTCOMES, "misses")}
    for table, rows in (("zone", told.by_zone), ("hour", told.by_hour)):
        true |= {
            (table, row.name, name): getattr(row, name) for row in rows for name in BROKEN_DOWN
        }
    true |= {("kind", row.name, "alerts"): row.alerts for row in told.by_kind}
    for cell, count in cells(figures).items():
        if isinstance(count, int):
            assert count >= SMALL
            assert count == true[cell]
        elif count is None:
            assert true[cell] >= SMALL, "withheld only beside a small one"
        else:
            assert true.get(cell, 0) < SMALL


@pytest.mark.parametrize("seed", SEEDS)
def test_a_share_is_told_only_where_its_counts_are(seed: int) -> None:
    _, figures = made(seed)
    for row in (*figures.by_zone, *figures.by_hour):
        for share, beside in ((row.confirmed_of_all, row.alerts), (row.found, row.misses)):
            if share is not None:
                assert isinstance(row.confirmed, int)
                assert isinstance(beside, int)
    total = figures.all
    if total.precision is not None:
        assert isinstance(total.confirmed, int)
        assert isinstance(total.unfounded, int)


def tables(rows: int, columns: int) -> list[Sum]:
    """Rows and columns that add up to their totals."""
    found = []
    for i in range(rows):
        parts: dict[Cell, int] = {("t", str(i), str(j)): 1 for j in range(columns)}
        found.append(Sum({**parts, ("t", str(i), "sum"): -1}))
    for j in range(columns):
        parts = {("t", str(i), str(j)): 1 for i in range(rows)}
        found.append(Sum({**parts, ("t", "sum", str(j)): -1}))
    return found


def possible(counts: Mapping[Cell, int], gone: frozenset[Cell]) -> dict[Cell, set[int]]:
    """Every value that each hidden count has in some table that reads the same: all are tried."""
    inner = [cell for cell in counts if "sum" not in cell]
    top = max(counts[cell] for cell in inner) + 3
    seen: dict[Cell, set[int]] = {cell: set() for cell in gone}
    for values in itertools.product(*(_range(counts, gone, cell, top) for cell in inner)):
        tried = with_sums(dict(zip(inner, values, strict=True)))
        if all(tried[cell] in _range(counts, gone, cell, 99) for cell in counts):
            for cell in gone:
                seen[cell].add(tried[cell])
    return seen


def _range(counts: Mapping[Cell, int], gone: frozenset[Cell], cell: Cell, top: int) -> range:
    """What the page says of a count: itself, that it is small, or that it is not."""
    count = counts[cell]
    if cell not in gone:
        return range(count, count + 1)
    return range(SMALL) if count < SMALL else range(SMALL, top)


def with_sums(inner: Mapping[Cell, int]) -> dict[Cell, int]:
    counts = dict(inner)
    for (table, row, column), count in inner.items():
        for whole in ((table, row, "sum"), (table, "sum", column)):
            counts[whole] = counts.get(whole, 0) + count
    return counts


@pytest.mark.parametrize("seed", range(30))
def test_no_table_that_reads_the_same_has_to_have_the_same_small_count(seed: int) -> None:
    """A small table with totals both ways, and every table that could stand behind it."""
    rng = random.Random(seed)
    inner: dict[Cell, int] = {
        ("t", str(i), str(j)): rng.choice([0, 1, 4, 5, 7]) for i in range(2) for j in range(2)
    }
    counts = with_sums(inner)
    gone = hidden(counts, tables(2, 2))
    assert {cell for cell, count in counts.items() if count < SMALL} <= gone
    for cell, values in possible(counts, gone).items():
        if counts[cell] < SMALL:
            assert len(values) > 1, f"seed {seed}: {cell} can only be {values}"


def test_where_nothing_is_small_nothing_is_hidden() -> None:
    counts: dict[Cell, int] = {("t", "a", "n"): 7, ("t", "b", "n"): 6, ("t", "sum", "n"): 13}
    ties = [Sum({("t", "a", "n"): 1, ("t", "b", "n"): 1, ("t", "sum", "n"): -1})]
    assert hidden(counts, ties) == frozenset()


def test_one_small_count_takes_the_next_one_with_it_and_leaves_the_total() -> None:
    counts: dict[Cell, int] = {
        ("t", "a", "n"): 3, ("t", "b", "n"): 6, ("t", "c", "n"): 40, ("all", "", "n"): 49,
    }  # fmt: skip
    ties = [Sum({**dict.fromkeys([("t", x, "n") for x in "abc"], 1), ("all", "", "n"): -1})]
    assert hidden(counts, ties) == {("t", "a", "n"), ("t", "b", "n")}


def test_a_city_without_a_shot_tells_no_zero() -> None:
    figures = public_figures(record([]), "City Police")
    assert set(cells(figures).values()) == {f"<{SMALL}"}
    assert figures.by_zone == ()


def test_a_large_city_is_not_hidden_away() -> None:
    hours = [UNTIL.replace(year=2026, month=6, hour=n) for n in range(24)]
    cases = [Case(hours[n % 24], "ABCD"[n % 4] + "1") for n in range(960)]
    figures = public_figures(record(cases), "City Police")
    assert figures.all.alerts == 960
    assert figures.all.open is None, "else it would tell that nothing has an outcome"
    assert [row.alerts for row in figures.by_zone] == [240] * 4
    assert [row.alerts for row in figures.by_hour] == [40] * 24
