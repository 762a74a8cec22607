"""Who may sign in here, with which passkeys, and who has been invited to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from farolito.model import AgencyId, OwnerId, Person, PersonId, Role, UnitId


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A person with what decides whether they may sign in. `active_at`: last sign-in or invite."""

    person: Person
    demo: bool
    made_at: datetime
    active_at: datetime
    suspended_at: datetime | None
    locked_at: datetime | None
    passkeys: int


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    credential_id: bytes
    person_id: PersonId
    public_key: bytes
    sign_count: int
    backed_up: bool
    aaguid: str


_ACCOUNT = (
    "select p.person_id, p.agency, p.name, p.role, p.unit, p.owner, p.demo, p.made_at,"
    " p.active_at, p.suspended_at, p.locked_at,"
    " (select count(*) from passkeys k where k.person_id = p.person_id) as passkeys"
    " from people p"
)


class People:
    """Bound to one connection or transaction of the node itself."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def keep(self, person: Person, at: datetime, *, demo: bool = False) -> bool:
        """Write or rewrite a person. False where the id belongs to another agency's person."""
        row = await self._connection.fetchval(
            "insert into people (person_id, agency, name, role, unit, owner, demo, made_at,"
            " active_at) values ($1,$2,$3,$4,$5,$6,$7,$8,$8) on conflict (person_id) do update set"
            " name = excluded.name, role = excluded.role, unit = excluded.unit,"
            " owner = excluded.owner"
            " where people.agency = excluded.agency and people.demo = excluded.demo"
            " returning 1",
            person.person_id, person.agency, person.name, person.role.value, person.unit,
            person.owner, demo, at,
        )  # fmt: skip
        return row is not None

    async def account(self, person_id: PersonId) -> Account | None:
        row = await self._connection.fetchrow(f"{_ACCOUNT} where p.person_id = $1", person_id)
        return _account(row) if row else None

    async def all(self, agency: AgencyId) -> list[Account]:
        rows = await self._connection.fetch(
            f"{_ACCOUNT} where p.agency = $1 order by p.name, p.person_id", agency
        )
        return [_account(row) for row in rows]

    async def suspend(self, person_id: PersonId, at: datetime) -> bool:
        return await self._changed(
            "update people set suspended_at = $2 where person_id = $1 returning 1", person_id, at
        )

    async def restore(self, person_id: PersonId, at: datetime) -> bool:
        """Undo a suspension or a lock; the count of idle days and failures begins anew."""
        await self.forget_failures(person_id)
        return await self._changed(
            "update people set suspended_at = null, locked_at = null, active_at = $2"
            " where person_id = $1 returning 1",
            person_id,
            at,
        )

    async def lock(self, person_id: PersonId, at: datetime) -> None:
        await self._connection.execute(
            "update people set locked_at = $2 where person_id = $1 and locked_at is null",
            person_id,
            at,
        )

    async def was_active(self, person_id: PersonId, at: datetime) -> None:
        await self._connection.execute(
            "update people set active_at = $2 where person_id = $1", person_id, at
        )

    async def fail(self, person_id: PersonId, at: datetime, reason: str) -> None:
        await self._connection.execute(
            "insert into sign_in_failures (person_id, at, reason) values ($1,$2,$3)",
            person_id,
            at,
            reason,
        )

    async def failures_since(self, person_id: PersonId, since: datetime) -> int:
        count: int = await self._connection.fetchval(
            "select count(*) from sign_in_failures where person_id = $1 and at > $2",
            person_id,
            since,
        )
        return count

    async def forget_failures(self, person_id: PersonId) -> None:
        await self._connection.execute(
            "delete from sign_in_failures where person_id = $1", person_id
        )

    async def add_passkey(self, passkey: Passkey, at: datetime) -> bool:
        """False where that passkey is registered already, to anybody."""
        return await self._changed(
            "insert into passkeys (credential_id, person_id, public_key, sign_count, backed_up,"
            " aaguid, made_at) values ($1,$2,$3,$4,$5,$6,$7) on conflict do nothing returning 1",
            passkey.credential_id, passkey.person_id, passkey.public_key, passkey.sign_count,
            passkey.backed_up, passkey.aaguid, at,
        )  # fmt: skip

    async def passkey(self, credential_id: bytes) -> Passkey | None:
        """Held until the transaction ends, so that one counter value serves one sign-in."""
        row = await self._connection.fetchrow(
            "select credential_id, person_id, public_key, sign_count, backed_up, aaguid"
            " from passkeys where credential_id = $1 for update",
            credential_id,
        )
        return Passkey(**dict(row)) if row else None

    async def passkeys_of(self, person_id: PersonId) -> Sequence[bytes]:
        rows = await self._connection.fetch(
            "select credential_id from passkeys where person_id = $1", person_id
        )
        return [row["credential_id"] for row in rows]

    async def used(self, credential_id: bytes, sign_count: int, at: datetime) -> None:
        await self._connection.execute(
            "update passkeys set sign_count = $2, used_at = $3 where credential_id = $1",
            credential_id,
            sign_count,
            at,
        )

    async def drop_passkeys(self, person_id: PersonId) -> None:
        await self._connection.execute("delete from passkeys where person_id = $1", person_id)

    async def drop_invitations(self, person_id: PersonId) -> None:
        """Those that nobody used."""
        await self._connection.execute(
            "delete from invitations where person_id = $1 and used_at is null", person_id
        )

    async def invite(
        self, code_hash: bytes, person_id: PersonId, at: datetime, expires_at: datetime
    ) -> None:
        """A newer invitation ends the older ones."""
        await self.drop_invitations(person_id)
        await self._connection.execute(
            "insert into invitations (code_hash, person_id, made_at, expires_at)"
            " values ($1,$2,$3,$4)",
            code_hash,
            person_id,
            at,
            expires_at,
        )

    async def invited(self, code_hash: bytes, at: datetime) -> PersonId | None:
        found: Any = await self._connection.fetchval(
            "select person_id from invitations"
            " where code_hash = $1 and used_at is null and expires_at > $2",
            code_hash,
            at,
        )
        return PersonId(found) if found else None

    async def accept(self, code_hash: bytes, at: datetime) -> PersonId | None:
        """Use an invitation up. Of two at once, one gets the person and the other None."""
        found: Any = await self._connection.fetchval(
            "update invitations set used_at = $2"
            " where code_hash = $1 and used_at is null and expires_at > $2 returning person_id",
            code_hash,
            at,
        )
        return PersonId(found) if found else None

    async def _changed(self, query: str, *arguments: Any) -> bool:
        return await self._connection.fetchval(query, *arguments) is not None


def person_of(row: Any) -> Person:
    return Person(
        person_id=PersonId(row["person_id"]),
        agency=AgencyId(row["agency"]),
        name=row["name"],
        role=Role(row["role"]),
        unit=UnitId(row["unit"]) if row["unit"] else None,
        owner=OwnerId(row["owner"]) if row["owner"] else None,
    )


def _account(row: Any) -> Account:
    return Account(
        person=person_of(row),
        demo=row["demo"],
        made_at=row["made_at"],
        active_at=row["active_at"],
        suspended_at=row["suspended_at"],
        locked_at=row["locked_at"],
        passkeys=row["passkeys"],
    )
