from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farolito.geo import RoadGraph, Segment, StreetMap, distance_m
from tests.geo.towns import at, grid_town, town

CORNERS = {1: (0.0, 0.0), 2: (100.0, 0.0), 3: (100.0, 100.0), 4: (0.0, 100.0)}


def street(number: int, start: int, end: int, **more: object) -> Segment:
    line = (at(*CORNERS[start]), at(*CORNERS[end]))
    fields: dict[str, object] = {
        "segment_id": number, "name": f"Street {number}", "kind": "local", "start": start,
        "end": end, "line": line, "speed_mps": 10.0,
    }  # fmt: skip
    return Segment(**(fields | more))  # type: ignore[arg-type]


def test_a_place_beside_a_street_meets_it_at_right_angles() -> None:
    snap = RoadGraph(grid_town()).snap(at(130, 12))
    assert snap is not None
    assert snap.off_m == pytest.approx(12, abs=0.1)
    assert distance_m(snap.at, at(130, 0)) < 0.1


def test_a_place_in_the_desert_is_on_no_road() -> None:
    assert RoadGraph(grid_town()).snap(at(5_000, 5_000)) is None


def test_a_route_in_a_grid_is_as_long_as_its_two_legs() -> None:
    route = RoadGraph(grid_town()).route(at(50, 0), at(300, 250))
    assert route is not None
    assert route.metres == pytest.approx(500, abs=0.5)
    assert route.seconds == pytest.approx(50, abs=0.05)


def test_a_route_begins_and_ends_where_it_was_asked_to() -> None:
    route = RoadGraph(grid_town()).route(at(50, 0), at(300, 250))
    assert route is not None
    assert distance_m(route.line[0], at(50, 0)) < 0.1
    assert distance_m(route.line[-1], at(300, 250)) < 0.1


def test_a_route_is_as_long_as_its_line() -> None:
    route = RoadGraph(grid_town()).route(at(20, 5), at(333, 198))
    assert route is not None
    assert sum(distance_m(a, b) for a, b in pairwise(route.line)) == pytest.approx(
        route.metres, rel=0.006
    )


def test_along_one_block_a_car_drives_straight() -> None:
    route = RoadGraph(grid_town()).route(at(20, 0), at(70, 0))
    assert route is not None
    assert route.metres == pytest.approx(50, abs=0.1)
    assert len(route.line) == 2


def test_against_a_one_way_a_car_drives_round_the_block() -> None:
    ring = [street(1, 1, 2, oneway=1), street(2, 2, 3), street(3, 3, 4), street(4, 4, 1)]
    route = RoadGraph(town(*ring, corners=CORNERS)).route(at(70, 0), at(20, 0))
    assert route is not None
    assert route.metres == pytest.approx(30 + 300 + 20, abs=0.5)


def test_a_one_way_against_its_line_is_driven_backwards() -> None:
    graph = RoadGraph(town(street(1, 1, 2, oneway=-1), corners=CORNERS))
    assert graph.route(at(20, 0), at(70, 0)) is None
    assert graph.route(at(70, 0), at(20, 0)) is not None


def test_a_faster_longer_way_is_taken() -> None:
    slow = street(1, 1, 2, speed_mps=2.0)
    fast = [street(n, *ends, speed_mps=20.0) for n, ends in ((2, (1, 4)), (3, (4, 3)), (4, (3, 2)))]
    route = RoadGraph(town(slow, *fast, corners=CORNERS)).route(at(0, 50), at(100, 50))
    assert route is not None
    assert route.metres == pytest.approx(200, abs=0.5)


def test_even_on_one_block_the_way_round_is_taken_when_it_is_quicker() -> None:
    slow = street(1, 1, 2, speed_mps=1.0)
    fast = [street(n, *ends, speed_mps=40.0) for n, ends in ((2, (1, 4)), (3, (4, 3)), (4, (3, 2)))]
    route = RoadGraph(town(slow, *fast, corners=CORNERS)).route(at(1, 0), at(99, 0))
    assert route is not None
    assert route.seconds == pytest.approx(1 + 300 / 40 + 1, abs=0.1)


