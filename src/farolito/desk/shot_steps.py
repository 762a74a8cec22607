"""What a shot alert becomes by each step: plain functions from alert to alert.

A machine raises, joins and revises; a person takes, reviews and says what came of it. What a
person decided, no machine takes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec

from farolito.desk.steps import Conflict
from farolito.geo import distance_m
from farolito.model import (
    AlertState,
    DeviceId,
    FarolitoError,
    Invalid,
    Level,
    OutcomeSaid,
    PersonId,
    Point,
    Shot,
    ShotAlert,
    ShotAlertId,
    ShotOutcome,
    ShotReview,
    SoundClip,
    SoundKind,
)

SENSORS = "sensors"  # the source of what our own locator solved
LIKELY = 0.5  # probability of gunfire from which an alert is P1
POSSIBLE = 0.2  # from which it is worth a person's time at all
JOIN_WITHIN_M = 100.0  # strings so near each other and so soon after are one alert
JOIN_WITHIN = timedelta(minutes=2)
STRINGS_MAX = 20  # of one alert; a further string raises one of its own
SAME_WITHIN_M = 75.0  # a shot that a restarted locator solves again
SAME_WITHIN = timedelta(seconds=1)
OTHER_SOURCE_WITHIN = timedelta(seconds=3)  # vendors round times, and say when they heard it
RESTATED_M = 5.0  # a replay that moves a place by less says nothing new
CLIPS_MAX = 32  # of one alert
MISS_WITHIN_M = 150.0  # a shooting so near an alert, and so soon, was not missed
MISS_WITHIN = timedelta(minutes=2)

_UNDECIDED = (AlertState.WAITING, AlertState.TAKEN)


class NotListened(FarolitoError):
    """A decision on a sound that was not played, although there is one."""


def grade(shot: Shot) -> tuple[Level, bool]:
    """How urgent a string is, and whether it is worth a person's time by itself.

    A vendor's people have listened already, so its word "gunshot" is urgent whatever number
    stands beside it. While thunder or a show of fireworks goes on, only what is likely a gun even
    so costs a person's time.
    """
    is_named = shot.source != SENSORS and _likeliest(shot) is SoundKind.GUNSHOT
    if is_named or shot.gunshot >= LIKELY:
        return Level.P1, True
    is_possible = shot.gunshot >= POSSIBLE and not shot.storm
    return (Level.P2, True) if is_possible else (Level.P3, False)


def raised(alert_id: UUID, shot: Shot, now: datetime) -> ShotAlert:
    level, is_queued = grade(shot)
    return ShotAlert(
        alert_id=ShotAlertId(alert_id),
        agency=shot.agency,
        version=1,
        level=level,
        state=AlertState.WAITING,
        shots=(shot,),
        machine=shot,
        raised_at=now,
        changed_at=now,
        is_queued=is_queued,
    )


def joined(alert: ShotAlert, shot: Shot, now: datetime) -> ShotAlert:
    """A further string near one that nobody has decided on."""
    return _with_shots(alert, (*alert.shots, shot), shot, now)


def revised(alert: ShotAlert, shot: Shot, now: datetime) -> ShotAlert:
    """A later solution takes the place of the one before; the decision of a person stays.

    `shot` carries the id of the string that it is. An alert that called a person is answered by a
    person, unless nobody has come yet and nothing of it stands.
    """
    others = tuple(one for one in alert.shots if one.shot_id != shot.shot_id)
    assert len(others) == len(alert.shots) - 1, "a revision is of a string of this alert"
    after = _with_shots(alert, (*others, shot), shot, now)
    if after.state is AlertState.WAITING and all(one.is_withdrawn for one in after.shots):
        return msgspec.structs.replace(after, is_queued=False)
    return after


def seconded(alert: ShotAlert, other: Shot, now: datetime) -> ShotAlert:
    """Another source tells of a string that stands here: it may only make the alert urgent."""
    return _with_shots(alert, alert.shots, other, now)


def with_clips(alert: ShotAlert, clips: Sequence[SoundClip], now: datetime) -> ShotAlert | None:
    """The recordings that were asked back; None where none of them is new."""
    known = {(clip.sensor, clip.sha256) for clip in alert.clips}
    new = [clip for clip in clips if (clip.sensor, clip.sha256) not in known]
    room = CLIPS_MAX - len(alert.clips)
    if not new[:room]:
        return None
    return _next(alert, now, clips=(*alert.clips, *new[:room]))


def taken(alert: ShotAlert, who: PersonId, now: datetime) -> ShotAlert:
    _must_be(alert, *_UNDECIDED)
    return _next(alert, now, state=AlertState.TAKEN, taken_by=who)


def reviewed(alert: ShotAlert, review: ShotReview, now: datetime) -> ShotAlert:
    """A person says what it was. It may be said again: every review is a version of its own."""
    if alert.clips:
        played = {clip.sensor for clip in alert.clips}
        if not played & set(review.listened):
            raise NotListened("no clip of this alert was played", "listen to one, then decide")
    changes: dict[str, object]
    if review.kind is SoundKind.GUNSHOT:
        state = AlertState.CLOSED if alert.outcome else AlertState.CONFIRMED
        changes = {"state": state, "decision_reason": None, "is_queued": True}
    else:
        changes = {"state": AlertState.REJECTED, "decision_reason": review.kind.value}
    return _next(alert, now, review=review, taken_by=alert.taken_by or review.by, **changes)


def with_outcome(alert: ShotAlert, said: OutcomeSaid, now: datetime) -> ShotAlert:
    """What came of it; the last word counts. A confirmed alert is closed by it, and one that was
    turned away stays so, with the outcome beside it: such a mistake must not disappear."""
    changes: dict[str, object] = {"outcome": said}
    if alert.state in (AlertState.CONFIRMED, AlertState.CLOSED):
        changes |= {"state": AlertState.CLOSED, "decision_reason": said.outcome.value}
    return _next(alert, now, **changes)


def escalated(alert: ShotAlert, now: datetime) -> ShotAlert:
    return _next(alert, now, escalated_at=now)


def is_undecided(alert: ShotAlert) -> bool:
    return alert.state in _UNDECIDED


def is_same_question(seen: ShotAlert, alert: ShotAlert) -> bool:
    """Whether a person who looked at `seen` may decide on `alert`.

    A better place and a further clip change nothing in what was heard; another string, and
    another person's decision, do.
    """
    strings = {shot.shot_id for shot in seen.shots} == {shot.shot_id for shot in alert.shots}
    return strings and seen.review == alert.review


def to_join(alerts: Sequence[ShotAlert], shot: Shot) -> ShotAlert | None:
    """The undecided alert with the nearest string that this one belongs to."""
    found = [
        (distance, alert)
        for alert in alerts
        if is_undecided(alert) and len(alert.shots) < STRINGS_MAX
        for one in alert.shots
        if _apart(one, shot) <= JOIN_WITHIN
        and (distance := metres(one.place, shot.place)) <= JOIN_WITHIN_M
    ]
    return min(found, key=lambda pair: pair[0])[1] if found else None


class Twin(NamedTuple):
    """A string that is kept, and its alert."""

    alert: ShotAlert
    shot: Shot


def same_shot(alerts: Sequence[ShotAlert], shot: Shot, claimed: frozenset[UUID]) -> Twin | None:
    """The kept string that an unknown track tells of again, the nearest of several.

    After a restart the locator counts anew and solves the last seconds again; and another source
    may tell of the same discharge. `claimed`: strings that this teller knows by a track of its
    own already, which another track of it therefore cannot mean.
    """
    found = [
        (distance, Twin(alert, one))
        for alert in alerts
        for one in alert.shots
        if one.shot_id not in claimed
        and _apart(one, shot) <= (SAME_WITHIN if one.source == shot.source else OTHER_SOURCE_WITHIN)
        and (distance := metres(one.place, shot.place)) <= SAME_WITHIN_M
    ]
    return min(found, key=lambda pair: pair[0])[1] if found else None


def replaces(shot: Shot, kept: Shot) -> bool:
    """Whether a telling of a kept string is the better one: of the same source, or of one that
    knows how sure it is of the place where the other did not."""
    return shot.source == kept.source or (kept.ellipse is None and shot.ellipse is not None)


def is_restated(shot: Shot, kept: Shot) -> bool:
    """Whether a replay says nothing beyond what is kept: no more sensors, no more rounds, the
    same place, and no surer of a gun."""
    return (
        len(shot.heard) <= len(kept.heard)
        and len(shot.rounds) <= len(kept.rounds)
        and (len(shot.heard) < len(kept.heard) or metres(shot.place, kept.place) <= RESTATED_M)
        and grade(shot)[0] >= grade(kept)[0]
    )


def checked_miss(known_by: ShotOutcome, at: datetime, now: datetime, rounds: int | None) -> None:
    """Raises Invalid for what cannot be a known shooting."""
    if not known_by.confirms:
        words = known_by.value.replace("_", " ")
        raise Invalid(f"{words} confirms no shooting", "casings, a victim, video or a witness do")
    if at.tzinfo is None:
        raise Invalid("a time without a zone", "send UTC or an offset")
    if at > now:
        raise Invalid("a shooting in the future", "say when it was")
    if rounds is not None and rounds < 1:
        raise Invalid(f"{rounds} rounds", "say how many, or leave it out")


def near_enough(alerts: Sequence[ShotAlert], place: Point, at: datetime) -> ShotAlert | None:
    """The alert that heard a shooting which is said to have been missed."""
    for alert in alerts:
        for shot in alert.shots:
            gap = max(_first(shot) - at, at - _last(shot))
            if gap <= MISS_WITHIN and metres(shot.place, place) <= MISS_WITHIN_M:
                return alert
    return None


def heard_at(sensor: DeviceId, alert: ShotAlert) -> list[datetime]:
    """When each round of each string came to a sensor that heard it, in order.

    A sensor tells the onset of the first round it heard; the others are as much later as they
    were fired later.
    """
    found = []
    for shot in alert.strings:
        for heard in shot.heard:
            if heard.sensor == sensor:
                travel = timedelta(seconds=heard.metres / _SOUND_MPS)
                first = min(shot.rounds, key=lambda one: abs(heard.onset_at - travel - one.at))
                found += [heard.onset_at + (one.at - first.at) for one in shot.rounds]
    return sorted(found)


def metres(a: Point, b: Point) -> float:
    return distance_m((a.lat, a.lon), (b.lat, b.lon))


_SOUND_MPS = 340.0  # near enough to tell which round came first: rounds are 85 ms and more apart


def _first(shot: Shot) -> datetime:
    return min(shot.discharged_at, shot.rounds[0].at)


def _last(shot: Shot) -> datetime:
    return max(shot.discharged_at, shot.rounds[-1].at)


def _apart(a: Shot, b: Shot) -> timedelta:
    """The time between two strings; negative where they overlap."""
    return max(_first(b) - _last(a), _first(a) - _last(b))


def _likeliest(shot: Shot) -> SoundKind | None:
    return max(shot.kinds, key=lambda kind: shot.kinds[kind]) if shot.kinds else None


def _with_shots(alert: ShotAlert, shots: tuple[Shot, ...], told: Shot, now: datetime) -> ShotAlert:
    """Once queued it stays so. How urgent it is follows the machine's newest answer while nobody
    has come, but not out of sight; later, or where another source called it urgent, it only
    rises."""
    level, is_queued = grade(told)
    after = _next(
        alert,
        now,
        shots=tuple(sorted(shots, key=lambda one: (one.discharged_at, one.shot_id))),
        level=min(alert.level, level),
        is_queued=alert.is_queued or is_queued,
    )
    by_others = alert.level < min(grade(one)[0] for one in alert.strings)
    if alert.state is not AlertState.WAITING or alert.escalated_at is not None or by_others:
        return after
    lowest = Level.P2 if after.is_queued else Level.P3
    newest = min(level, lowest, *(grade(one)[0] for one in after.strings))
    return msgspec.structs.replace(after, level=newest)


def _must_be(alert: ShotAlert, *states: AlertState) -> None:
    if alert.state not in states:
        raise Conflict(f"the alert is {alert.state.value}", "look at its present state")


def _next(alert: ShotAlert, now: datetime, **changes: object) -> ShotAlert:
    return msgspec.structs.replace(alert, version=alert.version + 1, changed_at=now, **changes)
