"""Who is suspended: our own people, as a numbered list, and partners' people, as they told us."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from farolito.model import AgencyId, PersonId


class SuspensionList:
    """Our own. Bound to one connection or transaction of the node itself."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def changed(self, at: datetime) -> int:
        """The list's new number: of the time, so that a store brought back from a copy goes on
        above what partners have, and one more than before at least."""
        version: int = await self._connection.fetchval(
            "insert into suspension_lists (agency, version) values ($1,$2)"
            " on conflict (agency) do update"
            " set version = greatest(suspension_lists.version + 1, excluded.version)"
            " returning version",
            self._agency,
            int(at.timestamp() * 1_000_000),
        )
        return version

    async def now(self) -> tuple[int, list[PersonId]]:
        """The number, 0 where nobody ever was suspended, and who is."""
        rows = await self._connection.fetch(
            "select l.version, p.person_id from suspension_lists l left join people p"
            " on p.agency = l.agency and p.suspended_at is not null"
            " where l.agency = $1 order by p.person_id",
            self._agency,
        )
        people = [PersonId(row["person_id"]) for row in rows if row["person_id"]]
        return (rows[0]["version"] if rows else 0), people


class Suspensions:
    """What partners told us and were told. Bound to one transaction of one agency."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def told(self) -> dict[AgencyId, int]:
        """Which number of our list each partner has."""
        return await self._versions("suspensions_told")

    async def heard(self) -> dict[AgencyId, int]:
        """Which number of each partner's list we have."""
        return await self._versions("suspensions_heard")

    async def tell(self, partner: AgencyId, version: int) -> None:
        await self._connection.execute(
            "insert into suspensions_told (agency, partner_id, version) values ($1,$2,$3)"
            " on conflict (agency, partner_id) do update set version = excluded.version",
            self._agency,
            partner,
            version,
        )

    async def keep(
        self, partner: AgencyId, version: int, people: Collection[PersonId], at: datetime
    ) -> bool:
        """The partner's list in place of the one before. False where ours is as new."""
        done = await self._connection.fetchval(
            "insert into suspensions_heard as h (agency, partner_id, version, heard_at)"
            " values ($1,$2,$3,$4) on conflict (agency, partner_id) do update"
            " set version = excluded.version, heard_at = excluded.heard_at"
            " where h.version < excluded.version returning 1",
            self._agency,
            partner,
            version,
            at,
        )
        if done is None:
            return False
        await self._forget_people(partner)
        await self._connection.execute(
            "insert into suspended_elsewhere (agency, partner_id, person_id)"
            " select $1, $2, unnest($3::uuid[]) on conflict do nothing",
            self._agency,
            partner,
            list(people),
        )
        return True

    async def elsewhere(self) -> Mapping[AgencyId, frozenset[PersonId]]:
        rows = await self._connection.fetch(
            "select partner_id, array_agg(person_id) as people from suspended_elsewhere"
            " where agency = $1 group by partner_id",
            self._agency,
        )
        return {
            AgencyId(row["partner_id"]): frozenset(PersonId(one) for one in row["people"])
            for row in rows
        }

    async def forget(self, partner: AgencyId) -> None:
        """The partner has left: what it told goes, and it is told anew should it come back."""
        await self._forget_people(partner)
        for table in ("suspensions_heard", "suspensions_told"):
            await self._connection.execute(
                f"delete from {table} where agency = $1 and partner_id = $2",  # noqa: S608 - ours
                self._agency,
                partner,
            )

    async def _forget_people(self, partner: AgencyId) -> None:
        await self._connection.execute(
            "delete from suspended_elsewhere where agency = $1 and partner_id = $2",
            self._agency,
            partner,
        )

    async def _versions(self, table: str) -> dict[AgencyId, int]:
        rows = await self._connection.fetch(
            f"select partner_id, version from {table} where agency = $1",  # noqa: S608 - ours
            self._agency,
        )
        return {AgencyId(row["partner_id"]): row["version"] for row in rows}
