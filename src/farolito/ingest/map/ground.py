"""The height of the ground from a file: SRTM `.hgt` tiles, and ESRI ASCII grids in degrees.

SRTM (USGS, SRTM Topo format): `N35W107.hgt` is named by its south-west corner; 1201² or 3601²
big-endian 16-bit metres, north row first, one degree from the first to the last; -32768 unknown.
ESRI ASCII grid: `ncols nrows xllcorner|xllcenter yllcorner|yllcenter cellsize [nodata_value]`,
then rows of numbers from the north.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from farolito.geo.ground import SAMPLES_MAX, Ground
from farolito.model.errors import Rejected

SRTM_ERROR_M = 6.0  # of one height beside the next (Rodriguez 2006: 90 % below 10 m)
GRID_ERROR_M = 1.0  # of the height models that counties publish
HEADER_BYTES_MAX = 4_096
TEXT_BYTES_MAX = 1 << 30

_TILE = re.compile(r"([NS])(\d{2})([EW])(\d{3})", re.IGNORECASE)
_SRTM_VOID = -32768
_SRTM_SIDES = (1201, 3601)
_HEADER = re.compile(rb"\s*([A-Za-z_]+)\s+(\S+)[^\S\n]*(?:\r?\n)")


def read_ground(path: Path) -> Ground:
    """Raises Rejected with what to do."""
    if not path.is_file():
        raise Rejected("no_file", f"there is no file {path.name}", "check the path", 404)
    if path.suffix.lower() == ".hgt":
        return _srtm(path)
    if path.stat().st_size > TEXT_BYTES_MAX:
        raise Rejected("too_large", f"{path.name} is larger than 1 GB", "cut it to the city", 413)
    return _ascii_grid(path.name, path.read_bytes())


def _srtm(path: Path) -> Ground:
    named = _TILE.match(path.name)
    side = next((n for n in _SRTM_SIDES if path.stat().st_size == 2 * n * n), None)
    if named is None or side is None:
        raise Rejected(
            "unreadable",
            f"{path.name} is no SRTM tile",
            "it is named as N35W107.hgt and holds 1201 × 1201 or 3601 × 3601 heights",
        )
    south = int(named[2]) * (1 if named[1].upper() == "N" else -1)
    west = int(named[4]) * (1 if named[3].upper() == "E" else -1)
    heights = np.fromfile(path, dtype=">i2").reshape(side, side).astype(np.float32)
    heights[heights == _SRTM_VOID] = np.nan
    step = 1 / (side - 1)
    return Ground(heights, (south + 1.0, float(west)), (step, step), SRTM_ERROR_M)


def _ascii_grid(name: str, content: bytes) -> Ground:
    header, rest = _header(content)
    try:
        columns, rows = int(header["ncols"]), int(header["nrows"])
        step = float(header["cellsize"])
        void = float(header.get("nodata_value", "-9999"))
        # Heights are of the middles of cells; a corner is half a cell away.
        west = _edge(header, "xll", step)
        south = _edge(header, "yll", step)
    except (KeyError, ValueError) as why:
        raise Rejected(
            "unreadable", f"{name} is no ESRI ASCII grid ({why})", "export it anew"
        ) from why
    north = south + (rows - 1) * step
    if not (0 < columns * rows <= SAMPLES_MAX and min(columns, rows) >= 2 and step > 0):
        raise Rejected("too_large", f"{name} has {columns} × {rows} heights", "cut it to the city")
    if not (-90 <= south < north <= 90 and -180 <= west < west + columns * step <= 181):
        raise Rejected("not_degrees", f"{name} is not in degrees", "reproject it to EPSG:4326")
    try:
        numbers = np.array(rest.split(), dtype=np.float32)
    except ValueError as why:
        raise Rejected("unreadable", f"{name}: {why}", "export it anew") from why
    if numbers.size != columns * rows:
        raise Rejected("truncated", f"{name} has {numbers.size} heights", "export it anew")
    numbers[numbers == np.float32(void)] = np.nan
    return Ground(numbers.reshape(rows, columns), (north, west), (step, step), GRID_ERROR_M)


def _header(content: bytes) -> tuple[Mapping[str, str], bytes]:
    header: dict[str, str] = {}
    at = 0
    while (line := _HEADER.match(content, at, at + HEADER_BYTES_MAX)) is not None:
        header[line[1].decode().lower()] = line[2].decode("latin-1")
        at = line.end()
    return header, content[at:]


def _edge(header: Mapping[str, str], which: str, step: float) -> float:
    if f"{which}center" in header:
        return float(header[f"{which}center"])
    return float(header[f"{which}corner"]) + step / 2
