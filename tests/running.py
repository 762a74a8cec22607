"""A real node for tests, and the three kinds of people and devices that come to it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect

from farolito.app.build import Node
from farolito.app.config import AgencyConfig, Config
from farolito.app.config import Node as NodeConfig
from farolito.app.rooms import MAP_NAME
from farolito.geo import StreetMap
from farolito.identity.personas import OFFICERS_UNIT
from farolito.ingest.map.files import save as save_map
from farolito.model import AgencyId, Device, DeviceId, PersonId, Point, Unit, UnitId
from farolito.store import Records
from tests.ports import free_port

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
CAD = Device(
    device_id=DeviceId("county-cad"), agency=AGENCY, kind="cad", name="County CAD",
    format="farolito",
)  # fmt: skip
RADIO = Device(
    device_id=DeviceId("radio"), agency=AGENCY, kind="positions", name="Unit positions",
    format="farolito",
)  # fmt: skip
WAIT_S_MAX = 10.0


def config(state: Path, port: int, door_ports: tuple[int, ...] = (), **more: Any) -> Config:
    return Config(
        agency=AgencyConfig(id=AGENCY, name="City Police", ori="NM9990100"),
        node=NodeConfig(name="test", state_dir=str(state), port=port, door_ports=door_ports),
        **more,
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
    async def watched(self, after: int | None = None) -> AsyncIterator[Watched]:
        """The live socket, once it has said hello: what is told from now on comes."""
        async with self.live(after) as live:
            watched = Watched(live)
            await watched.told("hello")
            yield watched

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

    async def officer(self, unit: str = OFFICERS_UNIT) -> Person:
        """The officer of this unit, signed in: of the demo's own car or of one of its crews."""
        person = await self.sign_in(
            "officer" if unit == OFFICERS_UNIT else f"officer-{unit.lower()}"
        )
        who = PersonId(UUID(person.session["person"]["person_id"]))
        async with self.node.database.transaction(AGENCY) as connection:
            crewed = Unit(unit_id=UnitId(unit), agency=AGENCY, officer=who)
            await Records(connection, AGENCY).units.hear([crewed])
        await self.node.positions.load()
        return person

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

    async def cad_key(self, device: Device = CAD) -> str:
        """The key of a dispatch system; of one that sends CloudEvents, its secret."""
        return await self.node.register(device)

    async def hand_in(
        self, path: str, body: Any, key: str | None = None, **headers: str
    ) -> httpx.Response:
        """A message at one of the doors: calls, positions."""
        whole = body if isinstance(body, bytes) else msgspec.json.encode(body)
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        headers.setdefault("Content-Type", "application/json")
        return await self._client().post(f"/ingest/{path}", content=whole, headers=headers)

    async def radio_key(self, device: Device = RADIO) -> str:
        return await self.node.register(device)

    async def positions(
        self, key: str, told: Sequence[tuple[str, Point]], **more: Any
    ) -> httpx.Response:
        """Where units are, at the door for positions."""
        body = [position(unit, place, **more) for unit, place in told]
        answer = await self.hand_in("avl/farolito", body, key)
        assert answer.status_code == 202, answer.text
        return answer

    async def call(self, key: str, number: str, **more: Any) -> None:
        """Tell a call at the CAD's door, which says that it took it in."""
        answer = await self.hand_in("cad/farolito", call(number, **more), key)
        assert (answer.status_code, answer.json()) == (202, {"accepted": 1})

    def streets(self, street_map: StreetMap) -> None:
        """Give the node this map, as if it had been imported."""
        folder = self.node.state / "maps"
        folder.mkdir(exist_ok=True)
        save_map(street_map, folder / f"{MAP_NAME}.map")
        self.node.new_map()

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
        # No TLS here: reading the world's certificates would cost 25 ms each time.
        client = httpx.AsyncClient(base_url=self.url, timeout=30, trust_env=False, verify=False)
        self._clients.append(client)
        return client


@asynccontextmanager
async def running_node(
    state: Path,
    port: int | None = None,
    *,
    demo: bool = True,
    door_ports: tuple[int, ...] = (),
    **more: Any,
) -> AsyncIterator[RunningNode]:
    """`more` stands in the node's configuration."""
    port = port or free_port()
    node = Node(config(state, port, door_ports, **more), demo=demo)
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


class Watched:
    """A live socket of which every byte is kept."""

    def __init__(self, live: ClientConnection) -> None:
        self._live = live
        self.raw: list[str] = []

    async def told(
        self, kind: str, where: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        """The next message of this kind that is so."""
        async with asyncio.timeout(WAIT_S_MAX):
            while True:
                self.raw.append(str(await self._live.recv()))
                message: dict[str, Any] = msgspec.json.decode(self.raw[-1])
                if message["k"] == kind and where(message):
                    return message

    async def say(self, message: Any) -> None:
        """What the page tells of itself."""
        await self._live.send(msgspec.json.encode(message).decode())

    async def brief(
        self, where: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        return dict((await self.told("brief", lambda m: where(m["brief"])))["brief"])

    async def incident(
        self, where: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        return dict((await self.told("incident", lambda m: where(m["incident"])))["incident"])


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


def call(number: str, **more: Any) -> dict[str, Any]:
    """A call in our own format, told at this moment."""
    return {"number": number, "sent_at": datetime.now(UTC).isoformat(), **more}


def assigned(*units: str, status: str = "assigned") -> list[dict[str, Any]]:
    """The units of a call, since this moment."""
    at = datetime.now(UTC).isoformat()
    return [{"unit": unit, "status": status, "at": at} for unit in units]


def position(unit: str, place: Point, **more: Any) -> dict[str, Any]:
    """A position in our own format, of this moment."""
    at = datetime.now(UTC).isoformat()
    return {"unit": unit, "lat": place.lat, "lon": place.lon, "at": at, **more}


def line(brief: dict[str, Any], kind: str) -> str:
    """What one line of a brief says."""
    return next(str(one["says"]) for one in brief["lines"] if one["kind"] == kind)


def numbers(incident: dict[str, Any]) -> set[str]:
    """What belongs to an incident: calls' numbers, alerts' plates."""
    return {part["label"] for part in incident["parts"]}
