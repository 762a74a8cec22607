"""By which agreement a thing may flow to a partner, at this moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Protocol

from farolito.gate import Refusal
from farolito.model import (
    AgencyId,
    AgreementId,
    IncidentId,
    Partner,
    PartnerState,
    Point,
    ShareClass,
    Sharing,
    SignedAgreement,
)
from farolito.model.shared import Telling

_DAY_MINUTES = 24 * 60


class Rules(Protocol):
    """The rules as they stand; the app hands in the gate's own."""

    def for_partner(
        self, agency: AgencyId, share_class: ShareClass, sharing: Sharing
    ) -> Sequence[AgreementId]: ...

    def decide_flow(  # noqa: PLR0913 - what the terms speak of
        self, agreement_id: AgreementId, share_class: ShareClass, at: datetime,
        minute_of_week: int, place: Point | None, incident: IncidentId | None,
    ) -> Any: ...  # fmt: skip

    def terms(self, agreement_id: AgreementId) -> SignedAgreement | None: ...


class Flows:
    """Asked when a thing waits, and again when it goes: what was revoked meanwhile stays here."""

    def __init__(
        self,
        rules: Callable[[], Rules],
        partners: Callable[[], Mapping[AgencyId, Partner]],
        clock: Callable[[], datetime],
        zone: tzinfo,
    ) -> None:
        self._rules = rules
        self._partners = partners
        self._clock = clock
        self._zone = zone

    def confirmed(self) -> list[AgencyId]:
        """Partners whose messages are taken."""
        return [
            agency
            for agency, partner in self._partners().items()
            if partner.state is PartnerState.CONFIRMED
        ]

    def follows(self, partner: AgencyId, share_class: ShareClass) -> bool:
        """Whether anything of this class may flow there at all."""
        return bool(self._rules().for_partner(partner, share_class, Sharing.FOLLOW))

    def by(self, partner: AgencyId, telling: Telling) -> AgreementId | None:
        """The agreement that lets this flow there now."""
        decided = self._decided(partner, telling)
        return decided if not isinstance(decided, str) else None

    def why_not(self, partner: AgencyId, telling: Telling) -> str:
        """The reason's stable word, of the agreement that was asked last."""
        decided = self._decided(partner, telling)
        return decided if isinstance(decided, str) else ""

    def _decided(self, partner: AgencyId, telling: Telling) -> AgreementId | str:
        rules, now = self._rules(), self._clock()
        local = now.astimezone(self._zone)
        minute = local.weekday() * _DAY_MINUTES + local.hour * 60 + local.minute
        reason = "no_agreement"
        for agreement_id in rules.for_partner(partner, telling.kind, Sharing.FOLLOW):
            decision = rules.decide_flow(
                agreement_id, telling.kind, now, minute, telling.place, telling.incident
            )
            if not isinstance(decision, Refusal):
                return agreement_id
            reason = decision.reason
        return reason
