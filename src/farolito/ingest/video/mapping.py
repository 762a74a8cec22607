"""The mapping file of a camera register: which column or path of somebody's list means what.

YAML that a person who writes no programs can write; docs/cameras-in.md explains every word. Values
are taken as the text that stands there, and every fault is reported with its line.
"""

from __future__ import annotations

import difflib
from collections import abc
from importlib import resources
from pathlib import Path
from typing import Literal, cast

import msgspec

from farolito.ingest.mapping_text import Tree, faulty, merged, read_yaml
from farolito.ingest.video.entry import WORDS
from farolito.model import Invalid, OwnerId
from farolito.model.camera import OwnerKind
from farolito.model.ids import SLUG

READY = ("austin", "illinois")  # the mappings that come with the product
FAULTS_SHOWN_MAX = 20  # of one mapping; more are only counted
OWNERS_MAX = 200  # of one mapping; more are a fault

Format = Literal["csv", "geojson", "json", "arcgis", "socrata"]
FORMATS: tuple[str, ...] = ("csv", "geojson", "json", "arcgis", "socrata")
ANY = "*"  # in `values:`, what stands for every text that is not listed

_SECTIONS = {
    "start_from", "name", "format", "encoding", "delimiter", "rows_at", "prefix", "columns",
    "values", "defaults", "owners", "blank",
}  # fmt: skip
_ENCODINGS = {
    "utf-8": "utf-8", "utf8": "utf-8", "ascii": "ascii", "latin-1": "latin-1",
    "iso-8859-1": "latin-1", "windows-1252": "cp1252", "cp1252": "cp1252", "utf-16": "utf-16",
}  # fmt: skip
_DELIMITERS = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_BLANK = ("-", "N/A", "NA", "NULL", "NONE", "UNKNOWN", "NOT REPORTED")
_SECRET = ("user", "password")


