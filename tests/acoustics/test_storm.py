"""A show or a thunderstorm costs one card; a shot in it is still heard."""

from __future__ import annotations

import math
from bisect import bisect_right as bisect
from collections.abc import Sequence

import numpy as np
import pytest

from farolito.acoustics import Net, Pulse, Sensor
from farolito.acoustics.kind import EVEN, odds
from farolito.acoustics.storm import (
    Sky,
    Sounded,
    Storm,
    StormKind,
    heard_in,
    prior_in,
    within,
)
from farolito.desk.shot_steps import LIKELY
from farolito.model.shot import SoundKind
from farolito.simulator.noises import show
from farolito.simulator.sound import hexagonal, sound
from tests.acoustics.perfect import perfect

GUN = {**dict.fromkeys(SoundKind, 0.01), SoundKind.GUNSHOT: 0.93, SoundKind.FIREWORK: 0.04}
FIREWORK = {**dict.fromkeys(SoundKind, 0.02), SoundKind.FIREWORK: 0.80, SoundKind.GUNSHOT: 0.14}
QUEUED_AT = 0.2  # chance of gunfire from which the desk asks a person
JOINS_M, JOINS_S = 100.0, 120.0  # the desk's


def heard_as(kinds: dict[SoundKind, float], track: int, at_s: float, x_m: float = 0) -> Sounded:
    return Sounded(track=track, at_s=at_s, x_m=x_m, y_m=0.0, kinds=kinds)


