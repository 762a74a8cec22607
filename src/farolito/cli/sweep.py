"""`farolito sweep`: the process that looks whether cameras are well, as the node starts it."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer


def sweep(
    file: Annotated[Path, typer.Argument(help="The settings that the node wrote")],
) -> None:
    """Look at a key frame of each camera, round by round, for the node that started this."""
    import uvloop

    from farolito.app.sweep_process import serve

    async def until_told() -> None:
        stop = asyncio.Event()
        for signal_ in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signal_, stop.set)
        await serve(file, stop)

    uvloop.run(until_told())
