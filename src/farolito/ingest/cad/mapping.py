"""The mapping file: where in an agency's CAD files which fact stands, and what its codes mean.

A mapping is YAML that a person who writes no programs can write; docs/formats/cad.md explains
every word. Values are taken as the text that stands there, and every fault is told with its line.
"""

from __future__ import annotations

import difflib
from collections import abc
from pathlib import Path
from typing import Literal, cast
from zoneinfo import ZoneInfo

import msgspec

from farolito.ingest.cad.paths import Path as FieldPath
from farolito.ingest.cad.paths import path_of
from farolito.ingest.dates import DateReader
from farolito.ingest.mapping_text import Tree, merged, read_yaml
from farolito.model import CallKind, CallState, HazardKind, Invalid, UnitStatus

FAULTS_SHOWN_MAX = 20  # of one mapping; more are only counted
AGENCIES_MAX = 200

FIELDS = (
    "number", "sent_at", "ori", "taken_at", "kind", "kind_says", "priority", "state", "closed_at",
    "address", "lat", "lon", "within_m", "people", "going", "duplicate_of", "transferred_to",
    "transferred_from",
)  # fmt: skip
SECTIONS: abc.Mapping[str, tuple[str, ...]] = {
    "units": ("unit", "status", "at", "assigned_at", "en_route_at", "on_scene_at", "cleared_at"),
    "notes": ("says", "at", "note_id"),
    "vehicles": ("says", "plate", "state", "colour", "make", "model", "kind"),
    "hazards": ("says", "kind", "source", "as_of", "expires_at"),
}
_NEEDED = {"units": "unit", "notes": "says", "hazards": "says"}
_WORDS = {
    "name", "format", "encoding", "records", "delimiter", "quote", "header", "fields", *SECTIONS,
    "values", "constants", "times", "coordinates", "agencies", "other_agencies",
}  # fmt: skip
# What a table's words must be, where the product knows a closed list.
_CLOSED: abc.Mapping[str, frozenset[str]] = {
    "kind": frozenset(CallKind),
    "state": frozenset(CallState),
    "unit_status": frozenset(UnitStatus),
    "hazard_kind": frozenset(HazardKind),
    "priority": frozenset("123456789"),
}
_TABLES = (*FIELDS, "unit_status", "hazard_kind", "colour", "make")
_CONSTANTS = (
    "ori", "kind", "kind_says", "priority", "state", "transferred_from", "unit_status",
    "hazard_kind", "hazard_source",
)  # fmt: skip
_ALIASES = {"color": "colour"}
_DELIMITERS = {
    "tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "colon": ":", "pipe": "|",
    "newline": "\n", "space": " ",
}  # fmt: skip
ENCODINGS = {
    "utf-8": "utf-8", "utf8": "utf-8", "ascii": "ascii", "us-ascii": "ascii",
    "latin-1": "latin-1", "latin1": "latin-1", "iso-8859-1": "latin-1",
    "windows-1252": "cp1252", "cp1252": "cp1252", "utf-16": "utf-16", "auto": "",
}  # fmt: skip
_SCALES = {"degrees": 1.0, "microdegrees": 1e-6}

Table = abc.Mapping[str, str]


class Section(msgspec.Struct, frozen=True):
    """What stands several times in a record: units, notes, vehicles, hazards.

    `each`: where they stand; empty for the record itself (a line of a CSV file is one unit).
    `split`: what stands between them where they share one text.
    """

    each: FieldPath
    fields: abc.Mapping[str, tuple[FieldPath, ...]]
    split: str = ""


class Meaning(msgspec.Struct, frozen=True):
    """What an agency's codes mean, and what is true of all its records.

    `values` by field, keyed by the CAD's own word in upper case.
    """

    values: abc.Mapping[str, Table]
    constants: Table


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping file, checked. Several paths for a field: their texts, joined by blanks.

    `agencies`: the meaning for each ORI whose records are taken; empty takes all with `common`.
    `encoding`: "" finds it out by the file's own marks.
    """

    name: str
    format: Literal["xml", "json", "csv"]
    fields: abc.Mapping[str, tuple[FieldPath, ...]]
    sections: abc.Mapping[str, Section]
    times: DateReader
    common: Meaning
    agencies: abc.Mapping[str, Meaning]
    records: FieldPath
    encoding: str = ""
    delimiter: str = ","
    quote: str | None = '"'
    header: bool = True
    refuses_others: bool = False
    scale: float = 1.0

    @property
    def is_timed(self) -> bool:
        """Whether its files say when they were made: then the same bytes are the same message."""
        return "sent_at" in self.fields


def load_mapping(source: Path | str | bytes) -> Mapping:
    """The mapping in a file (a Path) or in YAML text. Raises Invalid with every fault's line."""
    if not isinstance(source, Path):
        return _build(read_yaml(source))
    try:
        written = source.read_bytes()
    except OSError as error:
        says = f"the mapping {source.name} cannot be read ({error.strerror})"
        raise Invalid(says, "check its path") from None
    return _build(read_yaml(written))


