"""Lists as they really arrive: encodings, line ends, quotes, half lines."""

from __future__ import annotations

import pytest

from farolito.ingest.hotlist import LINE_BYTES_MAX, rows
from farolito.model import Rejected
from tests.ingest.hotlist.hotlist_builders import a_mapping, plates, read_list, reasons

HEADER = "PLATE,ST,TYPE,CASE\n"
TWO = HEADER + "ABC123,NM,SV,26-1\nDEF456,TX,SV,26-2\n"


@pytest.mark.parametrize(
    "data",
    [
        TWO.encode(),
        b"\xef\xbb\xbf" + TWO.encode(),
        TWO.encode("utf-16"),
        TWO.replace("\n", "\r\n").encode(),
        TWO.replace("\n", "\r").encode(),
        TWO.encode() + b"\x1a",
        TWO.rstrip("\n").encode(),
        TWO.replace("\n", "\n\n  \n").encode(),
        TWO.replace("\n", ",\n").encode(),
        TWO.replace("ABC123", '"ABC123"').replace("SV", '"SV"').encode(),
        TWO.replace(",", " , ").encode(),
        TWO.replace("PLATE", "plate").encode(),
    ],
    ids=["plain", "bom", "utf16", "crlf", "cr", "ctrl-z", "no-last-newline", "empty-lines",
         "trailing-delimiter", "quotes", "blanks", "header-case"],
)  # fmt: skip
def test_the_same_list_reads_the_same_however_it_was_saved(data: bytes) -> None:
    parsed = read_list(data)
    assert plates(parsed) == ["ABC123", "DEF456"]
    assert parsed.entries == read_list(TWO).entries
    assert parsed.bad_count == 0


def test_latin_1_reads_where_the_mapping_says_so_and_is_a_told_fault_where_it_does_not() -> None:
    columns = {"plate": "PLATE", "category": "TYPE", "reason": "WHY"}
    data = "PLATE,TYPE,WHY\nABC123,SV,Robo en Española\nDEF456,SV,ok\n".encode("latin-1")
    right = read_list(data, a_mapping(columns=columns, encoding="latin-1"))
    assert right.entries[0].reason == "Robo en Española"
    wrong = read_list(data, a_mapping(columns=columns))
    assert reasons(wrong) == [(2, "encoding")]
    assert "encoding: latin-1" in wrong.bad[0].says
    assert plates(wrong) == ["DEF456"]


def test_a_byte_order_mark_beats_the_mapping() -> None:
    columns = {"plate": "PLATE", "category": "TYPE", "reason": "WHY"}
    data = "PLATE,TYPE,WHY\nABC123,SV,Española\n".encode("utf-8-sig")
    parsed = read_list(data, a_mapping(columns=columns, encoding="latin-1"))
    assert parsed.entries[0].reason == "Española"


def test_an_unclosed_quote_costs_its_own_row_only() -> None:
    parsed = read_list(HEADER + 'ABC123,NM,"SV,26-1\nDEF456,TX,SV,26-2\nGHI789,TX,SV,26-3\n')
    assert reasons(parsed) == [(2, "quotes")]
    assert plates(parsed) == ["DEF456", "GHI789"]


def test_a_quoted_delimiter_is_part_of_its_value_and_a_bare_one_makes_the_row_bad() -> None:
    parsed = read_list(HEADER + 'ABC123,NM,SV,"26-1, part 2"\nDEF456,NM,SV,26-1, part 2\n')
    assert parsed.entries[0].case == "26-1, part 2"
    assert reasons(parsed) == [(3, "too_many_columns")]


def test_a_line_cut_short_is_bad_unless_the_list_leaves_blank_columns_out() -> None:
    cut = HEADER + "ABC123,NM,SV\n"
    assert reasons(read_list(cut)) == [(2, "too_few_columns")]
    assert plates(read_list(cut, a_mapping(missing_columns_are_blank=True))) == ["ABC123"]


