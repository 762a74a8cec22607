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
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

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


class Locator:
    """The node's side. Questions go one after another; a lost answer is asked again."""

    def __init__(self, supervisor: Supervisor, state: Path) -> None:
        self._supervisor = supervisor
        self._state = state
        self._socket = state / "locator.sock"
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._is_started = False
        self._kept: deque[Pulse] = deque()
        self._net: tuple[Sensor, ...] = ()
        self._air = Air()
        self.boot = ""  # names tracks; another one after the locator was started anew

    def use(self, net: tuple[Sensor, ...], air: Air) -> None:
        """Sensors and air from the next tick on."""
        if (net, air) != (self._net, self._air):
            self._net, self._air = net, air
            self._is_told = False

    _is_told = False

    async def tick(self, pulses: Sequence[Pulse], now_s: float) -> Reply:
        """Hand over pulses and hear what they made known. Raises LocatorAway."""
        self._remember(pulses, now_s)
        try:
            if self._line is None:
                await self._connect()
                pulses = tuple(self._kept)
            changed = not self._is_told
            question = Question(
                now_s,
                tuple(pulses),
                self._net if changed else None,
                self._air if changed else None,
            )
            assert self._line is not None
            reader, writer = self._line
            await send(writer, _encode(question))
            reply = _reply(await asyncio.wait_for(receive(reader), ANSWER_S_MAX))
            self._is_told = True
            return reply
        except (OSError, EOFError, TimeoutError, msgspec.DecodeError) as why:
            await self.close()
            raise LocatorAway(
                f"the locator does not answer ({type(why).__name__})", "it is asked again"
            ) from why

    async def close(self) -> None:
        if self._line is not None:
            _, writer = self._line
            self._line = None
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def recent(self, from_s: float, to_s: float) -> list[Pulse]:
        """The pulses of a moment, as they were told: what a solution rests on."""
        return [pulse for pulse in self._kept if from_s <= pulse.at_s <= to_s]

    async def _connect(self) -> None:
        if not self._is_started:
            await self._supervisor.start(child(self._socket, self._state))
            self._is_started = True
        self._line = await asyncio.open_unix_connection(str(self._socket))
        self._is_told = False
        self.boot = os.urandom(4).hex()

    def _remember(self, pulses: Sequence[Pulse], now_s: float) -> None:
        self._kept.extend(pulses)
        while self._kept and self._kept[0].at_s < now_s - REMEMBERED_S:
            self._kept.popleft()


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
