"""A phone in a pocket is woken when a brief comes; what the brief says it must come and fetch.

The message holds the brief's id and version, nothing else, and is encrypted for the one browser
(RFC 8291): a push service learns that something came, and when. It is of no use after a minute,
for the open page has shown it by then, or the officer has been called by radio.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import ssl
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import httpx
import msgspec
from http_ece import ECEException  # type: ignore[import-untyped]
from pywebpush import WebPusher  # type: ignore[import-untyped]

from farolito.delivery.targets import Targets
from farolito.delivery.vapid import VapidKey
from farolito.gate import AWAY, Ask, Gate, LedgerDown
from farolito.model import (
    Brief,
    BriefId,
    Person,
    PersonId,
    Purpose,
    Refused,
    Rejected,
    Thing,
    UnitId,
)
from farolito.model.push import PushSubscription

log = logging.getLogger(__name__)

QUEUE_MAX = 2_000  # briefs and retries waiting; what comes beyond is dropped and counted
WORKERS = 16  # calls to push services at once: one slow service holds up that many at most
LIFE_S = 60.0  # a push service may keep it so long, and so long we try
CALL_S_MAX = 10.0
BACK_OFF_S = (1.0, 3.0, 9.0, 27.0)  # before each further try
PERMIT_S = 5.0  # how soon a withdrawn right stops the nudges to a person
REMEMBERED_MAX = 4_000  # newest versions and permits known; older ones are looked up anew

_AWAY: tuple[type[Exception], ...] = (*AWAY, LedgerDown)
_SERVER_ERRORS = range(500, 600)
_GONE = frozenset({404, 410})


class Subscriptions(Protocol):
    """Given by the app, since the store is not this room's."""

    async def of_unit(self, unit: UnitId) -> Sequence[tuple[Person, PushSubscription]]: ...

    async def gone(self, endpoint: str) -> None:
        """The push service says that nobody is there any more."""
        ...


class _Nudge(msgspec.Struct, frozen=True, kw_only=True):
    """`to`: None until the unit's browsers were looked up."""

    brief_id: BriefId
    version: int
    unit: UnitId
    ends_at: float  # of the loop's clock
    to: PushSubscription | None = None
    person: Person | None = None
    tries: int = 0


