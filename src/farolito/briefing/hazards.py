"""The third line: what endangers the officer, who says so, since when and until when.

In: hazards told with the calls, what sensors heard of the shooters, and what the own records say
of the place. A flag whose time is
over is not said as one in force; "nothing found" is said with how far back was looked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from farolito.briefing.known import Known, fired_at, newest_first
from farolito.briefing.saying import Draft, clock_time, day, phrase, sentence, told
from farolito.briefing.shots import dangers
from farolito.model import Call, CallKind, Confidence, Hazard, HazardKind, LineKind, Phrase

FLAGS_SAID_MAX = 4  # the gravest; how many more there are is said
HISTORY_SAID_MAX = 2  # earlier calls told one by one, the gravest kinds first

_GRAVEST = (
    HazardKind.OFFICER_SAFETY, HazardKind.WEAPON, HazardKind.VIOLENCE, HazardKind.DOG,
    HazardKind.PREMISE, HazardKind.OTHER,
)  # fmt: skip
_GRAVE_KINDS = (
    CallKind.OFFICER_DOWN, CallKind.SHOOTING, CallKind.SHOTS_FIRED, CallKind.STABBING,
    CallKind.WEAPON, CallKind.ROBBERY, CallKind.ASSAULT, CallKind.DOMESTIC,
)  # fmt: skip


def hazards(known: Known) -> Draft:
    if not known.calls and not known.shots:
        return _of_row(known)
    flags = in_force(known)
    phrases = dangers(known) + [_flag(flag, known) for flag in flags[:FLAGS_SAID_MAX]]
    if len(flags) > FLAGS_SAID_MAX:
        phrases.append(phrase("hazards.more", n=len(flags) - FLAGS_SAID_MAX))
    if not flags:
        phrases.append(phrase("hazards.no_flags"))
    looked_at = known.history is not None
    newest = next(iter(newest_first(known.calls)), None)
    fired = max(map(fired_at, known.shots), default=None)
    as_of = newest.changed_at if newest else fired
    return Draft(
        kind=LineKind.HAZARDS,
        phrases=(*phrases, *_history(known)),
        source=_source(known, newest),
        as_of=max((f.as_of for f in flags), default=as_of),
        confidence=Confidence.TOLD if flags else Confidence.MACHINE,
        known=bool(flags or dangers(known))
        or (looked_at and bool(known.history and known.history.calls)),
    )


def in_force(known: Known) -> list[Hazard]:
    """Flags whose time is not over, each once, the gravest and newest first."""
    told_ = [h for call in known.calls for h in call.hazards]
    if known.history is not None:
        told_ += [h for call in known.history.calls for h in call.hazards]
    newest: dict[tuple[HazardKind, str], Hazard] = {}
    for hazard in sorted(told_, key=lambda h: h.as_of):
        newest[hazard.kind, " ".join(hazard.says.casefold().split())] = hazard
    standing = [h for h in newest.values() if h.expires_at is None or h.expires_at > known.now]
    return sorted(standing, key=lambda h: (_GRAVEST.index(h.kind), -h.as_of.timestamp(), h.says))


def next_expiry(known: Known) -> datetime | None:
    """When the next flag ends: then the brief must be composed anew."""
    return min((h.expires_at for h in in_force(known) if h.expires_at), default=None)


def _flag(hazard: Hazard, known: Known) -> Phrase:
    args: dict[str, str | int] = {
        "kind": f"@flag.{hazard.kind.value}",
        "text": sentence(hazard.says),
        "source": told(hazard.source),
        **day(hazard.as_of, known.zone),
    }
    if hazard.expires_at is None:
        return phrase("hazards.flag", **args)
    until = day(hazard.expires_at, known.zone)
    args |= {
        "until_day": until["day"],
        "until_month": until["month"],
        "until_year": until["year"],
        "time": clock_time(hazard.expires_at, known.zone),
    }
    return phrase("hazards.flag_until", **args)


def _history(known: Known) -> list[Phrase]:
    if known.history is None:
        if not known.is_complete:
            return [phrase("hazards.looking")]
        return [phrase("hazards.no_place" if known.calls else "hazards.unsure_place")]
    found, days = known.history.calls, known.history.days
    if not found:
        return [phrase("hazards.none", n=days)]
    says = [phrase("hazards.history", n=len(found), days=days)]
    for call in _gravest(found)[:HISTORY_SAID_MAX]:
        kind = f"@kind.{call.kind.value}"
        number = told(call.number)
        at = day(call.taken_at or call.here_at, known.zone)
        says.append(phrase("hazards.earlier", kind=kind, number=number, **at))
    return says


def _gravest(calls: Sequence[Call]) -> list[Call]:
    def rank(call: Call) -> tuple[int, float]:
        grave = _GRAVE_KINDS.index(call.kind) if call.kind in _GRAVE_KINDS else len(_GRAVE_KINDS)
        return grave, -(call.taken_at or call.here_at).timestamp()

    return sorted(calls, key=rank)


def _source(known: Known, newest: Call | None) -> Phrase:
    if newest is None:
        and_records = known.history is not None
        return phrase("source.sensors_and_records" if and_records else "source.sensors")
    if known.history is None:
        return phrase("source.call", number=told(newest.number))
    return phrase("source.call_and_records", number=told(newest.number))


def _of_row(known: Known) -> Draft:
    """A plate alert: the car moves, so no place's history was asked."""
    alert = known.alert or next(iter(known.withdrawn), None)
    if alert is None:
        return Draft(
            kind=LineKind.HAZARDS,
            phrases=(phrase("hazards.not_told"),),
            source=phrase("source.nobody"),
            as_of=None,
            known=False,
        )
    return Draft(
        kind=LineKind.HAZARDS,
        phrases=(phrase("hazards.row"),),
        source=phrase("source.row_alone"),
        as_of=alert.match.entry.entered_at,
        known=False,
    )
