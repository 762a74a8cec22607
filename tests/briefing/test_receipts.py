"""What the phone answers: receipts, the outcome, and what it may not say."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.desk.test_recall import briefed, the_alert, told_brief
from tests.running import RunningNode, read, told

pytestmark = [pytest.mark.node, pytest.mark.asyncio(loop_scope="module")]


async def test_each_receipt_reaches_the_operator_once(shared_node: RunningNode) -> None:
    operator, officer = await shared_node.sign_in("operator"), await shared_node.sign_in("officer")
    brief = await briefed(shared_node, operator, "RCP1111")
    path = f"/api/briefs/{brief['brief_id']}/receipt"
    async with operator.live() as queue:
        for kind in ("delivered", "delivered", "opened", "opened", "heard", "heard"):
            answer = await officer.post(path, {"version": 1, "kind": kind})
            assert answer.status_code == 200, answer.text
        heard = [(await told(queue, "receipt"))["receipt"] for _ in range(3)]
    assert [r["kind"] for r in heard] == ["delivered", "opened", "heard"]
    assert {r["brief_id"] for r in heard} == {brief["brief_id"]}
    panel = await the_alert(operator, brief)
    assert [r["kind"] for r in panel["receipts"]] == ["delivered", "opened", "heard"]


async def test_an_outcome_closes_the_alert_and_said_again_changes_nothing(
    shared_node: RunningNode,
) -> None:
    operator, officer = await shared_node.sign_in("operator"), await shared_node.sign_in("officer")
    brief = await briefed(shared_node, operator, "RCP2222")
    path = f"/api/briefs/{brief['brief_id']}/outcome"
    first = await officer.post(path, {"outcome": "wrong_car"})
    again = await officer.post(path, {"outcome": "wrong_car"})
    assert first.json()["brief"] == again.json()["brief"]
    assert first.json()["brief"]["version"] == 2
    end = await the_alert(operator, brief)
    assert (end["alert"]["state"], end["alert"]["decision_reason"]) == ("closed", "wrong_car")


async def test_an_outcome_tapped_five_times_at_once_is_one(shared_node: RunningNode) -> None:
    operator, officer = await shared_node.sign_in("operator"), await shared_node.sign_in("officer")
    brief = await briefed(shared_node, operator, "RCP3333")
    path = f"/api/briefs/{brief['brief_id']}/outcome"
    taps = await asyncio.gather(*(officer.post(path, {"outcome": "gone"}) for _ in range(5)))
    assert {t.status_code for t in taps} == {200}
    assert {t.json()["brief"]["version"] for t in taps} == {2}


async def test_the_car_seen_again_is_the_next_version(shared_node: RunningNode) -> None:
    operator, officer = await shared_node.sign_in("operator"), await shared_node.sign_in("officer")
    brief = await briefed(shared_node, operator, "RCP4444")
    async with officer.live() as phone:
        await shared_node.send(
            await shared_node.reader_key(), [read("RCP4444", event="again", lat=35.1, lon=-106.6)]
        )
        after = await told_brief(phone, "RCP4444", version=2)
    assert after["brief_id"] == brief["brief_id"]
    assert after["change"].startswith("Update: ")
    assert "Seen 2 times" in after["change"]


async def test_two_clicks_on_brief_send_one(shared_node: RunningNode) -> None:
    operator, officer = await shared_node.sign_in("operator"), await shared_node.sign_in("officer")
    brief = await briefed(shared_node, operator, "RCP5555")
    path = f"/api/alerts/{brief['alert_id']}/brief"
    again = await asyncio.gather(*(operator.post(path, {"unit": "2A14"}) for _ in range(4)))
    assert {a.json()["brief"]["brief_id"] for a in again} == {brief["brief_id"]}
    mine = (await officer.get("/api/briefs/mine")).json()["briefs"]
    assert len([b for b in mine if b["brief"]["plate"] == "RCP5555"]) == 1


@pytest.mark.parametrize("version", [0, 2, 2**31 - 1, 2**40])
async def test_a_receipt_for_a_version_that_is_none_is_named(
    shared_node: RunningNode, version: int
) -> None:
    operator, officer = await shared_node.sign_in("operator"), await shared_node.sign_in("officer")
    brief = await briefed(shared_node, operator, f"RCP{version % 9000 + 1000}")
    path = f"/api/briefs/{brief['brief_id']}/receipt"
    answer = await officer.post(path, {"version": version, "kind": "opened"})
    assert answer.status_code == 422, answer.text
    assert answer.json()["says"]


@pytest.mark.parametrize(
    ("what", "body"),
    [("receipt", {"version": 1, "kind": "opened"}), ("outcome", {"outcome": "gone"})],
)
async def test_an_officer_answers_only_for_the_own_unit(
    shared_node: RunningNode, what: str, body: dict[str, Any]
) -> None:
    operator, officer = await shared_node.sign_in("operator"), await shared_node.sign_in("officer")
    brief = await briefed(shared_node, operator, "RCP77" + what[:2].upper())
    await shared_node.unit("3B22")
    sent = await operator.post(f"/api/alerts/{brief['alert_id']}/brief", {"unit": "3B22"})
    theirs = sent.json()["brief"]["brief_id"]
    for not_ours in (theirs, uuid4()):
        answer = await officer.post(f"/api/briefs/{not_ours}/{what}", body)
        assert answer.status_code == 403, answer.text
    picture = await officer.get(f"/api/briefs/{theirs}/picture")
    assert picture.status_code == 403


async def test_a_unit_that_is_none_gets_no_brief(shared_node: RunningNode) -> None:
    operator = await shared_node.sign_in("operator")
    brief = await briefed(shared_node, operator, "RCP8888")
    answer = await operator.post(f"/api/alerts/{brief['alert_id']}/brief", {"unit": "NOPE"})
    assert answer.status_code == 422
    assert "NOPE" in answer.json()["says"]
