"""A real node for tests, and the three kinds of people and devices that come to it."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect

from farolito.app.build import Node
from farolito.app.config import AgencyConfig, Config
from farolito.app.config import Node as NodeConfig
from farolito.model import AgencyId, Device, DeviceId, Point, Unit, UnitId
from farolito.store import Records

AGENCY = AgencyId("city-pd")
READER = Device(
    device_id=DeviceId("central-at-4th-eb"),
    agency=AGENCY,
    kind="plate_reader",
    name="Central @ 4th, eastbound",
    format="farolito",
    place=Point(35.0844, -106.6504),
    heading_deg=90,
)
WAIT_S_MAX = 10.0


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def config(state: Path, port: int, door_ports: tuple[int, ...] = ()) -> Config:
    return Config(
        agency=AgencyConfig(id=AGENCY, name="City Police", ori="NM9990100"),
        node=NodeConfig(name="test", state_dir=str(state), port=port, door_ports=door_ports),
    )


class Person:
    """Somebody signed in, as a browser would be."""

    def __init__(self, http: httpx.AsyncClient, session: dict[str, Any]) -> None:
        self.http = http
        self.session = session

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(path)

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        headers = {"X-Farolito-CSRF": self.session["csrf"]}
        return await self.http.post(path, json={} if body is None else body, headers=headers)

    @asynccontextmanager
    async def live(self, after: int | None = None) -> AsyncIterator[ClientConnection]:
        base = str(self.http.base_url).replace("http", "ws", 1).rstrip("/")
        query = "" if after is None else f"?after={after}"
        cookie = "; ".join(f"{c.name}={c.value}" for c in self.http.cookies.jar)
        url = f"{base}/api/live{query}"
        async with connect(url, additional_headers={"Cookie": cookie}) as socket_:
            yield socket_


class RunningNode:
    """A node, and ways to come to it from outside."""

    def __init__(self, node: Node, port: int) -> None:
        self.node = node
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._clients: list[httpx.AsyncClient] = []
        self.admin_token = (node.state / "admin.token").read_text()

    async def sign_in(self, persona: str) -> Person:
        """One of the demo's personas: operator, officer or auditor."""
        http = self._client()
        answer = await http.post("/api/session/demo", json={"persona": persona})
        assert answer.status_code == 200, answer.text
        return Person(http, answer.json())

    async def admin(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.admin_token}"}
        return await self._client().request(method, path, json=body, headers=headers)

    async def reader_key(self, device: Device = READER) -> str:
        return await self.node.register(device)

    async def send(
        self, key: str, reads: Sequence[dict[str, Any]] | bytes, format_: str = "farolito"
    ) -> httpx.Response:
        """Hand reads in at the door, in our own format or as the bytes of another."""
        body = reads if isinstance(reads, bytes) else msgspec.json.encode(reads)
        kind = "application/xml" if body.startswith(b"<") else "application/json"
        return await self._client().post(
            f"/ingest/lpr/{format_}",
            content=body,
            headers={"Authorization": f"Bearer {key}", "Content-Type": kind},
        )

    async def list_plate(
        self, plate: str, state: str = "NM", *, list_id: str = "test", **more: str
    ) -> None:
        """A hot list with this one row."""
        row = {"plate": plate, "state": state, "category": "stolen_vehicle", **more}
        await self.import_rows([row], list_id)

    async def import_rows(
        self, rows: Sequence[dict[str, str]], list_id: str = "test"
    ) -> dict[str, Any]:
        """Bring a list to exactly these rows; answers the node's own account of it."""
        columns = list(dict.fromkeys(name for row in rows for name in row))
        lines = [",".join(columns)]
        lines += [",".join(row.get(name, "") for name in columns) for row in rows]
        mapping = (
            'name: test\nformat: delimited\ndelimiter: ","\nheader: yes\ncolumns: {'
            + ", ".join(f"{name}: {name}" for name in columns)
            + "}\nrequired: [plate]\nother_categories: keep\n"
            "defaults: {source_agency: NM0010000, confirm_with: 505-555-0100,"
            " reason: stolen vehicle}\n"
        )
        answer = await self.admin(
            "POST",
            f"/api/admin/lists/{list_id}/import",
            {
                "file": base64.b64encode("\n".join(lines).encode()).decode(),
                "mapping": mapping,
                "shrunk": True,
            },
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["imported"])

    async def unit(self, unit: str, place: Point | None = None) -> None:
        async with self.node.database.transaction(AGENCY) as connection:
            heard = Unit(
                unit_id=UnitId(unit), agency=AGENCY, place=place, heard_at=datetime.now(UTC)
            )
            await Records(connection, AGENCY).units.hear([heard])

    async def recorded(self, count: int) -> None:
        """Wait until the pipeline has recorded and matched this many reads."""
        await until(lambda: self.node.pipeline.recorded >= count)

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()

    def _client(self) -> httpx.AsyncClient:
        client = httpx.AsyncClient(base_url=self.url, timeout=30, trust_env=False)
        self._clients.append(client)
        return client


@asynccontextmanager
async def running_node(
    state: Path,
    port: int | None = None,
    *,
    demo: bool = True,
    door_ports: tuple[int, ...] = (),
) -> AsyncIterator[RunningNode]:
    port = port or free_port()
    node = Node(config(state, port, door_ports), demo=demo)
    await node.start()
    running = RunningNode(node, port)
    try:
        yield running
    finally:
        await running.close()
        await node.stop()


async def until(true: Callable[[], bool], within_s: float = WAIT_S_MAX) -> None:
    """Wait for a state that comes by itself; fails when it does not."""
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.01)


async def told(live: ClientConnection, kind: str, within_s: float = WAIT_S_MAX) -> dict[str, Any]:
    """The next message of this kind on a live socket."""
    async with asyncio.timeout(within_s):
        while True:
            message: dict[str, Any] = msgspec.json.decode(await live.recv())
            if message["k"] == kind:
                return message


def read(plate: str, **more: Any) -> dict[str, Any]:
    """A read in our own format, sure of itself, of this moment."""
    return {
        "plate": plate,
        "captured_at": datetime.now(UTC).isoformat(),
        "confidence": 0.99,
        "characters": [0.999] * len(plate),
        "state": "NM",
        "state_confidence": 0.99,
        **more,
    }
