from datetime import datetime, timedelta

import msgspec
import pytest

from farolito.model import Candidate, HotList, HotListEntry, ListedVehicle, Standing
from farolito.model.alert import CheckName, CheckOutcome
from farolito.plates import NO_TRAFFIC, Fleet, Traffic, judge
from farolito.plates.checks import READ_AGE_MAX
from farolito.plates.vehicle import compare

from .plate_builders import CITY, FLOCK, NOW, car, check, read, row

SURE = (0.99,) * 6


def test_the_listed_plate_read_surely_with_its_state_is_a_lead() -> None:
    match = judge(read("BMK413", characters=SURE), row("BMK413"), CITY, NO_TRAFFIC, NOW)

    assert match.standing is Standing.LEAD
    assert [c.name for c in match.checks] == list(CheckName)
    assert match.posterior >= CITY.threshold


def test_a_list_with_a_higher_threshold_makes_the_same_read_a_possible_one() -> None:
    strict = msgspec.structs.replace(CITY, threshold=0.999)
    match = judge(read("BMK413", characters=SURE), row("BMK413"), strict, NO_TRAFFIC, NOW)

    assert match.standing is Standing.POSSIBLE


def test_a_look_alike_one_character_away_that_the_reader_was_sure_of_is_no_match() -> None:
    match = judge(read("BMK418", characters=SURE), row("BMK413"), CITY, NO_TRAFFIC, NOW)

    assert match.standing is Standing.STOPPED
    assert match.differing == (5,)


def test_a_look_alike_with_only_a_low_overall_confidence_is_no_match() -> None:
    match = judge(read("BMK418", confidence=0.3), row("BMK413"), CITY, NO_TRAFFIC, NOW)

    assert check(match, CheckName.TEXT).outcome is CheckOutcome.STOPPED


def test_a_look_alike_the_reader_itself_offers_is_a_possible_one_with_its_difference_shown() -> (
    None
):
    offered = read("BMK418", confidence=0.80, candidates=[Candidate("BMK413", 0.79)])

    match = judge(offered, row("BMK413"), CITY, NO_TRAFFIC, NOW)

    assert match.standing is Standing.POSSIBLE
    assert match.differing == (5,)
    assert match.doubtful[0] == 5
    assert "8" in match.alternatives[0]


def test_a_look_alike_whose_difference_the_reader_doubted_is_a_possible_one() -> None:
    doubted = read("BMK418", characters=(*SURE[:5], 0.3))

    match = judge(doubted, row("BMK413"), CITY, NO_TRAFFIC, NOW)

    assert match.standing is Standing.POSSIBLE
    assert match.posterior < CITY.threshold


def test_an_offered_plate_is_stopped_where_the_read_one_passes_here_daily() -> None:
    offered = read("BMK418", confidence=0.80, candidates=[Candidate("BMK413", 0.79)])
    traffic = Traffic({"BMK418": 14}, 1_000_000, {"BMK418": {"NM": 14}})

    match = judge(offered, row("BMK413"), CITY, traffic, NOW)

    assert match.standing is Standing.STOPPED
    assert "BMK418" in check(match, CheckName.TEXT).says


def test_a_plate_with_a_sticker_read_as_a_character_is_found_through_its_candidate() -> None:
    sticker = read("BMK1413", confidence=0.7, candidates=[Candidate("BMK413", 0.7)])
    fleet = Fleet.counted([("NM", "LLLDDD", 900_000), ("TX", "LLLDDDD", 50_000)])

    match = judge(sticker, row("BMK413"), CITY, Traffic({}, 1_000_000, {}, fleet), NOW)

    assert match.standing is Standing.POSSIBLE
    assert match.differing


def test_a_state_not_read_is_left_to_the_person() -> None:
    match = judge(read("BMK413", characters=SURE, state=None), row("BMK413"), CITY, NO_TRAFFIC, NOW)

    assert check(match, CheckName.STATE).outcome is CheckOutcome.UNKNOWN
    assert match.standing is not Standing.STOPPED


def test_a_state_not_read_is_no_alert_where_that_text_is_a_local_of_another_state() -> None:
    traffic = Traffic({"BMK413": 9}, 1_000_000, {"BMK413": {"NM": 9}})
    unread = read("BMK413", characters=SURE, state=None)

    match = judge(unread, row("BMK413", "CO"), CITY, traffic, NOW)

    assert match.standing is Standing.STOPPED
    assert "another state" in check(match, CheckName.TEXT).says


@pytest.mark.parametrize(
    ("confidence", "outcome"),
    [(0.95, CheckOutcome.STOPPED), (None, CheckOutcome.STOPPED), (0.6, CheckOutcome.UNKNOWN)],
)
def test_another_state_stops_only_where_it_was_read_with_confidence(
    confidence: float | None, outcome: CheckOutcome
) -> None:
    seen = read("BMK413", characters=SURE, state="CO", state_confidence=confidence)

    assert (
        check(judge(seen, row("BMK413"), CITY, NO_TRAFFIC, NOW), CheckName.STATE).outcome is outcome
    )


def test_the_listed_state_hardly_read_and_a_row_without_state_are_left_to_the_person() -> None:
    hardly = judge(read("BMK413", state_confidence=0.3), row("BMK413"), CITY, NO_TRAFFIC, NOW)
    none = judge(read("BMK413", characters=SURE), row("BMK413", None), CITY, NO_TRAFFIC, NOW)

    assert check(hardly, CheckName.STATE).outcome is CheckOutcome.UNKNOWN
    assert check(none, CheckName.STATE).outcome is CheckOutcome.UNKNOWN
    assert none.standing is Standing.LEAD


