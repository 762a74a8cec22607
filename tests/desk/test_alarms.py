"""An operator is called when it matters and not otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from farolito.app.clock import ids
from farolito.desk import P1_TAKEN_WITHIN, Desk
from tests.running import RunningNode, read, until

pytestmark = [pytest.mark.node, pytest.mark.asyncio(loop_scope="module")]

ALARMS_AN_HOUR_MAX = 12  # EEMUA 191: what a person can work on with care


async def alerts(node: RunningNode, *plates: str) -> list[dict[str, Any]]:
    operator = await node.sign_in("operator")
    queue = (await operator.get("/api/alerts")).json()["alerts"]
    return [a for a in queue if a["match"]["entry"]["plate"] in plates]


async def raised(node: RunningNode, plate: str, category: str) -> dict[str, Any]:
    await node.list_plate(plate, list_id=plate.lower(), category=category)
    before = node.node.pipeline.recorded
    await node.send(await node.reader_key(), [read(plate)])
    await node.recorded(before + 1)
    [alert] = await alerts(node, plate)
    return alert


def desk_at(node: RunningNode, now: datetime) -> Desk:
    """The node's own desk, as it will be at another time."""
    return Desk(node.node.gate, node.node.system, lambda: now, ids)


async def ledger_size(node: RunningNode) -> int:
    return node.node.ledger.status().size


async def test_an_urgent_alert_that_nobody_takes_escalates_once(shared_node: RunningNode) -> None:
    alert = await raised(shared_node, "ESC1111", "amber_alert")
    assert alert["level"] == 1
    raised_at = datetime.fromisoformat(alert["raised_at"])
    in_time = desk_at(shared_node, raised_at + P1_TAKEN_WITHIN - timedelta(seconds=1))
    assert await in_time.escalate() == 0
    late = desk_at(shared_node, raised_at + P1_TAKEN_WITHIN + timedelta(seconds=1))
    assert await late.escalate() == 1
    [after] = await alerts(shared_node, "ESC1111")
    assert after["escalated_at"]
    assert after["version"] == alert["version"] + 1
    size = await ledger_size(shared_node)
    assert [await late.escalate() for _ in range(3)] == [0, 0, 0]
    assert await ledger_size(shared_node) == size, "nothing was done, so nothing is written"


@pytest.mark.parametrize(("plate", "category"), [("ESC2222", "stolen_vehicle")])
async def test_what_is_not_urgent_does_not_escalate(
    shared_node: RunningNode, plate: str, category: str
) -> None:
    alert = await raised(shared_node, plate, category)
    assert alert["level"] == 2
    await desk_at(shared_node, datetime.now(UTC) + timedelta(hours=1)).escalate()
    [after] = await alerts(shared_node, plate)
    assert after["escalated_at"] is None


async def test_an_alert_that_was_taken_does_not_escalate(shared_node: RunningNode) -> None:
    alert = await raised(shared_node, "ESC3333", "homicide")
    operator = await shared_node.sign_in("operator")
    await operator.post(f"/api/alerts/{alert['alert_id']}/take")
    await desk_at(shared_node, datetime.now(UTC) + timedelta(hours=1)).escalate()
    [after] = await alerts(shared_node, "ESC3333")
    assert after["escalated_at"] is None


async def test_a_passage_that_was_rejected_does_not_call_again(shared_node: RunningNode) -> None:
    """Its reader corrects itself a moment later; the next passage is a new question."""
    await shared_node.list_plate("RJC5555", list_id="rjc5555")
    key, operator = await shared_node.reader_key(), await shared_node.sign_in("operator")
    now = datetime.now(UTC)

    async def passes(event: str, after_s: float) -> list[dict[str, Any]]:
        before = shared_node.node.pipeline.recorded
        at = (now + timedelta(seconds=after_s)).isoformat()
        await shared_node.send(key, [read("RJC5555", event=event, captured_at=at)])
        await shared_node.recorded(before + 1)
        return await alerts(shared_node, "RJC5555")

    [alert] = await passes("car 1", 0)
    told = {"version": alert["version"], "reason": "wrong_vehicle"}
    await operator.post(f"/api/alerts/{alert['alert_id']}/reject", told)
    assert [a["state"] for a in await passes("car 1", 1)] == ["rejected"]
    again = await passes("car 2", 2)
    assert sorted(a["state"] for a in again) == ["rejected", "waiting"]


async def test_ten_thousand_reads_of_few_cars_are_few_alarms(shared_node: RunningNode) -> None:
    """An hour of traffic in which six listed cars pass readers again and again."""
    cars = [f"BDG{n}{n}{n}{n}" for n in (1, 3, 4, 6, 7, 9)]
    rows = [{"plate": car, "state": "NM", "category": "stolen_vehicle"} for car in cars]
    await shared_node.import_rows(rows, "budget")
    key = await shared_node.reader_key()
    start = datetime.now(UTC) - timedelta(minutes=10)
    before = shared_node.node.pipeline.recorded
    for batch in range(100):
        reads = []
        for n in range(100):
            number = batch * 100 + n
            plate = cars[number // 50 % len(cars)] if number % 50 == 0 else f"Q{number:05d}"
            at = start + timedelta(milliseconds=60 * number)
            reads.append(
                {"plate": plate, "captured_at": at.isoformat(), "event": f"b{number}",
                 "confidence": 0.99, "state": "NM", "state_confidence": 0.99}
            )  # fmt: skip
        assert (await shared_node.send(key, reads)).status_code == 202
    await until(lambda: shared_node.node.pipeline.recorded >= before + 10_000, within_s=30)
    raised_ = await alerts(shared_node, *cars)
    assert len(raised_) == len(cars) <= ALARMS_AN_HOUR_MAX
    assert sum(alert["repeats"] + 1 for alert in raised_) == 10_000 // 50
