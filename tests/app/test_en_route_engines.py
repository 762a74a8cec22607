"""A call that was acknowledged is there, once, whatever is killed; one that was not is nowhere."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from standardwebhooks import Webhook

from farolito.identity.personas import OFFICERS_UNIT
from farolito.model import DeviceId
from tests.app.separate import SeparateNode
from tests.ledger_away import ledger_away
from tests.running import CAD, RunningNode, assigned, call, numbers, until

pytestmark = [pytest.mark.node, pytest.mark.timeout(120)]

TABLES = ("calls", "incidents", "incident_versions", "incident_parts", "briefs", "cad_marks")


@pytest.fixture
async def separate(state: Path) -> AsyncIterator[SeparateNode]:
    node = SeparateNode(state)
    await node.start()
    yield node
    await node.close()


def told(number: str = "26-4001", **more: Any) -> dict[str, Any]:
    """The same bytes at each try, as a CAD that never got its answer sends them."""
    place = {"lat": 35.0844, "lon": -106.6504}
    return call(number, kind="burglary", place=place, units=assigned(OFFICERS_UNIT), **more)


async def counted(connection: Any) -> dict[str, int]:
    return {t: await connection.fetchval(f"select count(*) from {t}") for t in TABLES}


async def test_what_was_acknowledged_is_there_once_after_kill_9(separate: SeparateNode) -> None:
    device = {
        "device_id": "county-cad", "agency": "any", "kind": "cad", "name": "CAD",
        "format": "farolito",
    }  # fmt: skip
    key = (await separate.admin("/api/admin/devices", device))["key"]
    headers = {"Authorization": f"Bearer {key}"}
    message = told()
    sent = await separate.http.post("/ingest/cad/farolito", json=message, headers=headers)
    assert separate.process is not None
    separate.process.send_signal(signal.SIGKILL)  # before anything else can be done
    assert (sent.status_code, sent.json()) == (202, {"accepted": 1})
    await separate.end(signal.SIGKILL)
    await separate.start()
    again = await separate.http.post("/ingest/cad/farolito", json=message, headers=headers)
    assert (again.status_code, again.json()) == (202, {"accepted": 1, "known": True})
    await separate.http.post("/api/session/demo", json={"persona": "operator"})
    [incident] = (await separate.http.get("/api/incidents")).json()["incidents"]
    assert numbers(incident) == {"26-4001"}
    detail = (await separate.http.get(f"/api/incidents/{incident['incident_id']}")).json()
    assert [one["number"] for one in detail["calls"]] == ["26-4001"]
    [brief] = detail["briefs"]
    assert (brief["brief"]["unit"], brief["versions"][-1]["version"]) == (OFFICERS_UNIT, 1)
    # What version 1 could not wait for is looked up by the next life of the node.
    async with asyncio.timeout(20):
        while "being looked up" in str(brief["brief"]["lines"]):
            await asyncio.sleep(0.1)
            detail = (await separate.http.get(f"/api/incidents/{incident['incident_id']}")).json()
            [brief] = detail["briefs"]
    connection = await separate.database()
    found = await counted(connection)
    await connection.close()
    assert {found[t] for t in ("calls", "incidents", "incident_parts", "cad_marks")} == {1}


async def test_without_the_store_the_cad_comes_again_and_nothing_is_half_there(
    node: RunningNode,
) -> None:
    key, message = await node.cad_key(), told()
    signing = msgspec.structs.replace(CAD, device_id=DeviceId("signing"), format="cloudevents")
    secret = Webhook(await node.cad_key(signing))
    event = msgspec.json.encode(
        {"specversion": "1.0", "type": "org.farolito.call.updated", "id": "e", "source": "cad",
         "data": told("26-4002")}
    )  # fmt: skip
    now = datetime.now(UTC)
    signed = {
        "webhook-id": "m-1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": secret.sign("m-1", now, event.decode()),
    }
    postgres = next(c.pid for c in node.node.supervisor.status() if c.name == "postgres")
    os.kill(postgres, signal.SIGSTOP)
    asking = asyncio.create_task(node.hand_in("cad/farolito", message, key))
    os.kill(postgres, signal.SIGKILL)
    for refused in (
        await asking,
        await node.hand_in("cad/cloudevents?device=signing", event, **signed),
    ):
        assert refused.status_code == 503, refused.text
        assert refused.json()["error"] == "store_away"
        assert int(refused.headers["Retry-After"]) > 0
    async with asyncio.timeout(30):
        while (taken := await node.hand_in("cad/farolito", message, key)).status_code == 503:
            await asyncio.sleep(0.1)
    # No "known": the first try left not even its mark.
    assert (taken.status_code, taken.json()) == (202, {"accepted": 1})
    async with node.node.database.system() as connection:
        found = await counted(connection)
    assert {found[t] for t in ("calls", "incidents", "incident_parts", "cad_marks")} == {1}
    await until(lambda: node.node.ledger.status().healthy, within_s=20)


async def test_with_the_ledger_down_a_call_reaches_the_officer_and_nobody_reads(
    node: RunningNode,
) -> None:
    key = await node.cad_key()
    operator, officer = await node.sign_in("operator"), await node.officer()
    async with officer.watched() as phone:
        async with ledger_away(node):
            await node.call(key, "26-4003", kind="burglary", units=assigned(OFFICERS_UNIT))
            brief = await phone.brief()
            assert (brief["call"], brief["version"]) == ("26-4003", 1)
            refused = await operator.get("/api/incidents")
            assert refused.status_code == 503
            assert "26-4003" not in refused.text
            detail = await operator.get(f"/api/incidents/{brief['incident_id']}")
            assert detail.status_code == 503
            receipt = {"version": 1, "kind": "delivered"}
            path = f"/api/briefs/{brief['brief_id']}/receipt"
            assert (await officer.post(path, receipt)).status_code == 200
        # What went through the spool is brought into the ledger, and read again by a permit.
        shown = (await operator.get("/api/incidents")).json()["incidents"]
        assert [numbers(one) for one in shown] == [{"26-4003"}]
    await node.node.spool.reconcile(node.node.ledger)
    async with node.node.database.system() as connection:
        assert await spooled(connection) > 0


async def spooled(connection: Any) -> int:
    """Entries of calls that the ledger holds."""
    return int(
        await connection.fetchval(
            "select count(*) from ledger_personal where field = 'query'"
            " and convert_from(value, 'UTF8') like 'calls 26-4003%'"
        )
    )
