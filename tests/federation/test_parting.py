"""The end of a partnership: both delete, and both can prove what the other says it deleted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from farolito.federation.parting import TOLD_FOR
from farolito.model import AgencyId, Away, Invalid, PartnerState, Refused
from tests.federation.neighbours import Neighbours
from tests.federation.strangers import Stranger, join, strangers


class Shelf:
    """What one node had of its partners. Deleting it a second time deletes nothing."""

    def __init__(self, node: Stranger, count: int) -> None:
        self.node, self.count, self.away = node, count, False
        node.parting.on_leave.append(self.purge)

    async def purge(self, partner: AgencyId) -> Mapping[str, Any]:
        if self.away:
            raise Away("the records do not answer")
        count, self.count = self.count, 0
        return {"shared": count}


@pytest.fixture
async def both(neighbours: Neighbours) -> tuple[Stranger, Stranger]:
    city, sheriff, _ = await strangers(neighbours)
    await join(city, sheriff)
    return city, sheriff


async def test_both_sides_delete_and_keep_the_others_receipt(
    both: tuple[Stranger, Stranger],
) -> None:
    city, sheriff = both
    Shelf(city, 7), Shelf(sheriff, 3)
    left = (await city.parting.leave(city.ask(), sheriff.agency_id)).value
    assert left.partner.state is PartnerState.LEFT
    assert left.purged == {"shared": 7}
    assert left.proof is not None
    assert left.proof["purged"] == {"shared": 3}
    theirs = sheriff.book.known()[city.agency_id]
    assert theirs.ended_by == city.agency_id
    assert theirs.purged == {"shared": 3}
    assert theirs.proof is not None
    assert theirs.proof["purged"] == {"shared": 7}


async def test_the_receipt_is_of_an_entry_in_the_others_ledger(
    both: tuple[Stranger, Stranger],
) -> None:
    city, sheriff = both
    left = (await city.parting.leave(city.ask(), sheriff.agency_id)).value
    assert left.proof is not None
    agency, _, rest = left.proof["receipt"].partition("#")
    assert agency == sheriff.agency_id
    index = int(rest.partition(":")[0])
    assert await sheriff.side.gate.receipt(index) == left.proof["receipt"]
    newest = [
        msgspec.json.decode(await city.side.ledger.entry(i))
        for i in range(city.side.ledger.status().size)
    ]
    assert left.proof["receipt"] in {one.get("counterpart") for one in newest}


async def test_after_the_end_neither_takes_anything_of_the_other(
    both: tuple[Stranger, Stranger],
) -> None:
    city, sheriff = both
    await city.parting.leave(city.ask(), sheriff.agency_id)
    for one, other in ((city, sheriff), (sheriff, city)):
        assert one.side.post.keys == {}
        with pytest.raises((Refused, Away)):
            await other.side.post.ask(one.agency_id, "hello", {})
    assert city.cables.ends == {}
    with pytest.raises(Invalid):
        await city.book.confirm(city.ask(), sheriff.agency_id, sheriff.book.own_fingerprint)


async def test_a_partner_that_is_away_is_told_when_it_is_back(
    neighbours: Neighbours, both: tuple[Stranger, Stranger]
) -> None:
    city, sheriff = both
    Shelf(city, 7), Shelf(sheriff, 3)
    neighbours.cut(city.side, sheriff.side)
    left = (await city.parting.leave(city.ask(), sheriff.agency_id)).value
    assert left.purged == {"shared": 7}
    assert left.proof is None
    assert city.side.post.keys == {}
    assert city.agency_id in sheriff.book.confirmed()
    neighbours.mend(city.side, sheriff.side)
    # Until it has heard of it, what it sends is refused.
    with pytest.raises(Refused) as refused:
        await sheriff.side.post.ask(city.agency_id, "hello", {})
    assert refused.value.reason == "not_a_partner"
    await city.parting.round()
    proof = city.book.known()[sheriff.agency_id].proof
    assert proof is not None
    assert proof["purged"] == {"shared": 3}
    assert not sheriff.book.confirmed()


async def test_deleting_that_failed_is_done_again_before_the_answer(
    both: tuple[Stranger, Stranger],
) -> None:
    city, sheriff = both
    shelf = Shelf(sheriff, 3)
    shelf.away = True
    left = (await city.parting.leave(city.ask(), sheriff.agency_id)).value
    assert left.proof is None
    assert not sheriff.book.confirmed()
    shelf.away = False
    await city.parting.round()
    proof = city.book.known()[sheriff.agency_id].proof
    assert proof is not None
    assert proof["purged"] == {"shared": 3}


async def test_a_node_that_was_stopped_in_between_goes_on_after_its_start(
    neighbours: Neighbours, both: tuple[Stranger, Stranger]
) -> None:
    city, sheriff = both
    shelf = Shelf(city, 7)
    shelf.away = True
    neighbours.cut(city.side, sheriff.side)
    assert (await city.parting.leave(city.ask(), sheriff.agency_id)).value.purged is None
    neighbours.mend(city.side, sheriff.side)
    city.use(city.side.card)
    Shelf(city, 7)
    await city.book.load()
    await city.parting.round()
    known = city.book.known()[sheriff.agency_id]
    assert known.purged == {"shared": 7}
    assert known.proof is not None


async def test_both_may_leave_at_once(
    neighbours: Neighbours, both: tuple[Stranger, Stranger]
) -> None:
    city, sheriff = both
    Shelf(city, 7), Shelf(sheriff, 3)
    neighbours.cut(city.side, sheriff.side)
    await city.parting.leave(city.ask(), sheriff.agency_id)
    await sheriff.parting.leave(sheriff.ask(), city.agency_id)
    neighbours.mend(city.side, sheriff.side)
    await city.parting.round()
    await sheriff.parting.round()
    for one, other, count in ((city, sheriff, 3), (sheriff, city, 7)):
        proof = one.book.known()[other.agency_id].proof
        assert proof is not None
        assert proof["purged"] == {"shared": count}


async def test_the_line_of_whoever_stays_away_ends_at_last(
    neighbours: Neighbours, both: tuple[Stranger, Stranger]
) -> None:
    city, sheriff = both
    neighbours.cut(city.side, sheriff.side)
    await city.parting.leave(city.ask(), sheriff.agency_id)
    assert sheriff.agency_id in city.cables.ends
    city.side.later(TOLD_FOR / timedelta(seconds=1) + 1)
    await city.parting.round()
    assert city.cables.ends == {}
    assert city.side.post.parted == {}


async def test_who_left_may_join_again_and_people_compare_again(
    both: tuple[Stranger, Stranger],
) -> None:
    city, sheriff = both
    await city.parting.leave(city.ask(), sheriff.agency_id)
    await sheriff.joining.join(sheriff.ask(), await city.code())
    assert not city.book.confirmed()
    await city.confirm(sheriff)
    assert city.book.known()[sheriff.agency_id].proof is None


async def test_leaving_all_ends_it_with_everybody(neighbours: Neighbours) -> None:
    city, sheriff, pueblo = await strangers(neighbours)
    await join(city, sheriff)
    await join(city, pueblo)
    left = await city.parting.leave_all(city.ask())
    assert {one.value.agency_id for one in left} == {sheriff.agency_id, pueblo.agency_id}
    assert not city.book.partners()
