"""Shots are part of an incident: for operators from the first, for all once a person heard
gunfire, and out of it when a person heard something else."""

from __future__ import annotations

import pytest

from farolito.model import (
    AlertState,
    CallKind,
    CallState,
    IncidentState,
    Level,
    LinkBy,
    PartKind,
    Point,
    ShotOutcome,
    SoundKind,
)
from tests.desk.city import City, spot
from tests.desk.ears import Ears
from tests.shot_builders import ellipse, mode, rounds

K = CallKind


@pytest.fixture
def ears(city: City) -> Ears:
    return Ears(city)


async def test_shots_that_nobody_reviewed_open_no_incident(ears: Ears) -> None:
    assert await ears.home(await ears.heard(0, 0)) is None
    assert await ears.city.open_ones() == []


async def test_reviewed_shots_open_their_own_incident_until_their_outcome_is_known(
    ears: Ears,
) -> None:
    alert = await ears.reviewed(await ears.heard(300, 300))
    incident = await ears.home(alert)
    assert incident is not None
    assert (incident.kind, incident.level, incident.place, incident.within_m) == (
        K.SHOTS_FIRED, Level.P1, spot(300, 300), 12.0
    )  # fmt: skip
    assert (incident.where, incident.doubtful) == ("4th St @ D Ave", False)
    assert [(p.kind, p.label, p.at) for p in incident.parts] == [
        (PartKind.SHOT, "5 rounds", alert.shot.discharged_at)
    ]
    assert await ears.city.log(incident) == [
        ("shot_confirmed", "Shots, 5 rounds, reviewed as gunfire by a person")
    ]
    panel = (await ears.city.dispatch.one(ears.city.ask(), incident.incident_id)).value
    assert panel["shots"] == [alert]
    await ears.desk.outcome(ears.ask(), alert.alert_id, ShotOutcome.CASINGS)
    done = await ears.city.incident(incident.incident_id)
    assert done.state is IncidentState.CLOSED
    assert (await ears.city.log(done))[-2] == (
        "shot_closed", "Shots, 5 rounds, closed, outcome casings"
    )  # fmt: skip


async def test_a_call_first_takes_the_shots_in_for_operators_alone(ears: Ears) -> None:
    before = await ears.city.told(
        "26-1", kind=K.SHOTS_FIRED, priority=Level.P2, place=spot(100, 0), address="2nd St @ A Ave"
    )
    ears.city.later(20)
    alert = await ears.heard(300, 0)
    after = await ears.home(alert)
    assert after is not None
    assert after.incident_id == before.incident_id
    part = after.parts[1]
    assert (part.kind, part.link.by, part.is_confirmed) == (PartKind.SHOT, LinkBy.NEAR, False)
    assert (after.level, after.where, after.place) == (before.level, before.where, before.place)
    said = dict(await ears.city.log(after))["shot_linked"]
    assert said.endswith("sensors located what was heard, not reviewed by a person")
    await ears.reviewed(alert)
    sure = await ears.city.incident(before.incident_id)
    assert (sure.level, sure.place, sure.within_m) == (Level.P1, spot(300, 0), 12.0), (
        "callers tell where they heard shots, sensors where they were fired"
    )
    assert (await ears.city.words(sure))[-1] == "shot_confirmed"


async def test_shots_first_wait_for_the_call_that_tells_of_them(ears: Ears) -> None:
    alert = await ears.heard(300, 0)
    ears.city.later(45)
    incident = await ears.city.shots("26-1", 100, 0)
    assert await ears.home(alert) == incident
    assert {p.kind: p.is_confirmed for p in incident.parts} == {
        PartKind.CALL: True, PartKind.SHOT: False
    }  # fmt: skip
    confirmed = await ears.reviewed(await ears.heard(900, 900))
    ears.city.later(45)
    other = await ears.city.shots("26-2", 900, 800)
    assert await ears.home(confirmed) == other, "a reviewed one's incident takes the call in"


async def test_a_victim_is_where_the_caller_says(ears: Ears) -> None:
    await ears.city.told("26-1", kind=K.SHOOTING, priority=Level.P1, place=spot(100, 0))
    ears.city.later(5)
    alert = await ears.reviewed(await ears.heard(300, 0))
    incident = await ears.home(alert)
    assert incident is not None
    assert (incident.kind, incident.place) == (K.SHOOTING, spot(100, 0))


async def test_shots_reviewed_as_something_else_leave_and_take_their_word_along(
    ears: Ears,
) -> None:
    before = await ears.city.told("26-1", kind=K.SHOTS_FIRED, priority=Level.P2, place=spot(100, 0))
    alert = await ears.reviewed(await ears.heard(300, 0))
    wrong = await ears.reviewed(alert, SoundKind.FIREWORK)
    after = await ears.city.incident(before.incident_id)
    assert await ears.home(wrong) is None
    assert (after.level, after.place, len(after.parts)) == (Level.P2, spot(100, 0), 1)
    assert (await ears.city.log(after))[-1] == (
        "shot_rejected", "Shots, 5 rounds, reviewed as firework: no longer a part"
    )  # fmt: skip


