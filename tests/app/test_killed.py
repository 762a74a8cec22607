"""Node, PostgreSQL and NATS may be killed at any moment: what was acknowledged is there, once."""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from farolito.model import digest_id
from tests.app.separate import SeparateNode, processes_of, until_gone
from tests.ports import free_port

pytestmark = [pytest.mark.node, pytest.mark.timeout(120)]

READS = 10_000
IN_BATCHES = 9_000
BATCH = 100
LISTED = [f"LST{n:04d}" for n in range(0, 400, 11)]  # no two a look-alike apart
SENDERS = 8
READER, AGENCY = "central-at-4th-eb", "bench-pd"


@pytest.fixture
async def separate(state: Path) -> AsyncIterator[SeparateNode]:
    node = SeparateNode(state)
    await node.start()
    yield node
    await node.close()


def one_read(number: int, start: datetime) -> dict[str, Any]:
    """Every 50th read is of a listed car; each is an event of its own."""
    listed = number % 50 == 0
    return {
        "plate": LISTED[number // 50 % len(LISTED)] if listed else f"Z{number:05d}",
        "event": f"e{number}",
        "captured_at": (start + timedelta(milliseconds=number)).isoformat(),
        "confidence": 0.99,
        "characters": [0.999] * (7 if listed else 6),
        "state": "NM",
        "state_confidence": 0.99,
    }


def read_id(read: dict[str, Any]) -> str:
    at_ms = round(datetime.fromisoformat(read["captured_at"]).timestamp() * 1000)
    return str(digest_id(at_ms, AGENCY, READER, read["event"]))


def messages(reads: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Batches first, with the single ones spread among them."""
    batches = [reads[i : i + BATCH] for i in range(0, IN_BATCHES, BATCH)]
    singles = [[read] for read in reads[IN_BATCHES:]]
    share = len(singles) // len(batches)
    mixed: list[list[dict[str, Any]]] = []
    for n, batch in enumerate(batches):
        mixed += [batch, *singles[n * share : (n + 1) * share]]
    return mixed + singles[len(batches) * share :]


class Sender:
    """A camera network that sends each message until it is acknowledged."""

    def __init__(self, node: SeparateNode, key: str) -> None:
        self.node = node
        self.key = key
        self.acknowledged = 0
        self.repeated = 0
        self.moved = asyncio.Condition()

    async def send_all(self, all_: Iterable[list[dict[str, Any]]]) -> None:
        rest = iter(all_)

        async def work() -> None:
            async with httpx.AsyncClient(
                base_url=self.node.url, timeout=10, trust_env=False
            ) as http:
                for message in rest:
                    await self._until_acknowledged(http, message)

        await asyncio.gather(*(work() for _ in range(SENDERS)))

    async def _until_acknowledged(
        self, http: httpx.AsyncClient, message: list[dict[str, Any]]
    ) -> None:
        while not await self._acknowledged(http, message):
            self.repeated += 1
            await asyncio.sleep(0.1)  # as a camera does, before it tries again
        async with self.moved:
            self.acknowledged += len(message)
            self.moved.notify_all()

    async def _acknowledged(self, http: httpx.AsyncClient, message: list[dict[str, Any]]) -> bool:
        try:
            answer = await http.post(
                "/ingest/lpr/farolito",
                content=json.dumps(message),
                headers={"X-Farolito-Key": self.key, "Content-Type": "application/json"},
            )
        except httpx.TransportError:
            return False
        assert answer.status_code in {202, 500, 503}, answer.text
        return answer.status_code == 202

    async def reached(self, count: int) -> None:
        async with self.moved:
            await self.moved.wait_for(lambda: self.acknowledged >= count)


async def test_what_was_acknowledged_is_there_once_whatever_is_killed(
    separate: SeparateNode,
) -> None:
    await separate.list_plates(LISTED)
    sender = Sender(separate, await separate.reader_key(READER))
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=READS / 1000)
    reads = [one_read(n, start) for n in range(READS)]
    sending = asyncio.create_task(sender.send_all(messages(reads)))
    await sender.reached(2_000)
    separate.kill_child("postgres")
    await sender.reached(4_000)
    separate.kill_child("nats-server")
    await sender.reached(6_000)
    await separate.end(signal.SIGKILL)
    await separate.start()
    await sender.reached(8_000)
    separate.kill_child("postgres")
    separate.kill_child("nats-server")
    await separate.end(signal.SIGKILL)
    await separate.start()
    await sending
    assert sender.repeated > 0, "nobody noticed the killing: it proved nothing"
    stored = await everything_stored(separate, READS)
    assert Counter(stored) == Counter(read_id(read) for read in reads)
    assert await passages(separate) == Counter(
        read["plate"] for read in reads if read["plate"] in LISTED
    )


async def everything_stored(node: SeparateNode, count: int) -> list[str]:
    """The ids in the store, once the pipeline has come to the end."""
    async with asyncio.timeout(60):
        while True:
            try:
                connection = await node.database()
                done = await connection.fetch("select read_id::text as id from reads")
                await connection.close()
            except (OSError, asyncpg.PostgresError):  # killed a moment ago
                done = []
            if len(done) >= count:
                return [row["id"] for row in done]
            await asyncio.sleep(0.1)


async def passages(node: SeparateNode) -> Counter[str]:
    """How many reads each plate's alert stands for. Fails where a plate has two alerts."""
    connection = await node.database()
    rows = await connection.fetch("select body::text as body from alerts")
    await connection.close()
    alerts = [json.loads(row["body"]) for row in rows]
    plates = [alert["match"]["entry"]["plate"] for alert in alerts]
    assert len(plates) == len(set(plates)), "an alert was raised twice"
    return Counter({p: a["repeats"] + 1 for p, a in zip(plates, alerts, strict=True)})


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_the_end_leaves_no_process_and_the_next_start_finds_all(
    separate: SeparateNode, how: signal.Signals
) -> None:
    await separate.list_plates(["KPT1234"])
    key = await separate.reader_key(READER)
    now = datetime.now(UTC).replace(microsecond=0)
    sent = Sender(separate, key)
    await sent.send_all([[{**one_read(1, now), "plate": "KPT1234", "characters": None}]])
    await everything_stored(separate, 1)
    assert await separate.end(how) == 0
    assert processes_of(separate.state) == {}
    await separate.start()
    assert await everything_stored(separate, 1) == [read_id(one_read(1, now))]
    assert await passages(separate) == {"KPT1234": 1}
    await sent.send_all([[one_read(2, now)]])  # the key is known still
    await everything_stored(separate, 2)


async def test_a_killed_node_takes_its_engines_with_it(separate: SeparateNode) -> None:
    engines = " ".join(processes_of(separate.state).values())
    assert "nats-server" in engines
    assert "postgres" in engines
    await separate.end(signal.SIGKILL)
    await until_gone(separate.state)


async def test_a_killed_node_starts_again_at_once(separate: SeparateNode) -> None:
    """Its engines may still be ending when the next start comes."""
    await separate.end(signal.SIGKILL)
    await separate.start()
    assert await separate.reader_key(READER)


async def test_the_port_may_change_between_two_starts(separate: SeparateNode) -> None:
    await separate.end(signal.SIGTERM)
    elsewhere = SeparateNode(separate.state, free_port())
    await elsewhere.start()
    assert await elsewhere.reader_key(READER)
    await elsewhere.close()
