"""A hot-list match on its way to a person, with every check it went through."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum, StrEnum

import msgspec

from farolito.model.hot_list import HotListEntry
from farolito.model.ids import AgencyId, AlertId, PersonId, UnitId
from farolito.model.plate_read import PlateRead


class Level(IntEnum):
    """EEMUA 191 style: P1 must be acknowledged in 30 s, P4 is device health and never queued."""

    P1 = 1
    P2 = 2
    P3 = 3
    P4 = 4


class CheckName(StrEnum):
    """The steps a candidate goes through, in order; each can only remove."""

    TEXT = "text"  # is this the listed plate, by the characters?
    STATE = "state"  # is it the listed state's?
    VEHICLE = "vehicle"  # does anything seen contradict the row?
    FRESH = "fresh"  # is the row in force: not expired, recalled, or of a dead list?
    PERSON = "person"  # did a person compare the crop with the row?


class CheckOutcome(StrEnum):
    PASSED = "passed"
    STOPPED = "stopped"
    UNKNOWN = "unknown"  # not told by the source: a person must answer it
    WAITING = "waiting"


class Check(msgspec.Struct, frozen=True):
    """One step and its answer; `says` is a sentence for the operator."""

    name: CheckName
    outcome: CheckOutcome
    says: str


class Standing(StrEnum):
    LEAD = "lead"  # every machine check passed or is left to a person
    POSSIBLE = "possible"  # likely by the reader's own evidence, text differs or is doubtful: P3
    STOPPED = "stopped"  # kept with its reasons, never queued


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A read held against a row: how sure, and why.

    `posterior`: probability that the passing car carries the listed plate (0…1).
    `differing`: positions (0-based, in the listed plate) where the read's text differs.
    `doubtful`: positions a person should look at: a confusable character the reader was
    unsure of or whose look-alike would make another registered plate; `alternatives[i]` lists the
    look-alike characters for position `doubtful[i]`, likeliest first.
    """

    read: PlateRead
    entry: HotListEntry
    standing: Standing
    posterior: float
    checks: tuple[Check, ...]
    differing: tuple[int, ...] = ()
    doubtful: tuple[int, ...] = ()
    alternatives: tuple[str, ...] = ()

    @property
    def stopped_by(self) -> tuple[Check, ...]:
        return tuple(c for c in self.checks if c.outcome is CheckOutcome.STOPPED)


class AlertState(StrEnum):
    WAITING = "waiting"  # nobody has it
    TAKEN = "taken"  # an operator has acknowledged it
    CONFIRMED = "confirmed"  # a person compared crop and row: it may go to a unit
    REJECTED = "rejected"
    RECALLED = "recalled"  # the row was withdrawn: everybody who was told is told
    CLOSED = "closed"  # an outcome is known


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """A match in the operator's queue. `version` grows by one with each change."""

    alert_id: AlertId
    agency: AgencyId
    level: Level
    state: AlertState
    match: Match
    raised_at: datetime
    changed_at: datetime
    version: int = 1
    taken_by: PersonId | None = None
    decided_by: PersonId | None = None
    decided_at: datetime | None = None
    decision_reason: str | None = None
    assigned: UnitId | None = None
    repeats: int = 0  # later reads of the same plate joined to this alert
    last_seen: PlateRead | None = None  # the newest of them
    escalated_at: datetime | None = None  # a P1 that nobody took in time
    state_confirmed: bool = False  # a person read the issuing state on the crop

    @property
    def newest(self) -> PlateRead:
        """The read that says best where the car is now."""
        return self.last_seen or self.match.read
