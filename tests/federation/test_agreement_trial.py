"""Before anybody signs: who would gain or lose, counted on the questions of the last days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from farolito.model import (
    Act,
    AgreementId,
    Person,
    Purpose,
    Refused,
    Role,
    ShareClass,
    SignedAgreement,
    Thing,
)
from tests.federation.agreeing import Desk
from tests.federation.neighbours import Neighbours


@pytest.fixture
def city(neighbours: Neighbours) -> Desk:
    return Desk(neighbours.city)


@pytest.fixture
def sheriff(neighbours: Neighbours) -> Desk:
    return Desk(neighbours.sheriff)


async def asked(
    city: Desk, person: Person, purpose: Purpose, by: AgreementId | None, times: int = 1
) -> None:
    """A partner's question at the city's gate, refused or not."""

    async def nothing(*_: Any) -> None:
        return None

    for _ in range(times):
        ask = city.side.ask(person, Thing.PLATE_READ, purpose, case="2026-1", agreement=by)
        try:
            await city.side.gate.foreign_read(ask, ShareClass.PLATE_READ, nothing)
        except Refused:
            continue


async def trial(city: Desk, draft: SignedAgreement, days: int = 30) -> Mapping[str, Any]:
    chief = city.ask(city.side.person(Role.SUPERVISOR))
    return (await city.desk.simulate(chief, draft.agreement.agreement_id, days)).value


async def drafted(city: Desk, grantee: Desk, **terms: Any) -> SignedAgreement:
    chief = city.side.person(Role.SUPERVISOR)
    return (await city.desk.draft(city.ask(chief), city.terms(grantee.side, **terms))).value


async def test_what_was_refused_would_be_gained(city: Desk, sheriff: Desk) -> None:
    one, other = (sheriff.side.person(Role.DETECTIVE) for _ in range(2))
    operator = sheriff.side.person(Role.OFFICER)
    unknown = city.terms(sheriff.side).agreement_id
    await asked(city, one, Purpose.CRIMINAL_INVESTIGATION, unknown, 2)
    await asked(city, other, Purpose.CRIMINAL_INVESTIGATION, unknown)
    await asked(city, one, Purpose.IMMIGRATION_ENFORCEMENT, unknown)
    await asked(city, operator, Purpose.CRIMINAL_INVESTIGATION, unknown)
    found = await trial(city, await drafted(city, sheriff))
    assert (found["asked"], found["losses"], found["as_if"]) == (5, [], [])
    assert found["gains"] == [
        {
            "agency": "county-so", "role": "detective", "act": "read", "thing": "plate_read",
            "purpose": "criminal_investigation", "people": 2, "count": 3,
        }
    ]  # fmt: skip


async def test_a_narrower_one_shows_who_would_lose(city: Desk, sheriff: Desk) -> None:
    wide = await city.in_force(sheriff.side)
    by = wide.agreement.agreement_id
    detective, operator = (sheriff.side.person(r) for r in (Role.DETECTIVE, Role.OPERATOR))
    await asked(city, detective, Purpose.CRIMINAL_INVESTIGATION, by, 2)
    await asked(city, operator, Purpose.IN_PROGRESS_CALL, by, 3)
    narrow = await drafted(city, sheriff, roles=(Role.DETECTIVE,), supersedes=by)
    found = await trial(city, narrow)
    assert (found["asked"], found["gains"]) == (5, [])
    [lost] = found["losses"]
    assert (lost["role"], lost["purpose"], lost["count"]) == ("operator", "in_progress_call", 3)


async def test_one_beside_another_takes_nothing_away(city: Desk, sheriff: Desk) -> None:
    wide = await city.in_force(sheriff.side)
    detective = sheriff.side.person(Role.DETECTIVE)
    await asked(city, detective, Purpose.CRIMINAL_INVESTIGATION, wide.agreement.agreement_id, 2)
    found = await trial(city, await drafted(city, sheriff, roles=(Role.OPERATOR,)))
    assert (found["asked"], found["gains"], found["losses"]) == (2, [], [])


async def test_with_a_new_partner_our_own_questions_show_what_theirs_could_ask(
    city: Desk, sheriff: Desk
) -> None:
    detective = city.side.person(Role.DETECTIVE)

    async def nothing(*_: Any) -> None:
        return None

    for purpose in (Purpose.CRIMINAL_INVESTIGATION, Purpose.MISSING_PERSON):
        ask = city.side.ask(detective, Thing.PLATE_READ, purpose, case="2026-1")
        await city.side.gate.read(ask, nothing)
    found = await trial(city, await drafted(city, sheriff))
    assert (found["asked"], found["gains"]) == (0, [])
    [one] = found["as_if"]
    assert (one["agency"], one["purpose"], one["count"]) == (
        "county-so", "criminal_investigation", 1,
    )  # fmt: skip


async def test_older_questions_and_other_partners_do_not_count(
    city: Desk, sheriff: Desk, neighbours: Neighbours
) -> None:
    unknown = city.terms(sheriff.side).agreement_id
    detective = sheriff.side.person(Role.DETECTIVE)
    await asked(city, detective, Purpose.CRIMINAL_INVESTIGATION, unknown)
    city.side.later(10 * 86_400)
    pueblo = neighbours.pueblo.person(Role.DETECTIVE)
    await asked(city, pueblo, Purpose.CRIMINAL_INVESTIGATION, unknown)
    draft = await drafted(city, sheriff)
    assert (await trial(city, draft, 9))["asked"] == 0
    assert (await trial(city, draft, 11))["asked"] == 1


async def test_a_trial_changes_nothing_and_names_nobody(city: Desk, sheriff: Desk) -> None:
    detective = sheriff.side.person(Role.DETECTIVE, "Bea Fountain")
    unknown = city.terms(sheriff.side).agreement_id
    await asked(city, detective, Purpose.CRIMINAL_INVESTIGATION, unknown)
    draft = await drafted(city, sheriff)
    before = city.side.gate.policies
    found = await trial(city, draft)
    assert city.side.gate.policies is before
    assert city.may(draft, detective) == "no_agreement"
    assert str(detective.person_id) not in str(found)
    last = (await city.side.ledger.entries(-1, 500))[-1].entry
    assert (last["thing"], last["act"]) == (Thing.AGREEMENT, Act.READ)
