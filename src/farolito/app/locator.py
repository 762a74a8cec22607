"""The locator as a process of its own: stacking sound is work for a core, not for the node's loop.

It knows pulses, sensors and the air, and nothing else of the node: no place on Earth, no person,
no record. What it forgets by a crash it is told again: the node keeps the pulses of the last
moments.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from farolito.acoustics import Air, Pulse, Sensor, Source
from farolito.acoustics.storm import Storm
from farolito.app.supervise import Child, Supervisor
from farolito.model import FarolitoError, SoundKind

log = logging.getLogger(__name__)

NAME = "locator"
ANSWER_S_MAX = 30.0  # a first tick may wait for its loops to be compiled
FRAME_BYTES_MAX = 64 * 2**20
REMEMBERED_S = 20.0  # of pulses, told again to a locator that was started anew
PAST_STEP_S = 1.0  # between two ticks that hear the past again
PAST_AFTER_S = 8.0  # after its last pulse


class Question(msgspec.Struct, frozen=True, array_like=True):
    """A tick. `net` and `air` only where they changed."""

    now_s: float
    pulses: tuple[Pulse, ...] = ()
    net: tuple[Sensor, ...] | None = None
    air: Air | None = None


class Found(msgspec.Struct, frozen=True):
    """A source that is new or better known, what kind of sound it was, and why. `storm` says what
    thunder or show of fireworks it was heard in."""

    source: Source
    kinds: dict[SoundKind, float]
    because: tuple[str, ...]
    storm: str = ""


class Reply(msgspec.Struct, frozen=True, array_like=True):
    found: tuple[Found, ...]
    storms: tuple[Storm, ...]
    took_s: float


_encode = msgspec.msgpack.Encoder().encode
_reply = msgspec.msgpack.Decoder(Reply).decode


class LocatorAway(FarolitoError):
    """The locator does not answer; the pulses are kept and told again."""


class LocatorFell(LocatorAway):
    """It took the question and gave no answer: it was killed, or could not bear what it heard."""


class Asked(NamedTuple):
    """What a locator that knew nothing made of a span of the past, and the name of its tracks."""

    boot: str
    found: tuple[Found, ...]


class Locator:
    """The node's side. Questions go one after another; a lost answer is asked again."""

    def __init__(self, supervisor: Supervisor, state: Path) -> None:
        self._supervisor = supervisor
        self._state = state
        self._socket = state / "locator.sock"
        self._line: Line | None = None
        self._starting: asyncio.Task[None] | None = None
        self._asking = asyncio.Lock()
        self._kept: deque[Pulse] = deque()
        self._net: tuple[Sensor, ...] = ()
        self._air = Air()
        self._is_told = False
        self.boot = ""  # names tracks; another one after the locator was started anew

    def use(self, net: tuple[Sensor, ...], air: Air) -> None:
        """Sensors and air from the next tick on."""
        if (net, air) != (self._net, self._air):
            self._net, self._air = net, air
            self._is_told = False

    async def tick(self, pulses: Sequence[Pulse], now_s: float) -> Reply:
        """Hand over pulses and hear what they made known. Raises LocatorAway; then they are
        handed over again."""
        async with self._asking:
            told = tuple(pulses)
            if self._line is None:
                self._line = await self._open()
                self._is_told = False
                self.boot = _new_boot()
                told = (*self._kept, *told)
            question = Question(now_s, told)
            if not self._is_told:
                question = Question(now_s, told, self._net, self._air)
            try:
                reply = await _answer(self._line, question)
            except BaseException:
                # An answer that comes later would be taken for that of the next question.
                self._hang_up()
                raise
            self._is_told = True
            self._remember(pulses, now_s)
            return reply

    async def past(self, pulses: Sequence[Pulse]) -> Asked:
        """What pulses of a moment that has passed tell, in the newest revision of each source,
        beside what goes on now. Raises LocatorAway."""
        found: dict[int, Found] = {}
        line = await self._open()
        try:
            for question in steps(pulses, self._net, self._air):
                reply = await _answer(line, question)
                found |= {one.source.track: one for one in reply.found}
        finally:
            line.writer.close()
        return Asked(_new_boot(), tuple(found.values()))

    def forget(self) -> None:
        """Pulses that the locator cannot bear are not told to it again."""
        self._kept.clear()

    async def close(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
        line, self._line = self._line, None
        if line is not None:
            line.writer.close()
            with suppress(OSError):
                await line.writer.wait_closed()

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.writer.close()

    async def _open(self) -> Line:
        if self._starting is None or (self._starting.done() and not _went_well(self._starting)):
            start = self._supervisor.start(child(self._socket, self._state))
            self._starting = asyncio.create_task(start, name="start the locator")
        # Who waits may be cancelled; the process that is starting must not be left without one
        # who watches it.
        await asyncio.shield(self._starting)
        try:
            return Line(*await asyncio.open_unix_connection(str(self._socket)))
        except OSError as why:
            raise _away(LocatorAway, why) from why

    def _remember(self, pulses: Sequence[Pulse], now_s: float) -> None:
        self._kept.extend(pulses)
        while self._kept and self._kept[0].at_s < now_s - REMEMBERED_S:
            self._kept.popleft()


class Line(NamedTuple):
    """A connection to the locator's process, where it keeps what it was told on it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


async def _answer(line: Line, question: Question) -> Reply:
    """Raises LocatorFell."""
    try:
        await send(line.writer, _encode(question))
        async with asyncio.timeout(ANSWER_S_MAX):
            return _reply(await receive(line.reader))
    except (OSError, EOFError, TimeoutError, msgspec.DecodeError) as why:
        raise _away(LocatorFell, why) from why


def _away(kind: type[LocatorAway], why: Exception) -> LocatorAway:
    says = f"the locator does not answer ({type(why).__name__})"
    return kind(says, "it is asked again; see its log")


def _went_well(task: asyncio.Task[None]) -> bool:
    return not task.cancelled() and task.exception() is None


def _new_boot() -> str:
    return os.urandom(4).hex()


def steps(pulses: Sequence[Pulse], net: tuple[Sensor, ...], air: Air) -> Iterator[Question]:
    """Questions as they would have been asked then, but seconds apart; where nothing was heard
    for longer than sound travels, there is nothing to ask."""
    waiting = deque(sorted(pulses, key=lambda one: one.at_s))
    given: tuple[tuple[Sensor, ...] | None, Air | None] = (net, air)
    while waiting:
        now_s = waiting[0].at_s
        end_s = now_s
        while now_s <= end_s + PAST_AFTER_S:
            now_s += PAST_STEP_S
            due = []
            while waiting and waiting[0].at_s <= now_s:
                due.append(waiting.popleft())
            end_s = due[-1].at_s if due else end_s
            yield Question(now_s, tuple(due), *given)
            given = (None, None)


def child(socket: Path, state: Path) -> Child:
    async def ready() -> bool:
        _, writer = await asyncio.open_unix_connection(str(socket))
        writer.close()
        return True

    return Child(
        name=NAME,
        argv=[sys.executable, "-m", "farolito", "locator", str(socket)],
        directory=state,
        ready=ready,
        log_file=state / "log" / "locator.log",
    )


async def send(writer: asyncio.StreamWriter, body: bytes) -> None:
    writer.write(len(body).to_bytes(4, "big") + body)
    await writer.drain()


async def receive(reader: asyncio.StreamReader) -> bytes:
    size = int.from_bytes(await reader.readexactly(4), "big")
    if size > FRAME_BYTES_MAX:
        raise EOFError(f"a frame of {size} bytes")
    return await reader.readexactly(size)
