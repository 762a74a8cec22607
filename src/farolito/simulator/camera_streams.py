"""The streams that can be pulled: of a camera while somebody pulls it, of the test clock, of loops.

A stream renders and encodes only while it has a puller. It gives each new one a key picture at
once, and all of them the same packets. A stream that cannot keep its rate leaves pictures out.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import cv2
import numpy as np

from farolito.codec.encoder import Coded, Encoder
from farolito.simulator import burnt_in
from farolito.simulator.camera_eye import CameraEye
from farolito.simulator.cameras import Stream
from farolito.simulator.faces import Picture
from farolito.simulator.rtp_out import CLOCK_HZ, Packets, Puller, interleaved, payloads

CLOCK = Stream(1280, 720, 25.0, 2_000_000)
LOOP_S = 10.0
LOOP_PHASES = 10  # loops start at so many moments: whoever comes waits a fifth of a second at most
Picturing = Callable[[datetime], Picture]


class CameraStream:
    """Pictures by `draw`, in a thread of the pool. `on_idle` when the last puller has gone."""

    def __init__(
        self,
        name: str,
        stream: Stream,
        draw: Picturing,
        pool: ThreadPoolExecutor,
        on_idle: Callable[[], None] = lambda: None,
    ) -> None:
        self.stream = stream
        self._draw, self._pool, self._on_idle = draw, pool, on_idle
        # No camera of a make has another's number; sums of names are as good as chance.
        self.packets = Packets(zlib.crc32(name.encode()))
        self._encoder: Encoder | None = None
        self._pullers: set[Puller] = set()
        self._task: asyncio.Task[None] | None = None
        self._wants_key = False
        self.parameters = Encoder.parameters(stream.width, stream.height, stream.fps)

    @property
    def pullers(self) -> int:
        return len(self._pullers)

    @property
    def rtp_time(self) -> int:
        return int(time.monotonic() * CLOCK_HZ) & 0xFFFFFFFF

    def join(self, puller: Puller) -> None:
        self._pullers.add(puller)
        self._wants_key = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def leave(self, puller: Puller) -> None:
        self._pullers.discard(puller)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        begun, number = time.monotonic(), 0
        try:
            while self._pullers:
                key, self._wants_key = self._wants_key, False
                coded = await loop.run_in_executor(self._pool, self._code, key)
                slot = begun + number / self.stream.fps
                self._send(coded, int(slot * CLOCK_HZ))
                behind = int((time.monotonic() - begun) * self.stream.fps)
                number = max(number + 1, behind)
                await asyncio.sleep(begun + number / self.stream.fps - time.monotonic())
        finally:
            self._encoder = None
            self._on_idle()

    def _code(self, key: bool) -> Coded:
        stream = self.stream
        if self._encoder is None:
            self._encoder = Encoder(stream.width, stream.height, stream.fps, stream.bit_rate)
        return self._encoder.encode(self._draw(datetime.now(UTC)), key)

    def _send(self, coded: Coded, rtp_time: int) -> None:
        send(self._pullers, self.packets.cut(payloads(coded.nals), rtp_time), coded.is_key)


def send(pullers: set[Puller], packets: list[bytes], is_key: bool) -> None:
    wholes: dict[int, bytes] = {}
    for puller in tuple(pullers):
        whole = b""
        if puller.channel is not None:
            if puller.channel not in wholes:
                wholes[puller.channel] = interleaved(packets, puller.channel)
            whole = wholes[puller.channel]
        puller.take(packets, whole, is_key)


def of_eye(
    eye: CameraEye, stream: Stream, name: str, pool: ThreadPoolExecutor, on_idle: Callable[[], None]
) -> CameraStream:
    size = (stream.width, stream.height)
    return CameraStream(name, stream, lambda now: eye.i420(size, now), pool, on_idle)


class TestScene:
    """A picture that costs some 2 Mbit/s at 720p25, with the strip that tells its own time."""

    def __init__(self, has_clock: bool) -> None:
        chance = np.random.default_rng(3)
        width, height = CLOCK.width, CLOCK.height
        soft = cv2.GaussianBlur(chance.integers(0, 256, (height, width, 3)).astype(np.uint8),
                                (0, 0), 24)  # fmt: skip
        scene = np.clip((soft.astype(float) - 127) * 14 + 120, 0, 255).astype(np.uint8)
        for k in range(40):
            x, y = int(chance.integers(0, width)), int(chance.integers(90, height))
            colour = tuple(int(c) for c in chance.integers(30, 220, 3))
            cv2.rectangle(scene, (x, y), (x + 30 + 4 * k, y + 20 + 2 * k), colour, 2, cv2.LINE_AA)
        self._still = scene
        texture = cv2.GaussianBlur(
            chance.integers(0, 256, (192, 2_048, 3)).astype(np.uint8), (0, 0), 2.2
        )
        self._band = np.clip((texture.astype(float) - 127) * 4 + 127, 0, 255).astype(np.uint8)
        self._has_clock = has_clock
        self._number = 0

    def draw(self, _now: datetime) -> Picture:
        picture = self._still.copy()
        at = self._number * 4
        band = np.take(self._band, range(at, at + 520), axis=1, mode="wrap")
        picture[400:592, 440:960] = band
        x = 60 + self._number * 6 % 1_000
        cv2.rectangle(picture, (x, 620), (x + 120, 680), (40, 60, 190), -1)
        made = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)
        if self._has_clock:
            # The very last thing before it is encoded: this moment is the glass of the camera.
            burnt_in.strip(made[: CLOCK.height], time.time_ns() // 1_000_000, self._number)
        self._number += 1
        return made


class Loop:
    """Ten seconds of coded pictures, played for ever from LOOP_PHASES moments."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.stream = CLOCK
        self._pool = pool
        self.parameters = Encoder.parameters(CLOCK.width, CLOCK.height, CLOCK.fps)
        self._phases = [_Phase(self, k) for k in range(LOOP_PHASES)]
        self._units: list[tuple[list[bytes], bool]] | None = None
        self._lock = asyncio.Lock()

    def phase(self) -> _Phase:
        """The one whose key picture comes next."""
        frames = int(LOOP_S * CLOCK.fps)
        key_every = int(2 * CLOCK.fps)
        now = int(time.monotonic() * CLOCK.fps)
        return min(self._phases, key=lambda p: -((now + p.offset) % frames) % key_every)

    async def units(self) -> list[tuple[list[bytes], bool]]:
        """Payloads of each picture, and whether it is a key."""
        async with self._lock:
            if self._units is None:
                loop = asyncio.get_running_loop()
                self._units = await loop.run_in_executor(self._pool, _loop_units)
            return self._units


