"""The steps a read goes through, in order, each with its reason.

1. Recognise: a read told before is dropped, by its id, so a sender may repeat itself freely.
   One made on a partner nation's land is the nation's: it waits to be handed over, and unless the
   nation lets us have it, none of the further steps sees it.
2. Probe: is any listed row worth judging against it? Nearly always no, in microseconds.
3. Judge: the full chain of checks, with how often each look-alike is seen here.
4. Raise or keep: leads and possible ones reach the desk, stopped ones are kept with reasons.
5. Record: rows and stream position in one transaction, which ends only when step 4 has.

Steps 4 and 5 run side by side: an alert does not wait for the store, and the position does not
move past a read whose alert is not durable. After a crash the stream is read again from the
position; the same reads give the same alerts, which the desk recognises.

Sums: 50,000 reads/s in one process leave 20 µs a read: decode 1, recognise 0.3, probe 1–3, pack 3,
COPY about 8 in the server's own process.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg

from farolito.app.handing_over import Handed, HandingOver
from farolito.app.index import ListIndex
from farolito.app.late_pictures import LatePictures
from farolito.bus import Bus, Delivery, ReadBatch
from farolito.desk import Desk
from farolito.media import Pictures
from farolito.model import FarolitoError, HotListEntry, Match, PlateRead, Standing
from farolito.plates import Fleet, Traffic, judge, shape, strings_that_matter
from farolito.store import Database, reads
from farolito.store.database import AWAY

log = logging.getLogger(__name__)

CONSUMER = "pipeline"
REMEMBERED_MAX = 500_000  # ids of the newest reads; an older repeat would be stored twice
RETRY_WAIT_S = 0.5
FORGET_EVERY_S = 10.0
COUNT_EVERY_S = 300.0
LATENCIES_KEPT = 10_000


class Remembered:
    """The ids of the newest reads, in two generations so that forgetting costs nothing."""

    def __init__(self, ids: Iterable[bytes], limit: int = REMEMBERED_MAX) -> None:
        self._half = limit // 2
        self._new: set[bytes] = set()
        self._old: set[bytes] = set()
        for known in ids:
            self.add(known)

    def __contains__(self, read_id: bytes) -> bool:
        return read_id in self._new or read_id in self._old

    def add(self, read_id: bytes) -> None:
        self._new.add(read_id)
        if len(self._new) >= self._half:
            self._old, self._new = self._new, set()


class Pipeline:
    """One consumer of one agency's reads. It may be killed at any moment."""

    def __init__(  # noqa: PLR0913 - wired once, by build
        self,
        database: Database,
        bus: Bus,
        desk: Desk,
        pictures: Pictures,
        late_pictures: LatePictures,
        lists: ListIndex,
        clock: Callable[[], datetime],
        duplicates: Callable[[PlateRead], None],
    ) -> None:
        self._database = database
        self._bus = bus
        self._desk = desk
        self._pictures = pictures
        self._late_pictures = late_pictures
        self._lists = lists
        self._clock = clock
        self._duplicates = duplicates
        self._readers = reads.Readers()
        self._remembered = Remembered([])
        self._days: set[date] = set()
        self._total = 0
        self._fleet = Fleet()
        self.handing_over: HandingOver | None = None  # None: no nation is known
        self.position = 0
        self.recorded = 0
        self.raised = 0  # alerts, and joinings of one
        self.latencies_s: deque[float] = deque(maxlen=LATENCIES_KEPT)  # received → judged

    async def run(self) -> None:
        """Work until cancelled. The database or the bus away is waited out, never skipped."""
        while True:
            try:
                await self._resume()
                await self._follow()
            except (*AWAY, asyncpg.PostgresError, FarolitoError) as why:
                log.warning("pipeline waits and starts again: %s", type(why).__name__)
                await asyncio.sleep(RETRY_WAIT_S)

    async def _resume(self) -> None:
        async with self._database.system() as connection:
            self.position = await reads.position(connection, CONSUMER)
            known = await reads.recent_ids(connection, REMEMBERED_MAX)
            self._total = await reads.estimated_total(connection)
        self._remembered = Remembered(known)
        last = (await self._bus.reads.waiting())[1]
        if self.position > last:
            # The position is of another stream: the records came from a backup, or the bus lost
            # its disk. What this one holds is new, and repeats are recognised.
            log.warning("the bus begins anew; so does the reading of it")
            self.position = 0

    async def _follow(self) -> None:
        forgotten = counted = asyncio.get_running_loop().time()
        async for deliveries in self._bus.reads.after(self.position):
            await self._work(deliveries)
            now = asyncio.get_running_loop().time()
            if now - counted > COUNT_EVERY_S:
                await self._count_fleet()
                counted = now
            if now - forgotten > FORGET_EVERY_S:
                await self._bus.reads.forget(self.position)
                forgotten = now

    async def _work(self, deliveries: Sequence[Delivery[ReadBatch]]) -> None:
        fresh = self._recognise(deliveries)
        handed, withheld = self._by_land(deliveries)
        new = fresh
        fresh = [read for read in new if read.read_id not in withheld] if withheld else new
        await self._keep_pictures(deliveries, withheld)
        judging = asyncio.create_task(self._judge_all(fresh))
        try:
            await self._record(fresh, deliveries[-1].sequence, judging, handed, new)
        finally:
            if not judging.done():
                judging.cancel()
        if handed and self.handing_over is not None:
            self.handing_over.durable(handed)
        for read in new:
            self._remembered.add(read.read_id.bytes)
        self.position = deliveries[-1].sequence
        self._total += len(fresh)
        self.recorded += len(fresh)

    def _recognise(self, deliveries: Sequence[Delivery[ReadBatch]]) -> list[PlateRead]:
        fresh: dict[bytes, PlateRead] = {}
        for delivery in deliveries:
            for read in delivery.batch.reads:
                key = read.read_id.bytes
                if key in self._remembered or key in fresh:
                    self._duplicates(read)
                else:
                    fresh[key] = read
        return list(fresh.values())

    def _by_land(self, deliveries: Sequence[Delivery[ReadBatch]]) -> tuple[Handed, frozenset[UUID]]:
        """What belongs to which nation, and which of it we may not have."""
        if self.handing_over is None:
            return {}, frozenset()
        return self.handing_over.sort(deliveries)

    async def _keep_pictures(
        self, deliveries: Sequence[Delivery[ReadBatch]], withheld: frozenset[UUID]
    ) -> None:
        """Each picture under the day of the read that names it, where it is looked for."""
        for delivery in deliveries:
            sent = delivery.batch.pictures
            by_day: dict[date, dict[str, bytes]] = {}
            for read in delivery.batch.reads if sent else ():
                if read.read_id in withheld:
                    continue
                day = by_day.setdefault(read.captured_at.astimezone(UTC).date(), {})
                day.update((p.sha256, sent[p.sha256]) for p in read.pictures if p.sha256 in sent)
            for day_, pictures in by_day.items():
                await asyncio.to_thread(self._pictures.keep, day_, pictures)

    async def _judge_all(self, fresh: Sequence[PlateRead]) -> None:
        index = self._lists.index
        pairs = [(read, entry) for read in fresh for entry in index.probe_read(read)]
        now = self._clock()
        self.latencies_s.extend((now - read.received_at).total_seconds() for read in fresh[:20])
        if not pairs:
            return
        matches = await self._judge_pairs(pairs, now)
        for match in matches:
            if match.standing is not Standing.STOPPED:
                alert = await self._desk.raise_match(match)
                await self._hold_pictures(match.read)
                if alert is not None:
                    self.raised += 1
                    self._late_pictures.want(alert)
        stopped = [m for m in matches if m.standing is Standing.STOPPED]
        if stopped:
            await self._desk.keep_stopped(stopped)

    async def _hold_pictures(self, read: PlateRead) -> None:
        """What an alert shows is kept as long as the alert."""
        names = [picture.sha256 for picture in read.pictures]
        if names:
            day = read.captured_at.astimezone(UTC).date()
            await asyncio.to_thread(self._pictures.hold, day, names)

    async def _judge_pairs(
        self, pairs: Sequence[tuple[PlateRead, HotListEntry]], now: datetime
    ) -> list[Match]:
        """Each pair judged, with how often every text that could be the truth was read lately."""
        plates = {text for read, entry in pairs for text in strings_that_matter(read, entry)}
        agency = pairs[0][0].agency
        async with self._database.system() as connection:
            counts = await reads.seen_counts(connection, agency, plates)
        traffic = Traffic(
            seen={plate: sum(states.values()) for plate, states in counts.items()},
            total=self._total,
            states={
                plate: {state: n for state, n in states.items() if state is not None}
                for plate, states in counts.items()
            },
            fleet=self._fleet,
        )
        lists = self._lists.lists
        return [judge(read, entry, lists[entry.list_id], traffic, now) for read, entry in pairs]

    async def _count_fleet(self) -> None:
        """Which states and plate shapes pass here; asked anew every few minutes."""
        async with self._database.system() as connection:
            self._total = max(self._total, await reads.estimated_total(connection))
            sample = await reads.sampled_plates(connection, self._total)
        counted = Counter((state, shape(plate)) for state, plate in sample)
        self._fleet = Fleet.counted((state, form, n) for (state, form), n in counted.items())

    async def _record(
        self, fresh: Sequence[PlateRead], sequence: int, judging: asyncio.Task[None],
        handed: Handed, new: Sequence[PlateRead],
    ) -> None:  # fmt: skip
        await self._partitions(fresh)
        # In a transaction of its own: what is remembered here must outlive a rolled-back COPY.
        async with self._database.system() as connection:
            wanted = {(read.agency, read.reader) for read in fresh}
            learnt = await self._readers.learn(connection, wanted)
        self._readers.remember(learnt)
        async with self._database.system() as connection:
            if fresh:
                await reads.copy(connection, reads.pack(fresh, self._readers))
            if handed and self.handing_over is not None:
                await self.handing_over.record(connection, handed, new)
            await judging
            await reads.advance(connection, CONSUMER, sequence)

    async def _partitions(self, fresh: Sequence[PlateRead]) -> None:
        """A partition for today and tomorrow; reads of other days go where they find place."""
        today = self._clock().date()
        if today in self._days:
            return
        async with self._database.system() as connection:
            ahead = today + timedelta(days=reads.PARTITIONS_AHEAD_DAYS)
            await reads.make_partitions(connection, today - timedelta(days=1), ahead)
        self._days.add(today)
