"""A nation's land from the GeoJSON file that its configuration names (RFC 7946)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from farolito.model import FarolitoError, Invalid, Point, Zone

_DO = "write polygons in WGS 84, longitude first: see docs/agencies.md"


def read_land(path: str) -> tuple[Zone, ...]:
    """Each polygon as a zone, by its outer ring; no path, no land. Raises FarolitoError."""
    if not path:
        return ()
    try:
        told = msgspec.json.decode(Path(path).read_bytes())
        features = told["features"] if told["type"] == "FeatureCollection" else [told]
        zones = tuple(
            zone for number, one in enumerate(features, 1) for zone in _zones(one, number)
        )
    except OSError as error:
        raise FarolitoError(f"[federation] land: {path}: {error.strerror}", _DO) from error
    except (msgspec.DecodeError, Invalid, KeyError, TypeError, IndexError, ValueError) as error:
        raise FarolitoError(f"[federation] land: {path}: {error!r}", _DO) from error
    if not zones:
        raise FarolitoError(f"[federation] land: {path} holds no polygon", _DO)
    return zones


def _zones(feature: Any, number: int) -> list[Zone]:
    geometry = feature.get("geometry", feature)
    name = str((feature.get("properties") or {}).get("name") or f"Land {number}")
    if geometry["type"] == "Polygon":
        return [_zone(name, geometry["coordinates"])]
    if geometry["type"] == "MultiPolygon":
        return [_zone(name, rings) for rings in geometry["coordinates"]]
    return []


def _zone(name: str, rings: Any) -> Zone:
    ring = [Point(lat=float(at[1]), lon=float(at[0])) for at in rings[0]]
    if ring and ring[0] == ring[-1]:
        ring.pop()
    return Zone(name, tuple(ring))
