"""Lines to other agencies: who is linked, what is asked, and what an agreement lets flow.

Sums: a request over a link costs some 0.5 ms. Each partner's messages wait in queues of their own
beside the readers' connection, so one that floods fills only its own, and is not listened to for
a while then. With no partner there is no connection and nothing listens.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec
import nats
import nats.errors
from nats.aio.client import Client

from farolito.bus.accounts import Accounts
from farolito.bus.lane import BusDown
from farolito.bus.line_end import Clients, LineEnd, PartnerDown, Takers
from farolito.bus.lines import Line
from farolito.bus.system import System
from farolito.model import AgencyId, BusCard, FarolitoError, Invalid, Refused

log = logging.getLogger(__name__)

SETTLE_S_MAX = 5.0  # then whoever changes a line hears that the server could not be told
SETTLE_AGAIN_S = 0.05
RENEWAL_LOOKED_AT_S = 3_600.0


class Server(Protocol):
    """This node's own server; `app` gives it."""

    url: str
    address: str  # host:port where partners connect; empty: they cannot
    accounts: Accounts

    @property
    def ca_pem(self) -> str: ...

    @property
    def pin(self) -> str: ...

    def write(self) -> None:
        """Its configuration, as the lines are now."""

    def renew(self) -> bool:
        """Renew the line's certificate where it ends soon. Whether it did."""

    async def restart(self) -> None:
        """Return when it runs again with the configuration that is written."""


