"""Where each person's browsers want to be woken when a brief comes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from farolito.model import AgencyId, Person, PersonId, UnitId
from farolito.model.push import PushSubscription
from farolito.store.people import person_of

SUBSCRIPTIONS_MAX = 10  # of one person; past it the oldest is dropped

_encode = msgspec.json.Encoder().encode
_subscription = msgspec.json.Decoder(PushSubscription).decode


class PushSubscriptions:
    """Bound to one transaction of one agency."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def keep(self, person: PersonId, wanted: PushSubscription, at: datetime) -> None:
        """A browser belongs to whoever signed in on it last: a phone changes hands."""
        await self._connection.execute(
            "insert into push_subscriptions (agency, person, endpoint, body, at)"
            " values ($1,$2,$3,$4,$5) on conflict (agency, endpoint) do update set"
            " person = excluded.person, body = excluded.body, at = excluded.at",
            self._agency,
            person,
            wanted.endpoint,
            _encode(wanted).decode(),
            at,
        )
        await self._connection.execute(
            "delete from push_subscriptions where endpoint in (select endpoint"
            " from push_subscriptions where person = $1 order by at desc, endpoint offset $2)",
            person,
            SUBSCRIPTIONS_MAX,
        )

    async def of_unit(self, unit: UnitId) -> Sequence[tuple[Person, PushSubscription]]:
        """Of everybody in this unit who may still sign in."""
        rows = await self._connection.fetch(
            "select s.body, p.person_id, p.agency, p.name, p.role, p.unit, p.owner"
            " from push_subscriptions s join people p on p.person_id = s.person"
            " where p.unit = $1 and p.agency = $2"
            " and p.suspended_at is null and p.locked_at is null order by s.at",
            unit,
            self._agency,
        )
        return [(person_of(row), _subscription(row["body"])) for row in rows]

    async def drop_all(self, person: PersonId) -> None:
        """Nothing wakes this person's browsers any more."""
        await self._connection.execute(
            "delete from push_subscriptions where agency = $1 and person = $2",
            self._agency,
            person,
        )

    async def drop(self, endpoint: str, person: PersonId | None = None) -> bool:
        """The browser no longer wants it; with `person`, only where it is that person's."""
        return bool(
            await self._connection.fetchval(
                "delete from push_subscriptions where endpoint = $1"
                " and ($2::uuid is null or person = $2) returning true",
                endpoint,
                person,
            )
        )
