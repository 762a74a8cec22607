"""Calls and incidents end with their keeping, and nothing of them stays behind."""

from __future__ import annotations

from datetime import timedelta

from farolito.app.retention import Keeping
from farolito.model import CallVehicle, LineKind
from farolito.policy import load_pack
from tests.desk.city import AGENCY, START, City

TABLES = ("calls", "call_plates", "incidents", "incident_versions", "incident_parts",
          "incident_log")  # fmt: skip


async def counts(city: City) -> dict[str, int]:
    async with city.records() as records:
        return {
            table: await records.connection.fetchval(f"select count(*) from {table}")
            for table in TABLES
        }


def test_calls_are_kept_as_long_as_the_agency_says() -> None:
    assert Keeping.of(AGENCY, load_pack("us-nm")).calls == AGENCY.keep_calls.days


async def test_an_old_incident_ends_with_its_calls_and_a_newer_one_stays(city: City) -> None:
    car = (CallVehicle(plate="ABC123"),)
    old = await city.shots("26-1", 0, 0, vehicles=car)
    await city.dispatch.add_fact(city.ask(), old.incident_id, LineKind.WHAT, "a fact")
    city.later(timedelta(days=40).total_seconds())
    kept = await city.shots("26-2", 0, 0)
    day = (START + timedelta(days=30)).date()
    async with city.records() as records:
        await records.feed.hold()
        assert await records.incidents.end_before(day) == 1
        assert await records.calls.end_before(day) == 1
    assert await counts(city) == dict.fromkeys(TABLES, 1) | {"call_plates": 0}
    assert await city.incident_of("26-2") == kept


async def test_an_old_call_of_an_incident_still_at_work_stays_with_it(city: City) -> None:
    await city.shots("26-1", 0, 0)
    await city.shots("26-2", 10, 0)
    city.later(timedelta(days=40).total_seconds())
    whole = await city.told("26-2", people="two men")
    day = (START + timedelta(days=30)).date()
    async with city.records() as records:
        assert await records.incidents.end_before(day) == 0
        assert await records.calls.end_before(day) == 0
    assert await city.incident_of("26-1") == whole
