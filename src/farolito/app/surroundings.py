"""What the map tells: the street, the crossing, the way there, who is near and what watches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from heapq import nsmallest
from math import cos, radians

from farolito.briefing import Around, Eye, Near, Spot
from farolito.briefing.known import POSITION_OLD
from farolito.geo.distance import distance_m
from farolito.geo.geocode import Geocoder, Whereabouts
from farolito.geo.road_graph import RoadGraph
from farolito.geo.street_map import StreetMap
from farolito.model import Device, DeviceId, Point, Unit

NEAR_LOOKED_AT = 24  # by road, of those nearest in a straight line: a river is rarely wider
NEAR_TOLD = 3
EYE_M_MAX = 400.0  # a camera farther away does not show the place
CROSSING_WITHIN_M = 20.0  # a found crossing's place: the junction itself
ADDRESS_WITHIN_M = 30.0  # a found address: the house, or its share of the block
MISSPELT_WITHIN_M = 150.0  # found only by forgiving the spelling: about there
UNLIKE_MISSPELT = 2
_WINDS = {
    "N": "north", "NE": "northeast", "E": "east", "SE": "southeast", "S": "south",
    "SW": "southwest", "W": "west", "NW": "northwest",
}  # fmt: skip


class MapSurroundings:
    """Made of a street map and the registered devices; either may be missing.

    It is the briefing's `Surroundings` and dispatch's `Streets`: every answer is None, or empty,
    where there is no map.
    """

    def __init__(self, devices: Mapping[DeviceId, Device]) -> None:
        self.devices = devices
        self.seen_by: Callable[[Point], Eye | None] = _by_none
        self.use(None)

    def use(self, street_map: StreetMap | None) -> None:
        """Take another street map, or none."""
        self._graph = RoadGraph(street_map) if street_map else None
        self._geocoder = Geocoder(street_map) if street_map else None

    def around(
        self,
        place: Point | None,
        within_m: float | None,
        unit: Unit,
        units: Sequence[Unit],
        now: datetime,
    ) -> Around:
        """What is known of a place, for one unit on its way there."""
        readers = {device_id: device.name for device_id, device in self.devices.items()}
        if place is None:
            return Around(readers=readers)
        way = None
        if unit.place is not None and _is_fresh(unit, now):
            way = self.road(unit.place, place)
        return Around(
            spot=self.spot(place, within_m),
            eta_s=way[1] if way else None,
            near=self.nearest(place, [u for u in units if u.unit_id != unit.unit_id], now),
            eye=self.eye(place),
            readers=readers,
        )

    def spot(self, place: Point, within_m: float | None = None) -> Spot | None:
        if self._geocoder is None:
            return None
        told = self._geocoder.describe((place.lat, place.lon), within_m)
        return None if told is None else _spot(told)

    def place_of_device(self, device_id: DeviceId) -> Point | None:
        device = self.devices.get(device_id)
        return device.place if device else None

    def readers(self) -> list[Point]:
        """Where our own plate readers stand; those in cars stand nowhere."""
        found = self.devices.values()
        return [d.place for d in found if d.kind == "plate_reader" and d.place is not None]

    def road(self, a: Point, b: Point) -> tuple[float, float] | None:
        """Metres and seconds from `a` to `b` on the road graph."""
        if self._graph is None:
            return None
        route = self._graph.route((a.lat, a.lon), (b.lat, b.lon))
        return None if route is None else (route.metres, route.seconds)

    def find(self, address: str) -> tuple[Point, float] | None:
        """A place for an address and the radius that holds it; None where the map has none.

        Several places of one text are only told as far as they lie apart: never one of them as
        if it were sure.
        """
        found = self._geocoder.find(address) if self._geocoder is not None else []
        best = [f for f in found if f.unlikeness == found[0].unlikeness]
        if not best:
            return None
        first = best[0]
        apart_m = max(distance_m(first.at, other.at) for other in best)
        within_m = CROSSING_WITHIN_M if first.kind == "crossing" else ADDRESS_WITHIN_M
        if first.unlikeness >= UNLIKE_MISSPELT:
            within_m = MISSPELT_WITHIN_M
        return Point(*first.at), within_m + apart_m

    def describe(self, place: Point) -> str | None:
        if self._geocoder is None:
            return None
        told = self._geocoder.describe((place.lat, place.lon))
        return None if told is None else told.text

    @property
    def graph(self) -> RoadGraph | None:
        """The roads; None where there is no map."""
        return self._graph

    def nearest(
        self, place: Point, units: Sequence[Unit], now: datetime, told: int = NEAR_TOLD
    ) -> list[Near]:
        """Units that could come, the soonest by road first, then those no road leads from.

        Only believed positions of the last minutes count, and no undercover unit is named.
        """
        to = (place.lat, place.lon)
        shrink = cos(radians(place.lat))  # a degree of longitude, in degrees of latitude

        def square(unit: Unit) -> float:
            """Enough to rank by, at a tenth of the haversine's cost for 2,000 units."""
            assert unit.place is not None
            east = (unit.place.lon - place.lon) * shrink
            north = unit.place.lat - place.lat
            return east * east + north * north

        could = [u for u in units if u.place is not None and not u.muted and _is_fresh(u, now)]
        looked_at = [
            (distance_m(to, (u.place.lat, u.place.lon)), u.unit_id, u)
            for u in nsmallest(NEAR_LOOKED_AT, could, key=square)
            if u.place is not None
        ]
        by_road: dict[int, float] = {}
        if self._graph is not None:
            starts = [(u.place.lat, u.place.lon) for _, _, u in looked_at if u.place]
            by_road = dict(self._graph.nearest(to, starts, told))
        soonest = [
            Near(unit=looked_at[i][2], seconds=seconds, metres=looked_at[i][0])
            for i, seconds in by_road.items()
        ]
        rest = [
            Near(unit=unit, seconds=None, metres=metres)
            for i, (metres, _, unit) in enumerate(looked_at)
            if i not in by_road
        ]
        return (soonest or rest)[:told]

    def eye(self, place: Point) -> Eye | None:
        """The camera that sees the place best, else what stands nearest: camera or plate reader."""
        if (best := self.seen_by(place)) is not None:
            return best
        near = [
            Eye(
                name=device.name,
                kind=device.kind,
                metres=distance_m((place.lat, place.lon), (device.place.lat, device.place.lon)),
            )
            for device in self.devices.values()
            if device.place is not None and device.kind in ("camera", "plate_reader")
        ]
        seeing = [eye for eye in near if eye.metres <= EYE_M_MAX]
        return min(seeing, key=lambda eye: (eye.kind != "camera", eye.metres), default=None)


def _by_none(_: Point) -> Eye | None:
    return None


def _is_fresh(unit: Unit, now: datetime) -> bool:
    if unit.heard_at is None or unit.doubt is not None:
        return False
    return now - unit.heard_at <= POSITION_OLD


def _spot(told: Whereabouts) -> Spot:
    """A corner's way from the crossing is its side: said once."""
    at_crossing = told.from_cross is None or f"{told.side} corner" in told.text
    away_m = None if at_crossing else told.from_cross_m
    return Spot(
        street=told.street,
        cross=told.cross,
        from_cross_m=None if away_m is None else max(10, round(away_m / 10) * 10),
        from_cross=None if at_crossing else _WINDS[told.from_cross or ""],
        side=None if told.side is None else _WINDS[told.side],
    )
