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


class Counts(msgspec.Struct, frozen=True):
    """All counts of a period, and what ties them together."""

    counts: tuple[Count, ...]
    sums: tuple[Sum, ...]

    @property
    def values(self) -> dict[Cell, int]:
        return {one.cell: one.value for one in self.counts}


class Earlier(msgspec.Struct, frozen=True):
    """A month that is published already. `shown`: its figures by name; None: withheld."""

    period: str
    shown: Mapping[str, int | None]
    counts: Counts


class Shown(msgspec.Struct, frozen=True):
    """What may be published. `few`: names of counts under five; others that are None are withheld
    since a smaller one could be reckoned from them."""

    figures: tuple[Figure, ...]
    records: Mapping[str, int | None]
    few: tuple[str, ...]


def name_of(cell: Cell) -> str:
    return "/".join(cell)


def counts_of(
    tally: Tally,
    agencies: Sequence[AgencyId],
    reasons: Sequence[str],
    alerts: Mapping[tuple[str, str], int],
) -> Counts:
    """`agencies`: every one that may have asked, so that a row by itself tells nothing; likewise
    `reasons` of refusals."""
    searches = _searches(tally, agencies)
    refusals = _refusals(tally, agencies, reasons)
    return Counts(
        (*searches.counts, *refusals.counts, *(hits := _hits(alerts)).counts),
        (*searches.sums, *refusals.sums, *hits.sums),
    )


def _searches(tally: Tally, agencies: Sequence[AgencyId]) -> Counts:
    """By purpose and agency, with both margins."""
    rows = _words("purpose", [p.value for p in PURPOSES], _purposes(tally))
    columns = _words("agency", agencies, tally.words("agency"))
    counts = []
    for row, purpose in {ALL: {}, **rows}.items():
        for column, agency in {ALL: {}, **columns}.items():
            where = {**_SEARCH, **purpose, **agency}
            counts.append(Count((SEARCHES, row, column), tally.value(where), where))
    sums = [_whole(SEARCHES, [(row, c) for c in columns], (row, ALL)) for row in (ALL, *rows)]
    sums += [_whole(SEARCHES, [(r, column) for r in rows], (ALL, column)) for column in columns]
    sums.append(_whole(SEARCHES, [(r, ALL) for r in rows], (ALL, ALL)))
    return Counts(tuple(counts), tuple(sums))


def _refusals(tally: Tally, agencies: Sequence[AgencyId], reasons: Sequence[str]) -> Counts:
    """Refused searches by agency; everything that was refused, by reason."""
    columns = _words("agency", agencies, tally.words("agency"))
    rows = _words("reason", reasons, tally.words("reason"))
    counts = []
    for agency, which in {ALL: {}, **columns}.items():
        where = {**_REFUSED, **which}
        counts.append(Count((REFUSED, ALL, agency), tally.value(where), where))
    for reason, which in {ALL: {}, **rows}.items():
        where = {**_REFUSAL, **which}
        counts.append(Count((REFUSALS, reason, ALL), tally.value(where), where))
    sums = [
        _whole(REFUSED, [(ALL, column) for column in columns], (ALL, ALL)),
        _whole(REFUSALS, [(row, ALL) for row in rows], (ALL, ALL)),
        Sum({(REFUSALS, ALL, ALL): 1, (REFUSED, ALL, ALL): -1}, 0, inf),
    ]
    return Counts(tuple(counts), tuple(sums))


def _hits(alerts: Mapping[tuple[str, str], int]) -> Counts:
    """Alerts of hot lists, by how they stand; those that an officer answered, by what it was."""
    by_state = {
        name: sum(n for (state, _), n in alerts.items() if state in states)
        for name, states in STANDINGS.items()
    }
    said = {
        outcome.value: sum(n for (_, what), n in alerts.items() if what == outcome.value)
        for outcome in Outcome
    }
    counts = [Count((HITS, ALL, ALL), sum(by_state.values()))]
    counts += [Count((HITS, name, ALL), n) for name, n in by_state.items()]
    counts += [Count((OUTCOMES, name, ALL), n) for name, n in said.items()]
    # An officer answers what was confirmed, and may have before the row was taken back.
    answered: dict[Cell, int] = {(OUTCOMES, name, ALL): -1 for name in said}
    known = {(HITS, "confirmed", ALL): 1, (HITS, "recalled", ALL): 1, **answered}
    sums = [_whole(HITS, [(name, ALL) for name in by_state], (ALL, ALL)), Sum(known, 0, inf)]
    return Counts(tuple(counts), tuple(sums))


def shown(counts: Counts, earlier: Sequence[Earlier] = ()) -> Shown:
    """With what is too small withheld, so that nothing gives it away: no sum, no other row, and
    none of the `earlier` months that together make this period."""
    values, sums, already = dict(counts.values), list(counts.sums), set()
    for month in earlier:
        told = {one.cell: one.value for one in month.counts.counts}
        for cell, value in told.items():
            if month.shown.get(name_of(cell), value) is None:
                values[_in(month.period, cell)] = value
                already.add(_in(month.period, cell))
        sums += [_of_month(one, month, told) for one in month.counts.sums]
    if earlier:
        sums += [_over_months(one, earlier) for one in counts.counts]
    gone = hidden(values, [one for one in sums if one.weights], already)
    few = [one.name for one in counts.counts if one.value < SMALL]
    return Shown(
        figures=tuple(
            Figure(one.name, one.where, None if one.cell in gone else one.value)
            for one in counts.counts
            if one.where is not None
        ),
        records={
            one.name: None if one.cell in gone else one.value
            for one in counts.counts
            if one.where is None
        },
        few=tuple(few),
    )


def _in(period: str, cell: Cell) -> Cell:
    return (f"{period}:{cell[0]}", cell[1], cell[2])


def _of_month(one: Sum, month: Earlier, told: Mapping[Cell, int]) -> Sum:
    """A sum of a published month, with what was shown taken over as known."""
    weights: dict[Cell, int] = {}
    known, truth = 0, 0
    for cell, weight in one.weights.items():
        value = month.shown.get(name_of(cell), told[cell])
        truth += weight * (told[cell] if value is None else value)
        if value is None:
            weights[_in(month.period, cell)] = weight
        else:
            known += weight * value
    least, most = (one.least, one.most) if one.least != one.most else (truth, truth)
    return Sum(weights, min(least, truth) - known, max(most, truth) - known)


def _over_months(whole: Count, earlier: Sequence[Earlier]) -> Sum:
    """What a count of the year is, told by its months. Entries that came late, out of a spool,
    stand in the year alone: that difference counts as known."""
    weights: dict[Cell, int] = {whole.cell: -1}
    known, truth = 0, 0
    for month in earlier:
        mine = next((one.value for one in month.counts.counts if one.cell == whole.cell), 0)
        value = month.shown.get(whole.name, mine)
        truth += mine if value is None else value
        if value is None:
            weights[_in(month.period, whole.cell)] = 1
        else:
            known += value
    late = truth - whole.value
    return Sum(weights, late - known, late - known)


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


def _whole(table: str, parts: Iterable[tuple[str, str]], whole: tuple[str, str]) -> Sum:
    weights: dict[Cell, int] = {(table, *part): 1 for part in parts}
    return Sum({(table, *whole): -1, **weights})
