"""From bangs to the pulses that a city's sensors would tell: what a locator is tried on.

The physics differs from the locator's model on purpose (notes, section 3). A path from a place to
a sensor has a delay of its own, Exp(10 ms), since sound bends round corners; one in eight is shut,
so that only echoes arrive; echoes come 30 ms and more later. Sensors stand a metre off their
surveyed places, some are dead (known), some have wrong clocks (unknown), all are deaf for 50 ms
after a pulse, and tell of doors and dogs. The locator gets `town.net`, `town.air` and the pulses.

It is ours and partly fitted to Pittsburgh's live fire: a stress test, not truth. Chance comes from
the generator passed in. Tune on seeds below `TUNING_SEEDS`; report on seeds from `JUDGE_SEEDS` on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from farolito.acoustics import Air, Net, Pulse, Sensor
from farolito.model import SoundKind
from farolito.simulator import loudness
from farolito.simulator.bang import Bang, Event

TUNING_SEEDS = 10_000
JUDGE_SEEDS = 1_000_000

PER_KM2 = 9.65  # 25 a square mile
JITTER_SD_M = 60.0
SURVEY_SD_M = 1.0
DEAD, WRONG_CLOCK = 0.05, 0.02
WRONG_BY_S, CLOCK_SD_S = 0.3, 0.0005
PATH_DELAY_S = 0.010
BLOCKED, BLOCKED_ALOFT = 0.12, 0.02
ECHOES, ECHO_FIRST_S, ECHO_MORE_S, ECHO_HEARD, ECHO_JITTER_S = 1.2, 0.030, 0.180, 0.6, 0.003
HEARD_MOST, HEARD_OVER_M, WIND_STRETCH, WIND_MOST_MPS = 0.93, 130.0, 0.04, 8.0
VISIBILITY_SD = 0.7  # of the odds' logarithm, a sensor and event
ECHO_MPS, ECHO_LOSS_DB = 340.0, 5.0
JITTER_S = 0.002
DEAD_TIME_S = 0.050
ALOFT_M = 20.0  # above this a source looks over the roofs
ALOFT_FARTHER = 1.6
QUIETER_DB = 24.0  # a sound so much weaker than a gun is heard to a tenth of its range (ASSUMED)

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


class Character(msgspec.Struct, frozen=True, kw_only=True):
    """What a city's streets do: half of the paths are heard at `r50_m`."""

    name: str
    r50_m: float
    strays_per_s: float


PITTSBURGH_LIKE = Character(name="Pittsburgh-like", r50_m=720.0, strays_per_s=0.03)
HARSH = Character(name="harsh", r50_m=560.0, strays_per_s=0.10)


