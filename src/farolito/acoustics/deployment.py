"""What a deployment teaches: who hears how far, how loud, how punctually, how sure a score is."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from farolito.acoustics.net import Net
from farolito.acoustics.source import Source

# Survey and air are wrong by some milliseconds that residuals do not show.
EARLY_MIN_S, EARLY_MAX_S = 0.007, 0.015
LATE_MIN_S, LATE_MAX_S = 0.010, 0.020
CHI2_95 = 5.991  # of two degrees of freedom
# All cases of one position are wrong by the same paths, so a handful of positions, however many
# cases, never shows that ellipses may be narrow.
ELLIPSE_FLOOR_MIN_M, ELLIPSE_FLOOR_MAX_M = 1.75, 6.0


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What tells a source from an alias or from leftovers of others. `score` counts direct
    arrivals alone, `expected` is that of a true source; `heard` sensors of `in_reach` that should
    have; `beside`: the highest score of another source within reach at that time."""

    score: float
    expected: float
    heard: int
    in_reach: int
    beside: float = 0.0

    @property
    def values(self) -> tuple[float, ...]:
        return (
            1.0,
            math.log(max(self.score, 1.0)),
            min(self.score / max(self.expected, 1.0), 1.5),
            self.heard / max(self.in_reach, 1),
            math.log(max(self.beside / max(self.score, 1.0), 1.0)),
        )


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """Defaults are of the Pittsburgh live fire (TN 098) as a whole; `fit_deployment` refits them.

    A sensor hears a round at range r with `floor + height / (1 + exp((r - half_m) / fade_m))`,
    never beyond `range_max_m`. A direct arrival's level is `level_db - slope_db · log10 r`, 1 sd
    `level_sd_db`, where guns differ by `gun_sd_db`. `early_sd_s`, `late_sd_s`: how an arrival
    scatters against the straight line, to each side of the likeliest (bent paths only delay),
    common to all rounds of a string; `freedom` of this Student-t; `jitter_sd_s`: what differs from
    one round to the next. `ellipse_floor_m`: 1 sd an axis of what no number of rounds
    takes away. `sure`: weights of `Evidence.values` in the logistic map to a probability.
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
    sure: tuple[float, ...] = (-4.8, 1.69, 6.95, 1.94, -1.67)

    @property
    def path_sd_s(self) -> float:
        """One figure for both sides."""
        return math.sqrt(self.early_sd_s * self.late_sd_s)

    def hears(self, range_m: float) -> float:
        """Chance that a sensor as good as most reports one round fired at this range."""
        if range_m > self.range_max_m:
            return 0.0
        return self.floor + self.height / (1 + math.exp((range_m - self.half_m) / self.fade_m))

    def probability(self, evidence: Evidence) -> float:
        """That there was such a source at all."""
        x = sum(weight * value for weight, value in zip(self.sure, evidence.values, strict=True))
        return 1 / (1 + math.exp(-min(max(x, -30.0), 30.0)))


class Solved(msgspec.Struct, frozen=True, kw_only=True):
    """A source that is known to have been one, for learning. `truth`: where it was, if known."""

    net: Net
    source: Source
    truth: tuple[float, float] | None = None


LEARNT_MIN = 20  # with fewer cases a deployment keeps its defaults
PRIOR_ROUNDS = 200.0  # the default curve of participation counts as so many chances to hear
ELLIPSE_HOLDS = 0.965  # aimed at, so that cases not seen yet still come to 95 %


def fit_deployment(cases: Sequence[Solved], default: Deployment | None = None) -> Deployment:
    """What the cases teach about who hears how far, how loud, how punctually, and how wide an
    ellipse must be. Fewer than `LEARNT_MIN` cases: the default."""
    default = default or Deployment()
    if len(cases) < LEARNT_MIN:
        return default
    height, half_m, fade_m = _participation(cases, default)
    level_db, slope_db, level_sd_db = _levels(cases, default)
    early_sd_s, late_sd_s = _paths(cases)
    return msgspec.structs.replace(
        default,
        height=height,
        half_m=half_m,
        fade_m=fade_m,
        level_db=level_db,
        slope_db=slope_db,
        level_sd_db=level_sd_db,
        early_sd_s=early_sd_s,
        late_sd_s=late_sd_s,
        ellipse_floor_m=_ellipse_floor(cases, default, early_sd_s * late_sd_s),
    )


def _participation(cases: Sequence[Solved], default: Deployment) -> tuple[float, float, float]:
    """(height, half_m, fade_m) of the greatest likelihood among a table of curves."""
    ranges, heard, rounds = [], [], []
    for case in cases:
        place = case.truth or (case.source.place.x_m, case.source.place.y_m)
        told = {ear.sensor: ear.rounds for ear in case.source.ears}
        for sensor in case.net.sensors:
            if sensor.is_up:
                ranges.append(math.dist(place, (sensor.x_m, sensor.y_m)))
                heard.append(told.get(sensor.name, 0))
                rounds.append(len(case.source.rounds))
    r, yes, of = np.array(ranges), np.array(heard, float), np.array(rounds, float)
    inside = r <= default.range_max_m
    r, yes, of = r[inside], np.minimum(yes, of)[inside], of[inside]
    at = np.arange(50.0, default.range_max_m, 100.0)
    expected = np.array([default.hears(float(one)) for one in at])
    prior = PRIOR_ROUNDS / len(at)
    best, likeliest = -math.inf, (default.height, default.half_m, default.fade_m)
    for height in (0.70, 0.75, 0.80, 0.84, 0.88, 0.92):
        for half_m in np.arange(350.0, 951.0, 25.0):
            for fade_m in (60.0, 90.0, 120.0, 150.0, 200.0):
                p = default.floor + height / (1 + np.exp((r - half_m) / fade_m))
                q = default.floor + height / (1 + np.exp((at - half_m) / fade_m))
                told_of = np.sum(yes * np.log(p) + (of - yes) * np.log(1 - p))
                believed = np.sum(expected * np.log(q) + (1 - expected) * np.log(1 - q))
                if told_of + prior * believed > best:
                    best = float(told_of + prior * believed)
                    likeliest = (height, float(half_m), fade_m)
    return likeliest


def _levels(cases: Sequence[Solved], default: Deployment) -> tuple[float, float, float]:
    """(level, slope, sd) of a straight line through levels over the logarithm of the range."""
    told = [
        (math.log10(max(ear.metres, 10.0)), ear.level_db)
        for case in cases
        for ear in case.source.ears
        if ear.level_db is not None
    ]
    if len(told) < LEARNT_MIN:
        return default.level_db, default.slope_db, default.level_sd_db
    x, y = np.array(told).T
    slope, level = np.polyfit(x, y, 1)
    return float(level), float(-slope), float(np.std(y - level - slope * x))


def _paths(cases: Sequence[Solved]) -> tuple[float, float]:
    """Scatter of arrivals to both sides; the fit took some of it away (three unknowns a case)."""
    off = [
        ear.residual_s * math.sqrt(len(case.source.ears) / max(len(case.source.ears) - 3, 1))
        for case in cases
        for ear in case.source.ears
    ]
    early, middle, late = np.quantile(np.array(off), (0.16, 0.5, 0.84))
    return (
        float(np.clip(middle - early, EARLY_MIN_S, EARLY_MAX_S)),
        float(np.clip(late - middle, LATE_MIN_S, LATE_MAX_S)),
    )


def _ellipse_floor(cases: Sequence[Solved], default: Deployment, path_var_s2: float) -> float:
    """The least floor with which the 95 % ellipses hold as many truths as aimed at, where paths
    scatter by `path_var_s2` instead of the default."""
    known = [case for case in cases if case.truth is not None]
    if len(known) < LEARNT_MIN:
        return default.ellipse_floor_m
    wider = path_var_s2 / default.path_sd_s**2
    for floor_m in np.arange(ELLIPSE_FLOOR_MIN_M, ELLIPSE_FLOOR_MAX_M, 0.25):
        holding = [_holds(case, default.ellipse_floor_m, wider, float(floor_m)) for case in known]
        if np.mean(holding) >= ELLIPSE_HOLDS:
            return float(floor_m)
    return ELLIPSE_FLOOR_MAX_M


def _holds(case: Solved, old_floor_m: float, wider: float, floor_m: float) -> bool:
    assert case.truth is not None
    place = case.source.place
    covariance = np.array([[place.xx, place.xy], [place.xy, place.yy]])
    covariance = (covariance - old_floor_m**2 * np.eye(2)) * wider + floor_m**2 * np.eye(2)
    off = np.array([place.x_m - case.truth[0], place.y_m - case.truth[1]])
    return bool(off @ np.linalg.solve(covariance, off) <= CHI2_95)
