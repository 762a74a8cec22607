"""Partners are told at once, again when they are back, and where joint units are."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from time import perf_counter

import pytest

from farolito.federation.lanes import HEARTBEAT, UnitStream
from farolito.model import Incident, ShareClass, UnitStatus
from farolito.model.call import CalledUnit
from tests.federation.sharers import Sharers
from tests.running import until

SHARED_S = 0.5  # the goal of p99 on a quiet machine (farolito bench metro); tests share theirs


async def test_a_change_is_on_the_partners_feed_within_half_a_second(sharers: Sharers) -> None:
    city, sheriff = sharers.city, sharers.sheriff
    sharers.agree(city, sheriff, classes={ShareClass.ALERT: "full"})
    heard = asyncio.Event()
    sheriff.side.gate.after_act = heard.set
    took = []
    async with city.running():
        await until(lambda: bool(city.lanes._partners))
        for n in range(20):
            heard.clear()
            started = perf_counter()
            await city.confirmed(f"ABC1{n:02}")
            confirmed = perf_counter()
            async with asyncio.timeout(5):
                while len(await sheriff.shown()) <= n:
                    await heard.wait()
                    heard.clear()
            took.append(perf_counter() - confirmed)
            assert started < confirmed
    took.sort()
    print(f"change to partner's feed, ms: p50 {1e3 * took[10]:.0f}, max {1e3 * took[-1]:.0f}")
    assert took[10] < SHARED_S


@pytest.mark.parametrize("turns", range(6))
async def test_lanes_woken_while_they_are_stopped_stop(sharers: Sharers, turns: int) -> None:
    city, sheriff = sharers.city, sharers.sheriff
    sharers.agree(city, sheriff, classes={ShareClass.ALERT: "full"})
    running = asyncio.create_task(city.lanes.run())
    await until(lambda: bool(city.lanes._partners))
    for _ in range(20):  # every lane waits for news
        await asyncio.sleep(0.005)
    city.lanes.wake(sheriff.agency_id)
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(running, return_exceptions=True)


async def test_a_partner_that_comes_back_gets_what_waited_by_itself(sharers: Sharers) -> None:
    city, sheriff = sharers.city, sharers.sheriff
    sharers.agree(city, sheriff, classes={ShareClass.ALERT: "full"})
    sharers.neighbours.cut(city.side, sheriff.side)
    async with city.running():
        await until(lambda: bool(city.lanes._partners))
        await city.confirmed("ABC123")
        await until(lambda: sheriff.agency_id in city.lanes.away_since)
        assert city.lanes.health()[sheriff.agency_id]["away_since"] == city.side.clock()
        sharers.neighbours.mend(city.side, sheriff.side)
        async with asyncio.timeout(10):
            while not await sheriff.shown():
                await asyncio.sleep(0.05)
        await until(lambda: not city.lanes.away_since)


async def test_a_partner_that_is_away_holds_up_no_other(sharers: Sharers) -> None:
    city, sheriff, pueblo = sharers.city, sharers.sheriff, sharers.pueblo
    for partner in (sheriff, pueblo):
        sharers.agree(city, partner, classes={ShareClass.ALERT: "full"})
    sharers.neighbours.cut(city.side, sheriff.side)
    async with city.running():
        await until(lambda: len(city.lanes._partners) == 2)
        await city.confirmed("ABC123")
        async with asyncio.timeout(5):
            while not await pueblo.shown():
                await asyncio.sleep(0.05)


class Joint:
    """A call in the city that the sheriff knows of, with two of the city's units on it."""

    def __init__(self, sharers: Sharers) -> None:
        self.city, self.sheriff = sharers.city, sharers.sheriff
        self.agreement = sharers.agree(
            self.city, self.sheriff,
            classes={ShareClass.INCIDENT: "full", ShareClass.UNIT: "full"},
        )  # fmt: skip
        self.stream = UnitStream(
            self.city.sender, self.city.side.gate, self.city.flows, self.city.side.clock,
            self.sheriff.agency_id,
        )  # fmt: skip

    async def called(self, *units: str, status: UnitStatus = UnitStatus.EN_ROUTE) -> Incident:
        now = self.city.side.clock()
        told = tuple(CalledUnit(unit=u, status=status, at=now) for u in units)  # type: ignore[arg-type]
        incident = await self.city.call("1", units=told)
        await self.city.send(self.sheriff)
        return incident

    async def tell(self) -> None:
        await self.stream.tell(self.city.units)

    async def units(self) -> list[str]:
        return sorted(i.title for i in await self.sheriff.shown() if i.kind is ShareClass.UNIT)


async def test_units_of_a_joint_call_are_followed_and_no_other(sharers: Sharers) -> None:
    joint = Joint(sharers)
    for name in ("2A14", "2A15", "9Z99"):
        joint.city.unit(name)
    joint.city.unit("UC1", muted=True)
    await joint.called("2A14", "2A15", "UC1")
    await joint.tell()
    assert await joint.units() == ["2A14", "2A15"]


async def test_a_unit_that_is_muted_or_cleared_is_gone_from_the_partner_at_once(
    sharers: Sharers,
) -> None:
    joint = Joint(sharers)
    joint.city.unit("2A14")
    joint.city.unit("2A15")
    await joint.called("2A14", "2A15")
    await joint.tell()
    joint.city.unit("2A14", muted=True)
    await joint.tell()
    assert await joint.units() == ["2A15"]
    joint.city.side.later(1)
    await joint.called("2A15", status=UnitStatus.CLEARED)
    await joint.tell()
    assert await joint.units() == []
    gone = [fed for fed in await joint.sheriff.fed() if fed["kind"] == "unit"]
    assert all(fed["purged"] for fed in gone), "no track of it is left in the feed"


async def test_positions_cost_an_entry_a_minute_not_one_each(sharers: Sharers) -> None:
    joint = Joint(sharers)
    joint.city.unit("2A14")
    await joint.called("2A14")
    before = [len(await joint.city.entries()), len(await joint.sheriff.entries())]
    seconds = int(HEARTBEAT / timedelta(seconds=1))
    for _ in range(seconds):
        joint.city.side.later(1)
        joint.city.unit("2A14")
        await joint.tell()
    assert [
        len(await joint.city.entries()) - before[0],
        len(await joint.sheriff.entries()) - before[1],
    ] == [1, 1]
    assert len([f for f in await joint.sheriff.fed() if f["kind"] == "unit"]) <= 2


async def test_a_revoked_agreement_stops_the_stream_at_the_next_second(sharers: Sharers) -> None:
    joint = Joint(sharers)
    joint.city.unit("2A14")
    await joint.called("2A14")
    await joint.tell()
    sharers.revoke(joint.agreement)
    crossed = len(sharers.neighbours.wire.log)
    joint.city.side.later(1)
    joint.city.unit("2A14")
    await joint.tell()
    assert await joint.units() == []
    assert len(sharers.neighbours.wire.log) == crossed + 1, "only that it is no longer followed"
