"""Pictures behind links: fetched for alerts alone, at once, and shown when they come.

An alert never waits for its picture, but no person can confirm it without one, so the panel fills
in as soon as the link has answered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from datetime import UTC
from hashlib import sha256

from farolito.desk import Desk
from farolito.media import Pictures, fetch
from farolito.model import Alert, FarolitoError, Picture

log = logging.getLogger(__name__)

AT_ONCE_MAX = 8
WAITING_MAX = 200  # further links are let go and counted: their alerts stay without a picture


class LatePictures:
    def __init__(self, desk: Desk, pictures: Pictures, hosts: Collection[str]) -> None:
        self._desk = desk
        self._pictures = pictures
        self._hosts = hosts
        self._slots = asyncio.Semaphore(AT_ONCE_MAX)
        self._running: set[asyncio.Task[None]] = set()
        self.let_go = 0
        self.failed: dict[str, int] = {}  # by reason

    def want(self, alert: Alert) -> None:
        """Fetch the picture of a fresh alert, where it has only a link."""
        read = alert.newest
        if read.picture_url is None or read.pictures:
            return
        if len(self._running) >= WAITING_MAX:
            self.let_go += 1
            return
        task = asyncio.create_task(self._show(alert, read.picture_url))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _show(self, alert: Alert, url: str) -> None:
        async with self._slots:
            try:
                content = await fetch(url, self._hosts)
                name = sha256(content).hexdigest()
                day = alert.newest.captured_at.astimezone(UTC).date()
                await asyncio.to_thread(self._pictures.keep, day, {name: content})
                await asyncio.to_thread(self._pictures.hold, day, [name])
                is_png = content.startswith(b"\x89PNG")
                picture = Picture(
                    sha256=name,
                    shows="vehicle",
                    media_type="image/png" if is_png else "image/jpeg",
                )
                await self._desk.show_picture(alert.alert_id, alert.newest.read_id, picture)
            except FarolitoError as why:
                reason = getattr(why, "reason", type(why).__name__)
                self.failed[reason] = self.failed.get(reason, 0) + 1
                log.warning("an alert stays without its picture: %s", reason)
