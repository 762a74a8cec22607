"""What a node looks at again and again: late alarms, old lists, silent dispatch, the spool."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from farolito.app.list_desk import ListDesk
from farolito.app.surroundings import MapSurroundings
from farolito.audit import Ledger, Spool
from farolito.console.sockets import Hub, SilentSource
from farolito.desk import Desk, ShotDesk
from farolito.ingest.cad.heartbeat import Heartbeats
from farolito.model import DeviceId, FarolitoError

log = logging.getLogger(__name__)

ESCALATE_EVERY_S = 5.0
LISTS_EVERY_S = 5.0
SPOOL_EVERY_S = 10.0
DISPATCH_EVERY_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """The parts of the node that are looked at, and who is told."""

    desk: Desk
    list_desk: ListDesk
    hub: Hub
    heartbeats: Heartbeats
    surroundings: MapSurroundings
    ledger: Ledger
    spool: Spool
    clock: Callable[[], datetime]
    shots: ShotDesk | None = None

    def work(self) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        return {
            "escalation": self._escalate,
            "ages of lists": self._lists,
            "silent sources": self._dispatch,
            "spool": self._reconcile,
        }

    async def _escalate(self) -> None:
        while True:
            await asyncio.sleep(ESCALATE_EVERY_S)
            for desk in (self.shots, self.desk):
                try:
                    if desk is not None:
                        await desk.escalate()
                except Exception as why:
                    log.warning("escalation waits: %s", type(why).__name__)

    async def _lists(self) -> None:
        """A list older than its limit is an alarm on every desk, and once in the log."""
        known: set[str] = set()
        while True:
            self.hub.old_lists = tuple(self.list_desk.old())
            names = {one.name for one in self.hub.old_lists}
            for name in names - known:
                log.error("hot list %s is older than its limit", name)
            known = names
            await asyncio.sleep(LISTS_EVERY_S)

    async def _dispatch(self) -> None:
        """A dispatch system that fell silent is an alarm on every desk, and once in the log."""
        known: set[str] = set()
        while True:
            names = {d.device_id: d.name for d in self.surroundings.devices.values()}
            late = self.heartbeats.late(self.clock())
            self.hub.silent = tuple(
                SilentSource(names.get(DeviceId(name), name), int(seconds))
                for name, seconds in late
            )
            silent = {name for name, _ in late}
            for name in silent - known:
                log.error("dispatch system %s is silent", name)
            for name in known - silent:
                log.warning("dispatch system %s is back", name)
            known = silent
            await asyncio.sleep(DISPATCH_EVERY_S)

    async def _reconcile(self) -> None:
        while True:
            await asyncio.sleep(SPOOL_EVERY_S)
            if self.ledger.status().healthy:
                try:
                    await self.spool.reconcile(self.ledger)
                except FarolitoError as why:
                    log.warning("the spool waits: %s", why.says)
