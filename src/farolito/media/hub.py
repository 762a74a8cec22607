"""Every feed and every viewer of one process: who gets what, and until when.

The hub knows cameras' addresses and what a token says; it knows no person's name, no incident and
no right. Nothing is pulled before a token was taken, but for the cameras that keep a ring.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import msgspec

from farolito.codec import AccessUnit
from farolito.media.clip import make_clip
from farolito.media.control import (
    ClipMade,
    Closed,
    Cut,
    Hold,
    Know,
    MakeClip,
    Opened,
    Pulled,
    Quality,
    Said,
    State,
    TokenRefused,
)
from farolito.media.feed import Feed, Open
from farolito.media.grants import Grants, TokenTurnedAway, is_for
from farolito.media.pace import Paces
from farolito.media.ring import Ring, give_back
from farolito.media.token import Grant
from farolito.media.viewer import Going, Out, Rung, Stream, Viewer, Why
from farolito.media.wire import Begun, Moved, Show
from farolito.model import CameraId, FarolitoError, PictureState

S = 1_000_000  # µs
TICK_S = 0.5
FAREWELL_S_MAX = 3.0  # for cameras to be told that we go
RING_START_S = 0.01  # × cameras with rings: the time within which all of them are first asked
_FAILED = frozenset(PictureState) - {PictureState.LIVE, PictureState.CONNECTING}
_STREAMS: tuple[Stream, ...] = ("main", "sub")


class Limits(NamedTuple):
    """`linger_s`: a line stays open after its last viewer. `silent_s`: a viewer that takes nothing
    for so long is let go. `queue_bytes`: what may wait for one viewer, whatever it is."""

    viewers: int = 2000
    viewers_of_camera: int = 400
    linger_s: float = 10.0
    silent_s: float = 10.0
    queue_bytes: int = 16 * 2**20
    ring_bytes: int = 1024 * 2**20
    paces: Paces = Paces()


LIMITS = Limits()


class Full(FarolitoError):
    """As many watch as this process bears."""


class Hub:
    """`open_`: the line to a camera's stream, `full` or `sub`, not yet begun. May raise Broken.
    `tell`: what the node must hear."""

    def __init__(
        self,
        open_: Open,
        now_us: Callable[[], int],
        tell: Callable[[Said], None],
        limits: Limits = LIMITS,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.now_us = now_us
        self._open = open_
        self._tell = tell
        self._limits = limits
        self._chance = chance
        self._grants = Grants(now_us())
        self._cameras: dict[CameraId, Pulled] = {}
        self._feeds: dict[tuple[CameraId, Stream], Feed] = {}
        self._lingering: dict[tuple[CameraId, Stream], asyncio.TimerHandle] = {}
        self._viewers: dict[Viewer, asyncio.TimerHandle | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ring_bytes = 0
        self._late_s = 0.0
        self._is_closing = False
        self._ticking: asyncio.Task[None] | None = None

    # What the node tells

    def start(self) -> None:
        self._ticking = asyncio.create_task(self._tick_on(), name="hub")

    def prove_by(self, secret: bytes) -> None:
        self._grants.prove_by(secret)

    def know(self, know: Know) -> None:
        """Cameras from now on; what is forgotten is cut."""
        known = {one.camera_id for one in know.cameras}
        gone = set(self._cameras) - known if know.whole else set(know.removed) - known
        self.cut(Cut(cameras=tuple(gone), reason="this camera was taken out of the register"))
        for camera_id in gone:
            self._cameras.pop(camera_id, None)
            for stream in _STREAMS:
                self._close_feed(camera_id, stream)
        within_s = RING_START_S * sum(1 for one in know.cameras if one.ring_s > 0)
        for pulled in know.cameras:
            if pulled != self._cameras.get(pulled.camera_id):
                self._cameras[pulled.camera_id] = pulled
                self._change(pulled, within_s)

    def cut(self, cut: Cut) -> None:
        """Viewings end now; so does the line of a camera that is cut, unless it has a ring of its
        own."""
        cameras, permits = frozenset(cut.cameras), frozenset(cut.permits)
        self._grants.cut(permits, cameras, self.now_us())
        for viewer in tuple(self._viewers):
            if viewer.grant.camera_id in cameras or not permits.isdisjoint(viewer.permits):
                viewer.end("cut", cut.reason)
                self.leave(viewer, "cut")
        for camera_id in cameras:
            for feed in self._feeds_of(camera_id):
                if feed.ring is not None and feed.ring.seconds == 0:
                    feed.ring = None
                if not feed.is_wanted:
                    self._close_feed(camera_id, feed.stream)

    def hold(self, hold: Hold) -> None:
        """Rings keep what they have. A camera without one that is open begins to keep; none is
        opened for it."""
        now_us = self.now_us()
        for camera_id in hold.cameras:
            feed = self._feeds.get((camera_id, "main")) or self._feeds.get((camera_id, "sub"))
            if feed is None:
                continue
            if feed.ring is None:
                feed.ring = Ring(0.0)
                for packed in feed.cached():
                    feed.ring.take(packed)
            feed.ring.hold(now_us, hold.until_us)

    async def make_clip(self, wanted: MakeClip) -> ClipMade:
        feeds = (self._feeds.get((wanted.camera_id, stream)) for stream in _STREAMS)
        feed = next((one for one in feeds if one is not None and one.has_pictures), None)
        made = await make_clip(feed, wanted, self.now_us)
        if feed is not None:
            self._let_linger(feed)
        return made

    def newest_key(self, camera_id: CameraId) -> AccessUnit | None:
        """Of a camera that is open; its full stream before its small one."""
        feeds = (self._feeds.get((camera_id, stream)) for stream in _STREAMS)
        cached = (feed.cached() for feed in feeds if feed is not None)
        return next((units[0].unit() for units in cached if units), None)

    def state(self) -> State:
        """Every line there is, and how late our loop was since the last time, at most."""
        late_s, self._late_s = self._late_s, 0.0
        lines = tuple(feed.pulling() for feed in self._feeds.values())
        return State(lines=lines, ring_bytes=self._ring_bytes, late_ms=round(late_s * 1000))

    async def close(self) -> None:
        """End every viewing, and every line."""
        if self._ticking is not None:
            self._ticking.cancel()
            with suppress(asyncio.CancelledError):
                await self._ticking
        self._is_closing = True
        for viewer in tuple(self._viewers):
            viewer.end("stopped", "the node stops", "come again in a moment")
            self.leave(viewer, "stopped")
        for timer in self._lingering.values():
            timer.cancel()
        for camera_id, stream in tuple(self._feeds):
            self._close_feed(camera_id, stream)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=FAREWELL_S_MAX)

    # What viewers ask

    def admit(self, show: Show, out: Out) -> Viewer:
        """A viewing begins. Raises TokenTurnedAway and Full."""
        if self._is_closing:
            raise Full("the node stops", "come again in a moment")
        now_us = self.now_us()
        grant = self._take(show.token, now_us)
        pulled = self._cameras.get(grant.camera_id)
        if pulled is None or not (pulled.main or pulled.sub):
            raise self._turned_away(TokenTurnedAway("other_camera", grant))
        self._check_room(grant.camera_id)
        ladder = _ladder(pulled, show.quality)
        viewer = Viewer(out, grant, show, ladder, self._limits.paces)
        feed = self._feed(pulled, ladder[0].stream)
        begun = Begun(
            camera_id=grant.camera_id,
            codec=feed.codec,
            quality=ladder[0].quality,
            until_us=grant.until_us,
            now_us=now_us,
        )
        self._viewers[viewer] = None
        self._end_in_time(viewer)
        self._tell(Opened(permit=grant.permit, camera_id=grant.camera_id, since_us=now_us))
        viewer.begin(feed, begun, now_us)
        if ladder[0].quality != show.quality:
            viewer.tell(Moved(quality=ladder[0].quality, why="no_sub"))
        return viewer

    def prolong(self, viewer: Viewer, show: Show) -> None:
        """A newer token for the same person and camera. Raises TokenTurnedAway."""
        grant = self._take(show.token, self.now_us())
        if not is_for(viewer.grant, grant, viewer.grant.camera_id):
            raise self._turned_away(TokenTurnedAway("other_camera", grant))
        viewer.permits.add(grant.permit)
        viewer.until_us = max(viewer.until_us, grant.until_us)
        self._end_in_time(viewer)

    def ask_quality(self, viewer: Viewer, quality: Quality) -> None:
        pulled = self._cameras.get(viewer.grant.camera_id)
        if pulled is None:
            return
        viewer.wanted = quality
        viewer.ladder = _ladder(pulled, quality)
        self._move(viewer, 0, "asked" if viewer.ladder[0].quality == quality else "no_sub")

    def leave(self, viewer: Viewer, why: str) -> None:
        """A viewing is over; told once, whoever ended it."""
        if viewer not in self._viewers:
            return
        timer = self._viewers.pop(viewer)
        if timer is not None:
            timer.cancel()
        feeds = self._feeds_of(viewer.grant.camera_id)
        source = viewer.source
        viewer.leave()
        for feed in feeds:
            if feed is source:
                feed.dropped += viewer.pace.dropped
            self._let_linger(feed)
        permit, camera_id = viewer.grant.permit, viewer.grant.camera_id
        self._tell(Closed(permit=permit, camera_id=camera_id, until_us=self.now_us(), why=why))

    # Who gets what

    def _take(self, token: str, now_us: int) -> Grant:
        try:
            return self._grants.take(token, now_us)
        except TokenTurnedAway as why:
            raise self._turned_away(why) from None

    def _turned_away(self, why: TokenTurnedAway) -> TokenTurnedAway:
        grant = why.grant
        self._tell(
            TokenRefused(
                reason=why.reason,
                permit=grant.permit if grant is not None else None,
                camera_id=grant.camera_id if grant is not None else None,
                at_us=self.now_us(),
            )
        )
        return why

    def forged(self) -> TokenTurnedAway:
        """Somebody began with something that is no token."""
        return self._turned_away(TokenTurnedAway("forged"))

    def _check_room(self, camera_id: CameraId) -> None:
        of_camera = sum(len(feed.viewers) for feed in self._feeds_of(camera_id))
        full = len(self._viewers) >= self._limits.viewers
        if full or of_camera >= self._limits.viewers_of_camera:
            whom = "of this process" if full else "of this camera"
            raise Full(f"as many pictures {whom} are open as it bears", "close others, or wait")

    def _move(self, viewer: Viewer, step: int, why: Why) -> None:
        pulled = self._cameras.get(viewer.grant.camera_id)
        if pulled is not None:
            feed = self._feed(pulled, viewer.ladder[step].stream)
            viewer.move(Going(feed, step, why), self.now_us())
            self._let_all_linger(viewer.grant.camera_id)

    def _judge(self, viewer: Viewer, now_us: int) -> None:
        """Is it silent, slow, or quick enough for more?"""
        limits = self._limits
        silent_us = round(limits.silent_s * S)
        if viewer.queued > limits.queue_bytes or viewer.is_silent(now_us, silent_us):
            viewer.end("silent", "this browser took no pictures", "open the camera again")
            return
        if self._misses_sub(viewer):
            return
        verdict = viewer.pace.verdict(now_us)
        if viewer.going is not None:
            return
        if verdict == "slow" and viewer.step + 1 < len(viewer.ladder):
            self._move(viewer, viewer.step + 1, "slow")
        elif verdict == "unslow" and viewer.step > 0:
            self._move(viewer, viewer.step - 1, "unslow")

    def _misses_sub(self, viewer: Viewer) -> bool:
        """A substream that does not come is as none: the only other stream takes its place."""
        source = viewer.going.source if viewer.going is not None else viewer.source
        if source is None or source.stream != "sub" or source.state not in _FAILED:
            return False
        pulled = self._cameras.get(viewer.grant.camera_id)
        if pulled is None or pulled.main is None:
            return False
        viewer.ladder = _ladder(msgspec.structs.replace(pulled, sub=None), viewer.wanted)
        step = 0 if viewer.going is None else len(viewer.ladder) - 1
        self._move(viewer, step, "no_sub")
        return True

    def _end_in_time(self, viewer: Viewer) -> None:
        """A timer, and a look at the clock when it rings, since clocks are set."""
        timer = self._viewers[viewer]
        if timer is not None:
            timer.cancel()
        left_s = (viewer.until_us - self.now_us()) / S
        if left_s <= 0:
            self._viewers[viewer] = None
            viewer.end("expired", "this permission to look is over", "open the camera again")
            return
        loop = asyncio.get_running_loop()
        self._viewers[viewer] = loop.call_later(left_s, self._end_in_time, viewer)

    # Feeds

    def _feed(self, pulled: Pulled, stream: Stream, within_s: float = 0.0) -> Feed:
        """The one feed of a stream, opened by whoever comes first."""
        key = (pulled.camera_id, stream)
        timer = self._lingering.pop(key, None)
        if timer is not None:
            timer.cancel()
        feed = self._feeds.get(key)
        if feed is None:
            feed = Feed(pulled, stream, self._open, self.now_us, self._chance)
            self._feeds[key] = feed
            feed.start(within_s)
        if not within_s:
            feed.hurry()
        return feed

    def _feeds_of(self, camera_id: CameraId) -> list[Feed]:
        found = (self._feeds.get((camera_id, stream)) for stream in _STREAMS)
        return [feed for feed in found if feed is not None]

    def _let_all_linger(self, camera_id: CameraId) -> None:
        for feed in self._feeds_of(camera_id):
            self._let_linger(feed)

    def _let_linger(self, feed: Feed) -> None:
        key = (feed.pulled.camera_id, feed.stream)
        if feed.is_wanted or key in self._lingering or self._feeds.get(key) is not feed:
            return
        loop = asyncio.get_running_loop()
        self._lingering[key] = loop.call_later(self._limits.linger_s, self._end_linger, feed)

    def _end_linger(self, feed: Feed) -> None:
        key = (feed.pulled.camera_id, feed.stream)
        if not feed.is_wanted and self._feeds.get(key) is feed:
            self._close_feed(*key)
        else:
            self._lingering.pop(key, None)

    def _close_feed(self, camera_id: CameraId, stream: Stream) -> None:
        feed = self._feeds.pop((camera_id, stream), None)
        timer = self._lingering.pop((camera_id, stream), None)
        if timer is not None:
            timer.cancel()
        if feed is not None:
            task = asyncio.create_task(feed.close(), name="close a line")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _change(self, pulled: Pulled, within_s: float) -> None:
        """A new camera, or an old one with another address, password or ring."""
        for feed in self._feeds_of(pulled.camera_id):
            feed.use(pulled)
        kept_in: Stream = "main" if pulled.main is not None else "sub"
        if pulled.ring_s > 0 and (pulled.main or pulled.sub):
            feed = self._feed(pulled, kept_in, within_s)
            if feed.ring is None:
                feed.ring = Ring(pulled.ring_s)
            feed.ring.seconds = pulled.ring_s
        else:
            for feed in self._feeds_of(pulled.camera_id):
                feed.ring = None
                self._let_linger(feed)

    # Time

    async def _tick_on(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + TICK_S, loop.time())
            await asyncio.sleep(due - loop.time())
            self._late_s = max(self._late_s, loop.time() - due)
            self.tick()

    def tick(self) -> None:
        now_us = self.now_us()
        for feed in self._feeds.values():
            feed.tick()
        for viewer in tuple(self._viewers):
            if not viewer.ended.done():
                self._judge(viewer, now_us)
        self._mind_rings(now_us)

    def _mind_rings(self, now_us: int) -> None:
        rings: list[Ring] = []
        for feed in self._feeds.values():
            ring = feed.ring
            if feed.watched.bytes:
                feed.watched.expire(now_us)
                rings.append(feed.watched)
            if ring is None:
                continue
            if ring.seconds == 0 and not ring.is_held(now_us):
                feed.ring = None  # it was kept for an incident alone
                self._let_linger(feed)
            else:
                ring.expire(now_us)
                rings.append(ring)
        self._ring_bytes = give_back(rings, self._limits.ring_bytes, now_us)


def _ladder(pulled: Pulled, wanted: Quality) -> tuple[Rung, ...]:
    """What a viewer gets, and what it gets when it is slow. A substream is pulled once for all
    walls; where there is none, a wall shows the key frames of the only stream."""
    best: Stream = "main" if pulled.main is not None else "sub"
    less: Stream = "sub" if pulled.sub is not None else best
    key = Rung("key", less, key_only=True)
    if wanted == "key":
        return (key,)
    if wanted == "sub" and less != best:
        return (Rung("sub", less), key)
    full = Rung("full", best)
    return (full, Rung("sub", less), key) if less != best else (full, key)
