"""One line to a camera, and all who watch it.

Sums: 25 units/s × 100 viewers are 2,500 writes/s of bytes that are built once. A feed keeps what
came since the last key frame (0.5 MB at 2 Mbit/s and 2 s), so that whoever comes has a picture at
once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from farolito.codec import AccessUnit, Broken, Codec, Figures, Upstream
from farolito.media.control import Pulled, Pulling, Quality
from farolito.media.fragments import Fragments
from farolito.media.ring import Ring
from farolito.media.stills import Stills
from farolito.media.viewer import Stream, Viewer
from farolito.media.wire import Changed, Packed, pack
from farolito.model import PictureState, StreamSource

log = logging.getLogger(__name__)

GOP_BYTES_MAX = 4 * 2**20  # kept since the last key frame; past it, the key frame alone
GOP_UNITS_MAX = 600  # likewise
HIGH_WATER_S = 0.3  # of the stream: what a viewer may be behind
HIGH_WATER_BYTES_MIN = 16_384
BURST_US = 50_000  # what comes within it came at once
BURST_KEPT_PER_S = 0.9  # how slowly the largest burst is forgotten
BACK_OFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)  # the last one repeats
SLOW_BACK_OFF_S = 30.0  # where asking again soon is no use, or locks our user out
LOCKS_OUT_S = 10.0  # between two tries of a password that was refused
WELL_AFTER_S = 30.0  # of pictures; then the next break is the first again
STALLED_TICKS, BROKEN_TICKS = 10, 40  # half seconds without a unit: said; the line is opened anew

_HOPELESS = frozenset(
    {
        PictureState.REFUSED,
        PictureState.NOT_FOUND,
        PictureState.UNSUPPORTED,
        PictureState.BLOCKED,
        PictureState.TOO_MUCH,
    }
)
S = 1_000_000  # µs

Open = Callable[[Pulled, Quality], Upstream]


class Recorder(NamedTuple):
    """Somebody who writes down what comes, for a clip."""

    on_unit: Callable[[Packed], None]


class Feed:
    """Opened by `start`, ended by `close`; in between it opens its camera again and again."""

    def __init__(
        self,
        pulled: Pulled,
        stream: Stream,
        open_: Open,
        now_us: Callable[[], int],
        chance: Callable[[], float],
    ) -> None:
        self.pulled = pulled
        self.stream: Stream = stream
        self.state = PictureState.CONNECTING
        self.says = ""
        self.do = ""
        self.ring: Ring | None = None
        self.watched = Ring(pulled.watched_s)  # of what somebody looks at, where there is no ring
        self.stills = Stills()
        self.dropped = 0  # units that viewers who left did not get
        self._open = open_
        self._now_us = now_us
        self._chance = chance
        self._upstream: Upstream | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping: set[asyncio.Task[None]] = set()
        self._hurry = asyncio.Event()
        self._viewers: tuple[Viewer, ...] = ()  # replaced, never changed: it is walked through
        self._recorders: tuple[Recorder, ...] = ()
        self._fragments = {False: Fragments(), True: Fragments()}
        self._gop: list[Packed] = []
        self._gop_bytes = 0
        self._is_gop_whole = True
        self._sequence = 0
        self._time = _Line()
        self._rate = _Rate()
        self._quiet_ticks = 0
        self._since_us = 0  # of pictures without a break
        self._newest_us = 0

    # Who is there

    @property
    def viewers(self) -> tuple[Viewer, ...]:
        return self._viewers

    @property
    def is_wanted(self) -> bool:
        return bool(self._viewers or self._recorders or self.ring is not None)

    def add(self, viewer: Viewer) -> None:
        self._viewers = (*self._viewers, viewer)
        if viewer.mode == "still" and self.codec == "h264":
            self.stills.want(viewer, viewer.still)
            if self._gop:
                self.stills.take(self._gop[0])

    def leave(self, viewer: Viewer) -> None:
        self._viewers = tuple(one for one in self._viewers if one is not viewer)
        self.stills.no_longer(viewer)
        if not self._viewers:
            self.watched.clear()

    def record(self, recorder: Recorder) -> None:
        self._recorders = (*self._recorders, recorder)

    def stop_recording(self, recorder: Recorder) -> None:
        self._recorders = tuple(one for one in self._recorders if one is not recorder)

    # What there is

    @property
    def source(self) -> StreamSource | None:
        return self.pulled.main if self.stream == "main" else self.pulled.sub

    @property
    def codec(self) -> Codec:
        if self._gop:
            return self._gop[0].codec
        return "jpeg" if self.source is not None and self.source.protocol == "jpeg" else "h264"

    @property
    def high_water(self) -> int:
        return self._rate.high_water

    def fragments(self, key_only: bool) -> Fragments:
        """Those of key frames alone last until the next one."""
        return self._fragments[key_only]

    def cached(self) -> list[Packed]:
        return self._gop

    def kept(self, from_us: int) -> list[Packed]:
        """What there is from the key frame at or before `from_us`: of the ring, of what was
        watched, or since the last key frame."""
        ring = self.ring if self.ring is not None else self.watched
        return ring.from_key(from_us) if ring.bytes else list(self._gop)

    @property
    def has_pictures(self) -> bool:
        return bool(self._gop) or (self.ring is not None and self.ring.bytes > 0)

    def pulling(self) -> Pulling:
        figures = self._upstream.figures if self._upstream is not None else Figures()
        newest_us = self._newest_us
        ring = self.ring
        return Pulling(
            camera_id=self.pulled.camera_id,
            quality="full" if self.stream == "main" else "sub",
            state=self.state,
            says=self.says or _let_go(ring),
            do=self.do,
            figures=figures,
            viewers=sum(1 for viewer in self._viewers if viewer.source is self),
            key_only=sum(1 for viewer in self._viewers if viewer.key_only and viewer.step),
            dropped=self.dropped + sum(viewer.pace.dropped for viewer in self._viewers),
            ring_bytes=ring.bytes if ring is not None else 0,
            age_ms=(self._now_us() - newest_us) // 1000 if newest_us else None,
        )

    # Its life

    def start(self, within_s: float = 0.0) -> None:
        """`within_s`: at some moment within it, so that many do not begin in one."""
        name = f"pull {self.pulled.camera_id} {self.stream}"
        self._task = asyncio.create_task(self._keep_open(within_s), name=name)

    def hurry(self) -> None:
        """Somebody new waits for it: do not wait out a long pause."""
        self._hurry.set()

    async def close(self) -> None:
        self.stills.close()
        self._stop()
        if self._stopping:
            await asyncio.wait(self._stopping)

    def use(self, pulled: Pulled) -> None:
        """Another address or password: the line is opened anew where it has changed."""
        before, self.pulled = (self.source, self.pulled.login), pulled
        self.watched.seconds = pulled.watched_s
        if not pulled.watched_s or self.ring is not None:
            self.watched.clear()
        if (self.source, pulled.login) != before:
            self._reopen()

    def _reopen(self) -> None:
        self._stop()
        self._become_dark(Broken(PictureState.CONNECTING, ""))
        self.start()

    def _stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            self._stopping.add(task)  # it may have a farewell to say
            task.add_done_callback(self._stopping.discard)

    def tick(self) -> None:
        """Every half second. Silence is counted in our own ticks: when our loop was late, the
        camera's bytes are as late as the tick, and nobody is called dead for it."""
        self._quiet_ticks += 1
        patience = _patience(self.source)
        if self.state is PictureState.LIVE and self._quiet_ticks > STALLED_TICKS * patience:
            says = "the camera is connected and sends no picture"
            self._become(PictureState.STALLED, says, "its line is opened anew if it stays so")
        elif self.state is PictureState.STALLED and self._quiet_ticks > BROKEN_TICKS * patience:
            self._reopen()

    async def _keep_open(self, within_s: float) -> None:
        tries = 0
        if within_s:
            await self._wait(within_s * self._chance())
        while True:
            self._quiet_ticks = 0
            if tries == 0:
                self._become(PictureState.CONNECTING)
            why = await self._pull()
            if self._since_us and self._now_us() - self._since_us > WELL_AFTER_S * S:
                tries = 0
            self._become_dark(why)
            await self._pause(tries, why.state)
            tries += 1

    async def _pull(self) -> Broken:
        """Until the line breaks; answers why."""
        try:
            self._upstream = self._open(self.pulled, "full" if self.stream == "main" else "sub")
            await self._upstream.run(self._take)
        except Broken as why:
            return why
        except Exception:  # whatever a camera sent: it must not end the others' pictures
            log.exception("camera %s: we fell over what it sent", self.pulled.camera_id)
            return Broken(
                PictureState.MALFORMED, "we fell over what the camera sent", "see the log"
            )
        return Broken(PictureState.UNREACHABLE, "the camera ended its stream", "it is asked again")

    async def _pause(self, tries: int, state: PictureState) -> None:
        """Jittered, so that cameras behind one switch do not come back in one moment."""
        wait_s = BACK_OFF_S[min(tries, len(BACK_OFF_S) - 1)]
        if state in _HOPELESS:
            wait_s = SLOW_BACK_OFF_S
        wait_s *= 0.5 + 0.5 * self._chance()
        # Whoever comes new gets a try, but no camera is pestered for it.
        least_s = min(wait_s, LOCKS_OUT_S if state is PictureState.REFUSED else BACK_OFF_S[1])
        self._hurry.clear()
        await asyncio.sleep(least_s)
        await self._wait(wait_s - least_s)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()

    # What comes

    def _take(self, unit: AccessUnit) -> None:
        self._quiet_ticks = 0
        if not self._gop and not unit.is_key:
            return
        if self.state is not PictureState.LIVE:
            self._become(PictureState.LIVE)
            self._since_us = self._since_us or unit.received_us
        self._sequence += 1
        self._newest_us = unit.received_us
        packed = pack(unit, self._sequence, self._time.of(unit))
        self._cache(packed)
        self._rate.count(packed)
        if self.ring is not None:
            self.ring.take(packed)
        elif self._viewers and self.watched.seconds:
            self.watched.take(packed)
        for viewer in self._viewers:
            viewer.offer(self, packed)
        for recorder in self._recorders:
            recorder.on_unit(packed)
        if packed.is_key:
            self.stills.take(packed)

    def _cache(self, packed: Packed) -> None:
        if packed.is_key:
            self._gop, self._gop_bytes, self._is_gop_whole = [], 0, True
        elif not self._is_gop_whole:
            return
        full = self._gop_bytes + packed.size > GOP_BYTES_MAX or len(self._gop) >= GOP_UNITS_MAX
        if full and self._gop:
            self._gop = self._gop[:1]
            self._is_gop_whole = False
            return
        self._gop.append(packed)
        self._gop_bytes += packed.size

    def _become_dark(self, why: Broken) -> None:
        self._gop, self._gop_bytes = [], 0
        self._since_us = 0
        self._time.breaks()
        for viewer in self._viewers:
            viewer.pace.await_key()
        self._become(why.state, why.says, why.do)

    def _become(self, state: PictureState, says: str = "", do: str = "") -> None:
        if (state, says, do) == (self.state, self.says, self.do):
            return
        self.state, self.says, self.do = state, says, do
        for viewer in self._viewers:
            if viewer.source is self:
                viewer.tell(Changed(state=state, says=says, do=do))


