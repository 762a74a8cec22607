"""Walls that people saved: which cameras stand where. Each person's own."""

from __future__ import annotations

from typing import Any

import msgspec

from farolito.model import AgencyId, PersonId
from farolito.model.wall import Wall

WALLS_MAX = 50  # of one person; a further one is refused

_encode = msgspec.json.Encoder().encode
_wall = msgspec.json.Decoder(Wall).decode


class Walls:
    """Bound to one transaction of one agency."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def of(self, person: PersonId) -> dict[str, Wall]:
        rows = await self._connection.fetch(
            "select name, body from walls where agency = $1 and person_id = $2 order by name",
            self._agency,
            person,
        )
        return {row["name"]: _wall(row["body"]) for row in rows}

    async def keep(self, person: PersonId, name: str, wall: Wall) -> bool:
        """False where this person has as many as there may be, and none of this name."""
        done = await self._connection.fetchval(
            "insert into walls (agency, person_id, name, body) select $1, $2::uuid, $3, $4::jsonb"
            " where exists (select 1 from walls where agency = $1 and person_id = $2 and name = $3)"
            " or (select count(*) from walls where agency = $1 and person_id = $2) < $5"
            " on conflict (agency, person_id, name) do update set body = excluded.body returning 1",
            self._agency,
            person,
            name,
            _encode(wall).decode(),
            WALLS_MAX,
        )
        return done is not None

    async def drop(self, person: PersonId, name: str) -> bool:
        done = await self._connection.fetchval(
            "delete from walls where agency = $1 and person_id = $2 and name = $3 returning 1",
            self._agency,
            person,
            name,
        )
        return done is not None
