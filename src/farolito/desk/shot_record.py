"""The outcome ledger: how good the alerts of shots were, told both ways. Plain functions.

City audits found what a vendor's own figure leaves out: an alert without evidence is not known to
be right, and a shooting without an alert is not in the alerts at all. So every class of cases has
its confirmed share *and* its known misses, and each share its interval.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from math import sqrt
from typing import Protocol

from farolito.model import Level, Share, ShotFigures, ShotOutcome, ShotRecord, SoundKind

Z_95 = 1.959964  # of the normal distribution: 95 % lie within as many standard deviations
UNREVIEWED = "unreviewed"
HOURS = 24
COLUMNS = (
    "by", "name", "alerts", "confirmed", "unfounded", "unknown", "open", "misses",
    "precision", "precision_low", "precision_high",
    "confirmed_of_all", "confirmed_of_all_low", "confirmed_of_all_high",
    "found", "found_low", "found_high",
)  # fmt: skip

Missed = tuple[datetime, str]  # when, and in which zone


class Case(Protocol):
    """What the figures need of an alert."""

    @property
    def discharged_at(self) -> datetime: ...
    @property
    def zone(self) -> str: ...
    @property
    def level(self) -> Level: ...
    @property
    def reviewed_as(self) -> SoundKind | None: ...
    @property
    def outcome(self) -> ShotOutcome | None: ...


def record_of(
    cases: Sequence[Case],
    missed: Sequence[Missed],
    since: datetime,
    until: datetime,
    hours_of: tzinfo,
) -> ShotRecord:
    """Figures of a period: of all, by zone, by local hour, by what a person heard.

    `cases` and `missed` are those of the period, every alert that was raised, quiet ones too.

    An *alert* of `all`, of a zone and of an hour is one that a person let through as gunfire:
    what officers were sent to. *Misses* are the shootings that somebody wrote down as missed, and
    those of alerts that were turned away or never put before a person, of which casings, a
    victim, a video or a witness said later that they were real. By kind, an alert is one that was
    put before a person or reviewed, and belongs to what was heard in it last, `unreviewed` where
    nobody listened; a miss has no kind, so nothing is said of those found.
    """
    let_through = [case for case in cases if case.reviewed_as is SoundKind.GUNSHOT]
    turned_away = [
        (case.discharged_at, case.zone)
        for case in cases
        if case.reviewed_as is not SoundKind.GUNSHOT and case.outcome and case.outcome.confirms
    ]
    misses = [*missed, *turned_away]
    zones = sorted({case.zone for case in let_through} | {zone for _, zone in misses})
    return ShotRecord(
        since=since,
        until=until,
        all=figures("", let_through, len(misses)),
        by_zone=tuple(
            figures(
                zone,
                [case for case in let_through if case.zone == zone],
                sum(1 for _, where in misses if where == zone),
            )
            for zone in zones
        ),
        by_hour=tuple(_by_hour(let_through, misses, hours_of)),
        by_kind=tuple(_by_kind(cases)),
    )


def figures(name: str, cases: Sequence[Case], misses: int | None) -> ShotFigures:
    """Counts and shares of one class of cases. `misses` None: they are not told of this class.

    `precision` = confirmed / (confirmed + unfounded): those of unknown and open outcome are left
    out, which flatters wherever nobody looked. `confirmed_of_all` = confirmed / alerts, as the
    audits of Chicago (OIG 2021) and New York (Comptroller FP23-074A) count: it calls an alert
    without evidence unconfirmed, which is not the same as false. `found` = confirmed /
    (confirmed + misses): of the shootings that are known by whatever way, those with an alert
    that officers were sent to.
    """
    confirmed = sum(1 for case in cases if case.outcome and case.outcome.confirms)
    unfounded = sum(1 for case in cases if _is_unfounded(case.outcome))
    unknown = sum(1 for case in cases if case.outcome is ShotOutcome.UNKNOWN)
    return ShotFigures(
        name=name,
        alerts=len(cases),
        confirmed=confirmed,
        unfounded=unfounded,
        unknown=unknown,
        open=len(cases) - confirmed - unfounded - unknown,
        misses=misses or 0,
        precision=share(confirmed, confirmed + unfounded),
        confirmed_of_all=share(confirmed, len(cases)),
        found=share(0, 0) if misses is None else share(confirmed, confirmed + misses),
    )


def share(yes: int, of: int) -> Share:
    """A share with its 95 % score interval: E. B. Wilson, "Probable inference, the law of
    succession, and statistical inference", J. Am. Stat. Assoc. 22 (1927) 209–212.

    It stays within 0…1 and says how little a few cases tell, as p ± 1.96 sd does not.
    """
    if of == 0:
        return Share(yes=yes, of=of)
    p, z2 = yes / of, Z_95 * Z_95
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = Z_95 / (1 + z2 / of) * sqrt(p * (1 - p) / of + z2 / (4 * of * of))
    return Share(yes=yes, of=of, share=p, low=max(0.0, middle - half), high=min(1.0, middle + half))


def table(record: ShotRecord) -> list[Mapping[str, str | int | float | None]]:
    """The record as rows with `COLUMNS`: all, then each zone, hour and kind."""
    classes = {
        "all": (record.all,),
        "zone": record.by_zone,
        "hour": record.by_hour,
        "kind": record.by_kind,
    }
    return [_row(by, one) for by, group in classes.items() for one in group]


def csv_of(record: ShotRecord) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table(record))
    return text.getvalue()


def _row(by: str, one: ShotFigures) -> Mapping[str, str | int | float | None]:
    row: dict[str, str | int | float | None] = {
        "by": by, "name": _plain(one.name), "alerts": one.alerts, "confirmed": one.confirmed,
        "unfounded": one.unfounded, "unknown": one.unknown, "open": one.open,
        "misses": one.misses,
    }  # fmt: skip
    shares = {
        "precision": one.precision,
        "confirmed_of_all": one.confirmed_of_all,
        "found": one.found,
    }
    for name, of in shares.items():
        row |= {name: of.share, f"{name}_low": of.low, f"{name}_high": of.high}
    return row


def _plain(name: str) -> str:
    """A beat's name comes from a file: a spreadsheet must not take it for a formula."""
    return f"'{name}" if name[:1] in {"=", "+", "-", "@", "\t"} else name


def _is_unfounded(outcome: ShotOutcome | None) -> bool:
    return outcome in (ShotOutcome.FIREWORKS, ShotOutcome.NOTHING_FOUND)


def _by_hour(
    cases: Sequence[Case], misses: Sequence[Missed], hours_of: tzinfo
) -> Iterable[ShotFigures]:
    for hour in range(HOURS):
        mine = [case for case in cases if case.discharged_at.astimezone(hours_of).hour == hour]
        missed = sum(1 for at, _ in misses if at.astimezone(hours_of).hour == hour)
        if mine or missed:
            yield figures(f"{hour:02d}", mine, missed)


def _by_kind(cases: Sequence[Case]) -> Iterable[ShotFigures]:
    for kind in (*SoundKind, None):
        mine = [
            case
            for case in cases
            if case.reviewed_as is kind and (kind is not None or case.level <= Level.P2)
        ]
        if mine:
            yield figures(UNREVIEWED if kind is None else kind.value, mine, None)
