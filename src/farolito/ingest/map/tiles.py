"""Vector tiles from a StreetMap: one PMTiles file that a browser reads by ranges.

GDAL makes the tiles of each layer and zoom band; layers of a vector tile are joined by
concatenation (they are repeated fields of one protobuf message: Mapbox Vector Tile 2.1, 4.1),
which is valid as long as their names differ within a tile. Bands of one layer never share a
zoom, so they may share the name.
"""

from __future__ import annotations

import gzip
import io
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyogrio
import shapely
from pmtiles.reader import MemorySource, all_tiles
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from farolito.geo import Area, StreetMap, bounds_of
from farolito.geo.street_map import AreaKind, LandmarkKind, StreetKind
from farolito.ingest.map.features import Progress, no_progress
from farolito.ingest.map.files import put_whole, save

ZOOM_MIN, ZOOM_MAX = 7, 14  # the screen draws closer zooms from 14: 0.5 m a step, ample
MARGIN = 0.15  # of the streets' box, kept around it: what lies beyond is cut off
MARGIN_DEG_MIN = 0.01  # about 1 km
_AREA_FROM: dict[AreaKind, int] = {
    "county": 7, "tribal": 7, "city": 7, "river": 7,
    "university": 10, "park": 10, "open_space": 10, "beat": 10, "old_town": 10,
}  # fmt: skip
_ROAD_FROM: dict[StreetKind, int] = {
    "motorway": 7, "arterial": 9, "collector": 11, "local": 13, "path": 14,
}  # fmt: skip
_LANDMARK_FROM: dict[LandmarkKind, int] = {
    "school": 11, "hospital": 11, "station": 11, "signal": 13, "pole": 14, "camera_mount": 14,
}  # fmt: skip
_BUILDING_FROM = 14

_Attribute = str | float | int | None


class TileReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was written. `bounds` are (south, west, north, east) of the streets, degrees."""

    tiles: int
    tile_bytes: int
    map_bytes: int
    bounds: tuple[float, float, float, float]
    seconds: float


class _Feature(NamedTuple):
    shape: Any
    from_zoom: int
    attributes: tuple[_Attribute, ...]


class _Layer(NamedTuple):
    """`columns`: name and zero value of each attribute, in the order of the features'."""

    name: str
    geometry: str
    columns: tuple[tuple[str, str | float | int], ...]
    features: list[_Feature]


def build(street_map: StreetMap, path: Path, progress: Progress = no_progress) -> TileReport:
    """Writes `path` (NAME.pmtiles) and NAME.map beside it. Same map, same bytes."""
    began = time.monotonic()
    bounds = bounds_of(street_map)
    box = shapely.box(*_lon_lat(_grown(bounds)))
    layers = list(_layers(street_map, box))
    bands = [(layer, low, high) for layer in layers for low, high in _bands(layer)]
    joined: dict[tuple[int, int, int], bytes] = {}
    with tempfile.TemporaryDirectory(prefix="farolito-map-") as folder:
        for i, (layer, low, high) in enumerate(bands):
            progress(f"tiles of {layer.name}", i, len(bands))
            for tile, body in _tiles(layer, low, high, Path(folder) / f"{i}.pmtiles"):
                joined[tile] = joined.get(tile, b"") + body
    progress("writing tiles", len(bands), len(bands))
    body = _archive(joined, street_map, layers, bounds)
    put_whole(path, body)
    return TileReport(
        tiles=len(joined),
        tile_bytes=len(body),
        map_bytes=save(street_map, path.with_suffix(".map")),
        bounds=bounds,
        seconds=round(time.monotonic() - began, 3),
    )


def _layers(street_map: StreetMap, box: Any) -> Iterator[_Layer]:
    text = (("name", ""), ("kind", ""))
    areas = [(area, shape) for area in street_map.areas for shape in _cut(area, box)]
    yield _Layer(
        "area",
        "Polygon",
        text,
        [_Feature(s, _AREA_FROM[a.kind], (a.name or None, a.kind)) for a, s in areas],
    )
    yield _Layer("road", "LineString", (*text, ("oneway", 0)), list(_roads(street_map)))
    yield _Layer(
        "building",
        "Polygon",
        (("height", 0.0),),
        [
            _Feature(polygon, _BUILDING_FROM, (building.height_m,))
            for building in street_map.buildings
            if box.intersects(polygon := _polygon(building.ring))
        ],
    )
    yield _Layer(
        "landmark",
        "Point",
        text,
        [
            _Feature(point, _LANDMARK_FROM[mark.kind], (mark.name or None, mark.kind))
            for mark in street_map.landmarks
            if box.intersects(point := shapely.Point(mark.at[1], mark.at[0]))
        ],
    )
    yield _Layer("label", "Point", text, list(_labels(areas)))


def _labels(areas: Sequence[tuple[Area, Any]]) -> Iterator[_Feature]:
    """A point in the largest part of each named area: a name is written once."""
    largest: dict[tuple[str, AreaKind], Any] = {}
    for area, shape in areas:
        key = (area.name, area.kind)
        if area.name and shape.area > getattr(largest.get(key), "area", 0.0):
            largest[key] = shape
    for (name, kind), shape in largest.items():
        yield _Feature(shapely.point_on_surface(shape), _AREA_FROM[kind], (name, kind))


