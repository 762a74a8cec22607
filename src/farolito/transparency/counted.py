"""The counts of a period: which there are, which entries they count, what ties them together.

In: a tally of the ledger, alerts by how they stand. Out: cells with their numbers and the sums that
a reader of the page can write down, then the figures with what is too small withheld.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import inf

import msgspec

from farolito.gate.figures import Figure, Tally
from farolito.model import AgencyId, AlertState, Outcome, Purpose
from farolito.transparency.suppress import SMALL, Cell, Sum, hidden

ALL = "all"
REST = "other"
# For which our own people, and those of others, may ask where a plate was.
PURPOSES = (
    Purpose.HOT_LIST_ALERT,
    Purpose.IN_PROGRESS_CALL,
    Purpose.OFFICER_SAFETY,
    Purpose.CRIMINAL_INVESTIGATION,
    Purpose.MISSING_PERSON,
)
SEARCHES, REFUSED, REFUSALS, HITS, OUTCOMES = "searches", "refused", "refusals", "hits", "outcomes"
STANDINGS: Mapping[str, tuple[AlertState, ...]] = {
    "confirmed": (AlertState.CONFIRMED, AlertState.CLOSED),
    "wrong": (AlertState.REJECTED,),
    "recalled": (AlertState.RECALLED,),
    "open": (AlertState.WAITING, AlertState.TAKEN),
}

Where = Mapping[str, str | tuple[str | None, ...] | None]

# A search is the entry that permits it: what other owners answered stands in entries of its own,
# whose reason is the answer (docs/searching.md).
_SEARCH: Where = {
    "act": "read", "thing": "plate_read", "decision": "permit", "reason": "permit",
}  # fmt: skip
_REFUSED: Where = {"act": "read", "thing": "plate_read", "decision": "refusal"}
_REFUSAL: Where = {"decision": "refusal"}


class Count(msgspec.Struct, frozen=True):
    """`where` is None for what no entry of the ledger shows: the records alone do."""

    cell: Cell
    value: int
    where: Where | None = None

    @property
    def name(self) -> str:
        return name_of(self.cell)


class Earlier(msgspec.Struct, frozen=True):
    """A month that is published already. `counts`: as they were counted for it; `shown`: what of
    them was published, by name; None: withheld."""

    period: str
    counts: Mapping[Cell, int]
    shown: Mapping[str, int | None]


class Shown(msgspec.Struct, frozen=True):
    """What may be published. `few`: names of counts under five; others that are None are withheld
    since a smaller one could be reckoned from them."""

    figures: tuple[Figure, ...]
    records: Mapping[str, int | None]
    few: tuple[str, ...]


def name_of(cell: Cell) -> str:
    return "/".join(cell)


def cell_of(name: str) -> Cell:
    table, row, column = name.split("/")
    return table, row, column


def counts_of(
    tally: Tally,
    agencies: Sequence[AgencyId],
    reasons: Sequence[str],
    alerts: Mapping[tuple[str, str], int],
) -> list[Count]:
    """`agencies`: every one that may have asked, so that a row by itself tells nothing; likewise
    `reasons` of refusals. `alerts`: by state and by what was said of them."""
    return [*_searches(tally, agencies), *_refusals(tally, agencies, reasons), *_hits(alerts)]


def _searches(tally: Tally, agencies: Sequence[AgencyId]) -> Iterable[Count]:
    """By purpose and agency, with both margins."""
    rows = _words("purpose", [p.value for p in PURPOSES], _purposes(tally))
    columns = _words("agency", agencies, tally.words("agency"))
    for row, purpose in {ALL: {}, **rows}.items():
        for column, agency in {ALL: {}, **columns}.items():
            where = {**_SEARCH, **purpose, **agency}
            yield Count((SEARCHES, row, column), tally.value(where), where)


def _refusals(
    tally: Tally, agencies: Sequence[AgencyId], reasons: Sequence[str]
) -> Iterable[Count]:
    """Refused searches by agency; everything that was refused, by reason."""
    columns = _words("agency", agencies, tally.words("agency"))
    for agency, which in {ALL: {}, **columns}.items():
        where = {**_REFUSED, **which}
        yield Count((REFUSED, ALL, agency), tally.value(where), where)
    rows = _words("reason", reasons, tally.words("reason"))
    for reason, which in {ALL: {}, **rows}.items():
        where = {**_REFUSAL, **which}
        yield Count((REFUSALS, reason, ALL), tally.value(where), where)


def _hits(alerts: Mapping[tuple[str, str], int]) -> Iterable[Count]:
    """Alerts of hot lists, by how they stand; those that an officer answered, by what it was."""
    yield Count((HITS, ALL, ALL), sum(alerts.values()))
    for name, states in STANDINGS.items():
        yield Count(
            (HITS, name, ALL), sum(n for (state, _), n in alerts.items() if state in states)
        )
    for outcome in Outcome:
        said = sum(n for (_, what), n in alerts.items() if what == outcome.value)
        yield Count((OUTCOMES, outcome.value, ALL), said)


def sums_of(cells: Iterable[Cell]) -> list[Sum]:
    """All that ties one count to another: whatever a reader of the page can write down."""
    known = sorted(set(cells))
    sums = []
    for whole in known:
        table, row, column = whole
        if row == ALL:
            sums.append(_whole(whole, [c for c in known if (c[0], c[2]) == (table, column)]))
        if column == ALL:
            sums.append(_whole(whole, [c for c in known if (c[0], c[1]) == (table, row)]))
    # A refused search is something that was refused.
    sums.append(Sum({(REFUSALS, ALL, ALL): 1, (REFUSED, ALL, ALL): -1}, 0, inf))
    # An officer answers what was confirmed, and may have before the row was taken back.
    answered = {cell: -1 for cell in known if cell[0] == OUTCOMES}
    decided: dict[Cell, int] = {(HITS, "confirmed", ALL): 1, (HITS, "recalled", ALL): 1}
    sums.append(Sum({**decided, **answered}, 0, inf))
    return [one for one in sums if len(one.weights) > 1 and set(one.weights) <= set(known)]


def shown(counts: Sequence[Count], earlier: Sequence[Earlier] = ()) -> Shown:
    """With what is too small withheld, so that nothing gives it away: no sum, no other row, and
    none of the `earlier` months that together make this period."""
    values = {one.cell: one.value for one in counts}
    sums = sums_of(values)
    already = set()
    for month in earlier:
        for cell, value in month.counts.items():
            if month.shown.get(name_of(cell)) is None:
                values[_in(month.period, cell)] = value
                already.add(_in(month.period, cell))
        sums += [_of_month(one, month) for one in sums_of(month.counts)]
    if earlier:
        sums += [_over_months(one, earlier) for one in counts]
    gone = hidden(values, [one for one in sums if one.weights], already)
    return Shown(
        figures=tuple(
            Figure(one.name, one.where, None if one.cell in gone else one.value)
            for one in counts
            if one.where is not None
        ),
        records={
            one.name: None if one.cell in gone else one.value for one in counts if one.where is None
        },
        few=tuple(one.name for one in counts if one.value < SMALL),
    )


def _in(period: str, cell: Cell) -> Cell:
    return (f"{period}:{cell[0]}", cell[1], cell[2])


def _of_month(one: Sum, month: Earlier) -> Sum:
    """A sum of a published month, with what was shown taken over as known."""
    weights: dict[Cell, int] = {}
    known = 0
    for cell, weight in one.weights.items():
        value = month.shown.get(name_of(cell))
        if value is None:
            weights[_in(month.period, cell)] = weight
        else:
            known += weight * value
    return Sum(weights, one.least - known, one.most - known)


def _over_months(whole: Count, earlier: Sequence[Earlier]) -> Sum:
    """What a count of the year is, told by its months. Entries that came late, out of a spool,
    stand in the year alone: that difference counts as known."""
    weights: dict[Cell, int] = {whole.cell: -1}
    known, truth = 0, 0
    for month in earlier:
        value = month.counts.get(whole.cell, 0)
        truth += value
        if whole.cell in month.counts and month.shown.get(whole.name) is None:
            weights[_in(month.period, whole.cell)] = 1
        else:
            known += value
    late = truth - whole.value - known
    return Sum(weights, late, late)


def _words(
    field: str, wanted: Iterable[str], found: Iterable[str | None]
) -> dict[str, dict[str, str | tuple[str | None, ...] | None]]:
    """Which entries count, by each word; whatever else stands there is the rest."""
    rows: dict[str, dict[str, str | tuple[str | None, ...] | None]] = {
        word: {field: word} for word in wanted
    }
    rest = tuple(sorted({word for word in found if word is not None} - set(rows)))
    rows[REST] = {field: (*rest, None)}
    return rows


def _purposes(tally: Tally) -> list[str]:
    return [p.value for p in Purpose if p not in PURPOSES] + tally.words("purpose")


def _whole(whole: Cell, cells: Sequence[Cell]) -> Sum:
    """`whole` is all of the others together."""
    parts: dict[Cell, int] = {cell: 1 for cell in cells if cell != whole}
    return Sum({whole: -1, **parts}, 0, 0)
