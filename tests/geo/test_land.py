"""Whose land a place is on."""

from __future__ import annotations

from farolito.geo.land import Lands
from farolito.model import Point, Zone


def square(south: float, west: float, side: float = 0.1) -> Zone:
    north, east = south + side, west + side
    corners = ((south, west), (south, east), (north, east), (north, west))
    return Zone("land", tuple(Point(lat, lon) for lat, lon in corners))


def test_a_place_belongs_to_whose_border_holds_it() -> None:
    lands = Lands({"isleta": [square(34.9, -106.7)], "sandia": [square(35.2, -106.6)]})
    assert lands.owner(Point(34.95, -106.65)) == "isleta"
    assert lands.owner(Point(35.25, -106.55)) == "sandia"
    assert lands.owner(Point(35.0844, -106.6504)) is None


def test_land_of_several_pieces_is_one_nations() -> None:
    lands = Lands({"isleta": [square(34.9, -106.7), square(35.5, -106.7)]})
    assert {lands.owner(Point(34.95, -106.65)), lands.owner(Point(35.55, -106.65))} == {"isleta"}


def test_where_two_claim_a_place_the_first_named_counts() -> None:
    lands = Lands({"ours": [square(35.0, -106.6)], "theirs": [square(34.9, -106.7, 0.3)]})
    assert lands.owner(Point(35.05, -106.55)) == "ours"
    assert lands.owner(Point(34.95, -106.65)) == "theirs"


def test_a_bend_in_the_border_is_kept() -> None:
    bent = Zone("land", (Point(35, -107), Point(35, -106), Point(35.4, -106.5), Point(36, -107)))
    lands = Lands({"nation": [bent]})
    assert lands.owner(Point(35.6, -106.5)) is None
    assert lands.owner(Point(35.3, -106.6)) == "nation"


def test_no_land_is_nobodys() -> None:
    assert not Lands({})
    assert Lands({}).owner(Point(35, -106)) is None
