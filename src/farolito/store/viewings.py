"""Who watched which camera: from when to when, why, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from farolito.model import AgencyId, CameraId, OwnerId, PersonId, Viewing, ViewingId

SHOWN_MAX = 200  # of one answer; the rest is asked for page by page

_VIEWINGS = "select v.body, v.seen_at, v.until, v.why_ended, v.kept_recording from viewings v"
_encode = msgspec.json.Encoder().encode
_viewing = msgspec.json.Decoder(Viewing).decode


class Watched(NamedTuple):
    """How long people have looked at a camera since a time. Two at once count twice."""

    camera_id: CameraId
    minutes: float
    now: int  # how many look at this moment


class Viewings:
    """Bound to one transaction of one agency."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def begin(self, viewing: Viewing) -> None:
        await self._connection.execute(
            "insert into viewings (viewing_id, agency, camera_id, person_id, permit, since,"
            " seen_at, body) values ($1,$2,$3,$4,$5,$6,$7,$8)",
            viewing.viewing_id, self._agency, viewing.camera_id, viewing.person, viewing.permit,
            viewing.since, viewing.seen_at, _encode(viewing).decode(),
        )  # fmt: skip

    async def seen(self, viewings: Iterable[ViewingId], at: datetime) -> None:
        """They are open at this moment."""
        await self._connection.execute(
            "update viewings set seen_at = greatest(seen_at, $2)"
            " where viewing_id = any($1) and until is null",
            list(viewings),
            at,
        )

    async def end(self, viewing: ViewingId, until: datetime, why: str) -> bool:
        """False where it had ended before."""
        done = await self._connection.fetchval(
            "update viewings set until = greatest(since, $2), why_ended = $3,"
            " seen_at = greatest(since, $2)"
            " where viewing_id = $1 and until is null returning 1",
            viewing,
            until,
            why,
        )
        return done is not None

    async def end_left_open(self, why: str) -> list[Viewing]:
        """A node that fell left them open: each ended when it was last seen to be."""
        rows = await self._connection.fetch(
            "update viewings v set until = v.seen_at, why_ended = $2"
            " where v.agency = $1 and v.until is null"
            " returning v.body, v.seen_at, v.until, v.why_ended, v.kept_recording",
            self._agency,
            why,
        )
        return [_of(row) for row in rows]

    async def recorded(
        self, camera_id: CameraId, person: PersonId, since: datetime, until: datetime
    ) -> None:
        """A clip of this span was made by somebody who had watched some of it."""
        await self._connection.execute(
            "update viewings set kept_recording = true where agency = $1 and camera_id = $2"
            " and person_id = $3 and since <= $5 and coalesce(until, now()) >= $4",
            self._agency,
            camera_id,
            person,
            since,
            until,
        )

    async def open(self) -> list[Viewing]:
        rows = await self._connection.fetch(
            f"{_VIEWINGS} where v.agency = $1 and v.until is null order by v.since", self._agency
        )
        return [_of(row) for row in rows]

    async def of_camera(
        self, camera_id: CameraId, before: datetime | None = None, limit: int = SHOWN_MAX
    ) -> list[Viewing]:
        """The newest, or the newest that began before a time."""
        rows = await self._connection.fetch(
            f"{_VIEWINGS} where v.agency = $1 and v.camera_id = $2"
            " and ($3::timestamptz is null or v.since < $3) order by v.since desc limit $4",
            self._agency,
            camera_id,
            before,
            max(1, min(limit, SHOWN_MAX)),
        )
        return [_of(row) for row in rows]

    async def newest(self, before: datetime | None = None, limit: int = SHOWN_MAX) -> list[Viewing]:
        """Of all cameras: the newest, or the newest that began before a time."""
        rows = await self._connection.fetch(
            f"{_VIEWINGS} where v.agency = $1 and ($2::timestamptz is null or v.since < $2)"
            " order by v.since desc limit $3",
            self._agency,
            before,
            max(1, min(limit, SHOWN_MAX)),
        )
        return [_of(row) for row in rows]

    async def of_owner(self, owner: OwnerId, limit: int = SHOWN_MAX) -> list[Viewing]:
        """The newest of all cameras of an owner."""
        rows = await self._connection.fetch(
            f"{_VIEWINGS} join cameras c on c.agency = v.agency and c.camera_id = v.camera_id"
            " where v.agency = $1 and c.owner_id = $2 order by v.since desc limit $3",
            self._agency,
            owner,
            max(1, min(limit, SHOWN_MAX)),
        )
        return [_of(row) for row in rows]

    async def sums(self, owner: OwnerId, since: datetime) -> list[Watched]:
        """Of each camera of an owner that anybody watched since a time."""
        rows = await self._connection.fetch(
            "select v.camera_id, sum(extract(epoch from coalesce(v.until, v.seen_at)"
            " - greatest(v.since, $3))) / 60 as minutes,"
            " count(*) filter (where v.until is null) as now"
            " from viewings v join cameras c on c.agency = v.agency and c.camera_id = v.camera_id"
            " where v.agency = $1 and c.owner_id = $2 and coalesce(v.until, v.seen_at) >= $3"
            " group by v.camera_id order by v.camera_id",
            self._agency,
            owner,
            since,
        )
        return [Watched(CameraId(r["camera_id"]), float(r["minutes"]), r["now"]) for r in rows]

    async def end_before(self, at: datetime) -> int:
        """End the keeping of who watched before a time; the ledger keeps its entries."""
        gone: str = await self._connection.execute("delete from viewings where until < $1", at)
        return int(gone.rsplit(maxsplit=1)[-1])


def _of(row: Any) -> Viewing:
    return msgspec.structs.replace(
        _viewing(row["body"]),
        seen_at=row["seen_at"],
        until=row["until"],
        why_ended=row["why_ended"],
        kept_recording=row["kept_recording"],
    )
