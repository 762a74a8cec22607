"""What waits for partners goes out: one lane a partner, recalls beside it so that they overtake.

Each batch is decided again when it goes, written into the ledger, decided once more after that
(the entry took its time, and a revocation may have come), sent, and let go of only when the
partner's signed receipt is stored. What no agreement lets go any more is dropped and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from farolito.federation.envelope import body_of
from farolito.federation.flows import Flows
from farolito.federation.post import ASK_S_MAX, Line, Post
from farolito.federation.sharing_words import (
    BATCH_BYTES_MAX,
    BATCH_MAX,
    AskPurge,
    HandedRead,
    HandedShot,
    Purged,
    Share,
    Took,
    What,
)
from farolito.gate import Ask, Gate, Records, system_ask
from farolito.model import (
    TERM_MAX,
    AgencyId,
    AgreementId,
    Person,
    Refused,
    ShareClass,
    Thing,
)
from farolito.model.shared import EVERYTHING, Lane, Purge, Telling, Waiting

SLOWEST_BYTES_A_S = 125_000  # a line of 1 Mbit/s is no partner that is away
REFUSED_MAX = 8  # of one thing in a row; then it is dropped, and counted with their reason
# What a partner refuses so is the moment, not the thing: it is waited out.
_MOMENT = frozenset({"away", "fault", "flood", "stale", "not_a_partner", "not_here", "replayed"})

_A_DAY = timedelta(days=1)

LineOf = Callable[[ShareClass], Line | None]

_read = msgspec.json.Decoder(HandedRead).decode
_shot = msgspec.json.Decoder(HandedShot).decode


class Sender:
    """One batch at a time; `lanes` says when. Raises PartnerAway, and Refused of the partner."""

    def __init__(  # noqa: PLR0913 - what goes, by whose rules, and how
        self,
        gate: Gate,
        post: Post,
        system: Person,
        flows: Flows,
        clock: Callable[[], datetime],
        line_of: LineOf = lambda _: None,
    ) -> None:
        self._gate = gate
        self._post = post
        self._system = system
        self._flows = flows
        self._clock = clock
        self._line_of = line_of
        self._refusals: Counter[tuple[AgencyId, int]] = Counter()  # by partner and number
        self.told: Counter[tuple[AgencyId, ShareClass]] = Counter()
        self.dropped: Counter[tuple[AgencyId, str]] = Counter()  # by partner and reason

    async def send_items(self, partner: AgencyId) -> bool:
        """The next of what an agreement lets flow; whether there was anything."""
        rows = await self._next(partner, Lane.ITEM)
        dropped = Counter[str]()
        by: dict[AgreementId, list[Waiting]] = {}
        gone: list[Waiting] = []
        for row in rows:
            agreement_id = self._flows.by(partner, row.telling)
            if agreement_id is None:
                dropped[self._flows.why_not(partner, row.telling)] += 1
                gone.append(row)
            else:
                by.setdefault(agreement_id, []).append(row)
        if gone:
            await self._drop(partner, gone, dropped)
        for agreement_id, some in by.items():
            await self._share(partner, agreement_id, some)
        return bool(rows)

    async def send_recalls(self, partner: AgencyId) -> bool:
        """Taking a thing back opens nothing, so no agreement is asked: whoever holds it hears it.
        It goes by the usual line, which a partner has for as long as it is one."""
        rows = await self._next(partner, Lane.RECALL)
        if not rows:
            return False
        kind = rows[0].kind
        ask = self._ask(f"recall {len(rows)} {kind} at {partner}")
        share = Share(
            what=What.RECALL,
            share_class=kind,
            receipt=await self._written(ask),
            items=tuple(row.telling for row in rows),
        )
        await self._tell(partner, share, rows, ask, None, recalled=True)
        return True

    async def send_handovers(self, partner: AgencyId) -> bool:
        """Records that belong to the partner, made on its land: its own, so no agreement of ours
        is asked."""
        rows = await self._next(partner, Lane.HANDOVER)
        if not rows:
            return False
        kind = rows[0].kind
        ask = self._ask(f"hand {len(rows)} {kind} over to {partner}, made on its land")
        share = Share(
            what=What.HANDOVER,
            share_class=kind,
            receipt=await self._written(ask),
            reads=tuple(_read(r.body) for r in rows) if kind is ShareClass.PLATE_READ else (),
            shots=tuple(_shot(r.body) for r in rows) if kind is ShareClass.SHOT else (),
        )
        took = await self._sent(partner, share, rows)
        if took is not None:
            told = msgspec.structs.replace(ask, counterpart=took.receipt)
            await self._gate.act(told, _let_go(partner, rows))
            self.told[partner, kind] += len(rows)
        return True

    async def send_purges(self, partner: AgencyId) -> bool:
        """Ask for what is to be deleted, again and again until the receipt comes."""
        purges = await self._gate.following(lambda r: r.sharing.purges(partner))
        for purge in purges:
            await self._purge(purge)
        return bool(purges)

    async def ask_purge(self, partner: AgencyId, agreement_id: AgreementId, because: str) -> None:
        """A partner is to delete what it holds by an agreement that is no more (EVERYTHING: all).

        It is asked until it answers (`send_purges`); its receipt is kept.
        """
        purge = Purge(partner, agreement_id, because, self._clock())

        async def work(records: Records, permit: int) -> None:
            await records.sharing.ask_purge(purge)

        ask = self._ask(f"{partner} is to purge {agreement_id}: {because}", agreement_id)
        await self._gate.act(ask, work)

    async def leave(self, partner: AgencyId) -> Mapping[str, int]:
        """The end of a partnership: nothing that still waits goes there any more."""
        ask = self._ask(f"let go of what waits for {partner}, which is no partner any more")

        async def work(records: Records, permit: int) -> int:
            return await records.sharing.drop_all(partner)

        return {"dropped": (await self._gate.act(ask, work)).value}

    async def forget(self) -> int:
        """Let go of who was told what so long ago that no agreement lets anybody hold it still."""
        before = self._clock() - TERM_MAX - _A_DAY
        if not await self._gate.following(lambda r: r.sharing.told_before(before)):
            return 0
        ask = self._ask(f"forget who was told what before {before:%F}")

        async def work(records: Records, permit: int) -> int:
            return await records.sharing.forget_told(before)

        return (await self._gate.act(ask, work)).value

    async def send_units(
        self, partner: AgencyId, tellings: Sequence[Telling], agreement_id: AgreementId,
        receipt: str,
    ) -> None:  # fmt: skip
        """Where units are now. The entry of the minute, whose receipt it is, permits them all."""
        for first in range(0, len(tellings), BATCH_MAX):
            share = Share(
                what=What.UNITS,
                share_class=ShareClass.UNIT,
                agreement_id=agreement_id,
                receipt=receipt,
                items=tuple(tellings[first : first + BATCH_MAX]),
            )
            await self._post.ask(partner, "share", share, line=self._line_of(ShareClass.UNIT))

    async def end_units(self, partner: AgencyId, gone: Sequence[Telling], receipt: str) -> None:
        """Units that left the incident, or that nobody may follow any more."""
        for first in range(0, len(gone), BATCH_MAX):
            share = Share(
                what=What.RECALL,
                share_class=ShareClass.UNIT,
                receipt=receipt,
                items=tuple(gone[first : first + BATCH_MAX]),
            )
            await self._post.ask(partner, "share", share)

    async def permit_units(self, partner: AgencyId, agreement_id: AgreementId, what: str) -> str:
        """The receipt of an entry that units of joint incidents are shown to a partner."""
        ask = self._ask(f"live units of joint incidents to {partner}: {what}", agreement_id)
        return await self._written(ask)

    async def _next(self, partner: AgencyId, lane: Lane) -> list[Waiting]:
        """Of one class, no more than a message holds; one by one where they refused something."""
        limit = 1 if any(who == partner for who, _ in self._refusals) else BATCH_MAX
        rows = await self._gate.following(lambda r: r.sharing.waiting(partner, lane, limit))
        fitting: list[Waiting] = []
        size = 0
        for row in rows:
            size += len(row.body)
            if fitting and size > BATCH_BYTES_MAX:
                break
            fitting.append(row)
        return fitting

    async def _share(
        self, partner: AgencyId, agreement_id: AgreementId, rows: Sequence[Waiting]
    ) -> None:
        kind = rows[0].kind
        ask = self._ask(f"share {len(rows)} {kind} with {partner}", agreement_id)
        receipt = await self._written(ask)
        still = [row for row in rows if self._flows.by(partner, row.telling) == agreement_id]
        if not still:
            return
        share = Share(
            what=What.ITEMS,
            share_class=kind,
            agreement_id=agreement_id,
            receipt=receipt,
            items=tuple(row.telling for row in still),
        )
        await self._tell(partner, share, still, ask, agreement_id)

    async def _tell(  # noqa: PLR0913 - what, to whom, and what is kept of it
        self, partner: AgencyId, share: Share, rows: Sequence[Waiting], ask: Ask,
        agreement_id: AgreementId | None, *, recalled: bool = False,
    ) -> None:  # fmt: skip
        took = await self._sent(partner, share, rows)
        if took is None:
            return
        receipt = took.receipt

        async def keep(records: Records, permit: int) -> None:
            await records.sharing.told(
                partner, rows, agreement_id, self._clock(), receipt, recalled=recalled
            )

        await self._gate.act(msgspec.structs.replace(ask, counterpart=receipt), keep)
        self.told[partner, share.share_class] += len(rows)

    async def _sent(self, partner: AgencyId, share: Share, rows: Sequence[Waiting]) -> Took | None:
        """Their receipt; None where they refuse one thing for good and it was dropped."""
        line = self._line_of(share.share_class) if share.what is What.ITEMS else None
        try:
            wait_s = ASK_S_MAX + sum(len(row.body) for row in rows) / SLOWEST_BYTES_A_S
            back = await self._post.ask(partner, "share", share, wait_s, line)
            took: Took = body_of(back, Took)
        except Refused as no:
            if not await self._passes(partner, no.reason):
                self._refusals[partner, rows[0].number] += 1
            if len(rows) > 1 or self._refusals[partner, rows[0].number] <= REFUSED_MAX:
                raise
            await self._drop(partner, rows, Counter({f"refused_there_{no.reason}": 1}))
            took = None  # type: ignore[assignment]
        self._forget_refusals(partner)
        return took

    async def _passes(self, partner: AgencyId, reason: str) -> bool:
        """Whether this refusal is of the moment: also where a partner that was away is about to
        hear of the agreement that it does not know."""
        if reason != "no_agreement":
            return reason in _MOMENT
        untold = await self._gate.following(lambda r: r.agreements.untold())
        return any(news.partner == partner for news in untold)

    async def _purge(self, purge: Purge) -> None:
        what = "everything" if purge.agreement_id == EVERYTHING else str(purge.agreement_id)
        agreement_id = None if purge.agreement_id == EVERYTHING else purge.agreement_id
        ask = self._ask(f"ask {purge.partner} to purge {what}", agreement_id)
        asked = AskPurge(
            agreement_id=agreement_id, because=purge.because, receipt=await self._written(ask)
        )
        back = await self._post.ask(purge.partner, "purge", asked)
        done: Purged = body_of(back, Purged)

        async def keep(records: Records, permit: int) -> None:
            await records.sharing.purged_there(purge, self._clock(), done.purged, done.receipt)

        told = self._ask(f"{purge.partner} purged {done.purged} of {what}", agreement_id)
        await self._gate.act(msgspec.structs.replace(told, counterpart=done.receipt), keep)

    async def _drop(self, partner: AgencyId, rows: Sequence[Waiting], why: Counter[str]) -> None:
        """Nothing of it leaves; the sum of each reason stands in the ledger."""
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(why.items()))
        await self._gate.act(
            self._ask(f"{len(rows)} {rows[0].kind} for {partner} not shared: {reasons}"),
            _let_go(partner, rows),
        )
        for reason, n in why.items():
            self.dropped[partner, reason] += n

    def _forget_refusals(self, partner: AgencyId) -> None:
        for key in [key for key in self._refusals if key[0] == partner]:
            del self._refusals[key]

    async def _written(self, ask: Ask) -> str:
        """The receipt of this deed's entry, durable before anything leaves."""
        return await self._gate.receipt((await self._gate.act(ask, _nothing_more)).permit)

    def _ask(self, query: str, agreement_id: AgreementId | None = None) -> Ask:
        ask = system_ask(self._system, Thing.SHARED, query)
        return msgspec.structs.replace(ask, agreement=agreement_id)


def _let_go(partner: AgencyId, rows: Sequence[Waiting]) -> Any:
    async def work(records: Records, permit: int) -> None:
        await records.sharing.drop(partner, rows)

    return work


async def _nothing_more(records: Records, permit: int) -> None:
    return None
