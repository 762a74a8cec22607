"""Rows of text into hot list entries, and what is wrong with those that cannot be."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from farolito.ingest.hotlist.law import ForbiddenCategories
from farolito.ingest.hotlist.mapping import LEAVE_OUT, Mapping
from farolito.ingest.hotlist.rows import Cells, RowFault, rows
from farolito.ingest.hotlist.values import Values, quoted
from farolito.model import (
    EntryId,
    HotList,
    HotListEntry,
    Invalid,
    Rejected,
    digest_id,
)

BAD_ROWS_MAX = 1_000  # kept with their reasons; more are only counted
TEXT_CHARACTERS_MAX = 500  # of one value; a longer one makes the row bad
CATEGORY_CHARACTERS_MAX = 60
REMEMBERED_MAX = 100_000  # category and reason texts of one list; then forgotten: it saves time

_NOT_A_WORD = re.compile(r"[^a-z0-9]+")


class BadRow(msgspec.Struct, frozen=True):
    """A row that is not taken in. `line` counts from 1; `reason` is a stable word to count by.

    `says` quotes dates, states and category words, never a plate.
    """

    line: int
    reason: str
    says: str
    field: str | None = None


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a file.

    `warnings` speak of good rows with one attribute left out. At most BAD_ROWS_MAX of both are
    kept; `bad_count` and `warning_count` count all. Of a `forbidden` row nothing is kept.
    `undated`: entries whose list does not say when they were entered; they bear the time of
    import. `dated_to`: how exactly the others are dated.
    """

    entries: tuple[HotListEntry, ...]
    rows: int
    bad: tuple[BadRow, ...] = ()
    bad_count: int = 0
    warnings: tuple[BadRow, ...] = ()
    warning_count: int = 0
    forbidden: int = 0
    left_out: int = 0
    duplicates: int = 0
    undated: frozenset[EntryId] = frozenset()
    dated_to: timedelta = timedelta(0)
    file_sha256: str = ""


def parse(
    data: bytes, mapping: Mapping, hot_list: HotList, law: ForbiddenCategories, now: datetime
) -> Parsed:
    """Every row of a list's file as an entry, a bad row, or a count.

    Same bytes, same answer: entry ids are digests of the list and the row's own key, or of plate,
    state, category and case where it has none. Raises Rejected where the file as a whole is
    wrong, Invalid for an import time without a zone.
    """
    if now.tzinfo is None:
        raise Invalid("an import time without a zone", "pass a time in UTC")
    if mapping.folded and not hot_list.folded:
        raise Rejected(
            "folding_differs",
            f"the mapping says that the issuer of {hot_list.list_id} writes O as 0, the list's "
            "configuration does not",
            "set folded = true on the list, or folded: no in the mapping",
        )
    maker = _Maker(mapping, hot_list, law, now)
    for line, cells in rows(data, mapping):
        maker.take(line, cells)
    return maker.parsed(sha256(data).hexdigest())


