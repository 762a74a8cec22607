"""Calls of one event are one incident with its reason; one act of a person takes them apart."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from farolito.desk import Conflict
from farolito.model import (
    CalledUnit,
    CallKind,
    CallState,
    CallVehicle,
    Incident,
    IncidentState,
    Level,
    LineKind,
    LinkBy,
    PartKind,
    UnitId,
    UnitStatus,
)
from tests.desk.city import RIVER_WIDTH_M, RIVER_X_M, UNIT, City, spot

K = CallKind


def shows(incident: Incident) -> tuple[Any, ...]:
    """What an incident says of itself."""
    return (
        incident.state, incident.kind, incident.kind_says, incident.level, incident.where,
        incident.place, incident.units, incident.doubtful, [p.part_id for p in incident.parts],
    )  # fmt: skip


async def parts_are_in_one_place(city: City) -> None:
    async with city.records() as records:
        rows = await records.connection.fetch(
            "select p.part_id, p.incident_id from incident_parts p"
        )
        told = await records.connection.fetch(
            "select i.incident_id, x->>'part_id' as part_id from incidents i,"
            " jsonb_array_elements(i.body->'parts') x"
        )
    assert sorted((str(r["part_id"]), r["incident_id"]) for r in rows) == sorted(
        (r["part_id"], r["incident_id"]) for r in told
    )
    assert len({r["part_id"] for r in rows}) == len(rows)


async def test_a_second_caller_joins_with_the_reason(city: City) -> None:
    first = await city.shots("26-1", 300, 300)
    city.later(41)
    second = await city.told("26-2", kind=K.SHOOTING, place=spot(400, 320), priority=Level.P1)
    assert second.incident_id == first.incident_id
    assert (second.kind, second.level, len(second.parts)) == (K.SHOOTING, Level.P1, 2)
    link = second.parts[1].link
    assert link.by is LinkBy.NEAR
    assert "41 s and 120 m by road apart; shooting fits shots fired" in link.says
    assert ("joined", f"Call 26-2: {link.says}") in await city.log(second)
    await parts_are_in_one_place(city)


async def test_the_other_bank_of_the_river_is_another_incident(city: City) -> None:
    one = await city.shots("26-1", RIVER_X_M, 0)
    other = await city.shots("26-2", RIVER_X_M + RIVER_WIDTH_M, 0)
    assert one.incident_id != other.incident_id


async def test_a_quarrel_at_home_three_blocks_from_shots_is_another_incident(city: City) -> None:
    one = await city.shots("26-1", 0, 0)
    other = await city.told("26-2", kind=K.DOMESTIC, place=spot(300, 0))
    assert one.incident_id != other.incident_id


@pytest.mark.parametrize("number_first", [True, False])
async def test_the_cad_says_which_call_is_told_again(city: City, number_first: bool) -> None:
    """Whichever of the two comes first, and a duplicate that its CAD closes at once too."""
    again: dict[str, Any] = {
        "kind": K.DISTURBANCE, "place": spot(900, 900), "duplicate_of": "26-1",
        "state": CallState.CLOSED,
    }  # fmt: skip
    if number_first:
        await city.told("26-2", **again)
    await city.told("26-1", kind=K.THEFT, place=spot(0, 0))
    if not number_first:
        await city.told("26-2", **again)
    one, other = await city.incident_of("26-1"), await city.incident_of("26-2")
    assert one.incident_id == other.incident_id
    assert (one.state, one.kind) == (IncidentState.OPEN, K.THEFT)
    assert LinkBy.TOLD in {part.link.by for part in one.parts}
    await parts_are_in_one_place(city)


async def test_two_incidents_that_turn_out_the_same_are_joined_into_the_older(city: City) -> None:
    older = await city.told("26-1", kind=K.ROBBERY, place=spot(0, 0))
    city.later(60)
    newer = await city.told("26-2", kind=K.WEAPON, address="Behind the old mill",
                            units=(CalledUnit(unit=UNIT, status=UnitStatus.EN_ROUTE,
                                              at=city.clock()),))  # fmt: skip
    assert newer.incident_id != older.incident_id
    city.later(30)
    whole = await city.told("26-2", place=spot(60, 0))
    assert whole.incident_id == older.incident_id
    assert [u.unit for u in whole.units] == [UNIT]
    gone = await city.incident(newer.incident_id)
    assert (gone.state, gone.joined_to, gone.parts) == (
        IncidentState.JOINED, older.incident_id, ()
    )  # fmt: skip
    assert (await city.words(gone))[-1] == "joined"
    words = await city.words(whole)
    assert words.count("call_opened") == 2, "the log of what was joined is there too"
    assert "unit_en_route" in words
    await parts_are_in_one_place(city)


async def test_one_key_takes_a_call_off_and_both_stand_as_if_never_joined(city: City) -> None:
    there = (CalledUnit(unit=UNIT, status=UnitStatus.EN_ROUTE, at=city.clock()),)
    alone = await city.shots("26-1", 300, 300, kind_says="SHOTS", priority=Level.P2)
    city.later(20)
    whole = await city.told("26-2", kind=K.SHOOTING, place=spot(310, 300), priority=Level.P1,
                            units=there)  # fmt: skip
    part = whole.parts[1].part_id
    city.later(20)
    answer = await city.dispatch.split(city.ask(), whole.incident_id, part)
    assert shows(answer.value) == shows(alone)
    other = await city.incident_of("26-2")
    assert (other.kind, other.level, other.units) == (K.SHOOTING, Level.P1, there)
    assert (await city.log(other))[-1] == ("split", "26-2 split off by Rivera")
    assert (await city.log(answer.value))[-1] == ("split", "26-2 split off by Rivera")
    versions = (await city.dispatch.one(city.ask(), whole.incident_id)).value["versions"]
    assert [len(v.parts) for v in versions] == [1, 2, 1], "every version is kept"
    await parts_are_in_one_place(city)


async def test_what_a_person_split_is_never_joined_again_by_a_machine(city: City) -> None:
    updates = [
        city.update(f"26-{n}", kind=K.SHOTS_FIRED, place=spot(300 + 10 * n, 300), people="unknown")
        for n in range(3)
    ]
    await city.dispatch.hear(updates)
    whole = await city.incident_of("26-0")
    lone = next(p.part_id for p in whole.parts if p.label == "26-2")
    await city.dispatch.split(city.ask(), whole.incident_id, lone)
    await city.dispatch.hear(updates)  # the same file again
    for kind, where in ((K.SHOOTING, 300), (K.WEAPON, 305), (K.SHOTS_FIRED, 310)):
        city.later(10)
        await city.told("26-2", kind=kind, place=spot(where, 300))
        await city.told("26-0", kind=kind, place=spot(where, 300))
    await city.told("26-3", kind=K.SHOTS_FIRED, place=spot(310, 300))  # and one that fits both
    city.later(10)
    await city.told("26-2", duplicate_of="26-0")
    one, other = await city.incident_of("26-0"), await city.incident_of("26-2")
    assert one.incident_id != other.incident_id
    assert {p.label for p in one.parts} & {"26-0", "26-1"} == {"26-0", "26-1"}
    await parts_are_in_one_place(city)
    # Only a person puts them together again.
    joined = await city.dispatch.join(city.ask(), other.incident_id, one.incident_id)
    assert {p.label for p in joined.value.parts} == {"26-0", "26-1", "26-2", "26-3"}
    assert joined.value.apart == ()


async def test_splitting_what_came_together_brings_that_incident_back(city: City) -> None:
    await city.told("26-1", kind=K.ROBBERY, place=spot(0, 0))
    city.later(5)
    far = await city.told("26-2", kind=K.CRASH, place=spot(900, 900), kind_says="CRASH")
    city.later(5)
    before = await city.told("26-3", kind=K.HIT_AND_RUN, place=spot(900, 920))
    assert before.incident_id == far.incident_id
    city.later(5)
    joined = await city.dispatch.join(
        city.ask(), before.incident_id, (await city.incident_of("26-1")).incident_id
    )
    assert {p.label for p in joined.value.parts} == {"26-1", "26-2", "26-3"}
    city.later(5)
    part = next(p.part_id for p in joined.value.parts if p.label == "26-3")
    left = await city.dispatch.split(city.ask(), joined.value.incident_id, part)
    assert [p.label for p in left.value.parts] == ["26-1"]
    back = await city.incident_of("26-2")
    assert back.incident_id == before.incident_id
    assert (back.version, back.joined_to) == (before.version + 2, None)
    assert shows(back)[:6] == shows(before)[:6]
    assert {p.label: p.link.by for p in back.parts} == {p.label: p.link.by for p in before.parts}
    await parts_are_in_one_place(city)


async def test_the_only_event_of_an_incident_cannot_be_split_off(city: City) -> None:
    incident = await city.shots("26-1", 0, 0)
    with pytest.raises(Conflict, match="only event"):
        await city.dispatch.split(city.ask(), incident.incident_id, incident.parts[0].part_id)


async def test_any_order_of_arrival_gives_the_same_incidents(
    city: City, rng: random.Random
) -> None:
    """Three events with several callers each, told three times in orders of chance."""
    told = [
        ("shots", K.SHOTS_FIRED, 100, 100, 0), ("shots", K.SHOOTING, 130, 100, 40),
        ("shots", K.MEDICAL, 110, 100, 90), ("crash", K.CRASH, 900, 900, 10),
        ("crash", K.HIT_AND_RUN, 900, 930, 60), ("home", K.DOMESTIC, 500, 500, 30),
        ("home", K.DISTURBANCE, 510, 500, 70),
    ]  # fmt: skip
    for turn in range(3):
        city.later(7200)
        start = city.clock()
        order = [*enumerate(told)]
        rng.shuffle(order)
        for i, (_, kind, x, y, at) in order:
            await city.told(f"{turn}-{i}", kind=kind, place=spot(x, y),
                            taken_at=start - timedelta(seconds=100 - at))  # fmt: skip
        found: dict[str, set[Any]] = {}
        for i, (name, *_) in enumerate(told):
            found.setdefault(name, set()).add((await city.incident_of(f"{turn}-{i}")).incident_id)
        assert [len(ids) for ids in found.values()] == [1, 1, 1], found
        assert len(set.union(*found.values())) == 3
    await parts_are_in_one_place(city)


async def test_a_plate_two_callers_name_joins_them(city: City) -> None:
    car = CallVehicle(says="white F-150", plate="ABC-123", state="NM")
    one = await city.told("26-1", kind=K.HIT_AND_RUN, place=spot(0, 0), vehicles=(car,))
    city.later(300)
    other = await city.told("26-2", kind=K.PURSUIT, place=spot(900, 900), vehicles=(car,))
    assert other.incident_id == one.incident_id
    assert other.parts[1].link.by is LinkBy.PLATE


async def test_an_operator_sends_a_unit_and_an_officer_taps(city: City) -> None:
    incident = await city.shots("26-1", 0, 0)
    for _ in range(2):  # sent twice, assigned once
        async with city.records() as records:
            await city.dispatch.assign_in(records, incident.incident_id, UNIT, city.ask(), 7)
    for status in (UnitStatus.EN_ROUTE, UnitStatus.ON_SCENE):
        city.later(60)
        async with city.records() as records:
            await city.dispatch.status_in(
                records, incident.incident_id, UNIT, status, "", city.ask(), 8
            )
    after = await city.incident(incident.incident_id)
    assert [(u.unit, u.status) for u in after.units] == [(UNIT, UnitStatus.ON_SCENE)]
    assert (await city.log(after))[1:] == [
        ("unit_assigned", "2A14 assigned by Rivera"),
        ("unit_en_route", "2A14 en route"),
        ("unit_on_scene", "2A14 on scene"),
    ]
    await city.told("26-1", state=CallState.CLOSED)
    assert (await city.incident(incident.incident_id)).state is IncidentState.OPEN
    async with city.records() as records:
        done = await city.dispatch.status_in(
            records, incident.incident_id, UNIT, UnitStatus.CLEARED, "", city.ask(), 9
        )
    assert done.state is IncidentState.CLOSED
    async with city.records() as records:
        late = await city.dispatch.status_in(
            records, incident.incident_id, UNIT, UnitStatus.EN_ROUTE, "", city.ask(), 10
        )
        with pytest.raises(Conflict, match="closed"):
            await city.dispatch.assign_in(
                records, incident.incident_id, UnitId("2A20"), city.ask(), 11
            )
    assert late.state is IncidentState.CLOSED, "a late tap opens nothing"


async def test_a_tap_on_a_joined_incident_reaches_the_one_it_went_to(city: City) -> None:
    one = await city.told("26-1", kind=K.ROBBERY, place=spot(0, 0))
    other = await city.told("26-2", kind=K.CRASH, place=spot(900, 900))
    await city.dispatch.join(city.ask(), one.incident_id, other.incident_id)
    async with city.records() as records:
        for before in (one, other):
            after = await city.dispatch.status_in(
                records, before.incident_id, UNIT, UnitStatus.ON_SCENE, "", city.ask(), 1
            )
            assert len(after.parts) == 2


async def test_a_pushed_fact_stays_with_its_line_and_its_author(city: City) -> None:
    incident = await city.shots("26-1", 0, 0)
    answer = await city.dispatch.add_fact(
        city.ask(), incident.incident_id, LineKind.LAST_SEEN, "ran south on 1st"
    )
    [fact] = answer.value.facts
    assert (fact.line, fact.says, fact.by_name) == (
        LineKind.LAST_SEEN, "ran south on 1st", "Rivera"
    )  # fmt: skip
    assert ("fact", "ran south on 1st") in await city.log(incident)


async def test_a_report_finds_its_incident_or_opens_one_that_a_person_ends(city: City) -> None:
    shots = await city.shots("26-1", 300, 300, priority=Level.P3)
    city.later(30)
    ask = city.ask()
    near = await city.dispatch.report(ask, "two down", K.SHOOTING, spot(310, 300), None)
    assert near.value.incident_id == shots.incident_id
    assert (near.value.kind, near.value.level) == (K.SHOOTING, Level.P1)
    here = await city.dispatch.report(ask, "K9 is here", K.OTHER, None, shots.incident_id)
    assert len(here.value.parts) == 3
    own = (await city.dispatch.report(ask, "door is open", K.SUSPICIOUS, spot(900, 0), None)).value
    assert (own.state, [p.kind for p in own.parts]) == (IncidentState.OPEN, [PartKind.REPORT])
    ended = await city.dispatch.close(ask, own.incident_id, "looked at: a cleaner")
    assert ended.value.state is IncidentState.CLOSED
    assert (await city.log(own))[-1] == ("closed", "looked at: a cleaner")
    with pytest.raises(Conflict, match="open"):
        await city.dispatch.close(ask, shots.incident_id, "")
    city.later(60)
    closed = await city.told("26-1", state=CallState.CLOSED)
    assert closed.state is IncidentState.CLOSED, "reports alone do not hold it open"
    part = next(p for p in closed.parts if p.kind is PartKind.REPORT and "two" in str(closed))
    left = await city.dispatch.split(ask, closed.incident_id, part.part_id)
    assert len(left.value.reports) == 1


async def test_the_panel_has_everything_in_one_answer(city: City) -> None:
    incident = await city.shots("26-1", 0, 0)
    answer = await city.dispatch.one(city.ask(), incident.incident_id)
    assert set(answer.value) == {
        "incident", "calls", "alerts", "shots", "briefs", "answers", "log", "versions"
    }  # fmt: skip
    assert [c.number for c in answer.value["calls"]] == ["26-1"]
    seq, shown, _ = (await city.dispatch.all(city.ask())).value
    assert (seq, shown) == (1, [incident])
    assert answer.permit > 0
