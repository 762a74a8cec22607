"""What a source file says, before streets are joined into a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple, TypeVar

import msgspec

from farolito.geo import Area, Building, Landmark, LatLon
from farolito.geo.street_map import StreetKind
from farolito.model.errors import Rejected

# At a limit the import stops with `too_large`: a map that is cut silently misses streets.
STREETS_MAX = 3_000_000
SHAPES_MAX = 5_000_000  # areas, buildings and landmarks each

_T = TypeVar("_T")
Ring = tuple[LatLon, ...]
Range = tuple[int, int]
Progress = Callable[[str, int, int], None]  # what is being done, how many done, of how many (0: ?)

# Free-flow speeds where a source gives none: usual US limits, in metres a second.
SPEED_MPS: dict[StreetKind, float] = {
    "motorway": 29.1,  # 65 mph
    "arterial": 17.9,  # 40
    "collector": 13.4,  # 30
    "local": 11.2,  # 25
    "path": 1.4,  # on foot
}


def no_progress(what: str, done: int, of: int) -> None:
    """For callers who do not watch."""


class Box(NamedTuple):
    """Degrees. Only what touches it is taken in."""

    south: float
    west: float
    north: float
    east: float

    def touches(self, line: Iterable[LatLon]) -> bool:
        """True when a vertex lies inside; a longer straight line that only crosses does not."""
        return any(
            self.south <= lat <= self.north and self.west <= lon <= self.east for lat, lon in line
        )


class Street(msgspec.Struct, frozen=True, kw_only=True):
    """A street line as the source has it, of one block or of many; ranges run along the line."""

    name: str
    kind: StreetKind
    line: tuple[LatLon, ...]
    oneway: Literal[-1, 0, 1] = 0
    speed_mps: float | None = None
    lanes: int = 1
    left: Range | None = None
    right: Range | None = None


class Features:
    """Everything read so far. `skipped` counts what was left out, by reason."""

    def __init__(self, box: Box | None = None) -> None:
        self.box = box
        self.streets: list[Street] = []
        self.areas: list[Area] = []
        self.buildings: list[Building] = []
        self.landmarks: list[Landmark] = []
        self.sources: list[str] = []
        self.skipped: Counter[str] = Counter()

    def add(self, shape: Street | Area | Building | Landmark) -> None:
        match shape:
            case Street(line=line):
                self._keep(shape, line, self.streets, STREETS_MAX)
            case Area(ring=ring):
                # A nation's land may surround the box without a corner in it.
                self._keep(shape, None, self.areas, SHAPES_MAX) if ring else None
            case Building(ring=ring):
                self._keep(shape, ring, self.buildings, SHAPES_MAX)
            case Landmark(at=at):
                self._keep(shape, (at,), self.landmarks, SHAPES_MAX)

    def _keep(self, shape: _T, line: Iterable[LatLon] | None, kept: list[_T], limit: int) -> None:
        if self.box is not None and line is not None and not self.box.touches(line):
            self.skipped["outside the box"] += 1
            return
        if len(kept) >= limit:
            raise Rejected(
                "too_large",
                f"more than {limit:,} {type(shape).__name__.lower()}s",
                "give --box south,west,north,east, or cut the file to your county first",
                413,
            )
        kept.append(shape)


def rings_closed(rings: Iterable[Ring]) -> Iterator[Ring]:
    """Rings with an area, first point again at the end."""
    for ring in rings:
        closed = ring if ring[0] == ring[-1] else (*ring, ring[0])
        if len(closed) >= 4:
            yield closed
