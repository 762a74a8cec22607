"""What happens in the practice metro that people call about, and what they say of it.

Kinds come in a real city's proportions, more of them in the evening; every priority has its own
call-taking time. Of some events a second person calls from another house and says it otherwise.
Sums: 40 calls in the busiest hour, one every 90 s; drawing one costs below a millisecond.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from farolito.model import CallKind, Level, Point
from farolito.model.call import CallVehicle, Going, Hazard, HazardKind
from farolito.simulator import caller_words
from farolito.simulator.addresses import Addresses, Leaving, Spot, moved
from farolito.simulator.fleet import Vehicle

BUSIEST_AN_HOUR = 40.0
SECOND_CALLER_M = (60.0, 150.0)
PREMISE_FILE = "CAD premise file"
SHERIFF, TRIBAL = "Cuesta County Sheriff's Office", "Agua Serena Tribal Police"
# Share of the busiest hour, by local hour (shape of big cities' calls for service).
HOURS = (
    0.52, 0.42, 0.36, 0.30, 0.26, 0.28, 0.36, 0.50, 0.62, 0.70, 0.76, 0.82,
    0.86, 0.88, 0.92, 0.97, 1.00, 1.00, 0.98, 0.95, 0.90, 0.84, 0.76, 0.64,
)  # fmt: skip


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of call: how urgent, how usual, how many cars it takes and for how long."""

    kind: CallKind
    says: str  # the dispatcher's own word
    level: Level
    share: float
    units: int = 1
    scene_s: tuple[float, float] = (120.0, 420.0)
    car: float = 0.0  # share of callers who tell of a vehicle
    flagged: float = 0.1  # share of places with a premise flag
    again: float = 0.1  # share of events that a second person calls about
    like: str | None = None  # what a second call-taker may make of it


def _kind(kind: CallKind, says: str, level: int, share: float, **more: object) -> Kind:
    return msgspec.convert(
        {"kind": kind, "says": says, "level": level, "share": share, **more}, Kind
    )


KINDS: tuple[Kind, ...] = (
    _kind(CallKind.DISTURBANCE, "DISTURBANCE", 2, 16, again=0.25, flagged=0.15),
    _kind(CallKind.SUSPICIOUS, "SUSPICIOUS PERS/VEH", 3, 14, car=0.5),
    _kind(CallKind.WELFARE_CHECK, "WELFARE CHECK", 2, 10, flagged=0.2),
    _kind(CallKind.CRASH, "TRAFFIC ACCIDENT", 2, 9, car=0.6, again=0.45, flagged=0),
    _kind(CallKind.ALARM, "BURGLARY ALARM", 3, 9, scene_s=(60, 200)),
    _kind(CallKind.THEFT, "THEFT/SHOPLIFTING", 3, 8, car=0.5),
    _kind(CallKind.DOMESTIC, "DOMESTIC DISPUTE", 1, 7, units=2, flagged=0.5, again=0.2),
    _kind(CallKind.TRESPASS, "TRESPASS", 3, 6),
    _kind(CallKind.BURGLARY, "BURGLARY IN PROGRESS", 1, 4, units=2, car=0.5, again=0.15),
    _kind(CallKind.SHOTS_FIRED, "SHOTS FIRED", 1, 4, units=2, car=0.8, again=0.6, like="GUNFIRE"),
    _kind(CallKind.STOLEN_VEHICLE, "AUTO THEFT", 3, 3, car=1.0),
    _kind(CallKind.HIT_AND_RUN, "HIT AND RUN", 2, 3, car=1.0, again=0.4, flagged=0),
    _kind(CallKind.ASSAULT, "ASSAULT", 1, 3, units=2, again=0.4, like="FIGHT"),
    _kind(CallKind.MEDICAL, "MEDICAL ASSIST", 2, 3, scene_s=(90, 240)),
    _kind(CallKind.WEAPON, "PERSON WITH A GUN", 1, 2, units=2, again=0.3),
    _kind(CallKind.ROBBERY, "ARMED ROBBERY", 1, 1.5, units=3, car=0.8, again=0.4),
    _kind(CallKind.MISSING_PERSON, "MISSING CHILD", 1, 1, units=2),
    _kind(CallKind.FIRE, "FIRE ASSIST", 2, 1, again=0.5, flagged=0),
    _kind(CallKind.STABBING, "STABBING", 1, 0.5, units=3, again=0.4),
    _kind(CallKind.SHOOTING, "SHOOTING", 1, 0.5, units=3, car=0.8, again=0.6, like="SHOTS FIRED"),
    _kind(CallKind.OTHER, "CITIZEN CONTACT", 3, 4, scene_s=(60, 300)),
)  # fmt: skip
BY_KIND = {one.kind: one for one in KINDS}
# From the ring to the call's first message, by priority: the urgent ones are sent half told.
TALK_S = {Level.P1: (18.0, 45.0), Level.P2: (40.0, 90.0), Level.P3: (60.0, 150.0)}
_TAKEN_FOR = {
    "white": ("silver", "gray"), "silver": ("white", "gray"), "gray": ("silver", "black"),
    "black": ("gray", "blue"), "blue": ("black", "gray"), "red": ("brown", "orange"),
    "brown": ("red", "gold"), "green": ("blue", "gray"), "gold": ("brown", "yellow"),
    "orange": ("red", "yellow"), "yellow": ("gold", "white"),
}  # fmt: skip


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """One person's call. `place` None: nobody knows where; it may also be wrong."""

    after_s: float  # from the event's first message to this call's
    talk_s: float
    kind_says: str
    says: str
    address: str | None
    place: Point | None
    within_m: float | None = None
    people: str | None = None
    vehicle: CallVehicle | None = None
    marked_after_s: float | None = None  # when the CAD marks it as another telling


