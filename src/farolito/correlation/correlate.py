"""One event held against the open incidents: which one it belongs to, and what says so."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import msgspec

from farolito.correlation.event import Candidate, Event, Plate, Road
from farolito.correlation.kinds import FLED_FROM, MOVING, Together, fit, word
from farolito.geo.distance import distance_m
from farolito.model import CallKind, IncidentId, Link, LinkBy, PartKind, Point

SPREAD_M_MAX = 500.0  # as the crow flies, between any two events that nearness made one
SLACK_M_MAX = 50.0  # how much of a place's uncertainty may widen a distance
SAME_SPOT_M = 15.0  # nearer than this no road lies between, whatever the map says
NO_ROAD_M_MAX = 60.0  # without a road between them, only one corner is near
PLATE_CALLS_S_MAX = 3600.0  # two callers who name one plate
PLATE_ALERT_S_MAX = 24 * 3600.0  # a caller and a reader
FLED_S_MAX = 15 * 60.0  # a wanted vehicle seen after a robbery
FLED_M_MAX = 5_000.0
ASKED_MAX = 4  # of an incident's events, the nearest: how many roads are looked for
SOUND_MPS = 343.0  # at 20 °C; over the metres of a link the air changes it by a tenth of a second
DRIVING_SLACK_S = 60.0  # clocks, and drivers who do not keep to the limit

_SUREST = {by: i for i, by in enumerate((LinkBy.TOLD, LinkBy.PLATE, LinkBy.NEAR))}


class Verdict(msgspec.Struct, frozen=True):
    """The incident that an event belongs to, and why. `also`: further ones that it shows to be
    the same event, the surest first."""

    incident_id: IncidentId
    link: Link
    also: tuple[Verdict, ...] = ()


def correlate(
    event: Event, candidates: Sequence[Candidate], road: Road, own: Candidate | None = None
) -> Verdict | None:
    """Where the event belongs; None: it is an event of its own.

    `own` is the incident it stands in already: then the verdict names another that is the same.
    An alert belongs to one incident at most and joins no two: a plate may be misread. So do shots
    to which no person has listened.
    """
    found = []
    for candidate in candidates:
        if own is not None and candidate.incident_id == own.incident_id:
            continue
        link = _link(event, candidate, road)
        if link is not None:
            found.append((_rank(link, candidate), candidate, link))
    one = [own or _alone(event)]
    verdicts: list[Verdict] = []
    for _, candidate, link in sorted(found, key=lambda each: each[0]):
        if all(_may_be_one(candidate, other, link) for other in one):
            one.append(candidate)
            verdicts.append(Verdict(candidate.incident_id, link))
    if not verdicts:
        return None
    if event.part is PartKind.ALERT or not event.is_confirmed:
        return verdicts[0]
    return Verdict(verdicts[0].incident_id, verdicts[0].link, tuple(verdicts[1:]))


def _alone(event: Event) -> Candidate:
    return Candidate(incident_id=IncidentId(event.part_id), opened_at=event.at, events=(event,))


def _rank(link: Link, candidate: Candidate) -> tuple[object, ...]:
    return (
        _SUREST[link.by],
        link.metres or 0.0,
        link.seconds or 0.0,
        candidate.opened_at,
        candidate.incident_id,
    )


def _may_be_one(a: Candidate, b: Candidate, link: Link) -> bool:
    """No person has split them, and what nearness joins stays in one neighbourhood."""
    if a.apart & b.parts or b.apart & a.parts:
        return False
    if link.by is not LinkBy.NEAR:
        return True
    return all(
        _metres(x, y) <= SPREAD_M_MAX for x, y in product(_anchors(a.events), _anchors(b.events))
    )


def _anchors(events: Sequence[Event]) -> list[Point]:
    """Where an incident is: the places of what stands still, not of a car that was followed."""
    return [
        event.spot
        for event in events
        if event.spot is not None
        and event.kind not in MOVING
        and event.joined_by in (LinkBy.FIRST, LinkBy.NEAR)
    ]


def _link(event: Event, candidate: Candidate, road: Road) -> Link | None:
    """The surest reason why the event belongs to this incident."""
    members = [member for member in candidate.events if member.is_confirmed]
    sure = [_told(event, one) or _plate(event, one, road) for one in members]
    links = [link for link in sure if link is not None] or _nearest(event, members, road)
    return min(links, key=lambda link: _rank(link, candidate), default=None)


def _nearest(event: Event, members: Sequence[Event], road: Road) -> list[Link]:
    """By nearness, to the nearest of the members: one road is sought for them all, or a few.

    No road is shorter than the crow flies, so whoever is farther than a link is long is not asked.
    """
    if event.spot is None:
        return []
    spot = event.spot
    fitting = [
        (_metres(spot, one.spot), one) for one in members if one.spot and _may_fit(event, one)
    ]
    best: Link | None = None
    for crow, member in sorted(fitting, key=lambda each: each[0])[:ASKED_MAX]:
        if best is not None and crow >= (best.metres or 0.0):
            break
        link = _near(event, member, road)
        if link is not None and (best is None or (link.metres or 0.0) < (best.metres or 0.0)):
            best = link
    return [] if best is None else [best]


def _may_fit(event: Event, member: Event) -> bool:
    """By kind and time alone, and the time that sound takes to whoever may have heard."""
    if CallKind.WANTED_VEHICLE in (event.kind, member.kind):
        return bool({event.kind, member.kind} & FLED_FROM)
    together = fit(event.kind, member.kind)
    travel_s = SPREAD_M_MAX / SOUND_MPS if PartKind.SHOT in (event.part, member.part) else 0.0
    return together is not None and _seconds(event, member) <= together.minutes * 60 + travel_s


def _told(event: Event, member: Event) -> Link | None:
    for one, other in ((event, member), (member, event)):
        if one.duplicate_of is not None and one.duplicate_of == other.number:
            seconds = _seconds(event, member)
            says = f"the CAD says that call {one.number} is call {other.number} told again"
            return Link(by=LinkBy.TOLD, says=says, seconds=seconds)
    return None


def _plate(event: Event, member: Event, road: Road) -> Link | None:
    if not _shared(event.plates, member.plates):
        return None
    seconds = _seconds(event, member)
    by_reader = PartKind.ALERT in (event.part, member.part)
    if seconds > (PLATE_ALERT_S_MAX if by_reader else PLATE_CALLS_S_MAX):
        return None
    # Callers put one car in two places at one time: one of them has the plate wrong.
    if not by_reader and not _is_drivable(event, member, road):
        return None
    return Link(by=LinkBy.PLATE, says=f"the same plate, {_ago(seconds)} apart", seconds=seconds)


def _near(event: Event, member: Event, road: Road) -> Link | None:
    if CallKind.WANTED_VEHICLE in (event.kind, member.kind):
        return _fled(event, member, road)
    together = fit(event.kind, member.kind)
    if together is None or event.spot is None or member.spot is None:
        return None
    if PartKind.SHOT in (event.part, member.part) and event.kind is member.kind:
        return _heard(event, member, together)
    return _by_road(event, member, together, road)


def _by_road(event: Event, member: Event, together: Together, road: Road) -> Link | None:
    assert event.spot is not None, "the caller has looked"
    assert member.spot is not None, "the caller has looked"
    seconds = _seconds(event, member)
    slack = min(event.within_m, SLACK_M_MAX) + min(member.within_m, SLACK_M_MAX)
    crow = _metres(event.spot, member.spot)
    if seconds > together.minutes * 60 or crow > together.metres + slack:
        return None
    # Where both places may be the same spot, a road between them says nothing.
    if crow <= max(SAME_SPOT_M, min(slack, SLACK_M_MAX)):
        metres, how = crow, f"{round(crow)} m apart, the same spot"
    else:
        way = _way(event.spot, member.spot, road, together.metres + slack)
        if way is None:
            if crow > min(NO_ROAD_M_MAX, together.metres):
                return None
            metres, how = crow, f"{round(crow)} m apart, no road is known between"
        else:
            metres, how = way[0], f"{round(way[0])} m by road apart"
    if metres > together.metres + slack:
        return None
    says = f"{_ago(seconds)} and {how}; {_fits(event.kind, member.kind)}: {together.reason}"
    return Link(by=LinkBy.NEAR, says=says, metres=metres, seconds=seconds)


def _heard(event: Event, member: Event, together: Together) -> Link | None:
    """Shots that sensors located, and who else heard shots: sound takes no road, but its time."""
    shot, other = (event, member) if event.part is PartKind.SHOT else (member, event)
    assert shot.spot is not None, "the caller has looked"
    assert other.spot is not None, "the caller has looked"
    crow = _metres(shot.spot, other.spot)
    slack = min(shot.within_m, SLACK_M_MAX) + min(other.within_m, SLACK_M_MAX)
    travel_s = 0.0 if other.part is PartKind.SHOT else crow / SOUND_MPS
    late_s = (other.at - shot.at).total_seconds() - travel_s
    seconds = abs(late_s)
    if seconds > together.minutes * 60 or crow > together.metres + slack:
        return None
    if other.part is PartKind.SHOT:
        says = f"{_ago(seconds)} and {round(crow)} m apart; sensors located both"
    else:
        when = "after" if late_s >= 0 else "before"
        says = (
            f"told {_ago(seconds)} {when} these shots could be heard there, {round(crow)} m away"
            f" as sound goes; {word(other.kind)} told again: sensors located what was heard"
        )
    return Link(by=LinkBy.NEAR, says=says, metres=crow, seconds=seconds)


def _fled(event: Event, member: Event, road: Road) -> Link | None:
    """A wanted vehicle seen as far from a robbery as it can have driven since."""
    seen, crime = (event, member) if event.kind is CallKind.WANTED_VEHICLE else (member, event)
    if crime.kind not in FLED_FROM or crime.plates or seen.spot is None or crime.spot is None:
        return None  # a crime whose plate is known is joined by its plate or not at all
    if seen.makes and crime.makes and not seen.makes & crime.makes:
        return None
    seconds = (seen.at - crime.at).total_seconds()
    if not 0 <= seconds <= FLED_S_MAX or _metres(seen.spot, crime.spot) > FLED_M_MAX:
        return None
    way = road(crime.spot, seen.spot)
    if way is None or way[0] > FLED_M_MAX or way[1] > seconds + DRIVING_SLACK_S:
        return None
    says = (
        f"seen {_ago(seconds)} after and {round(way[0])} m by road from it,"
        f" a drive of {_ago(way[1])}; a wanted vehicle fits {word(crime.kind)}"
    )
    return Link(by=LinkBy.NEAR, says=says, metres=way[0], seconds=seconds)


def _shared(a: frozenset[Plate], b: frozenset[Plate]) -> bool:
    """The same plate, of the same state where both tell it."""
    return any(
        one == other and (state is None or other_state is None or state == other_state)
        for (one, state), (other, other_state) in product(a, b)
    )


def _is_drivable(event: Event, member: Event, road: Road) -> bool:
    first, then = sorted((event, member), key=lambda each: each.at)
    if first.spot is None or then.spot is None:
        return True
    way = road(first.spot, then.spot)
    return way is None or way[1] <= _seconds(event, member) + DRIVING_SLACK_S


def _way(a: Point, b: Point, road: Road, enough_m: float) -> tuple[float, float] | None:
    """The shorter direction: a one-way street does not make two corners two places."""
    there = road(a, b)
    if there is not None and there[0] <= enough_m:
        return there
    back = road(b, a)
    return min((way for way in (there, back) if way is not None), default=None)


def _fits(a: CallKind, b: CallKind) -> str:
    return f"{word(a)} told again" if a is b else f"{word(a)} fits {word(b)}"


def _seconds(a: Event, b: Event) -> float:
    return abs((a.at - b.at).total_seconds())


def _metres(a: Point, b: Point) -> float:
    return distance_m((a.lat, a.lon), (b.lat, b.lon))


def _ago(seconds: float) -> str:
    return f"{round(seconds)} s" if seconds < 120 else f"{round(seconds / 60)} min"
