"""What strangers are handed: an account by its name, the newest first; page, JSON and proof."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from farolito.desk import NotFound
from farolito.model import Agency
from farolito.transparency.account_page import empty_html, html_of
from farolito.transparency.account_text import text_of
from farolito.transparency.publisher import Publisher

HTML = "text/html; charset=utf-8"
JSON = "application/json"
FILE = "application/octet-stream"
TEXT = "text/plain; charset=utf-8"
PROOF = ".farolito-figures"
PLAIN = ".txt"
KEPT = timedelta(seconds=30)
PAGES_MAX = 64


class PublicPages:
    """Each piece is made at most twice a minute, however many ask. `witnesses` gives under "keys"
    the file that `farolito audit verify --witness` wants."""

    def __init__(
        self,
        publisher: Publisher,
        agency: Agency,
        hours_of: tzinfo,
        witnesses: Callable[[], Awaitable[Mapping[str, Any]]],
        clock: Callable[[], datetime],
    ) -> None:
        self.publisher = publisher
        self._agency = agency
        self._hours_of = hours_of
        self._witnesses = witnesses
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._made: dict[tuple[str, str], tuple[datetime, tuple[str, bytes]]] = {}

    async def page(self, which: str, language: str) -> tuple[str, bytes]:
        """Media type and bytes of "" (the newest), a period, a period's ".json", ".txt" or proof,
        or "witnesses.txt". Raises NotFound."""
        async with self._one_at_a_time:
            now, key = self._clock(), (which, language)
            kept = self._made.get(key)
            if kept is None or now - kept[0] >= KEPT:
                kept = (now, await self._make(which, language))
                self._made[key] = kept
                if len(self._made) > PAGES_MAX:
                    del self._made[next(iter(self._made))]
            return kept[1]

    async def _make(self, which: str, language: str) -> tuple[str, bytes]:
        if which == "witnesses.txt":
            return TEXT, str((await self._witnesses())["keys"]).encode()
        periods = await self.publisher.periods()
        if not which and not periods:
            return HTML, empty_html(self._agency.name, language).encode()
        name = which.removesuffix(PROOF).removesuffix(".json").removesuffix(PLAIN) or periods[0]
        if name not in periods:
            raise NotFound("no figures of this period are published", "see /public for those")
        if which.endswith(PROOF):
            return FILE, await self.publisher.file(name)
        told = await self.publisher.get(name)
        if which.endswith(".json"):
            return JSON, told.document
        if which.endswith(PLAIN):
            return TEXT, (await asyncio.to_thread(text_of, told, self._hours_of, language)).encode()
        page = await asyncio.to_thread(html_of, told, periods, self._hours_of, language)
        return HTML, page.encode()
