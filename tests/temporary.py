"""Where tests put their files: in memory where there is room for them.

Some thousand databases and some hundred nodes come and go in a run, and nothing of them is kept.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
FREE_BYTES_MIN = 6 * 2**30  # a run takes some 3 GB at most


def use_memory() -> None:
    """This process and those that it starts make their temporary files in memory from now on,
    unless told where to (`TMPDIR`), or the machine has too little of it, as a container may."""
    if "TMPDIR" in os.environ or _free_bytes() < FREE_BYTES_MIN:
        return
    os.environ["TMPDIR"] = str(MEMORY)
    tempfile.tempdir = None  # whoever asked before this is told anew


def _free_bytes() -> int:
    """What the file system in memory still takes, and memory with it."""
    try:
        told = os.statvfs(MEMORY)
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    [available] = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return min(told.f_bavail * told.f_frsize, int(available) * 1024)
