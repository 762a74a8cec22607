"""The onset picker on sounds whose moments are known."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farolito.acoustics.features import decibels, octaves_db
from farolito.acoustics.onset import AS_JUDGED, Onset, StreamPicker, pick, pulses
from farolito.acoustics.wav import Recording
from farolito.model import BANDS_HZ, Invalid
from tests.acoustics.sounds import noise, with_blast

RATE = 12_000


def chance(seed: int = 7) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("rate_hz", [8_000, 12_000, 16_000, 44_100, 48_000])
def test_a_sharp_front_is_placed_to_a_tenth_of_a_millisecond(rate_hz: int) -> None:
    rng = chance()
    for _ in range(8):
        at_s = 1.0 + rng.uniform(0, 0.3)
        sound = with_blast(noise(rng, 2.0, rate_hz), at_s, rate_hz)
        [onset] = pick(sound, rate_hz)
        assert abs(onset.at_sample / rate_hz - at_s) <= max(1e-4, 1.5 / rate_hz)


def told_in_pieces(sound: np.ndarray, cuts: list[int]) -> list[Onset]:
    picker, told, at = StreamPicker(RATE), [], 0
    for cut in [*sorted(cuts), len(sound)]:
        told += picker.hear(sound[at:cut])
        at = cut
    return told + picker.end()


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 36_000), max_size=40))
def test_a_stream_in_any_pieces_gives_what_the_whole_recording_gives(cuts: list[int]) -> None:
    sound = noise(chance(), 3.0, RATE)
    for at_s in (0.9, 1.02, 1.5, 2.2, 2.93):
        sound = with_blast(sound, at_s, RATE)
    whole = pick(sound, RATE)
    assert len(whole) == 5
    assert told_in_pieces(sound, cuts) == whole


def test_an_onset_is_told_within_the_latency_it_promises_and_never_before_it_happens() -> None:
    at_s = 1.3
    sound = with_blast(noise(chance(), 3.0, RATE), at_s, RATE)
    picker, step = StreamPicker(RATE), RATE // 100
    for start in range(0, len(sound), step):
        if picker.hear(sound[start : start + step]):
            told_s = (start + step) / RATE
            break
    assert at_s < told_s <= at_s + AS_JUDGED.latency_s + step / RATE
    assert AS_JUDGED.latency_s < 0.2


@pytest.mark.parametrize("kind", ["white", "rumble", "hum"])
def test_steady_sound_has_no_onsets(kind: str) -> None:
    rng = chance()
    sound = noise(rng, 60.0, RATE)
    if kind == "rumble":
        sound = sound + 0.05 * np.cumsum(noise(rng, 60.0, RATE)) / 5
    if kind == "hum":
        sound = sound + 0.2 * np.sin(2 * np.pi * 120 * np.arange(len(sound)) / RATE)
    assert pick(np.clip(sound, -1, 1), RATE) == []


def test_a_microphone_that_is_switched_on_is_no_onset() -> None:
    """The Pittsburgh clips are blanked before and after: digital silence is not quiet."""
    sound = noise(chance(), 4.0, RATE, loud=0.01)
    sound[: RATE * 2] = 0.0
    assert pick(sound, RATE) == []
    [onset] = pick(with_blast(sound, 2.5, RATE, peak=0.9), RATE)
    assert abs(onset.at_sample / RATE - 2.5) < 0.001


def test_of_a_weak_first_front_and_its_louder_echo_the_first_is_told() -> None:
    sound = with_blast(noise(chance(), 3.0, RATE), 1.5, RATE, peak=0.1, blast_s=0.002)
    for echo in range(6):
        sound = with_blast(sound, 1.538 + 0.004 * echo, RATE, peak=0.15)
    onsets = pick(sound, RATE)
    assert abs(onsets[0].at_sample / RATE - 1.5) < 0.001
    assert len(onsets) == 1


def test_rounds_of_automatic_fire_are_told_one_by_one() -> None:
    sound = noise(chance(), 3.0, RATE)
    fired = [1.0 + 0.085 * n for n in range(10)]
    for at_s in fired:
        sound = with_blast(sound, at_s, RATE)
    told = [onset.at_sample / RATE for onset in pick(sound, RATE)]
    assert np.allclose(told, fired, atol=0.001)


def test_the_features_say_what_the_blast_was() -> None:
    quiet = with_blast(noise(chance(), 2.0, RATE), 1.0, RATE, peak=0.1)
    loud = with_blast(noise(chance(), 2.0, RATE), 1.0, RATE, peak=0.4)
    [weak], [strong] = pick(quiet, RATE), pick(loud, RATE)
    assert strong.level_db - weak.level_db == pytest.approx(12.04, abs=0.3)
    assert strong.snr_db - weak.snr_db == pytest.approx(12.04, abs=0.3)
    assert strong.rise_ms < 2
    assert 1 < strong.decay_ms < 20
    assert len(strong.bands_db) == len(BANDS_HZ)


def test_a_sine_is_in_its_own_octave_at_its_own_level() -> None:
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE // 20) / RATE)
    bands = dict(zip(BANDS_HZ, octaves_db(tone, RATE), strict=True))
    assert bands[1000] == pytest.approx(decibels(0.5 / 2**0.5), abs=0.3)
    assert all(bands[1000] - bands[other] > 20 for other in (125, 250, 4000))


def test_the_noise_level_is_of_the_past_alone() -> None:
    rng = chance()
    picker = StreamPicker(RATE)
    assert picker.noise_db is None
    picker.hear(noise(rng, 4.0, RATE, loud=0.01))
    before = picker.noise_db
    picker.hear(noise(rng, 0.3, RATE, loud=0.5))
    assert before is not None
    assert picker.noise_db == pytest.approx(before, abs=0.5)


def test_pulses_carry_absolute_times_and_calibrated_levels() -> None:
    sound = with_blast(noise(chance(), 2.0, RATE), 1.25, RATE)
    [pulse] = pulses(Recording(sound, RATE), "ridge-04", 1_795_400_000.0, full_scale_db=92.0)
    [onset] = pick(sound, RATE)
    assert pulse.at_s == pytest.approx(1_795_400_001.25, abs=0.001)
    assert pulse.level_db == pytest.approx(onset.level_db + 92)
    assert pulse.sensor == "ridge-04"


@pytest.mark.parametrize(
    ("sound", "rate_hz"),
    [
        (np.zeros((100, 2)), RATE),
        (np.array([0.0, np.nan]), RATE),
        (np.zeros(100), 4_000),
        (np.zeros(100), 400_000),
    ],
)
def test_sound_that_is_none_is_refused_by_name(sound: np.ndarray, rate_hz: int) -> None:
    with pytest.raises(Invalid):
        pick(sound, rate_hz)


@pytest.mark.parametrize("count", [0, 1, 100, 1_500])
def test_a_recording_too_short_to_know_its_noise_has_no_onsets(count: int) -> None:
    assert pick(np.ones(count) * 0.5, RATE) == []


def test_the_picker_needs_no_compiler() -> None:
    """It must run on a small board, where numba is not."""
    asked = "import sys, farolito.acoustics.onset; print('numba' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
