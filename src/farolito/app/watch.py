"""What happened at the doors: counted in memory, kept in the store every moment.

Counting never delays a sender. Dead letters wait in a bounded queue; at the limit the newest are
counted but their bytes are let go.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import asyncpg

from farolito.ingest import avl, cad
from farolito.ingest.gunshot import farolito as sensors
from farolito.ingest.gunshot import vendor
from farolito.ingest.lpr import FORMATS
from farolito.model import AgencyId, Device, PlateRead, Rejected
from farolito.store import Database
from farolito.store.database import AWAY
from farolito.store.sources import HEAD_BYTES_MAX, DeadLetter, SourceCount, Sources

log = logging.getLogger(__name__)

KEEP_EVERY_S = 1.0
LETTERS_WAITING_MAX = 1_000
UNKNOWN = "unknown"  # whoever came without a key, or with a format that nobody speaks
SAYS_CHARACTERS_MAX = 500
_KNOWN = (
    frozenset(FORMATS) | avl.NAMES | frozenset(cad.FORMATS) | {"folder", vendor.NAME, sensors.NAME}
)


@dataclass
class _Tally:
    last_heard_at: datetime
    reads: int = 0
    duplicates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)


class Watch:
    """Told by the doors and the pipeline; read by the health page."""

    def __init__(
        self,
        database: Database,
        agency: AgencyId,
        ids: Callable[[], UUID],
        letters_kept: int,
    ) -> None:
        self._database = database
        self._agency = agency
        self._ids = ids
        self._letters_kept = letters_kept
        self._tallies: dict[tuple[str, str], _Tally] = {}
        self._letters: deque[DeadLetter] = deque()
        self.letters_let_go = 0

    def heard(self, device: Device, format_: str, reads: int, at: datetime) -> None:
        self._tally(device.device_id, format_, at).reads += reads

    def duplicate(self, read: PlateRead) -> None:
        self._tally(read.reader, read.source, read.received_at).duplicates += 1

    def rejected(
        self, device: Device | None, format_: str, why: Rejected, body: bytes, at: datetime
    ) -> None:
        name = device.device_id if device else UNKNOWN
        if format_ not in _KNOWN:  # words that a stranger chose would be rows without end
            format_ = UNKNOWN
        self._tally(name, format_, at).rejected[why.reason] += 1
        if len(self._letters) >= LETTERS_WAITING_MAX:
            self.letters_let_go += 1
            return
        self._letters.append(
            DeadLetter(
                letter_id=self._ids(),
                device_id=name,
                at=at,
                format=format_,
                reason=why.reason,
                says=_storable(why.says),
                size=len(body),
                head=body[:HEAD_BYTES_MAX],
            )
        )

    async def run(self) -> None:
        """Keep what was counted, until cancelled."""
        while True:
            await asyncio.sleep(KEEP_EVERY_S)
            await self.keep()

    async def keep(self) -> None:
        """Write the tallies and letters; what cannot be written waits for the next time."""
        tallies, self._tallies = self._tallies, {}
        letters = [self._letters.popleft() for _ in range(len(self._letters))]
        if not tallies and not letters:
            return
        counts = [
            SourceCount(
                device_id=device,
                format=format_,
                last_heard_at=tally.last_heard_at,
                reads=tally.reads,
                duplicates=tally.duplicates,
                rejected=dict(tally.rejected),
            )
            for (device, format_), tally in tallies.items()
        ]
        try:
            async with self._database.transaction(self._agency) as connection:
                sources = Sources(connection, self._agency)
                await sources.count(counts)
                if letters:
                    await sources.bury(letters)
                    await sources.trim_dead(self._letters_kept)
        except (*AWAY, asyncpg.PostgresError) as why:
            log.warning("figures of the sources wait: %s", type(why).__name__)
            self._letters.extendleft(reversed(letters))
            for key, tally in tallies.items():
                self._merge(key, tally)

    def _merge(self, key: tuple[str, str], tally: _Tally) -> None:
        now = self._tallies.setdefault(key, _Tally(tally.last_heard_at))
        now.reads += tally.reads
        now.duplicates += tally.duplicates
        now.rejected.update(tally.rejected)

    def _tally(self, device: str, format_: str, at: datetime) -> _Tally:
        tally = self._tallies.get((device, format_))
        if tally is None:
            tally = self._tallies[device, format_] = _Tally(at)
        tally.last_heard_at = max(tally.last_heard_at, at)
        return tally


def _storable(says: str) -> str:
    """What a text column can hold: a message may have brought a zero byte or half a character."""
    whole = says[:SAYS_CHARACTERS_MAX].encode("utf-8", "replace").decode()
    return whole.replace("\0", "\ufffd")
