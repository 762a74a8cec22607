"""What an incident becomes by each step: plain functions from incident to incident.

`settled` reads everything that shows off the parts, so a part that leaves takes with it all that
came by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import msgspec

from farolito.correlation import Candidate, Event, plate_key
from farolito.desk.calls import newest
from farolito.desk.shot_events import event_of_shot, source_of_shot
from farolito.desk.sources import Describe, Events, Source, seen_at, words_of
from farolito.model import (
    AgencyId,
    Alert,
    AlertState,
    Call,
    CalledUnit,
    CallKind,
    CallState,
    Doubt,
    Fact,
    Incident,
    IncidentId,
    IncidentState,
    Level,
    Link,
    LinkBy,
    Part,
    PartKind,
    PersonId,
    Report,
    UnitId,
    UnitStatus,
)

REPORTED_P1 = frozenset(
    {
        CallKind.SHOTS_FIRED,
        CallKind.SHOOTING,
        CallKind.STABBING,
        CallKind.ROBBERY,
        CallKind.WEAPON,
        CallKind.PURSUIT,
        CallKind.OFFICER_DOWN,
    }
)
_A_MOMENT = timedelta(microseconds=1)


def blank(incident_id: UUID, agency: AgencyId, now: datetime) -> Incident:
    """An incident without parts, at version 0: what the first part is added to."""
    return Incident(
        incident_id=IncidentId(incident_id),
        agency=agency,
        version=0,
        state=IncidentState.OPEN,
        kind=CallKind.OTHER,
        level=Level.P3,
        where="",
        place=None,
        opened_at=now,
        changed_at=now,
        parts=(),
    )


def part_of_call(call: Call, link: Link, now: datetime, by: PersonId | None = None) -> Part:
    return Part(
        kind=PartKind.CALL,
        part_id=call.call_id,
        label=call.number,
        at=happened_at(call),
        joined_at=now,
        link=link,
        joined_by=by,
    )


def part_of_alert(alert: Alert, link: Link, now: datetime) -> Part:
    return Part(
        kind=PartKind.ALERT,
        part_id=alert.alert_id,
        label=alert.match.entry.plate,
        at=alert.match.read.captured_at,
        joined_at=now,
        link=link,
        alert=alert.state,
    )


def part_of_report(report: Report, link: Link) -> Part:
    return Part(
        kind=PartKind.REPORT,
        part_id=report.report_id,
        label=f"report of {report.by_name}",
        at=report.at,
        joined_at=report.at,
        link=link,
        joined_by=report.by,
    )


def with_part(incident: Incident, part: Part) -> Incident:
    """The part added, or renewed where it is there."""
    others = (one for one in incident.parts if one.part_id != part.part_id)
    parts = tuple(sorted((*others, part), key=lambda one: (one.joined_at, one.at, one.part_id)))
    return msgspec.structs.replace(incident, parts=parts)


def without_part(incident: Incident, part_id: UUID) -> Incident:
    parts = tuple(one for one in incident.parts if one.part_id != part_id)
    return msgspec.structs.replace(incident, parts=parts)


def settled(incident: Incident, events: Events, describe: Describe, now: datetime) -> Incident:
    """The next version: kind, level, place, units and state as the parts now tell them.

    `events` are those of its parts. What no part tells stays as it was.
    """
    sources = [*_sources(incident, events, describe)]
    units = newest(incident.units, tuple(one for call in events.calls for one in call.units))
    after = msgspec.structs.replace(
        incident, version=incident.version + 1, changed_at=now, units=units
    )
    if not sources:
        return msgspec.structs.replace(after, state=_state(after, sources))
    live = sorted([s for s in sources if s.is_open] or sources, key=lambda s: s.rank)
    main = live[0]
    located = _located(live, main)
    return msgspec.structs.replace(
        after,
        kind=main.kind,
        kind_says=main.kind_says,
        level=main.level,
        where=located.where(),
        place=located.place,
        within_m=located.within_m,
        doubtful=located.is_doubtful or any(Doubt.CLOCK_SKEW in c.doubts for c in events.calls),
        state=_state(after, sources),
    )


def _located(live: Sequence[Source], main: Source) -> Source:
    """Who knows best where it is. Callers tell where they heard shots; sensors where they were
    fired, and the newest string is the nearest to where the shooter is now."""
    placed = [s for s in live if s.place is not None]
    sure = [s for s in placed if not s.is_doubtful]
    heard = [s for s in sure if s.is_by_sensors]
    if heard and main.kind is CallKind.SHOTS_FIRED:
        return max(heard, key=lambda s: s.at)
    return next(iter([*sure, *placed]), main)


def joined(
    older: Incident, newer: Incident, link: Link, by: PersonId | None, now: datetime
) -> tuple[Incident, Incident]:
    """All of the newer one's parts go over to the older. Neither is settled yet.

    What opened the newer one now belongs to the older for the reason that joined them.
    """
    moved = tuple(
        msgspec.structs.replace(part, link=link, joined_by=by, joined_at=now)
        if part.link.by is LinkBy.FIRST
        else part
        for part in newer.parts
    )
    here = {part.part_id for part in (*older.parts, *moved)}
    whole = msgspec.structs.replace(
        older,
        units=newest(older.units, newer.units),
        facts=tuple(sorted((*older.facts, *newer.facts), key=lambda fact: fact.at)),
        reports=tuple(sorted((*older.reports, *newer.reports), key=lambda report: report.at)),
        apart=tuple(one for one in _both(older.apart, newer.apart) if one not in here),
        opened_at=min(older.opened_at, newer.opened_at),
    )
    for part in moved:
        whole = with_part(whole, part)
    gone = msgspec.structs.replace(
        newer,
        version=newer.version + 1,
        changed_at=now,
        state=IncidentState.JOINED,
        joined_to=older.incident_id,
        parts=(),
        units=(),
        facts=(),
        reports=(),
    )
    return whole, gone


def split(
    incident: Incident, leaving: frozenset[UUID], calls: Sequence[Call], other: Incident
) -> tuple[Incident, Incident]:
    """The parts `leaving` go to `other`, with the units their calls name. Neither is settled yet.

    From then on each keeps the other's parts apart: no machine joins them again.
    """
    stay = tuple(part for part in incident.parts if part.part_id not in leaving)
    go = tuple(part for part in incident.parts if part.part_id in leaving)
    first = min(go, key=lambda part: part.at)
    go = tuple(
        msgspec.structs.replace(part, link=Link(by=LinkBy.FIRST, says="split off"), joined_by=None)
        if part is first
        else part
        for part in go
    )
    theirs = {u.unit for call in calls if call.call_id in leaving for u in call.units}
    ours = {u.unit for call in calls if call.call_id not in leaving for u in call.units}
    remaining = msgspec.structs.replace(
        incident,
        parts=_with_a_first(stay),
        units=tuple(u for u in incident.units if u.unit not in theirs or u.unit in ours),
        reports=tuple(one for one in incident.reports if one.report_id not in leaving),
        apart=_both(incident.apart, tuple(part.part_id for part in go)),
    )
    away = msgspec.structs.replace(
        other,
        state=IncidentState.OPEN,
        joined_to=None,
        parts=go,
        units=tuple(u for u in incident.units if u.unit in theirs),
        reports=tuple(one for one in incident.reports if one.report_id in leaving),
        apart=_both(other.apart, (*incident.apart, *(part.part_id for part in stay))),
    )
    gone = {part.part_id for part in away.parts}
    away = msgspec.structs.replace(away, apart=tuple(a for a in away.apart if a not in gone))
    return remaining, away


def with_unit(incident: Incident, unit: UnitId, status: UnitStatus, now: datetime) -> Incident:
    """A person says so now: newer than anything told of this unit before."""
    was = next((one for one in incident.units if one.unit == unit), None)
    at = now if was is None else max(now, was.at + _A_MOMENT)
    told = CalledUnit(unit=unit, status=status, at=at)
    return msgspec.structs.replace(incident, units=newest(incident.units, (told,)))


def with_fact(incident: Incident, fact: Fact) -> Incident:
    return msgspec.structs.replace(incident, facts=(*incident.facts, fact))


def with_report(incident: Incident, report: Report) -> Incident:
    return msgspec.structs.replace(incident, reports=(*incident.reports, report))


def ended(incident: Incident) -> Incident:
    """Ended by a person; `settled` opens it again where anything in it is still open."""
    return msgspec.structs.replace(incident, state=IncidentState.CLOSED)


def happened_at(call: Call) -> datetime:
    """When the call was answered, by the CAD's clock where that is believed."""
    if call.taken_at is None or Doubt.CLOCK_SKEW in call.doubts:
        return call.here_at
    return min(call.taken_at, call.here_at)


