"""What changes here waits for those partners that an agreement lets have it.

Followers of the desks: each row is written in the transaction of the change itself, so that what
a partner is told and what happened here cannot differ. Nothing is decided for good here: whether
it may go is asked again when it goes (`sending`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Any

from farolito.federation.flows import Flows
from farolito.federation.items import (
    told_of_alert,
    told_of_incident,
    told_of_row,
    told_of_shot,
)
from farolito.gate import Gate, Records, system_ask
from farolito.model import (
    AgencyId,
    Agreement,
    Alert,
    HotListEntry,
    Incident,
    Person,
    ShareClass,
    Sharing,
    ShotAlert,
    Thing,
    Unit,
    UnitId,
)
from farolito.model.shared import Telling

ROWS_AT_ONCE = 5_000

RowsInForce = Callable[[Records], AsyncIterator[HotListEntry]]


class Outbox:
    """`put` is called with each partner for whom something new waits, after its row is written and
    before it is durable: a sender that looks too early looks again."""

    def __init__(
        self,
        gate: Gate,
        system: Person,
        flows: Flows,
        clock: Callable[[], datetime],
        units: Callable[[], Sequence[Unit]] = lambda: (),
    ) -> None:
        self._gate = gate
        self._system = system
        self._flows = flows
        self._clock = clock
        self._units = units
        self.put: Callable[[AgencyId], None] = lambda _: None

    async def follow_alert(self, records: Records, alert: Alert, _says: str) -> None:
        """A follower of the desk; after dispatch, so that the alert's incident is known."""
        if self._alone():
            return
        home = await records.incidents.of_part(alert.alert_id)
        await self._offer(records, told_of_alert(alert, home))

    async def follow_shot(self, records: Records, alert: ShotAlert, _says: str) -> None:
        """A follower of the desk of shots; after dispatch."""
        if self._alone():
            return
        home = await records.incidents.of_part(alert.alert_id)
        await self._offer(records, told_of_shot(alert, home))

    async def follow_incident(
        self, records: Records, incident: Incident, _what: str, _permit: int
    ) -> None:
        """A follower of dispatch."""
        if self._alone():
            return
        await self._offer(records, told_of_incident(incident, self._muted()))

    async def follow_rows(self, records: Records, entries: Sequence[HotListEntry]) -> None:
        """Rows of a list came, changed, left it or were recalled. What left has `recalled_at`."""
        if self._alone():
            return
        now = self._clock()
        tellings = [told for entry in entries if (told := told_of_row(entry, now)) is not None]
        for partner in self._flows.confirmed():
            await self._put(records, partner, tellings)

    async def begin(self, agreement: Agreement, rows: RowsInForce | None = None) -> None:
        """An agreement came into force: what is going on now waits for its grantee. Once, until
        `begin_anew`.

        `rows`: the hot-list rows in force, streamed; the app's, since lists are its own.
        """
        if Sharing.FOLLOW not in agreement.sharing:
            return
        ask = system_ask(self._system, Thing.SHARED, f"begin agreement {agreement.agreement_id}")

        async def work(records: Records, permit: int) -> None:
            await records.feed.hold()
            partner = agreement.grantee
            if not await records.sharing.begin(partner, agreement.agreement_id, self._clock()):
                return
            await self._put(records, partner, await self._going_on(records, agreement))
            if rows is not None and ShareClass.HOT_LIST in agreement.classes:
                await self._put_rows(records, partner, rows)

        await self._gate.act(ask, work)

    # What follows works inside a transaction.

    async def _offer(self, records: Records, telling: Telling | None) -> None:
        """To everybody who may have it now, or holds it and must hear that it is taken back."""
        if telling is None:
            return
        for partner in self._flows.confirmed():
            await self._put(records, partner, [telling])

    async def _put(self, records: Records, partner: AgencyId, tellings: Sequence[Telling]) -> None:
        """What may go now, and recalls of what the partner holds."""
        may: dict[tuple[Any, ...], bool] = {}  # rows of a list differ in nothing that terms ask
        waiting: list[Telling] = []
        for told in tellings:
            if told.recalled:
                continue
            key = told.kind, told.place, told.incident
            if key not in may:
                may[key] = self._flows.by(partner, told) is not None
            if may[key]:
                waiting.append(told)
        for kind in {told.kind for told in tellings if told.recalled}:
            back = [told for told in tellings if told.recalled and told.kind is kind]
            held = await records.sharing.known(partner, kind, [told.item_id for told in back])
            waiting += [told for told in back if told.item_id in held]
        if waiting:
            await records.sharing.put(partner, waiting, self._clock())
            self.put(partner)

    async def _put_rows(self, records: Records, partner: AgencyId, rows: RowsInForce) -> None:
        now = self._clock()
        some: list[Telling] = []
        async for entry in rows(records):
            told = told_of_row(entry, now)
            if told is not None:
                some.append(told)
            if len(some) >= ROWS_AT_ONCE:
                await self._put(records, partner, some)
                some = []
        await self._put(records, partner, some)

    async def _going_on(self, records: Records, agreement: Agreement) -> list[Telling]:
        """Open incidents, and the alerts and shots that a person has confirmed."""
        found: list[Telling | None] = []
        if ShareClass.INCIDENT in agreement.classes:
            muted = self._muted()
            found += [told_of_incident(i, muted) for i in await records.incidents.open_ones()]
        if ShareClass.ALERT in agreement.classes:
            for alert in await records.alerts.queue():
                home = await records.incidents.of_part(alert.alert_id)
                found.append(told_of_alert(alert, home))
        if ShareClass.SHOT in agreement.classes:
            for shot in await records.shots.queue():
                home = await records.incidents.of_part(shot.alert_id)
                found.append(told_of_shot(shot, home))
        return [told for told in found if told is not None]

    def _alone(self) -> bool:
        """Without partners nothing is looked up. Who lost an agreement is told of recalls."""
        return not self._flows.confirmed()

    def _muted(self) -> frozenset[UnitId]:
        return frozenset(unit.unit_id for unit in self._units() if unit.muted)
