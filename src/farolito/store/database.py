"""Connections, transactions that name their agency, and migrations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import URL

from farolito.model import AgencyId

AWAY: tuple[type[Exception], ...] = (  # what a query raises while the server is not there
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # where the server closes between two statements
)
CONNECTIONS_MAX = 16
QUERY_S_MAX = 30.0

Connection = asyncpg.pool.PoolConnectionProxy
MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """A pool of connections to one node's database."""

    def __init__(self, pool: asyncpg.Pool[Any], dsn: str) -> None:
        self.pool = pool
        self.dsn = dsn

    @classmethod
    async def open(cls, dsn: str) -> Database:
        pool = await asyncpg.create_pool(
            dsn,
            min_size=2,
            max_size=CONNECTIONS_MAX,
            command_timeout=QUERY_S_MAX,
        )
        return cls(pool, dsn)

    async def close(self) -> None:
        await self.pool.close()

    @asynccontextmanager
    async def transaction(self, agency: AgencyId) -> AsyncIterator[Any]:
        """A transaction that sees and writes only `agency`'s rows, held by row-level security."""
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "select set_config('role', 'farolito_agent', true),"
                " set_config('farolito.agency', $1, true)",
                agency,
            )
            yield connection

    @asynccontextmanager
    async def system(self) -> AsyncIterator[Any]:
        """A transaction of the node itself, for the pipeline's COPY, retention and start-up.

        Row-level security cannot stand in a COPY's way, so this one is not held to an agency:
        it is for `app`, `audit` and `identity`, never for an answer to a person.
        """
        async with self.pool.acquire() as connection, connection.transaction():
            yield connection


async def migrate(dsn: str, to: str = "head") -> None:
    """Bring the schema to `to`. Forward only; safe to call at every start."""
    await asyncio.to_thread(_migrate, dsn, to)


def _migrate(dsn: str, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = _url(dsn)
    command.upgrade(config, to)


def _url(dsn: str) -> URL:
    """An asyncpg-style DSN as SQLAlchemy's URL for psycopg."""
    parts = urlsplit(dsn)
    query = dict(parse_qsl(parts.query))
    return URL.create(
        "postgresql+psycopg",
        username=parts.username or query.pop("user", None),
        password=parts.password,
        host=parts.hostname,
        port=parts.port,
        database=parts.path.lstrip("/"),
        query=query,
    )
