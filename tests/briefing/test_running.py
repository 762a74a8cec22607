"""A brief begins with the assignment, follows the facts, moves with its call, and ends."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from farolito.desk import RejectReason
from farolito.model import (
    CallKind,
    CallState,
    CallVehicle,
    IncidentId,
    LineKind,
    Outcome,
    Refused,
    Thing,
    UnitId,
    UnitStatus,
)
from tests.briefing.briefing_builders import flag, going
from tests.briefing.scene import CAR, OTHER_CAR, Scene, says
from tests.desk.city import spot

ROBBERY = {"kind": CallKind.ROBBERY}  # a wanted car seen near soon after belongs to it


async def test_an_assigned_unit_has_its_card_in_the_transaction_of_the_call(scene: Scene) -> None:
    await scene.at(CAR, 800, 300)
    incident = await scene.told("26-1", scene.on())
    brief = await scene.brief()
    assert (brief.version, brief.call, brief.level) == (1, "26-1", 1)
    assert brief.incident_id == incident.incident_id
    assert says(brief, LineKind.WHAT) == "P1 shots fired."
    assert says(brief, LineKind.WHERE) == "4th St @ D Ave. ± 25 m. About 1 min by road."
    assert brief.eta_s == pytest.approx(50, abs=5)
    assert "being looked up" in says(brief, LineKind.HAZARDS)
    assert brief.sent_by is None
    assert brief.change == "New brief."


async def test_a_call_without_units_briefs_nobody_until_one_is_assigned(scene: Scene) -> None:
    await scene.told("26-1")
    assert await scene.briefs() == []
    await scene.told("26-1", scene.on(), scene.on(OTHER_CAR))
    mine, theirs = await scene.brief(), await scene.brief(OTHER_CAR)
    assert mine.brief_id != theirs.brief_id
    assert says(mine, LineKind.WITH_YOU) == "3B22 is assigned."
    assert says(theirs, LineKind.WITH_YOU) == "2A14 is assigned."


async def test_what_must_be_looked_up_comes_as_version_two(scene: Scene) -> None:
    await scene.told("25-9", taken_at=scene.city.clock() - timedelta(days=40))
    await scene.told("25-9", state=CallState.CLOSED)
    scene.city.later(3 * 24 * 3600)
    await scene.told("26-1", scene.on(), address="D AVENUE & 4TH ST")
    async with scene.completing():
        after = await scene.heard(2)
    assert "One earlier call here in 3 days. shots fired, October 14, 2026 (25-9)." in after.change
    assert says(after, LineKind.PICTURE) == (
        "No picture yet. Plate reader Central @ 4th, eastbound is 20 m away."
    )
    assert after.change.startswith("Update: ")
    assert [v.version for v in await scene.versions(after)] == [2, 1]


async def test_a_brief_begun_before_a_crash_is_completed_after_it(scene: Scene) -> None:
    await scene.told("26-1", scene.on())
    again = Scene(scene.city)
    async with again.completing():
        after = await again.heard(2)
    assert "No history found here in one day of records." in says(after, LineKind.HAZARDS)


async def test_each_new_fact_is_a_version_that_says_the_difference(scene: Scene) -> None:
    await scene.told("26-1", scene.on())
    await scene.told("26-1", vehicles=(CallVehicle(says="white F-150", plate="ABC123"),))
    second = await scene.brief()
    assert second.change == (
        "Update: Told by a caller: white F-150, plate state not told ABC123, not confirmed."
    )
    assert second.plate is None, "a caller's plate stands only in the line that doubts it"
    await scene.told("26-1", going=going("north on 4th", 0, scene.city.clock()))
    assert (await scene.brief()).change == "Update: north on 4th, heading north."
    await scene.told("26-1", hazards=(flag("long gun in the house"),))
    fourth = await scene.brief()
    assert fourth.change.startswith("Update: Weapon: long gun in the house")
    assert fourth.version == 4
    assert {v.brief_id for v in await scene.versions(fourth)} == {fourth.brief_id}


async def test_the_same_told_again_and_minutes_that_run_down_make_no_version(scene: Scene) -> None:
    await scene.at(CAR, 800, 300)
    await scene.at(OTHER_CAR, 0, 0)
    incident = await scene.told("26-1", scene.on())
    await scene.at(CAR, 400, 300)
    await scene.at(OTHER_CAR, 200, 300)
    await scene.told("26-1", scene.on())
    async with scene.city.records() as records:
        await scene.briefing.on_incident(records, incident, "again", 1)
    assert (await scene.brief()).version == 1


async def test_a_change_of_another_unit_on_the_call_is_told(scene: Scene) -> None:
    await scene.told("26-1", scene.on(), scene.on(OTHER_CAR))
    await scene.told("26-1", scene.on(), scene.on(OTHER_CAR, UnitStatus.ON_SCENE))
    assert (await scene.brief()).change == "Update: 3B22 is on the scene."
    assert (await scene.brief(OTHER_CAR)).version == 1, "one's own status is no news to oneself"


async def test_a_flag_that_ends_on_the_way_is_taken_back(scene: Scene) -> None:
    ends = scene.city.clock() + timedelta(minutes=2)
    await scene.told("26-1", scene.on(), hazards=(flag("dog loose", ends),))
    assert "dog loose" in says(await scene.brief(), LineKind.HAZARDS)
    scene.city.later(200)
    async with scene.completing():
        after = await scene.heard(2)
    assert "dog loose" not in says(after, LineKind.HAZARDS)
    assert "No longer in force: Weapon, dog loose." in after.change


async def test_a_cleared_unit_and_a_closed_call_end_the_brief(scene: Scene) -> None:
    await scene.told("26-1", scene.on(), scene.on(OTHER_CAR))
    await scene.told("26-1", scene.on(CAR, UnitStatus.CLEARED), scene.on(OTHER_CAR))
    mine = await scene.brief()
    assert mine.change == "You are cleared from this call."
    assert mine.ended_at == scene.city.clock()
    await scene.told("26-1", scene.on(OTHER_CAR, UnitStatus.CLEARED), state=CallState.CLOSED)
    theirs = await scene.brief(OTHER_CAR)
    assert theirs.change == "The call is closed."
    assert theirs.ended_at is not None
    assert (await scene.brief()).version == mine.version, "an ended brief is left alone"


async def test_a_unit_assigned_again_gets_a_new_brief(scene: Scene) -> None:
    await scene.told("26-1", scene.on())
    await scene.told("26-1", scene.on(CAR, UnitStatus.CLEARED))
    await scene.told("26-1", scene.on())
    running = [b for b in await scene.briefs() if b.ended_at is None]
    assert len(await scene.briefs()) == 2
    assert [b.version for b in running] == [1]


async def test_a_brief_goes_with_its_call_into_the_joined_incident(scene: Scene) -> None:
    first = await scene.told("26-1", scene.on())
    far = {"place": spot(1080, 300), "address": "400 Bank Rd"}
    second = await scene.told("26-2", scene.on(OTHER_CAR), **far)
    assert second.incident_id != first.incident_id
    before = await scene.brief(OTHER_CAR)
    ask = scene.city.ask()
    await scene.city.dispatch.join(ask, first.incident_id, second.incident_id)
    after = await scene.brief(OTHER_CAR)
    assert (after.brief_id, after.incident_id) == (before.brief_id, first.incident_id)
    assert after.change.startswith("This call is now one with another.")
    assert "Callers disagree: another says 400 Bank Rd." in says(after, LineKind.WHERE)
    assert says(await scene.brief(), LineKind.WITH_YOU) == "3B22 is assigned."
    async with scene.city.records() as records:
        assert await records.briefs.of_incident(second.incident_id) == []

    call = next(p for p in second.parts)
    await scene.city.dispatch.split(ask, first.incident_id, call.part_id)
    apart = await scene.brief(OTHER_CAR)
    assert apart.brief_id == before.brief_id
    assert apart.incident_id not in (None, first.incident_id)
    assert apart.ended_at is None
    assert apart.change.startswith("This call now stands apart.")
    assert says(apart, LineKind.WHERE).startswith("400 Bank Rd.")
    assert (await scene.brief()).ended_at is None


async def test_a_unit_on_two_calls_that_are_joined_keeps_one_running_brief(scene: Scene) -> None:
    first = await scene.told("26-1", scene.on())
    far = {"place": spot(1080, 300), "address": "400 Bank Rd"}
    second = await scene.told("26-2", scene.on(), **far)
    await scene.city.dispatch.join(scene.city.ask(), first.incident_id, second.incident_id)
    briefs = await scene.briefs()
    assert len(briefs) == 2
    [running] = [b for b in briefs if b.ended_at is None]
    assert running.incident_id == first.incident_id


async def test_an_operators_fact_reaches_everybody_on_the_way(scene: Scene) -> None:
    incident = await scene.told("26-1", scene.on(), scene.on(OTHER_CAR))
    await scene.city.dispatch.add_fact(
        scene.city.ask(), incident.incident_id, LineKind.HAZARDS, "he is on the roof"
    )
    for unit in (CAR, OTHER_CAR):
        after = await scene.brief(unit)
        assert after.change == "Update: Rivera: he is on the roof."
        assert after.lines[2].source.startswith("operator Rivera; else ")


async def test_an_unconfirmed_alert_leaves_no_byte_in_a_brief(scene: Scene) -> None:
    await scene.told("26-1", scene.on(), **ROBBERY)
    waiting = await scene.raised("GHOST77")
    incident = await scene.city.incident_of("26-1")
    assert waiting.alert_id in {p.part_id for p in incident.parts}, "it is in the incident"
    await scene.told("26-1", people="two men")
    async with scene.completing():
        await scene.heard(3)
    for version in await scene.versions(await scene.brief()):
        body = msgspec.json.encode(version)
        for hidden in ("GHOST77", str(waiting.alert_id), "stolen vehicle", "26-4711"):
            assert hidden.encode() not in body, hidden
    await scene.confirm(waiting)
    after = await scene.brief()
    assert (after.plate, after.alert_id) == ("GHOST77", waiting.alert_id)
    assert "NM GHOST77: plate confirmed." in after.change


async def test_an_alert_rejected_in_a_call_was_never_told(scene: Scene) -> None:
    await scene.told("26-1", scene.on(), **ROBBERY)
    waiting = await scene.raised("GHOST77")
    await scene.city.desk.reject(
        scene.ask(Thing.ALERT), waiting.alert_id, waiting.version, RejectReason.MISREAD
    )
    assert (await scene.brief()).version == 1


@pytest.mark.parametrize("first", ["dispatch", "briefing"])
async def test_a_recall_inside_a_call_takes_back_the_plate_and_keeps_the_call(
    scene: Scene, first: str
) -> None:
    if first == "briefing":
        scene.city.desk.followers.reverse()
    await scene.told("26-1", scene.on(), **ROBBERY)
    told = await scene.confirmed("GHOST77")
    before = await scene.brief()
    await scene.recall(told)
    after = await scene.brief()
    assert after.change.startswith("Recalled: recovered. Do not act on this plate.")
    assert after.version == before.version + 1, "said once, whoever hears of it first"
    assert (after.recalled, after.recall_reason) == (False, "recovered")
    assert (after.plate, after.alert_id) == (None, told.alert_id)
    assert says(after, LineKind.VEHICLE).startswith("NM GHOST77 is withdrawn: recovered.")
    assert after.ended_at is None


async def test_a_unit_that_came_after_the_recall_hears_nothing_of_the_plate(scene: Scene) -> None:
    await scene.told("26-1", scene.on(), **ROBBERY)
    await scene.recall(await scene.confirmed("GHOST77"))
    await scene.told("26-1", scene.on(), scene.on(OTHER_CAR))
    assert b"GHOST77" not in msgspec.json.encode(await scene.brief(OTHER_CAR))


async def test_a_recall_reaches_those_whose_brief_has_ended(scene: Scene) -> None:
    await scene.told("26-1", scene.on(), **ROBBERY)
    told = await scene.confirmed("GHOST77")
    await scene.told("26-1", scene.on(CAR, UnitStatus.CLEARED))
    assert (await scene.brief()).ended_at is not None
    await scene.recall(told)
    after = await scene.brief()
    assert after.change.startswith("Recalled: ")
    assert after.ended_at is not None


@pytest.mark.parametrize("first", ["dispatch", "briefing"])
async def test_a_plates_own_brief_turns_red_once_when_it_is_recalled(
    scene: Scene, first: str
) -> None:
    if first == "briefing":
        scene.city.desk.followers.reverse()
    told = await scene.confirmed("GHOST77")
    await scene.at(CAR, 0, 0)
    sent = (await scene.briefing.send(scene.ask(Thing.BRIEF), told.alert_id, CAR)).value
    incident = await scene.city.incident(sent.incident_id or IncidentId(sent.brief_id))
    assert [u.unit for u in incident.units] == [CAR]
    assert sent == await scene.brief(), "the assignment itself is no news"
    await scene.recall(told)
    red = await scene.brief()
    assert (red.version, red.recalled, red.recall_reason) == (2, True, "recovered")
    assert red.change == "Recalled: recovered. Do not act on this plate."


async def test_the_outcome_of_a_plate_is_asked_once_and_goes_into_the_log(scene: Scene) -> None:
    incident = await scene.told("26-1", scene.on(), **ROBBERY)
    await scene.confirmed("GHOST77")
    brief = await scene.brief()
    first = await scene.outcome(brief, Outcome.RIGHT_CAR)
    assert await scene.outcome(brief, Outcome.RIGHT_CAR) == first
    assert first.change == "Outcome: right car."
    assert ("outcome", "2A14: right car") in await scene.city.log(incident)


async def test_an_operator_sends_a_unit_and_the_brief_says_who_sent_it(scene: Scene) -> None:
    incident = await scene.told("26-1")
    await scene.at(CAR, 0, 0)
    ask = scene.ask(Thing.BRIEF)
    sent = (await scene.briefing.send_incident(ask, incident.incident_id, CAR)).value
    again = (await scene.briefing.send_incident(ask, incident.incident_id, CAR)).value
    assert sent == again == await scene.brief()
    assert sent.sent_by == scene.city.operator.person_id
    assert [u.unit for u in (await scene.city.incident_of("26-1")).units] == [CAR]


async def test_nobody_can_brief_a_call_without_the_right_to(scene: Scene) -> None:
    incident = await scene.told("26-1")
    ask = scene.ask(Thing.BRIEF, msgspec.structs.replace(scene.officer, unit=UnitId("9X9")))
    with pytest.raises(Refused):
        await scene.briefing.send_incident(ask, incident.incident_id, CAR)
