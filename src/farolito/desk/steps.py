"""What an alert becomes by each step: plain functions from alert to alert.

Every kind of alert has its written operator action (ISA-18.2): without one it may not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from farolito.model import (
    Alert,
    AlertId,
    AlertState,
    Check,
    CheckName,
    CheckOutcome,
    FarolitoError,
    Level,
    Match,
    Outcome,
    PersonId,
    Picture,
    PlateRead,
    ReadId,
    Standing,
    UnitId,
)

JOIN_WINDOW = timedelta(minutes=30)  # a further read of an open alert's plate joins it
PASSAGE_MAX = timedelta(minutes=2)  # readers start their event numbers anew after a restart
P1_TAKEN_WITHIN = timedelta(seconds=30)  # else it escalates
P1_CATEGORIES = frozenset(
    {"amber_alert", "missing_person", "officer_safety", "shooting", "homicide", "kidnapping"}
)
ACTIONS: Mapping[Level, str] = {
    Level.P1: "Take it within 30 s."
    " Compare the crop with the row, confirm or reject, brief a unit.",
    Level.P2: "Take it. Compare the crop with the row, confirm or reject, brief a unit.",
    Level.P3: "When the queue is clear: look whether the crop shows the listed plate.",
}


class RejectReason(StrEnum):
    MISREAD = "misread"
    WRONG_STATE = "wrong_state"
    WRONG_VEHICLE = "wrong_vehicle"
    STALE_ROW = "stale_row"
    UNREADABLE = "unreadable"
    OTHER = "other"


class Conflict(FarolitoError):
    """The alert is not in a state that allows this step; the screen shows the present one."""


def level_of(match: Match) -> Level:
    if match.standing is not Standing.LEAD:
        return Level.P3
    return Level.P1 if match.entry.category in P1_CATEGORIES else Level.P2


def raised(alert_id: UUID, match: Match, now: datetime) -> Alert:
    assert match.standing is not Standing.STOPPED, "a stopped candidate is kept, never raised"
    return Alert(
        alert_id=AlertId(alert_id),
        agency=match.read.agency,
        level=level_of(match),
        state=AlertState.WAITING,
        match=match,
        raised_at=now,
        changed_at=now,
    )


def joined(alert: Alert, match: Match, now: datetime) -> Alert:
    """A further read of the same row. A surer one takes the first one's place while undecided."""
    undecided = alert.state in (AlertState.WAITING, AlertState.TAKEN)
    surer = undecided and level_of(match) < alert.level
    newest = max(alert.newest, match.read, key=lambda read: read.captured_at)
    return _next(
        alert,
        now,
        match=match if surer else alert.match,
        level=min(alert.level, level_of(match)) if undecided else alert.level,
        repeats=alert.repeats + (0 if _same_passage(alert, match.read) else 1),
        last_seen=newest,
    )


def taken(alert: Alert, who: PersonId, now: datetime) -> Alert:
    _must_be(alert, AlertState.WAITING, AlertState.TAKEN)
    return _next(alert, now, state=AlertState.TAKEN, taken_by=who)


def confirmed(alert: Alert, who: PersonId, now: datetime, *, state_confirmed: bool) -> Alert:
    """A person compared the crop with the row.

    Where no machine read the issuing state, that person must have read it; a look-alike that only
    the reader's own evidence proposed becomes a lead by a person's look alone.
    """
    _must_be(alert, AlertState.WAITING, AlertState.TAKEN)
    state = _check(alert, CheckName.STATE)
    if state is not None and state.outcome is not CheckOutcome.PASSED and not state_confirmed:
        raise Conflict(
            "the issuing state was not read by the machine",
            "read it on the picture and tick that it is the row's state, or reject",
        )
    says = {CheckName.PERSON: "A person compared the crop with the row."}
    if state_confirmed:
        says[CheckName.STATE] = "A person read the issuing state on the picture."
    checks = tuple(
        Check(c.name, CheckOutcome.PASSED, says[c.name]) if c.name in says else c
        for c in alert.match.checks
    )
    return _next(
        alert,
        now,
        state=AlertState.CONFIRMED,
        level=min(alert.level, Level.P2),
        match=msgspec.structs.replace(alert.match, checks=checks),
        taken_by=alert.taken_by or who,
        decided_by=who,
        decided_at=now,
        state_confirmed=state_confirmed,
    )


def rejected(alert: Alert, who: PersonId, now: datetime, reason: RejectReason) -> Alert:
    _must_be(alert, AlertState.WAITING, AlertState.TAKEN)
    return _next(
        alert,
        now,
        state=AlertState.REJECTED,
        decided_by=who,
        decided_at=now,
        decision_reason=reason.value,
    )


def assigned(alert: Alert, unit: UnitId, now: datetime) -> Alert:
    _must_be(alert, AlertState.CONFIRMED)
    return _next(alert, now, assigned=unit)


def recalled(alert: Alert, reason: str, now: datetime) -> Alert:
    return _next(alert, now, state=AlertState.RECALLED, decision_reason=reason)


def closed(alert: Alert, outcome: Outcome, now: datetime) -> Alert:
    _must_be(alert, AlertState.CONFIRMED, AlertState.CLOSED, AlertState.RECALLED)
    state = AlertState.RECALLED if alert.state is AlertState.RECALLED else AlertState.CLOSED
    return _next(alert, now, state=state, decision_reason=outcome.value)


def pictured(alert: Alert, read_id: ReadId, picture: Picture, now: datetime) -> Alert:
    """A picture that came after the read it belongs to."""

    def shown(read: PlateRead) -> PlateRead:
        if read.read_id != read_id:
            return read
        return msgspec.structs.replace(read, pictures=(*read.pictures, picture))

    match = msgspec.structs.replace(alert.match, read=shown(alert.match.read))
    last_seen = shown(alert.last_seen) if alert.last_seen else None
    return _next(alert, now, match=match, last_seen=last_seen)


def escalated(alert: Alert, now: datetime) -> Alert:
    return _next(alert, now, escalated_at=now)


def is_answered(alert: Alert, match: Match) -> bool:
    """Whether a person has decided on this very passage, which its reader now tells again.

    A telling that is surer than the one decided on is a new question.
    """
    decided = alert.state in (AlertState.REJECTED, AlertState.CLOSED)
    return decided and _same_passage(alert, match.read) and level_of(match) >= alert.level


def _same_passage(alert: Alert, read: PlateRead) -> bool:
    """A reader may report one passing car several times, correcting itself."""
    known = alert.newest
    same_event = (known.reader, known.event) == (read.reader, read.event)
    return same_event and abs(known.captured_at - read.captured_at) < PASSAGE_MAX


def _check(alert: Alert, name: CheckName) -> Check | None:
    return next((c for c in alert.match.checks if c.name is name), None)


def _must_be(alert: Alert, *states: AlertState) -> None:
    if alert.state not in states:
        raise Conflict(f"the alert is {alert.state.value}", "look at its present state")


def _next(alert: Alert, now: datetime, **changes: object) -> Alert:
    return msgspec.structs.replace(alert, version=alert.version + 1, changed_at=now, **changes)
