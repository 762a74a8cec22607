"""Our end of the line to one partner: what is asked, what flows, and whether they are there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from farolito.bus.crossing import MESSAGE_BYTES_MAX, came, to
from farolito.model import AgencyId, Away, Invalid

log = logging.getLogger(__name__)

RAW_BYTES_MAX = MESSAGE_BYTES_MAX - 4_096  # what is left beside a message's head
WAITING_MAX = 512  # messages of one kind; past it the partner is not listened to for PAUSE_S
WAITING_BYTES_MAX = 32 * 2**20
A_SECOND_MAX = 2_000  # likewise
AT_ONCE_MAX = 32  # messages in work
PAUSE_S = 1.0
AGAIN_S = 0.05
BEAT_S = 1.0  # how often a partner's node is asked whether it is there
BEAT_WAIT_S = 3.0  # then it is held to be away

Take = Callable[[Msg], Awaitable[None]]


class PartnerDown(Away):
    """Nothing came back: the partner, or the line to it, is down."""


class Takers:
    """Who takes what comes, for all lines."""

    def __init__(self) -> None:
        self.ask: Callable[[AgencyId, bytes], Awaitable[bytes]] = _nobody
        self.share: Callable[[AgencyId, str, bytes], Awaitable[bytes]] = _nobody_shares


class Clients(NamedTuple):
    """The node's connections: in its own account, and where things flow to partners from."""

    node: Client
    shares: Client


class LineEnd:
    """`on_change` hears of a partner that is there (True), or is no longer."""

    def __init__(
        self,
        partner: AgencyId,
        clients: Clients,
        takers: Takers,
        on_change: Callable[[AgencyId, bool], None],
    ) -> None:
        self.partner = partner
        self.is_there = False
        self.dropped = 0  # messages not taken because too many came at once
        self._client = clients.node
        self._shares = clients.shares
        self._takers = takers
        self._on_change = on_change
        self._heard: list[Subscription] = []
        self._working: set[asyncio.Task[None]] = set()
        self._at_once = asyncio.Semaphore(AT_ONCE_MAX)
        self._beating: asyncio.Task[None] | None = None
        self._pausing: asyncio.Task[None] | None = None
        self._second, self._this_second = 0, 0

    async def open(self) -> None:
        await self._listen()
        self._beating = asyncio.create_task(self._beat(), name=f"beat {self.partner}")

    async def close(self) -> None:
        for task in (self._beating, self._pausing, *self._working):
            if task is not None:
                task.cancel()
        await self._unlisten()
        self._tell(is_there=False)

    async def ask(self, what: str, raw: bytes, timeout_s: float) -> bytes:
        """The partner's answer. Raises PartnerDown, also where the server lets a class flow no
        more; Invalid where it is too long to travel."""
        _fits(raw)
        try:
            return await self._request(what, raw, timeout_s)
        except nats.errors.NoRespondersError:
            pass
        # While claims are put in force the server takes imports away and back, within moments.
        if self.is_there:
            await asyncio.sleep(AGAIN_S)
            with suppress(nats.errors.NoRespondersError):
                return await self._request(what, raw, timeout_s)
        raise PartnerDown(f"the line to {self.partner} is down", "it comes back by itself")

    async def _request(self, what: str, raw: bytes, timeout_s: float) -> bytes:
        client = self._shares if what.startswith("share.") else self._client
        if not client.is_connected:
            raise PartnerDown("the bus of this node is away", "it comes back by itself")
        try:
            answer = await client.request(to(self.partner, what), raw, timeout=timeout_s)
        except nats.errors.NoRespondersError:
            raise
        except (nats.errors.Error, TimeoutError) as error:
            raise PartnerDown(f"{self.partner} does not answer", "it is tried again") from error
        return bytes(answer.data)

    def overflowed(self, subscription: Subscription | None) -> None:
        """The client threw a message away: its queue was full."""
        if subscription in self._heard:
            self.dropped += 1
            self._pause()

    async def _listen(self) -> None:
        for subject, take in (
            (came(self.partner, "ask"), self._in_turn(self._on_ask)),
            (came(self.partner, "share.*"), self._in_turn(self._on_share)),
            (came(self.partner, "beat"), self._on_beat),
        ):
            subscription = await self._client.subscribe(
                subject,
                cb=self._counted(take),
                pending_msgs_limit=WAITING_MAX,
                pending_bytes_limit=WAITING_BYTES_MAX,
            )
            self._heard.append(subscription)

    async def _unlisten(self) -> None:
        heard, self._heard = self._heard, []
        for subscription in heard:
            with suppress(nats.errors.Error):
                await subscription.unsubscribe()

    def _counted(self, take: Take) -> Take:
        loop = asyncio.get_running_loop()

        async def counted(message: Msg) -> None:
            second = int(loop.time())
            if second != self._second:
                self._second, self._this_second = second, 0
            self._this_second += 1
            if self._this_second > A_SECOND_MAX:
                self.dropped += 1
                self._pause()
            else:
                await take(message)

        return counted

    def _in_turn(self, take: Take) -> Take:
        """So many at once, the next ones wait in the subscription's queue."""

        async def begin(message: Msg) -> None:
            await self._at_once.acquire()
            task = asyncio.create_task(work(message))
            self._working.add(task)
            task.add_done_callback(self._working.discard)

        async def work(message: Msg) -> None:
            try:
                await take(message)
            except nats.errors.Error:
                pass  # the line went down meanwhile: the partner sees that itself
            except Exception:
                log.exception("a message of %s", self.partner)
            finally:
                self._at_once.release()

        return begin

    async def _on_ask(self, message: Msg) -> None:
        answer = await self._takers.ask(self.partner, bytes(message.data))
        _fits(answer)
        await message.respond(answer)

    async def _on_share(self, message: Msg) -> None:
        share_class = message.subject.rpartition(".")[2]
        answer = await self._takers.share(self.partner, share_class, bytes(message.data))
        _fits(answer)
        await message.respond(answer)

    async def _on_beat(self, message: Msg) -> None:
        with suppress(nats.errors.Error):
            await message.respond(b"")

    async def _beat(self) -> None:
        while True:
            try:
                await self.ask("beat", b"", BEAT_WAIT_S)
            except PartnerDown:
                self._tell(is_there=False)
            else:
                self._tell(is_there=True)
            await asyncio.sleep(BEAT_S)

    def _tell(self, *, is_there: bool) -> None:
        if self.is_there != is_there:
            self.is_there = is_there
            log.log(
                logging.INFO if is_there else logging.WARNING,
                "the line to %s is %s", self.partner, "up" if is_there else "down",
            )  # fmt: skip
            self._on_change(self.partner, is_there)

    def _pause(self) -> None:
        if self._pausing is None:
            log.warning(
                "%s sends too much at once; it is not listened to for a while", self.partner
            )
            self._pausing = asyncio.create_task(self._paused(), name=f"pause {self.partner}")

    async def _paused(self) -> None:
        await self._unlisten()
        await asyncio.sleep(PAUSE_S)
        self._pausing = None
        await self._listen()


def _fits(raw: bytes) -> None:
    if len(raw) > RAW_BYTES_MAX:
        raise Invalid(f"{len(raw)} bytes for a partner", f"send at most {RAW_BYTES_MAX} at once")


async def _nobody(partner: AgencyId, raw: bytes) -> bytes:
    raise Away(f"nobody here answers {partner}")


async def _nobody_shares(partner: AgencyId, share_class: str, raw: bytes) -> bytes:
    raise Away(f"nobody here takes {share_class} of {partner}")
