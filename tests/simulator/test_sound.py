"""The practice city's sound: physical, repeatable, and honest about what the locator may know."""

from __future__ import annotations

import math

import numpy as np
import pytest

from farolito.simulator.sound import (
    HARSH,
    JUDGE_SEEDS,
    PITTSBURGH_LIKE,
    TUNING_SEEDS,
    Character,
    hexagonal,
    sound,
)
from farolito.simulator.sound_trial import SCENES, trial


def test_the_same_seed_makes_the_same_pulses_and_another_seed_others() -> None:
    assert trial("string", 3).heard.pulses == trial("string", 3).heard.pulses
    assert trial("string", 3).heard.pulses != trial("string", 4).heard.pulses


def test_the_net_has_25_sensors_a_square_mile() -> None:
    counts = [len(hexagonal(np.random.default_rng(seed)).net) for seed in range(20)]
    assert np.mean(counts) == pytest.approx(9.65 * 10, rel=0.05)


def test_tuning_seeds_are_no_judging_seeds() -> None:
    assert TUNING_SEEDS < JUDGE_SEEDS


@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_is_heard_with_all_features_in_order_of_time(scene: str) -> None:
    made = trial(scene, 11)
    times = [pulse.at_s for pulse in made.heard.pulses]
    assert times == sorted(times)
    assert len(made.heard.made) == len(made.heard.pulses) > 0
    for pulse in made.heard.pulses:
        assert pulse.sensor in made.town.net.index
        assert len(pulse.bands_db) == 6
        features = (pulse.level_db, pulse.snr_db, pulse.rise_ms, pulse.decay_ms, *pulse.bands_db)
        assert all(value is not None and math.isfinite(value) for value in features)


def test_a_direct_pulse_comes_when_sound_takes_to_come_and_never_early() -> None:
    """The path's delay is one-sided: bent paths only delay, 10 ms in the mean."""
    late = []
    for seed in range(40):
        made = trial("single", seed)
        town, bang = made.town, made.events[0].bangs[0]
        for pulse, by in zip(made.heard.pulses, made.heard.made, strict=True):
            at = town.net.index[pulse.sensor]
            if by.event != 0 or by.is_echo or abs(town.clock_s[at]) > 0.01:
                continue
            dx, dy = town.x_m[at] - bang.x_m, town.y_m[at] - bang.y_m
            metres = math.hypot(dx, dy)
            along = (dx * town.wind[0] + dy * town.wind[1]) / metres
            late.append(pulse.at_s - bang.at_s - metres / (town.sound_mps + along))
    assert len(late) > 300
    assert np.mean(late) == pytest.approx(0.010, abs=0.0015)
    assert min(late) > -0.012  # jitter and clock alone


def test_fewer_hear_it_in_the_harsh_city() -> None:
    def heard(character: Character) -> float:
        made = [trial("single", seed, character).heard.made for seed in range(25)]
        return float(np.mean([sum(m.event >= 0 and not m.is_echo for m in one) for one in made]))

    assert 10 < heard(PITTSBURGH_LIKE) < 19  # TN 098: 11–18 sensors take part in a shot
    assert heard(HARSH) < 0.8 * heard(PITTSBURGH_LIKE)


def test_a_dead_sensor_says_nothing_and_a_live_one_rests_after_a_pulse() -> None:
    made = trial("full_auto", 5)
    for at, sensor in enumerate(made.town.net.sensors):
        times = [p.at_s for p in made.heard.pulses if p.sensor == sensor.name]
        if not sensor.is_up:
            assert not times
        assert all(np.diff(times) >= 0.050 - 1e-6), at


def test_all_rounds_of_a_string_take_the_same_paths() -> None:
    """Each sensor hears them by one delay, so averaging rounds gains nothing."""
    rng = np.random.default_rng(2)
    made = trial("string", 2)
    town = made.town
    again = sound(made.events, town, made.span_s, rng)
    delays: dict[str, list[float]] = {}
    for pulse, by in zip(again.pulses, again.made, strict=True):
        if by.event == 0 and not by.is_echo:
            bang_s = made.events[0].bangs[by.bang].at_s
            delays.setdefault(pulse.sensor, []).append(pulse.at_s - bang_s)
    spreads = [np.std(times) for times in delays.values() if len(times) > 2]
    assert spreads
    assert max(spreads) < 0.006


def test_thunder_rises_slowly_and_a_gun_does_not() -> None:
    def rise_ms(scene: str) -> float:
        made = trial(scene, 8).heard
        rises = [
            p.rise_ms or 0 for p, m in zip(made.pulses, made.made, strict=True) if m.event >= 0
        ]
        return float(np.median(rises))

    assert rise_ms("single") < 3
    assert rise_ms("thunder") > 15
