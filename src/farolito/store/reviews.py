"""Reviews of searches: what was found, who is to look, what came of it, what explains a search."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from farolito.model import Explanation, PersonId, Review, ReviewCount, ReviewId, Role

SHOWN_MAX = 200  # reviews in one answer, the most urgent first

_encode = msgspec.json.Encoder().encode
_review = msgspec.json.Decoder(Review).decode
_explanation = msgspec.json.Decoder(Explanation).decode

# Preselects by the exact bytes of a canonical entry; whoever reads it decides.
_ASKED = (
    "select entry_index, entry from ledger_entries where agency = $1"
    ' and position(\'"thing":"plate_read"\'::bytea in entry) > 0'
    ' and position(\'"act":"read"\'::bytea in entry) > 0'
)


class AskedRow(NamedTuple):
    """An entry about plates, and its openings: field, salt, value."""

    number: int
    raw: bytes
    openings: tuple[tuple[str, bytes, bytes], ...]


class Reviews:
    """Bound to one transaction of one agency."""

    def __init__(self, connection: Any, agency: str) -> None:
        self._connection = connection
        self._agency = agency

    # How far the ledger was looked through

    async def marks(self) -> dict[str, int]:
        rows = await self._connection.fetch(
            "select name, entry from review_marks where agency = $1", self._agency
        )
        return {row["name"]: row["entry"] for row in rows}

    async def mark(self, name: str, entry: int) -> None:
        await self._connection.execute(
            "insert into review_marks (agency, name, entry) values ($1,$2,$3)"
            " on conflict (agency, name) do update set entry = excluded.entry",
            self._agency,
            name,
            entry,
        )

    async def size(self) -> int:
        size: int | None = await self._connection.fetchval(
            "select size from ledger_heads where agency = $1", self._agency
        )
        return size or 0

    async def first_since(self, since: datetime) -> int:
        """The number of the first entry since then; the ledger's size where there is none."""
        first: int | None = await self._connection.fetchval(
            "select min(entry_index) from ledger_entries where agency = $1 and at >= $2",
            self._agency,
            since,
        )
        return await self.size() if first is None else first

    async def asked(self, first: int, end: int, limit: int) -> list[AskedRow]:
        """Entries of [first, end) about reading plates, oldest first."""
        rows = await self._connection.fetch(
            f"{_ASKED} and entry_index >= $2 and entry_index < $3 order by entry_index limit $4",
            self._agency,
            first,
            end,
            limit,
        )
        return await self._opened(rows)

    async def asked_of(self, entries: Collection[int]) -> list[AskedRow]:
        rows = await self._connection.fetch(
            f"{_ASKED} and entry_index = any($2) order by entry_index",
            self._agency,
            list(entries),
        )
        return await self._opened(rows)

    async def _opened(self, rows: Sequence[Any]) -> list[AskedRow]:
        if not rows:
            return []
        kept: dict[int, list[tuple[str, bytes, bytes]]] = {}
        for row in await self._connection.fetch(
            "select entry_index, field, salt, value from ledger_personal where agency = $1"
            " and entry_index = any($2) order by entry_index, field",
            self._agency,
            [row["entry_index"] for row in rows],
        ):
            one = (row["field"], row["salt"], row["value"])
            kept.setdefault(row["entry_index"], []).append(one)
        return [
            AskedRow(row["entry_index"], row["entry"], tuple(kept.get(row["entry_index"], ())))
            for row in rows
        ]

    async def next_checkpoint(self, size: int) -> bytes | None:
        """The first one that the ledger signed over more entries than `size`."""
        note: bytes | None = await self._connection.fetchval(
            "select note from ledger_checkpoints where agency = $1 and size > $2"
            " order by size limit 1",
            self._agency,
            size,
        )
        return note

    # What explained the searches that were heard

    async def heard(self, first: int, end: int) -> dict[int, tuple[bool, bool]]:
        """By entry: its case was about the subject; its case was a lead of one's own."""
        rows = await self._connection.fetch(
            "select entry, by_subject, lead from searches_heard where agency = $1"
            " and entry >= $2 and entry < $3",
            self._agency,
            first,
            end,
        )
        return {row["entry"]: (row["by_subject"], row["lead"]) for row in rows}

    async def hear(self, rows: Iterable[tuple[int, bool, bool]]) -> None:
        await self._connection.executemany(
            "insert into searches_heard (agency, entry, by_subject, lead) values ($1,$2,$3,$4)"
            " on conflict do nothing",
            [(self._agency, *row) for row in rows],
        )

    async def forget_heard(self, before: int) -> None:
        await self._connection.execute(
            "delete from searches_heard where agency = $1 and entry < $2", self._agency, before
        )

    # Reviews

    async def put(self, review: Review, key: str, *, tell: bool = False) -> None:
        """Raise it. While one of the same key is open, that one grows by the new entries."""
        row = await self._connection.fetchrow(
            "select body::text from reviews where agency = $1 and key = $2 and decided_at is null"
            " for update",
            self._agency,
            key,
        )
        if row is not None:
            before = _review(row["body"])
            entries = tuple(dict.fromkeys((*before.entries, *review.entries)))
            receipts = tuple(dict.fromkeys((*before.receipts, *review.receipts)))
            grown = msgspec.structs.replace(
                before, entries=entries, receipts=receipts, says=review.says
            )
            await self.save(grown)
            return
        await self._connection.execute(
            "insert into reviews (agency, review_id, key, rule, about, assigned, told_by,"
            " raised_at, due, tell, body) values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)",
            self._agency,
            review.review_id,
            key,
            review.rule,
            review.about,
            review.assigned,
            review.told_by,
            review.raised_at,
            review.due,
            tell,
            _encode(review).decode(),
        )

    async def save(self, review: Review) -> None:
        """What changed of one that is there."""
        await self._connection.execute(
            "update reviews set assigned = $3, due = $4, decision = $5, decided_at = $6,"
            " tell = tell and $7, body = $8 where agency = $1 and review_id = $2",
            self._agency,
            review.review_id,
            review.assigned,
            review.due,
            review.decision,
            review.decided_at,
            review.told_at is None,
            _encode(review).decode(),
        )

    async def get(self, review_id: ReviewId, *, lock: bool = False) -> Review | None:
        body = await self._connection.fetchval(
            "select body::text from reviews where agency = $1 and review_id = $2"  # noqa: S608 - two fixed texts
            + (" for update" if lock else ""),
            self._agency,
            review_id,
        )
        return None if body is None else _review(body)

    async def for_reviewer(self, role: Role, person: PersonId, *, decided: bool) -> list[Review]:
        """Those of this role to look at, never one about the person: open ones by their deadline,
        decided ones newest first."""
        rows = await self._connection.fetch(
            "select body::text from reviews where agency = $1 and assigned = $2 and about <> $3"
            " and (decided_at is not null) = $4"
            " order by decided_at desc nulls last, due, review_id limit $5",
            self._agency,
            role,
            person,
            decided,
            SHOWN_MAX,
        )
        return [_review(row["body"]) for row in rows]

    async def overdue(self, now: datetime, but: Role) -> list[Review]:
        """Open ones past their deadline that are not with the role `but` yet."""
        rows = await self._connection.fetch(
            "select body::text from reviews where agency = $1 and decided_at is null"
            " and due <= $2 and assigned <> $3 order by due limit $4",
            self._agency,
            now,
            but,
            SHOWN_MAX,
        )
        return [_review(row["body"]) for row in rows]

    async def untold(self) -> list[Review]:
        """Those that the asker's agency is still to hear of, oldest first."""
        rows = await self._connection.fetch(
            "select body::text from reviews where agency = $1 and tell order by raised_at limit $2",
            self._agency,
            SHOWN_MAX,
        )
        return [_review(row["body"]) for row in rows]

    async def counts(self, since: datetime, until: datetime, now: datetime) -> list[ReviewCount]:
        """By rule: raised and decided in [since, until); open and overdue now."""
        rows = await self._connection.fetch(
            "select rule, coalesce(decision, '') as decision,"
            " count(*) filter (where raised_at >= $2 and raised_at < $3) as raised,"
            " count(*) filter (where decided_at is null) as open,"
            " count(*) filter (where decided_at is null and due <= $4) as overdue,"
            " count(*) filter (where decided_at >= $2 and decided_at < $3) as decided"
            " from reviews where agency = $1 group by 1, 2",
            self._agency,
            since,
            until,
            now,
        )
        found: dict[str, dict[str, Any]] = {}
        for row in rows:
            one = found.setdefault(
                row["rule"], {"raised": 0, "open": 0, "overdue": 0, "decided": {}}
            )
            for name in ("raised", "open", "overdue"):
                one[name] += row[name]
            if row["decided"]:
                one["decided"][row["decision"]] = row["decided"]
        return [ReviewCount(rule, **one) for rule, one in sorted(found.items())]

    # What explains a search

    async def propose(self, told: Explanation) -> None:
        await self._connection.execute(
            "insert into explanations (agency, explanation_id, case_number, subject, by_person, at,"
            " confirmed_at, body) values ($1,$2,$3,$4,$5,$6,$7,$8)"
            " on conflict (agency, explanation_id) do update"
            " set confirmed_at = excluded.confirmed_at, body = excluded.body",
            self._agency,
            told.explanation_id,
            told.case,
            told.subject,
            told.by,
            told.at,
            told.confirmed_at,
            _encode(told).decode(),
        )

    async def explanation(self, explanation_id: UUID) -> Explanation | None:
        body = await self._connection.fetchval(
            "select body::text from explanations where agency = $1 and explanation_id = $2"
            " for update",
            self._agency,
            explanation_id,
        )
        return None if body is None else _explanation(body)

    async def explanations(self, case: str) -> list[Explanation]:
        """All that was put on record of a case, confirmed or not, oldest first."""
        rows = await self._connection.fetch(
            "select body::text from explanations where agency = $1 and case_number = $2"
            " order by at limit 1000",
            self._agency,
            case,
        )
        return [_explanation(row["body"]) for row in rows]

    async def plates_of_calls(self, calls: Sequence[UUID]) -> Mapping[str, datetime]:
        """Plates as they are compared, and since when the first of these calls names each."""
        rows = await self._connection.fetch(
            "select plate, min(at) as at from call_plates where agency = $1"
            " and call_id = any($2) group by plate",
            self._agency,
            list(calls),
        )
        return {row["plate"]: row["at"] for row in rows}

    async def plates_of_lists(self, case: str) -> Mapping[str, datetime]:
        """Plates that a list's row names this case for."""
        rows = await self._connection.fetch(
            "select plate, min(entered_at) as at from hot_list_entries where agency = $1"
            " and case_number = $2 group by plate",
            self._agency,
            case,
        )
        return {row["plate"]: row["at"] for row in rows}

    # Plates that nobody looks for without a case

    async def protected(self) -> frozenset[str]:
        rows = await self._connection.fetch(
            "select subject from protected_subjects where agency = $1", self._agency
        )
        return frozenset(row["subject"] for row in rows)

    async def protect(self, subject: str, at: datetime) -> None:
        await self._connection.execute(
            "insert into protected_subjects (agency, subject, at) values ($1,$2,$3)"
            " on conflict do nothing",
            self._agency,
            subject,
            at,
        )

    async def unprotect(self, subject: str) -> None:
        await self._connection.execute(
            "delete from protected_subjects where agency = $1 and subject = $2",
            self._agency,
            subject,
        )