def forty() -> Net:
    return Net(
        tuple(Sensor(name=f"S{i}", x_m=340.0 * (i % 8), y_m=340.0 * (i // 8)) for i in range(40))
    )


def crack(sky: Sky, at_s: float, rise_ms: float | None, sensors: int = 36) -> None:
    rng = np.random.default_rng(int(at_s))
    sky.hear(
        [
            Pulse(sensor=f"S{i}", at_s=at_s + float(rng.uniform(0, 6)), rise_ms=rise_ms)
            for i in range(sensors)
        ]
    )


def test_slow_sounds_at_most_sensors_at_once_and_again_are_thunder() -> None:
    sky = Sky(forty())
    crack(sky, 100.0, 60.0)
    assert sky.storms(108.0) == ()  # once may be anything
    crack(sky, 160.0, 60.0)
    (storm,) = sky.storms(168.0)
    assert storm.kind is StormKind.THUNDER
    assert storm.radius_m is None
    assert "60 ms" in storm.says
    assert storm.impulses == 72
    assert sky.storms(300.0)[0].number == storm.number
    assert sky.storms(168.0 + 301) == ()


def test_loud_guns_at_most_sensors_are_no_thunder() -> None:
    sky = Sky(forty())
    for at_s in (100.0, 160.0, 220.0, 280.0):
        crack(sky, at_s, 3.0)
        assert sky.storms(at_s + 8) == ()


def test_a_net_too_small_to_tell_never_hears_thunder() -> None:
    sky = Sky(Net(forty().sensors[:6]))
    for at_s in (100.0, 160.0, 220.0, 280.0):
        crack(sky, at_s, 60.0, sensors=6)
        assert sky.storms(at_s + 8) == ()


def test_many_fireworks_from_one_place_are_one_show() -> None:
    sky = Sky(forty())
    for number in range(12):
        sky.source(heard_as(FIREWORK, number, 20.0 * number, 10.0 * number))
    (storm,) = sky.storms(240.0)
    assert (storm.kind, storm.sources) == (StormKind.SHOW, 12)
    assert storm.holds(200.0, 100.0)
    assert not storm.holds(1200.0, 0.0)
    sky.source(heard_as(FIREWORK, 99, 250.0))
    (later,) = sky.storms(260.0)
    assert (later.number, later.sources, later.since_s) == (storm.number, 13, 0.0)
    assert sky.storms(260.0 + 301) == ()


def test_sustained_gunfire_is_never_taken_for_a_show() -> None:
    sky = Sky(forty())
    for number in range(40):
        sky.source(heard_as(GUN, number, 10.0 * number))
    assert sky.storms(400.0) == ()


def test_fireworks_all_over_town_are_a_holiday() -> None:
    sky = Sky(forty())
    for number in range(40):
        sky.source(heard_as(FIREWORK, number, 10.0 * number, 500.0 * number))
    (storm,) = sky.storms(400.0)
    assert (storm.kind, storm.sources) == (StormKind.HOLIDAY, 40)


def goes_to_queue(storms: Sequence[Storm], one: Sounded) -> bool:
    """As the desk has it: in a storm only what is likely a gun even so."""
    odds, storm = heard_in(storms, one.x_m, one.y_m, one.kinds)
    return not storm or odds[SoundKind.GUNSHOT] >= LIKELY


def test_a_shot_within_a_show_still_comes_to_the_queue() -> None:
    storm = Storm(
        number=1, kind=StormKind.SHOW, since_s=0, until_s=9, sources=500, says="fireworks",
        radius_m=400.0,
    )  # fmt: skip
    clear = {**dict.fromkeys(SoundKind, 0.0025), SoundKind.GUNSHOT: 0.965}
    clear[SoundKind.FIREWORK] = 0.0275
    assert goes_to_queue([storm], heard_as(clear, 1, 5.0))
    assert not goes_to_queue([storm], heard_as(FIREWORK, 2, 5.0))
    unclear = {**dict.fromkeys(SoundKind, 0.0), SoundKind.GUNSHOT: 0.7, SoundKind.FIREWORK: 0.3}
    assert not goes_to_queue([storm], heard_as(unclear, 3, 5.0))
    assert goes_to_queue([storm], heard_as(unclear, 4, 5.0, 2000.0))  # outside its zone


def test_a_storm_shifts_the_prior_and_nothing_else() -> None:
    assert prior_in([], 0, 0) == pytest.approx(dict(EVEN))
    storm = Storm(number=1, kind=StormKind.THUNDER, since_s=0, until_s=9, sources=500, says="")
    prior = prior_in([storm], 0, 0)
    assert sum(prior.values()) == pytest.approx(1.0)
    assert prior[SoundKind.OTHER] / prior[SoundKind.GUNSHOT] == pytest.approx(20 * 0.1 / 0.5)
    assert within(GUN, EVEN) == pytest.approx({k: v / sum(GUN.values()) for k, v in GUN.items()})


def test_ten_thousand_impulses_of_a_show_are_at_most_twelve_alarms() -> None:
    rng = np.random.default_rng(11)
    town = hexagonal(rng, km2=6.0)
    events = show(10.0, (1200.0, 1200.0), 3300.0, 0.05, rng)
    told = sound(events, town, (0.0, 3600.0), rng)
    assert len(told.pulses) > 10_000
    sources = perfect(events, town.net, told, each=True)
    assert len(sources) > 100
    sky = Sky(town.net)
    alarms: list[Sounded] = []
    cards: set[int] = set()
    sky_s = 0.0
    # Each source is answered 3 s after it sounded, and once more when all arrivals are in.
    answers = [(one.rounds[0].at_s + wait_s, one) for one in sources for wait_s in (3.0, 6.5)]
    at_s = [pulse.at_s for pulse in told.pulses]
    for now_s, source in sorted(answers, key=lambda answer: answer[0]):
        recent = told.pulses[bisect(at_s, now_s - 12.0) : bisect(at_s, now_s)]
        sky.hear(told.pulses[bisect(at_s, sky_s) : bisect(at_s, now_s)])
        sky_s = now_s
        kinds, _ = odds(source, recent, town.net, town.air)
        one = Sounded(
            track=source.track, at_s=source.rounds[0].at_s, x_m=source.place.x_m,
            y_m=source.place.y_m, kinds=kinds,
        )  # fmt: skip
        sky.source(one)
        storms = sky.storms(now_s)
        cards |= {storm.number for storm in storms}
        if kinds[SoundKind.GUNSHOT] >= QUEUED_AT and goes_to_queue(storms, one):
            joined = any(
                one.at_s - other.at_s <= JOINS_S
                and math.hypot(one.x_m - other.x_m, one.y_m - other.y_m) <= JOINS_M
                for other in alarms
            )
            if not joined:
                alarms.append(one)
    print(f"{len(told.pulses)} impulses, {len(sources)} sources, {len(alarms)} alarms")
    assert len(cards) == 1
    assert len(alarms) + len(cards) <= 12
