"""A node to measure, started for the measurement and gone after it."""

from __future__ import annotations

import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from farolito.cli.bench_node import Wanted
from farolito.cli.bench_ports import free_ports
from farolito.model import FarolitoError

START_S_MAX = 90.0


class Running:
    """The node's address, its administrator's door, and its officers' cookies."""

    def __init__(self, wanted: Wanted, pid: int) -> None:
        self.pid = pid
        self.state = Path(wanted.state)
        self.port = wanted.port
        self.door_ports = wanted.door_ports
        self.url = f"http://127.0.0.1:{wanted.port}"
        self.http = httpx.AsyncClient(base_url=self.url, timeout=120, trust_env=False)
        self._token = (self.state / "admin.token").read_text()

    async def admin(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.http.request(
            method, path, json=body, headers={"Authorization": f"Bearer {self._token}"}
        )
        if answer.is_error:
            raise FarolitoError(f"the node answers {answer.status_code}", answer.text[:300])
        return answer.json()

    async def operator_cookie(self) -> str:
        answer = await self.http.post("/api/session/demo", json={"persona": "operator"})
        return str(answer.headers["set-cookie"].partition(";")[0])

    def cookies(self) -> dict[str, str]:
        """Of the officers, by unit."""
        told = (self.state / "cookies.json").read_bytes()
        return msgspec.json.decode(told, type=dict[str, str])


@asynccontextmanager
async def running(  # noqa: PLR0913 - what a node may be furnished with
    *,
    rows: int = 0,
    seed: int = 7,
    officers: int = 0,
    streets: bool = False,
    doors: int = 0,
    host: str = "127.0.0.1",
    networks: tuple[str, ...] = (),
) -> AsyncIterator[Running]:
    """A node in a process of its own, with its engines. Raises FarolitoError if it is not up."""
    state = Path(tempfile.mkdtemp(prefix="farolito-bench-"))
    state.chmod(0o711)
    port, *door_ports = free_ports(1 + doors)
    wanted = Wanted(
        state=str(state),
        port=port,
        seed=seed,
        rows=rows,
        officers=officers,
        streets=streets,
        door_ports=tuple(door_ports),
        host=host,
        networks=networks,
    )
    told = state / "bench.json"
    told.write_bytes(msgspec.json.encode(wanted))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "farolito.cli.bench_node", str(told)
    )
    try:
        await _up(state / "bench.ready", process)
        node = Running(wanted, process.pid)
        yield node
        await node.http.aclose()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        shutil.rmtree(state, ignore_errors=True)


def percentile_ms(seconds: Sequence[float], share: float, digits: int = 1) -> float | None:
    if not seconds:
        return None
    if len(seconds) == 1:
        return seconds[0] * 1000
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return round(cuts[int(share * 100) - 1] * 1000, digits)


async def _up(ready: Path, process: asyncio.subprocess.Process) -> None:
    end = time.monotonic() + START_S_MAX
    while time.monotonic() < end and process.returncode is None:
        if ready.exists():
            return
        await asyncio.sleep(0.1)
    raise FarolitoError("the node to measure did not start", "see what it printed above")
