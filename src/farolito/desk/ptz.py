"""Turning a camera: one holder at a time, who keeps it by use, and how it is handed over.

Each turn is an act through the gate. A hold that is not used for LEASE ends by itself, and what
still turns is stopped. Where a place is, is reckoned here; how a camera is told is its driver's.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal, Protocol

import msgspec

from farolito.desk.cameras import Register, facts_of
from farolito.desk.desk import NotFound
from farolito.desk.steps import Conflict
from farolito.gate import Answer, Ask, Gate, Records
from farolito.geo.distance import bearing_deg, distance_m
from farolito.model import Camera, CameraId, FarolitoError, Invalid, Person, PersonId, Point, Role

LEASE = timedelta(seconds=30)
WAITING_MAX = 10  # who asked for it; one more is told to wait
SHOWN_M = 15.0  # across: so much of a place is taken into the picture
NEAR_M = 2.0  # nearer than this a place has no direction
SPEED_MAX = 1.0

log = logging.getLogger(__name__)

Op = Literal["take", "release", "ask", "give", "move", "stop", "look_at", "home"]


class Turns(Protocol):
    """A camera's own way of being turned. Raises FarolitoError for what it does not do."""

    async def move(self, camera: Camera, pan: float, tilt: float, zoom: float) -> None:
        """From now on, at speeds of −1…1: right, up and in are above 0."""
        ...

    async def stop(self, camera: Camera) -> None: ...

    async def look_at(self, camera: Camera, pan_deg: float, tilt_deg: float, zoom: float) -> None:
        """To a bearing from north, an angle above the horizon, and a zoom of 1 and more."""
        ...

    async def home(self, camera: Camera) -> None: ...


class Wanted(msgspec.Struct, frozen=True):
    """What somebody wants of a camera; speeds −1…1, a place for `look_at`."""

    op: Op
    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 0.0
    lat: float | None = None
    lon: float | None = None


