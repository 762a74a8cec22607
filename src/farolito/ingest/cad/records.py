"""A file of calls, by its mapping: text, records, and each record's facts.

A record that cannot be a call is rejected alone. A fact that cannot be read (a code that nobody
translated, a time that fits no format) is left out, and named as a flaw of a record that goes in:
a shooting does not wait for a table.
"""

from __future__ import annotations

import csv
import io
import math
import re
from datetime import datetime
from typing import Any

import msgspec

from farolito.ingest import xml
from farolito.ingest.cad.decoded import Decoded, RejectedRecord, settle
from farolito.ingest.cad.encoding import decoded_text
from farolito.ingest.cad.json_text import json_value
from farolito.ingest.cad.kinds import kind_of
from farolito.ingest.cad.mapping import Mapping, Meaning, Section, plain_word
from farolito.ingest.cad.paths import Node, found, text_at, text_of
from farolito.ingest.cad.report import RECORDS_MAX, Report, ToldHazard, call_update
from farolito.ingest.cad.statuses import call_state_of, unit_status_of
from farolito.model import (
    CallKind,
    CallState,
    CallUpdate,
    CallVehicle,
    Device,
    HazardKind,
    Rejected,
    UnitStatus,
)

FILE_BYTES_MAX = 8 * 2**20  # a larger file is refused: an export of open calls is far smaller
ELEMENTS_MAX = 200_000  # of an XML file
FLAWS_MAX = 100  # of one file that are named; more are not
CODE_CHARACTERS_MAX = 40  # of a code that a flaw repeats

_STAMPS = (
    ("cleared_at", UnitStatus.CLEARED),
    ("on_scene_at", UnitStatus.ON_SCENE),
    ("en_route_at", UnitStatus.EN_ROUTE),
    ("assigned_at", UnitStatus.ASSIGNED),
)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
_JSON = msgspec.json.Decoder()


def decode_file(mapping: Mapping, body: bytes, device: Device, received_at: datetime) -> Decoded:
    """The calls of one file. Raises Rejected, and nothing else whatever the bytes."""
    if len(body) > FILE_BYTES_MAX:
        do = "let the CAD write open calls only"
        raise Rejected("too_large", f"a file of more than {FILE_BYTES_MAX} bytes", do, 413)
    whole, records = _records(mapping, body)
    if len(records) > RECORDS_MAX:
        do = "let the CAD write open calls only"
        raise Rejected("too_many", f"a file of {len(records)} calls", do, 413)
    updates: list[CallUpdate] = []
    errors: list[tuple[int, Rejected]] = []
    flaws: list[RejectedRecord] = []
    others = 0
    for item, lines in enumerate(records):
        if isinstance(lines[0], Rejected):
            errors.append((item, lines[0]))
            continue
        try:
            reader = _Record(mapping, _meaning(mapping, lines[0], whole), lines, whole)
            updates.append(call_update(reader.report(), device, received_at))
        except _OtherAgency:
            others += 1
        except Rejected as error:
            errors.append((item, error))
        else:
            flaws += [RejectedRecord(item, *flaw) for flaw in reader.flaws]
    return msgspec.structs.replace(settle(updates, errors, others), flaws=tuple(flaws[:FLAWS_MAX]))


class _OtherAgency(Exception):
    """A record that another agency's node takes."""


def _records(mapping: Mapping, body: bytes) -> tuple[Node, list[list[Node]]]:
    """The file's top and its records; a record of a CSV file may have several lines."""
    if mapping.format == "json":
        text = decoded_text(body, mapping.encoding)
        whole = json_value(_JSON, text.encode("utf-8", "replace"))
        return whole, [[record] for record in found(whole, mapping.records)]
    if mapping.format == "xml":
        text = decoded_text(body, mapping.encoding, is_xml=True)
        plain = _DECLARATION.sub("", text, count=1).encode("utf-8", "replace")
        top = xml.parse(plain, ELEMENTS_MAX)
        return top, [[record] for record in _xml_records(mapping, top)]
    return None, _csv_records(mapping, decoded_text(body, mapping.encoding))


def _xml_records(mapping: Mapping, top: xml.Element) -> list[Node]:
    steps = mapping.records.steps
    if not steps:
        return [top]
    if steps[0] != top.name:
        says = f"the file's top is <{top.name[:60]}>, not <{steps[0]}>"
        do = f"write records: {top.name[:60]}/… in the mapping"
        raise Rejected("wrong_shape", says, do)
    below = msgspec.structs.replace(mapping.records, steps=steps[1:], is_whole=False)
    return found(top, below)