class _Maker:
    """Takes rows one by one; holds what the rows of one file have in common."""

    def __init__(
        self, mapping: Mapping, hot_list: HotList, law: ForbiddenCategories, now: datetime
    ) -> None:
        self.mapping, self.hot_list, self.law, self.now = mapping, hot_list, law, now
        self.fields = tuple(mapping.columns)
        self.values = Values(mapping, hot_list.folded, now)
        self.entries: dict[EntryId, HotListEntry] = {}
        self.undated: set[EntryId] = set()
        self.bad: list[BadRow] = []
        self.warnings: list[BadRow] = []
        self.rows = self.bad_count = self.warning_count = 0
        self.forbidden = self.left_out = self.duplicates = 0
        self._categories: dict[tuple[str, str], tuple[str, str] | None] = {}

    def take(self, line: int, cells: Cells | RowFault) -> None:
        self.rows += 1
        try:
            if isinstance(cells, RowFault):
                raise cells
            row, fault = self._clean(cells)
            category = self._category(row)
            if category is None:
                self.forbidden += 1
                return
            if fault is not None:
                raise fault
            if category[0] == LEAVE_OUT:
                self.left_out += 1
                return
            self._keep(line, row, category)
        except RowFault as fault:
            self._list_bad(line, fault)

    def parsed(self, file_sha256: str) -> Parsed:
        return Parsed(
            entries=tuple(self.entries.values()),
            rows=self.rows,
            bad=tuple(self.bad),
            bad_count=self.bad_count,
            warnings=tuple(self.warnings),
            warning_count=self.warning_count,
            forbidden=self.forbidden,
            left_out=self.left_out,
            duplicates=self.duplicates,
            undated=frozenset(self.undated),
            dated_to=self.values.dated_to,
            file_sha256=file_sha256,
        )

    def _list_bad(self, line: int, fault: RowFault) -> None:
        self.bad_count += 1
        if len(self.bad) < BAD_ROWS_MAX:
            says = fault.says if not self.law.forbids(fault.says) else "not shown"
            self.bad.append(BadRow(line, fault.reason, says, fault.field))

    def _warn(self, line: int, fault: RowFault) -> None:
        self.warning_count += 1
        if len(self.warnings) < BAD_ROWS_MAX:
            self.warnings.append(BadRow(line, fault.reason, fault.says, fault.field))

    def _clean(self, cells: Cells) -> tuple[dict[str, str], RowFault | None]:
        """Values without blanks around them; absent where the list has none.

        The first fault is handed back, not raised: whether the law forbids the row is asked
        before anything else.
        """
        texts = list(map(str.strip, cells))
        whole = "".join(texts)
        fault = None
        if not whole.isprintable() or len(whole) > TEXT_CHARACTERS_MAX:
            texts = [" ".join(text.split()) for text in texts]
            faults = map(_unshowable, self.fields, texts)
            fault = next((found for found in faults if found is not None), None)
        row = dict(zip(self.fields, texts, strict=True))
        if not self.mapping.blank.isdisjoint(texts):
            row = {field: text for field, text in row.items() if text not in self.mapping.blank}
        return ({**self.mapping.defaults, **row} if self.mapping.defaults else row), fault

    def _category(self, row: dict[str, str]) -> tuple[str, str] | None:
        """Category and reason; None where the law forbids the row."""
        said, reason = row.get("category", ""), row.get("reason", "")
        try:
            found = self._categories[said, reason]
        except KeyError:
            if len(self._categories) >= REMEMBERED_MAX:
                self._categories.clear()
            found = self._categories[said, reason] = self._resolve(said, reason)
        return found

    def _resolve(self, said: str, reason: str) -> tuple[str, str] | None:
        if self.law.forbids(said, reason):
            return None
        if not said:
            raise RowFault("missing_value", "category is blank and has no default", "category")
        listed = self.mapping.categories.get(" ".join(said.upper().split()))
        if listed is not None:
            found = listed.name, reason or listed.reason
        elif said == self.mapping.defaults.get("category"):
            found = said, reason or said.replace("_", " ")
        elif self.mapping.other_category is None:
            raise RowFault(
                "unknown_category",
                f"category {quoted(said)} is not in the mapping; "
                "add it under categories: or write other_categories: keep",
                "category",
            )
        elif self.mapping.other_category == "keep":
            slug = _NOT_A_WORD.sub("_", said.lower()).strip("_")[:CATEGORY_CHARACTERS_MAX]
            found = slug or "uncategorised", reason or said
        else:
            found = self.mapping.other_category, reason or said
        return None if self.law.forbids(*found) else found

    def _keep(self, line: int, row: dict[str, str], category: tuple[str, str]) -> None:
        entry, note = self._entry(row, category)
        if note is not None:
            self._warn(line, note)
        before = self.entries.get(entry.entry_id)
        if before is not None:
            if before.plate != entry.plate:
                raise RowFault(
                    "key_twice",
                    "an earlier row with another plate has this row's "
                    "key; is the column of key the right one?",
                    "key",
                )
            self.duplicates += 1
            if before.entered_at >= entry.entered_at:
                return
        self.entries[entry.entry_id] = entry
        if "entered_at" in row:
            self.undated.discard(entry.entry_id)
        else:
            self.undated.add(entry.entry_id)

    def _entry(
        self, row: dict[str, str], category: tuple[str, str]
    ) -> tuple[HotListEntry, RowFault | None]:
        for field in self.mapping.required:
            if field not in row:
                raise RowFault("missing_value", f"{field} is blank and has no default", field)
        plate, state = self.values.plate(row), self.values.state(row)
        entered_at, expires_at = self.values.entered_at(row), self.values.expires_at(row)
        if expires_at is not None and expires_at < entered_at and "entered_at" in row:
            raise RowFault(
                "ends_before_it_begins",
                "expires_at lies before entered_at; is a date's format right?",
                "expires_at",
            )
        vehicle, note = self.values.vehicle(row)
        entry = HotListEntry(
            entry_id=self._entry_id(row, plate, state, category[0]),
            list_id=self.hot_list.list_id,
            agency=self.hot_list.agency,
            plate=plate,
            state=state,
            reason=category[1],
            category=category[0],
            source_agency=row["source_agency"],
            entered_at=entered_at,
            expires_at=expires_at,
            confirm_with=row["confirm_with"],
            case=row.get("case"),
            vehicle=vehicle,
            restricted=self.values.is_restricted(row),
        )
        return entry, note

    def _entry_id(self, row: dict[str, str], plate: str, state: str | None, name: str) -> EntryId:
        of_list = (self.hot_list.agency, self.hot_list.list_id)
        key = row.get("key")
        if key is not None:
            return EntryId(digest_id(0, *of_list, "key", key))
        return EntryId(digest_id(0, *of_list, "row", plate, state or "", name, row.get("case", "")))


def _unshowable(field: str, text: str) -> RowFault | None:
    """Too long, or with control characters, which could forge a line on an officer's screen."""
    if len(text) > TEXT_CHARACTERS_MAX:
        says = f"{field} has {len(text)} characters; the most is {TEXT_CHARACTERS_MAX}"
        return RowFault("value_too_long", says, field)
    if not text.isprintable():
        return RowFault(
            "control_characters", f"{field} holds characters that cannot be shown", field
        )
    return None