class Aim(msgspec.Struct, frozen=True):
    pan_deg: float
    tilt_deg: float
    zoom: float


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Who turns a camera now, as it is told to whom asked. `turn_s`: so long, at the most, until it
    looks at the place that it was told of."""

    held_by: str | None
    yours: bool
    until: datetime | None
    waiting: tuple[str, ...]
    says: str
    turn_s: float | None = None


class _Hold(msgspec.Struct, kw_only=True):
    person: Person
    until: datetime
    waiting: list[Person]
    is_moving: bool = False


class Ptz:
    """`turned`: told of where a camera looks from now on, None where nobody knows."""

    def __init__(
        self,
        gate: Gate,
        register: Register,
        turns: Turns,
        clock: Callable[[], datetime],
        turned: Callable[[CameraId, float | None], None] = lambda _, __: None,
    ) -> None:
        self._gate = gate
        self._register = register
        self._turns = turns
        self._clock = clock
        self._turned = turned
        self._holds: dict[CameraId, _Hold] = {}
        self._looks: dict[CameraId, float | None] = {}  # where it was turned to; else it rests

    def held(self, camera_id: CameraId, person: Person) -> Held | None:
        """Who has it; None where it is free."""
        hold = self._hold(camera_id)
        return None if hold is None else self._told(hold, person, "")

    async def do(self, ask: Ask, camera_id: CameraId, wanted: Wanted) -> Answer[Held]:
        """Raises Refused, NotFound, Conflict where somebody else has it, Invalid for a place that
        it cannot turn to."""
        camera = self._register.camera(camera_id)
        if camera is None:
            raise NotFound("there is no such camera", "it may have been taken out of the register")
        if camera.ptz is None:
            raise Invalid("this camera does not turn", "look at the best ones for the place")
        aim = _aim_of(camera, wanted)

        async def work(records: Records, permit: int) -> str:
            return self._hand_over(camera_id, ask.person, wanted.op)

        facts = facts_of(self._register, camera, ask.person)
        said = await self._gate.act(
            msgspec.structs.replace(ask, facts={**ask.facts, **facts}), work
        )
        turn_s = None if aim is None else self._turn_s(camera, aim)
        await self._turn(camera, wanted, aim)
        hold = self._hold(camera_id)
        if hold is None:
            free = Held(held_by=None, yours=False, until=None, waiting=(), says=said.value)
            return Answer(free, said.permit)
        told = self._told(hold, ask.person, said.value)
        return Answer(msgspec.structs.replace(told, turn_s=turn_s), said.permit)

    async def expire(self) -> None:
        """Stop what turns though its holder has let go of it. Called every second or two."""
        now = self._clock()
        for camera_id, hold in list(self._holds.items()):
            if hold.until > now:
                continue
            del self._holds[camera_id]
            await self._stop(camera_id, hold)

    async def drop(self, person: PersonId, camera_id: CameraId) -> None:
        """Who looks no more turns no more."""
        hold = self._holds.get(camera_id)
        if hold is not None and hold.person.person_id == person:
            del self._holds[camera_id]
            await self._stop(camera_id, hold)

    async def _stop(self, camera_id: CameraId, hold: _Hold) -> None:
        camera = self._register.camera(camera_id)
        if not hold.is_moving or camera is None:
            return
        try:
            await self._turns.stop(camera)
        except FarolitoError as why:
            log.warning("camera %s may still turn: %s", camera_id, why.says)

    # Whose it is

    def _hold(self, camera_id: CameraId) -> _Hold | None:
        hold = self._holds.get(camera_id)
        return hold if hold is not None and hold.until > self._clock() else None

    def _hand_over(self, camera_id: CameraId, person: Person, op: Op) -> str:
        """What became of it, as a sentence. Raises Conflict."""
        hold = self._hold(camera_id)
        is_own = hold is not None and hold.person.person_id == person.person_id
        if hold is not None and not is_own:
            return self._from_another(camera_id, hold, person, op)
        if op == "release":
            self._holds.pop(camera_id, None)
            return "it is free"
        if op == "give":
            return self._give(camera_id, hold)
        if op == "ask":
            op = "take"  # nobody has it
        before = self._holds.get(camera_id)
        self._holds[camera_id] = _Hold(
            person=person,
            until=self._clock() + LEASE,
            waiting=[] if before is None else _without(before.waiting, person),
            is_moving=hold is not None and hold.is_moving,
        )
        return "you turn it"

    def _from_another(self, camera_id: CameraId, hold: _Hold, person: Person, op: Op) -> str:
        name = hold.person.name
        if op == "ask":
            others = _without(hold.waiting, person)
            if len(others) >= WAITING_MAX:
                raise Conflict(f"{WAITING_MAX} people wait for it", "ask again later")
            hold.waiting = [*others, person]
            return f"{name} is asked for it"
        if op == "take" and person.role is Role.SUPERVISOR:
            self._holds[camera_id] = _Hold(
                person=person,
                until=self._clock() + LEASE,
                waiting=[*_without(hold.waiting, person), hold.person][-WAITING_MAX:],
                is_moving=hold.is_moving,
            )
            return f"you turn it; {name} did until now"
        raise Conflict(
            f"{name} turns this camera", f"ask for it; unused it is free in {self._left_s(hold)} s"
        )

    def _give(self, camera_id: CameraId, hold: _Hold | None) -> str:
        if hold is None:
            raise Conflict("it is free", "take it")
        if not hold.waiting:
            raise Conflict("nobody waits for it", "release it")
        first, *rest = hold.waiting
        self._holds[camera_id] = _Hold(
            person=first, until=self._clock() + LEASE, waiting=rest, is_moving=hold.is_moving
        )
        return f"{first.name} turns it"

    def _told(self, hold: _Hold, person: Person, says: str) -> Held:
        return Held(
            held_by=hold.person.name,
            yours=hold.person.person_id == person.person_id,
            until=hold.until,
            waiting=tuple(one.name for one in hold.waiting),
            says=says or f"{hold.person.name} turns it",
        )

    def _left_s(self, hold: _Hold) -> int:
        return math.ceil((hold.until - self._clock()).total_seconds())

    # Where it turns

    def _looks_to(self, camera_id: CameraId, pan_deg: float | None) -> None:
        self._looks[camera_id] = pan_deg
        self._turned(camera_id, pan_deg)

    def _turn_s(self, camera: Camera, aim: Aim) -> float:
        """A half turn where nobody knows where it looks now."""
        assert camera.ptz is not None, "it turns"
        now = self._looks.get(camera.camera_id, camera.bearing_deg)
        angle = 180.0 if now is None else abs((aim.pan_deg - now + 180) % 360 - 180)
        return round(angle / 180 * camera.ptz.seconds_half_turn, 1)

    async def _turn(self, camera: Camera, wanted: Wanted, aim: Aim | None) -> None:
        hold, camera_id = self._holds.get(camera.camera_id), camera.camera_id
        match wanted.op:
            case "move":
                await self._turns.move(camera, wanted.pan, wanted.tilt, wanted.zoom)
                self._looks_to(camera_id, None)
            case "stop" | "release" | "give":
                await self._turns.stop(camera)
            case "look_at":
                assert aim is not None, "a place was given"
                await self._turns.look_at(camera, aim.pan_deg, aim.tilt_deg, aim.zoom)
                self._looks_to(camera_id, aim.pan_deg)
            case "home":
                await self._turns.home(camera)
                self._looks_to(camera_id, camera.bearing_deg)
        if hold is not None and wanted.op not in {"take", "ask"}:
            hold.is_moving = wanted.op == "move"


def aim_at(camera: Camera, place: Point) -> Aim:
    """How a camera looks at a place on the ground. Raises Invalid where it does not turn so far,
    or its own place is not known."""
    if camera.place is None or camera.ptz is None:
        raise Invalid("nobody knows where this camera stands", "turn it by hand")
    own = (camera.place.lat, camera.place.lon)
    metres = distance_m(own, (place.lat, place.lon))
    if metres < NEAR_M:
        raise Invalid("the place is right under the camera", "turn it by hand")
    pan = bearing_deg(own, (place.lat, place.lon))
    tilt = -math.degrees(math.atan2(camera.height_m, metres))
    limits = camera.ptz
    if not _turns_to(pan, limits.pan_from_deg, limits.pan_to_deg):
        span = f"{limits.pan_from_deg:.0f}° to {limits.pan_to_deg:.0f}°"
        raise Invalid(f"it turns from {span}, and the place lies at {pan:.0f}°", "take another one")
    if not limits.tilt_from_deg <= tilt <= limits.tilt_to_deg:
        raise Invalid(
            f"it tilts from {limits.tilt_from_deg:.0f}° to {limits.tilt_to_deg:.0f}°,"
            f" and the place lies at {tilt:.0f}°",
            "take another one",
        )
    slant_m = math.hypot(metres, camera.height_m)
    wanted_deg = math.degrees(2 * math.atan(SHOWN_M / 2 / slant_m))
    zoom = min(limits.zoom_max, max(1.0, camera.optics.hfov_deg / wanted_deg))
    return Aim(pan, tilt, zoom)


def _aim_of(camera: Camera, wanted: Wanted) -> Aim | None:
    speeds = (wanted.pan, wanted.tilt, wanted.zoom)
    if not all(abs(speed) <= SPEED_MAX for speed in speeds):  # NaN is no speed either
        raise Invalid("a speed beyond −1…1", "send −1 to 1")
    if wanted.op != "look_at":
        return None
    if wanted.lat is None or wanted.lon is None:
        raise Invalid("look at which place?", "give lat and lon")
    return aim_at(camera, Point(wanted.lat, wanted.lon))


def _turns_to(pan: float, start: float | None, end: float | None) -> bool:
    """Clockwise from `start` to `end`; the whole circle where one is not told."""
    if start is None or end is None:
        return True
    return (pan - start) % 360 <= (end - start) % 360


def _without(people: list[Person], person: Person) -> list[Person]:
    return [one for one in people if one.person_id != person.person_id]
