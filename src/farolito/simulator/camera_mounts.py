"""Where the practice metro's cameras hang, and whose they are: poles, arms, gates, walls."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from datetime import time
from typing import NamedTuple

import numpy as np

from farolito.geo.street_map import StreetMap
from farolito.model.camera import Consent, Hours, OwnerKind, Terms
from farolito.simulator.metro import metres
from farolito.simulator.perspective import Floats
from farolito.simulator.street_ground import Streets
from farolito.simulator.street_plan import XY
from farolito.simulator.street_walls import Houses


class Owner(NamedTuple):
    slug: str
    name: str
    kind: OwnerKind
    approval: str
    consents: tuple[Consent, ...]
    terms: Terms = Terms()
    hours: tuple[Hours, ...] = ()


_EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
_NIGHTS = (Hours(days=_EVERY_DAY, since=time(22), until=time(6)),)
_AFTER_SCHOOL = (
    Hours(days=(0, 1, 2, 3, 4), since=time(17), until=time(7)),
    Hours(days=(5, 6), since=time(0), until=time(0)),
)
_LIVE_ONLY = Terms(
    may_record=False,
    attribution="Luminaria Traffic Operations",
    says="Live view only. No recording.",
)
_ALWAYS, _WINDOW = Consent.ALWAYS, Consent.TIME_WINDOW
_ALARM, _REGISTRY = Consent.ON_ALARM, Consent.REGISTRY_ONLY
CITY = Owner("city-of-luminaria", "Ciudad Luminaria", OwnerKind.CITY, "IA-2025-003", (_ALWAYS,))
TRAFFIC = Owner(
    "luminaria-traffic", "Luminaria Traffic Operations", OwnerKind.TRAFFIC, "IA-2025-007",
    (_ALWAYS,), _LIVE_ONLY,
)  # fmt: skip
SCHOOLS = Owner(
    "luminaria-schools", "Luminaria Public Schools", OwnerKind.SCHOOL, "IA-2026-002",
    (_ALARM, _ALARM, _WINDOW), Terms(says="Inside hours only on alarm."), _AFTER_SCHOOL,
)  # fmt: skip
TRANSIT = Owner(
    "luminaria-transit", "Luminaria Transit", OwnerKind.TRANSIT, "IA-2026-005",
    (_ALWAYS, _ALWAYS, _WINDOW), Terms(attribution="Luminaria Transit"), _NIGHTS,
)  # fmt: skip
COUNTY = Owner("cuesta-county", "Cuesta County", OwnerKind.COUNTY, "IA-2025-011", (_ALWAYS,))
NATION = Owner(
    "agua-serena", "Pueblo of Agua Serena (fictitious)", OwnerKind.NATION, "",
    (_REGISTRY, _REGISTRY, _ALARM),
)  # fmt: skip
PRIVATE = (
    Owner("lantern-merchants", "Lantern Avenue Merchants", OwnerKind.PRIVATE, "IA-2026-009",
           (_WINDOW, _ALARM), hours=_NIGHTS),
    Owner("mesa-market", "Mesa Market", OwnerKind.PRIVATE, "IA-2026-009", (_ALARM,)),
    Owner("hotel-del-sol", "Hotel del Sol", OwnerKind.PRIVATE, "IA-2026-009",
           (_ALARM, _REGISTRY)),
    Owner("plaza-vieja-association", "Plaza Vieja Association", OwnerKind.PRIVATE, "IA-2026-009",
           (_ALWAYS, _WINDOW), hours=_NIGHTS),
    Owner("kestrel-homes", "Kestrel Homeowners", OwnerKind.PRIVATE, "", (_REGISTRY, _ALARM)),
    Owner("rio-claro-storage", "Rio Claro Storage", OwnerKind.PRIVATE, "IA-2026-009",
           (_ALARM, _WINDOW), hours=_NIGHTS),
)  # fmt: skip
OWNERS = (CITY, TRAFFIC, SCHOOLS, TRANSIT, COUNTY, NATION, *PRIVATE)


class Mount(NamedTuple):
    """A place for a camera before anything else is known of it."""

    owner: Owner
    name: str
    at: XY
    height_m: float
    bearing_deg: float
    hfov_deg: float
    tilt_deg: float
    ptz_share: float
    site: str
    consent: Consent | None = None  # one of the owner's, where None
    may_ring: bool = False  # before others, where some are to keep their last seconds


def all_mounts(here: Places) -> list[Mount]:
    """In the order of their owners."""
    return [*_city(here), *_traffic(here), *_schools(here), *_transit(here), *_others(here)]


class Places:
    """Where cameras can hang, and whether a building stands in the way."""

    def __init__(self, street_map: StreetMap, chance: random.Random) -> None:
        self.map, self.chance = street_map, chance
        self.streets, self.houses = Streets(street_map), Houses(street_map)
        self._nodes = np.array(list(self.streets.node_at.values()))
        self._names = list(self.streets.node_at)

    def marks(self, kind: str) -> list[tuple[str, XY]]:
        return [(m.name, metres(m.at)) for m in self.map.landmarks if m.kind == kind]

    def node(self, at: XY) -> int:
        away = np.hypot(*(self._nodes - at).T)
        return int(self._names[int(np.argmin(away))])

    def arms(self, node: int) -> list[XY]:
        """Unit vectors along the streets that leave a corner."""
        at = self.streets.node_at[node]
        found = []
        for i in self.streets.near(at, 60.0):
            s = self.streets.streets[i]
            if s.segment.kind == "path":
                continue
            if s.segment.start == node:
                found.append(unit(s.line[0], s.line[1]))
            elif s.segment.end == node:
                found.append(unit(s.line[-1], s.line[-2]))
        return found

    def along(self, at: XY) -> XY | None:
        """The way of the street that a pole stands at."""
        best, found = 14.0, None
        for i in self.streets.near(at, 20.0):
            s = self.streets.streets[i]
            a, b = s.line[0], s.line[-1]
            tx, ty = unit(a, b)
            gone = (at[0] - a[0]) * tx + (at[1] - a[1]) * ty
            off = abs((at[0] - a[0]) * ty - (at[1] - a[1]) * tx)
            if 0 < gone < math.dist(a, b) and off < best:
                best, found = off, (tx, ty)
        return found

    def is_open(self, at: XY, bearing_deg: float) -> bool:
        """No wall around the camera, nor in its first metres."""
        turn = math.radians(bearing_deg)
        spots = [(at[0] + math.sin(turn) * m, at[1] + math.cos(turn) * m) for m in (0, 6, 12, 20)]
        rings = [ring for _, _, ring in self.houses.near(at, 70.0)]
        return not any(holds(ring, spot) for ring in rings for spot in spots)


def holds(ring: Floats, at: XY) -> bool:
    """Whether a convex ring, counted against the clock, holds a point."""
    count = len(ring)
    for i in range(count):
        a, b = ring[i], ring[(i + 1) % count]
        if (b[0] - a[0]) * (at[1] - a[1]) - (b[1] - a[1]) * (at[0] - a[0]) < 0:
            return False
    return True


def unit(a: XY, b: XY) -> XY:
    """The way from one to the other, one metre long."""
    long = math.dist(a, b) or 1.0
    return ((b[0] - a[0]) / long, (b[1] - a[1]) / long)


def toward(a: XY, b: XY) -> float:
    """Degrees from north."""
    return round(math.degrees(math.atan2(b[0] - a[0], b[1] - a[1])) % 360, 1) % 360


def tilt_deg(height_m: float, away_m: float) -> float:
    """So that the ground so far away is in the middle of the picture."""
    return round(math.degrees(math.atan2(height_m, away_m)), 1)


def _on_poles(here: Places, poles: Iterable[tuple[str, XY]], owner: Owner) -> Iterator[Mount]:
    """Along the street, toward the middle of it some way on."""
    chance = here.chance
    height = 4.2 if owner is TRANSIT else 7.5
    for name, at in poles:
        way = here.along(at)
        if way is None:
            continue
        sense = chance.choice((-1, 1))
        ahead = (at[0] + sense * way[0] * 45, at[1] + sense * way[1] * 45)
        # The pole stands on the right kerb, nine metres from the middle line.
        ahead = (ahead[0] - way[1] * 8, ahead[1] + way[0] * 8)
        bearing = toward(at, ahead)
        if not here.is_open(at, bearing):
            continue
        hfov = chance.choice((58.0, 66.0, 74.0))
        tilt = tilt_deg(height, chance.uniform(34, 48))
        street = name.split(", ")[-1]
        ptz = {CITY: 0.4, COUNTY: 0.3}.get(owner, 0.0)
        yield Mount(owner, name, at, height, bearing, hfov, tilt, ptz, f"{street} cabinet")


def _city(here: Places) -> Iterator[Mount]:
    """On poles, thickest in the middle of the city."""
    poles = sorted(
        here.marks("pole"), key=lambda p: math.hypot(*p[1]) * here.chance.uniform(0.3, 1.0)
    )
    found = _on_poles(here, poles, CITY)
    for _ in range(56):
        yield next(found)


def _traffic(here: Places) -> Iterator[Mount]:
    """On the mast arms: across the crossing, down one of its streets."""
    chance = here.chance
    for name, at in here.marks("camera_mount"):
        node = here.node(at)
        corner = here.streets.node_at[node]
        inward = unit(at, corner)
        arms = [a for a in here.arms(node) if a[0] * inward[0] + a[1] * inward[1] > 0.3]
        if not arms:
            continue
        arm = chance.choice(arms)
        bearing = toward(at, (corner[0] + arm[0] * 36, corner[1] + arm[1] * 36))
        hfov = chance.choice((62.0, 70.0, 80.0))
        where = name.removesuffix(", mast arm")
        if here.is_open(at, bearing):
            yield Mount(
                TRAFFIC, where, at, 7.2, bearing, hfov, tilt_deg(7.2, 38), 0.12, "Mast arms"
            )


def _schools(here: Places) -> Iterator[Mount]:
    """At the gate, toward the street."""
    for name, at in here.marks("school"):
        corner = here.streets.node_at[here.node((at[0] - 55, at[1] - 48))]
        start = (corner[0] + (at[0] - corner[0]) * 0.45, corner[1] + (at[1] - corner[1]) * 0.45)
        bearing = toward(start, corner)
        if here.is_open(start, bearing):
            yield Mount(SCHOOLS, f"{name}, gate", start, 4.6, bearing, 84.0, 9.0, 0.0, name)


def _transit(here: Places) -> Iterator[Mount]:
    poles = here.marks("pole")
    here.chance.shuffle(poles)
    found = _on_poles(here, poles, TRANSIT)
    for number in range(26):
        mount = next(found)
        street = mount.name.split(", ")[-1]
        yield mount._replace(name=f"Stop {2101 + 7 * number}, {street}", site="Stops")


def _others(here: Places) -> Iterator[Mount]:
    """County, pueblo, and private walls."""
    west = [(n, at) for n, at in here.marks("pole") if at[0] < -3_300]
    here.chance.shuffle(west)
    found = _on_poles(here, west, COUNTY)
    for _ in range(9):
        yield next(found)
    village = [
        (f"{s.segment.name}", s.line[0])
        for s in here.streets.streets
        if s.line[0][1] > 5_900 and s.segment.kind == "local"
    ]
    for name, at in village[:: max(1, len(village) // 6)][:6]:
        arm = here.arms(here.node(at))[0]
        spot = (at[0] + 6.0, at[1] + 6.0)
        bearing = toward(spot, (at[0] + arm[0] * 30, at[1] + arm[1] * 30))
        yield Mount(NATION, f"{name}, village", spot, 5.5, bearing, 76.0, 10.0, 0.2, "Village")
    yield from _walls(here)


def _walls(here: Places) -> Iterator[Mount]:
    """Beside doors of shops and houses, across the walk and along the street."""
    chance = here.chance
    numbered = [
        (number, building, ring)
        for number, building, ring in here.houses.near((0.0, 0.0), 4_200.0)
        if building.address is not None
    ]
    chance.shuffle(numbered)
    left = {o.slug: 7 for o in PRIVATE}
    for _, building, ring in numbered:
        wants = [o for o in PRIVATE if left[o.slug] and _suits(o, building.height_m, ring)]
        if not wants:
            if not any(left.values()):
                return
            continue
        # The map draws a building from its street side.
        a, b = (metres(at) for at in building.ring[:2])
        middle, centre = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2), ring.mean(axis=0)
        out = unit((float(centre[0]), float(centre[1])), middle)
        at = (middle[0] + out[0] * 0.5, middle[1] + out[1] * 0.5)
        turn = chance.choice((-1, 1)) * chance.uniform(18, 40)
        bearing = round((toward((0.0, 0.0), out) + turn) % 360, 1) % 360
        if not here.is_open(at, bearing):
            continue
        owner = chance.choice(wants)
        left[owner.slug] -= 1
        height = min(building.height_m - 0.4, 4.2)
        assert building.address is not None
        yield Mount(
            owner, building.address, at, round(height, 1), bearing, chance.choice((78.0, 88.0)),
            round(chance.uniform(7, 12), 1), 0.0, owner.name,
        )  # fmt: skip


def _suits(owner: Owner, height_m: float, ring: Floats) -> bool:
    """Merchants downtown, the plaza's people in the old town, homes low, markets in between."""
    x, y = float(ring[0, 0]), float(ring[0, 1])
    in_old_town = -2_400 < x < -1_600 and 0 < y < 700
    if owner.slug == "plaza-vieja-association":
        return -2_700 < x < -1_300 and -300 < y < 1_000
    if in_old_town:
        return False
    if owner.slug in ("lantern-merchants", "hotel-del-sol"):
        return height_m >= 8 and math.hypot(x, y) < 1_200
    if owner.slug == "kestrel-homes":
        return height_m < 6 and x > 400
    return 6.0 <= height_m < 10
