"""The locator as a process of its own: stacking sound is work for a core, not for the node's loop.

It knows pulses, sensors and the air, and nothing else of the node: no place on Earth, no person,
no record. What it forgets by a crash it is told again: the node keeps the pulses of the last
moments.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from farolito.acoustics import Air, Net, Pulse, Sensor, Source
from farolito.acoustics.storm import Sky, Sounded, Storm, prior_in, within
from farolito.app.supervise import Child, Supervisor
from farolito.model import FarolitoError, SoundKind

log = logging.getLogger(__name__)

NAME = "locator"
ANSWER_S_MAX = 30.0  # a first tick may wait for its loops to be compiled
FRAME_BYTES_MAX = 64 * 2**20
REMEMBERED_S = 20.0  # of pulses, told again to a locator that was started anew
STORMS_EVERY_S = 1.0


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
_question = msgspec.msgpack.Decoder(Question).decode
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
            await _send(writer, _encode(question))
            reply = _reply(await asyncio.wait_for(_receive(reader), ANSWER_S_MAX))
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


async def serve(socket: Path, stop: asyncio.Event) -> None:
    """The process itself, until `stop`. Its loops are compiled before it says that it is ready."""
    from farolito.acoustics.listening import warm_up

    warm_up()
    _let_go(socket)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session()
        with suppress(EOFError, OSError):
            while True:
                question = _question(await _receive(reader))
                await _send(writer, _encode(session.answer(question)))
        writer.close()

    server = await asyncio.start_unix_server(talk, str(socket))
    _keep_private(socket)
    async with server:
        await stop.wait()


class Session:
    """What one node has told, and is answered from."""

    def __init__(self) -> None:
        from farolito.acoustics.kind import odds
        from farolito.acoustics.listening import Listening

        self._odds = odds
        self._listening = Listening(Net(()), Air())
        self._net = Net(())
        self._air = Air()
        self._sky = Sky(self._net)
        self._storms: tuple[Storm, ...] = ()
        self._looked_s = -math.inf
        self._recent: deque[Pulse] = deque()

    def answer(self, question: Question) -> Reply:
        began = time.perf_counter()
        if question.net is not None:
            self._net = Net(question.net)
            self._listening.use(self._net)
            self._sky.use(self._net)
        if question.air is not None:
            self._air = question.air
            self._listening.use_air(self._air)
        self._recent.extend(question.pulses)
        while self._recent and self._recent[0].at_s < question.now_s - REMEMBERED_S:
            self._recent.popleft()
        self._listening.hear(question.pulses)
        self._sky.hear(question.pulses)
        sources = self._listening.tick(question.now_s)
        told = [(s, *self._odds(s, tuple(self._recent), self._net, self._air)) for s in sources]
        for source, kinds, _ in told:
            self._sky.source(_sounded(source, kinds))
        if question.now_s - self._looked_s >= STORMS_EVERY_S or told:
            self._storms = self._sky.storms(question.now_s)
            self._looked_s = question.now_s
        found = tuple(self._in_the_storm(*one) for one in told)
        return Reply(found, self._storms, time.perf_counter() - began)

    def _in_the_storm(
        self, source: Source, kinds: dict[SoundKind, float], because: tuple[str, ...]
    ) -> Found:
        """While it thunders, or a show goes on at that place, each sound is likelier that."""
        place = source.place
        storms = [one for one in self._storms if one.holds(place.x_m, place.y_m)]
        if not storms:
            return Found(source, kinds, because)
        says = "; ".join(storm.says for storm in storms)
        odds = within(kinds, prior_in(storms, place.x_m, place.y_m))
        return Found(source, odds, (*because, says), says)


def _let_go(socket: Path) -> None:
    """A socket that a killed process left."""
    socket.unlink(missing_ok=True)


def _keep_private(socket: Path) -> None:
    socket.chmod(0o600)


def _sounded(source: Source, kinds: dict[SoundKind, float]) -> Sounded:
    return Sounded(
        track=source.track,
        at_s=source.rounds[0].at_s,
        x_m=source.place.x_m,
        y_m=source.place.y_m,
        kinds=kinds,
    )


async def _send(writer: asyncio.StreamWriter, body: bytes) -> None:
    writer.write(len(body).to_bytes(4, "big") + body)
    await writer.drain()


async def _receive(reader: asyncio.StreamReader) -> bytes:
    size = int.from_bytes(await reader.readexactly(4), "big")
    if size > FRAME_BYTES_MAX:
        raise EOFError(f"a frame of {size} bytes")
    return await reader.readexactly(size)
