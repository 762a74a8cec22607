"""Other agencies as this node knows them, and invitations to become one."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from farolito.model import AgencyId
from farolito.model.joining import WRONG_TRIES_MAX, Invitation, KnownPartner

_encode = msgspec.json.Encoder().encode
_known = msgspec.json.Decoder(KnownPartner).decode


class Partners:
    """Bound to one transaction of one agency."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def keep(self, known: KnownPartner) -> None:
        """As it stands from now on."""
        await self._connection.execute(
            "insert into partners (agency, partner_id, state, key, body) values ($1,$2,$3,$4,$5)"
            " on conflict (agency, partner_id) do update set state = excluded.state,"
            " key = excluded.key, body = excluded.body",
            self._agency,
            known.agency_id,
            known.partner.state.value,
            known.partner.card.key,
            _encode(known).decode(),
        )

    async def get(self, partner: AgencyId) -> KnownPartner | None:
        """Held until the transaction ends, so that of two changes one comes first."""
        body = await self._connection.fetchval(
            "select body from partners where agency = $1 and partner_id = $2 for update",
            self._agency,
            partner,
        )
        return None if body is None else _known(body)

    async def all(self) -> list[KnownPartner]:
        """Those that left too; by id."""
        rows = await self._connection.fetch(
            "select body from partners where agency = $1 order by partner_id", self._agency
        )
        return [_known(row["body"]) for row in rows]

    async def invite(self, invitation: Invitation) -> None:
        await self._connection.execute(
            "insert into invitations_to_join (agency, invitation_id, made_at, expires)"
            " values ($1,$2,$3,$4)",
            self._agency,
            invitation.invitation_id,
            invitation.made_at,
            invitation.expires,
        )

    async def invitation(self, invitation_id: UUID) -> Invitation | None:
        row = await self._connection.fetchrow(
            "select invitation_id, made_at, expires, wrong, used_by from invitations_to_join"
            " where agency = $1 and invitation_id = $2",
            self._agency,
            invitation_id,
        )
        return None if row is None else Invitation(**dict(row))

    async def wrong_try(self, invitation_id: UUID) -> int:
        """Count it; how many there were."""
        count: int = await self._connection.fetchval(
            "update invitations_to_join set wrong = wrong + 1"
            " where agency = $1 and invitation_id = $2 returning wrong",
            self._agency,
            invitation_id,
        )
        return count

    async def use(self, invitation_id: UUID, key: str, at: datetime) -> bool:
        """It belongs to whoever holds `key` from now on. False where it is not in force."""
        row = await self._connection.fetchval(
            "update invitations_to_join set used_by = $3, used_at = coalesce(used_at, $4)"
            " where agency = $1 and invitation_id = $2 and expires > $4 and wrong < $5"
            " and coalesce(used_by, $3) = $3 returning 1",
            self._agency,
            invitation_id,
            key,
            at,
            WRONG_TRIES_MAX,
        )
        return row is not None
