"""Where the sensor stands and how warm it is, from whoever knows: gpsd, a file of the kernel."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

ASK_S = 5.0
REPORTS = "12"  # of gpsd's messages are read for a fix
OUTPUT_BYTES_MAX = 65_536
_FIX_2D = 2
_TO_ONE_SD = 0.5  # gpsd's error figures hold with 95 %


class Fix(NamedTuple):
    lat: float
    lon: float
    error_m: float | None


class _Report(msgspec.Struct):
    class_: str = msgspec.field(name="class", default="")
    mode: int = 0
    lat: float | None = None
    lon: float | None = None
    eph: float | None = None


_report = msgspec.json.Decoder(_Report).decode


async def gps_place() -> Fix | None:
    """From gpsd, by its own `gpspipe`; None where there is neither, or no fix."""
    program = shutil.which("gpspipe")
    if program is None:
        return None
    child = await asyncio.create_subprocess_exec(
        program, "-w", "-n", REPORTS,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert child.stdout is not None
    said = b""
    with suppress(TimeoutError):
        async with asyncio.timeout(ASK_S):
            while len(said) < OUTPUT_BYTES_MAX and (line := await child.stdout.readline()):
                said += line
    with suppress(ProcessLookupError):
        child.kill()
    await child.wait()
    return from_gpsd(said)


def from_gpsd(said: bytes) -> Fix | None:
    """The newest fix among gpsd's reports, a line each; lines that are none are passed over."""
    for line in reversed(said.splitlines()):
        try:
            report = _report(line)
        except msgspec.DecodeError:
            continue
        if report.class_ != "TPV" or report.mode < _FIX_2D:
            continue
        if report.lat is not None and report.lon is not None:
            error = None if report.eph is None else report.eph * _TO_ONE_SD
            return Fix(report.lat, report.lon, error)
    return None


def temperature_c(file: str) -> float | None:
    """A thermometer's file: °C, or thousandths as the kernel tells them. None for no file, a
    thermometer that is gone, or what no air has ever been."""
    if not file:
        return None
    try:
        told = float(Path(file).read_text().strip())
    except (OSError, ValueError):
        return None
    celsius = told / 1000.0 if abs(told) > 200.0 else told
    return celsius if -90.0 <= celsius <= 60.0 else None
