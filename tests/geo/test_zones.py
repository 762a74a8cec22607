"""Every place has a zone: a beat of the agency's, or a square that keeps its name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from farolito.geo import OUTSIDE, Atlas, Beats
from farolito.model import Invalid, Point


def beat(name: str | None, ring: list[list[float]], *holes: list[list[float]]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"Beat": name},
        "geometry": {"type": "Polygon", "coordinates": [ring, *holes]},
    }


def square(west: float, south: float, side: float) -> list[list[float]]:
    east, north = west + side, south + side
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def beats(*features: dict[str, Any]) -> Beats:
    return Beats.of_geojson(
        json.dumps({"type": "FeatureCollection", "features": features}).encode()
    )


def test_a_place_lies_in_the_beat_that_holds_it() -> None:
    city = beats(beat("North", square(-106, 35.5, 0.5)), beat("South", square(-106, 35, 0.5)))
    assert city.names == ["North", "South"]
    assert city.zone(Point(35.7, -105.8)) == "North"
    assert city.zone(Point(35.2, -105.8)) == "South"
    assert city.zone(Point(34.9, -105.8)) == OUTSIDE


def test_a_hole_in_a_beat_is_no_part_of_it() -> None:
    city = beats(beat("Ring", square(-106, 35, 1), square(-105.7, 35.3, 0.2)))
    assert city.zone(Point(35.4, -105.6)) == OUTSIDE
    assert city.zone(Point(35.1, -105.6)) == "Ring"


def test_a_beat_of_several_pieces_is_one() -> None:
    pieces = beat("Both", [])
    pieces["geometry"] = {
        "type": "MultiPolygon",
        "coordinates": [[square(-106, 35, 0.1)], [square(-105, 35, 0.1)]],
    }
    city = beats(pieces)
    assert city.zone(Point(35.05, -105.95)) == city.zone(Point(35.05, -104.95)) == "Both"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "no GeoJSON"),
        (b"[]", "no GeoJSON"),
        (b'{"features": []}', "without a beat"),
        (b'{"features": [null]}', "no name"),
        (b'{"features": [{"properties": null}]}', "no name"),
        (b'{"features": [{"properties": {"name": "A"}}]}', "no polygon"),
        (
            b'{"features": [{"properties": {"name": "A"}, "geometry":'
            b' {"type": "Polygon", "coordinates": [[[1, 2], [3, "x"], [1, 2]]]}}]}',
            "cannot be read",
        ),
        (
            b'{"features": [{"properties": {"name": "A"}, "geometry":'
            b' {"type": "Polygon", "coordinates": [[[500000, 3900000], [1, 2], [3, 4]]]}}]}',
            "cannot be read",
        ),
        (
            b'{"features": [{"properties": {"name": "A"}, "geometry":'
            b' {"type": "Polygon", "coordinates": []}}]}',
            "no border",
        ),
    ],
)
def test_a_wrong_file_of_beats_is_named(content: bytes, says: str) -> None:
    with pytest.raises(Invalid) as why:
        Beats.of_geojson(content)
    assert says in why.value.says


def test_an_atlas_has_letters_to_the_east_and_numbers_to_the_south() -> None:
    atlas = Atlas(Point(35.2, -106.8))
    km = 1 / 111.32
    assert atlas.zone(Point(35.2 - 0.5 * km, -106.8 + 0.5 * km)) == "A1"
    assert atlas.zone(Point(35.2 - 3.5 * km, -106.8 + 3.1 * km)) == "C4"
    assert atlas.zone(Point(35.2 - 0.5 * km, -106.8 + 26.5 * km / 0.8171)) == "AA1"
    assert atlas.zone(Point(35.2 + 0.5 * km, -106.8 + 0.5 * km)) == OUTSIDE
    assert atlas.zone(Point(35.2 - 0.5 * km, -106.8 - 0.5 * km)) == OUTSIDE


def test_one_more_sensor_moves_no_name() -> None:
    here = Point(35.084, -106.650)
    before = Atlas.around([here, Point(35.12, -106.61)])
    after = Atlas.around([here, Point(35.12, -106.61), Point(35.15, -106.69)])
    assert before.zone(here) == after.zone(here) != OUTSIDE


def test_an_atlas_holds_what_it_was_made_around() -> None:
    for place in (Point(35.1, -106.6), Point(-33.9, 151.2), Point(51.0, -0.05)):
        assert Atlas.around([place]).zone(place) != OUTSIDE
    with pytest.raises(Invalid):
        Atlas.around([])