def _build(tree: Tree) -> Mapping:
    for word in tree.words():
        if word not in _WORDS:
            tree.fault(word, f"{word!r} is no word of a mapping", _like(word, _WORDS))
    kind = tree.one_of("format", ("xml", "json", "csv"), "")
    if not kind:
        tree.fault("format", "nothing says what the files are", "add format: xml, json or csv")
    fields = _fields(tree, ("fields",), FIELDS, kind)
    if "number" not in fields:
        do = "add number: under fields:, where the event number stands"
        tree.fault("fields", "nothing says where the call's number stands", do)
    sections = {
        name: section
        for name in SECTIONS
        if tree.value(name) is not None
        if (section := _section(tree, name, kind)) is not None
    }
    common = _meaning(tree)
    agencies = _agencies(tree)
    _check_units(tree, sections, [common, *agencies.values()])
    if agencies and "ori" not in fields and "ori" not in common.constants:
        do = "add ori: under fields:, or leave agencies: out"
        tree.fault("agencies", "nothing says which agency a record is of", do)
    mapping = Mapping(
        name=tree.text("name") or "a CAD",
        format=cast("Literal['xml', 'json', 'csv']", kind or "xml"),
        fields=fields,
        sections=sections,
        times=_times(tree, fields, sections),
        common=common,
        agencies=agencies,
        records=path_of(tree.text("records") or "", "json"),
        encoding=_encoding(tree),
        delimiter=_delimiter(tree, ("delimiter",), ","),
        quote=_quote(tree),
        header=tree.one_of("header", ("yes", "no", "true", "false"), "yes") in {"yes", "true"},
        refuses_others=tree.one_of("other_agencies", ("skip", "refuse"), "skip") == "refuse",
        scale=_SCALES[tree.one_of("coordinates", tuple(_SCALES), "degrees")],
    )
    tree.raise_faults(FAULTS_SHOWN_MAX)
    return mapping


def _like(word: str, known: abc.Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]}?" if near else f"known are: {', '.join(sorted(known))}"


def _fields(
    tree: Tree, where: tuple[str, ...], known: tuple[str, ...], kind: str
) -> dict[str, tuple[FieldPath, ...]]:
    fields = {}
    for word in tree.branch(*where):
        field = _ALIASES.get(word, word)
        if where != ("fields",) and word in {"each", "split"}:
            continue
        if field not in known:
            tree.fault((*where, word), f"{word!r} is no field of {where[-1]}", _like(word, known))
            continue
        paths = [path for path in tree.texts((*where, word), ()) if path]
        if not paths:
            do = "write where it stands, or remove the line"
            tree.fault((*where, word), f"{word} says no place in the file", do)
        fields[field] = tuple(path_of(path, kind) for path in paths)
    return fields


def _section(tree: Tree, name: str, kind: str) -> Section | None:
    fields = _fields(tree, (name,), SECTIONS[name], kind)
    needed = _NEEDED.get(name)
    if needed and needed not in fields:
        do = f"add {needed}: under {name}: (a dot means the text itself)"
        tree.fault(name, f"nothing says where {needed} stands", do)
    each = tree.text((name, "each")) or ""
    split = _delimiter(tree, (name, "split"), "") if tree.text((name, "split"), False) else ""
    return Section(path_of(each, kind), fields, split)


def _check_units(tree: Tree, sections: abc.Mapping[str, Section], all_: list[Meaning]) -> None:
    units = sections.get("units")
    if units is None or not units.fields:
        return
    says = any(field not in {"unit", "at"} for field in units.fields)
    if not says and not all("unit_status" in meaning.constants for meaning in all_):
        do = "add status:, or assigned_at: and its like, or constants: {unit_status: assigned}"
        tree.fault("units", "nothing says what a unit is doing", do)


def _meaning(tree: Tree) -> Meaning:
    return Meaning(_values(tree), _constants(tree))


