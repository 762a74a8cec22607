"""WAV bytes, as other programs write them."""

from __future__ import annotations

import contextlib
import io
import struct
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import wavfile

from farolito.acoustics.wav import Recording, decode_wav, encode_wav
from farolito.model import Invalid

SINE = 0.5 * np.sin(np.arange(2_000) / 7.0)


def written(bits: int, rate_hz: int, channels: int = 1) -> bytes:
    """By Python's own writer."""
    full = 2 ** (bits - 1) - 1
    steps = np.repeat(np.round(SINE * full).astype(np.int64)[:, None], channels, axis=1)
    if bits == 8:
        raw = (steps + 128).astype(np.uint8).tobytes()
    else:
        raw = b"".join(
            int(step).to_bytes(bits // 8, "little", signed=True) for step in steps.ravel()
        )
    out = io.BytesIO()
    with wave.open(out, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(bits // 8)
        writer.setframerate(rate_hz)
        writer.writeframes(raw)
    return out.getvalue()


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
@pytest.mark.parametrize("rate_hz", [12_000, 44_100, 48_000])
def test_pcm_of_each_width_is_read(bits: int, rate_hz: int) -> None:
    recording = decode_wav(written(bits, rate_hz))
    assert recording.rate_hz == rate_hz
    assert np.abs(recording.samples - SINE).max() < 2.0 / 2 ** (bits - 1)


@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.int32, np.uint8])
def test_what_scipy_writes_is_read(dtype: type[np.generic]) -> None:
    scale = {"float32": 1.0, "int16": 32_767.0, "int32": 2.0**31 - 1, "uint8": 127.0}[
        dtype.__name__
    ]
    sound = SINE * scale + (128 if dtype is np.uint8 else 0)
    out = io.BytesIO()
    wavfile.write(out, 16_000, sound.astype(dtype))
    assert np.abs(decode_wav(out.getvalue()).samples - SINE).max() < 0.02


def test_one_channel_of_several_is_taken() -> None:
    two = written(16, 12_000, channels=2)
    assert len(decode_wav(two, channel=1).samples) == len(SINE)
    with pytest.raises(Invalid, match="channel 2 of a WAV with 2"):
        decode_wav(two, channel=2)


def test_what_is_written_is_read_again() -> None:
    again = decode_wav(encode_wav(Recording(SINE, 12_000)))
    assert again.rate_hz == 12_000
    assert np.abs(again.samples - SINE).max() <= 0.5 / 32_768


def test_louder_than_full_scale_is_clipped_and_not_turned_round() -> None:
    loud = decode_wav(encode_wav(Recording(np.array([2.0, -2.0]), 12_000))).samples
    assert loud[0] > 0.99
    assert loud[1] == -1.0


def test_a_compressed_wav_is_refused_by_its_kind() -> None:
    whole = bytearray(written(16, 12_000))
    struct.pack_into("<H", whole, 20, 7)  # µ-law
    with pytest.raises(Invalid, match="kind 7"):
        decode_wav(bytes(whole))


def test_a_wav_that_is_cut_off_says_how_much_is_missing() -> None:
    with pytest.raises(Invalid, match="3956 of 4000 bytes"):
        decode_wav(written(16, 12_000)[:-44])


@given(noise=st.binary(max_size=200), at=st.integers(0, 60))
def test_noise_is_refused_by_name_or_read_and_never_falls(noise: bytes, at: int) -> None:
    whole = written(16, 12_000)
    for raw in (noise, whole[:at] + noise, b"RIFF\0\0\0\0WAVE" + noise):
        with contextlib.suppress(Invalid):
            assert decode_wav(raw).samples.ndim == 1
