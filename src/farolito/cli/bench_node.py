"""A node for measuring, in a process of its own.

`python -m farolito.cli.bench_node TOLD` with TOLD a JSON file of `Wanted`. What takes long and is
not measured is done here beforehand: a hot list in the index, officers signed in, a street map.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import uvloop

from farolito.app.build import Node
from farolito.app.config import AgencyConfig, Config, Video
from farolito.app.config import Node as NodeConfig
from farolito.app.rooms import MAP_NAME
from farolito.ingest.map import tiles
from farolito.model import (
    AgencyId,
    EntryId,
    HotList,
    HotListEntry,
    ListId,
    Person,
    PersonId,
    Role,
    UnitId,
    digest_id,
)
from farolito.plates import Index
from farolito.simulator.metro import make_metro

AGENCY = "bench-pd"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """`rows` of a hot list; `officers` with units U0001 … and a sign-in each, their cookies in
    STATE/cookies.json; `streets`: the practice metro's map; `networks`: where cameras may be."""

    state: str
    port: int
    seed: int = 7
    rows: int = 0
    officers: int = 0
    streets: bool = False
    door_ports: tuple[int, ...] = ()
    host: str = "127.0.0.1"
    networks: tuple[str, ...] = ()


def config(wanted: Wanted) -> Config:
    return Config(
        agency=AgencyConfig(id=AGENCY, name="Bench Police", ori="NM9990000"),
        node=NodeConfig(
            name="bench",
            state_dir=wanted.state,
            port=wanted.port,
            door_ports=wanted.door_ports,
            host=wanted.host,
        ),
        video=Video(networks=wanted.networks, sweep_minutes=0),
    )


def listed_plates(rows: int, seed: int) -> list[str]:
    """The plates of the list, three letters and four digits, in the order of a seeded shuffle."""
    chance = random.Random(seed)
    letters, digits = "ABCDEFGHJKLMNPRSTVWXYZ", "0123456789"
    spaces = len(letters) ** 3 * len(digits) ** 4
    return [_plate(number, letters, digits) for number in chance.sample(range(spaces), rows)]


def _plate(number: int, letters: str, digits: str) -> str:
    text = ""
    for alphabet in (*[digits] * 4, *[letters] * 3):
        number, place = divmod(number, len(alphabet))
        text = alphabet[place] + text
    return text


def _fill(node: Node, rows: int, seed: int) -> None:
    now = datetime.now(UTC)
    hot_list = HotList(
        list_id=ListId("bench"),
        agency=AgencyId(AGENCY),
        name="bench",
        stale_after=timedelta(days=1),
        dead_after=timedelta(days=2),
        imported_at=now,
    )
    entries = (
        HotListEntry(
            entry_id=EntryId(digest_id(0, plate)),
            list_id=hot_list.list_id,
            agency=hot_list.agency,
            plate=plate,
            state="NM",
            reason="stolen vehicle",
            category="stolen_vehicle",
            source_agency="NM0010000",
            entered_at=now - timedelta(days=1),
            expires_at=None,
            confirm_with="505-555-0100",
        )
        for plate in listed_plates(rows, seed)
    )
    node.lists.lists = {hot_list.list_id: hot_list}
    node.lists.index = Index.build(entries, node.lists.lists)


def unit_name(number: int) -> UnitId:
    return UnitId(f"U{number:04d}")


async def _sign_in(node: Node, officers: int) -> None:
    """Officers as if each had come with a passkey, which is not what is measured."""
    cookies: dict[str, str] = {}
    for number in range(officers):
        unit = unit_name(number)
        person = Person(
            person_id=PersonId(digest_id(0, "bench officer", unit)),
            agency=AgencyId(AGENCY),
            name=f"Officer {number}",
            role=Role.OFFICER,
            unit=unit,
        )
        _, cookie = await node.identity.practise(person)
        cookies[unit] = cookie.partition(";")[0]
    (node.state / "cookies.json").write_bytes(msgspec.json.encode(cookies))


async def _map(node: Node, seed: int) -> None:
    folder = node.state / "maps"
    folder.mkdir(exist_ok=True)
    streets = await asyncio.to_thread(make_metro, seed)
    await asyncio.to_thread(tiles.build, streets, folder / f"{MAP_NAME}.pmtiles")
    node.new_map()


async def _main(wanted: Wanted) -> None:
    node = Node(config(wanted), demo=True)  # a persona follows the console's socket
    stop = asyncio.Event()
    for signal_ in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_, stop.set)
    await node.start()
    if wanted.rows:
        _fill(node, wanted.rows, wanted.seed)
    if wanted.streets:
        await _map(node, wanted.seed)
    if wanted.officers:
        await _sign_in(node, wanted.officers)
    gc.freeze()
    (node.state / "bench.ready").touch()
    try:
        await stop.wait()
    finally:
        await node.stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    told = Path(sys.argv[1]).read_bytes()
    uvloop.run(_main(msgspec.json.decode(told, type=Wanted)))
