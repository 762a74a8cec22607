"""How likely it is that the passing car carries the listed plate.

The car has a plate q of a state s. Bayes over all (q, s), for the listed plate h of state t:

    posterior(h, t) = V·R(t)·E(h)·w(h, t)  ÷  [ the same + everything else the car could be ]

E(q)     the reader's probability of the string q (evidence.Evidence.of).
R(s)     the reader's probability of the state s over an even one: c when it read s, (1 - c)/50 when
         it read another, 1 for all where it read none (b uniform over ISSUERS).
V        how much likelier the seen make, colour and kind are of the listed car than of any car
         (vehicle.compare). It stands on the listed plate alone: others are "any car".
w(q, s)  the base rate: n(q, s) + alpha(s)·issued(q, s). n counts earlier reads in reach;
         alpha(s) = A·g(s)/M is what a registered plate not seen yet is worth, with A = the reads of
         newcomers expected beside N others (NOVEL_SHARE), g(s) the state's share of traffic, M =
         REGISTERED_PLATES. issued = LISTED_ACTIVE for the listed plate, which somebody registered;
         ISSUED_COMMON for another string of a shape common in s, since plates are issued in
         series and so a neighbour of an issued plate is likely issued; ISSUED_ODD otherwise.

Everything else is the sum, exact for the unseen and not over a beam of best strings, of
  1. the same string issued by another state;
  2. strings seen here before, by their counts (those in Traffic.seen);
  3. strings of the read's length: those asked about and never seen, by w; all others (most of a
     metro's cars, in the sum) by what an issued plate is worth on average, (N + A)·g(s)/M, times
     ISSUED_COMMON. The sum of E over a shape's strings is the product over positions of the
     probability of "a digit" or "a letter" there;
  4. strings with one character more or fewer, by the same averages (LENGTH_WRONG in all).

n(h) is lowered by the reads of h that misreadings of its seen neighbours explain: a dirty 3 that a
reader takes for a 7 each morning must not make the listed plate a regular here.

A list whose issuer stores O as 0 names a family of strings: E and n are then summed over all of
them, and none of them is a rival. Where only the reader does so, the two are rivals.

Not calibrated on outcomes yet: the constants are the defaults of an agency that has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from farolito.model import HotList, HotListEntry, PlateRead, fold_o
from farolito.plates.confusion import SEED, Confusion
from farolito.plates.evidence import STILL_CHARACTER_ERROR, Evidence, weigh
from farolito.plates.traffic import REGISTERED_PLATES, Fleet, Traffic, shape

NOVEL_SHARE = 0.1  # of reads, those whose plate was not read before within retention
# Of a node that has counted little. It makes an unseen plate of the home state worth 0.1 of a read,
# so that two passes of a look-alike decide nothing.
NOVEL_READS_MIN = 600_000.0
# A wanted car is driven, and its row reached us for a reason: so many times likelier here than any
# registered plate of its state. To be replaced by confirmed alerts per row and state.
LISTED_ACTIVE = 2.0
ISSUED_COMMON = 0.3  # of the strings of a state's series near an issued one, those issued
NEGLIGIBLE_SHAPE = 1e-4  # probability of a shape below which it is taken as none
ISSUED_ODD = 0.003  # of strings of any other shape: vanity plates
ISSUERS = 51  # fifty states and the District of Columbia
HOME_SHARE_UNKNOWN = 0.5  # of traffic that is of the listed state, where nobody has counted yet
STATE_UNRATED = 0.8  # the confidence of a state whose source tells none
STATE_CONFIDENCE_MAX = 0.98  # no reader's certainty of a state is taken whole
RIVALS_MAX = 96  # strings whose counts are asked for; for those beyond it an average stands in
CANDIDATES_ASKED_MAX = 16
_UNKNOWN_STATE = "?"  # all states that nobody counted, as one


class Posterior(msgspec.Struct, frozen=True):
    """`listed`: probability of the listed plate. `rivals`: the likeliest other strings and their
    probabilities, the likeliest first; `other_state`: of the same string, issued elsewhere.
    `evidence`: what the characters were weighed at; `text`: what they alone give the listed plate.
    """

    evidence: Evidence
    text: float
    listed: float
    other_state: float
    rivals: tuple[tuple[str, float], ...]


def is_folded(read: PlateRead, hot_list: HotList) -> bool:
    """Whether O and 0 are one character between this read and this list."""
    return hot_list.folded or read.folded is not None


def same_text(read: PlateRead, entry: HotListEntry, hot_list: HotList) -> bool:
    if is_folded(read, hot_list):
        return fold_o(read.plate) == fold_o(entry.plate)
    return read.plate == entry.plate


def strings_that_matter(
    read: PlateRead, entry: HotListEntry, confusion: Confusion = SEED
) -> tuple[str, ...]:
    """The plates whose earlier reads `posterior` wants counted, at most RIVALS_MAX of them.

    The listed plate and the read one with O and 0 as written and folded, the reader's candidates,
    the read text with one character left out, what is a look-alike away from the listed plate,
    and the likeliest strings by the character confidences.
    """
    return _strings_that_matter(read, entry, confusion, weigh(read, confusion))


def _strings_that_matter(
    read: PlateRead, entry: HotListEntry, confusion: Confusion, evidence: Evidence
) -> tuple[str, ...]:
    wanted: dict[str, None] = {}
    for plate in (entry.plate, read.plate):
        wanted[plate] = None
        if "O" in plate or "0" in plate:
            wanted[fold_o(plate)] = None
            wanted[plate.replace("0", "O")] = None
    wanted.update((c.plate, None) for c in read.candidates[:CANDIDATES_ASKED_MAX])
    if len(read.plate) > 1:
        wanted.update((read.plate[:j] + read.plate[j + 1 :], None) for j in range(len(read.plate)))
    for j, c in enumerate(entry.plate):
        for true in confusion.errors.look_alikes[c]:
            wanted[entry.plate[:j] + true + entry.plate[j + 1 :]] = None
    wanted.update(dict.fromkeys(evidence.best(RIVALS_MAX // 2)))
    return tuple(wanted)[:RIVALS_MAX]


class _World:
    """The prior and the state evidence of one read, ready to be asked about strings."""

    def __init__(
        self, read: PlateRead, entry: HotListEntry, traffic: Traffic, plain_shapes: Iterable[str]
    ) -> None:
        self.traffic = traffic
        novel = max(NOVEL_READS_MIN, traffic.total * NOVEL_SHARE / (1 - NOVEL_SHARE))
        self.shares, self.shapes = _shares(traffic.fleet, entry.state, read.state, plain_shapes)
        self.alpha = {s: novel * g / REGISTERED_PLATES for s, g in self.shares.items()}
        self.reading = {s: _state_evidence(read, s) for s in self.shares}
        self.unseen = {s: self.alpha[s] * self.reading[s] for s in self.shares}
        self.all_unseen = sum(self.unseen.values())
        self.seen_and_unseen = (novel + traffic.total) / novel
        self.common_unseen: dict[str, float] = {}
        for state, forms in self.shapes.items():
            extra = self.unseen.get(state, 0.0) * (ISSUED_COMMON - ISSUED_ODD)
            for form in forms:
                self.common_unseen[form] = self.common_unseen.get(form, 0.0) + extra

    def issued(self, plate: str, state: str) -> float:
        common = shape(plate) in self.shapes.get(state, frozenset())
        return ISSUED_COMMON if common else ISSUED_ODD

    def counts(self, plate: str) -> dict[str, float]:
        """n(q, s): reads whose state was not read go where the others of this plate are."""
        n = float(self.traffic.seen.get(plate, 0))
        if not n:
            return {}
        known = self.traffic.states.get(plate, {})
        told = {s: float(k) for s, k in known.items()}
        rest = max(n - sum(told.values()), 0.0)
        if told:
            total = sum(told.values())
            return {s: k + rest * k / total for s, k in told.items()}
        by_fleet = {s: self.alpha[s] * self.issued(plate, s) for s in self.alpha}
        total = sum(by_fleet.values())
        return {s: rest * share / total for s, share in by_fleet.items()}

    def reading_of(self, state: str) -> float:
        return self.reading.get(state, self.reading.get(_UNKNOWN_STATE, 1.0))

    def seen_weight(self, plate: str) -> float:
        """The sum over states of R(s)·n(q, s)."""
        return sum(n * self.reading_of(s) for s, n in self.counts(plate).items())

    def unseen_weight(self, plate: str) -> float:
        """The sum over states of R(s)·alpha(s)·issued(q, s), for a string known not to be seen."""
        return self.all_unseen * ISSUED_ODD + self.common_unseen.get(shape(plate), 0.0)

    def average_weights(self) -> dict[str, float]:
        """Per shape, the sum over states of R(s)·w(q, s) for a string nobody asked about: what an
        issued plate is worth on average, seen or not, times the chance that this one is issued."""
        return {form: weight * self.seen_and_unseen for form, weight in self.common_unseen.items()}

    def not_asked(self, evidence: Evidence, asked: Mapping[str, float]) -> float:
        """Terms 3 and 4: the sum of E(q)·R(s)·w(q, s) over all strings but those asked about."""
        averages = self.average_weights()
        odd = self.all_unseen * ISSUED_ODD
        same = odd + sum(
            weight * likely
            for form, weight in averages.items()
            if (likely := _of_shape(evidence, form)) > 0
        )
        known = sum(
            likely * (odd + averages.get(shape(q), 0.0))
            for q, likely in asked.items()
            if len(q) == len(evidence.text)
        )
        same = max(same * (1 - evidence.wrong_length) - known, 0.0)
        other = evidence.wrong_length * odd + sum(
            weight * evidence.wrong_length / 2 * _of_other_length(evidence, form)
            for form, weight in averages.items()
            if abs(len(form) - len(evidence.text)) == 1
        )
        return same + other


def _of_shape(evidence: Evidence, form: str) -> float:
    """The probability that the plate has this shape, if the read has the right length."""
    if len(form) != len(evidence.digits):
        return 0.0
    likely = 1.0
    for digit, kind in zip(evidence.digits, form, strict=True):
        likely *= digit if kind == "D" else 1 - digit
    return likely


def _of_other_length(evidence: Evidence, form: str) -> float:
    """The sum of the evidence of a shape's strings, one character longer or shorter than the read.

    Shorter: the character to leave out is any, the doubtful ones rather. Longer: the one that is
    missing stood anywhere and was any.
    """
    digits = evidence.digits
    total = 0.0
    if len(form) < len(digits):
        for j, share in enumerate(evidence.spurious):
            total += share * _class_product(digits[:j] + digits[j + 1 :], form)
    else:
        for j, kind in enumerate(form):
            share = (10 if kind == "D" else 26) / 36 / len(form)
            total += share * _class_product(digits, form[:j] + form[j + 1 :])
    return total


def _class_product(digits: Sequence[float], form: str) -> float:
    likely = 1.0
    for digit, kind in zip(digits, form, strict=True):
        likely *= digit if kind == "D" else 1 - digit
        if likely < NEGLIGIBLE_SHAPE:
            return 0.0
    return likely


def _shares(
    fleet: Fleet, listed: str | None, read: str | None, plain_shapes: Iterable[str]
) -> tuple[dict[str, float], dict[str, frozenset[str]]]:
    """g(s) and the common shapes; without a counted fleet, of the states that play a part."""
    if fleet.states:
        shares = dict(fleet.states)
        for state in (listed, read):
            if state is not None and state not in shares:
                shares[state] = min(fleet.states.values())
        shapes = dict(fleet.shapes)
        for state in (listed, read):
            if state is not None and state not in shapes:
                shapes[state] = frozenset(plain_shapes)
        return shares, shapes
    named = dict.fromkeys(s for s in (listed, read) if s is not None)
    shares = {s: HOME_SHARE_UNKNOWN / len(named) for s in named}
    shares[_UNKNOWN_STATE] = 1 - sum(shares.values())
    return shares, dict.fromkeys(shares, frozenset(plain_shapes))


def _state_evidence(read: PlateRead, state: str) -> float:
    """R(s). All states that nobody counted together are read as one of them would be."""
    if read.state is None:
        return 1.0
    told = STATE_UNRATED if read.state_confidence is None else read.state_confidence
    believed = min(max(told, 1 / ISSUERS), STATE_CONFIDENCE_MAX)
    likely = believed if state == read.state else (1 - believed) / (ISSUERS - 1)
    return likely * ISSUERS


def posterior(
    read: PlateRead,
    entry: HotListEntry,
    hot_list: HotList,
    traffic: Traffic,
    car_likelihood: float = 1.0,
) -> Posterior:
    """See the module: P(the passing car carries the listed plate | read, base rate, sight)."""
    # Where only the reader wrote O as 0, the list still knows which it is, and half of what the
    # reader says speaks for the other.
    folded = hot_list.folded
    evidence = weigh(read, traffic.confusion)
    world = _World(read, entry, traffic, _plain_shapes(read, entry, is_folded(read, hot_list)))

    def is_listed(plate: str) -> bool:
        return fold_o(plate) == fold_o(entry.plate) if folded else plate == entry.plate

    text = evidence.of_folded(entry.plate) if folded else evidence.of(entry.plate)
    family = {q for q in traffic.seen if is_listed(q)} | {entry.plate}
    own, elsewhere = _listed_weights(world, entry, family)
    asked = _strings_that_matter(read, entry, traffic.confusion, evidence)
    likely = {q: evidence.of(q) for q in {*asked, *traffic.seen}}
    seen = {q: likely[q] * world.seen_weight(q) for q in traffic.seen if not is_listed(q)}
    unseen = sum(likely[q] * world.unseen_weight(q) for q in asked if not is_listed(q))
    unseen += world.not_asked(evidence, {q: likely[q] for q in asked})
    listed = text * own * car_likelihood
    total = listed + text * elsewhere + sum(seen.values()) + unseen
    if total <= 0:
        return Posterior(evidence, text, 0.0, 0.0, ())
    return Posterior(
        evidence,
        text,
        listed / total,
        text * elsewhere / total,
        _rivals(likely, world, seen, total, entry.plate),
    )


def _plain_shapes(read: PlateRead, entry: HotListEntry, folded: bool) -> frozenset[str]:
    """Without a counted fleet, plates are taken to look like the two at hand."""
    return frozenset({shape(entry.plate)} if folded else {shape(entry.plate), shape(read.plate)})


def _listed_weights(
    world: _World, entry: HotListEntry, family: Iterable[str]
) -> tuple[float, float]:
    """Sum of R·w over the listed plate's own state(s), and over the others with that string."""
    counts: dict[str, float] = {}
    for plate in family:
        kept = _not_explained(plate, world.traffic)
        for state, n in world.counts(plate).items():
            counts[state] = counts.get(state, 0.0) + n * kept
    if entry.state is None:
        # A row that names no state means whoever issued it: no state is a rival.
        own = LISTED_ACTIVE * world.all_unseen + sum(
            n * world.reading_of(s) for s, n in counts.items()
        )
        return own, 0.0
    own = (LISTED_ACTIVE * world.alpha[entry.state] + counts.get(entry.state, 0.0)) * world.reading[
        entry.state
    ]
    elsewhere = sum(
        u * world.issued(entry.plate, s) for s, u in world.unseen.items() if s != entry.state
    ) + sum(n * world.reading_of(s) for s, n in counts.items() if s != entry.state)
    return own, elsewhere


