"""A plate alert is part of an incident: for operators from the first, for all once a person has
confirmed it, and out of it again when it was wrong."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import msgspec

from farolito.desk import RejectReason
from farolito.gate import Ask
from farolito.model import (
    Alert,
    AlertState,
    CallKind,
    CallVehicle,
    Incident,
    IncidentState,
    LinkBy,
    Match,
    Outcome,
    PartKind,
    PlateRead,
    Purpose,
    ReadId,
    Standing,
    Thing,
)
from tests.desk.city import AGENCY, City, spot
from tests.plates.plate_builders import read, row

K = CallKind


def passing(city: City, plate: str, x: float, y: float) -> PlateRead:
    return msgspec.structs.replace(
        read(plate, captured_at=city.clock()), agency=AGENCY.agency_id,
        read_id=ReadId(uuid4()), event=str(uuid4()), place=spot(x, y),
    )  # fmt: skip


async def seen(city: City, plate: str, x: float, y: float) -> Alert:
    entry = msgspec.structs.replace(row(plate, number=int(plate, 36)), agency=AGENCY.agency_id)
    match = Match(
        read=passing(city, plate, x, y), entry=entry, standing=Standing.LEAD, posterior=0.99,
        checks=(),
    )  # fmt: skip
    alert = await city.desk.raise_match(match)
    assert alert is not None
    return alert


def queue(city: City) -> Ask:
    return msgspec.structs.replace(city.ask(), thing=Thing.ALERT, purpose=Purpose.HOT_LIST_ALERT)


async def home_of(city: City, alert: Alert) -> Incident | None:
    async with city.records() as records:
        home = await records.incidents.of_part(alert.alert_id)
        return await records.incidents.get(home) if home else None


async def confirmed(city: City, alert: Alert) -> Alert:
    return (
        await city.desk.confirm(queue(city), alert.alert_id, alert.version, state_confirmed=True)
    ).value


async def closed(city: City, alert: Alert) -> None:
    """As the officer's answer does, in the transaction of the brief."""
    async with city.records() as records:
        after = await city.desk.close_in(records, alert.alert_id, Outcome.GONE, city.ask(), 1)
        await city.dispatch.follow_alert(records, after, "Outcome: gone")


async def test_an_alert_nobody_confirmed_opens_no_incident(city: City) -> None:
    alert = await seen(city, "ABC123", 0, 0)
    assert await home_of(city, alert) is None
    assert await city.open_ones() == []


async def test_a_confirmed_alert_opens_its_own_and_follows_the_car(city: City) -> None:
    alert = await confirmed(city, await seen(city, "ABC123", 0, 0))
    incident = await home_of(city, alert)
    assert incident is not None
    assert (incident.kind, incident.level, incident.place) == (
        K.WANTED_VEHICLE, alert.level, spot(0, 0)
    )  # fmt: skip
    assert incident.kind_says == "stolen vehicle"
    assert await city.words(incident) == ["alert_confirmed"]
    city.later(60)
    await seen(city, "ABC123", 500, 0)
    moved = await city.incident(incident.incident_id)
    assert (moved.place, moved.version) == (spot(500, 0), 2)
    assert (await city.words(moved))[-1] == "alert_seen"
    await closed(city, alert)
    done = await city.incident(incident.incident_id)
    assert (done.state, (await city.words(done))[-2:]) == (
        IncidentState.CLOSED, ["alert_closed", "closed"]
    )  # fmt: skip


async def test_an_unconfirmed_alert_is_a_part_that_changes_nothing(city: City) -> None:
    car = CallVehicle(plate="ABC 123", state="NM")
    before = await city.told("26-1", kind=K.STOLEN_VEHICLE, place=spot(0, 0), vehicles=(car,))
    city.later(600)
    alert = await seen(city, "ABC123", 900, 900)
    after = await home_of(city, alert)
    assert after is not None
    assert after.incident_id == before.incident_id
    part = after.parts[1]
    assert (part.kind, part.link.by, part.is_confirmed) == (PartKind.ALERT, LinkBy.PLATE, False)
    assert (after.kind, after.level, after.where, after.place) == (
        before.kind, before.level, before.where, before.place
    )  # fmt: skip
    assert "not confirmed by a person" in dict(await city.log(after))["alert_linked"]
    await confirmed(city, alert)
    sure = await city.incident(before.incident_id)
    assert (sure.parts[1].is_confirmed, sure.level) == (True, alert.level)
    assert (await city.words(sure))[-1] == "alert_confirmed"