def _values(tree: Tree) -> dict[str, dict[str, str]]:
    values: dict[str, dict[str, str]] = {}
    for word in tree.branch("values"):
        field = _ALIASES.get(word, word)
        if field not in _TABLES:
            do = _like(word, _TABLES)
            tree.fault(("values", word), f"values of {word!r} are not translated", do)
            continue
        table = tree.table(("values", word))
        for theirs, ours in table.items():
            _check_word(tree, ("values", word, theirs), field, ours)
        values[field] = {plain_word(theirs): ours for theirs, ours in table.items()}
    return values


def plain_word(told: str) -> str:
    """A code as it is looked up: letter case and blanks make no difference."""
    return " ".join(told.upper().split())


def _constants(tree: Tree) -> dict[str, str]:
    constants = tree.table("constants")
    for word, text in constants.items():
        if word not in _CONSTANTS:
            do = _like(word, _CONSTANTS)
            tree.fault(("constants", word), f"{word!r} cannot be a constant", do)
        else:
            _check_word(tree, ("constants", word), word, text)
    return constants


def _check_word(tree: Tree, path: tuple[str, ...], field: str, ours: str) -> None:
    known = _CLOSED.get(field)
    if known is not None and ours not in known:
        tree.fault(path, f"{ours!r} is no {field.replace('_', ' ')} of ours", _like(ours, known))


def _agencies(tree: Tree) -> dict[str, Meaning]:
    """`agencies: [ORI, …]`, or a table of what is different at each."""
    value = tree.value("agencies")
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        listed = tree.texts("agencies", ())
        return {ori: _meaning(tree) for ori in listed[:AGENCIES_MAX]}
    agencies = {}
    for ori, own in list(value.items())[:AGENCIES_MAX]:
        if own not in ("", []) and not isinstance(own, dict):
            do = "write values: or constants: under it, or nothing"
            tree.fault(("agencies", ori), f"what is different at {ori} is no table", do)
            continue
        differs = own if isinstance(own, dict) else {}
        for word in differs:
            if word not in {"values", "constants"}:
                do = "values: and constants: may differ by agency"
                tree.fault(("agencies", ori, word), f"{word!r} cannot differ by agency", do)
        # Faults inside are told with the line of the agency: `lines` are those of the whole file.
        over = Tree(differs, {("values",): tree.line(("agencies", ori)) or 0})
        whole = merged(Tree({k: tree.root.get(k, "") for k in ("values", "constants")}, {}), over)
        agencies[ori] = _meaning(whole)
        tree.faults.extend(fault for fault in whole.faults if fault not in tree.faults)
    return agencies


def _times(
    tree: Tree,
    fields: abc.Mapping[str, object],
    sections: abc.Mapping[str, Section],
) -> DateReader:
    for word in tree.branch("times"):
        if word not in {"format", "zone"}:
            tree.fault(("times", word), f"{word!r} is no word of times:", "use format and zone")
    names = [*fields, *(name for section in sections.values() for name in section.fields)]
    told = [name for name in names if name == "at" or name.endswith("_at") or name == "as_of"]
    zone_name = tree.text(("times", "zone"))
    if told and zone_name is None:
        do = "add times: with zone: below it, such as America/Denver or UTC"
        tree.fault("times", f"nothing says which time zone {told[0]} is in", do)
    try:
        zone = ZoneInfo(zone_name or "UTC")
    except (ValueError, OSError, KeyError):  # a wrong name raises any of these
        do = "use an IANA name such as America/Denver"
        tree.fault(("times", "zone"), f"{zone_name!r} is no time zone", do)
        zone = ZoneInfo("UTC")
    try:
        return DateReader(tree.texts(("times", "format"), ("iso",)), zone)
    except Invalid as error:
        tree.fault(("times", "format"), error.says, error.do)
        return DateReader(("iso",), zone)


def _encoding(tree: Tree) -> str:
    text = (tree.text("encoding") or "auto").lower()
    if text not in ENCODINGS:
        do = "use utf-8, windows-1252, latin-1, ascii, utf-16 or auto"
        tree.fault("encoding", f"{text!r} is no encoding we read", do)
    return ENCODINGS.get(text, "")


def _delimiter(tree: Tree, path: tuple[str, ...], otherwise: str) -> str:
    text = tree.text(path, strip=False)
    if text is None:
        return otherwise
    mark = _DELIMITERS.get(text.strip().lower(), text)
    if len(mark) != 1:
        do = "write one character in quotes, or comma, semicolon, pipe, tab, space, newline"
        tree.fault(path, f"{text!r} is no single character", do)
        return otherwise or ","
    return mark


def _quote(tree: Tree) -> str | None:
    text = tree.text("quote")
    if text in {None, '"', "'"}:
        return text or '"'
    if text != "none":
        tree.fault("quote", f"{text!r} is no quote", "write '\"' or none")
    return None
