"""A node for measuring, in a process of its own: `python -m farolito.cli.bench_node STATE PORT`."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path

import uvloop

from farolito.app.build import Node
from farolito.app.config import AgencyConfig, Config
from farolito.app.config import Node as NodeConfig

AGENCY = "bench-pd"


def config(state: Path, port: int) -> Config:
    return Config(
        agency=AgencyConfig(id=AGENCY, name="Bench Police", ori="NM9990000"),
        node=NodeConfig(name="bench", state_dir=str(state), port=port),
    )


async def _main(state: Path, port: int) -> None:
    node = Node(config(state, port), demo=True)  # a persona follows the console's socket
    stop = asyncio.Event()
    for signal_ in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_, stop.set)
    await node.start()
    try:
        await stop.wait()
    finally:
        await node.stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    uvloop.run(_main(Path(sys.argv[1]), int(sys.argv[2])))
