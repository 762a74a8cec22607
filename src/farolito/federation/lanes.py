"""When each partner is told: at once, again when it is back, and never one waiting for another."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg

from farolito.federation.flows import Flows
from farolito.federation.items import recall, told_of_units
from farolito.federation.post import PartnerAway
from farolito.federation.sending import Sender
from farolito.gate import AWAY, Gate
from farolito.model import AgencyId, AgreementId, FarolitoError, ShareClass, Unit
from farolito.model.shared import Telling

log = logging.getLogger(__name__)

LOOK_EVERY_S = 10.0  # should a nudge be lost, the lane is looked at all the same
MARKED_S = 1.0  # how long an act may take to be durable after its rows were written
BACK_OFF_S = (0.25, 0.5, 1.0, 2.0, 5.0)  # while a partner is away
PARTNERS_EVERY_S = 1.0
UNITS_EVERY_S = 1.0
UNIT_FRESH = timedelta(minutes=2)  # an older position is not where the unit is
HEARTBEAT = timedelta(seconds=60)  # an entry a minute while units are shown (R34)

Send = Callable[[AgencyId], Awaitable[bool]]


class Lanes:
    """`units`: where the agency's units are now, as the app believes them."""

    def __init__(
        self,
        sender: Sender,
        gate: Gate,
        flows: Flows,
        clock: Callable[[], datetime],
        units: Callable[[], Sequence[Unit]] = lambda: (),
    ) -> None:
        self._sender = sender
        self._gate = gate
        self._flows = flows
        self._clock = clock
        self._units = units
        self._partners: dict[AgencyId, _Partner] = {}
        self._marked: dict[AgencyId, float] = {}  # until when, by the loop's clock
        self._forgotten_on: date | None = None
        self.away_since: dict[AgencyId, datetime] = {}

    def mark(self, partner: AgencyId) -> None:
        """Rows for this partner were written and may be durable any moment."""
        self._marked[partner] = asyncio.get_running_loop().time() + MARKED_S

    def nudge(self) -> None:
        """An act is durable; safe to call often."""
        now = asyncio.get_running_loop().time()
        for partner, until in list(self._marked.items()):
            self.wake(partner)
            if until < now:
                del self._marked[partner]

    def wake(self, partner: AgencyId) -> None:
        """Something waits for it, or it is back."""
        if partner in self._partners:
            self._partners[partner].wake()

    async def run(self) -> None:
        """Lanes for each confirmed partner until cancelled."""
        try:
            while True:
                wanted = set(self._flows.confirmed())
                for gone in set(self._partners) - wanted:
                    await self._partners.pop(gone).stop()
                for partner in wanted - set(self._partners):
                    self._partners[partner] = _Partner(self._tasks(partner))
                for one in self._partners.values():
                    one.raise_what_ended()
                await self._forget()
                await asyncio.sleep(PARTNERS_EVERY_S)
        finally:
            for one in self._partners.values():
                await one.stop()
            self._partners.clear()

    def health(self) -> Mapping[AgencyId, Mapping[str, Any]]:
        """By partner: since when away, what was told and what was dropped, by class and reason."""
        return {
            partner: {
                "away_since": self.away_since.get(partner),
                "told": {k: n for (who, k), n in self._sender.told.items() if who == partner},
                "dropped": {
                    why: n for (who, why), n in self._sender.dropped.items() if who == partner
                },
            }
            for partner in self._flows.confirmed()
        }

    async def _forget(self) -> None:
        """Once a day; what fails is done tomorrow."""
        today = self._clock().date()
        if self._forgotten_on == today:
            return
        self._forgotten_on = today
        try:
            await self._sender.forget()
        except (*AWAY, asyncpg.PostgresError, FarolitoError) as why:
            log.warning("who was told what is kept a day longer: %s", why)

    def _tasks(self, partner: AgencyId) -> Mapping[str, Callable[[asyncio.Event], Any]]:
        sender = self._sender
        lanes: Mapping[str, Send] = {
            "items": sender.send_items,
            "recalls": sender.send_recalls,
            "handovers": sender.send_handovers,
            "purges": sender.send_purges,
        }

        def of(send: Send) -> Callable[[asyncio.Event], Any]:
            return lambda woken: self._keep_sending(partner, send, woken)

        kept = {f"{name} to {partner}": of(send) for name, send in lanes.items()}
        return {**kept, f"units to {partner}": lambda _: self._follow_units(partner)}

    async def _keep_sending(self, partner: AgencyId, send: Send, woken: asyncio.Event) -> None:
        failed = 0
        while True:
            woken.clear()
            try:
                while await send(partner):
                    self._is_there(partner)
                failed = 0
                pause_s = LOOK_EVERY_S
            except (*AWAY, asyncpg.PostgresError, FarolitoError) as why:
                self._is_away(partner, why)
                # Woken by what is new, a partner that is away is not asked more often for it.
                pause_s = BACK_OFF_S[min(failed, len(BACK_OFF_S) - 1)]
                failed += 1
                await asyncio.sleep(BACK_OFF_S[0])
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await woken.wait()

    async def _follow_units(self, partner: AgencyId) -> None:
        stream = UnitStream(self._sender, self._gate, self._flows, self._clock, partner)
        failed = 0
        while True:
            await asyncio.sleep(UNITS_EVERY_S)
            try:
                await stream.tell(self._units())
                failed = 0
            except (*AWAY, asyncpg.PostgresError, FarolitoError) as why:
                self._is_away(partner, why)
                await asyncio.sleep(BACK_OFF_S[min(failed, len(BACK_OFF_S) - 1)])
                failed += 1

    def _is_there(self, partner: AgencyId) -> None:
        since = self.away_since.pop(partner, None)
        if since is not None:
            log.warning("%s takes what is shared again, after %s", partner, self._clock() - since)

    def _is_away(self, partner: AgencyId, why: Exception) -> None:
        """A loss is logged once. Our own store or ledger away is no fault of the partner."""
        if isinstance(why, PartnerAway) and partner not in self.away_since:
            self.away_since[partner] = self._clock()
            log.warning("%s is away; what is shared waits", partner)
        elif not isinstance(why, PartnerAway):
            log.warning("sharing with %s waits: %s", partner, why)


