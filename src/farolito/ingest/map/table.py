"""Rows of a city's or the Census' files, by a profile, as streets and shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

import shapely

from farolito.geo import Area, Building, Landmark, LatLon
from farolito.geo.street_map import AreaKind, LandmarkKind, StreetKind
from farolito.ingest.map.features import Features, Progress, Range, Ring, Street, rings_closed
from farolito.ingest.map.gdal import Layer, read_layers
from farolito.ingest.map.mapping import (
    Choice,
    Profile,
    Shape,
    StreetColumns,
    cell_number,
    joined_text,
)
from farolito.model.errors import Rejected

_MPS = {"mph": 0.44704, "kmh": 1 / 3.6, "mps": 1.0}
HEIGHT_M = 5.0  # a building whose height the file does not say
_SHAPES: dict[int, Shape] = {1: "line", 5: "line", 3: "polygon", 6: "polygon", 0: "point"}
_TOLD_EVERY = 10_000


def read_table(
    path: Path, profiles: Sequence[Profile], features: Features, progress: Progress
) -> None:
    """Adds every layer's rows. Raises Rejected where no profile knows a layer."""
    for layer in read_layers(path, features.box):
        shape = _shape(layer)
        if shape is None:
            features.skipped["layer without shapes"] += 1
            continue
        profile = _profile_for(layer, shape, profiles)
        _take_layer(layer, profile, features, progress)
        features.sources.append(profile.source or layer.file)


def _profile_for(layer: Layer, shape: Shape, profiles: Sequence[Profile]) -> Profile:
    for profile in profiles:
        if profile.fits(layer.file, shape, layer.columns):
            return profile
    columns = ", ".join(sorted(layer.columns)[:20]) or "none"
    raise Rejected(
        "unknown_columns",
        f"{layer.file} holds {shape}s with columns that no profile knows ({columns})",
        "say what they mean in a mapping file: --mapping FILE, see docs/maps.md",
    )


def _shape(layer: Layer) -> Shape | None:
    ids = {int(i) for i in shapely.get_type_id(layer.geometries)} - {-1}
    return next((_SHAPES[i] for i in sorted(ids) if i in _SHAPES), None)


def _take_layer(layer: Layer, profile: Profile, features: Features, progress: Progress) -> None:
    names = {column.lower(): column for column in layer.columns}
    wanted = {_lower(column) for column in _columns_of(profile)}
    # Files spell the same column in different letter cases; rows are keyed as the profile does.
    columns = {column: layer.columns[names[low]] for column, low in wanted if low in names}
    total = len(layer.geometries)
    for i, geometry in enumerate(layer.geometries):
        row = {name: column[i] for name, column in columns.items()}
        if i % _TOLD_EVERY == 0:
            progress(f"reading {layer.file}", i, total)
        if profile.where is not None and profile.where.of(row) is not True:
            features.skipped[f"{profile.name}: not a road"] += 1
        elif geometry is None or geometry.is_empty:
            features.skipped["row without a shape"] += 1
        else:
            _take_row(row, geometry, profile, features)
    progress(f"reading {layer.file}", total, total)


def _take_row(row: Mapping[str, Any], geometry: Any, profile: Profile, features: Features) -> None:
    if profile.street is not None:
        lines = [_lat_lons(part) for part in shapely.get_parts(geometry)]
        for line in lines:
            # A row of several parts has one range for all: which part holds which is not known.
            features.add(_street(row, profile.street, line, has_ranges=len(lines) == 1))
        return
    about = profile.about
    assert about is not None
    kind = about.kind.of(row) if isinstance(about.kind, Choice) else about.kind
    name = joined_text(row, about.name)
    name = f"{about.prefix}{name}" if name else ""
    for part in shapely.get_parts(geometry):
        if profile.makes == "landmark":
            features.add(Landmark(name, cast("LandmarkKind", kind), (part.y, part.x)))
            continue
        for ring in rings_closed(_outer(part)):
            if profile.makes == "area":
                features.add(Area(name, cast("AreaKind", kind), ring))
            else:
                height = cell_number(row.get(about.height_m or "")) or HEIGHT_M
                features.add(Building(ring, height, joined_text(row, about.address) or None))


def _street(row: Mapping[str, Any], columns: StreetColumns, line: Ring, has_ranges: bool) -> Street:
    kind = columns.kind.of(row) if isinstance(columns.kind, Choice) else columns.kind
    speed = cell_number(row.get(columns.speed or ""))
    lanes = cell_number(row.get(columns.lanes or ""))
    oneway = columns.oneway.of(row) if columns.oneway else 0
    return Street(
        name=joined_text(row, columns.name),
        kind=cast("StreetKind", kind),
        line=line,
        oneway=cast("Literal[-1, 0, 1]", oneway if oneway in (-1, 1) else 0),
        speed_mps=speed * _MPS[columns.speed_unit] if speed and speed > 0 else None,
        lanes=int(lanes) if lanes and 1 <= lanes <= 20 else 1,
        left=_range(row, columns.left) if has_ranges else None,
        right=_range(row, columns.right) if has_ranges else None,
    )


def _range(row: Mapping[str, Any], columns: tuple[str, str] | None) -> Range | None:
    """House numbers along the line; 0 and below are how files write "none"."""
    if columns is None:
        return None
    first, last = (cell_number(row.get(column)) for column in columns)
    if first is None or last is None or first < 1 or last < 1:
        return None
    return int(first), int(last)


def _columns_of(profile: Profile) -> Iterator[str]:
    choices: list[Choice | None] = [profile.where]
    texts: list[str | Sequence[str] | None] = []
    if profile.street is not None:
        street = profile.street
        choices += [street.kind if isinstance(street.kind, Choice) else None, street.oneway]
        texts += [street.name, street.left, street.right, street.speed, street.lanes]
    if profile.about is not None:
        about = profile.about
        choices.append(about.kind if isinstance(about.kind, Choice) else None)
        texts += [about.name, about.height_m, about.address]
    yield from (choice.column for choice in choices if choice is not None)
    for text in texts:
        yield from [text] if isinstance(text, str) else text or ()


def _lower(column: str) -> tuple[str, str]:
    return column, column.lower()


def _lat_lons(line: Any) -> tuple[LatLon, ...]:
    return tuple((y, x) for x, y in shapely.get_coordinates(line).tolist())


def _outer(polygon: Any) -> list[Ring]:
    return [_lat_lons(shapely.get_exterior_ring(polygon))]
