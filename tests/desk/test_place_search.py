"""Which cars passed here: our own reads in a circle, by our own rules, within hours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from farolito.desk.place_search import PlaceSearch
from farolito.geo.distance import Plane, distance_m
from farolito.model import Invalid, Point, Purpose, Refused
from farolito.model.search import FOUND_MAX, PlaceQuestion
from tests.desk.test_search import detective
from tests.federation.conftest import neighbours
from tests.federation.neighbours import START, Neighbours, Side
from tests.federation.reads import IN_TOWN, keep, read, seen

__all__ = ["neighbours"]


def away(east_m: float, north_m: float, of: Point = IN_TOWN) -> Point:
    return Point(*Plane((of.lat, of.lon)).to_degrees((east_m, north_m)))


def question(radius_m: float = 200.0, place: Point = IN_TOWN, **more: Any) -> PlaceQuestion:
    told = {"since": START - timedelta(hours=2), "until": START, **more}
    return PlaceQuestion(place=place, radius_m=radius_m, **told)


def desk(side: Side) -> PlaceSearch:
    return PlaceSearch(
        side.gate, side.agency, {"home": (IN_TOWN, 20.0)}.get, lambda _: "home", lambda: []
    )


async def test_reads_in_the_circle_are_found_the_newest_first(neighbours: Neighbours) -> None:
    city = neighbours.city
    older = await seen(city, "ABC1234", 90, place=away(190, 0))
    newer = await seen(city, "XYZ9876", 10, place=away(-130, -130))
    await seen(city, "FAR1111", place=away(150, 150))  # in its square, not in it
    await seen(city, "FAR2222", place=away(0, 210))
    await seen(city, "N0WHERE", place=None)
    await seen(city, "EARL1ER", minutes_ago=121)
    await seen(neighbours.sheriff, "THE1RS")
    answer = await desk(city).near(detective(city), question())
    own = answer.value
    assert [r.read_id for r in own.reads] == [newer.read_id, older.read_id]
    assert (own.state, own.own, own.permit, own.more) == ("answered", True, answer.permit, False)
    since, until = (START - timedelta(hours=2)).isoformat(), START.isoformat()
    assert await city.ledger.open_field(answer.permit, "query") == (
        f"place 35.10000,-106.63000 within 200 m, {since} to {until}, in own records"
    )


@pytest.mark.parametrize("lat", [-54.8, 0.2, 35.1, 71.3])
async def test_the_edge_is_where_it_is_measured(neighbours: Neighbours, lat: float) -> None:
    city, centre = neighbours.city, Point(lat, -156.8)
    ring = [away(499 * x, 499 * y, centre) for x, y in ((1, 0), (0, 1), (-1, 0), (0.6, -0.8))]
    for n, place in enumerate(ring):
        assert distance_m((lat, -156.8), (place.lat, place.lon)) == pytest.approx(499, rel=0.006)
        await seen(city, f"RING{n}", place=place)
    inside = (await desk(city).near(detective(city), question(500.0, centre))).value
    outside = (await desk(city).near(detective(city), question(498.0, centre))).value
    assert (len(inside.reads), outside.state) == (4, "nothing")


async def test_more_than_are_shown_is_told(neighbours: Neighbours) -> None:
    city = neighbours.city
    many = [read(city.agency_id, f"M{n:04}", (n + 1) / 10) for n in range(FOUND_MAX + 1)]
    await keep(city.database, *many)
    own = (await desk(city).near(detective(city), question())).value
    assert (len(own.reads), own.more, own.reads[0].plate) == (FOUND_MAX, True, "M0000")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"case": None}, "case"),
        ({"purpose": Purpose.IMMIGRATION_ENFORCEMENT}, "prohibited_purpose"),
        ({"purpose": Purpose.AUDIT}, "purpose"),
    ],
)
async def test_a_place_is_asked_for_by_the_rules_of_plates(
    neighbours: Neighbours, more: dict[str, Any], reason: str
) -> None:
    city = neighbours.city
    with pytest.raises(Refused) as no:
        await desk(city).near(detective(city, **more), question())
    assert (no.value.reason, no.value.permit is not None) == (reason, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"radius_m": 0.0}, {"radius_m": 1_001.0}, {"radius_m": float("nan")},
        {"until": START - timedelta(hours=2)}, {"since": START - timedelta(hours=25)},
        {"since": (START - timedelta(hours=1)).replace(tzinfo=None)},
    ],
)  # fmt: skip
def test_a_circle_that_is_none_or_too_wide_is_no_question(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        question(**wrong)


def test_an_address_is_a_place_or_an_error_that_says_what_to_write(neighbours: Neighbours) -> None:
    places = desk(neighbours.city)
    assert (places.place_of("home").at, places.place_of("home").within_m) == (IN_TOWN, 20.0)
    with pytest.raises(Invalid, match="no place called 'nowhere'") as no:
        places.place_of("nowhere")
    assert "Central & 4th" in no.value.do


def test_where_no_reader_stands_nothing_read_is_no_answer(neighbours: Neighbours) -> None:
    side = neighbours.city
    stand = [away(300, 0), away(0, -700)]
    places = PlaceSearch(side.gate, side.agency, lambda _: None, lambda _: None, lambda: stand)
    near, wide = places.readers(question(250)), places.readers(question(400))
    assert (near.inside, wide.inside) == (0, 1)
    assert near.nearest_m == pytest.approx(300, rel=0.006)
    assert desk(side).readers(question()).nearest_m is None
