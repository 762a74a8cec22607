"""What a deployment teaches: who hears how far, how loud, how punctually, how sure a score is."""

from __future__ import annotations

import math

import msgspec


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """Defaults are of the Pittsburgh live fire (TN 098) as a whole; `fit_deployment` refits them.

    A sensor hears a round at range r with `floor + height / (1 + exp((r - half_m) / fade_m))`,
    never beyond `range_max_m`. A direct arrival's level is `level_db - slope_db · log10 r`, 1 sd
    `level_sd_db`, where guns differ by `gun_sd_db`. `early_sd_s`, `late_sd_s`: how an arrival
    scatters against the straight line, to each side of the likeliest (bent paths only delay),
    common to all rounds of a string; `freedom` of this Student-t; `jitter_sd_s`: what differs from
    one round to the next. `ellipse_floor_m`: 1 sd an
    axis of what no number of rounds takes away. `sure_*`: of the logistic map from score to
    probability.
    """

    floor: float = 0.04
    height: float = 0.84
    half_m: float = 650.0
    fade_m: float = 120.0
    range_max_m: float = 1000.0
    level_db: float = 121.0
    slope_db: float = 14.2
    level_sd_db: float = 8.1
    gun_sd_db: float = 6.0
    early_sd_s: float = 0.008
    late_sd_s: float = 0.012
    jitter_sd_s: float = 0.003
    freedom: float = 3.0
    ellipse_floor_m: float = 2.0
    sure_offset: float = -4.0
    sure_per_nat: float = 0.15
    sure_per_share: float = 4.0

    @property
    def path_sd_s(self) -> float:
        """One figure for both sides."""
        return math.sqrt(self.early_sd_s * self.late_sd_s)

    def hears(self, range_m: float) -> float:
        """Chance that a sensor as good as most reports one round fired at this range."""
        if range_m > self.range_max_m:
            return 0.0
        return self.floor + self.height / (1 + math.exp((range_m - self.half_m) / self.fade_m))

    def sure(self, score: float, expected: float, ears: int) -> float:
        """Probability that a source of this score is one at all; `expected` of all its rounds."""
        share = score / max(expected, 1.0)
        nats = min(score, 200.0)
        x = self.sure_offset + self.sure_per_nat * nats + self.sure_per_share * min(share, 1.5)
        return 1 / (1 + math.exp(-x))
