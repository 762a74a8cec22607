"""What is known of a case: from dispatch, from lists' rows, and from what two people put on record.

Nobody explains a search alone: what a person joined to an incident by hand counts for nothing here,
and what a person says a case is about counts from when another one confirmed it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime

from farolito.gate import Records
from farolito.model import (
    AlertId,
    Call,
    CallId,
    CallState,
    Incident,
    LinkBy,
    Part,
    PartKind,
    Person,
    PersonId,
    ShotAlertId,
)
from farolito.review.reading import plate_subject
from farolito.review.search import Case, subject_of_place, subject_of_plate

Crew = Callable[[], Awaitable[Sequence[Person]]]  # our own people, with their units


async def case_of(records: Records, number: str, crew: Crew) -> Case | None:
    """None where neither dispatch, a list nor two people know of it."""
    call = await records.calls.by_number(number)
    confirmed = [e for e in await records.reviews.explanations(number) if e.confirmed_at]
    listed = await records.reviews.plates_of_lists(number)
    if call is None and not confirmed and not listed:
        return None
    subjects: dict[str, datetime] = {}
    _add(subjects, ((plate_subject(plate), at) for plate, at in listed.items()))
    _add(subjects, ((e.subject, e.confirmed_at) for e in confirmed if e.confirmed_at))
    people = {p for e in confirmed for p in (e.by, e.confirmed_by) if p is not None}
    begun = [*listed.values(), *(e.at for e in confirmed)]
    if call is None:
        return Case(
            number=number, opened_at=min(begun), people=frozenset(people), subjects=subjects
        )
    incident = await _incident(records, call)
    calls = _calls(call, incident)
    named = await records.reviews.plates_of_calls(calls)
    _add(subjects, ((subject_of_plate(plate), at) for plate, at in named.items()))
    _add(subjects, await _places(records, calls, incident))
    people |= await _workers(records, call, incident, crew)
    if incident is not None:
        await _alerts(records, incident, subjects, people)
    return Case(
        number=number,
        opened_at=min(call.taken_at or call.here_at, call.here_at),
        closed_at=_closed_at(call),
        people=frozenset(people),
        subjects=subjects,
    )


def _add(subjects: dict[str, datetime], more: Iterable[tuple[str, datetime]]) -> None:
    for subject, at in more:
        subjects[subject] = min(at, subjects.get(subject, at))


async def _incident(records: Records, call: Call) -> Incident | None:
    incident_id = await records.incidents.of_part(call.call_id)
    return await records.incidents.get(incident_id) if incident_id else None


def _calls(call: Call, incident: Incident | None) -> list[CallId]:
    """This call, and others that the machine holds for the same event."""
    parts = incident.parts if incident else ()
    others = {CallId(p.part_id) for p in parts if p.kind is PartKind.CALL and _by_machine(p)}
    return sorted({call.call_id, *others})


def _by_machine(part: Part) -> bool:
    return part.joined_by is None and part.link.by is not LinkBy.PERSON


def _closed_at(call: Call) -> datetime | None:
    if call.state is CallState.OPEN:
        return None
    return call.told.get("state", call.changed_at)


async def _places(
    records: Records, calls: Sequence[CallId], incident: Incident | None
) -> list[tuple[str, datetime]]:
    """Of the calls, and of the shots that the machine holds for the same event."""
    found = [
        (subject_of_place(call.place.lat, call.place.lon), call.here_at)
        for call in await records.calls.of_ids([*calls])
        if call.place is not None
    ]
    for part in incident.parts if incident else ():
        if part.kind is not PartKind.SHOT or not _by_machine(part):
            continue
        alert = await records.shots.get(ShotAlertId(part.part_id))
        places = [shot.place for shot in alert.shots] if alert else []
        found += [(subject_of_place(p.lat, p.lon), part.joined_at) for p in places]
    return found


async def _workers(
    records: Records, call: Call, incident: Incident | None, crew: Crew
) -> set[PersonId]:
    """Officers of the units that were sent, and whoever wrote in the incident's log."""
    units = {u.unit for u in (*call.units, *(incident.units if incident else ()))}
    people = {p.person_id for p in await crew() if p.unit in units}
    if incident is not None:
        log = await records.incidents.log(incident.incident_id)
        people |= {line.who for line in log if line.who is not None}
        people |= {fact.by for fact in incident.facts} | {told.by for told in incident.reports}
    return people


async def _alerts(
    records: Records, incident: Incident, subjects: dict[str, datetime], people: set[PersonId]
) -> None:
    for part in incident.parts:
        if part.kind is not PartKind.ALERT:
            continue
        alert = await records.alerts.get(AlertId(part.part_id))
        if alert is None:
            continue
        people |= {p for p in (alert.taken_by, alert.decided_by) if p is not None}
        if _by_machine(part):
            plates = (alert.match.entry.plate, alert.match.read.plate)
            _add(subjects, ((plate_subject(plate), part.joined_at) for plate in plates))
