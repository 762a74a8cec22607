"""Where things are and how long it takes to get there.

In: a StreetMap and (lat, lon) places. Out: distances, travel times on the road graph,
"street @ cross" for a place and a place for an address.
Never: I/O, a clock or chance; never a guess where the map says nothing (None, or no result).
"""

from farolito.geo.distance import Plane, bearing_deg, compass, distance_m, point_to_segment
from farolito.geo.geocode import Found, Geocoder, Whereabouts
from farolito.geo.road_graph import Drive, RoadGraph, Route, Snap
from farolito.geo.street_map import (
    Area,
    Building,
    Landmark,
    LatLon,
    Node,
    Segment,
    StreetMap,
    bounds_of,
)
from farolito.geo.zones import OUTSIDE, Atlas, Beats

__all__ = [
    "OUTSIDE",
    "Area",
    "Atlas",
    "Beats",
    "Building",
    "Drive",
    "Found",
    "Geocoder",
    "Landmark",
    "LatLon",
    "Node",
    "Plane",
    "RoadGraph",
    "Route",
    "Segment",
    "Snap",
    "StreetMap",
    "Whereabouts",
    "bearing_deg",
    "bounds_of",
    "compass",
    "distance_m",
    "point_to_segment",
]
