"""Sign-ins that are open, and the challenges of those under way. Only hashes are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from farolito.model import Person, PersonId, SessionId
from farolito.store.people import person_of

_SESSION = (
    "select s.session_id, s.signed_in_at, s.seen_at, s.proved_at, s.provider, s.acr, s.amr,"
    " p.demo, p.person_id, p.agency, p.name, p.role, p.unit, p.owner"
    " from sessions s join people p using (person_id)"
)
CHALLENGES_MAX = 10_000  # under way at once; past it the oldest are dropped


class How(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody signed in. `proved_at`: when a passkey was last shown, None: not in this
    sign-in. `provider`: which identity provider says so, with its own words (OpenID Connect Core,
    section 2): `acr`, how sure it is; `amr`, what was shown to it."""

    signed_in_at: datetime
    proved_at: datetime | None
    provider: str | None = None
    acr: str = ""
    amr: tuple[str, ...] = ()


class Session(msgspec.Struct, frozen=True, kw_only=True):
    session_id: SessionId
    person: Person
    demo: bool
    how: How
    seen_at: datetime


class Challenge(msgspec.Struct, frozen=True):
    """`code_hash`: the invitation it was made for, None for a sign-in."""

    kind: str
    code_hash: bytes | None
    expires_at: datetime


class Sessions:
    """Bound to a connection, or to the pool where each query stands alone."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def open(
        self,
        token_hash: bytes,
        session_id: SessionId,
        person_id: PersonId,
        how: How,
        at: datetime,
    ) -> None:
        await self._connection.execute(
            "insert into sessions (token_hash, session_id, person_id, signed_in_at, seen_at,"
            " proved_at, provider, acr, amr) values ($1,$2,$3,$4,$5,$6,$7,$8,$9)",
            token_hash, session_id, person_id, how.signed_in_at, at, how.proved_at, how.provider,
            how.acr, list(how.amr),
        )  # fmt: skip

    async def proved(self, session_id: SessionId, at: datetime) -> bool:
        """The person has shown a passkey again. False where the sign-in has ended."""
        done = await self._connection.fetchval(
            "update sessions set proved_at = $2 where session_id = $1 and ended_at is null"
            " returning 1",
            session_id,
            at,
        )
        return done is not None

    async def find(self, token_hash: bytes) -> Session | None:
        """The open session of a person who is not suspended. Its age is the caller's to judge."""
        row = await self._connection.fetchrow(
            f"{_SESSION} where s.token_hash = $1 and s.ended_at is null and p.suspended_at is null",
            token_hash,
        )
        return None if row is None else _session(row)

    async def open_ones(self, sessions: Sequence[SessionId]) -> list[Session]:
        """Those of these that are open, of people who are not suspended."""
        rows = await self._connection.fetch(
            f"{_SESSION} where s.session_id = any($1) and s.ended_at is null"
            " and p.suspended_at is null",
            list(sessions),
        )
        return [_session(row) for row in rows]

    async def seen(self, session_id: SessionId, at: datetime) -> None:
        await self._connection.execute(
            "update sessions set seen_at = greatest(seen_at, $2) where session_id = $1",
            session_id,
            at,
        )

    async def end(self, session_id: SessionId, at: datetime, because: str) -> bool:
        ended = await self._connection.fetchval(
            "update sessions set ended_at = $2, ended_because = $3"
            " where session_id = $1 and ended_at is null returning 1",
            session_id,
            at,
            because,
        )
        return ended is not None

    async def end_all(self, person_id: PersonId, at: datetime, because: str) -> list[SessionId]:
        rows = await self._connection.fetch(
            "update sessions set ended_at = $2, ended_because = $3"
            " where person_id = $1 and ended_at is null returning session_id",
            person_id,
            at,
            because,
        )
        return [SessionId(row["session_id"]) for row in rows]

    async def challenge(self, challenge_hash: bytes, made: Challenge, at: datetime) -> None:
        await self._connection.execute("delete from challenges where expires_at <= $1", at)
        await self._connection.execute(
            "delete from challenges where challenge_hash in (select challenge_hash"
            " from challenges order by expires_at desc offset $1)",
            CHALLENGES_MAX - 1,
        )
        await self._connection.execute(
            "insert into challenges (challenge_hash, kind, code_hash, expires_at)"
            " values ($1,$2,$3,$4)",
            challenge_hash,
            made.kind,
            made.code_hash,
            made.expires_at,
        )

    async def take_challenge(
        self, challenge_hash: bytes, kind: str, at: datetime
    ) -> Challenge | None:
        """The challenge, once: it is gone afterwards, whatever comes of it."""
        row = await self._connection.fetchrow(
            "delete from challenges where challenge_hash = $1"
            " returning kind, code_hash, expires_at",
            challenge_hash,
        )
        if row is None or row["kind"] != kind or row["expires_at"] <= at:
            return None
        return Challenge(row["kind"], row["code_hash"], row["expires_at"])

    async def forget_before(self, at: datetime) -> int:
        """Drop sessions, invitations and failures that were over by `at`; the ledger keeps what
        happened. Returns how many rows went."""
        gone = 0
        for query in (
            "delete from sessions where ended_at < $1 or (ended_at is null and seen_at < $1)",
            "delete from invitations where expires_at < $1",
            "delete from sign_in_failures where at < $1",
            "delete from challenges where expires_at < $1",
        ):
            done: str = await self._connection.execute(query, at)
            gone += int(done.rpartition(" ")[2])
        return gone


def _session(row: Any) -> Session:
    return Session(
        session_id=SessionId(row["session_id"]),
        person=person_of(row),
        demo=row["demo"],
        how=How(
            signed_in_at=row["signed_in_at"],
            proved_at=row["proved_at"],
            provider=row["provider"],
            acr=row["acr"],
            amr=tuple(row["amr"]),
        ),
        seen_at=row["seen_at"],
    )
