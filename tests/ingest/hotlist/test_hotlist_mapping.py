"""What a person who writes a mapping is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from farolito.ingest.hotlist import READY, load_mapping, ready_mapping
from farolito.model import Invalid, Rejected
from tests.ingest.hotlist.hotlist_builders import a_mapping, read_list

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "hotlists"

GOOD = """\
name: A list
columns:
  plate: PLATE
  category: TYPE
defaults:
  source_agency: NM0010100
  confirm_with: 505-555-0100
"""


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_example_mapping_loads(path: Path) -> None:
    assert load_mapping(path).columns["plate"]


@pytest.mark.parametrize("name", READY)
def test_every_ready_mapping_loads_and_takes_the_agencys_own_defaults(name: str) -> None:
    mapping = ready_mapping(name, {"confirm_with": "505-555-0142"})
    assert mapping.defaults["confirm_with"] == "505-555-0142"


@pytest.mark.parametrize(
    ("text", "says", "do"),
    [
        (GOOD.replace("plate: PLATE", "plat: PLATE"), "line 3: 'plat'", "did you mean plate?"),
        (GOOD + "delimeter: ;\n", "line 8: 'delimeter'", "did you mean delimiter?"),
        (GOOD + "delimiter: semi\n", "line 8: 'semi'", "one character"),
        (GOOD + "encoding: klingon\n", "line 8: 'klingon'", "use utf-8"),
        (GOOD + "header: perhaps\n", "line 8: 'perhaps'", "yes or no"),
        (GOOD + "header: no\n", "'PLATE' is a name, and header is no", "column's number"),
        (GOOD + "format: excel\n", "line 8: 'excel'", "delimited"),
        (GOOD + "start_from: nobody\n", "line 8: there is no ready mapping", "genetec"),
        (GOOD + "skip_lines: two\n", "line 8: 'two'", "digits"),
        (GOOD + "required: [case]\n", "case is required", "add case:"),
        (GOOD + "categories: {SV: Stolen Car}\n", "line 8: 'Stolen Car'", "stolen_vehicle"),
        (GOOD + "values: {plate: {A: B}}\n", "line 8: values of 'plate'", "colour"),
        (GOOD.replace("  category: TYPE\n", ""), "nothing says what category is", "defaults:"),
        (GOOD.replace("  plate: PLATE\n", ""), "no column holds the plate", "add plate:"),
        (GOOD + "columns: {plate: 1}\n", "line 8: 'columns' stands here twice", "keep one"),
        (GOOD + "  - broken\n", "this is no YAML", "indentation"),
        (GOOD + "blank: *all\n", "alias", ""),
        ("- a\n- b\n", "no table", "docs/hot-lists.md"),
        ("", "no table", ""),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_line_and_what_to_do(text: str, says: str, do: str) -> None:
    with pytest.raises(Invalid) as told:
        load_mapping(text)
    assert says in str(told.value)
    assert do in str(told.value)


def test_dates_without_a_zone_are_a_fault_because_an_hour_may_be_meant_in_any() -> None:
    with pytest.raises(Invalid, match="which time zone entered_at is in"):
        a_mapping(columns={"plate": "P", "category": "T", "entered_at": "E"}, dates={})


@pytest.mark.parametrize("pattern", ["MM/YYYY", "YYYY-MM-DD-DD", "the 5th", ""])
def test_a_date_format_that_names_no_day_is_a_fault(pattern: str) -> None:
    columns = {"plate": "P", "category": "T", "entered_at": "E"}
    with pytest.raises(Invalid, match="is no date format"):
        a_mapping(columns=columns, dates={"format": [pattern], "zone": "UTC"})


def test_a_zone_that_does_not_exist_is_a_fault() -> None:
    with pytest.raises(Invalid, match="'Albuquerque' is no time zone"):
        a_mapping(dates={"zone": "Albuquerque"})


def test_several_faults_are_told_at_once() -> None:
    with pytest.raises(Invalid) as told:
        load_mapping(GOOD + "encoding: klingon\nheader: perhaps\nformat: excel\n")
    assert told.value.says.startswith("the mapping has 3 faults: line 8")


def test_aliases_that_would_multiply_are_not_followed() -> None:
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\n" + GOOD
    with pytest.raises(Invalid, match="aliases"):
        load_mapping(bomb)


@pytest.mark.parametrize("text", ["[" * 50_000, "a:\n" * 3 + " " * 300_000, b"\xff\xfe\x00"])
def test_a_hostile_mapping_is_invalid_and_nothing_worse(text: str | bytes) -> None:
    with pytest.raises(Invalid):
        load_mapping(text)


def test_text_is_never_taken_for_a_path(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(GOOD)
    assert load_mapping(path).name == "A list"
    with pytest.raises(Invalid):
        load_mapping(str(path))


def test_a_mapping_that_is_not_there_is_invalid(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        load_mapping(tmp_path / "absent.yaml")


def test_ontario_is_no_boolean() -> None:
    text = GOOD.replace("  category: TYPE\n", "  category: TYPE\n  state: ST\n")
    mapping = load_mapping(text + "values:\n  state:\n    ONT: ON\n")
    parsed = read_list("PLATE,ST,TYPE\nABC123,ONT,SV\n", mapping)
    assert parsed.entries[0].state == "ON"


def test_a_column_that_the_list_does_not_have_is_told_with_those_it_has() -> None:
    with pytest.raises(Rejected) as told:
        read_list("PLATE;ST;TYPE;CASE\nABC123;NM;SV;1\n")
    assert told.value.reason == "column_missing"
    assert "'PLATE;ST;TYPE;CASE'" in told.value.says
    assert "delimiter" in told.value.do


def test_two_columns_of_one_name_are_refused_rather_than_guessed() -> None:
    with pytest.raises(Rejected) as told:
        read_list("PLATE,ST,ST,TYPE,CASE\nABC123,NM,TX,SV,1\n")
    assert told.value.reason == "column_twice"
