"""A city's streets as one value: what importers and the practice metro make, and maps are built of.

Positions are (lat, lon) pairs in WGS 84 degrees; lengths in metres; speeds in metres a second.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from farolito.model.errors import Invalid

LatLon = tuple[float, float]
StreetKind = Literal["motorway", "arterial", "collector", "local", "path"]
AreaKind = Literal[
    "city", "county", "tribal", "park", "open_space", "university", "old_town", "river", "beat"
]
LandmarkKind = Literal["pole", "signal", "school", "hospital", "station", "camera_mount"]


class Node(msgspec.Struct, frozen=True):
    node_id: int
    at: LatLon


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """One block of one street, from node to node, `line` digitised in that order.

    `oneway`: 1 along the line, -1 against it, 0 both. Address ranges run along the line;
    None where that side has none.
    """

    segment_id: int
    name: str
    kind: StreetKind
    start: int
    end: int
    line: tuple[LatLon, ...]
    oneway: Literal[-1, 0, 1] = 0
    speed_mps: float = 11.2
    lanes: int = 1
    left: tuple[int, int] | None = None
    right: tuple[int, int] | None = None


class Area(msgspec.Struct, frozen=True):
    """A named polygon: outer ring, closed."""

    name: str
    kind: AreaKind
    ring: tuple[LatLon, ...]


class Building(msgspec.Struct, frozen=True):
    ring: tuple[LatLon, ...]
    height_m: float
    address: str | None = None


class Landmark(msgspec.Struct, frozen=True):
    """A point that matters: a pole that can carry a device, a signal, a school."""

    name: str
    kind: LandmarkKind
    at: LatLon


class StreetMap(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    source: str  # who says so, and under which licence
    nodes: tuple[Node, ...]
    segments: tuple[Segment, ...]
    areas: tuple[Area, ...] = ()
    buildings: tuple[Building, ...] = ()
    landmarks: tuple[Landmark, ...] = ()


def bounds_of(street_map: StreetMap) -> tuple[float, float, float, float]:
    """(south, west, north, east) of the streets, degrees. Raises Invalid for a map without any."""
    points = [at for segment in street_map.segments for at in segment.line]
    if not points:
        raise Invalid("a map without streets has no bounds", "import a file with street lines")
    lats = [lat for lat, _ in points]
    lons = [lon for _, lon in points]
    return min(lats), min(lons), max(lats), max(lons)
