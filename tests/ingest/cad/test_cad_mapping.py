"""Mapping files: the examples do what they say, faults are told by line, bad files by name."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from farolito.ingest.cad.decoded import Decoded
from farolito.ingest.cad.mapping import Mapping, load_mapping
from farolito.ingest.cad.records import decode_file
from farolito.ingest.cad.report import RECORDS_MAX
from farolito.model import (
    CallKind,
    CallState,
    Doubt,
    HazardKind,
    Invalid,
    Level,
    Point,
    Rejected,
    UnitStatus,
)
from tests.ingest.cad.cad_builders import CAD, NOW

FILES = Path(__file__).parent / "files"
EXAMPLES = Path(__file__).parents[3] / "examples" / "cad"
SAMPLES = {"xml-export": "calls.xml", "json-files": "call.json", "csv-lines": "calls.csv"}


def example(name: str) -> Mapping:
    return load_mapping(EXAMPLES / f"{name}.yaml")


def sample(name: str) -> bytes:
    return (FILES / SAMPLES[name]).read_bytes()


def read(mapping: str | Mapping, body: bytes | str) -> Decoded:
    rules = mapping if isinstance(mapping, Mapping) else load_mapping(mapping)
    return decode_file(rules, body.encode() if isinstance(body, str) else body, CAD, NOW)


def rejected(mapping: str | Mapping, body: bytes | str) -> Rejected:
    with pytest.raises(Rejected) as caught:
        read(mapping, body)
    return caught.value


@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.yaml")))
def test_every_example_reads_its_file_without_a_flaw(name: str) -> None:
    got = read(example(name), sample(name))
    assert got.updates
    assert (got.rejected, got.flaws) == ((), ())
    assert got == read(example(name), sample(name)), "the same bytes, the same calls"


def test_the_xml_example_says_what_the_file_says() -> None:
    got = read(example("xml-export"), sample("xml-export"))
    shots, alarm = got.updates
    assert got.others == 1, "another agency's call is counted and left alone"
    assert shots.sent_at == datetime(2026, 11, 23, 10, 0, 5, tzinfo=UTC), "from the file's top"
    assert shots.taken_at == datetime(2026, 11, 23, 9, 58, 41, tzinfo=UTC)
    assert (shots.kind, shots.kind_says) == (CallKind.SHOTS_FIRED, "SHOTS FIRED")
    assert (shots.priority, shots.state) == (Level.P1, CallState.OPEN)
    assert (shots.address, shots.place) == ("4200 Practice Av", Point(35.0805, -106.5952))
    assert shots.units is not None
    assert [(unit.unit, unit.status) for unit in shots.units] == [
        ("2A14", UnitStatus.EN_ROUTE),
        ("2A15", UnitStatus.ASSIGNED),
    ]
    assert [note.note_id for note in shots.notes] == ["1", "2"]
    assert shots.vehicles is not None
    assert (shots.vehicles[0].plate, shots.vehicles[0].colour) == ("PRC 417", "white")
    assert (shots.hazards[0].kind, shots.hazards[0].source) == (
        HazardKind.WEAPON,
        "CAD premise file",
    )
    assert (alarm.kind, alarm.state) == (CallKind.ALARM, CallState.CLOSED)


def test_the_json_example_tells_units_by_their_times() -> None:
    [call] = read(example("json-files"), sample("json-files")).updates
    assert call.units is not None
    assert [(unit.unit, unit.status) for unit in call.units] == [
        ("2A14", UnitStatus.EN_ROUTE),
        ("2A16", UnitStatus.ON_SCENE),
    ]
    assert (call.kind, call.state, call.ori) == (CallKind.DOMESTIC, CallState.OPEN, "NM9990100")
    assert call.place == Point(35.0805, -106.5952), "microdegrees"
    assert call.going is not None
    assert call.going.says == "on foot, north"


def test_lines_of_one_event_are_one_call() -> None:
    shots, check = read(example("csv-lines"), sample("csv-lines")).updates
    assert shots.address == "PEÑA ST / THIRD ST"
    assert shots.units is not None
    assert [unit.unit for unit in shots.units] == ["2A14", "2A15"]
    assert check.units == ()


LEAST = "format: json\nfields: {number: number, kind: type, state: state}\n"


def test_a_code_that_nobody_translated_is_named_and_its_call_goes_in() -> None:
    got = read(LEAST, '{"number": "26-1", "state": "ZZ"}')
    assert [update.state for update in got.updates] == [None]
    [flaw] = got.flaws
    assert (flaw.reason, flaw.says) == ("unknown_value", "state 'ZZ' is not known")
    assert "values: state:" in flaw.do


def test_a_unit_with_an_unknown_status_is_left_out_by_name() -> None:
    mapping = LEAST + "units: {each: units, unit: id, status: s}\n"
    body = '{"number": "1", "units": [{"id": "2A1", "s": "QX"}, {"id": "2A2", "s": "Arrived"}]}'
    got = read(mapping, body)
    assert got.updates[0].units is not None
    assert [unit.unit for unit in got.updates[0].units] == ["2A2"]
    assert got.flaws[0].says == "unit status 'QX' is not known"


def test_agencies_may_mean_different_things_by_one_code() -> None:
    mapping = """
