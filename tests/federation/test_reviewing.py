"""What an owner finds of another agency's searches reaches that agency's own reviewers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from farolito.app.clock import ids
from farolito.federation.envelope import body_of
from farolito.federation.reviewing import Notice, Reviewing, Taken
from farolito.model import Refused, Role
from farolito.review.detectors import Rule
from tests.federation.askers import PLATE, Askers
from tests.federation.neighbours import Neighbours
from tests.review.test_watching import DAY_S, Watched


class Told(Watched):
    """With the messages between agencies."""

    def __init__(self, asker: Any) -> None:
        super().__init__(asker)
        side = self.side
        self.telling = Reviewing(
            side.gate, side.post, side.system, lambda: side.partners, self._crew, side.clock, ids
        )
        side.post.on("review", self.telling.take)


class Two:
    def __init__(self, neighbours: Neighbours) -> None:
        self.neighbours = neighbours
        askers = Askers(neighbours)
        self.city, self.sheriff = Told(askers.city), Told(askers.sheriff)
        askers.agree(askers.city, askers.sheriff)

    async def found(self, **more: Any) -> None:
        """The city finds that a detective of the sheriff's looked again and again."""
        for _ in range(3):
            self.city.side.later(DAY_S)
            await self.sheriff.asker.find(self.city.asker, **more)
        await self.city.heard()


@pytest.fixture
def two(neighbours: Neighbours) -> Two:
    return Two(neighbours)


async def test_the_askers_auditors_get_a_review_of_their_own_entries(two: Two) -> None:
    await two.found()
    assert await two.city.telling.tell() == 1
    (here,), (there,) = await two.city.all(), await two.sheriff.all()
    assert here.told_at is not None
    assert "0 of 3 searches are explained" in here.their_says
    assert (there.rule, there.told_by, there.about, there.assigned) == (
        Rule.REPEAT, "city-pd", two.sheriff.asker.detective.person_id, Role.AUDITOR,
    )  # fmt: skip
    entries = {e.index: e for e in await two.sheriff.asker.entries()}
    assert [f"county-so#{n}:{entries[n].leaf}" for n in there.entries] == list(here.receipts)
    assert await two.city.telling.tell() == 0  # once


async def test_a_notice_names_nobody_and_no_plate(two: Two) -> None:
    await two.found()
    before = len(two.neighbours.wire.log)
    await two.city.telling.tell()
    ((_, _, raw),) = two.neighbours.wire.log[before:]
    for secret in (PLATE, "Rivera", "2026-0117", str(two.sheriff.asker.detective.person_id)):
        assert secret.encode() not in raw


async def test_what_their_case_explains_is_said(two: Two) -> None:
    sheriff = two.sheriff
    second = sheriff.side.person(Role.DETECTIVE)
    told = (await sheriff.desk.explain(sheriff.asker.ask(), PLATE)).value
    await sheriff.desk.confirm(sheriff.asker.ask(person=second), told.explanation_id)
    await two.found()
    await two.city.telling.tell()
    (here,) = await two.city.all()
    assert "3 of 3 searches are explained" in here.their_says


async def test_a_partner_that_is_away_is_told_when_it_is_back(two: Two) -> None:
    await two.found()
    wires, city, sheriff = two.neighbours, two.city, two.sheriff
    wires.cut(city.side, sheriff.side)
    assert await city.telling.tell() == 0
    assert await sheriff.all() == []
    wires.mend(city.side, sheriff.side)
    assert await city.telling.tell() == 1
    assert len(await sheriff.all()) == 1


async def _send(two: Two, **changed: Any) -> Taken:
    (here,) = await two.city.all()
    told = Notice(rule=here.rule, says=here.says, receipts=here.receipts)
    back = await two.city.side.post.ask(
        two.sheriff.side.agency_id, "review", msgspec.structs.replace(told, **changed)
    )
    taken: Taken = body_of(back, Taken)
    return taken


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"rule": "somebody_else"}, "malformed"),
        ({"receipts": ()}, "malformed"),
        ({"receipts": ("county-so#0:" + "0" * 64,)}, "not_ours"),
        ({"receipts": ("county-so#99999999:" + "0" * 64,)}, "not_ours"),
        ({"receipts": ("county-so#x:y", "")}, "not_ours"),
    ],
)
async def test_what_is_no_notice_of_our_searches_is_refused(
    two: Two, changed: dict[str, Any], reason: str
) -> None:
    await two.found()
    with pytest.raises(Refused) as no:
        await _send(two, **changed)
    assert no.value.reason == reason
    assert await two.sheriff.all() == []


async def test_a_notice_that_comes_twice_is_one_review(two: Two) -> None:
    await two.found()
    assert (await _send(two)).count == 3
    assert (await _send(two)).count == 3
    assert len(await two.sheriff.all()) == 1
