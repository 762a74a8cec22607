"""Hot lists, their entries, and the imports that made them what they are.

Every function works on a connection in a transaction of one agency. An entry that left its list
stays, marked removed: alerts speak of it, and a recall must outlive it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import msgspec

from farolito.model import (
    AgencyId,
    EntryId,
    HotList,
    HotListEntry,
    ListedVehicle,
    ListId,
    Rejected,
)

FETCHED_AT_ONCE = 5_000  # rows of a streaming query: between them the event loop breathes
COPIED_AT_ONCE = 20_000  # rows of an import; each step stays far under the statement timeout
BAD_LINES_MAX = 1_000  # kept of one import; more are only counted
IMPORTS_KEPT_MAX = 500  # of one list; the oldest goes
FOUND_MAX = 100  # entries that a search answers with

_COLUMNS = (
    "entry_id", "agency", "list_id", "plate", "state", "category", "reason", "source_agency",
    "entered_at", "expires_at", "confirm_with", "case_number", "vehicle", "restricted",
    "recalled_at", "recall_reason", "seen_at",
)  # fmt: skip
_SELECT = (
    "select entry_id, agency, list_id, plate, state, category, reason, source_agency, entered_at,"
    " expires_at, confirm_with, case_number, vehicle::text as vehicle, restricted, recalled_at,"
    " recall_reason from hot_list_entries"
)
_vehicle = msgspec.json.Decoder(ListedVehicle).decode
_encode = msgspec.json.Encoder().encode


class Changes(Protocol):
    """What a new file changes; `changed` entries are as they are to be."""

    @property
    def added(self) -> Sequence[HotListEntry]: ...
    @property
    def changed(self) -> Sequence[HotListEntry]: ...
    @property
    def removed(self) -> Sequence[HotListEntry]: ...


class OnList(msgspec.Struct, frozen=True):
    """A list as it stands: its entries, and those that were recalled and have since left it."""

    hot_list: HotList
    entries: list[HotListEntry]
    struck_while_recalled: list[HotListEntry]


class BadLine(msgspec.Struct, frozen=True, omit_defaults=True):
    line: int
    reason: str
    says: str
    field: str | None = None


class BadLines(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was not taken in, or not whole. Of a forbidden row only the count is anywhere."""

    count: int = 0
    rows: tuple[BadLine, ...] = ()
    warning_count: int = 0
    warnings: tuple[BadLine, ...] = ()
    left_out: int = 0
    duplicates: int = 0


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """One import as it is remembered. `by` is None where the node did it by itself."""

    import_id: UUID
    agency: AgencyId
    list_id: ListId
    at: datetime
    by: UUID | None = None
    file_sha256: str
    rows: int
    added: int
    changed: int
    removed: int
    unchanged: int
    forbidden: int
    bad: BadLines = BadLines()


class ListSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A list with what it holds now. `expired` and `recalled` rows are still on it."""

    hot_list: HotList
    rows: int
    expired: int
    recalled: int


async def save_list(connection: Any, hot_list: HotList) -> None:
    """Make the list, or change how it is kept; when it was imported stays."""
    await connection.execute(
        "insert into hot_lists as l (agency, list_id, name, stale_after_s, dead_after_s, threshold,"
        " folded, imported_at) values ($1,$2,$3,$4,$5,$6,$7,$8)"
        " on conflict (agency, list_id) do update set name = excluded.name,"
        " stale_after_s = excluded.stale_after_s, dead_after_s = excluded.dead_after_s,"
        " threshold = excluded.threshold, folded = excluded.folded,"
        " imported_at = greatest(l.imported_at, excluded.imported_at)",
        hot_list.agency,
        hot_list.list_id,
        hot_list.name,
        int(hot_list.stale_after.total_seconds()),
        int(hot_list.dead_after.total_seconds()),
        hot_list.threshold,
        hot_list.folded,
        hot_list.imported_at,
    )


async def lists(connection: Any) -> list[HotList]:
    """The agency's lists, by id."""
    rows = await connection.fetch("select * from hot_lists order by agency, list_id")
    return [_list(row) for row in rows]


