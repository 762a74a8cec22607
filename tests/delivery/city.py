"""A city's records for delivery: people, incidents and briefs told to the feed, and the ledger."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import msgspec

from farolito.model import (
    AgencyId,
    Brief,
    Incident,
    Person,
    PersonId,
    Role,
    UnitId,
)
from farolito.store import Database, Records
from farolito.store.people import People
from tests.delivery.conftest import now
from tests.delivery.delivery_builders import AGENCY


class City:
    def __init__(self, database: Database) -> None:
        self.database = database

    async def person(
        self, role: Role = Role.OFFICER, unit: str | None = "2A14", agency: AgencyId = AGENCY
    ) -> Person:
        made = Person(
            person_id=PersonId(uuid4()),
            agency=agency,
            name="Test Person",
            role=role,
            unit=None if unit is None else UnitId(unit),
        )
        async with self.database.system() as connection:
            await People(connection).keep(made, now())
        return made

    async def suspend(self, person: Person) -> None:
        async with self.database.system() as connection:
            await People(connection).suspend(person.person_id, now())

    async def incident(self, incident: Incident) -> Incident:
        """Kept and told, as the dispatch does in one transaction."""
        async with self.database.transaction(AGENCY) as connection:
            records = Records(connection, AGENCY)
            await records.incidents.save(incident)
            await records.feed.tell("incident", incident, now())
        return incident

    async def brief(self, brief: Brief) -> Brief:
        async with self.database.transaction(AGENCY) as connection:
            records = Records(connection, AGENCY)
            await records.briefs.add(brief)
            await records.feed.tell("brief", brief, now(), brief.unit)
        return brief

    async def entries(self, query: str) -> list[Any]:
        """The ledger's entries whose query begins so: act, thing, decision, reason."""
        async with self.database.system() as connection:
            rows = await connection.fetch(
                "select e.entry from ledger_personal p"
                " join ledger_entries e using (agency, entry_index)"
                " where p.field = 'query' and convert_from(p.value, 'UTF8') like $1 || '%'"
                " order by e.entry_index",
                query,
            )
        return [msgspec.json.decode(row["entry"]) for row in rows]
