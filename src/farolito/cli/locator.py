"""`farolito locator`: the locator in a process of its own, as the node starts it."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer


def locator(
    socket: Annotated[Path | None, typer.Argument(help="Where the node asks")] = None,
    compile_: Annotated[bool, typer.Option("--compile", help="Its loops alone, and end")] = False,
) -> None:
    """Turn pulses into places for the node that started this."""
    from farolito.app.locating import serve, warm_up

    async def until_told(socket: Path) -> None:
        stop = asyncio.Event()
        for signal_ in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signal_, stop.set)
        await serve(socket, stop)

    if socket is not None:
        asyncio.run(until_told(socket))
    elif compile_:
        warm_up()
