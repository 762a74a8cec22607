"""What waits for partners, what they hold of ours, what they let us have, and what was purged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from farolito.model import AgencyId, AgreementId, Incident, IncidentState, ShareClass
from farolito.model.shared import (
    EVERYTHING,
    Behind,
    Lane,
    Purge,
    SharedItem,
    Telling,
    Waiting,
)

SHOWN_MAX = 500
PUT_AT_ONCE = 5_000  # rows of one statement: far under the statement timeout

_encode = msgspec.json.Encoder().encode
_item = msgspec.json.Decoder(SharedItem).decode
_incident = msgspec.json.Decoder(Incident).decode

_PUT = (
    "insert into share_outbox as o (agency, partner, lane, kind, item_id, version, put_at, body)"
    " select $1, $2, $3, kind, item_id, version, put_at, body from unnest($4::text[], $5::uuid[],"
    " $6::int8[], $7::timestamptz[], $8::jsonb[])"
    " with ordinality as u (kind, item_id, version, put_at, body, n) order by n"
    " on conflict (agency, partner, kind, item_id) do update set"
    " number = nextval('share_numbers'), lane = excluded.lane, version = excluded.version,"
    " put_at = excluded.put_at, body = excluded.body where o.version < excluded.version"
)

_OLDER = (
    "f.agency = $1 and f.kind = 'shared' and f.body->>'item_id' = any($2::text[])"
    " and f.seq < (select max(n.seq) from feed n where n.agency = $1 and n.kind = 'shared'"
    " and n.body->>'item_id' = f.body->>'item_id')"
)
_UNFEED = (
    f"delete from feed f where {_OLDER}"  # noqa: S608 - fixed texts
    " and f.seq > (select min(m.seq) from feed m where m.agency = $1)",
    "update feed f set body = jsonb_build_object('kind', body->'kind', 'item_id', body->'item_id',"  # noqa: S608
    f" 'grantor', body->'grantor', 'purged', true) where {_OLDER}",
)


class SharingRows:
    """Queries on one connection, in the transaction of one agency."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    # What goes out.

    async def put(self, partner: AgencyId, tellings: Sequence[Telling], at: datetime) -> None:
        """Let these wait for a partner, in the transaction of the change. A newer version takes
        the place of one that still waits."""
        for recalled in (False, True):
            some = [one for one in tellings if one.recalled is recalled]
            for first in range(0, len(some), PUT_AT_ONCE):
                part = some[first : first + PUT_AT_ONCE]
                await self._connection.execute(
                    _PUT, self._agency, partner, Lane.RECALL if recalled else Lane.ITEM,
                    [t.kind for t in part], [t.item_id for t in part],
                    [t.version for t in part], [at] * len(part),
                    [_encode(t).decode() for t in part],
                )  # fmt: skip

    async def hand_over(self, nation: AgencyId, rows: Sequence[Waiting], at: datetime) -> None:
        """Records that belong to a nation wait for it."""
        await hand_over(self._connection, self._agency, nation, rows, at)

    async def keep_handed(self, nation: AgencyId, item_id: UUID, body: bytes, at: datetime) -> None:
        """A shot that was handed over, for the sound that follows it. `at`: when it was fired."""
        await self._connection.execute(
            "insert into handed_shots (agency, nation, item_id, at, body) values ($1,$2,$3,$4,$5)"
            " on conflict (agency, item_id) do update set at = excluded.at, body = excluded.body",
            self._agency, nation, item_id, at, body.decode(),
        )  # fmt: skip

    async def handed(self, since: datetime, until: datetime) -> list[tuple[AgencyId, str]]:
        """Shots fired between these times that were handed over: to whom, and as what."""
        rows = await self._connection.fetch(
            "select nation, body::text from handed_shots where at >= $1 and at <= $2 order by at",
            since, until,
        )  # fmt: skip
        return [(AgencyId(row["nation"]), row["body"]) for row in rows]

    async def forget_handed(self, before: datetime) -> None:
        await self._connection.execute("delete from handed_shots where at < $1", before)

    async def begin(self, partner: AgencyId, agreement_id: AgreementId, at: datetime) -> bool:
        """Whether what goes on is still to wait for a partner by this agreement."""
        tag = await self._connection.execute(
            "insert into share_begun (agency, agreement_id, partner, at) values ($1,$2,$3,$4)"
            " on conflict do nothing",
            self._agency, agreement_id, partner, at,
        )  # fmt: skip
        return _count(tag) == 1

    async def begin_anew(self, partner: AgencyId) -> None:
        """What goes on waits for a partner once more, by each agreement that is left."""
        await self._connection.execute("delete from share_begun where partner = $1", partner)

    async def begun(self) -> frozenset[AgreementId]:
        rows = await self._connection.fetch("select agreement_id from share_begun")
        return frozenset(AgreementId(row["agreement_id"]) for row in rows)

    async def known(
        self, partner: AgencyId, kind: ShareClass, items: Sequence[UUID]
    ) -> frozenset[UUID]:
        """Which of these a partner holds, or soon will."""
        rows = await self._connection.fetch(
            "select item_id from shared_out where partner = $1 and kind = $2"
            " and item_id = any($3::uuid[]) and recalled_at is null union"
            " select item_id from share_outbox where partner = $1 and kind = $2"
            " and item_id = any($3::uuid[])",
            partner, kind, list(items),
        )  # fmt: skip
        return frozenset(row["item_id"] for row in rows)

    async def waiting(self, partner: AgencyId, lane: Lane, limit: int) -> list[Waiting]:
        """What waits longest, in order; of one class at a time."""
        rows = await self._connection.fetch(
            "select number, kind, item_id, version, body::text as body from share_outbox"
            " where partner = $1 and lane = $2 order by number limit $3",
            partner, lane, limit,
        )  # fmt: skip
        found = [
            Waiting(r["number"], ShareClass(r["kind"]), r["item_id"], r["version"],
                    r["body"].encode())
            for r in rows
        ]  # fmt: skip
        return [one for one in found if one.kind is found[0].kind]

    async def told(  # noqa: PLR0913 - what, to whom, by what, and their word that they have it
        self, partner: AgencyId, rows: Sequence[Waiting], agreement_id: AgreementId | None,
        at: datetime, receipt: str, *, recalled: bool = False,
    ) -> None:  # fmt: skip
        """The partner has these: they wait no longer, unless they changed meanwhile."""
        await self._connection.execute(
            "insert into shared_out as s (agency, partner, kind, item_id, agreement_id, version,"
            " told_at, recalled_at, receipt) select $1, $2, k, i, $6, v, $7, $8, $9"
            " from unnest($3::text[], $4::uuid[], $5::int8[]) as u(k, i, v)"
            " on conflict (agency, partner, kind, item_id) do update set"
            " agreement_id = coalesce(excluded.agreement_id, s.agreement_id),"
            " version = excluded.version, told_at = excluded.told_at,"
            " recalled_at = excluded.recalled_at, receipt = excluded.receipt"
            " where s.version <= excluded.version",
            self._agency, partner, [r.kind for r in rows], [r.item_id for r in rows],
            [r.version for r in rows], agreement_id, at, at if recalled else None, receipt,
        )  # fmt: skip
        await self.drop(partner, rows)

    async def drop(self, partner: AgencyId, rows: Sequence[Waiting]) -> None:
        await self._connection.execute(
            "delete from share_outbox where partner = $1 and number = any($2::int8[])",
            partner, [row.number for row in rows],
        )  # fmt: skip

    async def drop_all(self, partner: AgencyId) -> int:
        tag = await self._connection.execute("delete from share_outbox where partner = $1", partner)
        return _count(tag)

    async def behind(self) -> list[Behind]:
        rows = await self._connection.fetch(
            "select partner, count(*) as waiting, min(put_at) as oldest_at from share_outbox"
            " group by partner order by partner"
        )
        return [Behind(AgencyId(r["partner"]), r["waiting"], r["oldest_at"]) for r in rows]

    async def joint_incidents(self, partner: AgencyId) -> list[Incident]:
        """Open incidents that a partner holds: their units may be shown to it."""
        rows = await self._connection.fetch(
            "select i.body::text as body from shared_out s join incidents i"
            " on i.incident_id = s.item_id where s.partner = $1 and s.kind = $2"
            " and s.recalled_at is null and i.state = $3",
            partner, ShareClass.INCIDENT, IncidentState.OPEN,
        )  # fmt: skip
        return [_incident(row["body"]) for row in rows]

    async def told_before(self, before: datetime) -> bool:
        return bool(
            await self._connection.fetchval(
                "select exists (select 1 from shared_out where told_at < $1)", before
            )
        )

    async def forget_told(self, before: datetime) -> int:
        """Who was told what, from before then: nobody may hold it any longer."""
        tag = await self._connection.execute("delete from shared_out where told_at < $1", before)
        return _count(tag)

    # What partners purge of ours.

    async def ask_purge(self, purge: Purge) -> None:
        """Asked once for an agreement, however often its end is told; for everything at each end
        of a partnership."""
        await self._connection.execute(
            "insert into share_purges as p (agency, partner, agreement_id, because, asked_at)"
            " values ($1,$2,$3,$4,$5) on conflict (agency, partner, agreement_id) do update set"
            " because = excluded.because, asked_at = excluded.asked_at, answered_at = null,"
            " purged = null, receipt = null where p.agreement_id = $6",
            self._agency, *msgspec.structs.astuple(purge), EVERYTHING,
        )  # fmt: skip

    async def purges(self, partner: AgencyId) -> list[Purge]:
        """Those that a partner has not answered yet."""
        rows = await self._connection.fetch(
            "select partner, agreement_id, because, asked_at from share_purges"
            " where partner = $1 and answered_at is null order by asked_at",
            partner,
        )
        return [Purge(*row) for row in rows]

    async def purged_there(
        self, purge: Purge, at: datetime, purged: int, receipt: str
    ) -> None:  # fmt: skip
        """A partner's receipt; of what it purged it holds nothing any more."""
        await self._connection.execute(
            "update share_purges set answered_at = $3, purged = $4, receipt = $5"
            " where partner = $1 and agreement_id = $2",
            purge.partner, purge.agreement_id, at, purged, receipt,
        )  # fmt: skip
        await self._connection.execute(
            "delete from shared_out where partner = $1 and told_at <= $3"
            " and ($2::uuid = $4::uuid or agreement_id = $2::uuid)",
            purge.partner, purge.agreement_id, at, EVERYTHING,
        )  # fmt: skip

    async def receipts(self) -> list[dict[str, Any]]:
        """Every purge that was asked for, the newest first, with its receipt where it came."""
        rows = await self._connection.fetch(
            "select partner, agreement_id, because, asked_at, answered_at, purged, receipt"
            " from share_purges order by asked_at desc limit $1",
            SHOWN_MAX,
        )
        return [dict(row) for row in rows]

    # What partners let us have.

    async def get(self, grantor: AgencyId, kind: ShareClass, item_id: UUID) -> SharedItem | None:
        body = await self._connection.fetchval(
            "select body::text from shared_items where grantor = $1 and kind = $2"
            " and item_id = $3 for update",
            grantor, kind, item_id,
        )  # fmt: skip
        return None if body is None else _item(body)

    async def keep(self, item: SharedItem) -> None:
        await self._connection.execute(
            "insert into shared_items (agency, grantor, kind, item_id, agreement_id, version,"
            " received_at, purge_at, recalled_at, body) values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)"
            " on conflict (agency, grantor, kind, item_id) do update set"
            " agreement_id = excluded.agreement_id, version = excluded.version,"
            " received_at = excluded.received_at, purge_at = excluded.purge_at,"
            " recalled_at = excluded.recalled_at, body = excluded.body",
            self._agency, item.grantor, item.kind, item.item_id, item.agreement_id, item.version,
            item.received_at, item.purge_at, item.recalled_at, _encode(item).decode(),
        )  # fmt: skip

    async def shown(self) -> list[SharedItem]:
        """The newest first; a recall of what never came stands for nothing yet."""
        rows = await self._connection.fetch(
            "select body::text as body from shared_items where body->>'title' <> ''"
            " order by received_at desc limit $1",
            SHOWN_MAX,
        )
        return [_item(row["body"]) for row in rows]

    async def all_of(self, kind: ShareClass) -> list[SharedItem]:
        """Of one class, recalled ones too."""
        rows = await self._connection.fetch(
            "select body::text as body from shared_items where kind = $1", kind
        )
        return [_item(row["body"]) for row in rows]

    async def due(self, at: datetime) -> bool:
        return bool(
            await self._connection.fetchval(
                "select exists (select 1 from shared_items where purge_at <= $1)", at
            )
        )

    async def delete_due(self, at: datetime) -> list[SharedItem]:
        return await self._deleted("purge_at <= $1", at)

    async def delete_of(
        self, grantor: AgencyId, agreement_id: AgreementId | None
    ) -> list[SharedItem]:
        """All that came by an agreement; without one all of a partner. What was deleted."""
        if agreement_id is None:
            return await self._deleted("grantor = $1", grantor)
        return await self._deleted("grantor = $1 and agreement_id = $2", grantor, agreement_id)

    async def delete_one(self, item: SharedItem) -> None:
        await self._connection.execute(
            "delete from shared_items where grantor = $1 and kind = $2 and item_id = $3",
            item.grantor, item.kind, item.item_id,
        )  # fmt: skip

    async def unfeed(self, items: Sequence[SharedItem]) -> None:
        """What the feed still holds of these, but its newest word of each, is gone.

        The feed's first number stays, blanked: by it a screen knows whether it missed anything.
        """
        ids = [str(item.item_id) for item in items]
        for statement in _UNFEED:
            await self._connection.execute(statement, self._agency, ids)

    async def end_agreement(
        self, grantor: AgencyId, agreement_id: AgreementId, at: datetime
    ) -> None:
        await self._connection.execute(
            "insert into shared_ended (agency, grantor, agreement_id, at) values ($1,$2,$3,$4)"
            " on conflict do nothing",
            self._agency, grantor, agreement_id, at,
        )  # fmt: skip

    async def has_ended(self, grantor: AgencyId, agreement_id: AgreementId) -> bool:
        return bool(
            await self._connection.fetchval(
                "select exists (select 1 from shared_ended where grantor = $1"
                " and agreement_id = $2)",
                grantor, agreement_id,
            )
        )  # fmt: skip

    async def _deleted(self, where: str, *values: object) -> list[SharedItem]:
        rows = await self._connection.fetch(
            f"delete from shared_items where {where} returning body::text as body",  # noqa: S608
            *values,
        )
        return [_item(row["body"]) for row in rows]


async def hand_over(
    connection: Any, agency: AgencyId, nation: AgencyId, rows: Sequence[Waiting], at: datetime
) -> None:
    """Records that belong to a nation wait for it, in the transaction that passed them by.

    `agency`: ours. The numbers of `rows` are not looked at.
    """
    await connection.execute(
        _PUT, agency, nation, Lane.HANDOVER, [row.kind for row in rows],
        [row.item_id for row in rows], [row.version for row in rows], [at] * len(rows),
        [row.body.decode() for row in rows],
    )  # fmt: skip


def _count(tag: str) -> int:
    return int(tag.rsplit(maxsplit=1)[-1])
