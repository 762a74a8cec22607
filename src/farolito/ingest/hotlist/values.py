"""Cells of one row into the values of an entry: plate, state, dates, vehicle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from farolito.ingest.dates import NEVER
from farolito.ingest.hotlist.mapping import Mapping
from farolito.ingest.hotlist.rows import RowFault
from farolito.model import Invalid, ListedVehicle, fold_o, normalise_plate, state_code

REMEMBERED_MAX = 100_000  # different texts of one column; then forgotten: it only saves time
QUOTED_CHARACTERS_MAX = 40  # of a value, in what we say of a bad row
ENTERED_AHEAD_MAX = timedelta(days=1)  # clocks differ, and a day's date is no instant
ENTERED_FROM = datetime(1960, 1, 1, tzinfo=UTC)
YEARS = range(1900, NEVER.year)

# A starred or questioned character is one that somebody hid or could not read: leaving it out
# would make another car's plate of it.
_MASKS = frozenset("*?%#")
_SAYS_NO = frozenset({"NO", "N", "FALSE", "0"})
_VEHICLE = ("make", "model", "colour", "kind", "year")


class Values:
    """Reads the values of one file's rows. Each raises RowFault for what it cannot read.

    `dated_to` is how exactly the rows so far say when they were entered.
    """

    def __init__(self, mapping: Mapping, folded: bool, now: datetime) -> None:
        self.mapping, self.folded, self.now = mapping, folded, now
        self.dated_to = timedelta(0)
        self._states: dict[str, str | None] = {}
        self._vehicles: dict[
            tuple[str | None, ...], tuple[ListedVehicle | None, RowFault | None]
        ] = {}

    def plate(self, row: dict[str, str]) -> str:
        text = row["plate"]
        if not text.isalnum() and not _MASKS.isdisjoint(text):
            raise RowFault("masked_plate", "the plate holds a masked or unread character", "plate")
        if not text.isascii() and any(c.isalnum() and not c.isascii() for c in text):
            raise RowFault("bad_plate", "the plate holds a letter that is not A-Z or 0-9", "plate")
        try:
            plate = normalise_plate(text)
        except Invalid as error:
            raise RowFault("bad_plate", error.says, "plate") from None
        return fold_o(plate) if self.folded else plate

    def state(self, row: dict[str, str]) -> str | None:
        text = row.get("state")
        if text is None:
            return None
        try:
            return self._states[text]
        except KeyError:
            if len(self._states) >= REMEMBERED_MAX:
                self._states.clear()
            state = self._states[text] = self._find_state(text)
            return state

    def _find_state(self, text: str) -> str | None:
        told = self.mapping.values.get("state", {}).get(" ".join(text.upper().split()), text)
        state = state_code(told)
        if told and state is None:
            raise RowFault(
                "unknown_state",
                f"{quoted(text)} is no state or province; translate it under values: state:, "
                "or leave it blank there",
                "state",
            )
        return state

    def entered_at(self, row: dict[str, str]) -> datetime:
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
                f"entered_at {quoted(text)} lies in the future; the "
                "row is taken in once that day has come",
                "entered_at",
            )
        if moment < ENTERED_FROM:
            raise RowFault(
                "ancient_time", f"entered_at {quoted(text)} lies before 1960", "entered_at"
            )
        if is_day:
            self.dated_to = timedelta(days=1)
        return moment

    def expires_at(self, row: dict[str, str]) -> datetime | None:
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
            f"{field} {quoted(text)} is no date of the form {' or '.join(reader.formats)}",
            field,
        )

    def vehicle(self, row: dict[str, str]) -> tuple[ListedVehicle | None, RowFault | None]:
        """What the row says of the vehicle. A year we cannot read is left out and noted: a wrong
        one would stop a true match, a lost row would miss a stolen car."""
        said = tuple(map(row.get, _VEHICLE))
        if not any(said):
            return None, None
        found = self._vehicles.get(said)
        if found is None:
            if len(self._vehicles) >= REMEMBERED_MAX:
                self._vehicles.clear()
            found = self._vehicles[said] = self._make_vehicle(said)
        return found

    def _make_vehicle(
        self, said: tuple[str | None, ...]
    ) -> tuple[ListedVehicle | None, RowFault | None]:
        make, model, colour, kind = map(self._attribute, _VEHICLE, said[:-1])
        year, note, text = None, None, said[-1]
        if text is not None and len(text) == 4 and text.isascii() and text.isdigit():
            year = int(text) if int(text) in YEARS else None
        if text is not None and year is None:
            note = RowFault("bad_year", f"year {quoted(text)} is no year; left out", "year")
        if not any((make, model, colour, kind, year)):
            return None, note
        return ListedVehicle(make, model, colour, kind, year), note

    def _attribute(self, field: str, text: str | None) -> str | None:
        if text is None:
            return None
        table = self.mapping.values.get(field)
        if table is None:
            return text.lower()
        return table.get(" ".join(text.upper().split()), "").lower() or None

    def is_restricted(self, row: dict[str, str]) -> bool:
        text = row.get("restricted")
        if text is None:
            return False
        told = self.mapping.values.get("restricted", {}).get(text.upper(), text)
        return told.upper() not in _SAYS_NO


def quoted(text: str) -> str:
    return repr(text if len(text) <= QUOTED_CHARACTERS_MAX else text[:QUOTED_CHARACTERS_MAX] + "…")
