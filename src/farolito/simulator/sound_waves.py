"""Sound that one can listen to: what a sensor would have recorded of a scene, 12 kHz mono.

Each pulse of the scene is put where the sensor told it, as loud as the sensor told it: a
Friedlander blast for guns and charges (G. F. Kinney, K. J. Graham, "Explosive Shocks in Air",
1985, ch. 6), an N-wave ahead of it for some rifles, rings, hisses and rumbles for the rest, then
what air takes off, a street's diffuse tail, street noise and the clipping of the sensor. It is
made for practice and screens; kinds told by ear from it prove nothing about real ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.signal import butter, lfilter, sosfilt

from farolito.acoustics.wav import Recording, encode_wav
from farolito.simulator.loudness import NOISE_DB
from farolito.simulator.sound import Heard

Floats = npt.NDArray[np.float64]
RATE_HZ = 12_000
FULL_SCALE_DB = 98.0  # dB SPL of ±1; the sensors clip a little under it
CLIP_S_MAX = 30.0
TAIL_DB, TAIL_S = -24.0, 0.25  # a street's diffuse tail: under the peak, time constant
RIFLE_CRACKS = 0.5  # share of a rifle's sensors that the bullet passes supersonic
AIR_CORNER_HZ = 5_500.0  # at 100 m; falls with the root of the distance
SENSOR_HZ = (110.0, 1_500.0)  # octaves above and below arrive weaker (measured, see loudness)
SCATTERED, SCATTER_S, SCATTER_DB = 5, 0.004, (-12.0, -4.0)  # ways just behind the first
_SENSOR = butter(2, SENSOR_HZ, "bandpass", fs=RATE_HZ, output="sos")


class Sounding(msgspec.Struct, frozen=True, kw_only=True):
    """One impulse as it reaches a sensor. `at_s` from the start of the clip."""

    what: str  # a Voice's name, or "stray"
    at_s: float
    level_db: float
    metres: float = 300.0


def wav_of(
    heard: Heard, voices: Sequence[str], sensor: str, span_s: tuple[float, float],
    rng: np.random.Generator,
) -> bytes:  # fmt: skip
    """What `sensor` recorded from `span_s[0]` to `span_s[1]`. `voices`: of each event, in order."""
    soundings = [
        Sounding(
            what=voices[made.event] if made.event >= 0 else "stray",
            at_s=pulse.at_s - span_s[0],
            level_db=pulse.level_db or NOISE_DB + 12.0,
        )
        for pulse, made in zip(heard.pulses, heard.made, strict=True)
        if pulse.sensor == sensor and span_s[0] <= pulse.at_s < span_s[1]
    ]
    samples = recording(soundings, span_s[1] - span_s[0], rng)
    return encode_wav(Recording(samples, RATE_HZ))


def recording(
    soundings: Sequence[Sounding], seconds: float, rng: np.random.Generator,
    noise_db: float = NOISE_DB,
) -> Floats:  # fmt: skip
    """Samples −1…1 of a clip."""
    assert 0 < seconds <= CLIP_S_MAX, f"{seconds} s"
    count = round(seconds * RATE_HZ)
    told = _street(count, noise_db, rng)
    for sounding in soundings:
        shape = _reached(_SHAPES[sounding.what](rng), sounding.metres, rng)
        shape = shape * (10 ** ((sounding.level_db - FULL_SCALE_DB) / 20) / _loudest(shape))
        start = round(sounding.at_s * RATE_HZ)
        end = min(count, start + len(shape))
        if end > start >= 0:
            told[start:end] += shape[: end - start]
    return np.clip(told, -1.0, 1.0)


def friedlander(positive_s: float, seconds: float = 0.02) -> Floats:
    """Overpressure of a blast against its peak: p(t) = (1 − t/τ) e^(−t/τ)."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ / positive_s
    return np.asarray((1 - t) * np.exp(-t))


def n_wave(seconds: float = 0.0006) -> Floats:
    """The crack of a bullet that is faster than sound: up, straight down, up."""
    return np.linspace(1.0, -1.0, max(3, round(seconds * RATE_HZ)))


def _rifle(rng: np.random.Generator) -> Floats:
    blast = friedlander(0.0005)
    if rng.random() >= RIFLE_CRACKS:
        return blast
    # The first sound is the crack; the blast follows as the muzzle is farther than the bullet's
    # path.
    later = round(rng.uniform(0.02, 0.12) * RATE_HZ)
    both = np.zeros(later + len(blast))
    both[later:] = 0.9 * blast
    crack = n_wave()
    both[: len(crack)] += crack
    return both