@pytest.mark.parametrize(
    ("listed", "seen"),
    [
        (ListedVehicle(colour="white"), car(colour="silver")),
        (ListedVehicle(colour="BLK/SIL"), car(colour="grey")),
        (ListedVehicle(colour="maroon"), car(colour="red")),
        (ListedVehicle(make="TOYT"), car(make="Lexus")),
        (ListedVehicle(make="chevy"), car(make="gmc")),
        (ListedVehicle(kind="4D"), car(kind="coupe")),
        (ListedVehicle(kind="trailer"), car(kind="pickup")),
        (ListedVehicle(colour="octarine"), car(colour="red")),
        (ListedVehicle(make="ford"), car(make="honda", sure=0.7)),
        (ListedVehicle(colour="red"), car(colour="white", sure=0.85)),
    ],
)
def test_what_is_easily_mixed_up_or_hardly_seen_contradicts_nothing(
    listed: ListedVehicle, seen: object
) -> None:
    assert isinstance(seen, type(car()))
    assert compare(seen, listed).having("contradicts") == []


@pytest.mark.parametrize(
    ("listed", "seen", "says"),
    [
        (ListedVehicle(colour="red"), car(colour="white"), "white for red"),
        (ListedVehicle(make="ford"), car(make="honda"), "honda for ford"),
        (ListedVehicle(kind="sedan"), car(kind="pickup"), "pickup for sedan"),
        (ListedVehicle(kind="mc"), car(kind="sedan", sure=0.7), "sedan for motorcycle"),
    ],
)
def test_another_car_seen_surely_stops_the_match(
    listed: ListedVehicle, seen: object, says: str
) -> None:
    assert isinstance(seen, type(car()))
    match = judge(
        read("BMK413", characters=SURE, vehicle=seen),
        row("BMK413", vehicle=listed),
        CITY,
        NO_TRAFFIC,
        NOW,
    )

    assert match.standing is Standing.STOPPED
    assert says in check(match, CheckName.VEHICLE).says


def test_a_car_that_agrees_raises_the_posterior_and_one_that_hardly_does_not_lowers_it() -> None:
    listed = row("BMK413", vehicle=ListedVehicle(make="kia", colour="green"))
    told = (*SURE[:5], 0.6)

    def posterior(seen: object) -> float:
        assert seen is None or isinstance(seen, type(car()))
        seen_read = read("BMK413", characters=told, vehicle=seen)
        return judge(seen_read, listed, CITY, NO_TRAFFIC, NOW).posterior

    agrees = posterior(car(make="kia", colour="green"))
    differs = posterior(car(make="ford", sure=0.6))
    assert agrees > posterior(None) > differs


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("entry", "hot_list", "captured_at", "says"),
    [
        (row("BMK413", expires_at=NOW), CITY, NOW, "expired"),
        (row("BMK413", recalled_at=NOW - HOUR), CITY, NOW, "recalled 1 hour ago"),
        (row("BMK413", entered_at=NOW + HOUR), CITY, NOW, "not in force yet"),
        (
            row("BMK413"),
            msgspec.structs.replace(CITY, imported_at=NOW - 48 * HOUR),
            NOW,
            "2 days ago, too long ago",
        ),
        (row("BMK413"), msgspec.structs.replace(CITY, imported_at=None), NOW, "how old"),
        (row("BMK413"), CITY, NOW - READ_AGE_MAX - timedelta(seconds=1), "for the history"),
    ],
)
def test_what_is_no_longer_or_not_yet_in_force_stops_the_match(
    entry: HotListEntry, hot_list: HotList, captured_at: datetime, says: str
) -> None:
    seen = read("BMK413", characters=SURE, captured_at=captured_at)

    match = judge(seen, entry, hot_list, NO_TRAFFIC, NOW)

    assert [c.name for c in match.stopped_by] == [CheckName.FRESH]
    assert says in check(match, CheckName.FRESH).says
    assert match.standing is Standing.STOPPED


def test_a_stale_list_is_left_to_the_person_until_it_is_dead() -> None:
    stale = msgspec.structs.replace(CITY, imported_at=NOW - timedelta(hours=30))

    match = judge(read("BMK413", characters=SURE), row("BMK413"), stale, NO_TRAFFIC, NOW)

    assert check(match, CheckName.FRESH).outcome is CheckOutcome.UNKNOWN
    assert match.standing is Standing.LEAD


def test_every_reason_is_kept_when_all_four_checks_stop() -> None:
    match = judge(
        read("BMK418", characters=SURE, state="CO", vehicle=car(kind="suv")),
        row("BMK413", expires_at=NOW, vehicle=ListedVehicle(kind="motorcycle")),
        CITY,
        NO_TRAFFIC,
        NOW,
    )

    assert [c.name for c in match.stopped_by] == [
        CheckName.TEXT,
        CheckName.STATE,
        CheckName.VEHICLE,
        CheckName.FRESH,
    ]


@pytest.mark.parametrize("text", ["ABO123", "AB0123"])
def test_a_list_that_stores_o_as_0_matches_either_writing(text: str) -> None:
    listed = row("AB0123", hot_list=FLOCK)

    match = judge(read(text, characters=SURE), listed, FLOCK, NO_TRAFFIC, NOW)

    assert match.standing is Standing.LEAD
    assert match.differing == ()
    assert "O and 0" in check(match, CheckName.TEXT).says


def test_a_read_whose_source_folded_o_is_less_sure_of_a_listed_o() -> None:
    listed = row("ABO123")
    plain = judge(read("ABO123", characters=SURE), listed, CITY, NO_TRAFFIC, NOW)
    folded = judge(read("AB0123", characters=SURE, folded=True), listed, CITY, NO_TRAFFIC, NOW)

    assert folded.standing is not Standing.STOPPED
    assert folded.differing == ()
    assert folded.posterior < plain.posterior
