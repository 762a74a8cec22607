"""What a TAK user is shown when they come: the incidents, units, devices and briefs of now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from farolito.delivery.cot import is_over
from farolito.delivery.follow import stands
from farolito.gate import Gate, Records
from farolito.model import (
    Brief,
    Device,
    Incident,
    IncidentId,
    IncidentState,
    PartKind,
    ShotAlert,
    ShotAlertId,
    Unit,
    UnitId,
    UnitStatus,
)

SHOWN_FOR = timedelta(hours=12)  # a shift: an older brief is nobody's any more


class Around(Protocol):
    """What the app holds in memory: units as believed now, and the registered devices."""

    def units(self) -> Sequence[Unit]: ...

    def devices(self) -> Sequence[Device]: ...


class Picture(msgspec.Struct, frozen=True):
    """As of feed number `seq`: what comes after it comes as news."""

    seq: int
    incidents: dict[IncidentId, Incident]
    briefs: Sequence[Brief] = ()
    shots: Mapping[ShotAlertId, ShotAlert] = {}


async def picture(gate: Gate, unit: UnitId | None, now: datetime) -> Picture:
    """Open incidents that some person's word stands behind with the shots that a person reviewed,
    and the running briefs of a unit, the oldest first."""

    async def work(records: Records) -> Picture:
        seq = await records.feed.end()
        shown = [
            one
            for one in await records.incidents.shown()
            if one.state is IncidentState.OPEN and await stands(records, one)
        ]
        briefs = await records.briefs.of_unit(unit, now - SHOWN_FOR) if unit else []
        running = [one for one in reversed(briefs) if not is_over(one)]
        heard = [
            await records.shots.get(ShotAlertId(part.part_id))
            for one in shown
            for part in one.parts
            if part.kind is PartKind.SHOT
        ]
        shots = {one.alert_id: one for one in heard if one is not None and one.is_confirmed}
        return Picture(seq, {one.incident_id: one for one in shown}, running, shots)

    return await gate.following(work)


def mates(incidents: Sequence[Incident]) -> set[UnitId]:
    """The units at work on any of these."""
    return {
        one.unit for what in incidents for one in what.units if one.status is not UnitStatus.CLEARED
    }
