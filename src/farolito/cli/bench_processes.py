"""What processes cost, as the kernel counts it, and what is started beside a node to measure it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from farolito.model import FarolitoError

UP_S_MAX = 60.0
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_s(pid: int) -> float:
    """User and system time of all its threads so far."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / _TICKS_PER_S


def resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_MB


def pid_of(word: str) -> int:
    """The one process that has this among its arguments. Raises FarolitoError."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it ended meanwhile
        if word.encode() in words:
            return int(folder.name)
    raise FarolitoError(f"no process works on {word}", "see what was printed above")


class Share:
    """Of a core, since it was made."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._cpu_s, self._at = cpu_s(pid), time.perf_counter()

    def percent(self) -> float:
        return 100 * (cpu_s(self._pid) - self._cpu_s) / (time.perf_counter() - self._at)


@asynccontextmanager
async def beside(*argv: str, ready: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process while it is measured beside; it makes the file `ready`. Raises FarolitoError."""
    process = await asyncio.create_subprocess_exec(*argv)
    try:
        end = time.monotonic() + UP_S_MAX
        while not ready.exists():
            if process.returncode is not None or time.monotonic() > end:
                raise FarolitoError(f"{argv[-2]} did not start", "see what it printed above")
            await asyncio.sleep(0.05)
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
