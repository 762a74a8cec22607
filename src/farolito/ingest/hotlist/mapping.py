"""The mapping file: which column of somebody's list means what.

A mapping is YAML that a person who writes no programs can write; docs/hot-lists.md explains every
word of it. Every value is taken as the text that stands there (YAML's own guesses turn the
province `ON` and the country `NO` into booleans), and every fault is reported with its line.
"""

from __future__ import annotations

import difflib
import re
from collections import abc
from importlib import resources
from pathlib import Path
from typing import Literal, cast
from zoneinfo import ZoneInfo

import msgspec

from farolito.ingest.dates import DateReader
from farolito.ingest.mapping_text import Tree, faulty, merged, read_dict, read_yaml
from farolito.model import Invalid

READY = ("flock", "genetec")  # the mappings that come with the product
FAULTS_SHOWN_MAX = 20  # of one mapping; more are only counted

FIELDS = (
    "plate", "state", "category", "reason", "source_agency", "entered_at", "expires_at",
    "confirm_with", "case", "key", "make", "model", "colour", "kind", "year", "restricted",
)  # fmt: skip
_ALIASES = {"color": "colour", "case_number": "case"}
_DATE_FIELDS = ("entered_at", "expires_at")
_NEEDED = ("category", "source_agency", "confirm_with")
_TRANSLATED = ("state", "make", "model", "colour", "kind", "restricted")
_WORDS = {
    "start_from", "name", "format", "encoding", "delimiter", "quote", "header", "skip_lines",
    "ignore_lines_starting", "column_count", "record_length", "missing_columns_are_blank",
    "rows_at", "next_page_at", "columns", "dates", "categories", "other_categories", "values",
    "defaults", "required", "blank", "folded",
}  # fmt: skip
_BLANK = ("", "-", "N/A", "NULL", "NONE", "UNK", "UNKNOWN")
_DELIMITERS = {
    "tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "colon": ":", "pipe": "|",
}  # fmt: skip
_ENCODINGS = {
    "utf-8": "utf-8", "utf8": "utf-8", "ascii": "ascii", "us-ascii": "ascii",
    "latin-1": "latin-1", "latin1": "latin-1", "iso-8859-1": "latin-1",
    "windows-1252": "cp1252", "cp1252": "cp1252", "utf-16": "utf-16",
}  # fmt: skip
_YES, _NO = {"yes", "true", "on"}, {"no", "false", "off"}
_SPAN = re.compile(r"(\d{1,5})\s*-\s*(\d{1,5})", re.ASCII)
_SLUG = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*", re.ASCII)
LEAVE_OUT = "leave_out"  # a category of this name is counted and not taken in


class Span(msgspec.Struct, frozen=True):
    """Characters `first` to `last` of a line, counted from 1, both included."""

    first: int
    last: int


Column = str | int | Span  # a header's word or a JSON path; a number from 1; characters


class Category(msgspec.Struct, frozen=True):
    """What one of the list's own category words means here."""

    name: str
    reason: str


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping file, checked. `columns` says where a field of ours stands in theirs.

    `categories` is keyed by the list's own word in upper case. `other_category` is the category
    of a word that is not among them: a name, `keep` (the word itself) or None (a bad row).
    `values` translates single values, keyed by upper case; what is not in a field's table is
    "not told" (a state outside it must be a real state).
    `folded`: its issuer stores the letter O as zero.
    """

    name: str
    format: Literal["delimited", "fixed_width", "json"]
    columns: abc.Mapping[str, Column]
    entered_at: DateReader
    expires_at: DateReader
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str | None = '"'
    header: bool = False
    skip_lines: int = 0
    ignore_lines_starting: tuple[str, ...] = ()
    column_count: int | None = None
    record_length: int | None = None
    missing_columns_are_blank: bool = False
    rows_at: str = ""
    next_page_at: str = ""
    categories: abc.Mapping[str, Category] = {}
    other_category: str | None = None
    values: abc.Mapping[str, abc.Mapping[str, str]] = {}
    defaults: abc.Mapping[str, str] = {}
    required: frozenset[str] = frozenset({"plate", "source_agency", "confirm_with"})
    blank: frozenset[str] = frozenset({""})
    folded: bool = False


def load_mapping(source: Path | str | bytes | abc.Mapping[str, object]) -> Mapping:
    """The mapping in a file (a Path), in YAML text (str or bytes; never taken as a path), or made
    of plain values. Raises Invalid, naming line and word of every fault and what to do."""
    if isinstance(source, Path):
        source = _file_bytes(source)
    tree = read_dict(source) if isinstance(source, abc.Mapping) else read_yaml(source)
    base = tree.text("start_from")
    if base is not None:
        if base not in READY:
            raise faulty(
                tree.line("start_from"),
                f"there is no ready mapping {base!r}",
                f"start from {' or '.join(READY)}",
            )
        tree = merged(read_yaml(_ready_text(base)), tree)
    return _build(tree)


def ready_mapping(name: str, defaults: abc.Mapping[str, str] | None = None) -> Mapping:
    """One of the READY mappings, with this agency's own defaults over its own."""
    return load_mapping({"start_from": name, "defaults": dict(defaults or {})})


