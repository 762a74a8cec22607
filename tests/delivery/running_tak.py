"""TAK delivery wired as the app wires it, with the real gate, store, server and client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from farolito.delivery import Follower, Sender, TakFeed, TakLink, desk_uid
from farolito.delivery.tak import Every
from farolito.gate import Ask, Gate, Records
from farolito.ingest.avl.cot import CotEvent
from farolito.ingest.avl.sources import TakClientConfig, TakServerConfig
from farolito.ingest.avl.tak import TakClient, TakServer, TakUser
from farolito.model import (
    AnswerKind,
    BriefId,
    Device,
    IncidentId,
    OfficerAnswer,
    Person,
    Purpose,
    Receipt,
    ReceiptKind,
    Rejected,
    Thing,
    Unit,
)
from farolito.store import Database
from tests.delivery.city import City
from tests.delivery.conftest import now
from tests.delivery.delivery_builders import AGENCY

CALLSIGN = "RTCC"
QUICK = Every(tick=0.05, recheck=0.3, positions=0.1)
DESK = Sender(desk_uid(AGENCY), CALLSIGN)


class KeptReceipts:
    """Receipts and answers through the gate, as the officer, into the records."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def _ask(self, person: Person, query: str) -> Ask:
        return Ask(
            person=person,
            thing=Thing.BRIEF,
            purpose=Purpose.IN_PROGRESS_CALL,
            query=query,
            device="tak",
        )

    async def _facts(self, records: Records, brief_id: BriefId) -> Mapping[str, str | int | bool]:
        found = await records.briefs.latest(brief_id)
        return {"assigned_unit": found.unit if found else "", "confirmed": found is not None}

    async def receive(
        self, person: Person, brief_id: BriefId, version: int, kind: ReceiptKind
    ) -> None:
        async def work(records: Records, permit: int) -> None:
            await records.briefs.receive(
                Receipt(
                    brief_id=brief_id, version=version, kind=kind, at=now(),
                    person=person.person_id,
                )
            )  # fmt: skip

        ask = self._ask(person, "receipt from TAK")
        await self._gate.safety(ask, work, lambda records: self._facts(records, brief_id))

    async def reply(
        self,
        person: Person,
        brief_id: BriefId,
        answer_id: UUID,
        kind: AnswerKind,
        says: str,
        tapped_at: datetime,
    ) -> None:
        async def work(records: Records, permit: int) -> None:
            brief = await records.briefs.latest(brief_id)
            assert brief is not None
            assert brief.incident_id is not None
            await records.briefs.answer(
                OfficerAnswer(
                    answer_id=answer_id, brief_id=brief_id, incident_id=brief.incident_id,
                    unit=brief.unit, person=person.person_id, kind=kind, at=now(),
                    tapped_at=tapped_at, says=says,
                )
            )  # fmt: skip

        ask = self._ask(person, "answer from TAK")
        await self._gate.safety(ask, work, lambda records: self._facts(records, brief_id))


class Streets:
    """What the app holds in memory, and who is who."""

    def __init__(self) -> None:
        self.known: dict[str, Unit] = {}
        self.cameras: list[Device] = []
        self.people: dict[str, Person] = {}  # by unit, or by a proven name

    def put(self, *units: Unit) -> None:
        for one in units:
            self.known[one.unit_id] = one

    def units(self) -> Sequence[Unit]:
        return list(self.known.values())

    def devices(self) -> Sequence[Device]:
        return self.cameras

    async def person_of(self, user: TakUser) -> Person | None:
        if user.is_proven and user.name in self.people:
            return self.people[user.name]
        return self.people.get(user.unit or "")


class Running:
    def __init__(self, gate: Gate, database: Database) -> None:
        self.gate, self.city, self.streets = gate, City(database), Streets()
        self.feed = TakFeed(gate, self.streets, KeptReceipts(gate), self.streets, now, every=QUICK)
        self.follower = Follower(gate, [self.feed])
        self.rejected: list[str] = []
        self.port = 0

    async def officer(self, unit: str) -> Person:
        """An officer in a unit, whose call sign a TAK device may claim."""
        person = await self.city.person(unit=unit)
        self.streets.people[unit] = person
        return person

    async def told(self, *what: Any) -> None:
        for one in what:
            await (self.city.brief(one) if hasattr(one, "brief_id") else self.city.incident(one))
        self.follower.nudge()

    async def receipts(self, brief_id: BriefId) -> list[tuple[int, str]]:
        found = await self.gate.following(lambda r: r.briefs.receipts(brief_id))
        return [(one.version, one.kind.value) for one in found]

    async def answers(self, incident_id: IncidentId) -> list[tuple[str, str]]:
        found = await self.gate.following(lambda r: r.briefs.answers(incident_id))
        return [(one.kind.value, one.says) for one in found]

    def tell(self, why: Rejected, _bytes: bytes) -> None:
        self.rejected.append(why.reason)


@asynccontextmanager
async def running(gate: Gate, database: Database) -> AsyncIterator[Running]:
    made = Running(gate, database)
    tasks = [asyncio.create_task(made.follower.run()), asyncio.create_task(made.feed.run())]
    gate.after_act = made.follower.nudge
    try:
        yield made
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(ended, asyncio.CancelledError), ended


@asynccontextmanager
async def our_server(made: Running, **config: Any) -> AsyncIterator[TakServer]:
    async def on_event(event: CotEvent, user: TakUser) -> None:
        await made.feed.hear(link, event, user)

    server = TakServer(TakServerConfig(port=0, callsigns="any", **config), on_event, made.tell)
    link = TakLink("ours", True, DESK, server.send, lambda: server.users)
    await server.start()
    made.port = server.port
    try:
        yield server
    finally:
        await server.close()


@asynccontextmanager
async def their_server(made: Running, port: int, **config: Any) -> AsyncIterator[TakClient]:
    """We as a client of somebody's TAK server."""

    async def on_event(event: CotEvent, user: TakUser) -> None:
        await made.feed.hear(link, event, user)

    told = TakClientConfig(
        name="city", host="127.0.0.1", port=port, callsign=CALLSIGN, uid=DESK.uid,
        callsigns="any", **config,
    )  # fmt: skip
    client = TakClient(told, on_event, made.tell)
    link = TakLink("city", False, DESK, client.send)
    task = asyncio.create_task(client.run())
    made.port = port
    try:
        yield client
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
