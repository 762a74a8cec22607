"""Alerts, their history, and the matches that were stopped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from farolito.model import (
    AgencyId,
    Alert,
    AlertId,
    AlertState,
    EntryId,
    Match,
    PersonId,
)

DECIDED_SHOWN_MAX = 50
OPEN_SHOWN_MAX = 500
STOPPED_SHOWN_MAX = 200

_OPEN = (AlertState.WAITING, AlertState.TAKEN, AlertState.CONFIRMED)
_encode = msgspec.json.Encoder().encode
_alert = msgspec.json.Decoder(Alert).decode
_match = msgspec.json.Decoder(Match).decode


class HistoryLine(msgspec.Struct, frozen=True):
    at: datetime
    version: int
    says: str
    who: UUID | None
    name: str | None  # of that person, as colleagues know them
    permit: int | None


class Alerts:
    """Queries on one connection, in the transaction of one agency."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def raise_once(self, alert: Alert) -> bool:
        """Store a new alert; False where this read raised one for this row before."""
        read = alert.match.read
        stored = await self._connection.fetchval(
            "insert into alerts (alert_id, agency, level, state, version, raised_at, changed_at,"
            " captured_at, plate, entry_id, read_id, assigned, body)"
            " values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13)"
            " on conflict do nothing returning true",
            alert.alert_id,
            alert.agency,
            int(alert.level),
            alert.state,
            alert.version,
            alert.raised_at,
            alert.changed_at,
            read.captured_at,
            alert.match.entry.plate,
            alert.match.entry.entry_id,
            read.read_id,
            alert.assigned,
            _encode(alert).decode(),
        )
        return bool(stored)

    async def save(self, alert: Alert) -> None:
        await self._connection.execute(
            "update alerts set level = $2, state = $3, version = $4, changed_at = $5,"
            " assigned = $6, body = $7 where alert_id = $1",
            alert.alert_id,
            int(alert.level),
            alert.state,
            alert.version,
            alert.changed_at,
            alert.assigned,
            _encode(alert).decode(),
        )

    async def get(self, alert_id: AlertId, *, lock: bool = False) -> Alert | None:
        body = await self._connection.fetchval(
            "select body from alerts where alert_id = $1"  # noqa: S608 - two fixed texts
            + (" for no key update" if lock else ""),
            alert_id,
        )
        return None if body is None else _alert(body)

    async def open_for_entry(self, entry_id: EntryId, since: datetime) -> Alert | None:
        """The open alert of this row, locked, that a further read joins: one that waits for a
        decision, however long, or one that was confirmed and told of since `since`."""
        body = await self._connection.fetchval(
            "select body from alerts where entry_id = $1"
            " and (state = any($2) or state = 'confirmed' and changed_at >= $3)"
            " order by raised_at desc limit 1 for no key update",
            entry_id,
            [AlertState.WAITING, AlertState.TAKEN],
            since,
        )
        return None if body is None else _alert(body)

    async def last_for_entry(self, entry_id: EntryId, since: datetime) -> Alert | None:
        """The row's alert that changed last, in whatever state."""
        body = await self._connection.fetchval(
            "select body from alerts where entry_id = $1 and changed_at >= $2"
            " order by changed_at desc limit 1",
            entry_id,
            since,
        )
        return None if body is None else _alert(body)

    async def is_new(self, entry_id: EntryId, read_id: UUID) -> bool:
        """Whether the row is in force and this read stands in none of its alerts yet.

        The row is held until the transaction ends: a recall comes before, and no alert is
        raised, or after, and takes the alert back.
        """
        withdrawn = await self._connection.fetchval(
            "select recalled_at is not null or removed_at is not null from hot_list_entries"
            " where entry_id = $1 for share",
            entry_id,
        )
        known = await self._connection.fetchval(
            "select exists (select 1 from alert_reads where agency = $1 and entry_id = $2"
            " and read_id = $3)",
            self._agency,
            entry_id,
            read_id,
        )
        return not withdrawn and not known

    async def remember(self, alert: Alert, read_id: UUID) -> None:
        """The alert stands for this read, in the transaction that raised or joined it."""
        await self._connection.execute(
            "insert into alert_reads (agency, entry_id, read_id, alert_id) values ($1,$2,$3,$4)",
            self._agency,
            alert.match.entry.entry_id,
            read_id,
            alert.alert_id,
        )

    async def of_entries(self, entries: Sequence[EntryId]) -> list[Alert]:
        """Every alert that was ever raised for these rows: a recall reaches them all.

        All are locked before any is told of: whoever holds an alert waits for the feed's lock,
        so whoever holds that one must wait for no alert.
        """
        rows = await self._connection.fetch(
            "select body from alerts where entry_id = any($1) order by raised_at, alert_id"
            " for no key update",
            list(entries),
        )
        return [_alert(row["body"]) for row in rows]

    async def queue(self) -> list[Alert]:
        """The open ones, and the last decided."""
        rows = await self._connection.fetch(
            "(select body from alerts where state = any($1) order by raised_at desc limit $2)"
            " union all (select body from alerts where not state = any($1)"
            " order by changed_at desc limit $3)",
            list(_OPEN),
            OPEN_SHOWN_MAX,
            DECIDED_SHOWN_MAX,
        )
        return [_alert(row["body"]) for row in rows]

    async def overdue(self, before: datetime) -> list[Alert]:
        """P1 alerts nobody has taken since `before`, and nobody was told of as late."""
        rows = await self._connection.fetch(
            "select body from alerts where state = 'waiting' and level = 1 and raised_at < $1"
            " and body->>'escalated_at' is null for update skip locked",
            before,
        )
        return [_alert(row["body"]) for row in rows]

    async def find(self, text: str) -> list[Alert]:
        rows = await self._connection.fetch(
            "select body from alerts where plate like $1 || '%' or assigned = $2"
            " or body->'match'->'entry'->>'case' = $2 order by raised_at desc limit 50",
            text.replace("%", "").replace("_", ""),
            text,
        )
        return [_alert(row["body"]) for row in rows]

    async def note(self, alert: Alert, says: str, who: PersonId | None, permit: int | None) -> None:
        """A line of the alert's history, at its present version."""
        await self._connection.execute(
            "insert into alert_history (alert_id, agency, at, version, says, who, permit)"
            " values ($1,$2,$3,$4,$5,$6,$7)",
            alert.alert_id,
            self._agency,
            alert.changed_at,
            alert.version,
            says,
            who,
            permit,
        )

    async def history(self, alert_id: AlertId) -> list[HistoryLine]:
        rows = await self._connection.fetch(
            "select h.at, h.version, h.says, h.who, p.name, h.permit from alert_history h"
            " left join people p on p.person_id = h.who where h.alert_id = $1 order by h.version",
            alert_id,
        )
        return [HistoryLine(**dict(row)) for row in rows]

    async def keep_stopped(self, match: Match, at: datetime) -> None:
        await self._connection.execute(
            "insert into stopped_matches (agency, at, read_id, entry_id, body)"
            " values ($1,$2,$3,$4,$5) on conflict do nothing",
            self._agency,
            at,
            match.read.read_id,
            match.entry.entry_id,
            _encode(match).decode(),
        )

    async def stopped(self, limit: int) -> list[tuple[datetime, Match]]:
        rows = await self._connection.fetch(
            "select at, body from stopped_matches order by at desc limit $1",
            max(0, min(limit, STOPPED_SHOWN_MAX)),
        )
        return [(row["at"], _match(row["body"])) for row in rows]

    async def end_before(self, stopped_day: date, hits_day: date) -> int:
        """End the keeping of stopped candidates, and of hits with all that came of them."""
        query = self._connection.execute
        gone = [await query("delete from stopped_matches where at < $1::date", stopped_day)]
        await query(
            "delete from receipts r using briefs b, alerts a where r.brief_id = b.brief_id"
            " and b.alert_id = a.alert_id and a.changed_at < $1::date",
            hits_day,
        )
        await query(
            "delete from briefs b using alerts a"
            " where b.alert_id = a.alert_id and a.changed_at < $1::date",
            hits_day,
        )
        await query(
            "delete from alert_history h using alerts a"
            " where h.alert_id = a.alert_id and a.changed_at < $1::date",
            hits_day,
        )
        gone.append(await query("delete from alerts where changed_at < $1::date", hits_day))
        return sum(int(tag.split()[-1]) for tag in gone)
