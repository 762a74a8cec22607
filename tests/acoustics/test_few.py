"""Few sensors: one place or the honest two, and nothing out of noise."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from farolito.acoustics import Air, Net, Pulse, Sensor, Source
from farolito.acoustics.few import FEW_SENSORS
from farolito.acoustics.locate import locate
from farolito.cli.live_fire import LiveFire, LiveTest
from farolito.cli.shots_judging import Asked, put

AIR = Air()
SEED = 2_026_04
NEAR_M = 25.0
ROUNDS_S = (0.0, 0.41, 0.97)


def net_of(rng: np.random.Generator, sensors: int) -> Net:
    """Sensors around the middle, none nearer than 120 m to another."""
    places: list[tuple[float, float]] = []
    while len(places) < sensors:
        x, y = rng.uniform(-350.0, 350.0, 2)
        if all(math.hypot(x - a, y - b) > 120.0 for a, b in places):
            places.append((float(x), float(y)))
    return Net(tuple(Sensor(name=f"s{i}", x_m=x, y_m=y) for i, (x, y) in enumerate(places)))


def string_at(rng: np.random.Generator, net: Net, x_m: float, y_m: float) -> list[Pulse]:
    """Three rounds at every sensor; paths are late by up to some milliseconds, levels scatter."""
    pulses = []
    for sensor in net.sensors:
        range_m = math.hypot(sensor.x_m - x_m, sensor.y_m - y_m)
        late_s = abs(rng.normal(0.0, 0.006))
        level_db = 121.0 - 14.2 * math.log10(max(range_m, 10.0)) + rng.normal(0.0, 6.0)
        for fired_s in ROUNDS_S:
            at_s = 1_000.0 + fired_s + range_m / AIR.sound_mps + late_s + rng.normal(0.0, 0.001)
            pulses.append(Pulse(sensor=sensor.name, at_s=at_s, level_db=level_db))
    return [
        Pulse(sensor=p.sensor, at_s=p.at_s, level_db=p.level_db, pulse_id=f"{k}")
        for k, p in enumerate(pulses)
    ]


def off_m(source: Source, x_m: float, y_m: float) -> list[float]:
    return [math.hypot(place.x_m - x_m, place.y_m - y_m) for place in source.places]


@pytest.mark.parametrize(("sensors", "cases", "good_min"), [(3, 12, 10), (4, 12, 11)])
def test_the_truth_is_among_at_most_two_places(sensors: int, cases: int, good_min: int) -> None:
    rng = np.random.default_rng([SEED, sensors])
    good = 0
    for _ in range(cases):
        net = net_of(rng, sensors)
        x_m, y_m = (float(v) for v in rng.uniform(-200.0, 200.0, 2))
        found = locate(net, string_at(rng, net, x_m, y_m), AIR)
        assert len(found) == 1
        assert len(found[0].rounds) == len(ROUNDS_S)
        assert math.isclose(sum(place.share for place in found[0].places), 1.0, abs_tol=1e-6)
        good += len(found[0].places) <= 2 and min(off_m(found[0], x_m, y_m)) <= NEAR_M
    assert good >= good_min, f"{good} of {cases} (seed {SEED})"


def test_three_sensors_that_allow_two_places_show_both() -> None:
    """Without levels, a place and its image beyond a flat triangle explain the same arrivals."""
    net = Net(
        tuple(
            Sensor(name=f"s{i}", x_m=x, y_m=y)
            for i, (x, y) in enumerate([(-300.0, 0.0), (0.0, 5.0), (300.0, 0.0)])
        )
    )
    rng = np.random.default_rng(SEED)
    pulses = [
        Pulse(sensor=p.sensor, at_s=p.at_s, pulse_id=p.pulse_id)
        for p in string_at(rng, net, 60.0, 200.0)
    ]
    (source,) = locate(net, pulses, AIR)
    assert len(source.places) == 2
    assert min(place.share for place in source.places) > 0.2
    assert source.places[0].y_m * source.places[1].y_m < 0


def test_strays_of_four_sensors_make_no_source() -> None:
    rng = np.random.default_rng(SEED)
    for _ in range(300):
        net = net_of(rng, 4)
        pulses = [
            Pulse(sensor=s.name, at_s=1_000.0 + float(at_s), level_db=float(rng.uniform(60, 95)))
            for s in net.sensors
            for at_s in rng.uniform(0.0, 10.0, rng.poisson(0.5))
        ]
        assert locate(net, pulses, AIR) == []


def test_a_net_of_more_sensors_is_located_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(SEED)
    net = net_of(rng, FEW_SENSORS + 1)
    pulses = string_at(rng, net, 30.0, 40.0)
    told = locate(net, pulses, AIR)

    def never(*_: object) -> None:
        raise AssertionError("a full net was searched as one of few sensors")

    monkeypatch.setattr("farolito.acoustics.locate.few_source", never)
    assert locate(net, pulses, AIR) == told
    assert len(told) == 1


def test_real_recordings_of_three_and_four_sensors_give_the_place(real_inputs: Path) -> None:
    live = LiveFire(real_inputs / "acoustics" / "pittsburgh")
    asked = {"FP5/test_130", "FP5/test_132", "FP8/test_074"}
    tests = [t for t in live.tests if isinstance(t, LiveTest) and t.test_id in asked]
    assert len(tests) == len(asked)
    for test in tests:
        net, pulses = put(test, Asked(from_wav=True))
        (source,) = locate(net, pulses, test.air)
        assert min(off_m(source, test.truth.x_m, test.truth.y_m)) <= NEAR_M, test.test_id
        assert len(source.rounds) == test.truth.rounds
