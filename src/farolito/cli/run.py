"""`farolito run`: a real node from `farolito.toml`, until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from farolito.app import config as configuration
from farolito.app.config import Config


def run(
    config: Annotated[Path, typer.Option("--config", "-c", help="The node's file")] = Path(
        configuration.FILE
    ),
    port: Annotated[int | None, typer.Option(help="Instead of the file's port")] = None,
) -> None:
    """Run a node from farolito.toml, until Ctrl-C."""
    serve(with_port(configuration.load(config), port))


def with_port(config: Config, port: int | None) -> Config:
    if port is None:
        return config
    return msgspec.structs.replace(config, node=msgspec.structs.replace(config.node, port=port))


def serve(
    config: Config,
    *,
    demo: bool = False,
    prepare: Callable[[object], Awaitable[None]] | None = None,
) -> None:
    """Run the node in this process; `prepare` is awaited once it is up."""
    import uvloop

    uvloop.run(_serve(config, demo=demo, prepare=prepare))


async def _serve(
    config: Config, *, demo: bool, prepare: Callable[[object], Awaitable[None]] | None
) -> None:
    from farolito.app.build import Node

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_ in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_, stop.set)
    node = Node(config, demo=demo)
    starting = asyncio.create_task(_start(node, prepare))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            typer.echo(f"Farolito is running: {config.origin}  (Ctrl-C stops it)", err=True)
            failing = asyncio.create_task(node.wait())
            await asyncio.wait({failing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            failing.cancel()
        else:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
    finally:
        stopping.cancel()
        typer.echo("Stopping.", err=True)
        await node.stop()


async def _start(node: object, prepare: Callable[[object], Awaitable[None]] | None) -> None:
    from farolito.app.build import Node

    assert isinstance(node, Node)
    await node.start()
    if prepare is not None:
        await prepare(node)
