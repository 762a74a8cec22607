"""Viewers without a screen, started for a measurement and gone after it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec

from farolito.cli.bench_running import Running
from farolito.cli.bench_video_screens import Looking
from farolito.model import FarolitoError

OPEN_S_MAX = 90.0


class Viewers:
    """The bench's end of that process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def pictures(self) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"?\n")
        return int(await self._process.stdout.readline())


@asynccontextmanager
async def viewers(node: Running, cameras: Sequence[str]) -> AsyncIterator[Viewers]:
    """Somebody looks at each of these. Raises FarolitoError where pictures do not come."""
    cookie = await node.operator_cookie()
    told = node.state / "viewers.json"
    looking = Looking(url=node.url, cookie=cookie, cameras=tuple(cameras))
    told.write_bytes(msgspec.json.encode(looking))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "farolito.cli.bench_video_screens", str(told), stdin=pipe, stdout=pipe
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(OPEN_S_MAX):
            if await process.stdout.readline() != b"open\n":
                raise FarolitoError("the viewers got no pictures", "see what was printed above")
        yield Viewers(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
