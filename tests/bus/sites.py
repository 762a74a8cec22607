"""The bus of whole nodes, each with a real server of its own, linked as joining links them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nats
from nats.aio.client import Client

from farolito.app import nats as server_of
from farolito.app.config import Federation
from farolito.app.supervise import Supervisor
from farolito.bus import PartnerBus, PartnerDown
from farolito.model import AgencyId, BusCard

CITY = AgencyId("city-pd")
SHERIFF = AgencyId("county-so")
PUEBLO = AgencyId("pueblo-pd")


class Site:
    """One agency's server and its lines. `asked`, `shared`: what came, as it came."""

    def __init__(self, root: Path, agency: AgencyId, port: int = 0) -> None:
        self.agency = agency
        self.port = port
        self.state = root / agency
        self.state.mkdir(exist_ok=True)
        self.late = timedelta()
        self.asked: list[tuple[AgencyId, bytes]] = []
        self.shared: list[tuple[AgencyId, str, bytes]] = []
        self.supervisor = Supervisor()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.late

    async def start(self) -> None:
        where = Federation(host="127.0.0.1", port=self.port, address=f"127.0.0.1:{self.port}")
        federation = where if self.port else Federation()
        self.server = server_of.prepare(self.state, self.agency, 0, self.now, federation)
        self.server.supervisor = self.supervisor = Supervisor()
        await self.supervisor.start(server_of.child(self.server, self.state / "nats.log"))
        self.bus = PartnerBus(self.server, self.now)
        self.bus.serve(self.answer)
        self.bus.serve_shares(self.take)
        await self.bus.start()

    async def stop(self) -> None:
        await self.bus.close()
        await self.supervisor.stop()

    async def answer(self, partner: AgencyId, raw: bytes) -> bytes:
        self.asked.append((partner, raw))
        return b"%s answers %s" % (self.agency.encode(), raw)

    async def take(self, partner: AgencyId, share_class: str, raw: bytes) -> bytes:
        self.shared.append((partner, share_class, raw))
        return b"%s has it" % self.agency.encode()

    async def client(self, credentials: Path | None = None) -> Client:
        """A bare client in the node's own account: what software on the node could try."""
        return await nats.connect(
            self.server.url,
            user_credentials=str(credentials or self.server.credentials),
            allow_reconnect=False,
            error_cb=_quiet,
        )

    def kill(self) -> None:
        """End the server as a power cut of its process would; the supervisor starts it again."""
        os.kill(self._pid(), signal.SIGKILL)

    async def halt(self) -> None:
        """Let the server stand still: connections stay, nothing answers. A thread that runs on
        another core goes on until it is told, so that is waited for."""
        os.kill(self._pid(), signal.SIGSTOP)
        threads = Path(f"/proc/{self._pid()}/task")
        await until(lambda: all(_state(one) == "T" for one in threads.iterdir()))

    def go_on(self) -> None:
        os.kill(self._pid(), signal.SIGCONT)

    def _pid(self) -> int:
        return self.supervisor.status()[0].pid

    def log(self) -> str:
        return (self.state / "nats.log").read_text(errors="replace")


def _state(thread: Path) -> str:
    """As proc(5) has it: T, stopped on a signal."""
    return (thread / "stat").read_text().rpartition(") ")[2][0]


async def link(listens: Site, dials: Site) -> tuple[BusCard, BusCard]:
    """As joining does it: a card each way, and both are up. The two cards as they went over."""
    theirs = dials.bus.card()
    ours = await listens.bus.add(dials.agency, listens.bus.card(), theirs)
    await dials.bus.add(listens.agency, theirs, ours)
    await until(lambda: listens.bus.connected(dials.agency))
    await until(lambda: dials.bus.connected(listens.agency))
    return ours, theirs


async def until(is_so: Callable[[], bool], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not is_so():
            await asyncio.sleep(0.005)


async def asked_until_answered(site: Site, partner: AgencyId) -> bytes:
    async with asyncio.timeout(15):
        while True:
            try:
                return await site.bus.request(partner, b"again", 1)
            except PartnerDown:
                await asyncio.sleep(0.01)


async def _quiet(error: Exception) -> None:
    """A test looks at what comes, not at the client's complaints."""
