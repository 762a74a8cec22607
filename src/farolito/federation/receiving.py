"""What partners let us have: taken in once, kept as long as agreed, shown with where it came from,
deleted when its time ends, its agreement is revoked, or its owner asks.

Never passed on: nothing here reads it but the screens and, for listed rows, the own matching.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from farolito.federation.envelope import Envelope, body_of
from farolito.federation.sharing_words import AskPurge, HandedRead, HandedShot, Purged, Share, What
from farolito.federation.sharing_words import Took as TookIt
from farolito.gate import AWAY, Ask, Gate, Records, system_ask
from farolito.model import (
    AgencyId,
    Agreement,
    AgreementId,
    FarolitoError,
    Partner,
    Person,
    Refused,
    ShareClass,
    Sharing,
    SignedAgreement,
    Thing,
)
from farolito.model.shared import SharedItem, Telling

log = logging.getLogger(__name__)

KEPT_FOR_VIEW = timedelta(hours=1)  # keep_days 0: for this view alone
UNIT_KEPT = timedelta(minutes=10)  # a position is no record: it ends with the call
RECALL_KEPT = timedelta(days=7)  # of a thing that never came: longer than any message is taken
MINUTE = timedelta(seconds=60)
LOOK_EVERY_S = 30.0

# Called with things that came, were recalled, or were deleted (`purged`), once that is durable.
Settle = Callable[[Sequence[SharedItem]], Awaitable[None]]


async def _nothing(_: Sequence[SharedItem]) -> None:
    return None


async def _not_here(_: AgencyId, __: Sequence[Any]) -> None:
    raise Refused("not_our_land", "records of no land of ours", "keep them")


class Receiving:
    """`agreements`: by id, those that partners signed for us, whatever their state.

    `take_reads`, `take_shots`: records made on our land by a partner's sensors, which are ours.
    Each raises Refused where they are not.
    """

    def __init__(
        self,
        gate: Gate,
        system: Person,
        partners: Callable[[], Mapping[AgencyId, Partner]],
        agreements: Callable[[AgreementId], SignedAgreement | None],
        clock: Callable[[], datetime],
    ) -> None:
        self._gate = gate
        self._system = system
        self._partners = partners
        self._agreements = agreements
        self._clock = clock
        self._permits: dict[AgreementId, tuple[datetime, str]] = {}  # of units, by the minute
        self._unsettled: list[SharedItem] = []
        self.settle: Settle = _nothing
        self.after_purge: Callable[[], None] = lambda: None  # whatever memory holds of it goes too
        self.take_reads: Callable[[AgencyId, Sequence[HandedRead]], Awaitable[None]] = _not_here
        self.take_shots: Callable[[AgencyId, Sequence[HandedShot]], Awaitable[None]] = _not_here

    async def take(self, envelope: Envelope) -> TookIt:
        """A handler of the post: `share`."""
        share: Share = body_of(envelope, Share)
        sender = envelope.sender
        if any(item.kind is not share.share_class for item in share.items):
            raise Refused("malformed", "things of another class than the message's", "sort them")
        if share.what is What.HANDOVER:
            return await self._take_over(sender, share)
        if share.what is What.RECALL:
            return await self._recall(sender, share)
        terms = self._terms(sender, share)
        if share.what is What.UNITS:
            return await self._take_units(sender, share, terms)
        return await self._take_items(sender, share, terms)

    async def purge(self, envelope: Envelope) -> Purged:
        """A handler of the post: `purge`. The answer is the receipt."""
        asked: AskPurge = body_of(envelope, AskPurge)
        sender = envelope.sender
        return await self.purge_here(sender, asked.agreement_id, asked.because, asked.receipt)

    async def purge_here(
        self, partner: AgencyId, agreement_id: AgreementId | None, because: str,
        counterpart: str | None = None,
    ) -> Purged:  # fmt: skip
        """Delete what came from a partner, by one agreement or at all; nothing more comes by it.

        Also for what we revoke ourselves, and at the end of a partnership.
        """
        what = str(agreement_id) if agreement_id else "everything"
        ask = self._ask(f"purge {what} of {partner}: {because}", agreement_id, counterpart)
        now = self._clock()

        async def work(records: Records, permit: int) -> list[SharedItem]:
            await records.feed.hold()
            if agreement_id is not None:
                await records.sharing.end_agreement(partner, agreement_id, now)
            gone = await records.sharing.delete_of(partner, agreement_id)
            return await self._gone(records, gone, now)

        answer = await self._gate.act(ask, work)
        self.after_purge()
        await self._settled(answer.value)
        receipt = await self._gate.receipt(answer.permit)
        return Purged(purged=len(answer.value), at=now, receipt=receipt)

    async def leave(self, partner: AgencyId) -> Mapping[str, Any]:
        """The end of a partnership: nothing of theirs is left here. The proof, for both sides."""
        return msgspec.structs.asdict(await self.purge_here(partner, None, "left"))

    async def run(self) -> None:
        """Delete what is past its time, until cancelled."""
        while True:
            try:
                await self._settled(())
                await self.end_due()
            except (*AWAY, asyncpg.PostgresError, FarolitoError) as why:
                log.warning("the end of keeping what partners share waits: %s", type(why).__name__)
            await asyncio.sleep(LOOK_EVERY_S)

    async def end_due(self) -> int:
        """What is past its time goes, with the count in the ledger; answers how many."""
        now = self._clock()
        if not await self._gate.following(lambda r: r.sharing.due(now)):
            return 0
        ask = self._ask("delete what partners shared and its time has ended")

        async def work(records: Records, permit: int) -> list[SharedItem]:
            await records.feed.hold()
            return await self._gone(records, await records.sharing.delete_due(now), now)

        done = (await self._gate.act(ask, work)).value
        said = self._ask(f"{len(done)} things that partners shared deleted: their time has ended")
        await self._gate.act(said, _nothing_more)
        self.after_purge()
        await self._settled(done)
        return len(done)

    async def _take_items(self, sender: AgencyId, share: Share, terms: Agreement) -> TookIt:
        count = f"{len(share.items)} {share.share_class} of {sender}"
        ask = self._ask(count, terms.agreement_id, share.receipt)
        taking = self._taking(sender, share, terms)
        answer = await self._gate.act(ask, lambda records, _: taking(records))
        await self._settled(answer.value)
        receipt = await self._gate.receipt(answer.permit)
        return TookIt(receipt=receipt, new=len(answer.value))

    async def _take_units(self, sender: AgencyId, share: Share, terms: Agreement) -> TookIt:
        """One entry a minute permits them: a position a second is no entry each."""
        now = self._clock()
        known = self._permits.get(terms.agreement_id)
        taking = self._taking(sender, share, terms)
        if known is not None and now - known[0] < MINUTE:
            new = await self._gate.following(taking)
            self._gate.after_act()
            return TookIt(receipt=known[1], new=len(new))
        ask = self._ask(f"live units of {sender}", terms.agreement_id, share.receipt)
        answer = await self._gate.act(ask, lambda records, _: taking(records))
        receipt = await self._gate.receipt(answer.permit)
        self._permits[terms.agreement_id] = (now, receipt)
        return TookIt(receipt=receipt, new=len(answer.value))

    def _taking(
        self, sender: AgencyId, share: Share, terms: Agreement
    ) -> Callable[[Records], Awaitable[list[SharedItem]]]:
        async def work(records: Records) -> list[SharedItem]:
            await records.feed.hold()
            if await records.sharing.has_ended(sender, terms.agreement_id):
                raise Refused("no_agreement", "what came by it was purged", "sign a new one")
            taken = [await self._take_item(records, sender, t, terms) for t in share.items]
            return [item for item in taken if item is not None]

        return work

    async def _take_item(
        self, records: Records, sender: AgencyId, telling: Telling, terms: Agreement
    ) -> SharedItem | None:
        """Once: what is known in this version or a newer one changes nothing, but that it is kept
        by the agreement it came by last. A recall that came before its thing stands."""
        known = await records.sharing.get(sender, telling.kind, telling.item_id)
        if telling.recalled or (known is not None and not _is_news(telling, known, terms)):
            return None
        now = self._clock()
        place = telling.place
        item = SharedItem(
            kind=telling.kind,
            item_id=telling.item_id,
            grantor=sender,
            grantor_name=self._name(sender),
            agreement_id=terms.agreement_id,
            version=telling.version,
            at=telling.at,
            received_at=now,
            purge_at=now + _kept(telling.kind, terms),
            lat=place.lat if place else None,
            lon=place.lon if place else None,
            title=telling.title or telling.kind.replace("_", " "),
            detail=telling.detail,
            incident=telling.incident,
        )
        await self._keep(records, item)
        return item

    async def _recall(self, sender: AgencyId, share: Share) -> TookIt:
        """A partner takes back what it told; only what is its own. It needs no agreement, since it
        opens nothing: of a thing that never came it is remembered that it must not come."""
        ask = self._ask(
            f"{sender} recalls {len(share.items)} {share.share_class}", None, share.receipt
        )

        async def work(records: Records, permit: int) -> list[SharedItem]:
            await records.feed.hold()
            back = [await self._recall_one(records, sender, telling) for telling in share.items]
            return [item for item in back if item is not None]

        answer = await self._gate.act(ask, work)
        await self._settled(answer.value)
        receipt = await self._gate.receipt(answer.permit)
        return TookIt(receipt=receipt, new=len(answer.value))

    async def _recall_one(
        self, records: Records, sender: AgencyId, telling: Telling
    ) -> SharedItem | None:
        """The thing as it stands then; None where nothing changed that anybody saw."""
        known = await records.sharing.get(sender, telling.kind, telling.item_id)
        if known is not None and known.version >= telling.version:
            return None
        now = self._clock()
        if telling.kind is ShareClass.UNIT:
            if known is None:
                return None
            await records.sharing.delete_one(known)
            return (await self._gone(records, [known], now))[0]
        item = SharedItem(
            kind=telling.kind,
            item_id=telling.item_id,
            grantor=sender,
            grantor_name=self._name(sender),
            agreement_id=None,
            version=telling.version,
            at=telling.at,
            received_at=now,
            purge_at=now + RECALL_KEPT,
            recalled_at=now,
            recall_says=telling.recall_says,
        )
        if known is not None:
            item = msgspec.structs.replace(
                known, version=telling.version, recalled_at=now, recall_says=telling.recall_says
            )
        await self._keep(records, item)
        return item if known is not None else None

    async def _take_over(self, sender: AgencyId, share: Share) -> TookIt:
        """Records made on our land by a partner's sensors: they are ours from now on."""
        count = len(share.reads) + len(share.shots)
        ask = self._ask(
            f"{count} {share.share_class} made on our land, from {sender}", None, share.receipt
        )
        answer = await self._gate.act(ask, _nothing_more)
        if share.reads:
            await self.take_reads(sender, share.reads)
        if share.shots:
            await self.take_shots(sender, share.shots)
        return TookIt(receipt=await self._gate.receipt(answer.permit), new=count)

    async def _keep(self, records: Records, item: SharedItem) -> None:
        await records.sharing.keep(item)
        if item.title:
            await records.feed.tell("shared", item, item.received_at)
            await records.sharing.unfeed([item])

    async def _gone(
        self, records: Records, gone: Sequence[SharedItem], now: datetime
    ) -> list[SharedItem]:
        """Screens are told; the feed forgets what it told of them. What is left to say of each."""
        left = [_stub(item, now) for item in gone]
        for was, item in zip(gone, left, strict=True):
            if was.title:
                await records.feed.tell("shared", item, now)
        await records.sharing.unfeed(gone)
        return left

    async def _settled(self, items: Sequence[SharedItem]) -> None:
        """What follows of it outside of this room. It is durable here, so it is tried again."""
        waiting = [*self._unsettled, *items]
        self._unsettled = []
        if not waiting:
            return
        try:
            await self.settle(waiting)
        except (*AWAY, asyncpg.PostgresError, FarolitoError) as why:
            log.warning("what partners share is settled later: %s", type(why).__name__)
            self._unsettled = [*waiting, *self._unsettled]

    def _terms(self, sender: AgencyId, share: Share) -> Agreement:
        """The agreement that lets this come. Raises Refused: whatever the sender sends, nothing is
        taken in that was not agreed, so that how long it is kept is always known."""
        signed = self._agreements(share.agreement_id) if share.agreement_id else None
        if signed is None or not signed.in_force(self._clock()):
            raise Refused("no_agreement", "no agreement in force for this", "sign one")
        terms = signed.agreement
        if terms.grantor != sender or terms.grantee != self._gate.owner:
            raise Refused("no_agreement", "an agreement between others", "name your own")
        if share.share_class not in terms.classes or Sharing.FOLLOW not in terms.sharing:
            raise Refused("class_not_shared", "the agreement does not name this class", "sign one")
        return terms

    def _name(self, agency: AgencyId) -> str:
        partner = self._partners().get(agency)
        return partner.card.name if partner else agency

    def _ask(
        self, query: str, agreement_id: AgreementId | None = None, counterpart: str | None = None
    ) -> Ask:
        ask = system_ask(self._system, Thing.SHARED, query)
        return msgspec.structs.replace(ask, agreement=agreement_id, counterpart=counterpart)


def _stub(item: SharedItem, now: datetime) -> SharedItem:
    """That it was deleted, and nothing of what it said."""
    return SharedItem(
        kind=item.kind,
        item_id=item.item_id,
        grantor=item.grantor,
        grantor_name=item.grantor_name,
        agreement_id=item.agreement_id,
        version=item.version,
        at=item.at,
        received_at=item.received_at,
        purge_at=now,
        purged=True,
    )


def _is_news(telling: Telling, known: SharedItem, terms: Agreement) -> bool:
    """Also by another agreement than before, the purge of which may be on its way."""
    if telling.version != known.version:
        return telling.version > known.version
    return known.recalled_at is None and known.agreement_id != terms.agreement_id


def _kept(kind: ShareClass, terms: Agreement) -> timedelta:
    agreed = timedelta(days=terms.keep_days) if terms.keep_days else KEPT_FOR_VIEW
    return min(agreed, UNIT_KEPT) if kind is ShareClass.UNIT else agreed


async def _nothing_more(records: Records, permit: int) -> None:
    return None
