"""What a partner shares stands on the operator's screen, and on nobody else's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest

from farolito.gate import Records, system_ask
from farolito.model import AgencyId, AgreementId, ShareClass, Thing, UnitId
from farolito.model.shared import SharedItem
from tests.running import AGENCY, RunningNode, until

pytestmark = [pytest.mark.node, pytest.mark.asyncio(loop_scope="module")]


def an_alert(title: str) -> SharedItem:
    now = datetime.now(UTC)
    return SharedItem(
        kind=ShareClass.ALERT, item_id=uuid4(), grantor=AgencyId("county-so"),
        grantor_name="County Sheriff", agreement_id=AgreementId(uuid4()), version=1, at=now,
        received_at=now, purge_at=now + timedelta(days=7), lat=35.08, lon=-106.65, title=title,
        detail={"plate": "ABC123"},
    )  # fmt: skip


async def comes_in(running: RunningNode, item: SharedItem) -> None:
    async def work(records: Records, permit: int) -> None:
        await records.sharing.keep(item)
        await records.feed.tell("shared", item, item.received_at)

    ask = system_ask(running.node.system, Thing.SHARED, "test")
    await running.node.gate.act(ask, work)
    assert running.node.gate.owner == AGENCY


async def test_an_operator_sees_it_with_its_owner_and_its_end(shared_node: RunningNode) -> None:
    operator = await shared_node.sign_in("operator")
    item = an_alert("ABC123 NM: stolen vehicle")
    async with operator.watched() as live:
        await comes_in(shared_node, item)
        told = (await live.told("shared"))["shared"]
    answer = (await operator.get("/api/shared")).json()
    [shown] = [one for one in answer["items"] if one["item_id"] == str(item.item_id)]
    assert shown == told
    assert (shown["grantor_name"], shown["agreement_id"]) == (
        "County Sheriff", str(item.agreement_id),
    )  # fmt: skip
    assert shown["purge_at"] > shown["received_at"]
    assert answer["permit"] > 0


async def test_no_memory_holds_what_was_deleted(shared_node: RunningNode) -> None:
    """Whoever comes late to the socket is not told what the store has forgotten."""
    item = an_alert("XYZ987 NM: stolen vehicle")
    await comes_in(shared_node, item)
    left = msgspec.structs.replace(item, title="", detail={}, purged=True)
    await comes_in(shared_node, left)
    hub = shared_node.node.hub

    def held() -> list[bytes]:
        told = [bytes(one.body) for one in hub._tail if one.kind == "shared"]
        return [body for body in told if str(item.item_id).encode() in body]

    await until(lambda: len(held()) == 1 and b"true" in held()[0])
    assert b"XYZ987" not in held()[0]


@pytest.mark.parametrize("persona", ["officer", "auditor"])
async def test_others_do_not(shared_node: RunningNode, persona: str) -> None:
    other = await shared_node.sign_in(persona)
    answer = await other.get("/api/shared")
    assert answer.status_code == 403
    assert "items" not in answer.json()


async def test_whose_commission_a_unit_holds_is_said_by_an_administrator(
    shared_node: RunningNode,
) -> None:
    await shared_node.unit("2A14")
    told = {"unit": "2A14", "nations": ["pueblo-pd"]}
    answer = await shared_node.admin("POST", "/api/admin/units/commission", told)
    assert answer.status_code == 200, answer.text
    unit = shared_node.node.positions.get(UnitId("2A14"))
    assert unit is not None
    assert unit.commissions == ("pueblo-pd",)
    told = {"unit": "9Z99", "nations": ["pueblo-pd"]}
    answer = await shared_node.admin("POST", "/api/admin/units/commission", told)
    assert answer.status_code == 404
