"""What changed, read from the feed once for everything that goes out, in order and without gaps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

import msgspec

from farolito.gate import AWAY, Gate, Records
from farolito.model import AlertId, AlertState, Brief, Incident, PartKind, ShotAlert, ShotAlertId

log = logging.getLogger(__name__)

POLL_S = 1.0  # should a nudge be lost, the feed is looked at all the same

_incident = msgspec.json.Decoder(Incident).decode
_brief = msgspec.json.Decoder(Brief).decode
_shot = msgspec.json.Decoder(ShotAlert).decode
_CONFIRMED = frozenset({AlertState.CONFIRMED, AlertState.CLOSED})


class News(msgspec.Struct, frozen=True):
    """One change. `stands`: some person's word is behind it, so it may leave the desk."""

    seq: int
    what: Incident | Brief | ShotAlert
    stands: bool = True


class Listener(Protocol):
    async def news(self, items: Sequence[News]) -> None:
        """In order, each once."""
        ...

    async def anew(self) -> None:
        """At the start, and where some were missed: look at the present picture instead."""
        ...


class Follower:
    def __init__(self, gate: Gate, listeners: Sequence[Listener]) -> None:
        self._gate = gate
        self._listeners = listeners
        self._nudged = asyncio.Event()
        self._seq: int | None = None  # None: not begun

    def nudge(self) -> None:
        """Something was told; safe to call often."""
        self._nudged.set()

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            self._nudged.clear()
            try:
                await self._fetch()
            except AWAY as why:
                log.warning("what goes out waits for the store: %s", type(why).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._nudged.wait()

    async def _fetch(self) -> None:
        seq = self._seq

        async def work(records: Records) -> tuple[int, list[News] | None]:
            if seq is None:
                return await records.feed.end(), None
            items = await records.feed.after(seq)
            if items is None:
                return await records.feed.end(), None
            told = [await _news(records, item) for item in items]
            return (items[-1].seq if items else seq), [one for one in told if one]

        now_at, items = await self._gate.following(work)
        for listener in self._listeners:
            if items is None:
                await listener.anew()
            elif items:
                await listener.news(items)
        self._seq = now_at


async def _news(records: Records, item: Any) -> News | None:
    if item.kind == "brief":
        return News(item.seq, _brief(item.body))
    if item.kind == "incident":
        what = _incident(item.body)
        return News(item.seq, what, await stands(records, what))
    if item.kind == "shot":
        heard = _shot(item.body)
        return News(item.seq, heard, heard.is_confirmed)
    return None


async def stands(records: Records, what: Incident) -> bool:
    """Whether a call, a report, a confirmed alert or shots that a person reviewed are in it.

    An alert that nobody confirmed can be alone in an incident when a person split off the call it
    had joined, and shots when a person heard no gunfire in them; then the machine's word is all
    there is, and it stays at the desk.
    """
    if any(part.kind in {PartKind.CALL, PartKind.REPORT} for part in what.parts):
        return True
    for part in what.parts:
        if part.kind is PartKind.ALERT:
            alert = await records.alerts.get(AlertId(part.part_id))
            if alert is not None and alert.state in _CONFIRMED:
                return True
        if part.kind is PartKind.SHOT:
            heard = await records.shots.get(ShotAlertId(part.part_id))
            if heard is not None and heard.is_confirmed:
                return True
    return False
