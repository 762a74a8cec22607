"""Reads by the hundred thousand for load and accuracy runs, with the truth of each.

Sums: a batch of 100 costs about 1.3 ms to draw and write (2 cores, Python), so a million reads
take some 15 s on one core and nothing is held but the city (600,000 plates, ~90 MB).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from farolito.model import DeviceId
from farolito.simulator.fleet import COLOURS, MODELS, STATES
from farolito.simulator.hot_list import ListFile, Row, state_file
from farolito.simulator.misread import Reading, candidates, confidence_of, read_text

BATCH = 100
_SERIAL = np.frombuffer(b"ABCDEFGHJKLMNPRSTUVWXYZ", dtype=np.uint8)
_DIGITS = np.frombuffer(b"0123456789", dtype=np.uint8)
_CODES = tuple(s for s, _, _ in STATES)
_PATTERNS: Mapping[str, Sequence[tuple[str, float]]] = {s: p for s, _, p in STATES}
# How sure a reader is of a character it reads rightly: 1 − |N(0, 0.018)|, as in `misread`.
_SURE = tuple(f"{m / 1000:.3f}" for m in range(1001))
_MISREAD, _CERTAIN, _LENGTH, _DOUBTED = 0.05, 0.12, 0.12, 0.05
_STATE_UNREAD, _STATE_WRONG = 0.12, 0.015
_COLOUR_WRONG, _MAKE_UNREAD, _MAKE_WRONG, _KIND_WRONG = 0.09, 0.2, 0.06, 0.03
READS_A_SECOND = 1_000.0  # of the city's own time

Ints = NDArray[np.int64]


class Car(msgspec.Struct, frozen=True):
    """One car or one row's vehicle: `model` is a position in MODELS, `colour` in COLOURS."""

    plate: str
    state: str
    model: int
    colour: int


class BulkTruth(msgspec.Struct, frozen=True):
    """One read's truth, in the order of its batch. `listed`: this very car stands on the list."""

    plate: str
    state: str
    read: str
    reading: Reading
    listed: bool


class Batch(msgspec.Struct, frozen=True):
    body: bytes  # a JSON array of our own format
    truths: tuple[BulkTruth, ...]


class BulkCity:
    """Cars, how often each is out (Zipf–Mandelbrot), and a hot list of which few are here.

    `hot` has `rows` vehicles; the first `listed_here` of them are cars of this city, the rest are
    drawn with the plates of all states: some happen to be from here too, more bear the text of a
    car that is here on another state's plate.
    """

    def __init__(
        self, seed: int, cars: int = 300_000, rows: int = 300_000, listed_here: int = 150
    ) -> None:
        self.seed = seed
        chance = np.random.Generator(np.random.PCG64([seed, 1]))
        shares = np.array([s for _, s, _ in STATES])
        self.cars = _draw_cars(chance, cars, shares)
        # Of a national list one row in six is from here; the other states come with equal shares.
        elsewhere = np.where(np.array(_CODES) == "NM", 0.16, 0.84 / (len(_CODES) - 1))
        here = chance.choice(len(self.cars), listed_here, replace=False).tolist()
        # A plate belongs to one car: a row that names a car of this city means that car.
        known = {(c.plate, c.state): c for c in self.cars}
        filler = _draw_cars(chance, rows - listed_here, elsewhere)
        self.hot = [self.cars[i] for i in here]
        self.hot += [known.get((c.plate, c.state), c) for c in filler]
        on_list = set(self.hot)
        self._is_listed = [c in on_list for c in self.cars]
        ranks = chance.permutation(len(self.cars))
        self._out = np.cumsum(1 / (ranks + 60.0) ** 0.85)
        self._out /= self._out[-1]

    def hot_list(self, at: datetime) -> ListFile:
        """`hot` as the state's list, in force at `at`."""
        entered_at = at - timedelta(days=20)
        rows = []
        for number, car in enumerate(self.hot):
            make, model, kind, _ = MODELS[car.model]
            rows.append(
                Row(
                    plate=car.plate, state=car.state, make=make, model=model, kind=kind,
                    colour=COLOURS[car.colour][0], year=2019, reason="Stolen vehicle",
                    entered_at=entered_at, expires_at=at + timedelta(days=300),
                    case=f"26-{number:06d}",
                )
            )  # fmt: skip
        return state_file(rows)

    def batches(
        self, reads: int, start: datetime, readers: Sequence[DeviceId] = ()
    ) -> Iterator[Batch]:
        """`reads` reads from `start` (with a zone) on, 100 a batch. With `readers` each read names
        one of them, as a gateway's do."""
        chance = np.random.Generator(np.random.PCG64([self.seed, 2]))
        words = random.Random(f"bulk {self.seed}")  # noqa: S311 - practice, no secret
        for first in range(0, reads, BATCH):
            count = min(BATCH, reads - first)
            drawn = _Drawn(chance, count, self._out, max(1, len(readers)))
            lines, truths = [], []
            for i in range(count):
                line, truth = self._read(drawn, i, words)
                at = start + timedelta(seconds=round((first + i) / READS_A_SECOND, 3))
                reader = f',"reader":"{readers[drawn.reader[i]]}"' if readers else ""
                lines.append(
                    f'{{"event":"{self.seed:x}-{first + i:x}","captured_at":"{_stamp(at)}"'
                    f"{reader},{line}}}"
                )
                truths.append(truth)
            yield Batch(f"[{','.join(lines)}]".encode(), tuple(truths))

    def _read(self, drawn: _Drawn, i: int, words: random.Random) -> tuple[str, BulkTruth]:
        number = drawn.car[i]
        car = self.cars[number]
        u = drawn.u[i]
        reading = _reading(u)
        if reading is Reading.RIGHT:
            text = car.plate
            sure = drawn.sure[i][: len(text)]
            characters = ",".join(_SURE[m] for m in sure)
            confidence = _SURE[round(max(50.0, 1000 * float(np.prod(drawn.share[i][: len(text)]))))]
            told = f'"plate":"{text}","confidence":{confidence},"characters":[{characters}]'
        else:
            text, told = _misread(car.plate, reading, words)
        told += _state(car, u[4:7]) + _vehicle(car, u[7:])
        truth = BulkTruth(car.plate, car.state, text, reading, self._is_listed[number])
        return told, truth


