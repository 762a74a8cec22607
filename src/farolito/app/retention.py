"""What is kept ends: once an hour, by deletion, with the counts in the ledger."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import asyncpg

from farolito.gate import Gate, Records, system_ask
from farolito.media import Pictures
from farolito.model import Agency, FarolitoError, Person, Thing
from farolito.policy import StatePack
from farolito.store import Database, hot_lists, reads

log = logging.getLogger(__name__)

EVERY_S = 3600.0
FEED_KEPT = timedelta(days=2)
ROWS_KEPT = timedelta(days=90)  # entries that left their list; alerts keep their own copy


class Retention:
    def __init__(  # noqa: PLR0913 - wired once, by build
        self,
        database: Database,
        pictures: Pictures,
        gate: Gate,
        system: Person,
        days: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._pictures = pictures
        self._gate = gate
        self._system = system
        self.days = days
        self._clock = clock

    async def run(self) -> None:
        while True:
            try:
                await self.once()
            except (OSError, asyncpg.PostgresError, FarolitoError) as why:
                log.warning("retention waits an hour: %s", type(why).__name__)
            await asyncio.sleep(EVERY_S)

    async def once(self) -> int:
        """Delete what is past its time; answers how many reads went."""
        now = self._clock()
        before = (now - timedelta(days=self.days)).date()
        async with self._database.system() as connection:
            gone = await reads.drop_before(connection, before)
        pictures = await asyncio.to_thread(self._pictures.drop_before, before)

        async def work(records: Records, permit: int) -> None:
            await records.alerts.trim_feed(now - FEED_KEPT)
            await hot_lists.forget_removed(records.connection, records.agency, now - ROWS_KEPT)

        if gone or pictures:
            query = f"retention: {gone} reads and {pictures} pictures before {before} deleted"
            await self._gate.act(system_ask(self._system, Thing.PLATE_READ, query), work)
        return gone


def days_kept(agency: Agency, pack: StatePack) -> int:
    """The agency's own limit, or the law's where that is shorter."""
    own = agency.keep_reads.days
    return own if pack.keep_reads_days_max is None else min(own, pack.keep_reads_days_max)
