"""What a call becomes by each update: plain functions from call to call.

Every field remembers when it was told (`Call.told`), so a late message fills what nobody told
later and overwrites nothing: the same updates give the same call in whatever order they come.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from farolito.geo.distance import distance_m
from farolito.geo.street_name import parse_name
from farolito.model import (
    Call,
    CalledUnit,
    CallNote,
    CallState,
    CallUpdate,
    Doubt,
    Hazard,
    Point,
    UnitStatus,
)

CLOCK_SKEW_MAX = timedelta(minutes=5)  # a clock farther off is not believed
PLACES_DIFFER_M = 250.0  # coordinates and address farther apart are two places
ABOUT_FROM_M = 150.0  # a place no better known than this is a street or an area
NOTES_MAX = 500  # of a call; the oldest goes first
HAZARDS_MAX = 100

Find = Callable[[str], tuple[Point, float] | None]
"""A place for an address and the radius (m) that holds it; None where it is not found."""

_FIELDS = (
    "ori", "taken_at", "kind", "kind_says", "priority", "state", "address", "place", "vehicles",
    "people", "going", "duplicate_of", "transferred_to", "transferred_from",
)  # fmt: skip
_OF_THE_PLACE = frozenset({Doubt.NO_PLACE, Doubt.PLACES_DIFFER, Doubt.ABOUT})
_FAR_ALONG = {status: i for i, status in enumerate(UnitStatus)}
_AT = re.compile(r"\s*(?:@|&|/|\bat\b|\band\b|\by\b|\bcon\b)\s*", re.IGNORECASE)
_APARTMENT = re.compile(r"\s*(?:\b(?:apt|apartment|unit|ste|suite|spc|lot)\b\.?|#)\s*#?\s*(\w+)")
_SHORT = re.compile(r"\b(?:bl|bv|blv)\b")  # as CAD screens cut a boulevard


def opened(update: CallUpdate) -> Call:
    """The call that a first message tells of, at version 1."""
    blank = Call(
        call_id=update.call_id,
        agency=update.agency,
        source=update.source,
        number=update.number,
        here_at=update.told_at,
        changed_at=update.told_at,
        sent_at=_moment(None, update)[0],
    )
    return msgspec.structs.replace(_merged(None, blank, update), version=1)


def updated(call: Call, update: CallUpdate) -> Call | None:
    """The call with what this message adds; None: it says nothing new.

    The same version means: nothing to see changed, but what was known was told again and later.
    """
    after = _merged(call, call, update)
    if after == call:
        return None
    if msgspec.structs.replace(after, told=call.told, sent_at=call.sent_at) == call:
        return after
    return msgspec.structs.replace(
        after, version=call.version + 1, changed_at=max(call.changed_at, update.told_at)
    )


def is_late(call: Call, update: CallUpdate) -> bool:
    """Whether something newer than this message was taken in before it."""
    return _moment(call, update)[0] < call.sent_at


def placed(call: Call, find: Find) -> Call:
    """The call with a place: the CAD's coordinates, else its address on the map.

    Coordinates that lie away from the address are kept and doubted: a wrong place is never shown
    as sure.
    """
    found = find(call.address) if call.address else None
    doubts = [d for d in call.doubts if d not in _OF_THE_PLACE]
    place, within_m, told_by = call.place, call.within_m, call.place_from
    if told_by != "cad":
        place, within_m, told_by = (*found, "map") if found else (None, None, None)
    elif found is not None and place is not None and _differ(place, *found):
        doubts.append(Doubt.PLACES_DIFFER)
    if place is None:
        doubts.append(Doubt.NO_PLACE)
    elif (within_m or 0.0) >= ABOUT_FROM_M:
        doubts.append(Doubt.ABOUT)
    return msgspec.structs.replace(
        call, place=place, within_m=within_m, place_from=told_by, doubts=_sorted(doubts)
    )


def premise(address: str | None) -> str | None:
    """An address in the plain form that two spellings of it share; None without one.

    `Central Av @ San Mateo Bl` and `San Mateo Boulevard and Central Ave` are one place, and so
    are `1200 Central Av NW Apt 4, Springfield` and `1200 CENTRAL AVENUE NW #4`.
    """
    if address is None:
        return None
    text = _SHORT.sub("blvd", address.lower().split(",")[0])
    apartment = _APARTMENT.search(text)
    text = _APARTMENT.sub(" ", text)
    names = [parse_name(part) for part in _AT.split(text) if part.strip()]
    plain = sorted(" ".join(word for word in name if word) for name in names)
    key = " @ ".join(one for one in plain if one)
    if not key:
        return None
    return f"{key} #{apartment[1]}" if apartment else key


def newest(units: tuple[CalledUnit, ...], more: tuple[CalledUnit, ...]) -> tuple[CalledUnit, ...]:
    """Each unit once, with its newest status. A status told again keeps the time it began."""
    known = {one.unit: one for one in units}
    for one in more:
        was = known.get(one.unit)
        if was is None or _is_newer(one, was):
            known[one.unit] = one
    return tuple(known[unit] for unit in sorted(known))


def metres(a: Point, b: Point) -> float:
    return distance_m((a.lat, a.lon), (b.lat, b.lon))


def _differ(place: Point, found: Point, within_m: float) -> bool:
    """Whether coordinates contradict an address; one known only roughly contradicts less."""
    return metres(place, found) > max(PLACES_DIFFER_M, within_m)


def _moment(call: Call | None, update: CallUpdate) -> tuple[datetime, timedelta]:
    """When an update was made, and by how much its own times are moved to be ours.

    A clock more than CLOCK_SKEW_MAX off is not believed: the time of arrival stands. An old
    message is not a slow clock where the call was told by a right one before: it is only late.
    """
    off = update.told_at - update.sent_at
    if abs(off) <= CLOCK_SKEW_MAX:
        return update.sent_at, timedelta(0)
    if off > timedelta(0) and call is not None and Doubt.CLOCK_SKEW not in call.doubts:
        return update.sent_at, timedelta(0)
    return update.told_at, off


def _merged(known: Call | None, call: Call, update: CallUpdate) -> Call:
    at, moved = _moment(known, update)
    told = dict(call.told)
    changes: dict[str, object] = {}
    for name in _FIELDS:
        value = _value(update, name, moved)
        if value is not None and at >= told.get(name, at):
            told[name] = at
            changes[name] = value
    if "place" in changes:
        changes |= {"within_m": update.within_m, "place_from": "cad"}
    if update.units is not None:
        told["units"] = max(at, told.get("units", at))
    is_late = at < call.sent_at
    after = msgspec.structs.replace(
        call,
        told=told,
        sent_at=max(call.sent_at, at),
        notes=_with_notes(call.notes, update.notes, moved, is_late),
        hazards=_with_hazards(call.hazards, update.hazards),
        units=_with_units(call, update, at, moved),
        doubts=_doubts(call, update, bool(moved), is_late),
        **changes,
    )
    return _released(after)


def _value(update: CallUpdate, name: str, moved: timedelta) -> object:
    value: object = getattr(update, name)
    if name == "state" and value is None and update.transferred_to is not None:
        return CallState.TRANSFERRED
    if name == "taken_at" and isinstance(value, datetime):
        return _ours(value, moved, update.told_at)
    return value


def _ours(at: datetime, moved: timedelta, told_at: datetime) -> datetime:
    """A time of the CAD's by our clock: never later than it was told."""
    return min(at + moved, told_at)


