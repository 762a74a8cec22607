"""The judge is strict: what the operator would see first counts, and all else is an extra event."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from farolito.acoustics import Place, Round, Source
from farolito.acoustics.evaluate import Shooting, holds, judge, judge_alone, percent, rank


def place(x: float, y: float, sd: float = 5.0) -> Place:
    return Place(x_m=x, y_m=y, xx=sd * sd, xy=0.0, yy=sd * sd)


def source(x: float, y: float, times: tuple[float, ...] = (10.0,), **more: object) -> Source:
    made = Source(
        track=0, revision=1, places=(place(x, y),),
        rounds=tuple(Round(at_s=t, sensors=6) for t in times),
        rounds_low=len(times), rounds_high=len(times),
        score=50.0, expected=60.0, probability=0.99, ears=(),
    )  # fmt: skip
    return msgspec.structs.replace(made, **more)


HERE = Shooting(x_m=0.0, y_m=0.0, rounds=2, times_s=(10.0, 10.5))


def test_alone_the_strongest_answer_counts_and_not_the_nearest() -> None:
    scene = judge_alone(HERE, [source(1, 0, score=20.0), source(300, 0, score=90.0)])
    assert scene.verdicts[0].error_m == 300
    assert scene.extra_events == 1


def test_an_answer_too_unlikely_to_reach_anybody_is_no_answer() -> None:
    scene = judge_alone(HERE, [source(1, 0, probability=0.1)])
    assert not scene.verdicts[0].located
    assert (scene.extra_events, scene.extra_kept) == (0, 1)


def test_a_hit_needs_place_and_moment() -> None:
    near = judge([HERE], [source(10, 0, (10.0, 10.5))])
    assert near.verdicts[0].is_near
    assert near.verdicts[0].rounds_found == near.verdicts[0].rounds_true
    for wrong in (source(10, 0, (12.0,)), source(61, 0)):
        scene = judge([HERE], [wrong])
        assert not scene.verdicts[0].located
        assert scene.extra_events == 1


def test_one_answer_does_not_stand_for_two_shootings() -> None:
    other = Shooting(x_m=40.0, y_m=0.0, rounds=1, times_s=(10.1,))
    scene = judge([HERE, other], [source(35, 0)])
    assert [verdict.located for verdict in scene.verdicts] == [False, True]


def test_a_place_among_those_shown_is_said_so_and_one_alone_is_not() -> None:
    both = source(200, 0, places=(place(200, 0), place(5, 0)))
    verdict = judge_alone(HERE, [both]).verdicts[0]
    assert not verdict.is_near
    assert verdict.is_near_or_said_so
    assert not judge_alone(HERE, [source(200, 0)]).verdicts[0].is_near_or_said_so


def test_of_someone_who_moved_the_middle_of_the_rounds_is_the_truth() -> None:
    moved = Shooting(x_m=0, y_m=0, rounds=3, times_s=(10.0,), places=((0, 0), (10, 0), (20, 0)))
    assert judge([moved], [source(10, 3)]).verdicts[0].error_m == pytest.approx(3)


def test_the_ellipse_holds_95_of_100_draws_of_its_own_law() -> None:
    rng = np.random.default_rng(95)
    covariance = np.array([[40.0, 18.0], [18.0, 12.0]])
    told = Place(x_m=3.0, y_m=-2.0, xx=40.0, xy=18.0, yy=12.0)
    draws = rng.multivariate_normal((3.0, -2.0), covariance, 20_000)
    assert np.mean([holds(told, x, y) for x, y in draws]) == pytest.approx(0.95, abs=0.006)


def test_figures_of_nothing_are_none() -> None:
    assert percent([]) is None
    assert rank([], 0.95) is None
    assert percent([True, False, True, True]) == 75
    assert not math.isnan(rank([1.0], 0.95) or math.nan)
