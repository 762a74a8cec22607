"""Shots as an event of an incident: what they say of it, and what its log says of them."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import msgspec

from farolito.correlation import Event
from farolito.desk.incident_log import Said, What
from farolito.desk.sources import Describe, Source, words_of
from farolito.geo.shot_place import ROUGH_M, is_doubtful, within_m
from farolito.model import (
    AlertState,
    CallKind,
    Level,
    Link,
    LinkBy,
    Part,
    PartKind,
    Shot,
    ShotAlert,
)

_UNDECIDED = (AlertState.WAITING, AlertState.TAKEN)


def is_part(alert: ShotAlert) -> bool:
    """Whether it belongs to incidents: worth a person's time, or a person heard gunfire."""
    return alert.is_confirmed or (alert.is_queued and alert.state in _UNDECIDED)


def part_of_shot(alert: ShotAlert, link: Link, now: datetime) -> Part:
    return Part(
        kind=PartKind.SHOT,
        part_id=alert.alert_id,
        label=label(alert),
        at=fired_at(alert),
        joined_at=now,
        link=link,
        alert=_standing(alert),
    )


def renewed(part: Part, alert: ShotAlert) -> Part:
    """The part as the alert now tells it; how it came here stays."""
    return msgspec.structs.replace(
        part, label=label(alert), at=fired_at(alert), alert=_standing(alert)
    )


def label(alert: ShotAlert) -> str:
    return "1 round" if alert.rounds == 1 else f"{alert.rounds} rounds"


def fired_at(alert: ShotAlert) -> datetime:
    """The first discharge."""
    return min(shot.discharged_at for shot in alert.strings)


def event_of_shot(alert: ShotAlert, link: LinkBy = LinkBy.FIRST) -> Event:
    shot = alert.shot
    within = within_m(shot)
    return Event(
        part_id=alert.alert_id,
        part=PartKind.SHOT,
        kind=CallKind.SHOTS_FIRED,
        at=fired_at(alert),
        place=shot.place,
        within_m=ROUGH_M if within is None else within,
        is_confirmed=alert.is_confirmed,
        joined_by=link,
    )


def source_of_shot(alert: ShotAlert, describe: Describe) -> Source:
    """Of shots that a person reviewed. An outcome ends them; another review strikes them out."""
    shot, stands = alert.shot, alert.is_confirmed
    return Source(
        kind=CallKind.SHOTS_FIRED,
        kind_says="" if stands else f"reviewed as {_reviewed_as(alert)}",
        level=Level.P1 if stands else Level.P3,
        is_open=stands and alert.state is AlertState.CONFIRMED and alert.outcome is None,
        at=fired_at(alert),
        where=partial(_where, shot, describe),
        place=shot.place,
        within_m=within_m(shot),
        is_doubtful=is_doubtful(shot),
        is_by_sensors=stands,
    )


def linked(alert: ShotAlert, link: Link) -> Said:
    unsure = "" if alert.is_confirmed else ", not reviewed by a person"
    return Said(What.SHOT_LINKED, f"Shots, {label(alert)}: {link.says}{unsure}")


def said_of_state(alert: ShotAlert, *, leaves: bool = False) -> Said:
    """What a person did with them."""
    what, says = {
        AlertState.WAITING: (What.SHOT_LINKED, "wait for an operator"),
        AlertState.TAKEN: (What.SHOT_LINKED, "taken by an operator"),
        AlertState.CONFIRMED: (What.SHOT_CONFIRMED, "reviewed as gunfire by a person"),
        AlertState.CLOSED: (What.SHOT_CLOSED, f"closed, outcome {_outcome(alert)}"),
        AlertState.REJECTED: (What.SHOT_REJECTED, f"reviewed as {_reviewed_as(alert)}"),
    }[_standing(alert)]
    rest = ": no longer a part" if leaves else ""
    return Said(what, f"Shots, {label(alert)}, {says}{rest}")


def said_of_revision(alert: ShotAlert, before: Part) -> Said:
    was = "" if before.label == label(alert) else f", was {before.label}"
    within = within_m(alert.shot)
    sure = "" if within is None else f", place within {within:.0f} m"
    return Said(What.SHOT_REVISED, f"Shots located anew: {label(alert)}{was}{sure}")


def _standing(alert: ShotAlert) -> AlertState:
    """How far it has come, as parts tell it: whatever a person did not hear as gunfire is out."""
    if alert.is_confirmed or alert.state in _UNDECIDED:
        return alert.state
    return AlertState.REJECTED


def _outcome(alert: ShotAlert) -> str:
    return alert.outcome.outcome.value.replace("_", " ") if alert.outcome else "not told"


def _reviewed_as(alert: ShotAlert) -> str:
    return alert.review.kind.value if alert.review else "no gunfire"


def _where(shot: Shot, describe: Describe) -> str:
    """The place in words, with what is not sure about it."""
    if shot.is_ambiguous:
        places = [f"{words_of(m.place, describe)} ({m.share:.0%})" for m in shot.modes]
        return f"one of {len(places)} places: " + " or ".join(places)
    words = words_of(shot.place, describe)
    if shot.ellipse is None:
        return f"{words} (the source tells no accuracy)"
    return f"{words} (outside the sensors that heard it)" if shot.outside_net else words
