"""What a reader says of a passing car, and how it errs.

The shares of each confusion follow what two reading engines left over on 222 photographs of
American plates: 0 and O first, then length (a sticker read as a character), W and M, and single
others. The matcher has its own table, from other sources: a test that shares its model proves
nothing.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b

import msgspec

from farolito.simulator.fleet import COLOURS, MODELS, STATES
from farolito.simulator.readers import Reader
from farolito.simulator.traffic import Passage

# Read character for the true one, with its share.
CONFUSIONS: Mapping[str, tuple[tuple[str, float], ...]] = {
    "0": (("O", 8), ("D", 3), ("Q", 3)), "O": (("0", 6), ("Q", 2), ("D", 2)),
    "D": (("0", 3), ("O", 4)), "Q": (("O", 4), ("0", 3)),
    "1": (("I", 4), ("L", 1), ("7", 1)), "I": (("1", 5), ("T", 1)), "L": (("1", 1), ("I", 1)),
    "8": (("B", 4), ("3", 2), ("6", 1)), "B": (("8", 4), ("3", 1)), "3": (("8", 2), ("7", 1)),
    "5": (("S", 3), ("6", 1), ("B", 1)), "S": (("5", 3), ("8", 1)),
    "6": (("G", 2), ("5", 1), ("8", 1)), "G": (("6", 2), ("C", 2)),
    "2": (("Z", 3), ("7", 3)), "Z": (("2", 3), ("7", 2)), "7": (("2", 2), ("Z", 2), ("1", 1)),
    "4": (("A", 1), ("L", 0.5)), "A": (("4", 1),), "U": (("V", 2), ("J", 2), ("0", 1)),
    "V": (("U", 2), ("Y", 2)), "Y": (("V", 2), ("T", 1)), "M": (("N", 2), ("W", 2), ("H", 1)),
    "W": (("M", 4), ("N", 1)), "N": (("M", 1), ("H", 1)), "H": (("N", 1), ("M", 1)),
    "C": (("G", 2), ("O", 1)), "F": (("P", 2), ("E", 1)), "P": (("F", 2), ("R", 1)),
    "E": (("F", 1),), "9": (("4", 0.5), ("0", 1)), "X": (("K", 1),), "K": (("X", 1),),
    "J": (("U", 2),), "R": (("P", 1), ("K", 1)), "T": (("I", 1), ("Y", 1)),
}  # fmt: skip
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LENGTH_SHARE = 0.12  # of misreads: a sticker read as a character, or one missing
_TWICE_SHARE = 0.08  # of misreads: two characters wrong
_DOUBT_SHARE = 0.05  # of right reads: one character honestly doubted
_COLOUR_LIKE = {
    "white": "silver", "silver": "gray", "gray": "silver", "black": "gray", "blue": "black",
    "red": "brown", "brown": "black", "green": "gray", "gold": "brown", "orange": "red",
    "yellow": "gold",
}  # fmt: skip
_KIND_LIKE = {"suv": "van", "van": "suv", "sedan": "suv", "pickup": "truck", "truck": "pickup"}


class Reading(StrEnum):
    """How the text came out, for the scoring."""

    RIGHT = "right"
    DOUBTED = "doubted"  # right, with one character honestly unsure
    HONEST = "honest"  # wrong, and unsure of it
    CERTAIN = "certain"  # wrong, and sure of it
    LENGTH = "length"  # a character too many or too few


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One reader's report of one passage, before any vendor's format.

    `at` is the reader's own clock; None attributes were not read. `characters` has one confidence
    a character of `text`. `event` is 32 hex digits: the source's own key of this car.
    """

    passage: Passage
    event: str
    at: datetime
    text: str
    confidence: float
    characters: tuple[float, ...]
    candidates: tuple[tuple[str, float], ...]
    reading: Reading
    state: str | None
    state_confidence: float | None
    make: str | None = None
    model: str | None = None
    make_confidence: float = 0.0
    colour: str | None = None
    colour_confidence: float = 0.0
    kind: str | None = None
    year: str | None = None
    again: bool = False  # the source will send it twice


class Scripted(msgspec.Struct, frozen=True):
    """A reading that the drill's script wants: `text` None lets chance choose what is misread."""

    reading: Reading
    text: str | None = None


def event_key(seed: int, passage: Passage) -> str:
    told = f"{seed}\x1f{passage.reader}\x1f{passage.vehicle.number}\x1f{passage.at.isoformat()}"
    return blake2b(told.encode(), digest_size=16).hexdigest()


def report(
    seed: int, reader: Reader, passage: Passage, wanted: Scripted | None = None
) -> Report | None:
    """What the reader says; None where it saw nothing. `wanted` makes it a scripted one."""
    event = event_key(seed, passage)
    chance = random.Random(event)  # noqa: S311 - practice, no secret
    quality = reader.quality
    if chance.random() < quality.blind and wanted is None:
        return None
    reading = wanted.reading if wanted else _reading(reader, chance)
    forced = wanted.text if wanted else None
    text, characters = read_text(passage.vehicle.plate, reading, chance, forced)
    state, state_confidence = _state(passage, reader, chance, surely=wanted is not None)
    told = Report(
        passage=passage,
        event=event,
        at=passage.at + timedelta(milliseconds=round(quality.clock_s * 1000)),
        text=text,
        confidence=confidence_of(characters),
        characters=characters,
        candidates=candidates(passage.vehicle.plate, text, characters, None if forced else chance),
        reading=reading,
        state=state,
        state_confidence=state_confidence,
        again=chance.random() < quality.again,
    )
    if not quality.attributes:
        return told
    return _with_attributes(told, reader, chance, surely=wanted is not None)


