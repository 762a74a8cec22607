"""What a plate reader reported of one passing car."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from farolito.model.errors import Invalid
from farolito.model.ids import AgencyId, DeviceId, ReadId
from farolito.model.place import Point
from farolito.model.plates import is_normal

CANDIDATES_MAX = 64


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """Another text the reader thought possible, normalised, with its own confidence 0…1."""

    plate: str
    confidence: float | None = None


class Seen(msgspec.Struct, frozen=True, gc=False):
    """One attribute as a machine saw it, lower case, with its confidence 0…1 where told."""

    value: str
    confidence: float | None = None


class SeenVehicle(msgspec.Struct, frozen=True, gc=False):
    """What the reader saw of the car. None is "not told", never a guess."""

    make: Seen | None = None
    model: Seen | None = None
    colour: Seen | None = None
    kind: Seen | None = None  # sedan, suv, pickup, van, truck, motorcycle, bus, trailer
    year: Seen | None = None  # "2015" or "2015-2019"


class Picture(msgspec.Struct, frozen=True, gc=False):
    """A picture kept beside a read: its SHA-256 in hex is its name. Bytes travel apart."""

    sha256: str
    shows: Literal["plate", "vehicle", "scene"]
    media_type: Literal["image/jpeg", "image/png", "image/webp"] = "image/jpeg"


class PlateRead(msgspec.Struct, frozen=True, gc=False):
    """One car read once, in our words whatever the vendor's.

    `text` is what the source wrote, `plate` the same normalised. `characters` holds the reader's
    confidence (0…1) for each character of `plate`, in order, where the format has them.
    `folded` says how the source had already folded the text ("O0": every O written as 0).
    `source` names the format, `event` the source's own key of this car (its carID, UUID, Guid):
    messages with the same reader and event speak of one car.

    Made by name everywhere but on the hot path, where 23 names cost a µs more than 23 places.
    """

    read_id: ReadId
    agency: AgencyId
    reader: DeviceId
    captured_at: datetime
    received_at: datetime
    text: str
    plate: str
    source: str
    event: str
    confidence: float | None = None
    characters: tuple[float, ...] | None = None
    candidates: tuple[Candidate, ...] = ()
    state: str | None = None
    state_confidence: float | None = None
    place: Point | None = None
    heading_deg: float | None = None  # direction of travel, from north
    movement: Literal["approaching", "receding"] | None = None  # as seen from the camera
    lane: int | None = None
    speed_mps: float | None = None
    vehicle: SeenVehicle | None = None
    pictures: tuple[Picture, ...] = ()
    picture_url: str | None = None  # signed links expire: fetched at once or lost
    folded: Literal["O0"] | None = None

    def __post_init__(self) -> None:
        if self.captured_at.tzinfo is None or self.received_at.tzinfo is None:
            raise Invalid("a time without a zone", "send UTC or an offset")
        if not is_normal(self.plate):
            raise Invalid("a plate that is not normalised")
        if self.characters is not None and len(self.characters) != len(self.plate):
            raise Invalid(
                f"{len(self.characters)} character confidences for {len(self.plate)} characters"
            )
        if self.confidence is not None and not 0 <= self.confidence <= 1:
            raise Invalid(f"confidence {self.confidence} is not between 0 and 1")
        if len(self.candidates) > CANDIDATES_MAX:
            raise Invalid(f"{len(self.candidates)} candidates", f"send at most {CANDIDATES_MAX}")
