"""Where sound comes from: a microphone through ALSA's own `arecord`, or WAV files as if live.

A source gives pieces of sound with a timeline; it ends (files) or raises (a microphone).
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from farolito.acoustics.wav import decode_wav
from farolito.ingest.gunshot.sensor.timeline import ArrivalTime, FileTime, Timeline
from farolito.model import FarolitoError

Samples = npt.NDArray[np.float64]

PIECE_S = 0.050
SILENT_S = 5.0  # a microphone that gives nothing for so long is lost
STDERR_BYTES = 4_096
Clock = Callable[[], float]


class MicrophoneLost(FarolitoError):
    """The sound has stopped: the program begins again with a new stream."""


class Piece(NamedTuple):
    """`is_first`: a new stream begins, with a timeline of its own."""

    samples: Samples
    rate_hz: int
    timeline: Timeline
    is_first: bool


async def files(
    paths: Sequence[Path],
    speed: float,
    clock: Clock = time.time,
    starts_at_s: float | None = None,
) -> AsyncIterator[Piece]:
    """One file after another, `speed` times as fast as it was; 0: as fast as it goes.

    Each is told as heard just now: its end coincides with the moment at which it has been played.
    `starts_at_s`: when the first sample of the first file was heard, where that matters.
    Raises FarolitoError for a file that is no WAV.
    """
    for path in paths:
        try:
            recording = decode_wav(await asyncio.to_thread(path.read_bytes))
        except OSError as error:
            raise FarolitoError(f"cannot read {path}: {error.strerror}", "name a WAV") from error
        except FarolitoError as error:
            raise FarolitoError(f"{path}: {error.says}", error.do) from error
        rate = recording.rate_hz
        lasts_s = recording.seconds / speed if speed else 0.0
        began = clock()
        start = began + lasts_s - recording.seconds if starts_at_s is None else starts_at_s
        line = FileTime(rate, start)
        step = round(PIECE_S * rate)
        for at in range(0, len(recording.samples), step):
            piece = recording.samples[at : at + step]
            due = began + (at + len(piece)) / rate / speed if speed else 0.0
            await asyncio.sleep(max(0.0, due - clock()))
            yield Piece(piece, rate, line, at == 0)
        if starts_at_s is not None:
            starts_at_s += recording.seconds


async def microphone(
    device: str, rate_hz: int, latency_s: float, clock: Clock = time.time
) -> AsyncIterator[Piece]:
    """What `arecord` hears, for ever. Raises FarolitoError where it is not installed,
    MicrophoneLost when it ends or gives nothing for `SILENT_S`."""
    child = await _arecord(device, rate_hz)
    assert child.stdout is not None
    line = ArrivalTime(rate_hz, latency_s)
    width = 2 * round(PIECE_S * rate_hz)
    heard = 0
    try:
        while True:
            try:
                async with asyncio.timeout(SILENT_S):
                    raw = await child.stdout.readexactly(width)
            except asyncio.IncompleteReadError as error:
                raise MicrophoneLost(
                    f"microphone {device}: {await _last_words(child)}",
                    "see that it is plugged in: arecord -l",
                ) from error
            except TimeoutError as error:
                says = f"microphone {device}: no sound for {SILENT_S:g} s"
                raise MicrophoneLost(says, "see that it is plugged in: arecord -l") from error
            samples = np.frombuffer(raw, dtype="<i2") / 32_768.0
            heard += len(samples)
            line.arrived(heard, clock())
            yield Piece(samples, rate_hz, line, heard == len(samples))
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


async def _arecord(device: str, rate_hz: int) -> asyncio.subprocess.Process:
    program = shutil.which("arecord")
    if program is None:
        do = "install it (Debian: apt install alsa-utils), or give WAV files"
        raise FarolitoError("arecord, which brings the microphone's sound, is not here", do)
    form = ("-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", str(rate_hz))
    # Short periods: the earliest arrivals tell the time, and a long one would make all late.
    return await asyncio.create_subprocess_exec(
        program, *form, "-D", device, "--period-time=10000", "--buffer-time=1000000", "-",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def _last_words(child: asyncio.subprocess.Process) -> str:
    assert child.stderr is not None
    with suppress(TimeoutError):
        async with asyncio.timeout(1.0):
            said = await child.stderr.read(STDERR_BYTES)
        lines = said.decode(errors="replace").strip().splitlines()
        if lines:
            return lines[-1][:200]
    return "arecord ended without a word"
