"""Distances and directions on Earth, and a flat plane around one place.

Positions are (lat, lon) in WGS 84 degrees; metres and degrees from north otherwise.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from farolito.geo.street_map import LatLon

EARTH_RADIUS_M = 6_371_008.8  # mean radius R1 of GRS 80 (Moritz 2000)
_WGS84_A_M = 6_378_137.0
_WGS84_E2 = 6.694_379_990_14e-3
_COMPASS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")

XY = tuple[float, float]  # metres east and north of a plane's origin


def distance_m(a: LatLon, b: LatLon) -> float:
    """Great-circle distance by the haversine formula; within 0.56 % of the ellipsoid's."""
    lat_a, lat_b = math.radians(a[0]), math.radians(b[0])
    half_lat = math.sin((lat_b - lat_a) / 2)
    half_lon = math.sin(math.radians(b[1] - a[1]) / 2)
    h = half_lat * half_lat + math.cos(lat_a) * math.cos(lat_b) * half_lon * half_lon
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, h)))


def bearing_deg(a: LatLon, b: LatLon) -> float:
    """Initial bearing from `a` to `b`, 0 ≤ degrees < 360, from north by east; 0 where a is b."""
    lat_a, lat_b = math.radians(a[0]), math.radians(b[0])
    d_lon = math.radians(b[1] - a[1])
    east = math.sin(d_lon) * math.cos(lat_b)
    north = math.cos(lat_a) * math.sin(lat_b) - math.sin(lat_a) * math.cos(lat_b) * math.cos(d_lon)
    # A tiny negative angle rounds up to 360 itself.
    return math.degrees(math.atan2(east, north)) % 360 % 360


def compass(bearing: float) -> str:
    """The nearest of the eight winds as people say it: `NE`."""
    return _COMPASS[round(bearing / 45) % 8]


class Plane:
    """Local metres around an origin, east and north.

    Uses the ellipsoid's radii of curvature at the origin (Torge, Geodesy, section 4.1), so a
    metre is a metre to about 1 in 1,000 within 50 km; a metro is not larger.
    """

    __slots__ = ("_east_m_per_deg", "_north_m_per_deg", "origin")

    def __init__(self, origin: LatLon) -> None:
        self.origin = origin
        lat = math.radians(origin[0])
        w2 = 1 - _WGS84_E2 * math.sin(lat) ** 2
        meridian_m = _WGS84_A_M * (1 - _WGS84_E2) / w2**1.5
        prime_vertical_m = _WGS84_A_M / math.sqrt(w2)
        self._north_m_per_deg = math.radians(meridian_m)
        self._east_m_per_deg = math.radians(prime_vertical_m * math.cos(lat))

    def to_m(self, at: LatLon) -> XY:
        lat, lon = self.origin
        return (at[1] - lon) * self._east_m_per_deg, (at[0] - lat) * self._north_m_per_deg

    def to_degrees(self, xy: XY) -> LatLon:
        lat, lon = self.origin
        return lat + xy[1] / self._north_m_per_deg, lon + xy[0] / self._east_m_per_deg


class Foot(NamedTuple):
    """The point of a segment nearest to a place: how far off, and where along (0…1)."""

    off_m: float
    fraction: float
    at: XY


def point_to_segment(point: XY, start: XY, end: XY) -> Foot:
    dx, dy = end[0] - start[0], end[1] - start[1]
    length2 = dx * dx + dy * dy
    along = 0.0
    if length2 > 0:
        along = ((point[0] - start[0]) * dx + (point[1] - start[1]) * dy) / length2
        along = min(1.0, max(0.0, along))
    foot = (start[0] + along * dx, start[1] + along * dy)
    return Foot(math.hypot(point[0] - foot[0], point[1] - foot[1]), along, foot)
