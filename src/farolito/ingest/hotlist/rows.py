"""A list's bytes into rows of text, whatever their encoding, line ends and quoting.

One bad line costs one row: an unclosed quote never swallows the lines after it, and a line in the
wrong encoding is listed by its number.
"""

from __future__ import annotations

import csv
import io
from collections import abc
from typing import Any

import msgspec

from farolito.ingest.hotlist.mapping import Column, Mapping, Span
from farolito.model import Rejected

FILE_BYTES_MAX = 1024**3  # a larger file is rejected whole, status 413
ROWS_MAX = 5_000_000  # a file with more is rejected whole, status 413
LINE_BYTES_MAX = 16_384  # a longer line is one bad row
CELLS_MAX = 1_000  # of a line; more make one bad row
COLUMNS_SHOWN_MAX = 40  # of a header, in an error

_LINE_ENDS = b"\r\n\x1a\x00"  # Ctrl-Z ends files made under DOS
_UTF8_BOM, _UTF16_BOMS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")

Cells = tuple[str, ...]  # in the order of mapping.columns
Row = tuple[int, "Cells | RowFault"]


class RowFault(Exception):
    """Why one row is bad: a stable word, what is wrong, the field it is in."""

    def __init__(self, reason: str, says: str, field: str | None = None) -> None:
        super().__init__(says)
        self.reason = reason
        self.says = says
        self.field = field


def rows(data: bytes, mapping: Mapping) -> abc.Iterator[Row]:
    """The rows with their line (in JSON: their place in the list, from 1).

    Raises Rejected where the file as a whole cannot be this list.
    """
    if len(data) > FILE_BYTES_MAX:
        raise Rejected(
            "too_large",
            f"the list has {len(data)} bytes",
            f"send at most {FILE_BYTES_MAX} bytes",
            413,
        )
    if not data.strip(b" \t\r\n\x00\x1a"):
        raise Rejected(
            "empty_file",
            "the list is an empty file",
            "send it again; a list without rows still has its header",
        )
    if mapping.format == "json":
        return _limited(_json_rows(data, mapping))
    text, encoding = _one_byte_line_ends(data, mapping.encoding)
    lines = _lines(text, encoding, mapping)
    if mapping.format == "fixed_width":
        return _limited(_fixed_rows(lines, mapping))
    return _limited(_delimited_rows(lines, mapping))


def _limited(taken: abc.Iterator[Row]) -> abc.Iterator[Row]:
    for count, row in enumerate(taken, 1):
        if count > ROWS_MAX:
            raise Rejected(
                "too_many_rows",
                f"the list has more than {ROWS_MAX} rows",
                "split it into several lists",
                413,
            )
        yield row


def _one_byte_line_ends(data: bytes, encoding: str) -> tuple[bytes, str]:
    """Bytes whose lines end in \\n, and their encoding: a byte order mark beats the mapping."""
    if data.startswith(_UTF16_BOMS) or encoding == "utf-16":
        try:
            data, encoding = data.decode("utf-16").encode(), "utf-8"
        except UnicodeError:
            raise Rejected(
                "encoding",
                "the list begins as UTF-16 and does not go on so",
                "send it again, as UTF-8 if its maker can",
            ) from None
    if data.startswith(_UTF8_BOM):
        data, encoding = data[len(_UTF8_BOM) :], "utf-8"
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    return data, encoding


def _lines(
    data: bytes, encoding: str, mapping: Mapping
) -> abc.Iterator[tuple[int, str | RowFault]]:
    """Lines that are not blank, by number from 1, after those to skip."""
    ignored = mapping.ignore_lines_starting
    for number, raw in enumerate(io.BytesIO(data), 1):
        line = raw.rstrip(_LINE_ENDS)
        if number <= mapping.skip_lines or not line or line.isspace():
            continue
        if len(line) > LINE_BYTES_MAX:
            yield (
                number,
                RowFault(
                    "line_too_long", f"a line of {len(line)} bytes; the most is {LINE_BYTES_MAX}"
                ),
            )
            continue
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError as error:
            yield (
                number,
                RowFault(
                    "encoding",
                    f"byte {error.start + 1} of the line is no "
                    f"{encoding}; if the list is in another encoding, write it "
                    "in the mapping (encoding: latin-1)",
                ),
            )
            continue
        if not (ignored and text.startswith(ignored)):
            yield number, text


def _fixed_rows(
    lines: abc.Iterable[tuple[int, str | RowFault]], mapping: Mapping
) -> abc.Iterator[Row]:
    spans = []
    for column in mapping.columns.values():
        assert isinstance(column, Span)
        spans.append((column.first - 1, column.last))
    length = mapping.record_length
    for number, line in lines:
        if isinstance(line, RowFault):
            yield number, line
        elif length is not None and len(line) != length:
            yield (
                number,
                RowFault(
                    "wrong_length",
                    f"a line of {len(line)} characters; the mapping's record_length is {length}",
                ),
            )
        else:
            yield number, tuple([line[first:last] for first, last in spans])


