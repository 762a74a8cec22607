"""The locator's process itself: what it is told, it locates, and it answers with what it found.

It is killed and started anew at will: whoever asks tells it again what it must know.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

import msgspec

from farolito.acoustics import Air, Net, Pulse, Sensor, Source
from farolito.acoustics.crowd import Crowd
from farolito.acoustics.kind import odds
from farolito.acoustics.listening import Listening
from farolito.acoustics.locate import locate
from farolito.acoustics.storm import Sky, Sounded, Storm, heard_in
from farolito.acoustics.traits import Setting
from farolito.app.locator import (
    REMEMBERED_S,
    Found,
    Question,
    Reply,
    receive,
    send,
)
from farolito.model import SoundKind

STORMS_EVERY_S = 1.0
SETTLES_S = 6.5  # after a source's last round: sound has reached two kilometres

_encode = msgspec.msgpack.Encoder().encode
_question = msgspec.msgpack.Decoder(Question).decode


async def serve(socket: Path, stop: asyncio.Event) -> None:
    """The process itself, until `stop`. Its loops are compiled before it says that it is ready."""
    warm_up()
    _let_go(socket)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session()
        try:
            with suppress(EOFError, OSError):
                while True:
                    question = _question(await receive(reader))
                    await send(writer, _encode(session.answer(question)))
        finally:
            writer.close()  # whatever it could not bear: who asked must not wait for an answer

    server = await asyncio.start_unix_server(talk, str(socket))
    _keep_private(socket)
    async with server:
        await stop.wait()


class Session:
    """What one node has told, and is answered from. A source is told when its place or rounds
    change, and once more when all that far sensors heard is in. Its revisions are counted here,
    since in a crowded sky not every one is told."""

    def __init__(self) -> None:
        self._net = Net(())
        self._air = Air()
        self._listening = Listening(self._net, self._air)
        self._sky = Sky(self._net)
        self._crowd = Crowd()
        self._storms: tuple[Storm, ...] = ()
        self._looked_s = -math.inf
        self._recent: deque[Pulse] = deque()
        self._known: dict[int, Source] = {}
        self._told: dict[int, int] = {}  # track → revision
        self._waiting: set[int] = set()  # tracks with news
        self._settling: set[int] = set()

    def answer(self, question: Question) -> Reply:
        began = time.perf_counter()
        now_s = question.now_s
        self._take_in(question)
        for source in self._listening.tick(now_s):
            self._known[source.track] = source
            self._crowd.found(source.track, now_s)
            self._waiting.add(source.track)
            self._settling.add(source.track)
        settled = {
            track
            for track in self._settling
            if now_s - self._known[track].rounds[-1].at_s > SETTLES_S
        }
        self._settling -= settled
        self._waiting |= settled
        judged = [
            self._judged(self._numbered(track))
            for track in sorted(self._waiting)
            if self._may_tell(track, now_s)
        ]
        for source, kinds, _ in judged:
            self._waiting.discard(source.track)
            if self._crowd.is_firm(source, now_s):
                self._sky.source(_sounded(source, kinds))
        if now_s - self._looked_s >= STORMS_EVERY_S or judged:
            self._storms = self._sky.storms(now_s)
            self._looked_s = now_s
        found = tuple(self._in_the_storm(*one) for one in judged)
        return Reply(found, self._storms, time.perf_counter() - began)

    def _take_in(self, question: Question) -> None:
        if question.net is not None:
            self._net = Net(question.net)
            self._listening.use(self._net)
            self._sky.use(self._net)
        if question.air is not None:
            self._air = question.air
            self._listening.use_air(self._air)
        self._recent.extend(question.pulses)
        oldest_s = question.now_s - REMEMBERED_S
        while self._recent and self._recent[0].at_s < oldest_s:
            self._recent.popleft()
        self._known = {t: s for t, s in self._known.items() if s.rounds[-1].at_s >= oldest_s}
        self._told = {t: revision for t, revision in self._told.items() if t in self._known}
        self._settling &= self._known.keys()
        self._waiting &= self._known.keys()
        self._crowd.forget(question.now_s)
        self._listening.hear(question.pulses)
        self._sky.hear(question.pulses)

    def _may_tell(self, track: int, now_s: float) -> bool:
        """What was told is told on; what is new must not be a leftover of others."""
        if track in self._told:
            return True
        return self._crowd.lets(self._known[track], self._known, now_s)

    def _numbered(self, track: int) -> Source:
        revision = self._told[track] = self._told.get(track, 0) + 1
        return msgspec.structs.replace(self._known[track], revision=revision)

    def _judged(self, source: Source) -> tuple[Source, dict[SoundKind, float], tuple[str, ...]]:
        others = tuple(one for one in self._known.values() if one.track != source.track)
        setting = Setting(others=others)
        return (source, *odds(source, tuple(self._recent), self._net, self._air, setting))

    def _in_the_storm(
        self, source: Source, kinds: dict[SoundKind, float], because: tuple[str, ...]
    ) -> Found:
        """While it thunders, or a show goes on at that place, each sound is likelier that."""
        place = source.place
        odds, storm = heard_in(self._storms, place.x_m, place.y_m, kinds)
        return Found(source, odds, (*because, storm) if storm else because, storm)


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


def warm_up() -> None:
    """Have the loops compiled before the first shot: those of a net, and those of a few sensors."""
    places = [(400.0 * column, 400.0 * row) for row in range(3) for column in range(3)]
    for count in (len(places), 5):
        sensors = tuple(
            Sensor(name=str(at), x_m=x, y_m=y) for at, (x, y) in enumerate(places[:count])
        )
        heard = [
            Pulse(sensor=one.name, at_s=1e9 + 0.3 * round_ + way_s, level_db=90.0)
            for one in sensors
            for way_s in [math.dist((one.x_m, one.y_m), (200, 190)) / Air().sound_mps]
            for round_ in range(3)
        ]
        locate(Net(sensors), heard, Air())
        listening = Listening(Net(sensors), Air())
        for until_s in (0.8, 1.6, 2.4):
            listening.hear(pulse for pulse in heard if pulse.at_s <= 1e9 + until_s)
            listening.tick(1e9 + until_s)
