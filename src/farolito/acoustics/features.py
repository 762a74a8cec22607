"""What an onset sounds like: how loud, in which octaves, how fast it comes and goes."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from farolito.model.impulse import BANDS_HZ

Samples = npt.NDArray[np.float64]

BANDS_S = 0.050  # the first so much of the sound is put into octaves
TAPER_SHARE = 0.2  # of it, faded out at the end: a hard cut would splash into every octave
FLOOR = 1e-6  # −120 dB re full scale: quieter is not told apart
DECAY_DB = 10.0
SMOOTH_S = 0.003


def decibels(amplitude: float) -> float:
    """Re full scale (1.0), never under −120."""
    return 20.0 * math.log10(max(amplitude, FLOOR))


def octaves_db(sound: Samples, rate_hz: int) -> tuple[float, ...]:
    """RMS level in the octave bands around `BANDS_HZ` (IEC 61260-1, base 2), dB re full scale.

    What lies above half the sampling rate is silent, not estimated.
    """
    count = len(sound)
    if count < 2:
        return tuple(decibels(0.0) for _ in BANDS_HZ)
    fading = max(1, round(count * TAPER_SHARE))
    window = np.ones(count)
    window[-fading:] = 0.5 + 0.5 * np.cos(np.linspace(0.0, np.pi, fading))
    power = np.abs(np.fft.rfft(sound * window)) ** 2 * 2.0 / (count * float((window**2).sum()))
    hertz = np.fft.rfftfreq(count, 1.0 / rate_hz)
    return tuple(
        decibels(math.sqrt(float(power[(hertz >= f / 2**0.5) & (hertz < f * 2**0.5)].sum())))
        for f in BANDS_HZ
    )


def rise_ms(envelope: Samples, peak_at: int, rate_hz: int) -> float:
    """From the last time under 10 % of the peak to the first time at 90 % after it."""
    peak = float(envelope[peak_at])
    before = envelope[: peak_at + 1]
    under = np.flatnonzero(before < 0.1 * peak)
    start = int(under[-1]) if len(under) else 0
    high = start + int(np.argmax(before[start:] >= 0.9 * peak))
    return 1000.0 * (high - start) / rate_hz


def decay_ms(envelope: Samples, rate_hz: int) -> float:
    """From the loudest 3 ms of the first 50 until it is 10 dB under them for 3 ms.

    Where it does not fall so far within `envelope`, the length of what there is.
    """
    width = max(1, round(SMOOTH_S * rate_hz))
    if len(envelope) < width:
        return 1000.0 * len(envelope) / rate_hz
    power = np.concatenate([[0.0], np.cumsum(envelope**2)])
    smooth = (power[width:] - power[:-width]) / width
    peak_at = int(np.argmax(smooth[: round(BANDS_S * rate_hz)]))
    under = np.flatnonzero(smooth[peak_at:] < smooth[peak_at] * 10 ** (-DECAY_DB / 10.0))
    last = int(under[0]) if len(under) else len(smooth) - 1 - peak_at
    return 1000.0 * last / rate_hz
