"""What the map tells a brief: the street, the crossing, the way there, who is near."""

from __future__ import annotations

from collections.abc import Mapping

from farolito.briefing import Around
from farolito.geo.distance import distance_m
from farolito.geo.geocode import Geocoder
from farolito.geo.road_graph import RoadGraph
from farolito.geo.street_map import StreetMap
from farolito.model import Alert, Device, DeviceId, Point, Unit


class MapSurroundings:
    """Made of a street map and the registered readers; either may be missing."""

    def __init__(self, devices: Mapping[DeviceId, Device]) -> None:
        self.devices = devices
        self.use(None)

    def use(self, street_map: StreetMap | None) -> None:
        """Take another street map, or none."""
        self._graph = RoadGraph(street_map) if street_map else None
        self._geocoder = Geocoder(street_map) if street_map else None

    def around(self, alert: Alert, unit: Unit, units: list[Unit]) -> Around:
        read = alert.newest
        device = self.devices.get(read.reader)
        place = read.place or (device.place if device else None)
        others = [
            (other, _metres(place, other.place))
            for other in units
            if other.unit_id != unit.unit_id and other.place and place
        ]
        return Around(
            place=self._describe(place, device),
            reader=device.name if device else str(read.reader),
            eta_s=self._eta_s(unit.place, place),
            others=sorted(others, key=lambda pair: pair[1]),
        )

    def _describe(self, place: Point | None, device: Device | None) -> str:
        if place is not None and self._geocoder is not None:
            described = self._geocoder.describe((place.lat, place.lon))
            if described:
                return described.text
        return device.name if device else "place not known"

    def _eta_s(self, start: Point | None, end: Point | None) -> float | None:
        if self._graph is None or start is None or end is None:
            return None
        route = self._graph.route((start.lat, start.lon), (end.lat, end.lon))
        return route.seconds if route else None


def _metres(a: Point | None, b: Point | None) -> float:
    assert a is not None
    assert b is not None
    return distance_m((a.lat, a.lon), (b.lat, b.lon))
