"""The end of a partnership, by either side: nothing is taken any more, and both delete.

What one deletes of the other's, it tells the other, with its ledger's receipt; that is the proof.
A partner that is away is told when it is back; what we had of it is deleted at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from farolito.federation.envelope import Envelope, body_of
from farolito.federation.partners import PartnerBook, standing
from farolito.federation.post import PartnerAway
from farolito.gate import Answer, Ask, Records, system_ask
from farolito.model import AgencyId, FarolitoError, PartnerState, Person, Refused, Thing
from farolito.model.joining import KnownPartner

log = logging.getLogger(__name__)

FAREWELL_S_MAX = 30.0  # deleting takes longer than answering
TOLD_FOR = timedelta(days=30)  # one that is away so long is not told any more
ANSWERED_FOR = timedelta(hours=1)  # the line of who left us stays, in case our answer was lost

# Deletes what we had of a partner; the receipts of it, as its owner will be told.
OnLeave = Callable[[AgencyId], Awaitable[Mapping[str, Any]]]


class Farewell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`purged`: receipts of what the writer deleted of the reader's; `receipt`: of the entry in
    the writer's ledger that ends it."""

    purged: Mapping[str, Any]
    receipt: str


class Parting:
    """Registers itself at the post for `leave`. `on_leave` is called in its order; each may be
    called again, when it failed or the node was stopped meanwhile."""

    def __init__(self, book: PartnerBook, system: Person) -> None:
        self._book = book
        self._system = system
        self.on_leave: list[OnLeave] = []
        self._purging = asyncio.Lock()
        book.post.on("leave", self._take)

    async def leave(self, ask: Ask, partner: AgencyId) -> Answer[KnownPartner]:
        """End it, delete, tell them; how it stands then, with both sides' receipts. Its `proof` is
        None where they are away: they are told when they are back."""
        permit = await self._end(ask, partner, self._book.own_card.agency_id, TOLD_FOR)
        await self._finish(partner)
        return Answer(self._book.known()[partner], permit)

    async def leave_all(self, ask: Ask) -> list[Answer[KnownPartner]]:
        """Each by an entry of its own."""
        return [
            await self.leave(msgspec.structs.replace(ask, query=f"leave {partner}"), partner)
            for partner in list(self._book.partners())
        ]

    async def round(self) -> None:
        """Whatever of an end is not done yet; lines that are needed no more."""
        now = self._book.clock()
        for known in list(self._book.known().values()):
            if not known.has_left or known.line_until is None:
                continue
            if now >= known.line_until:
                await self._cut(known.agency_id)
            elif known.purged is None or known.proof is None:
                await self._finish(known.agency_id)

    # ---- the steps

    async def _end(self, ask: Ask, partner: AgencyId, by: AgencyId, line_for: timedelta) -> int:
        """From here on nothing of theirs is taken, and nothing is theirs to ask."""
        until = self._book.clock() + line_for

        async def work(records: Records, permit: int) -> None:
            known = await standing(records, partner)
            left = msgspec.structs.replace(known.partner, state=PartnerState.LEFT)
            known = msgspec.structs.replace(
                known, partner=left, ended_by=by, purged=None, proof=None, line_until=until
            )
            await records.partners.keep(known)

        permit = (await self._book.gate.act(ask, work)).permit
        await self._book.changed()
        return permit

    async def _finish(self, partner: AgencyId) -> None:
        """Delete, then tell them. What fails is tried again with the next round."""
        try:
            purged = await self._purge(partner)
            if self._book.known()[partner].proof is None:
                await self._tell(partner, purged)
        except PartnerAway:
            return
        except FarolitoError as error:
            log.warning("the end with %s is not complete: %s", partner, error)

    async def _purge(self, partner: AgencyId) -> Mapping[str, Any]:
        async with self._purging:
            known = self._book.known()[partner]
            if known.purged is not None:
                return known.purged
            receipts: dict[str, Any] = {}
            for hook in self.on_leave:
                receipts |= await hook(partner)
            ask = system_ask(self._system, Thing.PARTNER, f"what {partner} shared is deleted here")
            await self._keep(ask, partner, purged=receipts)
            return receipts

    async def _tell(self, partner: AgencyId, purged: Mapping[str, Any]) -> None:
        """Raises PartnerAway."""
        ask = system_ask(self._system, Thing.PARTNER, f"tell {partner} that it has ended")
        permit = (await self._book.gate.act(ask, _nothing)).permit
        body = Farewell(purged, await self._book.gate.receipt(permit))
        try:
            back = await self._book.post.ask(partner, "leave", body, FAREWELL_S_MAX)
        except Refused as no:
            if no.reason != "not_a_partner":
                raise
            # They have forgotten us already, and tell no receipts.
            said = Farewell({}, "")
        else:
            said = body_of(back, Farewell)
        ask = system_ask(self._system, Thing.PARTNER, f"{partner} has deleted what was ours")
        ask = msgspec.structs.replace(ask, counterpart=said.receipt or None)
        await self._keep(ask, partner, proof=_proof(said))
        await self._cut(partner)

    async def _take(self, envelope: Envelope) -> Farewell:
        """They end it. Where we did already, our receipts are told again."""
        partner, said = envelope.sender, body_of(envelope, Farewell)
        ask = system_ask(self._system, Thing.PARTNER, f"{partner} has left")
        ask = msgspec.structs.replace(ask, counterpart=said.receipt or None)
        known = self._book.known().get(partner)
        if known is not None and not known.has_left:
            await self._end(ask, partner, partner, ANSWERED_FOR)
        until = self._book.clock() + ANSWERED_FOR
        permit = await self._keep(ask, partner, proof=_proof(said), line_until=until)
        purged = await self._purge(partner)
        return Farewell(purged, await self._book.gate.receipt(permit))

    async def _keep(self, ask: Ask, partner: AgencyId, **more: Any) -> int:
        async def work(records: Records, permit: int) -> None:
            known = await records.partners.get(partner)
            assert known is not None, "nobody is forgotten"
            await records.partners.keep(msgspec.structs.replace(known, **more))

        permit = (await self._book.gate.act(ask, work)).permit
        await self._book.load()
        return permit

    async def _cut(self, partner: AgencyId) -> None:
        """The line is over."""
        ask = system_ask(self._system, Thing.PARTNER, f"the line to {partner} ends")
        await self._book.lines.remove(partner)
        await self._keep(ask, partner, line_until=None)


def _proof(said: Farewell) -> Mapping[str, Any]:
    return {"purged": said.purged, "receipt": said.receipt}


async def _nothing(records: Records, permit: int) -> None:
    """The entry is all."""
