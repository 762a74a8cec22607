"""Which partners this node has, and whose messages it takes: those that people have confirmed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

import msgspec

from farolito.federation.card import signed_card
from farolito.federation.invitation import plain
from farolito.federation.post import Post
from farolito.gate import Answer, Ask, Gate, Records
from farolito.identity import AgencyKey, fingerprint
from farolito.model import AgencyCard, AgencyId, BusCard, Invalid, Partner, PartnerState, Refused
from farolito.model.joining import KnownPartner, SignedCard


class Lines(Protocol):
    """What makes and ends the lines to partners; the bus is one."""

    def card(self) -> BusCard:
        """Our end of a line to be, with keys of its own."""
        ...

    async def add(self, partner: AgencyId, own: BusCard, theirs: BusCard) -> BusCard:
        """Make the line; our card as they need it now."""
        ...

    async def remove(self, partner: AgencyId) -> None: ...

    def connected(self, partner: AgencyId) -> bool: ...


class PartnerBook:
    """The partners in memory, as the store has them; `load` it before anything is asked.

    `on_change` hears of every change after it is durable and in force here.
    """

    def __init__(  # noqa: PLR0913 - who we are, how it is kept, and how it travels
        self,
        gate: Gate,
        post: Post,
        key: AgencyKey,
        card: AgencyCard,
        lines: Lines,
        clock: Callable[[], datetime],
    ) -> None:
        self.gate = gate
        self.post = post
        self.key = key
        self.own_card = card
        self.own_signed: SignedCard = signed_card(card, key)
        self.lines = lines
        self.clock = clock
        self.on_change: list[Callable[[], Awaitable[None]]] = []
        self._known: dict[AgencyId, KnownPartner] = {}

    @property
    def own_fingerprint(self) -> str:
        return fingerprint(self.own_card.key)

    async def load(self) -> None:
        """As the store has them; from here on the post takes the messages of these alone."""
        rows = await self.gate.following(_all)
        self._known = {one.agency_id: one for one in rows}
        now = self.clock()
        self.post.keys = {a: p.card.key for a, p in self.confirmed().items()}
        self.post.parted = {
            one.agency_id: one.partner.card.key
            for one in rows
            if one.has_left and one.line_until is not None and now < one.line_until
        }

    async def changed(self) -> None:
        """Something of it was changed in the store."""
        await self.load()
        for tell in self.on_change:
            await tell()

    def known(self) -> Mapping[AgencyId, KnownPartner]:
        """All, those that left too."""
        return self._known

    def partners(self) -> Mapping[AgencyId, Partner]:
        """Those that joined and have not left, confirmed or not yet."""
        return {a: one.partner for a, one in self._known.items() if not one.has_left}

    def confirmed(self) -> Mapping[AgencyId, Partner]:
        return {a: one.partner for a, one in self._known.items() if one.is_confirmed}

    async def confirm(self, ask: Ask, partner: AgencyId, said: str) -> Answer[Partner]:
        """A person has compared the fingerprints; `said`: theirs, as it was told. From here on
        their messages are taken. Nothing is shared by that.

        Raises Refused where it is not the fingerprint of the key that joined.
        """

        async def work(records: Records, permit: int) -> Partner:
            known = await standing(records, partner)
            if plain(said) != plain(fingerprint(known.partner.card.key)):
                raise Refused(
                    "another_key",
                    f"this is not the fingerprint of the key that joined as {partner}",
                    "ask them for it again; if it stays another, somebody is between you: leave",
                    permit,
                )
            if known.is_confirmed:
                return known.partner
            confirmed = msgspec.structs.replace(
                known.partner,
                state=PartnerState.CONFIRMED,
                confirmed_at=self.clock(),
                confirmed_by=ask.person.name,
            )
            await records.partners.keep(msgspec.structs.replace(known, partner=confirmed))
            return confirmed

        answer = await self.gate.act(ask, work)
        await self.changed()
        return answer

    async def view(self, ask: Ask) -> Answer[Mapping[str, Any]]:
        """Ourselves and the others, as screens show them."""

        async def work(records: Records, permit: int) -> Mapping[str, Any]:
            known = await records.partners.all()
            return {"own": self.shown_own(), "partners": [self.shown(one) for one in known]}

        return await self.gate.read(ask, work)

    def shown_own(self) -> Mapping[str, Any]:
        return _shown(self.own_card)

    def shown(self, known: KnownPartner) -> Mapping[str, Any]:
        partner, left = known.partner, known.has_left
        return {
            **_shown(partner.card),
            "law": partner.card.law,
            "contact": partner.card.contact,
            "state": partner.state,
            "connected": not left and self.lines.connected(known.agency_id),
            "since": partner.since,
            "confirmed_at": partner.confirmed_at,
            "confirmed_by": partner.confirmed_by,
            "land": bool(partner.card.land),
            "ended_by": known.ended_by,
            "purged": known.purged,
            "proof": known.proof,
        }


async def standing(records: Records, partner: AgencyId) -> KnownPartner:
    """Raises Invalid where there is none, or it has left."""
    known = await records.partners.get(partner)
    if known is None or known.has_left:
        raise Invalid(f"{partner} is no partner", "see `farolito agency list`")
    return known


async def _all(records: Records) -> list[KnownPartner]:
    return await records.partners.all()


def _shown(card: AgencyCard) -> dict[str, Any]:
    return {
        "agency_id": card.agency_id,
        "name": card.name,
        "ori": card.ori,
        "government": card.government,
        "fingerprint": fingerprint(card.key),
    }
