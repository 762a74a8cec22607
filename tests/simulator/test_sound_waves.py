"""Clips of the practice city hold what its pulses say: an ear and a picker agree with them."""

from __future__ import annotations

import numpy as np
import pytest

from farolito.acoustics.onset import pick
from farolito.acoustics.wav import decode_wav
from farolito.simulator import gunfire, noises
from farolito.simulator.bang import Voice
from farolito.simulator.sound_trial import trial
from farolito.simulator.sound_waves import (
    RATE_HZ,
    Sounding,
    friedlander,
    n_wave,
    recording,
    wav_of,
)

VOICES = [
    voice for room in (gunfire, noises) for voice in vars(room).values() if isinstance(voice, Voice)
]


@pytest.mark.parametrize("voice", VOICES, ids=lambda voice: voice.name)
def test_every_voice_can_be_heard_and_never_leaves_full_scale(voice: Voice) -> None:
    rng = np.random.default_rng(1)
    quiet = recording([], 1.0, np.random.default_rng(1))
    loud = recording([Sounding(what=voice.name, at_s=0.3, level_db=92)], 1.0, rng)
    assert np.abs(loud).max() <= 1
    assert np.abs(loud[3600:6000]).max() > 5 * np.abs(quiet).max()


def test_a_blast_falls_through_zero_after_its_positive_phase_and_sums_to_nothing() -> None:
    blast = friedlander(0.002, 0.05)
    assert blast[0] == 1
    assert blast[: round(0.0019 * RATE_HZ)].min() > 0 > blast[round(0.0022 * RATE_HZ)]
    assert abs(blast.sum()) < 0.6  # of samples of up to 1: the pressure comes back to the air's
    assert n_wave()[0] == -n_wave()[-1] == 1


def test_a_picker_finds_the_shots_of_a_clip_where_the_sensor_told_them() -> None:
    """Of pulses well over the noise and apart from each other, 95 in 100 within 3 ms."""
    found = of = 0
    for seed in range(12):
        made = trial("string", seed)
        rng = np.random.default_rng(seed)
        voices = [event.voice.name for event in made.events]
        starts_s, ends_s = made.span_s
        for sensor in [s.name for s in made.town.net.sensors if s.is_up][::9]:
            mine = [
                (p, m)
                for p, m in zip(made.heard.pulses, made.heard.made, strict=True)
                if p.sensor == sensor
            ]
            told = [
                p.at_s - starts_s
                for p, m in mine
                if not m.is_echo and m.event >= 0 and (p.level_db or 0) > 82
                if not any(0 < abs(p.at_s - other.at_s) < 0.12 for other, _ in mine)
            ]
            if not told:
                continue
            told_sound = decode_wav(wav_of(made.heard, voices, sensor, made.span_s, rng))
            samples, rate_hz = told_sound.samples, told_sound.rate_hz
            assert len(samples) == round((ends_s - starts_s) * rate_hz)
            ours = np.array([onset.at_sample / rate_hz for onset in pick(samples, rate_hz)])
            of += len(told)
            found += sum(bool(len(ours)) and float(abs(ours - t).min()) < 0.003 for t in told)
    assert of > 40
    assert found / of > 0.95


def test_the_same_chance_renders_the_same_clip() -> None:
    made = trial("nail_gun", 2)
    sensor = made.heard.pulses[0].sensor
    clips = {
        wav_of(made.heard, ["nail gun"], sensor, made.span_s, np.random.default_rng(9))
        for _ in range(2)
    }
    assert len(clips) == 1
