"""The locator on shots of the practice city: seeds of tuning, fixed, each a claim of its own."""

from __future__ import annotations

import math

import msgspec
import pytest

from farolito.acoustics import Air, Net, Pulse, Sensor, Source
from farolito.acoustics.evaluate import holds
from farolito.acoustics.locate import locate
from farolito.simulator.sound_trial import Trial, trial

AIR = Air(temperature_c=10.0)
SOUND_MPS = AIR.sound_mps


def ring(count: int = 8, radius_m: float = 400.0) -> Net:
    """Sensors around the origin, none beside another."""
    return Net(
        tuple(
            Sensor(
                name=f"S{i}",
                x_m=radius_m * (0.6 + 0.1 * (i % 5)) * math.cos(2 * math.pi * i / count),
                y_m=radius_m * (0.6 + 0.1 * (i % 5)) * math.sin(2 * math.pi * i / count),
            )
            for i in range(count)
        )
    )


def heard(net: Net, x_m: float, y_m: float, *at_s: float) -> list[Pulse]:
    """Pulses of rounds at a place, straight to every sensor."""
    return [
        Pulse(
            sensor=sensor.name,
            at_s=t + math.dist((x_m, y_m), (sensor.x_m, sensor.y_m)) / SOUND_MPS,
            pulse_id=f"{sensor.name}/{t}",
        )
        for sensor in net.sensors
        for t in at_s
    ]


def error_m(source: Source, x_m: float, y_m: float) -> float:
    return math.dist((source.place.x_m, source.place.y_m), (x_m, y_m))


def only(sources: list[Source]) -> Source:
    likely = [source for source in sources if source.probability >= 0.2]
    assert len(likely) == 1
    return likely[0]


def nearest(made: Trial, sources: list[Source]) -> list[float]:
    """How far each event's nearest answer is from its own middle."""
    return [
        min(error_m(source, *middle(made, number)) for source in sources)
        for number in range(len(made.events))
    ]


def middle(made: Trial, number: int) -> tuple[float, float]:
    bangs = made.events[number].bangs
    return (sum(b.x_m for b in bangs) / len(bangs), sum(b.y_m for b in bangs) / len(bangs))


def located(made: Trial) -> list[Source]:
    return locate(made.town.net, made.heard.pulses, made.town.air)


def test_a_shot_that_all_sensors_hear_is_located_to_a_metre() -> None:
    net = ring()
    source = only(locate(net, heard(net, 60, -40, 1_000.0), AIR))
    assert error_m(source, 60, -40) < 1
    assert len(source.rounds) == 1
    assert source.rounds[0].at_s == pytest.approx(1_000.0, abs=0.003)
    assert {ear.sensor for ear in source.ears} == set(net.index)


def test_a_sensor_that_should_have_heard_it_is_named_silent() -> None:
    net = ring()
    pulses = [p for p in heard(net, 0, 0, 1_000.0) if p.sensor != "S3"]
    assert only(locate(net, pulses, AIR)).silent == ("S3",)


def test_a_sensor_that_is_out_is_named_down_and_never_silent() -> None:
    net = ring()
    sensors = tuple(
        msgspec.structs.replace(sensor, is_up=sensor.name != "S3") for sensor in net.sensors
    )
    source = only(locate(Net(sensors), heard(net, 0, 0, 1_000.0), AIR))
    assert source.down == ("S3",)
    assert source.silent == ()


def test_a_shot_beside_all_that_heard_it_is_said_to_be_outside() -> None:
    net = ring()
    inside = only(locate(net, heard(net, 0, 0, 1_000.0), AIR))
    outside = only(locate(net, heard(net, 500, 0, 1_000.0), AIR))
    assert not inside.outside_net
    assert outside.outside_net


def test_three_sensors_make_no_shot() -> None:
    net = ring()
    pulses = [p for p in heard(net, 0, 0, 1_000.0) if p.sensor in ("S0", "S3", "S5")]
    assert locate(net, pulses, AIR) == []


def test_pulses_of_unknown_sensors_and_repeats_change_nothing() -> None:
    net = ring()
    pulses = heard(net, 60, -40, 1_000.0)
    noise = [msgspec.structs.replace(pulse, sensor="nobody's") for pulse in pulses]
    assert locate(net, [*noise, *pulses, *pulses], AIR) == locate(net, pulses, AIR)


def test_a_clock_that_is_wrong_by_a_quarter_second_moves_nothing() -> None:
    net = ring()
    pulses = [
        msgspec.structs.replace(pulse, at_s=pulse.at_s + (0.25 if pulse.sensor == "S2" else 0.0))
        for pulse in heard(net, 60, -40, 1_000.0)
    ]
    assert error_m(only(locate(net, pulses, AIR)), 60, -40) < 2


def test_wind_that_was_not_reported_moves_a_place_within_its_ellipse() -> None:
    net = ring(12, 600.0)
    blown = [
        Pulse(
            sensor=s.name,
            at_s=1_000.0 + (d := math.dist((0, 0), (s.x_m, s.y_m))) / (SOUND_MPS + 4 * s.x_m / d),
        )
        for s in net.sensors
    ]
    source = only(locate(net, blown, AIR))
    assert holds(source.place, 0, 0)
    assert source.wind_x_mps > 0


def test_five_sensors_of_a_small_net_do_as_well_as_a_hundred() -> None:
    net = ring(5)
    source = only(locate(net, heard(net, 30, 20, 1_000.0, 1_000.3), AIR))
    assert min(math.dist((p.x_m, p.y_m), (30, 20)) for p in source.places) < 5


def test_the_shares_of_all_places_shown_come_to_one_at_most() -> None:
    net = ring(4)
    for source in locate(net, heard(net, 200, 150, 1_000.0), AIR):
        assert sum(place.share for place in source.places) <= 1 + 1e-9
        assert [p.share for p in source.places] == sorted(
            (p.share for p in source.places), reverse=True
        )


@pytest.mark.parametrize("seed", [100, 101, 102])
def test_a_string_is_one_source_with_its_rounds(seed: int) -> None:
    made = trial("string", seed)
    source = only(located(made))
    assert error_m(source, *middle(made, 0)) < 25
    assert source.rounds_low <= len(made.events[0].bangs) <= source.rounds_high


@pytest.mark.parametrize("seed", [100, 104, 108])
def test_automatic_fire_is_not_moved_by_one_firing_period(seed: int) -> None:
    made = trial("full_auto", seed)
    assert nearest(made, located(made))[0] < 25


@pytest.mark.parametrize("seed", [104, 107, 112])
def test_two_shooters_in_one_street_are_two_sources(seed: int) -> None:
    made = trial("two_shooters", seed)
    sources = [source for source in located(made) if source.probability >= 0.2]
    assert len(sources) == 2
    assert max(nearest(made, sources)) < 25


def test_someone_who_shoots_on_the_run_is_one_source_that_went_where_they_went() -> None:
    made = trial("moving", 109)
    source = only(located(made))
    first, last = made.events[0].bangs[0], made.events[0].bangs[-1]
    assert source.drift_x_m is not None
    assert source.drift_y_m is not None
    assert source.drift_sd_m is not None
    off_m = math.dist(
        (source.drift_x_m, source.drift_y_m), (last.x_m - first.x_m, last.y_m - first.y_m)
    )
    assert off_m < 3 * source.drift_sd_m


def test_stray_pulses_alone_make_no_shot() -> None:
    for seed in range(5):
        assert located(trial("none", seed)) == []
