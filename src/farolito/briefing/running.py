"""Briefs that run: begun with a unit's assignment, renewed as facts come, moved, ended.

All in the transaction of the change that causes it. Whoever makes a version holds the feed's
lock first, so a version is made of the newest knowledge and no two have one number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from farolito.briefing.change import LOOKING, differences, moved, same_meaning, spoken
from farolito.briefing.compose import compose, level_of
from farolito.briefing.hazards import next_expiry
from farolito.briefing.known import ON_CALL, Known, main_call, place_of, within_of
from farolito.briefing.lookup import Lookup, Matter, plates_told
from farolito.briefing.saying import phrase, sentence, told
from farolito.briefing.words import Words
from farolito.gate import Records
from farolito.model import (
    Alert,
    AlertState,
    Brief,
    BriefId,
    Incident,
    IncidentId,
    IncidentState,
    PersonId,
    Phrase,
    UnitId,
)

SHOWN_FOR = timedelta(hours=12)  # the shift: an older brief is no longer on the phone


class Running:
    """`due` is told of each brief that must be looked at again, and when."""

    def __init__(  # noqa: PLR0913 - made once, by the briefing
        self,
        lookup: Lookup,
        words: Words,
        language: str,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
        due: Callable[[BriefId, datetime], None],
    ) -> None:
        self._lookup = lookup
        self._words = words
        self._language = language
        self._clock = clock
        self._ids = ids
        self._due = due

    async def follow(self, records: Records, incident: Incident) -> None:
        """An incident changed: begin, renew, move or end the briefs of its units."""
        await records.feed.hold()
        of_this = await records.briefs.of_incident(incident.incident_id)
        running = {b.unit: b for b in of_this if b.ended_at is None}
        red = {u for u, b in running.items() if b.recalled or await self._turned_red(records, b)}
        running = {unit: brief for unit, brief in running.items() if unit not in red}
        if incident.joined_to is not None:
            await self._make_way(records, running, incident.joined_to)
            return
        wanted = _wanted(incident)
        if wanted:
            matter = await self._lookup.matter(records, incident)
        for unit in wanted:
            if unit in running:
                await self._renew(records, running[unit], matter)
            elif (theirs := await self._from_elsewhere(records, unit, incident)) is not None:
                await self._move(records, theirs, matter, incident)
            elif unit not in red:
                await self._begin(records, matter, unit)
        for unit, brief in running.items():
            if unit not in wanted and not await self._goes_elsewhere(records, unit, incident):
                key = "closed" if incident.state is IncidentState.CLOSED else "cleared"
                await self._end(records, brief, phrase(f"change.{key}"))

    async def begin(
        self, records: Records, incident: Incident, unit: UnitId, sent_by: PersonId | None = None
    ) -> Brief:
        """Version 1, at once: what dispatch and callers told. What must be looked up follows."""
        matter = await self._lookup.matter(records, incident)
        return await self._begin(records, matter, unit, sent_by)

    async def begin_alert(
        self, records: Records, alert: Alert, unit: UnitId, incident: Incident | None,
        sent_by: PersonId,
    ) -> Brief:  # fmt: skip
        """Version 1 about a confirmed plate alert, complete: nothing more is looked up."""
        if incident is None:
            known = await self._lookup.of_alert(records, alert, unit)
        else:
            matter = await self._lookup.matter(records, incident)
            known = await self._lookup.known(records, matter, unit, None, complete=True)
        return await self._first(records, known, sent_by)

    async def renew(
        self, records: Records, brief: Brief, incident: Incident, *, complete: bool = False
    ) -> Brief | None:
        """The next version where a line means something new. `complete`: with all that must be
        looked up."""
        matter = await self._lookup.matter(records, incident)
        return await self._renew(records, brief, matter, complete=complete)

    async def renew_alert(self, records: Records, brief: Brief, alert: Alert) -> Brief | None:
        """The same for a plate alert on a node without incidents."""
        known = await self._lookup.of_alert(records, alert, brief.unit)
        return await self._next(records, brief, known, ())

    async def recall(self, records: Records, brief: Brief, alert: Alert) -> None:
        """A plate was withdrawn. A brief about the plate turns red; one about a call goes on
        without it. Whoever was told is told, also when their brief has ended."""
        incident = await self._incident_of(records, brief)
        if brief.call is not None and incident is not None:
            await self.renew(records, brief, incident)
            return
        reason = _reason(alert)
        words = self._words.say(phrase("text", text=reason), self._language)
        says = phrase("change.recalled", reason=reason)
        await self.say(records, brief, (says,), recalled=True, recall_reason=words)

    async def say(
        self, records: Records, brief: Brief, change: Sequence[Phrase], **changes: object
    ) -> Brief:
        """A version with the same lines, because something else about the brief changed."""
        after = msgspec.structs.replace(
            brief,
            version=brief.version + 1,
            composed_at=self._clock(),
            change=spoken(change, self._words, self._language),
            change_phrases=tuple(change),
            **changes,
        )
        await self._tell(records, after)
        return after

    async def _begin(
        self, records: Records, matter: Matter, unit: UnitId, sent_by: PersonId | None = None
    ) -> Brief:
        known = await self._lookup.known(records, matter, unit, None, complete=False)
        brief = await self._first(records, known, sent_by)
        self._due(brief.brief_id, known.now)
        return brief

    async def _renew(
        self,
        records: Records,
        brief: Brief,
        matter: Matter,
        first: Sequence[Phrase] = (),
        *,
        complete: bool = False,
    ) -> Brief | None:
        if brief.recalled:
            return None
        known = await self._lookup.known(
            records, matter, brief.unit, brief, complete=complete or not _is_looking(brief)
        )
        self._remember(brief.brief_id, known)
        return await self._next(records, brief, known, first)

    async def _first(self, records: Records, known: Known, sent_by: PersonId | None) -> Brief:
        change = (phrase("change.new"),)
        brief = msgspec.structs.replace(
            self._body(known),
            brief_id=BriefId(self._ids()),
            sent_by=sent_by,
            change=spoken(change, self._words, self._language),
            change_phrases=change,
        )
        self._remember(brief.brief_id, known)
        await self._tell(records, brief)
        return brief

    async def _next(
        self, records: Records, brief: Brief, known: Known, first: Sequence[Phrase]
    ) -> Brief | None:
        body = self._body(known)
        before = plates_told(brief, "vehicle.withdrawn")
        gone = [a for a in known.withdrawn if a.match.entry.plate not in before]
        first = (*first, *(phrase("change.recalled", reason=_reason(a)) for a in gone))
        if known.shots and brief.call is None and body.call is not None:
            called = phrase("change.called", number=told(body.call))
            first = (*(first or (phrase("change.update"),)), called)
        anew, steady = moved(brief, body)
        if not first and not anew and same_meaning(brief.lines, body.lines, steady):
            return None
        change = differences(brief.lines, body.lines, first, anew, steady)
        after = msgspec.structs.replace(
            body,
            brief_id=brief.brief_id,
            version=brief.version + 1,
            change=spoken(change, self._words, self._language),
            change_phrases=change,
            # An alert that was told of stays the brief's, so that its recall finds the brief.
            alert_id=body.alert_id or brief.alert_id,
            sent_by=brief.sent_by,
            confirmed_by=body.confirmed_by or brief.confirmed_by,
            outcome=brief.outcome,
            ended_at=brief.ended_at,
            recall_reason=brief.recall_reason
            if not gone
            else self._words.say(phrase("text", text=_reason(gone[0])), self._language),
        )
        await self._tell(records, after)
        return after

    def _body(self, known: Known) -> Brief:
        """Everything of a brief that follows from what is known."""
        incident, alert = known.incident, known.alert
        entry = alert.match.entry if alert else None
        return Brief(
            brief_id=BriefId(UUID(int=0)),
            agency=known.unit.agency,
            unit=known.unit.unit_id,
            version=1,
            composed_at=known.now,
            lines=compose(known, self._words, self._language),
            change="",
            alert_id=alert.alert_id if alert else None,
            incident_id=incident.incident_id if incident else None,
            call=main_call(known.calls).number if known.calls else None,
            level=int(level_of(known)),
            place=place_of(known),
            within_m=within_of(known),
            eta_s=known.around.eta_s,
            plate=entry.plate if entry else None,
            state=entry.state if entry else None,
            confirmed_by=known.confirmed_by.get(alert.alert_id, "") if alert else "",
        )

    def _remember(self, brief_id: BriefId, known: Known) -> None:
        ends = next_expiry(known)
        if ends is not None and ends - known.now < SHOWN_FOR:
            self._due(brief_id, ends)

    async def _tell(self, records: Records, brief: Brief) -> None:
        await records.briefs.add(brief)
        await records.feed.tell("brief", brief, brief.composed_at, brief.unit)

    async def _incident_of(self, records: Records, brief: Brief) -> Incident | None:
        if brief.incident_id is None:
            return None
        return await records.incidents.get(brief.incident_id)

    async def _from_elsewhere(
        self, records: Records, unit: UnitId, incident: Incident
    ) -> Brief | None:
        """The unit's running brief of an incident whose parts came over to this one."""
        for brief in await records.briefs.running_of(unit, self._clock() - SHOWN_FOR):
            other = await self._incident_of(records, brief)
            if other is None or brief.recalled:
                continue
            on_it = any(u.unit == unit and u.status in ON_CALL for u in other.units)
            came = not on_it and not set(other.apart).isdisjoint(p.part_id for p in incident.parts)
            if other.joined_to == incident.incident_id or came:
                return brief
        return None

    async def _make_way(
        self, records: Records, running: dict[UnitId, Brief], to: IncidentId
    ) -> None:
        """The incident went into another: its briefs follow once that one is kept. A unit that
        has a brief there already keeps that one."""
        theirs = await records.briefs.of_incident(to)
        there = {b.unit for b in theirs if b.ended_at is None}
        for unit, brief in running.items():
            if unit in there:
                await self._end(records, brief, phrase("change.joined"))

    async def _goes_elsewhere(self, records: Records, unit: UnitId, incident: Incident) -> bool:
        """Whether the unit goes with a part that was just split off, and is not yet kept there."""
        if any(u.unit == unit for u in incident.units):
            return False  # cleared here: it went nowhere
        here = {part.part_id for part in incident.parts}
        for part_id in incident.apart:
            where = await records.incidents.of_part(part_id)
            if part_id not in here and where in (None, incident.incident_id):
                return True
        return False

    async def _turned_red(self, records: Records, brief: Brief) -> bool:
        """A plate's brief whose alert was withdrawn is that, whatever else happens to it."""
        if brief.call is not None or brief.alert_id is None:
            return False
        alert = await records.alerts.get(brief.alert_id)
        if alert is None or alert.state is not AlertState.RECALLED:
            return False
        await self.recall(records, brief, alert)
        return True

    async def _end(self, records: Records, brief: Brief, why: Phrase) -> None:
        await self.say(records, brief, (why,), ended_at=self._clock())

    async def _move(self, records: Records, brief: Brief, matter: Matter, to: Incident) -> None:
        """The same brief, now of the other incident: the phone keeps its card."""
        was = await self._incident_of(records, brief)
        joined = was is not None and was.state is IncidentState.JOINED
        says = phrase("change.joined" if joined else "change.split")
        theirs = msgspec.structs.replace(brief, incident_id=to.incident_id)
        await self._renew(records, theirs, matter, (says,))


def _wanted(incident: Incident) -> list[UnitId]:
    if incident.state is not IncidentState.OPEN:
        return []
    return [unit.unit for unit in incident.units if unit.status in ON_CALL]


def _reason(alert: Alert) -> str:
    return sentence(alert.decision_reason or "") or "@vehicle.by_owner"


def _is_looking(brief: Brief) -> bool:
    """Whether its first version still waits for what must be looked up."""
    return any(p.key in LOOKING for line in brief.lines for p in line.phrases)
