"""What a source of sound shows of its maker: rhythm, power, spectrum, rise, reach, company.

Each trait is None where the sensors do not tell it; nothing is guessed in its place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeGuard

import msgspec
import numpy as np
import numpy.typing as npt

from farolito.acoustics.cadence import Rhythm, rhythm
from farolito.acoustics.deployment import Deployment
from farolito.acoustics.net import Air, Net, Pulse
from farolito.acoustics.source import Source
from farolito.model.shot import SoundKind

Floats = npt.NDArray[np.float64]

TRAITS = (
    "rounds", "interval", "variation", "power", "rise", "decay",
    "low_tilt", "high_tilt", "reach", "far", "pace", "company",
)  # fmt: skip
SPL_MIN_DB = 20.0  # below, a level is not sound pressure: the sensor is not calibrated
FAR_M = 1700.0  # beyond the locator's range only what is loud or high is heard
FAR_S = 0.120  # about the arrival to be expected there
SLOW_MPS = 325.0  # sound on a freezing night
EARS_MIN = 3  # with fewer a median tells nothing
PAIR_S, PAIR_M = (1.0, 5.0), 80.0  # a thump on the ground, then a burst above it
AIR_DB_PER_KM = np.array([0.4, 1.0, 1.9, 3.7, 9.7, 32.8])
"""Absorption by air at 10 °C and 70 % humidity, 125 Hz to 4 kHz (ISO 9613-2, table 2)."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What is known beyond the source itself. `others`: sources of the last seconds, None where
    nobody looked. `prior`: of each kind before anything was heard; empty is even-handed."""

    deployment: Deployment = Deployment()
    others: tuple[Source, ...] | None = None
    prior: dict[SoundKind, float] = {}


STOCK = Setting()


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """`power_db`: median level against a pistol's at these ranges, by the deployment's law.
    `uneven_db`: sd of that from round to round, told to people only: the simulator has it wrong
    by far (2.5 dB; the live fire 0.4). `tilt`: dB, the upper bands less the lower, with the air's
    absorption given back: (500, 1000) less (125, 250), and (2000, 4000) less (500, 1000).
    `reached`, `to_reach`: sensors that heard it, and that were to be expected to.
    `far`: sensors beyond the locator's range with a pulse at the arrival, `far_strays` as many
    as strays alone would give. `pace_mps`: how fast it moved. `company`: other sources within
    seconds and metres, as of launch and burst.
    """

    rhythm: Rhythm
    ears: int = 0
    power_db: float | None = None
    uneven_db: float | None = None
    rise_ms: float | None = None
    decay_ms: float | None = None
    low_tilt_db: float | None = None
    high_tilt_db: float | None = None
    reached: int = 0
    to_reach: float = 0.0
    far: int | None = None
    far_strays: float = 0.0
    pace_mps: float | None = None
    company: int | None = None

    def numbers(self) -> dict[str, float]:
        """The traits that are known, on scales where makers look about Gaussian."""
        found: dict[str, float | None] = {
            "rounds": math.log(self.rhythm.rounds),
            "interval": _log(self.rhythm.interval_s),
            "variation": _log(self.rhythm.variation, 0.01),
            "power": self.power_db,
            "rise": _log(self.rise_ms),
            "decay": _log(self.decay_ms),
            "low_tilt": self.low_tilt_db,
            "high_tilt": self.high_tilt_db,
            "reach": math.log((self.reached + 0.5) / (self.to_reach + 0.5)),
            "far": None
            if self.far is None
            else math.log((self.far + 0.5) / (self.far_strays + 0.5)),
            "pace": None if self.pace_mps is None else math.log(0.5 + self.pace_mps),
            "company": None if self.company is None else math.log(1.0 + self.company),
        }
        return {name: value for name, value in found.items() if value is not None}


def _log(value: float | None, least: float = 1e-3) -> float | None:
    return None if value is None else math.log(max(least, value))


def traits(
    source: Source, pulses: Sequence[Pulse], net: Net, air: Air, setting: Setting = STOCK
) -> Traits:
    """The traits of a source. `pulses`: those about its time, of all sensors."""
    law, others = setting.deployment, setting.others
    by_id = {pulse.pulse_id: pulse for pulse in pulses if pulse.pulse_id}
    heard: list[tuple[Pulse, float, int]] = []  # each with its range and the number in its sensor
    for ear in source.ears:
        told = [by_id[one] for one in ear.pulses if one in by_id]
        heard += [(pulse, ear.metres, at) for at, pulse in enumerate(told)]
    until_s = max((pulse.at_s for pulse in pulses), default=math.inf)
    reached, to_reach = _reach(source, net, law, until_s)
    far, far_strays = _far(source, pulses, net, air, law)
    low, high = _tilts(heard)
    return Traits(
        rhythm=rhythm([one.at_s for one in source.rounds]),
        ears=len(source.ears),
        power_db=_power_db(source, heard, law),
        uneven_db=_uneven_db(heard),
        rise_ms=_median([p.rise_ms for p, _, _ in heard if p.rise_ms is not None]),
        decay_ms=_median([p.decay_ms for p, _, _ in heard if p.decay_ms is not None]),
        low_tilt_db=low,
        high_tilt_db=high,
        reached=reached,
        to_reach=to_reach,
        far=far,
        far_strays=far_strays,
        pace_mps=_pace_mps(source),
        company=None if others is None else _company(source, others),
    )


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if len(values) >= EARS_MIN else None


def _power_db(
    source: Source, heard: Sequence[tuple[Pulse, float, int]], law: Deployment
) -> float | None:
    """Median over the sensors of how far each hears it above the law of a pistol. Where a pulse
    is not told of, its ear's own level stands."""
    by_metres: dict[float, list[float]] = {}
    for pulse, metres, _ in heard:
        if _is_spl(pulse.level_db):
            by_metres.setdefault(metres, []).append(pulse.level_db)
    for ear in source.ears:
        if ear.metres not in by_metres and _is_spl(ear.level_db):
            by_metres[ear.metres] = [ear.level_db]
    if len(by_metres) < EARS_MIN:
        return None
    above = [
        float(np.median(levels)) - law.level_db + law.slope_db * math.log10(max(metres, 10.0))
        for metres, levels in by_metres.items()
    ]
    return float(np.median(above))