async def test_an_incident_of_shots_alone_closes_struck_out_and_opens_when_heard_again(
    ears: Ears,
) -> None:
    alert = await ears.reviewed(await ears.heard(300, 0))
    wrong = await ears.reviewed(alert, SoundKind.FIREWORK)
    struck = await ears.home(wrong)
    assert struck is not None
    assert (struck.state, struck.kind_says, struck.level) == (
        IncidentState.CLOSED, "reviewed as firework", Level.P3
    )  # fmt: skip
    assert not struck.parts[0].is_confirmed
    await ears.reviewed(wrong)
    again = await ears.city.incident(struck.incident_id)
    assert (again.state, again.level, again.kind_says) == (IncidentState.OPEN, Level.P1, "")


async def test_a_revision_moves_the_incident_and_is_a_line_of_its_log(ears: Ears) -> None:
    alert = await ears.reviewed(await ears.heard(300, 0))
    await ears.revised(
        alert, place=spot(300, 14), ellipse=ellipse(8.0), rounds=rounds(7, ears.city.clock())
    )
    incident = await ears.home(alert)
    assert incident is not None
    assert (incident.place, incident.within_m, incident.parts[0].label) == (
        spot(300, 14), 8.0, "7 rounds"
    )  # fmt: skip
    assert (await ears.city.log(incident))[-1] == (
        "shot_revised", "Shots located anew: 7 rounds, was 5 rounds, place within 8 m"
    )  # fmt: skip
    version = incident.version
    await ears.desk.attach(alert.alert_id, [])
    assert (await ears.city.incident(incident.incident_id)).version == version


async def test_two_strings_of_one_event_are_one_incident_whoever_is_reviewed_first(
    ears: Ears,
) -> None:
    first = await ears.heard(0, 0)
    ears.city.later(180)
    second = await ears.heard(300, 0)
    assert first.alert_id != second.alert_id
    sure = await ears.reviewed(second)
    incident = await ears.home(sure)
    assert incident is not None
    assert await ears.home(first) == incident
    assert {p.part_id: p.is_confirmed for p in incident.parts} == {
        first.alert_id: False, second.alert_id: True
    }  # fmt: skip
    await ears.reviewed(first)
    both = await ears.city.incident(incident.incident_id)
    assert all(part.is_confirmed for part in both.parts)
    assert both.place == spot(300, 0), "the newest string is where the shooter was last"


async def test_reviewed_shots_between_two_callers_show_that_they_are_one_event(
    ears: Ears,
) -> None:
    """Two callers 480 m apart by road are two events until shots lie between them."""
    west = await ears.city.shots("26-1", 0, 0)
    east = await ears.city.shots("26-2", 480, 0)
    assert west.incident_id != east.incident_id
    alert = await ears.heard(240, 0)
    assert len(await ears.city.open_ones()) == 2, "a machine's word alone joins no two"
    await ears.reviewed(alert)
    [whole] = await ears.city.open_ones()
    assert {part.label for part in whole.parts} == {"26-1", "26-2", "5 rounds"}


async def test_one_of_two_places_is_said_as_that_and_never_as_sure(ears: Ears) -> None:
    places = (mode(spot(0, 0), 0.7), mode(spot(100, 0), 0.3))
    alert = await ears.reviewed(await ears.heard(0, 0, modes=places))
    incident = await ears.home(alert)
    assert incident is not None
    assert incident.doubtful
    assert incident.where == "one of 2 places: 1th St @ A Ave (70%) or 2th St @ A Ave (30%)"
    assert incident.within_m == pytest.approx(112, abs=1), "the circle holds both"


async def test_a_vendor_without_accuracy_is_shown_as_rough(ears: Ears) -> None:
    alert = await ears.reviewed(await ears.heard(0, 0, ellipse=None, heard=(), source="vendor-1"))
    incident = await ears.home(alert)
    assert incident is not None
    assert (incident.doubtful, incident.within_m) == (True, None)
    assert incident.where == "1th St @ A Ave (the source tells no accuracy)"


async def test_what_is_not_worth_a_persons_time_is_no_part_until_a_person_says_so(
    ears: Ears,
) -> None:
    call = await ears.city.shots("26-1", 0, 0)
    quiet = await ears.heard(100, 0, kinds={SoundKind.GUNSHOT: 0.1, SoundKind.VEHICLE: 0.9})
    assert not quiet.is_queued
    assert await ears.home(quiet) is None
    sure = await ears.reviewed(quiet)
    home = await ears.home(sure)
    assert home is not None
    assert home.incident_id == call.incident_id


async def test_what_a_person_splits_off_stays_apart(ears: Ears) -> None:
    incident = await ears.city.shots("26-1", 0, 0)
    alert = await ears.reviewed(await ears.heard(100, 0))
    await ears.city.dispatch.split(ears.city.ask(), incident.incident_id, alert.alert_id)
    own = await ears.home(alert)
    assert own is not None
    assert own.incident_id != incident.incident_id
    assert (own.kind, own.place) == (K.SHOTS_FIRED, spot(100, 0))
    moved = await ears.revised(alert, place=spot(90, 0))
    assert (await ears.home(moved) or own).incident_id == own.incident_id
    await ears.city.told("26-1", state=CallState.CLOSED)
    assert (await ears.city.incident(own.incident_id)).state is IncidentState.OPEN


async def test_taken_is_told_and_changes_nothing_else(ears: Ears) -> None:
    before = await ears.city.shots("26-1", 0, 0)
    alert = await ears.heard(100, 0)
    await ears.desk.take(ears.ask(), alert.alert_id)
    after = await ears.city.incident(before.incident_id)
    assert after.parts[1].alert is AlertState.TAKEN
    assert (after.place, after.level) == (before.place, before.level)
    assert isinstance(after.place, Point)
