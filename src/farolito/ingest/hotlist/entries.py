"""Rows of text into hot list entries, and what is wrong with those that cannot be."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec

from farolito.ingest.hotlist.dates import NEVER
from farolito.ingest.hotlist.law import ForbiddenCategories
from farolito.ingest.hotlist.mapping import LEAVE_OUT, Mapping
from farolito.ingest.hotlist.rows import Cells, RowFault, rows
from farolito.model import (
    EntryId,
    HotList,
    HotListEntry,
    Invalid,
    ListedVehicle,
    Rejected,
    digest_id,
    fold_o,
    normalise_plate,
    state_code,
)

BAD_ROWS_MAX = 1_000  # kept with their reasons; more are only counted
TEXT_CHARACTERS_MAX = 500  # of one value; a longer one makes the row bad
CATEGORY_CHARACTERS_MAX = 60
QUOTED_CHARACTERS_MAX = 40  # of a value, in what we say of a bad row
REMEMBERED_MAX = 100_000  # category and reason texts of one list; then forgotten: it saves time
ENTERED_AHEAD_MAX = timedelta(days=1)  # clocks differ, and a day's date is no instant
ENTERED_FROM = datetime(1960, 1, 1, tzinfo=UTC)
YEARS = range(1900, NEVER.year)

# A starred or questioned character is one that somebody hid or could not read: leaving it out
# would make another car's plate of it.
_MASKS = frozenset("*?%#")
_NOT_A_WORD = re.compile(r"[^a-z0-9]+")
_SAYS_NO = frozenset({"NO", "N", "FALSE", "0"})
_VEHICLE = ("make", "model", "colour", "kind")


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
        self.entries: dict[EntryId, HotListEntry] = {}
        self.undated: set[EntryId] = set()
        self.bad: list[BadRow] = []
        self.warnings: list[BadRow] = []
        self.rows = self.bad_count = self.warning_count = 0
        self.forbidden = self.left_out = self.duplicates = 0
        self.dated_to = timedelta(0)
        self._categories: dict[tuple[str, str], tuple[str, str] | None] = {}

    def take(self, line: int, cells: Cells | RowFault) -> None:
        self.rows += 1
        try:
            if isinstance(cells, RowFault):
                raise cells
            row, faults = self._clean(cells)
            category = self._category(row)
            if category is None:
                self.forbidden += 1
                return
            if faults:
                raise faults[0]
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
            dated_to=self.dated_to,
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

    def _clean(self, cells: Cells) -> tuple[dict[str, str], list[RowFault]]:
        """Values without blanks around them; absent where the list has none.

        Faults are handed back, not raised: whether the law forbids the row is asked first.
        """
        row: dict[str, str] = dict(self.mapping.defaults)
        faults = []
        blank = self.mapping.blank
        for field, cell in zip(self.fields, cells, strict=True):
            text = cell.strip()
            if not text.isprintable():
                text = " ".join(text.split())
            if len(text) <= 16 and text.upper() in blank:
                continue
            row[field] = text
            if len(text) > TEXT_CHARACTERS_MAX:
                faults.append(
                    RowFault(
                        "value_too_long",
                        f"{field} has {len(text)} characters; the most is {TEXT_CHARACTERS_MAX}",
                        field,
                    )
                )
            elif not text.isprintable():
                faults.append(
                    RowFault(
                        "control_characters",
                        f"{field} holds characters that cannot be shown",
                        field,
                    )
                )
        return row, faults

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
                f"category {_quoted(said)} is not in the mapping; "
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
        entry, notes = self._entry(row, category)
        for note in notes:
            self._warn(line, note)
        before = self.entries.get(entry.entry_id)
        if before is not None:
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
    ) -> tuple[HotListEntry, list[RowFault]]:
        for field in self.mapping.required:
            if field not in row:
                raise RowFault("missing_value", f"{field} is blank and has no default", field)
        for field in ("source_agency", "confirm_with"):
            if field not in row:
                raise RowFault("missing_value", f"{field} is blank and has no default", field)
        plate, state = self._plate(row), self._state(row)
        entered_at, expires_at = self._entered_at(row), self._expires_at(row)
        if expires_at is not None and expires_at < entered_at and "entered_at" in row:
            raise RowFault(
                "ends_before_it_begins",
                "expires_at lies before entered_at; is a date's format right?",
                "expires_at",
            )
        vehicle, notes = self._vehicle(row)
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
            restricted=self._is_restricted(row),
        )
        return entry, notes

    def _entry_id(self, row: dict[str, str], plate: str, state: str | None, name: str) -> EntryId:
        of_list = (self.hot_list.agency, self.hot_list.list_id)
        key = row.get("key")
        if key is not None:
            return EntryId(digest_id(0, *of_list, "key", key))
        return EntryId(digest_id(0, *of_list, "row", plate, state or "", name, row.get("case", "")))

    def _plate(self, row: dict[str, str]) -> str:
        text = row["plate"]
        if not text.isalnum() and not _MASKS.isdisjoint(text):
            raise RowFault("masked_plate", "the plate holds a masked or unread character", "plate")
        if not text.isascii() and any(c.isalnum() and not c.isascii() for c in text):
            raise RowFault("bad_plate", "the plate holds a letter that is not A-Z or 0-9", "plate")
        try:
            plate = normalise_plate(text)
        except Invalid as error:
            raise RowFault("bad_plate", error.says, "plate") from None
        return fold_o(plate) if self.hot_list.folded else plate

    def _state(self, row: dict[str, str]) -> str | None:
        text = row.get("state")
        if text is None:
            return None
        told = self.mapping.values.get("state", {}).get(" ".join(text.upper().split()), text)
        if not told:
            return None
        state = state_code(told)
        if state is None:
            raise RowFault(
                "unknown_state",
                f"{_quoted(text)} is no state or province; translate "
                "it under values: state:, or leave it blank there",
                "state",
            )
        return state

    def _entered_at(self, row: dict[str, str]) -> datetime:
        text = row.get("entered_at")
        if text is None:
            return self.now
        found = self.mapping.entered_at(text)
        if found is None:
            raise self._bad_date(text, "entered_at")
        moment, is_day = found
        if moment > self.now + ENTERED_AHEAD_MAX:
            raise RowFault(
                "future_time",
                f"entered_at {_quoted(text)} lies in the future; the "
                "row is taken in once that day has come",
                "entered_at",
            )
        if moment < ENTERED_FROM:
            raise RowFault(
                "ancient_time", f"entered_at {_quoted(text)} lies before 1960", "entered_at"
            )
        if is_day:
            self.dated_to = timedelta(days=1)
        return moment

    def _expires_at(self, row: dict[str, str]) -> datetime | None:
        text = row.get("expires_at")
        if text is None:
            return None
        found = self.mapping.expires_at(text)
        if found is None:
            raise self._bad_date(text, "expires_at")
        return found[0] if found[0] < NEVER else None

    def _bad_date(self, text: str, field: str) -> RowFault:
        reader = self.mapping.entered_at if field == "entered_at" else self.mapping.expires_at
        return RowFault(
            "bad_date",
            f"{field} {_quoted(text)} is no date of the form {' or '.join(reader.formats)}",
            field,
        )

    def _vehicle(self, row: dict[str, str]) -> tuple[ListedVehicle | None, list[RowFault]]:
        """What the row says of the vehicle. An attribute we cannot read is left out and noted:
        a wrong one would stop a true match, a lost row would miss a stolen car."""
        told = [self._attribute(row, field) for field in _VEHICLE]
        year, notes = None, []
        text = row.get("year")
        if text is not None:
            if text.isascii() and text.isdigit() and len(text) == 4 and int(text) in YEARS:
                year = int(text)
            else:
                notes.append(
                    RowFault("bad_year", f"year {_quoted(text)} is no year; left out", "year")
                )
        if year is None and not any(told):
            return None, notes
        make, model, colour, kind = told
        return ListedVehicle(make, model, colour, kind, year), notes

    def _attribute(self, row: dict[str, str], field: str) -> str | None:
        text = row.get(field)
        if text is None:
            return None
        table = self.mapping.values.get(field)
        if table is None:
            return text.lower()
        return table.get(" ".join(text.upper().split()), "").lower() or None

    def _is_restricted(self, row: dict[str, str]) -> bool:
        text = row.get("restricted")
        if text is None:
            return False
        told = self.mapping.values.get("restricted", {}).get(text.upper(), text)
        return told.upper() not in _SAYS_NO


def _quoted(text: str) -> str:
    return repr(text if len(text) <= QUOTED_CHARACTERS_MAX else text[:QUOTED_CHARACTERS_MAX] + "…")
