"""A small city whose dispatch briefs its units, over a real database, gate and ledger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from farolito.app.clock import ids
from farolito.app.surroundings import MapSurroundings
from farolito.briefing import Briefing
from farolito.desk import Desk
from farolito.gate import Answer, Ask
from farolito.model import (
    Alert,
    AnswerKind,
    Brief,
    CalledUnit,
    CallKind,
    Device,
    Incident,
    Level,
    LineKind,
    OfficerAnswer,
    Outcome,
    Person,
    PersonId,
    Purpose,
    Role,
    Thing,
    Unit,
    UnitId,
    UnitStatus,
)
from farolito.store import Database
from tests.briefing.briefing_builders import READER, alert
from tests.desk.city import AGENCY, City, a_city, river_town, spot
from tests.running import WAIT_S_MAX

CAR, OTHER_CAR = UnitId("2A14"), UnitId("3B22")
_TOWN = river_town()


class Scene:
    def __init__(self, city: City) -> None:
        self.city = city
        reader = Device(
            device_id=READER, agency=AGENCY.agency_id, kind="plate_reader",
            name="Central @ 4th, eastbound", format="farolito", place=spot(320, 300),
        )  # fmt: skip
        self.surroundings = MapSurroundings({READER: reader})
        self.surroundings.use(_TOWN)
        city.desk = Desk(city.gate, city.system, city.clock, ids)
        self.briefing = Briefing(
            city.gate, self.surroundings, city.desk.assign_in, city.desk.close_in, city.clock, ids,
            system=city.system,
        )  # fmt: skip
        self.briefing.dispatch = city.dispatch
        city.dispatch.followers.append(self.briefing.on_incident)
        city.desk.followers += [city.dispatch.follow_alert, self.briefing.follow]
        self.officer = Person(
            person_id=PersonId(ids()), agency=AGENCY.agency_id, name="Baca", role=Role.OFFICER,
            unit=CAR,
        )  # fmt: skip

    async def told(self, number: str, *units: CalledUnit, **told: Any) -> Incident:
        """A call at 4th and D, from the CAD, with these units; only what is told changes."""
        first = {
            "kind": CallKind.SHOTS_FIRED, "priority": Level.P1, "place": spot(300, 300),
            "address": "4th St @ D Ave", "within_m": 25.0, "taken_at": self.city.clock(),
        }  # fmt: skip
        self.city.later(1)
        async with self.city.records() as records:
            is_new = await records.calls.by_number(number) is None
        more = {"units": units} if units else {}
        return await self.city.told(number, **{**(first if is_new else {}), **more, **told})

    def on(self, unit: UnitId = CAR, status: UnitStatus = UnitStatus.ASSIGNED) -> CalledUnit:
        return CalledUnit(unit=unit, status=status, at=self.city.clock())

    async def raised(self, plate: str, **more: Any) -> Alert:
        """An alert that waits for a person, read at 4th and D a moment ago."""
        match = alert(plate, captured_at=self.city.clock(), **more).match
        checks = tuple(msgspec.structs.replace(c, outcome="waiting") for c in match.checks)
        read = msgspec.structs.replace(match.read, place=spot(300, 300))
        told = await self.city.desk.raise_match(
            msgspec.structs.replace(match, checks=checks, read=read)
        )
        assert told is not None
        return told

    async def confirmed(self, plate: str) -> Alert:
        waiting = await self.raised(plate)
        return await self.confirm(waiting)

    async def confirm(self, waiting: Alert) -> Alert:
        answer = await self.city.desk.confirm(
            self.ask(Thing.ALERT), waiting.alert_id, waiting.version, state_confirmed=True
        )
        return answer.value

    async def recall(self, alert_: Alert, reason: str = "recovered") -> None:
        async with self.city.records() as records:
            entry = alert_.match.entry.entry_id
            await self.city.desk.recall_in(records, [entry], reason, self.ask(Thing.HOT_LIST), 1)

    def ask(self, thing: Thing, person: Person | None = None) -> Ask:
        why = Purpose.HOT_LIST_ALERT if thing is Thing.ALERT else Purpose.IN_PROGRESS_CALL
        return Ask(
            person=person or self.city.operator, thing=thing, purpose=why, query="test",
            signed_in_at=self.city.clock(),
        )  # fmt: skip

    async def brief(self, unit: UnitId = CAR) -> Brief:
        """The unit's one brief, as it is now."""
        [brief] = await self.briefs(unit)
        return brief

    async def briefs(self, unit: UnitId = CAR) -> list[Brief]:
        async with self.city.records() as records:
            return await records.briefs.of_unit(unit, self.city.clock() - timedelta(hours=12))

    async def versions(self, brief: Brief) -> list[Brief]:
        async with self.city.records() as records:
            return await records.briefs.versions(brief.brief_id)

    async def heard(self, version: int, unit: UnitId = CAR) -> Brief:
        """Wait for a version of the unit's one brief."""
        async with asyncio.timeout(WAIT_S_MAX):
            while (brief := await self.brief(unit)).version < version:
                await asyncio.sleep(0.01)
        return brief

    async def at(self, unit: UnitId, x: float, y: float) -> None:
        place = Unit(
            unit_id=unit, agency=AGENCY.agency_id, place=spot(x, y), heard_at=self.city.clock(),
            source="phone",
        )  # fmt: skip
        async with self.city.records() as records:
            await records.units.hear([place])

    async def reply(
        self, brief: Brief, kind: AnswerKind, says: str = "", answer_id: Any = None
    ) -> Answer[OfficerAnswer]:
        ask = self.ask(Thing.BRIEF, self.officer)
        return await self.briefing.reply(
            ask, brief.brief_id, answer_id or uuid4(), kind, says, self.city.clock()
        )

    async def outcome(self, brief: Brief, outcome: Outcome) -> Brief:
        ask = self.ask(Thing.BRIEF, self.officer)
        return (await self.briefing.answer(ask, brief.brief_id, outcome)).value

    @asynccontextmanager
    async def completing(self) -> AsyncIterator[None]:
        """The background work, while a test runs it."""
        task = asyncio.create_task(self.briefing.complete())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def says(brief: Brief, kind: LineKind) -> str:
    return next(line.says for line in brief.lines if line.kind is kind)


@asynccontextmanager
async def a_scene(database: Database, folder: Path) -> AsyncIterator[Scene]:
    async with a_city(database, folder) as city:
        yield Scene(city)
