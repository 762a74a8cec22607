from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from farolito.geo import LatLon
from farolito.ingest.map.features import Street
from farolito.ingest.map.network import build_network


def points(*numbers: int) -> tuple[LatLon, ...]:
    """Points in a row, about 90 m apart."""
    return tuple((35.0, -106.6 + n / 1000) for n in numbers)


def street(
    line: tuple[LatLon, ...], left: tuple[int, int] | None = None, name: str = "Main"
) -> Street:
    return Street(name=name, kind="local", line=line, left=left)


def across(n: int) -> Street:
    return street(((34.999, -106.6 + n / 1000), *points(n), (35.001, -106.6 + n / 1000)), name="X")


def test_a_long_street_is_cut_at_each_crossing_and_shares_its_numbers() -> None:
    _, segments = build_network([street(points(0, 1, 2, 3, 4), (101, 199)), across(1), across(3)])
    main = [s.left for s in segments if s.name == "Main"]
    assert main == [(101, 125), (127, 175), (177, 199)]


def test_numbers_that_fall_are_shared_falling() -> None:
    _, segments = build_network([street(points(0, 1, 2), (198, 100)), across(1)])
    assert [s.left for s in segments if s.name == "Main"] == [(198, 148), (146, 100)]


def test_ends_a_hand_apart_are_one_junction() -> None:
    near = (35.0, -106.599 + 1e-6)
    nodes, _ = build_network([street(points(0, 1)), street((near, *points(2)))])
    assert len(nodes) == 3


def test_ends_a_lane_apart_are_two() -> None:
    near = (35.0, -106.599 + 3e-5)
    nodes, _ = build_network([street(points(0, 1)), street((near, *points(2)))])
    assert len(nodes) == 4


def test_a_ring_street_starts_and_ends_at_one_node() -> None:
    ring = ((35.0, -106.6), (35.001, -106.6), (35.001, -106.601), (35.0, -106.6))
    nodes, segments = build_network([street(ring)])
    assert len(nodes) == 1
    assert segments[0].start == segments[0].end


def test_a_street_of_one_point_is_none() -> None:
    assert build_network([street(points(1, 1))]) == ((), ())


LINES = st.lists(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=8),
    max_size=8,
)


@given(LINES, st.integers(1, 500), st.integers(0, 60))
def test_a_network_is_whole_and_keeps_every_step(
    lines: list[list[tuple[int, int]]], low: int, span: int
) -> None:
    streets = [
        street(tuple((35 + x / 1000, -106 + y / 1000) for x, y in line), (low, low + span))
        for line in lines
    ]
    nodes, segments = build_network(streets)
    places = {node.node_id: node.at for node in nodes}
    assert sorted(places) == list(range(1, len(nodes) + 1))
    for segment in segments:
        assert segment.line[0] == places[segment.start]
        assert segment.line[-1] == places[segment.end]
        assert not set(segment.line[1:-1]) & set(places.values())
        if segment.left is not None:
            assert low <= segment.left[0] <= segment.left[1] <= low + span
    steps = sum(a != b for line in lines for a, b in pairwise(line))
    assert sum(len(s.line) - 1 for s in segments) == steps
