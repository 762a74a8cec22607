"""What is kept ends: once an hour, by deletion, with the counts in the ledger."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import asyncpg
import msgspec

from farolito.audit import Ledger, LedgerDown
from farolito.gate import Gate, Records, system_ask
from farolito.media import Pictures
from farolito.model import Agency, Clip, FarolitoError, Person, Thing
from farolito.policy import StatePack
from farolito.store import Database, hot_lists, reads
from farolito.store.database import AWAY

log = logging.getLogger(__name__)

EVERY_S = 3600.0
FEED_KEPT = timedelta(days=2)
MARKS_KEPT = timedelta(days=30)  # of what a CAD sent: older files are not handed in again
COUNTS_KEPT = timedelta(days=400)  # of who asked us: the yearly report, and a month to write it
APPROVALS_KEPT = timedelta(days=30)  # of wide searches, after they expired; the ledger has them
ROWS_KEPT = timedelta(days=90)  # entries that left their list; alerts keep their own copy


class Keeping(msgspec.Struct, frozen=True):
    """Days that each class is kept: the agency's own limit, or the law's where that is shorter."""

    reads: int
    hits: int  # alerts with their briefs, receipts, pictures and sound; shots and misses
    calls: int  # calls and the incidents they became, with their logs, briefs and answers
    ledger: int  # its personal values, and who watched which camera; the entries themselves stay
    clips: int = 365  # clips of no case; those of a case stay as long as hits

    @classmethod
    def of(cls, agency: Agency, pack: StatePack, clips: int = 365) -> Keeping:
        law = pack.retention
        reads_days, hits_days = agency.keep_reads.days, agency.keep_hits.days
        return cls(
            reads=min(reads_days, law.reads_days_max or reads_days),
            hits=min(hits_days, law.hits_days_max or hits_days),
            calls=agency.keep_calls.days,
            ledger=max(agency.keep_ledger.days, law.ledger_days_min),
            clips=clips,
        )


async def _drop_none(_: Sequence[Clip]) -> None:
    return None


class Retention:
    def __init__(  # noqa: PLR0913 - wired once, by build
        self,
        database: Database,
        pictures: Pictures,
        ledger: Ledger,
        gate: Gate,
        system: Person,
        keeping: Keeping,
        clock: Callable[[], datetime],
        forget_sign_ins: Callable[[], Awaitable[int]],
        drop_clips: Callable[[Sequence[Clip]], Awaitable[None]] = _drop_none,
    ) -> None:
        self._database = database
        self._pictures = pictures
        self._ledger = ledger
        self._gate = gate
        self._system = system
        self.keeping = keeping
        self._clock = clock
        self._forget_sign_ins = forget_sign_ins
        self._drop_clips = drop_clips

    async def run(self) -> None:
        while True:
            try:
                await self.once()
            except (*AWAY, asyncpg.PostgresError, FarolitoError) as why:
                log.warning("retention waits an hour: %s", type(why).__name__)
            await asyncio.sleep(EVERY_S)

    async def once(self) -> int:
        """Delete what is past its time; answers how many reads went.

        Raises LedgerDown, and deletes nothing, while the counts could not be written down.
        """
        ledger = self._ledger.status()
        if not ledger.healthy:
            raise LedgerDown(ledger.says, ledger.do)
        now = self._clock()
        reads_end = (now - timedelta(days=self.keeping.reads)).date()
        hits_end = (now - timedelta(days=self.keeping.hits)).date()
        calls_end = (now - timedelta(days=self.keeping.calls)).date()
        clips_of_case = now - timedelta(days=self.keeping.hits)
        clips_end = now - timedelta(days=self.keeping.clips)
        ledger_end = now - timedelta(days=self.keeping.ledger)
        async with self._database.system() as connection:
            gone = await reads.drop_before(connection, reads_end)
        pictures = await asyncio.to_thread(self._pictures.drop_before, reads_end, hits_end)
        values = await self._ledger.destroy_salts(ledger_end)
        await self._forget_sign_ins()

        async with self._database.transaction(self._gate.owner) as connection:
            records = Records(connection, self._gate.owner)
            await records.feed.trim(now - FEED_KEPT)
            hits = await records.alerts.end_before(reads_end, hits_end)
            shots = await records.shots.end_before(hits_end)
            await records.feed.hold()
            incidents = await records.incidents.end_before(calls_end)
            calls = await records.calls.end_before(calls_end)
            clips = await records.clips.end_before(clips_of_case, clips_end)
            await records.calls.forget_marks(now - MARKS_KEPT)
            viewings = await records.viewings.end_before(ledger_end)
            counts = await records.envelopes.end_before((now - COUNTS_KEPT).date())
            approvals = await records.approvals.end_before(now - APPROVALS_KEPT)
            rows = await hot_lists.forget_removed(connection, self._gate.owner, now - ROWS_KEPT)
        await self._drop_clips(clips)
        await self._tell(
            {
                f"reads before {reads_end}": gone,
                f"hits before {hits_end}": hits,
                f"shots and misses before {hits_end}": shots,
                f"incidents before {calls_end}": incidents,
                f"calls before {calls_end}": calls,
                "pictures": pictures,
                "clips": len(clips),
                "personal values of the ledger": values,
                f"viewings before {ledger_end:%F}": viewings,
                "rows of lists": rows,
                "counts of other agencies' questions": counts,
                "approvals of searches": approvals,
            }
        )
        return gone

    async def _tell(self, deleted: Mapping[str, int]) -> None:
        """What went, in the ledger, where anything did."""
        if not any(deleted.values()):
            return

        async def nothing_more(records: Records, permit: int) -> None:
            return None

        query = "retention: " + ", ".join(f"{n} {what}" for what, n in deleted.items()) + " deleted"
        await self._gate.act(system_ask(self._system, Thing.PLATE_READ, query), nothing_more)
