"""A node for measuring, in a process of its own.

`python -m farolito.cli.bench_node STATE PORT [ROWS SEED [DOOR_PORT]]`; with ROWS its index holds
that many rows, as if a list had just been imported (an import's own time is not measured).
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

import uvloop

from farolito.app.build import Node
from farolito.app.config import AgencyConfig, Config
from farolito.app.config import Node as NodeConfig
from farolito.model import AgencyId, EntryId, HotList, HotListEntry, ListId, digest_id
from farolito.plates import Index

AGENCY = "bench-pd"


def config(state: Path, port: int, door_port: int = 0) -> Config:
    return Config(
        agency=AgencyConfig(id=AGENCY, name="Bench Police", ori="NM9990000"),
        node=NodeConfig(
            name="bench",
            state_dir=str(state),
            port=port,
            door_ports=(door_port,) if door_port else (),
        ),
    )


def listed_plates(rows: int, seed: int) -> list[str]:
    """The plates of the list, three letters and four digits, in the order of a seeded shuffle."""
    chance = random.Random(seed)  # noqa: S311 - practice, no secret
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


async def _main(state: Path, port: int, rows: int = 0, seed: int = 0, door_port: int = 0) -> None:
    node = Node(config(state, port, door_port), demo=True)  # a persona follows the console's socket
    stop = asyncio.Event()
    for signal_ in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_, stop.set)
    await node.start()
    if rows:
        _fill(node, rows, seed)
    gc.freeze()
    try:
        await stop.wait()
    finally:
        await node.stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    uvloop.run(_main(Path(sys.argv[1]), *(int(word) for word in sys.argv[2:])))
