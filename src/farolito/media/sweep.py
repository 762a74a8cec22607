"""Are ten thousand cameras well? One key frame of each in a round, spread over the round.

A verdict needs two of the last three answers. What fails is asked again after 5 s, 10 s, … 10
minutes, with chance in it, so that cameras that fell together do not come back together. What is
missed while this process itself was late, or its network away, says nothing of the camera.

Sums: 10,000 cameras in 300 s are 33 a second; `Limits.at_once` of them are asked at a time, so each
may take 1.4 s. Some 4 kB a camera.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import logging
import math
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from statistics import median
from typing import NamedTuple, Protocol

from farolito.codec import AccessUnit, Broken
from farolito.geo.sun import sun
from farolito.media.sight import Sight, look
from farolito.media.sweep_control import Begin, Found, Look, Progress, RoundDone, SweepSaid, Swept
from farolito.media.usual import Usual
from farolito.media.verdict import Verdict
from farolito.model import CameraHealth, CameraId, ImageFault, PictureState, Point

log = logging.getLogger(__name__)

_AWAY = frozenset({PictureState.UNREACHABLE, PictureState.STALLED})


class Clock(NamedTuple):
    """A camera's clock less ours, and how far off the truth may lie."""

    error_s: float
    bound_s: float
    measured_at: datetime


class Source(Protocol):
    """Who asks cameras. Each raises Broken."""

    async def key_unit(self, swept: Swept) -> AccessUnit:
        """One key picture: of what somebody watches, else pulled."""

    async def answers(self, swept: Swept) -> None:
        """Is it there? Without a picture."""

    async def clock(self, swept: Swept) -> Clock:
        """Only asked where it has an ONVIF address."""

    def is_watched(self, camera_id: CameraId) -> bool:
        """Whether its picture comes for somebody now."""

    def no_network(self) -> str:
        """Why this machine can reach nobody; empty where it can."""


class Limits(NamedTuple):
    """`late_s`: of this process, past which an unanswered question is not the camera's fault.
    `again_s`: the first and the last wait after a failure; `sure_s`: before a picture that shows
    something new is looked at once more. `spread`: of a round, in which all are asked."""

    at_once: int = 48
    late_s: float = 1.0
    again_s: tuple[float, float] = (5.0, 600.0)
    sure_s: float = 60.0
    spread: float = 0.9
    clock_every_s: float = 6 * 3600.0
    clock_off_s: float = 5.0
    tick_s: float = 0.25
    tell_s: float = 1.0
    progress_s: float = 5.0


LIMITS = Limits()
LIGHT_OF, LIGHT = 32, 80.0  # cameras, and the brightness of most of them by day
_JITTER = 0.25  # of a wait, more or less
STORM_S, STORM_LEAST, STORM_SHARE = 60.0, 20, 0.8  # of the last answers


class _Camera:
    """One of them, what is known of it, and when it is asked."""

    def __init__(self, swept: Swept, usual: Usual) -> None:
        self.swept = swept
        self.usual = usual
        self.verdict = Verdict(swept.pulled.camera_id)
        self.due_s = math.inf
        self.is_asked = False
        self.in_round = -1
        self.clock_at_s = -math.inf

    @property
    def camera_id(self) -> CameraId:
        return self.swept.pulled.camera_id


