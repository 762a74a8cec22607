"""The live socket: nothing missed, nothing twice, nothing for whom it is not."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from farolito.console import sockets
from farolito.model import PersonId
from farolito.policy import Policies
from farolito.store import Records
from farolito.store.feed import FEED_RESUME_MAX
from tests.desk.test_recall import briefed, confirmed, recall, told_alert
from tests.running import AGENCY, Person, RunningNode, read, told

pytestmark = [pytest.mark.node, pytest.mark.asyncio(loop_scope="module")]


async def feed_end(node: RunningNode) -> int:
    async with node.node.database.transaction(AGENCY) as connection:
        return await Records(connection, AGENCY).feed.end()


async def items_until(live: ClientConnection, seq: int) -> list[dict[str, Any]]:
    """The numbered messages up to this number."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(10):
        while not found or found[-1]["seq"] < seq:
            message = msgspec.json.decode(await live.recv())
            if "seq" in message and message["k"] != "hello":
                found.append(message)
    return found


async def some_alerts(node: RunningNode, prefix: str, count: int) -> None:
    plates = [f"{prefix}{n:04d}" for n in range(0, count * 13, 13)]
    rows = [{"plate": p, "state": "NM", "category": "stolen_vehicle"} for p in plates]
    await node.import_rows(rows, prefix.lower())
    before = node.node.pipeline.recorded
    await node.send(await node.reader_key(), [read(p, event=p) for p in plates])
    await node.recorded(before + count)


async def test_a_resumed_socket_gets_what_it_missed_in_order(shared_node: RunningNode) -> None:
    operator = await shared_node.sign_in("operator")
    await some_alerts(shared_node, "RSA", 3)
    left_at = await feed_end(shared_node)
    await some_alerts(shared_node, "RSB", 20)
    end = await feed_end(shared_node)
    async with operator.live(after=left_at) as live:
        missed = await items_until(live, end)
    assert [m["seq"] for m in missed] == list(range(left_at + 1, end + 1))
    assert len(missed) == 20


async def test_a_screen_fresher_than_the_feed_is_not_sent_away(shared_node: RunningNode) -> None:
    """A snapshot comes from the store, the feed from memory: the snapshot may be ahead."""
    operator = await shared_node.sign_in("operator")
    await some_alerts(shared_node, "FRS", 2)
    hub = shared_node.node.hub
    end = await feed_end(shared_node)
    await hub.wait_past(end - 1, 5)
    hub.seq, late = end - 2, hub.seq
    try:
        async with operator.live(after=end) as live:
            kinds = [msgspec.json.decode(await live.recv())["k"] for _ in range(2)]
    finally:
        hub.seq = max(late, hub.seq)
    assert kinds[0] == "hello"
    assert "reset" not in kinds


