"""A node's whole state as one archive, to live on another machine: its ledger, keys and data.

An agency has one node. Two that run from one state would write two histories under one key, which
witnesses take for a forged ledger; so what was packed does not start again where it was.
"""

from __future__ import annotations

import fcntl
import os
import platform
import re
import shutil
import stat
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from farolito import __version__
from farolito.app import config as configuration
from farolito.app import postgres
from farolito.app.hosting import FOLDER as HOSTED
from farolito.app.hosting import MOVED, has_moved
from farolito.model import AgencyId, FarolitoError, Invalid

FORMAT = 1
MANIFEST = "manifest.json"
MANIFEST_BYTES_MAX = 512 * 2**20  # some four million pictures
PIECE_BYTES = 2**20
STATE = "state"
# Made anew by every start, or of this machine alone.
_LEFT_OUT = frozenset(
    {"log", "node.lock", MOVED, HOSTED, "postgres/socket", "postgres/socket-path",
     "postgres/engine", "postgres/data/postmaster.opts"}
)  # fmt: skip
_STATE_DIR = re.compile(r"^[ \t]*state_dir[ \t]*=.*$", re.MULTILINE)
_PORT = re.compile(r"^[ \t]*port[ \t]*=.*$", re.MULTILINE)
_NODE = re.compile(r"^\[node\][^\n]*\n((?:(?!\[)[^\n]*\n?)*)", re.MULTILINE)


