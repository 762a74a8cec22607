"""Two joined agencies, each a node in a process of its own, and the cable between them: so that
nodes and engines can be killed, and the line cut, as the world does it."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import httpx

from tests.app.separate import SeparateNode
from tests.metro import CITY, SHERIFF, Neighbour, terms_for
from tests.ports import free_port

T = TypeVar("T")
WAIT_S_MAX = 45.0
AGAIN_S = 0.05
GONE: tuple[type[Exception], ...] = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)

# What the receiver's database took in, durably and in its order: written by the database itself.
_WITNESS = """
create table seen (n bigserial primary key, op text, grantor text, kind text, item_id uuid,
  version bigint, agreement_id uuid, recalled boolean);
create function see() returns trigger language plpgsql security definer as $$
declare r shared_items; begin
  if tg_op = 'DELETE' then r := old; else r := new; end if;
  insert into seen (op, grantor, kind, item_id, version, agreement_id, recalled)
  values (tg_op, r.grantor, r.kind, r.item_id, r.version, r.agreement_id,
    r.recalled_at is not null);
  return r; end $$;
create trigger see after insert or update or delete on shared_items
  for each row execute function see();
create function see_end() returns trigger language plpgsql security definer as $$ begin
  insert into seen (op, grantor, agreement_id) values ('END', new.grantor, new.agreement_id);
  return new; end $$;