def _file_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Invalid(
            f"the mapping {path.name} cannot be read ({error.strerror})", "check its path"
        ) from None


def _ready_text(name: str) -> bytes:
    return (resources.files(__package__) / "ready" / f"{name}.yaml").read_bytes()


def _build(tree: Tree) -> Mapping:
    for word in tree.words():
        if word not in _WORDS:
            tree.fault(word, f"{word!r} is no word of a mapping", _like(word, _WORDS))
    kind = tree.one_of("format", ("delimited", "fixed_width", "json"), "delimited")
    columns = _columns(tree, kind)
    header = _yes(tree, "header", any(isinstance(c, str) for c in columns.values()))
    defaults = _defaults(tree)
    _check_columns(tree, kind, columns, header)
    for field in _NEEDED:
        if field not in columns and field not in defaults:
            tree.fault(
                "columns",
                f"nothing says what {field} is",
                f"name its column under columns:, or give {field} under defaults:",
            )
    readers = {field: _dates(tree, field, field in columns) for field in _DATE_FIELDS}
    mapping = Mapping(
        name=tree.text("name") or "a list",
        format=cast("Literal['delimited', 'fixed_width', 'json']", kind),
        columns=columns,
        entered_at=readers["entered_at"],
        expires_at=readers["expires_at"],
        encoding=_encoding(tree),
        delimiter=_delimiter(tree),
        quote=_quote(tree),
        header=header and kind == "delimited",
        skip_lines=tree.number("skip_lines", 0) or 0,
        ignore_lines_starting=tree.texts("ignore_lines_starting", ()),
        column_count=tree.number("column_count", None),
        record_length=tree.number("record_length", None),
        missing_columns_are_blank=_yes(tree, "missing_columns_are_blank", False),
        rows_at=tree.text("rows_at") or "",
        next_page_at=tree.text("next_page_at") or "",
        categories=_categories(tree),
        other_category=_other_category(tree),
        values=_values(tree),
        defaults=defaults,
        required=_required(tree, columns, defaults),
        blank=_blank(tree),
        folded=_yes(tree, "folded", False),
    )
    tree.raise_faults(FAULTS_SHOWN_MAX)
    return mapping


def _like(word: str, known: abc.Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]}?" if near else f"known are: {', '.join(sorted(known))}"


def _field(tree: Tree, section: str, word: str) -> str | None:
    field = _ALIASES.get(word, word)
    if field in FIELDS:
        return field
    tree.fault((section, word), f"{word!r} is no field of a hot list row", _like(word, FIELDS))
    return None


def _columns(tree: Tree, kind: str) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    for word, text in tree.table("columns").items():
        field = _field(tree, "columns", word)
        if field is None:
            continue
        span = _SPAN.fullmatch(text)
        if kind == "fixed_width":
            if span is None or not 0 < int(span[1]) <= int(span[2]):
                tree.fault(
                    ("columns", word),
                    f"{text!r} is no range of characters",
                    "write first-last, counted from 1, such as 1-10",
                )
                continue
            columns[field] = Span(int(span[1]), int(span[2]))
        elif kind == "delimited" and text.isascii() and text.isdigit():
            columns[field] = int(text)
        else:
            columns[field] = text
    return columns


def _check_columns(tree: Tree, kind: str, columns: abc.Mapping[str, Column], header: bool) -> None:
    if "plate" not in columns:
        tree.fault("columns", "no column holds the plate", "add plate: under columns:")
    for field, column in columns.items():
        path = ("columns", field)
        if column in ("", 0):
            tree.fault(path, f"the column of {field} is empty or 0", "columns count from 1")
        if kind == "delimited" and isinstance(column, str) and not header:
            tree.fault(
                path,
                f"{column!r} is a name, and header is no",
                "give the column's number, or header: yes if line 1 names the columns",
            )


def _defaults(tree: Tree) -> dict[str, str]:
    defaults = {}
    for word, text in tree.table("defaults").items():
        field = _field(tree, "defaults", word)
        if field in ("plate", "key"):
            tree.fault(("defaults", word), f"{field} cannot have a default", "remove it")
        elif field == "category" and not _SLUG.fullmatch(text):
            tree.fault(
                ("defaults", word),
                f"{text!r} is no category name",
                "use lower case letters, digits and _, such as stolen_vehicle",
            )
        elif field is not None and text:
            defaults[field] = text
    return defaults


def _required(
    tree: Tree, columns: abc.Mapping[str, Column], defaults: abc.Mapping[str, str]
) -> frozenset[str]:
    required = {"plate", "source_agency", "confirm_with"}
    for word in tree.texts("required", ()):
        field = _field(tree, "required", word)
        if field is not None and field not in columns and field not in defaults:
            tree.fault(
                "required",
                f"{field} is required and has neither column nor default",
                f"add {field}: under columns: or defaults:",
            )
        elif field is not None:
            required.add(field)
    return frozenset(required)


