"""Mutual aid: one incident opened to one named partner, for hours, by one person's key.

It is an agreement like any other, so the same rules decide it and the same ledger holds it; it
gives so little that two signatures would cost more than they guard: no question can be asked by
it, nothing is kept beyond a day, and it ends by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from farolito.desk import NotFound
from farolito.federation.agreement_book import AgreementBook
from farolito.federation.agreements import AgreementDesk, aid_ask
from farolito.federation.signatures import (
    AID_CLASSES,
    AID_KEEP_DAYS_MAX,
    check,
    countersign,
    digest,
)
from farolito.gate import Answer, Ask, Gate, Records
from farolito.identity import AgencyKey
from farolito.model import (
    AID_MAX,
    AgencyId,
    Agreement,
    AgreementId,
    AgreementState,
    Answering,
    IncidentId,
    IncidentState,
    Invalid,
    Purpose,
    Role,
    Sharing,
    SignedAgreement,
)

_PURPOSES = (Purpose.IN_PROGRESS_CALL, Purpose.OFFICER_SAFETY)
_ROLES = (Role.OPERATOR, Role.OFFICER, Role.SUPERVISOR)


class Aid:
    def __init__(  # noqa: PLR0913 - the desk's parts, and what makes an agreement
        self,
        gate: Gate,
        book: AgreementBook,
        desk: AgreementDesk,
        key: AgencyKey,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
    ) -> None:
        self._gate = gate
        self._book = book
        self._desk = desk
        self._key = key
        self._clock = clock
        self._ids = ids

    async def open(
        self, ask: Ask, incident_id: IncidentId, partner: AgencyId, hours: float
    ) -> Answer[SignedAgreement]:
        """The partner sees the incident from now on. Pressed again, it lasts from now.

        Raises Invalid for more than twelve hours, NotFound for an incident that is not open,
        Conflict for who is no confirmed partner.
        """
        lasts = timedelta(hours=hours)
        if not timedelta(0) < lasts <= AID_MAX:
            raise Invalid(f"mutual aid for {hours:g} hours", f"give up to {AID_MAX}")
        self._desk.must_be_partner(partner)
        aid = self._signed(incident_id, partner, lasts)
        ask = msgspec.structs.replace(
            aid_ask(ask, aid),
            fixes=digest(aid.document).hex(),
            agreement=aid.agreement.agreement_id,
        )

        async def work(records: Records, permit: int) -> list[SignedAgreement]:
            incident = await records.incidents.get(incident_id)
            if incident is None or incident.state is not IncidentState.OPEN:
                raise NotFound("there is no such open incident", "look at it again")
            await self._book.keep(records, aid, permit, tell=True)
            return [aid, *await self._book.replace(records, aid, permit)]

        answer = await self._gate.act(ask, work)
        await self._book.take_effect(answer.value)
        return Answer(aid, answer.permit)

    def of_incident(self, incident_id: IncidentId) -> list[SignedAgreement]:
        """The aid given on it at this moment."""
        return [
            one
            for one in self._book.in_force()
            if one.agreement.incident == incident_id and one.agreement.grantor == self._gate.owner
        ]

    def _signed(
        self, incident_id: IncidentId, partner: AgencyId, lasts: timedelta
    ) -> SignedAgreement:
        now = self._clock()
        before = [
            one.agreement.agreement_id
            for one in self.of_incident(incident_id)
            if one.agreement.grantee == partner
        ]
        terms = Agreement(
            agreement_id=AgreementId(self._ids()),
            grantor=self._gate.owner,
            grantee=partner,
            title=f"Mutual aid on incident {incident_id}",
            text="Opened for a call under way. It ends by itself.",
            classes=dict.fromkeys(sorted(AID_CLASSES), Answering.FULL),
            sharing=(Sharing.FOLLOW,),
            purposes=_PURPOSES,
            roles=_ROLES,
            starts=now,
            expires=now + lasts,
            keep_days=AID_KEEP_DAYS_MAX,
            record_days=1,
            incident=incident_id,
            supersedes=before[0] if before else None,
        )
        document = self._book.rules.write(terms)
        signed = SignedAgreement(
            document=document,
            agreement=self._book.rules.parse(document),
            state=AgreementState.IN_FORCE,
            drafted_at=now,
            changed_at=now,
        )
        signed = countersign(self._key, signed)
        check(signed, self._key.public, self._book.rules.parse, demo=False)
        return signed
