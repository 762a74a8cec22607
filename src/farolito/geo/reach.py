"""Who and what is in reach of a place: when somebody who leaves it by car can pass another place.

Nobody knows how a car is driven, so an answer is a window: it opens for a driver who leaves with
the first discharge at twice the posted speed, and closes for one who lingers, keeps to the limit
in traffic and stops at every light. A car that parks, or goes round, comes later or never.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from farolito.geo.road_graph import RoadGraph
from farolito.geo.street_map import LatLon

FAST = 2.0  # times the posted speed
SLOW = 0.4  # of it, with traffic, lights and corners
LINGERS = timedelta(minutes=2)  # before driving off
FAST_MPS, SLOW_MPS = 25.0, 3.0  # over the place's own uncertainty, where no road is known
REACH = timedelta(minutes=10)  # at the fast bound: whoever is farther has other ways by then


class Origin(NamedTuple):
    """One of the places where it may have been, and the radius that holds it. `heading_deg`: which
    way it drove there, where that is known."""

    at: LatLon
    within_m: float = 0.0
    heading_deg: float | None = None


class Passing(StrEnum):
    NOT_YET = "not_yet"  # not even the fastest
    COULD_HAVE = "could_have"
    OVER = "over"  # the slowest has, if it came this way


class Window(NamedTuple):
    """By road, the nearest way from any origin. The window of when it could be passed."""

    road_m: float
    earliest_at: datetime
    latest_at: datetime

    def passing(self, now: datetime) -> Passing:
        if now < self.earliest_at:
            return Passing.NOT_YET
        return Passing.COULD_HAVE if now <= self.latest_at else Passing.OVER


def windows(
    graph: RoadGraph,
    origins: Sequence[Origin],
    fired: tuple[datetime, datetime],
    places: Sequence[LatLon],
    lingers: timedelta = LINGERS,
) -> list[Window | None]:
    """For each place; None where no road leads there within `REACH`. `fired`: the first discharge
    and the last. One search an origin, whatever the number of places."""
    first, last = fired
    found: list[Window | None] = [None] * len(places)
    for origin in origins:
        drives = graph.drives(origin.at, places, REACH.total_seconds() * FAST, origin.heading_deg)
        for i, drive in enumerate(drives):
            if drive is None:
                continue
            soon_s = max(0.0, drive.seconds / FAST - origin.within_m / FAST_MPS)
            late_s = drive.seconds / SLOW + origin.within_m / SLOW_MPS
            one = Window(
                road_m=drive.metres,
                earliest_at=first + timedelta(seconds=soon_s),
                latest_at=last + lingers + timedelta(seconds=late_s),
            )
            found[i] = _widest(found[i], one)
    return found


def _widest(a: Window | None, b: Window) -> Window:
    """It may have begun at either place."""
    if a is None:
        return b
    return Window(
        road_m=min(a.road_m, b.road_m),
        earliest_at=min(a.earliest_at, b.earliest_at),
        latest_at=max(a.latest_at, b.latest_at),
    )
