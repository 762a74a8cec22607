"""Two agencies become partners: one invites, the other joins with the code, people compare.

Either of the two may be the one that listens. Where only the joining node does, it says so in a
second round, with the leave for the other to connect. Nothing is shared by any of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import msgspec

from farolito.federation.card import changes, digest, opened_card
from farolito.federation.envelope import OLD_MAX
from farolito.federation.invitation import (
    Code,
    Offer,
    Sealed,
    Welcome,
    check_web_address,
    is_right,
    offer_read,
    offer_sealed,
    plain,
    secret_of,
    welcome_opened,
    welcome_sealed,
)
from farolito.federation.partners import PartnerBook
from farolito.gate import Answer, Ask, Records, system_ask
from farolito.identity import fingerprint
from farolito.model import (
    AgencyCard,
    BusCard,
    Partner,
    PartnerState,
    Person,
    Refused,
    Thing,
)
from farolito.model.joining import INVITATION_LIVES, Invitation, KnownPartner, SignedCard

# Brings bytes to another node's open route: (web address, bytes) -> its answer. Raises
# FarolitoError with the other node's own words where it says no, or is away.
Bring = Callable[[str, bytes], Awaitable[bytes]]


class Joining:
    def __init__(
        self, book: PartnerBook, system: Person, bring: Bring, ids: Callable[[], UUID]
    ) -> None:
        self._book = book
        self._system = system
        self._bring = bring
        self._ids = ids

    async def invite(self, ask: Ask, address: str) -> Answer[tuple[str, datetime]]:
        """A one-time code and when it ends. `address`: where their node reaches our web."""
        check_web_address(address)
        now, book = self._book.clock(), self._book
        invitation = Invitation(
            invitation_id=self._ids(), made_at=now, expires=now + INVITATION_LIVES
        )
        code = Code(
            invitation_id=invitation.invitation_id,
            agency=book.own_card.agency_id,
            address=address.rstrip("/"),
            fingerprint=plain(book.own_fingerprint),
            secret=secret_of(invitation.invitation_id, book.key),
        )

        async def work(records: Records, permit: int) -> tuple[str, datetime]:
            await records.partners.invite(invitation)
            return code.written(), invitation.expires

        return await book.gate.act(ask, work)

    # ---- the side that joins

    async def join(self, ask: Ask, text: str) -> Answer[Partner]:
        """Exchange cards with the node that made the code. Two entries: before anything is said,
        and, with the other's receipt, what came of it. Raises Refused, Invalid, PartnerAway."""
        code, book = Code.read(text), self._book
        if code.agency == book.own_card.agency_id:
            raise Refused("own_code", "this code is our own", "use it on the other node")
        await book.gate.act(_said(ask, f"join {code.agency} at {code.address}"), _nothing)
        own = book.lines.card()
        welcome = await self._offered_to(code, own)
        card = self._checked(code, welcome.card)
        permit = await self._keep_host(ask, card, own, welcome)
        own = await book.lines.add(card.agency_id, own, welcome.bus)
        if own.user_jwt:  # we listen: they need our leave to connect
            await self._offered_to(code, own)
        await book.changed()
        return Answer(book.partners()[card.agency_id], permit)

    async def _offered_to(self, code: Code, bus: BusCard) -> Welcome:
        book = self._book
        offer = Offer(
            invitation_id=code.invitation_id, at=book.clock(), card=book.own_signed, bus=bus
        )
        offered = offer_sealed(offer, code.secret)
        return welcome_opened(await self._bring(code.address, offered), offered, code.secret)

    def _checked(self, code: Code, signed: SignedCard) -> AgencyCard:
        card = opened_card(signed)
        if card.agency_id != code.agency or not code.is_of(card.key):
            raise Refused(
                "another_key", "the key that answered is not the code's", "ask for another code"
            )
        return card

    async def _keep_host(self, ask: Ask, card: AgencyCard, own: BusCard, welcome: Welcome) -> int:
        ask = msgspec.structs.replace(
            _said(ask, f"joined {card.agency_id}, {fingerprint(card.key)}"),
            fixes=digest(welcome.card),
            counterpart=welcome.receipt,
        )

        async def work(records: Records, permit: int) -> None:
            known = await self._becomes(records, card, welcome.card, own, welcome.bus)
            await records.partners.keep(known)

        return (await self._book.gate.act(ask, work)).permit

    # ---- the side that invited

    async def take(self, raw: bytes) -> bytes:
        """What a stranger brought to the open route; our answer. Raises Refused."""
        offer, sealed = offer_read(raw)
        secret = await self._check_code(offer, sealed)
        card = opened_card(offer.card)
        if card.agency_id == self._book.own_card.agency_id:
            raise Refused("forged_agency", "this is our own name", "use your own")
        if abs(self._book.clock() - offer.at) > OLD_MAX:
            raise Refused("stale", "the clocks of both nodes differ", "set them, and try again")
        own = await self._own_end(offer, card)
        permit = await self._keep_guest(offer, card, own)
        if own.address or offer.bus.user_jwt:  # else they listen, and come again with our leave
            own = await self._book.lines.add(card.agency_id, own, offer.bus)
        await self._book.changed()
        receipt = await self._book.gate.receipt(permit)
        welcome = Welcome(card=self._book.own_signed, bus=own, receipt=receipt)
        return welcome_sealed(welcome, sealed, secret)

    async def _check_code(self, offer: Offer, sealed: Sealed) -> bytes:
        """The code's secret, where the offer was made with it. Raises Refused. A wrong try at an
        invitation is an entry, and there may be few; a number that we never gave out is none."""
        now, number = self._book.clock(), offer.invitation_id

        async def look(records: Records) -> Invitation | None:
            return await records.partners.invitation(number)

        invitation = await self._book.gate.following(look)
        if invitation is None:
            raise _no_invitation()
        secret = secret_of(number, self._book.key)
        if is_right(sealed, secret):
            if not invitation.is_open(now, opened_card(offer.card).key):
                raise _no_invitation()
            return secret

        async def work(records: Records, permit: int) -> int:
            return await records.partners.wrong_try(number)

        if invitation.is_open(now, invitation.used_by or ""):
            ask = system_ask(self._system, Thing.PARTNER, f"wrong try at invitation {number}")
            await self._book.gate.act(ask, work)
        raise _no_invitation()

    async def _own_end(self, offer: Offer, card: AgencyCard) -> BusCard:
        """Our end of the line. Who asks again, since the answer was lost or to bring its leave,
        gets the one that was offered before."""

        async def look(records: Records) -> KnownPartner | None:
            return await records.partners.get(card.agency_id)

        known = await self._book.gate.following(look)
        is_again = known is not None and not known.has_left and known.partner.card.key == card.key
        own = known.own_bus if known is not None and is_again else self._book.lines.card()
        if not own.address and not offer.bus.address:
            raise Refused(
                "nobody_listens",
                "neither of the two nodes can be connected to",
                "give one of them [federation] port and address",
            )
        return own

    async def _keep_guest(self, offer: Offer, card: AgencyCard, own: BusCard) -> int:
        async def work(records: Records, permit: int) -> None:
            known = await self._becomes(records, card, offer.card, own, offer.bus)
            if not await records.partners.use(offer.invitation_id, card.key, self._book.clock()):
                raise _no_invitation()
            await records.partners.keep(known)

        ask = system_ask(
            self._system, Thing.PARTNER, f"{card.agency_id} joins, {fingerprint(card.key)}"
        )
        ask = msgspec.structs.replace(ask, fixes=digest(offer.card))
        return (await self._book.gate.act(ask, work)).permit

    # ---- both

    async def _becomes(
        self, records: Records, card: AgencyCard, signed: SignedCard, own: BusCard, theirs: BusCard
    ) -> KnownPartner:
        """How the partner stands after joining. The same key is the same agency: what people
        confirmed of it stays confirmed, unless it says now that it is something else. Raises
        Refused."""
        before = await records.partners.get(card.agency_id)
        _check_free(before, card, await records.partners.all())
        partner = Partner(
            card=card,
            state=PartnerState.JOINED,
            since=self._book.clock(),
            listens=bool(theirs.address and theirs.user_jwt),
            address=theirs.address,
        )
        if before is not None and before.is_confirmed and not changes(before.partner.card, card):
            partner = msgspec.structs.replace(
                before.partner, card=card, listens=partner.listens, address=partner.address
            )
        return KnownPartner(partner=partner, signed=signed, own_bus=own, bus=theirs)


def _check_free(before: KnownPartner | None, card: AgencyCard, all_: list[KnownPartner]) -> None:
    """Raises Refused where a name or a key is a partner's already."""
    if before is not None and before.is_confirmed and before.partner.card.key != card.key:
        raise Refused(
            "known_otherwise",
            f"{card.agency_id} is a partner under another key",
            "end that first: farolito agency leave",
        )
    for one in all_:
        if (
            one.partner.card.key == card.key
            and one.agency_id != card.agency_id
            and not one.has_left
        ):
            raise Refused("known_otherwise", f"this key is {one.agency_id}'s", "use your own")


def _no_invitation() -> Refused:
    """The same words for every reason: a stranger learns nothing from them."""
    return Refused("no_invitation", "this code is not in force", "ask for another code")


def _said(ask: Ask, query: str) -> Ask:
    return msgspec.structs.replace(ask, query=query)


async def _nothing(records: Records, permit: int) -> None:
    """The entry is all: what is done lies outside the records."""
