"""A node in a process of its own, so that it can be killed as the world kills processes."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from tests.ports import free_port

START_S_MAX = 60.0


class SeparateNode:
    """`python -m farolito.cli.bench_node` on a state folder, started and ended at will."""

    def __init__(self, state: Path, port: int | None = None) -> None:
        self.state = state
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.AsyncClient(base_url=self.url, timeout=20, trust_env=False, verify=False)
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Return when the web answers. Fails with what the process said where it never does."""
        with (self.state / "node.log").open("ab") as out:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *self.command(), stderr=out, stdout=out
            )
        async with asyncio.timeout(START_S_MAX):
            while not await self._answers():
                assert self.process.returncode is None, (self.state / "node.log").read_text()
                await asyncio.sleep(0.05)

    def command(self) -> list[str]:
        """What Python runs, with what it reads."""
        told = self.state / "bench.json"
        told.write_text(json.dumps({"state": str(self.state), "port": self.port}))
        return ["farolito.cli.bench_node", str(told)]

    async def _answers(self) -> bool:
        try:
            return (await self.http.get("/livez")).status_code == 200
        except httpx.TransportError:
            return False

    async def end(self, how: signal.Signals) -> int:
        """Send the node a signal and wait for its end; answers its exit status."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(how)
        async with asyncio.timeout(30):
            return await self.process.wait()

    async def admin(self, path: str, body: Any) -> dict[str, Any]:
        token = (self.state / "admin.token").read_text()
        answer = await self.http.post(path, json=body, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def list_plates(self, plates: Sequence[str]) -> None:
        rows = "\n".join(["plate,state,category", *(f"{p},NM,stolen_vehicle" for p in plates)])
        mapping = (
            'name: test\nformat: delimited\ndelimiter: ","\nheader: yes\n'
            "columns: {plate: plate, state: state, category: category}\nrequired: [plate]\n"
            "other_categories: keep\ndefaults: {source_agency: NM0010000,"
            " confirm_with: 505-555-0100, reason: stolen vehicle}\n"
        )
        file = base64.b64encode(rows.encode()).decode()
        await self.admin("/api/admin/lists/test/import", {"file": file, "mapping": mapping})

    async def reader_key(self, device_id: str) -> str:
        told = {
            "device_id": device_id, "agency": "any", "kind": "plate_reader", "name": device_id,
            "format": "farolito", "place": {"lat": 35.0844, "lon": -106.6504},
        }  # fmt: skip
        return str((await self.admin("/api/admin/devices", told))["key"])

    async def database(self) -> Any:
        """A connection past the node, to see what is really stored."""
        where = self.state / "postgres" / "socket"
        return await asyncpg.connect(f"postgresql:///farolito?host={where}&user=farolito")

    def kill_child(self, word: str) -> None:
        """`kill -9` the engine whose command line holds `word`, and nothing beside it."""
        own = self.process.pid if self.process else 0
        for pid, command in processes_of(self.state).items():
            if pid != own and word in command:
                os.kill(pid, signal.SIGKILL)
                return
        raise AssertionError(f"no {word} runs")

    async def close(self) -> None:
        if self.process is not None and self.process.returncode is None:
            await self.end(signal.SIGTERM)
        await self.http.aclose()


def processes_of(state: Path) -> dict[int, str]:
    """Every process that was started with this folder, or that works in it: pid → command."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            where = os.readlink(folder / "cwd") if command else ""
        except OSError:  # it ended while we looked
            continue
        if str(state) in command or where.startswith(str(state)):
            found[int(folder.name)] = command
    return found


async def until_gone(state: Path, within_s: float = 10.0) -> None:
    """Wait until no process of this folder is left; fails with those that are."""
    end = asyncio.get_running_loop().time() + within_s
    while left := processes_of(state):
        assert asyncio.get_running_loop().time() < end, left
        await asyncio.sleep(0.05)
