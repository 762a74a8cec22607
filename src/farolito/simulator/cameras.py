"""The practice metro's cameras: whose they are, where they hang, what they show, what ails them.

About 240, always the same for a seed. The register tells what an owner would tell; what a camera
truly is (a turned mast, a wrong clock) stands in `PracticeCamera` and goes to no node.
"""

from __future__ import annotations

import hashlib
import math
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import time
from enum import StrEnum
from typing import NamedTuple

import msgspec
import numpy as np

from farolito.model import AgencyId, Point
from farolito.model.camera import (
    Camera,
    CameraOwner,
    Consent,
    Hours,
    Login,
    Optics,
    OwnerKind,
    PtzLimits,
    StreamSource,
    Terms,
)
from farolito.model.ids import CameraId, OwnerId
from farolito.simulator.metro import lat_lon, metres
from farolito.simulator.perspective import Floats, Pose
from farolito.simulator.street_ground import Streets
from farolito.simulator.street_plan import XY
from farolito.simulator.street_walls import Houses
from farolito.simulator.world import World

RING_S = 30.0
RING_NEAR_M = (180.0, 90.0)  # from a gunshot sensor, from a plate reader
RINGS_MAX = 24  # cameras that are pulled all the time
SWITCH_PORTS = 6
DEAD_SWITCH = "sw-mesa-02"
DEAD_HOST = "127.0.0.9"  # this machine too, where nothing listens: what is asked there is refused
CLOCK_WRONG_S = 73.0
PERSON_PX_PER_M = 8.0
ZOOM_MAX = 4.0


class Fault(StrEnum):
    """What is truly wrong with a camera."""

    DEAD = "dead"
    BLUR = "blur"
    OBSTRUCTED = "obstructed"
    FROZEN = "frozen"
    WRONG_CLOCK = "wrong_clock"
    BLACK = "black"
    MOVED = "moved"


class Stream(NamedTuple):
    """`bit_rate` in bits a second."""

    width: int
    height: int
    fps: float
    bit_rate: int


SUB = Stream(320, 180, 5.0, 100_000)
_SMALL = Stream(640, 360, 12.5, 500_000)
_LARGE = Stream(1280, 720, 12.5, 1_200_000)
_SMOOTH = Stream(640, 360, 25.0, 800_000)


class PracticeCamera(msgspec.Struct, frozen=True, kw_only=True):
    """A camera, and the truth of it. `pose`: how it truly hangs. `clock_s`: how far its clock is
    ahead."""

    camera: Camera
    login: Login
    pose: Pose
    main: Stream
    sub: Stream = SUB
    fault: Fault | None = None
    clock_s: float = 0.0


class Lines(msgspec.Struct, frozen=True, kw_only=True):
    """Where the cameras' streams and services are reached."""

    host: str = "127.0.0.1"
    rtsp_port: int = 8554
    http_port: int = 8580


class PracticeCameras(msgspec.Struct, frozen=True):
    owners: tuple[CameraOwner, ...]
    cameras: tuple[PracticeCamera, ...]

    @property
    def register(self) -> tuple[Camera, ...]:
        return tuple(c.camera for c in self.cameras)

    @property
    def logins(self) -> dict[CameraId, Login]:
        return {c.camera.camera_id: c.login for c in self.cameras}


