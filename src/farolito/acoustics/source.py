"""What the locator answers: one source of sound, its rounds, and who heard it."""

from __future__ import annotations

import msgspec


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A place with its covariance (m²) and, among several, its share."""

    x_m: float
    y_m: float
    xx: float
    xy: float
    yy: float
    share: float = 1.0


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One discharge. `x_m`, `y_m` only where it was located by itself."""

    at_s: float
    sensors: int
    x_m: float | None = None
    y_m: float | None = None


class Ear(msgspec.Struct, frozen=True, kw_only=True):
    """A sensor that heard the source. `residual_s`: median over the rounds it heard.
    `pulses`: ids of the pulses it heard it by, in order of time."""

    sensor: str
    at_s: float  # of the first round it heard
    rounds: int
    residual_s: float
    metres: float
    level_db: float | None = None
    pulses: tuple[str, ...] = ()


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One string of rounds from one place, in the newest solution.

    `track` is the same from one solution to the next of the same source; `revision` grows by one
    with each that differs. `score` and `expected`: log-likelihood ratio of all its rounds, and
    what a true source at this place would be expected to score. `probability`: calibrated, that
    it is a source at all. `places`: the likeliest first; more than one where several explain it.
    `silent`: sensors that more likely than not should have heard it. `drift_*`: how far the
    shooter went from the first round to the last, None where that is within its uncertainty.
    """

    track: int
    revision: int
    places: tuple[Place, ...]
    rounds: tuple[Round, ...]
    rounds_low: int
    rounds_high: int
    score: float
    expected: float
    probability: float
    ears: tuple[Ear, ...]
    silent: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    outside_net: bool = False
    drift_x_m: float | None = None
    drift_y_m: float | None = None
    drift_sd_m: float | None = None
    sound_mps: float = 0.0  # as refined
    wind_x_mps: float = 0.0
    wind_y_mps: float = 0.0

    @property
    def place(self) -> Place:
        return self.places[0]
