"""`farolito door`: a door in a process of its own, as the node starts it."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path


def door(told: Path) -> None:
    """Take in readers on a port of its own."""
    import msgspec
    import uvloop

    from farolito.app.doors import DoorProcess, run

    content = msgspec.json.decode(told.read_bytes(), type=DoorProcess)

    async def until_told() -> None:
        stop = asyncio.Event()
        for signal_ in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signal_, stop.set)
        await run(content, stop)

    uvloop.run(until_told())
