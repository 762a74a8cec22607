"""What the locator is given: the sensors, the pulses, the air."""

from __future__ import annotations

import math
from functools import cached_property

import msgspec
import numpy as np
import numpy.typing as npt

KELVIN = 273.15
SOUND_MPS_PER_ROOT_KELVIN = 20.03  # TN 098 (Calhoun et al. 2020, arXiv 2108.07377) eq. 8


class Sensor(msgspec.Struct, frozen=True, kw_only=True):
    """Where a sensor stands and how it has behaved.

    `strays_per_s`: pulses that belong to nothing. `hears`: how its participation compares with
    the curve for its range, 1 as the curve, 0 deaf. `clock_sd_s`: 1 sd.
    """

    name: str
    x_m: float
    y_m: float
    is_up: bool = True
    strays_per_s: float = 0.05
    hears: float = 1.0
    clock_sd_s: float = 0.0005


class Pulse(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One onset at one sensor, as it was told; the features may be missing (see model.Impulse)."""

    sensor: str
    at_s: float
    pulse_id: str = ""
    level_db: float | None = None
    snr_db: float | None = None
    bands_db: tuple[float, ...] = ()
    rise_ms: float | None = None
    decay_ms: float | None = None


class Air(msgspec.Struct, frozen=True, kw_only=True):
    """The air as a prior: the wind's velocity (where it blows *to*), each with its sd."""

    temperature_c: float = 15.0
    wind_x_mps: float = 0.0
    wind_y_mps: float = 0.0
    temperature_sd_c: float = 2.5
    wind_sd_mps: float = 2.0

    @property
    def sound_mps(self) -> float:
        return SOUND_MPS_PER_ROOT_KELVIN * math.sqrt(self.temperature_c + KELVIN)

    @property
    def sound_sd_mps(self) -> float:
        return 0.5 * self.sound_mps / (self.temperature_c + KELVIN) * self.temperature_sd_c

    @classmethod
    def reported(
        cls, temperature_c: float, wind_mps: float, wind_from_deg: float,
        temperature_sd_c: float = 2.5, wind_sd_mps: float = 2.0,
    ) -> Air:  # fmt: skip
        """From a weather report, which says where the wind comes *from*."""
        to = math.radians(wind_from_deg + 180.0)
        return cls(
            temperature_c=temperature_c,
            wind_x_mps=wind_mps * math.sin(to),
            wind_y_mps=wind_mps * math.cos(to),
            temperature_sd_c=temperature_sd_c,
            wind_sd_mps=wind_sd_mps,
        )


class Net:
    """The sensors, with their columns as arrays. Frozen: a changed sensor makes a new net."""

    def __init__(self, sensors: tuple[Sensor, ...]) -> None:
        self.sensors = sensors
        self.index = {sensor.name: at for at, sensor in enumerate(sensors)}
        assert len(self.index) == len(sensors), "two sensors of one name"

    def __len__(self) -> int:
        return len(self.sensors)

    @cached_property
    def x_m(self) -> npt.NDArray[np.float64]:
        return np.array([s.x_m for s in self.sensors], dtype=np.float64)

    @cached_property
    def y_m(self) -> npt.NDArray[np.float64]:
        return np.array([s.y_m for s in self.sensors], dtype=np.float64)

    @cached_property
    def is_up(self) -> npt.NDArray[np.bool_]:
        return np.array([s.is_up for s in self.sensors], dtype=np.bool_)

    @cached_property
    def strays_per_s(self) -> npt.NDArray[np.float64]:
        return np.array([s.strays_per_s for s in self.sensors], dtype=np.float64)

    @cached_property
    def hears(self) -> npt.NDArray[np.float64]:
        return np.array([s.hears for s in self.sensors], dtype=np.float64)
