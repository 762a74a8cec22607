"""Seven lines from what is known: said, doubted, contradicted, or plainly not known."""

from __future__ import annotations

import statistics
import time
from datetime import datetime, timedelta, timezone

import msgspec
import pytest

from farolito.briefing import Around, Eye, History, Near, Spot, compose
from farolito.briefing.known import place_of
from farolito.model import (
    AlertState,
    CallKind,
    CallVehicle,
    Confidence,
    Doubt,
    HazardKind,
    Level,
    LineKind,
    Picture,
    Point,
    Report,
    Unit,
    UnitId,
    UnitStatus,
)
from tests.briefing.briefing_builders import (
    AGENCY,
    NOW,
    OPERATOR,
    OTHER_CAR,
    READER,
    SAID,
    alert,
    call,
    fact,
    flag,
    going,
    incident,
    known,
    line,
    note,
    on_call,
)

SPOT = Spot(street="Central Ave", cross="2nd St", from_cross_m=60, from_cross="east", side="north")


def test_a_brief_has_its_seven_lines_whatever_is_not_known() -> None:
    bare = known(call(address=None, place=None, kind=CallKind.OTHER, kind_says=""))
    lines = compose(bare, SAID, "en")
    assert [one.kind for one in lines] == list(LineKind)
    assert all(one.says and one.source for one in lines)
    unknown = {one.kind for one in lines if not one.known}
    assert unknown == set(LineKind) - {LineKind.WHAT}


def test_what_says_priority_kind_people_and_the_newest_note() -> None:
    told = call(
        people="two men, one long gun",
        notes=(note("caller hid"), note("line went dead.", NOW + timedelta(seconds=9))),
    )
    what = line(known(told), LineKind.WHAT)
    assert what.says == "P1 shots fired. Involved: two men, one long gun. Dispatch: line went dead."
    assert (what.source, what.confidence) == ("dispatch, call 26-118204", Confidence.TOLD)
    assert what.as_of == NOW - timedelta(seconds=20)


def test_a_kind_our_list_has_not_is_said_in_the_dispatchers_word() -> None:
    told = call(kind=CallKind.OTHER, kind_says="ESCAPED EMU", priority=Level.P3)
    assert line(known(told), LineKind.WHAT).says == "P3 ESCAPED EMU."


def test_where_says_address_crossing_side_within_and_the_way() -> None:
    around = Around(spot=SPOT, eta_s=232)
    where = line(known(call(), around=around), LineKind.WHERE)
    assert where.says == (
        "201 Central Ave NW. Central Ave @ 2nd St, 60 m east, north side. ± 25 m."
        " About 4 min by road."
    )
    assert (where.confidence, where.known) == (Confidence.TOLD, True)


def test_an_address_that_the_crossing_says_already_is_not_said_twice() -> None:
    told = call(address="Central Ave @ 2nd St", within_m=None)
    where = line(known(told, around=Around(spot=Spot(street="Central Ave", cross="2nd St"))),
                 LineKind.WHERE)  # fmt: skip
    assert where.says == "Central Ave @ 2nd St."


def test_a_place_that_is_an_area_is_said_as_about() -> None:
    told = call(address="Central Ave", within_m=400.0, doubts=(Doubt.ABOUT,), place_from="map")
    where = line(known(told), LineKind.WHERE)
    assert where.says == "About: Central Ave. ± 400 m."
    assert where.confidence is Confidence.MACHINE
    assert "our map" in where.source


def test_a_place_that_was_not_found_is_said_as_told_and_not_known() -> None:
    told = call(place=None, place_from=None, within_m=None, doubts=(Doubt.NO_PLACE,))
    where = line(known(told), LineKind.WHERE)
    assert where.says == "Place not found: address as told, 201 Central Ave NW."
    assert not where.known


def test_an_address_far_from_its_coordinates_is_said_as_doubtful() -> None:
    where = line(known(call(doubts=(Doubt.PLACES_DIFFER,))), LineKind.WHERE)
    assert "Doubtful: address and coordinates are far apart." in where.says
    assert where.confidence is Confidence.MACHINE


def test_callers_who_name_places_apart_disagree() -> None:
    a = call("1", address="201 Central Ave NW")
    b = call("2", address="900 Lomas Blvd", place=Point(35.10, -106.62))
    says = line(known(a, b), LineKind.WHERE).says
    assert "Callers disagree: another says 900 Lomas Blvd." in says


