"""The ledger's rows. What they mean, and whether they are true, is the room `audit`'s to say.

Every function takes a connection that names its agency; sizes and indices count entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from farolito.model import AgencyId

CONNECT_S_MAX = 3.0

# One statement, so one round trip and one commit: the head moves only if it stood where the
# writer believes, and nothing goes in unless the head moves.
_APPEND = """
with head as (
  select size from ledger_heads where agency = $1 and size = $2 for update
), entries as (
  insert into ledger_entries (agency, entry_index, at, leaf, entry)
  select $1, $2 + e.n - 1, e.at, e.leaf, e.entry
  from head, unnest($4::timestamptz[], $5::bytea[], $6::bytea[])
    with ordinality as e (at, leaf, entry, n)
), personal as (
  insert into ledger_personal (agency, entry_index, at, field, salt, value)
  select $1, $2 + p.n, p.at, p.field, p.salt, p.value
  from head, unnest($7::bigint[], $8::timestamptz[], $9::text[], $10::bytea[], $11::bytea[])
    as p (n, at, field, salt, value)
), tiles as (
  insert into ledger_tiles (agency, level, number, hashes)
  select $1, t.level, t.number, t.hashes
  from head, unnest($12::smallint[], $13::bigint[], $14::bytea[]) as t (level, number, hashes)
), spooled as (
  insert into ledger_spooled (agency, spool_id, number, entry_index)
  select $1, s.spool_id, s.number, $2 + s.n
  from head, unnest($15::bigint[], $16::text[], $17::int[]) as s (n, spool_id, number)
)
update ledger_heads set size = $2 + cardinality($5::bytea[]), root = $3
where agency = $1 and exists (select from head)
"""


Tile = tuple[int, int, bytes]  # level, number, hashes


class NewEntry(msgspec.Struct, frozen=True):
    """`personal`: field, salt and value in UTF-8. `spooled`: a spool's id and the number in it."""

    at: datetime
    leaf: bytes
    raw: bytes
    personal: Sequence[tuple[str, bytes, bytes]]
    spooled: tuple[str, int] | None


class StoredEntry(msgspec.Struct, frozen=True):
    """`openable`: the personal fields whose salts still exist."""

    index: int
    leaf: bytes
    raw: bytes
    openable: tuple[str, ...]


async def connect(dsn: str, agency: AgencyId) -> asyncpg.Connection:
    """A connection of its own for a ledger's writer, held to `agency`'s rows as others are."""
    connection = await asyncpg.connect(dsn, timeout=CONNECT_S_MAX)
    await connection.execute(
        "select set_config('role', 'farolito_agent', false),"
        " set_config('farolito.agency', $1, false),"
        " set_config('synchronous_commit', 'on', false)",
        agency,
    )
    return connection


async def take_lock(connection: Any, agency: AgencyId) -> bool:
    """Become the ledger's only writer, for as long as the connection lives."""
    return bool(
        await connection.fetchval(
            "select pg_try_advisory_lock(hashtextextended('farolito ledger ' || $1, 0))", agency
        )
    )


async def head(connection: Any, agency: AgencyId) -> tuple[int, bytes] | None:
    row = await connection.fetchrow("select size, root from ledger_heads where agency = $1", agency)
    return (row["size"], row["root"]) if row else None


async def begin(connection: Any, agency: AgencyId, empty_root: bytes) -> None:
    await connection.execute(
        "insert into ledger_heads (agency, size, root) values ($1, 0, $2) on conflict do nothing",
        agency,
        empty_root,
    )


async def entries_after_head(connection: Any, agency: AgencyId, size: int) -> int:
    """How many entries stand beyond the head: none, unless somebody put them there."""
    return int(
        await connection.fetchval(
            "select count(*) from ledger_entries where agency = $1 and entry_index >= $2",
            agency,
            size,
        )
    )


