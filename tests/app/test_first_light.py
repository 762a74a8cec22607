"""From the door to the phone and into the ledger, on a whole node."""

from __future__ import annotations

import pytest

from farolito.audit import verify
from farolito.model import Point
from tests.running import RunningNode, read, told

pytestmark = pytest.mark.node


async def test_a_read_becomes_a_brief_on_the_officers_phone(node: RunningNode) -> None:
    await node.list_plate("ABC1234")
    await node.unit("2A14", Point(35.09, -106.64))
    key = await node.reader_key()
    operator, officer = await node.sign_in("operator"), await node.sign_in("officer")
    auditor = await node.sign_in("auditor")
    async with operator.live() as queue, officer.live() as phone:
        sent = await node.send(key, [read("ABC1234")])
        assert (sent.status_code, sent.json()) == (202, {"accepted": 1})
        alert = (await told(queue, "alert"))["alert"]
        path = f"/api/alerts/{alert['alert_id']}"
        early = await operator.post(f"{path}/brief", {"unit": "2A14"})
        assert (early.status_code, early.json()["error"]) == (403, "unconfirmed")
        done = await operator.post(
            f"{path}/confirm", {"version": alert["version"], "crop_compared": True}
        )
        assert done.json()["alert"]["state"] == "confirmed"
        assert (await operator.post(f"{path}/brief", {"unit": "2A14"})).status_code == 200
        brief = (await told(phone, "brief"))["brief"]
        assert brief["lines"][0]["kind"] == "what"
        receipt = {"version": 1, "kind": "delivered"}
        await officer.post(f"/api/briefs/{brief['brief_id']}/receipt", receipt)
        assert (await told(queue, "receipt"))["receipt"]["kind"] == "delivered"
        await officer.post(f"/api/briefs/{brief['brief_id']}/outcome", {"outcome": "right_car"})
        assert (await told(phone, "brief"))["brief"]["outcome"] == "right_car"
    bundle = await auditor.get("/api/ledger/bundle")
    assert bundle.status_code == 200
    assert verify(bundle.content).ok