class Packed(msgspec.Struct, frozen=True):
    """A file or a folder (`sha256` is None) by its path in the archive."""

    path: str
    mode: int
    size: int = 0
    sha256: str | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What the archive holds. `postgres`, `machine`: what its database files can be read by."""

    format: int
    agency_id: AgencyId
    version: str
    made_at: datetime
    postgres: str
    machine: str
    files: tuple[Packed, ...]


def pack(file: Path, archive: Path, now: datetime) -> tuple[Manifest, str]:
    """Write the archive of the stopped node of `file` (farolito.toml), and mark its state as
    moved. Answers the manifest and its SHA-256, which the other machine shows too.

    The archive holds the agency's keys: it is readable by this account alone. Raises
    FarolitoError where the node runs, was not stopped cleanly, or has moved already.
    """
    config = configuration.load(file)
    state = config.state
    with _still(state):
        manifest = Manifest(
            format=FORMAT,
            agency_id=AgencyId(config.agency.id),
            version=__version__,
            made_at=now,
            postgres=_postgres_of(state),
            machine=platform.machine(),
            files=tuple(_listed(file, state)),
        )
        content = msgspec.json.encode(manifest)
        try:
            with open(archive, "xb", opener=_private) as out:
                _write(out, file, state, manifest, content)
                out.flush()
                os.fsync(out.fileno())
        except FileExistsError as error:
            raise FarolitoError(f"{archive} is there already", "choose another name") from error
        except BaseException:
            archive.unlink(missing_ok=True)
            raise
        digest = sha256(content).hexdigest()
        (state / MOVED).write_text(f"{now.isoformat()} {digest}\n")
    return manifest, digest


def unpack(
    archive: Path, folder: Path, port: int | None = None, digest: str = ""
) -> tuple[Manifest, str]:
    """Put an archive into a new folder: farolito.toml and the state beside it. Every file is held
    against the manifest, and that against `digest`, where it is told. Raises FarolitoError; then
    nothing of it is left."""
    if folder.exists() and any(folder.iterdir()):
        raise FarolitoError(f"{folder} is not empty", "name a new folder")
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive, "r:*") as tar:
            content = _manifest_of(tar)
            if digest and sha256(content).hexdigest() != digest:
                raise Invalid("this is not the archive that was packed", "ask for it again")
            manifest = _readable(content)
            _take_out(tar, manifest, folder)
        _place(folder, manifest, port)
    except (tarfile.TarError, EOFError, OSError) as error:
        shutil.rmtree(folder)
        raise FarolitoError(f"{archive} cannot be unpacked: {error}", "copy it again") from error
    except BaseException:
        shutil.rmtree(folder)
        raise
    os.sync()
    return manifest, sha256(content).hexdigest()


# ---- packing


@contextmanager
def _still(state: Path) -> Iterator[None]:
    """Nothing runs on the state meanwhile."""
    if has_moved(state):
        raise FarolitoError(f"{state} was packed already", f"remove {state / MOVED} to undo it")
    if not state.is_dir():
        raise FarolitoError(f"there is no state in {state}", "name the node's farolito.toml")
    with (state / "node.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise FarolitoError(f"a node runs on {state}", "stop it first") from error
        if (state / "postgres" / "data" / "postmaster.pid").exists():
            raise FarolitoError(
                f"the database in {state} was not stopped cleanly", "start the node, and stop it"
            )
        yield


def _listed(file: Path, state: Path) -> Iterator[Packed]:
    yield _packed(file, configuration.FILE)
    for parent, folders, files in os.walk(state):
        within = Path(parent).relative_to(state)
        folders[:] = sorted(n for n in folders if str(within / n) not in _LEFT_OUT)
        for name in [*folders, *sorted(files)]:
            if str(within / name) not in _LEFT_OUT:
                yield _packed(state / within / name, str(PurePosixPath(STATE, within, name)))


def _packed(path: Path, name: str) -> Packed:
    found = path.lstat()
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISDIR(found.st_mode):
        return Packed(name, mode)
    if not stat.S_ISREG(found.st_mode):
        raise FarolitoError(f"{path} is neither file nor folder", "move it away, and pack again")
    with path.open("rb") as content:
        return Packed(name, mode, found.st_size, _sha256(content))


def _sha256(content: IO[bytes]) -> str:
    digest = sha256()
    while piece := content.read(PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def _write(out: IO[bytes], file: Path, state: Path, manifest: Manifest, content: bytes) -> None:
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as tar:
        tar.addfile(_member(MANIFEST, len(content), 0o600), BytesIO(content))
        for one in manifest.files:
            if one.sha256 is None:
                continue  # the manifest has it
            path = file if one.path == configuration.FILE else state / _within(one)
            with path.open("rb") as opened:
                tar.addfile(_member(one.path, one.size, one.mode), opened)


def _within(one: Packed) -> Path:
    return Path(*PurePosixPath(one.path).parts[1:])


def _member(name: str, size: int, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, mode
    return member


def _postgres_of(state: Path) -> str:
    return (state / "postgres" / "data" / "PG_VERSION").read_text().strip()


# ---- unpacking


def _manifest_of(tar: tarfile.TarFile) -> bytes:
    first = tar.next()
    if first is None or first.name != MANIFEST or first.size > MANIFEST_BYTES_MAX:
        raise Invalid("this is no archive of a node", "make one with farolito agency pack")
    content = tar.extractfile(first)
    assert content is not None
    return content.read()


def _readable(content: bytes) -> Manifest:
    """Raises Invalid for another kind of archive, or one that this machine cannot run."""
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, ValueError) as error:
        raise Invalid(f"the archive's manifest is none: {error}", "copy the archive again") from (
            error
        )
    if manifest.format != FORMAT:
        raise Invalid(f"an archive of form {manifest.format}", f"this Farolito reads {FORMAT}")
    if manifest.machine != platform.machine():
        raise Invalid(
            f"the archive is of a {manifest.machine} machine, this is {platform.machine()}",
            "a database moves between machines of one kind",
        )
    if manifest.postgres != postgres.major():
        raise Invalid(
            f"the archive is of PostgreSQL {manifest.postgres}, here is {postgres.major()}",
            "install the same Farolito on both machines",
        )
    return manifest


def _take_out(tar: tarfile.TarFile, manifest: Manifest, folder: Path) -> None:
    awaited = {one.path: one for one in manifest.files}
    for one in manifest.files:
        _check_path(one.path)
        if one.sha256 is None:
            (folder / one.path).mkdir(parents=True, mode=0o700)
    while (member := tar.next()) is not None:
        expected = awaited.pop(member.name, None)
        content = tar.extractfile(member) if member.isreg() else None
        if expected is None or content is None:
            raise Invalid(
                f"{member.name} is in the archive and not in its manifest", "copy it anew"
            )
        _put(content, expected, folder / expected.path)
    missing = [one.path for one in awaited.values() if one.sha256 is not None]
    if missing:
        raise Invalid(f"{missing[0]} is missing in the archive", "copy it again")
    for one in reversed(manifest.files):  # what is in a folder before the folder is closed
        (folder / one.path).chmod(one.mode & 0o777)


def _check_path(name: str) -> None:
    path = PurePosixPath(name)
    inside = path.parts[:1] == (STATE,) or name == configuration.FILE
    if not inside or path.is_absolute() or ".." in path.parts:
        raise Invalid(f"a path that leads elsewhere: {name!r}", "take no such archive")


def _put(content: IO[bytes], expected: Packed, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "xb", opener=_private) as out:
        shutil.copyfileobj(content, out, PIECE_BYTES)
    with path.open("rb") as written:
        found = _sha256(written)
    if found != expected.sha256:
        raise Invalid(f"{expected.path} is not what was packed", "copy the archive again")


def _place(folder: Path, manifest: Manifest, port: int | None) -> None:
    """The file names the new place; PostgreSQL's account gets what is its own."""
    file, state = folder / configuration.FILE, folder / STATE
    file.write_text(_replaced(file.read_text(), state, port))
    config = configuration.load(file)
    if config.agency.id != manifest.agency_id or config.state != state:
        raise Invalid("the archive's farolito.toml is of another node", "take no such archive")
    for one in (folder, state):
        one.chmod(0o711)  # PostgreSQL's account passes through; nobody lists it
    postgres.hand_over_all(state / "postgres")


def _replaced(text: str, state: Path, port: int | None) -> str:
    """The same file with another `state_dir` and, where given, `port` in [node]."""
    if not _NODE.search(text):
        text = f"[node]\n\n{text}"
    found = _NODE.search(text)
    assert found is not None
    inside = _set(found[1], _STATE_DIR, f"state_dir = {msgspec.json.encode(str(state)).decode()}")
    if port is not None:
        inside = _set(inside, _PORT, f"port = {port}")
    return text[: found.start(1)] + inside + text[found.end(1) :]


def _set(inside: str, line: re.Pattern[str], new: str) -> str:
    if line.search(inside):
        return line.sub(lambda _: new, inside, count=1)
    return f"{new}\n{inside}"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
