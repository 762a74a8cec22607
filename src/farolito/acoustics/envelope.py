"""How loud it is, a millisecond after another: the band of impulses, filtered as it comes.

The filter is causal and keeps its state between chunks, so a stream heard in pieces of any
length gives the same frames as the whole recording at once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, hilbert, sosfilt

from farolito.model import Invalid

Samples = npt.NDArray[np.float64]

RATE_HZ_MIN = 8_000  # below this a muzzle blast's front is gone
RATE_HZ_MAX = 192_000
FRAME_S = 0.001
BAND_ORDER = 2
SILENCE = 1.5 / 32_768  # a microphone that is on is never this quiet for a millisecond


def checked(samples: npt.ArrayLike) -> Samples:
    """One channel of samples as float64. Raises Invalid for more channels, NaN or infinity."""
    heard = np.asarray(samples, dtype=np.float64)
    if heard.ndim != 1:
        raise Invalid(f"sound with {heard.ndim} dimensions", "give one channel at a time")
    if not np.isfinite(heard).all():
        raise Invalid("sound with samples that are no numbers", "repair the recording")
    return heard


class Envelope:
    """The band-limited sound and its loudness in frames, from the start of the stream.

    `band`: filtered samples from `band_from` on. `loud`: RMS of each frame from `frame_from` on;
    `is_dead`: frames of digital silence, which no microphone gives. Old ones go with `forget`.
    """

    def __init__(self, rate_hz: int, band_hz: tuple[float, float]) -> None:
        if not RATE_HZ_MIN <= rate_hz <= RATE_HZ_MAX:
            raise Invalid(
                f"sound at {rate_hz} Hz", f"record at {RATE_HZ_MIN}…{RATE_HZ_MAX} Hz, best 48000"
            )
        self.rate_hz = rate_hz
        self.frame_samples = max(1, round(rate_hz * FRAME_S))
        high = min(band_hz[1], 0.45 * rate_hz)
        self._sos = butter(BAND_ORDER, [band_hz[0], high], "bandpass", fs=rate_hz, output="sos")
        self._state: Samples = np.zeros((len(self._sos), 2))
        self.raw: Samples = np.empty(0)
        self.band: Samples = np.empty(0)
        self.loud: Samples = np.empty(0)
        self.is_dead: npt.NDArray[np.bool_] = np.empty(0, dtype=np.bool_)
        self.frame_from = 0

    @property
    def sample_from(self) -> int:
        """Where `raw` and `band` begin, counted from the start of the stream."""
        return self.frame_from * self.frame_samples

    @property
    def frames_until(self) -> int:
        return self.frame_from + len(self.loud)

    def frames(self, seconds: float) -> int:
        """So many frames last this long, at least one."""
        return max(1, round(seconds * self.rate_hz / self.frame_samples))

    def hear(self, samples: Samples) -> None:
        """Takes the next samples in; a frame that is not full yet waits for the next."""
        if not len(samples):
            return
        filtered, self._state = sosfilt(self._sos, samples, zi=self._state)
        self.raw = np.concatenate([self.raw, samples])
        self.band = np.concatenate([self.band, filtered])
        done = len(self.loud) * self.frame_samples
        count = (len(self.band) - done) // self.frame_samples
        shape = (count, self.frame_samples)
        band = self.band[done : done + count * self.frame_samples].reshape(shape)
        raw = self.raw[done : done + count * self.frame_samples].reshape(shape)
        self.loud = np.concatenate([self.loud, np.sqrt((band**2).mean(axis=1))])
        dead = np.ptp(raw, axis=1) <= SILENCE
        self.is_dead = np.concatenate([self.is_dead, dead])

    def forget(self, before_frame: int) -> None:
        """Everything before this frame is gone."""
        gone = min(before_frame - self.frame_from, len(self.loud))
        if gone <= 0:
            return
        self.loud, self.is_dead = self.loud[gone:], self.is_dead[gone:]
        self.raw = self.raw[gone * self.frame_samples :]
        self.band = self.band[gone * self.frame_samples :]
        self.frame_from += gone


def fine(band: Samples) -> Samples:
    """The envelope at every sample: magnitude of the analytic signal (Hilbert)."""
    magnitude: Samples = np.abs(hilbert(band))
    return magnitude