def _delimited_rows(
    lines: abc.Iterator[tuple[int, str | RowFault]], mapping: Mapping
) -> abc.Iterator[Row]:
    split = _splitter(mapping)
    wanted = list(mapping.columns.values())
    count = mapping.column_count
    if mapping.header:
        names = _header(lines, split)
        places = [_place(column, names) for column in wanted]
        count = count or len(names)
    else:
        places = [int(column) - 1 for column in wanted if isinstance(column, int)]
    needed = max(places) + 1
    least = 0 if mapping.missing_columns_are_blank else (count or needed)
    most = count or CELLS_MAX
    for number, line in lines:
        if isinstance(line, RowFault):
            yield number, line
            continue
        try:
            cells = split(line)
            if len(cells) != count:
                _check_width(cells, least, most)
                cells.extend([""] * (needed - len(cells)))
            yield number, tuple([cells[place] for place in places])
        except RowFault as fault:
            yield number, fault


def _check_width(cells: list[str], least: int, most: int) -> None:
    """Cells past the last column are a value with the delimiter in it, and shift all after it:
    no cell of such a row can be trusted. Blank ones are only a trailing delimiter."""
    if len(cells) < least:
        raise RowFault(
            "too_few_columns",
            f"{len(cells)} columns where {least} are expected; if "
            "the list leaves out blank ones at the end of a line, write "
            "missing_columns_are_blank: yes",
        )
    if len(cells) > most and any(not c.isspace() for c in cells[most:] if c):
        raise RowFault(
            "too_many_columns",
            f"{len(cells)} columns where {most} are expected; is the delimiter part of a value?",
        )


def _splitter(mapping: Mapping) -> abc.Callable[[str], list[str]]:
    delimiter, quote = mapping.delimiter, mapping.quote

    def split(line: str) -> list[str]:
        if quote is None or quote not in line:
            return line.split(delimiter)
        try:
            return next(csv.reader([line], delimiter=delimiter, quotechar=quote, strict=True))
        except (csv.Error, StopIteration):
            raise RowFault(
                "quotes",
                "a quoted value that does not end on its line, or a stray "
                "quote; write quote: none if quotes mean nothing here",
            ) from None

    return split


def _header(
    lines: abc.Iterator[tuple[int, str | RowFault]], split: abc.Callable[[str], list[str]]
) -> list[str]:
    number, line = next(lines, (1, RowFault("no_header", "there is no line with column names")))
    try:
        if isinstance(line, RowFault):
            raise line
        names = [" ".join(name.upper().split()) for name in split(line)]
    except RowFault as fault:
        raise Rejected(
            "header",
            f"line {number}, which should name the columns: {fault.says}",
            "check header: and encoding: of the mapping",
        ) from None
    while names and not names[-1]:
        names.pop()
    return names


def _place(column: Column, names: list[str]) -> int:
    if isinstance(column, int):
        return column - 1
    assert isinstance(column, str)
    name = " ".join(column.upper().split())
    if names.count(name) == 1:
        return names.index(name)
    if name in names:
        raise Rejected(
            "column_twice",
            f"two columns of the list are named {column!r}",
            "give the column's number in the mapping",
        )
    shown = ", ".join(repr(n[:40]) for n in names[:COLUMNS_SHOWN_MAX])
    raise Rejected(
        "column_missing",
        f"the list has no column named {column!r}; its first line names {len(names)}: {shown}",
        "mend the mapping's columns:" + ("" if len(names) > 1 else " or its delimiter:"),
    )


def _json_rows(data: bytes, mapping: Mapping) -> abc.Iterator[Row]:
    try:
        whole = msgspec.json.decode(_one_byte_line_ends(data, mapping.encoding)[0])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        says = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise Rejected("not_json", f"the list is no JSON: {says}", "send it again") from None
    paths = [str(column).split(".") for column in mapping.columns.values()]
    for number, row in enumerate(_json_items(whole, mapping), 1):
        if not isinstance(row, dict):
            yield number, RowFault("not_a_row", "this is no JSON object")
            continue
        try:
            yield number, tuple([_json_cell(row, path) for path in paths])
        except RowFault as fault:
            yield number, fault


def _json_items(whole: Any, mapping: Mapping) -> list[Any]:
    """The rows of one document, or of several pages in an array.

    A last page that names a next one is half a list: imported as a whole, it would strike the
    other half off.
    """
    where = mapping.rows_at
    if not where:
        pages = [{"": whole}]
    elif isinstance(whole, list) and any(isinstance(p, dict) and where in p for p in whole):
        pages = whole
    elif isinstance(whole, list):
        return whole
    else:
        pages = [whole]
    items: list[Any] = []
    for page in pages:
        found = page.get(where) if isinstance(page, dict) else None
        if not isinstance(found, list):
            raise Rejected(
                "no_rows",
                f"there is no array {where!r} of rows in the list",
                "check rows_at: of the mapping",
            )
        items.extend(found)
    if mapping.next_page_at and pages and pages[-1].get(mapping.next_page_at):
        raise Rejected(
            "incomplete_list",
            "this is one page of the list and names a next one",
            "fetch all pages and send them as one array of pages",
        )
    return items


def _json_cell(row: dict[str, Any], path: list[str]) -> str:
    value: Any = row
    for word in path:
        value = value.get(word) if isinstance(value, dict) else None
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return str(value)
    raise RowFault("not_text", f"{'.'.join(path)} is neither text nor number")
