"""What an incident is read off: the events of its parts, and what each says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from farolito.model import Alert, Call, CallKind, Level, Point, ShotAlert

Describe = Callable[[Point], str | None]
"""A place as people say it; None where the map has no name for it."""


class Events(NamedTuple):
    """What the parts of an incident are, but for reports: the incident holds those itself."""

    calls: Sequence[Call] = ()
    alerts: Sequence[Alert] = ()
    shots: Sequence[ShotAlert] = ()


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What one part says of its incident. `where` is asked of the one that is shown alone: the
    map takes its time, and twenty callers are twenty places."""

    kind: CallKind
    kind_says: str
    level: Level
    is_open: bool
    at: datetime
    where: Callable[[], str]
    place: Point | None
    within_m: float | None
    is_doubtful: bool
    is_report: bool = False
    is_by_sensors: bool = False

    @property
    def rank(self) -> tuple[object, ...]:
        """The most urgent first; a kind with a name before one without; then the oldest."""
        return (self.level, self.kind is CallKind.OTHER, self.at)


def words_of(place: Point, describe: Describe) -> str:
    return describe(place) or f"{place.lat:.5f}, {place.lon:.5f}"


def seen_at(place: Point | None, otherwise: str, describe: Describe) -> str:
    return otherwise if place is None else words_of(place, describe)
