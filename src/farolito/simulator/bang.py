"""One impulse of sound where it is made: where, when, and what it sounds like there.

Levels are those that the level law of the sensors starts from (see `loudness`), not levels at
one metre: they hold for 100 m and more, where streets have already taken their share.
"""

from __future__ import annotations

import msgspec

from farolito.model import SoundKind


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """What a kind of impulse sounds like near its source.

    `level_db`: against a handgun's muzzle blast. `spectrum_db`: level in the octave bands 125 to
    4,000 Hz against the loudest. `rise_ms`, `decay_ms` before air and walls spread them. `level_sd`
    from one event to the next, `each_sd` from one impulse to the next of the same event.
    """

    name: str
    level_db: float
    spectrum_db: tuple[float, float, float, float, float, float]
    rise_ms: float
    decay_ms: float
    level_sd: float = 2.0
    each_sd: float = 1.0


class Bang(msgspec.Struct, frozen=True, kw_only=True):
    """One discharge, burst or blow. `z_m` above the sensors. `louder_db` than its voice says."""

    at_s: float
    x_m: float
    y_m: float
    z_m: float = 0.0
    louder_db: float = 0.0


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Impulses of one maker, in order of time: the truth that a locator is judged by."""

    kind: SoundKind
    what: str  # "handgun", "aerial shells", "nail gun", …
    voice: Voice
    bangs: tuple[Bang, ...]

    @property
    def x_m(self) -> float:
        """The middle of its impulses."""
        return sum(bang.x_m for bang in self.bangs) / len(self.bangs)

    @property
    def y_m(self) -> float:
        return sum(bang.y_m for bang in self.bangs) / len(self.bangs)