def _ring(
    hertz: Sequence[float], fades_s: float, seconds: float, rng: np.random.Generator
) -> Floats:
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    parts = [np.sin(2 * math.pi * f * rng.uniform(0.97, 1.03) * t) / (1 + i) for i, f in
             enumerate(hertz)]  # fmt: skip
    return np.asarray(np.sum(parts, axis=0) * np.exp(-t / fades_s))


def _hiss(fades_s: float, seconds: float, rng: np.random.Generator) -> Floats:
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.asarray(rng.normal(0, 0.3, len(t)) * np.exp(-t / fades_s))


def _nail_gun(rng: np.random.Generator) -> Floats:
    """A knock, then the air it lets go."""
    told = _hiss(0.03, 0.15, rng) * 0.5
    knock = _ring((1_700, 2_900), 0.003, 0.02, rng)
    told[: len(knock)] += knock
    return told


def _pile_driver(rng: np.random.Generator) -> Floats:
    told = _ring((310, 740, 1_430), 0.06, 0.4, rng)
    thump = friedlander(0.0015)
    told[: len(thump)] += thump
    return told


def _backfire(rng: np.random.Generator) -> Floats:
    return _ring((130, 260), 0.012, 0.08, rng) + 0.3 * _hiss(0.012, 0.08, rng)


def _thunder(rng: np.random.Generator) -> Floats:
    """A slow swell of low noise."""
    seconds = rng.uniform(0.8, 2.0)
    low = lfilter([1.0], [1.0, -0.985], rng.normal(0, 1, round(seconds * RATE_HZ)))
    t = np.arange(len(low)) / RATE_HZ
    return np.asarray(low * (1 - np.exp(-t / 0.05)) * np.exp(-t / (seconds / 3)))


_SHAPES: Mapping[str, Callable[[np.random.Generator], Floats]] = {
    "handgun": lambda rng: friedlander(0.0004),
    "rifle": _rifle,
    "shotgun": lambda rng: friedlander(0.0006),
    "aerial burst": lambda rng: friedlander(0.0012, 0.04),
    "salute": lambda rng: friedlander(0.0005),
    "firecracker": lambda rng: friedlander(0.00015),
    "mortar lift": lambda rng: _ring((70, 140), 0.02, 0.12, rng),
    "backfire": _backfire,
    "nail gun": _nail_gun,
    "pile driver": _pile_driver,
    "thunder": _thunder,
    "stray": lambda rng: _ring((rng.uniform(150, 1_200),), rng.uniform(0.004, 0.03), 0.15, rng),
}


def _reached(shape: Floats, metres: float, rng: np.random.Generator) -> Floats:
    """After the way through the air, with the street's tail behind it."""
    corner_hz = AIR_CORNER_HZ / math.sqrt(max(metres, 100.0) / 100.0)
    keep = math.exp(-2 * math.pi * corner_hz / RATE_HZ)
    scattered = np.concatenate([shape, np.zeros(round(10 * SCATTER_S * RATE_HZ))])
    for later_s in rng.exponential(SCATTER_S, SCATTERED):
        later = min(round(later_s * RATE_HZ), len(scattered) - len(shape))
        scattered[later : later + len(shape)] += shape * 10 ** (rng.uniform(*SCATTER_DB) / 20)
    dulled = sosfilt(_SENSOR, lfilter([1 - keep], [1.0, -keep], scattered))
    t = np.arange(round(4 * TAIL_S * RATE_HZ)) / RATE_HZ
    tail = lfilter([1.0], [1.0, -0.7], rng.normal(0, 1, len(t))) * np.exp(-t / TAIL_S)
    told = np.zeros(len(dulled) + len(tail))
    told[: len(dulled)] += dulled
    later = round(0.004 * RATE_HZ)
    told[later : later + len(tail)] += (
        tail * 10 ** (TAIL_DB / 20) * _loudest(dulled) / max(1e-12, float(np.std(tail[:200])))
    )
    return told


def _street(count: int, noise_db: float, rng: np.random.Generator) -> Floats:
    """Traffic far away: noise that falls by some 6 dB an octave above 300 Hz."""
    low = lfilter([1.0], [1.0, -0.85], rng.normal(0, 1, count))
    return np.asarray(
        low * 10 ** ((noise_db - FULL_SCALE_DB) / 20) / max(1e-12, float(np.std(low)))
    )


def _loudest(shape: Floats) -> float:
    return max(1e-12, float(np.abs(shape).max()))