async def test_a_call_that_names_the_plate_later_takes_the_waiting_alert_in(city: City) -> None:
    alert = await seen(city, "ABC123", 900, 900)
    city.later(60)
    incident = await city.told(
        "26-1", kind=K.STOLEN_VEHICLE, vehicles=(CallVehicle(plate="ABC123"),)
    )
    assert await home_of(city, alert) == incident
    other = await confirmed(city, await seen(city, "XYZ987", 100, 900))
    city.later(60)
    again = await city.told(
        "26-2", kind=K.STOLEN_VEHICLE, place=spot(0, 0), vehicles=(CallVehicle(plate="XYZ987"),)
    )
    assert await home_of(city, other) == again, "a confirmed one's incident takes the call in"


async def test_a_wanted_car_near_a_robbery_is_shown_to_operators_with_it(city: City) -> None:
    robbery = await city.told("26-1", kind=K.ROBBERY, place=spot(0, 0))
    city.later(150)
    alert = await seen(city, "ABC123", 900, 0)
    linked = await home_of(city, alert)
    assert linked is not None
    assert linked.incident_id == robbery.incident_id
    assert "seen 2 min after and 900 m by road from it" in linked.parts[1].link.says


async def test_a_rejected_alert_leaves_the_incident(city: City) -> None:
    car = CallVehicle(plate="ABC123")
    incident = await city.told("26-1", kind=K.STOLEN_VEHICLE, vehicles=(car,))
    alert = await seen(city, "ABC123", 0, 0)
    await city.desk.reject(queue(city), alert.alert_id, alert.version, RejectReason.MISREAD)
    after = await city.incident(incident.incident_id)
    assert [p.label for p in after.parts] == ["26-1"]
    assert await home_of(city, alert) is None
    assert (await city.log(after))[-1] == (
        "alert_rejected", "Plate alert ABC123 rejected: misread: no longer a part"
    )  # fmt: skip


async def test_a_recall_is_in_the_log_and_ends_what_only_the_alert_held_open(city: City) -> None:
    alert = await confirmed(city, await seen(city, "ABC123", 0, 0))
    heard: list[tuple[str, AlertState | None]] = []

    async def follow(records: Any, incident: Incident, what: str, permit: int) -> None:
        heard.append((what, incident.parts[0].alert))

    city.dispatch.followers.append(follow)
    async with city.records() as records:
        entry = alert.match.entry.entry_id
        await city.desk.recall_in(records, [entry], "recovered", queue(city), 1)
    incident = await home_of(city, alert)
    assert incident is not None
    assert incident.state is IncidentState.CLOSED
    assert heard == [("closed", AlertState.RECALLED)]
    assert ("alert_recalled", "Plate alert ABC123 recalled: recovered") in await city.log(incident)


async def test_a_recalled_alert_that_nobody_had_confirmed_leaves(city: City) -> None:
    car = CallVehicle(plate="ABC123")
    incident = await city.told("26-1", kind=K.STOLEN_VEHICLE, vehicles=(car,))
    alert = await seen(city, "ABC123", 0, 0)
    async with city.records() as records:
        entry = alert.match.entry.entry_id
        await city.desk.recall_in(records, [entry], "recovered", queue(city), 1)
    after = await city.incident(incident.incident_id)
    assert (len(after.parts), after.state) == (1, IncidentState.OPEN)


async def test_calls_alerts_and_people_at_once_wait_for_nobody_in_a_circle(city: City) -> None:
    """Each holds other things when it comes to the incidents; all get through."""
    plates = [f"DLK{n}00" for n in range(8)]

    async def alert(plate: str) -> None:
        await confirmed(city, await seen(city, plate, 0, 0))

    async def call(plate: str) -> None:
        car = (CallVehicle(plate=plate),)
        for people in ("one man", "two men"):
            await city.told(f"c-{plate}", kind=K.STOLEN_VEHICLE, vehicles=car, people=people)

    async def recall(plate: str) -> None:
        async with city.records() as records:
            await city.desk.recall_in(
                records, [row(plate, number=int(plate, 36)).entry_id], "found", queue(city), 1
            )

    async with asyncio.timeout(30):
        work = [alert, call, recall]
        await asyncio.gather(*(do(plate) for plate in plates for do in work))
    for incident in await city.open_ones():
        assert len({part.part_id for part in incident.parts}) == len(incident.parts)
