"""Where the sun stands, to about half a degree: the low-precision formulas of the Astronomical
Almanac (page C5), good from 1950 to 2050. Refraction is left out."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import NamedTuple

from farolito.geo.street_map import LatLon

_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)


class Sun(NamedTuple):
    bearing_deg: float  # from north, clockwise
    elevation_deg: float  # above the horizon


def sun(at: datetime, place: LatLon) -> Sun:
    days = (at - _J2000).total_seconds() / 86_400
    mean = math.radians((357.528 + 0.9856003 * days) % 360)
    longitude = math.radians(
        (280.460 + 0.9856474 * days + 1.915 * math.sin(mean) + 0.020 * math.sin(2 * mean)) % 360
    )
    tilt = math.radians(23.439 - 4e-7 * days)
    right_ascension = math.atan2(math.cos(tilt) * math.sin(longitude), math.cos(longitude))
    declination = math.asin(math.sin(tilt) * math.sin(longitude))
    sidereal = math.radians((280.46062 + 360.98564737 * days + place[1]) % 360)
    hour, lat = sidereal - right_ascension, math.radians(place[0])
    up = math.sin(lat) * math.sin(declination)
    up += math.cos(lat) * math.cos(declination) * math.cos(hour)
    east = -math.cos(declination) * math.sin(hour)
    north = math.cos(lat) * math.sin(declination)
    north -= math.sin(lat) * math.cos(declination) * math.cos(hour)
    bearing = math.degrees(math.atan2(east, north)) % 360
    return Sun(bearing, math.degrees(math.asin(max(-1.0, min(1.0, up)))))
