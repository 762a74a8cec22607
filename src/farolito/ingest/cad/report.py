"""What holds for every CAD: times that may be, places on Earth, texts that can be kept.

An adapter fills a Report with what its format says; `call_update` makes the checked value.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec

from farolito.model import (
    CalledUnit,
    CallKind,
    CallNote,
    CallState,
    CallUpdate,
    CallVehicle,
    Device,
    Doubt,
    Going,
    Hazard,
    HazardKind,
    Invalid,
    Level,
    Point,
    Rejected,
    UnitId,
    UnitStatus,
)
from farolito.model.call import NUMBER_CHARACTERS_MAX

RECORDS_MAX = 1_000  # of a message or file; one with more is refused whole
TEXT_CHARACTERS_MAX = 400  # an address, a word, who is involved; the rest is cut with "…"
NOTE_CHARACTERS_MAX = 4_000  # a remark; the rest is cut with "…"
UNIT_CHARACTERS_MAX = 32  # a call sign; a longer one is left out
UNITS_MAX = 200  # of a call; more are left out
NOTES_MAX = 200  # of a call in one message; the newest stay
VEHICLES_MAX = 50  # of a call
HAZARDS_MAX = 50  # of a call

ANCIENT = datetime(2000, 1, 1, tzinfo=UTC)  # a clock before this was never set
AHEAD_MAX = timedelta(minutes=2)  # clocks drift; further ahead the clock is wrong
LATE_MAX = timedelta(minutes=30)  # later than this is shown as doubtful: clock off, or held up
SHIFT_MAX = timedelta(hours=26)  # no time zone is further off; a larger error is no clock's


class Report(msgspec.Struct, kw_only=True):
    """What one record says, before it is believed. None: it does not tell. Times have a zone.

    `lat` and `lon` are degrees as told; they may be anywhere, or not on Earth.
    """

    number: str | None
    sent_at: datetime | None = None
    ori: str | None = None
    taken_at: datetime | None = None
    kind: CallKind | None = None
    kind_says: str | None = None
    priority: int | None = None
    state: CallState | None = None
    address: str | None = None
    lat: float | None = None
    lon: float | None = None
    within_m: float | None = None
    units: list[tuple[str, UnitStatus, datetime | None]] | None = None
    notes: list[tuple[str | None, datetime | None, str]] = []
    vehicles: list[CallVehicle] | None = None
    hazards: list[ToldHazard] = []
    people: str | None = None
    going: Going | str | None = None  # words alone: as of the time of sending
    duplicate_of: str | None = None
    transferred_to: str | None = None
    transferred_from: str | None = None
    doubts: list[Doubt] = []


class ToldHazard(msgspec.Struct, frozen=True, kw_only=True):
    kind: HazardKind
    says: str
    source: str | None = None
    as_of: datetime | None = None
    expires_at: datetime | None = None


class _Clock:
    """Believes times of one message, told by a clock that may be off.

    A message sent "in the future" comes from a clock that is ahead (a wrong zone, summer time):
    its other times are moved back by as much, and none stays ahead of our own. The time of
    arrival then stands for the time of sending. A message that seems late keeps its time, since
    a delayed one must not overtake a newer one; beyond LATE_MAX it is marked as doubtful.
    """

    def __init__(self, sent_at: datetime | None, received_at: datetime) -> None:
        self.received_at = received_at
        self._shift = timedelta(0)
        told = _utc(sent_at)
        self.is_off = sent_at is not None and told is None
        self.sent_at = told or received_at
        ahead = self.sent_at - received_at
        if ahead > AHEAD_MAX:
            self.is_off = True
            self._shift = ahead if ahead <= SHIFT_MAX else timedelta(0)
            self.sent_at = received_at
        elif self.sent_at < ANCIENT:
            self.is_off = True
            self.sent_at = received_at
        elif -ahead > LATE_MAX:
            self.is_off = True

    def believed(self, at: datetime | None) -> datetime | None:
        """A time within the message; None where it was told and cannot be."""
        if at is None:
            return None
        told = _utc(at)
        if told is None or told < ANCIENT + SHIFT_MAX:
            self.is_off = True
            return None
        at = told - self._shift
        if at - self.received_at > AHEAD_MAX:
            self.is_off = True
            return self.received_at
        return at

    def long_ago(self, at: datetime | None) -> datetime:
        """A time that may lie many years back, as a warning's does; not told is now."""
        told = _utc(at)
        return self.sent_at if told is None else min(told, self.received_at)

    def or_sent(self, at: datetime | None) -> datetime:
        return self.believed(at) or self.sent_at


