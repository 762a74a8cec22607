"""What the auditor's page asks for: alarms, and who cosigns."""

from __future__ import annotations

import pytest

from tests.running import RunningNode


@pytest.mark.node
async def test_only_who_reads_the_ledger_sees_its_alarms(node: RunningNode) -> None:
    auditor = await node.sign_in("auditor")
    answer = await auditor.get("/api/ledger/alarms")
    assert answer.status_code == 200
    told = answer.json()
    assert told["alarms"] == []
    assert {"witnessed", "least", "keys"} <= told.keys()
    entry = (await auditor.get(f"/api/ledger?after={told['permit'] - 1}&limit=1")).json()
    assert entry["entries"][0]["entry"]["thing"] == "ledger"
    assert (await (await node.sign_in("operator")).get("/api/ledger/alarms")).status_code == 403