def _loop_units() -> list[tuple[list[bytes], bool]]:
    scene = TestScene(has_clock=False)
    encoder = Encoder(CLOCK.width, CLOCK.height, CLOCK.fps, CLOCK.bit_rate)
    now = datetime.now(UTC)
    coded = [encoder.encode(scene.draw(now)) for _ in range(int(LOOP_S * CLOCK.fps))]
    return [(payloads(c.nals), c.is_key) for c in coded]


class _Phase:
    """One copy of the loop: its pullers get the same pictures at the same moments."""

    def __init__(self, loop: Loop, number: int) -> None:
        self._loop = loop
        self.stream, self.parameters = loop.stream, loop.parameters
        self.offset = int(number * 2 * CLOCK.fps / LOOP_PHASES)
        self.packets = Packets(0x4C4F0000 + number)
        self._pullers: set[Puller] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def rtp_time(self) -> int:
        return int(time.monotonic() * CLOCK_HZ) & 0xFFFFFFFF

    def join(self, puller: Puller) -> None:
        self._pullers.add(puller)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def leave(self, puller: Puller) -> None:
        self._pullers.discard(puller)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        units = await self._loop.units()
        fps = self.stream.fps
        number = int(time.monotonic() * fps)
        while self._pullers:
            parts, is_key = units[(number + self.offset) % len(units)]
            packets = self.packets.cut(parts, int(number / fps * CLOCK_HZ))
            send(self._pullers, packets, is_key)
            number += 1
            await asyncio.sleep(number / fps - time.monotonic())


AnyStream = CameraStream | _Phase
