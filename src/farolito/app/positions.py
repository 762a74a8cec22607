"""Where every unit is: the newest believed position of each, in memory, stored once a second.

A position is worth a second: the next one is on its way before this one could be lost. So it is
believed in memory first and stored with the others, and what a crash loses is one second.

Sums: 10,000 positions/s leave 100 µs each for door, belief and screens in one process; belief
costs about 2.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from math import cos, hypot, radians

import asyncpg
import msgspec

from farolito.model import AgencyId, Doubt, Point, Unit, UnitId, UnitPosition
from farolito.store import Database, Records
from farolito.store.database import AWAY

log = logging.getLogger(__name__)

STORE_EVERY_S = 1.0
UNITS_MAX = 20_000  # a further name is not believed and counted: a source that invents them
AHEAD_MAX = timedelta(seconds=30)  # a source further ahead of us has a wrong clock
BEHIND_MAX = timedelta(minutes=5)  # and one that is steadily further behind has as well
STEADY_S = 5.0  # two positions of one source whose delay differs by less have the same delay
SPEED_MPS_MAX = 90.0  # 324 km/h: no car of ours
JUMP_M_MIN = 200.0  # nearer than this, noise explains it
AGREE_MIN = 3  # so many positions in a row that agree on the new place make it the believed one
SOURCE_KEPT_S = 10.0  # a second source is believed once the first was silent for so long
APART_M_MAX = 300.0  # two sources further apart than this contradict each other
_DEGREE_M = 111_195.0  # of latitude, on a sphere of 6,371.0088 km

Row = tuple[
    UnitId, float | None, float | None, float | None, float | None, int | None, str | None, bool,
    str | None,
]  # fmt: skip


class _Known:
    """One unit as believed, and what was last said against it."""

    __slots__ = ("against", "agreeing", "delays", "revision", "unit")

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.revision = 0
        self.against: UnitPosition | None = None  # the newest that is not believed
        self.agreeing = 0  # positions in a row that agree with it
        self.delays: dict[str, float] = {}  # by source: how late its newest position came


class Positions:
    """Believes, doubts and remembers; `news` is called when something changed."""

    def __init__(
        self,
        database: Database,
        agency: AgencyId,
        clock: Callable[[], datetime],
        news: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._agency = agency
        self._clock = clock
        self._news = news
        self._known: dict[UnitId, _Known] = {}
        self._unsaved: set[UnitId] = set()
        self.revision = 0
        self.heard = 0
        self.counts: Counter[str] = Counter()  # what was not believed, by reason

    async def load(self) -> None:
        """Units as they were stored: who is in them, and who is muted. Again after a change."""
        async with self._database.transaction(self._agency) as connection:
            stored = await Records(connection, self._agency).units.all()
        self.revision += 1
        for unit in stored:
            known = self._known.get(unit.unit_id)
            if known is None:
                known = self._known[unit.unit_id] = _Known(unit)
            else:
                known.unit = msgspec.structs.replace(
                    known.unit,
                    officer=unit.officer,
                    muted=unit.muted,
                    commissions=unit.commissions,
                )
            known.revision = self.revision

    def all(self) -> Sequence[Unit]:
        return [known.unit for known in self._known.values()]

    def get(self, unit_id: UnitId) -> Unit | None:
        known = self._known.get(unit_id)
        return known.unit if known else None

    async def hear(self, positions: Sequence[UnitPosition]) -> None:
        """Take in what a source said; never fails, since nothing is waited for."""
        self.revision += 1
        self.heard += len(positions)
        for position in positions:
            known = self._known.get(position.unit)
            if known is None:
                if len(self._known) >= UNITS_MAX:
                    self.counts["too_many_units"] += 1
                    continue
                unit = Unit(unit_id=position.unit, agency=self._agency)
                known = self._known[position.unit] = _Known(unit)
            self._weigh(known, position)
        self._news()

    def rows(self, after: int) -> list[Row]:
        """What changed after that revision, for screens; all of it after 0."""
        return [_row(known.unit) for known in self._known.values() if known.revision > after]

    async def run(self) -> None:
        """Store what changed, each second, until cancelled. A store that is away is waited for."""
        waiting = False
        while True:
            await asyncio.sleep(STORE_EVERY_S)
            try:
                await self.save()
                waiting = False
            except (*AWAY, asyncpg.PostgresError) as why:
                if not waiting:
                    log.warning("positions wait for the store: %s", type(why).__name__)
                waiting = True

    async def save(self) -> None:
        changed = [self._known[unit_id].unit for unit_id in self._unsaved]
        if not changed:
            return
        async with self._database.transaction(self._agency) as connection:
            await Records(connection, self._agency).units.hear(changed)
        self._unsaved.difference_update(unit.unit_id for unit in changed)

    def _weigh(self, known: _Known, position: UnitPosition) -> None:
        at, doubt = self._time(known, position)
        now = known.unit
        if now.place is None or now.heard_at is None:
            self._believe(known, position, at, doubt)
            return
        if at < now.heard_at and position.source == now.source:
            self.counts["out_of_order"] += 1
            return
        metres = _metres(now.place, position.place)
        seconds = (at - now.heard_at).total_seconds()
        if position.source != now.source and seconds < SOURCE_KEPT_S:
            if metres > APART_M_MAX:
                self._doubt(known, Doubt.TWO_PLACES)
            return
        too_far = metres > JUMP_M_MIN and metres > SPEED_MPS_MAX * max(seconds, 1.0)
        if too_far and not self._agreed(known, position):
            self._doubt(known, Doubt.IMPOSSIBLE_SPEED)
            return
        self._believe(known, position, at, doubt)

    def _time(self, known: _Known, position: UnitPosition) -> tuple[datetime, Doubt | None]:
        """When the position was true. A clock that is off is replaced by the time of arrival."""
        late = position.received_at - position.at
        before = known.delays.get(position.source)
        known.delays[position.source] = late.total_seconds()
        steady = before is not None and abs(before - late.total_seconds()) < STEADY_S
        if late < -AHEAD_MAX or (late > BEHIND_MAX and steady):
            return position.received_at, Doubt.CLOCK_SKEW
        return position.at, position.doubt

    def _agreed(self, known: _Known, position: UnitPosition) -> bool:
        """Whether enough positions in a row put the unit at the new place."""
        last = known.against
        if last is not None and last.source == position.source:
            seconds = max(1.0, (position.received_at - last.received_at).total_seconds())
            if _metres(last.place, position.place) <= SPEED_MPS_MAX * seconds:
                known.agreeing += 1
                known.against = position
                return known.agreeing >= AGREE_MIN
        known.against, known.agreeing = position, 1
        return False

    def _doubt(self, known: _Known, doubt: Doubt) -> None:
        self.counts[doubt] += 1
        if known.unit.doubt is not doubt:
            self._keep(known, msgspec.structs.replace(known.unit, doubt=doubt))

    def _believe(
        self, known: _Known, position: UnitPosition, at: datetime, doubt: Doubt | None
    ) -> None:
        if doubt is not None:
            self.counts[doubt] += 1
        known.against, known.agreeing = None, 0
        before = known.unit
        unit = Unit(
            unit_id=before.unit_id,
            agency=before.agency,
            officer=before.officer,
            place=position.place,
            heard_at=at,
            source=position.source,
            heading_deg=position.heading_deg,
            speed_mps=position.speed_mps,
            accuracy_m=position.accuracy_m,
            doubt=doubt,
            muted=before.muted,
            commissions=before.commissions,
        )
        self._keep(known, unit)

    def _keep(self, known: _Known, unit: Unit) -> None:
        known.unit = unit
        known.revision = self.revision
        self._unsaved.add(unit.unit_id)


def _metres(a: Point, b: Point) -> float:
    """Straight metres, near enough for a metro: a flat Earth at the first place."""
    dx = (b.lon - a.lon) * cos(radians(a.lat))
    return hypot(dx, b.lat - a.lat) * _DEGREE_M


def _row(unit: Unit) -> Row:
    place, at = unit.place, unit.heard_at
    return (
        unit.unit_id,
        round(place.lat, 6) if place else None,
        round(place.lon, 6) if place else None,
        None if unit.heading_deg is None else round(unit.heading_deg),
        None if unit.speed_mps is None else round(unit.speed_mps, 1),
        int(at.timestamp() * 1000) if at else None,
        unit.doubt,
        unit.muted,
        unit.source,
    )
