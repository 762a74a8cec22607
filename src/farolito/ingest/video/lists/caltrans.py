"""Caltrans CWWP2, `cctvStatusDnn.json`, one file a district (Commercial Wholesale Web Portal).

`{"data": [{"cctv": {index, recordTimestamp, location{district, locationName, nearbyPlace,
latitude, longitude, direction, route}, inService, imageData{streamingVideoURL,
static{currentImageUpdateFrequency, currentImageURL}}}}]}`. All values are texts, and "Not Reported"
stands for nothing. The key is (district, index). Frequencies are minutes. `direction` is the
road's: it does not say which way the camera looks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from farolito.ingest.video.entry import Cells, RowFault
from farolito.ingest.video.lists.json_text import at_path, items_at, json_whole, text_at
from farolito.model import OwnerKind

NAME: Final = "caltrans"
OWNER: Final = ("caltrans", "California Department of Transportation", OwnerKind.TRAFFIC)
TERMS: Final = {
    "attribution": "California Department of Transportation (Caltrans)",
    "may_record": "no",
    "terms": "traffic pictures; not recorded; conditions of use at dot.ca.gov",
}
_NOTHING = {"", "not reported"}


def rows(body: bytes) -> Iterator[tuple[int, Cells | RowFault]]:
    """Raises Rejected for the list as a whole."""
    for number, item in enumerate(items_at(json_whole(body), "data"), 1):
        try:
            yield number, _cells(at_path(item, "cctv"))
        except RowFault as fault:
            yield number, fault


def _cells(cctv: object) -> Cells:
    if not isinstance(cctv, dict):
        raise RowFault("not_a_row", "this is no cctv object")
    district, index = _text(cctv, "location.district"), _text(cctv, "index")
    if not district or not index:
        raise RowFault("no_key", "district or index is missing", "key")
    road = " ".join(
        filter(None, (_text(cctv, "location.route"), _text(cctv, "location.direction")))
    )
    name = _text(cctv, "location.locationName") or _text(cctv, "location.nearbyPlace")
    still = _text(cctv, "imageData.static.currentImageURL")
    return {
        "key": f"d{district.lstrip('0') or '0'}-{index}",
        "name": name or road,
        "lat": _text(cctv, "location.latitude"),
        "lon": _text(cctv, "location.longitude"),
        "main_url": _text(cctv, "imageData.streamingVideoURL") or still,
        "snapshot_url": still,
        "period_s": _seconds(_text(cctv, "imageData.static.currentImageUpdateFrequency")),
        "in_service": _text(cctv, "inService"),
    }


def _text(cctv: dict[str, object], path: str) -> str:
    text = text_at(cctv, path).strip()
    return "" if text.lower() in _NOTHING else text


def _seconds(minutes: str) -> str:
    known = minutes.isascii() and minutes.isdigit() and len(minutes) <= 4
    return str(60 * int(minutes)) if known else ""
