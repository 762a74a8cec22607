"""Which zone of the city a place lies in: a beat of the agency's, or a square as in an atlas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import cos, floor, radians
from typing import Any

import msgspec

from farolito.geo.distance import XY
from farolito.model import Invalid, Point

SQUARE_M = 1000.0
OUTSIDE = "outside"
BEATS_MAX = 2_000
CORNERS_MAX = 500_000
NAME_CHARACTERS_MAX = 60
NAMED_BY = ("name", "beat", "district", "zone", "id")  # the properties that may hold a beat's name
_DEGREE_M = 111_320.0
_CORNER_DEGREES = 0.1  # an atlas begins at a whole tenth, so that one more sensor moves no name
_LETTERS = 26

Ring = tuple[XY, ...]  # (lon, lat), as GeoJSON has it; a plane is good enough for a border


class Beat(msgspec.Struct, frozen=True):
    """`polygons`: each an outer ring and its holes."""

    name: str
    polygons: tuple[tuple[Ring, ...], ...]

    def holds(self, place: Point) -> bool:
        at = (place.lon, place.lat)
        return any(
            _is_inside(at, rings[0]) and not any(_is_inside(at, hole) for hole in rings[1:])
            for rings in self.polygons
        )


class Beats:
    """The agency's own zones. Where two overlap the first counts; beside all is `OUTSIDE`."""

    def __init__(self, beats: Sequence[Beat]) -> None:
        self._beats = [(_box(beat), beat) for beat in beats]

    @classmethod
    def of_geojson(cls, content: bytes) -> Beats:
        """Of a FeatureCollection (RFC 7946) of polygons, each with a name in its properties.

        Raises Invalid that says which feature is wrong and how.
        """
        try:
            told = msgspec.json.decode(content)
            features = told["features"]
        except (msgspec.DecodeError, KeyError, TypeError) as why:
            raise Invalid("the beats are no GeoJSON FeatureCollection", "export them anew") from why
        if not isinstance(features, list) or not 0 < len(features) <= BEATS_MAX:
            raise Invalid("a file of beats without a beat, or with too many", f"1 to {BEATS_MAX}")
        return cls([_beat(number, one) for number, one in enumerate(features, 1)])

    @property
    def names(self) -> list[str]:
        return [beat.name for _, beat in self._beats]

    def zone(self, place: Point) -> str:
        for (west, south, east, north), beat in self._beats:
            if west <= place.lon <= east and south <= place.lat <= north and beat.holds(place):
                return beat.name
        return OUTSIDE


class Atlas:
    """Squares of 1 km from a north-west corner: letters to the east, numbers to the south."""

    def __init__(self, corner: Point) -> None:
        self._corner = corner
        self._east_m_per_deg = _DEGREE_M * cos(radians(corner.lat))

    @classmethod
    def around(cls, places: Iterable[Point]) -> Atlas:
        """An atlas that holds these: it begins at the next whole tenth of a degree north-west."""
        known = list(places)
        if not known:
            raise Invalid("an atlas of nowhere", "name a place of the city")
        lat = floor(max(p.lat for p in known) / _CORNER_DEGREES + 1) * _CORNER_DEGREES
        lon = floor(min(p.lon for p in known) / _CORNER_DEGREES) * _CORNER_DEGREES
        return cls(Point(round(min(lat, 90.0), 6), round(max(lon, -180.0), 6)))

    def zone(self, place: Point) -> str:
        column = floor((place.lon - self._corner.lon) * self._east_m_per_deg / SQUARE_M)
        row = floor((self._corner.lat - place.lat) * _DEGREE_M / SQUARE_M)
        if column < 0 or row < 0 or column >= _LETTERS * _LETTERS + _LETTERS:
            return OUTSIDE
        return f"{_letters(column)}{row + 1}"


def _letters(column: int) -> str:
    """A … Z, AA … ZZ."""
    first, last = divmod(column, _LETTERS)
    return (chr(ord("A") + first - 1) if first else "") + chr(ord("A") + last)


def _beat(number: int, feature: Any) -> Beat:
    name = _name(feature)
    if name is None:
        raise Invalid(f"beat {number} has no name", f"give it one of {', '.join(NAMED_BY)}")
    geometry = feature.get("geometry")
    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    if kind not in {"Polygon", "MultiPolygon"}:
        raise Invalid(f"beat {name} is no polygon", "give its border")
    coordinates = geometry.get("coordinates")
    try:
        several = [coordinates] if kind == "Polygon" else coordinates
        polygons = tuple(tuple(_ring(ring) for ring in polygon) for polygon in several)
    except (TypeError, ValueError, IndexError) as why:
        raise Invalid(f"the border of beat {name} cannot be read", "longitude, latitude") from why
    if not polygons or not all(polygons):
        raise Invalid(f"beat {name} has no border", "give at least one ring")
    if sum(len(ring) for rings in polygons for ring in rings) > CORNERS_MAX:
        raise Invalid(f"beat {name} has too many corners", f"at most {CORNERS_MAX}")
    return Beat(name, polygons)


def _name(feature: Any) -> str | None:
    if not isinstance(feature, Mapping):
        return None
    properties = feature.get("properties")
    told = {str(key).lower(): value for key, value in (properties or {}).items()}
    for key in NAMED_BY:
        name = str(told.get(key) or "").strip()
        if name:
            return name[:NAME_CHARACTERS_MAX]
    return None


def _ring(ring: Any) -> Ring:
    corners = tuple((float(corner[0]), float(corner[1])) for corner in ring)
    if len(corners) < 3:
        raise ValueError("a ring of fewer than three corners")
    if not all(-180 <= lon <= 180 and -90 <= lat <= 90 for lon, lat in corners):
        raise ValueError("a corner that is not on Earth")
    return corners


def _box(beat: Beat) -> tuple[float, float, float, float]:
    corners = [corner for rings in beat.polygons for corner in rings[0]]
    lons, lats = [lon for lon, _ in corners], [lat for _, lat in corners]
    return min(lons), min(lats), max(lons), max(lats)


def _is_inside(at: XY, ring: Ring) -> bool:
    """By the even-odd rule: how often a ray to the east crosses the border."""
    x, y = at
    inside = False
    before = ring[-1]
    for corner in ring:
        if (corner[1] > y) != (before[1] > y):
            share = (y - corner[1]) / (before[1] - corner[1])
            if x < corner[0] + share * (before[0] - corner[0]):
                inside = not inside
        before = corner
    return inside
