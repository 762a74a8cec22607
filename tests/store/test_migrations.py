"""The schema moves forward under data that stays."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest

from farolito.app import postgres
from farolito.store import Database, migrate

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ALERT, ENTRY, FIRST, LAST = (uuid4() for _ in range(4))


@pytest.fixture
async def old(cluster: postgres.Cluster) -> AsyncIterator[str]:
    """The address of a database as the first release made it."""
    name = f"test_{uuid4().hex}"
    admin = await asyncpg.connect(cluster.dsn.replace("/farolito?", "/postgres?"))
    await admin.execute(f"create database {name}")
    dsn = cluster.dsn.replace("/farolito?", f"/{name}?")
    await migrate(dsn, "0001")
    try:
        yield dsn
    finally:
        await admin.execute(f"drop database {name} with (force)")
        await admin.close()


async def furnish(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("insert into units (agency, unit_id) values ('city', '2A14')")
    await connection.execute(
        "insert into alerts (alert_id, agency, level, state, version, raised_at, changed_at,"
        " captured_at, plate, entry_id, read_id, body) values"
        " ($1, 'city', 2, 'waiting', 2, $2, $2, $2, 'ABC1234', $3, $4, $5)",
        ALERT,
        NOW,
        ENTRY,
        FIRST,
        json.dumps({"last_seen": {"read_id": str(LAST)}}),
    )
    await connection.execute(
        "insert into readers (agency, device_id) values ('city', 'central-at-4th-eb')"
    )
    await connection.execute(
        "insert into reads (read_id, captured_at, received_at, reader, plate, agency, detail)"
        " values ($1, $2, $2, 1, 'ABC1234', 'city', null)",
        FIRST,
        NOW,
    )
    await connection.close()


async def test_a_database_of_the_first_release_keeps_its_data(old: str) -> None:
    await furnish(old)
    await migrate(old)
    connection = await asyncpg.connect(old)
    assert await connection.fetchval("select unit_id from units") == "2A14"
    assert await connection.fetchval("select plate from reads") == "ABC1234"
    assert await connection.fetchval("select state from alerts") == "waiting"
    known = await connection.fetch("select read_id, alert_id from alert_reads")
    assert {(row["read_id"], row["alert_id"]) for row in known} == {(FIRST, ALERT), (LAST, ALERT)}
    await connection.close()


async def test_every_table_of_an_agency_is_held_by_row_level_security(database: Database) -> None:
    async with database.system() as connection:
        open_ones = await connection.fetch(
            "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid"
            " where a.attname = 'agency' and c.relkind in ('r', 'p') and not c.relispartition"
            " and c.relnamespace = 'public'::regnamespace and not c.relrowsecurity"
            " and has_table_privilege('farolito_agent', c.oid, 'select')"
        )
    assert [row["relname"] for row in open_ones] == []


async def test_the_newest_schema_is_left_as_it_is(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    before = await connection.fetchval("select version_num from alembic_version")
    await migrate(dsn)
    assert await connection.fetchval("select version_num from alembic_version") == before
    await connection.close()
