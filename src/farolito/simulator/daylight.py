"""The light over the practice metro: where the sun is, and what colours it leaves.

Good to a degree or two of the sun's true height, which nobody sees in a drawing.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from farolito.simulator.metro import CENTRE
from farolito.simulator.perspective import Floats

Colour = tuple[float, float, float]  # blue, green, red; 0 to 255, or factors

RENEW_S = 1_200  # the light of a picture is drawn anew this often


class Light(NamedTuple):
    """`sun`: toward it, east, north, up; or toward the moon. `night` 0 to 1."""

    sun: Floats
    direct: Floats
    around: Floats
    sky_high: Floats
    sky_low: Floats
    night: float

    @property
    def haze(self) -> Floats:
        return 0.85 * self.sky_low + 0.15 * np.array((175.0, 180.0, 185.0)) * (1 - self.night)


def sun_at(at: datetime) -> tuple[float, float]:
    """Height above the horizon and bearing from north, degrees."""
    utc = at.astimezone(UTC)
    day = utc.timetuple().tm_yday + (utc.hour + utc.minute / 60) / 24
    declination = math.radians(-23.44) * math.cos(2 * math.pi * (day + 10) / 365.25)
    turn = 2 * math.pi * (day - 81) / 364
    of_time_min = 9.87 * math.sin(2 * turn) - 7.53 * math.cos(turn) - 1.5 * math.sin(turn)
    hours = utc.hour + utc.minute / 60 + utc.second / 3600 + of_time_min / 60
    angle = math.radians(15 * (hours - 12) + CENTRE[1])
    lat = math.radians(CENTRE[0])
    up = math.sin(lat) * math.sin(declination) + math.cos(lat) * math.cos(declination) * math.cos(
        angle
    )
    east = -math.cos(declination) * math.sin(angle)
    north = math.cos(lat) * math.sin(declination) - math.sin(lat) * math.cos(
        declination
    ) * math.cos(angle)
    return math.degrees(math.asin(up)), math.degrees(math.atan2(east, north)) % 360


def light_at(at: datetime) -> Light:
    height, bearing = sun_at(at)
    day = _smooth((height + 5) / 12)
    gold = math.exp(-((height / 7) ** 2))  # at sunrise and sunset
    if height < -2:  # the moon, high in the south
        height, bearing = 48.0, 170.0
    h, b = math.radians(max(height, 6.0)), math.radians(bearing)
    sun = np.array((math.sin(b) * math.cos(h), math.cos(b) * math.cos(h), math.sin(h)))
    white = _mix((0.10, 0.08, 0.07), (0.56, 0.62, 0.66), day)
    direct = _mix(white, np.array((0.22, 0.40, 0.62)), 0.8 * gold * day)
    around = _mix((0.25, 0.20, 0.17), (0.57, 0.53, 0.50), day)
    sky_high = _mix((52, 30, 20), (206, 150, 96), day)
    sky_low = _mix((74, 56, 46), (226, 208, 186), day)
    sky_low = _mix(sky_low, np.array((120, 165, 235)), 0.75 * gold)
    sky_high = _mix(sky_high, np.array((150, 110, 110)), 0.4 * gold)
    return Light(sun, direct, around, sky_high, sky_low, 1 - day)


def _smooth(share: float) -> float:
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)


def _mix(a: Floats | Colour, b: Floats | Colour, share: float) -> Floats:
    return np.asarray((1 - share) * np.array(a, float) + share * np.array(b, float))
