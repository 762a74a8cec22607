"""`farolito pictures`: a process that holds pictures, as the node starts it."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer


def pictures(
    file: Annotated[Path, typer.Argument(help="The settings that the node wrote")],
) -> None:
    """Pull cameras and show them to browsers for the node that started this."""
    import uvloop

    from farolito.app.picture_process import serve

    async def until_told() -> None:
        stop = asyncio.Event()
        for signal_ in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signal_, stop.set)
        await serve(file, stop)

    uvloop.run(until_told())
