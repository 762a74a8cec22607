"""Incidents, briefs and units with what a test does not care about filled in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from farolito.model import (
    AgencyId,
    Alert,
    AlertId,
    AlertState,
    Brief,
    BriefId,
    BriefLine,
    CalledUnit,
    CallKind,
    Confidence,
    DeviceId,
    EntryId,
    HotListEntry,
    Incident,
    IncidentId,
    IncidentState,
    Level,
    LineKind,
    Link,
    LinkBy,
    ListId,
    Match,
    Part,
    PartKind,
    PlateRead,
    Point,
    ReadId,
    Standing,
    Unit,
    UnitId,
    UnitStatus,
)

NOW = datetime(2026, 11, 23, 10, 2, tzinfo=UTC)
AGENCY = AgencyId("city-pd")
PLACE = Point(35.0779, -106.5861)
CAR = UnitId("2A14")
PLATE = "GHOST77"  # what must not be found where no person confirmed it


def part(kind: PartKind = PartKind.CALL, label: str = "26-118204", at: datetime = NOW) -> Part:
    return Part(
        kind=kind,
        part_id=uuid4(),
        label=label,
        at=at,
        joined_at=at,
        link=Link(by=LinkBy.FIRST, says="it opened the incident"),
    )


def incident(
    *, parts: Sequence[Part] | None = None, at: datetime = NOW, **changes: Any
) -> Incident:
    made: dict[str, Any] = {
        "incident_id": IncidentId(uuid4()),
        "agency": AGENCY,
        "version": 1,
        "state": IncidentState.OPEN,
        "kind": CallKind.SHOTS_FIRED,
        "kind_says": "SHOTS FIRED",
        "level": Level.P1,
        "where": "Central Av @ San Mateo Bl",
        "place": PLACE,
        "within_m": 25.0,
        "opened_at": at - timedelta(minutes=2),
        "changed_at": at,
        "parts": tuple(parts) if parts is not None else (part(at=at),),
    }
    return Incident(**{**made, **changes})


def called(unit: str, status: UnitStatus = UnitStatus.EN_ROUTE, at: datetime = NOW) -> CalledUnit:
    return CalledUnit(unit=UnitId(unit), status=status, at=at)


def lines(**says: str) -> tuple[BriefLine, ...]:
    """Seven lines; what is not given says its own name, and hazards are not known."""
    return tuple(
        BriefLine(
            kind=kind,
            says=says.get(kind.value, f"The {kind.value} line."),
            source="CAD",
            as_of=NOW,
            confidence=Confidence.MACHINE if kind is LineKind.PICTURE else Confidence.CONFIRMED,
            known=kind is not LineKind.HAZARDS,
        )
        for kind in LineKind
    )


def brief(unit: str = CAR, *, at: datetime = NOW, **changes: Any) -> Brief:
    made: dict[str, Any] = {
        "brief_id": BriefId(uuid4()),
        "agency": AGENCY,
        "unit": UnitId(unit),
        "version": 1,
        "composed_at": at,
        "lines": lines(where="Central Av @ San Mateo Bl, northeast side, 4 min."),
        "change": "New brief.",
        "call": "26-118204",
        "level": 1,
        "place": PLACE,
        "within_m": 25.0,
    }
    return Brief(**{**made, **changes})


def unit(name: str, place: Point | None = PLACE, at: datetime = NOW, **changes: Any) -> Unit:
    made: dict[str, Any] = {
        "unit_id": UnitId(name),
        "agency": AGENCY,
        "place": place,
        "heard_at": at,
        "source": "phone",
        "accuracy_m": 8.0,
    }
    return Unit(**{**made, **changes})


def alert(state: AlertState = AlertState.CONFIRMED, *, restricted: bool = False) -> Alert:
    row = HotListEntry(
        entry_id=EntryId(UUID(int=1)),
        list_id=ListId("city"),
        agency=AGENCY,
        plate=PLATE,
        state="NM",
        reason="stolen vehicle",
        category="stolen_vehicle",
        source_agency="NM0010000",
        entered_at=NOW - timedelta(days=2),
        expires_at=None,
        confirm_with="terminal",
        restricted=restricted,
    )
    seen = PlateRead(
        read_id=ReadId(UUID(int=2)),
        agency=AGENCY,
        reader=DeviceId("central-at-4th-eb"),
        captured_at=NOW - timedelta(seconds=20),
        received_at=NOW,
        text=PLATE,
        plate=PLATE,
        source="farolito",
        event="1",
        state="NM",
        place=PLACE,
    )
    return Alert(
        alert_id=AlertId(uuid4()),
        agency=AGENCY,
        level=Level.P2,
        state=state,
        match=Match(read=seen, entry=row, standing=Standing.LEAD, posterior=0.99, checks=()),
        raised_at=NOW,
        changed_at=NOW,
    )