def _csv_records(mapping: Mapping, text: str) -> list[list[Node]]:
    """Lines of one event number that follow each other are one record."""
    rows = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=mapping.delimiter,
        quotechar=mapping.quote or '"',
        quoting=csv.QUOTE_MINIMAL if mapping.quote else csv.QUOTE_NONE,
        strict=True,
    )
    names: list[str] = []
    records: list[list[Node]] = []
    last: str | None = None
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if mapping.header and not names:
                names = [cell.strip() for cell in row]
                _check_header(mapping, names)
                continue
            if names and len(row) < len(names):
                says = f"line {rows.line_num} has {len(row)} of {len(names)} columns"
                do = "it was cut short: write the file whole"
                records.append([Rejected("too_few_columns", says, do)])
                last = None
                continue
            line = dict(zip(names, row, strict=False)) if names else {}
            line |= {str(at): cell for at, cell in enumerate(row, start=1)}
            number = text_at(line, mapping.fields["number"])
            if number is not None and number == last:
                records[-1].append(line)
            else:
                records.append([line])
            last = number
    except csv.Error as error:
        says = f"line {rows.line_num}: {error}"
        raise Rejected("malformed_csv", says, "check quote: and delimiter:") from error
    return records


def _check_header(mapping: Mapping, names: list[str]) -> None:
    paths = [path for paths in mapping.fields.values() for path in paths]
    paths += [p for s in mapping.sections.values() for paths in s.fields.values() for p in paths]
    known = {*names, *(str(at) for at in range(1, len(names) + 1))}
    missing = [path.text for path in paths if path.steps and path.steps[0] not in known]
    if missing:
        says = f"the first line has no column {missing[0]!r}"
        shown = ", ".join(names[:20])[:300]
        raise Rejected("no_such_column", says, f"its columns are: {shown}")


def _meaning(mapping: Mapping, record: Node, whole: Node) -> Meaning:
    """What this record's agency means by its codes. Raises _OtherAgency, Rejected."""
    if not mapping.agencies:
        return mapping.common
    told = text_at(record, mapping.fields.get("ori", ()), whole)
    ori = told or mapping.common.constants.get("ori")
    if ori is None:
        raise Rejected("no_ori", "a record that does not say whose it is", "see agencies:")
    ori = mapping.common.values.get("ori", {}).get(plain_word(ori), ori)
    meaning = mapping.agencies.get(ori)
    if meaning is not None:
        return meaning
    if mapping.refuses_others:
        do = "add it under agencies:, or write other_agencies: skip"
        raise Rejected("other_agency", f"a record of agency {ori[:40]!r}", do)
    raise _OtherAgency


