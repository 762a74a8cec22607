"""A node: its rooms made, its background work begun, its doors opened, and all of it ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from farolito.app import doors
from farolito.app.clock import now
from farolito.app.collector import spare_the_collector
from farolito.app.doors import DoorProcess
from farolito.app.for_screens import services_of
from farolito.app.rooms import NodeRooms
from farolito.app.rounds import Rounds
from farolito.app.web import Web
from farolito.console import make_app

log = logging.getLogger(__name__)

CANCELLED_AGAIN_S = 5.0


class Node(NodeRooms):
    """A running node. `start` makes it, `stop` ends every process it began."""

    async def start(self) -> None:
        """Engines, rooms, background work, then the doors. Raises FarolitoError with what to do."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Doors first, engines last; nothing is left behind."""
        self._accepting = False
        await self._stack.aclose()

    async def wait(self) -> None:
        """Return when a part of the node has ended that should not."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            log.error("%s ended; the node stops", task.get_name())
            task.result()

    async def _start(self) -> None:
        await self._engines()
        await self._rooms()
        for name, work in self._work().items():
            self._begin(name, work)
        await self._web()
        await self.outgoing.start()
        await self.federation.start()
        await self._doors()
        if not self.demo:  # a practice metro furnishes its neighbours first
            await self.hosting.start_all()
        spare_the_collector()

    def _work(self) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        rounds = Rounds(
            desk=self.desk,
            list_desk=self.list_desk,
            hub=self.hub,
            heartbeats=self.incoming.heartbeats,
            surroundings=self.surroundings,
            ledger=self.ledger,
            spool=self.spool,
            clock=now,
            shots=self.shots.desk,
        )
        return {
            "pipeline": self.pipeline.run,
            "live feed": self.hub.run,
            "live positions": self.hub.run_positions,
            "positions": self.positions.run,
            "source figures": self.watch.run,
            "briefs": self.briefing.complete,
            "arrival times": self.ways.run,
            "retention": self.retention.run,
            **rounds.work(),
            **self.incoming.work(self.door),
            **self.shots.work(),
            **self.cameras.work(),
            **self.outgoing.work(),
            **self.federation.work(),
            "public figures": self.public.run,
            **self.reviews.work(),
        }

    def _begin(self, name: str, work: Callable[[], Awaitable[Any]]) -> None:
        task = asyncio.ensure_future(work())
        if isinstance(task, asyncio.Task):
            task.set_name(name)
        self._tasks.append(task)

        async def end() -> None:
            # Until Python 3.12 a wait that ends in the moment of its cancellation swallows it.
            while not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=CANCELLED_AGAIN_S)

        self._stack.push_async_callback(end)

    async def _web(self) -> None:
        app = make_app(services_of(self))
        door = self.door

        async def dispatch(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http" and scope["path"].startswith("/ingest/"):
                await door(scope, receive, send)
            else:
                await app(scope, receive, send)

        node = self.config.node
        web = await Web.start(dispatch, node.host, node.port, "on")
        self._tasks.append(web.serving)
        self._stack.push_async_callback(web.stop)

    async def _doors(self) -> None:
        """Doors of their own, where the configuration asks for them."""
        node = self.config.node
        for port in node.door_ports:
            told = DoorProcess(
                agency=self.agency.agency_id,
                dsn=self.dsn,
                bus_url=self.engines.bus_url,
                bus_credentials=str(self.engines.bus_credentials),
                host=node.host,
                port=port,
                letters_kept=self.config.limits.dead_letters,
            )
            await self.supervisor.start(doors.child(told, self.state))