class _Line:
    """A feed's line of time. A camera that comes back begins its own anew; ours goes on, with the
    gap as long as it was."""

    def __init__(self) -> None:
        self._offset_us: int | None = 0
        self._media_us = 0
        self._received_us = 0

    def breaks(self) -> None:
        if self._received_us:
            self._offset_us = None

    def of(self, unit: AccessUnit) -> int:
        if self._offset_us is None:
            gap_us = max(unit.received_us - self._received_us, 1)
            self._offset_us = self._media_us + gap_us - unit.media_us
        self._media_us = max(unit.media_us + self._offset_us, 0)
        self._received_us = unit.received_us
        return self._media_us


class _Rate:
    """How much comes a second, and how much of it a viewer's line may hold back: what comes in
    one burst (a key frame, a piece of HLS) is no viewer's slowness."""

    def __init__(self) -> None:
        self.high_water = HIGH_WATER_BYTES_MIN
        self._began_us = 0
        self._bytes = 0
        self._per_s = 0.0
        self._burst_began_us = 0
        self._burst = 0
        self._burst_peak = 0.0

    def count(self, packed: Packed) -> None:
        now_us = packed.received_us
        if now_us - self._burst_began_us > BURST_US:
            self._burst_began_us, self._burst = now_us, 0
        self._burst += packed.size
        if self._burst > self._burst_peak:
            self._burst_peak = self._burst
            self.high_water = max(self.high_water, self._burst)
        self._began_us = self._began_us or now_us
        passed_us = now_us - self._began_us
        if passed_us >= S:
            per_s = self._bytes * S / passed_us
            self._per_s = 0.7 * self._per_s + 0.3 * per_s if self._per_s else per_s
            self._began_us, self._bytes = now_us, 0
            self._burst_peak *= BURST_KEPT_PER_S ** (passed_us / S)
            waits = max(HIGH_WATER_S * self._per_s, self._burst_peak, HIGH_WATER_BYTES_MIN)
            self.high_water = int(waits)
        self._bytes += packed.size


def _patience(source: StreamSource | None) -> float:
    """How many times longer than a stream of pictures may this source be silent?"""
    if source is None:
        return 1.0
    if source.protocol == "hls":  # pieces of several seconds
        return 6.0
    return 1.0 + source.period_s if source.protocol == "jpeg" else 1.0


def _let_go(ring: Ring | None) -> str:
    if ring is None or not ring.let_go_us:
        return ""
    return "memory was full: the ring let go of pictures before their time"
