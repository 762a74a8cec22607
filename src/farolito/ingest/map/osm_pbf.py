"""OpenStreetMap PBF through GDAL's OSM driver.

GDAL gives ways as lines without their node numbers; positions in a PBF are exact to 1e-7
degrees, so a shared vertex is still the same vertex.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

from farolito.ingest.map.features import Features, Progress
from farolito.ingest.map.osm import SOURCE, is_wanted, take_line, take_point, take_rings
from farolito.model.errors import Rejected

PBF_BYTES_MAX = 1 << 30  # more is refused as `too_large`: a state is below, a country is not
# The first block of every PBF: a four-byte length, then this (wiki.openstreetmap.org/PBF_Format).
_FIRST_BLOCK = b"\x0a\x09OSMHeader"
_TOLD_EVERY = 50_000
_WHERE = {
    "lines": "highway IS NOT NULL",
    "multipolygons": None,
    "points": None,
}


def read_osm_pbf(path: Path, features: Features, progress: Progress) -> None:
    """Adds the file's streets and shapes. Raises Rejected: unreadable, too_large, no_driver."""
    _check(path)
    for layer, where in _WHERE.items():
        for i, (tags, geometry) in enumerate(_rows(path, layer, where, features)):
            if i % _TOLD_EVERY == 0:
                progress(f"reading {layer} of {path.name}", i, 0)
            if layer == "lines":
                take_line(features, tags, _lat_lons(geometry))
            elif layer == "points":
                take_point(features, tags, _lat_lons(geometry)[0])
            elif is_wanted(tags):
                parts = shapely.get_parts(geometry)
                rings = [_lat_lons(shapely.get_exterior_ring(part)) for part in parts]
                take_rings(features, tags, rings)
    features.sources.append(SOURCE)


def _check(path: Path) -> None:
    if "OSM" not in pyogrio.list_drivers(read=True):
        raise Rejected(
            "no_driver",
            "this installation's GDAL cannot read OpenStreetMap PBF",
            "reinstall pyogrio from its wheel, or give the .osm.bz2 of the same extract",
        )
    with path.open("rb") as file:
        head = file.read(4 + len(_FIRST_BLOCK))
    if head[4:] != _FIRST_BLOCK:
        raise Rejected(
            "unreadable",
            f"{path.name} does not begin like an OpenStreetMap PBF",
            "check that it is not a web page saved by mistake, and download it again",
        )
    if path.stat().st_size > PBF_BYTES_MAX:
        raise Rejected(
            "too_large",
            f"{path.name} is larger than {PBF_BYTES_MAX >> 30} GiB",
            "take your state's or county's extract",
            413,
        )


def _rows(
    path: Path, layer: str, where: str | None, features: Features
) -> Iterator[tuple[Mapping[str, str], Any]]:
    box = features.box
    bbox = None if box is None else (box.west, box.south, box.east, box.north)
    try:
        meta, _, wkb, values = pyogrio.raw.read(
            path, layer=layer, where=where, bbox=bbox, TAGS_FORMAT="JSON"
        )
    except (DataSourceError, DataLayerError, FeatureError) as error:
        raise Rejected(
            "unreadable",
            f"{path.name} is broken ({str(error)[:200]})",
            "download it again and compare its checksum",
        ) from error
    names = [str(name) for name in meta["fields"]]
    for i, geometry in enumerate(shapely.from_wkb(wkb)):
        if geometry is not None and not geometry.is_empty:
            yield _tags({n: column[i] for n, column in zip(names, values, strict=True)}), geometry


def _tags(row: Mapping[str, Any]) -> Mapping[str, str]:
    """GDAL puts common keys in columns and the others, as JSON, in `other_tags`."""
    tags = {key: str(value) for key, value in row.items() if value is not None}
    others = tags.pop("other_tags", None)
    return tags | msgspec.json.decode(others, type=dict[str, str]) if others else tags


def _lat_lons(line: Any) -> tuple[tuple[float, float], ...]:
    """GDAL computes positions from integers; rounded, they are those of the XML again."""
    return tuple((y, x) for x, y in shapely.get_coordinates(line).round(7).tolist())
