"""Two agencies' nodes, engines and line may be killed or cut at any moment: what is agreed is there
once and in order, what was revoked meanwhile is not, and its receipt is."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import count
from random import Random
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.app.apart import WAIT_S_MAX, Apart, Pair, pair, until
from tests.metro import CITY
from tests.running import call, read

pytestmark = [
    pytest.mark.node,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(180),
]

INCIDENTS: dict[str, Any] = {"classes": {"incident": "full"}, "sharing": ["follow"]}
ROWS: dict[str, Any] = {"classes": {"hot_list": "full"}, "sharing": ["follow"]}


class Town(Pair):
    """What goes on in the city: calls that open and change, lists that come and go."""

    @classmethod
    async def of(cls, joined: Pair) -> Town:
        town = cls(joined.city, joined.sheriff, joined.cable)
        cad = {
            "device_id": "county-cad", "agency": CITY.agency_id, "kind": "cad",
            "name": "County CAD", "format": "farolito",
        }  # fmt: skip
        town.key = str((await town.city.admin("/api/admin/devices", cad))["key"])
        town.numbers = count(1)
        town.told = 0
        return town

    key: str
    numbers: count[int]
    told: int

    async def calls(self, how_many: int) -> list[str]:
        """New ones, each too far from the others to be one with them."""
        numbers = [f"26-{next(self.numbers):06d}" for _ in range(how_many)]
        await self.tell(numbers, state="open")
        return numbers

    async def tell(self, numbers: list[str], **more: Any) -> None:
        """At the CAD's door, again until it is taken in, as a CAD does."""
        body = [call(n, place=place_of(n), **more) for n in numbers]
        headers = {"Authorization": f"Bearer {self.key}"}
        async with asyncio.timeout(WAIT_S_MAX):
            while True:
                with suppress(httpx.HTTPError):
                    http = self.city.http
                    answer = await http.post("/ingest/cad/farolito", json=body, headers=headers)
                    if answer.status_code == 202:
                        break
                    assert answer.status_code in (500, 503), answer.text
                await asyncio.sleep(0.1)
        self.told += len(numbers)

    async def keep_telling(self) -> None:
        """A call every moment, until cancelled; each changes once more."""
        while True:
            await self.tell(await self.calls(2), kind_says=f"told at {time.monotonic()}")

    async def everything_agreed_is_there(self) -> float:
        """Waits for it; how long it took, in seconds."""
        began = time.monotonic()
        await self.caught_up()
        await until(self.follows)
        return time.monotonic() - began