class Later(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes known after the first message."""

    after_s: float
    says: str | None = None
    hazard: Hazard | None = None
    vehicle: CallVehicle | None = None
    leaving: Leaving | None = None
    address: str | None = None  # where it is, after all
    place: Point | None = None

    def going(self, at: datetime) -> Going | None:
        if self.leaving is None:
            return None
        return Going(
            says=self.leaving.says,
            at=at - timedelta(seconds=4),
            heading_deg=self.leaving.heading_deg,
            place=Point(*self.leaving.at),
        )


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happens, its callers in order, and what becomes known of it.

    `at`: when its first message goes out. `for_unit`: the unit that the drill wants there.
    """

    event_id: str
    at: datetime
    kind: Kind
    spot: Spot
    tellings: tuple[Telling, ...]
    later: tuple[Later, ...] = ()
    car: Vehicle | None = None
    scene_s: float = 180.0
    for_unit: str | None = None
    more_unit_after_s: float | None = None  # a further unit is sent then
    transferred_to: str | None = None
    reopens: bool = False

    @property
    def located_after_s(self) -> float:
        """When the dispatcher knows where to send anybody."""
        if self.tellings[0].place is not None:
            return 0.0
        return next((one.after_s for one in self.later if one.place is not None), 0.0)


class Draw:
    """Makes events. What is drawn depends on its chance and arguments only."""

    def __init__(
        self, addresses: Addresses, fleet: Sequence[Vehicle], chance: random.Random
    ) -> None:
        self.addresses, self._fleet, self.chance = addresses, fleet, chance
        self._count = 0

    def event(self, at: datetime, kind: Kind, spot: Spot, car: Vehicle | None = None) -> Event:
        """An ordinary event, told by one or two people."""
        chance = self.chance
        self._count += 1
        if car is None and chance.random() < kind.car:
            car = chance.choice(self._fleet)
        who = chance.choice(caller_words.PEOPLE)
        pair = self._pair(kind, car)
        tellings = [self.first(kind, spot, pair[0], car, who)]
        if chance.random() < kind.again:
            tellings.append(self.second(kind, spot, pair[1], car, who))
        return Event(
            event_id=f"e{self._count}",
            at=at,
            kind=kind,
            spot=spot,
            tellings=tuple(tellings),
            later=self._later(kind, spot, car, at),
            car=car,
            scene_s=chance.uniform(*kind.scene_s),
            more_unit_after_s=chance.uniform(60, 140) if chance.random() < 0.15 else None,
            reopens=chance.random() < 0.03,
        )

    def _pair(self, kind: Kind, car: Vehicle | None) -> caller_words.Pair:
        pairs = caller_words.SAYS[kind.kind]
        fitting = [p for p in pairs if (car is not None) == ("{car}" in p[0])] or list(pairs)
        return self.chance.choice(fitting)

    def first(self, kind: Kind, spot: Spot, says: str, car: Vehicle | None, who: str) -> Telling:
        told = described(car, car.colour) if car else None
        return Telling(
            after_s=0.0,
            talk_s=self.chance.uniform(*TALK_S[kind.level]),
            kind_says=kind.says,
            says=_filled(says, told, who),
            address=spot.address,
            place=Point(*spot.at),
            within_m=25.0 if not spot.is_crossing else 40.0,
            people=who if "{who}" in says else None,
            vehicle=told if "{car}" in says else None,
        )

    def second(self, kind: Kind, spot: Spot, says: str, car: Vehicle | None, who: str) -> Telling:
        """Another caller from a house or corner close by, who saw it from there."""
        chance = self.chance
        around = self.addresses.near(spot.at, SECOND_CALLER_M) or [spot]
        stands = chance.choice(around)
        colour = car.colour if car else "white"
        if chance.random() < 0.7:
            colour = chance.choice(_TAKEN_FOR[colour])
        told = described(car, colour, vaguely=True) if car else None
        if chance.random() < 0.3:
            who = chance.choice(caller_words.PEOPLE)
        is_like = kind.like is not None and chance.random() < 0.5
        return Telling(
            after_s=chance.uniform(20, 110),
            talk_s=chance.uniform(*TALK_S[kind.level]),
            kind_says=kind.like if is_like and kind.like else kind.says,
            says=_filled(says, told, who),
            address=stands.address,
            place=Point(*stands.at),
            within_m=50.0,
            people=who if "{who}" in says else None,
            vehicle=told if "{car}" in says else None,
            marked_after_s=chance.uniform(50, 140) if chance.random() < 0.6 else None,
        )

    def _later(
        self, kind: Kind, spot: Spot, car: Vehicle | None, at: datetime
    ) -> tuple[Later, ...]:
        chance = self.chance
        found = []
        if chance.random() < kind.flagged and not spot.is_crossing:
            found.append(Later(after_s=chance.uniform(4, 20), hazard=self.flag(at)))
        if car is not None and chance.random() < 0.25:
            told = described(car, car.colour, plate=True)
            says = f"PLATE PER RP {car.plate}"
            found.append(Later(after_s=chance.uniform(30, 90), says=says, vehicle=told))
        if car is not None and chance.random() < 0.5:
            leaving = self.addresses.leaving(spot.at, None, chance)
            says = f"LAST SEEN {leaving.says.upper()}"
            found.append(Later(after_s=chance.uniform(20, 100), says=says, leaving=leaving))
        if chance.random() < 0.6:
            says = chance.choice(caller_words.LATER)
            found.append(Later(after_s=chance.uniform(30, 160), says=says))
        return tuple(sorted(found, key=lambda later: later.after_s))

    def flag(self, at: datetime, holds: bool | None = None) -> Hazard:
        """A premise flag; one in six has expired by now and must not be shown as in force."""
        kind, says, days = self.chance.choice(caller_words.PREMISE)
        in_force = self.chance.random() < 5 / 6 if holds is None else holds
        age = self.chance.uniform(0.1, 0.9) if in_force else self.chance.uniform(1.1, 1.6)
        as_of = (at - timedelta(days=days * age)).replace(microsecond=0)
        return Hazard(
            kind=HazardKind(kind),
            says=says,
            source=PREMISE_FILE,
            as_of=as_of,
            expires_at=as_of + timedelta(days=days),
        )


def described(
    car: Vehicle, colour: str, *, vaguely: bool = False, plate: bool = False
) -> CallVehicle:
    """The car in a caller's words: colour and kind, its make where it was well seen."""
    kind = "SUV" if car.kind == "suv" else car.kind
    says = f"{colour} {kind}" if vaguely else f"{colour} {car.make.title()} {kind}"
    return CallVehicle(
        says=says,
        plate=car.plate if plate else None,
        state=car.state if plate else None,
        colour=colour,
        make=None if vaguely else car.make.title(),
        kind=car.kind,
    )


def without_place(event: Event, chance: random.Random) -> Event:
    """The same event, told by somebody who does not know where they are; found a minute on."""
    says = chance.choice(caller_words.NOWHERE)
    lost = msgspec.structs.replace(
        event.tellings[0], address=None, place=None, within_m=None, says=says
    )
    found = Later(
        after_s=chance.uniform(40, 80),
        says="LOCATION BY PHASE 2 REBID",
        address=event.spot.address,
        place=Point(*event.spot.at),
    )
    later = sorted([*event.later, found], key=lambda one: one.after_s)
    return msgspec.structs.replace(event, tellings=(lost,), later=tuple(later))


def with_wrong_place(event: Event, chance: random.Random) -> Event:
    """The address is right, the coordinates are those of a far cell tower."""
    tower = moved(event.spot.at, chance.uniform(1_800, 3_500), chance.uniform(0, 360))
    astray = msgspec.structs.replace(event.tellings[0], place=Point(*tower), within_m=None)
    return msgspec.structs.replace(event, tellings=(astray, *event.tellings[1:]))


def _filled(says: str, car: CallVehicle | None, who: str) -> str:
    return says.format(car=car.says.upper() if car else "VEHICLE", who=who.upper())