def test_a_foot_path_is_no_road() -> None:
    graph = RoadGraph(town(street(1, 1, 2), street(2, 2, 3, kind="path"), corners=CORNERS))
    snap = graph.snap(at(100, 80))
    assert snap is not None
    assert snap.segment == 0


def test_two_unjoined_streets_have_no_route() -> None:
    graph = RoadGraph(town(street(1, 1, 2), street(2, 3, 4), corners=CORNERS))
    assert graph.route(at(50, 0), at(50, 100)) is None


def test_a_loop_street_is_left_by_the_nearer_way() -> None:
    loop = (at(100, 0), at(150, 50), at(200, 0), at(150, -50), at(100, 0))
    graph = RoadGraph(
        town(
            street(1, 1, 2),
            street(2, 2, 2, line=loop),
            corners=CORNERS,
        )
    )
    for side in (20, -20):
        route = graph.route(at(120, side), at(0, 0))
        assert route is not None
        assert route.metres == pytest.approx(math.hypot(20, 20) + 100, abs=1)


def test_the_soonest_unit_is_not_always_the_nearest() -> None:
    ring = [street(1, 1, 2, oneway=1), street(2, 2, 3), street(3, 3, 4), street(4, 4, 1)]
    graph = RoadGraph(town(*ring, corners=CORNERS))
    to, past_it, behind = at(40, 0), at(50, 0), at(0, 30)
    assert [i for i, _ in graph.nearest(to, [past_it, behind], 2)] == [1, 0]


def test_asking_for_the_nearest_leaves_out_who_has_no_way_there() -> None:
    graph = RoadGraph(town(street(1, 1, 2), street(2, 3, 4), corners=CORNERS))
    assert [i for i, _ in graph.nearest(at(50, 0), [at(50, 100), at(10, 0)], 5)] == [1]


def _random_town(seed: int) -> StreetMap:
    """A grid with some blocks missing, some one-way, speeds mixed."""
    chance = random.Random(seed)
    whole = grid_town()
    segments = [
        Segment(
            segment_id=s.segment_id, name=s.name, kind=s.kind, start=s.start, end=s.end,
            line=s.line, oneway=chance.choice((-1, 0, 0, 1)), speed_mps=chance.uniform(5, 25),
        )
        for s in whole.segments
        if chance.random() > 0.15
    ]  # fmt: skip
    return StreetMap(name="t", source="", nodes=whole.nodes, segments=tuple(segments))


def _slow_seconds(street_map: StreetMap, start: int, end: int) -> float:
    """Bellman-Ford, straight from the book: what the search must agree with."""
    best = {node.node_id: math.inf for node in street_map.nodes} | {start: 0.0}
    for _ in street_map.nodes:
        for s in street_map.segments:
            cost = 100.0 / s.speed_mps
            if s.oneway >= 0:
                best[s.end] = min(best[s.end], best[s.start] + cost)
            if s.oneway <= 0:
                best[s.start] = min(best[s.start], best[s.end] + cost)
    return best[end]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 25), st.integers(1, 25))
def test_the_quickest_way_is_found_whatever_the_streets(seed: int, start: int, end: int) -> None:
    street_map = _random_town(seed)
    places = {node.node_id: node.at for node in street_map.nodes}
    joined = {n for s in street_map.segments for n in (s.start, s.end)}
    if start not in joined or end not in joined:
        return
    route = RoadGraph(street_map).route(places[start], places[end])
    seconds = math.inf if route is None else route.seconds
    assert seconds == pytest.approx(_slow_seconds(street_map, start, end), abs=0.01)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_the_nearest_are_those_with_the_quickest_routes(seed: int) -> None:
    street_map, chance = _random_town(seed), random.Random(seed)
    graph = RoadGraph(street_map)
    starts = [at(chance.uniform(0, 400), chance.uniform(0, 400)) for _ in range(12)]
    to = at(chance.uniform(0, 400), chance.uniform(0, 400))
    routes = [(i, graph.route(start, to)) for i, start in enumerate(starts)]
    soonest = sorted(route.seconds for _, route in routes if route is not None)
    found = graph.nearest(to, starts, 4)
    assert [seconds for _, seconds in found] == pytest.approx(soonest[:4], abs=1e-6)
