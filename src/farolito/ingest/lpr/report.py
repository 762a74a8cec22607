"""What a message says of one car, and the checks that make a read of it.

Every vendor's adapter fills a Report and hands it to `plate_read`; the rules that hold for all of
them stand here once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Literal

import msgspec

from farolito.ingest.lpr import moment
from farolito.model import (
    Candidate,
    Device,
    Invalid,
    Picture,
    PlateRead,
    Point,
    ReadId,
    Rejected,
    SeenVehicle,
    digest_id,
    normalise_plate,
    state_code,
)
from farolito.model.plate_read import CANDIDATES_MAX
from farolito.model.plates import is_normal

TEXT_CHARACTERS_MAX = 64  # a longer plate text is refused unread
EVENT_CHARACTERS_MAX = 128  # a longer key, or one with control characters, becomes its digest
URL_CHARACTERS_MAX = 2048  # a longer link is left out
LANE_MAX = 99
SPEED_MPS_MAX = 150.0  # 335 mph; what is faster or negative was not measured

# Plates are upper case, so this word in lower case is the device's.
NO_PLATE_WORDS = frozenset({"unknown"})

# Signs that stand on plates or between their groups without being part of the number.
_SIGNS = frozenset("\u00a0\u00b0\u00b7\u2010\u2011\u2012\u2013\u2014\u2019\u2022\u2027\u2212\u30fb")


class Report(msgspec.Struct, kw_only=True):
    """One car in the vendor's words, units already ours. Confidences are 0…1.

    `characters` stand for the characters of `text` as written, or of the plate without signs.
    `candidates` are texts with their confidence, likeliest first. `no_plate_words` are texts that
    the device writes where it read no plate; formats that write plates in lower case have none.
    `telling` names a message that corrects or completes an earlier one of the same car and moment
    ("group" after its frames): it is another read then, not a repeated delivery.
    """

    text: str | None
    no_plate_words: frozenset[str] = NO_PLATE_WORDS
    captured_at: datetime
    event: str
    telling: str = ""
    confidence: float | None = None
    characters: Sequence[float] | None = None
    candidates: Sequence[tuple[str, float | None]] = ()
    state: str | None = None
    state_confidence: float | None = None
    lat: float | None = None
    lon: float | None = None
    movement: Literal["approaching", "receding"] | None = None
    lane: int | None = None
    speed_mps: float | None = None
    vehicle: SeenVehicle | None = None
    pictures: tuple[Picture, ...] = ()
    picture_url: str | None = None
    folded: Literal["O0"] | None = None


def plate_of(text: str | None, no_plate_words: frozenset[str] = NO_PLATE_WORDS) -> str:
    """The plate in `text`, normalised.

    Raises Rejected: `no_plate` (none was read), `masked_plate` (hidden by its sender),
    `partial_plate` (a character the reader could not make out: leaving it out would make another
    car's plate), `not_a_plate`.
    """
    if text and is_normal(text):
        return text
    text = (text or "").strip()
    if not text or text in no_plate_words:
        raise Rejected("no_plate", "a car without a plate that could be read")
    if "*" in text:
        do = "switch the privacy mask off for this destination, or do not send it here"
        raise Rejected("masked_plate", "a plate that its sender has masked", do)
    if "?" in text:
        raise Rejected("partial_plate", "a plate with characters that were not made out")
    if len(text) > TEXT_CHARACTERS_MAX:
        raise Rejected("not_a_plate", f"a plate of {len(text)} characters")
    if any(not _may_stand_on_a_plate(c) for c in text):
        raise Rejected("not_a_plate", "characters that stand on no plate", "send A-Z and 0-9")
    try:
        return normalise_plate(text)
    except Invalid as error:
        raise Rejected("not_a_plate", error.says, error.do) from error


def _may_stand_on_a_plate(c: str) -> bool:
    return (c.isascii() and c.isprintable()) or c in _SIGNS


def confidence_of(value: float | None, what: str) -> float | None:
    """0…1 or None. Raises Rejected `bad_confidence`."""
    if value is not None and not 0 <= value <= 1:
        raise Rejected("bad_confidence", f"a confidence of the {what} outside its scale")
    return value


def point_of(lat: float | None, lon: float | None) -> Point | None:
    """The place; None for 0/0, which is what a device without a position says.

    Raises Rejected `not_on_earth`.
    """
    if lat is None or lon is None or (lat == 0 and lon == 0):
        return None
    try:
        return Point(lat, lon)
    except Invalid as error:
        raise Rejected("not_on_earth", "a position that is not on Earth", error.do) from error


def candidates_of(told: Sequence[tuple[str, float | None]]) -> tuple[Candidate, ...]:
    """The candidates that are plates, at most CANDIDATES_MAX of them, the first ones."""
    made: list[Candidate] = []
    for text, confidence in told[:CANDIDATES_MAX]:
        try:
            sure = confidence_of(confidence, "candidate")
            made.append(Candidate(plate_of(text), sure))
        except Rejected:  # a candidate is a second thought: a bad one takes nothing with it
            continue
    return tuple(made)


def characters_of(text: str, plate: str, told: Sequence[float] | None) -> tuple[float, ...] | None:
    """The confidence of each character of `plate`; None where the numbers do not fit."""
    if told is None or not all(0 <= value <= 1 for value in told):
        return None
    if len(told) == len(text) != len(plate):
        told = [v for v, c in zip(told, text, strict=True) if c.isascii() and c.isalnum()]
    return tuple(told) if len(told) == len(plate) else None


def digest_key(*told: object) -> str:
    """A key for a car whose source gives none: what was told of it, digested, so that no plate
    stands in a key."""
    return blake2b("\x1f".join(map(str, told)).encode(), digest_size=8).hexdigest()


def key_of(event: str) -> str:
    """The source's key of the car, short and printable; its digest where it is not."""
    if len(event) <= EVENT_CHARACTERS_MAX and event.isprintable():
        return event
    return blake2b(event.encode(), digest_size=16).hexdigest()


def _link(url: str | None) -> str | None:
    is_link = url is not None and len(url) <= URL_CHARACTERS_MAX and url.isprintable()
    return url if is_link and url is not None and url.startswith(("https://", "http://")) else None


def plate_read(report: Report, source: str, device: Device, received_at: datetime) -> PlateRead:
    """The read, checked. The id is made of the time as told, so that a repeated delivery is
    recognised even where the clock that told it is not trusted and the arrival stands for it.

    Raises Rejected.
    """
    plate = plate_of(report.text, report.no_plate_words)
    text = (report.text or "").strip()
    if device.clock_trusted:
        moment.believed(report.captured_at, received_at)
    # Cars without a key of their own would otherwise become one car.
    event = key_of(report.event.strip() or digest_key(report.captured_at, plate))
    parts = (event, report.telling) if report.telling else (event,)
    told_ms = min(moment.epoch_ms(report.captured_at), (1 << 48) - 1)
    speed, lane = report.speed_mps, report.lane
    return PlateRead(
        read_id=ReadId(digest_id(told_ms, device.agency, device.device_id, *parts)),
        agency=device.agency,
        reader=device.device_id,
        captured_at=report.captured_at if device.clock_trusted else received_at,
        received_at=received_at,
        text=text,
        plate=plate,
        source=source,
        event=event,
        confidence=confidence_of(report.confidence, "plate"),
        characters=characters_of(text, plate, report.characters),
        candidates=candidates_of(report.candidates),
        state=state_code(report.state),
        state_confidence=confidence_of(report.state_confidence, "state"),
        place=point_of(report.lat, report.lon) or device.place,
        heading_deg=device.heading_deg,
        movement=report.movement,
        lane=lane if lane is not None and 0 <= lane <= LANE_MAX else None,
        speed_mps=speed if speed is not None and 0 <= speed <= SPEED_MPS_MAX else None,
        vehicle=report.vehicle,
        pictures=report.pictures,
        picture_url=_link(report.picture_url),
        folded=report.folded,
    )
