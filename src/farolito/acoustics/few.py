"""Where it was when only few sensors stand: the whole posterior over place instead of one peak.

With three or four sensors there is no crowd to agree, so everything that is known counts: the
rhythm of a string, which is the same at every sensor; when each heard it, on paths that may be
late; how loud; who heard nothing; and how uncertain the air is. Three sensors leave up to two
places. All that keep a share are told, with ellipses as wide as the posterior.

A string is put forth by one sensor (`Rhythm`); at each other one it may have come at any of some
offsets (`Offers`) or not at all, and the choice is summed over in every cell.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec
import numpy as np
from scipy import ndimage

from farolito.acoustics.account import Heard, account
from farolito.acoustics.deployment import Deployment
from farolito.acoustics.net import Air
from farolito.acoustics.refine import Fix
from farolito.acoustics.rhythm import Offers, Rhythm, cost, rhythms
from farolito.acoustics.rounds import HEARS_STRENGTH, SILENT, Train, expected_of_round
from farolito.acoustics.search import Search, Solution
from farolito.acoustics.settings import Tuning
from farolito.acoustics.source import Place, Source
from farolito.acoustics.window import HEARS_MAX, HEARS_MIN, Floats, Law, Window
from farolito.kernel import kernel

COARSE_M, FINE_M = 40.0, 5.0
KEPT_NATS = 12.0  # cells so far under the best hold nothing
LATE_STEP_S, LATE_S_MAX = 0.005, 0.060  # of the sensor that puts the string forth
LEVEL_SPAN_DB = 40.0  # a stray's level lies anywhere in so much
GUNS_SDS = np.array([-1.5, -0.75, 0.0, 0.75, 1.5])  # how loud the gun is, against the mean one
REGION = 0.97  # of the posterior, whose parts are the places told
FEW_SENSORS = 6  # up in the whole net: with more, the crowd decides
SENSORS_MIN = 3
EVIDENCE_MIN = 5.0  # nats against nothing at all: four idle sensors' strays hardly reach 3
SPARE_NATS = 2.0  # what a closer look may add to the evidence of coarse cells
EVIDENCE_NATS = 2.5  # evidence counts for one nat each: its parts share causes


class Ground(NamedTuple):
    """Cells (n, 2) with what each sensor is there: travel time, chance, 1 sd that the air gives
    its travel time, and the level expected. All (n, sensors)."""

    cells: Floats
    travel_s: Floats
    hears: Floats
    air_sd_s: Floats
    level_db: Floats


class Scales(NamedTuple):
    """Scalars of the deployment for the kernel. `blur_s`: half a cell's width, as time."""

    early_sd_s: float
    late_sd_s: float
    freedom: float
    level_sd_db: float
    gun_sd_db: float
    blur_s: float


@kernel
def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


@kernel
def _log_late(delay: float, early: float, late: float, nu: float) -> float:
    """Density of a path's delay: a Student-t with one scale for early and one for late."""
    scale = early if delay < 0.0 else late
    peak = math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2) - 0.5 * math.log(nu * math.pi)
    return (
        peak
        - math.log(0.5 * (early + late))
        - (nu + 1) / 2 * math.log(1 + (delay / scale) ** 2 / nu)
    )


