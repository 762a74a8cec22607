from __future__ import annotations

import asyncpg
import pytest

from farolito.model import AgencyId
from farolito.store import Database

CITY, PUEBLO = AgencyId("city"), AgencyId("pueblo")


async def _unit(database: Database, agency: AgencyId, unit: str) -> None:
    async with database.transaction(agency) as connection:
        await connection.execute(
            "insert into units (agency, unit_id) values ($1, $2)", agency, unit
        )


async def test_a_transaction_sees_only_its_own_agency(database: Database) -> None:
    await _unit(database, CITY, "2A14")
    await _unit(database, PUEBLO, "P7")
    async with database.transaction(CITY) as connection:
        rows = await connection.fetch("select unit_id from units")
    assert [row["unit_id"] for row in rows] == ["2A14"]


async def test_a_transaction_cannot_write_for_another_agency(database: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction(CITY) as connection:
            await connection.execute(
                "insert into units (agency, unit_id) values ($1, 'P7')", PUEBLO
            )


async def test_without_an_agency_nothing_is_seen(database: Database) -> None:
    await _unit(database, CITY, "2A14")
    async with database.transaction(AgencyId("")) as connection:
        assert await connection.fetch("select 1 from units") == []
