"""The figures of shots for everybody: the outcome ledger with what is too small to show hidden."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import inf

import msgspec

from farolito.desk.shot_record import figures
from farolito.model import ShotFigures, ShotRecord, SoundKind
from farolito.transparency.suppress import SMALL, Cell, Sum, hidden

HOURS = tuple(f"{hour:02d}" for hour in range(24))
KINDS = (*(kind.value for kind in SoundKind), "unreviewed")
OUTCOMES = ("confirmed", "unfounded", "unknown", "open")
BROKEN_DOWN = ("alerts", "confirmed", "misses")  # the columns of zones and hours

Count = int | str | None
"""A number; "<5"; or None: withheld, since a smaller one could be computed from it."""

SMALL_MARK = f"<{SMALL}"


class PublicShare(msgspec.Struct, frozen=True):
    """A share with its 95 % interval, 0…1."""

    share: float
    low: float
    high: float


class PublicTotal(msgspec.Struct, frozen=True, kw_only=True):
    """All alerts of the period. Shares are None where one of their counts is hidden."""

    alerts: Count
    confirmed: Count
    unfounded: Count
    unknown: Count
    open: Count
    misses: Count
    confirmed_of_all: PublicShare | None
    precision: PublicShare | None
    found: PublicShare | None


class PublicRow(msgspec.Struct, frozen=True, kw_only=True):
    """One zone, or one hour of the day ("22": 22:00 to 22:59)."""

    name: str
    alerts: Count
    confirmed: Count
    misses: Count
    confirmed_of_all: PublicShare | None
    found: PublicShare | None


class PublicKind(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    alerts: Count


class PublicFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What is published. `by_zone` is empty while there is too little to tell."""

    agency: str
    since: datetime
    until: datetime
    smallest_shown: int
    all: PublicTotal
    by_zone: tuple[PublicRow, ...]
    by_hour: tuple[PublicRow, ...]
    by_kind: tuple[PublicKind, ...]


def public_figures(record: ShotRecord, agency: str) -> PublicFigures:
    """A record with small counts hidden, so that no sum, row or table gives one of them away."""
    total = record.all
    zones = record.by_zone if max(total.alerts, total.misses) >= SMALL else ()
    hours = _every_hour(record.by_hour)
    kinds = {one.name: one.alerts for one in record.by_kind}
    counts: dict[Cell, int] = {
        ("all", "", name): getattr(total, name) for name in ("alerts", *OUTCOMES, "misses")
    }
    for table, rows in (("zone", zones), ("hour", hours)):
        counts |= {
            (table, one.name, name): getattr(one, name) for one in rows for name in BROKEN_DOWN
        }
    for kind in KINDS:
        counts["kind", kind, "alerts"] = kinds.get(kind, 0)
    shown = _Shown(counts, hidden(counts, _known(counts, zones, hours)))
    return PublicFigures(
        agency=agency,
        since=record.since,
        until=record.until,
        smallest_shown=SMALL,
        all=PublicTotal(
            **{name: shown.count("all", "", name) for name in ("alerts", *OUTCOMES, "misses")},
            confirmed_of_all=shown.share("all", total, "confirmed_of_all", "alerts"),
            precision=shown.share("all", total, "precision", "unfounded"),
            found=shown.share("all", total, "found", "misses"),
        ),
        by_zone=tuple(shown.row("zone", one) for one in zones),
        by_hour=tuple(shown.row("hour", one) for one in hours),
        by_kind=tuple(
            PublicKind(name=kind, alerts=shown.count("kind", kind, "alerts")) for kind in KINDS
        ),
    )


class _Shown:
    """Counts and shares as they may be shown."""

    def __init__(self, counts: Mapping[Cell, int], gone: frozenset[Cell]) -> None:
        self._counts = counts
        self._gone = gone

    def count(self, table: str, row: str, column: str) -> Count:
        cell = (table, row, column)
        if cell not in self._gone:
            return self._counts[cell]
        return SMALL_MARK if self._counts[cell] < SMALL else None

    def share(self, table: str, of: ShotFigures, name: str, beside: str) -> PublicShare | None:
        """A share of confirmed ones, where it says nothing that the counts do not."""
        told = getattr(of, name)
        cells = {(table, of.name, "confirmed"), (table, of.name, beside)}
        if cells & self._gone or told.share is None:
            return None
        return PublicShare(round(told.share, 4), round(told.low, 4), round(told.high, 4))

    def row(self, table: str, of: ShotFigures) -> PublicRow:
        return PublicRow(
            name=of.name,
            **{name: self.count(table, of.name, name) for name in BROKEN_DOWN},
            confirmed_of_all=self.share(table, of, "confirmed_of_all", "alerts"),
            found=self.share(table, of, "found", "misses"),
        )


def _every_hour(told: Iterable[ShotFigures]) -> Sequence[ShotFigures]:
    """All hours of the day: one that is left out would be a zero told."""
    known = {one.name: one for one in told}
    return [known.get(hour) or figures(hour, [], 0) for hour in HOURS]


def _known(
    counts: Mapping[Cell, int], zones: Sequence[ShotFigures], hours: Sequence[ShotFigures]
) -> list[Sum]:
    """All that ties one count to another: whatever a reader of the page can write down."""
    alerts: Cell = ("all", "", "alerts")
    sums = [
        Sum({alerts: -1, **{("all", "", name): 1 for name in OUTCOMES}}),
        Sum({alerts: -1, ("kind", SoundKind.GUNSHOT.value, "alerts"): 1}),
    ]
    for table, rows in (("zone", zones), ("hour", hours)):
        for column in BROKEN_DOWN if rows else ():
            parts = {(table, one.name, column): 1 for one in rows}
            sums.append(Sum({("all", "", column): -1, **parts}))
        for one in rows:
            mine: dict[Cell, int] = {
                (table, one.name, "alerts"): 1, (table, one.name, "confirmed"): -1
            }  # fmt: skip
            sums.append(Sum(mine, 0, inf))
    # A zone is listed because it had an alert or a miss.
    sums += [
        Sum({("zone", one.name, "alerts"): 1, ("zone", one.name, "misses"): 1}, 1, inf)
        for one in zones
    ]
    assert all(
        one.least <= sum(n * counts[cell] for cell, n in one.weights.items()) <= one.most
        for one in sums
    ), "the figures of a record add up"
    return sums