class _Drawn:
    """The chance of one batch, drawn at once."""

    def __init__(
        self, chance: np.random.Generator, count: int, out: NDArray[np.float64], readers: int
    ) -> None:
        self.car: list[int] = np.searchsorted(out, chance.random(count)).tolist()
        self.u: list[list[float]] = chance.random((count, 14)).tolist()
        self.share = 1 - np.minimum(0.14, np.abs(chance.normal(0, 0.018, (count, 8))))
        self.sure: list[list[int]] = np.round(self.share * 1000).astype(int).tolist()
        self.reader: list[int] = chance.integers(0, readers, count).tolist()


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _reading(u: Sequence[float]) -> Reading:
    if u[0] >= _MISREAD:
        return Reading.DOUBTED if u[1] < _DOUBTED else Reading.RIGHT
    if u[1] < _LENGTH:
        return Reading.LENGTH
    return Reading.CERTAIN if u[2] < _CERTAIN else Reading.HONEST


def _misread(plate: str, reading: Reading, words: random.Random) -> tuple[str, str]:
    text, characters = read_text(plate, reading, words)
    others = candidates(plate, text, characters, words)
    told = {
        "plate": text,
        "confidence": confidence_of(characters),
        "characters": characters,
        "candidates": [{"plate": p, "confidence": c} for p, c in others],
    }
    return text, msgspec.json.encode(told).decode()[1:-1]


def _state(car: Car, u: Sequence[float]) -> str:
    if u[0] < _STATE_UNREAD:
        return ""
    wrong = u[0] < _STATE_UNREAD + _STATE_WRONG
    state = _CODES[int(u[1] * len(_CODES))] if wrong else car.state
    sure = 300 + 550 * u[2] if wrong else 780 + 210 * u[2]
    return f',"state":"{state}","state_confidence":{_SURE[int(sure)]}'


def _vehicle(car: Car, u: Sequence[float]) -> str:
    make, model, kind, _ = MODELS[car.model]
    colour = COLOURS[car.colour][0]
    if u[0] < _COLOUR_WRONG:
        colour = COLOURS[int(u[1] * 4)][0]
    if u[2] < _KIND_WRONG:
        kind = ("suv", "van", "sedan", "pickup")[int(u[3] * 4)]
    told = f',"colour":"{colour}","kind":"{kind}"'
    if u[4] < _MAKE_UNREAD:
        return told
    if u[4] < _MAKE_UNREAD + _MAKE_WRONG:
        make, model = MODELS[int(u[5] * len(MODELS))][:2]
    return f'{told},"make":"{make}","model":"{model}"'


def _draw_cars(chance: np.random.Generator, count: int, shares: NDArray[np.float64]) -> list[Car]:
    """Different plates within each state, in a shuffled order."""
    states = chance.choice(len(_CODES), count, p=shares / shares.sum())
    models = chance.choice(len(MODELS), count, p=_normal([m[3] for m in MODELS])).tolist()
    colours = chance.choice(len(COLOURS), count, p=_normal([w for _, w in COLOURS])).tolist()
    plates: list[tuple[str, str]] = []
    for i, code in enumerate(_CODES):
        plates += [(p, code) for p in _plates(chance, code, int((states == i).sum()))]
    order = chance.permutation(count).tolist()
    return [
        Car(plates[n][0], plates[n][1], model, colour)
        for n, model, colour in zip(order, models, colours, strict=True)
    ]


def _normal(weights: Sequence[float]) -> NDArray[np.float64]:
    total = sum(weights)
    return np.array([w / total for w in weights], dtype=np.float64)


def _plates(chance: np.random.Generator, state: str, count: int) -> list[str]:
    patterns = _PATTERNS[state]
    found: dict[str, None] = {}
    while len(found) < count:
        kinds = chance.choice(len(patterns), count, p=_normal([w for _, w in patterns]))
        for k, (pattern, _) in enumerate(patterns):
            found |= dict.fromkeys(_serials(chance, pattern, int((kinds == k).sum())))
    return list(found)[:count]


def _serials(chance: np.random.Generator, pattern: str, count: int) -> list[str]:
    columns = [
        (_SERIAL if c == "A" else _DIGITS)[
            chance.integers(0, len(_SERIAL) if c == "A" else 10, count)
        ]
        for c in pattern
    ]
    if count == 0:
        return []
    letters = np.ascontiguousarray(np.stack(columns, axis=1))
    return [text.decode() for text in letters.view(f"S{len(pattern)}").ravel().tolist()]


def bulk(
    seed: int, reads: int, start: datetime, readers: Sequence[DeviceId] = ()
) -> Iterator[bytes]:
    """Bodies of 100 reads in our own format, for load alone: a small city, no list."""
    city = BulkCity(seed, cars=50_000, rows=200, listed_here=20)
    for batch in city.batches(reads, start, readers):
        yield batch.body
