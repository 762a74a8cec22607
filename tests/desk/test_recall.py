"""A recall reaches everybody who was told, and a withdrawn row raises nothing any more."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from farolito.model import AlertId, Standing
from farolito.plates import Index
from farolito.store import Records
from tests.running import AGENCY, Person, RunningNode, read, told, until

pytestmark = [pytest.mark.node, pytest.mark.asyncio(loop_scope="module")]

UNIT = "2A14"
WITHIN_S = 1.0  # everywhere, from the operator's key to the phone


async def told_alert(live: ClientConnection, plate: str, state: str) -> dict[str, Any]:
    """The next word on this plate's alert in this state."""
    while True:
        alert: dict[str, Any] = (await told(live, "alert"))["alert"]
        if (alert["match"]["entry"]["plate"], alert["state"]) == (plate, state):
            return alert


async def told_brief(live: ClientConnection, plate: str, version: int) -> dict[str, Any]:
    while True:
        brief: dict[str, Any] = (await told(live, "brief"))["brief"]
        if (brief["plate"], brief["version"]) == (plate, version):
            return brief


async def confirmed(node: RunningNode, operator: Person, plate: str) -> dict[str, Any]:
    """An alert on a listed plate, confirmed by the operator."""
    await node.list_plate(plate, list_id=plate.lower())
    await node.unit(UNIT)
    async with operator.live() as queue:
        await node.send(await node.reader_key(), [read(plate)])
        alert = await told_alert(queue, plate, "waiting")
    path = f"/api/alerts/{alert['alert_id']}/confirm"
    done = await operator.post(path, {"version": alert["version"], "crop_compared": True})
    assert done.status_code == 200, done.text
    return dict(done.json()["alert"])


async def briefed(node: RunningNode, operator: Person, plate: str) -> dict[str, Any]:
    alert = await confirmed(node, operator, plate)
    sent = await operator.post(f"/api/alerts/{alert['alert_id']}/brief", {"unit": UNIT})
    assert sent.status_code == 200, sent.text
    return dict(sent.json()["brief"])


async def recall(operator: Person, alert: dict[str, Any]) -> None:
    entry = alert["match"]["entry"]
    path = f"/api/lists/{entry['list_id']}/entries/{entry['entry_id']}/recall"
    answer = await operator.post(path, {"reason": "recovered"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["alerts_recalled"] == 1


async def the_alert(operator: Person, brief: dict[str, Any]) -> dict[str, Any]:
    return dict((await operator.get(f"/api/alerts/{brief['alert_id']}")).json())


async def test_a_recall_is_red_everywhere_within_a_second(shared_node: RunningNode) -> None:
    operator, officer = await shared_node.sign_in("operator"), await shared_node.sign_in("officer")
    brief = await briefed(shared_node, operator, "RCL1111")
    alert = (await the_alert(operator, brief))["alert"]
    async with operator.live() as queue, officer.live() as phone:
        start = time.monotonic()
        await recall(operator, alert)
        gone = await told_alert(queue, "RCL1111", "recalled")
        red = await told_brief(phone, "RCL1111", version=2)
        took_s = time.monotonic() - start
    assert took_s < WITHIN_S
    assert gone["decision_reason"] == "recovered"
    assert (red["recalled"], red["recall_reason"]) == (True, "recovered")
    assert "Do not act" in red["change"]
    [mine] = [
        b["brief"]
        for b in (await officer.get("/api/briefs/mine")).json()["briefs"]
        if b["brief"]["plate"] == "RCL1111"
    ]
    assert mine == red, "the phone reloaded shows what it was told"


async def test_a_row_missing_from_the_next_file_is_recalled_too(shared_node: RunningNode) -> None:
    operator, officer = await shared_node.sign_in("operator"), await shared_node.sign_in("officer")
    await briefed(shared_node, operator, "RCL2222")
    async with operator.live() as queue, officer.live() as phone:
        await shared_node.list_plate("RCL9999", list_id="rcl2222")
        await told_alert(queue, "RCL2222", "recalled")
        red = await told_brief(phone, "RCL2222", version=2)
    assert (red["recalled"], red["recall_reason"]) == (True, "withdrawn by its source")


async def test_a_recalled_row_matches_nothing_more(shared_node: RunningNode) -> None:
    operator = await shared_node.sign_in("operator")
    brief = await briefed(shared_node, operator, "RCL3333")
    await recall(operator, (await the_alert(operator, brief))["alert"])
    before = shared_node.node.pipeline.recorded
    await shared_node.send(await shared_node.reader_key(), [read("RCL3333")])
    await shared_node.recorded(before + 1)
    queue = (await operator.get("/api/alerts")).json()["alerts"]
    states = [a["state"] for a in queue if a["match"]["entry"]["plate"] == "RCL3333"]
    assert states == ["recalled"]


async def test_a_match_judged_before_the_recall_raises_nothing_after_it(
    shared_node: RunningNode,
) -> None:
    """The pipeline judges, the row is withdrawn, and only then the match comes to the desk."""
    operator = await shared_node.sign_in("operator")
    brief = await briefed(shared_node, operator, "RCL4444")
    async with shared_node.node.database.transaction(AGENCY) as connection:
        told_ = await Records(connection, AGENCY).alerts.get(AlertId(brief["alert_id"]))
    assert told_ is not None
    later = await later_match(shared_node, told_.match)
    assert later.standing is not Standing.STOPPED
    await recall(operator, (await the_alert(operator, brief))["alert"])
    assert await shared_node.node.desk.raise_match(later) is None


async def later_match(node: RunningNode, match: Any) -> Any:
    """The same row met by a read of another moment."""
    from msgspec.structs import replace

    from farolito.app.clock import ids
    from farolito.model import ReadId

    return replace(match, read=replace(match.read, read_id=ReadId(ids()), event="another"))


async def test_a_recall_while_the_lists_are_read_anew_holds(
    shared_node: RunningNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new index is built from rows read before the recall; it must not bring the row back."""
    operator = await shared_node.sign_in("operator")
    brief = await briefed(shared_node, operator, "RCL5555")
    alert = (await the_alert(operator, brief))["alert"]
    lists = shared_node.node.lists
    rows_are_read, go_on, build = threading.Event(), threading.Event(), Index.build

    def build_slowly(*rows: Any) -> Index:
        rows_are_read.set()
        go_on.wait(10)
        return build(*rows)

    monkeypatch.setattr(Index, "build", build_slowly)
    reloading = asyncio.create_task(lists.reload())
    await until(rows_are_read.is_set)
    await recall(operator, alert)
    go_on.set()
    await reloading
    async with shared_node.node.database.transaction(AGENCY) as connection:
        told_ = await Records(connection, AGENCY).alerts.get(AlertId(alert["alert_id"]))
    assert told_ is not None
    found = [e.plate for e in lists.index.probe_read(told_.match.read)]
    assert "RCL5555" not in found


async def test_an_officers_answer_and_a_recall_at_once_both_count(shared_node: RunningNode) -> None:
    operator, officer = await shared_node.sign_in("operator"), await shared_node.sign_in("officer")
    for n in range(5):
        brief = await briefed(shared_node, operator, f"RCL66{n}6")
        alert = (await the_alert(operator, brief))["alert"]
        path = f"/api/briefs/{brief['brief_id']}/outcome"
        answer, _ = await asyncio.gather(
            officer.post(path, {"outcome": "gone"}), recall(operator, alert)
        )
        assert answer.status_code == 200, answer.text
        end = await the_alert(operator, brief)
        assert end["alert"]["state"] == "recalled"
        assert (end["brief"]["recalled"], end["brief"]["outcome"]) == (True, "gone")
