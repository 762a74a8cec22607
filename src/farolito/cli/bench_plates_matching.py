"""The matching half of `farolito bench plates`: speed beside rapidfuzz, and false and missed alerts
beside "exact text, state ignored" and "edit distance at most 1", on a seeded made-up metro.

What is assumed, and why it is no flattery:
  - 400,000 residents are read about eleven times each in the 4.8 million reads kept; one read in
    eight is of a plate not read before. 300,000 rows are spread over 14 issuers, 8 % the home
    state's. Plates are drawn from each issuer's shapes, within a part of its first letters (plates
    are issued in series, so chance hits are several times commoner than over even strings).
  - Readers vote over frames: 96 % of readable plates are read exactly. Single stills reach 86.5 %
    on a bench of photographs; `Reader.still`, at 89 %, is that harsher world, run on the side.
  - The misreads are drawn from a table of their own: the seed's pairs with weights shaken, and one
    error in five falls anywhere. The judge does not know it. One error in seven is reported with
    full confidence, as right characters are.
  - Of the readers 55 % send character confidences, 65 % candidates, 10 % neither: a car of
    theirs that is misread can never be found, by rule.
  - States: 90 % read, 2.5 % of these wrong; make, colour and kind are told for four cars in five,
    and wrong in 5, 12 and 5 % of cases, mostly mixed up with what is alike.
A read of a listed car is missed where its own row does not reach the operator as a lead or a
possible one. A false alert is a read for which a row of another car does. Repeats are not joined.
"""

from __future__ import annotations

import random
import time
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any
from uuid import UUID

import msgspec
import numpy as np

from farolito.model import (
    AgencyId,
    Candidate,
    DeviceId,
    EntryId,
    HotList,
    HotListEntry,
    ListedVehicle,
    ListId,
    Match,
    PlateRead,
    ReadId,
    Seen,
    SeenVehicle,
    Standing,
)
from farolito.model.plates import ALPHABET
from farolito.plates import SEED, Fleet, Index, Traffic, judge, shape, strings_that_matter
from farolito.plates.vehicle import COLOURS_ALIKE, KINDS_ALIKE, MAKES_ALIKE

ROWS = 300_000
RESIDENTS = 400_000
HISTORY_READS_EACH = 12  # reads kept, by the number of residents
NEWCOMERS = 0.12  # of reads
LISTED_PASSES = 0.002  # of reads
ACTIVE_ROWS = 4_000  # rows whose car is in reach
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
_HOME = "NM"
# State: share of residents and passing traffic, share of the list, shapes (letter first or digit).
_STATES: dict[str, tuple[float, float, tuple[str, ...]]] = {
    "NM": (0.82, 0.08, ("LLLDDD", "DDDLLL")),
    "TX": (0.05, 0.16, ("LLLDDDD",)),
    "AZ": (0.035, 0.06, ("LLLDDDD", "LDLDDLL")),
    "CO": (0.03, 0.06, ("LLLDDD", "LLLLDD")),
    "CA": (0.02, 0.17, ("DLLLDDD",)),
    "OK": (0.01, 0.04, ("LLLDDD",)),
    "UT": (0.008, 0.03, ("LDDLL", "LDDDLL")),
    "NV": (0.006, 0.04, ("DDLDDD", "DDDLDD")),
    "KS": (0.004, 0.03, ("DDDLLL",)),
    "FL": (0.004, 0.09, ("LLLLDD", "LLLDD")),
    "GA": (0.003, 0.07, ("LLLDDDD",)),
    "IL": (0.004, 0.06, ("LLDDDDD",)),
    "LA": (0.003, 0.05, ("DDDLLL",)),
    "WA": (0.003, 0.06, ("LLLDDDD",)),
}
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"  # I, O and Q are issued by few
_COLOURS = ("white", "black", "grey", "silver", "blue", "red", "brown", "green", "beige", "orange")
_COLOUR_WEIGHTS = (25, 20, 18, 13, 10, 8, 2, 2, 1, 1)
_MAKES = (
    "ford", "toyota", "chevrolet", "honda", "nissan", "jeep", "hyundai", "kia", "gmc", "dodge",
    "ram", "subaru", "volkswagen", "mazda", "bmw", "mercedes", "lexus", "buick", "tesla", "volvo",
)  # fmt: skip
_MAKE_WEIGHTS = (13, 14, 13, 10, 7, 5, 5, 5, 4, 4, 4, 3, 2, 2, 2, 2, 2, 1, 1, 1)
_KINDS = ("suv", "sedan", "pickup", "van", "truck", "hatchback", "coupe", "motorcycle")
_KIND_WEIGHTS = (40, 26, 18, 5, 4, 3, 2, 2)


