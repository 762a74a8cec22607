"""A partner with its own real node that turns bad: all it tries is refused, or comes to light."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from farolito.app import postgres
from farolito.app.build import Node
from farolito.app.supervise import Supervisor
from farolito.audit.tree import root_of
from farolito.federation.agreement_news import Told
from farolito.federation.envelope import raw_of, sealed
from farolito.federation.sharing_words import AskPurge, Share, What
from farolito.model import AgencyId, AgreementId, Away, ShareClass
from farolito.model.shared import Telling
from tests.app.rogue import Rogue
from tests.app.test_metro import of, read
from tests.metro import Metro, metro, search
from tests.running import RunningNode, until

pytestmark = [
    pytest.mark.node,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(120),
]

CITY, SHERIFF, PUEBLO = AgencyId("city-pd"), AgencyId("county-so"), AgencyId("pueblo-pd")
RECEIPT = f"{PUEBLO}#1:{'0' * 64}"


class Town:
    """The metro, and what was agreed in it. The pueblo's node is the bad one."""

    def __init__(self, joined: Metro) -> None:
        self.metro = joined
        self.city, self.sheriff, self.pueblo = joined.city, joined.sheriff, joined.pueblo
        self.rogue = Rogue(joined.pueblo)
        self.may_ask = ""  # by which the pueblo may ask the city

    async def agree(self) -> None:
        told = await self.metro.agree(self.city, self.pueblo, sharing=["ask"])
        self.may_ask = told["agreement_id"]

    async def city_again(self) -> None:
        """The city's node started anew."""
        before, node = self.city, Node(self.city.node.config, demo=True)
        await node.start()
        self.city = RunningNode(node, before.port)
        await before.close()

    async def end(self) -> None:
        await self.city.close()
        await self.city.node.stop()

    def refused(self, reason: str) -> int:
        """How many messages of the pueblo's line the city has refused so."""
        return self.city.node.federation.post.refused.get((PUEBLO, reason), 0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town() -> AsyncIterator[Town]:
    async with metro() as joined:
        made = Town(joined)
        await made.agree()
        await read(made.city, "BAD1234")
        yield made
        await made.end()


@pytest.fixture(autouse=True)
def full_measure(town: Town) -> None:
    """Whatever a test before sent: how much a line may say counts anew."""
    town.city.node.federation.post._floods.clear()


async def count(node: RunningNode, query: str, *values: Any) -> int:
    async with node.node.database.system() as connection:
        return int(await connection.fetchval(query, *values))


async def findings(node: RunningNode, level: str) -> list[str]:
    told = (await node.admin("GET", "/api/admin/health")).json()["findings"]
    return [one["what"] for one in told if one["level"] == level]


async def test_an_honest_question_of_the_same_node_is_answered(town: Town) -> None:
    """Or every refusal below would prove nothing."""
    found = await town.rogue.ask(town.city, town.may_ask, "BAD1234")
    assert found.state == "answered", found
    assert [one.plate for one in found.reads] == ["BAD1234"]


async def test_another_agency_is_spoken_for_neither_outside_nor_inside(town: Town) -> None:
    rogue, city = town.rogue, town.city
    question = rogue.question(town.may_ask, "BAD1234")
    outside = await rogue.say(city, "ask", question, sender=SHERIFF)
    assert outside.refused == "forged_agency"
    for lies in (
        {"agency": SHERIFF, "ori": "NM9990200"},
        {"agency": SHERIFF},
        {"ori": "NM9990200"},
        {"receipt": f"{SHERIFF}#1:{'0' * 64}"},
    ):
        inside = await rogue.ask(city, town.may_ask, "BAD1234", **lies)
        assert inside.state == "refused"
        assert inside.reason in ("forged_agency", "no_receipt"), lies
        assert inside.reads == ()
        assert inside.receipt.startswith(f"{CITY}#{inside.permit}:"), "it stands in the ledger"
    [entry] = [e.entry for e in await city.node.ledger.entries(after=inside.permit - 1, limit=1)]
    assert (entry["decision"], entry["reason"]) == ("refusal", "no_receipt")
    assert entry["agency"] == PUEBLO


async def test_what_was_sent_once_is_never_taken_again_nor_altered_nor_turned_to_another(
    town: Town,
) -> None:
    rogue, city, sheriff = town.rogue, town.city, town.sheriff
    raw = rogue.written(city, "ask", rogue.question(town.may_ask, "BAD1234"))
    assert (await rogue.send(city, raw)).refused is None
    assert (await rogue.send(city, raw)).refused == "replayed"
    altered = raw.replace(b"BAD1234", b"BAD9999")
    assert altered != raw
    assert (await rogue.send(city, altered)).refused == "altered"
    assert (await rogue.send(sheriff, raw)).refused == "not_for_us"
    # The city's own words to the pueblo, sent on and sent back.
    post = city.node.federation.post
    words = sealed(post.write(PUEBLO, "hello", raw_of({})), post._key)
    assert (await rogue.send(sheriff, words)).refused == "forged_agency"
    assert (await rogue.send(city, words)).refused == "forged_agency"
    old = await rogue.say(city, "hello", {}, at=datetime.now(UTC) - timedelta(minutes=6))
    assert old.refused == "stale"


async def test_by_an_agreement_that_has_ended_nothing_is_asked_and_nothing_comes(
    town: Town,
) -> None:
    """The pueblo's own node would not even ask: its clock and its rules are the pueblo's."""
    soon = datetime.now(UTC) + timedelta(seconds=4)
    to_ask, to_share = await asyncio.gather(
        town.metro.agree(town.city, town.pueblo, sharing=["ask"], expires=soon.isoformat()),
        town.metro.agree(town.pueblo, town.city, sharing=["follow"], expires=soon.isoformat()),
    )
    in_time = await town.rogue.ask(town.city, to_ask["agreement_id"], "BAD1234")
    assert in_time.state == "answered"
    assert await shared(town, to_share["agreement_id"]) is None
    await until(lambda: datetime.now(UTC) > soon)
    late = await town.rogue.ask(town.city, to_ask["agreement_id"], "BAD1234")
    assert (late.state, late.reason, late.reads) == ("refused", "agreement_expired", ())
    assert await shared(town, to_share["agreement_id"]) == "no_agreement"
    came = "select count(*) from shared_items where grantor = $1 and recalled_at is null"
    assert await count(town.city, came, PUEBLO) == 1


async def shared(town: Town, agreement_id: str) -> str | None:
    """The reason why the city did not take an alert of the pueblo's, sent past its own rules."""
    share = Share(
        what=What.ITEMS,
        share_class=ShareClass.ALERT,
        agreement_id=AgreementId(UUID(agreement_id)),
        receipt=RECEIPT,
        items=(told(uuid4()),),
    )
    return (await town.rogue.say(town.city, "share", share)).refused


def told(item_id: UUID, **more: Any) -> Telling:
    now = datetime.now(UTC)
    told: dict[str, Any] = {
        "kind": ShareClass.ALERT, "item_id": item_id, "version": 10**17, "at": now, "title": "x",
    }  # fmt: skip
    return Telling(**{**told, **more})


async def test_what_another_agency_shares_is_nothing_to_it(town: Town) -> None:
    """It can neither bring things by the sheriff's agreement, nor take them back, nor have them
    deleted, nor end that agreement, by all their true names."""
    city, sheriff, rogue = town.city, town.sheriff, town.rogue
    agreed = await town.metro.agree(sheriff, city, classes={"hot_list": "full"}, sharing=["follow"])
    number = AgreementId(UUID(agreed["agreement_id"]))
    await sheriff.list_plate("SHF0001")
    theirs = "select count(*) from shared_items where grantor = $1 and recalled_at is null"
    await arrived(city, theirs, 1)
    async with city.node.database.system() as connection:
        row = await connection.fetchrow(
            "select item_id, version from shared_items where grantor = $1", SHERIFF
        )
    its, hot = row["item_id"], ShareClass.HOT_LIST
    by_theirs = Share(
        what=What.ITEMS, share_class=hot, agreement_id=number, receipt=RECEIPT,
        items=(told(its, kind=hot),),
    )  # fmt: skip
    back = Share(
        what=What.RECALL, share_class=hot, receipt=RECEIPT,
        items=(told(its, kind=hot, recalled=True, recall_says="never mind"),),
    )  # fmt: skip
    assert (await rogue.say(city, "share", by_theirs)).refused == "no_agreement"
    assert (await rogue.say(city, "share", back)).refused is None  # of a thing of its own: none
    asked = AskPurge(agreement_id=number, because="revoked", receipt=RECEIPT)
    purged = await rogue.say(city, "purge", asked)
    assert msgspec.json.decode(purged.value)["purged"] == 0
    signed = sheriff.node.federation.agreements.get(number)
    assert signed is not None
    news = await rogue.say(city, "agree", Told(signed=signed, receipt=RECEIPT))
    assert news.refused == "not_ours"
    assert await count(city, theirs, SHERIFF) == 1
    await sheriff.list_plate("SHF0002", list_id="more")
    await arrived(city, theirs, 2)


async def arrived(node: RunningNode, query: str, wanted: int) -> None:
    async with asyncio.timeout(10):
        while await count(node, query, SHERIFF) != wanted:
            await asyncio.sleep(0.02)


async def test_a_flood_is_held_back_told_to_people_and_costs_no_other_partner(town: Town) -> None:
    """Rightly sealed messages, as many as its line carries, for as long as the sheriff asks."""
    city, sheriff, rogue = town.city, town.sheriff, town.rogue
    await town.metro.agree(city, sheriff, sharing=["ask"])
    ana = await sheriff.sign_in("operator")
    raws = [rogue.written(city, "hello", {}) for _ in range(100)]
    stopped, sent = asyncio.Event(), 0

    async def flood() -> None:
        nonlocal sent
        while not stopped.is_set():
            answers = await asyncio.gather(
                *(rogue.send(city, raw) for raw in raws), return_exceptions=True
            )
            sent += len(answers)
            odd = [a for a in answers if isinstance(a, BaseException) and not isinstance(a, Away)]
            assert odd == []

    flooding = asyncio.create_task(flood())
    await until(lambda: town.refused("flood") > 0)
    took = []
    for _ in range(10):
        began = time.perf_counter()
        answer = of(await search(ana, "BAD1234", [CITY]), CITY)
        took.append(time.perf_counter() - began)
        assert answer["state"] == "answered", answer
    stopped.set()
    await flooding
    assert not flooding.exception()
    print(f"flood: {sent} sent, {town.refused('flood')} held back; the sheriff's questions, ms:",
          f"{1e3 * sorted(took)[5]:.0f} p50, {1e3 * max(took):.0f} max")  # fmt: skip
    assert max(took) < 4
    assert any("Pueblo Police" in one and "flood" in one for one in await findings(city, "look"))
    await until(lambda: PUEBLO in city.node.federation.bus.partners)
    async with asyncio.timeout(30):  # heard again once it keeps quiet
        while (await rogue.say(city, "hello", {})).refused == "flood":
            await asyncio.sleep(0.1)


async def test_who_rewrites_the_ledger_with_the_database_in_his_hands_is_exposed_everywhere(
    town: Town,
) -> None:
    """The city's own administrator, as superuser, with the node stopped: entry, leaf, root, and
    everything that the node had signed. At home all of it fits together again."""
    city, sheriff, pueblo = town.city, town.sheriff, town.pueblo
    asked = await town.rogue.ask(city, town.may_ask, "BAD1234")  # what is to be rewritten
    assert asked.state == "answered", asked
    await city.node.federation.witnesses.witnessing.round()
    assert not [one for one in await findings(sheriff, "wrong") if "rewritten" in one]
    await city.node.stop()
    await rewritten(city.node)
    await town.city_again()
    assert await town.city.node.ledger.check() == [], "nothing at home tells"
    for node in (sheriff, pueblo, town.city):
        await alarmed(node)


async def alarmed(node: RunningNode) -> None:
    """Until the health page is red with it, by what the nodes do themselves."""
    async with asyncio.timeout(60):  # the law of the house
        while not [one for one in await findings(node, "wrong") if "was rewritten" in one]:
            await asyncio.sleep(0.1)


REWRITE = """
set session_replication_role = replica;
update ledger_entries set entry = replace(
    convert_from(entry, 'UTF8'), '"agency":"pueblo-pd"', '"agency":"county-so"')::bytea
  where entry_index = (select min(entry_index) from ledger_entries
    where convert_from(entry, 'UTF8') like '%"agency":"pueblo-pd"%');
update ledger_entries set leaf = sha256('\\x00'::bytea || entry);
delete from ledger_cosignatures; delete from ledger_checkpoints;
"""


async def rewritten(node: Node) -> None:
    """Who asked is now somebody else. The database alone runs."""
    engine, cluster = Supervisor(), postgres.prepare(node.state, durable=False)
    await engine.start(postgres.child(cluster, node.state / "insider.log"))
    try:
        connection = await asyncpg.connect(cluster.dsn)
        await connection.execute(REWRITE)
        leaves = await connection.fetch("select leaf from ledger_entries order by entry_index")
        root = root_of(row["leaf"] for row in leaves)
        await connection.execute("update ledger_heads set root = $1", root)
        await connection.close()
    finally:
        await engine.stop()
