"""When somebody who leaves a place by car can pass another, and one search for all of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farolito.geo import RoadGraph
from farolito.geo.reach import FAST, LINGERS, REACH, SLOW, Origin, Passing, windows
from tests.geo.test_road_graph import street
from tests.geo.towns import at, grid_town, town

GRAPH = RoadGraph(grid_town())
FIRED = datetime(2026, 11, 23, 0, 12, 31, tzinfo=UTC)
LAST = FIRED + timedelta(seconds=1.3)
AFTER = timedelta(seconds=1)
_METRES = st.floats(0, 400)


def window(x: float, y: float, *origins: Origin):  # type: ignore[no-untyped-def]
    [found] = windows(GRAPH, origins or (Origin(at(0, 0)),), (FIRED, LAST), [at(x, y)])
    return found


@settings(max_examples=60, deadline=None)
@given(_METRES, _METRES, _METRES, _METRES)
def test_one_search_finds_every_drive_that_routes_find_one_by_one(
    x: float, y: float, to_x: float, to_y: float
) -> None:
    ends = [at(to_x, to_y), at(x, y), at(400, 0)]
    for end, drive in zip(ends, GRAPH.drives(at(x, y), ends, 3600.0), strict=True):
        route = GRAPH.route(at(x, y), end)
        assert route is not None
        assert drive is not None
        assert drive.seconds == pytest.approx(route.seconds, abs=0.01)
        assert drive.metres == pytest.approx(route.metres, abs=0.6)


def test_a_one_way_street_is_not_driven_backwards() -> None:
    corners = {1: (0.0, 0.0), 2: (100.0, 0.0), 3: (100.0, 100.0), 4: (0.0, 100.0)}
    graph = RoadGraph(
        town(street(1, 1, 2, oneway=1), street(2, 2, 3), street(3, 3, 4), street(4, 4, 1),
             corners=corners)
    )  # fmt: skip
    [there] = graph.drives(at(20, 0), [at(80, 0)], 3600)
    [back] = graph.drives(at(80, 0), [at(20, 0)], 3600)
    assert there is not None
    assert back is not None
    assert there.metres == pytest.approx(60, abs=0.5)
    assert back.metres == pytest.approx(340, abs=0.5)


def test_what_is_farther_than_the_limit_or_on_no_road_is_left_out() -> None:
    near, far, desert = GRAPH.drives(at(0, 0), [at(100, 0), at(400, 400), at(5_000, 0)], 30.0)
    assert near is not None
    assert (far, desert) == (None, None)


def test_the_window_opens_for_the_fastest_and_closes_for_the_slowest() -> None:
    found = window(400, 0)  # 400 m at 10 m/s: 40 s at the limit
    assert found is not None
    assert found.road_m == pytest.approx(400, abs=0.5)
    assert found.earliest_at - FIRED == pytest.approx(timedelta(seconds=40 / FAST), abs=AFTER)
    assert found.latest_at - LAST - LINGERS == pytest.approx(
        timedelta(seconds=40 / SLOW), abs=AFTER
    )
    assert found.passing(found.earliest_at - AFTER) is Passing.NOT_YET
    assert found.passing(found.earliest_at) is Passing.COULD_HAVE
    assert found.passing(found.latest_at + AFTER) is Passing.OVER


def test_an_unsure_place_widens_the_window_at_both_ends() -> None:
    sure, unsure = window(400, 0), window(400, 0, Origin(at(0, 0), within_m=50))
    assert sure is not None
    assert unsure is not None
    assert unsure.earliest_at < sure.earliest_at
    assert unsure.latest_at > sure.latest_at


def test_of_several_possible_places_the_nearest_opens_and_the_farthest_closes_it() -> None:
    near, far = Origin(at(300, 0)), Origin(at(0, 0))
    both, one, other = window(400, 0, far, near), window(400, 0, near), window(400, 0, far)
    assert both is not None
    assert one is not None
    assert other is not None
    assert (both.road_m, both.earliest_at) == (one.road_m, one.earliest_at)
    assert both.latest_at == other.latest_at


def test_nobody_is_looked_for_beyond_ten_minutes() -> None:
    assert timedelta(minutes=10) == REACH
    assert windows(GRAPH, [Origin(at(5_000, 5_000))], (FIRED, LAST), [at(0, 0)]) == [None]
