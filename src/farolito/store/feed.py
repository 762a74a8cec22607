"""What screens are told, in order: written in the transaction of the change itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from farolito.model import AgencyId, UnitId

FEED_RESUME_MAX = 500  # a screen further behind takes a fresh snapshot instead

_encode = msgspec.json.Encoder().encode


class FeedItem(msgspec.Struct, frozen=True):
    """One thing a screen is told. `unit` limits it to that unit's officer as well."""

    seq: int
    at: datetime
    kind: str  # alert, brief, receipt, incident, answer
    unit: str | None
    body: msgspec.Raw


class Feed:
    """Gapless numbers, so that whoever has seen one has seen every number below it."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def tell(
        self, kind: str, body: msgspec.Struct, at: datetime, unit: UnitId | None = None
    ) -> int:
        """Add to the feed, in the transaction of the change. Answers the new number.

        The lock makes the order of numbers the order of commits, so that a reader which has seen
        number n has seen every number below it.
        """
        await self.hold()
        return int(
            await self._connection.fetchval(
                "insert into feed (agency, seq, at, kind, unit, body) select $1,"
                " coalesce((select max(seq) from feed where agency = $1), 0) + 1, $2, $3, $4, $5"
                " returning seq",
                self._agency,
                at,
                kind,
                unit,
                _encode(body).decode(),
            )
        )

    async def hold(self) -> None:
        """Take the feed's lock until the transaction ends; taken again it changes nothing.

        It makes the order of numbers the order of commits, so that a reader which has seen number
        n has seen every number below it. Whoever holds it while they decide what to tell knows
        that nobody tells anything else meanwhile: what changes incidents or briefs holds it
        first, and then waits for no other lock.
        """
        await self._connection.execute(
            "select pg_advisory_xact_lock(hashtextextended('feed:' || $1, 0))", self._agency
        )

    async def end(self) -> int:
        return int(await self._connection.fetchval("select coalesce(max(seq), 0) from feed"))

    async def after(self, seq: int) -> Sequence[FeedItem] | None:
        """What came after `seq`, in order; None where that is too much or no longer kept."""
        first = await self._connection.fetchval("select coalesce(min(seq), 1) from feed")
        if seq < first - 1:
            return None
        rows = await self._connection.fetch(
            "select seq, at, kind, unit, body::text as body from feed where seq > $1"
            " order by seq limit $2",
            seq,
            FEED_RESUME_MAX + 1,
        )
        if len(rows) > FEED_RESUME_MAX:
            return None
        return [
            FeedItem(r["seq"], r["at"], r["kind"], r["unit"], msgspec.Raw(r["body"].encode()))
            for r in rows
        ]

    async def trim(self, before: datetime) -> None:
        """Let go of feed items older than `before`, always keeping the newest."""
        await self._connection.execute(
            "delete from feed where at < $1 and seq < (select max(seq) from feed)",
            before,
        )