class _Owner(NamedTuple):
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
CITY = _Owner("city-of-luminaria", "Ciudad Luminaria", OwnerKind.CITY, "IA-2025-003", (_ALWAYS,))
TRAFFIC = _Owner(
    "luminaria-traffic", "Luminaria Traffic Operations", OwnerKind.TRAFFIC, "IA-2025-007",
    (_ALWAYS,), _LIVE_ONLY,
)  # fmt: skip
SCHOOLS = _Owner(
    "luminaria-schools", "Luminaria Public Schools", OwnerKind.SCHOOL, "IA-2026-002",
    (_ALARM, _ALARM, _WINDOW), Terms(says="Inside hours only on alarm."), _AFTER_SCHOOL,
)  # fmt: skip
TRANSIT = _Owner(
    "luminaria-transit", "Luminaria Transit", OwnerKind.TRANSIT, "IA-2026-005",
    (_ALWAYS, _ALWAYS, _WINDOW), Terms(attribution="Luminaria Transit"), _NIGHTS,
)  # fmt: skip
COUNTY = _Owner("cuesta-county", "Cuesta County", OwnerKind.COUNTY, "IA-2025-011", (_ALWAYS,))
NATION = _Owner(
    "agua-serena", "Pueblo of Agua Serena (fictitious)", OwnerKind.NATION, "",
    (_REGISTRY, _REGISTRY, _ALARM),
)  # fmt: skip
PRIVATE = (
    _Owner("lantern-merchants", "Lantern Avenue Merchants", OwnerKind.PRIVATE, "IA-2026-009",
           (_WINDOW, _ALARM), hours=_NIGHTS),
    _Owner("mesa-market", "Mesa Market", OwnerKind.PRIVATE, "IA-2026-009", (_ALARM,)),
    _Owner("hotel-del-sol", "Hotel del Sol", OwnerKind.PRIVATE, "IA-2026-009",
           (_ALARM, _REGISTRY)),
    _Owner("plaza-vieja-association", "Plaza Vieja Association", OwnerKind.PRIVATE, "IA-2026-009",
           (_ALWAYS, _WINDOW), hours=_NIGHTS),
    _Owner("kestrel-homes", "Kestrel Homeowners", OwnerKind.PRIVATE, "", (_REGISTRY, _ALARM)),
    _Owner("rio-claro-storage", "Rio Claro Storage", OwnerKind.PRIVATE, "IA-2026-009",
           (_ALARM, _WINDOW), hours=_NIGHTS),
)  # fmt: skip
OWNERS = (CITY, TRAFFIC, SCHOOLS, TRANSIT, COUNTY, NATION, *PRIVATE)


class _Mount(NamedTuple):
    """A place for a camera before anything else is known of it."""

    owner: _Owner
    name: str
    at: XY
    height_m: float
    bearing_deg: float
    hfov_deg: float
    tilt_deg: float
    ptz_share: float
    site: str


def place_cameras(world: World, lines: Lines | None = None) -> PracticeCameras:
    """All of them, in the order of their owners."""
    config, lines = world.config, lines or Lines()
    chance = random.Random(f"cameras {config.seed}")  # noqa: S311 - practice, no secret
    here = _Places(world, chance)
    mounts = [*_city(here), *_traffic(here), *_schools(here), *_transit(here), *_others(here)]
    taken: set[str] = set()
    how = (chance, lines, config.seed)
    made = [_camera(mount, _slug(mount, taken), config.agency, how) for mount in mounts]
    made = _switched(made)
    made = _with_rings(made, world)
    owners = tuple(
        CameraOwner(owner_id=OwnerId(o.slug), agency=config.agency, name=o.name, kind=o.kind)
        for o in OWNERS
    )
    return PracticeCameras(owners, tuple(_with_faults(made, lines)))