class Car(msgspec.Struct, frozen=True):
    plate: str
    state: str
    make: str
    colour: str
    kind: str


class Reader(msgspec.Struct, frozen=True):
    """How a metro's readers read: classes of picture as (share, error a character, readable)."""

    classes: tuple[tuple[float, float, bool], ...]
    wrong_length: float

    @classmethod
    def voting(cls) -> Reader:
        return cls(
            ((0.88, 0.0015, True), (0.10, 0.03, True), (0.015, 0.10, True), (0.005, 0.35, False)),
            0.006,
        )

    @classmethod
    def still(cls) -> Reader:
        return cls(
            ((0.70, 0.003, True), (0.24, 0.035, True), (0.05, 0.10, True), (0.01, 0.35, False)),
            0.03,
        )


class Glimpse(msgspec.Struct, frozen=True):
    """A simulated read with its truth; what a `PlateRead` needs beyond it is drawn on a hit."""

    car: Car
    plate: str
    confidence: float
    characters: tuple[float, ...] | None
    candidates: tuple[Candidate, ...]
    readable: bool


class Metro:
    """The residents, the rows, and what is remembered of earlier reads. Same seed, same metro."""

    def __init__(self, seed: int, rows: int = ROWS, residents: int = RESIDENTS) -> None:
        self.chance = random.Random(seed)
        self.prefixes = {state: self.chance.sample(_LETTERS, 10) for state in _STATES}
        self.looks = list(
            zip(
                self.chance.choices(_MAKES, _MAKE_WEIGHTS, k=8192),
                self.chance.choices(_COLOURS, _COLOUR_WEIGHTS, k=8192),
                self.chance.choices(_KINDS, _KIND_WEIGHTS, k=8192),
                strict=True,
            )
        )
        self.history_reads = residents * HISTORY_READS_EACH
        names = list(_STATES)
        traffic = [_STATES[s][0] for s in names]
        taken: set[tuple[str, str]] = set()
        self.residents = [
            self._car(s, taken) for s in self.chance.choices(names, traffic, k=residents)
        ]
        generator = np.random.default_rng(seed)
        rates = generator.lognormal(0, 1, residents)
        kept = generator.poisson(rates / rates.sum() * self.history_reads * (1 - NEWCOMERS))
        self.cumulative_rates = np.cumsum(rates / rates.sum())
        self.kept: dict[str, dict[str, int]] = {}
        for car, n in zip(self.residents, kept.tolist(), strict=True):
            if n:
                self.kept.setdefault(car.plate, {})[car.state] = n
        self.listed = [
            self._car(s, taken)
            for s in self.chance.choices(names, [_STATES[s][1] for s in names], k=rows)
        ]
        self._choose_active()
        self.hot_list = HotList(
            list_id=ListId("wanted"),
            agency=AgencyId("metro"),
            name="wanted",
            stale_after=timedelta(hours=24),
            dead_after=timedelta(hours=48),
            imported_at=NOW,
        )
        self.entries = [self._row(i, car) for i, car in enumerate(self.listed)]
        self.fleet = Fleet.counted(
            (state, shape(plate), n) for plate, by in self.kept.items() for state, n in by.items()
        )
        self.confusion = _shaken_confusion(self.chance)

    def _car(self, state: str, taken: set[tuple[str, str]]) -> Car:
        chance = self.chance
        while True:
            form = chance.choice(_STATES[state][2])
            letters = [chance.choice(_LETTERS if c == "L" else "0123456789") for c in form]
            letters[form.index("L")] = chance.choice(self.prefixes[state])
            plate = "".join(letters)
            if (plate, state) not in taken:
                taken.add((plate, state))
                return Car(plate, state, *chance.choice(self.looks))

    def _choose_active(self) -> None:
        """Cars of the list that are in reach: seven in ten from home; half were read before."""
        home = [car for car in self.listed if car.state == _HOME]
        away = [car for car in self.listed if car.state != _HOME]
        from_home = min(len(home), ACTIVE_ROWS * 7 // 10)
        self.active = self.chance.sample(home, from_home)
        self.active += self.chance.sample(away, min(len(away), ACTIVE_ROWS - from_home))
        for car in self.active:
            if self.chance.random() < 0.5:
                self.kept.setdefault(car.plate, {})[car.state] = self.chance.randint(1, 12)

    def _row(self, number: int, car: Car) -> HotListEntry:
        told = self.chance.random
        vehicle = None
        if told() < 0.85:
            vehicle = ListedVehicle(
                make=car.make if told() < 0.95 else None,
                colour=car.colour if told() < 0.85 else None,
                kind=car.kind if told() < 0.8 else None,
            )
        return HotListEntry(
            entry_id=EntryId(UUID(int=number)),
            list_id=self.hot_list.list_id,
            agency=self.hot_list.agency,
            plate=car.plate,
            state=car.state,
            reason="stolen vehicle",
            category="stolen_vehicle",
            source_agency="NM0000000",
            entered_at=NOW - timedelta(days=3),
            expires_at=None,
            confirm_with="terminal",
            vehicle=vehicle,
        )

    def traffic(self, read: PlateRead, entry: HotListEntry) -> Traffic:
        """What the records would count: true passes, and misreads of the two texts' neighbours."""
        seen: dict[str, int] = {}
        states: dict[str, dict[str, int]] = {}
        for plate in strings_that_matter(read, entry):
            by_state = dict(self.kept.get(plate, {}))
            if plate in (read.plate, entry.plate):
                for state, n in self._misread_as(plate).items():
                    by_state[state] = by_state.get(state, 0) + n
            if by_state:
                seen[plate] = sum(by_state.values())
                states[plate] = by_state
        return Traffic(seen, self.history_reads, states, self.fleet)

    def _misread_as(self, plate: str) -> dict[str, int]:
        chance = random.Random(plate)
        found: dict[str, int] = {}
        for j, c in enumerate(plate):
            for true in ALPHABET:
                neighbour = self.kept.get(plate[:j] + true + plate[j + 1 :])
                if true != c and neighbour:
                    share = self.confusion[true].get(c, 0.0)
                    for state, n in neighbour.items():
                        times = sum(chance.random() < 0.006 * share for _ in range(n))
                        if times:
                            found[state] = found.get(state, 0) + times
        return found


def _shaken_confusion(chance: random.Random) -> dict[str, dict[str, float]]:
    """True character → what it is misread as: the seed's shares, shaken, and 20 % even."""
    table: dict[str, dict[str, float]] = {}
    for true in ALPHABET:
        shaken = {
            read: SEED.reads_as(true, read) * chance.lognormvariate(0, 0.6)
            for read in ALPHABET
            if read != true
        }
        total = sum(shaken.values())
        table[true] = {r: 0.8 * p / total + 0.2 / 35 for r, p in shaken.items()}
    return table


class _Pen:
    """Writes down what a reader would report of a car: text, confidences, candidates."""

    def __init__(self, metro: Metro, reader: Reader, seed: int) -> None:
        self.metro, self.reader = metro, reader
        self.chance = random.Random(seed)
        self.class_sums = list(accumulate(c[0] for c in reader.classes))
        generator = np.random.default_rng(seed)
        # Confidences of rightly read characters: clear pictures, poor ones, bad ones.
        self.right = tuple(
            [tuple(row) for row in np.round(pool, 3).tolist()]
            for pool in (
                1 - generator.beta(0.5, 100, (8192, 8)),
                1 - generator.beta(1, 20, (8192, 8)),
                generator.beta(9, 1.2, (8192, 8)),
                generator.beta(3, 3, (8192, 8)),
            )
        )

    def glimpse(self, car: Car) -> Glimpse:
        chance = self.chance
        at = bisect(self.class_sums, chance.random())
        quality = min(at, len(self.class_sums) - 1)
        _, error, readable = self.reader.classes[quality]
        true = car.plate
        characters = self.right[quality][chance.randrange(8192)][: len(true)]
        text, false_certain = true, False
        if chance.random() < 1 - (1 - error) ** len(true):
            text, characters, false_certain = self._misread(true, characters, error)
        if chance.random() < self.reader.wrong_length:
            text, characters = self._wrong_length(text, characters)
        confidence = 1.0
        for c in characters:
            confidence *= c
        sends = chance.random()
        candidates: tuple[Candidate, ...] = ()
        if sends < 0.65:
            candidates = self._candidates(true, text, confidence, quality, false_certain)
        return Glimpse(
            car,
            text,
            confidence,
            characters if sends < 0.3 or 0.65 <= sends < 0.9 else None,
            candidates,
            readable,
        )

    def _misread(
        self, true: str, right: tuple[float, ...], error: float
    ) -> tuple[str, tuple[float, ...], bool]:
        chance = self.chance
        wrong = [j for j in range(len(true)) if chance.random() < error]
        if not wrong:
            wrong = [chance.randrange(len(true))]
        text, told = list(true), list(right)
        false_certain = chance.random() < 1 / 7
        for j in wrong:
            table = self.metro.confusion[true[j]]
            text[j] = chance.choices(list(table), list(table.values()))[0]
            clear = self.right[0][chance.randrange(8192)][0]
            told[j] = clear if false_certain else round(chance.betavariate(5, 4), 3)
        return "".join(text), tuple(told), false_certain

    def _wrong_length(
        self, text: str, characters: tuple[float, ...]
    ) -> tuple[str, tuple[float, ...]]:
        """A sticker read as a character (six in ten), or a character lost."""
        chance = self.chance
        j = chance.randrange(len(text))
        if chance.random() < 0.6 and len(text) < 8:
            doubt = round(chance.betavariate(4, 4), 3)
            added = chance.choice("1IL0OT8")
            return text[:j] + added + text[j:], (*characters[:j], doubt, *characters[j:])
        return text[:j] + text[j + 1 :], characters[:j] + characters[j + 1 :]

    def _candidates(
        self, true: str, text: str, confidence: float, quality: int, false_certain: bool
    ) -> tuple[Candidate, ...]:
        chance = self.chance
        scored: dict[str, float] = {}
        if text != true and chance.random() < (0.3 if false_certain else 0.8):
            scored[true] = chance.uniform(0.5, 0.8) if false_certain else chance.uniform(0.75, 1)
        for _ in range(3 if quality else 1):
            j = chance.randrange(len(text))
            table = self.metro.confusion[text[j]]
            other = text[:j] + chance.choices(list(table), list(table.values()))[0] + text[j + 1 :]
            low, high = (0.65, 0.95) if quality else (0.35, 0.75)
            scored.setdefault(other, chance.uniform(low, high))
        return tuple(Candidate(plate, confidence * ratio) for plate, ratio in scored.items())

    def attributes(self, glimpse: Glimpse, number: int) -> PlateRead:
        """The whole read, with the state and the car as this reader saw them."""
        car = glimpse.car
        state, state_confidence = self._state(car)
        return PlateRead(
            read_id=ReadId(UUID(int=number)),
            agency=self.metro.hot_list.agency,
            reader=DeviceId("reader"),
            captured_at=NOW,
            received_at=NOW,
            text=glimpse.plate,
            plate=glimpse.plate,
            source="bench",
            event=str(number),
            confidence=glimpse.confidence,
            characters=glimpse.characters,
            candidates=glimpse.candidates,
            state=state,
            state_confidence=state_confidence,
            vehicle=self._vehicle(car),
        )

    def _state(self, car: Car) -> tuple[str | None, float | None]:
        chance = self.chance
        if chance.random() >= 0.9:
            return None, None
        if chance.random() >= 0.025:
            return car.state, chance.betavariate(20, 1.2)
        other = chance.choice([s for s in _STATES if s != car.state])
        certain = chance.random() < 0.08
        return other, chance.betavariate(20, 1.2) if certain else chance.betavariate(5, 3.5)

    def _vehicle(self, car: Car) -> SeenVehicle | None:
        if self.chance.random() >= 0.8:
            return None
        return SeenVehicle(
            make=self._sight(car.make, _MAKES, MAKES_ALIKE, (0.05, 0.3)),
            colour=self._sight(car.colour, _COLOURS, COLOURS_ALIKE, (0.12, 0.75)),
            kind=self._sight(car.kind, _KINDS, KINDS_ALIKE, (0.05, 0.8)),
        )

    def _sight(
        self,
        true: str,
        names: Sequence[str],
        alike: Sequence[frozenset[str]],
        errors: tuple[float, float],
    ) -> Seen | None:
        """`errors`: how often wrong, and how much of that falls on something alike."""
        chance = self.chance
        if chance.random() >= 0.9:
            return None
        if chance.random() >= errors[0]:
            return Seen(true, chance.betavariate(18, 1.5))
        near = sorted({n for group in alike if true in group for n in group if n in names} - {true})
        if near and chance.random() < errors[1]:
            other = chance.choice(near)
        else:
            other = chance.choice([n for n in names if n != true])
        certain = chance.random() < 0.05
        return Seen(other, chance.betavariate(18, 1.5) if certain else chance.betavariate(6, 4))


def stream(metro: Metro, pen: _Pen, reads: int, seed: int) -> Iterator[Glimpse]:
    """Residents by their habits, newcomers by the roads, listed cars now and then."""
    chance = random.Random(seed)
    generator = np.random.default_rng(seed)
    names = list(_STATES)
    shares = [_STATES[s][0] ** 0.7 for s in names]  # newcomers come from farther than residents
    listed_plates = {(car.plate, car.state) for car in metro.listed}
    taken: set[tuple[str, str]] = listed_plates
    done = 0
    while done < reads:
        batch = min(50_000, reads - done)
        places = np.searchsorted(metro.cumulative_rates, generator.random(batch)).tolist()
        for place, draw in zip(places, generator.random(batch).tolist(), strict=True):
            if draw < LISTED_PASSES:
                yield pen.glimpse(chance.choice(metro.active))
            elif draw < LISTED_PASSES + NEWCOMERS:
                yield pen.glimpse(metro._car(chance.choices(names, shares)[0], taken))
            else:
                yield pen.glimpse(metro.residents[min(place, len(metro.residents) - 1)])
        done += batch


class Tally(msgspec.Struct):
    """Counts of one stream."""

    reads: int = 0
    listed: int = 0
    readable: int = 0
    exact: int = 0
    missed: int = 0
    false: int = 0
    false_exact: int = 0
    leads_false: int = 0
    judged: int = 0
    reasons: dict[str, int] = {}


def run_stream(
    metro: Metro, index: Index, pen: _Pen, glimpses: Iterable[Glimpse], exact: dict[str, set[str]]
) -> Tally:
    """Matches the reads and scores them against the truth."""
    tally = Tally()
    active = {(car.plate, car.state) for car in metro.active}
    for number, seen in enumerate(glimpses):
        tally.reads += 1
        rows = index.probe(seen.plate, seen.confidence, seen.characters, seen.candidates, None)
        car = seen.car
        states = exact.get(seen.plate)
        if states and (seen.plate != car.plate or states != {car.state}):
            tally.false_exact += 1
        is_listed = (car.plate, car.state) in active
        matches: list[Match] = []
        if rows:
            read = pen.attributes(seen, number)
            matches = [
                judge(read, row, metro.hot_list, metro.traffic(read, row), NOW) for row in rows
            ]
            tally.judged += len(rows)
        _score(tally, seen, matches, is_listed)
    return tally


def _score(tally: Tally, seen: Glimpse, matches: Sequence[Match], is_listed: bool) -> None:
    car = seen.car

    def is_true(match: Match) -> bool:
        return match.entry.plate == car.plate and match.entry.state == car.state

    queued = [m for m in matches if m.standing is not Standing.STOPPED]
    wrong = [m for m in queued if not is_true(m)]
    if wrong:
        tally.false += 1
        tally.leads_false += any(m.standing is Standing.LEAD for m in wrong)
        kind = "exact" if not wrong[0].differing else "differs"
        same = "misread" if seen.plate != car.plate else "right"
        state = "state unread" if wrong[0].read.state is None else "state read"
        key = f"false: {kind} {same} {state}"
        tally.reasons[key] = tally.reasons.get(key, 0) + 1
    if not is_listed:
        return
    tally.listed += 1
    if not seen.readable:
        return
    tally.readable += 1
    tally.exact += seen.plate == car.plate
    if not any(is_true(m) for m in queued):
        tally.missed += 1
        judged = [m for m in matches if is_true(m)]
        sends = ("c" if seen.characters else "-") + ("k" if seen.candidates else "-")
        why = "+".join(c.name.value for c in judged[0].stopped_by) if judged else "not found"
        key = f"missed: {why} {'exact' if seen.plate == car.plate else 'misread'} {sends}"
        tally.reasons[key] = tally.reasons.get(key, 0) + 1


def run(quick: bool, seed: int, progress: Callable[[float], None]) -> dict[str, Any]:
    """`figures`, `baselines` and `ratios` as BENCHES names them; `reads` says on how many.

    `progress` is told the part done, 0…1. Quick runs 150,000 reads in a metro of a
    quarter of the residents, else 1,000,000; the list has 300,000 rows either way.
    """
    reads, passes, stills = (150_000, 5_000, 0) if quick else (1_000_000, 20_000, 200_000)
    metro = Metro(seed, residents=RESIDENTS // 4 if quick else RESIDENTS)
    progress(0.2)
    began = time.perf_counter()
    index = Index.build(metro.entries, {metro.hot_list.list_id: metro.hot_list})
    build_s = time.perf_counter() - began
    exact: dict[str, set[str]] = {}
    for entry in metro.entries:
        exact.setdefault(entry.plate, set()).add(entry.state or "")
    pen = _Pen(metro, Reader.voting(), seed + 1)
    speeds = _speeds(metro, index, pen, 40_000 if quick else 200_000, 40 if quick else 200)
    progress(0.4)
    tally = run_stream(metro, index, pen, stream(metro, pen, reads, seed + 2), exact)
    progress(0.75)
    # The stream has few listed cars; more of the same make the missed share worth printing.
    more = run_stream(metro, index, pen, _passes(metro, pen, passes, seed + 3), exact)
    progress(0.85)
    edit1 = _edit1_false(metro, pen, 4_000 if quick else 20_000, seed + 4, exact)
    progress(0.95)
    still = None
    if stills:
        harsher = _Pen(metro, Reader.still(), seed + 5)
        still = run_stream(metro, index, harsher, _passes(metro, harsher, 10_000, seed + 6), exact)
    progress(1.0)
    return _document(tally, more, still, speeds, (build_s, edit1))


def _passes(metro: Metro, pen: _Pen, count: int, seed: int) -> Iterator[Glimpse]:
    chance = random.Random(seed)
    return (pen.glimpse(chance.choice(metro.active)) for _ in range(count))


def _document(
    tally: Tally,
    more: Tally,
    still: Tally | None,
    speeds: tuple[float, float],
    timed: tuple[float, float],
) -> dict[str, Any]:
    ours_us, rapidfuzz_us = speeds
    build_s, edit1 = timed
    per_million = 1e6 / tally.reads
    false = tally.false * per_million
    false_exact = tally.false_exact * per_million
    readable = tally.readable + more.readable
    return {
        "figures": {
            "match_us_per_read": ours_us,
            "operator_false_alerts_per_million": false,
            "missed_alerts_percent": 100 * (tally.missed + more.missed) / readable,
            "missed_alerts_single_stills_percent": still
            and 100 * still.missed / max(still.readable, 1),
            "read_exactly_percent": 100 * (tally.exact + more.exact) / readable,
            "false_leads_per_million": tally.leads_false * per_million,
            "index_build_s": build_s,
            "reads": tally.reads,
            "listed_passes": readable,
        },
        "baselines": [
            {"what": "rapidfuzz scan, one edit", "figures": {"match_us_per_read": rapidfuzz_us}},
            {
                "what": "exact text, state ignored",
                "figures": {"operator_false_alerts_per_million": false_exact},
            },
            {
                "what": "edit distance at most 1",
                "figures": {"operator_false_alerts_per_million": edit1},
            },
        ],
        # Ours ÷ baseline. No false alert at all is counted as one, so that a small run is no boast.
        "ratios": {
            "match_vs_rapidfuzz": ours_us / rapidfuzz_us,
            "false_alerts_vs_exact": max(false, per_million) / false_exact if false_exact else None,
            "false_alerts_vs_edit1": max(false, per_million) / edit1 if edit1 else None,
        },
    }


def _speeds(metro: Metro, index: Index, pen: _Pen, reads: int, scanned: int) -> tuple[float, float]:
    """CPU µs a read on one thread: our probe, and judge where it finds something (its counts are
    there already, as a database's answer would be); and rapidfuzz over the same rows, on fewer
    reads of the same stream."""
    from rapidfuzz import process
    from rapidfuzz.distance import Levenshtein

    glimpses = list(stream(metro, pen, reads, 11))
    full = [pen.attributes(seen, number) for number, seen in enumerate(glimpses)]
    traffic = {
        (read.read_id, row.entry_id): metro.traffic(read, row)
        for read in full
        for row in index.probe_read(read)
    }
    began = time.process_time()
    for read in full:
        rows = index.probe(
            read.plate, read.confidence, read.characters, read.candidates, read.folded
        )
        for row in rows:
            judge(read, row, metro.hot_list, traffic[read.read_id, row.entry_id], NOW)
    ours = (time.process_time() - began) / reads * 1e6
    plates = [entry.plate for entry in metro.entries]
    began = time.process_time()
    for seen in glimpses[:scanned]:
        process.extract(seen.plate, plates, scorer=Levenshtein.distance, score_cutoff=1, limit=None)
    return ours, (time.process_time() - began) / scanned * 1e6


def _edit1_false(
    metro: Metro, pen: _Pen, reads: int, seed: int, listed: dict[str, set[str]]
) -> float:
    """False alerts per million of "any edit at most 1, state ignored", by trying every edit."""
    false = 0
    for seen in stream(metro, pen, reads, seed):
        true = (seen.car.plate, seen.car.state)
        near = {plate for plate in _edits(seen.plate) if plate in listed}
        false += any((plate, state) != true for plate in near for state in listed[plate])
    return false / reads * 1e6


def _edits(text: str) -> Iterator[str]:
    yield text
    for j in range(len(text) + 1):
        head, tail = text[:j], text[j:]
        for c in ALPHABET:
            yield head + c + tail
            if tail:
                yield head + c + tail[1:]
        if tail:
            yield head + tail[1:]
