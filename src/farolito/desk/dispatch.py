"""Calls and incidents at work: each step passes the gate, is kept, written into the log, and told.

All that changes incidents holds the feed first (`Feed.hold`), one lock an agency: two updates of
one call, or two calls of one event, come one after the other, and no two can wait for each other.
At 50 calls a minute with five updates each and 10 ms held, the lock is taken 4 % of the time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from farolito.desk import calls as call_steps
from farolito.desk import incidents as steps
from farolito.desk.alert_parts import AlertParts, linked
from farolito.desk.book import Book, Followed
from farolito.desk.clocks import timings
from farolito.desk.desk import NotFound
from farolito.desk.grouping import Grouping, Streets, moved_calls, save_call
from farolito.desk.incident_log import OF_STATUS, Said, What, said_of, word
from farolito.desk.shot_parts import ShotParts
from farolito.desk.sources import Events
from farolito.desk.steps import Conflict
from farolito.gate import Answer, Ask, Gate, Records, system_ask
from farolito.model import (
    Alert,
    Call,
    CallKind,
    CallState,
    CallUpdate,
    Fact,
    Incident,
    IncidentId,
    IncidentState,
    Jurisdiction,
    LineKind,
    Link,
    LinkBy,
    LogLine,
    OfficerAnswer,
    Person,
    Point,
    Report,
    ShotAlert,
    Thing,
    Timings,
    UnitId,
    UnitStatus,
)


class Shown(NamedTuple):
    """`asks`: what officers asked the RTCC about incidents that are open."""

    seq: int
    incidents: list[Incident]
    asks: list[OfficerAnswer]


class Dispatch:
    def __init__(
        self,
        gate: Gate,
        system: Person,
        streets: Streets,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
    ) -> None:
        self._gate = gate
        self._system = system
        self._streets = streets
        self._clock = clock
        self._ids = ids
        self._grouping = Grouping(streets, clock)
        self._book = Book(self._grouping, streets, clock, ids, gate.owner)
        self._alerts = AlertParts(self._book, self._grouping, clock)
        self._shots = ShotParts(self._book, self._grouping, clock)

    @property
    def followers(self) -> list[Followed]:
        """Whom to call after each change, in its transaction. The app adds to it."""
        return self._book.followers

    def use_jurisdiction(self, of: Callable[[Incident], Jurisdiction | None]) -> None:
        """Whose law holds where an incident is; the app knows the nations' land."""
        self._book.jurisdiction = of

    async def hear(
        self, updates: Sequence[CallUpdate], mark: tuple[str, str] | None = None
    ) -> bool:
        """Take in what one message or file of a CAD says: all of it, once, or nothing.

        `mark` is (source, its digest or number); False where it was taken in before.
        """
        numbers = ", ".join(dict.fromkeys(update.number for update in updates))
        source = updates[0].source if updates else None
        ask = system_ask(self._system, Thing.CALL, f"calls {numbers}", device=source)

        async def work(records: Records, permit: int) -> bool:
            await records.feed.hold()
            if mark is not None and not await records.calls.take_mark(*mark, self._clock()):
                return False
            for update in updates:
                await self._take_in(records, update, permit)
            return True

        return (await self._gate.safety(ask, work)).value

    async def follow_alert(self, records: Records, alert: Alert, _says: str) -> None:
        """A follower of the desk: an alert was raised, seen again, decided, recalled or closed."""
        await records.feed.hold()
        await self._alerts.follow(records, alert)

    async def follow_shot(self, records: Records, alert: ShotAlert, _says: str) -> None:
        """A follower of the desk of shots: raised, located anew, reviewed, or its outcome known."""
        await records.feed.hold()
        await self._shots.follow(records, alert)

    async def assign_in(
        self, records: Records, incident_id: IncidentId, unit: UnitId, ask: Ask, permit: int
    ) -> Incident:
        """An operator sends a unit. Sent already, it changes nothing."""
        await records.feed.hold()
        incident = await self._book.live(records, incident_id)
        if incident.state is not IncidentState.OPEN:
            raise Conflict("the incident is closed", "look at its present state")
        was = next((one for one in incident.units if one.unit == unit), None)
        if was is not None and was.status is not UnitStatus.CLEARED:
            return incident
        after = steps.with_unit(incident, unit, UnitStatus.ASSIGNED, self._clock())
        said = Said(What.UNIT_ASSIGNED, f"{unit} assigned by {ask.person.name}", unit)
        return await self._book.keep(records, after, [said], permit, ask.person)

    async def status_in(  # noqa: PLR0913 - one field of the log each
        self, records: Records, incident_id: IncidentId, unit: UnitId, status: UnitStatus,
        says: str, ask: Ask, permit: int,
    ) -> Incident:  # fmt: skip
        """An officer's tap. What is closed stays closed: the tap is a line of its log."""
        await records.feed.hold()
        incident = await self._book.live(records, incident_id)
        after = steps.with_unit(incident, unit, status, self._clock())
        if incident.state is not IncidentState.OPEN or after.units == incident.units:
            line = Said(What.NOTE, says or f"{unit} {word(status)}", unit)
            await self._book.note(records, incident, [line], permit, ask.person)
            return incident
        said = Said(OF_STATUS[status], says or f"{unit} {word(status)}", unit)
        return await self._book.keep(records, after, [said], permit, ask.person)

    async def note_in(  # noqa: PLR0913 - one field of the log each
        self, records: Records, incident_id: IncidentId, what: str, says: str, ask: Ask | None,
        unit: UnitId | None, permit: int,
    ) -> None:  # fmt: skip
        """A line that another room writes: a receipt, an answer, a picture that was looked at."""
        incident = await self._book.live(records, incident_id)
        who = ask.person.person_id if ask else None
        line = LogLine(
            at=self._clock(), version=incident.version, what=what, says=says, who=who, unit=unit,
            permit=permit,
        )  # fmt: skip
        await records.incidents.note(incident.incident_id, line)

    async def split(self, ask: Ask, incident_id: IncidentId, part_id: UUID) -> Answer[Incident]:
        """Take a part off, for good: no machine joins it again. Answers what is left.

        What came together goes back together: a part of an incident that was joined takes that
        whole incident with it, and it is open again as it was.
        """

        async def work(records: Records, permit: int) -> Incident:
            await records.feed.hold()
            incident = await self._book.live(records, incident_id)
            if part_id not in {part.part_id for part in incident.parts}:
                raise NotFound("this event is no part of the incident", "reload the incident")
            home = await records.incidents.joined_into(incident.incident_id, part_id)
            came = {part.part_id for part in home.parts} if home else {part_id}
            here = {part.part_id for part in incident.parts}
            leaving = frozenset(came & here)
            if leaving == here and home is not None:
                home, leaving = None, frozenset({part_id})
            if leaving == here:
                raise Conflict("this is its only event", "there is nothing to split it from")
            return await self._split(records, incident, leaving, home, ask, permit)

        return await self._gate.act(ask, work)

    async def join(self, ask: Ask, incident_id: IncidentId, other: IncidentId) -> Answer[Incident]:
        """A person says that two incidents are one, whatever kept them apart."""

        async def work(records: Records, permit: int) -> Incident:
            await records.feed.hold()
            one, two = (
                await self._book.live(records, incident_id),
                await self._book.live(records, other),
            )
            if one.incident_id == two.incident_id:
                return one
            link = Link(by=LinkBy.PERSON, says=f"joined by {ask.person.name}")
            whole = await self._book.join(records, one, two, link, permit, ask.person)
            said = Said(What.JOINED, f"Joined by {ask.person.name}: one event")
            return await self._book.keep(records, whole, [said], permit, ask.person)

        return await self._gate.act(ask, work)

    async def add_fact(
        self, ask: Ask, incident_id: IncidentId, line: LineKind, says: str
    ) -> Answer[Incident]:
        """Push a fact to everybody on the way, into this line of their briefs."""

        async def work(records: Records, permit: int) -> Incident:
            await records.feed.hold()
            incident = await self._book.live(records, incident_id)
            fact = Fact(
                fact_id=self._ids(),
                line=line,
                says=says,
                at=self._clock(),
                by=ask.person.person_id,
                by_name=ask.person.name,
            )
            after = steps.with_fact(incident, fact)
            return await self._book.keep(
                records, after, [Said(What.FACT, says)], permit, ask.person
            )

        return await self._gate.act(ask, work)

    async def report(
        self,
        ask: Ask,
        says: str,
        kind: CallKind,
        place: Point | None,
        incident_id: IncidentId | None,
    ) -> Answer[Incident]:
        """What somebody saw: a part of this incident, of the one it fits, or of its own."""

        async def work(records: Records, permit: int) -> Incident:
            await records.feed.hold()
            person = ask.person
            report = Report(
                report_id=self._ids(),
                at=self._clock(),
                says=says,
                by=person.person_id,
                by_name=person.name,
                kind=kind,
                place=place,
            )
            if incident_id is not None:
                incident = await self._book.live(records, incident_id)
                link = Link(by=LinkBy.PERSON, says=f"reported to it by {person.name}")
            else:
                event = steps.event_of_report(report)
                verdict = await self._grouping.verdict(records, event)
                incident, link = await self._book.home(records, verdict)
            after = steps.with_report(incident, report)
            after = steps.with_part(after, steps.part_of_report(report, link))
            said = [Said(What.REPORT, f"{person.name} reports: {says}")]
            return await self._book.keep(records, after, said, permit, person)

        return await self._gate.act(ask, work)

    async def close(self, ask: Ask, incident_id: IncidentId, says: str) -> Answer[Incident]:
        """End an incident in which nothing is open any more but what was reported by hand."""

        async def work(records: Records, permit: int) -> Incident:
            await records.feed.hold()
            incident = await self._book.live(records, incident_id)
            if incident.state is IncidentState.CLOSED:
                return incident
            events = await self._grouping.events_of(records, [incident])
            after = steps.settled(
                steps.ended(incident), events, self._streets.describe, self._clock()
            )
            if after.state is IncidentState.OPEN:
                raise Conflict("a call, an alert or a unit is open", "close or clear it first")
            said = Said(What.CLOSED, says or f"Closed by {ask.person.name}")
            return await self._book.keep(records, steps.ended(incident), [said], permit, ask.person)

        return await self._gate.act(ask, work)

    async def all(self, ask: Ask) -> Answer[Shown]:
        """The open ones and the last that closed, and the feed's number to go on from."""

        async def work(records: Records, permit: int) -> Shown:
            seq = await records.feed.end()
            return Shown(seq, await records.incidents.shown(), await records.briefs.asked())

        return await self._gate.read(ask, work)

    async def one(self, ask: Ask, incident_id: IncidentId) -> Answer[Mapping[str, Any]]:
        """All that is known of an incident: incident, calls, alerts, shots, briefs, answers, log
        and versions."""

        async def work(records: Records, permit: int) -> Mapping[str, Any]:
            incident = await records.incidents.get(incident_id)
            if incident is None:
                raise NotFound("there is no such incident", "it may have ended; reload the list")
            events = await self._grouping.events_of(records, [incident])
            briefs = [
                {
                    "brief": brief,
                    "versions": await records.briefs.versions(brief.brief_id),
                    "receipts": await records.briefs.receipts(brief.brief_id),
                }
                for brief in await records.briefs.of_incident(incident_id)
            ]
            return {
                "incident": incident,
                "calls": events.calls,
                "alerts": events.alerts,
                "shots": events.shots,
                "briefs": briefs,
                "answers": await records.briefs.answers(incident_id),
                "log": await records.incidents.log(incident_id),
                "versions": await records.incidents.versions(incident_id),
            }

        return await self._gate.read(ask, work)

    async def timings(self, ask: Ask, since: datetime, until: datetime) -> Answer[Timings]:
        """How long each step took on every incident that was opened in between."""
        return await self._gate.read(ask, _timings(since, until))

    async def export_timings(self, ask: Ask, since: datetime, until: datetime) -> Answer[Timings]:
        return await self._gate.export(ask, _timings(since, until))

    # What follows works inside a transaction that holds the feed.

    async def _take_in(self, records: Records, update: CallUpdate, permit: int) -> None:
        before = await records.calls.get(update.call_id)
        told = call_steps.opened(update) if before is None else call_steps.updated(before, update)
        if told is None:
            return
        if before is not None and told.version == before.version:
            await save_call(records, told)
            return
        call = told
        if before is None or _is_elsewhere(before, told):
            call = call_steps.placed(told, self._streets.find)
        is_late = before is not None and call_steps.is_late(before, update)
        said = said_of(before, call, is_late=is_late)
        await self._group(records, before, call, said, permit)

    async def _group(
        self, records: Records, before: Call | None, call: Call, said: list[Said], permit: int
    ) -> None:
        """The call goes to the incident it belongs to, which tells of it."""
        own = await records.incidents.get(call.incident) if call.incident else None
        verdict = None
        tells_more = before is None or own is None or _is_another_event(before, call)
        if tells_more:
            verdict = await self._grouping.verdict(records, steps.event_of_call(call), own, call)
        others = [verdict, *verdict.also] if verdict else []
        if own is None:
            first = others.pop(0) if others else None
            incident, link = await self._book.home(records, first)
            if first is not None:
                said.insert(1, Said(What.JOINED, f"Call {call.number}: {link.says}"))
            incident = steps.with_part(incident, steps.part_of_call(call, link, self._clock()))
        else:
            incident = own
        incident, joined = await self._book.join_all(records, incident, others, permit)
        said[:0] = joined
        call = msgspec.structs.replace(call, incident=incident.incident_id)
        await save_call(records, call)
        for alert, link in await self._grouping.loose_alerts(records, incident, call):
            incident = steps.with_part(incident, steps.part_of_alert(alert, link, self._clock()))
            said.append(Said(What.ALERT_LINKED, linked(alert, link)))
        if tells_more:
            incident = await self._shots.take_in(records, incident, Events(calls=[call]), said)
        await self._book.keep(records, incident, said, permit)

    async def _split(  # noqa: PLR0913 - what, from where to where, and by whom
        self, records: Records, incident: Incident, leaving: frozenset[UUID],
        home: Incident | None, ask: Ask, permit: int,
    ) -> Incident:  # fmt: skip
        calls = (await self._grouping.events_of(records, [incident])).calls
        now = self._clock()
        other = steps.blank(self._ids(), self._gate.owner, now)
        if home is not None:
            joined = await records.incidents.get(home.incident_id)
            assert joined is not None, "its versions end with it"
            other = msgspec.structs.replace(home, version=joined.version)
        left, away = steps.split(incident, leaving, calls, other)
        labels = ", ".join(part.label for part in away.parts)
        said = Said(What.SPLIT, f"{labels} split off by {ask.person.name}")
        left = await self._book.keep(records, left, [said], permit, ask.person)
        await moved_calls(records, away.parts, away.incident_id)
        await self._book.keep(records, away, [said], permit, ask.person)
        return left


def _timings(since: datetime, until: datetime) -> Callable[[Records, int], Awaitable[Timings]]:
    async def work(records: Records, permit: int) -> Timings:
        rows = await records.timings.units(since, until)
        return timings(rows, await records.timings.waiting(since, until), since, until)

    return work


def _is_elsewhere(before: Call, after: Call) -> bool:
    return (before.address, before.place) != (after.address, after.place)


def _is_another_event(before: Call, after: Call) -> bool:
    """Whether something changed by which events are found to be one."""

    def tells(call: Call) -> tuple[object, ...]:
        return call.kind, call.place, call.duplicate_of, call.vehicles

    if after.duplicate_of != before.duplicate_of:
        return True
    return after.state is CallState.OPEN and tells(before) != tells(after)
