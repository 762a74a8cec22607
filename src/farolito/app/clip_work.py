"""A process that decodes: what a camera sent is never decoded in the node itself.

One job on stdin as JSON, then it ends. It may use so much memory and no more, is of low priority,
and has no secret: a camera that attacks a decoder gets nothing but its own clip.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from farolito.media.clock_reading import Reading, read_clock
from farolito.media.redaction import Encoder, Redacted, picture_at, redact
from farolito.model import FarolitoError
from farolito.model.box import Box

MEMORY_BYTES_MAX = 6 * 2**30
NICE = 10
LINE_BYTES_MAX = 64 * 2**20
PICTURE_S_MAX = 60.0
REDACTION_S_MAX = 3600.0


class Picture(msgspec.Struct, frozen=True, tag="picture"):
    source: str
    at_ms: float


class Redaction(msgspec.Struct, frozen=True, tag="redaction"):
    source: str
    out: str
    boxes: tuple[Box, ...]


class Clock(msgspec.Struct, frozen=True, tag="clock"):
    source: str


class Done(msgspec.Struct, frozen=True, tag="done"):
    """`count` of `of` pictures."""

    count: int
    of: int


class Shown(msgspec.Struct, frozen=True, tag="shown"):
    at_ms: float
    jpeg: bytes


class Read(msgspec.Struct, frozen=True, tag="read"):
    """`reading` None: there is no clock in the picture, or none that is surely readable."""

    reading: Reading | None


class Made(msgspec.Struct, frozen=True, tag="made"):
    made: Redacted


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    says: str
    do: str


Job = Picture | Clock | Redaction
Said = Done | Shown | Read | Made | Failed


class NotWorked(FarolitoError):
    """A clip could not be decoded, or the process that did it fell."""


async def picture(source: Path, at_ms: float) -> tuple[float, bytes]:
    """Raises NotWorked."""
    told = await _ask(Picture(str(source), at_ms), PICTURE_S_MAX, lambda done: None)
    if not isinstance(told, Shown):
        raise _fell()
    return told.at_ms, told.jpeg


async def clock(source: Path) -> Reading | None:
    """Raises NotWorked."""
    told = await _ask(Clock(str(source)), PICTURE_S_MAX, lambda done: None)
    if not isinstance(told, Read):
        raise _fell()
    return told.reading


async def redaction(
    source: Path, out: Path, boxes: Sequence[Box], progress: Callable[[Done], None]
) -> Redacted:
    """Raises NotWorked."""
    job = Redaction(str(source), str(out), tuple(boxes))
    told = await _ask(job, REDACTION_S_MAX, progress)
    if not isinstance(told, Made):
        raise _fell()
    return told.made


async def _ask(job: Job, seconds: float, progress: Callable[[Done], None]) -> Any:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, limit=LINE_BYTES_MAX,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL, env=_environment(),
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        async with asyncio.timeout(seconds):
            child.stdin.write(msgspec.json.encode(job))
            child.stdin.close()
            while line := await child.stdout.readline():
                told = _told(line)
                if not isinstance(told, Done):
                    break
                progress(told)
            else:
                raise _fell()
    except (TimeoutError, ValueError, OSError) as error:
        raise _fell() from error
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()
    if isinstance(told, Failed):
        raise NotWorked(told.says, told.do)
    return told


_told = msgspec.json.Decoder(Said).decode


def _environment() -> dict[str, str]:
    """No secret of ours, and no noise of the decoder's."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "NUMBA_CACHE_DIR", "PYTHONPATH", "VIRTUAL_ENV")
    here = {name: os.environ[name] for name in kept if name in os.environ}
    return here | {"OPENCV_FFMPEG_LOGLEVEL": "-8", "OPENCV_LOG_LEVEL": "OFF"}


def _fell() -> NotWorked:
    return NotWorked("the clip could not be decoded", "take it out as it is, and look at it")


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICE)
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    told: Said
    try:
        if isinstance(job, Picture):
            told = Shown(*picture_at(Path(job.source), job.at_ms))
        elif isinstance(job, Clock):
            told = Read(read_clock(Path(job.source)))
        else:
            source, out = Path(job.source), Path(job.out)
            told = Made(redact(source, out, job.boxes, _encoder, _say_done))
    except FarolitoError as why:
        told = Failed(why.says, why.do)
    _say(told)


def _encoder(width: int, height: int, fps: float) -> Encoder:
    from farolito.codec.encoder import Encoder as Made

    return Made(width, height, fps, qp=QUALITY)


QUALITY = 22  # the quantiser: what is not hidden looks as it did


def _say_done(count: int, of: int) -> None:
    _say(Done(count, of))


def _say(told: Said) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
