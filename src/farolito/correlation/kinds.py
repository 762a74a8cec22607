"""Which kinds of events can be one, how near in time and by road, and why.

A pair that is not here is never joined by nearness. Distances are small on purpose: 30 m is one
address, 60 m one corner, 150 m a block, 350 m what a shot is heard over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from farolito.model import CallKind

K = CallKind


class Together(NamedTuple):
    """Two kinds are one event within so many minutes and metres by road."""

    minutes: float
    metres: float
    reason: str


# Kinds whose place moves: they are held to the driving time, not to where they began.
MOVING = frozenset({K.PURSUIT, K.WANTED_VEHICLE})
# What a wanted vehicle may have just come from.
FLED_FROM = frozenset({K.STOLEN_VEHICLE, K.ROBBERY, K.PURSUIT})

_SAME = (
    (K.SHOTS_FIRED, 5, 350, "several callers hear the same shots"),
    (K.SHOOTING, 10, 150, "several callers tell of the same shooting"),
    (K.STABBING, 10, 100, "several callers tell of the same stabbing"),
    (K.ROBBERY, 10, 100, "several callers tell of the same robbery"),
    (K.BURGLARY, 15, 30, "told again from the same address"),
    (K.ASSAULT, 10, 100, "several callers see the same assault"),
    (K.DOMESTIC, 15, 30, "told again from the same address"),
    (K.WEAPON, 10, 150, "several callers see the same weapon"),
    (K.PURSUIT, 5, 1500, "one pursuit told from along its way"),
    (K.OFFICER_DOWN, 15, 200, "an officer is down once"),
    (K.HIT_AND_RUN, 15, 150, "several callers see the same crash"),
    (K.CRASH, 15, 150, "several callers see the same crash"),
    (K.THEFT, 15, 30, "told again from the same address"),
    (K.DISTURBANCE, 10, 60, "several callers hear the same disturbance"),
    (K.SUSPICIOUS, 10, 60, "several callers see the same thing"),
    (K.TRESPASS, 15, 30, "told again from the same address"),
    (K.MISSING_PERSON, 60, 30, "told again from the same address"),
    (K.WELFARE_CHECK, 30, 30, "told again from the same address"),
    (K.ALARM, 15, 30, "an alarm that rings again"),
    (K.MEDICAL, 15, 30, "told again from the same address"),
    (K.FIRE, 15, 300, "smoke is seen from far"),
)
_PAIRS = (
    (K.SHOTS_FIRED, K.SHOOTING, 10, 350, "the shots that were heard hit somebody"),
    (K.SHOTS_FIRED, K.OFFICER_DOWN, 10, 350, "the shots that were heard hit an officer"),
    (K.SHOTS_FIRED, K.WEAPON, 10, 200, "the weapon that was seen was fired"),
    (K.SHOTS_FIRED, K.ROBBERY, 10, 200, "shots are fired in a robbery"),
    (K.SHOTS_FIRED, K.ASSAULT, 10, 150, "a fight in which shots are fired"),
    (K.SHOTS_FIRED, K.MEDICAL, 10, 100, "somebody near the shots is hurt"),
    (K.SHOTS_FIRED, K.DISTURBANCE, 10, 100, "a quarrel in which shots are fired"),
    (K.SHOTS_FIRED, K.DOMESTIC, 10, 30, "shots at the address of a quarrel at home"),
    (K.SHOOTING, K.OFFICER_DOWN, 10, 200, "the officer was shot"),
    (K.SHOOTING, K.WEAPON, 10, 200, "the weapon that was seen was fired"),
    (K.SHOOTING, K.ROBBERY, 10, 200, "somebody is shot in a robbery"),
    (K.SHOOTING, K.ASSAULT, 10, 150, "another caller's word for it"),
    (K.SHOOTING, K.MEDICAL, 10, 150, "the person who was shot"),
    (K.SHOOTING, K.DISTURBANCE, 10, 100, "how it began"),
    (K.SHOOTING, K.DOMESTIC, 10, 30, "a shooting at the address of a quarrel at home"),
    (K.STABBING, K.ASSAULT, 10, 100, "another caller's word for it"),
    (K.STABBING, K.WEAPON, 10, 100, "the knife that was seen"),
    (K.STABBING, K.MEDICAL, 10, 100, "the person who was stabbed"),
    (K.STABBING, K.ROBBERY, 10, 100, "somebody is stabbed in a robbery"),
    (K.STABBING, K.DISTURBANCE, 10, 100, "how it began"),
    (K.STABBING, K.DOMESTIC, 10, 30, "a stabbing at the address of a quarrel at home"),
    (K.ROBBERY, K.WEAPON, 10, 150, "the weapon of the robbery"),
    (K.ROBBERY, K.ASSAULT, 10, 100, "another caller's word for it"),
    (K.ROBBERY, K.THEFT, 15, 60, "a robbery told as a theft"),
    (K.ROBBERY, K.ALARM, 15, 60, "the alarm of the place that is robbed"),
    (K.ROBBERY, K.MEDICAL, 10, 60, "somebody is hurt in the robbery"),
    (K.BURGLARY, K.ALARM, 20, 60, "the alarm of the place that was broken into"),
    (K.BURGLARY, K.SUSPICIOUS, 20, 60, "somebody seen where it was broken in"),
    (K.BURGLARY, K.TRESPASS, 20, 60, "another caller's word for it"),
    (K.ASSAULT, K.DISTURBANCE, 10, 100, "a quarrel that became a fight"),
    (K.ASSAULT, K.WEAPON, 10, 100, "a weapon in the fight"),
    (K.ASSAULT, K.MEDICAL, 10, 100, "the person who was hurt"),
    (K.ASSAULT, K.DOMESTIC, 10, 30, "another caller's word for it"),
    (K.ASSAULT, K.OFFICER_DOWN, 10, 100, "the officer was attacked"),
    (K.WEAPON, K.DISTURBANCE, 10, 100, "a weapon in the quarrel"),
    (K.WEAPON, K.DOMESTIC, 10, 30, "a weapon at the address of a quarrel at home"),
    (K.WEAPON, K.OFFICER_DOWN, 10, 200, "the officer met the weapon"),
    (K.WEAPON, K.SUSPICIOUS, 10, 60, "what looked suspicious is a weapon"),
    (K.DOMESTIC, K.DISTURBANCE, 15, 30, "another caller's word for it"),
    (K.DOMESTIC, K.MEDICAL, 15, 30, "somebody is hurt at that address"),
    (K.DOMESTIC, K.WELFARE_CHECK, 30, 30, "somebody worries about that address"),
    (K.OFFICER_DOWN, K.TRAFFIC_STOP, 15, 100, "the officer made that stop"),
    (K.OFFICER_DOWN, K.PURSUIT, 10, 200, "the officer was in that pursuit"),
    (K.OFFICER_DOWN, K.MEDICAL, 10, 100, "the officer needs help"),
    (K.CRASH, K.HIT_AND_RUN, 15, 150, "a crash that one driver left"),
    (K.CRASH, K.MEDICAL, 15, 100, "somebody hurt in the crash"),
    (K.CRASH, K.FIRE, 15, 100, "the crash burns"),
    (K.CRASH, K.PURSUIT, 5, 150, "where the pursuit ended"),
    (K.HIT_AND_RUN, K.MEDICAL, 15, 100, "somebody hurt in the crash"),
    (K.FIRE, K.ALARM, 15, 60, "the alarm of the place that burns"),
    (K.FIRE, K.MEDICAL, 15, 60, "somebody hurt in the fire"),
    (K.DISTURBANCE, K.TRESPASS, 15, 60, "another caller's word for it"),
    (K.DISTURBANCE, K.SUSPICIOUS, 10, 60, "another caller's word for it"),
    (K.SUSPICIOUS, K.TRESPASS, 15, 60, "another caller's word for it"),
    (K.SUSPICIOUS, K.THEFT, 15, 60, "somebody seen where it was stolen"),
    (K.THEFT, K.TRESPASS, 15, 60, "another caller's word for it"),
    (K.WELFARE_CHECK, K.MEDICAL, 30, 30, "the person somebody worried about"),
)

TABLE: Mapping[frozenset[CallKind], Together] = {
    **{frozenset({kind}): Together(*row) for kind, *row in _SAME},  # type: ignore[arg-type]
    **{frozenset({a, b}): Together(*row) for a, b, *row in _PAIRS},  # type: ignore[arg-type]
}


def fit(a: CallKind, b: CallKind) -> Together | None:
    """How near two kinds must be to be one event; None: never by nearness."""
    return TABLE.get(frozenset({a, b}))


def reach_m(kind: CallKind) -> float:
    """The farthest that this kind may be from another event it is one with."""
    return max(_metres(kind), default=0.0)


def _metres(kind: CallKind) -> Iterable[float]:
    return (together.metres for pair, together in TABLE.items() if kind in pair)


def word(kind: CallKind) -> str:
    return kind.value.replace("_", " ")