def event_of_call(call: Call, link: LinkBy = LinkBy.FIRST) -> Event:
    keys = ((plate_key(v.plate), v.state) for v in call.vehicles if v.plate is not None)
    return Event(
        part_id=call.call_id,
        part=PartKind.CALL,
        kind=call.kind,
        at=happened_at(call),
        place=call.place,
        within_m=call.within_m or 0.0,
        is_sure=Doubt.PLACES_DIFFER not in call.doubts,
        plates=frozenset((key, state) for key, state in keys if key is not None),
        makes=frozenset(v.make.lower() for v in call.vehicles if v.make),
        number=call.number,
        duplicate_of=call.duplicate_of,
        joined_by=link,
    )


def event_of_alert(alert: Alert, link: LinkBy = LinkBy.FIRST) -> Event:
    entry, read = alert.match.entry, alert.newest
    key = plate_key(entry.plate)
    make = entry.vehicle.make if entry.vehicle else None
    return Event(
        part_id=alert.alert_id,
        part=PartKind.ALERT,
        kind=CallKind.WANTED_VEHICLE,
        at=read.captured_at,
        place=read.place,
        plates=frozenset({(key, entry.state)} if key else ()),
        makes=frozenset({make.lower()} if make else ()),
        is_confirmed=alert.state not in (AlertState.WAITING, AlertState.TAKEN),
        joined_by=link,
    )