class Made(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What made a pulse: the numbers of its event and bang, or −1 for a stray."""

    event: int
    bang: int
    is_echo: bool = False


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """Pulses in order of time, and apart from them what made each (never shown to a locator)."""

    pulses: tuple[Pulse, ...]
    made: tuple[Made, ...]


class Town:
    """Sensors as they truly are, and what the locator knows of them (`net`, `air`)."""

    def __init__(self, net: Net, character: Character, rng: np.random.Generator) -> None:
        """A hidden truth for sensors that are known as `net`."""
        self.net, self.character = net, character
        count = len(net)
        self.x_m = net.x_m + rng.normal(0, SURVEY_SD_M, count)
        self.y_m = net.y_m + rng.normal(0, SURVEY_SD_M, count)
        wrong = rng.random(count) < WRONG_CLOCK
        by = rng.uniform(-WRONG_BY_S, WRONG_BY_S, count)
        self.clock_s = np.where(wrong, by, rng.normal(0, CLOCK_SD_S, count))
        self.noise_db = rng.normal(loudness.NOISE_DB, loudness.NOISE_SD_DB, count)
        speed, angle = rng.gamma(2, 2.0), rng.uniform(0, 2 * math.pi)
        wind = (speed * math.cos(angle), speed * math.sin(angle))
        self.set_air(float(rng.uniform(-5, 35)), wind, rng)

    def set_air(self, celsius: float, wind: tuple[float, float], rng: np.random.Generator) -> None:
        """Weather (`wind` is where it blows *to*, m/s east and north), and what is known of it."""
        self.sound_mps = Air(temperature_c=celsius).sound_mps
        self.wind = wind
        self.air = Air(
            temperature_c=celsius + rng.normal(0, 1.5),
            wind_x_mps=self.wind[0] + rng.normal(0, 1.5),
            wind_y_mps=self.wind[1] + rng.normal(0, 1.5),
            temperature_sd_c=1.5,
            wind_sd_mps=1.5,
        )


def hexagonal(
    rng: np.random.Generator, character: Character = PITTSBURGH_LIKE, km2: float = 10.0
) -> Town:
    """A square of `km2` with sensors on a hexagonal net, each some way off its corner."""
    side = math.sqrt(km2) * 1000.0
    spacing = math.sqrt(2 / (math.sqrt(3) * PER_KM2)) * 1000.0
    sensors: list[Sensor] = []
    for row in range(int(side / (spacing * math.sqrt(3) / 2)) + 1):
        for column in range(int(side / spacing) + 1):
            x = (column + 0.5 * (row % 2) + 0.25) * spacing + rng.normal(0, JITTER_SD_M)
            y = (row + 0.25) * spacing * math.sqrt(3) / 2 + rng.normal(0, JITTER_SD_M)
            if not (0 <= x <= side and 0 <= y <= side):
                continue
            sensors.append(
                Sensor(
                    name=f"S{len(sensors):03d}",
                    x_m=float(x),
                    y_m=float(y),
                    is_up=bool(rng.random() >= DEAD),
                    strays_per_s=character.strays_per_s,
                )
            )
    return Town(Net(tuple(sensors)), character, rng)


def sound(
    events: Sequence[Event], town: Town, span_s: tuple[float, float], rng: np.random.Generator
) -> Heard:
    """What the sensors tell of `events` from `span_s[0]` to `span_s[1]`, strays among it."""
    rows = [_arrivals(number, event, town, rng) for number, event in enumerate(events)]
    rows.append(_strays(town, span_s, rng))
    at_s = np.concatenate([r.at_s for r in rows])
    sensor = np.concatenate([r.sensor for r in rows])
    made = [m for r in rows for m in r.made]
    features = [(r.features, i) for r in rows for i in range(len(r.at_s))]
    kept, free_at = [], np.full(len(town.net), -math.inf)
    for at in np.argsort(at_s, kind="stable"):
        if at_s[at] < free_at[sensor[at]] or not town.net.sensors[sensor[at]].is_up:
            continue
        free_at[sensor[at]] = at_s[at] + DEAD_TIME_S
        kept.append(int(at))
    told = at_s + town.clock_s[sensor]
    kept.sort(key=lambda at: told[at])
    pulses = []
    for number, at in enumerate(kept):
        columns, row = features[at]
        pulses.append(
            Pulse(
                sensor=town.net.sensors[sensor[at]].name,
                at_s=float(told[at]),
                pulse_id=f"p{number:06d}",
                level_db=float(columns.level_db[row]),
                snr_db=float(columns.snr_db[row]),
                bands_db=tuple(float(b) for b in columns.bands_db[row]),
                rise_ms=float(columns.rise_ms[row]),
                decay_ms=float(columns.decay_ms[row]),
            )
        )
    return Heard(pulses=tuple(pulses), made=tuple(made[at] for at in kept))


def heard_share(
    metres: Floats, along_mps: Floats, r50_m: float, visibility: Floats | float = 0.0
) -> Floats:
    """Chance that a gun's round is told of, by range and the wind towards the sensor."""
    wind = np.clip(along_mps, -WIND_MOST_MPS, WIND_MOST_MPS)
    z = (metres * (1 - WIND_STRETCH * wind) - r50_m) / HEARD_OVER_M - visibility
    return HEARD_MOST / (1 + np.exp(np.clip(z, -50, 50)))


class _Arrival(NamedTuple):
    """One pulse before dead time and clocks."""

    at_s: float
    sensor: int
    metres: float
    gain_db: float
    shut: float  # how far the path is shut, 0–1
    made: Made


class _Pulses:
    """Pulses of one maker, before dead time and clocks."""

    def __init__(
        self, at_s: Floats, sensor: Numbers, features: loudness.Features, made: Sequence[Made]
    ) -> None:
        self.at_s, self.sensor, self.features, self.made = at_s, sensor, features, made


def _arrivals(number: int, event: Event, town: Town, rng: np.random.Generator) -> _Pulses:
    """All pulses of one event, its number among the events."""
    is_gun = event.kind is SoundKind.GUNSHOT
    voice = loudness.this_one(event.voice, rng)
    visibility = rng.normal(0, VISIBILITY_SD, len(town.net))
    paths: dict[tuple[int, int, int], _Paths] = {}
    found: list[_Arrival] = []
    for index, bang in enumerate(event.bangs):
        # Someone who walks keeps the paths of a place for 15 m.
        key = (round(bang.x_m / 15), round(bang.y_m / 15), round(bang.z_m / 15))
        if key not in paths:
            paths[key] = _Paths(town, bang.z_m, rng)
        way = paths[key].seen_from(bang)
        # The range law already averages over firearms, so a gun's own level moves its level alone.
        weaker_db = 0.0 if is_gun else voice.level_db + bang.louder_db
        r50_m = town.character.r50_m * 10 ** (weaker_db / QUIETER_DB)
        r50_m *= ALOFT_FARTHER if way.is_aloft else 1.0
        share = heard_share(way.metres, way.along_mps, r50_m, visibility)
        for sensor in np.flatnonzero(rng.random(len(town.net)) < share):
            found += way.arrivals(int(sensor), bang, Made(event=number, bang=index), rng)
    more_db = np.array([event.bangs[arrival.made.bang].louder_db for arrival in found])
    sensors = np.array([arrival.sensor for arrival in found], dtype=np.int64)
    features = loudness.arrivals(
        voice,
        np.array([arrival.metres for arrival in found]),
        np.array([arrival.gain_db for arrival in found]) + more_db,
        np.array([arrival.shut for arrival in found]),
        loudness.Ears(town.noise_db[sensors], rng),
    )
    at_s = np.array([arrival.at_s for arrival in found])
    return _Pulses(at_s, sensors, features, [arrival.made for arrival in found])


class _Paths:
    """What lies between a place and each sensor: drawn once for the place."""

    def __init__(self, town: Town, z_m: float, rng: np.random.Generator) -> None:
        count = len(town.net)
        self._town = town
        self.is_aloft = z_m > ALOFT_M
        self.delay_s = rng.exponential(PATH_DELAY_S, count) * (0.3 if self.is_aloft else 1.0)
        self.blocked = rng.random(count) < (BLOCKED_ALOFT if self.is_aloft else BLOCKED)
        self.shut = rng.beta(1.2, 3.0, count) * (0.3 if self.is_aloft else 1.0)
        self.gain_db = rng.normal(0, loudness.PATH_SD_DB, count) - 3.0 * self.shut
        self.echoes = [
            ECHO_FIRST_S + rng.exponential(ECHO_MORE_S, rng.poisson(ECHOES)) for _ in range(count)
        ]

    def seen_from(self, bang: Bang) -> _Paths:
        """Ranges and travel times from just this bang."""
        town = self._town
        dx, dy = town.x_m - bang.x_m, town.y_m - bang.y_m
        self.metres = np.sqrt(dx * dx + dy * dy + bang.z_m * bang.z_m)
        self.along_mps = (dx * town.wind[0] + dy * town.wind[1]) / np.maximum(self.metres, 1.0)
        self.travel_s = self.metres / (town.sound_mps + self.along_mps) + self.delay_s
        return self

    def arrivals(
        self, sensor: int, bang: Bang, made: Made, rng: np.random.Generator
    ) -> list[_Arrival]:
        """What a sensor hears of a bang that reaches it: the first sound, unless its path is
        shut, and echoes."""
        first = bang.at_s + self.travel_s[sensor] + rng.normal(0, JITTER_S)
        far, gain = self.metres[sensor], self.gain_db[sensor]
        found = []
        if not self.blocked[sensor]:
            found.append(_Arrival(first, sensor, far, gain, self.shut[sensor], made))
        echo = Made(event=made.event, bang=made.bang, is_echo=True)
        for later in self.echoes[sensor]:
            if self.blocked[sensor] or rng.random() < ECHO_HEARD:
                at_s = first + later + rng.normal(0, ECHO_JITTER_S)
                longer = far + ECHO_MPS * later
                found.append(_Arrival(at_s, sensor, longer, gain - ECHO_LOSS_DB, 0.5, echo))
        return found


def _strays(town: Town, span_s: tuple[float, float], rng: np.random.Generator) -> _Pulses:
    rates = town.net.strays_per_s * (span_s[1] - span_s[0])
    sensor = np.repeat(np.arange(len(town.net)), rng.poisson(rates))
    at_s = rng.uniform(*span_s, len(sensor))
    features = loudness.strays(loudness.Ears(town.noise_db[sensor], rng))
    return _Pulses(at_s, sensor, features, [Made(event=-1, bang=-1)] * len(at_s))
