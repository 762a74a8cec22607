"""Vector files through GDAL (by pyogrio): opened by name and by their first bytes, as WGS 84.

GDAL picks a driver by content, and some of its drivers (VRT) read other files; so a file gets
there only when its first bytes are those of the format its name claims.
"""

from __future__ import annotations

import gzip
import math
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

import pyogrio
import shapely
from pyogrio.errors import CRSError, DataLayerError, DataSourceError, FeatureError, GeometryError

from farolito.ingest.map.features import Box
from farolito.model.errors import Rejected

FILE_BYTES_MAX = 4 << 30  # of one file, unpacked; more is refused as `too_large`
_MAGIC: Mapping[str, tuple[bytes, ...]] = {
    ".geojson": (b"{", b"["),
    ".json": (b"{", b"["),
    ".shp": (b"\x00\x00\x27\x0a",),
    ".gpkg": (b"SQLite format 3\x00",),
    ".fgb": (b"fgb",),
}
_CHUNK_BYTES = 1 << 20
_MAGIC_SKIPS = b" \t\r\n\xef\xbb\xbf"  # what may stand before a JSON text
_WGS84 = frozenset({"EPSG:4326", "OGC:CRS84", "EPSG:4979"})
# NAD 83 stands within 2 m of WGS 84 in North America; Census files use it, and GDAL itself
# shifts it by nothing.
_NEAR_WGS84 = frozenset({"EPSG:4269"})
_WARPED = "wgs84"
_GDAL_ERRORS = (
    CRSError, DataLayerError, DataSourceError, FeatureError, GeometryError,
)  # fmt: skip


class Layer(NamedTuple):
    """One layer, read: `columns` by name, each as long as `geometries` ((lon, lat), shapely)."""

    file: str
    name: str
    columns: Mapping[str, Sequence[Any]]
    geometries: Sequence[Any]


def read_layers(path: Path, box: Box | None) -> Iterator[Layer]:
    """All layers of a file. Raises Rejected with what to do about it."""
    with tempfile.TemporaryDirectory(prefix="farolito-map-") as folder:
        for source in _sources(path, Path(folder)):
            try:
                layers = pyogrio.list_layers(source)
                for name in [str(name) for name, kind in layers if kind is not None]:
                    with warnings.catch_warnings():
                        # GDAL warns of columns of odd types; no profile can mean those.
                        warnings.simplefilter("ignore")
                        layer = _read(source, path.name, name, box)
                    yield layer
            except _GDAL_ERRORS as error:
                raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> Rejected:
    return Rejected(
        "unreadable",
        f"{path.name} is broken or not what its name says ({str(error)[:200]})",
        "open it in another GIS program; if that fails too, download it again",
    )


def _read(source: str, file: str, layer: str, box: Box | None) -> Layer:
    meta = pyogrio.read_info(source, layer=layer)
    crs = meta["crs"]
    is_degrees = crs is None or crs in _WGS84 | _NEAR_WGS84
    bbox = None if box is None else (box.west, box.south, box.east, box.north)
    meta, _, wkb, values = pyogrio.raw.read(
        source if is_degrees else _warped(source, layer),
        layer=layer if is_degrees else _WARPED,
        force_2d=True,
        bbox=bbox,
    )
    geometries = shapely.from_wkb(wkb)
    _check_degrees(geometries, file, crs)
    columns = {str(name): column for name, column in zip(meta["fields"], values, strict=True)}
    return Layer(file, layer, columns, geometries)


def _warped(source: str, layer: str) -> bytes:
    """A virtual layer that GDAL projects to WGS 84 while reading."""
    return (
        "<OGRVRTDataSource><OGRVRTWarpedLayer>"
        f'<OGRVRTLayer name="{_WARPED}"><SrcDataSource>{escape(source)}</SrcDataSource>'
        f"<SrcLayer>{escape(layer)}</SrcLayer></OGRVRTLayer>"
        "<TargetSRS>EPSG:4326</TargetSRS>"
        "</OGRVRTWarpedLayer></OGRVRTDataSource>"
    ).encode()


def _check_degrees(geometries: Sequence[Any], file: str, crs: str | None) -> None:
    if len(geometries) == 0:
        return
    west, south, east, north = shapely.total_bounds(geometries)
    if -180 <= west <= east <= 180 and -90 <= south <= north <= 90:
        return
    if math.isnan(west):  # nothing but empty geometries
        return
    says = "without a coordinate system" if crs is None else f"as {crs}"
    raise Rejected(
        "not_wgs84",
        f"{file} comes {says}, but its numbers are not degrees",
        "add its .prj file, or export it as WGS 84 (EPSG:4326)",
    )


def _sources(path: Path, folder: Path) -> Iterator[str]:
    """What GDAL can open: the file, the file unpacked into `folder`, or an archive's members."""
    suffix = path.suffix.lower()
    if suffix == ".gz":
        yield str(_unpacked(path, folder))
    elif suffix == ".zip":
        yield from _members(path)
    elif suffix in _MAGIC:
        with path.open("rb") as file:
            _check_magic(file.read(512), suffix, path.name)
        yield str(path)
    else:
        raise Rejected(
            "unknown_format",
            f"{path.name}: no reader for {suffix or 'a file without an ending'}",
            "give .osm, .osm.bz2, .osm.pbf, .geojson, .shp, .zip of shapefiles, .gpkg or .fgb",
        )


def _unpacked(path: Path, folder: Path) -> Path:
    suffix = Path(path.stem).suffix.lower()
    if suffix not in {".geojson", ".json"}:
        raise Rejected(
            "unknown_format", f"{path.name}: only GeoJSON is read from .gz", "unpack it first"
        )
    unpacked = folder / path.stem
    try:
        with gzip.open(path) as file, unpacked.open("wb") as out:
            while chunk := file.read(_CHUNK_BYTES):
                out.write(chunk)
                _check_size(out.tell(), path.name)
    except EOFError as error:
        raise Rejected(
            "truncated",
            f"{path.name} ends in the middle of its compressed data",
            "download it again and compare its size or checksum",
        ) from error
    except (OSError, zlib.error) as error:
        raise Rejected("unreadable", f"{path.name}: {error}", "download it again") from error
    with unpacked.open("rb") as file_read:
        _check_magic(file_read.read(512), suffix, path.name)
    return unpacked


def _members(path: Path) -> Iterator[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_size(sum(member.file_size for member in members), path.name)
            shapes = [m.filename for m in members if m.filename.lower().endswith(".shp")]
            for name in shapes:
                with archive.open(name) as file:
                    _check_magic(file.read(512), ".shp", name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise Rejected(
            "truncated", f"{path.name} is not a whole zip file", "download it again"
        ) from error
    if not shapes:
        raise Rejected(
            "unknown_format", f"{path.name} holds no shapefile", "give the zip as Census offers it"
        )
    for name in sorted(shapes):
        yield f"/vsizip/{path}/{name}"


def _check_size(size: int, name: str) -> None:
    if size > FILE_BYTES_MAX:
        raise Rejected(
            "too_large",
            f"{name} holds more than {FILE_BYTES_MAX >> 30} GiB",
            "cut it to your county first",
            413,
        )


def _check_magic(head: bytes, suffix: str, name: str) -> None:
    if not head.lstrip(_MAGIC_SKIPS if suffix.endswith("json") else b"").startswith(_MAGIC[suffix]):
        raise Rejected(
            "unreadable",
            f"{name} does not begin like a {suffix} file",
            "check that it is not a web page saved by mistake, and download it again",
        )