class MappedOwner(msgspec.Struct, frozen=True):
    """An owner that a mapping names."""

    name: str
    kind: OwnerKind


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping file, checked. `columns`: a word of ours to their columns (CSV: a header's word or
    a number from 1) or dotted paths; several are joined by a blank. `values`: by word, their text
    in upper case to ours. `rows_at`: the dotted path to the rows, in JSON. `blank`: what means
    nothing, in upper case."""

    name: str
    format: Format
    columns: abc.Mapping[str, tuple[str, ...]]
    encoding: str = "utf-8"
    delimiter: str = ","
    rows_at: str = ""
    prefix: str = ""
    values: abc.Mapping[str, abc.Mapping[str, str]] = {}
    defaults: abc.Mapping[str, str] = {}
    owners: abc.Mapping[OwnerId, MappedOwner] = {}
    blank: frozenset[str] = frozenset({""})

    def meant(self, word: str, text: str) -> str:
        """A cell in our words; empty where it means nothing."""
        told = " ".join(text.upper().split())
        if told in self.blank:
            return ""
        table = self.values.get(word)
        return text if table is None else table.get(told, table.get(ANY, text))


def load_mapping(source: Path | str | bytes) -> Mapping:
    """The mapping in a file (a Path) or in YAML text (str or bytes; never taken as a path). Raises
    Invalid, naming line and word of every fault and what to do."""
    if isinstance(source, Path):
        source = _file_bytes(source)
    tree = read_yaml(source)
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


def ready_mapping(name: str) -> Mapping:
    """One of the READY mappings."""
    return load_mapping(_ready_text(name))


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
        if word not in _SECTIONS:
            tree.fault(word, f"{word!r} is no word of a mapping", _like(word, _SECTIONS))
    kind = cast("Format", tree.one_of("format", FORMATS, "csv"))
    prefix = tree.text("prefix") or ""
    if prefix and not SLUG.fullmatch(prefix):
        tree.fault("prefix", f"{prefix!r} is no id", "use lower case letters, digits, -")
    mapping = Mapping(
        name=tree.text("name") or "a register",
        format=kind,
        columns=_columns(tree),
        encoding=_encoding(tree),
        delimiter=_delimiter(tree),
        rows_at=tree.text("rows_at") or "",
        prefix=prefix,
        values=_values(tree),
        defaults=_defaults(tree),
        owners=_owners(tree),
        blank=frozenset({"", *(word.strip().upper() for word in tree.texts("blank", _BLANK))}),
    )
    tree.raise_faults(FAULTS_SHOWN_MAX)
    return mapping


def _like(word: str, known: abc.Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]}?" if near else f"known are: {', '.join(sorted(known))}"


def _is_known(tree: Tree, section: str, word: str) -> bool:
    if word not in WORDS:
        says = f"{word!r} is no word of a camera"
        tree.fault((section, word), says, _like(word, WORDS))
    return word in WORDS


def _columns(tree: Tree) -> dict[str, tuple[str, ...]]:
    columns = {}
    for word in tree.branch("columns"):
        if not _is_known(tree, "columns", word):
            continue
        names = tuple(name.strip() for name in tree.texts(("columns", word), ()) if name.strip())
        if not names:
            tree.fault(("columns", word), f"the column of {word} is empty", "name it")
        columns[word] = names
    if "key" not in columns:
        tree.fault("columns", "no column tells the cameras apart", "add key: under columns:")
    return columns


def _values(tree: Tree) -> dict[str, dict[str, str]]:
    return {
        word: {
            " ".join(theirs.upper().split()): ours
            for theirs, ours in tree.table(("values", word)).items()
        }
        for word in tree.branch("values")
        if _is_known(tree, "values", word)
    }


def _defaults(tree: Tree) -> dict[str, str]:
    defaults = {}
    for word, text in tree.table("defaults").items():
        if word == "key" or word in _SECRET:
            do = "remove it" if word == "key" else "give it with `farolito camera import --user`"
            tree.fault(("defaults", word), f"{word} cannot have a default", do)
        elif _is_known(tree, "defaults", word) and text:
            defaults[word] = text
    return defaults


def _owners(tree: Tree) -> dict[OwnerId, MappedOwner]:
    owners: dict[OwnerId, MappedOwner] = {}
    kinds = tuple(kind.value for kind in OwnerKind)
    for word in list(tree.branch("owners"))[: OWNERS_MAX + 1]:
        path = ("owners", word)
        if len(owners) == OWNERS_MAX:
            tree.fault("owners", f"more than {OWNERS_MAX} owners", "split the register")
            break
        if not SLUG.fullmatch(word):
            tree.fault(path, f"{word!r} is no id", "use lower case letters, digits, -")
        for inner in tree.branch(*path):
            if inner not in {"name", "kind"}:
                tree.fault((*path, inner), f"{inner!r} is no word of an owner", "use name, kind")
        kind = tree.one_of((*path, "kind"), kinds, OwnerKind.PRIVATE.value)
        owners[OwnerId(word)] = MappedOwner(tree.text((*path, "name")) or word, OwnerKind(kind))
    return owners


def _encoding(tree: Tree) -> str:
    text = (tree.text("encoding") or "utf-8").lower()
    if text not in _ENCODINGS:
        do = "use utf-8, ascii, latin-1, windows-1252 or utf-16"
        tree.fault("encoding", f"{text!r} is no encoding we read", do)
    return _ENCODINGS.get(text, "utf-8")


def _delimiter(tree: Tree) -> str:
    text = tree.text("delimiter", strip=False) or ","
    delimiter = _DELIMITERS.get(text.strip().lower(), text)
    if len(delimiter) != 1 or delimiter.isalnum() or delimiter in '"\r\n':
        do = 'use one character in quotes, such as ";", or the word tab'
        tree.fault("delimiter", f"{text!r} is no delimiter", do)
        return ","
    return delimiter
