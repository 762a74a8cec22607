"""The register at work: what stands in it, who may see what of it, and the owner's own word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from farolito.desk.camera_register import Brought, TakenIn, check, is_same, settled, taken_in
from farolito.desk.consent import Leave
from farolito.desk.desk import NotFound
from farolito.gate import Answer, Ask, Gate, Records
from farolito.model import (
    Camera,
    CameraId,
    CameraOwner,
    Consent,
    Hours,
    IncidentId,
    Login,
    OwnerId,
    Person,
    Refused,
    Role,
    UnitId,
    Viewing,
)
from farolito.model.wall import Wall

WATCHED_SINCE = timedelta(days=30)


class Register(Protocol):
    """The cameras as the node has them in memory; the app's."""

    def camera(self, camera_id: CameraId) -> Camera | None: ...

    def owner(self, owner_id: OwnerId) -> CameraOwner | None: ...

    def all(self) -> Sequence[Camera]: ...

    def leave(self, camera: Camera) -> Leave:
        """Whether its owner lets us look now."""
        ...

    def is_near_unit(self, camera_id: CameraId, unit: UnitId) -> bool:
        """Whether an open incident near it has this unit."""
        ...

    def is_open(self, incident: IncidentId) -> bool: ...

    async def refresh(self) -> None:
        """Look again at which incidents are open."""
        ...

    def put(
        self,
        owners: Iterable[CameraOwner] = (),
        cameras: Iterable[Camera] = (),
        logins: Mapping[CameraId, Login] = {},
        removed: Iterable[CameraId] = (),
    ) -> None:
        """What the store has from now on."""
        ...


def facts_of(register: Register, camera: Camera, person: Person) -> dict[str, str | int | bool]:
    """What the policy must know of a camera, for this person, at this moment."""
    told: dict[str, str | int | bool] = {
        "consent_open": register.leave(camera).is_open,
        "camera_owner": camera.owner,
        "may_record": camera.terms.may_record,
    }
    if person.unit:
        told["assigned_unit"] = person.unit
        told["near_assigned"] = register.is_near_unit(camera.camera_id, person.unit)
    return told


def may_list(register: Register, person: Person) -> tuple[dict[str, str | int | bool], set[str]]:
    """For a list of cameras: facts for the question, and which cameras an officer's list holds."""
    if person.role is not Role.OFFICER or not person.unit:
        return {}, set()
    unit = person.unit
    near = {c.camera_id for c in register.all() if register.is_near_unit(c.camera_id, unit)}
    return {"assigned_unit": unit, "near_assigned": bool(near)}, {*near}