def test_news_of_another_caller_does_not_move_the_brief_to_another_place() -> None:
    """The officer and the operator look at one corner: the incident's."""
    a = call("1", address="201 Central Ave NW")
    later = a.changed_at + timedelta(minutes=1)
    b = call("2", address="900 Lomas Blvd", place=Point(35.10, -106.62), changed_at=later)
    both = known(a, b)
    assert both.incident is not None
    assert place_of(both) == both.incident.place == a.place
    where = line(both, LineKind.WHERE)
    assert where.says.startswith("201 Central Ave NW.")
    assert "another says 900 Lomas Blvd" in where.says


def test_who_stands_at_the_place_is_told_no_time_to_get_there() -> None:
    near = Around(readers={}, eta_s=60.0)
    going = known(call(), around=near)
    assert "by road" in line(going, LineKind.WHERE).says
    there = incident((call(),), units=(on_call(status=UnitStatus.ON_SCENE),))
    assert "by road" not in line(known(call(), around=near, incident=there), LineKind.WHERE).says


def test_a_brief_goes_by_the_place_that_the_incident_goes_by() -> None:
    a = call("1", doubts=(Doubt.ABOUT,))
    b = call("2", address="900 Lomas Blvd", place=Point(35.10, -106.62))
    moved = known(a, b, incident=incident((a, b), place=b.place))
    assert place_of(moved) == b.place
    assert line(moved, LineKind.WHERE).says.startswith("900 Lomas Blvd.")


def test_two_spellings_of_one_place_are_no_disagreement() -> None:
    a = call("1", address="Central Ave @ 2nd St")
    b = call("2", address="2ND AND CENTRAL", place=Point(35.08441, -106.65042))
    assert "disagree" not in line(known(a, b), LineKind.WHERE).says


@pytest.mark.parametrize(
    ("a", "b", "kind", "says"),
    [
        ({"people": "two men"}, {"people": "one man"}, LineKind.WHAT, "one man or two men"),
        (
            {"vehicles": (CallVehicle(colour="white", make="Ford"),)},
            {"vehicles": (CallVehicle(colour="grey", make="FORD"),)},
            LineKind.VEHICLE,
            "grey or white",
        ),
        (
            {"vehicles": (CallVehicle(plate="ABC123", state="NM"),)},
            {"vehicles": (CallVehicle(plate="ABC128", state="NM"),)},
            LineKind.VEHICLE,
            "ABC128 or ABC123",
        ),
        (
            {"going": going("on Central", 90)},
            {"going": going("on Central", 270)},
            LineKind.LAST_SEEN,
            "east or west",
        ),
    ],
)
def test_callers_of_one_incident_who_contradict_are_said_to_disagree(
    a: dict[str, object], b: dict[str, object], kind: LineKind, says: str
) -> None:
    said = line(known(call("1", **a), call("2", **b)), kind).says
    assert f"Callers disagree: {says}." in said
    assert said.count("disagree") == 1


def test_one_caller_who_saw_two_cars_contradicts_nobody() -> None:
    two = (CallVehicle(says="white Ford"), CallVehicle(says="grey Kia"))
    says = line(known(call(vehicles=two)), LineKind.VEHICLE).says
    assert says == "Told by a caller: white Ford. Told by a caller: grey Kia."


def test_a_flag_says_its_source_its_date_and_its_end() -> None:
    ends = datetime(2026, 12, 1, 6, 30, tzinfo=timezone(timedelta(hours=-7)))
    told = known(
        call(hazards=(flag("long gun in the house", ends),)), zone=timezone(timedelta(hours=-7))
    )
    hazards = line(told, LineKind.HAZARDS)
    assert hazards.says.startswith(
        "Weapon: long gun in the house (CAD premise file, October 14, 2025;"
        " in force until December 1, 2026, 06:30)."
    )
    assert hazards.known


def test_an_expired_flag_is_not_said_as_one_in_force() -> None:
    over = flag("dog bites", NOW - timedelta(seconds=1), kind=HazardKind.DOG)
    hazards = line(known(call(hazards=(over,))), LineKind.HAZARDS)
    assert "dog" not in hazards.says
    assert not hazards.known


def test_the_gravest_flags_come_first_and_the_rest_is_counted() -> None:
    many = [flag(f"note {n}", kind=HazardKind.OTHER) for n in range(5)]
    told = known(call(hazards=(*many, flag("threatens police", kind=HazardKind.OFFICER_SAFETY))))
    says = line(told, LineKind.HAZARDS).says
    assert says.startswith("Officer safety: threatens police")
    assert "And 2 more flags." in says


