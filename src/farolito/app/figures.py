"""Gathers what the health page shows."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import nats.errors

from farolito.app import health
from farolito.model import FarolitoError
from farolito.store import Records, hot_lists

if TYPE_CHECKING:
    from farolito.app.build import Node


class Figures:
    def __init__(self, node: Node) -> None:
        self._node = node

    def disk_full(self) -> str | None:
        """Why the doors are closed, or None. Nothing durable is promised on a full disk."""
        free_gb = shutil.disk_usage(self._node.state).free / 1e9
        if free_gb >= self._node.config.limits.disk_free_gb_min:
            return None
        return f"the disk has {free_gb:.1f} GB free"

    async def report(self) -> Mapping[str, Any]:
        node = self._node
        agency = node.agency.agency_id
        first, last = await self._stream()
        now = node.now()
        async with node.database.transaction(agency) as connection:
            sources = await Records(connection, agency).sources.health()
            lists = await hot_lists.summaries(connection, now)
        return health.report(
            health.Facts(
                at=now,
                children=node.supervisor.status(),
                is_bus_connected=node.bus.is_connected,
                stream_first=first,
                stream_last=last,
                position=node.pipeline.position,
                recorded=node.pipeline.recorded,
                raised=node.pipeline.raised,
                judged_p99_ms=self._judged_p99_ms(),
                devices=await node.identity.devices(),
                sources=sources,
                lists=[(s.hot_list, s.rows) for s in lists],
                ledger=node.ledger.status(),
                letters_let_go=node.watch.letters_let_go,
                state=node.state,
                disk_free_gb_min=node.config.limits.disk_free_gb_min,
                sockets=node.hub.sockets,
            )
        )

    async def _stream(self) -> tuple[int, int]:
        try:
            return await self._node.bus.waiting()
        except (nats.errors.Error, FarolitoError, TimeoutError):
            return 0, self._node.pipeline.position

    def _judged_p99_ms(self) -> float | None:
        latencies = sorted(self._node.pipeline.latencies_s)
        if not latencies:
            return None
        return round(latencies[int(len(latencies) * 0.99)] * 1000, 1)
