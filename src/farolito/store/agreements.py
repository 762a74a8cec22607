"""Agreements as they stand, every state they were in, who signed, and what is still to be told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from farolito.model import AgencyId, AgreementId, PersonId, SignedAgreement
from farolito.model.agreement import AgreementNews

SHOWN_MAX = 1_000  # of those that are over; the ones in force are all shown

_encode = msgspec.json.Encoder().encode
_signed = msgspec.json.Decoder(SignedAgreement).decode

_NEWS = (
    "select n.partner, n.number, n.receipt, n.told_at, n.answer, n.refused, a.body"
    " from agreement_news n join agreements a using (agency, agreement_id) where n.agency = $1"
)


class Agreements:
    """Bound to one transaction of one agency."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def keep(self, signed: SignedAgreement, permit: int) -> None:
        """As it stands from now on; the state that it was in stays beside."""
        terms, body = signed.agreement, _encode(signed).decode()
        await self._connection.execute(
            "insert into agreements (agency, agreement_id, grantor, grantee, state, expires,"
            " changed_at, body) values ($1,$2,$3,$4,$5,$6,$7,$8)"
            " on conflict (agency, agreement_id) do update set state = excluded.state,"
            " changed_at = excluded.changed_at, body = excluded.body",
            self._agency, terms.agreement_id, terms.grantor, terms.grantee, signed.state.value,
            terms.expires, signed.changed_at, body,
        )  # fmt: skip
        await self._connection.execute(
            "insert into agreement_states (agency, agreement_id, number, at, state, permit, body)"
            " select $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6 from agreement_states"
            " where agency = $1 and agreement_id = $2",
            self._agency, terms.agreement_id, signed.changed_at, signed.state.value, permit, body,
        )  # fmt: skip

    async def get(self, agreement_id: AgreementId) -> SignedAgreement | None:
        """Held until the transaction ends, so that of two changes one comes first."""
        body = await self._connection.fetchval(
            "select body from agreements where agency = $1 and agreement_id = $2 for update",
            self._agency,
            agreement_id,
        )
        return None if body is None else _signed(body)

    async def all(self) -> list[SignedAgreement]:
        """Those under way and in force, and the newest of those that are over; newest first."""
        rows = await self._connection.fetch(
            "with over as (select agreement_id from agreements where agency = $1 and state in"
            " ('revoked', 'replaced', 'expired') order by changed_at desc limit $2)"
            " select body from agreements where agency = $1 and (state not in"
            " ('revoked', 'replaced', 'expired') or agreement_id in (select * from over))"
            " order by changed_at desc, agreement_id",
            self._agency,
            SHOWN_MAX,
        )
        return [_signed(row["body"]) for row in rows]

    async def states(self, agreement_id: AgreementId) -> list[tuple[datetime, str, int]]:
        """When it came into which state, by which entry; the oldest first."""
        rows = await self._connection.fetch(
            "select at, state, permit from agreement_states where agency = $1"
            " and agreement_id = $2 order by number",
            self._agency,
            agreement_id,
        )
        return [(row["at"], row["state"], row["permit"]) for row in rows]

    async def sign(self, agreement_id: AgreementId, person_id: PersonId, at: datetime) -> bool:
        """False where this person has signed it already."""
        row = await self._connection.fetchval(
            "insert into agreement_signers (agency, agreement_id, person_id, at)"
            " values ($1,$2,$3,$4) on conflict do nothing returning 1",
            self._agency,
            agreement_id,
            person_id,
            at,
        )
        return row is not None

    async def signed_by(self, person_id: PersonId) -> set[AgreementId]:
        rows = await self._connection.fetch(
            "select agreement_id from agreement_signers where agency = $1 and person_id = $2",
            self._agency,
            person_id,
        )
        return {AgreementId(row["agreement_id"]) for row in rows}

    async def will_tell(self, agreement_id: AgreementId, partner: AgencyId, receipt: str) -> None:
        """The other side is to be told how it stands; what it was told before counts no more."""
        await self._connection.execute(
            "delete from agreement_news where agency = $1 and agreement_id = $2",
            self._agency,
            agreement_id,
        )
        await self._connection.execute(
            "insert into agreement_news (agency, agreement_id, partner, receipt)"
            " values ($1,$2,$3,$4)",
            self._agency,
            agreement_id,
            partner,
            receipt,
        )

    async def untold(self) -> list[AgreementNews]:
        """In the order in which it happened."""
        rows = await self._connection.fetch(
            f"{_NEWS} and n.told_at is null order by n.number", self._agency
        )
        return [_news(row) for row in rows]

    async def news(self) -> dict[AgreementId, AgreementNews]:
        rows = await self._connection.fetch(
            f"{_NEWS} order by n.number desc limit $2", self._agency, SHOWN_MAX
        )
        found = [_news(row) for row in rows]
        return {one.signed.agreement.agreement_id: one for one in found}

    async def told(self, number: int, at: datetime, answer: str, refused: str) -> None:
        """The other side has answered to just this; newer news of it stay to be told."""
        await self._connection.execute(
            "update agreement_news set told_at = $3, answer = $4, refused = $5"
            " where agency = $1 and number = $2",
            self._agency,
            number,
            at,
            answer,
            refused,
        )


def _news(row: Any) -> AgreementNews:
    return AgreementNews(
        partner=AgencyId(row["partner"]),
        number=row["number"],
        receipt=row["receipt"],
        told_at=row["told_at"],
        answer=row["answer"],
        refused=row["refused"],
        signed=_signed(row["body"]),
    )
