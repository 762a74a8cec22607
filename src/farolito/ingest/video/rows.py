"""A register's bytes into rows of words, by its mapping. One bad line costs one row."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from typing import Any

from farolito.ingest.video.entry import Cells, RowFault
from farolito.ingest.video.lists import arcgis, socrata
from farolito.ingest.video.lists.json_text import FILE_BYTES_MAX, items_at, json_whole, text_at
from farolito.ingest.video.mapping import Mapping
from farolito.model import Rejected

LINE_CHARACTERS_MAX = 65_536  # a longer line is one bad row
CELL_LINES_MAX = 20  # over which one quoted cell may go; more is one bad row
_COLUMNS_SHOWN_MAX = 40

Row = tuple[int, "Cells | RowFault"]


def rows(data: bytes, mapping: Mapping) -> Iterator[Row]:
    """Rows by their line (in JSON: their place from 1). Raises Rejected for the file as a whole."""
    if len(data) > FILE_BYTES_MAX:
        do = f"send at most {FILE_BYTES_MAX} bytes"
        raise Rejected("too_large", f"the register has {len(data)} bytes", do, 413)
    if not data.strip(b" \t\r\n\x00"):
        raise Rejected("empty_file", "the register is an empty file", "send it again")
    if mapping.format == "csv":
        return _csv_rows(data, mapping)
    return _json_rows(json_whole(data), mapping)


def _json_rows(whole: Any, mapping: Mapping) -> Iterator[Row]:
    readers: dict[str, Callable[[Any], list[Any]]] = {
        "geojson": _features,
        "arcgis": arcgis.features,
        "socrata": socrata.items,
        "json": lambda whole: items_at(whole, mapping.rows_at),
    }
    for number, item in enumerate(readers[mapping.format](whole), 1):
        if not isinstance(item, dict):
            yield number, RowFault("not_a_row", "this is no JSON object")
            continue
        try:
            yield number, _cells(item, mapping)
        except RowFault as fault:
            yield number, fault


def _cells(item: dict[str, Any], mapping: Mapping) -> Cells:
    cells = {}
    for word, paths in mapping.columns.items():
        texts = (mapping.meant(word, text_at(item, path)) for path in paths)
        cells[word] = " ".join(text for text in texts if text)
    for word in ("lat", "lon"):  # of the shape, where no column tells it
        if word not in mapping.columns and word in item:
            cells[word] = text_at(item, word)
    return cells


def _features(whole: Any) -> list[Any]:
    """GeoJSON (RFC 7946): the properties of each feature, with the place of its point."""
    made: list[Any] = []
    for feature in items_at(whole, "features"):
        known = isinstance(feature, dict) and isinstance(feature.get("properties"), dict)
        made.append(_placed(feature) if known else None)
    return made


def _placed(feature: dict[str, Any]) -> dict[str, Any]:
    geometry = feature.get("geometry")
    row = {"id": feature.get("id"), **feature["properties"]}
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Point", "MultiPoint"):
        return row
    at = geometry.get("coordinates")
    if geometry["type"] == "MultiPoint" and isinstance(at, list) and len(at) == 1:
        at = at[0]
    if isinstance(at, list) and len(at) >= 2 and not isinstance(at[0], list):
        row["lon"], row["lat"] = at[0], at[1]
    return row


def _csv_rows(data: bytes, mapping: Mapping) -> Iterator[Row]:
    lines = _records(_text(data, mapping.encoding))
    wanted = [
        (word, name) for word, names in mapping.columns.items() for name in dict.fromkeys(names)
    ]
    by_name = any(not name.isdigit() for _, name in wanted)
    header = _header(next(lines, (1, "")), mapping) if by_name else []
    places = [(word, _column(name, header)) for word, name in wanted]
    for number, line in lines:
        try:
            cells = _split(line, mapping.delimiter)
            if header and len(cells) > len(header) and any(cells[len(header) :]):
                says = f"{len(cells)} columns where {len(header)} are expected"
                raise RowFault("too_many_columns", says)
            yield number, _row(cells, places, mapping)
        except RowFault as fault:
            yield number, fault


def _row(cells: list[str], places: list[tuple[str, int]], mapping: Mapping) -> Cells:
    row: dict[str, str] = {}
    for word, place in places:
        text = mapping.meant(word, cells[place] if place < len(cells) else "")
        row[word] = f"{row.get(word, '')} {text}".strip() if text else row.get(word, "")
    return row


def _text(data: bytes, encoding: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif data.startswith(b"\xef\xbb\xbf"):
        encoding = "utf-8-sig"
    # A wrong byte costs one sign of one cell, not the file.
    return data.decode(encoding, "replace").rstrip("\x1a\x00")


def _records(text: str) -> Iterator[tuple[int, str]]:
    """Lines by number, those of one quoted cell joined. One whose quote never ends stays alone."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    at = 0
    while at < len(lines):
        begin, line = at, lines[at]
        at += 1
        if line.count('"') % 2:
            for end in range(at, min(at + CELL_LINES_MAX, len(lines))):
                if lines[end].count('"') % 2:
                    line, at = "\n".join(lines[begin : end + 1]), end + 1
                    break
        if line.strip():
            yield begin + 1, line


def _split(line: str, delimiter: str) -> list[str]:
    if len(line) > LINE_CHARACTERS_MAX:
        raise RowFault("line_too_long", f"a line of {len(line)} characters")
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        raise RowFault("quotes", "a quoted value that does not end, or a stray quote") from None


def _header(first: tuple[int, str], mapping: Mapping) -> list[str]:
    try:
        names = [" ".join(n.upper().split()) for n in _split(first[1], mapping.delimiter)]
    except RowFault as fault:
        says = f"line {first[0]}, which should name the columns: {fault.says}"
        raise Rejected("header", says, "check delimiter: and encoding: of the mapping") from None
    while names and not names[-1]:
        names.pop()
    return names


def _column(name: str, header: list[str]) -> int:
    wanted = " ".join(name.upper().split())
    if wanted in header:
        return header.index(wanted)
    if name.isascii() and name.isdigit() and 0 < int(name[:6]) <= 1_000:
        return int(name) - 1
    shown = ", ".join(repr(n[:40]) for n in header[:_COLUMNS_SHOWN_MAX])
    raise Rejected(
        "column_missing",
        f"the register has no column {name[:40]!r}; its first line names {len(header)}: {shown}",
        "mend the mapping's columns:" + ("" if len(header) > 1 else " or its delimiter:"),
    )
