"""A hot list older than its limit is an alarm on every desk."""

from __future__ import annotations

from datetime import timedelta

import pytest

from farolito.app.clock import now
from tests.running import AGENCY, RunningNode, told

pytestmark = pytest.mark.node


async def test_a_list_older_than_its_limit_raises_an_alarm_on_the_operators_desk(
    node: RunningNode,
) -> None:
    await node.list_plate("ABC1234")
    operator, officer = await node.sign_in("operator"), await node.sign_in("officer")
    async with operator.live() as desk, officer.live() as phone:
        await _age(node, timedelta(hours=19))
        alarm = (await told(desk, "lists", within_s=20))["old"]
        assert alarm == [{"name": "test", "hours": 19, "dead": False}]
        await node.list_plate("ABC1234")
        assert (await told(desk, "lists", within_s=20))["old"] == []
        with pytest.raises(TimeoutError):
            await told(phone, "lists", within_s=1)


async def _age(node: RunningNode, age: timedelta) -> None:
    async with node.node.database.transaction(AGENCY) as connection:
        await connection.execute("update hot_lists set imported_at = $1", now() - age)
    await node.node.lists.reload()
