"""Gunfire for a running node: sensors that sign and send over HTTP, and the truth beside them."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np

from farolito.model import Point
from farolito.simulator.bang import Event
from farolito.simulator.ears import Ears, place_ears
from farolito.simulator.gunfire import rounds
from farolito.simulator.metro import CENTRE, lat_lon, metres
from farolito.simulator.sound import sound
from farolito.simulator.sound_line import SoundLine
from farolito.simulator.soundscape import Told
from tests.running import AGENCY, RunningNode

SENSORS = 40
SEED = 4


class Scape:
    """What the sensors hear: nothing but what a test fires."""

    def __init__(self, ears: Ears) -> None:
        self.ears = ears
        self.truths: list[Any] = []
        self._rng = np.random.default_rng(SEED)
        self._coming: list[Told] = []
        self._heard: deque[Told] = deque(maxlen=2_000)

    def fire(self, east_m: float, north_m: float, count: int = 5, after_s: float = 0.3) -> Event:
        """A string of rounds, so far from the middle of the net, a moment from now."""
        at_s = datetime.now(UTC).timestamp() + after_s
        x, y = self.ears.centre
        event = rounds(count, at_s, (0.2, 0.35), (x + east_m, y + north_m), self._rng)
        self.make([event])
        return event

    def make(self, events: Sequence[Event]) -> None:
        at_s = min(bang.at_s for event in events for bang in event.bangs)
        heard = sound(events, self.ears.town, (at_s, at_s), self._rng)
        told = [
            Told(pulse, events[made.event])
            for pulse, made in zip(heard.pulses, heard.made, strict=True)
        ]
        self._coming = sorted([*self._coming, *told], key=lambda one: one.pulse.at_s)

    def until(self, at: datetime) -> list[Told]:
        now_s = at.timestamp()
        due = [one for one in self._coming if one.pulse.at_s <= now_s]
        self._coming = self._coming[len(due) :]
        self._heard.extend(due)
        return due

    def behind(self, sensor: str, from_s: float, to_s: float) -> list[Told]:
        return [
            one
            for one in self._heard
            if one.pulse.sensor == sensor and from_s <= one.pulse.at_s <= to_s
        ]


def place_of(event: Event) -> Point:
    return Point(*lat_lon((event.x_m, event.y_m)))


def metres_apart(a: Point, b: Point) -> float:
    (ax, ay), (bx, by) = metres((a.lat, a.lon)), metres((b.lat, b.lon))
    return float(np.hypot(ax - bx, ay - by))


def some_ears(count: int = SENSORS) -> Ears:
    return place_ears(SEED, AGENCY, CENTRE, count)


async def registered(node: RunningNode, ears: Ears) -> None:
    """The sensors' places and public keys, as an administrator tells them."""
    for ear in ears.ears:
        await node.node.identity.register_sensor(ear.device, ear.public_key)
    await node.node.devices_changed()


@asynccontextmanager
async def sensors_at_work(url: str, scape: Scape) -> AsyncIterator[SoundLine]:
    """They send, beat and wait for wants until the end of the block."""
    line = SoundLine(url, scape.ears, scape, lambda: datetime.now(UTC), io.BytesIO())
    task = asyncio.create_task(line.run())
    try:
        yield line
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
