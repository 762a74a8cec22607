"""The practice metro's cameras: whose they are, where they hang, what they show, what ails them.

About 290, always the same for a seed. The register tells what an owner would tell; what a camera
truly is (a turned mast, a wrong clock) stands in `PracticeCamera` and goes to no node.
"""

from __future__ import annotations

import hashlib
import math
import random
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec

from farolito.model import AgencyId, Point
from farolito.model.camera import (
    Camera,
    CameraOwner,
    Consent,
    Login,
    Optics,
    PtzLimits,
    StreamSource,
)
from farolito.model.ids import CameraId, OwnerId
from farolito.simulator.camera_mounts import CITY, OWNERS, PRIVATE, Mount, Places, all_mounts
from farolito.simulator.camera_scenes import about
from farolito.simulator.metro import lat_lon, metres
from farolito.simulator.perspective import Pose
from farolito.simulator.world import World

RING_S = 30.0
RING_NEAR_M = (180.0, 90.0)  # from a gunshot sensor, from a plate reader
RINGS_MAX = 4  # cameras that are pulled, and so drawn, all the time
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


def place_cameras(world: World, lines: Lines | None = None) -> PracticeCameras:
    """All of them, in the order of their owners."""
    config, lines = world.config, lines or Lines()
    chance = random.Random(f"cameras {config.seed}")  # noqa: S311 - practice, no secret
    here = Places(world.street_map, chance)
    mounts = [*all_mounts(here), *about(here, world.opening)]
    taken: set[str] = set()
    how = (chance, lines, config.seed)
    made = [_camera(mount, _slug(mount, taken), config.agency, how) for mount in mounts]
    made = _switched(made)
    made = _with_rings(made, mounts, world)
    owners = tuple(
        CameraOwner(owner_id=OwnerId(o.slug), agency=config.agency, name=o.name, kind=o.kind)
        for o in OWNERS
    )
    return PracticeCameras(owners, tuple(_with_faults(made, lines)))


def _slug(mount: Mount, taken: set[str]) -> str:
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
    mount: Mount, slug: str, agency: AgencyId, how: tuple[random.Random, Lines, int]
) -> PracticeCamera:
    chance, lines, seed = how
    owner = mount.owner
    turns = chance.random() < mount.ptz_share
    stream = _SMALL
    if not turns:
        stream = chance.choices((_SMALL, _LARGE, _SMOOTH), (6, 3, 1))[0]
    consent = mount.consent or chance.choice(owner.consents)
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


def _with_rings(
    made: list[PracticeCamera], mounts: Sequence[Mount], world: World
) -> list[PracticeCamera]:
    """The nearest to gunshot sensors and plate readers that may be recorded and always shown, those
    about the drill's places first, in the order of the drill."""
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
            able.append((0.0 if mounts[i].may_ring else min(shares), i))
    for _, i in sorted(able)[:RINGS_MAX]:
        camera = msgspec.structs.replace(made[i].camera, ring_s=RING_S)
        made[i] = msgspec.structs.replace(made[i], camera=camera, main=_SMALL)
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
