"""Who is on the way to what, how long it takes by road, and when they stood there.

Sums: a route is a few milliseconds, and with 500 units on the way each cannot be reckoned anew
every second. A turn has a budget; units take turns, and a phone counts down in between.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import asyncpg
import msgspec

from farolito.app.positions import Positions
from farolito.console.sockets import Way
from farolito.delivery import News
from farolito.gate import AWAY, Gate, LedgerDown, Records
from farolito.geo.distance import distance_m
from farolito.model import (
    Brief,
    BriefId,
    FarolitoError,
    Incident,
    IncidentId,
    IncidentState,
    Point,
    Unit,
    UnitId,
    UnitStatus,
)

log = logging.getLogger(__name__)

EVERY_S = 1.0
BUDGET_S = 0.02  # of each turn, for routes
ANEW_AFTER_S = 5.0  # an arrival time older than this is reckoned again
FRESH_S = 120.0  # a position older than this tells nothing of an arrival
NEAR_M = 75.0  # a unit so near, and nearly standing, has arrived
STANDING_MPS = 3.0
NEAREST_SHOWN = 5
LOOKED_AT = 12  # of the units nearest as the crow flies, for the soonest by road
RUNNING_FOR = timedelta(hours=12)

Near = Callable[[IncidentId, UnitId, float], Any]  # told once: (incident, unit, metres)


class Streets(Protocol):
    def road(self, a: Point, b: Point) -> tuple[float, float] | None: ...


class Eta(msgspec.Struct, frozen=True, kw_only=True):
    """`age_s`: of the position it was reckoned from."""

    unit: UnitId
    eta_s: float | None
    metres: float | None
    age_s: float | None


class _Running(msgspec.Struct, frozen=True, kw_only=True):
    brief_id: BriefId
    unit: UnitId
    incident_id: IncidentId | None
    place: Point | None


class Ways:
    """`near` is awaited once when a unit first stands at the place it was briefed for."""

    def __init__(
        self,
        gate: Gate,
        positions: Positions,
        streets: Streets,
        clock: Callable[[], datetime],
        near: Near,
    ) -> None:
        self._gate = gate
        self._positions = positions
        self._streets = streets
        self._clock = clock
        self._near = near
        self._running: dict[UnitId, _Running] = {}
        self._status: dict[tuple[IncidentId, UnitId], UnitStatus] = {}
        self._ways: dict[UnitId, Way] = {}
        self._arrived: set[tuple[IncidentId, UnitId]] = set()

    def way(self, unit_id: UnitId) -> Way | None:
        """The own unit's way, for its phone; its speed alone where it goes nowhere."""
        unit = self._positions.get(unit_id)
        known = self._ways.get(unit_id)
        speed = unit.speed_mps if unit and self._age_s(unit) < FRESH_S else None
        running = self._running.get(unit_id)
        if running is None or known is None:
            return None if speed is None else Way(speed_mps=speed)
        status = self._status.get((running.incident_id, unit_id)) if running.incident_id else None
        return msgspec.structs.replace(known, speed_mps=speed, status=status)

    async def to(self, incident: Incident) -> Mapping[str, Sequence[Eta]]:
        """Who is on the way to an incident, and who else would be there soonest."""
        busy = {u.unit for u in incident.units if u.status is not UnitStatus.CLEARED}
        if incident.place is None:
            nowhere = [Eta(unit=u, eta_s=None, metres=None, age_s=None) for u in sorted(busy)]
            return {"assigned": nowhere, "nearest": ()}
        units = {u.unit_id: u for u in self._positions.all() if u.place is not None}
        assigned = [await self._eta(u, units.get(u), incident.place) for u in sorted(busy)]
        free = [u for u in units.values() if u.unit_id not in busy and self._age_s(u) < FRESH_S]
        here = (incident.place.lat, incident.place.lon)
        free.sort(key=lambda u: distance_m(_pair(u), here))
        others = [await self._eta(u.unit_id, u, incident.place) for u in free[:LOOKED_AT]]
        soonest = sorted((e for e in others if e.eta_s is not None), key=lambda e: e.eta_s or 0.0)
        return {"assigned": assigned, "nearest": soonest[:NEAREST_SHOWN]}

    async def news(self, items: Sequence[News]) -> None:
        """Briefs and incidents as they change, each once and in order."""
        for item in items:
            if isinstance(item.what, Brief):
                self._take(item.what)
            elif isinstance(item.what, Incident):
                self._status.update(_statuses(item.what))
                if item.what.state is not IncidentState.OPEN:
                    self._forget(item.what.incident_id)

    async def anew(self) -> None:
        """At the start, and where news were missed."""
        since = self._clock() - RUNNING_FOR

        async def work(records: Records) -> tuple[list[Brief], list[Incident]]:
            return await records.briefs.running(since), await records.incidents.shown()

        briefs, incidents = await self._gate.following(work)
        self._running.clear()
        self._ways.clear()
        self._status = {k: v for one in incidents for k, v in _statuses(one).items()}
        for brief in briefs:
            self._take(brief)

    def _take(self, brief: Brief) -> None:
        """The newest running brief of a unit is where it is going."""
        if brief.ended_at is None and not brief.recalled and brief.outcome is None:
            self._running[brief.unit] = _Running(
                brief_id=brief.brief_id,
                unit=brief.unit,
                incident_id=brief.incident_id,
                place=brief.place,
            )
            return
        running = self._running.get(brief.unit)
        if running is not None and running.brief_id == brief.brief_id:
            del self._running[brief.unit]
            self._ways.pop(brief.unit, None)

    def _forget(self, incident_id: IncidentId) -> None:
        self._arrived = {key for key in self._arrived if key[0] != incident_id}
        for key in [key for key in self._status if key[0] == incident_id]:
            del self._status[key]

    async def run(self) -> None:
        """Keep arrival times fresh until cancelled. A store that is away is waited for."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self._turn()
            except (*AWAY, asyncpg.PostgresError, LedgerDown) as why:
                log.warning("arrival times wait: %s", type(why).__name__)

    async def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + BUDGET_S
        for running in sorted(self._running.values(), key=self._reckoned_at):
            await self._arrive(running)
            if loop.time() < until and self._is_old(running):
                self._reckon(running)
                await asyncio.sleep(0)

    def _reckoned_at(self, running: _Running) -> float:
        known = self._ways.get(running.unit)
        return known.at.timestamp() if known and known.at else 0.0

    def _is_old(self, running: _Running) -> bool:
        known = self._ways.get(running.unit)
        if known is None or known.brief_id != running.brief_id:
            return True
        return self._clock().timestamp() - self._reckoned_at(running) > ANEW_AFTER_S

    def _reckon(self, running: _Running) -> None:
        unit = self._positions.get(running.unit)
        found = None
        if unit is not None and unit.place is not None and running.place is not None:
            found = self._streets.road(unit.place, running.place)
        self._ways[running.unit] = Way(
            brief_id=running.brief_id,
            metres=found[0] if found else None,
            eta_s=found[1] if found else None,
            at=self._clock(),
        )

    async def _arrive(self, running: _Running) -> None:
        """Tell once that a unit stands where it was sent: a tap may be late or never come."""
        unit = self._positions.get(running.unit)
        if running.incident_id is None or running.place is None:
            return
        key = (running.incident_id, running.unit)
        if key in self._arrived or unit is None or unit.place is None or unit.doubt is not None:
            return
        metres = distance_m(_pair(unit), (running.place.lat, running.place.lon))
        standing = unit.speed_mps is None or unit.speed_mps < STANDING_MPS
        if metres <= NEAR_M and standing and self._age_s(unit) < FRESH_S:
            try:
                await self._near(running.incident_id, running.unit, metres)
            except FarolitoError as why:
                log.warning("an arrival waits to be written down: %s", type(why).__name__)
                return
            self._arrived.add(key)  # written down: a store that was away is asked again

    async def _eta(self, unit_id: UnitId, unit: Unit | None, place: Point) -> Eta:
        found = None
        if unit is not None and unit.place is not None:
            found = self._streets.road(unit.place, place)
            await asyncio.sleep(0)  # a route takes milliseconds; others go on in between
        return Eta(
            unit=unit_id,
            eta_s=found[1] if found else None,
            metres=found[0] if found else None,
            age_s=round(self._age_s(unit), 1) if unit and unit.heard_at else None,
        )

    def _age_s(self, unit: Unit) -> float:
        if unit.heard_at is None:
            return float("inf")
        return max(0.0, (self._clock() - unit.heard_at).total_seconds())


def _statuses(incident: Incident) -> dict[tuple[IncidentId, UnitId], UnitStatus]:
    return {(incident.incident_id, one.unit): one.status for one in incident.units}


def _pair(unit: Unit) -> tuple[float, float]:
    assert unit.place is not None, "asked only of units with a place"
    return unit.place.lat, unit.place.lon
