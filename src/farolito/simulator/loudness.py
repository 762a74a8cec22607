"""How loud an impulse arrives, and what is left of its bands, rise and decay.

Measured (live fire in Pittsburgh): levels of muzzle blasts fall by some 14 dB a tenfold distance,
differ by 8 dB from path to path and stop at 95 dB, where the sensors clip. As our own picker hears
300 direct arrivals of it: 33 dB above the moment before (20 to 53), rise 1.0 ms (0.6 to 4.3),
decay 6 ms (3 to 38), octaves −10, −5, 0, −2, −16, −28 dB with 2 to 6 dB of scatter, the loudest
15 dB under the peak; 40 other sounds: rise 2.8 ms, decay 9.5 ms.
From standards: absorption by air at 10 °C, 70 % humidity (ISO 9613-2, table 2).
ASSUMED: what walls take off each band, how one event differs from the next of its kind, and all
of the sounds that are no guns.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from farolito.simulator.bang import Voice

Floats = npt.NDArray[np.float64]
GUN_LEVEL_DB = 122.0
FALL_DB = 14.2  # a tenfold distance
PATH_SD_DB, ROUND_SD_DB = 7.0, 2.5
CLIPS_DB = 95.0
HEARD_SNR_DB = 11.0  # the least that makes an onset; the peak against the mean before it
NOISE_DB, NOISE_SD_DB = 57.0, 5.0
AIR_DB_PER_KM = np.array([0.4, 1.0, 1.9, 3.7, 9.7, 32.8])
SENSOR_DB = np.array([-4.0, -1.5, 0.0, 0.0, -9.0, -14.0])  # what is left in 12 kHz sound (measured)
WALLS_DB = np.array([1.0, 2.5, 4.0, 6.0, 8.0, 10.0])  # mean, for a path that is partly shut
UNDER_PEAK_DB, UNDER_PEAK_SD_DB = 15.0, 2.0  # the loudest octave under the peak
EVENT_BAND_SD_DB, PATH_BAND_SD_DB = 2.0, 3.0
EVENT_TIMES_SD, ARRIVAL_TIMES_SD = 0.25, 0.55  # of the logarithm of rise and decay
STRAY_SPECTRUM_DB = np.array([-3.0, -1.0, 0.0, -2.0, -7.0, -12.0])


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
        street = noise_db[:, None] - UNDER_PEAK_DB + STRAY_SPECTRUM_DB + SENSOR_DB
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
    spectrum = spectrum - shut[:, None] * WALLS_DB
    # Bent and reflected ways come one over the other: the front gets blunt, the tail long.
    rise = voice.rise_ms * (1 + 0.3 * km) + shut * rng.exponential(1.5, rows)
    decay = voice.decay_ms * (1 + 0.3 * km) + shut * rng.exponential(15.0, rows)
    return Features(level, _bands(level, spectrum, rng), _times(rise, decay, rng), ears)


def this_one(voice: Voice, rng: np.random.Generator) -> Voice:
    """The voice of one event: no two guns, charges or engines sound the same."""
    bands = np.array(voice.spectrum_db) + rng.normal(0, EVENT_BAND_SD_DB, 6)
    slower, longer = rng.lognormal(0, EVENT_TIMES_SD, 2)
    return msgspec.structs.replace(
        voice,
        level_db=voice.level_db + rng.normal(0, voice.level_sd),
        spectrum_db=tuple(float(band) for band in bands),
        rise_ms=voice.rise_ms * float(slower),
        decay_ms=voice.decay_ms * float(longer),
    )


def strays(ears: Ears) -> Features:
    """Pulses that belong to nothing: doors, dogs, lorries over a plate. Mostly weak."""
    rows, rng = len(ears.noise_db), ears.rng
    level = ears.noise_db + HEARD_SNR_DB + rng.exponential(5.0, rows)
    tilt = rng.normal(0, 3.0, (rows, 1)) * np.linspace(-1, 1, 6)
    bands = _bands(level, STRAY_SPECTRUM_DB + tilt, rng)
    times = _times(np.full(rows, 2.5), np.full(rows, 9.5), rng, 0.8)
    return Features(level, bands, times, ears)


def _bands(level_db: Floats, spectrum_db: Floats, rng: np.random.Generator) -> Floats:
    heard = spectrum_db + SENSOR_DB + rng.normal(0, PATH_BAND_SD_DB, spectrum_db.shape)
    under = rng.normal(UNDER_PEAK_DB, UNDER_PEAK_SD_DB, len(level_db))
    if len(heard) == 0:
        return np.zeros((0, 6))
    return np.asarray((level_db - under)[:, None] + heard - heard.max(axis=1, keepdims=True))


def _times(
    rise_ms: Floats, decay_ms: Floats, rng: np.random.Generator, sd: float = ARRIVAL_TIMES_SD
) -> tuple[Floats, Floats]:
    """What a picker can tell of them: the peak within 50 ms, the decay within 150."""
    rows = len(rise_ms)
    rise = (rise_ms * rng.lognormal(0, sd, rows)).clip(0.3, 50.0)
    return rise, (decay_ms * rng.lognormal(0, sd, rows)).clip(1.5, 150.0)
