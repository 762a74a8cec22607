"""ArcGIS FeatureServer, `…/FeatureServer/0/query?where=1=1&outFields=*&outSR=4326&f=json`.

Esri's "Feature Service query" gives `features[{attributes, geometry{x, y}}]`. Fields differ by
agency, so a mapping names them: the attributes by their names, `lat` and `lon` from the shape.
Two traps: without `outSR=4326` a server answers in metres (web Mercator), and a long list comes in
pages, of which each says `exceededTransferLimit`.
"""

from __future__ import annotations

from typing import Any

from farolito.ingest.video.lists.json_text import at_path, items_at
from farolito.model import Rejected

_DEGREES = (4326, 4269)  # WGS 84, NAD 83: the same to a metre


def features(whole: Any) -> list[Any]:
    """Attributes with the place, one dict a feature. Raises Rejected."""
    error = at_path(whole, "error.message")
    if error is not None:
        says = f"the server answered with an error: {str(error)[:200]}"
        raise Rejected("server_error", says, "open the query in a browser and mend it")
    found = items_at(whole, "features")
    spatial = at_path(whole, "spatialReference")
    wkid = spatial.get("latestWkid", spatial.get("wkid")) if isinstance(spatial, dict) else None
    if wkid is not None and wkid not in _DEGREES and any(_has_place(row) for row in found):
        says = f"the places are in reference system {str(wkid)[:20]}, not in degrees"
        raise Rejected("not_degrees", says, "add outSR=4326 to the query")
    if at_path(whole, "exceededTransferLimit") is True:
        says = "this is one page of the list, and there are more"
        do = "fetch all pages (resultOffset), and put their features into one"
        raise Rejected("incomplete_list", says, do)
    return [_row(feature) for feature in found]


def _has_place(feature: Any) -> bool:
    return isinstance(feature, dict) and isinstance(feature.get("geometry"), dict)


def _row(feature: Any) -> Any:
    if not isinstance(feature, dict) or not isinstance(feature.get("attributes"), dict):
        return None
    row: dict[str, Any] = dict(feature["attributes"])
    if _has_place(feature) and "x" in feature["geometry"]:
        row |= {"lon": feature["geometry"]["x"], "lat": feature["geometry"].get("y")}
    return row
