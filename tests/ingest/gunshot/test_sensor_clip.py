"""What sound may leave a sensor: the bang that was told and asked for, and nothing else."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farolito.acoustics.onset import Onset, pick
from farolito.acoustics.wav import decode_wav
from farolito.ingest.gunshot.sensor import clip as clips
from farolito.ingest.gunshot.sensor.clip import Window, is_impulse, released
from farolito.ingest.gunshot.sensor.ears import Ears, NotGiven
from farolito.ingest.gunshot.sensor.sources import Piece
from farolito.ingest.gunshot.sensor.timeline import FileTime
from farolito.ingest.gunshot.wire import CLIP_S_MAX, Clip, Want
from tests.acoustics.sounds import Samples, noise, speech, with_blast

RATE = 16_000
START_S = 1_795_400_000.0


def heard(sound: Samples, rate_hz: int = RATE, *, switched_on: bool = True) -> Ears:
    """A sensor that heard this, told all of it, and still listens."""
    ears = Ears(clips=switched_on)
    piece = Piece(sound, rate_hz, FileTime(rate_hz, START_S), True)
    ears.told(ears.hear(piece))
    return ears


def want(from_s: float, seconds: float = 2.0, number: int = 1) -> Want:
    return Want(want=number, from_us=round((START_S + from_s) * 1e6), seconds=seconds)


def asked(ears: Ears, from_s: float, seconds: float = 2.0, now_s: float = 10.0) -> Clip | NotGiven:
    return ears.clip(want(from_s, seconds), START_S + now_s)


def sound_of(clip: Clip | NotGiven) -> tuple[Samples, float]:
    """The clip's samples at 12 kHz, and when it begins, in seconds from the start."""
    assert isinstance(clip, Clip), clip
    recording = decode_wav(base64.b64decode(clip.wav))
    assert recording.rate_hz == clips.RATE_HZ
    assert isinstance(clip.starts_at, int)
    return recording.samples, clip.starts_at / 1e6 - START_S


def street(seconds: float = 8.0, *blasts_s: float, seed: int = 3) -> Samples:
    sound = noise(np.random.default_rng(seed), seconds, RATE)
    for at_s in blasts_s:
        sound = with_blast(sound, at_s, RATE)
    return sound


def test_a_bang_that_was_told_is_given_and_begins_where_it_says() -> None:
    sound, begins_s = sound_of(asked(heard(street(8.0, 4.0)), 3.7))
    assert begins_s == pytest.approx(4.0 - clips.LEAD_S, abs=0.001)
    assert begins_s + np.abs(sound).argmax() / clips.RATE_HZ == pytest.approx(4.0, abs=0.002)
    assert np.abs(sound).max() > 0.15


@pytest.mark.parametrize("from_s", [0.5, 1.9, 4.1, 5.5])
def test_a_want_for_any_other_time_is_refused_and_counted(from_s: float) -> None:
    ears = heard(street(8.0, 4.0))
    assert asked(ears, from_s) == NotGiven("not_told")
    assert ears.refused == {"not_told": 1}


def test_an_onset_that_the_node_was_not_told_gives_no_clip() -> None:
    ears = Ears()
    untold = ears.hear(Piece(street(8.0, 4.0), RATE, FileTime(RATE, START_S), True))
    assert len(untold) == 1
    assert asked(ears, 3.7) == NotGiven("not_told")


def test_a_sensor_whose_clips_are_switched_off_gives_none() -> None:
    assert asked(heard(street(8.0, 4.0), switched_on=False), 3.7) == NotGiven("switched_off")


def test_sound_that_the_ring_forgot_is_not_given() -> None:
    ears = heard(street(40.0, 4.0))
    assert asked(ears, 3.7, now_s=40.0) == NotGiven("forgotten")
    assert asked(ears, 3.7, now_s=20.0) == NotGiven("forgotten"), "whatever the time: it is gone"


def test_a_clip_waits_for_the_end_of_its_window() -> None:
    ears = heard(street(5.0, 4.0))
    assert asked(ears, 3.7, now_s=5.0) == NotGiven("not_yet")
    assert not ears.refused
    ears.hear(Piece(street(3.0), RATE, FileTime(RATE, START_S), False))
    assert isinstance(asked(ears, 3.7, now_s=8.0), Clip)


@settings(max_examples=30, deadline=None)
@given(from_s=st.floats(2.0, 5.0), seconds=st.floats(0.0, 60.0))
def test_a_clip_never_reaches_beyond_its_window_nor_two_seconds(
    from_s: float, seconds: float
) -> None:
    given_ = asked(BANGS, from_s, seconds)
    if isinstance(given_, NotGiven):
        assert given_.reason in {"not_told", "no_impulse"}
        return
    sound, begins_s = sound_of(given_)
    lasts_s = len(sound) / clips.RATE_HZ
    step_s = 1 / clips.RATE_HZ
    assert lasts_s <= CLIP_S_MAX + step_s
    assert begins_s >= from_s - step_s
    assert begins_s + lasts_s <= from_s + min(seconds, CLIP_S_MAX) + 2 * step_s


