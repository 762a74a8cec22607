"""The phones of the practice officers: they get briefs, look at them, and tap their answers.

Each signs in as the officer of its unit (in a demo alone), holds the live line open, and does
what a person would, with a person's delays; a few taps are forgotten. A refusal or a lost node
is tried again later, ever less often.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from farolito.model import UnitId, UnitStatus, digest_id
from farolito.simulator.dispatcher import Errand

SIGNS_IN_S = 10.0  # not all phones in one second
PAUSE_S = (2.0, 60.0)  # first and longest before a phone tries again
HANDLING_MAX = 12  # briefs and answers in hand on one phone; further ones are left alone
WATCHES_S = 2_400.0  # a call that lasts longer is no longer followed
LOOKS_S = 1.0
MESSAGE_BYTES_MAX = 2**20
DELIVERED_S, OPENED_S, HEARD_S = (0.05, 0.4), (1.5, 9.0), (2.0, 6.0)
TAPS_S, TAPS = (2.0, 8.0), 0.85  # how long until an answer is tapped, and how often it is
_TAPS: tuple[tuple[str, UnitStatus | None], ...] = (
    ("en_route", UnitStatus.EN_ROUTE), ("on_scene", UnitStatus.ON_SCENE), ("clear", None),
)  # fmt: skip
_ORDER: Mapping[UnitStatus | None, int] = {
    UnitStatus.ASSIGNED: 0, UnitStatus.EN_ROUTE: 1, UnitStatus.ON_SCENE: 2, None: 3,
}  # fmt: skip

Doing = Callable[[UnitId], Errand | None]


class Phone:
    """One officer's phone. `doing` tells what its unit truly does, as the person in it knows."""

    def __init__(self, base_url: str, persona: str, unit: UnitId, doing: Doing, seed: int) -> None:
        self._base_url, self._persona, self._unit, self._doing = base_url, persona, unit, doing
        self._chance = random.Random(f"phone {seed} {unit}")  # noqa: S311 - practice, no secret
        self._followed: set[str] = set()
        self._csrf = ""
        self._seq: int | None = None
        self.said: dict[str, int] = {}  # what was told and taken, by its word

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.sleep(self._chance.uniform(0, SIGNS_IN_S))
        pause_s = PAUSE_S[0]
        while True:
            loop = asyncio.get_running_loop()
            began = loop.time()
            with suppress(
                httpx.HTTPError, OSError, WebSocketException, msgspec.DecodeError, KeyError
            ):
                await self._shift()
            pause_s = PAUSE_S[0] if loop.time() - began > 60 else min(PAUSE_S[1], pause_s * 2)
            await asyncio.sleep(pause_s * self._chance.uniform(0.8, 1.2))

    async def _shift(self) -> None:
        """Sign in and listen, until the line ends."""
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(
                httpx.AsyncClient(base_url=self._base_url, timeout=10.0, trust_env=False)
            )
            answer = await http.post("/api/session/demo", json={"persona": self._persona})
            answer.raise_for_status()
            self._csrf = answer.json()["csrf"]
            cookie = "; ".join(f"{c.name}={c.value}" for c in http.cookies.jar)
            live = await stack.enter_async_context(
                connect(
                    self._base_url.replace("http", "ws", 1).rstrip("/") + self._live_path(),
                    additional_headers={"Cookie": cookie},
                    max_size=MESSAGE_BYTES_MAX,
                    proxy=None,
                )
            )
            hands = await stack.enter_async_context(_Hands())
            async for message in live:
                told = msgspec.json.decode(message)
                self._seq = told.get("seq", self._seq)
                if told.get("k") == "brief":
                    hands.take(self._read(http, told["brief"]))
                    self._follow(http, hands, told["brief"])

    def _live_path(self) -> str:
        """The line goes on after what was heard last."""
        return "/api/live" if self._seq is None else f"/api/live?after={self._seq}"

    def _follow(self, http: httpx.AsyncClient, hands: _Hands, brief: dict[str, Any]) -> None:
        brief_id = str(brief["brief_id"])
        if brief_id in self._followed or brief.get("incident_id") is None or brief.get("ended_at"):
            return
        if len(self._followed) > 200:
            self._followed.clear()
        self._followed.add(brief_id)
        hands.take(self._answer(http, brief_id))

    async def _read(self, http: httpx.AsyncClient, brief: dict[str, Any]) -> None:
        """A version comes in, is looked at, and while driving read aloud."""
        path = f"/api/briefs/{brief['brief_id']}/receipt"
        steps = [("delivered", DELIVERED_S), ("opened", OPENED_S)]
        errand = self._doing(self._unit)
        if errand is not None and errand.status is not UnitStatus.ON_SCENE:
            steps.append(("heard", HEARD_S))
        for kind, (low, high) in steps:
            await asyncio.sleep(self._chance.uniform(low, high))
            if kind == "heard" and self._chance.random() > TAPS:
                return
            told = {"version": brief["version"], "kind": kind}
            if not await self._post(http, path, told, kind):
                return

    async def _answer(self, http: httpx.AsyncClient, brief_id: str) -> None:
        """En route, on scene, clear: each tapped when it is so, now and then forgotten."""
        loop = asyncio.get_running_loop()
        until = loop.time() + WATCHES_S
        errand = self._doing(self._unit)
        if errand is None:
            return
        for kind, status in _TAPS:
            while (far := self._far(errand.number)) < _ORDER[status]:
                if loop.time() > until:
                    return
                await asyncio.sleep(LOOKS_S)
            if far > _ORDER[status] or self._chance.random() > TAPS:
                continue
            await asyncio.sleep(self._chance.uniform(*TAPS_S))
            told = {
                "answer_id": str(digest_id(0, "practice answer", brief_id, kind)),
                "kind": kind,
                "tapped_at": datetime.now(UTC).isoformat(),
            }
            await self._post(http, f"/api/briefs/{brief_id}/answer", told, kind)

    def _far(self, number: str) -> int:
        """How far the unit is with this call: one that is on another is done with it."""
        errand = self._doing(self._unit)
        return _ORDER[errand.status if errand and errand.number == number else None]

    async def _post(
        self, http: httpx.AsyncClient, path: str, told: dict[str, Any], word: str
    ) -> bool:
        """One tap; the person does not tap twice where it is refused."""
        try:
            answer = await http.post(path, json=told, headers={"X-Farolito-CSRF": self._csrf})
        except httpx.TransportError:
            return False
        if answer.is_success:
            self.said[word] = self.said.get(word, 0) + 1
        return answer.is_success


class _Hands:
    """What a phone does at the same time, bounded, ended with its line."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> _Hands:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def take(self, work: Any) -> None:
        if len(self._tasks) >= HANDLING_MAX:
            work.close()
            return
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
