"""How loud an impulse arrives, and what is left of its bands, rise and decay.

Measured (live fire in Pittsburgh): levels of muzzle blasts fall by some 14 dB a tenfold distance,
differ by 8 dB from path to path and stop at 95 dB, where the sensors clip; noise is 60 to 70 dB.
From standards: absorption by air at 10 °C, 70 % humidity (ISO 9613-2, table 2).
ASSUMED: what walls take off each band, what echoes add to rise and decay, and all levels of
sounds that are no guns.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from farolito.simulator.bang import Voice

Floats = npt.NDArray[np.float64]
GUN_LEVEL_DB = 122.0
FALL_DB = 14.2  # a tenfold distance
PATH_SD_DB, ROUND_SD_DB = 7.0, 2.5
CLIPS_DB = 95.0
HEARD_SNR_DB = 2.3  # the least that a sensor told of in Pittsburgh
NOISE_DB, NOISE_SD_DB = 65.0, 3.0
AIR_DB_PER_KM = np.array([0.4, 1.0, 1.9, 3.7, 9.7, 32.8])
WALLS_DB = np.array([1.0, 2.5, 4.0, 6.0, 8.0, 10.0])  # mean, for a path that is partly shut
CREST_DB = 9.0  # the peak above the mean of the 50 ms that begin with it
STRAY_SPECTRUM_DB = np.array([-3.0, -2.0, -1.0, -1.0, -4.0, -10.0])


class Ears:
    """The sensors that an arrival each reaches: their noise, and chance."""

    def __init__(self, noise_db: Floats, rng: np.random.Generator) -> None:
        self.noise_db, self.rng = noise_db, rng


class Features:
    """Columns, a row an arrival: level_db, snr_db, bands_db (6), rise_ms, decay_ms."""

    def __init__(
        self, level_db: Floats, bands_db: Floats, times: tuple[Floats, Floats], ears: Ears
    ):
        """`times`: rise and decay. Too loud is clipped; too weak was told, so it stood out."""
        rows, rng, noise_db = len(level_db), ears.rng, ears.noise_db
        floor = noise_db + HEARD_SNR_DB + rng.exponential(1.5, rows)
        level = np.maximum(level_db, floor)
        level = np.where(level > CLIPS_DB, CLIPS_DB - rng.exponential(0.7, rows), level)
        # What noise adds to a band: its own level there, lower in the high bands as a street's is.
        street = noise_db[:, None] - CREST_DB + STRAY_SPECTRUM_DB
        bands = bands_db + (level - level_db)[:, None]
        self.level_db = level
        self.snr_db = level - noise_db + rng.normal(0, 1.0, rows).clip(-2, 2)
        self.bands_db = 10 * np.log10(10 ** (bands / 10) + 10 ** (street / 10))
        self.rise_ms, self.decay_ms = times


def arrivals(voice: Voice, metres: Floats, gain_db: Floats, shut: Floats, ears: Ears) -> Features:
    """What the sensors tell of impulses that reach them.

    `gain_db`: each against the level law. `shut`: how far its path is shut, 0 free to 1; an echo
    counts as half shut.
    """
    rows, rng = len(metres), ears.rng
    km = metres / 1000.0
    level = GUN_LEVEL_DB + voice.level_db - FALL_DB * np.log10(np.maximum(metres, 10.0))
    level = level + gain_db + rng.normal(0, ROUND_SD_DB, rows)
    spectrum = np.array(voice.spectrum_db) - km[:, None] * AIR_DB_PER_KM
    spectrum = spectrum - shut[:, None] * WALLS_DB + rng.normal(0, 2.0, (rows, 6))
    spectrum = spectrum - 10 * np.log10(np.mean(10 ** (spectrum / 10), axis=1, keepdims=True))
    bands = level[:, None] - CREST_DB - 4.0 + spectrum
    # Bent and reflected ways come one over the other: the front gets blunt, the tail long.
    rise = voice.rise_ms + 1.5 * km + shut * rng.exponential(4.0, rows)
    decay = voice.decay_ms * (1 + 0.6 * km) + shut * rng.exponential(30.0, rows)
    rise, decay = rise * rng.lognormal(0, 0.3, rows), decay * rng.lognormal(0, 0.35, rows)
    return Features(level, bands, (rise, decay), ears)


def strays(ears: Ears) -> Features:
    """Pulses that belong to nothing: doors, dogs, lorries over a plate. Mostly weak."""
    rows, rng = len(ears.noise_db), ears.rng
    level = ears.noise_db + HEARD_SNR_DB + rng.exponential(5.0, rows)
    tilt = rng.normal(0, 2.5, (rows, 1)) * np.linspace(-1, 1, 6)
    spectrum = STRAY_SPECTRUM_DB + tilt + rng.normal(0, 3.0, (rows, 6))
    bands = level[:, None] - CREST_DB + spectrum
    rise = rng.lognormal(np.log(4.0), 0.9, rows)
    decay = rng.lognormal(np.log(45.0), 0.7, rows)
    return Features(level, bands, (rise, decay), ears)
