"""Pulses of a span of time as columns beside the net, and what a place makes of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from farolito.acoustics.deployment import Deployment
from farolito.acoustics.net import Air, Net, Pulse
from farolito.kernel import kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

HEARS_MIN, HEARS_MAX = 0.02, 0.97  # no sensor is known to be surer, or deafer, than this
STRAYS_MIN_PER_S = 0.005


class Law(NamedTuple):
    """Who hears how far, and how sound travels: scalars for the kernels."""

    floor: float
    height: float
    half_m: float
    fade_m: float
    range_max_m: float
    sound_mps: float
    wind_x_mps: float
    wind_y_mps: float

    @classmethod
    def of(cls, deployment: Deployment, air: Air) -> Law:
        return cls(
            deployment.floor, deployment.height, deployment.half_m, deployment.fade_m,
            deployment.range_max_m, air.sound_mps, air.wind_x_mps, air.wind_y_mps,
        )  # fmt: skip


class Window(NamedTuple):
    """The columns. Pulses are sorted by sensor, then time: those of sensor i are
    `start[i]:start[i + 1]`. `at_s` counts from `zero_s`, so that it stays exact. `rate_per_s`: of
    onsets that belong to nothing, raised after a direct arrival by its echoes. `is_used`: some
    source explains it.
    """

    x_m: Floats
    y_m: Floats
    hears: Floats  # 0 for a sensor that is down
    quiet_per_s: Floats  # of each sensor, the rate of onsets when nothing happens
    start: Ints
    at_s: Floats
    sensor: Ints
    rate_per_s: Floats
    is_used: Flags
    level_db: Floats  # nan where it was not told
    until_s: float  # what arrived later may not have been told yet

    @classmethod
    def of(
        cls, net: Net, pulses: Sequence[Pulse], zero_s: float, until_s: float = math.inf
    ) -> Window:
        """`pulses`: all of sensors of the net that are up, sorted by (sensor's place in the net,
        time)."""
        sensor = np.array([net.index[p.sensor] for p in pulses], dtype=np.int64)
        at_s = np.array([p.at_s - zero_s for p in pulses], dtype=np.float64)
        level = [math.nan if p.level_db is None else p.level_db for p in pulses]
        quiet = np.maximum(net.strays_per_s, STRAYS_MIN_PER_S)
        start = np.searchsorted(sensor, np.arange(len(net) + 1)).astype(np.int64)
        return cls(
            net.x_m, net.y_m, net.hears * net.is_up, quiet, start, at_s, sensor, quiet[sensor],
            np.zeros(len(pulses), dtype=np.bool_), np.array(level, dtype=np.float64),
            until_s - zero_s,
        )  # fmt: skip


def sorted_pulses(net: Net, pulses: Sequence[Pulse]) -> list[Pulse]:
    """Those of sensors of the net that are up, by (sensor, time); a repeated time counts once."""
    known = [p for p in pulses if (i := net.index.get(p.sensor)) is not None and net.is_up[i]]
    known.sort(key=lambda p: (net.index[p.sensor], p.at_s, p.pulse_id))
    return [
        p
        for k, p in enumerate(known)
        if k == 0 or (p.sensor, p.at_s) != (known[k - 1].sensor, known[k - 1].at_s)
    ]


@kernel
def path(window: Window, law: Law, i: int, x: float, y: float) -> tuple[float, float, float]:
    """From (x, y) to sensor i: metres, seconds, and the chance to be heard there, which is 0 out
    of range and for a sensor that is down."""
    dx, dy = window.x_m[i] - x, window.y_m[i] - y
    r = max(math.sqrt(dx * dx + dy * dy), 0.1)
    travel = r / (law.sound_mps + (law.wind_x_mps * dx + law.wind_y_mps * dy) / r)
    if window.hears[i] <= 0.0 or r > law.range_max_m:
        return r, travel, 0.0
    p = law.floor + law.height / (1.0 + math.exp((r - law.half_m) / law.fade_m))
    return r, travel, min(max(p * window.hears[i], HEARS_MIN), HEARS_MAX)


@kernel
def paths(window: Window, law: Law, x: float, y: float) -> tuple[Floats, Floats, Floats]:
    """`path` to every sensor: ranges, travel times, chances."""
    n = window.x_m.size
    ranges, travels, hears = np.empty(n), np.empty(n), np.empty(n)
    for i in range(n):
        ranges[i], travels[i], hears[i] = path(window, law, i, x, y)
    return ranges, travels, hears
