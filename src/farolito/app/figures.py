"""Gathers what the health page shows."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from farolito.app import health
from farolito.app.cameras import Cameras
from farolito.app.config import Config
from farolito.app.pipeline import Pipeline
from farolito.app.positions import Positions
from farolito.app.shots import Shots
from farolito.app.supervise import Supervisor
from farolito.app.watch import Watch
from farolito.audit import Ledger, Spool
from farolito.briefing import Words
from farolito.bus import Bus, BusDown
from farolito.console.sockets import Hub
from farolito.identity import Identity
from farolito.policy import StatePack
from farolito.store import Database, Records, hot_lists


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The parts of the node that are asked."""

    config: Config
    supervisor: Supervisor
    database: Database
    bus: Bus
    pipeline: Pipeline
    identity: Identity
    ledger: Ledger
    spool: Spool
    pack: StatePack
    watch: Watch
    hub: Hub
    positions: Positions
    words: Words
    shots: Shots
    cameras: Cameras
    federation: Callable[[], Awaitable[Sequence[health.Finding]]]
    clock: Callable[[], datetime]
    started_at: datetime

    def disk_full(self) -> str | None:
        """Why the doors are closed, or None. Nothing durable is promised on a full disk."""
        free_gb = shutil.disk_usage(self.config.state).free / 1e9
        if free_gb >= self.config.limits.disk_free_gb_min:
            return None
        return f"the disk has {free_gb:.1f} GB free"

    async def report(self) -> Mapping[str, Any]:
        agency = self.config.own_agency.agency_id
        first, last = await self._stream()
        now = self.clock()
        async with self.database.transaction(agency) as connection:
            sources = await Records(connection, agency).sources.health()
            lists = await hot_lists.summaries(connection, now)
        return health.report(
            health.Facts(
                at=now,
                started_at=self.started_at,
                children=self.supervisor.status(),
                is_bus_connected=self.bus.is_connected,
                stream_first=first,
                stream_last=last,
                position=self.pipeline.position,
                recorded=self.pipeline.recorded,
                raised=self.pipeline.raised,
                judged_p99_ms=self._judged_p99_ms(),
                devices=await self.identity.devices(),
                sources=sources,
                lists=[(s.hot_list, s.rows) for s in lists],
                ledger=self.ledger.status(),
                spool_waiting=self.spool.waiting,
                spool_damaged=self.spool.damaged,
                law=self.pack.law,
                unverified_law=self.pack.unverified,
                letters_let_go=self.watch.letters_let_go,
                state=self.config.state,
                disk_free_gb_min=self.config.limits.disk_free_gb_min,
                sockets=self.hub.sockets,
                silent_cads=[(one.name, one.seconds) for one in self.hub.silent],
                positions={"heard": self.positions.heard, **self.positions.counts},
                words_problems=[why.says for why in self.words.problems],
                sound=self.shots.health(),
                cameras=self.cameras.health(),
                federation=await self.federation(),
            )
        )

    async def _stream(self) -> tuple[int, int]:
        try:
            return await self.bus.reads.waiting()
        except BusDown:
            return 0, self.pipeline.position

    def _judged_p99_ms(self) -> float | None:
        latencies = sorted(self.pipeline.latencies_s)
        if not latencies:
            return None
        return round(latencies[int(len(latencies) * 0.99)] * 1000, 1)