format: json
records: calls
fields: {number: n, kind: t, ori: who}
values:
  kind: {"10": traffic_stop}
  ori: {SO: NM9990200}
agencies:
  NM9990100:
  NM9990200:
    values: {kind: {"10": disturbance}}
other_agencies: refuse
"""
    body = (
        '{"calls": [{"n": "1", "t": "10", "who": "NM9990100"}, {"n": "2", "t": 10, "who": "so"},'
        ' {"n": "3", "t": "10", "who": "NM9990300"}, {"n": "4"}]}'
    )
    got = read(mapping, body)
    assert [update.kind for update in got.updates] == [CallKind.TRAFFIC_STOP, CallKind.DISTURBANCE]
    assert [(one.item, one.reason) for one in got.rejected] == [(2, "other_agency"), (3, "no_ori")]


def test_one_text_may_hold_several_units() -> None:
    mapping = """
format: csv
fields: {number: EVENT}
units: {each: UNITS, split: pipe, unit: .}
constants: {unit_status: assigned}
"""
    [call] = read(mapping, "EVENT,UNITS\n26-1,2A14 | 2A15|\n").updates
    assert call.units is not None
    assert [(unit.unit, unit.status) for unit in call.units] == [
        ("2A14", UnitStatus.ASSIGNED),
        ("2A15", UnitStatus.ASSIGNED),
    ]


@pytest.mark.parametrize(
    ("body", "says", "do"),
    [
        ("NUMBER\nPEÑA\n".encode("cp1252"), "byte 10 (line 2) is 0xd1", "encoding: windows-1252"),
        (b"\xef\xbb\xbfNUMBER\n26-\x9d\n", "byte 14 (line 2) is 0x9d", "own mark says UTF-8"),
    ],
)
def test_a_wrong_encoding_names_the_byte_and_what_to_write(body: bytes, says: str, do: str) -> None:
    why = rejected("format: csv\nfields: {number: NUMBER}\n", body)
    assert why.reason == "encoding"
    assert says in why.says
    assert do in why.do


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_files_own_mark_counts_more_than_what_is_written_down(encoding: str) -> None:
    mapping = "format: csv\nencoding: windows-1252\nfields: {number: N, address: A}\n"
    [call] = read(mapping, "N,A\n1,PEÑA\n".encode(encoding)).updates
    assert call.address == "PEÑA"


def test_xml_is_read_in_the_encoding_that_it_declares() -> None:
    body = '<?xml version="1.0" encoding="windows-1252"?><C><N>1</N><A>PEÑA</A></C>'
    mapping = "format: xml\nrecords: C\nfields: {number: N, address: A}\n"
    [call] = read(mapping, body.encode("cp1252")).updates
    assert call.address == "PEÑA"
    wrong = body.replace("windows-1252", "ebcdic-cp-us").encode()
    assert rejected(mapping, wrong).reason == "encoding"


BOMB = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>
<CADExport><Incidents><Incident><EventNumber>&b;</EventNumber></Incident></Incidents></CADExport>"""


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("xml-export", BOMB, "forbidden_xml"),
        ("xml-export", "<CADExport><Incidents>", "truncated"),
        ("xml-export", "<Other/>", "wrong_shape"),
        ("xml-export", "", "truncated"),
        ("json-files", '{"event": {"id"', "truncated"),
        ("json-files", "[" * 100_000, "too_deep"),
        ("csv-lines", "NUMBER;NATURE\n1;2\n", "no_such_column"),
        ("csv-lines", 'EVENT;"\n', "malformed_csv"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(name: str, body: str, reason: str) -> None:
    assert rejected(example(name), body).reason == reason


def test_too_many_calls_and_bytes_are_refused() -> None:
    many = "[" + ",".join('{"number": "1"}' for _ in range(RECORDS_MAX + 1)) + "]"
    assert (rejected(LEAST, many).reason, rejected(LEAST, many).status) == ("too_many", 413)
    assert rejected(LEAST, b" " * (9 * 2**20)).reason == "too_large"


def test_a_line_cut_short_is_rejected_alone() -> None:
    mapping = "format: csv\nfields: {number: N, address: A}\n"
    got = read(mapping, "N,A\n1,MAIN ST\n26-\n2,OAK ST\n")
    assert [update.number for update in got.updates] == ["1", "2"]
    assert [one.reason for one in got.rejected] == ["too_few_columns"]


def test_an_export_without_calls_is_in_order() -> None:
    assert read(example("xml-export"), "<CADExport/>") == Decoded()
    assert read(LEAST, "[]") == Decoded()


def test_coordinates_that_are_none_are_dropped_and_doubted() -> None:
    mapping = "format: json\nfields: {number: n, lat: y, lon: x, address: a}\n"
    [feet] = read(mapping, '{"n": "1", "y": "1487123.5", "x": "1523456.1"}').updates
    assert (feet.place, feet.doubts) == (None, (Doubt.NO_PLACE,))
    [both] = read(mapping, '{"n": "1", "y": "91", "x": "0", "a": "1 MAIN ST"}').updates
    assert (both.place, both.doubts) == (None, (Doubt.PLACES_DIFFER,))
    [unset] = read(mapping, '{"n": "1", "y": 0, "x": 0, "a": "1 MAIN ST"}').updates
    assert (unset.place, unset.doubts) == (None, ()), "0, 0 beside an address says nothing"
    got = read(mapping, '{"n": "1", "y": "n/a", "x": "-106"}')
    assert (got.flaws[0].reason, got.updates[0].doubts) == ("bad_number", (Doubt.NO_PLACE,))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("format: json\nfields: {kind: k}", "nothing says where the call's number stands"),
        ("format: json\nfields: {number: n}\nvaleus: {}", "line 3: 'valeus' is no word"),
        ("format: word\nfields: {number: n}", "line 1: 'word' is no format"),
        ("fields: {number: n}", "nothing says what the files are"),
        ("format: json\nfields: {number: n, adress: a}", "'adress' is no field of fields"),
        (
            "format: json\nfields: {number: n}\nvalues:\n  kind:\n    A: shotsfired",
            "line 5: 'shotsfired' is no kind of ours",
        ),
        ("format: json\nfields: {number: n, sent_at: t}", "which time zone sent_at is in"),
        (
            "format: json\nfields: {number: n, sent_at: t}\ntimes: {zone: Mars}",
            "'Mars' is no time zone",
        ),
        (
            "format: json\nfields: {number: n, sent_at: t}\ntimes: {zone: UTC, format: HH}",
            "'HH' is no date format",
        ),
        ("format: json\nfields: {number: n}\nunits: {each: u, unit: id}", "what a unit is doing"),
        ("format: json\nfields: {number: n}\nagencies: [X]", "which agency a record is of"),
        ("format: csv\nfields: {number: n}\ndelimiter: ab", "no single character"),
        ("format: csv\nfields: {number: n}\nencoding: ebcdic", "no encoding we read"),
        ("format: json\nfields: {number: n}\nnotes: {each: x}", "where says stands"),
        ("format: json\nfields: {number: n}\nconstants: {number: 1}", "cannot be a constant"),
        ("- a\n- b", "no table"),
    ],
)
def test_a_mappings_fault_is_told_with_its_line_and_what_to_do(text: str, says: str) -> None:
    with pytest.raises(Invalid) as caught:
        load_mapping(text)
    assert says in caught.value.says
    assert caught.value.do


