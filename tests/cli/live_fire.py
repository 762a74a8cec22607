"""A made-up live fire in the study's layout, from the practice city's sound."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from farolito.acoustics import Sensor
from farolito.simulator.sound_trial import Trial, trial
from farolito.simulator.sound_waves import wav_of

ORIGIN_M = (-11_000.0, 3_500.0)  # each position has an origin of its own
RECORDED = 6


def live_fire(
    folder: Path, tests: int = 2, *, scene: str = "single", recorded: bool = False
) -> list[Trial]:
    """Writes FP1/test_001 … and tells the scenes."""
    made = []
    for number in range(1, tests + 1):
        home = folder / f"FP{1 + number % 2}" / f"test_{number:03d}"
        home.mkdir(parents=True)
        heard = trial(scene, 40 + number)
        made.append(heard)
        _write(home, heard)
        if recorded:
            _record(home, heard)
    return made


def _write(home: Path, made: Trial) -> None:
    net, event, air = made.town.net, made.events[0], made.town.air
    chosen: list[list[str]] = [[] for _ in event.bangs]
    for pulse, by in zip(made.heard.pulses, made.heard.made, strict=True):
        if by.event == 0 and not by.is_echo:
            chosen[by.bang].append(pulse.pulse_id)
    pulses = [
        {
            "pulse_uuid": pulse.pulse_id,
            "serial_number": pulse.sensor,
            "arrival_time_utc": _utc(pulse.at_s),
            "location": _location(net.sensors[net.index[pulse.sensor]]),
            "location_error": 0.03,
            "signal_to_noise_dB": pulse.snr_db,
            "power_dB_SPL": pulse.level_db,
        }
        for pulse in made.heard.pulses
    ]
    survey = {
        "test_id": 1,
        "num_rounds": len(event.bangs),
        "firearm": event.what,
        "survey_location": {"x": event.x_m + ORIGIN_M[0], "y": event.y_m + ORIGIN_M[1], "z": 0.0},
    }
    toward = (90.0 - np.degrees(np.arctan2(air.wind_y_mps, air.wind_x_mps))) % 360
    weather = {
        "temperature": air.temperature_c,
        "speed": float(np.hypot(air.wind_x_mps, air.wind_y_mps)),
        "direction": float((toward + 180.0) % 360),
    }
    rounds = [{"shot_index": at, "pulse_uuids": ids} for at, ids in enumerate(chosen)]
    for ending, told in (
        ("allpulses", pulses), ("survey", survey), ("weather", weather), ("nlos-tuples", rounds)
    ):  # fmt: skip
        (home / f"{home.name}.{ending}.json").write_text(json.dumps(told))


def _record(home: Path, made: Trial) -> None:
    """The sensors that heard most, as sound."""
    net = made.town.net
    heard: dict[str, int] = {}
    for pulse, by in zip(made.heard.pulses, made.heard.made, strict=True):
        if by.event == 0 and not by.is_echo:
            heard[pulse.sensor] = heard.get(pulse.sensor, 0) + 1
    voices = [event.voice.name for event in made.events]
    for sensor in sorted(heard, key=lambda name: -heard[name])[:RECORDED]:
        start = home / f"{home.name}.audio.{sensor}"
        rng = np.random.default_rng(6)
        start.with_name(start.name + ".wav").write_bytes(
            wav_of(made.heard, voices, sensor, made.span_s, rng)
        )
        told = {
            "serial_number": sensor,
            "timestamp": _utc(made.span_s[0]),
            "location": _location(net.sensors[net.index[sensor]]),
        }
        start.with_name(start.name + ".json").write_text(json.dumps(told))


def _location(sensor: Sensor) -> dict[str, float]:
    return {"x": sensor.x_m + ORIGIN_M[0], "y": sensor.y_m + ORIGIN_M[1], "z": 0.0}


def _utc(at_s: float) -> str:
    """To a millisecond, as the study has it."""
    return datetime.fromtimestamp(round(at_s, 3), UTC).isoformat(timespec="milliseconds")
