"""A city with cameras: a register, who watches, and a process with pictures that only notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from farolito.app.camera_book import CameraBook
from farolito.app.clock import ids
from farolito.desk.camera_register import Brought, TakenIn
from farolito.desk.cameras import CameraDesk
from farolito.desk.watching import Watching, Who
from farolito.gate import Answer, Ask, Look
from farolito.identity import CameraLogins
from farolito.model import (
    Camera,
    CameraId,
    IncidentId,
    OwnerId,
    Person,
    PersonId,
    Purpose,
    Role,
    SessionId,
    Thing,
    UnitId,
    Viewing,
)
from tests.camera_builders import SCHOOLS, TRANSIT, camera
from tests.desk.city import AGENCY, City, spot

DENVER = ZoneInfo("America/Denver")
RUTH = Person(
    person_id=PersonId(ids()), agency=AGENCY.agency_id, name="Ruth Salazar",
    role=Role.CAMERA_OWNER, owner=OwnerId("luminaria-transit"),
)  # fmt: skip
ADMIN = Person(
    person_id=PersonId(ids()), agency=AGENCY.agency_id, name="Office", role=Role.AGENCY_ADMIN
)
SAM = Person(
    person_id=PersonId(ids()), agency=AGENCY.agency_id, name="Sam Begay", role=Role.OFFICER,
    unit=UnitId("2A14"),
)  # fmt: skip
GATE = CameraId("gate")


class Watched(City):
    """`signed_in`: who is, by session. `cuts`: what the processes with pictures were told."""

    book: CameraBook
    cameras: CameraDesk
    watching: Watching
    signed_in: dict[SessionId, Person]
    cuts: list[tuple[tuple[int, ...], str]]

    @classmethod
    async def of(cls, city: City, folder: Path, *some: Camera) -> Watched:
        made = cls(city.database, city.gate, city.ledger, city.spool, city._now)
        made.gate.token_secret = b"secret"
        logins = CameraLogins(folder / "cameras.key", bytes)
        made.book = CameraBook(made.gate, made.database, logins, DENVER, made.clock)
        made.cameras = CameraDesk(made.gate, made.book, made.book.seal, made.clock)
        made.signed_in, made.cuts = {}, []
        made.start_watching()
        await made.book.load()
        await made.bring(*some)
        return made

    def start_watching(self, who: Who | None = None) -> None:
        """As a node that starts: it knows of nobody who watches."""
        self.watching = Watching(
            self.gate, self.book, who or self._who, self._cut, self.clock, ids, self.system
        )

    async def bring(self, *some: Camera, **more: Any) -> TakenIn:
        brought = Brought(owners=(TRANSIT, SCHOOLS), cameras=some, **more)
        return (await self.cameras.take_in(self.asks(ADMIN, Purpose.ADMINISTRATION), brought)).value

    def asks(self, person: Person, purpose: Purpose = Purpose.IN_PROGRESS_CALL, **more: Any) -> Ask:
        return msgspec.structs.replace(
            self.ask(), person=person, purpose=purpose, thing=Thing.CAMERA, **more
        )

    def session(self, person: Person) -> SessionId:
        session = SessionId(ids())
        self.signed_in[session] = person
        return session

    async def look(
        self, person: Person, camera_id: CameraId = GATE, incident: IncidentId | None = None,
        session: SessionId | None = None,
    ) -> Answer[Look]:  # fmt: skip
        ask = self.asks(person, session=session or self.session(person))
        return await self.watching.watch(ask, camera_id, incident)

    async def looks(
        self, person: Person, camera_id: CameraId = GATE, incident: IncidentId | None = None
    ) -> int:
        """Permitted, and opened a moment later."""
        permit = (await self.look(person, camera_id, incident)).permit
        self.watching.opened(permit, camera_id, self.later(0.2))
        return permit

    async def viewings(self) -> list[Viewing]:
        async with self.records() as records:
            return await records.viewings.of_camera(GATE)

    async def entries(self, since: int) -> list[tuple[str, str]]:
        """Act and reason of the ledger's entries after this one."""
        found = await self.ledger.entries(since, 100)
        return [(one.entry["act"], one.entry["reason"]) for one in found]

    async def _who(self, sessions: Sequence[SessionId]) -> Mapping[SessionId, Person]:
        return {one: self.signed_in[one] for one in sessions if one in self.signed_in}

    def _cut(self, permits: Sequence[int], reason: str) -> None:
        self.cuts.append((tuple(permits), reason))


def gate_camera(**more: Any) -> Camera:
    """At the corner of 1st and A."""
    return camera("gate", **{"place": spot(0, 0), **more})
