"""What the map tells of a place, and that it says nothing where it knows nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from farolito.app.surroundings import (
    ADDRESS_WITHIN_M,
    CROSSING_WITHIN_M,
    MISSPELT_WITHIN_M,
    MapSurroundings,
)
from farolito.briefing import Spot
from farolito.desk import Streets
from farolito.geo import Segment
from farolito.model import AgencyId, Device, DeviceId, Doubt, Point, Unit, UnitId
from tests.desk.city import river_town, spot
from tests.geo.towns import at, town

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
AGENCY = AgencyId("city-pd")
TOWN = river_town()


@pytest.fixture(scope="module")
def city() -> MapSurroundings:
    made = MapSurroundings({})
    made.use(TOWN)
    return made


def unit(name: str, x: float, y: float, **more: object) -> Unit:
    told = {"place": spot(x, y), "heard_at": NOW - timedelta(seconds=5), **more}
    return Unit(unit_id=UnitId(name), agency=AGENCY, **told)  # type: ignore[arg-type]


def device(name: str, kind: str, x: float, y: float) -> Device:
    return Device(
        device_id=DeviceId(name), agency=AGENCY, kind=kind, name=f"{name} @ 4th",  # type: ignore[arg-type]
        format="farolito", place=spot(x, y),
    )  # fmt: skip


def test_a_place_is_said_by_street_crossing_way_and_side(city: MapSurroundings) -> None:
    assert city.spot(spot(340, 312)) == Spot(
        street="D Ave", cross="4th St", from_cross_m=40, from_cross="east", side="north"
    )
    assert city.spot(spot(308, 309)) == Spot(street="4th St", cross="D Ave", side="northeast")
    assert city.spot(spot(300, 300)) == Spot(street="4th St", cross="D Ave")


def test_a_side_that_the_uncertainty_swallows_is_not_said(city: MapSurroundings) -> None:
    told = city.spot(spot(340, 312), within_m=20.0)
    assert told is not None
    assert told.side is None


def test_the_way_is_by_road_and_over_the_bridge(city: MapSurroundings) -> None:
    here, across = spot(1000, 500), spot(1080, 500)
    way = city.road(here, across)
    assert way is not None
    metres, seconds = way
    assert metres == pytest.approx(500 + 80 + 500, rel=0.01)
    assert seconds == pytest.approx(metres / 10, rel=0.01)


def test_the_soonest_by_road_comes_first_and_not_the_nearest_as_the_crow_flies(
    city: MapSurroundings,
) -> None:
    units = [unit("ACROSS", 1080, 500), unit("HERE", 700, 500)]
    near = city.nearest(spot(1000, 500), units, NOW)
    assert [n.unit.unit_id for n in near] == ["HERE", "ACROSS"]
    seconds = [n.seconds or 0.0 for n in near]
    assert seconds == [pytest.approx(30, abs=1), pytest.approx(108, abs=1)]


@pytest.mark.parametrize(
    "more",
    [
        {"heard_at": NOW - timedelta(minutes=4)},
        {"heard_at": None},
        {"place": None},
        {"doubt": Doubt.TWO_PLACES},
        {"muted": True},
    ],
)
def test_an_old_doubtful_or_undercover_position_names_nobody(
    city: MapSurroundings, more: dict[str, object]
) -> None:
    assert city.nearest(spot(0, 0), [unit("9X9", 100, 0, **more)], NOW) == []


def test_the_own_way_is_said_from_a_fresh_position_alone(city: MapSurroundings) -> None:
    fresh = city.around(spot(0, 0), None, unit("2A14", 300, 0), [], NOW)
    old = city.around(spot(0, 0), None, unit("2A14", 300, 0, heard_at=NOW - timedelta(hours=1)),
                      [], NOW)  # fmt: skip
    assert fresh.eta_s == pytest.approx(30, abs=1)
    assert old.eta_s is None


def test_one_is_not_among_the_others(city: MapSurroundings) -> None:
    own = unit("2A14", 300, 0)
    assert not city.around(spot(0, 0), None, own, [own], NOW).near


def test_a_camera_that_sees_the_place_goes_before_a_nearer_plate_reader() -> None:
    city = MapSurroundings({
        d.device_id: d
        for d in (
            device("reader", "plate_reader", 10, 0), device("camera", "camera", 100, 0),
            device("far", "camera", 900, 0), device("cad", "cad", 0, 0),
        )
    })  # fmt: skip
    seen = city.eye(spot(0, 0))
    assert seen is not None
    assert (seen.name, seen.kind, round(seen.metres)) == ("camera @ 4th", "camera", 100)
    assert city.eye(spot(0, 600)) is None
    assert city.place_of_device(DeviceId("reader")) == spot(10, 0)
    assert city.place_of_device(DeviceId("none")) is None


def test_an_address_is_found_with_the_radius_that_holds_it(city: MapSurroundings) -> None:
    crossing = city.find("4th St @ D Ave")
    house = city.find("450 D Ave")
    assert crossing is not None
    assert house is not None
    assert crossing[1] == CROSSING_WITHIN_M
    assert house[1] >= ADDRESS_WITHIN_M
    assert city.find("9999 Nowhere Lane") is None
    assert city.find("x" * 10_000) is None


def test_a_misspelt_street_is_found_as_doubtful(city: MapSurroundings) -> None:
    found = city.find("Bridgd @ Bank Rd")
    assert found is not None
    assert found[1] >= MISSPELT_WITHIN_M


def test_an_address_of_two_places_is_as_wide_as_they_lie_apart() -> None:
    """Two streets of one name in one metro: never one of them as if it were sure."""
    far = 2_000.0
    corners = {1: (0.0, 0.0), 2: (100.0, 0.0), 3: (0.0, far), 4: (100.0, far)}
    blocks = [
        Segment(segment_id=n, name="Elm Ave", kind="local", start=a, end=b, left=(101, 199),
                line=(at(*corners[a]), at(*corners[b])))
        for n, (a, b) in enumerate(((1, 2), (3, 4)), start=1)
    ]  # fmt: skip
    twice = MapSurroundings({})
    twice.use(town(*blocks, corners=corners))
    found = twice.find("151 Elm Ave")
    assert found is not None
    assert found[1] == pytest.approx(far + ADDRESS_WITHIN_M, rel=0.01)


def test_without_a_map_every_answer_is_none() -> None:
    bare = MapSurroundings({})
    a, b = spot(0, 0), spot(100, 0)
    assert (bare.road(a, b), bare.find("4th St @ D Ave"), bare.describe(a)) == (None, None, None)
    around = bare.around(a, None, unit("2A14", 100, 0), [unit("3B22", 200, 0)], NOW)
    assert (around.spot, around.eta_s, around.eye) == (None, None, None)
    [near] = around.near
    assert (near.unit.unit_id, near.seconds) == ("3B22", None)
    assert near.metres == pytest.approx(200, abs=1)
    nowhere = bare.around(None, None, unit("2A14", 100, 0), [], NOW)
    assert nowhere.spot is None


def test_it_is_what_dispatch_asks_streets_of() -> None:
    streets: Streets = MapSurroundings({})
    assert streets.describe(Point(35.0, -106.0)) is None