def _utc(at: datetime | None) -> datetime | None:
    """None too for a time that its zone leads out of the calendar."""
    try:
        return None if at is None else at.astimezone(UTC)
    except OverflowError:
        return None


def call_update(report: Report, device: Device, received_at: datetime) -> CallUpdate:
    """The update, checked. Raises Rejected: `no_number`, `bad_number`."""
    number = event_number(report.number)
    clock = _Clock(report.sent_at, received_at)
    place, doubts = _place(report)
    within_m = report.within_m
    if within_m is not None and not (math.isfinite(within_m) and 0 <= within_m < 1e7):
        within_m = None
    taken_at = clock.believed(report.taken_at)
    units = None if report.units is None else _units(report.units, clock)
    notes = _notes(report.notes, clock)
    hazards = tuple(_hazard(one, device, clock) for one in report.hazards[:HAZARDS_MAX])
    going = _going(report.going, clock)
    if clock.is_off:
        doubts = [*doubts, Doubt.CLOCK_SKEW]
    return CallUpdate(
        agency=device.agency,
        source=device.device_id,
        number=number,
        sent_at=clock.sent_at,
        told_at=received_at,
        ori=text(report.ori),
        taken_at=taken_at,
        kind=report.kind,
        kind_says=text(report.kind_says),
        priority=_level(report.priority),
        state=report.state,
        address=text(report.address),
        place=place,
        within_m=within_m if place is not None else None,
        units=units,
        notes=notes,
        vehicles=_vehicles(report.vehicles),
        hazards=hazards,
        people=text(report.people),
        going=going,
        duplicate_of=_other_number(report.duplicate_of),
        transferred_to=text(report.transferred_to),
        transferred_from=text(report.transferred_from),
        doubts=tuple(dict.fromkeys(doubts)),
    )


def text(told: str | None, characters_max: int = TEXT_CHARACTERS_MAX) -> str | None:
    """One line, without what cannot be shown or kept; None where nothing is left."""
    if told is None:
        return None
    plain = " ".join("".join(c if _can_be_kept(c) else " " for c in told).split())
    return _cut(plain, characters_max) or None


def _can_be_kept(character: str) -> bool:
    return character.isprintable() and not "\ud800" <= character <= "\udfff"


def _cut(plain: str, characters_max: int) -> str:
    return plain if len(plain) <= characters_max else plain[: characters_max - 1] + "…"


def event_number(told: str | None) -> str:
    """The call's number. One that is too long keeps its beginning and gets a digest for the
    rest, so that it stays the same call with every message."""
    number = text(told, 4 * NUMBER_CHARACTERS_MAX)
    if number is None:
        raise Rejected("no_number", "a call without its event number", "send the event number")
    if number.endswith("…"):
        says = f"an event number of more than {4 * NUMBER_CHARACTERS_MAX} characters"
        raise Rejected("bad_number", says, "send the CAD's event number")
    return _short(number)


def _short(number: str) -> str:
    if len(number) <= NUMBER_CHARACTERS_MAX:
        return number
    digest = sha256(number.encode()).hexdigest()[:16]
    return f"{number[: NUMBER_CHARACTERS_MAX - 17]}~{digest}"


