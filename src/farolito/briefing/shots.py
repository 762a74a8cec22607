"""Shots that sensors heard and a person reviewed: what is said of them, and what they endanger.

The machine located them and a person listened: the line says both. What only the machine makes
of their times and places (cadence, a second shooter, a shooter who moves) says so itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from statistics import median

from farolito.briefing.known import Known, fired_at
from farolito.briefing.saying import clock_second, phrase, told, wind
from farolito.geo.distance import distance_m
from farolito.geo.shot_place import ROUGH_M, is_doubtful
from farolito.geo.shot_place import within_m as radius_m
from farolito.model import DeviceId, Phrase, Shot, ShotAlert

SHOTS_SAID_MAX = 2  # the newest; how many more there are is said
FULL_AUTO_S = (0.055, 0.135)  # between rounds at 450 to 950 a minute, and some play
FULL_AUTO_ROUNDS_MIN = 5  # fewer in a row may be two people, or a fast finger
FULL_AUTO_PLAY_S = 0.03  # a machine keeps time; a finger does not
AT_ONCE = timedelta(seconds=1)  # between the end of one string and the start of another
APART_M_MIN = 20.0  # two places nearer than this may be one person
GUN_LIKELY = 0.5  # a string less likely gunfire counts for no second shooter
MOVED_M_MIN = 10.0


def said_of_shots(known: Known) -> list[Phrase]:
    """The newest first, each with its rounds, its hearers, and who listened."""
    newest = sorted(known.shots, key=fired_at, reverse=True)
    phrases = [p for alert in newest[:SHOTS_SAID_MAX] for p in _said(alert, known)]
    if len(newest) > SHOTS_SAID_MAX:
        phrases.append(phrase("what.shots_more", n=len(newest) - SHOTS_SAID_MAX))
    return phrases


def withdrawn(known: Known) -> list[Phrase]:
    """What this unit was told as gunfire, and a person has heard as something else since."""
    return [_withdrawn(alert, known) for alert in known.withdrawn_shots]


def reviewer(alert: ShotAlert, known: Known) -> str:
    return told(known.reviewed_by.get(alert.alert_id, "")) or "@source.a_person"


def teller(shot: Shot, known: Known) -> str:
    """The vendor's service, as people say it."""
    return told(known.around.readers.get(DeviceId(shot.source), shot.source))


def dangers(known: Known) -> list[Phrase]:
    """What rounds and places of fire tell of the shooters, by the machine alone."""
    strings = [shot for alert in known.shots for shot in alert.strings]
    phrases = []
    rates = [rate for shot in strings if (rate := full_auto(shot)) is not None]
    if rates:
        phrases.append(phrase("hazards.full_auto", rate=round(max(rates), -1)))
    places = at_once(strings)
    if places > 1:
        phrases.append(phrase("hazards.shooters", n=places))
    phrases += [p for shot in strings if (p := _moved(shot)) is not None][:1]
    return phrases


def full_auto(shot: Shot) -> int | None:
    """Rounds a minute of the longest even run as fast as a machine fires, if it is long enough."""
    times = sorted(one.at for one in shot.rounds)
    gaps = [(b - a).total_seconds() for a, b in pairwise(times)]
    run: list[float] = []
    best: list[float] = []
    for gap in gaps:
        fits = FULL_AUTO_S[0] <= gap <= FULL_AUTO_S[1]
        even = not run or max(*run, gap) - min(*run, gap) <= FULL_AUTO_PLAY_S
        run = [*run, gap] if fits and even else [gap] if fits else []
        best = max(best, run, key=len)
    return round(60 / median(best)) if len(best) + 1 >= FULL_AUTO_ROUNDS_MIN else None


def at_once(strings: Sequence[Shot]) -> int:
    """How many places, sure to be different ones, were fired from at one time."""
    likely = [s for s in strings if s.gunshot >= GUN_LIKELY and not is_doubtful(s)]
    most = 0
    for first in likely:
        chosen = [first]
        for other in likely:
            if all(_is_at_once(one, other) and _is_apart(one, other) for one in chosen):
                chosen.append(other)
        most = max(most, len(chosen))
    return most


def _said(alert: ShotAlert, known: Known) -> list[Phrase]:
    shot = alert.shot
    args: dict[str, str | int] = {
        "n": alert.rounds,
        "time": _time(alert, known),
        "name": reviewer(alert, known),
        "shot": str(alert.alert_id),
    }
    if shot.heard:
        ends = max(one.at for string in alert.strings for one in string.rounds)
        lasted = (ends - fired_at(alert)).total_seconds()
        heard = {one.sensor for string in alert.strings for one in string.heard}
        says = phrase("what.shots", **args, seconds=f"{lasted:.1f}", sensors=len(heard))
    else:
        says = phrase("what.shots_told", **args, source=teller(shot, known))
    phrases = [says]
    low = sum(one.rounds_low or len(one.rounds) for one in alert.strings)
    high = sum(one.rounds_high or len(one.rounds) for one in alert.strings)
    if low != high:
        phrases.append(phrase("what.rounds_between", low=low, high=high))
    if len(alert.strings) > 1:
        phrases.append(phrase("what.strings", n=len(alert.strings)))
    return phrases


def _withdrawn(alert: ShotAlert, known: Known) -> Phrase:
    assert alert.review is not None, "what a person did not review was never told"
    return phrase(
        "what.shots_withdrawn",
        time=_time(alert, known),
        kind=f"@sound.{alert.review.kind.value}",
        name=reviewer(alert, known),
        shot=str(alert.alert_id),
    )


def _time(alert: ShotAlert, known: Known) -> str:
    return clock_second(fired_at(alert), known.zone)


def _moved(shot: Shot) -> Phrase | None:
    moved = shot.movement
    if moved is None or moved.metres < max(MOVED_M_MIN, 2 * moved.metres_sd):
        return None
    metres = round(moved.metres / 10) * 10
    return phrase("hazards.moved", metres=metres, wind=wind(moved.bearing_deg))


def _is_at_once(a: Shot, b: Shot) -> bool:
    return (
        a.rounds[0].at <= b.rounds[-1].at + AT_ONCE and b.rounds[0].at <= a.rounds[-1].at + AT_ONCE
    )


def _is_apart(a: Shot, b: Shot) -> bool:
    metres = distance_m((a.place.lat, a.place.lon), (b.place.lat, b.place.lon))
    sure = sum(ROUGH_M if (r := radius_m(s)) is None else r for s in (a, b))
    return metres > max(APART_M_MIN, sure)
