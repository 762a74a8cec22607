"""Agreements at the three neighbours: a desk at each, terms that a test changes, people who sign
with passkeys in software."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from farolito.app.agreeing import agreement_rooms
from farolito.app.clock import ids
from farolito.gate import Ask
from farolito.identity import Identity
from farolito.identity.signing import Signing
from farolito.model import (
    Act,
    AgencyId,
    Agreement,
    AgreementId,
    Answering,
    Person,
    Purpose,
    Role,
    ShareClass,
    Sharing,
    SignedAgreement,
    Thing,
)
from farolito.policy import Refusal, Request, facts_of_question
from tests.federation.neighbours import Side
from tests.identity.authenticator import Authenticator

ORIGIN = "http://localhost:8700"


class Desk:
    """One side's agreements."""

    def __init__(self, side: Side, *, demo: bool = False) -> None:
        self.side = side
        self.exported: list[tuple[AgencyId, Mapping[ShareClass, datetime]]] = []
        self.purged: list[SignedAgreement] = []
        self.identity = Identity(
            side.database, "localhost", [ORIGIN], side.clock, os.urandom, agency=side.agency_id
        )
        signing = Signing(side.database, "localhost", [ORIGIN], side.clock, os.urandom, demo=demo)
        rooms = agreement_rooms(
            side.agency, side.gate, side.system, side.post, side.key, signing,
            lambda: side.partners, self._export, side.clock, ids,
        )  # fmt: skip
        self.book, self.news, self.desk, self.aid = rooms.book, rooms.news, rooms.desk, rooms.aid
        self.console = rooms.console
        self.rules = self.book.rules
        self.book.on_revoked.append(self._purge)

    def acting(self) -> set[AgreementId]:
        """Those that the gate decides by at this moment."""
        now = self.side.clock()
        known = self.side.gate.policies.agreements()
        return {one.agreement.agreement_id for one in known if one.in_force(now)}

    def may(self, signed: SignedAgreement, person: Person) -> str:
        """What this side's gate says to a question of that person by that agreement: "yes", or
        the reason of its no."""
        terms = signed.agreement
        now = self.side.clock()
        decided = self.side.gate.policies.decide(
            Request(
                person=person, signed_in_s=0, act=Act.READ, thing=Thing.PLATE_READ,
                purpose=Purpose.CRIMINAL_INVESTIGATION, owner=self.side.agency_id, now=now,
                case="2026-1", agreement=terms.agreement_id,
                facts=facts_of_question(terms, now, UTC, 0),
            )
        )  # fmt: skip
        return decided.reason if isinstance(decided, Refusal) else "yes"

    async def _export(self, partner: AgencyId, classes: Mapping[ShareClass, datetime]) -> None:
        self.exported.append((partner, classes))

    async def _purge(self, signed: SignedAgreement) -> None:
        self.purged.append(signed)

    def ask(self, person: Person, **more: Any) -> Ask:
        return self.side.ask(person, Thing.AGREEMENT, Purpose.ADMINISTRATION, **more)

    def terms(self, grantee: Side, **more: Any) -> Agreement:
        now = self.side.clock()
        told: dict[str, Any] = {
            "agreement_id": AgreementId(ids()),
            "grantor": self.side.agency_id,
            "grantee": grantee.agency_id,
            "title": "Plate reads between neighbours",
            "text": "So that a stolen car does not vanish at the county line.",
            "classes": {ShareClass.PLATE_READ: Answering.FULL, ShareClass.ALERT: Answering.FULL},
            "sharing": (Sharing.ASK, Sharing.FOLLOW),
            "purposes": (Purpose.CRIMINAL_INVESTIGATION, Purpose.IN_PROGRESS_CALL),
            "roles": (Role.DETECTIVE, Role.OPERATOR),
            "starts": now,
            "expires": now + timedelta(days=90),
            "keep_days": 7,
        }
        return Agreement(**(told | more))

    async def somebody(self, name: str, role: Role = Role.AGENCY_ADMIN) -> Signer:
        person = self.side.person(role, name)
        passkey = Authenticator(ORIGIN)
        code = await self.identity.invite(person)
        made = passkey.register(await self.identity.begin_registration(code))
        await self.identity.finish_registration(code, made)
        return Signer(self, person, passkey)

    async def two(self) -> tuple[Signer, Signer]:
        return (
            await self.somebody("Ana Ortiz"),
            await self.somebody("Dolores Aragon", Role.SUPERVISOR),
        )

    async def in_force(self, grantee: Side, **more: Any) -> SignedAgreement:
        """Drafted, signed by two, told."""
        first, second = await self.two()
        draft = (await self.desk.draft(self.ask(first.person), self.terms(grantee, **more))).value
        await first.sign(draft)
        signed = await second.sign(draft)
        await self.tell()
        return signed

    async def tell(self) -> None:
        await self.news.tell()
        await self.news.told()
        await self.book.settled()

    def state(self, signed: SignedAgreement) -> str | None:
        found = self.book.get(signed.agreement.agreement_id)
        return found.state.value if found else None


class Signer:
    def __init__(self, desk: Desk, person: Person, passkey: Authenticator) -> None:
        self.desk, self.person, self.passkey = desk, person, passkey

    async def sign(self, draft: SignedAgreement) -> SignedAgreement:
        agreement_id = draft.agreement.agreement_id
        ask = self.desk.ask(self.person)
        options = (await self.desk.desk.sign_options(ask, agreement_id)).value
        credential = self.passkey.sign_in(dict(options))
        return (await self.desk.desk.sign(ask, agreement_id, credential)).value