def _not_explained(plate: str, traffic: Traffic) -> float:
    """The share of n(plate) that misreadings of its neighbours one character away leave over."""
    n = traffic.seen.get(plate, 0)
    if not n:
        return 0.0
    explained = 0.0
    for other, times in traffic.seen.items():
        if len(other) == len(plate) and times > n:
            differing = [j for j in range(len(plate)) if plate[j] != other[j]]
            if len(differing) == 1:
                j = differing[0]
                share = traffic.confusion.errors.shares[plate[j]]
                explained += times * STILL_CHARACTER_ERROR * share[_place(other[j])]
    return max(n - 2 * explained, 0.0) / n


def _place(character: str) -> int:
    return ord(character) - 48 if character <= "9" else ord(character) - 55


def _rivals(
    likely: Mapping[str, float],
    world: _World,
    seen: Mapping[str, float],
    total: float,
    listed: str,
) -> tuple[tuple[str, float], ...]:
    """Each look-alike of the listed plate and each seen string, by its part of the whole."""
    weights = dict(seen)
    for j, c in enumerate(listed):
        for true in world.traffic.confusion.errors.look_alikes[c]:
            plate = listed[:j] + true + listed[j + 1 :]
            if plate in likely:
                weights[plate] = seen.get(plate, 0.0) + likely[plate] * world.unseen_weight(plate)
    ranked = sorted(weights.items(), key=lambda pair: -pair[1])
    return tuple((q, weight / total) for q, weight in ranked if weight > 0)
