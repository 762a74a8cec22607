"""OpenStreetMap's tags in our words, the same for XML and PBF.

Keys and values: wiki.openstreetmap.org, pages Key:highway, Key:oneway, Key:maxspeed,
Simple 3D Buildings. Data are © OpenStreetMap contributors, ODbL 1.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from farolito.geo import Area, Building, Landmark, LatLon
from farolito.geo.street_map import AreaKind, LandmarkKind, StreetKind
from farolito.ingest.map.features import Features, Ring, Street, rings_closed

SOURCE = "OpenStreetMap contributors, ODbL 1.0"

_STREETS: dict[str, StreetKind] = {
    "motorway": "motorway", "motorway_link": "motorway",
    "trunk": "arterial", "trunk_link": "arterial",
    "primary": "arterial", "primary_link": "arterial",
    "secondary": "arterial", "secondary_link": "arterial",
    "tertiary": "collector", "tertiary_link": "collector",
    "unclassified": "local", "residential": "local", "living_street": "local",
    "service": "local", "road": "local",
    "footway": "path", "path": "path", "cycleway": "path", "pedestrian": "path",
    "steps": "path", "track": "path", "bridleway": "path",
}  # fmt: skip
_SPEEDS_MPS = {"service": 6.7, "living_street": 4.5, "motorway_link": 15.6}
_ONEWAY: dict[str, Literal[-1, 0, 1]] = {
    "yes": 1, "true": 1, "1": 1, "-1": -1, "reverse": -1, "no": 0, "false": 0, "0": 0,
}  # fmt: skip
_AREAS: dict[tuple[str, str], AreaKind] = {
    ("leisure", "park"): "park",
    ("leisure", "nature_reserve"): "open_space",
    ("landuse", "recreation_ground"): "park",
    ("boundary", "protected_area"): "open_space",
    ("boundary", "aboriginal_lands"): "tribal",
    ("amenity", "university"): "university",
    ("amenity", "college"): "university",
    ("natural", "water"): "river",
    ("waterway", "riverbank"): "river",
}
_LEVELS: dict[str, AreaKind] = {"6": "county", "8": "city"}  # admin_level in the United States
_LANDMARKS: dict[tuple[str, str], LandmarkKind] = {
    ("highway", "traffic_signals"): "signal",
    ("highway", "street_lamp"): "pole",
    ("power", "pole"): "pole",
    ("man_made", "utility_pole"): "pole",
    ("amenity", "school"): "school",
    ("amenity", "hospital"): "hospital",
    ("amenity", "police"): "station",
}
_FIRST_NUMBER = re.compile(r"\d+(?:\.\d+)?")
STOREY_M = 3.0
HEIGHT_M = 5.0  # a building whose height nobody has written down
HEIGHT_M_MAX = 1_000.0  # nothing built is taller: a slip of the mapper, so the default is taken


def take_line(features: Features, tags: Mapping[str, str], line: Sequence[LatLon]) -> None:
    """A way that is a line: a street, or nothing to us."""
    kind = _STREETS.get(tags.get("highway", ""))
    if kind is None or tags.get("area") == "yes":
        return
    if len(line) < 2:
        features.skipped["street without two points"] += 1
        return
    features.add(
        Street(
            name=tags.get("name") or tags.get("ref") or "",
            kind=kind,
            line=tuple(line),
            oneway=_oneway(tags),
            speed_mps=_speed_mps(tags),
            lanes=int(_number(tags.get("lanes")) or 1),
        )
    )


def take_rings(features: Features, tags: Mapping[str, str], rings: Iterable[Ring]) -> None:
    """A closed way or a multipolygon's outer rings: an area, a building, or a landmark's site."""
    closed = list(rings_closed(rings))
    if not closed:
        return
    kind = _area_kind(tags)
    if kind is not None:
        for ring in closed:
            features.add(Area(tags.get("name", ""), kind, ring))
    if tags.get("building", "no") != "no":
        for ring in closed:
            features.add(Building(ring, _height_m(tags), _address(tags)))
    take_point(features, tags, _middle(closed[0]))


def take_point(features: Features, tags: Mapping[str, str], at: LatLon) -> None:
    for (key, value), kind in _LANDMARKS.items():
        if tags.get(key) == value:
            features.add(Landmark(tags.get("name", ""), kind, at))
            return


def is_wanted(tags: Mapping[str, str]) -> bool:
    """Whether a closed way or relation can be anything to us as an area."""
    wanted = {key for key, _ in (*_AREAS, *_LANDMARKS)} | {"building"}
    return not wanted.isdisjoint(tags)


def _oneway(tags: Mapping[str, str]) -> Literal[-1, 0, 1]:
    told = _ONEWAY.get(tags.get("oneway", ""))
    if told is not None:
        return told
    implied = tags.get("highway") in {"motorway", "motorway_link"}
    return 1 if implied or tags.get("junction") in {"roundabout", "circular"} else 0


def _speed_mps(tags: Mapping[str, str]) -> float | None:
    """`maxspeed`: km/h unless it says mph (Key:maxspeed); words like `walk` are not numbers."""
    text = tags.get("maxspeed", "")
    number = _number(text)
    if number is None or not 1 <= number <= 200:
        return _SPEEDS_MPS.get(tags["highway"])
    return number * (0.44704 if "mph" in text else 1 / 3.6)


def _area_kind(tags: Mapping[str, str]) -> AreaKind | None:
    if tags.get("boundary") == "administrative":
        return _LEVELS.get(tags.get("admin_level", ""))
    return next((kind for (key, value), kind in _AREAS.items() if tags.get(key) == value), None)


def _height_m(tags: Mapping[str, str]) -> float:
    height = _number(tags.get("height"))
    if height is not None and "'" in tags["height"]:
        height *= 0.3048
    if height is None:
        storeys = _number(tags.get("building:levels"))
        height = HEIGHT_M if storeys is None else storeys * STOREY_M
    return height if 0 < height <= HEIGHT_M_MAX else HEIGHT_M


def _address(tags: Mapping[str, str]) -> str | None:
    number, street = tags.get("addr:housenumber"), tags.get("addr:street")
    return f"{number} {street}" if number and street else None


def _number(text: str | None) -> float | None:
    found = _FIRST_NUMBER.search(text or "")
    return None if found is None else float(found[0])


def _middle(ring: Ring) -> LatLon:
    corners = ring[:-1]
    lats, lons = (sum(at[i] for at in corners) / len(corners) for i in (0, 1))
    return lats, lons
