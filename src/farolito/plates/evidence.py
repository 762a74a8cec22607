"""What a read says about the characters: the reader's own probabilities, believed with care.

A reader's certainty is never taken whole (`FALSE_CERTAIN`): of the characters that readers report
with full confidence some are wrong all the same, and more of those that have look-alikes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

import msgspec

from farolito.model import Candidate, PlateRead, fold_o
from farolito.model.plates import ALPHABET
from farolito.plates.confusion import SEED, Confusion

FALSE_CERTAIN = 0.25  # of a character's errors, those that come with full confidence
STILL_CHARACTER_ERROR = 0.02  # a read that tells no confidence: 1 - 0.865^(1/7), single stills
LENGTH_WRONG = 0.02  # 7 of 222 single stills; fewer where frames vote
CANDIDATE_SHARPNESS = 8.0  # (candidate's ÷ text's confidence) to this power is its weight
CANDIDATE_UNRATED = 0.1  # the weight of a candidate without a confidence
OFFERED_MIN = 1e-6  # a share below this says nothing
CANDIDATE_SHARE_MAX = 0.35  # all candidates together: the text was chosen for a reason
LIKELY_MIN = 0.02  # as likely as this, beside the text: worth judging
LIKELY_DIFFERING_MAX = 2  # more characters than this are another plate
EVEN_SHARE = 1 / 35  # dirt and blur make any character of any: below 0.6 confidence all are likely
SPURIOUS_SHARE = 0.1  # of unsure characters, those that are stickers or bolts and no characters
BEST_CHARACTERS = 6  # per position, when the likeliest strings are looked for
BEST_MIN = 1e-4  # strings less likely than this, beside the likeliest, are not among them
CONFIDENCE_MIN = 0.02  # a reader that reports 0 has still told which character it saw

_PLACE = {c: i for i, c in enumerate(ALPHABET)}
_ZERO, _O = _PLACE["0"], _PLACE["O"]


def candidate_share(candidate: Candidate, confidence: float | None) -> float:
    """How likely a candidate is by the reader's own scores, 0…CANDIDATE_SHARE_MAX.

    Scores of readers are no probabilities, and those of neighbours lie close together; the
    power spreads them. To be replaced per vendor as outcomes come in.
    """
    if candidate.confidence is None or not confidence:
        weight = CANDIDATE_UNRATED
    else:
        weight = min(candidate.confidence / confidence, 1.0) ** CANDIDATE_SHARPNESS
    return CANDIDATE_SHARE_MAX * weight


def likelihood_beside_text(
    plate: str, text: str, characters: Sequence[float], confusion: Confusion = SEED
) -> float:
    """How likely `plate` is beside `text` by the reported character confidences alone.

    The product over differing positions of K·e/(1 - e), each factor at most 1 (e = 1 - reported
    confidence, K = share of the listed character among the errors of the read one, at least
    EVEN_SHARE); for one
    character fewer than read, SPURIOUS_SHARE·e/(1 - e) of the unsurest one that can be left out.
    0 where a character differs that the reader was sure of, or more than LIKELY_DIFFERING_MAX do.
    """
    if len(plate) == len(text) - 1:
        odds = (
            (1 - max(c, CONFIDENCE_MIN)) / max(c, CONFIDENCE_MIN)
            for j, c in enumerate(characters)
            if text[:j] + text[j + 1 :] == plate
        )
        return min(SPURIOUS_SHARE * max(odds, default=0.0), 1.0)
    if len(plate) != len(text):
        return 0.0
    differing = [j for j, c in enumerate(text) if plate[j] != c]
    if len(differing) > LIKELY_DIFFERING_MAX:
        return 0.0
    shares = confusion.errors.shares
    return prod(_beside(shares[text[j]][_PLACE[plate[j]]], characters[j]) for j in differing)


def _beside(share: float, confidence: float) -> float:
    believed = max(confidence, CONFIDENCE_MIN)
    return min(max(share, EVEN_SHARE) * (1 - believed) / believed, 1.0)


class Evidence(msgspec.Struct, frozen=True):
    """Per position, the probability of each character of ALPHABET; and whole strings on offer.

    `spread[j][c]` sums to 1 over c. `offered` has the reader's candidates with their shares.
    `wrong_length` is the probability that the read has a character too many or too few;
    `digits[j]` that position j is a digit; `spurious[j]` that j is the one too many, if one is.
    """

    text: str
    spread: tuple[tuple[float, ...], ...]
    offered: Mapping[str, float]
    wrong_length: float
    digits: tuple[float, ...]
    spurious: tuple[float, ...]

    def of(self, plate: str) -> float:
        """P(plate | picture), as far as the reader tells: the product over positions, or more
        where the reader offers the whole string; for one character fewer, by leaving one out."""
        offered = self.offered.get(plate, 0.0)
        if len(plate) == len(self.text):
            by_characters = prod(
                row[_PLACE[c]] for row, c in zip(self.spread, plate, strict=True)
            ) * (1 - self.wrong_length)
            return max(by_characters, offered)
        if len(plate) == len(self.text) - 1:
            return max(self._one_left_out(plate), offered)
        return offered

    def best(self, count: int) -> list[str]:
        """The likeliest strings of the read's length by the characters, the likeliest first.

        Kept as a beam over the positions, so beyond the first few the order is nearly right.
        """
        beam: list[tuple[float, str]] = [(1.0, "")]
        for row in self.spread:
            top = sorted(zip(row, ALPHABET, strict=True), reverse=True)[:BEST_CHARACTERS]
            least = beam[0][0] * top[0][0] * BEST_MIN
            beam = [(p * q, head + c) for p, head in beam for q, c in top if p * q >= least]
            beam.sort(reverse=True)
            del beam[count:]
        return [plate for _, plate in beam]

    def _one_left_out(self, plate: str) -> float:
        text = self.text
        likely = (
            share for j, share in enumerate(self.spurious) if text[:j] + text[j + 1 :] == plate
        )
        return max(likely, default=0.0) * self.wrong_length / 2

    def of_folded(self, plate: str) -> float:
        """The sum of `of` over every way to write `plate` with O or 0 where it has either."""
        rows: list[float] = []
        if len(plate) != len(self.text):
            return max(self.offered.get(plate, 0.0), self.of(plate))
        for row, c in zip(self.spread, plate, strict=True):
            rows.append(row[_ZERO] + row[_O] if c in "0O" else row[_PLACE[c]])
        offered = sum(share for q, share in self.offered.items() if fold_o(q) == fold_o(plate))
        return max(prod(rows) * (1 - self.wrong_length), offered)


def weigh(read: PlateRead, confusion: Confusion = SEED) -> Evidence:
    """The evidence of a read.

    e_j = 1 - c_j·(1 - f·wrong(r_j)) with c_j the reported confidence of the character (without
    one: conf^(1/length), without that STILL_CHARACTER_ERROR), wrong(r) the share of reads r that
    are wrong, f = FALSE_CERTAIN. p_j(r_j) = 1 - e_j; p_j(c) = e_j·K(c | r_j), where K mixes the
    confusion table evenly with what the candidates say at that position, if they say anything.
    Where characters have no confidences of their own, candidates also say how doubtful a position
    is and count as whole strings; where they have, a candidate's score adds no doubt to them.
    A read whose source wrote every O as 0 says "0 or O", half each.
    """
    told = confusion.errors
    offered = _offered(read)
    spread = []
    for j, (r, c) in enumerate(zip(read.plate, _confidences(read), strict=True)):
        believed = min(max(c, CONFIDENCE_MIN), 1.0) * (1 - FALSE_CERTAIN * told.wrong[r])
        support = _support(offered, read.plate, j)
        doubt = 1 - believed
        if read.characters is None:
            doubt = max(doubt, sum(support.values()))
        if support:
            total = sum(support.values())
            row = [doubt * share / 2 for share in told.shares[r]]
            for other, share in support.items():
                row[_PLACE[other]] += doubt * share / total / 2
        else:
            row = [doubt * share for share in told.shares[r]]
        row[_PLACE[r]] = 1 - doubt
        if read.folded and r in "0O":
            row[_ZERO] = row[_O] = (row[_ZERO] + row[_O]) / 2
        spread.append(tuple(row))
    whole = {
        q: share
        for q, share in offered.items()
        if read.characters is None or len(q) != len(read.plate)
    }
    doubts = [1 - row[_PLACE[r]] for row, r in zip(spread, read.plate, strict=True)]
    return Evidence(
        text=read.plate,
        spread=tuple(spread),
        offered=whole,
        wrong_length=LENGTH_WRONG,
        digits=tuple(sum(row[:10]) for row in spread),
        spurious=tuple(doubt / sum(doubts) for doubt in doubts),
    )


def _confidences(read: PlateRead) -> tuple[float, ...]:
    if read.characters is not None:
        return read.characters
    if read.confidence is None:
        return (1 - STILL_CHARACTER_ERROR,) * len(read.plate)
    return (read.confidence ** (1 / len(read.plate)),) * len(read.plate)


def _offered(read: PlateRead) -> dict[str, float]:
    """Candidates other than the text with their shares, together at most CANDIDATE_SHARE_MAX."""
    shares: dict[str, float] = {}
    for candidate in read.candidates:
        share = candidate_share(candidate, read.confidence)
        if candidate.plate != read.plate and share >= OFFERED_MIN:
            shares[candidate.plate] = max(share, shares.get(candidate.plate, 0.0))
    total = sum(shares.values())
    if total > CANDIDATE_SHARE_MAX:
        shares = {q: share * CANDIDATE_SHARE_MAX / total for q, share in shares.items()}
    return shares


def _support(offered: Mapping[str, float], text: str, j: int) -> dict[str, float]:
    support: dict[str, float] = {}
    for plate, share in offered.items():
        if len(plate) == len(text) and plate[j] != text[j]:
            support[plate[j]] = support.get(plate[j], 0.0) + share
    return support
