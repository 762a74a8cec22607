"""The practice metro, sent through a node's own doors at the pace it happens.

This file alone waits and speaks HTTP. What is sent depends on the configuration only.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import httpx
import msgspec

from farolito.model import DeviceId, UnitId
from farolito.simulator.cad_line import CadLine, Kept
from farolito.simulator.cad_message import CadMessage
from farolito.simulator.phones import Phone
from farolito.simulator.sound_line import SoundKept, SoundLine
from farolito.simulator.vendors import Message, encode
from farolito.simulator.world import Happening, SimulatorConfig, World, make_world

log = logging.getLogger(__name__)

AVL_KEY = DeviceId("avl")
AVL_PATH = "/ingest/avl/farolito"
AVL_EVERY_S = 1.0
SENDERS = 8
WAITING_MAX = 2_000  # messages; further ones are dropped and counted, as a camera's buffer does
TRIES_MAX = 30
GRACE_S = 3.0  # after stop, for what is on its way
BACK_OFF_S = (0.5, 8.0)  # first and longest pause before a message is sent again

SHIFT_EVERY_S = 0.2  # how exactly in time the dispatch centre speaks

__all__ = ["Access", "Driven", "SimulatorConfig", "World", "drive", "make_world"]


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """What the simulator knows of a node: a key for each reader, and under "avl" the one for unit
    positions. A device without a key is left out.

    `cad_secret` (`whsec_…`) signs the dispatch system's messages, and without it there are no
    calls; `personas` are the names by which the phones of units sign in. `sensors`: whether the
    public keys of the gunshot sensors are registered. `homes`: the address of the node that a
    device sends to, where that is a neighbour's.
    """

    keys: Mapping[DeviceId, str]
    cad_secret: str | None = None
    personas: Mapping[UnitId, str] = {}
    sensors: bool = False
    homes: Mapping[DeviceId, str] = {}


class Driven(msgspec.Struct):
    """What became of the messages: accepted (2xx), rejected (4xx), tried again, dropped unsent."""

    accepted: int = 0
    rejected: int = 0
    retried: int = 0
    dropped: int = 0
    cad: Kept = msgspec.field(default_factory=Kept)
    sound: SoundKept = msgspec.field(default_factory=SoundKept)


class _Due(msgspec.Struct, frozen=True):
    at: datetime
    device: DeviceId
    message: Message


async def drive(
    config: SimulatorConfig | World,
    base_url: str,
    access: Access,
    stop: asyncio.Event,
    truth: Path,
) -> Driven:
    """Send until `stop`. What happened since the configuration's start is sent first, at once.

    `config`: a configuration, or the world already made of it. `truth` gets a JSON line for
    each passage and call, as it happens.
    """
    keys = access.keys
    world = config if isinstance(config, World) else await asyncio.to_thread(make_world, config)
    driven = Driven()
    queue: asyncio.Queue[_Due] = asyncio.Queue(WAITING_MAX)
    pace = _Pace(world.config.start)
    async with httpx.AsyncClient(base_url=base_url, timeout=10.0) as client:
        door = _Door(client, access, stop, driven)
        tasks = [asyncio.create_task(door.work(queue)) for _ in range(SENDERS)]
        if AVL_KEY in keys:
            plays = world.config.calls and access.cad_secret is not None
            tasks.append(asyncio.create_task(_patrol(world, door, pace, plays)))
        try:
            with truth.open("ab") as book:
                tasks += _calls(world, client, access, (pace, book), driven)
                if access.sensors and world.ears and world.soundscape:
                    line = SoundLine(base_url, world.ears, world.soundscape, pace.now, book)
                    driven.sound = line.kept
                    tasks.append(asyncio.create_task(line.run()))
                for task in tasks:
                    task.add_done_callback(_tell_end)
                async for due in _messages(world, book, keys, (pace, stop)):
                    _enqueue(queue, due, driven)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GRACE_S):
                    await queue.join()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return driven


def _tell_end(task: asyncio.Task[None]) -> None:
    """We are wrong: a part of the city stands still, and the log says which."""
    if not task.cancelled() and task.exception() is not None:
        log.error("a part of the practice metro ended", exc_info=task.exception())


def _enqueue(queue: asyncio.Queue[_Due], due: _Due, driven: Driven) -> None:
    try:
        queue.put_nowait(due)
    except asyncio.QueueFull:
        driven.dropped += 1


class _Pace:
    """Which moment of the practice metro it is. Reads the clock once, then counts on."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        behind_s = (datetime.now(UTC) - start) / timedelta(seconds=1)
        self._zero = time.monotonic() - behind_s

    def now(self) -> datetime:
        return self.start + timedelta(seconds=time.monotonic() - self._zero)

    def wait_s(self, at: datetime) -> float:
        return (at - self.now()) / timedelta(seconds=1)


