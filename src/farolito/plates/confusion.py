"""Which characters a plate reader takes for which others, as counts that grow with experience.

`Confusion` holds, for each true character, how often each character was read in its place. From
it come two things: how prone a read character is to be wrong, and what it then was in truth.

The seed is expert opinion written as counts in 1,000 readings (look-alike pairs, likeliest
first), to which the errors are added that a bench of 222 US photographs with two reading engines
left over, and the misreads that reached a court or the press: Green v. City and County of San
Francisco, 751 F.3d 1039 (9th Cir. 2014), a 3 read as 7; Española, New Mexico, 2023, a 2 read as 7.
Counts from an agency's own confirmed and rejected reads replace the seed as they come in.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import msgspec

from farolito.model import Invalid
from farolito.model.plates import ALPHABET

SEED_READINGS = 1_000.0  # each true character counts as read this often before any experience
SEED_COUNTS = (8.0, 5.0, 3.0)  # of these, read as its first, second and third look-alike
# Of these, read as any other character, all together: of the 23 kinds of error that the bench left
# over, some ten (5 read as B, M as R, …) were on nobody's list of look-alikes.
SEED_OTHERS = 3.0
BENCH_WEIGHT = 2.0  # one error of the 222-photograph bench counts as two in 1,000 readings
CASE_WEIGHT = 6.0  # a misread that reached a court or the press is one of many that did not
CONFUSABLE_SHARE_MIN = 0.08  # of a character's errors: below this a look-alike is not marked

# True character → what it is read as, likeliest first.
_LOOK_ALIKES = {
    "0": "OQD", "O": "0QD", "Q": "0O", "D": "0O", "1": "IL", "I": "1L", "L": "1",
    "8": "B3", "B": "8", "3": "8", "5": "S6", "S": "5", "6": "G5", "G": "6",
    "2": "Z", "Z": "2", "4": "AL", "A": "4", "7": "TY", "T": "7", "U": "V", "V": "UY",
    "Y": "V", "M": "NW", "N": "MH", "H": "N", "W": "M", "C": "G", "F": "P", "P": "F",
    "E": "F", "9": "4", "K": "X", "X": "K", "J": "U", "R": "K",
}  # fmt: skip
# True then read, and how often; both engines of the bench together.
_BENCH = {
    "0O": 8, "0Q": 3, "WM": 2, "UJ": 3, "FP": 1, "Z7": 1, "U0": 3, "DO": 1, "MR": 1, "WN": 1,
    "5B": 1, "1I": 1, "MW": 1, "TI": 1, "IT": 1, "7Z": 1, "VU": 2, "2Z": 2,
}  # fmt: skip
_CASES = {"27": 1, "37": 1}

_PLACE = {c: i for i, c in enumerate(ALPHABET)}
_SIZE = len(ALPHABET)


class Errors(msgspec.Struct, frozen=True):
    """A confusion table turned round: seen from the character that was read.

    `wrong[r]`: probability that a read r is wrong; `truths[r]`: what it then is, with shares that
    sum to 1, likeliest first; `shares[r]`: the same in the order of ALPHABET, 0 for r itself;
    `look_alikes[r]`: those of `truths` that a person should have in mind when looking at a crop.
    """

    wrong: dict[str, float]
    truths: dict[str, tuple[tuple[str, float], ...]]
    shares: dict[str, tuple[float, ...]]
    look_alikes: dict[str, str]


class Confusion(msgspec.Struct, frozen=True, dict=True):
    """`counts[t][r]`: how often the true character t was read as r, both as places in ALPHABET.

    All true characters are taken as equally common (b uniform), since what a plate allows at a
    position is the business of the prior, not of the reader.
    """

    counts: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        if len(self.counts) != _SIZE or any(len(row) != _SIZE for row in self.counts):
            raise Invalid("a confusion table that is not 36 by 36")
        if any(n <= 0 for row in self.counts for n in row):
            raise Invalid(
                "a confusion count of zero or less",
                "what was never seen is rare, not impossible",
            )

    def reads_as(self, true: str, read: str) -> float:
        """P(read | true): one character, before the reader says how sure it is."""
        row = self.counts[_PLACE[true]]
        return row[_PLACE[read]] / sum(row)

    def learn(self, pairs: Iterable[tuple[str, str]]) -> Confusion:
        """With confirmed reads added: pairs of (what was read, what a person saw on the plate).

        Pairs of unequal length teach nothing about characters and are left out.
        """
        counts = [list(row) for row in self.counts]
        for read, true in pairs:
            if len(read) == len(true):
                for r, t in zip(read, true, strict=True):
                    counts[_PLACE[t]][_PLACE[r]] += 1.0
        return Confusion(tuple(map(tuple, counts)))

    def learn_rejected(self, reads: Iterable[str]) -> Confusion:
        """With reads added that a person called wrong without writing what the plate says.

        One error is shared out over all that could have been wrong, in the shares that this
        table itself expects (one step of expectation-maximisation, single errors only).
        """
        told = self.errors
        counts = [list(row) for row in self.counts]
        for read in reads:
            odds = [(r, told.wrong[r]) for r in read]
            total = sum(wrong for _, wrong in odds)
            for r, wrong in odds:
                for true, share in told.truths[r]:
                    counts[_PLACE[true]][_PLACE[r]] += share * wrong / total
        return Confusion(tuple(map(tuple, counts)))

    @cached_property
    def errors(self) -> Errors:
        """The table turned round by Bayes, with equally common characters: P(true | read)."""
        wrong, truths, shares = {}, {}, {}
        sums = [sum(row) for row in self.counts]
        for r, read in enumerate(ALPHABET):
            column = [row[r] / total for row, total in zip(self.counts, sums, strict=True)]
            missed = sum(column) - column[r]
            wrong[read] = missed / sum(column)
            of_errors = tuple(0.0 if t == r else p / missed for t, p in enumerate(column))
            shares[read] = of_errors
            ranked = sorted(zip(ALPHABET, of_errors, strict=True), key=lambda pair: -pair[1])
            truths[read] = tuple(pair for pair in ranked if pair[0] != read)
        look_alikes = {
            read: "".join(true for true, share in told if share >= CONFUSABLE_SHARE_MIN)
            for read, told in truths.items()
        }
        return Errors(wrong, truths, shares, look_alikes)


def _seed() -> Confusion:
    rows = []
    for true in ALPHABET:
        row = dict.fromkeys(ALPHABET, SEED_OTHERS / (_SIZE - 1))
        for read, count in zip(_LOOK_ALIKES[true], SEED_COUNTS, strict=False):
            row[read] += count
        for table, weight in ((_BENCH, BENCH_WEIGHT), (_CASES, CASE_WEIGHT)):
            for pair, times in table.items():
                if pair[0] == true:
                    row[pair[1]] += weight * times
        row[true] = SEED_READINGS - sum(n for read, n in row.items() if read != true)
        rows.append(tuple(row.values()))
    return Confusion(tuple(rows))


SEED = _seed()