class Sweep:
    """`tell`: what the node must hear. `kept`: what was usual, by camera, as `usual` gave it.
    `mark`: told a camera's id before its picture is decoded, and nothing after; the decoder is
    another author's, and a process that it ends must not look at that picture again: `ended_by`.
    """

    def __init__(  # noqa: PLR0913 - the world, handed in once
        self,
        source: Source,
        tell: Callable[[SweepSaid], None],
        now: Callable[[], datetime],
        *,
        limits: Limits = LIMITS,
        chance: Callable[[], float] = random.random,
        kept: Mapping[CameraId, bytes] | None = None,
        mark: Callable[[str], None] = lambda _: None,
        ended_by: str = "",
    ) -> None:
        self._source = source
        self._tell = tell
        self._now = now
        self._limits = limits
        self._chance = chance
        self._kept = dict(kept or {})
        self._mark = mark
        self._ended_by = ended_by
        self._cameras: dict[CameraId, _Camera] = {}
        self._due: list[tuple[float, int, CameraId]] = []
        self._asked = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._decoder = ThreadPoolExecutor(1, "decode")
        self._news: dict[CameraId, CameraHealth] = {}
        self._wake = asyncio.Event()
        self._ticked_s = math.inf
        self._lates: deque[tuple[float, float]] = deque(maxlen=4096)
        self._lost: deque[tuple[float, bool]] = deque(maxlen=500)
        self._bright: deque[float] = deque(maxlen=LIGHT_OF)
        self._round: _Round | None = None

    # What the node tells

    def know(self, told: Look) -> None:
        gone = set(told.removed)
        if told.whole:
            gone |= self._cameras.keys() - {one.pulled.camera_id for one in told.cameras}
        for camera_id in gone:
            self._cameras.pop(camera_id, None)
            self._kept.pop(camera_id, None)
        for swept in told.cameras:
            self._learn_of(swept)

    def known(self, health: Iterable[CameraHealth]) -> None:
        """What was last found, so that a new process does not begin with nothing."""
        for one in health:
            camera = self._cameras.get(one.camera_id)
            if camera is not None and camera.verdict.health is None:
                camera.verdict.known(one)

    def begin(self, told: Begin) -> None:
        """A round: every camera is due once, but for those that wait after a failure."""
        self._finish()
        start_s = self._clock()
        self._round = _Round(told, start_s, time.process_time())
        until_s = start_s + told.seconds
        for camera in self._cameras.values():
            if camera.verdict.fails == 0 or camera.due_s > until_s + self._limits.again_s[1]:
                phase = (_phase(camera.camera_id) + 0.1 * self._chance()) / 1.1
                self._plan(camera, start_s + phase * self._limits.spread * told.seconds)
            if camera.due_s <= until_s:
                self._round.due += 1
                camera.in_round = told.number
        self._wake.set()

    def usual(self) -> dict[CameraId, bytes]:
        """To be kept over a restart. It shows no scene."""
        return {one.camera_id: one.usual.to_bytes() for one in self._cameras.values()}

    async def run(self) -> None:
        """Until cancelled. What is being asked then is given up."""
        helpers = [asyncio.create_task(work()) for work in (self._watch_self, self._report)]
        try:
            while True:
                wait_s = self._start_due()
                self._wake.clear()
                try:
                    async with asyncio.timeout(wait_s):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            for task in (*helpers, *self._tasks):
                task.cancel()
            await asyncio.gather(*helpers, *self._tasks, return_exceptions=True)
            self._decoder.shutdown(wait=False, cancel_futures=True)

    # When

    def _learn_of(self, swept: Swept) -> None:
        camera_id = swept.pulled.camera_id
        camera = self._cameras.get(camera_id)
        if camera is None:
            usual = Usual.of_bytes(self._kept.pop(camera_id, b""))
            self._cameras[camera_id] = _Camera(swept, usual)
            return
        if swept.version != camera.swept.version:
            camera.usual = Usual()
            camera.verdict.forget_view()
        if swept.pulled != camera.swept.pulled:
            camera.verdict.fails = 0  # another address: nothing was tried yet
        camera.swept = swept

    def _plan(self, camera: _Camera, due_s: float) -> None:
        camera.due_s = due_s
        heapq.heappush(self._due, (due_s, id(camera), camera.camera_id))
        self._wake.set()

    def _again(self, camera: _Camera, wait_s: float) -> None:
        self._plan(camera, self._clock() + wait_s * (1 + _JITTER * (2 * self._chance() - 1)))

    def _start_due(self) -> float | None:
        """Ask who is due, as many as may be asked at once; how long to wait for the next."""
        while self._due and self._asked < self._limits.at_once:
            due_s, _, camera_id = self._due[0]
            camera = self._cameras.get(camera_id)
            if camera is None or camera.is_asked or due_s != camera.due_s:
                heapq.heappop(self._due)  # planned anew since
                continue
            wait_s = due_s - self._clock()
            if wait_s > 0:
                return wait_s
            heapq.heappop(self._due)
            if self._round is None or self._clock() > self._round.until_s:
                camera.due_s = math.inf  # nobody permitted this look
                continue
            camera.due_s = math.inf
            camera.is_asked = True
            self._asked += 1
            task = asyncio.create_task(self._ask(camera), name="look at a camera")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return None

    # Asking

    async def _ask(self, camera: _Camera) -> None:
        start_s, swept = self._clock(), camera.swept
        try:
            if swept.looks:
                unit = await self._source.key_unit(swept)
                sight, faults = await self._judge(camera, unit)
                self._well(camera, camera.verdict.saw(sight, faults, self._now()))
            else:
                await self._source.answers(swept)
                self._well(camera, camera.verdict.answered(self._now()))
            await self._ask_clock(camera)
        except Broken as why:
            self._failed(camera, why, start_s)
        finally:
            camera.is_asked = False
            self._asked -= 1
            self._count(camera)
            self._wake.set()

    async def _judge(
        self, camera: _Camera, unit: AccessUnit
    ) -> tuple[Sight, frozenset[ImageFault]]:
        if camera.camera_id == self._ended_by:
            raise Broken(
                PictureState.MALFORMED,
                "our decoder ended on its last key frame",
                "restart the camera, then this node",
            )
        now = self._now()
        is_day = _is_day(now, camera.swept.place) or self._is_light()
        return await asyncio.get_running_loop().run_in_executor(
            self._decoder, self._decode, camera, unit, now, is_day
        )

    def _decode(
        self, camera: _Camera, unit: AccessUnit, now: datetime, is_day: bool
    ) -> tuple[Sight, frozenset[ImageFault]]:
        """In the decoder's thread."""
        self._mark(camera.camera_id)
        try:
            sight = look(unit)
        finally:
            self._mark("")
        self._bright.append(sight.mean)
        turns = camera.swept.turns
        faults = camera.usual.judge(sight, now.hour, now.timestamp(), turns=turns, is_day=is_day)
        return sight, faults

    def _is_light(self) -> bool:
        """Whether the cameras seen last see light, whatever the sun does."""
        return len(self._bright) >= LIGHT_OF // 4 and median(self._bright) > LIGHT

    async def _ask_clock(self, camera: _Camera) -> None:
        """What a camera does not tell of its clock is no fault of its picture."""
        now_s = self._clock()
        if not camera.swept.onvif_url or now_s < camera.clock_at_s + self._limits.clock_every_s:
            return
        camera.clock_at_s = now_s
        try:
            clock = await self._source.clock(camera.swept)
        except Broken as why:
            log.info("%s tells no time (%s)", camera.camera_id, why.says)
            return
        is_off = abs(clock.error_s) > self._limits.clock_off_s + clock.bound_s
        self._is(camera.verdict.clock(clock.error_s, clock.measured_at, is_off=is_off))

    # What came of it

    def _well(self, camera: _Camera, health: CameraHealth) -> None:
        self._lost.append((self._clock(), False))
        self._is(health)
        if not camera.verdict.is_sure:
            is_back = health.state is not PictureState.LIVE
            self._again(camera, self._limits.again_s[0] if is_back else self._limits.sure_s)

    def _failed(self, camera: _Camera, why: Broken, start_s: float) -> None:
        if self._is_ours(why, start_s):
            self._again(camera, self._limits.again_s[0])
        elif self._source.is_watched(camera.camera_id):
            self._is(camera.verdict.busy(self._now()))
        else:
            if why.state in _AWAY and camera.verdict.is_well:
                self._lost.append((self._clock(), True))
            self._is(camera.verdict.failed(why, self._now()))
            first_s, most_s = self._limits.again_s
            self._again(camera, min(most_s, first_s * 2.0 ** min(camera.verdict.fails - 1, 10)))

    def _is(self, health: CameraHealth | None) -> None:
        if health is not None:
            self._news[health.camera_id] = health

    # Is it us?

    def _is_ours(self, why: Broken, start_s: float) -> bool:
        if why.state not in _AWAY:
            return False
        late_s = max((late for at, late in self._lates if at >= start_s), default=0.0)
        # What is late at this moment has not been written down yet.
        late_s = max(late_s, self._clock() - self._ticked_s - self._limits.tick_s)
        return late_s > self._limits.late_s or bool(self._source.no_network())

    def _storm(self) -> str:
        away = self._source.no_network()
        if away:
            return away
        since_s = self._clock() - STORM_S
        recent = [lost for at, lost in self._lost if at >= since_s][-2 * STORM_LEAST :]
        if len(recent) >= STORM_LEAST and sum(recent) >= STORM_SHARE * len(recent):
            return "nearly every camera fell at once: look at our own line first"
        return ""

    async def _watch_self(self) -> None:
        """How late this process is: what came late for us came late for no camera."""
        tick_s = self._limits.tick_s
        self._ticked_s = self._clock()
        while True:
            await asyncio.sleep(tick_s)
            now_s = self._clock()
            late_s = now_s - self._ticked_s - tick_s
            self._ticked_s = now_s
            self._lates.append((now_s, late_s))
            if self._round is not None:
                self._round.late_s = max(self._round.late_s, late_s)

    # What is told

    async def _report(self) -> None:
        progress_at_s = 0.0
        while True:
            await asyncio.sleep(self._limits.tell_s)
            self._tell_news()
            if self._round is not None and self._clock() >= progress_at_s:
                progress_at_s = self._clock() + self._limits.progress_s
                self._tell(self._round.progress(self._storm()))
            if self._round is not None and self._clock() >= self._round.until_s:
                self._finish()

    def _tell_news(self) -> None:
        if self._news:
            self._tell(Found(health=tuple(self._news.values())))
            self._news = {}

    def _count(self, camera: _Camera) -> None:
        """Each camera once a round."""
        whole = self._round
        if whole is None or camera.in_round != whole.told.number:
            return
        camera.in_round = -1
        if camera.verdict.fails:
            whole.missed += 1
        elif not camera.swept.looks:
            whole.asked += 1
        elif self._source.is_watched(camera.camera_id):
            whole.live += 1
        else:
            whole.looked += 1

    def _finish(self) -> None:
        if self._round is not None:
            self._tell_news()
            self._tell(self._round.done(self._clock(), self._storm()))
            self._round = None

    def _clock(self) -> float:
        return asyncio.get_running_loop().time()


