"""Things as markers: where, how sure, since when, and nothing that no person confirmed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from farolito.delivery import cot
from farolito.delivery.wording import ENGLISH, SPANISH
from farolito.ingest import xml
from farolito.ingest.avl.cot import CotEvent, parse_proto, parse_xml, to_proto, to_xml
from farolito.model import AlertState, Device, DeviceId, IncidentState, PartKind, UnitId
from tests.delivery.delivery_builders import (
    AGENCY,
    NOW,
    PLACE,
    PLATE,
    alert,
    brief,
    called,
    incident,
    part,
    unit,
)


def remarks(event: CotEvent | None) -> str:
    assert event is not None
    found = xml.parse(f"<detail>{event.detail}</detail>".encode()).find("remarks")
    assert found is not None
    return found.text


def test_an_incident_says_what_where_how_sure_since_when_and_from_whom() -> None:
    what = incident(units=(called("2A14"), called("2A15")))
    spot = cot.incident(what, NOW, ENGLISH)
    assert spot is not None
    assert (spot.uid, spot.type) == (f"farolito.city-pd.incident.{what.incident_id}", "b-m-p-s-m")
    assert (spot.lat, spot.lon, spot.ce) == (PLACE.lat, PLACE.lon, 25.0)
    assert (spot.start, spot.time, spot.stale - spot.time) == (
        what.opened_at,
        NOW,
        timedelta(hours=1),
    )
    assert remarks(spot).splitlines() == [
        "P1 SHOTS FIRED",
        "Central Av @ San Mateo Bl, ± 25 m",
        "since 10:00:00Z, as of 10:02:00Z",
        "source: dispatch call 26-118204",
        "2A14 en route, 2A15 en route",
    ]
    assert 'callsign="P1 SHOTS FIRED"' in spot.detail


def test_a_newer_state_of_an_incident_moves_the_same_marker() -> None:
    what = incident()
    first, later = (cot.incident(what, NOW + timedelta(minutes=n), ENGLISH) for n in (0, 5))
    assert first is not None
    assert later is not None
    assert first.uid == later.uid


def test_an_alert_beside_a_call_leaves_no_plate_in_the_marker() -> None:
    what = incident(parts=[part(), part(PartKind.ALERT, PLATE)])
    spot = cot.incident(what, NOW, ENGLISH)
    assert spot is not None
    assert PLATE.encode() not in to_xml(spot)


def test_a_muted_unit_is_not_named_in_an_incident() -> None:
    what = incident(units=(called("2A14"), called("9U01")))
    spot = cot.incident(what, NOW, ENGLISH, {UnitId("9U01")})
    assert spot is not None
    assert "9U01" not in to_xml(spot).decode()
    assert "2A14 en route" in remarks(spot)


@pytest.mark.parametrize(
    "what",
    [
        incident(state=IncidentState.CLOSED),
        incident(state=IncidentState.JOINED),
        incident(place=None),
    ],
    ids=["closed", "joined to another", "without a place"],
)
def test_no_marker_is_made_of_an_incident_that_is_over_or_nowhere(what: object) -> None:
    assert cot.incident(what, NOW, ENGLISH) is None  # type: ignore[arg-type]


def test_a_doubtful_place_is_shown_as_doubtful() -> None:
    assert "place or time doubtful" in remarks(cot.incident(incident(doubtful=True), NOW, ENGLISH))


@pytest.mark.parametrize("state", [s for s in AlertState if s is not AlertState.CONFIRMED])
def test_an_alert_that_no_person_confirmed_has_no_marker(state: AlertState) -> None:
    assert cot.alert(alert(state), NOW, ENGLISH) is None


def test_a_confirmed_alert_shows_its_plate_age_and_whom_to_confirm_with() -> None:
    says = remarks(cot.alert(alert(), NOW, ENGLISH))
    assert f"NM {PLATE}: plate confirmed by a person" in says
    assert "seen 10:01:40Z" in says
    assert "confirm with terminal" in says


def test_a_restricted_row_has_no_marker() -> None:
    assert cot.alert(alert(restricted=True), NOW, ENGLISH) is None


def test_a_unit_fades_two_minutes_after_its_own_last_word() -> None:
    heard = NOW - timedelta(seconds=90)
    marker = cot.unit(unit("2A15", at=heard), NOW, ENGLISH)
    assert marker is not None
    assert marker.stale == heard + timedelta(minutes=2)
    assert marker.ce == 8.0
    assert cot.unit(unit("2A15", at=NOW - timedelta(minutes=2)), NOW, ENGLISH) is None


def test_a_muted_unit_has_no_marker() -> None:
    assert cot.unit(unit("9U01", muted=True), NOW, ENGLISH) is None


def test_a_recalled_or_ended_brief_has_no_waypoint() -> None:
    assert cot.brief(brief(), NOW, ENGLISH) is not None
    assert cot.brief(brief(recalled=True), NOW, ENGLISH) is None
    assert cot.brief(brief(ended_at=NOW), NOW, ENGLISH) is None


def test_a_camera_claims_no_field_of_view() -> None:
    camera = Device(
        device_id=DeviceId("plaza"), agency=AGENCY, kind="camera", name="Plaza", format="farolito",
        place=PLACE, heading_deg=90,
    )  # fmt: skip
    marker = cot.device(camera, NOW, ENGLISH)
    assert marker is not None
    assert "azimuth" not in marker.detail
    assert 'hideFov="true"' in marker.detail


def test_a_removal_names_the_marker_it_takes_away() -> None:
    gone = cot.removal("farolito.city-pd.incident.1", NOW)
    assert gone.type == "t-x-d-d"
    assert '<link uid="farolito.city-pd.incident.1"' in gone.detail


def test_hostile_text_stays_text() -> None:
    evil = '</remarks><link uid="x"/>&boom;"\x00\x1b]'
    spot = cot.incident(incident(where=evil, kind_says=evil), NOW, ENGLISH)
    assert spot is not None
    assert xml.parse(to_xml(spot)).find("detail", "link") is None
    assert '</remarks><link uid="x"/>&boom;' in remarks(parse_xml(to_xml(spot)))


def test_every_marker_survives_both_forms_of_the_wire() -> None:
    made = [
        cot.incident(incident(), NOW, SPANISH),
        cot.alert(alert(), NOW, SPANISH),
        cot.brief(brief(), NOW, SPANISH),
        cot.unit(unit("2A15", heading_deg=90.0, speed_mps=12.5), NOW, SPANISH),
        cot.presence(cot.desk_uid(AGENCY), "RTCC", NOW),
        cot.removal("farolito.city-pd.unit.2A15", NOW),
    ]
    for event in made:
        assert event is not None
        assert parse_xml(to_xml(event)) == event
        again = parse_proto(to_proto(event))
        assert (again.uid, again.type, again.lat, again.ce) == (
            event.uid, event.type, event.lat, event.ce,
        )  # fmt: skip
