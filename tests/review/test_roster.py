"""A roster's file: what it says, or which line to mend."""

from __future__ import annotations

from datetime import UTC, date
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from farolito.model import AgencyId, Invalid, Person, PersonId, Role
from farolito.review.roster import DAYS_MAX, roster_of


def someone(n: int, name: str) -> Person:
    return Person(
        person_id=PersonId(UUID(int=n)), agency=AgencyId("city-pd"), name=name, role=Role.OFFICER
    )


JO, KIM, OTHER_KIM = someone(1, "Jo Example"), someone(2, "Kim Vega"), someone(3, "Kim Vega")
PEOPLE = [JO, KIM, OTHER_KIM]
HEAD = "person,starts,ends"
NIGHT = "Jo Example,2026-03-01T22:00-07:00,2026-03-02T06:00-07:00"


def test_a_night_belongs_to_the_day_on_which_it_starts() -> None:
    text = "\r\n".join(["\ufeffEnds,Person,Starts,note", *(
        f"2026-03-0{day + 1}T06:00-07:00,{JO.person_id},2026-03-0{day}T22:00-07:00,beat 3"
        for day in (1, 2)
    )])  # fmt: skip
    told = roster_of(text, PEOPLE, ZoneInfo("America/Denver"))
    assert (told.first, told.last) == (date(2026, 3, 1), date(2026, 3, 2))
    assert {shift.person for shift in told.shifts} == {JO.person_id}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("Jo Exampel,2026-03-01T22:00-07:00,2026-03-02T06:00-07:00",
         "line 3: no person 'Jo Exampel' is known (give the name or the id"),
        (",2026-03-01T22:00-07:00,2026-03-02T06:00-07:00", "line 3: no person is named"),
        ("Kim Vega,2026-03-01T22:00-07:00,2026-03-02T06:00-07:00",
         "line 3: 2 people are called 'Kim Vega' (give the id"),
        ("Jo Example,1 March 22:00,2026-03-02T06:00-07:00",
         "line 3: starts '1 March 22:00' is no time of ISO 8601"),
        ("Jo Example,2026-03-03T22:00-07:00", "line 3: ends '' is no time of ISO 8601"),
        ("Jo Example,2026-03-01T22:00,2026-03-02T06:00", "line 3: a time without its offset"),
        ("Jo Example,2026-03-01T22:00-07:00,2026-03-01T06:00-07:00",
         "line 3: it ends before it starts (give the next day"),
        ("Jo Example,2026-03-01T22:00-07:00,2026-03-12T06:00-07:00",
         "line 3: it lasts more than 36 hours"),
        (NIGHT, "line 3: the same person and start as line 2"),
        ('Jo Example,"2026-03-01', "from line 3 on it is no CSV"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_named_with_what_to_do(line: str, says: str) -> None:
    with pytest.raises(Invalid) as wrong:
        roster_of(f"{HEAD}\n{NIGHT}\n{line}\n", PEOPLE, UTC)
    assert says in str(wrong.value)
    assert "the roster stays as it was" in wrong.value.do


def test_all_wrong_lines_are_told_at_once_and_many_are_counted() -> None:
    with pytest.raises(Invalid) as wrong:
        roster_of("\n".join([HEAD, *["Nobody,x,y"] * 12]), PEOPLE, UTC)
    assert wrong.value.says.count("no person") == 10
    assert wrong.value.says.endswith("and 2 more lines")


def test_a_mistyped_year_would_cover_too_many_days() -> None:
    far = NIGHT.replace("2026", "2062")
    with pytest.raises(Invalid, match=rf"\(line 2\) .* \(line 3\) are more than {DAYS_MAX} days"):
        roster_of(f"{HEAD}\n{NIGHT}\n{far}", PEOPLE, UTC)


@pytest.mark.parametrize("text", ["", "name;from;to\n", HEAD])
def test_an_empty_file_or_one_of_other_columns_is_shown_how(text: str) -> None:
    with pytest.raises(Invalid, match="person,starts,ends"):
        roster_of(text, PEOPLE, UTC)
