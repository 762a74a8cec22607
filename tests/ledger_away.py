"""Takes the ledger away from a running node, and gives it back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from tests.running import AGENCY, RunningNode, until

LOCK = "hashtextextended('farolito ledger ' || $1, 0)"


@asynccontextmanager
async def ledger_away(node: RunningNode) -> AsyncIterator[None]:
    """Another process becomes the ledger's writer, as after a botched restart; then it goes."""
    rival = await asyncpg.connect(node.node.dsn)
    try:
        waiting = asyncio.create_task(rival.execute(f"select pg_advisory_lock({LOCK})", AGENCY))
        async with node.node.database.system() as connection:
            await until_waiting(connection)
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'"
                " and granted and pid in (select pid from pg_locks l where l.locktype = 'advisory'"
                " and (l.classid, l.objid) in (select classid, objid from pg_locks"
                " where locktype = 'advisory' and not granted))"
            )
        await waiting
        await until(lambda: not node.node.ledger.status().healthy)
        yield
    finally:
        await rival.close()
    await until(lambda: node.node.ledger.status().healthy, within_s=20)


async def until_waiting(connection: Any) -> None:
    async with asyncio.timeout(10):
        while not await connection.fetchval(
            "select exists (select 1 from pg_locks where locktype = 'advisory' and not granted)"
        ):
            await asyncio.sleep(0.01)
