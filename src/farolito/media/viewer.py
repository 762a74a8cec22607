"""One who watches: which feed, in which form, and how far behind."""

from __future__ import annotations

import asyncio
from typing import Literal, NamedTuple, Protocol

from farolito.media.control import Quality
from farolito.media.fragments import Beginning, Fragments
from farolito.media.pace import Pace, Paces
from farolito.media.stills import PERIOD_S
from farolito.media.token import Grant
from farolito.media.wire import (
    Begun,
    Changed,
    Ended,
    Moved,
    Packed,
    Pong,
    Said,
    Show,
    catch_up,
    text,
)
from farolito.model import PictureState

STILL_US = round(PERIOD_S * 1_000_000)

Stream = Literal["main", "sub"]
Why = Literal["slow", "asked", "unslow", "no_sub"]


class Out(Protocol):
    """A viewer's line, as asyncio's transports are."""

    def write(self, data: bytes | memoryview) -> None: ...
    def get_write_buffer_size(self) -> int: ...
    def is_closing(self) -> bool: ...


class Rung(NamedTuple):
    """A step of the ladder that a slow viewer goes down, and up again."""

    quality: Quality
    stream: Stream
    key_only: bool = False


class Source(Protocol):
    """What a viewer sees of a feed."""

    stream: Stream
    state: PictureState
    says: str
    do: str

    @property
    def high_water(self) -> int: ...
    def fragments(self, key_only: bool) -> Fragments: ...
    def cached(self) -> list[Packed]: ...
    def add(self, viewer: Viewer) -> None: ...
    def leave(self, viewer: Viewer) -> None: ...


class Going(NamedTuple):
    """To another feed, as soon as it has a picture."""

    source: Source
    step: int
    why: Why