create trigger see_end after insert on shared_ended for each row execute function see_end();
"""


class Cable:
    """What lies between the two nodes. Cut, it takes nothing and lets go of whatever it carried."""

    def __init__(self, port: int) -> None:
        self.port = free_port()
        self._to = port
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        writers = [writer]
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
            writers.append(far_writer)
            ways = [_pump(reader, far_writer), _pump(far_reader, writer)]
            pumps = [asyncio.ensure_future(way) for way in ways]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._carrying.discard(task)
            for one in writers:
                one.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while some := await reader.read(65_536):
            writer.write(some)
            await writer.drain()


class Apart(SeparateNode):
    """A node from a farolito.toml, with the demo's personas."""

    def __init__(self, told: Neighbour, state: Path, listens: int = 0, reached: int = 0) -> None:
        super().__init__(state)
        self.told = told
        self.agency = told.agency_id
        address = f"127.0.0.1:{reached}" if reached else ""
        tables: dict[str, dict[str, Any]] = {
            "agency": {"id": told.agency_id, "name": told.name, "ori": told.ori,
                       "law": "us-nm", "government": told.government},
            "node": {"name": told.name, "state_dir": str(state), "port": self.port},
            "federation": {"host": "127.0.0.1", "port": listens, "address": address},
            "video": {"sweep_minutes": 0.0},
        }  # fmt: skip
        lines = [
            f"[{table}]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in values.items())
            for table, values in tables.items()
        ]
        (state / "farolito.toml").write_text("\n".join(lines))
        self._people: dict[str, httpx.AsyncClient] = {}
        self.killed: list[str] = []

    def command(self) -> list[str]:
        return ["farolito", "demo-neighbour", "--config", str(self.state / "farolito.toml")]

    async def get(self, path: str) -> dict[str, Any]:
        token = (self.state / "admin.token").read_text()
        answer = await self.http.get(path, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def person(self, persona: str) -> httpx.AsyncClient:
        """Somebody signed in just now; the sign-in outlives the node's end."""
        if persona not in self._people:
            http = httpx.AsyncClient(base_url=self.url, timeout=20, trust_env=False, verify=False)
            self._people[persona] = http
        http = self._people[persona]
        answer = await http.post("/api/session/demo", json={"persona": persona})
        assert answer.status_code == 200, answer.text
        http.headers["X-Farolito-CSRF"] = answer.json()["csrf"]
        return http

    async def kill(self, what: str) -> None:
        """`kill -9`: nats, postgres, or the node, which is then started again."""
        self.killed.append(what)
        if what == "node":
            await self.end(signal.SIGKILL)
            await self.start()
        else:
            self.kill_child({"nats": "nats-server", "postgres": "bin/postgres -D"}[what])

    async def rows(self, query: str, *values: Any) -> list[Any]:
        """From its database, past the node; waits where that is away just now."""
        async with asyncio.timeout(WAIT_S_MAX):
            while True:
                try:
                    connection = await self.database()
                    try:
                        return list(await connection.fetch(query, *values))
                    finally:
                        await connection.close()
                except GONE:
                    await asyncio.sleep(AGAIN_S)

    async def one(self, query: str, *values: Any) -> Any:
        return (await self.rows(query, *values))[0][0]

    async def close(self) -> None:
        for http in self._people.values():
            await http.aclose()
        await super().close()


class Pair:
    """The city listens behind the cable and gives; the sheriff connects and takes."""

    def __init__(self, city: Apart, sheriff: Apart, cable: Cable) -> None:
        self.city, self.sheriff, self.cable = city, sheriff, cable

    async def join(self) -> None:
        told = await self.city.admin("/api/admin/partners/invite", {"address": self.city.url})
        joined = await self.sheriff.admin("/api/admin/partners/join", {"code": told["code"]})
        await self._confirm(self.sheriff, joined["partner"])
        [guest] = (await self.city.get("/api/admin/partners"))["partners"]
        await self._confirm(self.city, guest)
        await self.linked()
        await self.sheriff.rows("select 1")
        connection = await self.sheriff.database()
        await connection.execute(_WITNESS)
        await connection.close()

    async def _confirm(self, node: Apart, partner: dict[str, Any]) -> None:
        path = f"/api/admin/partners/{partner['agency_id']}/confirm"
        await node.admin(path, {"fingerprint": partner["fingerprint"]})

    async def linked(self) -> None:
        for node in (self.city, self.sheriff):
            await until(partial(self._is_linked, node))

    async def _is_linked(self, node: Apart) -> bool:
        return all(p["connected"] for p in (await node.get("/api/admin/partners"))["partners"])

    async def agree(self, *, arrives: bool = True, **terms: Any) -> str:
        """The city's, signed by two; returns its id, once the sheriff has it where it `arrives`."""
        admin, boss = await self.city.person("admin"), await self.city.person("supervisor")
        drafted = await admin.post("/api/agreements", json=terms_for(self.sheriff.agency, **terms))
        assert drafted.status_code == 201, drafted.text
        number = str(drafted.json()["agreement_id"])
        for person in (admin, boss):
            path = f"/api/agreements/{number}/sign"
            answer = await person.post(path, json={"credential": None})
            assert answer.status_code == 200, answer.text
        if arrives:
            await until(lambda: self.is_in(self.sheriff, number, "in_force"))
        return number

    async def is_in(self, node: Apart, number: str, state: str) -> bool:
        known = await node.get("/api/admin/agreements")
        return any(
            (one["agreement_id"], one["state"]) == (number, state)
            for one in [*known["given"], *known["received"]]
        )

    async def revoke(self, number: str) -> None:
        """Pressed until it is said to be over, as a person would where the node falls meanwhile."""
        path = f"/api/admin/agreements/{number}/revoke"
        while not await self._is_over(number):
            with suppress(httpx.HTTPError, AssertionError):
                await self.city.admin(path, {"because": "misuse"})

    async def _is_over(self, number: str) -> bool:
        try:
            return await self.is_in(self.city, number, "revoked")
        except (httpx.HTTPError, AssertionError):
            await asyncio.sleep(AGAIN_S)
            return False

    async def caught_up(self) -> None:
        """Until nothing waits at the city any more: no thing, no news, no purge."""
        await until(self._is_caught_up)

    async def _is_caught_up(self) -> bool:
        waits = (
            "select (select count(*) from share_outbox) + (select count(*) from share_purges"
            " where answered_at is null) + (select count(*) from agreement_news"
            " where told_at is null)"
        )
        return int(await self.city.one(waits)) == 0

    async def held(self, kind: str) -> dict[str, int]:
        """What the sheriff holds of the city's and was not taken back: versions by id."""
        rows = await self.sheriff.rows(
            "select item_id, version from shared_items where kind = $1 and recalled_at is null",
            kind,
        )
        return {str(row["item_id"]): row["version"] for row in rows}

    async def follows(self) -> bool:
        """Whether the sheriff holds the city's open incidents, and what it holds as it stands."""
        rows = await self.city.rows(
            "select incident_id, (body->>'version')::bigint as v, state from incidents"
        )
        stands = {str(row["incident_id"]): row["v"] for row in rows}
        open_ones = {str(row["incident_id"]) for row in rows if row["state"] == "open"}
        held = await self.held("incident")
        return open_ones <= held.keys() and held.items() <= stands.items()

    async def listed(self) -> set[str]:
        """The city's rows in force."""
        rows = await self.city.rows(
            "select entry_id from hot_list_entries where recalled_at is null and removed_at is null"
        )
        return {str(row["entry_id"]) for row in rows}

    async def right_order(self) -> None:
        """Whatever the sheriff's database took in, it took in once, each thing in its order."""
        rows = await self.sheriff.rows(
            "select item_id, version, op from seen where op <> 'END' order by n"
        )
        newest: dict[Any, int] = {}
        for row in rows:
            if row["op"] == "DELETE":
                newest.pop(row["item_id"], None)
                continue
            before = newest.get(row["item_id"])
            assert (row["op"] == "INSERT") == (before is None)
            assert before is None or before < row["version"], "told twice, or in the wrong order"
            newest[row["item_id"]] = row["version"]

    async def nothing_after(self, number: str) -> None:
        """Nothing came by this agreement once the sheriff had purged what came by it."""
        [ended] = await self.sheriff.rows(
            "select n from seen where agreement_id = $1 and op = 'END'", number
        )
        late = await self.sheriff.one(
            "select count(*) from seen where agreement_id = $1 and op <> 'DELETE' and n > $2",
            number, ended["n"],
        )  # fmt: skip
        assert late == 0

    async def receipts_hold(self) -> Counter[str]:
        """Every receipt of the other that stands in a ledger is of an entry there, byte for byte.
        How many, by whose ledger names them."""
        found: Counter[str] = Counter()
        for here, there in ((self.city, self.sheriff), (self.sheriff, self.city)):
            named = await here.rows(
                "select distinct convert_from(entry, 'UTF8')::jsonb->>'counterpart' as r"
                " from ledger_entries where convert_from(entry, 'UTF8')::jsonb->>'counterpart'"
                " like $1", f"{there.agency}#%",
            )  # fmt: skip
            rows = await there.rows("select entry_index, encode(leaf, 'hex') from ledger_entries")
            leaves = {f"{there.agency}#{index}:{leaf}" for index, leaf in rows}
            missing = {row["r"] for row in named} - leaves
            assert not missing, f"{here.agency} holds receipts of nothing: {missing}"
            found[here.agency] = len(named)
        return found


async def until(look: Callable[[], Awaitable[T]], within_s: float = WAIT_S_MAX) -> T:
    """What is found once it is there, though a node may be away meanwhile."""
    async with asyncio.timeout(within_s):
        while True:
            with suppress(httpx.HTTPError, AssertionError, *GONE):
                if found := await look():
                    return found
            await asyncio.sleep(AGAIN_S)


@asynccontextmanager
async def pair() -> AsyncIterator[Pair]:
    folders = [Path(tempfile.mkdtemp(prefix="farolito-apart-")) for _ in range(2)]
    for folder in folders:
        folder.chmod(0o711)
    port = free_port()
    cable = Cable(port)
    city = Apart(CITY, folders[0], port, cable.port)
    sheriff = Apart(SHERIFF, folders[1])
    try:
        await cable.mend()
        await asyncio.gather(city.start(), sheriff.start())
        joined = Pair(city, sheriff, cable)
        await joined.join()
        yield joined
    finally:
        await asyncio.gather(city.close(), sheriff.close())
        await cable.cut()
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