def _is_spl(level_db: float | None) -> TypeGuard[float]:
    return level_db is not None and level_db >= SPL_MIN_DB


def _uneven_db(heard: Sequence[tuple[Pulse, float, int]]) -> float | None:
    """How much the level differs within one sensor, whose path is the same for all rounds."""
    by_sensor: dict[str, list[float]] = {}
    for pulse, _, _ in heard:
        if pulse.level_db is not None:
            by_sensor.setdefault(pulse.sensor, []).append(pulse.level_db)
    spreads = [float(np.std(one, ddof=1)) for one in by_sensor.values() if len(one) >= 3]
    return _median(spreads)


def _tilts(heard: Sequence[tuple[Pulse, float, int]]) -> tuple[float | None, float | None]:
    rows = [(p.bands_db, metres) for p, metres, _ in heard if len(p.bands_db) == 6]
    if len(rows) < EARS_MIN:
        return None, None
    bands = np.array([row[0] for row in rows])
    bands = bands + AIR_DB_PER_KM * np.array([row[1] for row in rows])[:, None] / 1000.0
    low = bands[:, 2:4].mean(axis=1) - bands[:, 0:2].mean(axis=1)
    high = bands[:, 4:6].mean(axis=1) - bands[:, 2:4].mean(axis=1)
    return float(np.median(low)), float(np.median(high))


def _reach(source: Source, net: Net, law: Deployment, until_s: float) -> tuple[int, float]:
    """Sensors that heard it, and how many were to be expected to hear a pistol's round by now:
    an early solution is not blamed for arrivals that are still under way."""
    metres = np.hypot(net.x_m - source.place.x_m, net.y_m - source.place.y_m)
    arrived = source.rounds[0].at_s + metres / (source.sound_mps or SLOW_MPS) <= until_s
    chances = np.array([law.hears(float(one)) for one in metres]) * net.hears
    heard = chances[net.is_up & arrived].clip(0, 0.97)
    return len(source.ears), float((1 - (1 - heard) ** len(source.rounds)).sum())


def _far(
    source: Source, pulses: Sequence[Pulse], net: Net, air: Air, law: Deployment
) -> tuple[int | None, float]:
    """Sensors farther than the locator looks, with a pulse when the first round would arrive."""
    metres = np.hypot(net.x_m - source.place.x_m, net.y_m - source.place.y_m)
    ring = np.flatnonzero((metres > law.range_max_m) & (metres <= FAR_M) & net.is_up)
    if len(ring) < EARS_MIN:
        return None, 0.0
    times: Mapping[str, list[float]] = {net.sensors[at].name: [] for at in ring}
    for pulse in pulses:
        if pulse.sensor in times:
            times[pulse.sensor].append(pulse.at_s)
    speed = source.sound_mps or air.sound_mps
    until_s = max((pulse.at_s for pulse in pulses), default=-math.inf)
    found, strays, told = 0, 0.0, 0
    for at in ring:
        sensor, range_m = net.sensors[at], float(metres[at])
        east = (sensor.x_m - source.place.x_m) / range_m
        north = (sensor.y_m - source.place.y_m) / range_m
        along = source.wind_x_mps * east + source.wind_y_mps * north
        arrives = source.rounds[0].at_s + range_m / (speed + along)
        if arrives + FAR_S > until_s:
            continue  # still under way
        told += 1
        strays += -math.expm1(-sensor.strays_per_s * 2 * FAR_S)
        found += any(abs(one - arrives) <= FAR_S for one in times[sensor.name])
    return (found, strays) if told >= EARS_MIN else (None, 0.0)


def _pace_mps(source: Source) -> float | None:
    """How fast it went, None where it stood still or its places do not tell."""
    seconds = source.rounds[-1].at_s - source.rounds[0].at_s
    if source.drift_x_m is None or source.drift_y_m is None or seconds <= 0:
        return None
    return math.hypot(source.drift_x_m, source.drift_y_m) / seconds


def _company(source: Source, others: Sequence[Source]) -> int:
    """Other sources close by whose first rounds came a shell's flight before or after."""
    return sum(
        PAIR_S[0] <= abs(other.rounds[0].at_s - source.rounds[0].at_s) <= PAIR_S[1]
        and math.hypot(other.place.x_m - source.place.x_m, other.place.y_m - source.place.y_m)
        <= PAIR_M
        for other in others
        if other.track != source.track
    )