class PushSender:
    """`notify` at once, `run` until cancelled. `figures` counts what became of it."""

    def __init__(  # noqa: PLR0913 - made once, by the app
        self,
        gate: Gate,
        subscriptions: Subscriptions,
        key: VapidKey,
        targets: Targets,
        clock: Callable[[], datetime],
        *,
        trust: ssl.SSLContext | None = None,
        back_off_s: Sequence[float] = BACK_OFF_S,
    ) -> None:
        self._gate = gate
        self._subscriptions = subscriptions
        self._key = key
        self._targets = targets
        self._clock = clock
        self._trust = trust
        self._back_off_s = back_off_s
        self._queue: asyncio.Queue[_Nudge] = asyncio.Queue(QUEUE_MAX)
        self._newest: OrderedDict[BriefId, int] = OrderedDict()
        self._permits: OrderedDict[PersonId, float] = OrderedDict()
        self._asking = asyncio.Lock()  # briefs that come together ask once for one person
        self._later: set[asyncio.TimerHandle] = set()
        self.figures: Counter[str] = Counter()

    def notify(self, brief: Brief) -> bool:
        """Wake the unit's browsers; False where too many wait already. Never blocks."""
        self._newest[brief.brief_id] = brief.version
        self._newest.move_to_end(brief.brief_id)
        if len(self._newest) > REMEMBERED_MAX:
            self._newest.popitem(last=False)
        ends_at = asyncio.get_running_loop().time() + LIFE_S
        return self._put(
            _Nudge(brief_id=brief.brief_id, version=brief.version, unit=brief.unit, ends_at=ends_at)
        )

    async def run(self) -> None:
        """Send until cancelled."""
        # A connection is never shared between hosts: it is opened to a checked address, and two
        # hosts may have the same one.
        limits = httpx.Limits(max_keepalive_connections=0)
        try:
            async with (
                httpx.AsyncClient(
                    limits=limits,
                    timeout=CALL_S_MAX,
                    trust_env=False,
                    verify=self._trust or True,
                    follow_redirects=False,
                ) as http,
                asyncio.TaskGroup() as workers,
            ):
                for _ in range(WORKERS):
                    workers.create_task(self._work(http))
        finally:
            for handle in self._later:
                handle.cancel()
            self._later.clear()

    def _put(self, nudge: _Nudge) -> bool:
        try:
            self._queue.put_nowait(nudge)
        except asyncio.QueueFull:
            self.figures["dropped"] += 1
            return False
        return True

    async def _work(self, http: httpx.AsyncClient) -> None:
        while True:
            nudge = await self._queue.get()
            if self._newest.get(nudge.brief_id, nudge.version) > nudge.version:
                self.figures["overtaken"] += 1  # a newer version is on its way
            elif nudge.to is None:
                await self._spread(nudge)
            else:
                await self._send(http, nudge, nudge.to)

    async def _spread(self, nudge: _Nudge) -> None:
        """One nudge for each browser of each person of the unit who may have the brief."""
        try:
            found = await self._subscriptions.of_unit(nudge.unit)
            for person, to in found:
                if await self._may(person):
                    self._put(msgspec.structs.replace(nudge, to=to, person=person))
        except _AWAY as why:
            log.warning("web push waits for the store: %s", type(why).__name__)
            self._again(nudge, None)

    async def _may(self, person: Person) -> bool:
        async with self._asking:
            return await self._ask(person)

    async def _ask(self, person: Person) -> bool:
        now = asyncio.get_running_loop().time()
        if self._permits.get(person.person_id, 0.0) > now:
            return True
        ask = Ask(
            person=person,
            thing=Thing.BRIEF,
            purpose=Purpose.IN_PROGRESS_CALL,
            query=f"wake for briefs of {person.unit}",
            device="web push",
            facts={"assigned_unit": person.unit or ""},
        )
        try:
            await self._gate.live(ask)
        except Refused:
            self.figures["refused"] += 1
            return False
        self._permits[person.person_id] = now + PERMIT_S
        self._permits.move_to_end(person.person_id)
        if len(self._permits) > REMEMBERED_MAX:
            self._permits.popitem(last=False)
        return True

    async def _send(self, http: httpx.AsyncClient, nudge: _Nudge, to: PushSubscription) -> None:
        try:
            status, retry_after = await self._call(http, nudge, to)
        except Rejected as why:
            self.figures[why.reason] += 1
            if why.reason == "no_such_host":  # a resolver may be away for a moment
                self._again(nudge, None)
            return
        except (httpx.HTTPError, OSError) as why:
            log.info("a push service did not answer: %s", type(why).__name__)
            self._again(nudge, None)
            return
        if status in _GONE:
            self.figures["gone"] += 1
            await self._forget(to)
        elif status == 429 or status in _SERVER_ERRORS:
            self._again(nudge, retry_after)
        elif 200 <= status < 300:
            self.figures["sent"] += 1
        else:
            self.figures[f"status_{status}"] += 1

    async def _call(
        self, http: httpx.AsyncClient, nudge: _Nudge, to: PushSubscription
    ) -> tuple[int, str | None]:
        target = await self._targets.check(to.endpoint)
        sealed = _sealed(to, {"k": "brief", "brief_id": nudge.brief_id, "version": nudge.version})
        headers = {
            "Host": target.authority,
            "Authorization": self._key.authorization(to.endpoint, self._clock()),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(int(LIFE_S)),
            "Urgency": "high",
            # A newer version takes the place of one that the service still holds (RFC 8030 5.4).
            "Topic": base64.urlsafe_b64encode(nudge.brief_id.bytes).rstrip(b"=").decode(),
        }
        async with http.stream(
            "POST",
            target.url,
            content=sealed,
            headers=headers,
            extensions={"sni_hostname": target.host},
        ) as answer:  # its body is never read: it is nobody's business how long it is
            return answer.status_code, answer.headers.get("Retry-After")

    def _again(self, nudge: _Nudge, retry_after: str | None) -> None:
        """Later, while it is of use at all."""
        loop = asyncio.get_running_loop()
        wait_s = self._back_off_s[min(nudge.tries, len(self._back_off_s) - 1)]
        if retry_after and retry_after.isdecimal():
            wait_s = max(wait_s, float(retry_after))
        if nudge.tries >= len(self._back_off_s) or loop.time() + wait_s > nudge.ends_at:
            self.figures["given_up"] += 1
            return
        if len(self._later) >= QUEUE_MAX:
            self.figures["dropped"] += 1
            return
        self.figures["retried"] += 1
        after = msgspec.structs.replace(nudge, tries=nudge.tries + 1)

        def due() -> None:
            self._later.discard(handle)
            self._put(after)

        handle = loop.call_later(wait_s, due)
        self._later.add(handle)

    async def _forget(self, to: PushSubscription) -> None:
        try:
            await self._subscriptions.gone(to.endpoint)
        except AWAY as why:  # the next nudge is told the same
            log.warning("a gone push subscription stays for now: %s", type(why).__name__)


def _sealed(to: PushSubscription, says: Mapping[str, object]) -> bytes:
    keys = {"endpoint": to.endpoint, "keys": {"p256dh": to.p256dh, "auth": to.auth}}
    try:
        body: bytes = WebPusher(keys).encode(msgspec.json.encode(says), "aes128gcm")["body"]
    except (ValueError, ECEException) as error:  # 65 bytes, but no point of the curve
        raise Rejected("bad_keys", "a browser's keys that are none", "subscribe again") from error
    return body
