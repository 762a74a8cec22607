"""What this node saw of other ledgers, and the alarms about them.

A log is named by its whole verifier key. Whether a checkpoint is true is the room `audit`'s to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from farolito.model import AgencyId


class SeenCheckpoint(msgspec.Struct, frozen=True):
    """`note`: text and the log's own signature."""

    log: str
    size: int
    root: bytes
    note: bytes


class StoredAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """`evidence`: JSON, as it was told. `told`: partners that have it from us."""

    alarm_id: str
    log: str
    kind: str
    state: str
    raised_by: AgencyId
    at: datetime
    evidence: bytes
    told: tuple[AgencyId, ...] = ()


class Witnesses:
    """Bound to one transaction of one agency."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def hold(self, log: str, empty_root: bytes, at: datetime) -> SeenCheckpoint:
        """The newest checkpoint cosigned for a log, held until the transaction ends: whoever asks
        for the same log waits."""
        await self._connection.execute(
            "insert into witnessed_logs (agency, log, size, root, note, at)"
            " values ($1, $2, 0, $3, '', $4) on conflict do nothing",
            self._agency,
            log,
            empty_root,
            at,
        )
        row = await self._connection.fetchrow(
            "select log, size, root, note from witnessed_logs where agency = $1 and log = $2"
            " for update",
            self._agency,
            log,
        )
        return SeenCheckpoint(*row)

    async def move(self, seen: SeenCheckpoint, at: datetime) -> None:
        """The newest checkpoint of a log is this one now."""
        await self._connection.execute(
            "update witnessed_logs set size = $3, root = $4, note = $5, at = $6"
            " where agency = $1 and log = $2",
            self._agency,
            *msgspec.structs.astuple(seen),
            at,
        )
        await self.keep(seen, at)

    async def keep(self, seen: SeenCheckpoint, at: datetime) -> None:
        """A checkpoint that fits what is known of its log; the first of its size stays."""
        await self._connection.execute(
            "insert into witnessed_checkpoints (agency, log, size, root, note, at)"
            " values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
            self._agency,
            *msgspec.structs.astuple(seen),
            at,
        )

    async def of_size(self, log: str, size: int) -> SeenCheckpoint | None:
        row = await self._connection.fetchrow(
            "select log, size, root, note from witnessed_checkpoints"
            " where agency = $1 and log = $2 and size = $3",
            self._agency,
            log,
            size,
        )
        return SeenCheckpoint(*row) if row else None

    async def last(self, log: str) -> SeenCheckpoint | None:
        """The newest checkpoint cosigned for a log."""
        row = await self._connection.fetchrow(
            "select log, size, root, note from witnessed_logs"
            " where agency = $1 and log = $2 and size > 0",
            self._agency,
            log,
        )
        return SeenCheckpoint(*row) if row else None

    async def newest(self, limit: int) -> list[SeenCheckpoint]:
        """The newest of each log, those seen last first."""
        rows = await self._connection.fetch(
            "select log, size, root, note from witnessed_logs where agency = $1 and size > 0"
            " order by at desc, log limit $2",
            self._agency,
            limit,
        )
        return [SeenCheckpoint(*row) for row in rows]

    async def forget_before(self, at: datetime) -> int:
        """End the earlier checkpoints of a time; how many. The newest of each log stays known."""
        outcome = await self._connection.execute(
            "delete from witnessed_checkpoints c where agency = $1 and at < $2 and not exists"
            " (select from witnessed_logs l where (l.agency, l.log, l.size)"
            " = (c.agency, c.log, c.size))",
            self._agency,
            at,
        )
        return int(outcome.split()[-1])

    async def put_alarm(self, alarm: StoredAlarm) -> bool:
        """False: it is known. One that was explained may come up again."""
        return bool(
            await self._connection.fetchval(
                "insert into ledger_alarms as a"
                " (agency, alarm_id, log, kind, state, raised_by, at, evidence)"
                " values ($1, $2, $3, $4, $5, $6, $7, $8)"
                " on conflict (agency, alarm_id) do update set state = excluded.state,"
                " evidence = excluded.evidence, at = excluded.at"
                " where a.state = 'explained' returning true",
                self._agency,
                alarm.alarm_id,
                alarm.log,
                alarm.kind,
                alarm.state,
                alarm.raised_by,
                alarm.at,
                alarm.evidence.decode(),
            )
        )

    async def alarms(self, limit: int, alarm_id: str | None = None) -> list[StoredAlarm]:
        """The newest first."""
        rows = await self._connection.fetch(
            "select * from ledger_alarms where agency = $1 and ($3::text is null or alarm_id = $3)"
            " order by at desc, alarm_id limit $2",
            self._agency,
            limit,
            alarm_id,
        )
        return [
            StoredAlarm(
                alarm_id=row["alarm_id"],
                log=row["log"],
                kind=row["kind"],
                state=row["state"],
                raised_by=row["raised_by"],
                at=row["at"],
                evidence=row["evidence"].encode(),
                told=tuple(row["told"]),
            )
            for row in rows
        ]

    async def count_alarms(self, log: str, kind: str) -> int:
        count: int = await self._connection.fetchval(
            "select count(*) from ledger_alarms where agency = $1 and log = $2 and kind = $3",
            self._agency,
            log,
            kind,
        )
        return count

    async def alarm_is(self, alarm_id: str, state: str) -> None:
        await self._connection.execute(
            "update ledger_alarms set state = $3 where agency = $1 and alarm_id = $2",
            self._agency,
            alarm_id,
            state,
        )

    async def alarm_told(self, alarm_id: str, partners: Sequence[AgencyId]) -> None:
        await self._connection.execute(
            "update ledger_alarms set told = array(select distinct unnest(told || $3::text[]))"
            " where agency = $1 and alarm_id = $2",
            self._agency,
            alarm_id,
            partners,
        )