def test_no_history_is_said_with_how_far_back_was_looked() -> None:
    told = known(call(), history=History(calls=(), days=365))
    hazards = line(told, LineKind.HAZARDS)
    assert "No history found here in 365 days of records." in hazards.says
    assert hazards.source == "dispatch, call 26-118204, and our call records"
    assert not hazards.known


def test_earlier_calls_at_the_place_are_said_with_date_and_number_the_gravest_first() -> None:
    quiet = call("25-1", kind=CallKind.ALARM, taken_at=NOW - timedelta(days=3))
    grave = call("25-2", kind=CallKind.SHOOTING, taken_at=NOW - timedelta(days=90))
    told = known(call(), history=History(calls=(quiet, grave), days=200))
    says = line(told, LineKind.HAZARDS).says
    assert "2 earlier calls here in 200 days. shooting, August 25, 2026 (25-2)." in says


def test_a_flag_of_an_earlier_call_here_is_still_in_force() -> None:
    before = call("25-2", hazards=(flag("barricaded before", kind=HazardKind.VIOLENCE),))
    told = known(call(), history=History(calls=(before,), days=200))
    assert "Violence: barricaded before" in line(told, LineKind.HAZARDS).says


def test_before_the_history_was_looked_up_that_is_said() -> None:
    lines = compose(known(call(), is_complete=False), SAID, "en")
    assert "History of the place: being looked up." in lines[2].says
    assert lines[6].says == "Nearest picture: being looked up."
    assert not lines[2].known
    assert not lines[6].known


def test_a_callers_plate_is_not_confirmed() -> None:
    told = call(vehicles=(CallVehicle(says="white F-150", plate="abc 123", state="NM"),))
    vehicle = line(known(told), LineKind.VEHICLE)
    assert vehicle.says == "Told by a caller: white F-150, plate NM ABC123, not confirmed."
    assert vehicle.confidence is Confidence.TOLD


@pytest.mark.parametrize(("plate", "said"), [("ab* *23", "AB* *23"), ("???", "???"), ("", "")])
def test_half_a_plate_is_said_as_told(plate: str, said: str) -> None:
    says = line(known(call(vehicles=(CallVehicle(plate=plate),))), LineKind.VEHICLE).says
    assert said in says
    assert ("not confirmed" in says) == bool(said)


def test_a_plate_that_a_person_confirmed_is_said_as_such_and_not_as_the_callers() -> None:
    told = call(vehicles=(CallVehicle(plate="GHOST77", state="NM"),))
    vehicle = line(known(told, alerts=(alert(),)), LineKind.VEHICLE)
    assert vehicle.says.startswith("NM GHOST77: plate confirmed. Row: white ford f-150 pickup.")
    assert "not confirmed" not in vehicle.says


def test_a_withdrawn_plate_is_not_to_be_acted_on() -> None:
    gone = alert(state=AlertState.RECALLED, decision_reason="recovered")
    vehicle = line(known(call(), alerts=(gone,)), LineKind.VEHICLE)
    assert vehicle.says == "NM GHOST77 is withdrawn: recovered. Do not act on this plate."


def test_the_newest_of_reader_and_caller_is_last_seen_first() -> None:
    read = alert(captured_at=NOW - timedelta(minutes=2))
    told = call(going=going("east on Central", 90))
    last = line(known(told, alerts=(read,)), LineKind.LAST_SEEN)
    assert last.says == (
        "east on Central, heading east. Plate read at Central @ 4th, eastbound, heading east."
    )
    assert last.as_of == NOW


def test_who_is_with_you_is_said_with_status_those_at_the_scene_first() -> None:
    units = (on_call(), on_call(OTHER_CAR), on_call(UnitId("4C1"), UnitStatus.ON_SCENE),
             on_call(UnitId("9Z9"), UnitStatus.CLEARED))  # fmt: skip
    told = known(call(), incident=incident((call(),), units=units))
    assert line(told, LineKind.WITH_YOU).says == "4C1 is on the scene. 3B22 is assigned."


def test_alone_means_the_nearest_by_road_are_named() -> None:
    near = (Near(unit=Unit(unit_id=OTHER_CAR, agency=AGENCY), seconds=170, metres=900),)
    with_you = line(known(call(), around=Around(near=near)), LineKind.WITH_YOU)
    assert with_you.says == "Nobody else is assigned. 3B22 is 3 min away by road."
    assert not line(known(call()), LineKind.WITH_YOU).known


