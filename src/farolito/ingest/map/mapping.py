"""Which column of a city's file means what: profiles, built in or from a mapping file.

A mapping file is a YAML list of profiles in the form of `profiles.yaml` beside this file; its
profiles are tried before the built-in ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from farolito.geo.street_map import AreaKind, LandmarkKind, StreetKind
from farolito.model.errors import Rejected

MAPPING_BYTES_MAX = 64 * 1024  # a mapping is a page of text; a larger file is refused
_BUILT_IN = Path(__file__).with_name("profiles.yaml")

Shape = Literal["line", "polygon", "point"]


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value looked up from a column: `values[text of the cell]`, else `otherwise`."""

    column: str
    values: dict[str, Any]
    otherwise: Any = None

    def of(self, row: Mapping[str, Any]) -> Any:
        return self.values.get(cell_text(row.get(self.column)), self.otherwise)


class StreetColumns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ranges name the columns from and to, along the line. Speeds in the column's own unit."""

    name: str | list[str]
    kind: StreetKind | Choice = "local"
    oneway: Choice | None = None  # values 1, -1, 0
    left: tuple[str, str] | None = None
    right: tuple[str, str] | None = None
    speed: str | None = None
    speed_unit: Literal["mph", "kmh", "mps"] = "mph"
    lanes: str | None = None


class ShapeColumns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An area, a building or a landmark. `prefix` stands before the name: "Sector 1"."""

    kind: AreaKind | LandmarkKind | Choice | None = None
    name: str | list[str] | None = None
    prefix: str = ""
    height_m: str | None = None
    address: str | list[str] | None = None


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Recognised by its columns (all of them, any letter case) and, if given, the file's name."""

    name: str
    shape: Shape
    makes: Literal["street", "area", "building", "landmark"]
    columns: list[str] = []
    files: str = "*"
    where: Choice | None = None  # rows whose choice is not true are left out
    street: StreetColumns | None = None
    about: ShapeColumns | None = None
    source: str = ""

    def __post_init__(self) -> None:
        if (self.makes == "street") != (self.street is not None):
            raise ValueError(f"profile {self.name!r}: a street needs `street`, others `about`")
        if self.makes in {"area", "landmark"} and (self.about is None or self.about.kind is None):
            raise ValueError(f"profile {self.name!r}: say `about: kind`")
        wants: dict[str, Shape] = {"street": "line", "building": "polygon", "landmark": "point"}
        if self.shape != wants.get(self.makes, "polygon"):
            raise ValueError(f"profile {self.name!r}: a {self.makes} is not a {self.shape}")

    def fits(self, file: str, shape: Shape, columns: Iterable[str]) -> bool:
        known = {column.lower() for column in columns}
        return (
            shape == self.shape
            and fnmatchcase(file.lower(), self.files.lower())
            and all(column.lower() in known for column in self.columns)
        )


def load_profiles(path: Path | None) -> tuple[Profile, ...]:
    """The built-in profiles, those of `path` before them. Raises Rejected for a wrong file."""
    own = () if path is None else _read(path)
    return (*own, *_read(_BUILT_IN))


def _read(path: Path) -> tuple[Profile, ...]:
    do = "compare it with the example in docs/maps.md"
    with path.open("rb") as file:
        body = file.read(MAPPING_BYTES_MAX + 1)
    if len(body) > MAPPING_BYTES_MAX:
        raise Rejected("bad_mapping", f"{path.name} is larger than {MAPPING_BYTES_MAX} bytes", do)
    try:
        return tuple(msgspec.convert(yaml.safe_load(body), list[Profile]))
    except (yaml.YAMLError, msgspec.ValidationError, ValueError) as error:
        raise Rejected("bad_mapping", f"{path.name}: {' '.join(str(error).split())}", do) from error


def cell_text(cell: Any) -> str:
    """A cell as a mapping file writes it: `1` for 1.0, empty for nothing."""
    if cell is None:
        return ""
    if isinstance(cell, float):  # a number column with a gap: NaN is nothing
        return "" if math.isnan(cell) else f"{cell:.15g}"
    return str(cell).strip()


def cell_number(cell: Any) -> float | None:
    try:
        return float(cell_text(cell))
    except ValueError:
        return None


def joined_text(row: Mapping[str, Any], columns: str | Sequence[str] | None) -> str:
    """The columns' texts side by side; a name all in capitals becomes a readable one."""
    names = [columns] if isinstance(columns, str) else columns or ()
    text = " ".join(" ".join(cell_text(row.get(name)) for name in names).split())
    return _readable(text) if text.isupper() and len(text) > 3 else text


def _readable(text: str) -> str:
    winds = {"N", "S", "E", "W", "NE", "NW", "SE", "SW"}
    return " ".join(word if word in winds else word.capitalize() for word in text.split())
