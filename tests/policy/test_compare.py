"""Who would gain or lose, before anybody signs."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from farolito.model import (
    Act,
    AgreementId,
    AgreementState,
    Hours,
    PersonId,
    Point,
    Purpose,
    Role,
    Thing,
    Zone,
)
from farolito.policy import Policies, Request, compare
from farolito.policy.rule_book import read_rules

from .agreed import COUNTY, PLATES, PUEBLO, agreed, question, signed, terms, without_agreements
from .conftest import CITY, NOON

DRAFT = AgreementId(UUID(int=50))


def asked(person: int, **changed: Any) -> Request:
    """A county detective's question of two weeks ago, as the ledger kept it."""
    told: dict[str, Any] = {"facts": {}, "now": NOON - timedelta(days=14), **changed}
    one = question(**told)
    who = msgspec.structs.replace(one.person, person_id=PersonId(UUID(int=person)))
    return msgspec.structs.replace(one, person=who)


def test_a_draft_shows_who_would_gain_on_questions_of_before_it_began() -> None:
    questions = [
        asked(1, agreement=None),
        asked(1, agreement=None),
        asked(2, agreement=None),
        asked(3, agreement=None, role=Role.OPERATOR),
        asked(4, agreement=None, agency=PUEBLO),
        asked(5, agreement=None, purpose=Purpose.PERSONAL),
    ]
    draft = terms(agreement_id=DRAFT, starts=NOON + timedelta(days=1))
    found = compare(agreed(), agreed(draft), questions)
    assert (found.asked, found.same, found.losses) == (6, 3, ())
    [gain] = found.gains
    assert (gain.agency, gain.role, gain.act, gain.thing, gain.purpose) == (
        COUNTY, Role.DETECTIVE, Act.READ, Thing.PLATE_READ, Purpose.MISSING_PERSON
    )  # fmt: skip
    assert (gain.count, gain.people) == (3, 2)
    assert gain.persons == {PersonId(UUID(int=1)): 2, PersonId(UUID(int=2)): 1}


def test_one_that_takes_the_place_of_another_shows_who_would_lose() -> None:
    narrower = terms(agreement_id=DRAFT, supersedes=PLATES, roles=(Role.SUPERVISOR,))
    replaced = signed(terms(), AgreementState.REPLACED)
    questions = [asked(1), asked(2), asked(3, role=Role.SUPERVISOR)]
    found = compare(agreed(terms()), agreed(replaced, narrower), questions)
    assert [(c.role, c.count) for c in found.losses] == [(Role.DETECTIVE, 2)]
    assert [(c.role, c.count) for c in found.gains] == [(Role.SUPERVISOR, 1)]


def test_nothing_changes_where_another_agreement_opens_the_same() -> None:
    second = terms(agreement_id=DRAFT)
    found = compare(agreed(terms()), agreed(terms(), second), [asked(1)])
    assert (found.same, found.gains, found.losses) == (1, (), ())


def test_hours_and_zones_are_taken_as_a_search_would_have_them() -> None:
    valley = Zone("Valley", (Point(35.0, -107.0), Point(35.0, -106.0), Point(36.0, -106.0)))
    nights = (Hours(days=tuple(range(7)), since=time(22), until=time(6)),)
    draft = terms(agreement_id=DRAFT, hours=nights, zones=(valley,))
    night, noon = datetime(2026, 10, 20, 9, tzinfo=UTC), datetime(2026, 10, 20, 18, tzinfo=UTC)
    questions = [asked(1, agreement=None, now=night), asked(2, agreement=None, now=noon)]
    found = compare(agreed(), agreed(draft), questions, ZoneInfo("America/Denver"))
    assert [dict(c.persons) for c in found.gains] == [{PersonId(UUID(int=1)): 1}]


def test_a_changed_rule_shows_which_of_our_own_would_lose() -> None:
    before = without_agreements("us-nm")
    schema, rules = read_rules()
    less = [text for text in rules if "detective_reads_for_a_case" not in text]
    after = Policies.compile(schema, less, {CITY.agency_id: before.pack}, before.pack)
    own = asked(1, agency=CITY.agency_id, agreement=None)
    found = compare(before, after, [own, own])
    assert [(c.agency, c.count, c.people) for c in found.losses] == [(CITY.agency_id, 2, 1)]
