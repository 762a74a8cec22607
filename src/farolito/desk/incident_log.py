"""The log that writes itself: what a change says, in a stable word and a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from farolito.model import Call, CalledUnit, CallState, Doubt, UnitId, UnitStatus


class What(StrEnum):
    """What happened. Screens mark lines by these words, so they do not change."""

    CALL_OPENED = "call_opened"
    CALL_UPDATED = "call_updated"
    UNIT_ASSIGNED = "unit_assigned"
    UNIT_EN_ROUTE = "unit_en_route"
    UNIT_ON_SCENE = "unit_on_scene"
    UNIT_CLEARED = "unit_cleared"
    NOTE = "note"
    HAZARD = "hazard"
    JOINED = "joined"
    SPLIT = "split"
    FACT = "fact"
    REPORT = "report"
    ALERT_LINKED = "alert_linked"
    ALERT_CONFIRMED = "alert_confirmed"
    ALERT_SEEN = "alert_seen"
    ALERT_REJECTED = "alert_rejected"
    ALERT_RECALLED = "alert_recalled"
    ALERT_CLOSED = "alert_closed"
    SHOT_LINKED = "shot_linked"
    SHOT_CONFIRMED = "shot_confirmed"
    SHOT_REVISED = "shot_revised"
    SHOT_REJECTED = "shot_rejected"
    SHOT_CLOSED = "shot_closed"
    CLOSED = "closed"
    REOPENED = "reopened"
    TRANSFERRED = "transferred"
    DOUBT = "doubt"


OF_STATUS = {
    UnitStatus.ASSIGNED: What.UNIT_ASSIGNED,
    UnitStatus.EN_ROUTE: What.UNIT_EN_ROUTE,
    UnitStatus.ON_SCENE: What.UNIT_ON_SCENE,
    UnitStatus.CLEARED: What.UNIT_CLEARED,
}
_DOUBTS = {
    Doubt.CLOCK_SKEW: "the CAD's clock is off: the time of arrival is used",
    Doubt.NO_PLACE: "the place was not found",
    Doubt.PLACES_DIFFER: "the address and the coordinates are far apart",
    Doubt.ABOUT: "the place is only about right",
}


class Said(NamedTuple):
    what: What
    says: str
    unit: UnitId | None = None


def said_of(before: Call | None, after: Call, *, is_late: bool) -> list[Said]:
    """What a message changed in a call, the weightiest first."""
    number = after.number
    lines: list[Said] = []
    if before is None:
        lines.append(Said(What.CALL_OPENED, _opening(after)))
    elif after.state is not before.state:
        lines.append(_state(after))
    if before is None and after.transferred_from:
        says = f"Call {number} came from {after.transferred_from}"
        lines.append(Said(What.TRANSFERRED, says))
    changed = [] if before is None else list(_changes(before, after))
    if changed:
        lines.append(Said(What.CALL_UPDATED, f"Call {number}: " + "; ".join(changed)))
    lines += said_of_units(before.units if before else (), after.units)
    lines += _hazards(before, after)
    told = {(n.note_id, n.says) for n in before.notes} if before else set()
    lines += [Said(What.NOTE, n.says) for n in after.notes if (n.note_id, n.says) not in told]
    lines += _doubts(before, after, is_late)
    return lines or [Said(What.CALL_UPDATED, f"Call {number}: told in more detail")]


def said_of_units(
    before: Iterable[CalledUnit], after: Iterable[CalledUnit], by: str = ""
) -> list[Said]:
    was = {one.unit: one.status for one in before}
    return [
        Said(OF_STATUS[one.status], f"{one.unit} {word(one.status)}{by}", one.unit)
        for one in after
        if was.get(one.unit) is not one.status
    ]


def word(status: UnitStatus) -> str:
    return status.value.replace("_", " ")


def _opening(call: Call) -> str:
    where = call.address or ("coordinates sent" if call.place else "no place told")
    return f"Call {call.number}: {_words(call)}, P{call.priority.value}, {where}"


def _words(call: Call) -> str:
    return call.kind_says or call.kind.value.replace("_", " ")


def _state(call: Call) -> Said:
    if call.state is CallState.CLOSED:
        return Said(What.CALL_UPDATED, f"Call {call.number} closed")
    if call.state is CallState.TRANSFERRED:
        to = call.transferred_to or "another agency"
        return Said(What.TRANSFERRED, f"Call {call.number} transferred to {to}")
    back = f", back from {call.transferred_from}" if call.transferred_from else ""
    return Said(What.CALL_UPDATED, f"Call {call.number} reopened{back}")


def _changes(before: Call, after: Call) -> Iterable[str]:
    if after.kind is not before.kind or after.kind_says != before.kind_says:
        yield f"{_words(after)}, was {_words(before)}"
    if after.priority is not before.priority:
        yield f"P{after.priority.value}, was P{before.priority.value}"
    if after.address != before.address:
        yield f"at {after.address}" + (f", was {before.address}" if before.address else "")
    elif after.place != before.place:
        yield "the place was corrected" if before.place else "a place is known"
    if after.vehicles != before.vehicles:
        yield "vehicle: " + (", ".join(v.says or v.plate or "" for v in after.vehicles) or "none")
    if after.people != before.people:
        yield f"people: {after.people}"
    if after.going != before.going and after.going is not None:
        yield f"last seen {after.going.says}"
    if after.duplicate_of != before.duplicate_of:
        yield f"call {after.duplicate_of} told again"


def _hazards(before: Call | None, after: Call) -> Iterable[Said]:
    known = {(h.kind, h.says, h.source) for h in before.hazards} if before else set()
    for hazard in after.hazards:
        if (hazard.kind, hazard.says, hazard.source) not in known:
            yield Said(What.HAZARD, f"{hazard.says} ({hazard.source})")


def _doubts(before: Call | None, after: Call, is_late: bool) -> Iterable[Said]:
    known = set(before.doubts) if before else set()
    for doubt in after.doubts:
        if doubt not in known:
            says = _DOUBTS.get(doubt, doubt.value.replace("_", " "))
            yield Said(What.DOUBT, f"Call {after.number}: {says} ({doubt.value})")
    if is_late:
        says = f"Call {after.number}: told later than something newer, which stands"
        yield Said(What.DOUBT, f"{says} ({Doubt.OUT_OF_ORDER.value})")
