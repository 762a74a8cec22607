"""What a dispatch system tells is taken in once, whole, in any order, and never shown as surer
than it is."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from farolito.gate import LedgerDown
from farolito.model import (
    Call,
    CalledUnit,
    CallKind,
    CallNote,
    CallState,
    CallUpdate,
    Doubt,
    Hazard,
    HazardKind,
    Incident,
    IncidentState,
    Level,
    UnitId,
    UnitStatus,
)
from farolito.store import Records
from tests.desk.city import START, UNIT, City, NoMap, spot

HOUR = timedelta(hours=1)


async def call_of(city: City, number: str) -> Call:
    async with city.records() as records:
        call = await records.calls.by_number(number)
        assert call is not None
        return call


def unit(city: City, status: UnitStatus, name: UnitId = UNIT) -> tuple[CalledUnit, ...]:
    return (CalledUnit(unit=name, status=status, at=city.clock()),)


async def test_a_first_message_opens_an_incident_with_the_dispatchers_words(city: City) -> None:
    incident = await city.shots("26-1", 300, 300, kind_says="SHOTS FIRED", priority=Level.P1,
                                address="4th St @ D Ave")  # fmt: skip
    assert (incident.kind, incident.level) == (CallKind.SHOTS_FIRED, Level.P1)
    assert (incident.where, incident.version, incident.doubtful) == ("4th St @ D Ave", 1, False)
    assert await city.log(incident) == [
        ("call_opened", "Call 26-1: SHOTS FIRED, P1, 4th St @ D Ave")
    ]


async def test_the_same_message_told_again_changes_nothing(city: City) -> None:
    update = city.update("26-1", kind=CallKind.THEFT, place=spot(0, 0), priority=Level.P2)
    await city.dispatch.hear([update])
    before = await city.incident_of("26-1")
    city.later(5)
    await city.dispatch.hear([update])
    await city.told("26-1", kind=CallKind.THEFT, priority=Level.P2)  # a newer one, the same words
    assert await city.incident_of("26-1") == before
    assert len(await city.log(before)) == 1


async def test_a_file_read_again_is_known_by_its_mark(city: City) -> None:
    first = [city.update("26-1", kind=CallKind.THEFT)]
    assert await city.dispatch.hear(first, ("cad-1", "sha-1"))
    assert not await city.dispatch.hear([city.update("26-2")], ("cad-1", "sha-1"))
    assert await city.dispatch.hear([city.update("26-2")], ("cad-2", "sha-1"))
    assert len(await city.open_ones()) == 2


async def test_a_change_that_fails_half_way_leaves_nothing_behind(city: City) -> None:
    """As kill -9 in the middle would: the transaction and the mark go together."""

    class Killed(Exception):
        pass

    async def die(records: Records, incident: Incident, what: str, permit: int) -> None:
        if incident.parts[0].label == "26-2":
            raise Killed

    city.dispatch.followers.append(die)
    both = [city.update("26-1", place=spot(0, 0)), city.update("26-2", place=spot(900, 0))]
    with pytest.raises(Killed):
        await city.dispatch.hear(both, ("cad-1", "file"))
    assert await city.open_ones() == []
    city.dispatch.followers.clear()
    assert await city.dispatch.hear(both, ("cad-1", "file"))
    assert len(await city.open_ones()) == 2


async def test_a_late_message_fills_gaps_and_overwrites_nothing_newer(city: City) -> None:
    old = city.update(
        "26-1", priority=Level.P3, people="two men", address="4th St @ D Ave",
        notes=(CallNote(note_id="1", at=city.clock(), says="caller hears shouting"),),
        hazards=(Hazard(kind=HazardKind.DOG, says="loose dog", source="caller",
                        as_of=city.clock()),),
    )  # fmt: skip
    city.later(60)
    await city.told("26-1", kind=CallKind.WEAPON, priority=Level.P1, place=spot(300, 300))
    await city.dispatch.hear([old])
    call, incident = await call_of(city, "26-1"), await city.incident_of("26-1")
    assert (call.priority, call.people) == (Level.P1, "two men")
    assert (call.notes[0].says, call.hazards[0].says) == ("caller hears shouting", "loose dog")
    assert (incident.level, incident.where) == (Level.P1, "4th St @ D Ave")
    assert Doubt.OUT_OF_ORDER.value in dict(await city.log(incident))["doubt"]


@pytest.mark.parametrize("off", [HOUR, -HOUR])
async def test_a_clock_an_hour_off_is_not_believed(city: City, off: timedelta) -> None:
    def by_its_clock(**told: object) -> CallUpdate:
        return city.update("26-1", sent_at=city.clock() + off, **told)

    await city.dispatch.hear([by_its_clock(kind=CallKind.THEFT, taken_at=START + off)])
    city.later(60)
    there = CalledUnit(unit=UNIT, status=UnitStatus.EN_ROUTE, at=city.clock() + off)
    await city.dispatch.hear([by_its_clock(units=(there,))])
    incident = await city.incident_of("26-1")
    assert (await call_of(city, "26-1")).doubts == (Doubt.CLOCK_SKEW, Doubt.NO_PLACE)
    assert incident.doubtful
    assert Doubt.CLOCK_SKEW.value in str(await city.log(incident))
    assert incident.units == (
        CalledUnit(unit=UNIT, status=UnitStatus.EN_ROUTE, at=city.clock()),
    ), "by our clock"
    # What an officer taps a minute later is newer than what the wrong clock said before.
    city.later(60)
    async with city.records() as records:
        await city.dispatch.status_in(
            records, incident.incident_id, UNIT, UnitStatus.ON_SCENE, "", city.ask(), 1
        )
    city.later(60)
    await city.dispatch.hear([by_its_clock(units=(there,))])
    assert (await city.incident_of("26-1")).units[0].status is UnitStatus.ON_SCENE


async def test_an_old_message_of_a_right_clock_is_late_and_not_skewed(city: City) -> None:
    late = city.update("26-1", kind=CallKind.THEFT, state=CallState.OPEN)
    city.later(30)
    await city.told("26-1", kind=CallKind.ROBBERY, state=CallState.CLOSED)
    now = city.later(1200)
    await city.dispatch.hear([city.update("26-1", sent_at=late.sent_at, told_at=now,
                                          kind=late.kind, state=late.state)])  # fmt: skip
    call = await call_of(city, "26-1")
    assert (call.kind, call.state, call.doubts) == (
        CallKind.ROBBERY, CallState.CLOSED, (Doubt.NO_PLACE,)
    )  # fmt: skip


async def test_a_call_without_a_place_is_looked_up_on_the_map(city: City) -> None:
    incident = await city.told("26-1", kind=CallKind.THEFT, address="4th St and D Ave")
    call = await call_of(city, "26-1")
    assert (call.place_from, call.within_m, call.doubts) == ("map", 25.0, ())
    assert incident.place == call.place
    assert not incident.doubtful


async def test_a_call_whose_place_nobody_finds_says_so(city: City) -> None:
    incident = await city.told("26-1", kind=CallKind.THEFT, address="Behind the old mill")
    assert (incident.where, incident.place) == ("Behind the old mill (place not found)", None)
    assert incident.doubtful
    nowhere = await city.told("26-2", kind=CallKind.THEFT)
    assert (nowhere.where, nowhere.place) == ("place not told", None)


async def test_coordinates_away_from_their_address_are_shown_as_doubtful(city: City) -> None:
    incident = await city.told(
        "26-1", kind=CallKind.THEFT, address="4th St @ D Ave", place=spot(300, 560)
    )
    call = await call_of(city, "26-1")
    assert (call.doubts, call.place) == ((Doubt.PLACES_DIFFER,), spot(300, 560))
    assert incident.where == "4th St @ D Ave (the coordinates lie elsewhere)"
    assert incident.doubtful
    assert Doubt.PLACES_DIFFER.value in dict(await city.log(incident))["doubt"]
    # Put right, it is sure again; and it was never joined to what is near the wrong place.
    near = await city.told("26-2", kind=CallKind.THEFT, place=spot(300, 555))
    assert near.incident_id != incident.incident_id
    city.later(10)
    assert not (await city.told("26-1", place=spot(300, 310))).doubtful


async def test_a_place_that_is_a_whole_street_is_doubtful(city: City) -> None:
    incident = await city.told("26-1", kind=CallKind.THEFT, place=spot(0, 0), within_m=400.0)
    assert (await call_of(city, "26-1")).doubts == (Doubt.ABOUT,)
    assert incident.doubtful


async def test_without_a_map_coordinates_are_taken_as_they_are(city: City) -> None:
    city.use(NoMap())
    incident = await city.told("26-1", kind=CallKind.THEFT, place=spot(0, 0))
    assert (incident.place, incident.doubtful) == (spot(0, 0), False)
    assert incident.where == f"{spot(0, 0).lat:.5f}, {spot(0, 0).lon:.5f}"


async def test_units_are_followed_from_their_assignment_until_they_clear(city: City) -> None:
    await city.shots("26-1", 0, 0, units=unit(city, UnitStatus.ASSIGNED))
    for status in (UnitStatus.EN_ROUTE, UnitStatus.ON_SCENE, UnitStatus.CLEARED):
        city.later(60)
        incident = await city.told("26-1", units=unit(city, status))
        assert [u.status for u in incident.units] == [status]
    assert (await city.words(incident))[1:] == [
        "unit_assigned", "unit_en_route", "unit_on_scene", "unit_cleared"
    ]  # fmt: skip


async def test_a_unit_that_the_whole_no_longer_names_was_cleared(city: City) -> None:
    other = UnitId("2A20")
    both = (*unit(city, UnitStatus.EN_ROUTE), *unit(city, UnitStatus.EN_ROUTE, other))
    await city.shots("26-1", 0, 0, units=both)
    city.later(60)
    incident = await city.told("26-1", units=unit(city, UnitStatus.EN_ROUTE))
    assert {u.unit: u.status for u in incident.units} == {
        UNIT: UnitStatus.EN_ROUTE, other: UnitStatus.CLEARED
    }  # fmt: skip


async def test_a_closed_call_closes_its_incident_and_an_open_one_reopens_it(city: City) -> None:
    await city.shots("26-1", 0, 0, units=unit(city, UnitStatus.ON_SCENE))
    late = city.update("26-1", units=unit(city, UnitStatus.EN_ROUTE))
    city.later(60)
    closed = await city.told("26-1", state=CallState.CLOSED)
    assert (closed.state, closed.units[0].status) == (IncidentState.CLOSED, UnitStatus.CLEARED)
    city.later(5)
    await city.dispatch.hear([late])
    assert (await city.incident_of("26-1")).state is IncidentState.CLOSED, "a late unit"
    city.later(60)
    again = await city.told("26-1", state=CallState.OPEN)
    assert (again.incident_id, again.state) == (closed.incident_id, IncidentState.OPEN)
    assert [w for w in await city.words(again) if w in {"closed", "reopened"}] == [
        "closed", "reopened"
    ]  # fmt: skip


async def test_an_incident_stays_open_while_a_unit_is_on_it(city: City) -> None:
    await city.shots("26-1", 0, 0, units=unit(city, UnitStatus.ON_SCENE))
    city.later(60)
    still = await city.told("26-1", state=CallState.CLOSED, units=unit(city, UnitStatus.ON_SCENE))
    assert still.state is IncidentState.OPEN
    city.later(60)
    done = await city.told("26-1", units=unit(city, UnitStatus.CLEARED))
    assert done.state is IncidentState.CLOSED


async def test_a_call_goes_to_another_agency_and_comes_back(city: City) -> None:
    await city.shots("26-1", 0, 0)
    city.later(60)
    gone = await city.told("26-1", transferred_to="NM9990200")
    assert gone.state is IncidentState.CLOSED
    assert ("transferred", "Call 26-1 transferred to NM9990200") in await city.log(gone)
    city.later(60)
    back = await city.told("26-1", state=CallState.OPEN, transferred_from="NM9990200")
    assert back.state is IncidentState.OPEN
    taken = await city.told("26-9", kind=CallKind.THEFT, transferred_from="NM9990200")
    assert ("transferred", "Call 26-9 came from NM9990200") in await city.log(taken)


async def test_two_updates_of_one_call_at_once_both_stand(city: City) -> None:
    await city.shots("26-1", 0, 0)
    city.later(10)
    await asyncio.gather(
        *(
            city.dispatch.hear([city.update("26-1", notes=(
                CallNote(note_id=str(n), at=city.clock(), says=f"remark {n}"),))])
            for n in range(20)
        )
    )  # fmt: skip
    assert len((await call_of(city, "26-1")).notes) == 20
    assert (await city.incident_of("26-1")).version == 21


async def test_twenty_callers_at_once_are_one_incident(city: City) -> None:
    updates = [
        city.update(f"26-{n}", kind=CallKind.SHOTS_FIRED, place=spot(300 + 5 * n, 300))
        for n in range(20)
    ]
    await asyncio.gather(*(city.dispatch.hear([one]) for one in updates))
    [incident] = await city.open_ones()
    assert len(incident.parts) == 20
    assert {(await city.incident_of(u.number)).incident_id for u in updates} == {
        incident.incident_id
    }


async def test_screens_and_followers_hear_of_every_version_once(city: City) -> None:
    heard: list[tuple[int, str]] = []

    async def follow(records: Records, incident: Incident, what: str, permit: int) -> None:
        heard.append((incident.version, what))

    city.dispatch.followers.append(follow)
    incident = await city.shots("26-1", 0, 0)
    city.later(5)
    await city.told("26-1", priority=Level.P1, people="two men")
    city.later(5)
    await city.told("26-1", state=CallState.CLOSED)
    assert heard == [(1, "call_opened"), (2, "call_updated"), (3, "closed")]
    async with city.records() as records:
        items = await records.feed.after(0)
        versions = await records.incidents.versions(incident.incident_id)
    assert items is not None
    assert [item.kind for item in items] == ["incident"] * 3
    assert [v.version for v in versions] == [1, 2, 3]


async def test_a_call_comes_in_while_the_ledger_is_down_and_is_written_afterwards(
    city: City,
) -> None:
    """Officers on the way do not wait for a ledger; people who look do."""
    await city.ledger.close()
    await city.shots("26-1", 0, 0)
    assert city.spool.waiting == 1
    with pytest.raises(LedgerDown):
        await city.dispatch.all(city.ask())
