"""`farolito locator`: the locator in a process of its own, as the node starts it."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path


def locator(socket: Path) -> None:
    """Turn pulses into places for the node that started this."""
    from farolito.app.locating import serve

    async def until_told() -> None:
        stop = asyncio.Event()
        for signal_ in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signal_, stop.set)
        await serve(socket, stop)

    asyncio.run(until_told())
