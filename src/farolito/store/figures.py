"""What was published, and what only the records can count for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from farolito.model import AgencyId
from farolito.model.figures import PublishedFigures
from farolito.store import reads

LISTED_MAX = 240  # twenty years of months


class FiguresRows:
    """Bound to one transaction of one agency."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def keep(self, told: PublishedFigures) -> None:
        """Once: figures of a period are not published a second time."""
        await self._connection.execute(
            "insert into published_figures (agency, period, since, until, published_at, permit,"
            " document, counts) values ($1,$2,$3,$4,$5,$6,$7,$8)",
            self._agency, told.period, told.since, told.until, told.published_at, told.permit,
            told.document, msgspec.json.encode(told.counts),
        )  # fmt: skip

    async def get(self, period: str) -> PublishedFigures | None:
        row = await self._connection.fetchrow(
            "select period, since, until, published_at, permit, document, counts"
            " from published_figures where agency = $1 and period = $2",
            self._agency,
            period,
        )
        if row is None:
            return None
        counts = msgspec.json.decode(row["counts"], type=dict[str, int])
        return PublishedFigures(**{**dict(row), "counts": counts})

    async def periods(self) -> list[str]:
        """Those that are published, the newest end first."""
        rows = await self._connection.fetch(
            "select period from published_figures where agency = $1"
            " order by until desc, published_at desc limit $2",
            self._agency,
            LISTED_MAX,
        )
        return [row["period"] for row in rows]

    async def alerts(self, since: datetime, until: datetime) -> Mapping[tuple[str, str], int]:
        """Alerts of hot lists that were raised in a time, by how they stand and what came of it."""
        rows = await self._connection.fetch(
            "select state, coalesce(body->>'decision_reason', '') said, count(*) count from alerts"
            " where agency = $1 and raised_at >= $2 and raised_at < $3 group by 1, 2",
            self._agency,
            since,
            until,
        )
        return {(row["state"], row["said"]): row["count"] for row in rows}

    async def reads_kept(self) -> int:
        """About how many plate reads are kept now."""
        return await reads.estimated_total(self._connection)

    async def questions(
        self, beginnings: Sequence[str], since: datetime, until: datetime, limit: int
    ) -> list[tuple[int, str]]:
        """Entries whose `query` begins so: number and query, the oldest first. Not yet held against
        their commitments."""
        rows = await self._connection.fetch(
            "select entry_index, value from ledger_personal p where agency = $1"
            " and field = 'query' and at >= $2 and at < $3 and exists (select from"
            "   unnest($4::bytea[]) b where substring(p.value from 1 for length(b)) = b)"
            " order by entry_index limit $5",
            self._agency,
            since,
            until,
            [one.encode() for one in beginnings],
            limit,
        )
        return [(row["entry_index"], row["value"].decode(errors="replace")) for row in rows]

    async def began(self) -> datetime | None:
        """When the ledger's first entry was written; None where there is none yet."""
        at: datetime | None = await self._connection.fetchval(
            "select at from ledger_entries where agency = $1 order by entry_index limit 1",
            self._agency,
        )
        return at