def test_a_mapping_that_is_not_there_is_named() -> None:
    with pytest.raises(Invalid, match=r"nowhere\.yaml cannot be read"):
        load_mapping(Path("nowhere.yaml"))


@pytest.mark.parametrize("name", sorted(SAMPLES))
@settings(max_examples=40, deadline=None)
@given(chance=st.data())
def test_a_mutated_file_raises_nothing_but_a_rejection(name: str, chance: st.DataObject) -> None:
    rules, body = example(name), bytearray(sample(name))
    for _ in range(chance.draw(st.integers(1, 5))):
        at = chance.draw(st.integers(0, len(body)))
        gone = chance.draw(st.integers(0, 12))
        body[at : at + gone] = chance.draw(st.binary(max_size=12))
    with contextlib.suppress(Rejected):
        got = read(rules, bytes(body))
        assert all(update.told_at == NOW for update in got.updates)


@pytest.mark.parametrize("name", sorted(SAMPLES))
@settings(max_examples=40, deadline=None)
@given(body=st.binary(max_size=400))
def test_noise_raises_nothing_but_a_rejection(name: str, body: bytes) -> None:
    with contextlib.suppress(Rejected):
        read(example(name), body)


_WORDS = [
    "name", "format", "encoding", "records", "delimiter", "quote", "header", "fields", "units",
    "notes", "vehicles", "hazards", "values", "constants", "times", "coordinates", "agencies",
    "other_agencies", "number", "sent_at", "kind", "state", "each", "split", "unit", "says",
    "zone", "unit_status", "ori", "NM9990100",
]  # fmt: skip
_texts = st.one_of(
    st.sampled_from(["json", "xml", "csv", "UTC", "iso", ".", "a/b", "[]", "@x", "/", "no", ""]),
    st.text(max_size=6),
    st.none(),
    st.integers(-2, 3),
)
_shapes = st.recursive(
    _texts,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_WORDS), inner, max_size=5)
    ),
    max_leaves=25,
)


@settings(max_examples=200, deadline=None)
@given(
    more=st.dictionaries(st.sampled_from(_WORDS), _shapes, max_size=6),
    body=st.sampled_from([b"[]", b"<a/>", b"a\n1\n", b'{"number": [{"a": 1}]}']),
)
def test_a_mapping_of_any_shape_loads_or_is_invalid(more: dict[str, Any], body: bytes) -> None:
    least = {"format": "json", "fields": {"number": "number"}}
    with contextlib.suppress(Invalid, Rejected):
        read(load_mapping(yaml.safe_dump({**least, **more})), body)