async def summaries(connection: Any, now: datetime) -> list[ListSummary]:
    rows = await connection.fetch(
        "select l.*, e.rows, e.expired, e.recalled from hot_lists l, lateral (select"
        " count(*) as rows, count(*) filter (where expires_at <= $1) as expired,"
        " count(recalled_at) as recalled from hot_list_entries e"
        " where e.agency = l.agency and e.list_id = l.list_id and e.removed_at is null) e"
        " order by l.agency, l.list_id",
        now,
    )
    return [
        ListSummary(
            hot_list=_list(row), rows=row["rows"], expired=row["expired"], recalled=row["recalled"]
        )
        for row in rows
    ]


async def all_in_force(connection: Any, agency: AgencyId) -> AsyncIterator[HotListEntry]:
    """Every entry that is on a list and not recalled, streamed, for the index.

    Expired ones are among them: what such a row matches is stopped with its reason shown, not
    passed over in silence.
    """
    query = f"{_SELECT} where agency = $1 and removed_at is null and recalled_at is null"
    async for row in connection.cursor(query, agency, prefetch=FETCHED_AT_ONCE):
        yield _entry(row)


async def entries(connection: Any, agency: AgencyId, list_id: ListId) -> list[HotListEntry]:
    """The entries now on a list, recalled ones included."""
    query = f"{_SELECT} where agency = $1 and list_id = $2 and removed_at is null"
    found = connection.cursor(query, agency, list_id, prefetch=FETCHED_AT_ONCE)
    return [_entry(row) async for row in found]


async def entry(connection: Any, entry_id: EntryId) -> HotListEntry | None:
    """One entry, whether it is still on its list or not."""
    row = await connection.fetchrow(f"{_SELECT} where entry_id = $1", entry_id)
    return _entry(row) if row is not None else None


async def find(connection: Any, agency: AgencyId, text: str) -> list[HotListEntry]:
    """Entries on a list whose plate begins with `text` (normalised), or whose case it is."""
    query = (
        f"{_SELECT} where agency = $1 and removed_at is null"
        " and (starts_with(plate, $2) or case_number = $2) order by plate, entry_id limit $3"
    )
    return [_entry(row) for row in await connection.fetch(query, agency, text, FOUND_MAX)]


async def hold(connection: Any, agency: AgencyId, list_id: ListId) -> OnList:
    """The list as it stands, held for this transaction: a second import of it waits.

    Raises Rejected where the agency has no such list.
    """
    row = await connection.fetchrow(
        "select * from hot_lists where agency = $1 and list_id = $2 for update", agency, list_id
    )
    if row is None:
        raise Rejected("no_such_list", f"there is no list {list_id!r}", "make it first", 404)
    query = (
        f"{_SELECT} where agency = $1 and list_id = $2 and removed_at is not null"
        " and recalled_at is not null"
    )
    struck = [_entry(found) for found in await connection.fetch(query, agency, list_id)]
    return OnList(_list(row), await entries(connection, agency, list_id), struck)


async def apply_diff(connection: Any, hot_list: HotList, change: Changes, at: datetime) -> None:
    """Bring the stored list to what `change` says, all of it or nothing.

    Rows travel by COPY into a table of the transaction: a COPY cannot pass row-level security,
    the statement that follows it does.
    """
    async with connection.transaction():
        await connection.execute(
            "update hot_list_entries set removed_at = $3"
            " where agency = $1 and entry_id = any($2::uuid[]) and removed_at is null",
            hot_list.agency,
            [gone.entry_id for gone in change.removed],
            at,
        )
        await _upsert(connection, [*change.added, *change.changed], at)
        await connection.execute(
            "update hot_lists set imported_at = greatest(imported_at, $3)"
            " where agency = $1 and list_id = $2",
            hot_list.agency,
            hot_list.list_id,
            at,
        )


async def _upsert(connection: Any, incoming: Sequence[HotListEntry], at: datetime) -> None:
    names = ", ".join(_COLUMNS)
    news = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])
    await connection.execute(
        "create temp table if not exists incoming_entries (like hot_list_entries) on commit drop"
    )
    for first in range(0, len(incoming), COPIED_AT_ONCE):
        await connection.execute("truncate incoming_entries")
        await connection.copy_records_to_table(
            "incoming_entries",
            records=_records(incoming[first : first + COPIED_AT_ONCE], at),
            columns=_COLUMNS,
        )
        await connection.execute(
            f"insert into hot_list_entries ({names}) select {names} from incoming_entries"  # noqa: S608
            f" on conflict (entry_id) do update set {news}, removed_at = null"
        )


