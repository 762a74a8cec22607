"""Months and years of the agency's own clock, by the names they are published under."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo

import msgspec

from farolito.model import Invalid

GRACE = timedelta(days=1)  # entries that waited in a spool come in before a month is counted
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_YEAR = re.compile(r"\d{4}")


class Period(msgspec.Struct, frozen=True):
    """[since, until), whole days of the agency's own time; or, in a demo, up to a moment."""

    name: str
    since: datetime
    until: datetime

    @property
    def is_year(self) -> bool:
        return "-" not in self.name

    def is_over(self, now: datetime) -> bool:
        return now >= self.until + GRACE


def month(year: int, number: int, hours_of: tzinfo) -> Period:
    """`number`: 1…12; more of them run on into the next year, fewer back."""
    year, number = year + (number - 1) // 12, (number - 1) % 12 + 1
    after_year, after = year + number // 12, number % 12 + 1
    return Period(
        f"{year:04d}-{number:02d}",
        datetime(year, number, 1, tzinfo=hours_of),
        datetime(after_year, after, 1, tzinfo=hours_of),
    )


def period_of(name: str, hours_of: tzinfo) -> Period:
    """Of "2026-10" or "2026". Raises Invalid."""
    found = _MONTH.fullmatch(name)
    try:
        if found:
            return month(int(found[1]), int(found[2]), hours_of)
        if _YEAR.fullmatch(name):
            first, after = datetime(int(name), 1, 1), datetime(int(name) + 1, 1, 1)  # noqa: DTZ001
            return Period(name, first.replace(tzinfo=hours_of), after.replace(tzinfo=hours_of))
    except ValueError as error:
        raise Invalid(f"a period {name!r}", "write a month as 2026-10, a year as 2026") from error
    raise Invalid(f"a period {name!r}", "write a month as 2026-10, a year as 2026")


def months_of(whole: Period) -> list[Period]:
    """The months of a year, in order."""
    zone = whole.since.tzinfo
    assert zone is not None, "periods have the agency's zone"
    return [month(whole.since.year, number, zone) for number in range(1, 13)]


def months_between(first: datetime, now: datetime, hours_of: tzinfo) -> list[Period]:
    """Every month that is over, from the one of `first` on."""
    local = first.astimezone(hours_of)
    found = []
    number = local.month
    while (one := month(local.year, number, hours_of)).is_over(now):
        found.append(one)
        number += 1
    return found
