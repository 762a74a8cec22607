"""A recording as a screen draws it: the least and the greatest value of each piece of time."""

from __future__ import annotations

import io
import wave
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from farolito.model import Invalid

PEAKS_MAX = 1200  # pairs: more than a screen is wide
WAV_BYTES_MAX = 8 * 2**20  # 5 s at 48 kHz and 32 bits is under 1 MB
FULL = 127  # what the loudest value that the format can hold becomes

_WIDTHS: Mapping[int, tuple[str, float]] = {  # bytes a sample: type, and its full scale
    1: ("u1", 2.0**7), 2: ("<i2", 2.0**15), 4: ("<i4", 2.0**31),
}  # fmt: skip


class Waveform(msgspec.Struct, frozen=True):
    """`peaks`: [least, greatest] in −127…127 of the format's full scale, pieces of equal length."""

    rate_hz: int
    seconds: float
    peaks: Sequence[tuple[int, int]]


def waveform(content: bytes) -> Waveform:
    """Of a PCM WAV file; of several channels, all together. Raises Invalid for anything else."""
    if len(content) > WAV_BYTES_MAX:
        raise Invalid(f"a recording of {len(content)} bytes", "a clip is a few seconds")
    try:
        with wave.open(io.BytesIO(content)) as file:
            channels, width, rate_hz = file.getnchannels(), file.getsampwidth(), file.getframerate()
            frames = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as why:
        raise Invalid(f"no PCM WAV file: {why}", "sensors send 16 bit PCM") from why
    frame = channels * width
    samples = _samples(frames[: len(frames) // frame * frame], width)
    return Waveform(rate_hz, len(frames) // frame / rate_hz, _peaks(samples, channels))


def _samples(frames: bytes, width: int) -> NDArray[np.float32]:
    """−1…1."""
    if width == 3:  # no such type: each sample becomes the upper bytes of four
        raw = np.frombuffer(frames, np.uint8).reshape(-1, 3)
        wide = np.zeros((len(raw), 4), np.uint8)
        wide[:, 1:] = raw
        return (wide.view("<i4")[:, 0] / 2.0**31).astype(np.float32)
    if width not in _WIDTHS:
        raise Invalid(f"{8 * width} bits a sample", "sensors send 16 bit PCM")
    kind, full = _WIDTHS[width]
    samples = (np.frombuffer(frames, kind) / full).astype(np.float32)
    return samples - np.float32(1) if width == 1 else samples


def _peaks(samples: NDArray[np.float32], channels: int) -> list[tuple[int, int]]:
    if not len(samples):
        return []
    frames = len(samples) // channels
    pieces = min(PEAKS_MAX, frames)
    starts = np.arange(pieces) * frames // pieces * channels
    least = np.rint(np.minimum.reduceat(samples, starts) * FULL).astype(int)
    greatest = np.rint(np.maximum.reduceat(samples, starts) * FULL).astype(int)
    return list(zip(np.maximum(least, -FULL).tolist(), greatest.tolist(), strict=True))