def test_the_picture_of_a_confirmed_read_is_named_else_what_watches_the_place() -> None:
    shot = alert(pictures=(Picture(sha256="0" * 64, shows="plate"),
                           Picture(sha256="1" * 64, shows="vehicle")))  # fmt: skip
    eye = Eye(name="Central @ 4th, pole 12", kind="camera", metres=83)
    assert line(known(alerts=(shot,)), LineKind.PICTURE).says == "Picture of the vehicle."
    told = line(known(call(), around=Around(eye=eye)), LineKind.PICTURE)
    assert told.says == "No picture yet. Camera Central @ 4th, pole 12 is 80 m away: ask the RTCC."
    assert not told.known
    assert "no camera near" in line(known(call()), LineKind.PICTURE).says


def test_a_pushed_fact_comes_first_under_its_operators_name_and_is_confirmed() -> None:
    facts = (
        fact(LineKind.HAZARDS, "he has a knife", NOW),
        fact(LineKind.HAZARDS, "knife is in the car", NOW + timedelta(seconds=30)),
    )
    told = known(call(), incident=incident((call(),), facts=facts))
    hazards = line(told, LineKind.HAZARDS)
    assert hazards.says.startswith(
        "Ana Ortiz: knife is in the car. Ana Ortiz: he has a knife. No flag was told."
    )
    assert hazards.source.startswith("operator Ana Ortiz; else dispatch, call 26-118204")
    assert (hazards.confidence, hazards.known) == (Confidence.CONFIRMED, True)
    assert hazards.as_of == NOW + timedelta(seconds=30)


def test_a_report_without_a_call_is_a_brief_of_its_own() -> None:
    report = Report(report_id=OPERATOR, at=NOW, says="man with a rifle on the roof", by=OPERATOR,
                    by_name="Ana Ortiz", kind=CallKind.WEAPON)  # fmt: skip
    told = known(incident=incident((), reports=(report,), kind=CallKind.WEAPON))
    lines = compose(told, SAID, "en")
    assert lines[0].says == (
        "P1 person with a weapon. Ana Ortiz reports: man with a rifle on the roof."
    )
    assert lines[1].says == "Central Ave @ 2nd St."


def test_a_text_from_outside_is_bounded_and_never_a_key() -> None:
    told = call(people="@kind.fire " + "x" * 5_000, address="@compass.north {street}\n\n9")
    lines = compose(known(told), SAID, "es")
    assert "kind.fire" in lines[0].says
    assert len(lines[0].says) < 400
    assert lines[1].says.startswith("compass.north {street} 9.")


def test_the_same_knowledge_in_spanish() -> None:
    told = call(hazards=(flag("rifle en la casa"),))
    lines = compose(known(told, around=Around(spot=SPOT, eta_s=232)), SAID, "es")
    assert lines[0].says == "P1 disparos."
    assert "Central Ave y 2nd St, 60 m al este, lado norte." in lines[1].says
    assert "Arma: rifle en la casa (CAD premise file, 14 de octubre de 2025)." in lines[2].says


def test_an_alert_alone_reads_as_before() -> None:
    shot = alert()
    told = known(alerts=(shot,), confirmed_by={shot.alert_id: "operator Ana Ortiz"},
                 around=Around(spot=SPOT, readers={READER: "Central @ 4th"}))  # fmt: skip
    lines = compose(told, SAID, "en")
    assert lines[0].says == "P2 stolen vehicle, case 26-4711."
    assert lines[0].source == (
        "plate compared by operator Ana Ortiz; row of NM0010000, confirm with 505-555-0100"
    )
    assert lines[2].says == "Driver and weapons not known. Confirm the row before a stop."


def test_composing_takes_less_than_a_millisecond() -> None:
    """50 calls a minute with four units each leave 300 ms for one; it is a small share of it."""
    calls = [
        call(
            str(n),
            hazards=tuple(flag(f"flag {i}") for i in range(6)),
            vehicles=(CallVehicle(says="white Ford", plate="ABC123"),),
        )
        for n in range(3)
    ]
    told = known(*calls, alerts=(alert(),), around=Around(spot=SPOT, eta_s=200),
                 history=History(calls=tuple(calls), days=300))  # fmt: skip
    took = []
    for _ in range(200):
        start = time.process_time()
        lines = compose(told, SAID, "en")
        took.append(time.process_time() - start)
    assert len(msgspec.json.encode(lines)) < 16_000
    assert statistics.median(took) < 0.002
