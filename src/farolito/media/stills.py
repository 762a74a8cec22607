"""A picture every other second for browsers that can play nothing else, decoded from key frames."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable

from farolito.media.wire import JPEG, KEY, Packed, binary

log = logging.getLogger(__name__)

PERIOD_S = 2.0
JPEG_QUALITY = 80
SIDE_MAX = 1280  # px; a wider one is made smaller

OnStill = Callable[[bytes], None]


class Stills:
    """The stills of one feed, for all who want them. Decoding is done in a thread, one at a time;
    while nobody wants any, nothing is decoded."""

    def __init__(self) -> None:
        self._wanted: dict[object, OnStill] = {}
        self._newest: Packed | None = None
        self._task: asyncio.Task[None] | None = None
        self._last: bytes = b""

    def want(self, who: object, on_still: OnStill) -> None:
        self._wanted[who] = on_still
        if self._last:
            on_still(self._last)

    def no_longer(self, who: object) -> None:
        self._wanted.pop(who, None)
        if not self._wanted:
            self.close()

    def take(self, packed: Packed) -> None:
        """A key unit came."""
        if not self._wanted:
            return
        self._newest = packed
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._make(), name="stills")

    def close(self) -> None:
        self._last = b""
        if self._task is not None:
            self._task.cancel()

    async def _make(self) -> None:
        while self._newest is not None and self._wanted:
            packed, self._newest = self._newest, None
            jpeg = await asyncio.to_thread(still_of, packed)
            if jpeg is not None:
                self._last = binary(KEY | JPEG, packed, jpeg)
                for on_still in tuple(self._wanted.values()):
                    on_still(self._last)
            await asyncio.sleep(PERIOD_S)


def still_of(packed: Packed) -> bytes | None:
    """The JPEG of a key unit, or None where it cannot be decoded. Blocking, some 10 ms."""
    if packed.codec == "jpeg":
        return packed.frame[packed.at :]
    import cv2  # late: 60 MB that most processes never need

    # The decoder reads files alone; this one is in memory.
    handle = os.memfd_create("key frame", os.MFD_CLOEXEC)
    try:
        os.write(handle, memoryview(packed.frame)[packed.at :])
        reader = cv2.VideoCapture(f"/proc/self/fd/{handle}", cv2.CAP_FFMPEG)
        is_read, picture = reader.read()
        reader.release()
    except cv2.error:
        log.warning("a key frame that cannot be decoded")
        return None
    finally:
        os.close(handle)
    if not is_read:
        return None
    scale = SIDE_MAX / max(picture.shape[:2])
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return bytes(jpeg) if done else None
