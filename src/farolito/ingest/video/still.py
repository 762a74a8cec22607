"""A camera that gives one JPEG at a time: asked again and again, and only what is new is told."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from hashlib import blake2b

from farolito.codec import AccessUnit, Broken, Figures, OnUnit
from farolito.codec.jpeg import jpeg_size
from farolito.ingest.video.fetch import Fetched, Fetcher
from farolito.ingest.video.guard import Guard
from farolito.model import Login, PictureState, StreamSource

STILL_BYTES_MAX = 8 * 2**20  # a larger picture is TOO_MUCH
PERIOD_S_MIN = 0.2
FAILURES_MAX = 3  # in a row; then the line is broken. The first request may not fail.
# Some servers never change their ETag or date though the picture does: every tenth time, ask plain.
_PLAIN_EVERY = 10
_WAIT_S_MAX = 20.0
_KEPT_FIGURES = 20  # pictures over which `fps` is reckoned
_FOR_GOOD = {PictureState.REFUSED, PictureState.BLOCKED, PictureState.NOT_A_PICTURE}


class StillUpstream:
    """The Upstream of a still: each *new* picture is a key unit of codec "jpeg".

    A picture that comes again, byte for byte, is no unit: `figures.bytes` and `last_us` go on while
    `units` stand still, and `same` counts them. That is how a frozen camera shows.
    """

    def __init__(
        self,
        source: StreamSource,
        login: Login | None,
        guard: Guard,
        now_us: Callable[[], int],
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._source = source
        self._login = login
        self._guard = guard
        self._now_us = now_us
        self._ssl_context = ssl_context
        self._figures = Figures()
        self._digest = b""
        self._began_us: int | None = None
        self._times: list[int] = []
        self.same = 0  # pictures in a row that were the last one again

    @property
    def figures(self) -> Figures:
        times = self._times
        span = (times[-1] - times[0]) / 1e6 if len(times) > 1 else 0.0
        fps = (len(times) - 1) / span if span > 0 else 0.0
        return self._figures._replace(fps=fps, key_interval_s=1 / fps if fps else 0.0)

    async def run(self, on_unit: OnUnit) -> None:
        """Raises Broken."""
        period_s = max(self._source.period_s, PERIOD_S_MIN)
        failures = asked = 0
        marks: dict[str, str] = {}
        loop = asyncio.get_running_loop()
        fetcher = Fetcher(self._source.url, self._login, self._guard, self._ssl_context)
        async with fetcher:
            while True:
                begun = loop.time()
                try:
                    plain = asked % _PLAIN_EVERY == 0
                    fetched = await self._ask(fetcher, {} if plain else marks)
                    self._take(fetched, on_unit)
                    marks = _marks(fetched) or (marks if fetched.status == 304 else {})
                    failures = 0
                except Broken as broken:
                    failures += 1
                    self._figures = self._figures._replace(spoiled=self._figures.spoiled + 1)
                    if not asked or failures >= FAILURES_MAX or broken.state in _FOR_GOOD:
                        raise
                asked += 1
                await asyncio.sleep(max(0.0, period_s - (loop.time() - begun)))

    async def _ask(self, fetcher: Fetcher, marks: Mapping[str, str]) -> Fetched:
        headers = {"Accept": "image/jpeg", "Cache-Control": "no-cache", **marks}
        return await fetcher.get(self._source.url, STILL_BYTES_MAX, _WAIT_S_MAX, headers)

    def _take(self, fetched: Fetched, on_unit: OnUnit) -> None:
        now_us, before = self._now_us(), self._figures
        self._figures = before._replace(bytes=before.bytes + len(fetched.content), last_us=now_us)
        if fetched.status == 304:
            self.same += 1
            return
        width, height = jpeg_size(fetched.content)
        digest = blake2b(fetched.content, digest_size=16).digest()
        if digest == self._digest:
            self.same += 1
            return
        self._digest, self.same = digest, 0
        self._figures = self._figures._replace(
            units=before.units + 1, keys=before.keys + 1, width=width, height=height
        )
        self._times = [*self._times[-_KEPT_FIGURES:], now_us]
        if self._began_us is None:
            self._began_us = now_us
        # Our clock may be set back; the camera's line of time may not.
        media_us = max(now_us - self._began_us, 0)
        on_unit(AccessUnit(fetched.content, media_us, now_us, is_key=True, codec="jpeg"))


def _marks(fetched: Fetched) -> dict[str, str]:
    """What to ask with next time, so that the same picture need not come again."""
    pairs = (("etag", "If-None-Match"), ("last-modified", "If-Modified-Since"))
    return {ask: fetched.headers[told] for told, ask in pairs if told in fetched.headers}
