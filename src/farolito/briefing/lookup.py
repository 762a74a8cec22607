"""Looking up what a brief is composed of, in the transaction that asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol
from uuid import UUID

from msgspec.structs import replace

from farolito.briefing.known import (
    Around,
    History,
    Known,
    Spot,
    fired_at,
    newest_first,
    place_of,
    placed_shots,
    was_confirmed,
    within_of,
)
from farolito.gate import Records
from farolito.geo.shot_place import is_doubtful, within_m
from farolito.model import (
    Alert,
    AlertId,
    AlertState,
    Brief,
    Call,
    CallId,
    DeviceId,
    Doubt,
    Incident,
    PartKind,
    Point,
    ShotAlert,
    ShotAlertId,
    Unit,
    UnitId,
)

HISTORY_DAYS = 365  # older calls say little of who lives there now
PREMISE_M = 30.0  # without an address: an earlier call this near was here
_TELLS_A_PLATE = ("vehicle.confirmed", "vehicle.withdrawn")
_NOT_HERE = frozenset({Doubt.ABOUT, Doubt.PLACES_DIFFER, Doubt.NO_PLACE})


class Surroundings(Protocol):
    """What the map can tell: made by the app from the road graph and the registered devices."""

    def around(
        self,
        place: Point | None,
        within_m: float | None,
        unit: Unit,
        units: Sequence[Unit],
        now: datetime,
    ) -> Around: ...

    def spot(self, place: Point, within_m: float | None = None) -> Spot | None: ...

    def place_of_device(self, device_id: DeviceId) -> Point | None: ...


class Positions(Protocol):
    """Where units are believed to be, from memory."""

    def all(self) -> Sequence[Unit]: ...

    def get(self, unit_id: UnitId) -> Unit | None: ...


@dataclass
class Matter:
    """What a change is about, the same for all its units. `history` is asked for at most once."""

    incident: Incident | None
    calls: Sequence[Call]
    alerts: Sequence[Alert]
    confirmed_by: Mapping[AlertId, str]
    shots: Sequence[ShotAlert] = ()
    reviewed_by: Mapping[ShotAlertId, str] = field(default_factory=dict)
    history: History | None = None
    is_asked: bool = False


class Lookup:
    def __init__(
        self,
        surroundings: Surroundings,
        clock: Callable[[], datetime],
        positions: Positions | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        self._surroundings = surroundings
        self._clock = clock
        self._positions = positions
        self._zone = zone

    async def of_alert(self, records: Records, alert: Alert, unit_id: UnitId) -> Known:
        names = await _confirmers(records, [alert])
        matter = Matter(incident=None, calls=(), alerts=(alert,), confirmed_by=names)
        return await self.known(records, matter, unit_id, None, complete=True)

    async def matter(self, records: Records, incident: Incident) -> Matter:
        """What is the same for every unit of an incident, looked up once."""
        calls = await records.calls.of_ids(
            [CallId(p.part_id) for p in incident.parts if p.kind is PartKind.CALL]
        )
        alerts = []
        for part in incident.parts:
            alert = None
            if part.kind is PartKind.ALERT:
                alert = await records.alerts.get(AlertId(part.part_id))
            if alert is not None and was_confirmed(alert):
                alerts.append(alert)
        shots = []
        for part in incident.parts:
            heard = None
            if part.kind is PartKind.SHOT:
                heard = await records.shots.get(ShotAlertId(part.part_id))
            if heard is not None and heard.is_confirmed:
                shots.append(heard)
        return Matter(
            incident=incident,
            calls=calls,
            alerts=alerts,
            confirmed_by=await _confirmers(records, alerts),
            shots=shots,
            reviewed_by=await _reviewers(records, shots),
        )

    async def known(
        self,
        records: Records,
        matter: Matter,
        unit_id: UnitId,
        brief: Brief | None,
        *,
        complete: bool,
    ) -> Known:
        """For one unit; `brief` is what it was told so far. A withdrawn plate, and shots that were
        none, are spoken of only to those who were told of them."""
        told = plates_told(brief)
        alerts = [
            a for a in matter.alerts
            if a.state is not AlertState.RECALLED or a.match.entry.plate in told
        ]  # fmt: skip
        if complete and not matter.is_asked:
            matter.history = await self._history(records, matter)
            matter.is_asked = True
        withdrawn = await _withdrawn(records, matter, brief)
        agency = matter.incident.agency if matter.incident else matter.alerts[0].agency
        known = Known(
            now=self._clock(),
            # A unit that dispatch names and nobody has heard of is briefed without a way.
            unit=await self.unit(records, unit_id) or Unit(unit_id=unit_id, agency=agency),
            around=Around(),
            incident=matter.incident,
            calls=matter.calls,
            alerts=alerts,
            confirmed_by=matter.confirmed_by,
            shots=matter.shots,
            withdrawn_shots=withdrawn,
            reviewed_by={**matter.reviewed_by, **await _reviewers(records, withdrawn)},
            history=matter.history if complete else None,
            is_complete=complete,
            zone=self._zone,
        )
        return await self._placed(records, known)

    async def unit(self, records: Records, unit_id: UnitId) -> Unit | None:
        believed = self._positions.get(unit_id) if self._positions else None
        return believed or await records.units.get(unit_id)

    async def _placed(self, records: Records, known: Known) -> Known:
        place = place_of(known)
        if place is None and known.alert is not None:
            place = self._surroundings.place_of_device(known.alert.newest.reader)
        units: Sequence[Unit] = ()
        if not known.others:  # who else could come is said only to who comes alone
            units = self._positions.all() if self._positions else await records.units.all()
        around = self._surroundings.around(place, within_of(known), known.unit, units, known.now)
        # Version 1 says what is known; what must be looked for comes with the next.
        if not known.is_complete and (known.calls or known.shots):
            around = replace(around, eye=None)
        shots = placed_shots(known)
        if shots is not None:
            modes = [self._surroundings.spot(mode.place) for mode in shots.shot.modes]
            around = replace(around, modes=modes)
        return replace(known, around=around)

    async def _history(self, records: Records, matter: Matter) -> History | None:
        """Earlier calls at the place; None where there is no place to ask about."""
        calls = matter.calls
        if not calls:
            place = _spot_of(matter.shots)
            return None if place is None else await self._earlier(records, calls, None, place)
        here = next((c for c in newest_first(calls) if c.address or c.place is not None), None)
        if here is None:
            return None
        premise = await records.calls.premise_of(here.call_id)
        # Neighbours stand within metres of each other: with an address, the place is not asked.
        place = None if premise or _NOT_HERE & set(here.doubts) else here.place
        if premise is None and place is None:
            return None
        return await self._earlier(records, calls, premise, place)

    async def _earlier(
        self, records: Records, calls: Sequence[Call], premise: str | None, place: Point | None
    ) -> History:
        now = self._clock()
        found = await records.calls.at_premise(
            premise, place, PREMISE_M, now - timedelta(days=HISTORY_DAYS)
        )
        own = {call.call_id for call in calls}
        oldest = await records.calls.since() or now
        days = max(1, min(HISTORY_DAYS, (now - oldest).days))
        return History(calls=[call for call in found if call.call_id not in own], days=days)


def plates_told(brief: Brief | None, *as_: str) -> set[str]:
    """The plates that the newest version speaks of, as confirmed or as withdrawn."""
    if brief is None:
        return set()
    return {
        str(phrase.args["plate"])
        for line in brief.lines
        for phrase in line.phrases
        if phrase.key in (as_ or _TELLS_A_PLATE)
    }


def shots_told(brief: Brief | None) -> set[ShotAlertId]:
    """The shots that the newest version speaks of, as gunfire or as none."""
    if brief is None:
        return set()
    told = (phrase.args.get("shot") for line in brief.lines for phrase in line.phrases)
    return {ShotAlertId(UUID(str(one))) for one in told if one is not None}


async def _withdrawn(records: Records, matter: Matter, brief: Brief | None) -> list[ShotAlert]:
    standing = {one.alert_id for one in matter.shots}
    found = [await records.shots.get(one) for one in sorted(shots_told(brief) - standing)]
    return [one for one in found if one is not None and one.review and not one.is_confirmed]


def _spot_of(shots: Sequence[ShotAlert]) -> Point | None:
    """Where the newest shots were fired, if that is known to a house."""
    newest = max(shots, key=fired_at, default=None)
    if newest is None or is_doubtful(newest.shot):
        return None
    within = within_m(newest.shot)
    return newest.shot.place if within is not None and within <= PREMISE_M else None


async def _reviewers(records: Records, shots: Sequence[ShotAlert]) -> Mapping[ShotAlertId, str]:
    """Who listened, by the name that officers know."""
    names: dict[ShotAlertId, str] = {}
    for one in shots:
        for line in await records.shots.history(one.alert_id):
            if one.review is not None and line.who == one.review.by and line.name:
                names[one.alert_id] = line.name
    return names


async def _confirmers(records: Records, alerts: Sequence[Alert]) -> Mapping[AlertId, str]:
    """Who compared crop and row, by the name that officers know."""
    names: dict[AlertId, str] = {}
    for alert in alerts:
        for line in await records.alerts.history(alert.alert_id):
            if line.who is not None and line.who == alert.decided_by and line.name:
                names[alert.alert_id] = f"operator {line.name}"
    return names
