"""The life of an agreement, as people move it: drafted, tried, signed by two, ended by one.

In: acts of the own agency's people, each through the gate. Out: an agreement in its next state,
its ledger entry fixing the very document. What follows for rules, bus and partner is the book's.
Never: an agreement in force by fewer than two people and the agency's key, one that opens more
than its document says, an end that waits for the other side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from farolito.desk import Conflict, NotFound
from farolito.federation.agreement_book import AgreementBook
from farolito.federation.signatures import File, check, countersign, digest
from farolito.gate import Answer, Ask, Gate, Records
from farolito.identity import AgencyKey
from farolito.identity.signing import Signing
from farolito.model import (
    OVER,
    SIGNERS,
    Act,
    AgencyId,
    Agreement,
    AgreementId,
    AgreementState,
    Because,
    Invalid,
    PartnerState,
    Person,
    PersonSignature,
    Purpose,
    Refused,
    Role,
    SignedAgreement,
    Thing,
)
from farolito.model.agreement import AgreementNews, AgreementStanding, PurgeStanding

SIGN_IN_MAX = timedelta(minutes=5)  # who signs has signed in just now
UNDER_WAY_MAX = 200  # drafts at once
IN_FORCE_MAX = 1_000  # given and received
DAYS_MAX = 90  # that a trial looks back
MAY_SIGN = frozenset({Role.AGENCY_ADMIN, Role.SUPERVISOR})
_UNSIGNED = frozenset({AgreementState.DRAFT, AgreementState.PROPOSED})


class AgreementDesk:
    def __init__(
        self,
        gate: Gate,
        book: AgreementBook,
        signing: Signing,
        key: AgencyKey,
        clock: Callable[[], datetime],
    ) -> None:
        self._gate = gate
        self._book = book
        self._signing = signing
        self._key = key
        self._clock = clock

    async def all(self, ask: Ask) -> Answer[list[AgreementStanding]]:
        """Given and received, the newest change first."""

        async def work(records: Records, permit: int) -> list[AgreementStanding]:
            signed_already = await records.agreements.signed_by(ask.person.person_id)
            news = await records.agreements.news()
            purges = {row["agreement_id"]: row for row in await records.sharing.receipts()}
            return [
                AgreementStanding(
                    signed=one,
                    can_sign=self._can_sign(ask.person, one, signed_already),
                    told=_told(news.get(one.agreement.agreement_id)),
                    purge=_purge(purges.get(one.agreement.agreement_id)),
                )
                for one in self._book.all()
            ]

        return await self._gate.read(ask, work)

    async def file(self, ask: Ask, agreement_id: AgreementId) -> Answer[File]:
        """All of it, signatures and all, for anybody to check without a node."""
        signed = self._known(agreement_id)
        grantor = signed.agreement.grantor
        partner = self._book.partners().get(grantor)
        key = partner.card.key if partner else self._key.public
        if partner is None and grantor != self._gate.owner:
            raise NotFound(f"the key of {grantor} is not known here")

        async def work(records: Records, permit: int) -> File:
            return File(signed=signed, grantor_key=key)

        return await self._gate.read(ask, work)

    async def draft(self, ask: Ask, agreement: Agreement) -> Answer[SignedAgreement]:
        """The document of these terms, for people to read. It opens nothing."""
        self._check_terms(agreement)
        now = self._clock()
        document = self._book.rules.write(agreement)
        draft = SignedAgreement(
            document=document,
            agreement=self._book.rules.parse(document),
            state=AgreementState.DRAFT,
            drafted_at=now,
            changed_at=now,
        )

        async def work(records: Records, permit: int) -> SignedAgreement:
            under_way = [one for one in self._book.all() if one.state in _UNSIGNED]
            if len(under_way) >= UNDER_WAY_MAX:
                raise Conflict("too many drafts", "withdraw those that nobody will sign")
            await self._book.keep(records, draft, permit, tell=False)
            return draft

        answer = await self._gate.act(_fixing(ask, draft), work)
        await self._book.take_effect([draft])
        return answer

    async def simulate(
        self, ask: Ask, agreement_id: AgreementId, days: int
    ) -> Answer[Mapping[str, Any]]:
        """Who would gain or lose by it, on the questions of the last days: counts, no person."""
        if not 0 < days <= DAYS_MAX:
            raise Invalid(f"{days} days", f"give 1 to {DAYS_MAX}")
        draft = self._ours(agreement_id)

        async def work(records: Records, permit: int) -> Mapping[str, Any]:
            return await self._book.rules.simulate(records, draft, days)

        return await self._gate.read(ask, work)

    async def sign_options(self, ask: Ask, agreement_id: AgreementId) -> Answer[Mapping[str, Any]]:
        """What the browser's authenticator is to sign; `{"demo": True}` for a persona."""
        signed = self._unsigned(agreement_id)

        async def work(records: Records, permit: int) -> Mapping[str, Any]:
            return await self._signing.options(ask.person, digest(signed.document))

        return await self._gate.read(ask, work)

    async def sign(
        self, ask: Ask, agreement_id: AgreementId, credential: Mapping[str, Any] | None
    ) -> Answer[SignedAgreement]:
        """One person's passkey under it. With the second one it is in force."""
        unsigned = self._unsigned(agreement_id)
        ask = _fixing(ask, unsigned)
        changed: list[SignedAgreement] = []

        async def work(records: Records, permit: int) -> SignedAgreement:
            self._check_recent(ask)
            before = await records.agreements.get(agreement_id)
            if before is None or before.state not in _UNSIGNED:
                raise Conflict("it is signed, or withdrawn", "look at it again")
            self._check_terms(before.agreement)
            person, now = ask.person, self._clock()
            if not await records.agreements.sign(agreement_id, person.person_id, now):
                raise Conflict("you have signed it", "another person must be the second")
            made = await self._signing.sign(person, digest(before.document), credential)
            after = self._with_signature(before, made)
            is_done = after.state is AgreementState.IN_FORCE
            await self._book.keep(records, after, permit, tell=is_done)
            changed.append(after)
            if is_done:
                changed.extend(await self._book.replace(records, after, permit))
            return after

        try:
            answer = await self._gate.act(ask, work)
        except Refused as no:
            if no.permit is None:  # the rules let them; their passkey did not
                await self._gate.note(ask, Act.ACT, no.reason)
            raise
        await self._book.take_effect(changed)
        return answer

    async def revoke(
        self, ask: Ask, agreement_id: AgreementId, because: Because
    ) -> Answer[SignedAgreement]:
        """End it now: what is given, what is received, or a draft. One person is enough."""
        before = self._known(agreement_id)

        async def work(records: Records, permit: int) -> SignedAgreement:
            found = await records.agreements.get(agreement_id)
            if found is None or found.state in OVER:
                raise Conflict("it is over already", "look at it again")
            after = msgspec.structs.replace(
                found,
                state=AgreementState.REVOKED,
                changed_at=self._clock(),
                revoked_by=self._gate.owner,
                revoked_because=because.value,
            )
            was_in_force = found.state is AgreementState.IN_FORCE
            await self._book.keep(records, after, permit, tell=was_in_force)
            return after

        answer = await self._gate.act(aid_ask(_fixing(ask, before), before), work)
        await self._book.take_effect([answer.value])
        return answer

    # Steps

    def _with_signature(self, before: SignedAgreement, made: PersonSignature) -> SignedAgreement:
        signatures = (*before.signatures, made)
        after = msgspec.structs.replace(
            before,
            signatures=signatures,
            state=AgreementState.PROPOSED,
            changed_at=self._clock(),
        )
        if len(signatures) < SIGNERS:
            return after
        if len(self._book.in_force()) >= IN_FORCE_MAX:
            raise Conflict("too many agreements in force", "end those that nobody needs")
        after = countersign(
            self._key, msgspec.structs.replace(after, state=AgreementState.IN_FORCE)
        )
        # As the other side will check it: two passkeys of one person end here, say.
        check(after, self._key.public, self._book.rules.parse, demo=self._signing.demo)
        return after

    def _check_terms(self, terms: Agreement) -> None:
        """Raises Refused or Conflict for what this node cannot give, or no longer."""
        if terms.grantor != self._gate.owner:
            raise Refused("not_ours", "only who owns gives", "let the owner draw it up")
        if terms.incident is not None:
            raise Invalid("mutual aid is no draft", "open the incident to the partner")
        self.must_be_partner(terms.grantee)
        if terms.expires <= self._clock():
            raise Conflict("its time is over already", "draw it up anew")
        if terms.supersedes is None:
            return
        old = self._book.get(terms.supersedes)
        if (
            old is None
            or old.state is not AgreementState.IN_FORCE
            or (old.agreement.grantor, old.agreement.grantee) != (terms.grantor, terms.grantee)
        ):
            raise Conflict("what it is to replace is not in force", "draw it up anew")

    def must_be_partner(self, agency: AgencyId) -> None:
        """Raises Conflict for who is none, or whose fingerprint nobody has compared."""
        partner = self._book.partners().get(agency)
        if partner is None or partner.state is not PartnerState.CONFIRMED:
            raise Conflict(f"{agency} is no confirmed partner", "join and compare fingerprints")

    def _check_recent(self, ask: Ask) -> None:
        since = ask.proved_at or ask.signed_in_at
        if since is None or self._clock() - since > SIGN_IN_MAX:
            raise Refused(
                "sign_in_again",
                "this wants your passkey, shown within the last 5 minutes",
                "show your passkey again",
            )

    def _can_sign(self, person: Person, one: SignedAgreement, done: set[AgreementId]) -> bool:
        return (
            one.state in _UNSIGNED
            and person.role in MAY_SIGN
            and one.agreement.agreement_id not in done
        )

    def _known(self, agreement_id: AgreementId) -> SignedAgreement:
        found = self._book.get(agreement_id)
        if found is None:
            raise NotFound("there is no such agreement")
        return found

    def _ours(self, agreement_id: AgreementId) -> SignedAgreement:
        found = self._known(agreement_id)
        if found.agreement.grantor != self._gate.owner:
            raise NotFound("that agreement is another agency's to give")
        return found

    def _unsigned(self, agreement_id: AgreementId) -> SignedAgreement:
        found = self._ours(agreement_id)
        if found.state not in _UNSIGNED:
            raise Conflict("it is signed, or over", "look at it again")
        return found


def aid_ask(ask: Ask, signed: SignedAgreement) -> Ask:
    """Mutual aid is part of the call's work: who works on the call opens and ends it."""
    if signed.agreement.incident is None or ask.purpose is Purpose.ADMINISTRATION:
        return ask
    return msgspec.structs.replace(ask, thing=Thing.SHARED)


def _fixing(ask: Ask, signed: SignedAgreement) -> Ask:
    """The entry names the agreement and fixes its document for ever."""
    return msgspec.structs.replace(
        ask,
        fixes=digest(signed.document).hex(),
        agreement=signed.agreement.agreement_id,
    )


def _told(news: AgreementNews | None) -> str:
    if news is None:
        return ""
    if news.told_at is None:
        return "waiting"
    return news.refused or "told"


def _purge(row: Mapping[str, Any] | None) -> PurgeStanding | None:
    if row is None:
        return None
    return PurgeStanding(
        asked_at=row["asked_at"],
        answered_at=row["answered_at"],
        count=row["purged"],
        receipt=row["receipt"],
    )
