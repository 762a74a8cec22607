"""What a practice camera shows is the practice metro: its cars, at their places and seconds."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import islice

import numpy as np
import pytest

from farolito.model.camera import Consent
from farolito.simulator import burnt_in
from farolito.simulator.camera_eye import spoilt
from farolito.simulator.camera_turning import Aim, Turning
from farolito.simulator.cameras import (
    CLOCK_WRONG_S,
    DEAD_HOST,
    RINGS_MAX,
    Fault,
    PracticeCameras,
    place_cameras,
)
from farolito.simulator.car_shapes import Car
from farolito.simulator.daylight import light_at, sun_at
from farolito.simulator.metro import metres
from farolito.simulator.perspective import Lens, Pose
from farolito.simulator.street_cars import StreetCars
from farolito.simulator.street_view import Metro, StreetView, Surroundings
from farolito.simulator.world import World

NOON = datetime(2026, 11, 18, 19, 20, tzinfo=UTC)
SIZE = (320, 180)


@pytest.fixture(scope="module")
def metro(world: World) -> Metro:
    return Metro(world.street_map)


@pytest.fixture(scope="module")
def practice(world: World) -> PracticeCameras:
    return place_cameras(world)


def test_a_car_is_at_its_reader_in_the_millisecond_in_which_it_passes(world: World) -> None:
    cars = StreetCars(world, plays=False)
    readers = {r.device.device_id: r for r in world.readers}
    passed = scripted = 0
    for happening in islice(world.happenings(), 60):
        truth = happening.truth
        reader = readers[truth.reader]
        assert reader.device.place is not None
        at = metres((reader.device.place.lat, reader.device.place.lon))
        turn = math.radians(reader.sight.heading_deg)
        near = [
            (car.x - at[0], car.y - at[1])
            for car in cars.near([reader.block], truth.at)
            if truth.vehicle.startswith(car.colour) and truth.vehicle.endswith(car.kind)
        ]
        # Along its way within three metres, across it on one of the lanes.
        assert any(
            abs(x * math.sin(turn) + y * math.cos(turn)) < 3
            and abs(x * math.cos(turn) - y * math.sin(turn)) < 12
            for x, y in near
        )
        passed += 1
        scripted += truth.cue is not None
    assert passed == 60
    assert scripted


def test_a_patrol_car_is_where_its_terminal_says(world: World) -> None:
    at = world.config.start + timedelta(seconds=30)
    shown = [c for c in StreetCars(world, plays=False).near((), at) if c.kind == "patrol"]
    fixes = world.patrol.fixes(at)
    assert len(shown) == len(fixes)
    for car, fix in zip(shown, fixes, strict=True):
        assert math.dist((car.x, car.y), metres((fix.lat, fix.lon))) < 3


def test_a_car_moves_without_jumps_round_corners(world: World) -> None:
    cars = StreetCars(world, plays=False)
    blocks = cars.blocks_near((0.0, 0.0), 600.0)
    start = world.config.start + timedelta(seconds=5)
    before = cars.near(blocks, start)
    after = cars.near(blocks, start + timedelta(seconds=0.1))
    moved = [
        min(math.dist((a.x, a.y), (b.x, b.y)) for b in after if b.kind == a.kind) for a in before
    ]
    assert len(moved) > 10
    # One in twenty may come from or go to a home, and vanish there.
    assert sorted(moved)[int(len(moved) * 0.95)] < 4.5


def test_a_car_is_drawn_where_the_lens_puts_it_and_hidden_by_the_house_before_it(
    metro: Metro, practice: PracticeCameras
) -> None:
    one = practice.cameras[0]
    pose = one.pose
    around = Surroundings(metro, pose)
    view = StreetView(lambda: around, pose, SIZE)
    light = light_at(NOON)
    still = view.picture(light, ())
    turn = math.radians(pose.bearing_deg)
    at = (pose.x + 30 * math.sin(turn), pose.y + 30 * math.cos(turn))
    shown = view.picture(light, [Car(*at, 0.0, "van", "red")])
    changed = np.argwhere((shown != still).any(axis=2))
    lens = Lens(pose, SIZE)
    x, y = lens.pixels(lens.seen(np.array([[*at, 1.0]])))[0]
    assert np.hypot(*(changed.mean(axis=0) - (y, x))) < 12
    walls = [ring.mean(axis=0) for _, _, ring in metro.houses.near((pose.x, pose.y), 200.0)]
    # Straight behind the middle of each house that the picture shows.
    for middle in walls:
        away = middle - (pose.x, pose.y)
        behind = middle + away / np.hypot(*away) * 45
        u, _, depth = lens.seen(np.array([[*middle, 1.0]]))[0]
        if (
            depth < 25
            or abs(u) > depth * 0.4
            or not view.may_show(Car(behind[0], behind[1], 0, "truck", "red"))
        ):
            continue
        hidden = view.picture(
            light, [Car(behind[0], behind[1], 90.0 + pose.bearing_deg, "truck", "red")]
        )
        assert (hidden != still).any(axis=2).mean() < 0.002
        break
    else:
        pytest.fail("this camera sees no house")


def test_night_is_darker_than_day_and_lamps_are_lit(
    metro: Metro, practice: PracticeCameras
) -> None:
    pose = practice.cameras[2].pose
    around = Surroundings(metro, pose)
    view = StreetView(lambda: around, pose, SIZE)
    day = view.picture(light_at(NOON), ())
    night = view.picture(light_at(NOON + timedelta(hours=10)), ())
    assert night.mean() < 0.5 * day.mean()
    assert (night.max(axis=2) > 150).any()
    assert sun_at(NOON)[0] > 30
    assert sun_at(NOON + timedelta(hours=10))[0] < -20


def test_the_strip_gives_its_time_back_and_one_wrong_block_is_noticed() -> None:
    luma = np.full((60, 640), 90, np.uint8)
    burnt_in.strip(luma, 1_795_000_123_456, 65_537)
    assert burnt_in.read_strip(luma) == (1_795_000_123_456, 1)
    luma[8:24, 8 + 16 * 20 : 8 + 16 * 21] = 250 - luma[8:24, 8 + 16 * 20 : 8 + 16 * 21]
    assert burnt_in.read_strip(luma) is None


def test_cameras_are_the_same_for_a_seed_and_of_every_kind(
    world: World, practice: PracticeCameras
) -> None:
    assert place_cameras(world) == practice
    register = practice.register
    assert 260 <= len(register) <= 310
    assert len({c.camera_id for c in register}) == len(register)
    assert {c.consent for c in register} == set(Consent)
    assert {c.owner for c in register} == {o.owner_id for o in practice.owners}
    turning = sum(c.ptz is not None for c in register) / len(register)
    assert 0.1 < turning < 0.2
    assert all(not c.terms.may_record for c in register if c.owner == "luminaria-traffic")
    kept = [c for c in register if c.ring_s > 0]
    assert 0 < len(kept) <= RINGS_MAX
    assert all(c.terms.may_record and c.consent is Consent.ALWAYS for c in kept)


def test_one_switch_is_dead_and_each_fault_ails_one_camera(practice: PracticeCameras) -> None:
    dead = [c for c in practice.cameras if c.fault is Fault.DEAD]
    assert len(dead) == 6
    assert len({c.camera.switch for c in dead}) == 1
    assert all(c.camera.main and DEAD_HOST in c.camera.main.url for c in dead)
    others = [c.fault for c in practice.cameras if c.fault not in (None, Fault.DEAD)]
    assert sorted(map(str, others)) == sorted(f for f in Fault if f is not Fault.DEAD)
    wrong = next(c for c in practice.cameras if c.fault is Fault.WRONG_CLOCK)
    assert wrong.clock_s == CLOCK_WRONG_S
    moved = next(c for c in practice.cameras if c.fault is Fault.MOVED)
    assert moved.pose.bearing_deg != moved.camera.bearing_deg


@pytest.mark.parametrize("fault", [Fault.BLACK, Fault.BLUR, Fault.OBSTRUCTED])
def test_a_fault_of_the_lens_is_in_the_picture(fault: Fault) -> None:
    chance = np.random.default_rng(1)
    picture = np.kron(chance.integers(0, 255, (18, 32, 3)), np.ones((10, 10, 1))).astype(np.uint8)
    bad = spoilt(picture, fault)
    assert bad.shape == picture.shape
    assert bad.std() < 0.9 * picture.std()


def test_a_camera_turns_at_its_speed_and_stops_where_it_must(practice: PracticeCameras) -> None:
    one = next(c for c in practice.cameras if c.camera.ptz is not None)
    assert one.camera.ptz is not None
    turning = Turning(one.pose, one.camera.ptz)
    turning.move(Aim(1.0, 0.0, 0.0), 100.0, for_s=1.0)
    assert turning.pose(100.5).bearing_deg == pytest.approx((one.pose.bearing_deg + 30) % 360)
    assert turning.pose(109.0).bearing_deg == pytest.approx((one.pose.bearing_deg + 60) % 360)
    turning.go(-0.5, 1.0, 1.0, 110.0)
    there = turning.pose(120.0)
    assert there.bearing_deg == pytest.approx((one.pose.bearing_deg - 90) % 360)
    assert there.tilt_deg == pytest.approx(-one.camera.ptz.tilt_to_deg)
    assert there.hfov_deg < one.pose.hfov_deg / 3
    assert turning.aim(120.0) == pytest.approx((-0.5, 1.0, 1.0))
    turning.home(120.0)
    assert turning.pose(130.0) == pytest.approx(Pose(*one.pose))
