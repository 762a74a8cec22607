"""Places as NG9-1-1 tells them: PIDF-LO (RFC 5139 civic, RFC 5491 geodetic), inside EIDOs.

An address in the order of a US street address; a point with the radius that holds the told shape.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from farolito.ingest import xml
from farolito.ingest.xml import Element
from farolito.model import Rejected

POSITIONS_MAX = 1_000  # numbers of one shape; a longer one is no place of a call
_METRES_A_DEGREE = 111_320.0
_STREET = ("PRM", "PRD", "STP", "RD", "A6", "STS", "POD", "POM")
_PART_NAMES = {"UNIT": "Unit", "FLR": "Floor", "ROOM": "Room"}


class Told(msgspec.Struct, frozen=True):
    """A place as told. `within_m`: radius around the point that holds the told shape."""

    address: str | None = None
    street: str | None = None
    lat: float | None = None
    lon: float | None = None
    within_m: float | None = None


def told_place(text: str) -> Told:
    """What a PIDF-LO document says; nothing where it cannot be read.

    Raises Rejected only for a document that brings a DTD or an entity.
    """
    try:
        root = xml.parse(text.encode("utf-8", "replace").lstrip())
    except Rejected as error:
        if error.reason == "forbidden_xml":
            raise
        return Told()
    civic = next(_named(root, "civicAddress"), None)
    address, street = (None, None) if civic is None else _civic(civic)
    lat, lon, within_m = _shape(root)
    return Told(address, street, lat, lon, within_m)


def _named(element: Element, name: str) -> Iterator[Element]:
    """Every element of that name, in order; depth is limited by the parser."""
    for child in element.children:
        if child.name == name:
            yield child
        else:
            yield from _named(child, name)


def _civic(civic: Element) -> tuple[str | None, str | None]:
    def said(*names: str) -> list[str]:
        return [told for name in names if (told := civic.told(name)) is not None]

    street = " ".join(said(*_STREET)) or None
    number = "".join([*said("HNP"), *said("HNO"), *said("HNS")])
    line = " ".join(filter(None, (number, street)))
    parts = [f"{word} {told}" for name, word in _PART_NAMES.items() for told in said(name)]
    named = said("NAM", "LMK")
    pieces = [*named[:1], line, *parts, *said("LOC"), *said("A3")[:1], *said("A1")[:1]]
    return ", ".join(filter(None, pieces)) or None, street


def _shape(root: Element) -> tuple[float | None, float | None, float | None]:
    """Latitude, longitude and radius of the first shape that stands in the document."""
    for name, radii in (
        ("Circle", ("radius",)),
        ("Ellipse", ("semiMajorAxis",)),
        ("ArcBand", ("outerRadius",)),
        ("Sphere", ("radius",)),
        ("Ellipsoid", ("semiMajorAxis",)),
        ("Polygon", ()),
        ("Prism", ()),
        ("Point", ()),
    ):
        found = next(_named(root, name), None)
        if found is None:
            continue
        corners = _corners(found)
        if not corners:
            return None, None, None
        lat = sum(corner[0] for corner in corners) / len(corners)
        lon = sum(corner[1] for corner in corners) / len(corners)
        radius = next((r for r in (_number(found, name) for name in radii) if r is not None), None)
        if len(corners) > 1:
            radius = max(_metres(lat, lon, *corner) for corner in corners)
        return lat, lon, radius
    return None, None, None


def _corners(shape: Element) -> list[tuple[float, float]]:
    """Latitudes and longitudes of `pos` elements or of a `posList` (both lat first, WGS 84)."""
    told = [element.text for element in _named(shape, "pos")]
    lists = list(_named(shape, "posList"))
    try:
        if lists:
            step = 3 if "4979" in str(shape.attributes.get("srsName", "")) else 2
            numbers = [float(word) for word in lists[0].text.split()[: POSITIONS_MAX * step]]
            pairs = zip(numbers[0::step], numbers[1::step], strict=False)
            corners = list(pairs)
        else:
            split = [text.split() for text in told[:POSITIONS_MAX]]
            corners = [(float(words[0]), float(words[1])) for words in split if len(words) >= 2]
    except ValueError:
        return []
    if len(corners) > 1 and corners[0] == corners[-1]:
        corners = corners[:-1]  # a ring ends where it begins
    return corners if all(math.isfinite(a) and math.isfinite(b) for a, b in corners) else []


def _number(shape: Element, name: str) -> float | None:
    told = shape.told(name)
    try:
        value = float(told) if told is not None else None
    except ValueError:
        return None
    return value if value is not None and math.isfinite(value) and value >= 0 else None


def _metres(lat: float, lon: float, to_lat: float, to_lon: float) -> float:
    """Flat distance, near enough for the size of a cell or a house."""
    east = (to_lon - lon) * math.cos(math.radians(max(-90.0, min(90.0, lat))))
    return math.hypot(to_lat - lat, east) * _METRES_A_DEGREE
