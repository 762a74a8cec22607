"""Cars move as cars do: on the streets, in their beats, where they are sent."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from farolito.geo import RoadGraph, distance_m
from farolito.model import UnitId
from farolito.simulator.crowd import crowd
from farolito.simulator.motion import BRAKES_MPS2, SPEEDS_UP_MPS2, Drive
from farolito.simulator.patrol import HANDOVER_S, UNITS, Patrol, Streets, is_inside
from farolito.simulator.world import World
from tests.simulator.conftest import START

CAR = UnitId("2A21")


@pytest.fixture(scope="module")
def streets(world: World) -> Streets:
    return Streets(world.street_map)


@pytest.fixture
def patrol(streets: Streets) -> Patrol:
    return Patrol(streets, 7, START)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def test_units_on_patrol_stay_on_the_streets_of_their_beats(patrol: Patrol) -> None:
    beats = {b.name: b for b in patrol.streets.beats}
    inside = seen = 0
    for second in range(0, 3600, 15):
        for fix in patrol.fixes(START + seconds(second)):
            at = (fix.lat, fix.lon)
            snap = patrol.streets.graph.snap(at)
            assert snap is not None
            assert snap.off_m < 1
            seen += 1
            inside += is_inside(at, beats[patrol.beat(fix.unit)])
    assert inside / seen > 0.95
    assert len({patrol.beat(u) for u in UNITS}) >= 12


def test_a_unit_moves_as_fast_as_it_says(patrol: Patrol) -> None:
    for unit in UNITS[:4]:
        for second in range(0, 900):
            a = patrol.where(unit, START + seconds(second))
            b = patrol.where(unit, START + seconds(second + 1))
            moved = distance_m(a.at, b.at)
            most = max(a.speed_mps, b.speed_mps) + max(SPEEDS_UP_MPS2, BRAKES_MPS2) / 2
            assert moved <= most + 1


def test_a_unit_that_is_sent_drives_the_quickest_way_and_stays(
    patrol: Patrol, streets: Streets
) -> None:
    at = START + seconds(300)
    here = patrol.where(CAR, at).at
    to = streets.corners["Beat 311"][40]
    arrives = patrol.send(CAR, to, at, urgent=True)
    assert patrol.where(CAR, at).at == pytest.approx(here, abs=1e-5)
    assert not patrol.is_free(CAR, at)
    route = streets.graph.route(here, to)
    assert route is not None
    assert 0.8 < (arrives - at) / seconds(1) / route.seconds < 1.5
    there = patrol.where(CAR, arrives)
    assert distance_m(there.at, to) < 5
    assert there.speed_mps == 0
    assert patrol.where(CAR, arrives + seconds(600)).at == there.at


def test_a_unit_that_is_cleared_goes_back_to_its_beat(patrol: Patrol, streets: Streets) -> None:
    at = START + seconds(300)
    arrives = patrol.send(CAR, streets.corners["Beat 412"][10], at, urgent=True)
    patrol.clear(CAR, arrives + seconds(60))
    assert patrol.is_free(CAR, arrives + seconds(61))
    later = patrol.where(CAR, arrives + seconds(1800)).at
    beat = next(b for b in streets.beats if b.name == patrol.beat(CAR))
    assert is_inside(later, beat)


def test_a_unit_can_be_called_off_on_its_way(patrol: Patrol, streets: Streets) -> None:
    at = START + seconds(300)
    patrol.send(CAR, streets.corners["Beat 412"][10], at, urgent=True)
    half = at + seconds(40)
    here = patrol.where(CAR, half).at
    patrol.clear(CAR, half)
    assert patrol.where(CAR, half + seconds(2)).at == pytest.approx(here, abs=1e-5)
    assert patrol.is_free(CAR, half + seconds(2))


def test_haste_saves_time(streets: Streets) -> None:
    chance = random.Random(3)
    a, b = streets.corners["Beat 221"][0], streets.corners["Beat 421"][0]
    urgent = streets.drive(a, b, chance, urgent=True).lasts_s
    assert urgent < streets.drive(a, b, chance, urgent=False).lasts_s


def test_crews_change_at_the_station_and_not_all_at_once(streets: Streets) -> None:
    patrol = Patrol(streets, 7, START, hour=21.9)
    away: dict[str, list[int]] = {}
    for minute in range(0, 120):
        for unit in UNITS:
            if not patrol.is_free(unit, START + timedelta(minutes=minute)):
                away.setdefault(unit, []).append(minute)
    assert set(away) == set(UNITS[1:])  # the person at the phone keeps the car
    assert all(len(minutes) >= HANDOVER_S / 60 - 1 for minutes in away.values())
    for minute in range(0, 120):
        assert sum(minute in minutes for minutes in away.values()) < len(UNITS) / 2


def test_the_same_seed_gives_the_same_rounds_however_often_it_is_asked(streets: Streets) -> None:
    often, seldom = Patrol(streets, 7, START), Patrol(streets, 7, START)
    for second in range(0, 600):
        often.fixes(START + seconds(second))
    assert often.fixes(START + seconds(600)) == seldom.fixes(START + seconds(600))


def test_a_drive_ends_where_it_should_and_stands(streets: Streets) -> None:
    line = streets.graph.route(streets.corners["Beat 221"][0], streets.corners["Beat 311"][0])
    assert line is not None
    limits = [13.0] * (len(line.line) - 1)
    drive = Drive(line.line, limits, {2: 20.0}, {})
    assert drive.at(0).at == pytest.approx(line.line[0], abs=1e-5)
    end = drive.at(drive.lasts_s + 5)
    assert end.at == pytest.approx(line.line[-1], abs=1e-5)
    assert end.speed_mps == 0
    assert drive.metres == pytest.approx(line.metres, rel=0.01)
    assert drive.lasts_s > line.metres / 13 + 20


def test_a_crowd_of_thousands_moves_plausibly_and_cheaply(world: World) -> None:
    many = crowd(2_000, START, street_map=world.street_map)
    graph = RoadGraph(world.street_map)
    before = many.fixes(START)
    assert len({f.unit for f in before}) == 2_000
    after = many.fixes(START + seconds(1))
    metres = [
        distance_m((a.lat, a.lon), (b.lat, b.lon)) for a, b in zip(before, after, strict=True)
    ]
    assert max(metres) < 40
    assert sum(m > 1 for m in metres) > 1_000
    for fix in before[::50]:
        snap = graph.snap((fix.lat, fix.lon))
        assert snap is not None
        assert snap.off_m < 3
