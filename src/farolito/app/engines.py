"""The engines of a node: one holder of its state, PostgreSQL, NATS, and the lines to both."""

from __future__ import annotations

import asyncio
import fcntl
from contextlib import AsyncExitStack
from pathlib import Path
from typing import IO, NamedTuple

from farolito.app import clock, nats, postgres
from farolito.app.config import Federation
from farolito.app.hosting import MOVED, has_moved
from farolito.app.supervise import Supervisor
from farolito.bus import Bus, PartnerBus
from farolito.model import AgencyId, FarolitoError
from farolito.store import Database, migrate


class Engines(NamedTuple):
    """`dsn`: of the database's owner; `bus_url` and `bus_credentials` for processes of the node.
    `partners` is not started yet: first somebody must answer what comes."""

    supervisor: Supervisor
    dsn: str
    database: Database
    bus: Bus
    bus_url: str
    bus_credentials: Path
    partners: PartnerBus
    ca_pem: str  # of the agency's own certificate authority


def hold(state: Path, stack: AsyncExitStack) -> None:
    """One node a state. Raises FarolitoError where another one runs on it."""
    state.mkdir(parents=True, exist_ok=True)
    state.chmod(0o711)  # PostgreSQL's account passes through; nobody lists it
    lock: IO[str] = (state / "node.lock").open("w")
    stack.callback(lock.close)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise FarolitoError(
            f"a node is already running on {state}",
            "stop it, or give this one its own state_dir and port",
        ) from error
    if has_moved(state):
        raise FarolitoError(
            f"the node of {state} was packed to be moved: it may run in one place alone",
            f"if it runs nowhere else, remove {state / MOVED}",
        )


async def start(
    state: Path,
    agency: AgencyId,
    bus_port: int,
    stack: AsyncExitStack,
    federation: Federation | None = None,
) -> Engines:
    """Both started, their schema and streams in place; `stack` ends them."""
    logs = state / "log"
    supervisor = Supervisor()
    stack.push_async_callback(supervisor.stop)
    cluster = await asyncio.to_thread(postgres.prepare, state)
    server = nats.prepare(state, agency, bus_port, clock.now, federation)
    server.supervisor = supervisor
    await supervisor.start(postgres.child(cluster, logs / "postgres.log"))
    await supervisor.start(nats.child(server, logs / "nats.log"))
    await migrate(cluster.dsn)
    database = await Database.open(cluster.dsn)
    stack.push_async_callback(database.close)
    bus = await Bus.connect(server.url, server.credentials, agency)
    stack.push_async_callback(bus.close)
    partners = PartnerBus(server, clock.now)
    stack.push_async_callback(partners.close)
    url, credentials = server.url, server.credentials
    return Engines(
        supervisor, cluster.dsn, database, bus, url, credentials, partners, server.ca_pem
    )
