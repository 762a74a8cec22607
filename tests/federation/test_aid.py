"""Mutual aid: one press opens one incident to one partner, and it ends by itself."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from farolito.app.clock import ids
from farolito.desk import Conflict, NotFound
from farolito.gate import Ask
from farolito.model import (
    Because,
    CallKind,
    Incident,
    IncidentId,
    IncidentState,
    Invalid,
    Level,
    Person,
    Purpose,
    Refused,
    Role,
    ShareClass,
    SignedAgreement,
)
from tests.federation.agreeing import Desk
from tests.federation.neighbours import Neighbours


@pytest.fixture
def city(neighbours: Neighbours) -> Desk:
    return Desk(neighbours.city)


@pytest.fixture
def sheriff(neighbours: Neighbours) -> Desk:
    return Desk(neighbours.sheriff)


def on_call(desk: Desk, person: Person) -> Ask:
    return msgspec.structs.replace(desk.ask(person), purpose=Purpose.IN_PROGRESS_CALL)


async def incident(desk: Desk, state: IncidentState = IncidentState.OPEN) -> IncidentId:
    now = desk.side.clock()
    made = Incident(
        incident_id=IncidentId(ids()), agency=desk.side.agency_id, version=1, state=state,
        kind=CallKind.OTHER, level=Level.P2, where="4th and Central", place=None, opened_at=now,
        changed_at=now, parts=(),
    )  # fmt: skip
    async with desk.side.records() as records:
        await records.incidents.save(made)
    return made.incident_id


async def opened(city: Desk, sheriff: Desk, hours: float = 2) -> tuple[Person, SignedAgreement]:
    operator = city.side.person(Role.OPERATOR)
    answer = await city.aid.open(
        on_call(city, operator), await incident(city), sheriff.side.agency_id, hours
    )
    await city.tell()
    return operator, answer.value


async def test_one_press_opens_one_incident_and_nothing_to_ask_for(
    city: Desk, sheriff: Desk
) -> None:
    _, aid = await opened(city, sheriff)
    terms = aid.agreement
    there = sheriff.book.get(terms.agreement_id)
    assert there is not None
    assert (there.state.value, there.agreement.incident) == ("in_force", terms.incident)
    assert set(terms.classes) == {
        ShareClass.INCIDENT, ShareClass.UNIT, ShareClass.SHOT, ShareClass.ALERT,
    }  # fmt: skip
    assert [one.value for one in terms.sharing] == ["follow"]
    assert terms.expires - terms.starts == timedelta(hours=2)
    assert city.acting() == sheriff.acting() == {terms.agreement_id}
    last = [e.entry for e in await city.side.ledger.entries(-1, 500)][-2]
    assert (last["thing"], last["act"], last["actor_role"]) == ("shared", "act", "operator")


async def test_it_ends_by_itself_and_what_came_by_it_goes(city: Desk, sheriff: Desk) -> None:
    _, aid = await opened(city, sheriff)
    assert city.book.next_time() == aid.agreement.expires
    city.side.later(2 * 3600)
    for desk in (city, sheriff):
        await desk.book.tick()
        await desk.book.settled()
        assert desk.state(aid) == "expired"
        assert desk.acting() == set()
        assert [one.agreement.incident for one in desk.purged] == [aid.agreement.incident]


async def test_a_key_ends_it_and_pressed_again_it_lasts_from_now(city: Desk, sheriff: Desk) -> None:
    operator, aid = await opened(city, sheriff, 1)
    assert aid.agreement.incident is not None
    city.side.later(1800)
    again = await city.aid.open(
        on_call(city, operator), aid.agreement.incident, sheriff.side.agency_id, 1
    )
    await city.tell()
    assert (city.state(aid), sheriff.state(aid)) == ("replaced", "replaced")
    assert city.aid.of_incident(aid.agreement.incident) == [again.value]
    assert sheriff.purged == []
    await city.desk.revoke(
        on_call(city, operator), again.value.agreement.agreement_id, Because.AID_OVER
    )
    await city.tell()
    assert sheriff.state(again.value) == "revoked"


async def test_what_it_cannot_open_is_refused(
    city: Desk, sheriff: Desk, neighbours: Neighbours
) -> None:
    operator = on_call(city, city.side.person(Role.OPERATOR))
    partner = sheriff.side.agency_id
    here = await incident(city)
    for hours in (0, -1, 12.01, 1e9):
        with pytest.raises(Invalid):
            await city.aid.open(operator, here, partner, hours)
    with pytest.raises(NotFound):
        await city.aid.open(operator, await incident(city, IncidentState.CLOSED), partner, 1)
    with pytest.raises(NotFound):
        await city.aid.open(operator, IncidentId(ids()), partner, 1)
    detective = on_call(city, city.side.person(Role.DETECTIVE))
    with pytest.raises(Refused):
        await city.aid.open(detective, here, partner, 1)
    del city.side.partners[partner]
    with pytest.raises(Conflict):
        await city.aid.open(operator, here, partner, 1)
    assert city.book.all() == []


async def test_an_operator_ends_aid_and_no_other_agreement(city: Desk, sheriff: Desk) -> None:
    signed = await city.in_force(sheriff.side)
    operator = on_call(city, city.side.person(Role.OPERATOR))
    with pytest.raises(Refused):
        await city.desk.revoke(operator, signed.agreement.agreement_id, Because.AID_OVER)
    assert city.state(signed) == "in_force"