BANGS = heard(street(8.0, 2.5, 3.1, 4.0, 4.085, 4.9))


def test_between_two_bangs_there_is_digital_silence() -> None:
    sound, begins_s = sound_of(asked(heard(street(8.0, 3.0, 4.5)), 2.8))
    silent = sound[round((3.6 - begins_s) * clips.RATE_HZ) : round((4.4 - begins_s) * 12_000)]
    assert len(silent) > 9_000
    assert np.abs(silent).max() <= 1 / 32_768


@pytest.mark.parametrize("seed", range(8))
def test_of_speech_without_a_bang_nothing_is_ever_given(seed: int) -> None:
    """Vowels, plosives and hisses: the picker tells of some, and no want gets any of them."""
    talk = speech(np.random.default_rng(seed), 12.0, RATE)[: 12 * RATE]
    ears = heard(talk)
    assert pick(talk, RATE), "this would show nothing if speech had no onsets"
    for number in range(22):
        assert isinstance(asked(ears, number * 0.5, now_s=13.0), NotGiven)


@pytest.mark.parametrize("hertz", [110.0, 220.0, 330.0])
def test_a_modulated_tone_is_never_given(hertz: float) -> None:
    t = np.arange(10 * RATE) / RATE
    tone = 0.3 * (np.sin(2 * np.pi * 3 * t) > 0) * np.sign(np.sin(2 * np.pi * hertz * t))
    ears = heard(tone + street(10.0))
    for number in range(16):
        assert isinstance(asked(ears, number * 0.5, now_s=11.0), NotGiven)


def test_who_speaks_on_after_a_bang_is_not_heard() -> None:
    """Speech begins 0.3 s after the shot, within the half second for which the gate may be open:
    what is given ends before it is 50 ms old."""
    sound = street(8.0, 3.0)
    talk = speech(np.random.default_rng(1), 3.0, RATE)[: 3 * RATE]
    begins = round(3.3 * RATE)
    sound[begins : begins + len(talk)] += 0.5 * talk
    given_, begins_s = sound_of(asked(heard(sound), 2.9))
    last = np.flatnonzero(np.abs(given_) > 1 / 32_768)[-1]
    assert begins_s + last / clips.RATE_HZ < 3.35


def test_a_bang_beside_a_voice_is_kept_back() -> None:
    sound = street(8.0, 3.0)
    talk = speech(np.random.default_rng(1), 6.0, RATE)[: 6 * RATE]
    sound[RATE : RATE + len(talk)] += talk
    ears = heard(sound)
    for from_s in (2.0, 2.5, 2.9):
        assert isinstance(asked(ears, from_s), NotGiven)


def test_what_has_no_shape_of_a_bang_is_no_impulse() -> None:
    shape = {"at_sample": 0.0, "level_db": -10.0, "bands_db": (), "rise_ms": 1.0}
    assert is_impulse(Onset(**shape, snr_db=20.0, decay_ms=5.0))  # type: ignore[arg-type]
    assert not is_impulse(Onset(**shape, snr_db=10.0, decay_ms=5.0))  # type: ignore[arg-type]
    assert not is_impulse(Onset(**shape, snr_db=20.0, decay_ms=90.0))  # type: ignore[arg-type]


def test_nothing_outside_its_band_is_in_a_clip() -> None:
    rng = np.random.default_rng(9)
    sound = with_blast(noise(rng, 4.0, 48_000), 2.0, 48_000)
    t = np.arange(len(sound)) / 48_000
    sound += 0.2 * np.sin(2 * np.pi * 40 * t) + 0.2 * np.sin(2 * np.pi * 9_000 * t)
    given_ = released(Window(72_000, 168_000, sound, 0, 48_000), [96_000.0])
    assert given_ is not None
    power = np.abs(np.fft.rfft(given_[0] * np.hanning(len(given_[0])))) ** 2
    hertz = np.fft.rfftfreq(len(given_[0]), 1 / clips.RATE_HZ)
    outside = power[(hertz < 80) | (hertz > 5_000)].sum()
    assert outside < 1e-3 * power.sum()


@pytest.mark.real_input
def test_of_real_shots_most_are_given(real_inputs: Path) -> None:
    """Direct fronts of Pittsburgh's clips near their loudest moment: nine in ten may be heard."""
    given_, of = 0, 0
    for path in sorted((real_inputs / "acoustics/pittsburgh").rglob("*.wav"))[::6]:
        recording = decode_wav(path.read_bytes())
        ears = heard(recording.samples, recording.rate_hz)
        onsets = pick(recording.samples, recording.rate_hz)
        if onsets:
            loudest = max(onsets, key=lambda onset: onset.level_db)
            of += 1
            at_s = loudest.at_sample / recording.rate_hz - 0.3
            given_ += isinstance(asked(ears, at_s, now_s=11.0), Clip)
    assert of >= 25
    assert given_ / of >= 0.8, (given_, of)
