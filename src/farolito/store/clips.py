"""Clips as evidence: their cards and what is signed beside them. The files lie elsewhere."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from farolito.model import AgencyId, CameraId, Clip, ClipId, IncidentId

SHOWN_MAX = 500

_encode = msgspec.json.Encoder().encode
_clip = msgspec.json.Decoder(Clip).decode


class Clips:
    """Bound to one transaction of one agency."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def keep(self, clip: Clip, manifest: bytes) -> None:
        """Once and for ever: a clip is never changed."""
        await self._connection.execute(
            "insert into clips (clip_id, agency, camera_id, made_at, incident_id, source, body,"
            " manifest) values ($1,$2,$3,$4,$5,$6,$7,$8)",
            clip.clip_id, self._agency, clip.camera_id, clip.made_at, clip.incident, clip.source,
            _encode(clip).decode(), manifest,
        )  # fmt: skip

    async def get(self, clip_id: ClipId) -> Clip | None:
        body = await self._connection.fetchval(
            "select body from clips where agency = $1 and clip_id = $2", self._agency, clip_id
        )
        return None if body is None else _clip(body)

    async def manifest(self, clip_id: ClipId) -> bytes | None:
        found: bytes | None = await self._connection.fetchval(
            "select manifest from clips where agency = $1 and clip_id = $2", self._agency, clip_id
        )
        return found

    async def find(
        self, incident: IncidentId | None = None, camera_id: CameraId | None = None
    ) -> list[Clip]:
        """The newest, of an incident or of a camera where one is named."""
        rows = await self._connection.fetch(
            "select body from clips where agency = $1 and ($2::uuid is null or incident_id = $2)"
            " and ($3::text is null or camera_id = $3) order by made_at desc, clip_id limit $4",
            self._agency,
            incident,
            camera_id,
            SHOWN_MAX,
        )
        return [_clip(row["body"]) for row in rows]

    async def made_from(self, source: ClipId) -> list[Clip]:
        """The redacted ones of an original, the oldest first."""
        rows = await self._connection.fetch(
            "select body from clips where agency = $1 and source = $2 order by made_at, clip_id",
            self._agency,
            source,
        )
        return [_clip(row["body"]) for row in rows]

    async def ids(self) -> set[ClipId]:
        rows = await self._connection.fetch(
            "select clip_id from clips where agency = $1", self._agency
        )
        return {ClipId(row["clip_id"]) for row in rows}

    async def end_before(self, of_a_case: datetime, others: datetime) -> list[Clip]:
        """Forget those made before then, by whether they name a case; answers with them, for their
        files to go. An original stays as long as one that was made from it."""
        rows = await self._connection.fetch(
            "with ended as (select clip_id, source from clips where agency = $1 and made_at <"
            " case when body->>'case' is null then $3::timestamptz else $2::timestamptz end)"
            " delete from clips c using ended where c.clip_id = ended.clip_id"
            " and not exists (select 1 from clips r where r.source = c.clip_id"
            " and r.clip_id not in (select clip_id from ended)) returning c.body",
            self._agency,
            of_a_case,
            others,
        )
        return [_clip(row["body"]) for row in rows]
