"""Socrata open data, `https://{city}/resource/{id}.json?$limit=50000`: an array of rows.

Column names are the city's own, so a mapping names them. A location comes as a GeoJSON point or,
in older sets, as `{latitude, longitude}` in texts; here both are `lat` and `lon` beside the row's
own columns, where exactly one column is a location.
"""

from __future__ import annotations

from typing import Any

from farolito.ingest.video.lists.json_text import at_path, items_at
from farolito.model import Rejected


def items(whole: Any) -> list[Any]:
    """The rows, with the place. Raises Rejected."""
    if isinstance(whole, dict) and whole.get("error") is True:
        says = f"the server answered with an error: {str(whole.get('message'))[:200]}"
        raise Rejected("server_error", says, "open the address in a browser and mend it")
    return [_row(row) if isinstance(row, dict) else None for row in items_at(whole, "")]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    places = [place for place in map(_place, row.values()) if place is not None]
    if len(places) != 1:
        return row
    return {**row, "lat": places[0][0], "lon": places[0][1]}


def _place(value: Any) -> tuple[Any, Any] | None:
    if not isinstance(value, dict):
        return None
    if value.get("type") == "Point":
        lon, lat = at_path(value, "coordinates.0"), at_path(value, "coordinates.1")
    else:
        lat, lon = value.get("latitude"), value.get("longitude")
    is_told = isinstance(lat, str | int | float) and isinstance(lon, str | int | float)
    return (lat, lon) if is_told else None
