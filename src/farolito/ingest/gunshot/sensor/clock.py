"""How far this computer's clock may be off, as whoever sets it says; "none" where nobody does."""

from __future__ import annotations

import asyncio
import ctypes
import ctypes.util
import shutil
from contextlib import suppress
from typing import Literal, NamedTuple

ASK_S = 2.0
OUTPUT_BYTES_MAX = 8_192
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
# systemd-timesyncd and busybox leave the kernel's estimate at nought. What NTP reaches over the
# internet is told instead (RFC 5905, section 1: "tens of milliseconds").
NTP_UNTOLD_S = 0.010
_TIMEX_BYTES = 512  # more than struct timex on any Linux
_PPS = {"PPS"}
_GPS = {"GPS", "NMEA", "SHM", "SOCK", "GNSS"}


class ClockHealth(NamedTuple):
    """`error_s`: None where nobody sets the clock. `source`: gps, pps, ntp or none."""

    error_s: float | None
    source: Literal["gps", "pps", "ntp", "none"]


NOBODY = ClockHealth(None, "none")


async def clock_health() -> ClockHealth:
    """Asks chrony, else the kernel."""
    said = await _chrony()
    return said if said is not None else from_kernel()


async def _chrony() -> ClockHealth | None:
    program = shutil.which("chronyc")
    if program is None:
        return None
    child = await asyncio.create_subprocess_exec(
        program, "-c", "tracking",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert child.stdout is not None
    try:
        async with asyncio.timeout(ASK_S):
            said = await child.stdout.read(OUTPUT_BYTES_MAX)
    except TimeoutError:
        return None
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
    return from_chrony(said.decode(errors="replace"))


def from_chrony(line: str) -> ClockHealth | None:
    """`chronyc -c tracking`: what the clock is held to be off at most (its offset, the root's
    dispersion and half the root's delay). None for a line that is none of chrony's."""
    fields = line.strip().split(",")
    try:
        name, offset = fields[1], abs(float(fields[4]))
        delay, dispersion, leap = float(fields[10]), float(fields[11]), fields[13]
    except (IndexError, ValueError):
        return None
    if leap == "Not synchronised":
        return NOBODY
    reference = name.rstrip("0123456789").upper()
    error_s = offset + dispersion + delay / 2
    if reference in _PPS:
        return ClockHealth(error_s, "pps")
    return ClockHealth(error_s, "gps" if reference in _GPS else "ntp")


def from_kernel() -> ClockHealth:
    """adjtimex(2), which tells but does not say by whom: that is called ntp. It changes nothing:
    `modes` is nought."""
    name = ctypes.util.find_library("c")
    if name is None:
        return NOBODY
    libc = ctypes.CDLL(name, use_errno=True)
    if not hasattr(libc, "adjtimex"):
        return NOBODY
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
    state = libc.adjtimex(buffer)
    if state < 0 or state == _TIME_ERROR:
        return NOBODY
    # modes (int, padded to a long), offset, freq, maxerror, esterror: each a long.
    estimated_us = ctypes.c_long.from_buffer(buffer, 4 * ctypes.sizeof(ctypes.c_long)).value
    return ClockHealth(estimated_us / 1e6 if estimated_us > 0 else NTP_UNTOLD_S, "ntp")