def _roads(street_map: StreetMap) -> Iterator[_Feature]:
    """Blocks of one street joined to long lines: smaller tiles, and names that find room."""
    groups: dict[tuple[str, StreetKind, bool], list[Any]] = {}
    for segment in street_map.segments:
        line = segment.line[::-1] if segment.oneway < 0 else segment.line
        key = (segment.name, segment.kind, segment.oneway != 0)
        groups.setdefault(key, []).append(shapely.LineString([(lon, lat) for lat, lon in line]))
    for (name, kind, is_oneway), lines in groups.items():
        merged = shapely.line_merge(shapely.MultiLineString(lines), directed=is_oneway)
        for line in shapely.get_parts(merged):
            yield _Feature(line, _ROAD_FROM[kind], (name or None, kind, 1 if is_oneway else None))


def _cut(area: Area, box: Any) -> list[Any]:
    """The area's parts inside the box. A ring that crosses itself is mended first."""
    polygon = shapely.make_valid(_polygon(area.ring))
    parts = shapely.get_parts(shapely.intersection(polygon, box))
    return [part for part in parts if part.geom_type == "Polygon"]


def _polygon(ring: Sequence[tuple[float, float]]) -> Any:
    return shapely.Polygon([(lon, lat) for lat, lon in ring])


def _bands(layer: _Layer) -> list[tuple[int, int]]:
    """Zoom ranges in which the same features are drawn."""
    starts = sorted({feature.from_zoom for feature in layer.features})
    return [(low, next_ - 1) for low, next_ in pairwise([*starts, ZOOM_MAX + 1])]


def _tiles(
    layer: _Layer, low: int, high: int, path: Path
) -> Iterator[tuple[tuple[int, int, int], bytes]]:
    """((z, x, y), raw tile) of one layer in one band."""
    features = [f for f in layer.features if f.from_zoom <= low]
    # One thread: GDAL's order of features in a tile must not depend on who is quicker.
    pyogrio.set_gdal_config_options({"GDAL_NUM_THREADS": "1"})
    columns = [[f.attributes[i] for f in features] for i in range(len(layer.columns))]
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np.array([f.shape for f in features], dtype=object)),
        [_values(column, zero) for column, (_, zero) in zip(columns, layer.columns, strict=True)],
        [name for name, _ in layer.columns],
        field_mask=[np.array([value is None for value in column]) for column in columns],
        layer=layer.name,
        driver="PMTiles",
        geometry_type=layer.geometry,
        crs="EPSG:4326",
        encoding="UTF-8",
        dataset_options={"MINZOOM": low, "MAXZOOM": high, "NAME": layer.name},
    )
    for tile, packed in _read_all(path.read_bytes()):
        yield tile, gzip.decompress(packed)
    path.unlink()


def _read_all(archive: bytes) -> Iterator[tuple[tuple[int, int, int], bytes]]:
    yield from all_tiles(MemorySource(archive))  # type: ignore[no-untyped-call]


def _values(column: list[_Attribute], zero: str | float | int) -> Any:
    kinds: dict[type, Any] = {str: object, float: np.float64, int: np.int32}
    return np.array([zero if v is None else v for v in column], dtype=kinds[type(zero)])


def _archive(
    tiles: dict[tuple[int, int, int], bytes],
    street_map: StreetMap,
    layers: Sequence[_Layer],
    bounds: tuple[float, float, float, float],
) -> bytes:
    file = io.BytesIO()
    writer: Any = Writer(file)  # type: ignore[no-untyped-call]
    for tile_id, tile in sorted((zxy_to_tileid(*tile), tile) for tile in tiles):
        writer.write_tile(tile_id, gzip.compress(tiles[tile], mtime=0))
    west, south, east, north = (round(d * 10_000_000) for d in _lon_lat(bounds))
    header = {
        "tile_type": TileType.MVT,
        "tile_compression": Compression.GZIP,
        "min_lon_e7": west,
        "min_lat_e7": south,
        "max_lon_e7": east,
        "max_lat_e7": north,
        "center_zoom": 12,
        "center_lon_e7": (west + east) // 2,
        "center_lat_e7": (south + north) // 2,
    }
    writer.finalize(header, _metadata(street_map, layers))
    return file.getvalue()


def _metadata(street_map: StreetMap, layers: Sequence[_Layer]) -> dict[str, Any]:
    kinds = {str: "String", float: "Number", int: "Number"}
    return {
        "name": street_map.name,
        "attribution": street_map.source,
        "vector_layers": [
            {
                "id": layer.name,
                "minzoom": min(f.from_zoom for f in layer.features),
                "maxzoom": ZOOM_MAX,
                "fields": {name: kinds[type(zero)] for name, zero in layer.columns},
            }
            for layer in layers
            if layer.features
        ],
    }


def _grown(bounds: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    south, west, north, east = bounds
    dy = max(MARGIN_DEG_MIN, (north - south) * MARGIN)
    dx = max(MARGIN_DEG_MIN, (east - west) * MARGIN)
    return south - dy, west - dx, north + dy, east + dx


def _lon_lat(bounds: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """(west, south, east, north) as shapely and PMTiles want it."""
    south, west, north, east = bounds
    return west, south, east, north
