"""How long each step took, from the call to the officer's arrival. It names units, no person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from farolito.model.alert import Level
from farolito.model.call import CallKind
from farolito.model.ids import IncidentId, UnitId


class UnitTiming(msgspec.Struct, frozen=True, kw_only=True):
    """One unit on one incident; None where a step is not known.

    `call_at` is by the dispatch system's clock, all others are by ours. `on_scene_by` says whose
    word that is: "cad", "officer" (a tap) or "position" (the unit stood within some metres).
    `freed_at`: when the unit was clear again, or its brief ended.
    """

    incident_id: IncidentId
    label: str  # the call's number or the alert's plate
    kind: CallKind
    level: Level
    unit: UnitId
    by_alert: bool  # a machine's alert sent it, confirmed by a person, and no call
    call_at: datetime | None = None
    here_at: datetime | None = None
    assigned_at: datetime | None = None
    composed_at: datetime | None = None
    delivered_at: datetime | None = None
    opened_at: datetime | None = None
    heard_at: datetime | None = None
    on_scene_at: datetime | None = None
    on_scene_by: str | None = None
    freed_at: datetime | None = None


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How long something took over `n` cases, seconds; None where there is no case."""

    n: int
    p50_s: float | None = None
    p95_s: float | None = None


class WaitingCall(msgspec.Struct, frozen=True, kw_only=True):
    """A priority-1 call from when it was here until a unit was sent; None: none was yet."""

    here_at: datetime
    assigned_at: datetime | None


class P1Delay(msgspec.Struct, frozen=True, kw_only=True):
    """What alerts may have cost other priority-1 calls.

    `waited_s` is the time that such calls waited for a unit while one was bound by an alert: an
    upper bound of the delay, no cause. `busy` and `free` are the waits of calls that came while
    an alert bound a unit and while none did: they differ for other reasons as well.
    """

    calls: int
    waited: int
    waited_s: float
    busy: Spread
    free: Spread


class Timings(msgspec.Struct, frozen=True, kw_only=True):
    since: datetime
    until: datetime
    steps: Mapping[str, Spread]
    p1_delay: P1Delay
    rows: tuple[UnitTiming, ...]
