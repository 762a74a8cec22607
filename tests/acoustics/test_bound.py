"""The bound is that of a fair estimator: more sensors and better ones can only help."""

from __future__ import annotations

import math

import numpy as np
import pytest

from farolito.acoustics import Air
from farolito.acoustics.bound import bound_m, jacobian

AROUND = [(300.0, 0.0), (0.0, 300.0), (-300.0, 0.0), (0.0, -300.0)]
STILL = Air(temperature_sd_c=1e-6, wind_sd_mps=1e-6)


def test_four_sensors_around_a_place_know_it_as_the_closed_form_says() -> None:
    """Two sensors tell each axis: variance σ²c²/2 by axis, times (ν+3)/(ν+1) of Student's t."""
    sd_s = 0.010
    by_hand = sd_s * STILL.sound_mps * math.sqrt(6 / 4)
    assert bound_m(AROUND, (0.0, 0.0), STILL, path_sd_s=sd_s) == pytest.approx(by_hand, rel=0.01)


def test_one_more_sensor_never_hurts() -> None:
    rng = np.random.default_rng(4)
    sensors = [(float(x), float(y)) for x, y in rng.uniform(-800, 800, (12, 2))]
    bounds = [bound_m(sensors[:n], (30.0, -50.0), Air()) for n in range(4, 13)]
    assert bounds == sorted(bounds, reverse=True)


def test_air_that_is_known_worse_makes_it_worse() -> None:
    windy = Air(wind_sd_mps=6.0)
    assert bound_m(AROUND, (120.0, 80.0), windy) > bound_m(AROUND, (120.0, 80.0), STILL)


def test_two_sensors_or_sensors_in_one_spot_tell_no_place() -> None:
    assert bound_m(AROUND[:2], (0.0, 0.0), STILL) == math.inf
    assert bound_m([(300.0, 0.0)] * 5, (0.0, 0.0), STILL) == math.inf


def test_the_derivatives_are_those_of_the_travel_time() -> None:
    air = Air(temperature_c=10.0, wind_x_mps=3.0, wind_y_mps=-2.0)
    sensors, at, step = np.array([(400.0, 250.0), (-90.0, 600.0)]), (20.0, 10.0), 1e-3

    def arrival(c: float, wx: float, wy: float) -> np.ndarray:
        away = sensors - np.array(at)
        metres = np.hypot(away[:, 0], away[:, 1])
        return np.asarray(metres / (c + away @ np.array([wx, wy]) / metres))

    here = (air.sound_mps, air.wind_x_mps, air.wind_y_mps)
    rows = jacobian(sensors, at, air)
    for column, moved in ((3, (step, 0, 0)), (4, (0, step, 0)), (5, (0, 0, step))):
        there = tuple(a + b for a, b in zip(here, moved, strict=True))
        assert rows[:, column] == pytest.approx((arrival(*there) - arrival(*here)) / step, rel=1e-4)
