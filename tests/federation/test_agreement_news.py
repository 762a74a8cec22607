"""News of agreements go out by themselves, to a partner who was away as well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from farolito.federation import agreement_news
from farolito.federation.agreement_news import Told
from farolito.model import Because, Refused, Role, SignedAgreement
from tests.federation.agreeing import Desk
from tests.federation.neighbours import Neighbours

WAIT_S = 20.0


@pytest.fixture
def city(neighbours: Neighbours) -> Desk:
    return Desk(neighbours.city)


@pytest.fixture
def sheriff(neighbours: Neighbours) -> Desk:
    return Desk(neighbours.sheriff)


@asynccontextmanager
async def running(desk: Desk) -> AsyncIterator[None]:
    task = asyncio.create_task(desk.news.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Heard:
    """Waits until a side has heard that an agreement is in a state."""

    def __init__(self, desk: Desk) -> None:
        self.states: list[str] = []
        self._more = asyncio.Event()
        desk.book.on_changed.append(self._heard)

    async def _heard(self, signed: SignedAgreement) -> None:
        self.states.append(signed.state.value)
        self._more.set()

    async def until(self, state: str) -> None:
        async with asyncio.timeout(WAIT_S):
            while state not in self.states:
                await self._more.wait()
                self._more.clear()


async def signed_by_two(city: Desk, sheriff: Desk) -> SignedAgreement:
    first, second = await city.two()
    draft = (await city.desk.draft(city.ask(first.person), city.terms(sheriff.side))).value
    await first.sign(draft)
    return await second.sign(draft)


async def test_the_other_side_hears_by_itself(city: Desk, sheriff: Desk) -> None:
    heard = Heard(sheriff)
    async with running(city):
        signed = await signed_by_two(city, sheriff)
        await heard.until("in_force")
        chief = city.side.person(Role.SUPERVISOR)
        await city.desk.revoke(city.ask(chief), signed.agreement.agreement_id, Because.NOT_NEEDED)
        await heard.until("revoked")


async def test_who_was_away_hears_when_back(
    city: Desk, sheriff: Desk, neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agreement_news, "RETRY_S", 0.05)
    heard, pueblo = Heard(sheriff), Heard(Desk(neighbours.pueblo))
    neighbours.cut(city.side, sheriff.side)
    async with running(city):
        await signed_by_two(city, sheriff)
        # One that is away keeps nobody else waiting.
        first, second = await city.two()
        terms = city.terms(neighbours.pueblo)
        draft = (await city.desk.draft(city.ask(first.person), terms)).value
        await first.sign(draft)
        await second.sign(draft)
        await pueblo.until("in_force")
        assert heard.states == []
        neighbours.mend(city.side, sheriff.side)
        await heard.until("in_force")


async def test_an_answer_that_was_lost_is_given_again(city: Desk, sheriff: Desk) -> None:
    """Told twice, it is one agreement and one entry, and the receipt is the same."""
    signed = await signed_by_two(city, sheriff)
    told = Told(signed=signed, receipt="city-pd#0:00")
    answers = [
        (await city.side.post.ask(sheriff.side.agency_id, "agree", told)).body for _ in range(2)
    ]
    assert bytes(answers[0]) == bytes(answers[1])
    entries = [one.entry for one in await sheriff.side.ledger.entries(-1, 500)]
    assert len([e for e in entries if e["thing"] == "agreement"]) == 1


async def test_a_refusal_of_theirs_is_told_once_and_shown(
    city: Desk, sheriff: Desk, neighbours: Neighbours
) -> None:
    signed = await signed_by_two(city, sheriff)

    async def refuse(_: object) -> None:
        raise Refused("bad_agreement", "that is no agreement")

    sheriff.side.post._handlers["agree"] = refuse
    await city.tell()
    crossed = len(neighbours.wire.log)
    await city.tell()
    assert len(neighbours.wire.log) == crossed
    chief = city.ask(city.side.person(Role.SUPERVISOR))
    [one] = (await city.desk.all(chief)).value
    assert (one.signed, one.told) == (signed, "bad_agreement")
