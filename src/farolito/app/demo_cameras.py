"""The practice metro's cameras around a node: their register, and the process that draws them.

The node is told what an owner would tell. Where a camera truly looks, and what ails it, knows
that process alone.
"""

from __future__ import annotations

import asyncio
import socket
import sys

import msgspec

from farolito.app.build import Node
from farolito.app.private_file import write_private
from farolito.app.supervise import Child
from farolito.desk.camera_register import Brought
from farolito.gate import Ask
from farolito.identity import local_admin
from farolito.model import CameraId, Purpose, Thing
from farolito.simulator.camera_server import CameraWork
from farolito.simulator.cameras import Lines, place_cameras
from farolito.simulator.world import SimulatorConfig, World

NETWORKS = ("127.0.0.0/8",)  # where the practice cameras are, on this machine


async def furnish(node: Node, world: World, config: SimulatorConfig) -> None:
    """`config`: of the world that the traffic's own process drives."""
    lines = Lines(rtsp_port=_free_port(), http_port=_free_port())
    await _process(node, lines, config)
    practice = await asyncio.to_thread(place_cameras, world, lines)
    ask = Ask(
        person=local_admin(node.agency.agency_id),
        thing=Thing.CAMERA,
        purpose=Purpose.ADMINISTRATION,
        query="import the practice metro's cameras",
    )
    wanted = {one.camera_id for one in practice.register}
    left = [one.camera_id for one in node.cameras.rooms.book.all()]
    brought = Brought(
        owners=practice.owners,
        cameras=practice.register,
        logins={CameraId(name): login for name, login in practice.logins.items()},
        remove=tuple(name for name in left if name not in wanted),
    )
    await node.cameras.rooms.desk.take_in(ask, brought)


async def _process(node: Node, lines: Lines, config: SimulatorConfig) -> None:
    told, started = node.state / "cameras.json", node.state / "cameras.started"
    started.unlink(missing_ok=True)
    work = CameraWork(lines=lines, world=config, hour=config.practice_hour, started=str(started))
    write_private(told, msgspec.json.encode(work))

    async def ready() -> bool:
        return started.exists()

    await node.supervisor.start(
        Child(
            name="practice cameras",
            argv=[sys.executable, "-m", "farolito", "simulate-cameras", str(told)],
            directory=node.state,
            ready=ready,
            log_file=node.state / "log" / "cameras.log",
        )
    )


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
