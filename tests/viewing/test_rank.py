"""Cameras in order: what must hold in every town, and in the practice metro."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
import numpy as np
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from farolito.geo.distance import Plane
from farolito.geo.street_map import Building, StreetMap
from farolito.model import Camera, Optics, Point, PtzLimits
from farolito.simulator.metro import make_metro
from farolito.viewing import Eyes, Question, Scene, best, blind
from farolito.viewing.scene import BUILDING, CLEAR, Aims, Lines
from tests.viewing.towns import NOON, block, camera, eyes, question

_METRES = st.floats(-120, 120)
_BLOCKS = st.builds(
    block, _METRES, _METRES, st.floats(3, 40), st.floats(3, 40), st.floats(2, 30)
)  # fmt: skip
_POLES = st.builds(
    lambda x, y, bearing, turns: (x, y, bearing, PtzLimits(zoom_max=4) if turns else None),
    _METRES, _METRES, st.floats(0, 359.9), st.booleans(),
)  # fmt: skip


def _town(poles: Sequence[Any]) -> list[Camera]:
    return [
        camera(x, y, f"c{i}", bearing_deg=bearing, ptz=ptz)
        for i, (x, y, bearing, ptz) in enumerate(poles)
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(_POLES, min_size=1, max_size=8), st.lists(_BLOCKS, max_size=6), _BLOCKS)
def test_one_more_building_never_shows_more(
    poles: Any, blocks: list[Building], more: Building
) -> None:
    cameras = _town(poles)
    asked = question(0, 0, around=10.0, count=99)
    before = {r.camera_id: r for r in best(eyes(*cameras, buildings=blocks), asked)}
    after = best(eyes(*cameras, buildings=[*blocks, more]), asked)
    for one in after:
        assert one.share_visible <= before[one.camera_id].share_visible
        assert one.score <= before[one.camera_id].score


@settings(max_examples=60, deadline=None)
@given(_METRES, _METRES, st.floats(0, 359.9), st.floats(0, 1), st.booleans())
def test_turning_towards_a_place_never_lowers_the_score(
    x: float, y: float, bearing: float, part: float, turns: bool
) -> None:
    assume(math.hypot(x, y) > 1)  # there is no direction to where it stands
    place = question(0, 0)
    ptz = PtzLimits() if turns else None
    towards = float(np.degrees(np.arctan2(-x, -y)))
    off = (towards - bearing + 180) % 360 - 180
    nearer = (bearing + part * off) % 360 % 360
    scores = [
        sum(r.score for r in best(eyes(camera(x, y, bearing_deg=b, ptz=ptz)), place))
        for b in (bearing, nearer)
    ]
    assert scores[1] >= scores[0] - 1e-4


@settings(max_examples=30, deadline=None)
@given(st.lists(_POLES, min_size=1, max_size=9), st.lists(_BLOCKS, max_size=6), st.randoms())
def test_the_answer_does_not_depend_on_the_order_of_the_register(
    poles: Any, blocks: list[Building], chance: random.Random
) -> None:
    cameras = _town(poles)
    asked = question(0, 0, around=10.0)
    first = eyes(*cameras, buildings=blocks)
    chance.shuffle(cameras)
    chance.shuffle(blocks)
    second = eyes(*cameras, buildings=blocks)
    assert best(first, asked) == best(second, asked)
    assert blind(first, asked) == blind(second, asked)


@settings(max_examples=30, deadline=None)
@given(st.lists(_POLES, min_size=1, max_size=60), st.lists(_BLOCKS, max_size=6))
def test_a_camera_is_told_as_one_that_sees_or_as_one_that_does_not(
    poles: Any, blocks: list[Building]
) -> None:
    of = eyes(*_town(poles), buildings=blocks)
    asked = question(0, 0, count=99)
    sees = {one.camera_id for one in best(of, asked)}
    cannot = {one.camera_id for one in blind(of, asked)}
    assert not sees & cannot
    assert len(sees) + len(cannot) == len(poles)
    assert all(one.reasons for one in [*best(of, asked), *blind(of, asked)])


def test_the_best_four_are_not_four_views_from_one_pole() -> None:
    pole = [camera(i, -40, f"pole-{i}") for i in range(4)]
    others = [
        camera(60, 0, "east", bearing_deg=270.0),
        camera(-60, 0, "west", bearing_deg=90.0),
        camera(0, 60, "north", bearing_deg=180.0),
    ]
    told = best(eyes(*pole, *others), question(0, 0))
    assert {one.camera_id for one in told[1:]} == {"east", "north", "west"}
    assert best(eyes(*pole), question(0, 0))[1].reasons[-1].word == "same_pole"


@cache
def metro() -> StreetMap:
    return make_metro(7)


def test_lines_of_sight_are_those_that_sampling_every_building_finds() -> None:
    """In the practice metro: 15,000 buildings, points every 10 cm along each line, by Shapely."""
    town = metro()
    plane = Plane(town.nodes[0].at)
    chance = random.Random(11)
    scene = Scene(plane, town.buildings)
    shapes = [shapely.Polygon([plane.to_m(at) for at in b.ring]) for b in town.buildings]
    heights = np.array([b.height_m for b in town.buildings])
    tree = shapely.STRtree(shapes)
    poles = [mark.at for mark in town.landmarks if mark.kind in ("pole", "signal")]
    ends: list[tuple[tuple[float, ...], tuple[float, ...]]] = []
    while len(ends) < 150:
        x, y = plane.to_m(chance.choice(poles))
        to = (x + chance.gauss(0, 60), y + chance.gauss(0, 60))
        around = tree.query(shapely.Point(x, y), predicate="dwithin", distance=2.0)
        inside = tree.query(shapely.Point(*to), predicate="intersects")
        if not len(around) and not len(inside):
            ends.append(((x, y, chance.choice([4.0, 8.0, 15.0])), (*to, 1.2)))
    a, b = (np.array(one) for one in zip(*ends, strict=True))
    n, none = len(ends), np.zeros(0, dtype=np.intp)
    lines = Lines(a, b, np.ones(n, dtype=np.bool_), np.zeros((n, 0), dtype=np.intp), np.arange(n))
    found = scene.stops(lines, Aims(none, none)).what == BUILDING
    sampled, grazed = [], []
    for eye, aim in zip(a, b, strict=True):
        share = np.arange(0, 1, 0.1 / max(1.0, float(np.linalg.norm(aim - eye))))[:, None]
        along = eye + share * (aim - eye)
        point, building = tree.query(shapely.points(along[:, :2]), predicate="intersects")
        under = along[point, 2] < heights[building]
        sampled.append(bool(under.any()))
        # A corner cut so closely that no sample, or only one or two, lie in it.
        near = tree.query(shapely.LineString([eye[:2], aim[:2]]), predicate="intersects")
        cuts = [shapely.LineString([eye[:2], aim[:2]]).intersection(shapes[i]) for i in near]
        grazed.append(any(cut.length < 0.5 for cut in cuts) or 0 < under.sum() < 5)
    exact = ~np.array(grazed)
    assert (found == np.array(sampled))[exact].all()
    assert exact.sum() > 100
    assert 20 < found[exact].sum() < exact.sum() - 20


def test_the_quick_answer_is_that_of_looking_at_every_camera() -> None:
    """The promising ones first, and no more than needed: the same best four as without it."""
    town = metro()
    plane = Plane(town.nodes[0].at)
    chance = random.Random(5)
    poles = [mark.at for mark in town.landmarks if mark.kind in ("pole", "signal")]
    cameras = []
    for i in range(600):
        x, y = plane.to_m(chance.choice(poles[:150]))
        place = Point(*plane.to_degrees((x + chance.gauss(0, 20), y + chance.gauss(0, 20))))
        ptz = PtzLimits(zoom_max=6) if i % 5 == 0 else None
        far = Optics(range_m=150)
        one = camera(name=f"c{i}", bearing_deg=chance.random() * 360, ptz=ptz, optics=far)
        cameras.append(msgspec.structs.replace(one, place=place))
    of = Eyes(cameras, Scene(plane, town.buildings))
    told = 0
    for _ in range(15):
        place = Point(*chance.choice(poles[:150]))
        four = best(of, Question(place=place, at=NOON, count=4))
        every = best(of, Question(place=place, at=NOON, count=150))
        assert four == every[: len(four)]
        told += len(four)
    assert told > 45


def test_a_line_along_the_grid_of_walls_meets_them_all() -> None:
    """Lines that run on the borders of cells, and between their corners."""
    of = eyes(buildings=[block(-0.5, 40 * i, 1, 1, 3.0) for i in range(5)])
    ups = np.array([[0.0, -30.0, 2.0], [0.0, 300.0, 2.0], [-200.0, -200.0, 2.0]])
    aims = np.array([[0.0, 300.0, 1.0], [0.0, -30.0, 1.0], [400.0, 400.0, 1.0]])
    none = np.zeros(0, dtype=np.intp)
    lines = Lines(
        ups, aims, np.ones(3, dtype=np.bool_), np.zeros((3, 0), dtype=np.intp), np.arange(3)
    )
    stops = of.scene.stops(lines, Aims(none, none))
    assert stops.what.tolist() == [BUILDING, BUILDING, BUILDING]
    assert stops.building.tolist() == [0, 4, 0]
    aside = np.array([0.6, 0.0, 0.0])
    beside = lines._replace(eyes=ups + aside, aims=aims + aside)
    assert of.scene.stops(beside, Aims(none, none)).what.tolist()[:2] == [CLEAR, CLEAR]
