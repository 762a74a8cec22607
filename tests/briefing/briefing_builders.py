"""Calls, alerts and incidents with what a test does not care about filled in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec

from farolito.briefing import Around, Known, Words, compose
from farolito.model import (
    AgencyId,
    Alert,
    AlertId,
    AlertState,
    BriefLine,
    Call,
    CalledUnit,
    CallKind,
    CallNote,
    CallState,
    Check,
    CheckName,
    CheckOutcome,
    DeviceId,
    EntryId,
    Fact,
    Going,
    Hazard,
    HazardKind,
    HotListEntry,
    Incident,
    IncidentId,
    IncidentState,
    Level,
    LineKind,
    Link,
    LinkBy,
    ListedVehicle,
    ListId,
    Match,
    Part,
    PartKind,
    PersonId,
    PlateRead,
    Point,
    ReadId,
    Standing,
    Unit,
    UnitId,
    UnitStatus,
    call_id,
)

AGENCY = AgencyId("city-pd")
CAD = DeviceId("city-cad")
READER = DeviceId("central-at-4th-eb")
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
PLACE = Point(35.0844, -106.6504)
CAR = UnitId("2A14")
OTHER_CAR = UnitId("3B22")
OPERATOR = PersonId(UUID(int=7))
SAID = Words()


def call(number: str = "26-118204", **more: Any) -> Call:
    told = {
        "call_id": call_id(AGENCY, number),
        "agency": AGENCY,
        "source": CAD,
        "number": number,
        "here_at": NOW,
        "changed_at": NOW,
        "sent_at": NOW,
        "taken_at": NOW - timedelta(seconds=20),
        "kind": CallKind.SHOTS_FIRED,
        "kind_says": "SHOTS FIRED",
        "priority": Level.P1,
        "address": "201 Central Ave NW",
        "place": PLACE,
        "place_from": "cad",
        "within_m": 25.0,
    }
    return Call(**{**told, **more})


def alert(
    plate: str = "GHOST77", state: AlertState = AlertState.CONFIRMED, **more: Any
) -> Alert:  # fmt: skip
    """Confirmed by a person unless `state` says otherwise."""
    compared = state not in (AlertState.WAITING, AlertState.TAKEN, AlertState.REJECTED)
    outcome = CheckOutcome.PASSED if compared else CheckOutcome.WAITING
    read = PlateRead(
        read_id=ReadId(uuid4()),
        agency=AGENCY,
        reader=READER,
        captured_at=more.pop("captured_at", NOW),
        received_at=NOW,
        text=plate,
        plate=plate,
        source="farolito",
        event=f"e-{plate}",
        place=PLACE,
        heading_deg=90,
        pictures=more.pop("pictures", ()),
    )
    told = {
        "alert_id": AlertId(uuid4()),
        "agency": AGENCY,
        "level": Level.P2,
        "state": state,
        "match": Match(
            read=read,
            entry=entry(plate),
            standing=Standing.LEAD,
            posterior=0.98,
            checks=(Check(CheckName.PERSON, outcome, "a person looks"),),
        ),
        "raised_at": NOW,
        "changed_at": NOW,
        "decided_by": OPERATOR if compared else None,
        "decided_at": NOW if compared else None,
    }
    return Alert(**{**told, **more})


def entry(plate: str) -> HotListEntry:
    return HotListEntry(
        entry_id=EntryId(uuid4()),
        list_id=ListId("stolen"),
        agency=AGENCY,
        plate=plate,
        state="NM",
        reason="stolen vehicle",
        category="stolen_vehicle",
        source_agency="NM0010000",
        entered_at=NOW - timedelta(days=2),
        expires_at=None,
        confirm_with="505-555-0100",
        case="26-4711",
        vehicle=ListedVehicle(make="ford", model="f-150", colour="white", kind="pickup"),
    )


def on_call(unit: UnitId = CAR, status: UnitStatus = UnitStatus.ASSIGNED) -> CalledUnit:
    return CalledUnit(unit=unit, status=status, at=NOW)


def incident(
    calls: Sequence[Call] = (),
    alerts: Sequence[Alert] = (),
    units: Sequence[CalledUnit] = (on_call(),),
    **more: Any,
) -> Incident:
    parts = [_part(PartKind.CALL, c.call_id, c.number) for c in calls]
    parts += [_part(PartKind.ALERT, a.alert_id, a.match.entry.plate) for a in alerts]
    told = {
        "incident_id": IncidentId(uuid4()),
        "agency": AGENCY,
        "version": 1,
        "state": IncidentState.OPEN,
        "kind": CallKind.SHOTS_FIRED,
        "level": Level.P1,
        "where": "Central Ave @ 2nd St",
        "place": PLACE,
        "opened_at": NOW,
        "changed_at": NOW,
        "parts": tuple(parts),
        "units": tuple(units),
    }
    return Incident(**{**told, **more})


def _part(kind: PartKind, part_id: UUID, label: str) -> Part:
    link = Link(by=LinkBy.FIRST, says="it opened the incident")
    return Part(kind=kind, part_id=part_id, label=label, at=NOW, joined_at=NOW, link=link)


def next_version(incident_: Incident, **changes: Any) -> Incident:
    return msgspec.structs.replace(incident_, version=incident_.version + 1, **changes)


def fact(line: LineKind, says: str, at: datetime = NOW) -> Fact:
    return Fact(fact_id=uuid4(), line=line, says=says, at=at, by=OPERATOR, by_name="Ana Ortiz")


def note(says: str, at: datetime = NOW) -> CallNote:
    return CallNote(note_id=says, at=at, says=says)


def going(says: str, heading_deg: float | None = None, at: datetime = NOW) -> Going:
    return Going(says=says, at=at, heading_deg=heading_deg)


def flag(says: str, expires_at: datetime | None = None, **more: Any) -> Hazard:
    told = {
        "kind": HazardKind.WEAPON,
        "says": says,
        "source": "CAD premise file",
        "as_of": datetime(2025, 10, 14, 20, 0, tzinfo=UTC),
        "expires_at": expires_at,
    }
    return Hazard(**{**told, **more})


def known(*calls: Call, **more: Any) -> Known:
    """What is known of one incident with these calls, for 2A14."""
    alerts = more.get("alerts", ())
    told = {
        "now": NOW,
        "unit": Unit(unit_id=CAR, agency=AGENCY),
        "around": Around(readers={READER: "Central @ 4th, eastbound"}),
        "incident": incident(calls, alerts),
        "calls": calls,
    }
    return Known(**{**told, **more})


def line(known_: Known, kind: LineKind, language: str = "en") -> BriefLine:
    return next(one for one in compose(known_, SAID, language) if one.kind is kind)


def closed(call_: Call) -> Call:
    return msgspec.structs.replace(call_, state=CallState.CLOSED)