class _Record:
    """Reads one record's facts, and remembers what could not be read."""

    def __init__(self, mapping: Mapping, meaning: Meaning, lines: list[Node], whole: Node) -> None:
        self._mapping = mapping
        self._meaning = meaning
        self._lines = lines
        self._whole = whole
        self.flaws: list[tuple[str, str, str]] = []

    def report(self) -> Report:
        kind_code, kind_says = self._said("kind"), self._said("kind_says")
        return Report(
            number=self._said("number"),
            sent_at=self._time("sent_at"),
            ori=self._translated("ori"),
            taken_at=self._time("taken_at"),
            kind=self._kind(kind_code, kind_says),
            kind_says=kind_says or kind_code or self._meaning.constants.get("kind_says"),
            priority=self._priority(),
            state=self._state(),
            address=self._said("address"),
            lat=self._degrees("lat"),
            lon=self._degrees("lon"),
            within_m=self._number("within_m"),
            units=self._units(),
            notes=self._notes(),
            vehicles=self._vehicles(),
            hazards=self._hazards(),
            people=self._said("people"),
            going=self._said("going"),
            duplicate_of=self._said("duplicate_of"),
            transferred_to=self._translated("transferred_to"),
            transferred_from=self._translated("transferred_from"),
        )

    def _flaw(self, reason: str, says: str, do: str) -> None:
        if (reason, says, do) not in self.flaws:
            self.flaws.append((reason, says, do))

    def _said(self, field: str) -> str | None:
        return text_at(self._lines[0], self._mapping.fields.get(field, ()), self._whole)

    def _meant(self, field: str, told: str | None) -> str | None:
        """A code in the table's word, itself where the table does not have it."""
        if told is None:
            return self._meaning.constants.get(field)
        return self._meaning.values.get(field, {}).get(plain_word(told), told)

    def _translated(self, field: str) -> str | None:
        return self._meant(field, self._said(field))

    def _unknown(self, field: str, told: str) -> None:
        code = told[:CODE_CHARACTERS_MAX]
        says = f"{field.replace('_', ' ')} {code!r} is not known"
        self._flaw("unknown_value", says, f"add {code!r} under values: {field}:")

    def _kind(self, code: str | None, says: str | None) -> CallKind | None:
        """The table's word for the code, or for the words; else what the words surely mean."""
        for told in (code, says):
            meant = None if told is None else self._meant("kind", told)
            if meant in _KINDS and meant is not None:
                return CallKind(meant)
        kinds = [kind_of(told) for told in (says, code) if told]
        surely = next((kind for kind in kinds if kind is not CallKind.OTHER), None)
        if surely is not None or not kinds:
            constant = self._meaning.constants.get("kind")
            return surely or (CallKind(constant) if constant else None)
        return CallKind.OTHER

    def _priority(self) -> int | None:
        told = self._translated("priority")
        if told is None:
            return None
        if told.isascii() and told.isdigit() and len(told) <= 2:
            return int(told)
        self._unknown("priority", told)
        return None

    def _state(self) -> CallState | None:
        """By its word; where there is none, by whether a time of closing is told."""
        told = self._translated("state")
        if told is not None:
            state = CallState(told) if told in _STATES else call_state_of(told)
            if state is not None:
                return state
            self._unknown("state", told)
        if "closed_at" not in self._mapping.fields:
            return None
        return CallState.CLOSED if self._said("closed_at") else CallState.OPEN

    def _moment(self, field: str, told: str | None) -> datetime | None:
        if told is None:
            return None
        read = self._mapping.times(told)
        if read is None:
            says = f"{field} {told[:CODE_CHARACTERS_MAX]!r} fits no format of times:"
            self._flaw("bad_time", says, "write its format under times: format:")
            return None
        return read[0]

    def _time(self, field: str) -> datetime | None:
        return self._moment(field, self._said(field))

    def _number(self, field: str) -> float | None:
        told = self._said(field)
        if told is None:
            return None
        try:
            value = float(told)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            says = f"{field} {told[:CODE_CHARACTERS_MAX]!r} is no number"
            self._flaw("bad_number", says, "map it to a column of plain numbers")
            return math.nan
        return value

    def _degrees(self, field: str) -> float | None:
        told = self._number(field)
        return None if told is None else round(told * self._mapping.scale, 7)

    def _items(self, name: str) -> list[Node] | None:
        """What stands several times; None where the mapping does not say where."""
        section = self._mapping.sections.get(name)
        if section is None:
            return None
        items = [item for line in self._lines for item in found(line, section.each, self._whole)]
        return _split(items, section) if section.split else items

    def _in(self, section: str, item: Node, field: str) -> str | None:
        paths = self._mapping.sections[section].fields.get(field, ())
        return text_at(item, paths, self._whole)

    def _units(self) -> list[tuple[str, UnitStatus, datetime | None]] | None:
        items = self._items("units")
        if items is None:
            return None
        units = []
        for item in items:
            name = self._in("units", item, "unit")
            read = None if name is None else self._doing(item)
            if name is not None and read is not None:
                units.append((name, *read))
        return units

    def _doing(self, item: Node) -> tuple[UnitStatus, datetime | None] | None:
        """What a unit does: by its word, or by the furthest time that is told."""
        at = self._moment("at", self._in("units", item, "at"))
        told = self._meant("unit_status", self._in("units", item, "status"))
        if told is not None:
            status = UnitStatus(told) if told in _STATUSES else unit_status_of(told)
            if status is not None:
                return status, at
            self._unknown("unit_status", told)
        for field, status in _STAMPS:
            stamp = self._in("units", item, field)
            if stamp is not None:
                return status, self._moment(field, stamp)
        return None

    def _notes(self) -> list[tuple[str | None, datetime | None, str]]:
        notes = []
        for item in self._items("notes") or ():
            says = self._in("notes", item, "says")
            if says is not None:
                at = self._moment("at", self._in("notes", item, "at"))
                notes.append((self._in("notes", item, "note_id"), at, says))
        return notes

    def _vehicles(self) -> list[CallVehicle] | None:
        items = self._items("vehicles")
        if items is None:
            return None
        names = ("plate", "state", "model", "kind")
        return [
            CallVehicle(
                says=self._in("vehicles", item, "says") or "",
                colour=self._meant("colour", self._in("vehicles", item, "colour")),
                make=self._meant("make", self._in("vehicles", item, "make")),
                **{name: self._in("vehicles", item, name) for name in names},
            )
            for item in items
        ]

    def _hazards(self) -> list[ToldHazard]:
        hazards = []
        for item in self._items("hazards") or ():
            says = self._in("hazards", item, "says")
            if says is None:
                continue
            told = self._meant("hazard_kind", self._in("hazards", item, "kind"))
            kind = HazardKind(told) if told in _HAZARDS and told else HazardKind.OTHER
            source = self._in("hazards", item, "source")
            hazards.append(
                ToldHazard(
                    kind=kind,
                    says=says,
                    source=source or self._meaning.constants.get("hazard_source"),
                    as_of=self._moment("as_of", self._in("hazards", item, "as_of")),
                    expires_at=self._moment("expires_at", self._in("hazards", item, "expires_at")),
                )
            )
        return hazards


_KINDS, _STATES = frozenset(CallKind), frozenset(CallState)
_STATUSES, _HAZARDS = frozenset(UnitStatus), frozenset(HazardKind)


def _split(items: list[Node], section: Section) -> list[Any]:
    texts = [text for item in items if (text := text_of(item))]
    pieces = (piece.strip() for text in texts for piece in text.split(section.split))
    return [piece for piece in pieces if piece]