def _reading(reader: Reader, chance: random.Random) -> Reading:
    if chance.random() >= reader.quality.misread:
        return Reading.DOUBTED if chance.random() < _DOUBT_SHARE else Reading.RIGHT
    if chance.random() < _LENGTH_SHARE:
        return Reading.LENGTH
    return Reading.CERTAIN if chance.random() < reader.quality.certain else Reading.HONEST


def read_text(
    plate: str, reading: Reading, chance: random.Random, forced: str | None = None
) -> tuple[str, tuple[float, ...]]:
    """The text and each character's confidence, 0…1 to three digits.

    `forced` is what the reader shall say, of the plate's own length.
    """
    text = list(plate)
    sure = [round(1 - min(0.14, abs(chance.gauss(0, 0.018))), 3) for _ in text]
    if reading is Reading.LENGTH:
        _change_length(text, sure, chance)
    elif reading in (Reading.HONEST, Reading.CERTAIN):
        wrong = [i for i, c in enumerate(forced or plate) if c != plate[i]]
        for i in wrong or _places(plate, chance):
            text[i] = forced[i] if forced else confused(plate[i], chance)
            honest = chance.uniform(0.42, 0.82)
            sure[i] = round(honest if reading is Reading.HONEST else chance.uniform(0.95, 0.998), 3)
    elif reading is Reading.DOUBTED:
        sure[_places(plate, chance)[0]] = round(chance.uniform(0.5, 0.8), 3)
    return "".join(text), tuple(sure)


def _places(plate: str, chance: random.Random) -> list[int]:
    """Which characters go wrong: those that look like others, most likely."""
    weights = [sum(w for _, w in CONFUSIONS.get(c, ())) + 0.3 for c in plate]
    first = chance.choices(range(len(plate)), weights)[0]
    if chance.random() >= _TWICE_SHARE:
        return [first]
    return sorted({first, chance.choices(range(len(plate)), weights)[0]})


def confused(true: str, chance: random.Random) -> str:
    likes = CONFUSIONS.get(true)
    if not likes or chance.random() < 0.05:
        return chance.choice([c for c in _ALPHABET if c != true])
    return chance.choices([c for c, _ in likes], [w for _, w in likes])[0]


def _change_length(text: list[str], sure: list[float], chance: random.Random) -> None:
    if chance.random() < 0.55 and len(text) < 8:
        at = chance.choice((0, 3, len(text)))
        text.insert(at, chance.choice("I1J0"))
        sure.insert(at, round(chance.uniform(0.4, 0.9), 3))
    else:
        at = chance.choice((0, len(text) - 1))
        del text[at], sure[at]


def confidence_of(characters: tuple[float, ...]) -> float:
    return round(max(0.05, math.prod(characters)), 4)


def candidates(
    plate: str, text: str, characters: tuple[float, ...], chance: random.Random | None
) -> tuple[tuple[str, float], ...]:
    """The read text first, then what its unsure characters could also be, likeliest first.

    Where the reader was unsure of a character it got wrong, the true one is nearly always there;
    without `chance` it always is.
    """
    found = {text: confidence_of(characters)}
    for i, sure in enumerate(characters):
        if sure > 0.9:
            continue
        others = [c for c, _ in CONFUSIONS.get(text[i], ())]
        is_wrong = len(plate) == len(text) and plate[i] != text[i]
        if is_wrong and (chance is None or chance.random() < 0.92):
            others = [plate[i], *(c for c in others if c != plate[i])]
        left = 1 - sure
        for other in others[:3]:
            left *= 0.62
            alternative = text[:i] + other + text[i + 1 :]
            share = confidence_of((*characters[:i], max(0.02, left), *characters[i + 1 :]))
            found.setdefault(alternative, share)
    return tuple(sorted(found.items(), key=lambda c: -c[1])[:6])


def _state(
    passage: Passage, reader: Reader, chance: random.Random, *, surely: bool
) -> tuple[str | None, float | None]:
    true = passage.vehicle.state
    draw, sure, other = chance.random(), chance.uniform(0.78, 0.99), chance.choice(STATES)[0]
    if surely:
        return true, round(sure, 3)
    if draw < reader.quality.state_unread:
        return None, None
    if draw < reader.quality.state_unread + reader.quality.state_wrong:
        return other, round(chance.uniform(0.3, 0.85), 3)
    return true, round(sure, 3)


def _with_attributes(
    told: Report, reader: Reader, chance: random.Random, *, surely: bool
) -> Report:
    car, quality = told.passage.vehicle, reader.quality
    draws = [1.0 if surely else chance.random() for _ in range(4)]
    make, model = car.make, car.model
    if draws[0] < quality.make_wrong:
        make, model = chance.choice(MODELS)[:2]
    unread = draws[1] < quality.make_unread
    first = car.year // 5 * 5
    return msgspec.structs.replace(
        told,
        make=None if unread else make,
        model=None if unread else model,
        make_confidence=round(chance.uniform(0.55, 0.97), 3),
        colour=_COLOUR_LIKE[car.colour] if draws[2] < quality.colour_wrong else car.colour,
        colour_confidence=round(chance.uniform(0.6, 0.98), 3),
        kind=_KIND_LIKE.get(car.kind, car.kind) if draws[3] < quality.kind_wrong else car.kind,
        year=f"{first}-{first + 4}",
    )


assert {c for c, _ in COLOURS} == set(_COLOUR_LIKE)
