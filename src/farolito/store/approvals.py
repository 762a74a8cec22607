"""Wide searches that a second person approved: each for one person, one case, once."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from farolito.model import AgencyId
from farolito.model.search import SearchApproval

_encode = msgspec.json.Encoder().encode


_approval = msgspec.json.Decoder(SearchApproval).decode


class Approvals:
    """Bound to one transaction of one agency."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def keep(self, approval: SearchApproval) -> None:
        await self._connection.execute(
            "insert into search_approvals (approval_id, agency, approved_by, permit, expires_at,"
            " body) values ($1,$2,$3,$4,$5,$6)",
            approval.approval_id,
            self._agency,
            approval.approved_by,
            approval.permit,
            approval.expires_at,
            _encode(approval).decode(),
        )

    async def get(self, approval_id: UUID, now: datetime) -> SearchApproval | None:
        """One that still stands: neither used nor past its time."""
        body = await self._connection.fetchval(
            "select body::text from search_approvals where agency = $1 and approval_id = $2"
            " and used_at is null and expires_at > $3",
            self._agency,
            approval_id,
            now,
        )
        return None if body is None else _approval(body)

    async def use(self, approval_id: UUID, now: datetime) -> bool:
        """False where another search used it first."""
        used = await self._connection.fetchval(
            "update search_approvals set used_at = $3 where agency = $1 and approval_id = $2"
            " and used_at is null and expires_at > $3 returning true",
            self._agency,
            approval_id,
            now,
        )
        return bool(used)

    async def end_before(self, at: datetime) -> int:
        """End the keeping of what expired before `at`; how many went."""
        tag = await self._connection.execute(
            "delete from search_approvals where agency = $1 and expires_at < $2", self._agency, at
        )
        return int(tag.split()[-1])
