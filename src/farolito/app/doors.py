"""Doors in processes of their own: more reads a second than one process decodes.

A door process knows the bus and the readers' keys, and nothing else of the node: it raises no
alert, shows nothing and writes no ledger. What it takes in is durable on the bus before it
answers, so it may be killed at any moment.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from farolito.app.clock import ids, now
from farolito.app.collector import spare_the_collector
from farolito.app.supervise import Child
from farolito.app.watch import Watch
from farolito.app.web import Web
from farolito.bus import Bus
from farolito.identity import DeviceKeys
from farolito.ingest.door import Door
from farolito.model import AgencyId, Rejected, UnitPosition
from farolito.store import Database
from farolito.store.database import AWAY


class DoorProcess(msgspec.Struct, frozen=True, kw_only=True):
    """What such a process is told, in a file that only this account can read."""

    agency: str
    dsn: str
    bus_url: str
    bus_credentials: str
    host: str
    port: int
    letters_kept: int


def child(told: DoorProcess, state: Path) -> Child:
    """The process as a child that is ready when its port takes connections."""
    file = state / f"door-{told.port}.json"
    with open(file, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
        out.write(msgspec.json.encode(told))

    async def ready() -> bool:
        _, writer = await asyncio.open_connection(told.host, told.port)
        writer.close()
        return True

    return Child(
        name=f"door {told.port}",
        argv=[sys.executable, "-m", "farolito", "door", str(file)],
        directory=state,
        ready=ready,
        log_file=state / "log" / f"door-{told.port}.log",
    )


async def run(told: DoorProcess, stop: asyncio.Event) -> None:
    """The process itself, until `stop`."""
    agency = AgencyId(told.agency)
    database = await Database.open(told.dsn)
    bus = await Bus.connect(told.bus_url, Path(told.bus_credentials), agency)
    watch = Watch(database, agency, ids, told.letters_kept)
    keys = DeviceKeys(database, now, os.urandom)

    async def elsewhere(_: Sequence[UnitPosition]) -> None:
        raise Rejected("other_door", "this door takes plate reads alone", "use the node's own port")

    door = Door(bus.reads.publish, keys.device_for_key, watch, elsewhere, clock=now, away=AWAY)
    counting = asyncio.create_task(watch.run())
    web = await Web.start(door, told.host, told.port)
    spare_the_collector()
    try:
        await stop.wait()
    finally:
        await web.stop()
        await door.close()
        counting.cancel()
        await watch.keep()
        await bus.close()
        await database.close()
