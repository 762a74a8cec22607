"""Where a plate was, in our own records: by our own rules, with look-alikes marked as that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from farolito.app.clock import ids
from farolito.desk.search import PlateSearch, look_alikes
from farolito.gate import Ask
from farolito.model import AgencyId, Invalid, Purpose, Refused, Role, Thing
from farolito.model.search import AnswerState, OwnerAnswer, PlateQuestion
from tests.federation.conftest import neighbours
from tests.federation.neighbours import START, Neighbours, Side
from tests.federation.reads import seen

__all__ = ["neighbours"]

SIX = tuple(AgencyId(f"agency-{n}") for n in range(6))


class Listening:
    """Stands for the federation: notes whom it was to ask."""

    def __init__(self) -> None:
        self.heard: list[AgencyId] = []

    async def ask(
        self, ask: Ask, question: PlateQuestion, owner: AgencyId, permit: int
    ) -> OwnerAnswer:
        self.heard.append(owner)
        return OwnerAnswer(agency_id=owner, name=owner, state=AnswerState.NOTHING)

    async def whom(self) -> Sequence[Mapping[str, Any]]:
        return []


def question(*owners: AgencyId, plate: str = "ABC1234", **more: Any) -> PlateQuestion:
    return PlateQuestion(
        plate=plate, since=START - timedelta(days=2), until=START, owners=owners, **more
    )


def detective(side: Side, **more: Any) -> Ask:
    person = more.pop("person", None) or side.person(Role.DETECTIVE)
    told = {"case": "2026-0117", **more}
    purpose = told.pop("purpose", Purpose.CRIMINAL_INVESTIGATION)
    return side.ask(person, Thing.PLATE_READ, purpose, **told)


def desk(side: Side, owners: Listening | None = None) -> PlateSearch:
    return PlateSearch(side.gate, side.agency, side.clock, ids, owners)


async def test_own_reads_are_found_the_newest_first(neighbours: Neighbours) -> None:
    city = neighbours.city
    older, newer = await seen(city, "ABC1234", 90), await seen(city, "ABC1234", 10)
    await seen(city, "XYZ9876")
    await seen(city, "ABC1234", minutes_ago=3 * 24 * 60)
    answer = await desk(city).plate(detective(city), question())
    (own,) = answer.value
    assert [r.read_id for r in own.reads] == [newer.read_id, older.read_id]
    assert (own.state, own.own, own.permit, own.more) == ("answered", True, answer.permit, False)
    assert "ABC1234" in await city.ledger.open_field(answer.permit, "query")


async def test_a_look_alike_is_marked_and_never_the_plate(neighbours: Neighbours) -> None:
    city = neighbours.city
    assert "A8C1234" in look_alikes("ABC1234")
    assert "ABC1234" not in look_alikes("ABC1234")
    await seen(city, "A8C1234")
    (own,) = (await desk(city).plate(detective(city), question())).value
    assert [(r.plate, r.look_alike) for r in own.reads] == [("A8C1234", True)]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"case": None}, "case"),
        ({"purpose": Purpose.IMMIGRATION_ENFORCEMENT}, "prohibited_purpose"),
        ({"purpose": Purpose.AUDIT}, "purpose"),
        ({"on_behalf_of": "A friend"}, "on_behalf_of"),
    ],
)
async def test_what_our_own_rules_refuse_nobody_else_hears_of(
    neighbours: Neighbours, more: dict[str, Any], reason: str
) -> None:
    city, others = neighbours.city, Listening()
    with pytest.raises(Refused) as no:
        await desk(city, others).plate(detective(city, **more), question(AgencyId("county-so")))
    assert no.value.reason == reason
    assert no.value.permit is not None
    assert others.heard == []


async def test_six_owners_want_a_supervisor_who_asks_himself(neighbours: Neighbours) -> None:
    city, others = neighbours.city, Listening()
    with pytest.raises(Refused) as no:
        await desk(city, others).plate(detective(city), question(*SIX))
    assert (no.value.reason, others.heard) == ("needs_approval", [])
    entry = (await city.ledger.entries(-1, 100))[-1]
    assert (entry.index, entry.entry["decision"]) == (no.value.permit, "refusal")
    boss = city.person(Role.SUPERVISOR)
    await desk(city, others).plate(detective(city, person=boss), question(*SIX))
    assert sorted(others.heard) == sorted(SIX)


async def test_or_one_who_approves_it_for_one_person_one_case_once(neighbours: Neighbours) -> None:
    city, others = neighbours.city, Listening()
    searches, boss = desk(city, others), detective(city, person=city.person(Role.SUPERVISOR))
    asker = detective(city)
    approved = (await searches.approve(boss, SIX, asker.person.person_id)).value
    wide = question(*SIX, approved_by=approved.approval_id)
    for other in (
        detective(city),  # another person
        msgspec.structs.replace(asker, case="2026-0118"),
        msgspec.structs.replace(asker, purpose=Purpose.MISSING_PERSON),
    ):
        with pytest.raises(Refused, match="approval"):
            await searches.plate(other, wide)
    seven = question(*SIX, AgencyId("agency-7"), approved_by=approved.approval_id)
    with pytest.raises(Refused, match="approval"):
        await searches.plate(asker, seven)
    assert others.heard == []
    await searches.plate(asker, wide)
    assert sorted(others.heard) == sorted(SIX)
    with pytest.raises(Refused, match="approval"):
        await searches.plate(asker, wide)


async def test_an_approval_ends_and_nobody_approves_for_himself(neighbours: Neighbours) -> None:
    city, others = neighbours.city, Listening()
    searches, boss = desk(city, others), detective(city, person=city.person(Role.SUPERVISOR))
    asker = detective(city)
    with pytest.raises(Refused, match="another"):
        await searches.approve(boss, SIX, boss.person.person_id)
    with pytest.raises(Refused, match="supervisor"):
        await searches.approve(asker, SIX, boss.person.person_id)
    approved = (await searches.approve(boss, SIX, asker.person.person_id)).value
    city.later(3601)
    with pytest.raises(Refused, match="approval"):
        await searches.plate(asker, question(*SIX, approved_by=approved.approval_id))
    assert others.heard == []


async def test_there_is_no_all(neighbours: Neighbours) -> None:
    city, others = neighbours.city, Listening()
    boss = detective(city, person=city.person(Role.SUPERVISOR))
    many = tuple(AgencyId(f"agency-{n}") for n in range(21))
    with pytest.raises(Invalid, match="by name"):
        await desk(city, others).plate(boss, question(*many))
    assert others.heard == []