@kernel
def _weigh(  # noqa: PLR0913 - columns, for the compiler
    ground: Ground, offers: Offers, rounds: int, by: int, late_s: Floats, guns_db: Floats,
    scales: Scales,
) -> Floats:  # fmt: skip
    """Log-likelihood ratio of each cell: over how late the path to sensor `by` is and how loud the
    gun, of the product over sensors of the sum over ways to have heard it."""
    n, sensors = ground.travel_s.shape
    ways = offers.sensor.size
    found = np.empty(n)
    silent = np.empty(sensors)
    fixed = np.empty(ways)
    level = np.empty((guns_db.size, ways))
    each = np.empty(late_s.size * guns_db.size)
    total = np.empty((guns_db.size, sensors))
    for c in range(n):
        for i in range(sensors):
            a = HEARS_STRENGTH * ground.hears[c, i]
            b = HEARS_STRENGTH - a
            silent[i] = _log_beta(a, b + rounds) - _log_beta(a, b) if a > 0.0 else 0.0
        for w in range(ways):
            i = offers.sensor[w]
            a = HEARS_STRENGTH * max(ground.hears[c, i], HEARS_MIN)
            b = HEARS_STRENGTH - a
            heard = offers.heard[w]
            fixed[w] = offers.nats[w] + _log_beta(a + heard, b + rounds - heard) - _log_beta(a, b)
            for g in range(guns_db.size):
                level[g, w] = 0.0
                if not math.isnan(offers.level_db[w]):
                    off = offers.level_db[w] - ground.level_db[c, i] - guns_db[g]
                    level[g, w] = math.log(LEVEL_SPAN_DB / scales.level_sd_db / 2.5066)
                    level[g, w] -= 0.5 * (off / scales.level_sd_db) ** 2
        for d in range(late_s.size):
            for i in range(sensors):
                for g in range(guns_db.size):
                    total[g, i] = silent[i]
            for w in range(ways):
                i = offers.sensor[w]
                blur = ground.air_sd_s[c, i] ** 2 + scales.blur_s**2
                delay = offers.offset_s[w] - ground.travel_s[c, i] + ground.travel_s[c, by]
                timed = fixed[w] + _log_late(
                    delay + late_s[d],
                    math.sqrt(scales.early_sd_s**2 + blur),
                    math.sqrt(scales.late_sd_s**2 + blur),
                    scales.freedom,
                )
                for g in range(guns_db.size):
                    more = timed + level[g, w]
                    high = max(more, total[g, i])
                    low = min(more, total[g, i])
                    total[g, i] = high + math.log1p(math.exp(low - high))
            for g in range(guns_db.size):
                each[d * guns_db.size + g] = (
                    total[g].sum() - 0.5 * (guns_db[g] / scales.gun_sd_db) ** 2
                )
        top = each.max()
        found[c] = top + math.log(np.exp(each - top).sum())
    return found


def ground_of(window: Window, law: Law, air: Air, deployment: Deployment, cells: Floats) -> Ground:
    """What the sensors are to each cell. The air's part that all sensors share moves the time of
    the shot, not its place: only what a sensor has beyond the mean counts."""
    dx = window.x_m[None, :] - cells[:, :1]
    dy = window.y_m[None, :] - cells[:, 1:]
    r = np.maximum(np.hypot(dx, dy), 1.0)
    speed = law.sound_mps + (law.wind_x_mps * dx + law.wind_y_mps * dy) / r
    hears = deployment.floor + deployment.height / (
        1.0 + np.exp((r - deployment.half_m) / deployment.fade_m)
    )
    hears = np.clip(hears * window.hears, HEARS_MIN, HEARS_MAX)
    hears[(r > law.range_max_m) | (window.hears <= 0.0)[None, :]] = 0.0

    def beyond(along: Floats) -> Floats:
        weight = hears / np.maximum(hears.sum(axis=1, keepdims=True), HEARS_MIN)
        apart: Floats = along - (weight * along).sum(axis=1, keepdims=True)
        return apart

    square = (beyond(r) * air.sound_sd_mps) ** 2
    square += (beyond(dx) * air.wind_sd_mps) ** 2 + (beyond(dy) * air.wind_sd_mps) ** 2
    level = deployment.level_db - deployment.slope_db * np.log10(np.maximum(r, 10.0))
    return Ground(cells, r / speed, hears, np.sqrt(square) / law.sound_mps**2, level)


class Posterior(NamedTuple):
    """Cells (n, 2) of one lattice with the logarithm of each one's share, and the likeliest
    rhythm with its evidence (nats) and its ways."""

    cells: Floats
    log_share: Floats
    evidence: float
    peak: float
    rhythm: Rhythm
    offers: Offers


