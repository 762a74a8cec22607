"""`farolito bench shots`: a fair rival, seeds kept apart, and no figure that is a guess."""

from __future__ import annotations

import math

import numpy as np
import pytest

from farolito.acoustics import Air, Net, Pulse, Sensor
from farolito.acoustics.evaluate import Scene, Verdict
from farolito.cli import bench_shots, bench_shots_city, bench_shots_stream
from farolito.cli.bench_shots_baseline import chosen_six, nearest_six
from farolito.cli.bench_shots_city import FULL, QUICK, Tried, asked, figures
from farolito.cli.bench_shots_stream import Streamed, arrivals
from farolito.cli.shots_judging import SHOTS_KEYS
from farolito.simulator.sound import JUDGE_SEEDS

AIR = Air(temperature_c=20.0, wind_x_mps=3.0, wind_y_mps=-1.0)


def exact(at: tuple[float, float], strays: int = 0) -> tuple[Net, list[Pulse]]:
    """Sensors within 900 m hear it at exactly the time that sound takes."""
    rng = np.random.default_rng(1)
    sensors = tuple(
        Sensor(name=f"S{n}", x_m=float(x), y_m=float(y))
        for n, (x, y) in enumerate(rng.uniform(0, 3000, (90, 2)))
    )
    pulses = []
    for sensor in sensors:
        dx, dy = sensor.x_m - at[0], sensor.y_m - at[1]
        metres = math.hypot(dx, dy)
        along = (dx * AIR.wind_x_mps + dy * AIR.wind_y_mps) / metres
        if metres < 900:
            took_s = metres / (AIR.sound_mps + along)
            pulses.append(
                Pulse(sensor=sensor.name, at_s=100 + took_s, pulse_id=sensor.name, level_db=85)
            )
    for n in range(strays):
        who, at_s = f"S{rng.integers(90)}", float(rng.uniform(95, 105))
        pulses.append(Pulse(sensor=who, at_s=at_s, pulse_id=f"stray{n}", level_db=70))
    return Net(sensors), pulses


@pytest.mark.parametrize("strays", [0, 20])
def test_the_rival_finds_what_is_heard_well(strays: int) -> None:
    net, pulses = exact((1400.0, 1700.0), strays)
    found = nearest_six(net, pulses, AIR)
    assert found is not None
    assert math.dist(found[:2], (1400.0, 1700.0)) < 1.0
    assert found[2] == pytest.approx(100.0, abs=0.01)


def test_the_rival_given_the_right_pulses_needs_no_luck() -> None:
    net, pulses = exact((1400.0, 1700.0), 20)
    ids = [pulse.pulse_id for pulse in pulses if not pulse.pulse_id.startswith("stray")]
    found = chosen_six(net, pulses, AIR, ids)
    assert found is not None
    assert math.dist(found[:2], (1400.0, 1700.0)) < 1.0


def test_the_rival_says_when_too_few_heard() -> None:
    net, pulses = exact((1400.0, 1700.0))
    assert nearest_six(net, pulses[:3], AIR) is None
    assert chosen_six(net, pulses, AIR, ["nobody"]) is None


def test_every_trial_of_a_bench_is_on_a_judging_seed_and_no_two_benches_share_one() -> None:
    seven, eight = ({seed for _, seed, _ in asked(FULL, n)} for n in (7, 8))
    assert min(seven) >= JUDGE_SEEDS
    assert not seven & eight
    assert {scene for scene, _, _ in asked(QUICK, 7)} >= {"single", "two_shooters", "none"}


def test_a_trial_is_judged_by_its_truth() -> None:
    scene, seed, character = asked(QUICK, 7)[0]
    told = bench_shots_city.try_one((scene, seed, character))
    assert told.judged.verdicts[0].rounds_true == 1
    assert told.bound_m is not None
    assert 0 < told.bound_m < 20


def tried(scene: str, *errors: float | None, ghosts: int = 0) -> Tried:
    verdicts = tuple(
        Verdict(located=e is not None, error_m=e, rounds_true=3, rounds_found=3, modes=1)
        for e in errors
    )
    judged = Scene(verdicts=verdicts, extra_events=ghosts)
    return Tried(scene=scene, character="Pittsburgh-like", judged=judged, seconds=0.1)


def test_two_shooters_count_only_where_both_are_near() -> None:
    told = figures([
        tried("two_shooters", 3.0, 4.0), tried("two_shooters", 3.0, 40.0),
        tried("two_shooters", 3.0, None), tried("two_shooters", 1.0, 2.0, ghosts=1),
    ])  # fmt: skip
    assert told["sim_two_shooters_percent"] == 50
    assert told["sim_two_shooters_missed_percent"] == 12.5
    assert told["sim_ghosts_per_100"] == 25


def test_what_was_not_tried_is_null() -> None:
    told = figures([tried("single", 3.0)])
    assert told["sim_full_auto_percent"] is None
    assert told["crlb_ratio_median"] is None


def test_no_pulse_can_be_told_before_the_picker_has_heard_what_follows_it() -> None:
    _, pulses = exact((1400.0, 1700.0))
    come = arrivals(pulses, np.random.default_rng(3))
    assert [at for at, _ in come] == sorted(at for at, _ in come)
    assert all(at - pulse.at_s > 0.25 for at, pulse in come)
    assert np.mean([at - pulse.at_s for at, pulse in come]) == pytest.approx(0.45, abs=0.06)


def streamed(*waits: float | None) -> Streamed:
    return Streamed(
        scene="string", ticks_s=(0.01, 0.02), first_s=waits, first_error_m=(4.0,),
        last_near=(True,), revisions=(2,), extra_events=0,
    )  # fmt: skip


def test_a_shooting_without_an_answer_makes_the_wait_unbounded_and_so_null() -> None:
    assert bench_shots_stream.figures([streamed(2.0, 2.5)])["first_solution_p95_s"] < 3
    told = bench_shots_stream.figures([streamed(2.0, None)])
    assert told["first_solution_p95_s"] is None
    assert told["stream_answered_percent"] == 50


def test_all_keys_of_the_bench_are_there_and_null_where_live_fire_is_absent() -> None:
    told = {**dict.fromkeys(SHOTS_KEYS), **bench_shots.live_figures({})}
    assert set(told) == set(SHOTS_KEYS)
    assert set(told.values()) == {None}
