"""Correlation against what is kept: the open incidents near an event, loaded and asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from farolito.correlation import Event, Verdict, correlate, plate_key, reach_m
from farolito.desk import incidents as steps
from farolito.desk.calls import premise
from farolito.desk.shot_events import event_of_shot, is_part
from farolito.desk.sources import Events
from farolito.gate import Records
from farolito.model import (
    Alert,
    AlertId,
    Call,
    CallId,
    CallKind,
    Incident,
    IncidentId,
    Link,
    Part,
    PartKind,
    Point,
    ShotAlert,
    ShotAlertId,
)

LOOKED_BACK = timedelta(hours=1)  # the longest that nearness in time reaches
PLATES_LOOKED_BACK = timedelta(hours=24)
UNSURE_M = 150.0  # by which a box around a place is wider than the reach of its kind
FLED_M = 5_100.0
SHOTS_LOOKED_AROUND = timedelta(minutes=11)  # the longest of any pair with shots, and the sound
_SHOTS_M = reach_m(CallKind.SHOTS_FIRED) + UNSURE_M
_FLED = frozenset(
    {CallKind.WANTED_VEHICLE, CallKind.STOLEN_VEHICLE, CallKind.ROBBERY, CallKind.PURSUIT}
)


class Streets(Protocol):
    """What the map tells; every answer is None where there is no map, or it does not know."""

    def road(self, a: Point, b: Point) -> tuple[float, float] | None:
        """Metres and seconds by road."""

    def find(self, address: str) -> tuple[Point, float] | None:
        """A place, and the radius in metres that holds it."""

    def describe(self, place: Point) -> str | None: ...


class Grouping:
    """Asked only in a transaction that holds the feed: nothing changes while it looks."""

    def __init__(self, streets: Streets, clock: Callable[[], datetime]) -> None:
        self._streets = streets
        self._clock = clock

    async def verdict(
        self,
        records: Records,
        event: Event,
        own: Incident | None = None,
        call: Call | None = None,
    ) -> Verdict | None:
        """Where an event belongs. `own`: the incident it stands in, `call`: its call as it will
        be kept, which the records do not know yet."""
        since = max(min(event.at, self._clock()), self._clock() - PLATES_LOOKED_BACK)
        near = await records.incidents.candidates(
            place=event.spot,
            within_m=FLED_M if event.kind in _FLED else reach_m(event.kind) + UNSURE_M,
            since=since - LOOKED_BACK,
            plates=[plate for plate, _ in event.plates],
            plates_since=since - PLATES_LOOKED_BACK,
            number=event.number,
            duplicate_of=event.duplicate_of,
        )
        if not near:
            return None
        events = await self.events_of(records, [*near, *([own] if own else [])])
        if call is not None:
            calls = [call if one.call_id == call.call_id else one for one in events.calls]
            events = events._replace(calls=calls)
        candidates = [steps.candidate(incident, events) for incident in near]
        mine = steps.candidate(own, events) if own else None
        return correlate(event, candidates, self._streets.road, mine)

    async def loose_alerts(
        self, records: Records, incident: Incident, call: Call
    ) -> list[tuple[Alert, Link]]:
        """Open alerts of no incident whose plate this call names."""
        plates = [key for v in call.vehicles if (key := plate_key(v.plate or ""))]
        if not plates:
            return []
        since = self._clock() - PLATES_LOOKED_BACK
        found = []
        itself = steps.candidate(incident, Events(calls=[call]))
        for alert_id in await records.incidents.loose_alerts(plates, since):
            alert = await records.alerts.get(alert_id)
            assert alert is not None, "it was found in this transaction"
            verdict = correlate(steps.event_of_alert(alert), [itself], self._streets.road)
            if verdict is not None:
                found.append((alert, verdict.link))
        return found

    async def loose_shots(
        self, records: Records, incident: Incident, events: Events
    ) -> list[tuple[ShotAlert, Link]]:
        """Shots of no incident that wait for a person, near what is new in this one."""
        itself = steps.candidate(incident, events)
        found: dict[ShotAlertId, tuple[ShotAlert, Link]] = {}
        for event in itself.events:
            if event.spot is None:
                continue
            near = await records.shots.near(
                event.spot, _SHOTS_M, event.at - SHOTS_LOOKED_AROUND, event.at + SHOTS_LOOKED_AROUND
            )
            for alert in near:
                if alert.is_confirmed or not is_part(alert) or alert.alert_id in found:
                    continue
                if await records.incidents.of_part(alert.alert_id) is not None:
                    continue
                verdict = correlate(event_of_shot(alert), [itself], self._streets.road)
                if verdict is not None:
                    found[alert.alert_id] = (alert, verdict.link)
        return list(found.values())

    async def events_of(self, records: Records, incidents: Sequence[Incident]) -> Events:
        """The calls, alerts and shots that are parts of these."""
        parts = [part for incident in incidents for part in incident.parts]
        ids = [CallId(part.part_id) for part in parts if part.kind is PartKind.CALL]
        alerts = [
            await records.alerts.get(AlertId(part.part_id))
            for part in parts
            if part.kind is PartKind.ALERT
        ]
        shots = [
            await records.shots.get(ShotAlertId(part.part_id))
            for part in parts
            if part.kind is PartKind.SHOT
        ]
        return Events(
            calls=await records.calls.of_ids(ids) if ids else [],
            alerts=[alert for alert in alerts if alert is not None],
            shots=[shot for shot in shots if shot is not None],
        )


async def save_call(records: Records, call: Call) -> None:
    keys = (plate_key(v.plate) for v in call.vehicles if v.plate)
    await records.calls.save(call, premise(call.address), [key for key in keys if key])


async def moved_calls(records: Records, parts: Iterable[Part], to: IncidentId) -> None:
    """Calls point to the incident that their part stands in."""
    ids = [CallId(part.part_id) for part in parts if part.kind is PartKind.CALL]
    for call in await records.calls.of_ids(ids):
        await save_call(records, msgspec.structs.replace(call, incident=to))