async def _messages(
    world: World,
    book: BinaryIO,
    keys: Mapping[DeviceId, str],
    timing: tuple[_Pace, asyncio.Event],
) -> AsyncIterator[_Due]:
    """Each message when it is due; the truth goes into the book when it happens. Ends on stop.

    Drawing happens in a thread, one car ahead: a picture takes 5 ms.
    """
    pace, stop = timing
    happenings = world.happenings()
    waiting: list[tuple[datetime, int, _Due]] = []
    count = 0
    while True:
        happening, messages = await asyncio.to_thread(_next, happenings, keys)
        happens_at = happening.truth.at
        while waiting and waiting[0][0] <= happens_at:
            if await _stopped_before(waiting[0][0], pace, stop):
                return
            yield heapq.heappop(waiting)[2]
        if await _stopped_before(happens_at, pace, stop):
            return
        book.write(msgspec.json.encode(happening.truth) + b"\n")
        book.flush()
        for message in messages:
            count += 1
            at = happens_at + timedelta(seconds=message.after_s)
            heapq.heappush(waiting, (at, count, _Due(at, happening.truth.reader, message)))


async def _stopped_before(at: datetime, pace: _Pace, stop: asyncio.Event) -> bool:
    wait_s = pace.wait_s(at)
    return stop.is_set() or (wait_s > 0 and await stopped(stop, wait_s))


def _next(
    happenings: Iterator[Happening], keys: Mapping[DeviceId, str]
) -> tuple[Happening, tuple[Message, ...]]:
    happening = next(happenings)
    if happening.report is None or happening.truth.reader not in keys:
        return happening, ()
    return happening, encode(happening.report, happening.reader)


async def stopped(stop: asyncio.Event, wait_s: float) -> bool:
    """Waits; True at once when asked to stop."""
    try:
        async with asyncio.timeout(wait_s):
            await stop.wait()
    except TimeoutError:
        return False
    return True


class _Door:
    """The node's doors, as a patient camera uses them."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        access: Access,
        stop: asyncio.Event,
        driven: Driven,
    ) -> None:
        self._client, self._access, self._stop, self._driven = client, access, stop, driven

    async def work(self, queue: asyncio.Queue[_Due]) -> None:
        while True:
            due = await queue.get()
            try:
                await self.post(due.device, due.message.path, due.message)
            finally:
                queue.task_done()

    async def post(self, device: DeviceId, path: str, message: Message) -> None:
        """Until it is taken or refused for good; a busy or absent node is tried again."""
        headers = {
            "Content-Type": message.content_type,
            "Authorization": f"Bearer {self._access.keys[device]}",
        }
        url = self._access.homes.get(device, "") + path
        pause_s = BACK_OFF_S[0]
        for _ in range(TRIES_MAX):
            wait_s = pause_s
            try:
                answer = await self._client.post(url, content=message.body, headers=headers)
            except httpx.TransportError:
                pass
            else:
                if answer.is_success:
                    self._driven.accepted += 1
                    return
                if answer.status_code < 500 and answer.status_code != 429:
                    self._driven.rejected += 1
                    return
                wait_s = _retry_after_s(answer, pause_s)
            self._driven.retried += 1
            if await stopped(self._stop, wait_s):
                break
            pause_s = min(BACK_OFF_S[1], pause_s * 2)
        self._driven.dropped += 1


def _retry_after_s(answer: httpx.Response, otherwise_s: float) -> float:
    text = answer.headers.get("Retry-After", "")
    return min(BACK_OFF_S[1], float(text)) if text.isdigit() else otherwise_s


def _calls(
    world: World,
    client: httpx.AsyncClient,
    access: Access,
    where: tuple[_Pace, BinaryIO],
    driven: Driven,
) -> list[asyncio.Task[None]]:
    """The dispatch centre's work and its officers' phones, where the node gave it a line."""
    if not world.config.calls or access.cad_secret is None:
        return []
    line = CadLine(client, access.cad_secret)
    driven.cad = line.kept
    doing = world.dispatcher.errand
    phones = [
        Phone(str(client.base_url), persona, unit, doing, world.config.seed)
        for unit, persona in access.personas.items()
    ]
    works = [_shift(world, line, *where), line.run(), line.beat(), *(p.run() for p in phones)]
    return [asyncio.create_task(work) for work in works]


async def _shift(world: World, line: CadLine, pace: _Pace, book: BinaryIO) -> None:
    """What the dispatch centre says goes out, what it hides goes into the book."""
    while True:
        for said in world.dispatcher.until(pace.now()):
            if isinstance(said, CadMessage):
                line.say(said)
            else:
                book.write(msgspec.json.encode(said) + b"\n")
        book.flush()
        await asyncio.sleep(SHIFT_EVERY_S)


async def _patrol(world: World, door: _Door, pace: _Pace, plays: bool) -> None:
    """Each unit's position, once a second; a late one is worth nothing, so none is kept."""
    while True:
        now = pace.now()
        if plays:
            world.dispatcher.play(now)
        body = msgspec.json.encode(world.patrol.fixes(now))
        message = Message("avl", "application/json", body)
        await door.post(AVL_KEY, AVL_PATH, message)
        await asyncio.sleep(AVL_EVERY_S)
