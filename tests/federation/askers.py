"""Neighbours that ask each other about plates: each answers by its own rules and agreements."""

from __future__ import annotations

import os
from datetime import UTC, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from farolito.app.clock import ids
from farolito.desk.search import PlateSearch
from farolito.federation.answering import PlateAnswers
from farolito.federation.asking import Asking
from farolito.federation.suspensions import Suspensions
from farolito.gate import Answer, Ask
from farolito.identity import Identity
from farolito.model import (
    Agreement,
    AgreementId,
    AgreementState,
    Answering,
    Purpose,
    Role,
    ShareClass,
    Sharing,
    SignedAgreement,
    Thing,
)
from farolito.model.search import OwnerAnswer, PlateQuestion
from tests.federation.neighbours import START, Neighbours, Side

PLATE = "ABC1234"


class Asker:
    """One side at work."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.agreed: list[SignedAgreement] = []  # of both directions
        self.identity = Identity(
            side.database, "localhost", ["http://localhost"], side.clock, os.urandom,
            agency=side.agency_id,
        )  # fmt: skip
        self.suspensions = self.new_suspensions()
        self.answers = PlateAnswers(
            side.gate, lambda: side.partners, side.clock, ZoneInfo("UTC"), side.card.contact,
            self.suspensions.is_suspended,
        )  # fmt: skip
        self.asking = Asking(
            side.gate, side.post, side.agency, lambda: side.partners, lambda: self.agreed,
            side.clock,
        )  # fmt: skip
        self.search = PlateSearch(side.gate, side.agency, side.clock, ids, self.asking)
        self.detective = side.person(Role.DETECTIVE)
        side.post.on("ask", self.answers.take)
        side.gate.zone = UTC

    def new_suspensions(self) -> Suspensions:
        side = self.side
        return Suspensions(
            side.gate, side.post, side.system, lambda: side.partners, self.identity.suspended,
            side.clock,
        )  # fmt: skip

    def rules_anew(self) -> None:
        """As the node does where an agreement came into force, or ended."""
        side = self.side
        side.gate.use(side.gate.policies.with_agreements(self.agreed, side.partners))

    def ask(self, **more: Any) -> Ask:
        person = more.pop("person", self.detective)
        purpose = more.pop("purpose", Purpose.CRIMINAL_INVESTIGATION)
        told = {"case": "2026-0117", **more}
        return self.side.ask(person, Thing.PLATE_READ, purpose, **told)

    async def find(
        self, *owners: Asker, plate: str = PLATE, days: float = 2.0, **more: Any
    ) -> Answer[list[OwnerAnswer]]:
        question = PlateQuestion(
            plate=plate,
            since=START - timedelta(days=days),
            until=START,
            owners=tuple(o.side.agency_id for o in owners),
            state=more.pop("state", None),
            on_behalf_agency=more.pop("on_behalf_agency", None),
        )
        return await self.search.plate(self.ask(**more), question)

    async def one(self, owner: Asker, **more: Any) -> OwnerAnswer:
        """The answer of just this owner."""
        return (await self.find(owner, **more)).value[1]

    async def entries(self) -> list[Any]:
        return await self.side.ledger.entries(-1, 500)

    async def asked_of(self) -> list[Any]:
        """Entries about people of other agencies."""
        return [e for e in await self.entries() if e.entry["agency"] != self.side.agency_id]


class Askers:
    def __init__(self, neighbours: Neighbours) -> None:
        self.neighbours = neighbours
        self.city = Asker(neighbours.city)
        self.sheriff = Asker(neighbours.sheriff)
        self.pueblo = Asker(neighbours.pueblo)

    def agree(self, grantor: Asker, grantee: Asker, **terms: Any) -> AgreementId:
        """In force on both sides."""
        agreement = Agreement(
            **{
                "agreement_id": AgreementId(ids()), "grantor": grantor.side.agency_id,
                "grantee": grantee.side.agency_id, "title": "Reads for cases", "text": "",
                "classes": {ShareClass.PLATE_READ: Answering.FULL}, "sharing": (Sharing.ASK,),
                "purposes": (Purpose.CRIMINAL_INVESTIGATION,), "roles": (Role.DETECTIVE,),
                "starts": START - timedelta(days=1), "expires": START + timedelta(days=30),
                "keep_days": 7, **terms,
            }
        )  # fmt: skip
        signed = SignedAgreement(
            document="", agreement=agreement, state=AgreementState.IN_FORCE,
            drafted_at=START, changed_at=START,
        )  # fmt: skip
        for side in (grantor, grantee):
            side.agreed.append(signed)
            side.rules_anew()
        return agreement.agreement_id

    def revoke(self, agreement_id: AgreementId, at: Asker) -> None:
        at.agreed = [a for a in at.agreed if a.agreement.agreement_id != agreement_id]
        at.rules_anew()