class _Places:
    """Where cameras can hang, and whether a building stands in the way."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self.map, self.chance = world.street_map, chance
        self.streets, self.houses = Streets(world.street_map), Houses(world.street_map)
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
                found.append(_unit(s.line[0], s.line[1]))
            elif s.segment.end == node:
                found.append(_unit(s.line[-1], s.line[-2]))
        return found

    def along(self, at: XY) -> XY | None:
        """The way of the street that a pole stands at."""
        best, found = 14.0, None
        for i in self.streets.near(at, 20.0):
            s = self.streets.streets[i]
            a, b = s.line[0], s.line[-1]
            tx, ty = _unit(a, b)
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
        return not any(_holds(ring, spot) for ring in rings for spot in spots)


def _holds(ring: Floats, at: XY) -> bool:
    """Whether a convex ring, counted against the clock, holds a point."""
    count = len(ring)
    for i in range(count):
        a, b = ring[i], ring[(i + 1) % count]
        if (b[0] - a[0]) * (at[1] - a[1]) - (b[1] - a[1]) * (at[0] - a[0]) < 0:
            return False
    return True


def _unit(a: XY, b: XY) -> XY:
    long = math.dist(a, b) or 1.0
    return ((b[0] - a[0]) / long, (b[1] - a[1]) / long)


def _toward(a: XY, b: XY) -> float:
    return round(math.degrees(math.atan2(b[0] - a[0], b[1] - a[1])) % 360, 1) % 360


def _tilt(height_m: float, away_m: float) -> float:
    """So that the ground so far away is in the middle of the picture."""
    return round(math.degrees(math.atan2(height_m, away_m)), 1)


def _on_poles(here: _Places, poles: Iterable[tuple[str, XY]], owner: _Owner) -> Iterator[_Mount]:
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
        bearing = _toward(at, ahead)
        if not here.is_open(at, bearing):
            continue
        hfov = chance.choice((58.0, 66.0, 74.0))
        tilt = _tilt(height, chance.uniform(34, 48))
        street = name.split(", ")[-1]
        ptz = {CITY: 0.4, COUNTY: 0.3}.get(owner, 0.0)
        yield _Mount(owner, name, at, height, bearing, hfov, tilt, ptz, f"{street} cabinet")


def _city(here: _Places) -> Iterator[_Mount]:
    """On poles, thickest in the middle of the city."""
    poles = sorted(
        here.marks("pole"), key=lambda p: math.hypot(*p[1]) * here.chance.uniform(0.3, 1.0)
    )
    found = _on_poles(here, poles, CITY)
    for _ in range(56):
        yield next(found)


def _traffic(here: _Places) -> Iterator[_Mount]:
    """On the mast arms: across the crossing, down one of its streets."""
    chance = here.chance
    for name, at in here.marks("camera_mount"):
        node = here.node(at)
        corner = here.streets.node_at[node]
        inward = _unit(at, corner)
        arms = [a for a in here.arms(node) if a[0] * inward[0] + a[1] * inward[1] > 0.3]
        if not arms:
            continue
        arm = chance.choice(arms)
        bearing = _toward(at, (corner[0] + arm[0] * 36, corner[1] + arm[1] * 36))
        hfov = chance.choice((62.0, 70.0, 80.0))
        where = name.removesuffix(", mast arm")
        if here.is_open(at, bearing):
            yield _Mount(TRAFFIC, where, at, 7.2, bearing, hfov, _tilt(7.2, 38), 0.12, "Mast arms")


def _schools(here: _Places) -> Iterator[_Mount]:
    """At the gate, toward the street."""
    for name, at in here.marks("school"):
        corner = here.streets.node_at[here.node((at[0] - 55, at[1] - 48))]
        start = (corner[0] + (at[0] - corner[0]) * 0.45, corner[1] + (at[1] - corner[1]) * 0.45)
        bearing = _toward(start, corner)
        if here.is_open(start, bearing):
            yield _Mount(SCHOOLS, f"{name}, gate", start, 4.6, bearing, 84.0, 9.0, 0.0, name)


def _transit(here: _Places) -> Iterator[_Mount]:
    poles = here.marks("pole")
    here.chance.shuffle(poles)
    found = _on_poles(here, poles, TRANSIT)
    for number in range(26):
        mount = next(found)
        street = mount.name.split(", ")[-1]
        yield mount._replace(name=f"Stop {2101 + 7 * number}, {street}", site="Stops")


def _others(here: _Places) -> Iterator[_Mount]:
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
        bearing = _toward(spot, (at[0] + arm[0] * 30, at[1] + arm[1] * 30))
        yield _Mount(NATION, f"{name}, village", spot, 5.5, bearing, 76.0, 10.0, 0.2, "Village")
    yield from _walls(here)


def _walls(here: _Places) -> Iterator[_Mount]:
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
        out = _unit((float(centre[0]), float(centre[1])), middle)
        at = (middle[0] + out[0] * 0.5, middle[1] + out[1] * 0.5)
        turn = chance.choice((-1, 1)) * chance.uniform(18, 40)
        bearing = round((_toward((0.0, 0.0), out) + turn) % 360, 1) % 360
        if not here.is_open(at, bearing):
            continue
        owner = chance.choice(wants)
        left[owner.slug] -= 1
        height = min(building.height_m - 0.4, 4.2)
        assert building.address is not None
        yield _Mount(
            owner, building.address, at, round(height, 1), bearing, chance.choice((78.0, 88.0)),
            round(chance.uniform(7, 12), 1), 0.0, owner.name,
        )  # fmt: skip


def _suits(owner: _Owner, height_m: float, ring: Floats) -> bool:
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


def _slug(mount: _Mount, taken: set[str]) -> str:
    first = mount.owner.slug.split("-")[-1] if mount.owner not in PRIVATE else mount.owner.slug
    if mount.owner is CITY:
        first = "city"
    plain = re.sub(r"[^a-z0-9]+", "-", f"{first} {mount.name}".lower()).strip("-")[:44].strip("-")
    slug, number = plain, 2
    while slug in taken:
        slug, number = f"{plain}-{number}", number + 1
    taken.add(slug)
    return slug


def _camera(
    mount: _Mount, slug: str, agency: AgencyId, how: tuple[random.Random, Lines, int]
) -> PracticeCamera:
    chance, lines, seed = how
    owner = mount.owner
    turns = chance.random() < mount.ptz_share
    stream = _SMALL
    if not turns:
        stream = chance.choices((_SMALL, _LARGE, _SMOOTH), (6, 3, 1))[0]
    consent = chance.choice(owner.consents)
    half = math.tan(math.radians(mount.hfov_deg / 2))
    height_m, tilt = round(mount.height_m, 1), mount.tilt_deg
    lat, lon = lat_lon(mount.at)
    camera = Camera(
        camera_id=CameraId(slug),
        agency=agency,
        owner=OwnerId(owner.slug),
        name=mount.name,
        place=Point(lat, lon),
        height_m=height_m,
        bearing_deg=mount.bearing_deg,
        tilt_deg=tilt,
        optics=Optics(
            hfov_deg=mount.hfov_deg,
            vfov_deg=round(2 * math.degrees(math.atan(half * 9 / 16)), 1),
            range_m=round(1280 / 2 / half / PERSON_PX_PER_M),
            lens="4.8-120 mm" if turns else "fixed",
        ),
        ptz=PtzLimits(tilt_from_deg=-75.0, tilt_to_deg=5.0, zoom_max=ZOOM_MAX) if turns else None,
        consent=consent,
        hours=owner.hours if consent is Consent.TIME_WINDOW else (),
        terms=owner.terms,
        approval=owner.approval,
        site=mount.site,
        main=StreamSource(protocol="rtsp", url=_rtsp(lines, slug, "main")),
        sub=StreamSource(protocol="rtsp", url=_rtsp(lines, slug, "sub")),
        snapshot_url=f"http://{lines.host}:{lines.http_port}/onvif/{slug}/snapshot.jpg",
        onvif_url=f"http://{lines.host}:{lines.http_port}/onvif/{slug}/device_service",
    )
    word = hashlib.sha256(f"practice camera {seed} {slug}".encode()).hexdigest()[:16]
    pose = Pose(*mount.at, height_m, mount.bearing_deg, tilt, mount.hfov_deg)
    login = Login(user="farolito", word=word)
    return PracticeCamera(camera=camera, login=login, pose=pose, main=stream)


def _rtsp(lines: Lines, slug: str, stream: str) -> str:
    return f"rtsp://{lines.host}:{lines.rtsp_port}/{slug}/{stream}"


def _switched(made: list[PracticeCamera]) -> list[PracticeCamera]:
    """Neighbours of one owner hang on one switch; its name says which part of the city."""
    by_owner: dict[str, list[int]] = {}
    for i, one in enumerate(made):
        by_owner.setdefault(one.camera.owner, []).append(i)
    count: dict[str, int] = {}
    for numbers in by_owner.values():
        numbers.sort(key=lambda i: (_part(made[i].pose), made[i].pose.x + made[i].pose.y))
        for first in range(0, len(numbers), SWITCH_PORTS):
            part = _part(made[numbers[first]].pose)
            count[part] = count.get(part, 0) + 1
            for i in numbers[first : first + SWITCH_PORTS]:
                camera = msgspec.structs.replace(
                    made[i].camera, switch=f"sw-{part}-{count[part]:02d}"
                )
                made[i] = msgspec.structs.replace(made[i], camera=camera)
    return made


def _part(pose: Pose) -> str:
    if math.hypot(pose.x, pose.y) < 1_100:
        return "centre"
    if pose.x < -1_500:
        return "river"
    if pose.x > 1_500:
        return "mesa"
    return "north" if pose.y > 0 else "south"


def _with_rings(made: list[PracticeCamera], world: World) -> list[PracticeCamera]:
    """The nearest to gunshot sensors and plate readers that may be recorded and always shown."""
    ears = [e.device.place for e in world.ears.ears] if world.ears else []
    readers = [r.device.place for r in world.readers]

    def away(places: Sequence[Point | None], pose: Pose) -> float:
        spots = [metres((p.lat, p.lon)) for p in places if p is not None]
        return min((math.dist(s, (pose.x, pose.y)) for s in spots), default=math.inf)

    able = []
    for i, one in enumerate(made):
        if one.camera.consent is not Consent.ALWAYS or not one.camera.terms.may_record:
            continue
        shares = away(ears, one.pose) / RING_NEAR_M[0], away(readers, one.pose) / RING_NEAR_M[1]
        if min(shares) < 1:
            able.append((min(shares), i))
    for _, i in sorted(able)[:RINGS_MAX]:
        camera = msgspec.structs.replace(made[i].camera, ring_s=RING_S)
        made[i] = msgspec.structs.replace(made[i], camera=camera)
    return made


def _with_faults(made: list[PracticeCamera], lines: Lines) -> list[PracticeCamera]:
    """A dead switch, and one camera for each way of being useless while online."""
    whole = [
        i
        for i, one in enumerate(made)
        if one.camera.switch != DEAD_SWITCH
        and one.camera.ptz is None
        and one.camera.ring_s == 0
        and one.camera.consent is Consent.ALWAYS
    ]
    ailing = {whole[5 + 11 * k]: f for k, f in enumerate(f for f in Fault if f is not Fault.DEAD)}
    for i, one in enumerate(made):
        if one.camera.switch == DEAD_SWITCH:
            made[i] = _dead(one, lines)
        elif i in ailing:
            fault = ailing[i]
            pose, clock_s = one.pose, CLOCK_WRONG_S if fault is Fault.WRONG_CLOCK else 0.0
            if fault is Fault.MOVED:
                pose = pose._replace(
                    bearing_deg=(pose.bearing_deg + 58) % 360, tilt_deg=pose.tilt_deg + 9
                )
            made[i] = msgspec.structs.replace(one, fault=fault, pose=pose, clock_s=clock_s)
    return made


def _dead(one: PracticeCamera, lines: Lines) -> PracticeCamera:
    gone = msgspec.structs.replace(lines, host=DEAD_HOST)
    slug, camera = one.camera.camera_id, one.camera
    camera = msgspec.structs.replace(
        camera,
        main=StreamSource(protocol="rtsp", url=_rtsp(gone, slug, "main")),
        sub=StreamSource(protocol="rtsp", url=_rtsp(gone, slug, "sub")),
        snapshot_url=camera.snapshot_url.replace(lines.host, DEAD_HOST, 1),
        onvif_url=camera.onvif_url.replace(lines.host, DEAD_HOST, 1),
    )
    return msgspec.structs.replace(one, camera=camera, fault=Fault.DEAD)
