"""What a brief is composed of: everything looked up, before a word is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal

import msgspec

from farolito.geo.shot_place import within_m
from farolito.model import (
    Alert,
    AlertId,
    AlertState,
    Call,
    CalledUnit,
    CheckName,
    CheckOutcome,
    DeviceId,
    Doubt,
    Fact,
    Incident,
    PartKind,
    Point,
    Report,
    ShotAlert,
    ShotAlertId,
    Unit,
    UnitStatus,
)

PLACE_DOUBTS = frozenset({Doubt.ABOUT, Doubt.PLACES_DIFFER, Doubt.NO_PLACE})
POSITION_OLD = timedelta(minutes=3)  # a car moves: an older position says nothing of the way
ON_CALL = (UnitStatus.ASSIGNED, UnitStatus.EN_ROUTE, UnitStatus.ON_SCENE)


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """A place in an officer's words, in parts: "street @ cross", how far and which way, side.

    Winds are compass words ("northeast"). At a crossing `side` is the corner.
    """

    street: str
    cross: str | None = None
    from_cross_m: int | None = None  # None: at the crossing itself
    from_cross: str | None = None
    side: str | None = None


class Near(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that could come: by road where a road leads there, else straight."""

    unit: Unit
    seconds: float | None
    metres: float


class Eye(msgspec.Struct, frozen=True, kw_only=True):
    """A camera or plate reader near the place. `sees`: it is known to show the place."""

    name: str
    kind: Literal["camera", "plate_reader"]
    metres: float
    sees: bool = False


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What the map and the registered devices know of a place; nothing is a plain answer."""

    spot: Spot | None = None
    eta_s: float | None = None  # by road, for the unit that is briefed
    near: Sequence[Near] = ()  # other units with a fresh position, the soonest first
    eye: Eye | None = None
    modes: Sequence[Spot | None] = ()  # of each place among which the sensors could not choose
    readers: Mapping[DeviceId, str] = {}  # as people say them


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What the own call records say of the place. `days`: how far back they go."""

    calls: Sequence[Call]
    days: int


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """`alerts` are those a person confirmed, and `shots` those in which a person heard gunfire,
    nothing else: what is not here cannot be said. `withdrawn_shots`: told to this unit before, and
    reviewed as something else since.

    `history` is None while it is looked up. `incident` is None for a plate alert on a node that
    keeps no incidents.
    """

    now: datetime
    unit: Unit
    around: Around
    incident: Incident | None = None
    calls: Sequence[Call] = ()
    alerts: Sequence[Alert] = ()
    confirmed_by: Mapping[AlertId, str] = {}
    shots: Sequence[ShotAlert] = ()
    withdrawn_shots: Sequence[ShotAlert] = ()
    reviewed_by: Mapping[ShotAlertId, str] = {}
    history: History | None = None
    is_complete: bool = True  # False: version 1, sent before anything was looked up
    zone: tzinfo = UTC

    @property
    def alert(self) -> Alert | None:
        """The alert that says best where the car is, among those that still stand."""
        standing = [a for a in self.alerts if a.state is not AlertState.RECALLED]
        return max(standing, key=lambda a: a.newest.captured_at, default=None)

    @property
    def withdrawn(self) -> Sequence[Alert]:
        return [a for a in self.alerts if a.state is AlertState.RECALLED]

    @property
    def reports(self) -> Sequence[Report]:
        """What officers and operators reported by hand, the newest first."""
        reports = self.incident.reports if self.incident else ()
        return sorted(reports, key=lambda r: r.at, reverse=True)

    def facts(self, line: str) -> list[Fact]:
        """What operators pushed to that line, the newest first."""
        facts = [f for f in (self.incident.facts if self.incident else ()) if f.line == line]
        return sorted(facts, key=lambda f: f.at, reverse=True)

    @property
    def others(self) -> list[CalledUnit]:
        """Who else is on this call, nearest to the scene first."""
        units = [u for u in (self.incident.units if self.incident else ()) if u.status in ON_CALL]
        return sorted(
            (u for u in units if u.unit != self.unit.unit_id),
            key=lambda u: (-ON_CALL.index(u.status), u.unit),
        )


def was_confirmed(alert: Alert) -> bool:
    """Whether a person compared the picture with the row, whatever came of the alert later."""
    if alert.state in (AlertState.CONFIRMED, AlertState.CLOSED):
        return True
    return alert.state is AlertState.RECALLED and any(
        c.name is CheckName.PERSON and c.outcome is CheckOutcome.PASSED for c in alert.match.checks
    )


def place_of(known: Known) -> Point | None:
    """Where the brief sends its unit: where sensors heard the shots if the incident goes by them,
    the calls' place, else where the car was last.

    The incident's own place only where no alert or shot is part of it: it may come from one that
    nobody confirmed.
    """
    shots = placed_shots(known)
    if shots is not None:
        return shots.shot.place
    placed = placed_call(known)
    if placed is not None:
        return placed.place
    if known.alert is not None and known.alert.newest.place is not None:
        return known.alert.newest.place
    incident = known.incident
    of_machines = (PartKind.ALERT, PartKind.SHOT)
    if incident is None or any(part.kind in of_machines for part in incident.parts):
        return next((r.place for r in known.reports if r.place is not None), None)
    return incident.place


def within_of(known: Known) -> float | None:
    """The radius in which the place lies; None where nobody told it."""
    shots = placed_shots(known)
    if shots is not None:
        return within_m(shots.shot)
    placed = placed_call(known)
    return placed.within_m if placed else None


def placed_shots(known: Known) -> ShotAlert | None:
    """The shots whose place the brief goes by: the incident's; the newest where nothing else names
    a place."""
    at = known.incident.place if known.incident else None
    shown = [one for one in known.shots if one.shot.place == at]
    if not shown and placed_call(known) is None and known.alert is None:
        shown = list(known.shots)
    return max(shown, key=fired_at, default=None)


def fired_at(alert: ShotAlert) -> datetime:
    """The first discharge."""
    return min(shot.discharged_at for shot in alert.strings)


def placed_call(known: Known) -> Call | None:
    """The call whose place the brief goes by: the incident's, so that the officer and the operator
    look at one corner; else the first that is sure of it, else the first that names one."""
    placed = sorted(
        (c for c in known.calls if c.place is not None), key=lambda c: (c.here_at, c.number)
    )
    at = known.incident.place if known.incident else None
    shown = [c for c in placed if c.place == at]
    sure = [c for c in placed if not PLACE_DOUBTS & set(c.doubts)]
    return next(iter([*shown, *sure, *placed]), None)


def main_call(calls: Sequence[Call]) -> Call:
    """The gravest, of equally grave ones the first: news of another call does not change it."""
    return min(calls, key=lambda call: (call.priority, call.here_at, call.number))


def newest_first(calls: Sequence[Call]) -> list[Call]:
    return sorted(calls, key=lambda call: (call.changed_at, call.number), reverse=True)