class Growth(msgspec.Struct, frozen=True):
    """A batch of entries to stand after the first `size`, the tiles it fills, the root then."""

    size: int
    entries: Sequence[NewEntry]
    tiles: Sequence[Tile]
    root: bytes


async def append(connection: Any, agency: AgencyId, growth: Growth, timeout_s: float) -> bool:
    """Let the ledger grow, in one durable step. False: its head is elsewhere, nothing is done."""
    entries = growth.entries
    personal = [(n, e.at, *fields) for n, e in enumerate(entries) for fields in e.personal]
    spooled = [(n, *e.spooled) for n, e in enumerate(entries) if e.spooled]
    outcome = await connection.execute(
        _APPEND,
        agency,
        growth.size,
        growth.root,
        [e.at for e in entries],
        [e.leaf for e in entries],
        [e.raw for e in entries],
        *_columns(personal, 5),
        *_columns(growth.tiles, 3),
        *_columns(spooled, 3),
        timeout=timeout_s,
    )
    return bool(outcome == "UPDATE 1")


def _columns(rows: Sequence[tuple[Any, ...]], count: int) -> list[list[Any]]:
    return [[row[i] for row in rows] for i in range(count)]


async def leaves(connection: Any, agency: AgencyId, first: int, end: int) -> list[bytes]:
    rows = await connection.fetch(
        "select leaf from ledger_entries where agency = $1 and entry_index >= $2"
        " and entry_index < $3 order by entry_index",
        agency,
        first,
        end,
    )
    return [row["leaf"] for row in rows]


async def raw_entries(connection: Any, agency: AgencyId, first: int, end: int) -> list[bytes]:
    rows = await connection.fetch(
        "select entry from ledger_entries where agency = $1 and entry_index >= $2"
        " and entry_index < $3 order by entry_index",
        agency,
        first,
        end,
    )
    return [row["entry"] for row in rows]


async def tiles(
    connection: Any, agency: AgencyId, wanted: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], bytes]:
    """Full tiles by (level, number); one that is absent is absent in the answer."""
    rows = await connection.fetch(
        "select level, number, hashes from ledger_tiles where agency = $1 and (level, number) in"
        " (select * from unnest($2::smallint[], $3::bigint[]))",
        agency,
        [level for level, _ in wanted],
        [number for _, number in wanted],
    )
    return {(row["level"], row["number"]): row["hashes"] for row in rows}


async def page(connection: Any, agency: AgencyId, after: int, limit: int) -> list[StoredEntry]:
    rows = await connection.fetch(
        "select entry_index, leaf, entry, array(select field from ledger_personal p"
        "   where p.agency = e.agency and p.entry_index = e.entry_index order by field) openable"
        " from ledger_entries e where agency = $1 and entry_index > $2"
        " order by entry_index limit $3",
        agency,
        after,
        limit,
    )
    return [
        StoredEntry(row["entry_index"], row["leaf"], row["entry"], tuple(row["openable"]))
        for row in rows
    ]


async def openings(
    connection: Any, agency: AgencyId, first: int, end: int
) -> list[tuple[int, str, bytes, bytes]]:
    """Index, field, salt and value of the personal fields that can still be opened."""
    rows = await connection.fetch(
        "select entry_index, field, salt, value from ledger_personal where agency = $1"
        " and entry_index >= $2 and entry_index < $3 order by entry_index, field",
        agency,
        first,
        end,
    )
    return [(row["entry_index"], row["field"], row["salt"], row["value"]) for row in rows]


async def destroy_salts(connection: Any, agency: AgencyId, before: datetime) -> int:
    outcome = await connection.execute(
        "delete from ledger_personal where agency = $1 and at < $2", agency, before
    )
    return int(outcome.split()[-1])


async def put_checkpoint(
    connection: Any, agency: AgencyId, size: int, note: bytes, at: datetime
) -> None:
    """Keep a checkpoint; one of this size that is kept already stays as it is."""
    await connection.execute(
        "insert into ledger_checkpoints (agency, size, note, at) values ($1, $2, $3, $4)"
        " on conflict do nothing",
        agency,
        size,
        note,
        at,
    )


