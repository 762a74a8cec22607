"""The fourth line: the vehicle and its plate, and who says which of it.

A caller's plate is never confirmed by the call: only a person who compared a picture with a row
confirms. What two calls tell differently is said as such.
"""

from __future__ import annotations

from collections.abc import Sequence

from farolito.briefing.known import Known, newest_first
from farolito.briefing.saying import Draft, differing, phrase, sentence, told
from farolito.model import (
    Alert,
    Call,
    CallVehicle,
    Confidence,
    Invalid,
    LineKind,
    ListedVehicle,
    Phrase,
    SeenVehicle,
    normalise_plate,
)

VEHICLES_SAID_MAX = 3  # how many more were told is said


def vehicle(known: Known) -> Draft:
    phrases: list[Phrase] = [_withdrawn(alert) for alert in known.withdrawn]
    if known.alert is not None:
        phrases += _confirmed(known.alert)
    confirmed = {a.match.entry.plate for a in known.alerts}
    told_ = [(v, call) for call in newest_first(known.calls) for v in call.vehicles]
    phrases += _told([v for v, _ in told_], confirmed)
    phrases += _differ(known.calls)
    if not phrases:
        return _nothing(known)
    if known.alert is not None or known.withdrawn:
        alert = known.alert or known.withdrawn[0]
        source, as_of = phrase("source.row_and_reader"), alert.newest.captured_at
        confidence = Confidence.MACHINE  # a person compared the plate, not the car
    else:
        call = told_[0][1]
        source, as_of = phrase("source.caller", number=told(call.number)), call.changed_at
        confidence = Confidence.TOLD
    return Draft(
        kind=LineKind.VEHICLE,
        phrases=tuple(phrases),
        source=source,
        as_of=as_of,
        confidence=confidence,
        known=bool(told_) or known.alert is None or known.alert.match.entry.vehicle is not None,
    )


def _nothing(known: Known) -> Draft:
    call = next(iter(newest_first(known.calls)), None)
    return Draft(
        kind=LineKind.VEHICLE,
        phrases=(phrase("vehicle.none"),),
        source=phrase("source.call", number=told(call.number)) if call else phrase("source.nobody"),
        as_of=call.changed_at if call else None,
        known=False,
    )


def _withdrawn(alert: Alert) -> Phrase:
    return phrase(
        "vehicle.withdrawn",
        state=alert.match.entry.state or "@vehicle.no_state",
        plate=alert.match.entry.plate,
        reason=sentence(alert.decision_reason or "") or "@vehicle.by_owner",
    )


def _confirmed(alert: Alert) -> list[Phrase]:
    entry = alert.match.entry
    state = entry.state or "@vehicle.no_state"
    row, seen = _listed(entry.vehicle), _seen(alert.newest.vehicle)
    return [
        phrase("vehicle.confirmed", state=state, plate=entry.plate),
        phrase("vehicle.row", what=row) if row else phrase("vehicle.row_silent"),
        phrase("vehicle.seen", what=seen) if seen else phrase("vehicle.plate_alone"),
    ]


def _told(vehicles: Sequence[CallVehicle], confirmed: set[str]) -> list[Phrase]:
    """Each vehicle that callers told, once; a confirmed plate is not told again as a caller's."""
    phrases: dict[str, Phrase] = {}
    for one in vehicles:
        what = sentence(one.says) or _join(one.colour, one.make, one.model, one.kind)
        plate = _plate(one)
        if plate and plate not in confirmed:
            state = told(one.state or "") or "@vehicle.no_state"
            says = phrase("vehicle.told_plate", what=what, state=state, plate=plate)
            if not what:
                says = phrase("vehicle.plate_told", state=state, plate=plate)
        elif what:
            says = phrase("vehicle.told", what=what)
        else:
            continue
        phrases.setdefault(f"{what.casefold()} {plate}", says)
    said = list(phrases.values())
    if len(said) > VEHICLES_SAID_MAX:
        more = phrase("vehicle.more", n=len(said) - VEHICLES_SAID_MAX)
        return [*said[:VEHICLES_SAID_MAX], more]
    return said


def _differ(calls: Sequence[Call]) -> list[Phrase]:
    """Calls that each tell of one vehicle, and tell it differently."""
    single = [call.vehicles[0] for call in newest_first(calls) if len(call.vehicles) == 1]
    return [
        phrase("differ.two", a=told_[0], b=told_[1])
        for told_ in (
            differing(v.colour or "" for v in single),
            differing(v.make or "" for v in single),
            differing(v.kind or "" for v in single),
            differing(_plate(v) for v in single),
        )
        if len(told_) > 1
    ]


def _plate(vehicle_: CallVehicle) -> str:
    """As plates are compared. Half a plate, with marks for its gaps, is said as told."""
    if not vehicle_.plate:
        return ""
    try:
        plain = normalise_plate(vehicle_.plate)
    except Invalid:
        return told(vehicle_.plate.upper())
    is_whole = all(c.isalnum() or c in " -" for c in vehicle_.plate)
    return plain if is_whole else told(vehicle_.plate.upper())


def _listed(listed: ListedVehicle | None) -> str:
    if listed is None:
        return ""
    year = str(listed.year) if listed.year else None
    return _join(year, listed.colour, listed.make, listed.model, listed.kind)


def _seen(seen: SeenVehicle | None) -> str:
    if seen is None:
        return ""
    return _join(*(s.value for s in (seen.colour, seen.make, seen.model, seen.kind) if s))


def _join(*words: str | None) -> str:
    return told(" ".join(word for word in words if word))
