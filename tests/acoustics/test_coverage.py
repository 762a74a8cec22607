"""The surface of detection: against simulation, with wind, with dead sensors."""

from __future__ import annotations

import itertools
import math
import time

import msgspec
import numpy as np
import pytest

from farolito.acoustics import Air, Net, Sensor
from farolito.acoustics.coverage import Hearing, Surface, chance_at, how_many_hear, surface
from farolito.acoustics.deployment import Deployment
from farolito.acoustics.locate import locate
from farolito.simulator.gunfire import rounds
from farolito.simulator.sound import Character, hexagonal, sound

STILL = Air(wind_sd_mps=1.0)


def squares(side: int = 10, apart_m: float = 340.0) -> Net:
    return Net(
        tuple(
            Sensor(name=f"S{row:02d}{column:02d}", x_m=column * apart_m, y_m=row * apart_m)
            for row in range(side)
            for column in range(side)
        )
    )


def test_a_hundred_sensors_are_drawn_within_a_second() -> None:
    net = squares(apart_m=560.0)
    surface(net, STILL)
    begun = time.process_time()
    drawn = surface(net, STILL)
    assert time.process_time() - begun < 1.0
    assert drawn.p.size * 0.0025 > 29  # km²


def test_how_many_hear_is_exact() -> None:
    chances = np.array([0.9, 0.5, 0.3, 0.05])
    exact = np.zeros(5)
    for heard in itertools.product((0, 1), repeat=4):
        p = np.prod([c if h else 1 - c for c, h in zip(chances, heard, strict=True)])
        exact[sum(heard)] += p
    assert how_many_hear(chances[None, :])[0, :5] == pytest.approx(exact)


def test_more_sensors_than_are_counted_are_one_class() -> None:
    counts = how_many_hear(np.full((1, 40), 0.97))
    assert counts.sum() == pytest.approx(1.0)
    assert counts[0, -1] > 0.999


def test_within_a_dense_net_nearly_all_is_heard_and_outside_nothing_is_promised() -> None:
    drawn = surface(squares(), STILL)
    assert drawn.at(1530.0, 1530.0) == pytest.approx(1.0, abs=0.01)
    assert drawn.at(-240.0, -240.0) is not None
    assert drawn.at(-900.0, 1500.0) is None
    assert drawn.median > 0.95
    assert drawn.area_km2(0.9) > 8


def test_dead_sensors_leave_a_hole_where_they_stand() -> None:
    net = squares(7)
    dead = Net(
        tuple(
            msgspec.structs.replace(s, is_up=math.hypot(s.x_m - 1020, s.y_m - 1020) > 700)
            for s in net.sensors
        )
    )
    before, after = surface(net, STILL), surface(dead, STILL)
    assert len(after.dead) == 13
    middle = after.at(1020.0, 1020.0)
    assert middle is None or middle < 0.5 < (before.at(1020.0, 1020.0) or 0)
    assert after.at(0.0, 2040.0) == pytest.approx(before.at(0.0, 2040.0), abs=0.05)


def test_a_shot_is_heard_farther_downwind() -> None:
    net = Net(tuple(Sensor(name=f"S{i}", x_m=100.0 * (i % 3), y_m=100.0 * i) for i in range(6)))
    wind = Air(wind_x_mps=6.0, wind_sd_mps=1.0)
    far = Hearing(deployment=Deployment(half_m=400.0, fade_m=60.0))
    upwind, downwind = (
        float(chance_at(np.array([x]), np.array([250.0]), net, wind, far)[0][0])
        for x in (500.0, -300.0)
    )
    assert downwind > upwind + 0.2


def test_strays_ask_for_more_sensors() -> None:
    calm, noisy = (
        surface(
            Net(
                tuple(
                    msgspec.structs.replace(s, strays_per_s=rate) for s in squares(6, 500).sensors
                )
            ),
            STILL,
        ).median
        for rate in (0.02, 0.5)
    )
    assert calm > noisy + 0.1


def test_no_sensor_up_is_no_coverage() -> None:
    net = Net((Sensor(name="S", x_m=0, y_m=0, is_up=False),))
    assert surface(net, STILL).median == 0.0
    assert surface(Net(()), STILL).p.size == 0


def test_a_huge_net_gets_coarser_cells() -> None:
    assert surface(squares(2, 20_000.0), STILL).cell_m > 50.0


def _tried(seed: int) -> tuple[float, bool]:
    """One shot somewhere in a town whose streets swallow much: (promised, found within 25 m)."""
    rng = np.random.default_rng([77, seed])
    r50_m = float(rng.uniform(250, 700))
    town = hexagonal(rng, Character(name="drawn", r50_m=r50_m, strays_per_s=0.05), km2=3.0)
    x, y = rng.uniform(0, float(town.net.x_m.max()), 2)
    # What a deployment here would have learnt: a path in eight is shut, a few arrive too late.
    learnt = Deployment(floor=0.0, height=0.74, half_m=r50_m, fade_m=140.0)
    p, _ = chance_at(np.array([x]), np.array([y]), town.net, town.air, Hearing(deployment=learnt))
    if math.isnan(p[0]):
        return math.nan, False
    shot = rounds(1, 3.0, (0, 0), (float(x), float(y)), rng)
    heard = sound([shot], town, (0.0, 8.0), rng)
    found = locate(town.net, heard.pulses, town.air, deployment=learnt)
    return float(p[0]), any(math.hypot(one.place.x_m - x, one.place.y_m - y) < 25 for one in found)


def test_what_is_promised_is_what_is_found() -> None:
    tried = [one for seed in range(80) if not math.isnan((one := _tried(seed))[0])]
    promised = np.array([p for p, _ in tried])
    found = np.array([hit for _, hit in tried])
    assert len(tried) > 65
    for part in (promised < 0.5, promised >= 0.5):
        chance = 2.5 * math.sqrt(float((promised * (1 - promised))[part].mean()) / part.sum())
        assert found[part].mean() == pytest.approx(promised[part].mean(), abs=0.03 + chance)
    assert found.mean() == pytest.approx(promised.mean(), abs=0.10)


def test_a_surface_answers_for_a_place() -> None:
    drawn = Surface(
        west_m=0, south_m=0, cell_m=50, p=np.array([[0.5, np.nan]], dtype=np.float32),
        semi_major_m=np.zeros((1, 2), dtype=np.float32), dead=(),
    )  # fmt: skip
    assert drawn.at(10, 10) == 0.5
    assert drawn.at(60, 10) is None
