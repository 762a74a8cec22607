"""What the practice metro's sensors hear, moment by moment: shots, and all that only sounds so.

Gunfire comes with the events that people call about, some seconds before anybody calls, and now
and then without a call. Fireworks, backfires and works come by themselves. What was truly fired
goes into the book of truth, never to a node.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np

from farolito.acoustics import Pulse
from farolito.model import CallKind, Point, SoundKind
from farolito.simulator.bang import Event as Sounding
from farolito.simulator.calls import Event
from farolito.simulator.ears import Ears
from farolito.simulator.gunfire import guns, rounds
from farolito.simulator.metro import lat_lon, metres
from farolito.simulator.noises import noise
from farolito.simulator.sound import sound
from farolito.simulator.street_plan import XY

STEP_S = 1.0
BEFORE_RING_S = 2.0  # the first call rings so long after the shots
SPREAD_M = 12.0  # whoever fires stands so far from where callers say
UNCALLED_EVERY_S = 900.0
NOISE_EVERY_S = 150.0
NOISES = ("firecrackers", "backfire", "nail_gun", "salutes", "backfire", "aerial_shells")
REMEMBERED_S = 90.0  # of what each pulse was, for clips that are asked for
_GUNFIRE = frozenset({CallKind.SHOTS_FIRED, CallKind.SHOOTING})


class SoundTruth(msgspec.Struct, frozen=True, kw_only=True):
    """What truly sounded, where and when. Never sent to a node."""

    at: datetime
    kind: SoundKind
    what: str
    place: Point
    rounds: int
    event: str | None = None  # of the calls, where there are any


class Told(msgspec.Struct, frozen=True):
    """A pulse, and the sound that made it; None: a stray."""

    pulse: Pulse
    of: Sounding | None


class Soundscape:
    """Ask `until` with times that grow: it gives the pulses that sensors have picked by then."""

    def __init__(self, seed: int, ears: Ears, events: Iterable[Event], start: datetime) -> None:
        self._ears = ears
        self._rng = np.random.default_rng([0x50D, seed])
        self._step_s = start.timestamp()
        self._coming: list[tuple[float, int, Sounding, str | None]] = []
        self._called = self._gunfire(events)
        self._next_called = next(self._called, None)
        self._next_noise_s = self._step_s + self._rng.uniform(20, 60)
        self._next_uncalled_s = self._step_s + self._rng.uniform(0.3, 1) * UNCALLED_EVERY_S
        self._noises = itertools.cycle(NOISES)
        self._pulses: list[tuple[float, int, Told]] = []
        self._count = itertools.count()
        self._made: deque[Told] = deque()
        self.truths: list[SoundTruth] = []

    def until(self, at: datetime) -> list[Told]:
        """In order of the onset. `truths` grows by what sounded meanwhile."""
        now_s = at.timestamp()
        while self._step_s <= now_s + STEP_S:
            self._sound(self._step_s)
            self._step_s += STEP_S
        told = []
        while self._pulses and self._pulses[0][0] <= now_s:
            told.append(heapq.heappop(self._pulses)[2])
        self._made.extend(told)
        while self._made and self._made[0].pulse.at_s < now_s - REMEMBERED_S:
            self._made.popleft()
        return told

    def behind(self, sensor: str, from_s: float, to_s: float) -> list[Told]:
        """What a sensor picked in a span of the last moments: the sound of a clip."""
        return [
            one
            for one in self._made
            if one.pulse.sensor == sensor and from_s <= one.pulse.at_s <= to_s
        ]

    def _sound(self, from_s: float) -> None:
        events = [event for event, _ in self._due(from_s + STEP_S)]
        heard = sound(events, self._ears.town, (from_s, from_s + STEP_S), self._rng)
        for pulse, made in zip(heard.pulses, heard.made, strict=True):
            of = events[made.event] if made.event >= 0 else None
            heapq.heappush(self._pulses, (pulse.at_s, next(self._count), Told(pulse, of)))

    def _due(self, before_s: float) -> Iterator[tuple[Sounding, str | None]]:
        """What begins before a moment, the truth of it written down."""
        while self._next_called is not None and self._next_called[0] < before_s:
            at_s, xy, name = self._next_called
            self._next_called = next(self._called, None)
            count = int(self._rng.integers(3, 8))
            yield self._told(
                rounds(count, max(at_s, self._step_s), (0.16, 0.42), xy, self._rng), name
            )
        while self._next_uncalled_s < before_s:
            for one in guns("string", self._next_uncalled_s, self._somewhere, self._rng):
                yield self._told(one, None)
            self._next_uncalled_s += self._rng.exponential(UNCALLED_EVERY_S) + 60
        while self._next_noise_s < before_s:
            for one in noise(next(self._noises), self._next_noise_s, self._somewhere, self._rng):
                yield self._told(one, None)
            self._next_noise_s += self._rng.exponential(NOISE_EVERY_S) + 10

    def _told(self, one: Sounding, event: str | None) -> tuple[Sounding, str | None]:
        lat, lon = lat_lon((one.x_m, one.y_m))
        self.truths.append(
            SoundTruth(
                at=datetime.fromtimestamp(one.bangs[0].at_s, UTC),
                kind=one.kind,
                what=one.what,
                place=Point(lat, lon),
                rounds=len(one.bangs),
                event=event,
            )
        )
        return one, event

    def _gunfire(self, events: Iterable[Event]) -> Iterator[tuple[float, XY, str]]:
        """Shots that people will call about, where there are sensors."""
        for event in events:
            at = metres(event.spot.at)
            if event.kind.kind in _GUNFIRE and self._ears.covers(at):
                dx, dy = self._rng.normal(0, SPREAD_M, 2)
                before = timedelta(seconds=event.tellings[0].talk_s + BEFORE_RING_S)
                place = (at[0] + float(dx), at[1] + float(dy))
                yield (event.at - before).timestamp(), place, event.event_id

    def _somewhere(self) -> XY:
        half = self._ears.side_m / 2 - 250.0
        dx, dy = self._rng.uniform(-half, half, 2)
        return self._ears.centre[0] + float(dx), self._ears.centre[1] + float(dy)