async def put_cosignature(
    connection: Any, agency: AgencyId, size: int, witness: str, line: str
) -> None:
    """Keep a witness's line under a checkpoint; its first one stays."""
    await connection.execute(
        "insert into ledger_cosignatures (agency, size, witness, line) values ($1, $2, $3, $4)"
        " on conflict do nothing",
        agency,
        size,
        witness,
        line,
    )


class StoredCheckpoint(msgspec.Struct, frozen=True):
    """`witnesses` and `lines` go together, in the order of the witnesses' keys."""

    size: int
    at: datetime
    note: bytes
    witnesses: tuple[str, ...]
    lines: tuple[str, ...]


async def checkpoints(
    connection: Any, agency: AgencyId, first: int, last: int, limit: int
) -> list[StoredCheckpoint]:
    """Those of a size in [first, last], the largest first."""
    rows = await connection.fetch(
        "select c.size, c.at, c.note, array_remove(array_agg(w.witness order by w.witness), null)"
        "   witnesses, array_remove(array_agg(w.line order by w.witness), null) lines"
        " from ledger_checkpoints c left join ledger_cosignatures w using (agency, size)"
        " where agency = $1 and size between $2 and $3"
        " group by c.size, c.at, c.note order by c.size desc limit $4",
        agency,
        first,
        last,
        limit,
    )
    return [
        StoredCheckpoint(
            row["size"], row["at"], row["note"], tuple(row["witnesses"]), tuple(row["lines"])
        )
        for row in rows
    ]


async def range_of(
    connection: Any, agency: AgencyId, since: datetime, until: datetime
) -> tuple[int, int]:
    """The smallest range [first, end) that holds every entry of [since, until). Entries that
    waited in a spool stand among younger ones."""
    row = await connection.fetchrow(
        'select min(entry_index) first, max(entry_index) + 1 "end" from ledger_entries'
        " where agency = $1 and at >= $2 and at < $3",
        agency,
        since,
        until,
    )
    return (row["first"], row["end"]) if row["first"] is not None else (0, 0)


async def signed_after(connection: Any, agency: AgencyId, size: int) -> datetime | None:
    """When the first checkpoint larger than `size` was signed."""
    at: datetime | None = await connection.fetchval(
        "select at from ledger_checkpoints where agency = $1 and size > $2 order by size limit 1",
        agency,
        size,
    )
    return at


async def cosigned(  # noqa: PLR0913 - one condition each
    connection: Any,
    agency: AgencyId,
    witnesses: Sequence[str],
    least: int,
    others: Sequence[str],
    limit: int,
) -> tuple[int, datetime, list[str]] | None:
    """The newest of the last `limit` checkpoints that at least `least` of `witnesses` cosigned, and
    one of `others`: size, time of signing, who did."""
    row = await connection.fetchrow(
        "select c.size, c.at, w.witnesses from (select size, at from ledger_checkpoints"
        "   where agency = $1 order by size desc limit $5) c,"
        " lateral (select array_agg(witness order by witness) witnesses, count(*) count,"
        "   bool_or(witness = any($4::text[])) is_other from ledger_cosignatures"
        "   where agency = $1 and size = c.size and witness = any($2::text[])) w"
        " where w.count >= $3 and w.is_other order by c.size desc limit 1",
        agency,
        witnesses,
        least,
        others,
        limit,
    )
    return (row["size"], row["at"], list(row["witnesses"])) if row else None


async def spooled(connection: Any, agency: AgencyId, spool_id: str) -> set[int]:
    """The numbers of a spool's entries that are in already."""
    rows = await connection.fetch(
        "select number from ledger_spooled where agency = $1 and spool_id = $2", agency, spool_id
    )
    return {row["number"] for row in rows}
