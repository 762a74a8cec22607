"""Who is suspended at one agency asks nothing of any other, however the message gets there."""

from __future__ import annotations

import pytest

from farolito.federation.suspensions import Said
from farolito.model import Person, Role
from farolito.store.suspensions import Suspensions as Rows
from tests.federation.askers import PLATE, Asker, Askers
from tests.federation.neighbours import Neighbours
from tests.federation.reads import seen


@pytest.fixture
async def askers(neighbours: Neighbours) -> Askers:
    """The sheriff's detectives may ask the city."""
    made = Askers(neighbours)
    made.agree(made.city, made.sheriff)
    await seen(made.city.side, PLATE)
    await made.sheriff.identity.invite(made.sheriff.detective)
    return made


async def suspend(asker: Asker, person: Person | None = None) -> None:
    await asker.identity.suspend((person or asker.detective).person_id)


def held(at: Asker, whose: Asker) -> bool:
    return at.suspensions.is_suspended(whose.side.agency_id, whose.detective.person_id)


async def test_a_suspended_persons_question_is_refused_with_a_receipt(askers: Askers) -> None:
    city, sheriff = askers.city, askers.sheriff
    assert (await sheriff.one(city)).state == "answered"
    await suspend(sheriff)
    told = await sheriff.suspensions.round()
    assert told == {city.side.agency_id: True, askers.pueblo.side.agency_id: True}
    answer = await sheriff.one(city)
    assert (answer.state, answer.reason, answer.reads) == ("refused", "suspended", ())
    refusal = (await city.asked_of())[-1]
    assert (refusal.entry["decision"], refusal.entry["reason"]) == ("refusal", "suspended")
    assert answer.receipt == f"city-pd#{refusal.index}:{refusal.leaf}"
    other = sheriff.side.person(Role.DETECTIVE, "Tso")
    assert (await sheriff.one(city, person=other)).state == "answered", "nobody else is meant"


async def test_a_restored_person_is_answered_again(askers: Askers) -> None:
    city, sheriff = askers.city, askers.sheriff
    await suspend(sheriff)
    await sheriff.suspensions.round()
    await sheriff.identity.restore(sheriff.detective.person_id)
    await sheriff.suspensions.round()
    assert (await sheriff.one(city)).state == "answered"


async def test_a_partner_that_was_away_is_told_when_it_is_back(askers: Askers) -> None:
    city, sheriff = askers.city, askers.sheriff
    askers.neighbours.cut(city.side, sheriff.side)
    await suspend(sheriff)
    told = await sheriff.suspensions.round()
    assert told[city.side.agency_id] is False
    assert told[askers.pueblo.side.agency_id] is True, "one that is away keeps no other waiting"
    askers.neighbours.mend(city.side, sheriff.side)
    assert (await sheriff.suspensions.round())[city.side.agency_id] is True
    assert held(city, sheriff)


async def test_what_nobody_told_is_asked_for_within_a_minute(askers: Askers) -> None:
    """The sheriff's node never tells of itself; the city asks every minute."""
    city, sheriff = askers.city, askers.sheriff
    await city.suspensions.round()
    await suspend(sheriff)
    await city.suspensions.round()
    assert not held(city, sheriff), "asked a moment ago"
    askers.neighbours.city.later(60)
    await city.suspensions.round()
    assert held(city, sheriff)
    assert (await sheriff.one(city)).reason == "suspended"


async def test_nothing_is_sent_while_nothing_is_new(askers: Askers) -> None:
    wire = askers.neighbours.wire
    await suspend(askers.sheriff)
    await askers.sheriff.suspensions.round()
    wire.log.clear()
    await askers.sheriff.suspensions.round()
    assert wire.log == []


async def test_what_was_heard_outlasts_a_restart(askers: Askers) -> None:
    city, sheriff = askers.city, askers.sheriff
    await suspend(sheriff)
    await sheriff.suspensions.round()
    city.side.post._handlers.pop("suspend")
    again = city.new_suspensions()
    await again.load()
    assert again.is_suspended(sheriff.side.agency_id, sheriff.detective.person_id)
    async with city.side.records() as records:
        assert (await records.suspensions.heard())[sheriff.side.agency_id] > 0


async def test_an_older_list_takes_nothing_back(askers: Askers) -> None:
    """A message that was held up on its way cannot restore anybody."""
    city, sheriff = askers.city, askers.sheriff
    await suspend(sheriff)
    version, _ = await sheriff.identity.suspended()
    await sheriff.suspensions.round()
    older = Said(version=version - 1, people=(), have=0)
    await sheriff.side.post.ask(city.side.agency_id, "suspend", older)
    assert held(city, sheriff)


async def test_an_agency_suspends_its_own_people_alone(askers: Askers) -> None:
    """The pueblo names a detective of the sheriff's: that holds up nobody."""
    city, sheriff, pueblo = askers.city, askers.sheriff, askers.pueblo
    theirs = Said(version=10**15, people=(sheriff.detective.person_id,), have=0)
    await pueblo.side.post.ask(city.side.agency_id, "suspend", theirs)
    assert not held(city, sheriff)
    assert (await sheriff.one(city)).state == "answered"


async def test_with_the_store_failing_the_person_is_refused_and_the_list_comes_again(
    askers: Askers, monkeypatch: pytest.MonkeyPatch
) -> None:
    city, sheriff = askers.city, askers.sheriff

    async def fails(*_: object) -> bool:
        raise OSError("the disk is full")

    await suspend(sheriff)
    with monkeypatch.context() as broken:
        broken.setattr(Rows, "keep", fails)
        assert (await sheriff.suspensions.round())[city.side.agency_id] is False
        assert held(city, sheriff), "from this moment, kept or not"
    assert (await sheriff.suspensions.round())[city.side.agency_id] is True
    assert held(city, sheriff)


async def test_who_has_left_is_forgotten_and_told_anew(askers: Askers) -> None:
    city, sheriff = askers.city, askers.sheriff
    await suspend(sheriff)
    await sheriff.suspensions.round()
    assert await city.suspensions.left(sheriff.side.agency_id) == {"suspensions": 1}
    assert not held(city, sheriff)
    await sheriff.suspensions.left(city.side.agency_id)
    assert (await sheriff.suspensions.round())[city.side.agency_id] is True
    assert held(city, sheriff)


async def test_ids_alone_travel(askers: Askers) -> None:
    wire = askers.neighbours.wire
    await suspend(askers.sheriff)
    wire.log.clear()
    await askers.sheriff.suspensions.round()
    assert len(wire.log) == 2
    for _, _, raw in wire.log:
        assert str(askers.sheriff.detective.person_id).encode() in raw
        assert askers.sheriff.detective.name.encode() not in raw
