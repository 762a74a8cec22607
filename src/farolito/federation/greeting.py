"""`hello`: are you there, and is this still your card? Said until a partner has acknowledged ours.

The ledger's entry about a new card fixes its digest, so that what each one said can be proved.
"""

from __future__ import annotations

import logging

import msgspec

from farolito.federation.card import check_changed, digest, opened_card
from farolito.federation.envelope import Envelope, body_of
from farolito.federation.partners import PartnerBook, standing
from farolito.federation.post import PartnerAway
from farolito.gate import Ask, Records, system_ask
from farolito.model import AgencyCard, AgencyId, Person, Refused, Thing
from farolito.model.joining import KnownPartner, SignedCard

log = logging.getLogger(__name__)


class Hello(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    card: SignedCard


class Greeting:
    """Registers itself at the post for `hello`."""

    def __init__(self, book: PartnerBook, system: Person) -> None:
        self._book = book
        self._system = system
        self._refused: dict[AgencyId, str] = {}  # our card that a partner did not take, by digest
        book.post.on("hello", self._take)

    async def round(self) -> None:
        """Say hello to every confirmed partner that has not acknowledged our card as it is now.
        One that is away is tried again with the next round."""
        own = digest(self._book.own_signed)
        for known in list(self._book.known().values()):
            if known.is_confirmed and known.told != own:
                await self._greet(known.agency_id, own)

    async def _greet(self, partner: AgencyId, own: str) -> None:
        try:
            back = await self._book.post.ask(partner, "hello", Hello(self._book.own_signed))
            await self._heard(partner, body_of(back, Hello).card, own)
        except PartnerAway:
            return
        except Refused as no:
            if self._refused.get(partner) != own:
                log.warning("%s does not take our card: %s", partner, no)
            self._refused[partner] = own

    async def _take(self, envelope: Envelope) -> Hello:
        await self._heard(envelope.sender, body_of(envelope, Hello).card, None)
        return Hello(self._book.own_signed)

    async def _heard(self, partner: AgencyId, signed: SignedCard, told: str | None) -> None:
        """Keep their card where it is another than ours of them, and what they were told of us.
        Raises Refused."""
        known = self._book.known().get(partner)
        if known is None or not known.is_confirmed:
            raise Refused("not_a_partner", "no partner of ours", "join, and let people confirm it")
        card = opened_card(signed)
        if signed.content != known.signed.content:
            check_changed(known.partner.card, card)
        elif told is None or told == known.told:
            return

        async def work(records: Records, permit: int) -> None:
            now = await standing(records, partner)
            await records.partners.keep(_with(now, card, signed, told))

        await self._book.gate.act(self._ask(known, signed), work)
        await self._book.changed()

    def _ask(self, known: KnownPartner, signed: SignedCard) -> Ask:
        partner = known.agency_id
        if signed.content == known.signed.content:
            return system_ask(self._system, Thing.PARTNER, f"{partner} has our card")
        ask = system_ask(self._system, Thing.PARTNER, f"{partner} has a new card")
        return msgspec.structs.replace(ask, fixes=digest(signed))


def _with(
    known: KnownPartner, card: AgencyCard, signed: SignedCard, told: str | None
) -> KnownPartner:
    partner = msgspec.structs.replace(known.partner, card=card)
    return msgspec.structs.replace(
        known, partner=partner, signed=signed, told=known.told if told is None else told
    )
