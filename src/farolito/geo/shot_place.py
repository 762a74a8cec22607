"""How surely a shot's place is known, as one radius: what brief, marker and incident all say."""

from __future__ import annotations

from farolito.geo.distance import distance_m
from farolito.model import Point, Shot

ROUGH_M = 50.0
"""Where a vendor tells no accuracy: twice the 25 m that contracts of the trade ask for. It widens
what may belong together and is never said to an officer as a measured radius."""


def within_m(shot: Shot) -> float | None:
    """The radius around `shot.place` that holds the true place with the ellipse's probability,
    every place among which the sensors could not choose included; None: nobody told."""
    if not shot.is_ambiguous:
        return shot.ellipse.semi_major_m if shot.ellipse else None
    return max(
        distance_m(_pair(shot.place), _pair(mode.place)) + mode.ellipse.semi_major_m
        for mode in shot.modes
    )


def is_doubtful(shot: Shot) -> bool:
    """Whether the place is less sure than a radius says: several, outside the net, or not told."""
    return shot.is_ambiguous or shot.outside_net or shot.ellipse is None


def _pair(place: Point) -> tuple[float, float]:
    return place.lat, place.lon
