"""Whatever the bytes: entries, bad rows by line, or one named rejection; never a crash."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farolito.ingest.hotlist import Mapping, load_mapping, ready_mapping
from farolito.model import Invalid, Rejected
from tests.ingest.hotlist.hotlist_builders import a_mapping, read_list

MAPPINGS: dict[str, tuple[Mapping, bool]] = {
    "header": (a_mapping(), False),
    "latin-1": (a_mapping(encoding="latin-1"), False),
    "genetec": (ready_mapping("genetec"), False),
    "flock": (ready_mapping("flock"), True),
    "fixed": (
        a_mapping(format="fixed_width", columns={"plate": "1-8", "category": "4-12",
                                                 "expires_at": "2-20", "year": "1-4"}),
        False,
    ),
}  # fmt: skip

PIECES = st.sampled_from(
    [b"ABC123", b";", b",", b"\n", b"\r", b'"', b"NM", b"Stolen", b"Immigration", b"2026-01-01",
     b"9999-12-31", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"PLATE,ST,TYPE,CASE\n",
     b"\xe2\x80\xae", b"*", b"{", b'{"entries":[', b'{"plate":"ABC1","reason":"x"', b"}", b"]",
     b"\\ud800", b"1e999", b"null", b":", b" ", b"99999999999999"]
)  # fmt: skip
NOISE = st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=40).map(b"".join))


@pytest.mark.parametrize("name", MAPPINGS)
@given(data=NOISE)
def test_noise_is_rejected_or_listed_by_line(name: str, data: bytes) -> None:
    mapping, folded = MAPPINGS[name]
    try:
        parsed = read_list(data, mapping, folded=folded)
    except (Rejected, Invalid):
        return
    taken = len(parsed.entries) + parsed.duplicates
    assert parsed.rows == taken + parsed.bad_count + parsed.forbidden + parsed.left_out
    assert all(row.line >= 1 and row.says for row in parsed.bad)


@given(cells=st.lists(st.text(max_size=30), min_size=4, max_size=4))
def test_any_text_in_any_cell_costs_at_most_its_own_row(cells: list[str]) -> None:
    row = ",".join('"' + c.replace('"', '""').replace("\n", " ").replace("\r", " ") + '"'
                   for c in cells)  # fmt: skip
    body = f"PLATE,ST,TYPE,CASE\n{row}\nDEF456,NM,SV,1\n".encode("utf-8", "replace")
    assert "DEF456" in [entry.plate for entry in read_list(body).entries]


@given(text=st.one_of(st.text(max_size=200), st.binary(max_size=200)))
def test_a_mapping_of_noise_is_invalid(text: str | bytes) -> None:
    with pytest.raises(Invalid):
        load_mapping(text)


WORDS = st.sampled_from(
    ["columns", "plate", "dates", "zone", "format", "header", "values", "state", "categories",
     "defaults", "required", "blank", "delimiter", "x"]
)  # fmt: skip
TREES = st.recursive(
    st.one_of(st.text(max_size=8), st.integers(), st.none(), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=5)),
    max_leaves=12,
)


@given(tree=st.dictionaries(WORDS, TREES, max_size=8))
def test_a_mapping_of_any_shape_loads_or_is_invalid(tree: dict[str, object]) -> None:
    with contextlib.suppress(Invalid):
        assert "plate" in load_mapping(tree).columns
