"""How much one sensor may tell: a bucket of tokens each, so that a broken one drowns no other."""

from __future__ import annotations

from farolito.model import DeviceId

# Full automatic fire is 16 rounds a second; with an echo of each that is 32. Nothing that a
# sensor hears lasts at that rate.
PULSES_PER_S_MAX = 40.0
BURST_PULSES_MAX = 400.0  # ten seconds of it, and what waited while the sensor was cut off


class Flood:
    """A message costs a token for each of its pulses, and at least one."""

    def __init__(self, per_s: float = PULSES_PER_S_MAX, burst: float = BURST_PULSES_MAX) -> None:
        self._per_s = per_s
        self._burst = burst
        self._left: dict[DeviceId, tuple[float, float]] = {}  # tokens, and when that was so

    def may(self, sensor: DeviceId, pulses: int, now_s: float) -> bool:
        """Takes the tokens where there are enough; a message beyond them is cut whole."""
        tokens, then_s = self._left.get(sensor, (self._burst, now_s))
        tokens = min(self._burst, tokens + max(0.0, now_s - then_s) * self._per_s)
        cost = max(1, pulses)
        may = tokens >= cost
        self._left[sensor] = (tokens - cost if may else tokens, now_s)
        return may
