"""Shots on officers' maps: where, how surely, and never before a person heard gunfire."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from farolito.delivery import PushFeed, cot
from farolito.delivery.follow import News
from farolito.delivery.wording import ENGLISH, SPANISH
from farolito.gate import Gate
from farolito.ingest.avl.cot import CotEvent, parse_proto, parse_xml, to_proto, to_xml
from farolito.model import AlertState, PartKind, Point, ShotAlert, SoundKind
from farolito.store import Database, Records
from tests.delivery.delivery_builders import AGENCY, NOW, incident, part
from tests.delivery.phones import now, phone
from tests.delivery.running_tak import Running, our_server, running
from tests.delivery.test_cot import remarks
from tests.running import until
from tests.shot_builders import PLACE, ellipse, mode, shot, shot_alert

NEAR = Point(PLACE.lat + 0.0009, PLACE.lon)  # 100 m north


def drawn(*args: Any, language: Any = ENGLISH, **more: Any) -> list[CotEvent]:
    return cot.shots(shot_alert(*args, **more), NOW, language)


def test_a_spot_and_its_ellipse_say_where_when_how_surely_and_who_listened() -> None:
    spot, area = drawn()
    assert (spot.type, spot.lat, spot.lon, spot.ce) == ("b-m-p-s-m", PLACE.lat, PLACE.lon, 12.0)
    assert 'callsign="Shots: 5 rounds"' in spot.detail
    assert remarks(spot).splitlines() == [
        "5 rounds 10:00:00Z: reviewed as gunfire by a person",
        "within 12 m (95%)",
        "source: gunshot sensors (9), as of 10:00:02Z",
    ]
    assert (area.uid, area.type) == (f"{spot.uid}.area", "u-d-c-e")
    assert '<ellipse major="12.0" minor="6.0" angle="30.0"/>' in area.detail


def test_in_spanish_it_is_said_in_spanish() -> None:
    assert "5 detonaciones 10:00:00Z: una persona las escuchó y son disparos" in remarks(
        drawn(language=SPANISH)[0]
    )


def test_two_possible_places_are_two_markers_whose_circles_hold_both() -> None:
    events = drawn(shot(modes=(mode(PLACE, 0.7), mode(NEAR, 0.3))))
    spots = [one for one in events if one.type == "b-m-p-s-m"]
    assert [(one.lat, round(one.ce or 0)) for one in spots] == [
        (PLACE.lat, 112), (NEAR.lat, 112)
    ]  # fmt: skip
    assert "one of several places, this one 30%" in remarks(spots[1])


def test_a_vendor_that_tells_no_accuracy_gets_no_ellipse_and_no_radius() -> None:
    [spot] = drawn(shot(ellipse=None, heard=(), source="vendor-1"))
    assert spot.ce is None
    assert "place without a known accuracy" in remarks(spot)
    assert "source: vendor-1" in remarks(spot)


@pytest.mark.parametrize("state", [s for s in AlertState if s is not AlertState.CONFIRMED])
def test_shots_that_no_person_heard_as_gunfire_or_that_are_over_have_no_marker(
    state: AlertState,
) -> None:
    assert drawn(state=state) == []


def test_every_marker_survives_both_forms_of_the_wire() -> None:
    for event in drawn(shot(modes=(mode(PLACE, 0.7), mode(NEAR, 0.3)))):
        assert parse_xml(to_xml(event)) == event
        again = parse_proto(to_proto(event))
        assert (again.uid, again.type, again.ce) == (event.uid, event.type, event.ce)


def test_an_incident_of_shots_alone_says_its_source_and_an_unreviewed_part_is_not_named() -> None:
    confirmed = msgspec.structs.replace(part(PartKind.SHOT, "5 rounds"), alert="confirmed")
    waiting = msgspec.structs.replace(part(PartKind.SHOT, "5 rounds"), alert="waiting")
    assert "source: gunshot sensors, reviewed by a person" in remarks(
        cot.incident(incident(parts=[confirmed]), NOW, ENGLISH)
    )
    beside = cot.incident(incident(parts=[part(), waiting]), NOW, ENGLISH)
    assert "sensors" not in remarks(beside)


# --- over the wire


async def told(made: Running, *alerts: ShotAlert) -> None:
    """Kept and told, as the desk of shots does in one transaction."""
    for alert in alerts:
        async with made.city.database.transaction(AGENCY) as connection:
            records = Records(connection, AGENCY)
            if await records.shots.get(alert.alert_id) is None:
                await records.shots.add(alert)
            else:
                await records.shots.save(alert)
            await records.feed.tell("shot", alert, now())
    made.follower.nudge()


def later(alert: ShotAlert, **changes: Any) -> ShotAlert:
    return msgspec.structs.replace(alert, **{"version": alert.version + 1, **changes})


async def test_a_phone_sees_shots_once_reviewed_moved_when_revised_and_gone_when_they_were_none(
    gate: Gate, database: Database
) -> None:
    sure = shot_alert(shot(at=now()))
    waiting = later(sure, state=AlertState.WAITING, review=None, version=1)
    async with running(gate, database) as made, our_server(made):
        await made.officer("2A14")
        async with phone(made.port, "ANDROID-1", "2A14") as hope:
            await until(lambda: made.feed.users == 1)
            scene = incident(at=now(), where="Central")
            await told(made, waiting)
            await made.told(scene)
            await hope.sees(lambda e: e.uid.endswith(str(scene.incident_id)))
            assert not any(".shot." in e.uid for e in hope.seen), "a machine's word left the desk"
            await told(made, sure)
            uid = f"farolito.city-pd.shot.{sure.alert_id}"
            spot = await hope.sees(lambda e: e.uid == uid)
            assert spot.ce == 12.0
            area = await hope.sees(lambda e: e.uid == f"{uid}.area")
            assert area.type == "u-d-c-e"
            better = shot(at=sure.shot.discharged_at, place=NEAR, ellipse=ellipse(8.0))
            await told(made, later(sure, shots=(better,)))
            moved = await hope.sees(lambda e: e.uid == uid and e.ce == 8.0)
            assert moved.lat == pytest.approx(NEAR.lat)
            assert sure.review is not None
            wrong = msgspec.structs.replace(sure.review, kind=SoundKind.FIREWORK)
            await told(made, later(sure, version=5, state=AlertState.REJECTED, review=wrong))
            await hope.sees_type("t-x-d-d", f'uid="{uid}"')
            await hope.sees_type("t-x-d-d", f'uid="{uid}.area"')


async def test_who_comes_later_sees_the_reviewed_shots_of_open_incidents(
    gate: Gate, database: Database
) -> None:
    sure = shot_alert(shot(at=now()))
    its = msgspec.structs.replace(
        part(PartKind.SHOT, "5 rounds"), part_id=sure.alert_id, alert=AlertState.CONFIRMED
    )
    async with running(gate, database) as made, our_server(made):
        await made.officer("2A14")
        await told(made, sure)
        await made.told(incident(at=now(), parts=[its]))
        async with phone(made.port, "ANDROID-1", "2A14") as hope:
            await hope.sees(lambda e: e.uid == f"farolito.city-pd.shot.{sure.alert_id}")


async def test_no_phone_is_woken_for_shots_whatever_anybody_said_of_them(gate: Gate) -> None:
    class Woken:
        def __init__(self) -> None:
            self.briefs: list[Any] = []

        def notify(self, brief: Any) -> bool:
            self.briefs.append(brief)
            return True

    woken = Woken()
    states = (AlertState.WAITING, AlertState.CONFIRMED, AlertState.REJECTED)
    items = [News(i, shot_alert(state=state)) for i, state in enumerate(states)]
    await PushFeed(woken).news(items)  # type: ignore[arg-type]
    assert woken.briefs == [], "the brief that follows wakes them, and names its unit"
