"""A year of an agency's searches, with the known misuse planted in it.

Sized after the trial in the notes: about 79,000 legitimate searches by 300 people, and offenders
who do what court files and audits of 2022–2026 tell: Milwaukee 179 looks at two people (124 and
55, "investigation"), Joplin 395 in 14 months, Sedgwick County 228 (164 and 64, fine-sounding
reasons, by a chief), and two who are cleverer. How legitimate people behave is our assumption:
most look once; one in seven follows a plate for days, and forgets to have it put on the case's
record in 1 of 200. The screen says so at each further look, and HEEDED of them then see to it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from farolito.model import AgencyId, PersonId, Purpose, Role, digest_id
from farolito.review.search import Case, Search, subject_of_plate

START = datetime(2025, 9, 1, 12, 0, tzinfo=UTC)
DAYS = 425
AGENCY = AgencyId("city-pd")
PEOPLE = 300
LEGITIMATE = 79_000
HEEDED = 0.8


class Offender(msgspec.Struct, frozen=True):
    """`looks` at each of some plates, over `days`. `how` they hide it."""

    name: str
    looks: tuple[int, ...]
    days: int
    how: str  # no_case, invented, borrowed, own_case, rotating


OFFENDERS = (
    Offender("milwaukee", (124, 55), 60, "no_case"),
    Offender("joplin", (200, 195), 420, "invented"),
    Offender("sedgwick", (164, 64), 130, "own_case"),
    Offender("borrower", (14,), 200, "borrowed"),  # somebody else's real, open case each time
    Offender("rotator", (9,), 300, "rotating"),  # real cases of their own, another one each time
)


class Year(msgspec.Struct):
    searches: list[Search]
    cases: dict[str, Case]
    wrong: dict[int, tuple[str, str]]  # entry → offender and subject


def person(name: str) -> PersonId:
    return PersonId(digest_id(0, "person", name))


def a_year(seed: int) -> Year:
    chance = random.Random(seed)
    cases: dict[str, Case] = {}
    found = sorted(
        [*_legitimate(chance, cases), *_misuse(chance, cases)], key=lambda pair: pair[0].at
    )
    searches, wrong = [], {}
    for entry, (search, offender) in enumerate(found):
        searches.append(msgspec.structs.replace(search, entry=entry))
        if offender:
            wrong[entry] = (offender, search.subject)
    return Year(searches, cases, wrong)


def a_search(at: datetime, who: str, subject: str, case: str | None) -> Search:
    return Search(
        entry=0, at=at, person=person(who), role=Role.DETECTIVE, agency=AGENCY, subject=subject,
        purpose=Purpose.CRIMINAL_INVESTIGATION, case=case, session=f"{who}-{at:%Y%m%d}",
        device=f"desk-{who}",
    )  # fmt: skip


def _legitimate(
    chance: random.Random, cases: dict[str, Case]
) -> Iterator[tuple[Search, str | None]]:
    """Cases with a few plates each, looked for by those who work on them."""
    made, number = 0, 0
    weights = [chance.lognormvariate(0, 0.7) for _ in range(PEOPLE)]
    while made < LEGITIMATE:
        number += 1
        name = f"26-{number:06d}"
        opened = START + timedelta(days=chance.uniform(0, DAYS - 10))
        team = {f"p{i}" for i in chance.choices(range(PEOPLE), weights, k=chance.randint(1, 3))}
        subjects: dict[str, datetime] = {}
        for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
            subject = subject_of_plate(f"{number}X{chance.randrange(1000):03d}")
            first = opened + timedelta(hours=chance.expovariate(1 / 30))
            days = chance.randint(2, 12) if chance.random() < 1 / 7 else 1
            if days > 1 and chance.random() > 1 / 200:
                subjects[subject] = first + timedelta(hours=chance.uniform(-20, 20))
            elif days == 1 and chance.random() < 0.6:
                subjects[subject] = first
            who = chance.choice(sorted(team))
            given: str | None = name
            if chance.random() < 0.004:
                given = None  # a call in progress; the number came too late
            elif chance.random() < 0.004:
                given = f"26-{number + 900_000}"  # mistyped
            for day in range(days):
                at = first + timedelta(days=day, minutes=chance.uniform(0, 300))
                if day and subject not in subjects and chance.random() < HEEDED:
                    subjects[subject] = at + timedelta(hours=chance.uniform(0, 20))
                yield a_search(at, who, subject, given if day == 0 else name), None
                made += 1
        cases[name] = Case(
            number=name,
            opened_at=opened,
            closed_at=opened + timedelta(days=chance.uniform(20, 120)),
            people=frozenset(person(one) for one in team),
            subjects=subjects,
        )


def _misuse(chance: random.Random, cases: dict[str, Case]) -> Iterator[tuple[Search, str | None]]:
    for offender in OFFENDERS:
        own = _own_cases(offender.name, chance, cases)
        others = sorted(name for name in cases if name not in own)
        for which, looks in enumerate(offender.looks):
            subject = subject_of_plate(f"{offender.name[:4]}{which}99")
            begins = START + timedelta(days=chance.uniform(0, DAYS - offender.days - 2))
            for _ in range(looks):
                at = begins + timedelta(days=chance.uniform(0, offender.days))
                case = {
                    "no_case": None,
                    "invented": f"X-{chance.randrange(10**6)}",
                    "own_case": own[0],
                    "borrowed": chance.choice(others),
                    "rotating": chance.choice(own),
                }[offender.how]
                yield a_search(at, offender.name, subject, case), offender.name


def _own_cases(name: str, chance: random.Random, cases: dict[str, Case]) -> list[str]:
    """Real ones that this person works on, open all the time."""
    own = []
    for number in range(12):
        own.append(f"own-{name}-{number}")
        cases[own[-1]] = Case(
            number=own[-1],
            opened_at=START,
            people=frozenset({person(name)}),
            subjects={subject_of_plate(f"{name}{chance.randrange(10**4)}"): START},
        )
    return own
