"""Sounds of known moments: blasts, noise, and what a voice sounds like to a machine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

Samples = npt.NDArray[np.float64]

# Formants of five American vowels, Hz (Peterson and Barney 1952, men), and their widths.
VOWELS = (
    ((730, 90), (1090, 110), (2440, 170)),
    ((270, 60), (2290, 100), (3010, 150)),
    ((300, 60), (870, 90), (2240, 150)),
    ((530, 80), (1840, 100), (2480, 150)),
    ((570, 80), (840, 90), (2410, 150)),
)


def noise(rng: np.random.Generator, seconds: float, rate_hz: int, loud: float = 0.002) -> Samples:
    return rng.normal(0.0, loud, round(seconds * rate_hz))


def with_blast(
    sound: Samples, at_s: float, rate_hz: int, peak: float = 0.3, blast_s: float = 0.003
) -> Samples:
    """A Friedlander wave that arrives at `at_s`, between two samples where need be."""
    t = np.arange(len(sound)) / rate_hz - at_s
    late = np.maximum(t, 0.0)
    return sound + np.where(t >= 0, peak * (1 - late / blast_s) * np.exp(-late / blast_s), 0.0)


def _vowel(rng: np.random.Generator, pitch_hz: float, seconds: float, rate_hz: int) -> Samples:
    count = round(seconds * rate_hz)
    t = np.arange(count) / rate_hz
    turns = np.cumsum(pitch_hz * (1 + 0.03 * np.sin(10 * np.pi * t) + 0.1 * t / seconds)) / rate_hz
    voice = np.diff(np.floor(turns), prepend=0.0) + rng.normal(0, 0.01, count)
    for hertz, width in VOWELS[rng.integers(len(VOWELS))]:
        pole = np.exp(-np.pi * width / rate_hz)
        turn = 2 * pole * np.cos(2 * np.pi * hertz / rate_hz)
        voice = lfilter([1 - pole], [1, -turn, pole * pole], voice)
    rise = round(0.02 * rate_hz)
    voice[:rise] *= np.linspace(0, 1, rise)
    voice[-2 * rise :] *= np.linspace(1, 0, 2 * rise)
    return np.asarray(voice / np.abs(voice).max())


def speech(rng: np.random.Generator, seconds: float, rate_hz: int) -> Samples:
    """Syllables: plosives, hisses and vowels, with pauses, in a little noise. Nobody's voice."""
    pitch, parts, length = rng.uniform(90, 230), [], 0
    while length < seconds * rate_hz:
        if rng.random() < 0.5:
            count = round(rng.uniform(0.01, 0.03) * rate_hz)
            burst = rng.normal(0, 0.3, count) * np.exp(-np.arange(count) / (count / 3))
            parts += [burst, np.zeros(round(rng.uniform(0.01, 0.05) * rate_hz))]
        if rng.random() < 0.3:
            parts.append(rng.normal(0, 0.1, round(rng.uniform(0.05, 0.12) * rate_hz)))
        vowel = _vowel(rng, pitch * rng.uniform(0.9, 1.1), rng.uniform(0.08, 0.25), rate_hz)
        parts += [
            vowel * rng.uniform(0.5, 1),
            np.zeros(round(rng.choice([0.01, 0.05, 0.2]) * rate_hz)),
        ]
        length = sum(len(part) for part in parts)
    voice = 0.3 * np.concatenate(parts)
    return np.asarray(voice + rng.normal(0, 0.001, len(voice)))