async def test_a_socket_ends_when_the_rules_no_longer_open_it(
    shared_node: RunningNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator, gate = await shared_node.sign_in("operator"), shared_node.node.gate
    before = gate.policies
    monkeypatch.setattr(sockets, "RECHECK_S", 0.1)
    async with operator.live() as live:
        await told(live, "hello")
        try:
            gate.use(Policies.load("us-nm", []))  # rules that know no agency of ours
            assert "may not follow" in (await told(live, "closed"))["reason"]
        finally:
            gate.use(before)


async def test_a_screen_too_far_behind_starts_anew(shared_node: RunningNode) -> None:
    operator = await shared_node.sign_in("operator")
    await some_alerts(shared_node, "FAR", 1)
    [alert] = [
        a
        for a in (await operator.get("/api/alerts")).json()["alerts"]
        if a["match"]["entry"]["plate"] == "FAR0000"
    ]
    async with shared_node.node.database.transaction(AGENCY) as connection:
        records = Records(connection, AGENCY)
        known = await records.alerts.get(alert["alert_id"])
        assert known is not None
        start = await records.feed.end()
        for _ in range(FEED_RESUME_MAX + 1):
            await records.feed.tell("alert", known, known.changed_at)
    shared_node.node.hub.nudge()
    await shared_node.node.hub.wait_past(start, 10)
    async with operator.live(after=start) as live:
        await told(live, "reset")
        await recall_and_hear(operator, alert, live)


async def recall_and_hear(operator: Person, alert: dict[str, Any], live: ClientConnection) -> None:
    """After a reset the socket goes on with what comes."""
    await recall(operator, alert)
    await told_alert(live, alert["match"]["entry"]["plate"], "recalled")


@pytest.mark.parametrize("after", ["999999999", "99999999999999999999999", "²", "-1", "x", ""])
async def test_a_number_that_is_none_of_ours_ends_in_a_fresh_start(
    shared_node: RunningNode, after: str
) -> None:
    operator = await shared_node.sign_in("operator")
    async with operator.live(after=after) as live:  # type: ignore[arg-type]
        await told(live, "hello")
        await told(live, "tick")


async def test_a_screen_after_live_updates_is_the_screen_reloaded(
    shared_node: RunningNode,
) -> None:
    operator, officer = await shared_node.sign_in("operator"), await shared_node.sign_in("officer")
    before = (await operator.get("/api/alerts")).json()
    screen = {a["alert_id"]: a for a in before["alerts"]}
    async with operator.live(after=before["seq"]) as live:
        await some_alerts(shared_node, "SCR", 3)
        await confirmed(shared_node, operator, "SCV7777")
        brief = await briefed(shared_node, operator, "SCW7777")
        path = f"/api/briefs/{brief['brief_id']}/outcome"
        await officer.post(path, {"outcome": "right_car"})
        after = (await operator.get("/api/alerts")).json()
        for message in await items_until(live, after["seq"]):
            if message["k"] == "alert":
                screen[message["alert"]["alert_id"]] = message["alert"]
    reloaded = {a["alert_id"]: a for a in after["alerts"]}
    assert {id_: screen[id_] for id_ in reloaded} == reloaded
    changed = set(screen) - {a["alert_id"] for a in before["alerts"]}
    assert changed <= set(reloaded)
    assert len(changed) == 5


async def test_an_officers_socket_carries_the_own_units_briefs_alone(
    shared_node: RunningNode,
) -> None:
    operator, officer = await shared_node.sign_in("operator"), await shared_node.sign_in("officer")
    await shared_node.unit("3B22")
    async with officer.live() as phone:
        await told(phone, "hello")
        theirs = await confirmed(shared_node, operator, "OWN1111")
        await operator.post(f"/api/alerts/{theirs['alert_id']}/brief", {"unit": "3B22"})
        await recall(operator, theirs)
        ours = await briefed(shared_node, operator, "OWN7777")
        end = await feed_end(shared_node)
        heard: list[dict[str, Any]] = []
        async with asyncio.timeout(10):
            while not heard or heard[-1].get("brief", {}).get("brief_id") != ours["brief_id"]:
                heard.append(msgspec.json.decode(await phone.recv()))
    assert end > 0
    assert {m["k"] for m in heard} <= {"tick", "brief", "way"}  # its own way, nobody else's
    assert {m["brief"]["plate"] for m in heard if m["k"] == "brief"} == {"OWN7777"}


@pytest.mark.parametrize("how", ["signed out", "suspended"])
async def test_who_may_no_longer_listen_hears_no_more(
    shared_node: RunningNode, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "RECHECK_S", 0.2)
    officer = await shared_node.sign_in("officer")
    person = officer.session["person"]
    identity = shared_node.node.identity
    async with officer.live() as phone:
        await told(phone, "hello")
        if how == "signed out":
            headers = {"X-Farolito-CSRF": officer.session["csrf"]}
            assert (await officer.http.delete("/api/session", headers=headers)).status_code == 200
        else:
            await identity.suspend(PersonId(UUID(person["person_id"])))
        closed = await told(phone, "closed")
        with pytest.raises(ConnectionClosed):
            await told(phone, "tick")
    assert closed["reason"]
    assert (await officer.get("/api/briefs/mine")).status_code == 401
    await identity.restore(PersonId(UUID(person["person_id"])))


@pytest.mark.parametrize("persona", [None, "auditor"])
async def test_a_socket_without_a_right_is_closed_with_its_reason(
    shared_node: RunningNode, persona: str | None
) -> None:
    if persona is None:
        url = shared_node.url.replace("http", "ws", 1) + "/api/live"
        async with connect(url) as live:
            closed = await told(live, "closed")
    else:
        person = await shared_node.sign_in(persona)
        async with person.live() as live:
            closed = await told(live, "closed")
    assert closed["reason"]
    assert live.close_code == 4401 or await closes_with(live) == 4401


async def closes_with(live: ClientConnection) -> int | None:
    await live.wait_closed()
    return live.close_code


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1"])
async def test_another_page_cannot_listen(shared_node: RunningNode, origin: str) -> None:
    operator = await shared_node.sign_in("operator")
    cookie = "; ".join(f"{c.name}={c.value}" for c in operator.http.cookies.jar)
    url = shared_node.url.replace("http", "ws", 1) + "/api/live"
    with pytest.raises((InvalidStatus, ConnectionClosed)):
        async with connect(
            url, origin=Origin(origin), additional_headers={"Cookie": cookie}
        ) as live:
            await told(live, "hello")


async def test_a_page_of_our_own_can_listen(shared_node: RunningNode) -> None:
    operator = await shared_node.sign_in("operator")
    cookie = "; ".join(f"{c.name}={c.value}" for c in operator.http.cookies.jar)
    url = shared_node.url.replace("http", "ws", 1) + "/api/live"
    async with connect(
        url,
        origin=Origin(shared_node.url),
        additional_headers={"Cookie": cookie},
    ) as live:
        await told(live, "hello")


async def test_an_outdated_decision_is_409_and_the_screen_is_told(shared_node: RunningNode) -> None:
    operator, other = [await shared_node.sign_in("operator") for _ in range(2)]
    await some_alerts(shared_node, "CNF", 1)
    [alert] = [
        a
        for a in (await operator.get("/api/alerts")).json()["alerts"]
        if a["match"]["entry"]["plate"] == "CNF0000"
    ]
    path = f"/api/alerts/{alert['alert_id']}"
    body = {"version": alert["version"], "crop_compared": True}
    answers = await asyncio.gather(
        operator.post(f"{path}/confirm", body),
        other.post(f"{path}/reject", {"version": alert["version"], "reason": "misread"}),
    )
    assert sorted(a.status_code for a in answers) == [200, 409]
    lost = next(a for a in answers if a.status_code == 409).json()
    assert lost["error"] == "conflict"
    history = (await operator.get(path)).json()["history"]
    assert [line["version"] for line in history] == [1, 2]
