"""What of an alert, a shot, an incident, a unit or a listed row a partner is told.

Plain functions. A thing that no person has confirmed has no telling, nor what its own source
forbids to pass on, nor what another partner let us have: hop limit 0.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from farolito.model import (
    AgencyId,
    Alert,
    AlertState,
    HotListEntry,
    Incident,
    IncidentId,
    IncidentState,
    ListId,
    ShareClass,
    ShotAlert,
    Unit,
    UnitId,
    UnitStatus,
)
from farolito.model.ids import digest_id
from farolito.model.shared import TITLE_CHARACTERS_MAX, Telling

PARTNERS_LIST = "from-"  # how lists begin that hold rows of partners: from-county-so
RECALLED_SHOT = "no gunfire, on second look"


def list_of_partner(partner: AgencyId) -> ListId:
    return ListId(f"{PARTNERS_LIST}{partner}")


def told_of_alert(alert: Alert, incident: IncidentId | None) -> Telling | None:
    entry, read = alert.match.entry, alert.newest
    if entry.restricted or entry.list_id.startswith(PARTNERS_LIST):
        return None
    if alert.state is AlertState.RECALLED:
        return recall(
            ShareClass.ALERT, alert.alert_id, alert.version, alert.changed_at,
            alert.decision_reason or "recalled",
        )  # fmt: skip
    if alert.state not in (AlertState.CONFIRMED, AlertState.CLOSED) or alert.decided_by is None:
        return None
    seen = read.vehicle
    return Telling(
        kind=ShareClass.ALERT,
        item_id=alert.alert_id,
        version=alert.version,
        at=read.captured_at,
        title=_short(f"{entry.plate} {entry.state or ''}: {entry.reason}"),
        place=read.place,
        incident=incident,
        detail=_told(
            state=alert.state,
            level=int(alert.level),
            plate=entry.plate,
            plate_state=entry.state,
            reason=entry.reason,
            category=entry.category,
            confirm_with=entry.confirm_with,
            reader=read.reader,
            heading_deg=read.heading_deg,
            make=seen.make.value if seen and seen.make else None,
            colour=seen.colour.value if seen and seen.colour else None,
            vehicle=seen.kind.value if seen and seen.kind else None,
            confirmed_at=alert.decided_at,
            outcome=alert.decision_reason,
        ),
    )


def told_of_shot(alert: ShotAlert, incident: IncidentId | None) -> Telling | None:
    """What a person heard as gunfire; a recall where they, or the machine, took it back."""
    if alert.state in (AlertState.REJECTED, AlertState.RECALLED):
        return recall(
            ShareClass.SHOT, alert.alert_id, alert.version, alert.changed_at, RECALLED_SHOT
        )
    if not alert.is_confirmed:
        return None
    shot = alert.shot
    ellipse = shot.ellipse
    return Telling(
        kind=ShareClass.SHOT,
        item_id=alert.alert_id,
        version=alert.version,
        at=shot.discharged_at,
        title=_short(f"{alert.rounds} rounds" + (f", {alert.where}" if alert.where else "")),
        place=shot.place,
        incident=incident,
        detail=_told(
            state=alert.state,
            level=int(alert.level),
            rounds=alert.rounds,
            where=alert.where,
            semi_major_m=ellipse.semi_major_m if ellipse else None,
            semi_minor_m=ellipse.semi_minor_m if ellipse else None,
            bearing_deg=ellipse.bearing_deg if ellipse else None,
            confirmed_at=alert.review.at if alert.review else None,
            outcome=alert.outcome.outcome if alert.outcome else None,
        ),
    )


def told_of_incident(incident: Incident, muted: Collection[UnitId]) -> Telling | None:
    """Of parts that a person stands behind, without the units that never leave the agency."""
    if incident.state is IncidentState.JOINED:
        says = "joined to another incident"
        return recall(
            ShareClass.INCIDENT, incident.incident_id, incident.version, incident.changed_at, says
        )
    if not any(part.is_confirmed for part in incident.parts):
        return None
    units = [
        {"unit": one.unit, "status": one.status, "at": one.at}
        for one in incident.units
        if one.unit not in muted
    ]
    says = incident.kind_says or incident.kind.value.replace("_", " ")
    return Telling(
        kind=ShareClass.INCIDENT,
        item_id=incident.incident_id,
        version=incident.version,
        at=incident.opened_at,
        title=_short(f"{says}, {incident.where}" if incident.where else says),
        place=incident.place,
        incident=incident.incident_id,
        detail=_told(
            state=incident.state,
            level=int(incident.level),
            kind=incident.kind,
            where=incident.where,
            within_m=incident.within_m,
            doubtful=incident.doubtful,
            changed_at=incident.changed_at,
            units=units,
            facts=[
                {"line": f.line, "says": f.says, "at": f.at}
                for f in incident.facts
                if not any(unit in f.says for unit in muted)
            ],
        ),
    )


def told_of_row(entry: HotListEntry, at: datetime) -> Telling | None:
    """A row has no version of its own: the moment of its change counts, in µs."""
    if entry.restricted or entry.list_id.startswith(PARTNERS_LIST):
        return None
    version = _us(at)
    if entry.recalled_at is not None:
        says = entry.recall_reason or "recalled"
        return recall(ShareClass.HOT_LIST, entry.entry_id, version, entry.recalled_at, says)
    vehicle = entry.vehicle
    return Telling(
        kind=ShareClass.HOT_LIST,
        item_id=entry.entry_id,
        version=version,
        at=entry.entered_at,
        title=_short(f"{entry.plate} {entry.state or ''}: {entry.reason}"),
        detail=_told(
            plate=entry.plate,
            plate_state=entry.state,
            reason=entry.reason,
            category=entry.category,
            source_agency=entry.source_agency,
            confirm_with=entry.confirm_with,
            entered_at=entry.entered_at,
            expires_at=entry.expires_at,
            make=vehicle.make if vehicle else None,
            model=vehicle.model if vehicle else None,
            colour=vehicle.colour if vehicle else None,
            vehicle=vehicle.kind if vehicle else None,
            year=vehicle.year if vehicle else None,
        ),
    )


def told_of_units(
    own: AgencyId, incident: Incident, units: Sequence[Unit], believed_since: datetime
) -> list[Telling]:
    """Where the units of a joint incident are: never a muted one, nor one that has left it."""
    there = {u.unit: u.status for u in incident.units if u.status is not UnitStatus.CLEARED}
    return [
        Telling(
            kind=ShareClass.UNIT,
            item_id=unit_item(own, unit.unit_id),
            version=_us(unit.heard_at),
            at=unit.heard_at,
            title=unit.unit_id,
            place=unit.place,
            incident=incident.incident_id,
            detail=_told(
                unit=unit.unit_id,
                status=there[unit.unit_id],
                heading_deg=unit.heading_deg,
                speed_mps=unit.speed_mps,
                accuracy_m=unit.accuracy_m,
                doubt=unit.doubt,
            ),
        )
        for unit in units
        if unit.unit_id in there
        and not unit.muted
        and unit.place is not None
        and unit.heard_at is not None
        and unit.heard_at >= believed_since
    ]


def unit_item(own: AgencyId, unit: UnitId) -> UUID:
    """The id by which a unit's position is told: the same for as long as there is the unit."""
    return digest_id(0, "unit", own, unit)


def recall(kind: ShareClass, item_id: UUID, version: int, at: datetime, says: str) -> Telling:
    return Telling(
        kind=kind, item_id=item_id, version=version, at=at, recalled=True,
        recall_says=_short(says.replace("_", " ")),
    )  # fmt: skip


def _told(**fields: Any) -> dict[str, Any]:
    """What is known; the rest is left out."""
    return {name: value for name, value in fields.items() if value is not None and value != ""}


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= TITLE_CHARACTERS_MAX else text[: TITLE_CHARACTERS_MAX - 1] + "…"


def _us(at: datetime) -> int:
    """µs since 1970."""
    return round(at.timestamp() * 1_000_000)
