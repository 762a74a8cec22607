"""The neighbours of the practice metro read the same cars, on their own roads."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from shapely.geometry import Point as Spot
from shapely.geometry import Polygon

from farolito.simulator.neighbours import PUEBLO, SHERIFF, pueblo_land
from farolito.simulator.scenario import Cue
from farolito.simulator.world import SimulatorConfig, World, make_world

START = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(SimulatorConfig(start=START, neighbours=True))


def test_the_city_keeps_its_own_readers(world: World) -> None:
    alone = make_world(SimulatorConfig(start=START))
    assert [d.device_id for d in world.devices] == [d.device_id for d in alone.devices]


def test_on_the_pueblos_land_hangs_its_own_reader_and_one_of_the_citys(world: World) -> None:
    land = Polygon([(lon, lat) for lat, lon in pueblo_land(world.street_map)])
    within = {}
    for one in world.neighbours:
        place = one.reader.device.place
        assert place is not None
        within[one.agency, one.reader.device.device_id] = land.contains(Spot(place.lon, place.lat))
    assert {agency for (agency, _), inside in within.items() if inside} == {
        PUEBLO, world.config.agency,
    }  # fmt: skip
    assert [inside for (agency, _), inside in within.items() if agency == SHERIFF] == [False] * 2


def test_a_listed_car_passes_both_neighbours_and_time_goes_on(world: World) -> None:
    seen = list(itertools.islice(world.happenings(), 6_000))
    assert [h.truth.at for h in seen] == sorted(h.truth.at for h in seen)
    city = {h.truth.plate for h in seen if h.truth.cue == Cue.LEAD}
    owner = {n.reader.device.device_id: n.agency for n in world.neighbours}
    for agency in (SHERIFF, PUEBLO):
        there = {h.truth.plate for h in seen if owner.get(h.truth.reader) == agency}
        assert city & there, "the first wanted car was there as well"
        assert len(there) > 20, "and ordinary traffic"
