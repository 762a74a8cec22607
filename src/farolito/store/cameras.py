"""The register of cameras: owners, cameras, their sealed logins, and how each last was.

20,000 cameras are 15 MB of bodies: read once at the start, kept in memory, written where changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import msgspec

from farolito.model import AgencyId, Camera, CameraHealth, CameraId, CameraOwner

AT_ONCE = 2_000  # rows of one statement

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode
_camera = msgspec.json.Decoder(Camera).decode
_owner = msgspec.json.Decoder(CameraOwner).decode
_health = msgspec.json.Decoder(CameraHealth).decode


class Registered(NamedTuple):
    """A camera and whether it still stands in the register."""

    camera: Camera
    is_removed: bool


class Cameras:
    """Bound to one transaction of one agency."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def keep_owners(self, owners: Iterable[CameraOwner]) -> None:
        for some in _pieces(owners):
            await self._connection.execute(
                "insert into camera_owners (agency, owner_id, body)"
                " select $1, o.owner_id, o.body::jsonb from unnest($2::text[], $3::text[])"
                " as o (owner_id, body) on conflict (agency, owner_id)"
                " do update set body = excluded.body",
                self._agency,
                [one.owner_id for one in some],
                [_encode(one).decode() for one in some],
            )

    async def owners(self) -> list[CameraOwner]:
        rows = await self._connection.fetch(
            "select body from camera_owners where agency = $1 order by owner_id", self._agency
        )
        return [_owner(row["body"]) for row in rows]

    async def keep(self, cameras: Iterable[Camera], at: datetime) -> None:
        """Write or rewrite; one that was removed is back. Each must name an owner who is known."""
        for some in _pieces(cameras):
            await self._connection.execute(
                "insert into cameras (agency, camera_id, owner_id, consent, changed_at, body)"
                " select $1, c.camera_id, c.owner_id, c.consent, $6, c.body::jsonb"
                " from unnest($2::text[], $3::text[], $4::text[], $5::text[])"
                " as c (camera_id, owner_id, consent, body)"
                " on conflict (agency, camera_id) do update set owner_id = excluded.owner_id,"
                " consent = excluded.consent, changed_at = excluded.changed_at,"
                " body = excluded.body, removed_at = null",
                self._agency,
                [one.camera_id for one in some],
                [one.owner for one in some],
                [one.consent.value for one in some],
                [_encode(one).decode() for one in some],
                at,
            )

    async def get(self, camera_id: CameraId, *, lock: bool = False) -> Camera | None:
        body = await self._connection.fetchval(
            "select body from cameras"  # noqa: S608 - two fixed texts
            " where agency = $1 and camera_id = $2 and removed_at is null"
            + (" for no key update" if lock else ""),
            self._agency,
            camera_id,
        )
        return None if body is None else _camera(body)

    async def all(self) -> list[Camera]:
        rows = await self._connection.fetch(
            "select body from cameras where agency = $1 and removed_at is null order by camera_id",
            self._agency,
        )
        return [_camera(row["body"]) for row in rows]

    async def known(self, cameras: Iterable[CameraId]) -> dict[CameraId, Registered]:
        """Those of these that are or once were in the register, held until the transaction ends."""
        rows = await self._connection.fetch(
            "select body, removed_at is not null as is_removed from cameras"
            " where agency = $1 and camera_id = any($2) order by camera_id for no key update",
            self._agency,
            list(cameras),
        )
        found = [Registered(_camera(row["body"]), row["is_removed"]) for row in rows]
        return {one.camera.camera_id: one for one in found}

    async def remove(self, cameras: Iterable[CameraId], at: datetime) -> list[CameraId]:
        """Out of the register: who watched them stays known, their logins go."""
        rows = await self._connection.fetch(
            "update cameras set removed_at = $3 where agency = $1 and camera_id = any($2)"
            " and removed_at is null returning camera_id",
            self._agency,
            list(cameras),
            at,
        )
        gone = [CameraId(row["camera_id"]) for row in rows]
        for table in ("camera_logins", "camera_health"):
            await self._connection.execute(
                f"delete from {table} where agency = $1 and camera_id = any($2)",  # noqa: S608
                self._agency,
                gone,
            )
        return gone

    async def keep_logins(self, sealed: Mapping[CameraId, bytes]) -> None:
        """User and password of each, sealed by a key that is not here."""
        for some in _pieces(sealed.items()):
            await self._connection.execute(
                "insert into camera_logins (agency, camera_id, sealed)"
                " select $1, l.camera_id, l.sealed from unnest($2::text[], $3::bytea[])"
                " as l (camera_id, sealed) on conflict (agency, camera_id)"
                " do update set sealed = excluded.sealed",
                self._agency,
                [camera_id for camera_id, _ in some],
                [one for _, one in some],
            )

    async def logins(self) -> dict[CameraId, bytes]:
        rows = await self._connection.fetch(
            "select camera_id, sealed from camera_logins where agency = $1", self._agency
        )
        return {CameraId(row["camera_id"]): row["sealed"] for row in rows}

    async def keep_health(self, health: Iterable[CameraHealth]) -> None:
        """How cameras of the register were found; of others nothing is kept."""
        for some in _pieces(health):
            await self._connection.execute(
                "insert into camera_health (agency, camera_id, state, since, looked_at, body)"
                " select $1, h.camera_id, h.state, h.since, h.looked_at, h.body::jsonb from unnest("
                " $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[])"
                " as h (camera_id, state, since, looked_at, body)"
                " join cameras c on c.agency = $1 and c.camera_id = h.camera_id"
                " where c.removed_at is null on conflict (agency, camera_id) do update set"
                " state = excluded.state, since = excluded.since, looked_at = excluded.looked_at,"
                " body = excluded.body",
                self._agency,
                [one.camera_id for one in some],
                [one.state.value for one in some],
                [one.since for one in some],
                [one.looked_at for one in some],
                [_encode(one).decode() for one in some],
            )

    async def health(self) -> list[CameraHealth]:
        rows = await self._connection.fetch(
            "select body from camera_health where agency = $1 order by camera_id", self._agency
        )
        return [_health(row["body"]) for row in rows]


def _pieces(rows: Iterable[T]) -> Iterator[Sequence[T]]:
    left = iter(rows)
    while piece := list(islice(left, AT_ONCE)):
        yield piece
