"""EIDO documents: the official sample, and what ours says of places, units, merges and hazards."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from farolito.ingest.cad import eido
from farolito.ingest.cad.schema import EidoSchema
from farolito.model import (
    CallKind,
    CallState,
    CallUpdate,
    Doubt,
    HazardKind,
    Invalid,
    Level,
    Point,
    Rejected,
    UnitStatus,
)
from tests.ingest.cad.cad_builders import CAD, NOW

AT = "2026-11-23T02:59:58.5-07:00"
BY = {"lastUpdateTimeStamp": AT, "updatedByAgencyReference": {"$ref": "psap.example"}}


def part(name: str, **more: Any) -> dict[str, Any]:
    return {"$id": name, **BY, **more}


def document(**more: Any) -> dict[str, Any]:
    return {
        **part("urn:emergency:uid:incidentid:7f3:cad.practice.example"),
        "eidoVersion": "1.0",
        "issuingElementIdentification": "cad.practice.example",
        "agencyComponent": [
            part(
                "psap.example", agencyRoleDescriptionRegistryText=["Dispatching"],
                agencyType=["psap"],
            )
        ],
        **more,
    }  # fmt: skip


def incident(**more: Any) -> dict[str, Any]:
    told = {"incidentTypeCommonRegistryText": "SHOTS", "incidentTypeInternalText": "SHOTS FIRED"}
    return part("incident-1", **told, **more)


def located(place: str, kind: str = "Incident", **more: Any) -> dict[str, Any]:
    more |= {"locationTypeDescriptionRegistryText": kind, "locationByValue": place}
    return part(f"place-{kind}", **more)


def civic(**parts: str) -> str:
    inner = "".join(f"<c:{name}>{text}</c:{name}>" for name, text in parts.items())
    return (
        '<presence xmlns="urn:ietf:params:xml:ns:pidf"'
        ' xmlns:c="urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr"><tuple id="t"><status>'
        f"<c:civicAddress>{inner}</c:civicAddress></status></tuple></presence>"
    )


def shape(gml: str) -> str:
    return (
        '<presence xmlns:gml="http://www.opengis.net/gml"'
        f' xmlns:gs="http://www.opengis.net/pidflo/1.0">{gml}</presence>'
    )


def decoded(told: dict[str, Any]) -> CallUpdate:
    return eido.decode(msgspec.json.encode(told), "application/json", CAD, NOW).updates[0]


def at_place(*places: dict[str, Any]) -> CallUpdate:
    references = [{"$ref": place["$id"]} for place in places]
    return decoded(
        document(
            incidentComponent=incident(locationReference=references),
            locationComponent=list(places),
        )
    )


@pytest.mark.real_input
def test_the_official_sample_keeps_to_the_schema_and_is_the_right_call(real_inputs: Path) -> None:
    sample = (real_inputs / "cad" / "eido-call-transfer-sample.json").read_bytes()
    schema = EidoSchema(real_inputs / "cad" / "eido-schema")
    assert schema.faults(json.loads(sample)) == []
    received_at = datetime(2021, 4, 30, 18, 43, 50, tzinfo=UTC)
    [call] = eido.decode(sample, "application/json", CAD, received_at).updates
    assert call.number == "a56e556d871:bcf.state.pa.us"
    assert call.sent_at == datetime(2021, 4, 30, 18, 43, 49, 439_000, tzinfo=UTC)
    assert call.taken_at == datetime(2021, 4, 30, 18, 42, tzinfo=UTC), "when it was answered"
    assert call.address == "42 W Cellular Street, Wilmington, DE"
    assert call.place is None
    assert call.doubts == (Doubt.ABOUT,), "a routing location is not where the caller stands"
    assert call.transferred_from == "state.pa.us"
    assert call.units is None, "the document tells of none"


@pytest.mark.real_input
def test_our_own_documents_keep_to_the_schema_and_a_wrong_one_is_told_apart(
    real_inputs: Path,
) -> None:
    schema = EidoSchema(real_inputs / "cad" / "eido-schema")
    assert schema.faults(full_document()) == []
    wrong = full_document() | {"eidoVersion": "9"}
    del wrong["agencyComponent"]
    assert len(schema.faults(wrong)) == 2


def test_a_folder_without_the_schema_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no EIDO schema"):
        EidoSchema(tmp_path)


def full_document() -> dict[str, Any]:
    crossing = civic(RD="San Mateo", STS="Bl")
    return document(
        incidentComponent=incident(
            incidentStatusCommonRegistryText=["Active"],
            incidentCommonPriorityNumber=1,
            internalIncidentId="26-118204",
            locationReference=[{"$ref": "place-Incident"}],
        ),
        callComponent=[
            part(
                "call-1", callStateRegistryText="callAnswered", direction="incoming",
                standardPrimaryCallType="emergency", callStartTimestamp=AT, answerDate=AT,
            )
        ],
        locationComponent=[
            located(
                civic(RD="Central", STS="Av", A3="Practice"), intersectingStreetByValue=[crossing]
            )
        ],
        notesComponent=[
            part("note-1", notesActionComments="<p>Two <b>shots</b> heard &amp; tyres</p>")
        ],
        cautionComponent=[
            part(
                "caution-1", cautionTypeInternalText="Subject known to be armed",
                cautionTypeCommonRegistryText="Weapon", cautionSeverity="high",
                cautionSource="Premise file", startDate="2024-05-01T00:00:00Z",
            )
        ],
        vehicleComponent=[
            part(
                "vehicle-1", vehicleRelationshipType=["Suspect"], vehicleRelationshipTimeStamp=AT,
                ncVehicleComponent={
                    "makeName": [{"value": "Ford"}],
                    "conveyanceColorPrimaryCode": [{"simpleType": "WHI"}],
                    "identification": [
                        {
                            "identificationId": [{"value": "abc123"}],
                            "categoryDescription": [{"value": "License plate"}],
                        }
                    ],
                },
            )
        ],
        emergencyResourceComponent=[resource("2A14", "Enroute"), resource("2A15", "On Scene")],
    )  # fmt: skip


def resource(name: str, status: str, **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "emergencyResourceName": name,
        "primaryUnitStatusRegistryText": status,
        "secondaryUnitStatusRegistryText": [],
        "resourceAttributeRegistryText": [],
        "emergencyResourceTypeCommonRegistryText": "Police car",
        "agentReference": [],
    }
    return part(f"urn:unit:{name}", **told, **more)


def test_a_whole_incident_becomes_one_call() -> None:
    call = decoded(full_document())
    assert (call.kind, call.kind_says) == (CallKind.SHOTS_FIRED, "SHOTS FIRED")
    assert (call.priority, call.state) == (Level.P1, CallState.OPEN)
    assert call.address == "Central Av @ San Mateo Bl, Practice"
    assert call.transferred_from is None, "its own agency has made an incident of it"
    assert call.units is not None
    assert [(unit.unit, unit.status) for unit in call.units] == [
        ("2A14", UnitStatus.EN_ROUTE),
        ("2A15", UnitStatus.ON_SCENE),
    ]
    assert "Two shots heard & tyres" in [note.says for note in call.notes]
    [hazard] = call.hazards
    assert (hazard.kind, hazard.source) == (HazardKind.WEAPON, "Premise file")
    assert hazard.as_of == datetime(2024, 5, 1, tzinfo=UTC)
    assert call.vehicles is not None
    [vehicle] = call.vehicles
    assert (vehicle.plate, vehicle.colour, vehicle.make) == ("ABC123", "white", "Ford")


@pytest.mark.parametrize(
    ("gml", "place", "within_m"),
    [
        ("<gml:Point><gml:pos>35.1 -106.6</gml:pos></gml:Point>", Point(35.1, -106.6), None),
        (
            "<gs:Circle><gml:pos>35.1 -106.6</gml:pos><gs:radius>40.5</gs:radius></gs:Circle>",
            Point(35.1, -106.6),
            40.5,
        ),
        ("<gml:Point><gml:pos>35,1 -106,6</gml:pos></gml:Point>", None, None),
        ("<gml:Point><gml:pos>nan nan</gml:pos></gml:Point>", None, None),
    ],
)
def test_a_shape_is_a_point_with_its_radius(
    gml: str, place: Point | None, within_m: float | None
) -> None:
    call = at_place(located(shape(gml)))
    assert (call.place, call.within_m) == (place, within_m)


def test_a_polygon_is_its_middle_and_reaches_its_corners() -> None:
    ring = "35.0 -106.0 35.0 -106.002 35.002 -106.002 35.002 -106.0 35.0 -106.0"
    polygon = f"<gml:Polygon><gml:posList>{ring}</gml:posList></gml:Polygon>"
    call = at_place(located(shape(polygon)))
    assert call.place is not None
    assert call.place.lat == pytest.approx(35.001)
    assert call.within_m == pytest.approx(144, abs=3)


def test_the_incidents_place_comes_before_the_routing_place() -> None:
    routing = located(civic(HNO="1", RD="Tower Rd"), "RoutingLocation")
    caller = located(civic(HNO="42", RD="Fourth", STS="St"), "Caller")
    call = at_place(routing, caller)
    assert (call.address, call.doubts) == ("42 Fourth St", ())


def test_a_place_off_the_earth_is_dropped_and_doubted() -> None:
    point = "<gml:Point><gml:pos>135.1 -306.6</gml:pos></gml:Point>"
    call = at_place(located(shape(point)))
    assert (call.place, call.doubts) == (None, (Doubt.NO_PLACE,))


def test_a_bomb_inside_a_location_is_refused_by_name() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><presence>&a;</presence>'
    with pytest.raises(Rejected) as caught:
        at_place(located(bomb))
    assert caught.value.reason == "forbidden_xml"


@pytest.mark.parametrize(
    ("direction", "updates"),
    [
        ("REPLACED", [("7f3:cad.practice.example", "9c1:other.example")]),
        (
            "REPLACING",
            [
                ("7f3:cad.practice.example", None),
                ("9c1:other.example", "7f3:cad.practice.example"),
            ],
        ),
        ("SPLIT", [("7f3:cad.practice.example", None)]),
    ],
)
def test_a_merge_says_which_call_is_another_telling_of_which(
    direction: str, updates: list[tuple[str, str | None]]
) -> None:
    merge = part(
        "merge-1",
        incidentMergeDirectionCode=direction,
        incidentTrackingIdentifier="urn:emergency:uid:incidentid:9c1:other.example",
    )
    told = document(incidentComponent=incident(), mergeComponent=[merge])
    got = eido.decode(msgspec.json.encode(told), "", CAD, NOW)
    assert [(one.number, one.duplicate_of) for one in got.updates] == updates


def test_a_unit_that_works_on_another_incident_is_free_of_this_one() -> None:
    other = resource("2A14", "On Scene", activeOnIncidentId="urn:emergency:uid:incidentid:x:y")
    call = decoded(document(incidentComponent=incident(), emergencyResourceComponent=[other]))
    assert call.units is not None
    assert call.units[0].status is UnitStatus.CLEARED


def test_closed_by_one_agency_and_open_at_another_is_open() -> None:
    both = incident(incidentStatusCommonRegistryText=["Closed", "Active"])
    assert decoded(document(incidentComponent=both)).state is CallState.OPEN
    alone = incident(incidentStatusCommonRegistryText=["Closed"])
    assert decoded(document(incidentComponent=alone)).state is CallState.CLOSED


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"$id": None}, "not_eido"), ({"lastUpdateTimeStamp": "2026-11-23T10:00:00"}, "bad_time")],
)
def test_a_document_that_names_no_incident_or_time_is_rejected(
    change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Rejected) as caught:
        decoded(document() | change)
    assert caught.value.reason == reason
