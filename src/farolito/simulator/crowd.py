"""Thousands of units in motion for load runs: positions alone, no beats and no errands.

Sums: a crowd drives a few dozen tours that were worked out once, each unit from another moment
on, so 2,000 positions are one array step: 0.1 ms as arrays, some 2 ms as values (2 cores).
"""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from farolito.geo.street_map import LatLon, StreetMap
from farolito.model import UnitId
from farolito.simulator.metro import make_metro
from farolito.simulator.motion import Drive
from farolito.simulator.patrol import Fix, Streets

TOURS = 48
TOUR_STOPS = 6
COLUMNS = ("lat", "lon", "heading_deg", "speed_mps")

Floats = NDArray[np.float64]


class Crowd:
    """`units` that drive for ever. The same seed and start give the same ways."""

    def __init__(self, count: int, streets: Streets, start: datetime, seed: int = 7) -> None:
        chance = random.Random(f"crowd {seed}")  # noqa: S311 - practice, no secret
        self.units = tuple(UnitId(f"C{number:04d}") for number in range(1, count + 1))
        self._start = start
        tours = [_tour(streets, chance) for _ in range(min(TOURS, max(1, count)))]
        self._moments = np.concatenate(tours)  # a second a row, tour after tour
        lengths = np.array([len(t) for t in tours])
        firsts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
        which = np.arange(count) % len(tours)
        self._first, self._length = firsts[which], lengths[which]
        self._ahead_s = np.array([chance.uniform(0, n) for n in self._length.tolist()])

    def at(self, at: datetime) -> Floats:
        """A row a unit: latitude, longitude, heading, speed."""
        seconds = self._ahead_s + (at - self._start) / timedelta(seconds=1)
        whole = np.floor(seconds).astype(np.int64)
        now = self._moments[self._first + whole % self._length]
        then = self._moments[self._first + (whole + 1) % self._length]
        found: Floats = now.copy()
        share = (seconds - whole)[:, None]
        found[:, :2] += share * (then[:, :2] - now[:, :2])
        return found

    def fixes(self, at: datetime) -> list[Fix]:
        rows = np.round(self.at(at), 6).tolist()
        return [Fix(u, r[0], r[1], at, r[2], r[3]) for u, r in zip(self.units, rows, strict=True)]


def crowd(count: int, start: datetime, seed: int = 7, street_map: StreetMap | None = None) -> Crowd:
    """`count` units on the streets of a map, the practice metro's where none is given."""
    return Crowd(count, Streets(street_map or make_metro(seed)), start, seed)


def _tour(streets: Streets, chance: random.Random) -> Floats:
    """A way through the town that ends where it began, a moment each second."""
    corners = [at for beat in streets.corners.values() for at in beat]
    first = chance.choice(corners)
    stops = [first, *(chance.choice(corners) for _ in range(TOUR_STOPS)), first]
    rows: list[tuple[float, float, float, float]] = []
    for a, b in pairwise(stops):
        rows += _seconds(streets.drive(a, b, chance, urgent=chance.random() < 0.2), a)
    return np.array(rows)


def _seconds(drive: Drive, start: LatLon) -> list[tuple[float, float, float, float]]:
    moments = [drive.at(s) for s in range(math.ceil(drive.lasts_s))]
    return [(*m.at, m.heading_deg, m.speed_mps) for m in moments] or [(*start, 0.0, 0.0)]
