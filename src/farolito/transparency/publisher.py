"""Publishing: each month that is over once, each year on demand, and what strangers are handed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

import asyncpg
import msgspec

from farolito.desk import NotFound
from farolito.gate import AWAY, Ask, Gate, system_ask
from farolito.gate import Records as Rows
from farolito.gate.figures import Counted, Figures, LedgerFigures, parse, time_of
from farolito.model import Agency, AgencyId, FarolitoError, Invalid, Person, Thing
from farolito.model.figures import PublishedFigures
from farolito.transparency.counted import Count, Earlier, cell_of, counts_of, shown
from farolito.transparency.periods import Period, month, months_between, months_of, period_of

log = logging.getLogger(__name__)

EVERY_S = 900.0
PROOF_KEPT = timedelta(minutes=1)
PROOFS_MAX = 64
MONTHS_AT_ONCE = 60

# What the agency says of itself besides, at the end of a period: sensors, agreements, keeping …
Told = Callable[[Period], Awaitable[Mapping[str, Any]]]


class Published(msgspec.Struct, frozen=True):
    """Figures as everybody may have them."""

    period: str
    published_at: datetime
    permit: int
    figures: Figures
    document: bytes


class Publisher:
    """`agencies`: all that ever were partners; `reasons`: of refusals, every word there is."""

    def __init__(  # noqa: PLR0913 - what is counted, by whom, and what stands beside it
        self,
        gate: Gate,
        figures: LedgerFigures,
        system: Person,
        agency: Agency,
        hours_of: tzinfo,
        clock: Callable[[], datetime],
        agencies: Callable[[], Sequence[AgencyId]],
        reasons: Sequence[str],
        told: Told,
        *,
        demo: bool = False,
    ) -> None:
        self._gate = gate
        self._figures = figures
        self._system = system
        self._agency = agency
        self._hours_of = hours_of
        self._clock = clock
        self._agencies = agencies
        self._reasons = reasons
        self._told = told
        self._demo = demo
        self._one_at_a_time = asyncio.Lock()
        self._proofs: dict[str, tuple[datetime, bytes]] = {}

    async def run(self) -> None:
        """Publish each month a day after it ended, by a standing rule."""
        while True:
            try:
                for period in await self.due():
                    await self.month(period.name)
                    log.info("the figures of %s are published", period.name)
            except (*AWAY, asyncpg.PostgresError, FarolitoError) as why:
                log.warning("public figures wait: %s", type(why).__name__)
            await asyncio.sleep(EVERY_S)

    async def due(self) -> list[Period]:
        """Months that are over and not published yet, the oldest first."""
        began = await self._gate.following(lambda r: r.figures.began())
        if began is None:
            return []
        done = set(await self.periods())
        over = months_between(began, self._clock(), self._hours_of)
        return [one for one in over[-MONTHS_AT_ONCE:] if one.name not in done]

    async def next_due(self) -> Period:
        """The month that runs now."""
        now = self._clock().astimezone(self._hours_of)
        return month(now.year, now.month, self._hours_of)

    async def periods(self) -> list[str]:
        """What is published, the newest first."""
        return await self._gate.following(lambda r: r.figures.periods())

    async def get(self, name: str) -> Published:
        """Raises NotFound."""
        kept = await self._gate.following(lambda r: r.figures.get(name))
        if kept is None:
            raise NotFound("no figures of this period are published", "see /public for those")
        return _published(kept)

    async def file(self, name: str) -> bytes:
        """The `.farolito-figures` file, by a proof that is at most a minute old."""
        async with self._one_at_a_time:
            now = self._clock()
            kept = self._proofs.get(name)
            if kept is None or now - kept[0] >= PROOF_KEPT:
                told = await self.get(name)
                kept = (now, await self._figures.again(told.permit, told.document))
                self._proofs[name] = kept
                if len(self._proofs) > PROOFS_MAX:
                    del self._proofs[next(iter(self._proofs))]
            return kept[1]

    async def month(self, name: str) -> Published:
        """Publish a month, if it is not; by the node's own standing rule."""
        period = period_of(name, self._hours_of)
        if period.is_year:
            raise Invalid(f"{name} is a year", f"use `farolito report yearly {name}`")
        async with self._one_at_a_time:
            return await self._once(period, "month", self._rule("publish", period))

    async def year(self, ask: Ask, name: str) -> Published:
        """Publish a year, its months first. Its counts give no month's withheld ones away."""
        period = period_of(name, self._hours_of)
        if not period.is_year:
            raise Invalid(f"{name} is no year", "write it as 2026")
        async with self._one_at_a_time:
            earlier = [
                await self._earlier(one)
                for one in months_of(period)
                if one.is_over(self._clock()) and await self._had_begun(one)
            ]
            return await self._once(period, "year", ask, earlier)

    async def so_far(self) -> Published:
        """In a demo alone: the month up to this moment, so that there is something to see. Two of
        these, of real people, would tell the difference between them."""
        if not self._demo:
            raise Invalid("a month that is not over", "it is published a day after its end")
        running = await self.next_due()
        now = self._clock()
        name = f"{running.name}-so-far-{now:%d%H%M%S}"
        period = Period(name, running.since, now)
        async with self._one_at_a_time:
            return await self._publish(period, "so_far", self._rule("publish", period))

    async def _had_begun(self, period: Period) -> bool:
        began = await self._gate.following(lambda r: r.figures.began())
        return began is not None and began < period.until

    async def _earlier(self, period: Period) -> Earlier:
        await self._once(period, "month", self._rule("publish", period))
        kept = await self._gate.following(lambda r: r.figures.get(period.name))
        assert kept is not None, "it was published just now"
        figures = parse(kept.document)
        told = {one.name: one.value for one in figures.figures} | dict(figures.told["records"])
        counts = {cell_of(name): count for name, count in kept.counts.items()}
        return Earlier(period.name, counts, told)

    async def _once(
        self, period: Period, kind: str, ask: Ask, earlier: Sequence[Earlier] = ()
    ) -> Published:
        kept = await self._gate.following(lambda r: r.figures.get(period.name))
        if kept is not None:
            return _published(kept)
        if not period.is_over(self._clock()):
            raise Invalid(
                f"{period.name} is not over", f"it can be published a day after {period.until:%F}"
            )
        # No account says that nothing was done while nobody was here to write it down.
        if not await self._had_begun(period):
            raise Invalid(
                f"the ledger had not begun by the end of {period.name}", "name a later one"
            )
        return await self._publish(period, kind, ask, earlier)

    async def _publish(
        self, period: Period, kind: str, ask: Ask, earlier: Sequence[Earlier] = ()
    ) -> Published:
        """Count, withhold, fix by an entry, keep."""
        counted = (
            await self._figures.count(self._rule("count", period), period.since, period.until)
        ).value
        counts = await self._counts(counted, period, earlier)
        public = await asyncio.to_thread(shown, counts, earlier)
        told = {
            **await self._told(period),
            "kind": kind,
            "records": dict(public.records),
            "few": list(public.few),
        }
        document = Figures(
            agency=self._agency.agency_id,
            since=time_of(period.since),
            until=time_of(period.until),
            first=counted.first,
            end=counted.end,
            figures=public.figures,
            told=told,
        ).document()
        at = self._clock()
        everything = {one.name: one.value for one in counts}

        async def keep(records: Rows, permit: int) -> None:
            await records.figures.keep(
                PublishedFigures(
                    period=period.name,
                    since=period.since,
                    until=period.until,
                    published_at=at,
                    permit=permit,
                    document=document,
                    counts=everything,
                )
            )

        permit = await self._figures.fix(ask, document, keep)
        return Published(period.name, at, permit, parse(document), document)

    async def _counts(
        self, counted: Counted, period: Period, earlier: Sequence[Earlier]
    ) -> list[Count]:
        """From the ledger; from the records what only they know. Of a year those are its months'
        together: the records of its first days may have ended."""
        alerts = await self._gate.following(lambda r: r.figures.alerts(period.since, period.until))
        agencies = [self._agency.agency_id, *sorted(self._agencies())]
        counts = counts_of(counted.tally, agencies, self._reasons, alerts)
        if not earlier:
            return counts
        return [
            one
            if one.where is not None
            else Count(one.cell, sum(each.counts.get(one.cell, 0) for each in earlier))
            for one in counts
        ]

    def _rule(self, what: str, period: Period) -> Ask:
        return system_ask(self._system, Thing.REPORT, f"{what} the figures of {period.name}")


def _published(kept: PublishedFigures) -> Published:
    figures = parse(kept.document)
    return Published(kept.period, kept.published_at, kept.permit, figures, kept.document)
