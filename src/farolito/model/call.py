"""A call for service, as the dispatch system (CAD) tells it, update by update."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from farolito.model.alert import Level
from farolito.model.errors import Invalid
from farolito.model.ids import AgencyId, CallId, DeviceId, IncidentId, UnitId, digest_id
from farolito.model.place import Point
from farolito.model.position import Doubt

NUMBER_CHARACTERS_MAX = 64


class CallKind(StrEnum):
    """What is happening, from a closed list: what events can belong together is decided on it.

    The dispatcher's own word is kept beside it (`kind_says`).
    """

    SHOTS_FIRED = "shots_fired"
    SHOOTING = "shooting"
    STABBING = "stabbing"
    ROBBERY = "robbery"
    BURGLARY = "burglary"
    ASSAULT = "assault"
    DOMESTIC = "domestic"
    WEAPON = "weapon"
    PURSUIT = "pursuit"
    OFFICER_DOWN = "officer_down"
    STOLEN_VEHICLE = "stolen_vehicle"
    WANTED_VEHICLE = "wanted_vehicle"  # what a confirmed plate alert opens
    HIT_AND_RUN = "hit_and_run"
    CRASH = "crash"
    TRAFFIC_STOP = "traffic_stop"
    THEFT = "theft"
    DISTURBANCE = "disturbance"
    SUSPICIOUS = "suspicious"
    TRESPASS = "trespass"
    MISSING_PERSON = "missing_person"
    WELFARE_CHECK = "welfare_check"
    ALARM = "alarm"
    MEDICAL = "medical"
    FIRE = "fire"
    OTHER = "other"


class CallState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    TRANSFERRED = "transferred"  # another agency has it


class UnitStatus(StrEnum):
    ASSIGNED = "assigned"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    CLEARED = "cleared"


class CalledUnit(msgspec.Struct, frozen=True, kw_only=True):
    unit: UnitId
    status: UnitStatus
    at: datetime


class CallNote(msgspec.Struct, frozen=True, kw_only=True):
    """A dispatcher's remark. `note_id` is the CAD's own, or a digest: told twice, kept once."""

    note_id: str
    at: datetime
    says: str


class HazardKind(StrEnum):
    WEAPON = "weapon"
    VIOLENCE = "violence"
    DOG = "dog"
    OFFICER_SAFETY = "officer_safety"
    PREMISE = "premise"  # what happened at this place before
    OTHER = "other"


class Hazard(msgspec.Struct, frozen=True, kw_only=True):
    """A warning about the place or the event, with who says so, since when and until when."""

    kind: HazardKind
    says: str
    source: str
    as_of: datetime
    expires_at: datetime | None = None


class CallVehicle(msgspec.Struct, frozen=True, kw_only=True):
    """A vehicle as the caller described it: never confirmed by that alone."""

    says: str = ""
    plate: str | None = None
    state: str | None = None
    colour: str | None = None
    make: str | None = None
    model: str | None = None
    kind: str | None = None


class Going(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody was last seen and which way they went."""

    says: str
    at: datetime
    heading_deg: float | None = None
    place: Point | None = None


class CallUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """What one CAD message says of one call. None: this message does not tell.

    `sent_at`: when the CAD made the message, by its own clock; `told_at`: when we got it.
    `taken_at`: when the call was answered. `notes` and `hazards` add to what is known, `units`
    and `vehicles` tell the present whole. `within_m`: radius in which the place is.
    """

    agency: AgencyId
    source: DeviceId
    number: str
    sent_at: datetime
    told_at: datetime
    ori: str | None = None
    taken_at: datetime | None = None
    kind: CallKind | None = None
    kind_says: str | None = None
    priority: Level | None = None
    state: CallState | None = None
    address: str | None = None
    place: Point | None = None
    within_m: float | None = None
    units: tuple[CalledUnit, ...] | None = None
    notes: tuple[CallNote, ...] = ()
    vehicles: tuple[CallVehicle, ...] | None = None
    hazards: tuple[Hazard, ...] = ()
    people: str | None = None  # who is involved, as the caller said: "two men, one long gun"
    going: Going | None = None
    duplicate_of: str | None = None  # the event number that this call is another telling of
    transferred_to: str | None = None  # ORI or name of the agency that has it now
    transferred_from: str | None = None
    doubts: tuple[Doubt, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < len(self.number) <= NUMBER_CHARACTERS_MAX:
            raise Invalid(f"event number {self.number[:80]!r}", "send the CAD's event number")
        if self.sent_at.tzinfo is None or self.told_at.tzinfo is None:
            raise Invalid("a time without a zone", "send UTC or an offset")

    @property
    def call_id(self) -> CallId:
        return call_id(self.agency, self.number)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call as known now. `version` grows by one with each change.

    `here_at`: when its first message reached us. `place_from` says whether the CAD sent the
    coordinates or we found the address on the map. `doubts` are shown with it. `told`: when each
    field was told last, so that a late message overwrites nothing newer.
    """

    call_id: CallId
    agency: AgencyId
    source: DeviceId
    number: str
    here_at: datetime
    changed_at: datetime
    sent_at: datetime  # of the newest update taken in
    version: int = 1
    ori: str | None = None
    taken_at: datetime | None = None
    kind: CallKind = CallKind.OTHER
    kind_says: str = ""
    priority: Level = Level.P3
    state: CallState = CallState.OPEN
    address: str | None = None
    place: Point | None = None
    place_from: str | None = None  # "cad" or "map"
    within_m: float | None = None
    units: tuple[CalledUnit, ...] = ()
    notes: tuple[CallNote, ...] = ()
    vehicles: tuple[CallVehicle, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    people: str | None = None
    going: Going | None = None
    duplicate_of: str | None = None
    transferred_to: str | None = None
    transferred_from: str | None = None
    doubts: tuple[Doubt, ...] = ()
    told: Mapping[str, datetime] = {}
    incident: IncidentId | None = None


def call_id(agency: AgencyId, number: str) -> CallId:
    return CallId(digest_id(0, "call", agency, number))
