"""What happened to people when a plate reader's hit was taken for the truth, replayed."""

import pytest

from farolito.model import ListedVehicle, Standing
from farolito.model.alert import CheckName, CheckOutcome
from farolito.plates import NO_TRAFFIC, Traffic, judge

from .plate_builders import CITY, NOW, car, check, read, row

IN_QUEUE = {Standing.LEAD, Standing.POSSIBLE}
SURE = (0.99,) * 6


@pytest.mark.parametrize("plate", ["AXK127", "BMD047", "777KZT", "KKV787", "NAN777"])
@pytest.mark.parametrize("certainty", [1.0, 0.8, 0.6], ids=["falsely-certain", "unsure", "honest"])
def test_espanola_2023_a_2_read_as_7_waits_with_the_operator_and_the_7_is_marked(
    plate: str, certainty: float
) -> None:
    last = plate.rindex("7")
    told = tuple(certainty if j == last else 1.0 for j in range(6))

    match = judge(read(plate, characters=told), row(plate), CITY, NO_TRAFFIC, NOW)

    assert match.standing in IN_QUEUE
    assert check(match, CheckName.PERSON).outcome is CheckOutcome.WAITING
    assert last in match.doubtful
    assert "2" in match.alternatives[match.doubtful.index(last)]
    assert match.differing == ()


def test_espanola_2023_honest_doubt_in_the_7_is_no_lead_and_ranks_first() -> None:
    match = judge(read("AXK127", characters=(*SURE[:5], 0.6)), row("AXK127"), CITY, NO_TRAFFIC, NOW)

    assert match.standing is Standing.POSSIBLE
    assert match.doubtful[0] == 5
    assert match.alternatives[0][0] == "2"
    assert check(match, CheckName.TEXT).outcome is CheckOutcome.UNKNOWN


def test_espanola_2023_a_regular_whose_plate_has_the_2_takes_the_lead_from_a_certain_reader() -> (
    None
):
    traffic = Traffic({"AXK122": 20}, 100_000, {"AXK122": {"NM": 20}})

    match = judge(read("AXK127", characters=(1.0,) * 6), row("AXK127"), CITY, traffic, NOW)

    assert match.standing is Standing.POSSIBLE
    assert (match.doubtful[0], match.alternatives[0][0]) == (5, "2")
    assert "AXK122" in check(match, CheckName.TEXT).says


def test_aurora_2020_a_motorcycle_of_another_state_stops_an_suv_and_both_reasons_are_kept() -> None:
    listed = row("ABC123", "MT", vehicle=ListedVehicle(kind="motorcycle", make="honda"))
    seen = read(
        "ABC123", characters=SURE, state="CO", state_confidence=0.95, vehicle=car(kind="suv")
    )

    match = judge(seen, listed, CITY, NO_TRAFFIC, NOW)

    assert match.standing is Standing.STOPPED
    stopped = {c.name for c in match.stopped_by}
    assert {CheckName.STATE, CheckName.VEHICLE} <= stopped
    assert "CO" in check(match, CheckName.STATE).says
    assert "MT" in check(match, CheckName.STATE).says
    assert "suv for motorcycle" in check(match, CheckName.VEHICLE).says


def test_aurora_2020_either_reason_alone_would_have_stopped_it() -> None:
    motorcycle = ListedVehicle(kind="motorcycle")
    only_state = judge(read("ABC123", state="CO"), row("ABC123", "MT"), CITY, NO_TRAFFIC, NOW)
    only_car = judge(
        read("ABC123", state="MT", vehicle=car(kind="suv")),
        row("ABC123", "MT", vehicle=motorcycle),
        CITY,
        NO_TRAFFIC,
        NOW,
    )

    assert CheckName.STATE in {c.name for c in only_state.stopped_by}
    assert [c.name for c in only_car.stopped_by] == [CheckName.VEHICLE]


def test_green_2014_a_3_read_as_7_is_marked_and_the_wrong_car_stops_it() -> None:
    listed = row("5SOW750", "CA", vehicle=ListedVehicle(make="gmc", colour="grey", kind="pickup"))
    seen = read("5SOW750", state="CA", confidence=0.95)
    lexus = read(
        "5SOW750",
        state="CA",
        confidence=0.95,
        vehicle=car(make="lexus", colour="red", kind="sedan"),
    )

    alone = judge(seen, listed, CITY, NO_TRAFFIC, NOW)
    with_car = judge(lexus, listed, CITY, NO_TRAFFIC, NOW)

    assert alone.standing in IN_QUEUE
    assert "3" in alone.alternatives[alone.doubtful.index(4)]
    assert with_car.standing is Standing.STOPPED
    assert "lexus for gmc" in check(with_car, CheckName.VEHICLE).says
