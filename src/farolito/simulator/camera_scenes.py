"""Cameras about the places where the drill begins: of different owners, and one that is blocked.

A city has a camera every other corner where much happens. In ours that is where its first calls
come from and its first listed cars are read, so that who tries it sees pictures at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from farolito.geo.street_map import LatLon
from farolito.model.camera import Consent
from farolito.simulator.camera_mounts import (
    CITY,
    PRIVATE,
    TRAFFIC,
    TRANSIT,
    Mount,
    Owner,
    Places,
    holds,
    tilt_deg,
    toward,
    unit,
)
from farolito.simulator.metro import metres
from farolito.simulator.perspective import Floats
from farolito.simulator.street_plan import XY

KERB_EVERY_M = 11.0
KERB_M = 1.6  # from the kerb to a pole
NEAR_M, FAR_M = 27.0, 80.0  # from a pole or a wall to the place
APART_M, APART_DEG = 9.0, 35.0  # two that see it stand so far apart, and look from two sides
BLOCKED_M = (30.0, 120.0)
AROUND_M = 16.0  # of a blocked one's place, nothing so far around is seen either
_BY_SLUG = {owner.slug: owner for owner in PRIVATE}
_NEIGHBOUR, _BEHIND = _BY_SLUG["kestrel-homes"], _BY_SLUG["mesa-market"]


class _Hook(NamedTuple):
    """Something that a camera can hang on. `house` is None for a pole."""

    name: str
    street: str
    at: XY
    house: int | None
    height_m: float


class _Wanted(NamedTuple):
    owner: Owner
    on_wall: bool
    height_m: float
    hfov_deg: float
    turns: bool = False
    consent: Consent | None = None
    may_ring: bool = False


_WANTED = (
    _Wanted(CITY, False, 7.5, 60.0, turns=True),
    _Wanted(_NEIGHBOUR, True, 3.6, 78.0, consent=Consent.ON_ALARM),
    _Wanted(TRANSIT, False, 4.2, 66.0, consent=Consent.ALWAYS),
    _Wanted(TRAFFIC, False, 4.8, 58.0),
    _Wanted(CITY, False, 6.5, 66.0, may_ring=True),
)


def about(here: Places, places: Sequence[LatLon]) -> Iterator[Mount]:
    """Up to six for each place; fewer where nothing to hang them on sees it."""
    taken: set[XY] = set()
    for number, at in enumerate(places):
        scene = _Scene(here, metres(at))
        for mount in scene.mounts(number):
            if mount.at not in taken:
                taken.add(mount.at)
                yield mount


class _Scene:
    """One place, and everything about it that a camera can hang on, the nearest first."""

    def __init__(self, here: Places, at: XY) -> None:
        self._here, self._at = here, at
        self._rings = {n: ring for n, _, ring in here.houses.near(at, 2 * BLOCKED_M[1])}
        self._inside = {n for n, ring in self._rings.items() if holds(ring, at)}
        hooks = [*self._kerbs(), *self._walls()]
        self._hooks = sorted(hooks, key=lambda hook: math.dist(hook.at, at))
        self._used: list[_Hook] = []

    def mounts(self, number: int) -> Iterator[Mount]:
        for k, wanted in enumerate(_WANTED):
            hook = self._seeing(wanted)
            if hook is not None:
                self._used.append(hook)
                yield self._mount(hook, wanted, 8 * number + k)
        behind = self._behind()
        if behind is not None:
            yield self._mount(behind, _Wanted(_BEHIND, True, 3.8, 78.0), 8 * number + 7)

    def _seeing(self, wanted: _Wanted) -> _Hook | None:
        """The nearest that sees the place, if it can be from a side of its own."""
        able = [
            hook for hook in self._hooks
            if (hook.house is not None) == wanted.on_wall
            and NEAR_M <= math.dist(hook.at, self._at) <= FAR_M
            and all(math.dist(hook.at, used.at) > APART_M for used in self._used)
            and self._is_clear(hook)
        ]  # fmt: skip
        from_aside = [hook for hook in able if all(self._apart_deg(hook, u) for u in self._used)]
        return next(iter(from_aside or able), None)

    def _apart_deg(self, one: _Hook, other: _Hook) -> bool:
        turned = toward(one.at, self._at) - toward(other.at, self._at)
        return abs((turned + 180) % 360 - 180) > APART_DEG

    def _behind(self) -> _Hook | None:
        """A wall that looks right at the place, with a house between."""
        for hook in self._hooks:
            away = math.dist(hook.at, self._at)
            if hook.house is None or not BLOCKED_M[0] <= away <= BLOCKED_M[1]:
                continue
            if not self._sees_nothing(hook):
                continue
            way = unit(hook.at, self._at)
            first = [(hook.at[0] + way[0] * m, hook.at[1] + way[1] * m) for m in (0, 4, 8)]
            if not any(holds(ring, spot) for ring in self._rings.values() for spot in first):
                return hook
        return None

    def _sees_nothing(self, hook: _Hook) -> bool:
        x, y = self._at
        about = [
            (x + dx, y + dy) for dx in (-AROUND_M, 0, AROUND_M) for dy in (-AROUND_M, 0, AROUND_M)
        ]
        rings = [ring for number, ring in self._rings.items() if number not in self._inside]
        return all(any(_crosses(ring, hook.at, spot) for ring in rings) for spot in about)

    def _mount(self, hook: _Hook, wanted: _Wanted, number: int) -> Mount:
        away = math.dist(hook.at, self._at)
        height = min(wanted.height_m, hook.height_m)
        bearing = toward(hook.at, self._at)
        if wanted.turns:
            # At rest it looks past the place: to show it, it must turn.
            bearing = round((bearing + 75) % 360, 1)
        name = {
            TRANSIT.slug: f"Stop {3101 + 7 * number}, {hook.street}",
            TRAFFIC.slug: f"Speed trailer {number + 1}, {hook.street}",
            CITY.slug: f"Pole {4001 + number}, {hook.street}",
        }.get(wanted.owner.slug, hook.name)
        return Mount(
            wanted.owner, name, hook.at, round(height, 1), bearing, wanted.hfov_deg,
            tilt_deg(height, away), 1.0 if wanted.turns else 0.0, f"{hook.street} cabinet",
            wanted.consent, wanted.may_ring,
        )  # fmt: skip

    def _kerbs(self) -> Iterator[_Hook]:
        """Both kerbs of the streets about, but for motorways."""
        for i in self._here.streets.near(self._at, FAR_M):
            street = self._here.streets.streets[i]
            if street.segment.kind in ("motorway", "path"):
                continue
            a, b = street.line[0], street.line[-1]
            along = unit(a, b)
            gone = street.starts_m + 4
            while gone < math.dist(a, b) - street.ends_m - 4:
                for side in (-1, 1):
                    aside = side * (street.half_m + KERB_M)
                    at = (
                        round(a[0] + along[0] * gone + along[1] * aside, 2),
                        round(a[1] + along[1] * gone - along[0] * aside, 2),
                    )
                    if not any(holds(ring, at) for ring in self._rings.values()):
                        yield _Hook("", street.segment.name, at, None, math.inf)
                gone += KERB_EVERY_M

    def _walls(self) -> Iterator[_Hook]:
        """Above the middle of every wall of the houses about."""
        for number, building, ring in self._here.houses.near(self._at, BLOCKED_M[1]):
            if building.address is None or number in self._inside:
                continue
            street = building.address.split(" ", 1)[-1]
            centre = ring.mean(axis=0)
            for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True):
                middle = (a + b) / 2
                out = unit(
                    (float(centre[0]), float(centre[1])), (float(middle[0]), float(middle[1]))
                )
                at = (
                    round(float(middle[0]) + out[0] * 0.5, 2),
                    round(float(middle[1]) + out[1] * 0.5, 2),
                )
                yield _Hook(building.address, street, at, number, building.height_m - 0.4)

    def _is_clear(self, hook: _Hook) -> bool:
        """No house between, as if all were higher than the camera."""
        return not any(
            _crosses(ring, hook.at, self._at)
            for number, ring in self._rings.items()
            if number not in self._inside
        )


def _crosses(ring: Floats, a: XY, b: XY) -> bool:
    """Whether the line from `a` to `b` meets a wall of the ring."""
    starts, ends = ring, np.roll(ring, -1, axis=0)

    def side(p: Floats, q: Floats, x: float, y: float) -> Floats:
        sides: Floats = (q[:, 0] - p[:, 0]) * (y - p[:, 1]) - (q[:, 1] - p[:, 1]) * (x - p[:, 0])
        return sides

    def beside(at: Floats) -> Floats:
        sides: Floats = (b[0] - a[0]) * (at[:, 1] - a[1]) - (b[1] - a[1]) * (at[:, 0] - a[0])
        return sides

    parted = side(starts, ends, *a) * side(starts, ends, *b) < 0
    return bool(np.any(parted & (beside(starts) * beside(ends) < 0)))
