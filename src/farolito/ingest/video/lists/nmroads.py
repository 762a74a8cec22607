"""New Mexico's NMRoads, `GetCameraInfo`: JSON, or JSONP where a callback was asked for.

`{"cameraInfo": [{name, title, enabled, lat, lon, grouping, snapshotFile, videoServer,
sdpFileHighRes}]}`. `name` is the key. The picture is `snapshotFile` as it is: the service's own
`GetCameraImage` makes it smaller. Stills are plain http. `videoServer` speaks a protocol of its own
player and is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from farolito.ingest.video.entry import Cells, RowFault
from farolito.ingest.video.lists.json_text import items_at, json_whole, text_at
from farolito.model import OwnerKind

NAME: Final = "nmroads"
OWNER: Final = ("nmdot", "New Mexico Department of Transportation", OwnerKind.TRAFFIC)
TERMS: Final = {
    "attribution": "NMRoads, New Mexico Department of Transportation",
    "may_record": "no",
    "terms": "traffic pictures; not recorded",
    "period_s": "15",
}
_JSONP = re.compile(rb"\s*[\w$.]{1,100}\s*\(", re.ASCII)


def rows(body: bytes) -> Iterator[tuple[int, Cells | RowFault]]:
    """Raises Rejected for the list as a whole."""
    items = items_at(json_whole(_without_callback(body)), "cameraInfo")
    for number, item in enumerate(items, 1):
        try:
            yield number, _cells(item)
        except RowFault as fault:
            yield number, fault


def _without_callback(body: bytes) -> bytes:
    """`callback({…});` as `{…}`."""
    found = _JSONP.match(body)
    if found is None:
        return body
    inner = body[found.end() :].rstrip().removesuffix(b";").rstrip()
    return inner.removesuffix(b")")


def _cells(item: object) -> Cells:
    if not isinstance(item, dict):
        raise RowFault("not_a_row", "this is no JSON object")
    return {
        "key": text_at(item, "name"),
        "name": text_at(item, "title"),
        "lat": text_at(item, "lat"),
        "lon": text_at(item, "lon"),
        "site": text_at(item, "grouping"),
        "main_url": text_at(item, "snapshotFile"),
        "in_service": text_at(item, "enabled"),
    }
