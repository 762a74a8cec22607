"""`farolito demo`: the practice metro, furnished and driving."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer


def demo(
    port: Annotated[
        int, typer.Option(help="Where the console listens, on this machine only")
    ] = 8700,
    state: Annotated[Path | None, typer.Option(help="Where the demo keeps its data")] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same metro")] = 7,
) -> None:
    """Run the practice metro with its three personas, until Ctrl-C."""
    from farolito.app import demo as practice
    from farolito.app.build import Node
    from farolito.cli.run import serve

    async def prepare(node: object) -> None:
        assert isinstance(node, Node)
        typer.echo("Furnishing the practice metro: map, readers, lists, units …", err=True)
        await practice.prepare(node, seed)

    serve(practice.config(state or practice.default_state(), port), demo=True, prepare=prepare)


def demo_neighbour(config: Annotated[Path, typer.Option("--config")]) -> None:
    """A neighbour's node of the practice metro, as the demo starts it."""
    from farolito.app import config as configuration
    from farolito.cli.run import serve

    serve(configuration.load(config), demo=True)


def simulate(told: Path) -> None:
    """The traffic of the practice metro, as the demo starts it."""
    from farolito.app.demo import traffic

    async def run() -> None:
        stop = asyncio.Event()
        for signal_ in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signal_, stop.set)
        driving = asyncio.create_task(traffic(told, stop))
        await asyncio.wait(
            {driving, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED
        )
        driving.cancel()

    asyncio.run(run())