class _Round:
    def __init__(self, told: Begin, start_s: float, cpu_s: float) -> None:
        self.told = told
        self.start_s = start_s
        self.until_s = start_s + told.seconds
        self.due = self.looked = self.asked = self.live = self.missed = 0
        self.late_s = 0.0
        self._cpu_s = cpu_s

    def progress(self, storm: str) -> Progress:
        done = self.looked + self.asked + self.live + self.missed
        return Progress(
            number=self.told.number,
            due=self.due,
            done=done,
            cpu_s=time.process_time() - self._cpu_s,
            late_ms=round(self.late_s * 1000),
            storm=storm,
        )

    def done(self, now_s: float, storm: str) -> RoundDone:
        return RoundDone(
            number=self.told.number,
            due=self.due,
            looked=self.looked,
            asked=self.asked,
            live=self.live,
            missed=self.missed,
            cpu_s=time.process_time() - self._cpu_s,
            seconds=now_s - self.start_s,
            storm=storm,
        )


def _phase(camera_id: CameraId) -> float:
    """Where in a round a camera is asked, 0…1: always the same, and evenly spread."""
    digest = hashlib.blake2b(camera_id.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 2**32


def _is_day(at: datetime, place: Point | None) -> bool:
    """Where nobody knows the place, nobody knows that it is day."""
    return place is not None and sun(at, (place.lat, place.lon)).elevation_deg > 3.0