def posterior(search: Search, air: Air, deployment: Deployment) -> Posterior | None:
    """Over place, for the likeliest string of a window; None where there is none."""
    window, law = search.window, search.law
    told = rhythms(window, law, search.rule)
    if not told:
        return None
    cells = _lattice(window, deployment.half_m)
    area = float(len(cells)) * COARSE_M**2
    step_m = COARSE_M
    while True:
        ground = ground_of(window, law, air, deployment, cells)
        weights = np.stack([_rhythm(search, deployment, ground, one, step_m) for one in told])
        best = weights.max(axis=1)
        kept = best > best.max() - KEPT_NATS
        told = [one for one, is_kept in zip(told, kept, strict=True) if is_kept]
        weights = weights[kept]
        total = np.logaddexp.reduce(weights, axis=0)
        evidence = float(np.logaddexp.reduce(total)) + math.log(step_m**2 / area)
        if evidence < EVIDENCE_MIN - SPARE_NATS:
            return None
        near = total > total.max() - KEPT_NATS
        if step_m <= FINE_M:
            break
        cells = _divide(cells[near], step_m)
        step_m /= 2
    likeliest = int(weights.max(axis=1).argmax())
    log_share = total[near] - np.logaddexp.reduce(total)
    rhythm, offers = told[likeliest]
    return Posterior(cells[near], log_share, evidence, float(total.max()), rhythm, offers)


def _rhythm(
    search: Search,
    deployment: Deployment,
    ground: Ground,
    told: tuple[Rhythm, Offers],
    step_m: float,
) -> Floats:
    """Log-likelihood ratio of each cell for one rhythm, its freely chosen times paid for."""
    rhythm, offers = told
    rounds = int(rhythm.at_s.size)
    scales = Scales(
        deployment.early_sd_s, deployment.late_sd_s, deployment.freedom,
        deployment.level_sd_db, deployment.gun_sd_db,
        step_m / math.sqrt(12.0) / search.law.sound_mps,
    )  # fmt: skip
    late_s = np.arange(-LATE_S_MAX, LATE_S_MAX + LATE_STEP_S / 2, LATE_STEP_S)
    guns_db = GUNS_SDS * deployment.gun_sd_db
    found = _weigh(ground, offers, rounds, rhythm.by, late_s, guns_db, scales)
    found += math.log(LATE_STEP_S) - math.log(float(np.exp(-0.5 * GUNS_SDS**2).sum()))
    sensors = len(set(offers.sensor[offers.heard * 2 > rounds].tolist()))
    return found - cost(search.rule, rounds, sensors)


def _lattice(window: Window, reach: float) -> Floats:
    """Coarse cells within `reach` metres of a sensor that is up."""
    up = window.hears > 0
    x, y = window.x_m[up], window.y_m[up]
    across = np.arange(x.min() - reach, x.max() + reach + COARSE_M, COARSE_M)
    along = np.arange(y.min() - reach, y.max() + reach + COARSE_M, COARSE_M)
    cells = np.stack(np.meshgrid(across, along), axis=-1).reshape(-1, 2)
    far = np.hypot(cells[:, :1] - x[None, :], cells[:, 1:] - y[None, :]).min(axis=1)
    near: Floats = cells[far <= reach]
    return near


def _divide(cells: Floats, step_m: float) -> Floats:
    offsets = np.array([-0.25, 0.25]) * step_m
    inner = np.stack(np.meshgrid(offsets, offsets), axis=-1).reshape(-1, 2)
    divided: Floats = (cells[:, None, :] + inner[None, :, :]).reshape(-1, 2)
    return divided