def _other_number(told: str | None) -> str | None:
    number = text(told, 4 * NUMBER_CHARACTERS_MAX)
    return None if number is None else _short(number)


def _level(priority: int | None) -> Level | None:
    """P1 to P3. Calls of lower priorities are P3 too: P4 is kept for the health of devices."""
    return None if priority is None else Level(min(max(priority, 1), 3))


def _place(report: Report) -> tuple[Point | None, list[Doubt]]:
    """The place, and a doubt where coordinates were told that are none."""
    if report.lat is None or report.lon is None:
        return None, list(report.doubts)
    try:
        return Point(report.lat, report.lon), list(report.doubts)
    except Invalid:
        wrong = Doubt.PLACES_DIFFER if text(report.address) else Doubt.NO_PLACE
        if report.lat == 0 and report.lon == 0 and wrong is Doubt.PLACES_DIFFER:
            return None, list(report.doubts)  # 0, 0 beside an address is "not looked up yet"
        return None, [*report.doubts, wrong]


def _units(
    told: Iterable[tuple[str, UnitStatus, datetime | None]], clock: _Clock
) -> tuple[CalledUnit, ...]:
    """Each unit once: the CAD's last word on it."""
    units: dict[str, CalledUnit] = {}
    for name, status, at in told:
        sign = text(name)
        if sign is None or len(sign) > UNIT_CHARACTERS_MAX:
            continue
        units.pop(sign, None)
        units[sign] = CalledUnit(unit=UnitId(sign), status=status, at=clock.or_sent(at))
        if len(units) >= UNITS_MAX:
            break
    return tuple(units.values())


def _notes(
    told: Iterable[tuple[str | None, datetime | None, str]], clock: _Clock
) -> tuple[CallNote, ...]:
    """Notes without an id get a digest of time and text: told again, they are the same note."""
    notes: dict[str, CallNote] = {}
    for note_id, at, says in told:
        words = text(says, NOTE_CHARACTERS_MAX)
        if words is None:
            continue
        when = clock.believed(at)
        name = text(note_id)
        if name is None or len(name) > NUMBER_CHARACTERS_MAX:
            stamp = name or ("" if when is None else when.isoformat())
            name = sha256(f"{stamp}\x1f{words}".encode()).hexdigest()[:24]
        notes[name] = CallNote(note_id=name, at=when or clock.sent_at, says=words)
    newest = sorted(notes.values(), key=lambda note: note.at)[-NOTES_MAX:]
    return tuple(newest)


def _hazard(told: ToldHazard, device: Device, clock: _Clock) -> Hazard:
    return Hazard(
        kind=told.kind,
        says=text(told.says) or told.kind.value,
        source=text(told.source) or device.name,
        as_of=clock.long_ago(told.as_of),
        expires_at=_utc(told.expires_at),
    )


def _vehicles(told: list[CallVehicle] | None) -> tuple[CallVehicle, ...] | None:
    if told is None:
        return None
    made = (
        CallVehicle(
            says=text(one.says) or "",
            plate=_plate(one.plate),
            state=text(one.state),
            colour=text(one.colour),
            make=text(one.make),
            model=text(one.model),
            kind=text(one.kind),
        )
        for one in told[:VEHICLES_MAX]
    )
    return tuple(vehicle for vehicle in made if vehicle != CallVehicle())


def _plate(told: str | None) -> str | None:
    plate = text(told)
    return None if plate is None or len(plate) > 16 else plate.upper()


def _going(told: Going | str | None, clock: _Clock) -> Going | None:
    says = text(told if isinstance(told, str) else told.says) if told is not None else None
    if told is None or says is None:
        return None
    if isinstance(told, str):
        return Going(says=says, at=clock.sent_at)
    heading = told.heading_deg
    if heading is not None and not 0 <= heading <= 360:
        heading = None
    return Going(says=says, at=clock.or_sent(told.at), heading_deg=heading, place=told.place)
