"""Looking up what a brief is composed of, in the transaction that asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

from msgspec.structs import replace

from farolito.briefing.known import (
    Around,
    History,
    Known,
    newest_first,
    place_of,
    placed_call,
    was_confirmed,
)
from farolito.gate import Records
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
        names = await _confirmers(records, alerts)
        return Matter(incident=incident, calls=calls, alerts=alerts, confirmed_by=names)

    async def known(
        self,
        records: Records,
        matter: Matter,
        unit_id: UnitId,
        brief: Brief | None,
        *,
        complete: bool,
    ) -> Known:
        """For one unit; `brief` is what it was told so far. A withdrawn plate is spoken of only
        to those who were told of it."""
        told = plates_told(brief)
        alerts = [
            a for a in matter.alerts
            if a.state is not AlertState.RECALLED or a.match.entry.plate in told
        ]  # fmt: skip
        if complete and not matter.is_asked:
            matter.history = await self._history(records, matter.calls)
            matter.is_asked = True
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
        placed = placed_call(known)
        units: Sequence[Unit] = ()
        if not known.others:  # who else could come is said only to who comes alone
            units = self._positions.all() if self._positions else await records.units.all()
        around = self._surroundings.around(
            place, placed.within_m if placed else None, known.unit, units, known.now
        )
        # Version 1 says what is known; what must be looked for comes with the next.
        if not known.is_complete and known.calls:
            around = replace(around, eye=None)
        return replace(known, around=around)

    async def _history(self, records: Records, calls: Sequence[Call]) -> History | None:
        """Earlier calls at the place; None where there is no place to ask about."""
        here = next((c for c in newest_first(calls) if c.address or c.place is not None), None)
        if here is None:
            return None
        premise = await records.calls.premise_of(here.call_id)
        # Neighbours stand within metres of each other: with an address, the place is not asked.
        place = None if premise or _NOT_HERE & set(here.doubts) else here.place
        if premise is None and place is None:
            return None
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


async def _confirmers(records: Records, alerts: Sequence[Alert]) -> Mapping[AlertId, str]:
    """Who compared crop and row, by the name that officers know."""
    names: dict[AlertId, str] = {}
    for alert in alerts:
        for line in await records.alerts.history(alert.alert_id):
            if line.who is not None and line.who == alert.decided_by and line.name:
                names[alert.alert_id] = f"operator {line.name}"
    return names