class UnitStream:
    """The units of one partner's joint incidents, while an agreement lets them be followed."""

    def __init__(
        self,
        sender: Sender,
        gate: Gate,
        flows: Flows,
        clock: Callable[[], datetime],
        partner: AgencyId,
    ) -> None:
        self._sender = sender
        self._gate = gate
        self._flows = flows
        self._clock = clock
        self._partner = partner
        self._shown: dict[Any, Telling] = {}
        self._permits: dict[AgreementId, tuple[datetime, str]] = {}
        self._count = 0

    async def tell(self, units: Sequence[Unit]) -> None:
        """What moved since the last time; and who is to be followed no more."""
        partner = self._partner
        if not self._flows.follows(partner, ShareClass.UNIT) and not self._shown:
            return
        by: dict[AgreementId, list[Telling]] = {}
        there: dict[Any, Telling] = {}
        for telling in await self._joint(units):
            agreement_id = self._flows.by(partner, telling)
            if agreement_id is not None:
                there[telling.item_id] = telling
                if self._shown.get(telling.item_id) != telling:
                    by.setdefault(agreement_id, []).append(telling)
        for agreement_id, moved in by.items():
            receipt = await self._receipt(agreement_id, len(moved))
            may = [one for one in moved if self._flows.by(partner, one) == agreement_id]
            await self._sender.send_units(partner, may, agreement_id, receipt)
            self._shown |= {one.item_id: one for one in may}
        await self._end([one for item, one in self._shown.items() if item not in there])

    async def _joint(self, units: Sequence[Unit]) -> list[Telling]:
        joint = await self._gate.following(lambda r: r.sharing.joint_incidents(self._partner))
        since = self._clock() - UNIT_FRESH
        return [
            told
            for incident in joint
            for told in told_of_units(self._gate.owner, incident, units, since)
        ]

    async def _end(self, gone: Sequence[Telling]) -> None:
        if not gone:
            return
        now = self._clock()
        over = [
            recall(one.kind, one.item_id, one.version + 1, now, "no longer on the call")
            for one in gone
        ]
        [(_, receipt)] = [*self._permits.values()][-1:]
        await self._sender.end_units(self._partner, over, receipt)
        for one in gone:
            del self._shown[one.item_id]

    async def _receipt(self, agreement_id: AgreementId, count: int) -> str:
        """Of the entry that permits this minute; it says how many positions the last one had."""
        now = self._clock()
        known = self._permits.get(agreement_id)
        if known is not None and now - known[0] < HEARTBEAT:
            self._count += count
            return known[1]
        what = "start" if known is None else f"{self._count} positions in the last minute"
        self._count = count
        receipt = await self._sender.permit_units(self._partner, agreement_id, what)
        self._permits[agreement_id] = (now, receipt)
        return receipt


class _Partner:
    """The tasks of one partner."""

    def __init__(self, work: Mapping[str, Callable[[asyncio.Event], Any]]) -> None:
        self._woken = [asyncio.Event() for _ in work]
        self._running = [
            asyncio.create_task(run(woken), name=name)
            for (name, run), woken in zip(work.items(), self._woken, strict=True)
        ]

    def wake(self) -> None:
        for woken in self._woken:
            woken.set()

    def raise_what_ended(self) -> None:
        """A task ends only by a mistake of ours: it must not be passed over."""
        for task in self._running:
            if task.done():
                task.result()

    async def stop(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