class PartnerBus:
    """`on_change` hears of a partner that is there (True), or is no longer."""

    def __init__(self, server: Server, clock: Callable[[], datetime]) -> None:
        self.on_change: list[Callable[[AgencyId, bool], None]] = []
        self._server = server
        self._accounts = server.accounts
        self._book = server.accounts.book
        self._clock = clock
        self._changing = asyncio.Lock()
        self._takers = Takers()
        self._ends: dict[AgencyId, LineEnd] = {}
        self._clients: Clients | None = None
        self._system: System | None = None
        self._settling: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect and listen, where there are partners. Raises BusDown."""
        async with self._changing:
            if self._book.lines:
                await self._connect()
                await self._settle()

    async def close(self) -> None:
        for task in (self._settling, self._renewing):
            if task is not None:
                task.cancel()
        for partner in list(self._ends):
            await self._ends.pop(partner).close()
        for client in self._clients or ():
            with suppress(nats.errors.Error):
                await client.close()
        if self._system is not None:
            await self._system.close()
        self._clients = self._system = None

    def serve(self, handler: Callable[[AgencyId, bytes], Awaitable[bytes]]) -> None:
        """Who answers what partners ask. It answers bytes, whatever came."""
        self._takers.ask = handler

    def serve_shares(self, handler: Callable[[AgencyId, str, bytes], Awaitable[bytes]]) -> None:
        """Who takes what partners let flow to us, by class; what it answers goes back."""
        self._takers.share = handler

    # ---- which partners there are

    @property
    def partners(self) -> frozenset[AgencyId]:
        return frozenset(self._book.lines)

    def card(self) -> BusCard:
        """Our end of a line to be, with fresh keys. Nothing connects by it until `add`."""
        account, user = self._accounts.new_ends()
        return BusCard(
            account=account.public,
            user=user.public,
            ca_pem=self._server.ca_pem,
            pin=self._server.pin,
            address=self._server.address,
        )

    async def add(self, partner: AgencyId, own: BusCard, theirs: BusCard) -> BusCard:
        """Make the line. What this answers is `own` as the partner needs it. `own` comes from
        `card()`. A line that was there before is replaced.

        Where `theirs` has an address and a leave (`user_jwt`), we connect to them; otherwise they
        to us, by the leave in the answer. Raises Invalid, FarolitoError where nobody listens,
        BusDown.
        """
        if partner == self._accounts.agency:
            raise Invalid("an agency is no partner of itself")
        line = Line(partner=partner, own=own, theirs=theirs)
        if not line.dials:
            if not self._server.address:
                raise FarolitoError(
                    f"neither this node nor that of {partner} can be connected to",
                    "give one of the two a port: [federation] port and address",
                )
            leave = self._accounts.leave(line, self._clock())
            line = msgspec.structs.replace(line, own=msgspec.structs.replace(own, user_jwt=leave))
        async with self._changing:
            before = self._book.lines.get(partner)
            if before is not None and before.own.account == own.account:
                line = msgspec.structs.replace(line, shares=before.shares)
            elif before is not None:
                await self._cut(before)
            self._book.keep(line)
            await self._put_in_force()
        return line.own

    async def remove(self, partner: AgencyId) -> None:
        """End the line: the partner's account here is deleted, and whoever is connected to it is
        cut off. Raises BusDown."""
        async with self._changing:
            line = self._book.lines.get(partner)
            if line is not None:
                await self._cut(line)
                await self._put_in_force()

    async def exports(self, partner: AgencyId, until: Mapping[str, datetime]) -> bool:
        """The classes that may flow to a partner from now on, all of them, each until its time.

        What is not named stops: in this node at once, at its server by the next claims. Whether
        the server has confirmed that; where it could not be asked it is told when it answers,
        and this node sends nothing meanwhile. Raises PartnerDown where there is no such line.
        """
        now = self._clock()
        ahead = {share_class: at for share_class, at in until.items() if at > now}
        self._book.keep(msgspec.structs.replace(self._line(partner), shares=ahead))
        async with self._changing:
            try:
                if self._system is None:
                    return False  # `start` tells it
                await self._tell(self._accounts.shares_jwt(now))
            except BusDown as error:
                log.error("what may flow to %s: %s", partner, error)
                self._settle_soon()
                return False
            finally:
                self._server.write()
        return True

    def shares(self, partner: AgencyId) -> Mapping[str, datetime]:
        """What may flow to a partner now."""
        now = self._clock()
        line = self._book.lines.get(partner)
        return {c: at for c, at in line.shares.items() if at > now} if line else {}

    def connected(self, partner: AgencyId) -> bool:
        """Whether its node answered within the last seconds."""
        end = self._ends.get(partner)
        return end is not None and end.is_there

    def dropped(self, partner: AgencyId) -> int:
        """How many of its messages were not taken because too many came at once."""
        end = self._ends.get(partner)
        return end.dropped if end else 0

    # ---- what travels

    async def request(self, partner: AgencyId, raw: bytes, timeout_s: float) -> bytes:
        """The partner's answer. Raises PartnerDown, Invalid where it is too long to travel."""
        return await self._end(partner).ask("ask", raw, timeout_s)

    async def share(
        self, partner: AgencyId, share_class: str, raw: bytes, timeout_s: float
    ) -> bytes:
        """Let a thing of this class flow; what the partner answers to it.

        Raises Refused ("not_exported") where no export is in force, PartnerDown, Invalid.
        """
        end = self._end(partner)
        if share_class not in self.shares(partner):
            raise Refused(
                "not_exported", f"{share_class} does not flow to {partner}", "agree on it first"
            )
        return await end.ask(f"share.{share_class}", raw, timeout_s)

    # ---- the server

    async def _put_in_force(self) -> None:
        """The server as the lines are now: by a reload where that is enough, started anew where
        it is not (2.15 takes no new port and no new pinned key while it runs)."""
        self._server.write()
        await self._connect()
        if not await self._reloaded():
            await self._server.restart()
        await self._settle()

    async def _reloaded(self) -> bool:
        assert self._system is not None
        return await self._system.reload()

    async def _connect(self) -> None:
        try:
            if self._clients is None:
                accounts = self._accounts
                own = await self._connected(accounts.credentials, "farolito-partners")
                shares = await self._connected(accounts.shares_credentials, "farolito-shares")
                self._clients = Clients(own, shares)
            if self._system is None:
                self._system = await System.connect(
                    self._server.url, self._accounts.system_credentials, self._on_return
                )
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise BusDown("the bus does not answer its own node", "see the nats log") from error
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew(), name="certificate of the line")
        for partner in self.partners - set(self._ends):
            end = LineEnd(partner, self._clients, self._takers, self._changed)
            self._ends[partner] = end
            await end.open()

    async def _connected(self, credentials: Path, name: str) -> Client:
        return await nats.connect(
            self._server.url,
            user_credentials=str(credentials),
            name=name,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.1,
            pending_size=64 * 2**20,
            error_cb=self._on_error,
        )

    async def _settle(self) -> None:
        """All claims as they are now, and no account besides. Partners' accounts twice: each of
        the two sides is held against the other's exports."""
        now = self._clock()
        partners = [self._accounts.partner_jwt(line, now) for line in self._book.lines.values()]
        own = (self._accounts.shares_jwt(now), self._accounts.agency_jwt(now))
        for jwt in (*partners, *own, *partners):
            await self._tell(jwt)
        assert self._system is not None
        if strays := await self._system.accounts() - self._accounts.known:
            await self._system.delete(self._accounts.deletion(sorted(strays), now))

    async def _tell(self, jwt: str) -> None:
        assert self._system is not None
        loop = asyncio.get_running_loop()
        ends = loop.time() + SETTLE_S_MAX
        while True:
            try:
                return await self._system.publish(jwt)
            except BusDown:
                if loop.time() > ends:
                    raise
            await asyncio.sleep(SETTLE_AGAIN_S)

    def _settle_soon(self) -> None:
        if self._settling is None or self._settling.done():
            self._settling = asyncio.create_task(self._until_settled(), name="settle the bus")

    async def _until_settled(self) -> None:
        while True:
            with suppress(BusDown):
                async with self._changing:
                    return await self._settle()

    async def _on_return(self) -> None:
        """The server was away: it is told again whatever it may have missed."""
        self._settle_soon()

    async def _on_error(self, error: Exception) -> None:
        """Connection trouble shows in `connected`; what the client threw away is counted."""
        if isinstance(error, nats.errors.SlowConsumerError):
            for end in self._ends.values():
                end.overflowed(error.sub)

    async def _cut(self, line: Line) -> None:
        """End a line in the book, here and at the server, in this order."""
        self._book.drop(line.partner)
        end = self._ends.pop(line.partner, None)
        if end is not None:
            await end.close()
        self._server.write()
        await self._connect()
        assert self._system is not None
        now = self._clock()
        await self._tell(self._accounts.shares_jwt(now))
        await self._tell(self._accounts.agency_jwt(now))
        await self._system.delete(self._accounts.deletion([line.own.account], now))
        self._accounts.forget(line.own)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEWAL_LOOKED_AT_S)
            try:
                await self.renew()
            except FarolitoError as error:
                log.error("the certificate of the line to partners: %s", error)

    async def renew(self) -> bool:
        """Renew the certificate of the line where it ends soon. Whether it was."""
        async with self._changing:
            if not self._server.renew():
                return False
            if not await self._reloaded():
                await self._server.restart()
        return True

    def _changed(self, partner: AgencyId, is_there: bool) -> None:
        for hear in self.on_change:
            hear(partner, is_there)

    def _line(self, partner: AgencyId) -> Line:
        line = self._book.lines.get(partner)
        if line is None:
            raise PartnerDown(f"there is no line to {partner}", "join with it first")
        return line

    def _end(self, partner: AgencyId) -> LineEnd:
        self._line(partner)
        end = self._ends.get(partner)
        if end is None:
            raise PartnerDown(f"the line to {partner} is not up yet", "it is tried again")
        return end