def places_of(found: Posterior, deployment: Deployment, tuning: Tuning) -> tuple[Place, ...]:
    """The parts of the region that holds the truth with `REGION`, apart from each other, the
    likeliest first."""
    share = np.exp(found.log_share)
    order = np.argsort(-share)
    inside = order[np.cumsum(share[order]) - share[order] < REGION]
    at = np.rint((found.cells - found.cells.min(axis=0)) / FINE_M).astype(np.int64)
    image = np.zeros(at.max(axis=0) + 3, dtype=np.bool_)
    image[at[inside, 0] + 1, at[inside, 1] + 1] = True
    joined = ndimage.binary_dilation(image, np.ones((3, 3)))
    labels, parts = ndimage.label(joined, np.ones((3, 3)))
    label = labels[at[:, 0] + 1, at[:, 1] + 1]
    floor = deployment.ellipse_floor_m**2
    places = []
    for part in range(1, parts + 1):
        mine = label == part
        weight = share[mine]
        mass = float(weight.sum())
        middle = weight @ found.cells[mine] / mass
        off = found.cells[mine] - middle
        spread = (off * weight[:, None]).T @ off / mass
        places.append(
            Place(
                x_m=float(middle[0]),
                y_m=float(middle[1]),
                xx=float(spread[0, 0]) + floor,
                xy=float(spread[0, 1]),
                yy=float(spread[1, 1]) + floor,
                share=mass,
            )
        )
    places.sort(key=lambda place: -place.share)
    shown = [one for one in places if one.share >= tuning.mode_share_min][: tuning.modes_max]
    whole = sum(one.share for one in shown)
    return tuple(msgspec.structs.replace(one, share=one.share / whole) for one in shown)


def few_source(heard: Heard, air: Air) -> Source | None:
    """The likeliest string of a window in a net of few sensors, with all its places; None where
    what was heard is as well explained by nothing."""
    search, deployment = heard.search, heard.deployment
    found = posterior(search, air, deployment)
    if found is None or found.evidence < EVIDENCE_MIN:
        return None
    places = places_of(found, deployment, search.tuning)
    if not places:
        return None
    solution = _solution(search, air, deployment, found, places[0])
    if solution.heard.size < SENSORS_MIN:
        return None
    told = account(heard, [solution], [solution], places)
    return msgspec.structs.replace(
        told,
        score=found.peak,
        probability=1.0 / (1.0 + math.exp((EVIDENCE_MIN - found.evidence) / EVIDENCE_NATS)),
    )


def with_few(few: Source, others: list[Source]) -> list[Source]:
    """It stands for all that other searches made of the same pulses."""
    mine = {pulse for ear in few.ears for pulse in ear.pulses}
    return [
        few,
        *(one for one in others if mine.isdisjoint(p for ear in one.ears for p in ear.pulses)),
    ]


def _solution(
    search: Search, air: Air, deployment: Deployment, found: Posterior, place: Place
) -> Solution:
    """The rounds as each sensor heard them, if they were fired at `place`."""
    window, law, offers = search.window, search.law, found.offers
    ground = ground_of(window, law, air, deployment, np.array([[place.x_m, place.y_m]]))
    travel, hears = ground.travel_s[0], ground.hears[0]
    rounds, sensors = found.rhythm.at_s.size, window.x_m.size
    pulse = np.full((rounds, sensors), SILENT, dtype=np.int64)
    best = np.zeros(sensors)
    for way, i in enumerate(offers.sensor.tolist()):
        late_s = float(offers.offset_s[way] - travel[i] + travel[found.rhythm.by])
        spread = deployment.path_sd_s + ground.air_sd_s[0, i] + place.xx**0.5 / law.sound_mps
        nats = offers.nats[way] + _log_late(late_s, spread, spread, deployment.freedom)
        if nats > best[i]:
            best[i], pulse[:, i] = nats, offers.pulse[way]
    fired = np.where(pulse >= 0, window.at_s[pulse] - travel, math.nan)
    at_s = np.nanmedian(fired, axis=1)
    heard = (pulse >= 0).any(axis=0)
    delay_s = np.full(sensors, math.nan)
    delay_s[heard] = np.nanmedian(fired[:, heard] - at_s[:, None], axis=0)
    expected = rounds * expected_of_round(window, hears, 2.0 * search.rule.half_s)
    covariance = np.array([[place.xx, place.xy], [place.xy, place.yy]])
    fix = Fix(
        place.x_m, place.y_m, float(at_s[0]), law.sound_mps, law.wind_x_mps, law.wind_y_mps,
        delay_s[heard], covariance,
    )  # fmt: skip
    train = Train(at_s, pulse, delay_s, found.peak, expected, found.peak / rounds)
    return Solution(fix, train, law)