def place_of(number: str) -> dict[str, float]:
    n = int(number.rpartition("-")[2])
    return {"lat": 31.5 + n % 50 * 0.1, "lon": -108.5 + n // 50 * 0.1}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town() -> AsyncIterator[Town]:
    async with pair() as joined:
        yield await Town.of(joined)


async def test_a_partition_loses_nothing_shares_nothing_revoked_and_ends_in_order(
    town: Town,
) -> None:
    """Hundreds of changes; one agreement is revoked, one is revoked and replaced by another."""
    incidents, rows = await town.agree(**INCIDENTS), await town.agree(**ROWS)
    calls = await town.calls(20)
    await town.city.list_plates([f"OLD{n:04d}" for n in range(60)])
    await until(lambda: has(town, "hot_list", 60))
    await town.everything_agreed_is_there()
    await town.cable.cut()
    for step in range(4):
        calls += await town.calls(15)
        await town.tell(calls, kind_says=f"changed {step}")
        await town.city.list_plates([f"OLD{n:04d}" for n in range(20, 120 + 60 * step)])
    await town.revoke(rows)
    again = await town.agree(arrives=False, **ROWS)
    await town.city.list_plates([f"OLD{n:04d}" for n in range(40, 300)])
    await town.tell(calls[:40], state="closed")
    waiting = await town.city.one("select count(*) from share_outbox")
    assert waiting > 300
    await town.cable.mend()
    took = await town.everything_agreed_is_there()
    listed = await town.listed()
    assert set(await town.held("hot_list")) == listed
    assert len(listed) == 260
    print(f"partition: {waiting} waited, {town.told} calls told, caught up in {took:.1f} s")
    await purged(town, rows)
    await town.right_order()
    assert {row[0] for row in await town.sheriff.rows(
        "select distinct agreement_id::text from shared_items where kind = 'hot_list'"
        " and recalled_at is null")} == {again}  # fmt: skip
    for number in (again, incidents):
        await town.revoke(number)
        await purged(town, number)
    assert await town.held("incident") == await town.held("hot_list") == {}
    await town.receipts_hold()


async def has(town: Town, kind: str, how_many: int) -> bool:
    return len(await town.held(kind)) == how_many


async def purged(town: Town, number: str) -> None:
    """The city holds the sheriff's receipt, and the sheriff nothing of it, from then on."""
    await town.caught_up()
    [row] = await town.city.rows(
        "select purged, receipt from share_purges where agreement_id = $1", number
    )
    assert row["receipt"].startswith(f"{town.sheriff.agency}#")
    left = "select count(*) from shared_items where agreement_id = $1"
    assert await town.sheriff.one(left, number) == 0
    await until(lambda: town.is_in(town.sheriff, number, "revoked"))
    await town.nothing_after(number)


KILLS = [
    (("city", "nats"), ("sheriff", "postgres")),
    (("city", "postgres"), ("sheriff", "nats")),
    (("city", "node"), ("city", "node")),
    (("sheriff", "node"), ("sheriff", "node")),
]


async def test_kill_9_at_any_step_of_sharing_and_of_revoking_loses_and_leaks_nothing(
    town: Town, rng: Random
) -> None:
    await town.calls(20)
    for first, second in KILLS:
        telling = asyncio.create_task(town.keep_telling())
        number = await town.agree(arrives=False, **INCIDENTS)
        await asyncio.sleep(rng.random() / 5)  # somewhere between the agreement and its things
        await killed(town, first)
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        took = await town.everything_agreed_is_there()
        await town.right_order()
        ending = asyncio.create_task(town.revoke(number))
        await asyncio.sleep(rng.random() / 10)
        await killed(town, second)
        await ending
        began = time.monotonic()
        await purged(town, number)
        took_2 = time.monotonic() - began
        assert await town.held("incident") == {}
        print(f"{first} killed while shared: caught up in {took:.1f} s;"
              f" {second} while revoked: purged in {took_2:.1f} s")  # fmt: skip
    await town.right_order()
    await town.receipts_hold()


async def killed(town: Town, who: tuple[str, str]) -> None:
    node: Apart = getattr(town, who[0])
    await node.kill(who[1])


async def test_kill_9_while_partners_ask_makes_an_owner_away_never_empty(
    town: Town, rng: Random
) -> None:
    await town.agree(sharing=["ask"])
    await passed(town.city, "ASK1234")
    ana = await town.sheriff.person("operator")
    answers: Counter[str] = Counter()
    asking = [asyncio.create_task(keep_asking(ana, answers)) for _ in range(3)]
    for who in (("city", "nats"), ("sheriff", "nats"), ("city", "postgres"),
                ("sheriff", "postgres"), ("city", "node")):  # fmt: skip
        await answered_more(answers)
        await asyncio.sleep(rng.random() / 10)
        await killed(town, who)
    await answered_more(answers)
    for task in asking:
        task.cancel()
    done = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in done), done
    print(f"asked through the kills: {dict(answers)}")
    assert set(answers) <= {"answered", "away", "own_node_away"}
    assert answers["away"] > 0
    held = await town.receipts_hold()
    assert held[town.sheriff.agency] >= answers["answered"]
    assert held[town.city.agency] >= answers["answered"]


async def answered_more(answers: Counter[str]) -> None:
    enough = answers["answered"] + 5

    async def is_so() -> bool:
        return answers["answered"] > enough

    await until(is_so)


async def keep_asking(person: httpx.AsyncClient, answers: Counter[str]) -> None:
    """What the city is said to have answered, each time."""
    headers = {"X-Farolito-Purpose": "in_progress_call", "X-Farolito-Case": "26-000117"}
    body = {"plate": "ASK1234", "since_h": 24, "owners": [CITY.agency_id]}
    while True:
        try:
            answer = await person.post("/api/search/plate", json=body, headers=headers)
        except httpx.HTTPError:
            answers["own_node_away"] += 1
            continue
        if answer.status_code != 200:
            assert answer.status_code in (500, 503), answer.text
            answers["own_node_away"] += 1
            await asyncio.sleep(0.05)
            continue
        [owner] = [o for o in answer.json()["owners"] if o["agency_id"] == CITY.agency_id]
        assert (owner["state"] == "answered") == bool(owner["reads"])
        answers[owner["state"]] += 1


async def passed(node: Apart, plate: str) -> None:
    """A reader of this node's has read a plate, and it is kept."""
    key = await node.reader_key("here-1")
    answer = await node.http.post(
        "/ingest/lpr/farolito", json=[read(plate)], headers={"Authorization": f"Bearer {key}"}
    )
    assert answer.status_code == 202, answer.text

    async def is_kept() -> bool:
        return bool(await node.one("select count(*) from reads where plate = $1", plate))

    await until(is_kept)
