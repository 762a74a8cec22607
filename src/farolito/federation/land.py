"""Whose land a record was made on, and whether we may have it.

A nation is a government: what any sensor of ours records on its land belongs to it. It is handed
over to the nation's own node; and here it is kept, matched or shown only where an agreement that
the nation signed gives us the class. A nation that names its land and no class names all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from farolito.geo.land import Lands
from farolito.model import (
    AgencyCard,
    AgencyId,
    Agreement,
    Incident,
    Jurisdiction,
    Partner,
    PartnerState,
    Point,
    ShareClass,
    SignedAgreement,
    Unit,
    UnitId,
    UnitStatus,
)


class Belongs(NamedTuple):
    """A record of a nation's. `may_have`: it let us have this class as well."""

    nation: AgencyId
    may_have: bool


class LandBook:
    """`received`: what partners signed for us, whatever its state. Say `changed` when a partner
    was confirmed, left, or named other land. Only confirmed partners' land counts: a person here
    has compared who they are."""

    def __init__(
        self,
        own: Callable[[], AgencyCard],
        partners: Callable[[], Mapping[AgencyId, Partner]],
        received: Callable[[], Iterable[SignedAgreement]],
        clock: Callable[[], datetime],
        units: Callable[[], Sequence[Unit]] = lambda: (),
    ) -> None:
        self._own = own
        self._partners = partners
        self._received = received
        self._clock = clock
        self._units = units
        self._lands = Lands({})
        self._cards: dict[str, AgencyCard] = {}

    def changed(self) -> None:
        """Own land first: what a neighbour claims of it is ours all the same."""
        own = self._own()
        nations = sorted(
            (
                partner.card
                for partner in self._partners().values()
                if partner.state is PartnerState.CONFIRMED and partner.card.land
            ),
            key=lambda card: card.agency_id,
        )
        cards = [own, *nations] if nations and own.land else nations
        self._cards = {card.agency_id: card for card in cards}
        self._lands = Lands({card.agency_id: card.land for card in cards})

    def shown(self) -> list[Mapping[str, Any]]:
        """Each nation's land, our own with it, as maps draw it."""
        own = self._own()
        return [
            {
                "agency_id": card.agency_id,
                "name": card.name,
                "rings": [zone.ring for zone in card.land],
            }
            for card in {own.agency_id: own, **self._cards}.values()
            if card.land
        ]

    def belongs(self, place: Point | None, share_class: ShareClass) -> Belongs | None:
        """The other nation that a record of this class, made here, belongs to."""
        if not self._lands or place is None:
            return None
        owner = self._lands.owner(place)
        if owner is None or owner == self._own().agency_id:
            return None
        card = self._cards[owner]
        named = not card.consent_classes or share_class in card.consent_classes
        return Belongs(card.agency_id, not named or self._consents(card, share_class, place))

    def is_own(self, place: Point | None) -> bool:
        """Whether it is our own nation's land."""
        own = self._own()
        return place is not None and Lands({own.agency_id: own.land}).owner(place) is not None

    def jurisdiction(self, incident: Incident) -> Jurisdiction | None:
        """Whose law holds at an incident, and which of its units hold that nation's commission."""
        if not self._lands or incident.place is None:
            return None
        owner = self._lands.owner(incident.place)
        if owner is None or owner == self._own().agency_id:
            return None
        card = self._cards[owner]
        holding = {u.unit_id for u in self._units() if card.agency_id in u.commissions}
        there = [u.unit for u in incident.units if u.status is not UnitStatus.CLEARED]
        commissioned = tuple(unit for unit in there if unit in holding)
        without = tuple(unit for unit in there if unit not in holding)
        return Jurisdiction(
            nation=card.agency_id,
            name=card.name,
            says=_line(card.name, commissioned, without),
            commissioned=commissioned,
            without=without,
        )

    def _consents(self, card: AgencyCard, share_class: ShareClass, place: Point) -> bool:
        now, own = self._clock(), self._own().agency_id
        return any(
            signed.in_force(now)
            and signed.agreement.grantor == card.agency_id
            and signed.agreement.grantee == own
            and _gives(signed.agreement, share_class, place)
            for signed in self._received()
        )


def _gives(terms: Agreement, share_class: ShareClass, place: Point) -> bool:
    if share_class not in terms.classes or terms.incident is not None:
        return False
    return not terms.zones or Lands({"": terms.zones}).owner(place) is not None


def _line(name: str, commissioned: Sequence[UnitId], without: Sequence[UnitId]) -> str:
    says = f"On the land of {name}: its jurisdiction."
    if commissioned:
        holds = "hold" if len(commissioned) > 1 else "holds"
        says += f" {', '.join(commissioned)} {holds} its commission."
    if without:
        lacks = "have" if len(without) > 1 else "has"
        says += f" {', '.join(without)} {lacks} none."
    return says