async def recall(
    connection: Any, entry_id: EntryId, reason: str, at: datetime
) -> HotListEntry | None:
    """The entry, recalled. The first recall stands; None where there is no such entry."""
    await connection.execute(
        "update hot_list_entries set recalled_at = $2, recall_reason = $3"
        " where entry_id = $1 and recalled_at is null",
        entry_id,
        at,
        reason,
    )
    return await entry(connection, entry_id)


async def delete(connection: Any, agency: AgencyId, gone: Sequence[EntryId]) -> int:
    """End the keeping of these at once: whose they are wants them back. How many there were."""
    tag = await connection.execute(
        "delete from hot_list_entries where agency = $1 and entry_id = any($2::uuid[])",
        agency,
        list(gone),
    )
    return int(tag.split()[-1])


async def record_import(connection: Any, done: Import) -> None:
    bad = msgspec.structs.replace(
        done.bad,
        rows=done.bad.rows[:BAD_LINES_MAX],
        warnings=done.bad.warnings[:BAD_LINES_MAX],
    )
    await connection.execute(
        "insert into hot_list_imports (import_id, agency, list_id, at, by, file_sha256, rows,"
        " added, changed, removed, unchanged, forbidden, bad)"
        " values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13::jsonb)",
        done.import_id, done.agency, done.list_id, done.at, done.by, done.file_sha256, done.rows,
        done.added, done.changed, done.removed, done.unchanged, done.forbidden,
        _encode(bad).decode(),
    )  # fmt: skip
    await connection.execute(
        "delete from hot_list_imports where import_id in (select import_id from hot_list_imports"
        " where agency = $1 and list_id = $2 order by at desc offset $3)",
        done.agency,
        done.list_id,
        IMPORTS_KEPT_MAX,
    )


async def last_imports(
    connection: Any, agency: AgencyId, list_id: ListId, limit: int = 20
) -> list[Import]:
    """The newest first."""
    rows = await connection.fetch(
        "select import_id, agency, list_id, at, by, file_sha256, rows, added, changed, removed,"
        " unchanged, forbidden, bad::text as bad from hot_list_imports"
        " where agency = $1 and list_id = $2 order by at desc limit $3",
        agency,
        list_id,
        min(limit, IMPORTS_KEPT_MAX),
    )
    return [
        Import(**{**row, "bad": msgspec.json.decode(row["bad"], type=BadLines)}) for row in rows
    ]


async def forget_removed(connection: Any, agency: AgencyId, before: datetime) -> int:
    """End the keeping of entries that left their list before then; answers how many went.

    Recalled ones stay: their source may list them again by mistake.
    """
    tag = await connection.execute(
        "delete from hot_list_entries where agency = $1 and removed_at < $2"
        " and recalled_at is null",
        agency,
        before,
    )
    return int(tag.split()[-1])


def _records(incoming: Iterable[HotListEntry], at: datetime) -> Iterable[tuple[Any, ...]]:
    for e in incoming:
        yield (
            e.entry_id, e.agency, e.list_id, e.plate, e.state, e.category, e.reason,
            e.source_agency, e.entered_at, e.expires_at, e.confirm_with, e.case,
            None if e.vehicle is None else _encode(e.vehicle).decode(), e.restricted,
            e.recalled_at, e.recall_reason, at,
        )  # fmt: skip


def _list(row: Any) -> HotList:
    return HotList(
        list_id=ListId(row["list_id"]),
        agency=AgencyId(row["agency"]),
        name=row["name"],
        stale_after=timedelta(seconds=row["stale_after_s"]),
        dead_after=timedelta(seconds=row["dead_after_s"]),
        threshold=row["threshold"],
        folded=row["folded"],
        imported_at=row["imported_at"],
    )


def _entry(row: Any) -> HotListEntry:
    (
        entry_id, agency, list_id, plate, state, category, reason, source_agency, entered_at,
        expires_at, confirm_with, case, vehicle, restricted, recalled_at, recall_reason,
    ) = row  # fmt: skip
    return HotListEntry(
        entry_id=entry_id,
        list_id=list_id,
        agency=agency,
        plate=plate,
        state=state,
        reason=reason,
        category=category,
        source_agency=source_agency,
        entered_at=entered_at,
        expires_at=expires_at,
        confirm_with=confirm_with,
        case=case,
        vehicle=_vehicle(vehicle) if vehicle is not None else None,
        recalled_at=recalled_at,
        recall_reason=recall_reason,
        restricted=restricted,
    )
