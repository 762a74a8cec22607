"""What the gate's entries hold of other agencies, and rules that change while a node runs."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest

from farolito.audit import LedgerDown
from farolito.audit.tree import leaf_hash
from farolito.gate import Records
from farolito.model import AgreementId, Purpose, Refused, Role, Thing
from farolito.policy import Policies
from tests.federation.conftest import neighbours
from tests.federation.neighbours import Neighbours

__all__ = ["neighbours"]

AGREEMENT = AgreementId(UUID(int=7))


async def nothing(records: Records, permit: int) -> None:
    return None


async def test_an_entry_names_the_agreement_the_other_side_and_its_receipt(
    neighbours: Neighbours,
) -> None:
    city = neighbours.city
    ask = city.ask(city.person(Role.OPERATOR), Thing.PARTNER, Purpose.IN_PROGRESS_CALL)
    told = msgspec.structs.replace(
        ask, agreement=AGREEMENT, counterpart="county-so#4:ab", ori="NM9990200"
    )
    permit = (await city.gate.read(told, nothing)).permit
    entry = (await city.ledger.entries(permit - 1, 1))[0].entry
    assert (entry["agreement"], entry["counterpart"], entry["ori"]) == (
        str(AGREEMENT), "county-so#4:ab", "NM9990200",
    )  # fmt: skip


async def test_a_receipt_names_ledger_number_and_leaf(neighbours: Neighbours) -> None:
    city = neighbours.city
    ask = city.ask(city.person(Role.OPERATOR), Thing.PARTNER, Purpose.IN_PROGRESS_CALL)
    permit = (await city.gate.read(ask, nothing)).permit
    leaf = leaf_hash(await city.ledger.entry(permit)).hex()
    assert await city.gate.receipt(permit) == f"city-pd#{permit}:{leaf}"
    city.gate._leaves.clear()  # as after a restart
    assert await city.gate.receipt(permit) == f"city-pd#{permit}:{leaf}"
    with pytest.raises(LedgerDown):
        await city.gate.receipt(-1)


async def test_new_rules_decide_from_the_next_question_on(neighbours: Neighbours) -> None:
    city = neighbours.city
    ask = city.ask(city.person(Role.OPERATOR), Thing.PARTNER, Purpose.IN_PROGRESS_CALL)
    before = city.gate.policies
    await city.gate.read(ask, nothing)
    looked_again: list[str] = []
    city.gate.after_rules.append(lambda: looked_again.append("now"))
    city.gate.use(Policies.load("us-nm", [neighbours.sheriff.agency]))  # knows us no more
    with pytest.raises(Refused):
        await city.gate.read(ask, nothing)
    city.gate.use(before)
    await city.gate.read(ask, nothing)
    assert looked_again == ["now", "now"]
