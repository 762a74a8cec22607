"""Which listed rows a read is worth judging against, among hundreds of thousands, in microseconds.

A row is worth judging (`is_worth_judging` is the definition, the index its quick form) where
  - its text is the read's, under folding where the row's list or the read's source folds O to 0;
  - or the reader itself offers it as a candidate with a share of at least LIKELY_MIN;
  - or the reported character confidences make it at least LIKELY_MIN as likely as the text.
A look-alike that the reader is sure it did not see is not among them, however near.

Sums: 10 million reads a day are 116 a second and 3,000 in a burst; at 10 µs a probe that is
3 % of a core. Nearly all reads end after two dictionary look-ups and one `min`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from farolito.model import Candidate, EntryId, HotList, HotListEntry, ListId, PlateRead, fold_o
from farolito.plates.confusion import SEED, Confusion
from farolito.plates.evidence import (
    CONFIDENCE_MIN,
    EVEN_SHARE,
    LIKELY_DIFFERING_MAX,
    LIKELY_MIN,
    SPURIOUS_SHARE,
    candidate_share,
    likelihood_beside_text,
)

LOOKUPS_MAX = 512  # look-alike texts tried for one read; the rest, less likely, are let go

_Rows = tuple[HotListEntry, ...]


def is_worth_judging(
    read: PlateRead, plate: str, folded: bool, confusion: Confusion = SEED
) -> bool:
    """The definition that the index must agree with, for one row's plate.

    `folded`: the row's list, or the read's source, writes O as 0.
    """
    if plate == read.plate or (folded and fold_o(plate) == fold_o(read.plate)):
        return True
    return is_offered(read, plate, folded) or is_likely(read, plate, folded, confusion)


def is_offered(read: PlateRead, plate: str, folded: bool) -> bool:
    """Whether the reader itself names the plate among its candidates, and not as an outsider."""
    for candidate in read.candidates:
        same = candidate.plate == plate
        if folded and not same:
            same = fold_o(candidate.plate) == fold_o(plate)
        if same and candidate_share(candidate, read.confidence) >= LIKELY_MIN:
            return True
    return False


def is_likely(read: PlateRead, plate: str, folded: bool, confusion: Confusion = SEED) -> bool:
    """Whether the reported character confidences make the plate likely beside the text."""
    if read.characters is None:
        return False
    forms = (
        ("".join(cs) for cs in product(*("0O" if c in "0O" else c for c in plate)))
        if folded
        else (plate,)
    )
    return any(
        likelihood_beside_text(form, read.plate, read.characters, confusion) >= LIKELY_MIN
        for form in forms
    )


class Index:
    """Rows by plate. One owner changes it; single rows go in and out in microseconds, so a recall
    acts on the next read; a re-import builds a new index beside it and swaps the reference."""

    def __init__(self, folded: Iterable[ListId] = (), confusion: Confusion = SEED) -> None:
        """`folded`: the lists whose issuer writes O as 0."""
        self._folds = frozenset(folded)
        self._by_id: dict[int, HotListEntry] = {}
        self._plain: dict[str, _Rows] = {}  # by text, of lists that keep O apart from 0
        self._folded_lists: dict[str, _Rows] = {}  # by folded text, of the others
        self._with_o: dict[str, _Rows] = {}  # by folded text, those of _plain that have an O
        told = confusion.errors
        self._truths = told.truths
        # Above this confidence no look-alike of the character reaches LIKELY_MIN.
        self._limits = {r: 1 / (1 + LIKELY_MIN / truths[0][1]) for r, truths in told.truths.items()}
        self._sure = max(self._limits.values())

    @classmethod
    def build(
        cls,
        entries: Iterable[HotListEntry],
        lists: Mapping[ListId, HotList],
        confusion: Confusion = SEED,
    ) -> Index:
        """About 1 µs a row. Recalled rows stay out."""
        index = cls((name for name, hot_list in lists.items() if hot_list.folded), confusion)
        for entry in entries:
            if entry.recalled_at is None:
                index.add(entry)
        return index

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, entry: HotListEntry) -> None:
        """In force from the next probe on. A row with the same id is replaced."""
        if entry.entry_id.int in self._by_id:
            self.remove(entry.entry_id)
        self._by_id[entry.entry_id.int] = entry
        for table, key in self._places(entry):
            table[key] = (*table.get(key, ()), entry)

    def remove(self, entry_id: EntryId) -> bool:
        """Out from the next probe on. False where there was no such row."""
        entry = self._by_id.pop(entry_id.int, None)
        if entry is None:
            return False
        for table, key in self._places(entry):
            left = tuple(e for e in table[key] if e.entry_id != entry_id)
            if left:
                table[key] = left
            else:
                del table[key]
        return True

    def entry(self, entry_id: EntryId) -> HotListEntry | None:
        return self._by_id.get(entry_id.int)

    def _places(self, entry: HotListEntry) -> list[tuple[dict[str, _Rows], str]]:
        if entry.list_id in self._folds:
            return [(self._folded_lists, fold_o(entry.plate))]
        places = [(self._plain, entry.plate)]
        if "O" in entry.plate:
            places.append((self._with_o, fold_o(entry.plate)))
        return places

    def probe_read(self, read: PlateRead) -> Sequence[HotListEntry]:
        return self.probe(
            read.plate, read.confidence, read.characters, read.candidates, read.folded
        )

    def probe(
        self,
        plate: str,
        confidence: float | None = None,
        characters: Sequence[float] | None = None,
        candidates: Sequence[Candidate] = (),
        folded: str | None = None,
    ) -> Sequence[HotListEntry]:
        """The rows worth judging, each once; for nearly every read none."""
        found = self._plain.get(plate, ())
        if folded is not None or self._folded_lists:
            found = self._find(plate, folded)
        if candidates:
            for candidate in candidates:
                text = candidate.plate
                # The table is asked first, since it knows hardly any candidate.
                rows = self._find(text, folded)
                if rows and text != plate and candidate_share(candidate, confidence) >= LIKELY_MIN:
                    found += rows
        if characters is not None and min(characters) < self._sure:
            found += self._likely(plate, characters, folded)
        return found if len(found) < 2 else tuple({e.entry_id.int: e for e in found}.values())

    def _find(self, text: str, folded: str | None) -> _Rows:
        found = self._plain.get(text, ())
        if self._folded_lists:
            found += self._folded_lists.get(text.replace("O", "0"), ())
        if folded is not None:
            zeros = text.replace("O", "0")
            found += self._with_o.get(zeros, ())
            if zeros != text:
                found += self._plain.get(zeros, ())
        return found

    def _likely(self, plate: str, characters: Sequence[float], folded: str | None) -> _Rows:
        """Rows whose text is likely beside the read one: one or two characters replaced, or one
        left out (see `likelihood_beside_text`)."""
        found: _Rows = ()
        options: list[tuple[float, int, str]] = []
        limits = self._limits
        for j, (read, confidence) in enumerate(zip(plate, characters, strict=True)):
            if confidence >= limits[read]:
                continue
            believed = max(confidence, CONFIDENCE_MIN)
            odds = (1 - believed) / believed
            if odds * SPURIOUS_SHARE >= LIKELY_MIN and len(plate) > 1:
                found += self._find(plate[:j] + plate[j + 1 :], folded)
            for true, share in self._truths[read]:
                likely = (share if share > EVEN_SHARE else EVEN_SHARE) * odds
                if likely < LIKELY_MIN:
                    break
                options.append((likely if likely < 1 else 1.0, j, true))
                found += self._find(plate[:j] + true + plate[j + 1 :], folded)
        if len(options) > 1 and LIKELY_DIFFERING_MAX > 1:
            found += self._likely_pairs(plate, options, folded)
        return found

    def _likely_pairs(
        self, plate: str, options: list[tuple[float, int, str]], folded: str | None
    ) -> _Rows:
        found: _Rows = ()
        options.sort(reverse=True)
        tried = 0
        for i, (likely, j, true) in enumerate(options):
            for other_likely, k, other in options[i + 1 :]:
                if likely * other_likely < LIKELY_MIN:
                    break
                if j == k:
                    continue
                tried += 1
                if tried > LOOKUPS_MAX:
                    return found
                text = list(plate)
                text[j], text[k] = true, other
                found += self._find("".join(text), folded)
        return found