class CameraDesk:
    """`seal`: a login as the store keeps it. `changed`: consent or cameras are others now."""

    def __init__(
        self,
        gate: Gate,
        register: Register,
        seal: Callable[[CameraId, Login], bytes],
        clock: Callable[[], datetime],
    ) -> None:
        self._gate = gate
        self._register = register
        self._seal = seal
        self._clock = clock
        self.changed: list[Callable[[], None]] = []

    def existing(self, camera_id: CameraId) -> Camera:
        """Raises NotFound."""
        camera = self._register.camera(camera_id)
        if camera is None:
            raise NotFound("there is no such camera", "it may have been taken out of the register")
        return camera

    async def all(self, ask: Ask) -> Answer[list[Camera]]:
        """The register; for an officer the cameras near the own unit's incidents."""
        await self._know_incidents(ask.person)
        facts, near = may_list(self._register, ask.person)

        async def work(records: Records, permit: int) -> list[Camera]:
            every = self._register.all()
            if ask.person.role is not Role.OFFICER:
                return list(every)
            return [one for one in every if one.camera_id in near]

        return await self._gate.read(_with(ask, facts), work)

    async def one(self, ask: Ask, camera_id: CameraId) -> Answer[Camera]:
        camera = self.existing(camera_id)
        await self._know_incidents(ask.person)

        async def work(records: Records, permit: int) -> Camera:
            return camera

        facts = facts_of(self._register, camera, ask.person)
        return await self._gate.read(_with(ask, facts), work)

    async def take_in(self, ask: Ask, brought: Brought) -> Answer[TakenIn]:
        """A register, or a piece of one. Raises Invalid, and takes nothing, where one is wrong."""
        seals = {name: self._seal(name, login) for name, login in brought.logins.items()}
        done: list[Camera] = []
        gone: list[CameraId] = []
        agency, now = self._gate.owner, self._clock()
        owners = [msgspec.structs.replace(one, agency=agency) for one in brought.owners]

        async def work(records: Records, permit: int) -> TakenIn:
            check(brought, [one.owner_id for one in await records.cameras.owners()])
            await records.cameras.keep_owners(owners)
            known = await records.cameras.known([one.camera_id for one in brought.cameras])
            before = {name: one.camera for name, one in known.items()}
            whole = [settled(c, before.get(c.camera_id), agency) for c in brought.cameras]
            new = [
                msgspec.structs.replace(one, changed_at=now)
                for one in whole
                if not is_same(one, before.get(one.camera_id)) or known[one.camera_id].is_removed
            ]
            await records.cameras.keep(new, now)
            there = await records.cameras.known(seals)
            await records.cameras.keep_logins({n: s for n, s in seals.items() if n in there})
            gone.extend(await records.cameras.remove(brought.remove, now))
            done.extend(new)
            return taken_in(brought, whole, before, gone)

        answer = await self._gate.act(ask, work)
        self._register.put(owners, done, brought.logins, gone)
        self._tell()
        return answer

    async def consent(
        self, ask: Ask, camera_id: CameraId, consent: Consent, hours: tuple[Hours, ...]
    ) -> Answer[Camera]:
        """The owner's own word: from now on, and for who looks at this moment too."""
        facts = facts_of(self._register, self.existing(camera_id), ask.person)

        async def work(records: Records, permit: int) -> Camera:
            camera = await records.cameras.get(camera_id, lock=True)
            if camera is None:
                raise NotFound("there is no such camera", "reload the page")
            if camera.owner != facts["camera_owner"]:
                raise Refused("not_your_camera", "this camera has another owner now", "reload")
            now = self._clock()
            said = msgspec.structs.replace(camera, consent=consent, hours=hours, changed_at=now)
            await records.cameras.keep([said], now)
            return said

        answer = await self._gate.act(_with(ask, facts), work)
        self._register.put(cameras=[answer.value])
        self._tell()
        return answer

    async def viewings(
        self, ask: Ask, camera_id: CameraId, before: datetime | None, limit: int
    ) -> Answer[list[Viewing]]:
        async def work(records: Records, permit: int) -> list[Viewing]:
            return await records.viewings.of_camera(camera_id, before, limit)

        facts = facts_of(self._register, self.existing(camera_id), ask.person)
        return await self._gate.read(_with(ask, facts), work)

    async def all_viewings(
        self, ask: Ask, before: datetime | None, limit: int
    ) -> Answer[list[Viewing]]:
        """Of all cameras, for those who may know it of all."""

        async def work(records: Records, permit: int) -> list[Viewing]:
            return await records.viewings.newest(before, limit)

        return await self._gate.read(ask, work)

    async def of_owner(self, ask: Ask) -> Answer[Mapping[str, Any]]:
        """An owner's own cameras, how long each was watched, and by whom."""
        owner = ask.person.owner or OwnerId("")

        async def work(records: Records, permit: int) -> Mapping[str, Any]:
            since = self._clock() - WATCHED_SINCE
            return {
                "cameras": [one for one in self._register.all() if one.owner == owner],
                "sums": {s.camera_id: s for s in await records.viewings.sums(owner, since)},
                "viewings": await records.viewings.of_owner(owner),
            }

        return await self._gate.read(_with(ask, {"camera_owner": owner}), work)

    # Walls: a person's own arrangement of what that person may see, so of no right of its own.

    async def walls(self, ask: Ask) -> Answer[dict[str, Wall]]:
        async def work(records: Records, permit: int) -> dict[str, Wall]:
            return await records.walls.of(ask.person.person_id)

        return await self._gate.read(ask, work)

    async def keep_wall(self, ask: Ask, name: str, wall: Wall) -> Answer[bool]:
        async def work(records: Records, permit: int) -> bool:
            return await records.walls.keep(ask.person.person_id, name, wall)

        return await self._gate.read(ask, work)

    async def drop_wall(self, ask: Ask, name: str) -> Answer[bool]:
        async def work(records: Records, permit: int) -> bool:
            return await records.walls.drop(ask.person.person_id, name)

        return await self._gate.read(ask, work)

    async def _know_incidents(self, person: Person) -> None:
        if person.role is Role.OFFICER:
            await self._register.refresh()

    def _tell(self) -> None:
        for told in self.changed:
            told()


def _with(ask: Ask, facts: Mapping[str, str | int | bool]) -> Ask:
    return msgspec.structs.replace(ask, facts={**ask.facts, **facts})
