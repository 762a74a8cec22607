"""What each source sent: its health, and the messages that were not taken in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from farolito.model import AgencyId

HEAD_BYTES_MAX = 4096  # of a rejected message; enough to see what was wrong with it


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    letter_id: UUID
    device_id: str
    at: datetime
    format: str
    reason: str
    says: str
    size: int
    head: bytes


class SourceCount(msgspec.Struct, frozen=True, kw_only=True):
    device_id: str
    format: str
    last_heard_at: datetime
    reads: int = 0
    duplicates: int = 0
    rejected: Mapping[str, int] = {}


class Sources:
    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def bury(self, letters: Iterable[DeadLetter]) -> None:
        await self._connection.executemany(
            "insert into dead_letters (letter_id, agency, device_id, at, format, reason, says,"
            " size, head) values ($1,$2,$3,$4,$5,$6,$7,$8,$9)",
            [
                (
                    x.letter_id, self._agency, x.device_id, x.at, x.format, x.reason, x.says,
                    x.size, x.head[:HEAD_BYTES_MAX],
                )
                for x in letters
            ],
        )  # fmt: skip

    async def trim_dead(self, keep: int) -> None:
        await self._connection.execute(
            "delete from dead_letters where letter_id in"
            " (select letter_id from dead_letters order by at desc offset $1)",
            keep,
        )

    async def dead(self, limit: int) -> list[DeadLetter]:
        rows = await self._connection.fetch(
            "select letter_id, device_id, at, format, reason, says, size, head from dead_letters"
            " order by at desc limit $1",
            limit,
        )
        return [DeadLetter(**dict(row)) for row in rows]

    async def count(self, counts: Iterable[SourceCount]) -> None:
        """Add to each source's figures."""
        await self._connection.executemany(
            "insert into source_health as s (agency, device_id, format, last_heard_at, reads,"
            " duplicates, rejected) values ($1,$2,$3,$4,$5,$6,$7::jsonb)"
            " on conflict (agency, device_id, format) do update set"
            " last_heard_at = greatest(s.last_heard_at, excluded.last_heard_at),"
            " reads = s.reads + excluded.reads,"
            " duplicates = s.duplicates + excluded.duplicates,"
            " rejected = (select coalesce(jsonb_object_agg(k, v), '{}') from (select k, sum(v) as v"
            " from (select key as k, value::bigint as v from jsonb_each_text(s.rejected)"
            " union all select key, value::bigint from jsonb_each_text(excluded.rejected)) a"
            " group by k) b)",
            [
                (
                    self._agency, c.device_id, c.format, c.last_heard_at, c.reads, c.duplicates,
                    msgspec.json.encode(c.rejected).decode(),
                )
                for c in counts
            ],
        )  # fmt: skip

    async def health(self) -> list[SourceCount]:
        rows = await self._connection.fetch(
            "select device_id, format, last_heard_at, reads, duplicates, rejected::text"
            " from source_health order by device_id, format"
        )
        return [
            SourceCount(
                device_id=row["device_id"],
                format=row["format"],
                last_heard_at=row["last_heard_at"],
                reads=row["reads"],
                duplicates=row["duplicates"],
                rejected=msgspec.json.decode(row["rejected"], type=dict[str, int]),
            )
            for row in rows
        ]
