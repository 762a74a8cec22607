"""Places of the practice metro as callers name them: house numbers and crossings."""

from __future__ import annotations

import math
import random
from collections import defaultdict

import msgspec
import numpy as np

from farolito.geo import Plane, RoadGraph, bearing_deg
from farolito.geo.street_map import LatLon, Segment, StreetMap
from farolito.simulator.metro import metres

CITY_M = 4_400.0  # north and south of it is the pueblos' land
_WEIGHT = {"arterial": 2, "collector": 1, "local": 0}
_WINDS = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")


class Spot(msgspec.Struct, frozen=True):
    """`address` as a dispatcher types it, and the middle of the house or crossing."""

    address: str
    at: LatLon
    is_crossing: bool


class Leaving(msgspec.Struct, frozen=True):
    """Which way somebody goes: in words, from north, and a place some way along."""

    says: str
    heading_deg: float
    at: LatLon


class Addresses:
    """All spots of the city, and those on the pueblos' land apart."""

    def __init__(self, street_map: StreetMap, graph: RoadGraph) -> None:
        self._graph = graph
        self._segments = street_map.segments
        self._at = {n.node_id: n.at for n in street_map.nodes}
        self._names: dict[int, dict[str, int]] = defaultdict(dict)
        for segment in street_map.segments:
            if segment.name and segment.kind in _WEIGHT and "Ramp" not in segment.name:
                for node in (segment.start, segment.end):
                    self._names[node][segment.name] = _WEIGHT[segment.kind]
        spots = [*self._crossings(), *_houses(street_map)]
        self.city = [s for s in spots if abs(metres(s.at)[1]) < CITY_M]
        self.tribal = [s for s in spots if abs(metres(s.at)[1]) > CITY_M + 300]
        self._xy = np.array([metres(s.at) for s in self.city])

    def _crossings(self) -> list[Spot]:
        return [
            Spot(" @ ".join(self._by_weight(node)[:2]), self._at[node], True)
            for node, names in self._names.items()
            if len(names) > 1
        ]

    def _by_weight(self, node: int) -> list[str]:
        names = self._names[node]
        return sorted(names, key=lambda name: (-names[name], name))

    def any(self, chance: random.Random) -> Spot:
        return chance.choice(self.city)

    def on_tribal_land(self, chance: random.Random) -> Spot:
        return chance.choice(self.tribal)

    def near(self, at: LatLon, metres_away: tuple[float, float]) -> list[Spot]:
        """All spots of the city so far away, in the order of the list."""
        away = np.hypot(*(self._xy - np.array(metres(at))).T)
        found = np.nonzero((away >= metres_away[0]) & (away <= metres_away[1]))[0]
        return [self.city[i] for i in found.tolist()]

    def leaving(self, at: LatLon, toward_deg: float | None, chance: random.Random) -> Leaving:
        """Along the street there, the way that lies nearer to `toward_deg`, else either."""
        snap = self._graph.snap(at)
        if snap is None:
            heading = toward_deg if toward_deg is not None else chance.uniform(0, 360)
            return Leaving(f"heading {_wind(heading)}", round(heading), at)
        segment = self._segments[snap.segment]
        forward = bearing_deg(segment.line[0], segment.line[-1])
        ways = ((forward, segment.end), ((forward + 180) % 360, segment.start))
        if toward_deg is None:
            heading, node = chance.choice(ways)
        else:
            heading, node = min(ways, key=lambda way: turned_deg(way[0], toward_deg))
        return Leaving(self._words(segment, heading, node), round(heading), self._at[node])

    def _words(self, segment: Segment, heading: float, node: int) -> str:
        across = [name for name in self._by_weight(node) if name != segment.name]
        toward = f" toward {across[0]}" if across else ""
        return f"{_wind(heading)} on {segment.name}{toward}"


def turned_deg(a: float, b: float) -> float:
    """Between two directions, 0…180."""
    return abs((a - b + 180) % 360 - 180)


def moved(at: LatLon, metres_away: float, bearing: float) -> LatLon:
    plane = Plane(at)
    angle = math.radians(bearing)
    lat, lon = plane.to_degrees((metres_away * math.sin(angle), metres_away * math.cos(angle)))
    return round(lat, 6), round(lon, 6)


def _houses(street_map: StreetMap) -> list[Spot]:
    found = []
    for building in street_map.buildings:
        if building.address:
            ring = building.ring[:-1]
            lat, lon = (sum(p[i] for p in ring) / len(ring) for i in (0, 1))
            found.append(Spot(building.address, (round(lat, 6), round(lon, 6)), False))
    return found


def _wind(heading: float) -> str:
    return f"{_WINDS[round(heading / 45) % 8]}bound"
