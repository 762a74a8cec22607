"""Whose land a place is on.

Every plate read is asked, so a place far from all land must cost next to nothing: boxes first,
then the border by the even-odd rule. Without any land it is one look at an empty list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from farolito.geo.zones import Beat
from farolito.model import Point, Zone


class Lands:
    """Named lands, each of some rings. Where two overlap the first named counts."""

    def __init__(self, lands: Mapping[str, Sequence[Zone]]) -> None:
        self._lands = [(_box(zone), _beat(owner, zone)) for owner in lands for zone in lands[owner]]

    def __bool__(self) -> bool:
        return bool(self._lands)

    def owner(self, place: Point) -> str | None:
        """Whose land it is; None: nobody's who named any."""
        for (west, south, east, north), land in self._lands:
            if west <= place.lon <= east and south <= place.lat <= north and land.holds(place):
                return land.name
        return None


def _beat(owner: str, zone: Zone) -> Beat:
    return Beat(owner, ((tuple((p.lon, p.lat) for p in zone.ring),),))


def _box(zone: Zone) -> tuple[float, float, float, float]:
    lons, lats = [p.lon for p in zone.ring], [p.lat for p in zone.ring]
    return min(lons), min(lats), max(lons), max(lats)
