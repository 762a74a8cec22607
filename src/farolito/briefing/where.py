"""The second line: where it is, how surely, and how long the way there takes."""

from __future__ import annotations

import re

from farolito.briefing.known import PLACE_DOUBTS, Known, Spot, newest_first, placed_call
from farolito.briefing.saying import Draft, differing, minutes, phrase, sentence, told
from farolito.geo.distance import distance_m
from farolito.model import Call, Confidence, Doubt, LineKind, Phrase, Point, UnitStatus

ONE_PLACE_M = 100.0  # two calls nearer than this name one place, however they spell it
_WORD = re.compile(r"\w+")
_CROSSING = re.compile(r"@|&|/|\b(?:at|and|y|con)\b", re.IGNORECASE)
_BETWEEN = {"at", "and", "y", "con"}


def where(known: Known) -> Draft:
    return _of_calls(known) if known.calls else _of_alert_or_report(known)


def spot_phrase(spot: Spot) -> Phrase:
    """ "Central Ave @ 4th St, 60 m east, north side", in as many parts as are known."""
    parts: dict[str, str | int] = {"street": told(spot.street)}
    key = "where.street"
    if spot.cross is not None:
        parts["cross"] = told(spot.cross)
        key = "where.cross"
    if spot.from_cross_m is not None and spot.from_cross is not None:
        parts |= {"metres": spot.from_cross_m, "wind": f"@compass.{spot.from_cross}"}
        key += "_from"
    if spot.side is not None:
        is_corner = spot.cross is not None and spot.from_cross_m is None
        parts["side"] = f"@compass.{spot.side}"
        key += "_corner" if is_corner else "_side"
    return phrase(key, **parts)


def _of_calls(known: Known) -> Draft:
    newest = newest_first(known.calls)
    placed = placed_call(known)
    doubts = {doubt for call in known.calls for doubt in call.doubts} & PLACE_DOUBTS
    if placed is None:
        return _without_place(known, newest)
    phrases: list[Phrase] = []
    if (
        placed.address
        and sentence(placed.address)
        and not _is_said_by(placed.address, known.around.spot)
    ):
        phrases.append(phrase("where.address", address=sentence(placed.address)))
    if known.around.spot is not None:
        phrases.append(spot_phrase(known.around.spot))
    if not phrases:
        phrases.append(phrase("where.unnamed"))
    if Doubt.ABOUT in placed.doubts:
        phrases.insert(0, phrase("where.about"))
    if placed.within_m:
        phrases.append(phrase("where.within", n=max(1, round(placed.within_m))))
    others = [call for call in newest if call is not placed]
    phrases += _doubts(known, placed, [placed, *others])
    phrases += _eta(known)
    is_told = placed.place_from == "cad" and not doubts
    return Draft(
        kind=LineKind.WHERE,
        phrases=tuple(phrases),
        source=_source(placed),
        as_of=placed.changed_at,
        confidence=Confidence.TOLD if is_told else Confidence.MACHINE,
    )


def _without_place(known: Known, newest: list[Call]) -> Draft:
    address = next((c.address for c in newest if c.address and sentence(c.address)), None)
    if address is None:
        phrases = [phrase("where.not_told")]
    else:
        phrases = [phrase("where.not_found", address=sentence(address)), *_differ(newest)]
    return Draft(
        kind=LineKind.WHERE,
        phrases=tuple(phrases),
        source=_source(newest[0]),
        as_of=newest[0].changed_at,
        known=False,
    )


def _doubts(known: Known, placed: Call, calls: list[Call]) -> list[Phrase]:
    phrases = []
    if Doubt.PLACES_DIFFER in placed.doubts:
        phrases.append(phrase("where.places_differ"))
    elif known.incident is not None and known.incident.doubtful and not placed.doubts:
        phrases.append(phrase("where.doubtful"))
    return phrases + _differ(calls)


def _differ(calls: list[Call]) -> list[Phrase]:
    """Another call of the incident that names a place apart from the first call's."""
    told_: list[tuple[str, Point | None]] = []
    for call in calls:
        name = call.address or (call.place and f"{call.place.lat:.4f}, {call.place.lon:.4f}")
        if name and not any(_is_one_place(call.place, place, name, n) for n, place in told_):
            told_.append((name, call.place))
    if len(told_) < 2:
        return []
    return [phrase("differ.place", address=sentence(told_[1][0]))]


def _is_one_place(a: Point | None, b: Point | None, name: str, other: str) -> bool:
    if a is None or b is None:
        return len(differing((name, other))) == 1
    return distance_m((a.lat, a.lon), (b.lat, b.lon)) <= ONE_PLACE_M


def _of_alert_or_report(known: Known) -> Draft:
    alert = known.alert or next(iter(known.withdrawn), None)
    report = next(iter(known.reports), None)
    phrases = [spot_phrase(known.around.spot)] if known.around.spot else []
    if alert is None:
        named = known.incident.where if known.incident and report else ""
        phrases = phrases or [phrase("where.address", address=sentence(named))] if named else []
        return Draft(
            kind=LineKind.WHERE,
            phrases=(*phrases, *_eta(known)) if phrases else (phrase("where.not_told"),),
            source=phrase("source.person", name=told(report.by_name)) if report else _nobody(),
            as_of=report.at if report else None,
            known=bool(phrases),
        )
    reader = told(known.around.readers.get(alert.newest.reader, str(alert.newest.reader)))
    phrases = phrases or [phrase("where.address", address=reader)]
    return Draft(
        kind=LineKind.WHERE,
        phrases=(*phrases, *_eta(known)),
        source=phrase("source.reader", name=reader),
        as_of=alert.newest.captured_at,
    )


def _eta(known: Known) -> list[Phrase]:
    units = known.incident.units if known.incident else ()
    is_there = any(
        one.unit == known.unit.unit_id and one.status is UnitStatus.ON_SCENE for one in units
    )
    if known.around.eta_s is None or is_there:
        return []
    return [phrase("where.eta", n=minutes(known.around.eta_s))]


def _source(call: Call) -> Phrase:
    if call.place_from == "map":
        return phrase("source.call_map", number=told(call.number))
    return phrase("source.call", number=told(call.number))


def _nobody() -> Phrase:
    return phrase("source.nobody")


def _is_said_by(address: str, spot: Spot | None) -> bool:
    """Whether "street @ cross" says the told address already: a house number is never left out."""
    if spot is None or spot.cross is None:
        return False
    words = set(_WORD.findall(address.casefold()))
    if _CROSSING.search(address) is None and address[:1].isdigit():
        return False
    return words - _BETWEEN <= set(_WORD.findall(f"{spot.street} {spot.cross}".casefold()))
