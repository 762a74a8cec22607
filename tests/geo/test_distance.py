from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farolito.geo import Plane, bearing_deg, compass, distance_m, point_to_segment
from farolito.geo.grid import Grid

LAT = st.floats(-70, 70)
LON = st.floats(-179, 179)


def test_a_degree_of_latitude_is_a_360th_of_the_way_round() -> None:
    assert distance_m((35, -106), (36, -106)) == pytest.approx(6_371_008.8 * math.pi / 180)


def test_known_distance_from_albuquerque_to_santa_fe_airport() -> None:
    # KABQ and KSAF, FAA coordinates; 77.3 km on the ellipsoid.
    assert distance_m((35.0402, -106.6090), (35.6171, -106.0893)) == pytest.approx(79_600, rel=0.01)


@given(LAT, LON)
def test_a_place_is_no_distance_from_itself(lat: float, lon: float) -> None:
    assert distance_m((lat, lon), (lat, lon)) == 0


@pytest.mark.parametrize(
    ("to", "wind"),
    [((1, 0), "N"), ((1, 1), "NE"), ((0, 1), "E"), ((-1, 0), "S"), ((0, -1), "W"), ((1, -1), "NW")],
)
def test_the_way_to_a_neighbour_is_said_as_a_wind(to: tuple[int, int], wind: str) -> None:
    bearing = bearing_deg((0.001, 0.001), (0.001 + to[0] / 1e3, 0.001 + to[1] / 1e3))
    assert compass(bearing) == wind


@given(LAT, LON, LAT, LON)
def test_a_bearing_is_never_360(lat: float, lon: float, lat2: float, lon2: float) -> None:
    assert 0 <= bearing_deg((lat, lon), (lat2, lon2)) < 360


@given(LAT, LON, st.floats(-30_000, 30_000), st.floats(-30_000, 30_000))
def test_a_plane_goes_there_and_back(lat: float, lon: float, x: float, y: float) -> None:
    plane = Plane((lat, lon))
    assert plane.to_m(plane.to_degrees((x, y))) == pytest.approx((x, y), abs=1e-3)


def test_a_planes_metres_are_metres_across_a_metro() -> None:
    plane = Plane((35.0844, -106.6504))
    for bearing in range(0, 360, 30):
        x, y = 20_000 * math.sin(math.radians(bearing)), 20_000 * math.cos(math.radians(bearing))
        there = plane.to_degrees((x, y))
        # The sphere of `distance_m` differs from the ellipsoid by up to 0.56 %.
        assert distance_m(plane.origin, there) == pytest.approx(20_000, rel=0.0056)


def test_beyond_an_end_the_end_is_nearest() -> None:
    foot = point_to_segment((13, 4), (0, 0), (10, 0))
    assert (foot.off_m, foot.fraction, foot.at) == (5, 1, (10, 0))


def test_a_segment_without_length_is_a_point() -> None:
    assert point_to_segment((3, 4), (0, 0), (0, 0)).off_m == 5


@given(
    st.lists(st.tuples(st.floats(-900, 900), st.floats(-900, 900)), min_size=1, max_size=30),
    st.tuples(st.floats(-900, 900), st.floats(-900, 900)),
)
def test_the_grid_finds_what_looking_at_everything_finds(
    points: list[tuple[float, float]], at: tuple[float, float]
) -> None:
    grid = Grid(100)
    for i, point in enumerate(points):
        grid.add(i, point, point)
    found = grid.nearest(at, lambda i: math.dist(points[i], at), 5_000)
    assert found is not None
    assert found[1] == min(math.dist(point, at) for point in points)


def test_the_grid_finds_nothing_farther_than_asked() -> None:
    grid = Grid(100)
    grid.add(0, (0, 0), (0, 0))
    assert grid.nearest((500, 0), lambda _: 500.0, 499) is None
