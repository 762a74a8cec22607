"""No entry, no answer: what happens to each kind of asking while the ledger cannot be written."""

from __future__ import annotations

from typing import Any

import pytest

from tests.desk.test_recall import confirmed, recall, told_brief
from tests.ledger_away import ledger_away
from tests.running import Person, RunningNode, read, told, until

pytestmark = [pytest.mark.node, pytest.mark.asyncio(loop_scope="module")]


async def sent_in_spite(node: RunningNode, operator: Person, alert: dict[str, Any]) -> Any:
    return await operator.post(f"/api/alerts/{alert['alert_id']}/brief", {"unit": "2A14"})


async def personal(node: RunningNode, like: str) -> list[int]:
    """The entries whose query begins so."""
    async with node.node.database.system() as connection:
        rows = await connection.fetch(
            "select entry_index from ledger_personal where field = 'query'"
            " and convert_from(value, 'UTF8') like $1 || '%'",
            like,
        )
    return [row["entry_index"] for row in rows]


@pytest.mark.parametrize(
    "path", ["/api/alerts", "/api/stopped", "/api/find?q=ABC", "/api/lists", "/api/units",
             "/api/map", "/api/health", "/api/dead-letters"],
)  # fmt: skip
async def test_without_the_ledger_nothing_is_shown(shared_node: RunningNode, path: str) -> None:
    operator = await shared_node.sign_in("operator")
    async with ledger_away(shared_node):
        answer = await operator.get(path)
        assert answer.status_code == 503, answer.text
        assert answer.json()["error"] == "ledger_down"
        assert "ledger" in answer.json()["says"]
    assert (await operator.get(path)).status_code == 200


async def test_without_the_ledger_no_socket_opens_and_nobody_decides(
    shared_node: RunningNode,
) -> None:
    operator = await shared_node.sign_in("operator")
    alert = await confirmed(shared_node, operator, "LDG1111")
    async with ledger_away(shared_node):
        async with operator.live() as live:
            assert "ledger" in (await told(live, "closed"))["reason"]
        path = f"/api/alerts/{alert['alert_id']}/take"
        assert (await operator.post(path)).status_code == 503


async def test_a_confirmed_brief_goes_out_without_the_ledger_and_is_written_once(
    shared_node: RunningNode,
) -> None:
    operator, officer = await shared_node.sign_in("operator"), await shared_node.sign_in("officer")
    alert = await confirmed(shared_node, operator, "LDG3333")
    query = f"brief 2A14 on alert {alert['alert_id']}"
    async with officer.live() as phone:
        await told(phone, "hello")
        async with ledger_away(shared_node):
            sent = await sent_in_spite(shared_node, operator, alert)
            assert sent.status_code == 200, sent.text
            await told_brief(phone, "LDG3333", version=1)
            receipt = {"version": 1, "kind": "delivered"}
            path = f"/api/briefs/{sent.json()['brief']['brief_id']}/receipt"
            assert (await officer.post(path, receipt)).status_code == 200
            await recall(operator, alert)
            red = await told_brief(phone, "LDG3333", version=2)
            assert red["recalled"]
            assert shared_node.node.spool.waiting == 3
            assert await personal(shared_node, query) == []
    for _ in range(2):
        await shared_node.node.spool.reconcile(shared_node.node.ledger)
    assert shared_node.node.spool.waiting == 0
    assert len(await personal(shared_node, query)) == 1
    assert (
        len(await personal(shared_node, f"recall row {alert['match']['entry']['entry_id']}")) == 1
    )


async def test_without_the_ledger_an_unconfirmed_brief_does_not_go_out(
    shared_node: RunningNode,
) -> None:
    """Nor is the spool a way around a refusal."""
    operator = await shared_node.sign_in("operator")
    await shared_node.list_plate("LDG4444", list_id="ldg4444")
    async with operator.live() as queue:
        await shared_node.send(await shared_node.reader_key(), [read("LDG4444")])
        alert = (await told(queue, "alert"))["alert"]
    async with ledger_away(shared_node):
        sent = await sent_in_spite(shared_node, operator, alert)
        assert sent.status_code in {403, 503}
        assert shared_node.node.spool.waiting == 0
    detail = (await operator.get(f"/api/alerts/{alert['alert_id']}")).json()
    assert detail["brief"] is None


async def test_reads_that_come_without_the_ledger_raise_their_alert_after_it(
    shared_node: RunningNode,
) -> None:
    operator = await shared_node.sign_in("operator")
    await shared_node.list_plate("LDG5555", list_id="ldg5555")
    key = await shared_node.reader_key()
    before = shared_node.node.pipeline.recorded
    async with ledger_away(shared_node):
        assert (await shared_node.send(key, [read("LDG5555")])).status_code == 202
    await until(lambda: shared_node.node.pipeline.recorded > before, within_s=20)
    queue = (await operator.get("/api/alerts")).json()["alerts"]
    mine = [a for a in queue if a["match"]["entry"]["plate"] == "LDG5555"]
    assert [(a["state"], a["repeats"]) for a in mine] == [("waiting", 0)]


async def test_every_answer_has_a_number_that_the_ledger_knows(shared_node: RunningNode) -> None:
    """Refusals too; and each passage has a number of its own."""
    operator, officer = await shared_node.sign_in("operator"), await shared_node.sign_in("officer")
    auditor = await shared_node.sign_in("auditor")
    expected = [
        (operator, "/api/alerts", 200, "permit"), (operator, "/api/stopped", 200, "permit"),
        (operator, "/api/find?q=LDG", 200, "permit"), (operator, "/api/lists", 200, "permit"),
        (operator, "/api/units", 200, "permit"), (operator, "/api/map", 200, "permit"),
        (operator, "/api/health", 200, "permit"), (operator, "/api/dead-letters", 200, "permit"),
        (officer, "/api/briefs/mine", 200, "permit"), (auditor, "/api/ledger", 200, "permit"),
        (officer, "/api/alerts", 403, "refusal"), (auditor, "/api/alerts", 403, "refusal"),
        (operator, "/api/ledger", 403, "refusal"), (operator, "/api/ledger/bundle", 403, "refusal"),
        (auditor, "/api/find?q=LDG", 403, "refusal"), (officer, "/api/lists", 403, "refusal"),
    ]  # fmt: skip
    numbers = {}
    for person, path, status, decision in expected:
        answer = await person.get(path)
        assert answer.status_code == status, (path, answer.text)
        numbers[answer.json()["permit"]] = (decision, person.session["person"]["role"])
    assert len(numbers) == len(expected)
    first = min(numbers)
    entries = await shared_node.node.ledger.entries(first - 1, 200)
    known = {e.index: (e.entry["decision"], e.entry["actor_role"]) for e in entries}
    assert {number: known[number] for number in numbers} == numbers
