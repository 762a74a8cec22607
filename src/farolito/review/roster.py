"""A roster as an agency keeps it: shifts from a CSV file, all of it or nothing.

In: the file's text, our people, the agency's zone. Out: shifts and the days that they cover.
Never: a shift of somebody who is not found, or found twice.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo

import msgspec

from farolito.model import Invalid, Person, PersonId
from farolito.model.shift import Shift

COLUMNS = ("person", "starts", "ends")
SHIFTS_MAX = 100_000  # of one file; a longer roster is given in pieces
DAYS_MAX = 62  # that one file covers; a mistyped year would cover more
TOLD_MAX = 10  # lines told of; the others are counted
_EXAMPLE = "person,starts,ends\nJo Example,2026-03-01T22:00-07:00,2026-03-02T06:00-07:00"
_MEND = "mend that and give the file again; the roster stays as it was"


class Roster(msgspec.Struct, frozen=True, kw_only=True):
    """`first` to `last`: the days that it covers, by the agency's own clock."""

    shifts: tuple[Shift, ...]
    first: date
    last: date

    @property
    def people(self) -> int:
        return len({shift.person for shift in self.shifts})

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]


def roster_of(text: str, people: Iterable[Person], zone: tzinfo) -> Roster:
    """Raises Invalid, which names the lines."""
    found, wrong = _shifts(_rows(text), _by_word(people))
    if wrong:
        more = [f"and {len(wrong) - TOLD_MAX} more lines"] if len(wrong) > TOLD_MAX else []
        raise Invalid("; ".join(wrong[:TOLD_MAX] + more), _MEND)
    if not found:
        raise Invalid("a roster without a shift", f"write it as: {_EXAMPLE}")
    days = {shift.starts.astimezone(zone).date(): line for shift, line in found.items()}
    first, last = min(days), max(days)
    if (last - first).days >= DAYS_MAX:
        says = f"from {first} (line {days[first]}) to {last} (line {days[last]})"
        raise Invalid(f"{says} are more than {DAYS_MAX} days", f"give it in pieces, or {_MEND}")
    return Roster(shifts=tuple(found), first=first, last=last)


def _rows(text: str) -> list[tuple[int, Mapping[str, str]]]:
    """Each with its line. Raises Invalid."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    rows: list[tuple[int, Mapping[str, str]]] = []
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        if lacking := [name for name in COLUMNS if name not in names]:
            says = f"line 1 names no column {', '.join(lacking)}"
            raise Invalid(says, f"write it as: {_EXAMPLE}")
        reader.fieldnames = names
        for row in reader:
            rows.append((reader.line_num, {n: (row.get(n) or "").strip() for n in COLUMNS}))
            if len(rows) > SHIFTS_MAX:
                raise Invalid(f"more than {SHIFTS_MAX} shifts", "give it in pieces")
    except csv.Error as error:
        # What the line before it left open is found only at the end.
        says = f"from line {len(rows) + 2} on it is no CSV: {error}"
        raise Invalid(says, _MEND) from error
    return rows


def _by_word(people: Iterable[Person]) -> Mapping[str, Sequence[PersonId]]:
    """People by their names and by their ids."""
    found: dict[str, list[PersonId]] = {}
    for person in people:
        found.setdefault(person.name, []).append(person.person_id)
        found.setdefault(str(person.person_id), []).append(person.person_id)
    return found


def _shifts(
    rows: Sequence[tuple[int, Mapping[str, str]]], people: Mapping[str, Sequence[PersonId]]
) -> tuple[dict[Shift, int], list[str]]:
    """Shifts with their lines, and what is wrong with the others."""
    found: dict[Shift, int] = {}
    starts: dict[tuple[PersonId, datetime], int] = {}
    wrong: list[str] = []
    for line, row in rows:
        try:
            shift = _shift(row, people)
        except Invalid as error:
            wrong.append(f"line {line}: {error.says} ({error.do})")
            continue
        before = starts.setdefault((shift.person, shift.starts), line)
        if before != line:
            wrong.append(f"line {line}: the same person and start as line {before} (keep one)")
            continue
        found[shift] = line
    return found, wrong


def _shift(row: Mapping[str, str], people: Mapping[str, Sequence[PersonId]]) -> Shift:
    who = people.get(row["person"], ())
    if not who:
        says = f"no person {row['person']!r} is known" if row["person"] else "no person is named"
        raise Invalid(says, "give the name or the id that `farolito person list` shows")
    if len(who) > 1:
        says = f"{len(who)} people are called {row['person']!r}"
        raise Invalid(says, "give the id that `farolito person list` shows")
    return Shift(person=who[0], starts=_time(row, "starts"), ends=_time(row, "ends"))


def _time(row: Mapping[str, str], name: str) -> datetime:
    try:
        return datetime.fromisoformat(row[name])
    except ValueError as error:
        do = "write 2026-03-01T22:00-07:00"
        raise Invalid(f"{name} {row[name]!r} is no time of ISO 8601", do) from error