def _dates(tree: Tree, field: str, is_mapped: bool) -> DateReader:
    """`dates:` holds format and zone for both, and under a field's own name for that one."""
    table, own = tree.branch("dates"), tree.branch("dates", field)
    for word in (*table, *own):
        if word not in {"format", "zone", "expiry", *_DATE_FIELDS}:
            tree.fault(
                ("dates", word),
                f"{word!r} is no word of dates:",
                "use format, zone, expiry, entered_at, expires_at",
            )
    where = ("dates", field) if own else ("dates",)
    formats = tree.texts((*where, "format"), tree.texts(("dates", "format"), ("iso",)))
    zone_name = tree.text((*where, "zone")) or tree.text(("dates", "zone"))
    expiry = tree.one_of(("dates", "expiry"), ("start_of_day", "end_of_day"), "start_of_day")
    if is_mapped and zone_name is None:
        tree.fault(
            "dates",
            f"nothing says which time zone {field} is in",
            "add zone: under dates:, such as America/Denver or UTC",
        )
    try:
        zone = ZoneInfo(zone_name or "UTC")
    except (ValueError, OSError, KeyError):  # a wrong name raises any of these
        zone = None
    if zone is None:
        tree.fault(
            (*where, "zone"),
            f"{zone_name!r} is no time zone",
            "use an IANA name such as America/Denver",
        )
    try:
        return DateReader(
            formats, zone or ZoneInfo("UTC"), field == "expires_at" and expiry == "end_of_day"
        )
    except Invalid as error:
        tree.fault((*where, "format"), error.says, error.do)
        return DateReader(("iso",), ZoneInfo("UTC"))


def _categories(tree: Tree) -> dict[str, Category]:
    categories = {}
    for word, value in tree.branch("categories").items():
        if isinstance(value, dict):
            name = tree.text(("categories", word, "category")) or ""
            reason = tree.text(("categories", word, "reason")) or ""
        else:
            name, reason = tree.text(("categories", word)) or "", ""
        if not _SLUG.fullmatch(name):
            tree.fault(
                ("categories", word),
                f"{name!r} is no category name",
                "use lower case letters, digits and _, such as stolen_vehicle",
            )
        categories[" ".join(word.upper().split())] = Category(
            name, reason or name.replace("_", " ")
        )
    return categories


def _other_category(tree: Tree) -> str | None:
    text = tree.text("other_categories")
    if text is None:
        return None if tree.branch("categories") else "keep"
    if text == "refuse":
        return None
    if not _SLUG.fullmatch(text):
        tree.fault(
            "other_categories",
            f"{text!r} is neither keep, refuse nor a category name",
            "keep takes the list's own word, refuse lists the row as bad",
        )
    return text


def _values(tree: Tree) -> dict[str, dict[str, str]]:
    values: dict[str, dict[str, str]] = {}
    for word in tree.branch("values"):
        field = _ALIASES.get(word, word)
        if field not in _TRANSLATED:
            tree.fault(
                ("values", word),
                f"values of {word!r} are not translated",
                f"tables may stand for {', '.join(_TRANSLATED)}",
            )
            continue
        table = tree.table(("values", word))
        values[field] = {" ".join(k.upper().split()): v for k, v in table.items()}
    return values


def _blank(tree: Tree) -> frozenset[str]:
    """The words that mean "nothing", as people write them: N/A, n/a, None, NONE."""
    words = {"", *tree.texts("blank", _BLANK)}
    spelt = (str, str.upper, str.lower, str.title, str.capitalize)
    return frozenset(spell(word) for word in words for spell in spelt)


def _encoding(tree: Tree) -> str:
    text = (tree.text("encoding") or "utf-8").lower()
    if text not in _ENCODINGS:
        tree.fault(
            "encoding",
            f"{text!r} is no encoding we read",
            "use utf-8, ascii, latin-1, windows-1252 or utf-16",
        )
    return _ENCODINGS.get(text, "utf-8")


def _delimiter(tree: Tree) -> str:
    text = tree.text("delimiter", strip=False)
    if text is None:
        return ","
    delimiter = _DELIMITERS.get(text.strip().lower(), text)
    if len(delimiter) != 1 or delimiter.isalnum() or delimiter in '"\r\n':
        tree.fault(
            "delimiter",
            f"{text!r} is no delimiter",
            'use one character in quotes, such as ";", or the word tab',
        )
        return ","
    return delimiter


def _quote(tree: Tree) -> str | None:
    text = tree.text("quote")
    if text in ("none", "no"):
        return None
    if text is not None and (len(text) != 1 or text.isalnum()):
        tree.fault("quote", f"{text!r} is no quote character", "use one character, or none")
        return '"'
    return text or '"'


def _yes(tree: Tree, word: str, otherwise: bool) -> bool:
    text = (tree.text(word) or "").lower()
    if text and text not in _YES | _NO:
        tree.fault(word, f"{text!r} is neither yes nor no", "write yes or no")
        return otherwise
    return text in _YES if text else otherwise
