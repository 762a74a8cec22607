"""Who of our people an identity provider knows, by issuer and subject."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from farolito.model import AgencyId, PersonId


class ProviderPeople:
    """Bound to one connection of the node itself."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def find(self, issuer: str, subject: str) -> PersonId | None:
        found: Any = await self._connection.fetchval(
            "select person_id from provider_people"
            " where agency = $1 and issuer = $2 and subject = $3",
            self._agency,
            issuer,
            subject,
        )
        return PersonId(found) if found else None

    async def link(self, issuer: str, subject: str, person_id: PersonId, at: datetime) -> bool:
        """False where the provider knows that person under another subject already."""
        done = await self._connection.fetchval(
            "insert into provider_people (agency, issuer, subject, person_id, linked_at, seen_at)"
            " values ($1,$2,$3,$4,$5,$5) on conflict do nothing returning 1",
            self._agency,
            issuer,
            subject,
            person_id,
            at,
        )
        return done is not None

    async def seen(
        self, issuer: str, subject: str, certifications: Sequence[str], at: datetime
    ) -> None:
        await self._connection.execute(
            "update provider_people set certifications = $4, seen_at = $5"
            " where agency = $1 and issuer = $2 and subject = $3",
            self._agency,
            issuer,
            subject,
            list(certifications),
            at,
        )