def _doubts(call: Call, update: CallUpdate, skewed: bool, is_late: bool) -> tuple[Doubt, ...]:
    doubts = {*call.doubts, *update.doubts}
    if skewed:
        doubts.add(Doubt.CLOCK_SKEW)
    elif not is_late and Doubt.CLOCK_SKEW not in update.doubts:
        doubts.discard(Doubt.CLOCK_SKEW)
    return _sorted(doubts)


def _sorted(doubts: set[Doubt] | list[Doubt]) -> tuple[Doubt, ...]:
    return tuple(sorted(set(doubts)))


def _with_notes(
    notes: tuple[CallNote, ...], more: tuple[CallNote, ...], moved: timedelta, is_late: bool
) -> tuple[CallNote, ...]:
    """Told twice, kept once; a remark that its dispatcher corrected reads as corrected."""
    if not more:
        return notes
    known = {note.note_id: note for note in notes}
    for note in more:
        was = known.get(note.note_id)
        if was is None:
            known[note.note_id] = msgspec.structs.replace(note, at=note.at + moved)
        elif was.says != note.says and not is_late:
            known[note.note_id] = msgspec.structs.replace(was, says=note.says)
    kept = sorted(known.values(), key=lambda note: (note.at, note.note_id))
    return tuple(kept[-NOTES_MAX:])


def _with_hazards(hazards: tuple[Hazard, ...], more: tuple[Hazard, ...]) -> tuple[Hazard, ...]:
    """A hazard told again is the same one, as of its newest telling."""
    if not more:
        return hazards
    known = {(h.kind, h.says, h.source): h for h in hazards}
    for hazard in more:
        was = known.get((hazard.kind, hazard.says, hazard.source))
        if was is None or hazard.as_of > was.as_of:
            known[hazard.kind, hazard.says, hazard.source] = hazard
    kept = sorted(known.values(), key=lambda h: (h.as_of, h.kind, h.says, h.source))
    return tuple(kept[-HAZARDS_MAX:])


def _with_units(
    call: Call, update: CallUpdate, at: datetime, moved: timedelta
) -> tuple[CalledUnit, ...]:
    """`units` of an update are the present whole: who is no longer in it was cleared.

    A late whole moves nobody back: whom a newer one left out stays cleared.
    """
    if update.units is None:
        return call.units
    whole_at = call.told.get("units")
    is_late = whole_at is not None and at < whole_at
    listed = []
    known = {one.unit: one for one in call.units}
    for one in update.units:
        now = msgspec.structs.replace(one, at=_ours(one.at, moved, update.told_at))
        if is_late and whole_at is not None and now.unit not in known:
            now = CalledUnit(unit=now.unit, status=UnitStatus.CLEARED, at=whole_at)
        listed.append(now)
    units = newest(call.units, tuple(listed))
    if is_late:
        return units
    present = {one.unit for one in listed}
    return tuple(one if one.unit in present else _cleared(one, at) for one in units)


def _released(call: Call) -> Call:
    """A closed call binds nobody whom its CAD does not name as bound after the closing."""
    closed_at = call.told.get("state")
    if call.state is not CallState.CLOSED or closed_at is None or not call.units:
        return call
    listed_at = call.told.get("units")
    if listed_at is not None and listed_at >= closed_at:
        return call
    units = tuple(one if one.at > closed_at else _cleared(one, closed_at) for one in call.units)
    return msgspec.structs.replace(call, units=units)


def _cleared(one: CalledUnit, at: datetime) -> CalledUnit:
    if one.status is UnitStatus.CLEARED:
        return one
    return CalledUnit(unit=one.unit, status=UnitStatus.CLEARED, at=max(at, one.at))


def _is_newer(one: CalledUnit, was: CalledUnit) -> bool:
    if one.status is was.status:
        return False
    return (one.at, _FAR_ALONG[one.status]) > (was.at, _FAR_ALONG[was.status])
