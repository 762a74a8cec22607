"""`farolito simulate-cameras`: the practice metro's cameras, in a process of their own."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer


def simulate_cameras(
    told: Annotated[Path | None, typer.Argument(help="What to show, as JSON")] = None,
    compile_: Annotated[bool, typer.Option("--compile", help="Its loops alone, and end")] = False,
) -> None:
    """Cameras that draw the practice metro's streets, until Ctrl-C."""
    from farolito.codec.encoder import warm_up
    from farolito.simulator.camera_server import serve_told

    async def run(told: Path) -> None:
        stop = asyncio.Event()
        for signal_ in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signal_, stop.set)
        await serve_told(told, stop)

    if told is not None:
        asyncio.run(run(told))
    elif compile_:
        warm_up()
