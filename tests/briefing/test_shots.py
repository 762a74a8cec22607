"""What the officer is told of shots that sensors located and a person listened to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from farolito.briefing import Known, Spot, spoken
from farolito.briefing.known import Around, Eye, History
from farolito.briefing.shots import at_once, full_auto
from farolito.model import (
    AlertState,
    Confidence,
    LineKind,
    Movement,
    Point,
    ShotAlert,
    SoundKind,
    Thing,
)
from tests.briefing.briefing_builders import NOW, PLACE, SAID, call, incident, known, line
from tests.briefing.scene import CAR, OTHER_CAR, Scene, says
from tests.desk.city import AGENCY, spot
from tests.desk.ears import Ears
from tests.shot_builders import ellipse, mode, rounds, shot, shot_alert

CROSS = Spot(street="Central Ave", cross="4th St", side="north")
WHAT, WHERE, HAZARDS, PICTURE = (
    LineKind.WHAT, LineKind.WHERE, LineKind.HAZARDS, LineKind.PICTURE
)  # fmt: skip


def heard(*alerts: ShotAlert, calls: Any = (), **more: Any) -> Known:
    """What is known where sensors heard these, reviewed by A. Ortiz."""
    told = {
        "shots": alerts,
        "reviewed_by": {a.alert_id: "A. Ortiz" for a in alerts},
        "around": Around(spot=CROSS),
        "incident": incident(calls, place=alerts[0].shot.place if alerts else PLACE),
        **more,
    }
    return known(*calls, **told)


def test_the_machines_part_and_the_persons_part_are_both_said() -> None:
    what = line(heard(shot_alert(shot(5))), WHAT)
    assert what.says == (
        "P1 shots fired. Shots fired: 5 rounds in 1.3 s, heard 10:00:00 UTC by 9 sensors;"
        " reviewed as gunfire by A. Ortiz."
    )
    assert (what.source, what.confidence, what.as_of) == (
        "gunshot sensors, listened to by A. Ortiz", Confidence.CONFIRMED, NOW
    )  # fmt: skip
    where = line(heard(shot_alert(shot(5))), WHERE)
    assert where.says == "Central Ave @ 4th St, north corner. Within 12 m (95 %)."
    assert (where.source, where.confidence, where.as_of) == (
        "9 gunshot sensors, located by machine", Confidence.MACHINE, NOW + timedelta(seconds=2)
    )  # fmt: skip


def test_in_spanish_it_is_said_in_spanish() -> None:
    told = heard(shot_alert(shot(5, movement=Movement(metres=40, metres_sd=5, bearing_deg=45))))
    assert line(told, WHAT, "es").says == (
        "P1 disparos. Disparos: 5 detonaciones en 1.3 s, oídas a las 10:00:00 UTC por 9 sensores;"
        " A. Ortiz las escuchó y son disparos."
    )
    assert "A no más de 12 m (95 %)." in line(told, WHERE, "es").says
    assert line(told, HAZARDS, "es").says.startswith(
        "El tirador se movió 40 m al noreste mientras disparaba (máquina)."
    )


def test_one_of_two_places_is_never_said_as_one() -> None:
    near = Point(PLACE.lat + 0.0009, PLACE.lon)
    told = heard(
        shot_alert(shot(place=PLACE, modes=(mode(PLACE, 0.7), mode(near, 0.3)))),
        around=Around(spot=CROSS, modes=(CROSS, None)),
    )
    assert line(told, WHERE).says == (
        "One of two places: 70 %: Central Ave @ 4th St, north corner. 30 %: 100 m north of it."
    )
    assert line(told, WHERE, "es").says.startswith("Uno de dos lugares: 70 %:")


def test_a_place_without_accuracy_is_rough_and_one_outside_the_net_less_sure() -> None:
    vendor = shot_alert(shot(ellipse=None, heard=(), source="vendor-1"))
    told = heard(vendor)
    assert line(told, WHERE).says.endswith("Rough: vendor-1 does not say how surely.")
    assert "5 rounds at 10:00:00 UTC, told by vendor-1" in line(told, WHAT).says
    outside = heard(shot_alert(shot(outside_net=True)))
    assert line(outside, WHERE).says.endswith(
        "Within 12 m (95 %). Outside the sensors that heard it: less sure than that."
    )


def test_what_only_the_machine_makes_of_it_says_so() -> None:
    fast = shot_alert(
        shot(8, rounds=rounds(8, every_s=0.085),
             movement=Movement(metres=40, metres_sd=6, bearing_deg=40)),
        shot(4, place=Point(PLACE.lat + 0.001, PLACE.lon)),
    )  # fmt: skip
    hazards = line(heard(fast, history=History(calls=(), days=90)), HAZARDS)
    assert hazards.says == (
        "710 rounds a minute: full automatic cadence likely (machine)."
        " 2 places of fire at one time: 2 shooters likely (machine)."
        " The shooter moved 40 m northeast while firing (machine)."
        " No flag was told. No history found here in 90 days of records."
    )
    assert (hazards.confidence, hazards.known) == (Confidence.MACHINE, True)
    assert hazards.source == "gunshot sensors, by machine, and our call records"


@pytest.mark.parametrize(
    ("n", "every_s", "rate"),
    [(5, 0.085, 706), (19, 0.1, 600), (4, 0.085, None), (12, 0.2, None), (12, 0.04, None)],
)
def test_only_five_even_rounds_as_fast_as_a_machine_are_automatic_fire(
    n: int, every_s: float, rate: int | None
) -> None:
    assert full_auto(shot(n, rounds=rounds(n, every_s=every_s))) == rate


def test_a_fast_finger_keeps_no_time() -> None:
    at = 0.0
    times = []
    for gap in (0.0, 0.09, 0.13, 0.08, 0.132, 0.09, 0.13):
        at += gap
        times.append(at)
    uneven = tuple(
        msgspec.structs.replace(one, at=NOW + timedelta(seconds=t))
        for one, t in zip(rounds(7), times, strict=True)
    )
    assert full_auto(shot(7, rounds=uneven)) is None


def test_two_strings_are_two_shooters_only_at_one_time_and_surely_apart() -> None:
    here, there = shot(5), Point(PLACE.lat + 0.001, PLACE.lon)
    assert at_once([here, shot(5, place=there)]) == 2
    assert at_once([here, shot(5, NOW + timedelta(seconds=30), place=there)]) == 1
    assert at_once([here, shot(5, place=there, ellipse=ellipse(120))]) == 1
    assert at_once([here, shot(5, place=there, kinds={SoundKind.FIREWORK: 1.0})]) == 1


def test_beside_a_call_shots_follow_its_first_sentence_and_lead_the_place() -> None:
    caller = call(place=Point(PLACE.lat, PLACE.lon + 0.002))
    told = heard(shot_alert(shot(5)), calls=(caller,))
    assert line(told, WHAT).says.startswith("P1 shots fired. Shots fired: 5 rounds in 1.3 s,")
    assert line(told, WHAT).source == (
        "dispatch, call 26-118204, and gunshot sensors listened to by A. Ortiz"
    )
    assert line(told, WHERE).says == (
        "Central Ave @ 4th St, north corner. Within 12 m (95 %). A caller says 201 Central Ave NW."
    )


def test_a_victims_place_leads_and_where_the_shots_were_is_said_beside_it() -> None:
    caller = call(place=Point(PLACE.lat, PLACE.lon))
    away = shot_alert(shot(5, place=Point(PLACE.lat + 0.0018, PLACE.lon)))
    told = heard(away, calls=(caller,), incident=incident((caller,), place=PLACE))
    assert line(told, WHERE).says.endswith("Sensors heard the shots: 200 m north of it.")


def test_the_nearest_camera_is_named_as_for_any_call() -> None:
    told = heard(
        shot_alert(), around=Around(spot=CROSS, eye=Eye(name="Plaza", kind="camera", metres=84))
    )
    assert line(told, PICTURE).says == ("No picture yet. Camera Plaza is 80 m away: ask the RTCC.")


# --- in a city, with versions


@pytest.fixture
async def ears(scene: Scene) -> Ears:
    made = Ears(scene.city)
    made.desk.followers.append(scene.briefing.follow_shot)
    await made.is_known(scene.city.operator)
    return made


async def test_shots_that_nobody_reviewed_are_no_word_of_a_brief(scene: Scene, ears: Ears) -> None:
    await scene.told("26-1", scene.on())
    alert = await ears.heard(300, 320)
    await ears.revised(alert, place=spot(300, 340))
    await ears.desk.take(ears.ask(), alert.alert_id)
    brief = await scene.brief()
    assert brief.version == 1
    assert b"ensor" not in msgspec.json.encode(brief.lines)


async def test_a_review_is_a_version_and_each_better_solution_says_what_is_new(
    scene: Scene, ears: Ears
) -> None:
    await scene.told("26-1", scene.on())
    alert = await ears.reviewed(await ears.heard(300, 340))
    first = await scene.brief()
    assert (first.version, first.place, first.within_m) == (2, spot(300, 340), 12.0)
    assert "reviewed as gunfire by Rivera" in first.change
    assert spoken(first, SAID, "en", moving=True).startswith(
        "2A14. Update: 5 rounds heard at 10:00:01 UTC, reviewed as gunfire."
    )
    alert = await ears.revised(alert, rounds=rounds(7, scene.city.clock()))
    assert (await scene.brief()).change == "Update: Now 7 rounds, not 5."
    alert = await ears.revised(alert, place=spot(300, 354), ellipse=ellipse(8.0))
    moved = await scene.brief()
    assert moved.change.startswith(
        "Update: The place moved 14 m north. 4th St @ E Ave, 50 m south. Within 8 m (95 %)."
    )
    alert = await ears.revised(alert, place=spot(303, 354), ellipse=ellipse(7.0))
    assert (await scene.brief()).version == moved.version, "a wavering place wakes nobody"
    await ears.revised(alert, movement=Movement(metres=40, metres_sd=5, bearing_deg=90))
    last = await scene.brief()
    assert last.change == "Update: The shooter moved 40 m east while firing (machine)."


async def test_shots_that_were_none_leave_the_brief_and_that_is_said_first(
    scene: Scene, ears: Ears
) -> None:
    await scene.told("26-1", scene.on())
    alert = await ears.reviewed(await ears.heard(300, 340))
    await ears.reviewed(alert, SoundKind.FIREWORK)
    brief = await scene.brief()
    said = "Withdrawn: what was heard at 10:00:01 UTC is not gunfire but fireworks, says Rivera."
    assert brief.change.startswith(f"Update: {said}")
    assert brief.lines[0].says.startswith(said)
    assert "reviewed as gunfire" not in brief.lines[0].says
    assert brief.place == spot(300, 300), "where the caller says"
    scene.city.later(5)
    await scene.told("26-1", scene.on(), scene.on(OTHER_CAR))
    [other] = await scene.briefs(OTHER_CAR)
    assert "Withdrawn" not in other.lines[0].says, "who never heard of it is not told"
    assert says(await scene.brief(CAR), WHAT).startswith(said)


async def test_a_unit_sent_to_shots_alone_is_briefed_and_told_when_they_were_none(
    scene: Scene, ears: Ears
) -> None:
    alert = await ears.reviewed(await ears.heard(300, 300))
    home = await ears.home(alert)
    assert home is not None
    await scene.at(CAR, 0, 0)
    await scene.briefing.send_incident(scene.ask(Thing.BRIEF), home.incident_id, CAR)
    brief = await scene.brief()
    assert (brief.level, brief.place) == (1, spot(300, 300))
    assert says(brief, HAZARDS) == "No flag was told. History of the place: being looked up."
    async with scene.completing():
        whole = await scene.heard(2)
    assert "being looked up" not in says(whole, HAZARDS)
    assert says(whole, PICTURE) == (
        "No picture yet. Plate reader Central @ 4th, eastbound is 20 m away."
    )
    wrong = await ears.reviewed(alert, SoundKind.VEHICLE)
    assert wrong.state is AlertState.REJECTED
    gone = await scene.brief()
    assert gone.change.startswith("Update: Withdrawn: what was heard at")
    assert (gone.place, says(gone, WHERE)) == (None, "Place not known.")


async def test_a_call_that_joins_shots_makes_one_brief_of_both(scene: Scene, ears: Ears) -> None:
    alert = await ears.reviewed(await ears.heard(300, 340))
    home = await ears.home(alert)
    assert home is not None
    await scene.at(CAR, 0, 0)
    await scene.briefing.send_incident(scene.ask(Thing.BRIEF), home.incident_id, CAR)
    scene.city.later(30)
    await scene.told("26-1", scene.on())
    brief = await scene.brief()
    assert (brief.call, brief.place) == ("26-1", spot(300, 340))
    assert brief.agency == AGENCY.agency_id
    assert brief.change == "Update: Call 26-1 tells of these shots."
    assert says(brief, WHERE).startswith("4th St @ D Ave, 40 m north")
