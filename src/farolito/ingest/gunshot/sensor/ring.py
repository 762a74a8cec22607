"""The last seconds of sound, in memory and nowhere else."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]

RING_S = 30.0  # a want comes a few seconds after the pulse; the node gives one up after 30


class SoundRing:
    """Samples of the stream by their number; older ones than `seconds` are overwritten.

    Kept as 32-bit floats: 30 s at 48 kHz are 5.8 MB.
    """

    def __init__(self, rate_hz: int, seconds: float = RING_S) -> None:
        self.rate_hz = rate_hz
        self._size = max(1, round(rate_hz * seconds))
        self._kept = np.zeros(self._size, dtype=np.float32)
        self.until = 0  # the number of the next sample

    @property
    def since(self) -> int:
        """The oldest sample that is still here."""
        return max(0, self.until - self._size)

    def add(self, samples: Samples) -> None:
        new = samples[-self._size :]
        self.until += len(samples)
        first = (self.until - len(new)) % self._size
        tail = min(len(new), self._size - first)
        self._kept[first : first + tail] = new[:tail]
        self._kept[: len(new) - tail] = new[tail:]

    def take(self, start: int, end: int) -> Samples | None:
        """Samples `start` … `end`; None where not all of them are here any more, or yet."""
        if not self.since <= start <= end <= self.until:
            return None
        at = np.arange(start, end) % self._size
        taken: Samples = self._kept[at].astype(np.float64)
        return taken

    def clear(self) -> None:
        """Nothing of what was heard is left."""
        self._kept[:] = 0.0
        self.until = 0
