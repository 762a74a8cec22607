"""Small agencies hosted on a neighbour's machine, each an owner of its own.

A hosted agency is a whole node: `farolito run` with a folder, a PostgreSQL cluster, a bus, keys,
a ledger and a port that nobody shares. The host starts it, watches it and stops it; it has no way
into its records that another machine would not have (docs/decisions/0020). Its folder can be
packed and moved to a machine of its own.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from farolito.app import config as configuration
from farolito.app.config import Config
from farolito.app.supervise import Child, Supervisor
from farolito.model import AgencyId, FarolitoError, Government, Invalid
from farolito.model.ids import SLUG

log = logging.getLogger(__name__)

FOLDER = "hosted"  # under the host's state: a folder for each agency
MOVED = "moved"  # in a node's state: it was packed to live elsewhere, and starts here no more
PORTS = range(8701, 8800)  # the first free one is a new hosted agency's
HOSTED_MAX = 20  # on one machine

_FILE = """\
# A hosted agency. docs/agencies.md says how it moves to a machine of its own.

[agency]
id = {agency_id}
name = {name}
ori = {ori}
law = {law}
government = {government}
zone = {zone}

[node]
name = {name}
state_dir = {state_dir}
port = {port}
origin = {origin}
"""


class Hosted(msgspec.Struct, frozen=True):
    """`folder` holds farolito.toml and, beside it, the node's state."""

    agency_id: AgencyId
    folder: Path
    port: int

    @property
    def file(self) -> Path:
        return self.folder / configuration.FILE


class NewHosted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a new hosted agency is called. `port` 0: the first free one of 8701 to 8799."""

    agency_id: str
    name: str
    ori: str
    government: Government = "city"
    law: str = "us-nm"
    zone: str = "America/Denver"
    port: int = 0
    origin: str = ""


class Hosting:
    """The nodes of hosted agencies, as children of this one.

    `state`: the host's. `command`: the word of `farolito` that runs a node, and what stands
    before `--config`.
    """

    def __init__(
        self, state: Path, supervisor: Supervisor, command: Sequence[str] = ("run",)
    ) -> None:
        self._folder = state / FOLDER
        self._supervisor = supervisor
        self._command = tuple(command)
        self.problems: dict[AgencyId, FarolitoError] = {}  # what did not start, and why

    def hosted(self) -> list[Hosted]:
        """Every agency that lives here, by id; one that was packed and moved is none."""
        found = sorted(self._folder.glob(f"*/{configuration.FILE}"))
        return [_hosted(file) for file in found if not has_moved(file.parent / "state")]

    def find(self, agency_id: AgencyId) -> Hosted:
        """Raises Invalid where nobody of that id is hosted here."""
        for one in self.hosted():
            if one.agency_id == agency_id:
                return one
        raise Invalid(f"no agency {agency_id} is hosted here", "see `farolito agency list`")

    def make(self, told: NewHosted) -> Hosted:
        """Its folder and its file; nothing runs yet. Raises FarolitoError."""
        if not SLUG.fullmatch(told.agency_id):
            raise Invalid(f"agency id {told.agency_id!r}", "use lower case letters, digits, -")
        if len(self.hosted()) >= HOSTED_MAX:
            raise FarolitoError(f"{HOSTED_MAX} agencies are hosted here", "host it elsewhere")
        folder = self._folder / told.agency_id
        if folder.exists():
            raise FarolitoError(f"{folder} is there already", "choose another id, or remove it")
        port = told.port or _free_port({one.port for one in self.hosted()})
        for one in (self._folder, folder):
            one.mkdir(parents=True, exist_ok=True)
            one.chmod(0o711)  # PostgreSQL's account passes through; nobody lists it
        file = folder / configuration.FILE
        file.write_text(_text(told, folder / "state", port))
        try:
            return _hosted(file)
        except FarolitoError:
            file.unlink()
            folder.rmdir()
            raise

    def child(self, hosted: Hosted) -> Child:
        """The agency's node as a child that is ready when its port takes connections."""
        host = configuration.load(hosted.file).node.host

        async def ready() -> bool:
            _, writer = await asyncio.open_connection(host, hosted.port)
            writer.close()
            return True

        return Child(
            name=name_of(hosted.agency_id),
            argv=[
                sys.executable, "-m", "farolito", *self._command, "--config", str(hosted.file)
            ],
            directory=hosted.folder,
            ready=ready,
            log_file=hosted.folder / "node.log",
        )  # fmt: skip

    async def start(self, hosted: Hosted) -> None:
        """Raises FarolitoError where it does not come up; then nothing of it runs."""
        try:
            await self._supervisor.start(self.child(hosted))
        except FarolitoError:
            await self._supervisor.end(name_of(hosted.agency_id))
            raise

    async def start_all(self) -> None:
        """All side by side. One that does not come up is logged and stands in `problems`, and
        the host and the others go on."""
        await asyncio.gather(*(self._try(one) for one in self.hosted()))

    async def end(self, agency_id: AgencyId) -> None:
        """Stop one and wait for its end; it starts again with the host's next start."""
        await self._supervisor.end(name_of(agency_id))

    async def _try(self, hosted: Hosted) -> None:
        self.problems.pop(hosted.agency_id, None)
        try:
            await self.start(hosted)
        except FarolitoError as error:
            log.error("hosted %s: %s", hosted.agency_id, error)
            self.problems[hosted.agency_id] = error


def name_of(agency_id: AgencyId) -> str:
    """The child's name among the supervisor's."""
    return f"hosted {agency_id}"


def has_moved(state: Path) -> bool:
    return (state / MOVED).exists()


def _hosted(file: Path) -> Hosted:
    config: Config = configuration.load(file)
    return Hosted(AgencyId(config.agency.id), file.parent, config.node.port)


def _text(told: NewHosted, state: Path, port: int) -> str:
    quoted = {
        name: msgspec.json.encode(value).decode()  # a JSON string is a TOML one
        for name, value in msgspec.structs.asdict(told).items()
        if isinstance(value, str)
    }
    state_dir = msgspec.json.encode(str(state)).decode()
    return _FILE.format(**quoted, state_dir=state_dir, port=port)


def _free_port(taken: set[int]) -> int:
    for port in PORTS:
        if port in taken:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise FarolitoError(f"no port of {PORTS.start} to {PORTS.stop - 1} is free", "give --port")
