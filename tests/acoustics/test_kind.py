"""What made the sound: calibrated where it can be judged, plain about what cannot."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from farolito.acoustics import Air, Ear, Net, Place, Round, Sensor, Source
from farolito.acoustics.cadence import rhythm
from farolito.acoustics.kind import EVEN, MODEL, SURE_MAX, UNTESTED, judged, kinds, odds
from farolito.acoustics.traits import TRAITS, Setting, Traits, traits
from farolito.model.shot import SoundKind
from farolito.simulator.fit_kinds import fit, gather, module, report
from farolito.simulator.sound import JUDGE_SEEDS
from farolito.simulator.sound_trial import trial
from tests.acoustics.perfect import perfect

GUN = SoundKind.GUNSHOT


def told(times: list[float], **shown: float) -> Traits:
    return Traits(rhythm=rhythm(times), ears=9, reached=9, to_reach=9.0, **shown)  # type: ignore[arg-type]


PISTOL = {"power_db": 0.0, "rise_ms": 1.4, "decay_ms": 9.0, "low_tilt_db": 5.5}
PISTOL |= {"high_tilt_db": -16.0}


def test_the_odds_sum_to_one_and_are_never_quite_sure() -> None:
    for shown in (told([0.0]), told([0, 0.2, 0.45, 0.66], **PISTOL), told([0.0], power_db=-30)):
        found, _ = judged(shown)
        assert sum(found.values()) == pytest.approx(1.0)
        assert set(found) == set(SoundKind)
        assert max(found.values()) <= SURE_MAX + 1e-9
        assert min(found.values()) > 0


def test_a_string_that_sounds_as_a_pistol_is_likely_one_and_says_why() -> None:
    found, because = judged(told([0.0, 0.21, 0.47, 0.70, 0.91], **PISTOL))
    assert found[GUN] > 0.8
    assert any("0.21–0.26 s apart, as a semi-automatic pistol" in one for one in because)
    assert any("as loud as a pistol" in one for one in because)
    assert because[-1] == UNTESTED


def test_even_blows_of_a_machine_are_construction() -> None:
    blunt = {"power_db": -4.0, "rise_ms": 3.0, "decay_ms": 40.0}
    found, because = judged(told([1.2 * number for number in range(7)], **blunt))
    assert max(found, key=lambda kind: found[kind]) is SoundKind.CONSTRUCTION
    assert any(one.startswith("against a gun: 7 rounds") for one in because)


def test_without_level_or_bands_the_odds_stay_near_even_and_say_so() -> None:
    found, because = judged(told([0.0]))
    assert 0.3 < found[GUN] < 0.7
    assert "the sensors tell no level: its power is unknown" in because


def test_a_prior_against_guns_is_heeded() -> None:
    shown = told([0.0], **PISTOL)
    holiday = {**EVEN, SoundKind.FIREWORK: 10.0}
    even, shifted = judged(shown)[0], judged(shown, holiday)[0]
    assert shifted[GUN] < even[GUN]
    assert shifted[SoundKind.FIREWORK] > even[SoundKind.FIREWORK]


def test_a_prior_of_nothing_is_our_own_mistake() -> None:
    with pytest.raises(AssertionError, match="prior"):
        kinds(dict.fromkeys(SoundKind, 0.0), {})


def test_levels_of_an_uncalibrated_sensor_are_no_power() -> None:
    net = Net(tuple(Sensor(name=f"S{i}", x_m=200.0 * i, y_m=0.0) for i in range(5)))
    source = Source(
        track=1, revision=1, places=(Place(x_m=0, y_m=300, xx=9, xy=0, yy=9),),
        rounds=(Round(at_s=0.0, sensors=5),), rounds_low=1, rounds_high=1, score=50, expected=50,
        probability=0.9,
        ears=tuple(
            Ear(sensor=s.name, at_s=1, rounds=1, residual_s=0, metres=300.0 + s.x_m, level_db=-12)
            for s in net.sensors
        ),
    )  # fmt: skip
    assert traits(source, (), net, Air()).power_db is None
    loud = msgspec.structs.replace(
        source, ears=tuple(msgspec.structs.replace(ear, level_db=86.0) for ear in source.ears)
    )
    assert traits(loud, (), net, Air()).power_db is not None


def test_a_burst_above_a_thump_is_company() -> None:
    place = (Place(x_m=0, y_m=0, xx=9, xy=0, yy=9),)
    lift = Source(
        track=1, revision=1, places=place, rounds=(Round(at_s=0.0, sensors=5),), rounds_low=1,
        rounds_high=1, score=50, expected=50, probability=0.9, ears=(),
    )  # fmt: skip
    burst = msgspec.structs.replace(lift, track=2, rounds=(Round(at_s=3.0, sensors=9),))
    net = Net(())
    shown = traits(burst, (), net, Air(), Setting(others=(lift, burst)))
    assert shown.company == 1
    assert traits(burst, (), net, Air()).company is None


def test_the_weights_are_those_of_the_traits() -> None:
    assert sum(maker.share for maker in MODEL.makers if maker.kind is GUN) == pytest.approx(1.0)
    for maker in MODEL.makers:
        assert len(maker.mean) == len(maker.sd) == len(TRAITS)
        assert min(maker.sd) > 0
    correlation = np.array(MODEL.correlation)
    assert np.linalg.eigvalsh(correlation).min() > 0.05
    assert correlation == pytest.approx(correlation.T)


def heard(scene: str, count: int) -> list[float]:
    """P(gun) of each source of a scene, judge seeds."""
    found = []
    for seed in range(JUDGE_SEEDS, JUDGE_SEEDS + count):
        made = trial(scene, seed)
        for source in perfect(made.events, made.town.net, made.heard):
            odds_, _ = odds(source, made.heard.pulses, made.town.net, made.town.air)
            found.append(odds_[GUN])
    return found


def test_guns_of_other_seeds_pass_and_other_sounds_mostly_do_not() -> None:
    guns = heard("single", 30) + heard("string", 15) + heard("full_auto", 10)
    others = heard("pile_driver", 15) + heard("firecrackers", 15) + heard("aerial_shells", 8)
    assert np.mean(np.array(guns) >= 0.2) >= 0.98
    assert np.mean(np.array(guns) >= 0.5) >= 0.93
    assert np.mean(np.array(others) >= 0.5) <= 0.15


def test_a_banger_on_the_ground_is_not_told_from_a_pistol() -> None:
    """By design of the practice city: what nobody can hear must not be claimed."""
    one_each = [p for p in heard("salutes", 25) if p < SURE_MAX]
    assert one_each
    assert max(one_each) > 0.5
    assert np.mean(one_each) < np.mean(heard("string", 10))


def test_a_fit_gives_weights_that_read_back() -> None:
    rows = list(gather(range(2), {"single": 4.0, "pile_driver": 1.0, "backfire": 2.0}))
    model = fit(rows)
    figures = report(rows, model)
    assert figures.sources == len(rows)
    assert 0 <= figures.error <= 1
    space: dict[str, object] = {}
    exec(module(model, len(rows), "seeds 0 to 1"), space)
    assert space["TEMPER"] == model.temper
    assert len(space["MAKERS"]) == len(model.makers)  # type: ignore[arg-type]
