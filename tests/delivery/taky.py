"""The real taky server as a child process, in plain TCP or TLS with client certificates."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.ingest.avl.certificates import Authority
from tests.ports import free_port
from tests.running import until

START_S_MAX = 20.0


@asynccontextmanager
async def taky(authority: Authority | None = None) -> AsyncIterator[int]:
    """Its port. It has no other files than those of its own short-lived folder."""
    folder = Path(tempfile.mkdtemp(prefix="taky-"))  # a unix socket's path must be short
    port = free_port()
    config = folder / "taky.conf"
    config.write_text(
        f"[taky]\nhostname=localhost\nbind_ip=127.0.0.1\nroot_dir={folder}\n"
        f"[cot_server]\nport={port}\n"
        f"[dp_server]\nupload_path={folder}\n" + _ssl(authority, folder)
    )
    log = (folder / "log").open("wb")
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "taky.cot", "-c", str(config), "-l", "debug",
        stdout=log, stderr=log, cwd=folder,
    )  # fmt: skip
    try:
        await until(lambda: _listens(child, folder / "log", port), START_S_MAX)
        yield port
    finally:
        child.terminate()
        await child.wait()
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _ssl(authority: Authority | None, folder: Path) -> str:
    if authority is None:
        return "[ssl]\nenabled=false\n"
    certificate, key = authority.sign("taky")
    return (
        "[ssl]\nenabled=true\nclient_cert_required=true\n"
        f"ca={authority.file}\ncert={certificate}\nkey={key}\ncert_db={folder / 'certs'}\n"
    )


def _listens(child: asyncio.subprocess.Process, log: Path, port: int) -> bool:
    """It says that it listens before it does: only a connection proves it."""
    assert child.returncode is None, log.read_text()
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
