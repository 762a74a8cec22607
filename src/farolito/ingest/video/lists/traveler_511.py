"""The 511 family (GA, AZ, NY, WI, UT, NV, ID, AK, LA, NC …), `/api/v2/get/cameras?format=json`.

New: `[{Id, Source, SourceId, Roadway, Direction, Latitude, Longitude, Location, SortOrder,
Views[{Id, Url, VideoUrl, Status, Description}]}]`; each view is a camera of its own.
Old (`/api/getcameras`): `[{ID, Name, DirectionOfTravel, RoadwayName, Latitude, Longitude, Url,
VideoUrl, Disabled, Blocked}]`.
`Direction` is the road's: it does not say which way the camera looks. Terms differ by state; what
all of them ask is attribution, and a placeholder picture looks fresh, so `Status` is believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from farolito.ingest.video.entry import Cells, RowFault
from farolito.ingest.video.lists.json_text import items_at, json_whole, text_at
from farolito.model import Rejected

NAME: Final = "511"
OWNER: Final = None  # one adapter for many states: whose list it is must be told
TERMS: Final = {
    "may_record": "no",
    "terms": "traffic pictures; not recorded",
    "period_s": "30",
}
VIEWS_MAX = 16  # of one site; the rest is one bad row
_OFF = {"disabled", "offline", "inactive"}


def rows(body: bytes) -> Iterator[tuple[int, Cells | RowFault]]:
    """Raises Rejected for the list as a whole."""
    if body.lstrip()[:1] == b"<":
        says = "the service answered with a page or an error, not with a list"
        raise Rejected("server_error", says, "check the key, and ask with format=json")
    for number, item in enumerate(items_at(json_whole(body), ""), 1):
        try:
            for cells in _sites(item):
                yield number, cells
        except RowFault as fault:
            yield number, fault


def _sites(item: object) -> Iterator[Cells]:
    if not isinstance(item, dict):
        raise RowFault("not_a_row", "this is no JSON object")
    views = item.get("Views")
    if not isinstance(views, list):
        yield _site(item, item, text_at(item, "ID") or text_at(item, "Id"), "")
        return
    key = text_at(item, "Id")
    for view in views[:VIEWS_MAX]:
        alone = len(views) == 1
        if not isinstance(view, dict):
            raise RowFault("not_a_row", "a view that is no JSON object")
        # With its view even where there is one: a second one tomorrow must not rename the first.
        view_id = text_at(view, "Id")
        view_key = f"{key}-{view_id}" if key and view_id else key
        yield _site(item, view, view_key, "" if alone else text_at(view, "Description"))
    if len(views) > VIEWS_MAX:
        raise RowFault("too_many_views", f"more than {VIEWS_MAX} views of one site")
    if not views:
        yield _site(item, {}, key, "")


def _site(item: dict[str, Any], view: dict[str, Any], key: str, look: str) -> Cells:
    name = text_at(item, "Location") or text_at(item, "Name") or _road(item)
    video, still = text_at(view, "VideoUrl"), text_at(view, "Url")
    return {
        "key": key,
        "name": f"{name} · {look}" if look and look not in name else name,
        "lat": text_at(item, "Latitude"),
        "lon": text_at(item, "Longitude"),
        "site": text_at(item, "Location"),
        "main_url": video or still,
        "snapshot_url": still if video else "",
        "in_service": "no" if _is_off(item) or _is_off(view) else "yes",
    }


def _road(item: dict[str, Any]) -> str:
    road = text_at(item, "Roadway") or text_at(item, "RoadwayName")
    return f"{road} {text_at(item, 'Direction') or text_at(item, 'DirectionOfTravel')}".strip()


def _is_off(item: dict[str, Any]) -> bool:
    if str(item.get("Status", "")).strip().lower() in _OFF:
        return True
    told = (item.get("Disabled"), item.get("Blocked"))
    return any(str(value).strip().lower() in {"true", "1", "yes"} for value in told)