def event_of_report(report: Report, link: LinkBy = LinkBy.FIRST) -> Event:
    return Event(
        part_id=report.report_id,
        part=PartKind.REPORT,
        kind=report.kind,
        at=report.at,
        place=report.place,
        joined_by=link,
    )


def candidate(incident: Incident, of: Events) -> Candidate:
    """The incident as correlation sees it; `of` may hold others' events as well."""
    links = {part.part_id: part.link.by for part in incident.parts}
    events = [event_of_call(c, links[c.call_id]) for c in of.calls if c.call_id in links]
    events += [event_of_alert(a, links[a.alert_id]) for a in of.alerts if a.alert_id in links]
    events += [event_of_shot(s, links[s.alert_id]) for s in of.shots if s.alert_id in links]
    events += [event_of_report(r, links[r.report_id]) for r in incident.reports]
    return Candidate(
        incident_id=incident.incident_id,
        opened_at=incident.opened_at,
        events=tuple(events),
        apart=frozenset(incident.apart),
    )


def _sources(incident: Incident, events: Events, describe: Describe) -> Iterable[Source]:
    for call in events.calls:
        yield _source_of_call(call, describe)
    for alert in events.alerts:
        if alert.state in (AlertState.CONFIRMED, AlertState.CLOSED, AlertState.RECALLED):
            yield _source_of_alert(alert, describe)
    for shots in events.shots:
        if shots.state not in (AlertState.WAITING, AlertState.TAKEN):
            yield source_of_shot(shots, describe)
    for report in incident.reports:
        yield Source(
            kind=report.kind,
            kind_says="",
            level=Level.P1 if report.kind in REPORTED_P1 else Level.P3,
            is_open=incident.state is IncidentState.OPEN,
            at=report.at,
            where=partial(seen_at, report.place, "place not told", describe),
            place=report.place,
            within_m=None,
            is_doubtful=report.place is None,
            is_report=True,
        )


def _source_of_call(call: Call, describe: Describe) -> Source:
    return Source(
        kind=call.kind,
        kind_says=call.kind_says,
        level=call.priority,
        is_open=call.state is CallState.OPEN,
        at=call.here_at,
        where=partial(where, call, describe),
        place=call.place,
        within_m=call.within_m,
        is_doubtful=bool({Doubt.NO_PLACE, Doubt.PLACES_DIFFER, Doubt.ABOUT} & set(call.doubts)),
    )


def _source_of_alert(alert: Alert, describe: Describe) -> Source:
    read = alert.newest
    return Source(
        kind=CallKind.WANTED_VEHICLE,
        kind_says=alert.match.entry.reason,
        level=alert.level,
        is_open=alert.state is AlertState.CONFIRMED,
        at=alert.raised_at,
        where=partial(seen_at, read.place, f"at reader {read.reader}", describe),
        place=read.place,
        within_m=None,
        is_doubtful=read.place is None,
    )


def where(call: Call, describe: Describe) -> str:
    """The dispatcher's own words for the place, with what is not sure about them."""
    address = call.address
    if Doubt.NO_PLACE in call.doubts:
        return f"{address} (place not found)" if address else "place not told"
    if Doubt.PLACES_DIFFER in call.doubts:
        return f"{address} (the coordinates lie elsewhere)"
    if address:
        return address
    assert call.place is not None, "a call without address and place has the doubt NO_PLACE"
    return words_of(call.place, describe)


def _state(incident: Incident, sources: Sequence[Source]) -> IncidentState:
    """Open while a call, a confirmed alert or a unit is.

    Reports alone hold it open until the units they brought are cleared, or a person ends it.
    """
    if any(unit.status is not UnitStatus.CLEARED for unit in incident.units):
        return IncidentState.OPEN
    others = [source for source in sources if not source.is_report]
    if others:
        is_open = any(source.is_open for source in others)
    else:
        is_open = incident.state is IncidentState.OPEN and not incident.units
    return IncidentState.OPEN if is_open else IncidentState.CLOSED


def _with_a_first(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Every incident has a part that opened it: the oldest, once the one that did has left."""
    if not parts or any(part.link.by is LinkBy.FIRST for part in parts):
        return parts
    oldest = min(parts, key=lambda part: part.at)
    first = Link(by=LinkBy.FIRST, says="the oldest that stayed")
    return tuple(
        msgspec.structs.replace(part, link=first) if part is oldest else part for part in parts
    )


def _both(a: tuple[UUID, ...], b: tuple[UUID, ...]) -> tuple[UUID, ...]:
    return tuple(dict.fromkeys((*a, *b)))
