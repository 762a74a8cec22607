"""A migrated PostgreSQL cluster, made once a process and copied for each node that starts: making
one anew takes most of a second of a core, and a run starts some two hundred."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from farolito.app import postgres
from farolito.app.supervise import Supervisor
from farolito.store import migrate


async def give(state: Path) -> None:
    """A node's state folder that has no cluster yet gets one, as the first start makes it."""
    home = state / "postgres"
    if home.exists():
        return
    made = await asyncio.to_thread(_made)
    home.mkdir()
    await asyncio.to_thread(_copy, made, home / "data")


def _copy(made: Path, to: Path) -> None:
    """With its owner, as which PostgreSQL runs."""
    subprocess.run(["cp", "-a", str(made), str(to)], check=True)


@cache
def _made() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="farolito-cluster-"))
    folder.chmod(0o711)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    cluster = postgres.prepare(folder)
    asyncio.run(_migrated(cluster, folder / "postgres.log"))
    return cluster.directory


async def _migrated(cluster: postgres.Cluster, log: Path) -> None:
    engine = Supervisor()
    await engine.start(postgres.child(cluster, log))
    await migrate(cluster.dsn)
    await engine.stop()
