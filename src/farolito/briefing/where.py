"""The second line: where it is, how surely, and how long the way there takes."""

from __future__ import annotations

import re

from farolito.briefing.known import (
    PLACE_DOUBTS,
    Known,
    Spot,
    fired_at,
    newest_first,
    placed_call,
    placed_shots,
)
from farolito.briefing.saying import Draft, differing, minutes, phrase, sentence, told, wind
from farolito.briefing.shots import teller
from farolito.geo.distance import bearing_deg, distance_m
from farolito.model import (
    Call,
    Confidence,
    Doubt,
    LineKind,
    Phrase,
    Point,
    Shot,
    ShotAlert,
    UnitStatus,
)

ONE_PLACE_M = 100.0  # two calls nearer than this name one place, however they spell it
_WORD = re.compile(r"\w+")
_CROSSING = re.compile(r"@|&|/|\b(?:at|and|y|con)\b", re.IGNORECASE)
_BETWEEN = {"at", "and", "y", "con"}


def where(known: Known) -> Draft:
    shots = placed_shots(known)
    if shots is not None:
        return _of_shots(known, shots)
    return _of_calls(known) if known.calls else _of_alert_or_report(known)


def _of_shots(known: Known, alert: ShotAlert) -> Draft:
    """Where sensors heard the shots: how surely, or which places it may be."""
    shot = alert.shot
    address = next((c.address for c in newest_first(known.calls) if c.address), None)
    caller: list[Phrase] = []
    if address and sentence(address) and not _is_said_by(address, known.around.spot):
        caller.append(phrase("where.caller", address=sentence(address)))
    source = phrase("source.vendor", name=teller(shot, known))
    if shot.heard:
        source = phrase("source.sensors_located", n=len(shot.heard))
    return Draft(
        kind=LineKind.WHERE,
        phrases=(*_of_shot(known, alert), *caller, *_eta(known)),
        source=source,
        as_of=shot.located_at,
        confidence=Confidence.MACHINE,
    )


def _of_shot(known: Known, alert: ShotAlert) -> list[Phrase]:
    shot, number = alert.shot, str(alert.alert_id)
    if shot.is_ambiguous:
        return _one_of(known, shot, number)
    spot = known.around.spot
    phrases = [spot_phrase(spot) if spot else phrase("where.unnamed")]
    if shot.ellipse is None:
        return [*phrases, phrase("where.rough", source=teller(shot, known), shot=number)]
    percent = round(shot.ellipse.probability * 100)
    n = max(1, round(shot.ellipse.semi_major_m))
    phrases.append(phrase("where.shot_within", n=n, percent=percent, shot=number))
    if shot.outside_net:
        phrases.append(phrase("where.outside_net"))
    return phrases


def _one_of(known: Known, shot: Shot, number: str) -> list[Phrase]:
    """Every place that the sensors leave possible, with its share; never one of them as sure."""
    modes = shot.modes
    key = "where.one_of_two" if len(modes) == 2 else "where.one_of"
    phrases = [phrase(key, count=len(modes), shot=number)]
    first = _pair(modes[0].place)
    for i, mode in enumerate(modes):
        spot = known.around.modes[i] if i < len(known.around.modes) else None
        phrases.append(phrase("where.likely", percent=round(mode.share * 100)))
        if spot is not None:
            phrases.append(spot_phrase(spot))
        elif i == 0:
            phrases.append(phrase("where.unnamed"))
        if i > 0:
            away = distance_m(first, _pair(mode.place))
            way = wind(bearing_deg(first, _pair(mode.place)))
            phrases.append(phrase("where.away", metres=max(10, round(away / 10) * 10), wind=way))
    return phrases


def _heard_from(known: Known, placed: Call) -> list[Phrase]:
    """Where the newest shots were fired, as seen from the place that the brief goes by."""
    newest = max(known.shots, key=fired_at, default=None)
    if newest is None or placed.place is None:
        return []
    here = _pair(placed.place)
    phrases = [phrase("where.sensors")]
    places = [(mode.place, mode.share) for mode in newest.shot.modes]
    for place, share in places or [(newest.shot.place, 1.0)]:
        if places:
            phrases.append(phrase("where.likely", percent=round(share * 100)))
        metres = max(10, round(distance_m(here, _pair(place)) / 10) * 10)
        way = wind(bearing_deg(here, _pair(place)))
        phrases.append(phrase("where.away", metres=metres, wind=way))
    return phrases


def _pair(place: Point) -> tuple[float, float]:
    return place.lat, place.lon


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
    phrases += _heard_from(known, placed)
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