def test_a_line_without_end_is_one_bad_row() -> None:
    parsed = read_list(HEADER + "A" * (LINE_BYTES_MAX + 1) + "\nDEF456,TX,SV,26-2\n")
    assert reasons(parsed) == [(2, "line_too_long")]
    assert plates(parsed) == ["DEF456"]


def test_values_at_fixed_places_are_cut_out_and_trimmed() -> None:
    mapping = a_mapping(
        format="fixed_width",
        columns={"plate": "1-8", "state": "9-10", "category": "12-13", "case": "15-20"},
        ignore_lines_starting=["HDR", "TRL"],
    )
    parsed = read_list("HDR\nABC123  NM SV 26-1\nDEF4567 TX SV\nTRL2\n", mapping)
    assert [(e.plate, e.state, e.case) for e in parsed.entries] == [
        ("ABC123", "NM", "26-1"), ("DEF4567", "TX", None),
    ]  # fmt: skip


def test_a_fixed_width_line_of_the_wrong_length_is_bad_where_the_length_is_known() -> None:
    mapping = a_mapping(
        format="fixed_width", columns={"plate": "1-6", "category": "7-8"}, record_length=8
    )
    parsed = read_list("ABC123SV\nDEF456 SV\n", mapping)
    assert reasons(parsed) == [(2, "wrong_length")]


@pytest.mark.parametrize("data", [b"", b"\n \r\n", b"\x00\x00", b"\x1a"])
def test_an_empty_file_is_rejected_since_a_failed_transfer_looks_like_that(data: bytes) -> None:
    with pytest.raises(Rejected) as told:
        read_list(data)
    assert told.value.reason == "empty_file"


def test_a_header_alone_is_a_list_without_rows() -> None:
    assert read_list(HEADER).entries == ()


def test_too_many_rows_reject_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "ROWS_MAX", 1)
    with pytest.raises(Rejected) as told:
        read_list(TWO)
    assert (told.value.reason, told.value.status) == ("too_many_rows", 413)


def test_too_many_bytes_reject_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "FILE_BYTES_MAX", 10)
    with pytest.raises(Rejected) as told:
        read_list(TWO)
    assert (told.value.reason, told.value.status) == ("too_large", 413)


def test_one_page_of_several_is_rejected_since_the_rest_would_be_struck_off() -> None:
    words = {"format": "json", "rows_at": "entries", "next_page_at": "nextPage",
             "columns": {"plate": "plate", "category": "reason"}}  # fmt: skip
    mapping = a_mapping(**words)
    first = '{"entries":[{"plate":"ABC123","reason":"SV"}],"nextPage":"c2"}'
    last = '{"entries":[{"plate":"DEF456","reason":"SV"}],"nextPage":null}'
    with pytest.raises(Rejected) as told:
        read_list(first, mapping)
    assert told.value.reason == "incomplete_list"
    assert plates(read_list(f"[{first},{last}]", mapping)) == ["ABC123", "DEF456"]


@pytest.mark.parametrize(
    "data", ["{", "[" * 100_000, '{"entries": 3}', "null", '"text"', '{"entries":[1]'],
)  # fmt: skip
def test_json_that_is_no_list_is_rejected(data: str) -> None:
    mapping = a_mapping(format="json", rows_at="entries", columns={"plate": "p", "category": "c"})
    with pytest.raises(Rejected):
        read_list(data, mapping)


def test_json_rows_that_are_no_rows_are_bad_one_by_one() -> None:
    mapping = a_mapping(format="json", rows_at="", columns={"plate": "p", "category": "c"})
    parsed = read_list('[1, {"p":["A"],"c":"SV"}, {"p":"ABC123","c":"SV"}, {"p":null}]', mapping)
    assert reasons(parsed) == [(1, "not_a_row"), (2, "not_text"), (4, "missing_value")]
    assert plates(parsed) == ["ABC123"]


def test_the_same_bytes_give_the_same_answer() -> None:
    assert read_list(TWO) == read_list(TWO)
