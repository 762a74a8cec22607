"""Boxes that hide: from a clip and boxes by hand, a second clip in which what they cover is gone.

A box is filled with one colour, the mean of what it covered at its first picture, for all its
life. A mosaic would look kinder, and the mosaics of many pictures of a moving face together give
the face back; one colour gives nothing. The filled pictures are coded anew, each at its own time.
The original is only read.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from farolito.codec import AccessUnit, mp4_read
from farolito.codec.fmp4 import TIMESCALE, Writer
from farolito.codec.h264 import annex_b
from farolito.model import Invalid
from farolito.model.box import Box

BOXES_MAX = 64
EVERY = 16  # a box grows to this grid: samples beside it in a block would carry it over
USUAL_FPS = 25.0
JPEG_QUALITY = 90

Picture = NDArray[np.uint8]
Progress = Callable[[int, int], None]  # pictures done, of how many


class Coded(Protocol):
    @property
    def nals(self) -> tuple[bytes, ...]: ...
    @property
    def is_key(self) -> bool: ...


class Encoder(Protocol):
    """Pictures of one size as I420 in, NALs of H.264 out; a key picture brings its sets."""

    def encode(self, picture: Picture, key: bool = False) -> Coded: ...


MakeEncoder = Callable[[int, int, float], Encoder]  # width, height, pictures a second


class Redacted(msgspec.Struct, frozen=True):
    frames: int
    width: int
    height: int


def redact(
    source: Path, out: Path, boxes: Sequence[Box], encoder: MakeEncoder, progress: Progress
) -> Redacted:
    """Write `source` with the boxes filled to `out`. Blocking: 10–60 ms a picture of 720p.

    Raises Invalid where a picture cannot be decoded: it could not be said what is on it.
    """
    if not 1 <= len(boxes) <= BOXES_MAX:
        raise Invalid(f"{len(boxes)} boxes", f"give 1 to {BOXES_MAX}")
    raw = source.read_bytes()
    shown = sorted((unit.at, unit.ticks) for unit in mp4_read.units(raw))
    clocks = [(one.at, one.received_us or 0) for one in mp4_read.fragments(raw)]
    colours: dict[int, Any] = {}
    writer: Writer | None = None
    coder: Encoder | None = None
    width = height = done = 0
    with out.open("xb") as written:
        for (at, ticks), picture in zip(shown, _pictures(str(source), len(shown)), strict=True):
            if coder is None:
                height, width = picture.shape[0] & ~1, picture.shape[1] & ~1
                coder = encoder(width, height, _fps(shown))
            even = np.ascontiguousarray(picture[:height, :width])
            _fill(even, boxes, at, ticks, colours)
            unit = _unit(coder, even, at, clocks)
            if writer is None:
                writer = Writer(unit)
                written.write(writer.head())
            written.write(writer.add(unit))
            done += 1
            progress(done, len(shown))
        if writer is None:
            raise Invalid("a clip without a picture")
        written.write(writer.finish())
        written.seek(0)
        written.write(writer.head())
    return Redacted(done, width, height)


def picture_at(source: Path, at_ms: float) -> tuple[float, bytes]:
    """The picture shown at a moment, and when it begins to be shown, ms; JPEG. Blocking, as long
    as its group of pictures takes to decode. Raises Invalid where there is none."""
    import cv2

    units = list(mp4_read.units(source.read_bytes()))
    wanted = at_ms * TIMESCALE / 1000 + 1
    keys = [n for n, unit in enumerate(units) if unit.is_key]
    begin = max((n for n in keys if units[n].at <= wanted), default=0)
    group = units[begin : next((n for n in keys if n > begin), len(units))]
    shown = sorted(unit.at for unit in group)
    number = max(sum(1 for at in shown if at <= wanted), 1)
    # The decoder reads files alone; this one is in memory.
    handle = os.memfd_create("pictures", os.MFD_CLOEXEC)
    try:
        for unit in group:
            os.write(handle, unit.data)
        shown_last = deque(_pictures(f"/proc/self/fd/{handle}", number), maxlen=1)
    finally:
        os.close(handle)
    if not shown_last:
        raise Invalid("a clip without a picture")
    _, jpeg = cv2.imencode(".jpg", shown_last[0], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return shown[number - 1] * 1000 / TIMESCALE, jpeg.tobytes()


def _pictures(source: str, count: int) -> Iterator[Picture]:
    """The first `count` pictures, in the order they are shown. Raises Invalid for fewer."""
    import cv2  # late: 60 MB that most processes never need

    video = cv2.VideoCapture(source, cv2.CAP_FFMPEG)
    try:
        for number in range(count):
            ok, picture = video.read()
            if not ok:
                raise Invalid(f"picture {number + 1} of {count} of the clip cannot be decoded")
            yield picture.astype(np.uint8, copy=False)
    finally:
        video.release()


def _fps(shown: Sequence[tuple[int, int]]) -> float:
    span = shown[-1][0] - shown[0][0]
    return (len(shown) - 1) * TIMESCALE / span if span > 0 else USUAL_FPS


def _fill(
    picture: Picture, boxes: Sequence[Box], at: int, ticks: int, colours: dict[int, Any]
) -> None:
    height, width = picture.shape[:2]
    start_ms, end_ms = at * 1000 / TIMESCALE, (at + ticks) * 1000 / TIMESCALE
    for number, box in enumerate(boxes):
        covers = box.at(start_ms, end_ms)
        if covers is None:
            continue
        left, right = _grown(covers[0] * width, covers[2] * width, width)
        top, bottom = _grown(covers[1] * height, covers[3] * height, height)
        part = picture[top:bottom, left:right]
        if number not in colours:
            colours[number] = np.rint(part.reshape(-1, 3).mean(axis=0)).astype(np.uint8)
        part[:] = colours[number]


def _grown(low: float, high: float, most: int) -> tuple[int, int]:
    """Outwards to the grid, within the picture."""
    start = math.floor(low / EVERY) * EVERY
    end = math.ceil(high / EVERY) * EVERY
    return max(start, 0), min(max(end, start + EVERY), most)


def _unit(
    coder: Encoder, picture: Picture, at: int, clocks: Sequence[tuple[int, int]]
) -> AccessUnit:
    import cv2

    coded = coder.encode(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).astype(np.uint8, copy=False))
    media_us = at * 100 // 9
    start, received_us = next(
        ((begun, us) for begun, us in reversed(clocks) if begun <= at), clocks[0]
    )
    received_us += (at - start) * 100 // 9
    return AccessUnit(annex_b(list(coded.nals)), media_us, received_us, coded.is_key)
