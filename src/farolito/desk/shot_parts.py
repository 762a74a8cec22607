"""Shots as parts: they join an incident they fit, open their own once reviewed, and leave it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from farolito.desk import incidents as steps
from farolito.desk.book import Book
from farolito.desk.grouping import Grouping
from farolito.desk.incident_log import Said
from farolito.desk.shot_events import (
    event_of_shot,
    is_part,
    linked,
    part_of_shot,
    renewed,
    said_of_revision,
    said_of_state,
)
from farolito.desk.sources import Events
from farolito.gate import Records
from farolito.model import Incident, Part, ShotAlert


class ShotParts:
    """Used only in a transaction that holds the feed.

    Until a person heard gunfire in them, shots are a part for operators only and change nothing
    else. Reviewed as anything else they leave; where they are all there is, they stay as struck
    out, so that the incident says what it was, and closes.
    """

    def __init__(self, book: Book, grouping: Grouping, clock: Callable[[], datetime]) -> None:
        self._book = book
        self._grouping = grouping
        self._clock = clock

    async def follow(self, records: Records, alert: ShotAlert) -> None:
        home = await records.incidents.of_part(alert.alert_id)
        if home is None:
            if is_part(alert):
                await self._place(records, alert)
            return
        incident = await records.incidents.get(home)
        assert incident is not None, "a part points to an incident"
        part = next(one for one in incident.parts if one.part_id == alert.alert_id)
        if is_part(alert):
            await self._renew(records, incident, part, alert)
        elif renewed(part, alert).alert is not part.alert or len(incident.parts) > 1:
            await self._take_out(records, incident, part, alert)

    async def take_in(
        self, records: Records, incident: Incident, events: Events, said: list[Said]
    ) -> Incident:
        """Shots that wait for a person and fit what is new here become parts, for operators."""
        for alert, link in await self._grouping.loose_shots(records, incident, events):
            incident = steps.with_part(incident, part_of_shot(alert, link, self._clock()))
            said.append(linked(alert, link))
        return incident

    async def _place(self, records: Records, alert: ShotAlert) -> None:
        verdict = await self._grouping.verdict(records, event_of_shot(alert))
        if verdict is None and not alert.is_confirmed:
            return
        incident, link = await self._book.home(records, verdict)
        incident = steps.with_part(incident, part_of_shot(alert, link, self._clock()))
        incident, said = await self._book.join_all(
            records, incident, verdict.also if verdict else (), None
        )
        if verdict is not None:
            said.append(linked(alert, link))
        if alert.is_confirmed:
            said.append(said_of_state(alert))
            incident = await self.take_in(records, incident, Events(shots=[alert]), said)
        await self._book.keep(records, incident, said, None)

    async def _renew(
        self, records: Records, incident: Incident, part: Part, alert: ShotAlert
    ) -> None:
        now = renewed(part, alert)
        after = steps.with_part(incident, now)
        if now.is_confirmed and not part.is_confirmed:
            await self._confirm(records, after, alert)
        elif now.alert is not part.alert:
            await self._book.keep(records, after, [said_of_state(alert)], None)
        elif now != part:
            await self._book.keep(records, after, [said_of_revision(alert, part)], None)
        elif now.is_confirmed:
            await self._book.keep_changed(records, after, said_of_revision(alert, part))

    async def _confirm(self, records: Records, incident: Incident, alert: ShotAlert) -> None:
        """From now on they count: other incidents that they fit are the same event."""
        others = await self._grouping.verdict(records, event_of_shot(alert), incident)
        incident, said = await self._book.join_all(
            records, incident, [others, *others.also] if others else (), None
        )
        said.append(said_of_state(alert))
        incident = await self.take_in(records, incident, Events(shots=[alert]), said)
        await self._book.keep(records, incident, said, None)

    async def _take_out(
        self, records: Records, incident: Incident, part: Part, alert: ShotAlert
    ) -> None:
        leaves = len(incident.parts) > 1
        if leaves:
            after = steps.without_part(incident, part.part_id)
        else:
            after = steps.with_part(incident, renewed(part, alert))
        await self._book.keep(records, after, [said_of_state(alert, leaves=leaves)], None)
