from __future__ import annotations

import pytest

from farolito.geo import Building, Geocoder, StreetMap, distance_m
from farolito.geo.street_name import is_slip, parse_name
from tests.geo.towns import at, grid_town


@pytest.fixture(scope="module")
def town_words() -> Geocoder:
    return Geocoder(grid_town())


def says(words: Geocoder, x: float, y: float, plus_minus_m: float | None = None) -> str:
    found = words.describe(at(x, y), plus_minus_m)
    assert found is not None
    return found.text


def test_a_corner_is_named_with_the_greater_street_first(town_words: Geocoder) -> None:
    assert says(town_words, 108, 209, 5) == "Cedar Blvd NW @ 2nd St NW, NE corner, ± 5 m"


def test_the_middle_of_a_crossing_has_no_corner(town_words: Geocoder) -> None:
    assert says(town_words, 100, 200) == "Cedar Blvd NW @ 2nd St NW"


def test_a_place_in_a_block_is_so_far_from_the_crossing(town_words: Geocoder) -> None:
    assert says(town_words, 140, 8, 5) == "Aspen Ave NW @ 2nd St NW, 40 m E, N side, ± 5 m"


def test_an_uncertain_place_claims_no_side(town_words: Geocoder) -> None:
    assert says(town_words, 145, 8, 12) == "Aspen Ave NW @ 2nd St NW, 50 m E, ± 12 m"


def test_a_very_uncertain_place_claims_no_distance_either(town_words: Geocoder) -> None:
    assert says(town_words, 140, 8, 60) == "2nd St NW @ Aspen Ave NW, ± 60 m"


def test_a_place_knows_its_hundred_block(town_words: Geocoder) -> None:
    found = town_words.describe(at(250, 6))
    assert found is not None
    assert found.block == 300


def test_a_place_far_from_every_street_has_no_words(town_words: Geocoder) -> None:
    assert town_words.describe(at(3_000, 3_000)) is None


@pytest.mark.parametrize(
    "question",
    [
        "Cedar Blvd NW @ 2nd St NW",
        "cedar & 2nd",
        "2nd and Cedar",
        "Second Street at Cedar Boulevard",
        "2nd st nw / cedar blvd nw",
        "2nd y Cedar",
        "Ceder @ 2nd",
    ],
)
def test_a_crossing_is_found_as_people_write_it(town_words: Geocoder, question: str) -> None:
    found = town_words.find(question)
    assert len(found) == 1
    assert distance_m(found[0].at, at(100, 200)) < 1


def test_a_misspelt_street_says_that_it_was_guessed(town_words: Geocoder) -> None:
    assert [f.unlikeness for f in town_words.find("Ceder @ 2nd")] == [2]


def test_the_next_number_is_another_street(town_words: Geocoder) -> None:
    assert {f.name for f in town_words.find("3rd @ Cedar")} == {"3rd St NW @ Cedar Blvd NW"}
    assert town_words.find("7th @ Cedar") == []


def test_another_quarter_of_the_city_is_another_place(town_words: Geocoder) -> None:
    assert town_words.find("2nd St SE @ Cedar") == []


@pytest.mark.parametrize(
    ("question", "x", "y"),
    [("150 Aspen Ave NW", 49, -10), ("151 Aspen", 51, 10), ("102 1st St", 10, 0)],
)
def test_an_address_lies_beside_its_block(
    town_words: Geocoder, question: str, x: float, y: float
) -> None:
    found = town_words.find(question)
    assert len(found) == 1
    assert distance_m(found[0].at, at(x, y)) < 2


def test_a_number_that_no_block_has_is_not_found(town_words: Geocoder) -> None:
    assert town_words.find("9000 Aspen Ave NW") == []


def test_a_building_with_an_address_is_better_than_a_range() -> None:
    town = grid_town()
    ring = (at(30, 20), at(40, 20), at(40, 30), at(30, 30), at(30, 20))
    built = StreetMap(
        name="t",
        source="",
        nodes=town.nodes,
        segments=town.segments,
        buildings=(Building(ring, 6.0, "151 Aspen Avenue Northwest"),),
    )
    found = Geocoder(built).find("151 Aspen Ave NW")
    assert distance_m(found[0].at, at(35, 25)) < 1


@pytest.mark.parametrize("question", ["", "@", " and ", "12", "x" * 100_000, "😀 @ 😀", "1 &"])
def test_noise_finds_nothing(town_words: Geocoder, question: str) -> None:
    assert town_words.find(question) == []


def test_what_is_described_can_be_found_again(town_words: Geocoder) -> None:
    for x, y in ((0, 0), (100, 300), (400, 400), (203, 98)):
        name = says(town_words, x, y).split(",")[0]
        assert distance_m(town_words.find(name)[0].at, at(x, y)) < 5


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("4th Street Northwest", "4TH ST NW"),
        ("North Main Street", "Main St N"),
        ("Fourth St.", "4th st"),
        ("Martin-Luther King Dr", "martin luther king drive"),
    ],
)
def test_two_spellings_of_one_street_are_one_name(one: str, other: str) -> None:
    assert parse_name(one) == parse_name(other)


def test_a_street_named_avenue_keeps_its_name() -> None:
    assert parse_name("Avenue").core == "avenue"


@pytest.mark.parametrize(
    ("asked", "known", "slip"),
    [
        ("centrla", "central", True),
        ("mass", "massachusetts", True),
        ("oak", "elk", False),
        ("route 66", "route 67", False),
        ("comanche", "candelaria", False),
    ],
)
def test_only_small_slips_are_forgiven(asked: str, known: str, slip: bool) -> None:
    assert is_slip(asked, known) is slip
