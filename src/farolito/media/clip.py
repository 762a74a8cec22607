"""A clip as a file: what a ring or an open stream has of a span, as it came from the camera."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from farolito.codec.fmp4 import CLIP_HEAD_BYTES, Writer
from farolito.media.control import ClipMade, MakeClip
from farolito.media.feed import Feed, Recorder
from farolito.media.ring import from_key
from farolito.media.wire import Packed
from farolito.model import FarolitoError

log = logging.getLogger(__name__)

S = 1_000_000  # µs
AHEAD_S_MAX = 120  # of a clip that ends in the future
CLIP_S_MAX = 3600
CLIP_BYTES_MAX = 512 * 2**20
GRACE_S = 1.0  # for the last pictures of a span to arrive


class NoClip(FarolitoError):
    """There is nothing to make it of."""


async def make_clip(feed: Feed | None, wanted: MakeClip, now_us: Callable[[], int]) -> ClipMade:
    """Waits for the end of the span where that is near. The answer says what became of it."""
    try:
        units = await _collect(feed, wanted, now_us)
        return await asyncio.to_thread(write_clip, units, wanted)
    except FarolitoError as why:
        return ClipMade(request=wanted.request, problem=why.says, do=why.do)
    except OSError as why:
        log.exception("a clip that could not be written")
        return ClipMade(
            request=wanted.request,
            problem=f"the clip could not be written ({why.strerror})",
            do="look at the disk of the node",
        )


async def _collect(
    feed: Feed | None, wanted: MakeClip, now_us: Callable[[], int]
) -> Sequence[Packed]:
    """Raises NoClip."""
    if feed is None:
        raise NoClip("nothing of this camera is kept", "open it, or give it a ring")
    ahead_s = (wanted.to_us - now_us()) / S
    if ahead_s > AHEAD_S_MAX:
        raise NoClip("a clip that ends in the far future", f"at most {AHEAD_S_MAX} s ahead")
    if not 0 < wanted.to_us - wanted.from_us <= CLIP_S_MAX * S:
        raise NoClip("a clip of no such length", f"at most {CLIP_S_MAX} s, and above 0")
    units = feed.kept(wanted.from_us)
    if ahead_s > 0:
        units += await _await_rest(feed, ahead_s + GRACE_S, sum(one.size for one in units), wanted)
    units = from_key(units, wanted.from_us)
    units = [one for one in units if one.received_us <= wanted.to_us]
    if not units or units[-1].received_us < wanted.from_us:
        raise NoClip("nothing of this span is kept", "ask for a later one")
    if units[0].codec != "h264":
        raise NoClip("this camera sends single pictures, no video", "take a still of it")
    return units


async def _await_rest(feed: Feed, wait_s: float, size: int, wanted: MakeClip) -> list[Packed]:
    """What comes until the span ends; less where that is more than memory may hold."""
    coming: list[Packed] = []
    done = asyncio.Event()

    def on_unit(packed: Packed) -> None:
        nonlocal size
        size += packed.size
        if packed.received_us > wanted.to_us or size > CLIP_BYTES_MAX:
            done.set()
        else:
            coming.append(packed)

    recorder = Recorder(on_unit)
    feed.record(recorder)
    try:
        async with asyncio.timeout(wait_s):
            await done.wait()
    except TimeoutError:
        pass  # the camera stopped before the span did
    finally:
        feed.stop_recording(recorder)
    return coming


def write_clip(units: Sequence[Packed], wanted: MakeClip) -> ClipMade:
    """Blocking. The file is new, private and synced. Raises FarolitoError and OSError."""
    path = Path(wanted.path)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with open(handle, "w+b") as out:
            writer = Writer(units[0].unit())
            out.write(writer.head())
            for packed in units:
                out.write(writer.add(packed.unit()))
            out.write(writer.finish())
            out.seek(0)
            head = writer.head()
            assert len(head) == CLIP_HEAD_BYTES
            out.write(head)
            out.flush()
            os.fsync(out.fileno())
            out.seek(0)
            digest = hashlib.file_digest(out, "sha256")
            size = out.tell()
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return ClipMade(
        request=wanted.request,
        from_us=units[0].received_us,
        to_us=units[-1].received_us,
        frames=writer.frames,
        size=size,
        sha256=digest.hexdigest(),
    )