class Viewer:
    """Units are written to its line at once, or left out; it never waits and holds up nobody."""

    def __init__(
        self, out: Out, grant: Grant, show: Show, ladder: tuple[Rung, ...], paces: Paces
    ) -> None:
        self.grant = grant
        self.permits = {grant.permit}
        self.until_us = grant.until_us
        self.mode = show.mode
        self.wanted = show.quality
        self.ladder = ladder
        self.step = 0
        self.going: Going | None = None
        self.pace = Pace(paces)
        self.ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self.written = 0  # bytes, ever
        self._out = out
        self._source: Source | None = None
        self._key_only = ladder[0].key_only
        self._beginning: Beginning | None = None
        self._still_us = 0
        self._drained = 0
        self._drained_at_us = 0

    @property
    def key_only(self) -> bool:
        return self._key_only

    @property
    def source(self) -> Source | None:
        return self._source

    @property
    def queued(self) -> int:
        return self._out.get_write_buffer_size()

    # What the hub does with it

    def begin(self, source: Source, begun: Begun, now_us: int) -> None:
        self._drained_at_us = now_us
        self.tell(begun)
        self._source = source
        source.add(self)
        self._tell_state()
        self._catch_up(now_us)

    def move(self, going: Going, now_us: int) -> None:
        """Down or up the ladder; to another feed once that has a picture."""
        self.stay()
        if going.source is self._source:
            self._step(going, now_us)
            if not self._key_only:
                self.pace.await_key()
            return
        self.going = going
        going.source.add(self)
        if going.source.cached():
            self._arrive(now_us)
            self._catch_up(now_us)

    def stay(self) -> None:
        """Where it was going is not to be reached."""
        going, self.going = self.going, None
        if going is not None:
            going.source.leave(self)

    def leave(self) -> None:
        self.stay()
        source, self._source = self._source, None
        if source is not None:
            source.leave(self)

    def tell(self, message: Said) -> None:
        self._write(text(message))

    def end(self, why: str, says: str, do: str = "") -> None:
        if not self.ended.done():
            self.ended.set_result(Ended(why=why, says=says, do=do))

    def pong(self, t: int | float, now_us: int) -> None:
        if self.queued <= self._high_water():
            self.tell(Pong(t=t, now_us=now_us))

    def is_silent(self, now_us: int, silent_us: int) -> bool:
        """Has it taken nothing of what waits for it?"""
        queued = self.queued
        drained = self.written - queued
        if queued == 0 or drained > self._drained:
            self._drained, self._drained_at_us = max(drained, self._drained), now_us
        return now_us - self._drained_at_us > silent_us

    # What a feed does with it

    def offer(self, source: Source, packed: Packed) -> None:
        if source is not self._source:
            if not packed.is_key or self.going is None or source is not self.going.source:
                return
            self._arrive(packed.received_us)
        if self.mode == "still":
            self._offer_still(packed)
            return
        if self._key_only and not packed.is_key:
            return
        queued = self._out.get_write_buffer_size()
        if self.pace.takes(packed.is_key, queued, source.high_water, packed.received_us):
            if self.mode == "mse" and packed.codec == "h264":
                self._write_fragment(source.fragments(self._key_only), packed)
            else:
                self._write(packed.frame)

    def still(self, frame: bytes) -> None:
        """The feed's newest still, decoded."""
        if self.queued <= self._high_water():
            self._write(frame)

    def _offer_still(self, packed: Packed) -> None:
        """A camera that sends JPEGs needs no decoding."""
        is_due = packed.received_us - self._still_us >= STILL_US
        if packed.codec == "jpeg" and is_due and self.queued <= self._high_water():
            self._still_us = packed.received_us
            self._write(packed.frame)

    def _arrive(self, now_us: int) -> None:
        going, self.going = self.going, None
        assert going is not None
        if self._source is not None:
            self._source.leave(self)
        self._source = going.source
        self._beginning = None
        self._tell_state()
        self._step(going, now_us)

    def _step(self, going: Going, now_us: int) -> None:
        if going.why in ("slow", "unslow"):
            self.pace.moved(now_us, up=going.step < self.step)
        self.step = going.step
        self._key_only = self.ladder[going.step].key_only
        self.tell(Moved(quality=self.ladder[going.step].quality, why=going.why))

    def _tell_state(self) -> None:
        source = self._source
        assert source is not None
        self.tell(Changed(state=source.state, says=source.says, do=source.do))

    def _catch_up(self, now_us: int) -> None:
        """All since the last key frame, so that there is a picture at once; only the newest is to
        be drawn."""
        assert self._source is not None
        cached = self._source.cached()
        if self._key_only:
            cached = cached[:1]
        if not cached:
            self.pace.await_key()
            return
        if self.mode == "still":
            self._offer_still(cached[-1])
            return
        if self.mode == "mse" and cached[0].codec == "h264":
            fragments = self._source.fragments(self._key_only)
            past = fragments.past(cached)
            self._write_beginning(fragments.beginning)
            for frame in past:
                self._write(frame)
        else:
            for packed in cached[:-1]:
                for part in catch_up(packed):
                    self._write(part)
            self._write(cached[-1].frame)
        self.pace.caught_up(now_us)

    def _write_fragment(self, fragments: Fragments, packed: Packed) -> None:
        frame = fragments.of(packed)
        if frame is not None:
            self._write_beginning(fragments.beginning)
            self._write(frame)

    def _write_beginning(self, beginning: Beginning | None) -> None:
        if beginning is not None and beginning is not self._beginning:
            self._beginning = beginning
            self._write(beginning.told)
            self._write(beginning.segment)

    def _write(self, data: bytes | memoryview) -> None:
        if self.ended.done() or self._out.is_closing():
            return
        try:
            self._out.write(data)
        except RuntimeError:
            # A browser that says goodbye has its line's other half shut before the line is closed.
            self.end("left", "the browser closed the picture", "")
        else:
            self.written += len(data)

    def _high_water(self) -> int:
        return self._source.high_water if self._source is not None else 0
