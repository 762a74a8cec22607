"""What is handed to strangers: the year's figures, made anew at most once a minute."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo

import msgspec

from farolito.desk import ShotDesk
from farolito.model import ShotRecord
from farolito.transparency.shot_page import html_of
from farolito.transparency.shot_words import LANGUAGES
from farolito.transparency.shots import PublicFigures, public_figures

KEPT = timedelta(seconds=60)
PERIOD = timedelta(days=365)

HTML = "text/html; charset=utf-8"
JSON = "application/json"


class PublicShots:
    """The figures of the last twelve months, to the end of yesterday: a count that grew by one a
    minute after a shooting would tell of that shooting."""

    def __init__(
        self, shots: ShotDesk, agency: str, hours_of: tzinfo, clock: Callable[[], datetime]
    ) -> None:
        self._shots = shots
        self._agency = agency
        self._hours_of = hours_of
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._record: ShotRecord | None = None
        self._figures: PublicFigures | None = None
        self._made_at: datetime | None = None

    async def page(self, which: str) -> tuple[str, bytes]:
        """Media type and bytes: of the page in a language, or of "json"."""
        figures = await self._newest()
        if which in LANGUAGES:
            return HTML, html_of(figures, self._hours_of, which).encode()
        return JSON, msgspec.json.encode(figures)

    async def _newest(self) -> PublicFigures:
        """However many ask, the ledger gets one entry a minute."""
        async with self._one_at_a_time:
            now = self._clock()
            if self._figures is not None and self._made_at and now - self._made_at < KEPT:
                return self._figures
            today = now.astimezone(self._hours_of).replace(
                hour=0, minute=0, second=0, microsecond=0
            )
            record = (await self._shots.publish(today - PERIOD, today)).value
            if self._figures is None or record != self._record:
                self._figures = await asyncio.to_thread(public_figures, record, self._agency)
            self._record, self._made_at = record, now
            return self._figures
