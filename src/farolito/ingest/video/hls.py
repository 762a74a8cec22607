"""HLS in (RFC 8216): a live playlist followed, its segments fetched, their units in real time.

Segments come seconds at a time; units leave as they were filmed, one after the other, so that a
player that draws at once shows motion. What piles up beyond `BACKLOG_S_MAX` is let go to the next
key: seconds behind is bad, half a minute behind is not live.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Iterable

from farolito.codec import AccessUnit, Broken, Figures, OnUnit
from farolito.ingest.video.fetch import Fetcher
from farolito.ingest.video.fragments import Track, read_head, read_segment
from farolito.ingest.video.guard import Guard
from farolito.ingest.video.playlist import (
    PLAYLIST_BYTES_MAX,
    Part,
    Playlist,
    Segment,
    best_variant,
    read_playlist,
)
from farolito.ingest.video.transport_stream import TransportStream
from farolito.ingest.video.units import Units
from farolito.model import Login, PictureState, StreamSource

SEGMENT_BYTES_MAX = 16 * 2**20  # a larger one is TOO_MUCH
BITS_MAX = 6_000_000  # a second: of the variant that is taken where there is a choice
STALL_S_MIN = 12.0  # without a new segment; or three times the target duration
BACKLOG_S_MAX = 20.0  # of units not yet handed on; then all but the last key's are let go
FAILURES_MAX = 3  # in a row, of a segment or a playlist; then the line is broken
_WAIT_S_MAX = 15.0  # for a playlist, or a segment
_LATE_S = 0.5  # behind its due time, a unit sets a new one for those after it
_TS_SYNC = b"\x47"


class HlsUpstream:
    """The Upstream of an HLS address, a master playlist or a media playlist."""

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
        self._ssl_context = ssl_context
        self._units = Units(now_us)
        self._waiting: deque[AccessUnit] = deque()
        self._more = asyncio.Event()
        self._is_over = False
        self._let_go = 0
        self._track: tuple[Part, Track] | None = None

    @property
    def figures(self) -> Figures:
        own = self._units.figures
        return own._replace(spoiled=own.spoiled + self._let_go)

    async def run(self, on_unit: OnUnit) -> None:
        """Raises Broken."""
        fetcher = Fetcher(self._source.url, self._login, self._guard, self._ssl_context)
        async with fetcher:
            tasks = [
                asyncio.create_task(self._follow(fetcher)),
                asyncio.create_task(self._play(on_unit)),
            ]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        raise Broken(PictureState.STALLED, "the camera's stream has ended", "ask its owner")

    async def _follow(self, fetcher: Fetcher) -> None:
        loop = asyncio.get_running_loop()
        url = self._source.url
        last: int | None = None
        failures, changed_at = 0, loop.time()
        while not self._is_over:
            asked_at = loop.time()
            try:
                playlist, url = await self._playlist(fetcher, url)
                failures = 0
            except Broken as broken:
                failures += 1
                if last is None or failures >= FAILURES_MAX or not _may_pass(broken):
                    raise
                await asyncio.sleep(min(2.0, 0.5 * failures))
                continue
            fresh = self._fresh(playlist, last)
            for segment in fresh:
                await self._take(fetcher, segment, last)
                last, changed_at = segment.number, loop.time()
            if playlist.is_over:
                self._is_over = True
                self._more.set()
                await asyncio.Event().wait()  # until what it holds is handed on
            if loop.time() - changed_at > max(STALL_S_MIN, 3 * playlist.target_s):
                says = f"no new segment of the stream for {loop.time() - changed_at:.0f} s"
                raise Broken(PictureState.STALLED, says, "ask its owner")
            pause = playlist.target_s if fresh else playlist.target_s / 2
            await asyncio.sleep(max(0.05, pause - (loop.time() - asked_at)))

    async def _playlist(self, fetcher: Fetcher, url: str) -> tuple[Playlist, str]:
        """The media playlist and its address: of a master, the one of its best variant."""
        for _ in range(2):
            fetched = await fetcher.get(url, PLAYLIST_BYTES_MAX, _WAIT_S_MAX)
            self._units.came(len(fetched.content))
            read = read_playlist(fetched.content, fetched.url)
            if isinstance(read, Playlist):
                return read, url
            url = best_variant(read, BITS_MAX)
        says = "the stream's playlists name each other"
        raise Broken(PictureState.MALFORMED, says, "ask its owner")

    def _fresh(self, playlist: Playlist, last: int | None) -> list[Segment]:
        """What has not been taken. At the beginning, and after the numbers began anew, that is the
        newest one: earlier ones would only make us late."""
        newest = playlist.segments[-1:]
        if last is None:
            return list(newest)
        if newest and newest[0].number < last:
            self._units.anew()
            return list(newest)
        return [segment for segment in playlist.segments if segment.number > last]

    async def _take(self, fetcher: Fetcher, segment: Segment, last: int | None) -> None:
        if segment.is_cut:
            self._units.anew()
        elif last is not None and segment.number != last + 1:
            self._units.lost()
        try:
            content = await self._content(fetcher, segment.part)
            units = await self._demux(fetcher, segment, content)
        except Broken as broken:
            # One segment that is gone or broken costs its seconds, not the line.
            self._units.lost()
            if last is None or not _may_pass(broken):
                raise
            return
        self._queue(units)

    async def _content(self, fetcher: Fetcher, part: Part) -> bytes:
        fetched = await fetcher.get(part.url, SEGMENT_BYTES_MAX, _WAIT_S_MAX, part.headers)
        self._units.came(len(fetched.content))
        if part.headers and fetched.status == 200:  # it knows no ranges and sends all
            return fetched.content[part.begin : part.end]
        return fetched.content

    async def _demux(self, fetcher: Fetcher, segment: Segment, content: bytes) -> list[AccessUnit]:
        if segment.head is None and content[:1] == _TS_SYNC:
            stream = TransportStream()
            return self._made([*stream.feed(content), *stream.end()])
        if segment.head is None:
            raise Broken(
                PictureState.MALFORMED,
                "a segment that is neither MPEG-TS nor fMP4",
                "ask its owner",
            )
        if self._track is None or self._track[0] != segment.head:
            track = read_head(await self._content(fetcher, segment.head))
            self._track = (segment.head, track)
            self._units.set_sets(*track.sets)
        return self._made(read_segment(content, self._track[1]))

    def _made(self, pieces: Iterable[tuple[bytes, int] | None]) -> list[AccessUnit]:
        made: list[AccessUnit] = []
        for piece in pieces:
            if piece is None:
                self._units.lost(1)
            else:
                made.extend(self._units.take(*piece))
        return made

    def _queue(self, units: list[AccessUnit]) -> None:
        self._waiting.extend(units)
        if self._waiting and self._waiting[-1].media_us - self._waiting[0].media_us > (
            BACKLOG_S_MAX * 1e6
        ):
            keys = [n for n, unit in enumerate(self._waiting) if unit.is_key]
            for _ in range(keys[-1] if keys else 0):
                self._waiting.popleft()
                self._let_go += 1
        self._more.set()

    async def _play(self, on_unit: OnUnit) -> None:
        loop = asyncio.get_running_loop()
        ahead = 0.0  # our time less the stream's, s
        begun = False
        while True:
            while not self._waiting:
                if self._is_over:
                    return
                self._more.clear()
                await self._more.wait()
            due = self._waiting[0].media_us / 1e6 + ahead
            late = loop.time() - due
            if not begun or late > _LATE_S or late < -BACKLOG_S_MAX:
                begun, ahead = True, loop.time() - self._waiting[0].media_us / 1e6
            elif late < 0:
                await asyncio.sleep(-late)
            if self._waiting:
                on_unit(self._waiting.popleft())


def _may_pass(broken: Broken) -> bool:
    """Could it be well again at the next try?"""
    return broken.state in {
        PictureState.STALLED, PictureState.UNREACHABLE, PictureState.NOT_FOUND,
        PictureState.MALFORMED,
    }  # fmt: skip
