"""Rows into entries: what is taken in, what is listed as bad, what the law forbids."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from farolito.ingest.hotlist import (
    BAD_ROWS_MAX,
    ForbiddenCategories,
    Mapping,
    load_mapping,
    ready_mapping,
)
from farolito.model import Invalid, ListedVehicle, Rejected
from tests.ingest.hotlist.hotlist_builders import LAW, NOW, a_mapping, plates, read_list, reasons

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "hotlists"
HEADER = "PLATE,ST,TYPE,CASE\n"


def dated(**dates: object) -> Mapping:
    columns = {"plate": "PLATE", "category": "TYPE", "entered_at": "IN", "expires_at": "OUT"}
    return a_mapping(columns=columns, dates={"zone": "America/Denver", **dates})


@pytest.mark.real_input
def test_genetecs_list_comes_in_as_it_is(real_inputs: Path) -> None:
    data = (real_inputs / "lpr/payloads/genetec_hotlist_semicolon.csv").read_bytes()
    (entry,) = read_list(data, ready_mapping("genetec")).entries
    assert (entry.plate, entry.state, entry.category) == ("ABC123", "NM", "stolen_vehicle")
    assert entry.entered_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert entry.expires_at == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.real_input
def test_flocks_entries_come_in_as_they_are(real_inputs: Path) -> None:
    data = (real_inputs / "lpr/payloads/flock_hotlist_entries.json").read_bytes()
    (entry,) = read_list(data, ready_mapping("flock"), folded=True).entries
    assert (entry.plate, entry.state, entry.case) == ("ABC123", "NM", "26-0012")
    assert entry.reason == "Series of shootings"
    assert entry.confirm_with == "Contact Det."
    assert entry.expires_at == datetime(2026, 12, 31, tzinfo=UTC)
    assert entry.entered_at == NOW  # the list does not say


def test_the_fixed_width_example_reads_the_line_it_shows() -> None:
    data = (
        "HDR20261122\n"
        "ABC123    NM 20260314 SV HOND BLU4D 2015V123456789  NM0010100\n"
        "DEF456    MX 20260314 LP FORD XXXUT                 NM0010200\n"
        "TRL000002\n"
    )
    first, second = read_list(data, load_mapping(EXAMPLES / "fixed-width.yaml")).entries
    assert first.vehicle == ListedVehicle("honda", None, "blue", "sedan", 2015)
    assert first.source_agency == "NM0010100"
    assert first.entered_at == datetime(2026, 3, 14, 6, tzinfo=UTC)
    assert second.state is None
    assert second.vehicle == ListedVehicle(make="ford", kind="suv")


def test_the_header_example_reads_the_line_it_shows() -> None:
    data = (
        "PLATE,STATE,TYPE,CASE NO,ENTERED,EXPIRES,MAKE,COLOR,YEAR,ENTERED BY\n"
        "ABC-123,NM,SV,26-000123,03/14/2026 22:05,12/05/2026,HONDA,BLU,2015,NM0010100\n"
        "TEST1,NM,TEST,,,,,,,\n"
    )
    parsed = read_list(data, load_mapping(EXAMPLES / "comma-with-header.yaml"))
    (entry,) = parsed.entries
    assert (entry.plate, entry.reason, entry.case) == ("ABC123", "Stolen vehicle", "26-000123")
    assert entry.entered_at == datetime(2026, 3, 15, 4, 5, tzinfo=UTC)  # daylight saving time
    assert entry.expires_at == datetime(2026, 12, 6, 7, tzinfo=UTC)  # the end of the 5th
    assert parsed.left_out == 1


# -- bad rows ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plate", "reason"),
    [
        ("", "missing_value"),
        ("UNKNOWN", "missing_value"),
        ("none", "missing_value"),
        ("N/A", "missing_value"),
        ("****", "masked_plate"),
        ("ABC*23", "masked_plate"),
        ("ABC?23", "masked_plate"),
        ("---", "bad_plate"),
        ("A" * 40, "bad_plate"),
        ("АВС123", "bad_plate"),  # Cyrillic letters that look Latin
        ("STRAßE", "bad_plate"),
        ("😀", "bad_plate"),
        ("ABC\x07123", "control_characters"),
        ("ABC\u202e123", "control_characters"),
        ("A" * 600, "value_too_long"),
    ],
)
def test_a_bad_plate_is_listed_by_line_and_the_rest_goes_in(plate: str, reason: str) -> None:
    parsed = read_list(HEADER + f"ABC123,NM,SV,1\n{plate},NM,SV,2\nDEF456,NM,SV,3\n")
    assert reasons(parsed) == [(3, reason)]
    assert plates(parsed) == ["ABC123", "DEF456"]


def test_what_is_said_of_a_bad_plate_does_not_repeat_it() -> None:
    parsed = read_list(HEADER + "SECRET?1,NM,SV,1\nSECRETSECRET,NM,SV,1\n")
    assert not any("SECRET" in row.says for row in parsed.bad)


def test_hyphens_blanks_and_symbols_fall_out_of_a_plate() -> None:
    assert plates(read_list(HEADER + "ab-c 1♥23,NM,SV,1\n")) == ["ABC123"]


def test_a_state_nobody_knows_is_a_bad_row_and_a_blank_one_is_unknown() -> None:
    parsed = read_list(HEADER + "ABC123,ZZ,SV,1\nDEF456,,SV,2\nGHI789,new_mexico,SV,3\n")
    assert reasons(parsed) == [(2, "unknown_state")]
    assert [e.state for e in parsed.entries] == [None, "NM"]


def test_a_category_outside_the_mapping_is_a_bad_row_unless_the_mapping_keeps_it() -> None:
    data = HEADER + "ABC123,NM,SV,1\nDEF456,NM,Felony Vehicle,2\n"
    table = {"SV": "stolen_vehicle"}
    assert reasons(read_list(data, a_mapping(categories=table))) == [(3, "unknown_category")]
    kept = read_list(data, a_mapping(categories=table, other_categories="keep"))
    assert [(e.category, e.reason) for e in kept.entries] == [
        ("stolen_vehicle", "stolen vehicle"), ("felony_vehicle", "Felony Vehicle"),
    ]  # fmt: skip
    named = read_list(data, a_mapping(categories=table, other_categories="other"))
    assert named.entries[1].category == "other"


def test_a_row_without_what_the_mapping_requires_is_bad() -> None:
    parsed = read_list(HEADER + "ABC123,NM,SV,\n", a_mapping(required=["case"]))
    assert reasons(parsed) == [(2, "missing_value")]
    assert parsed.bad[0].field == "case"


def test_a_row_that_nobody_could_confirm_is_bad() -> None:
    mapping = a_mapping(
        columns={"plate": "PLATE", "category": "TYPE", "confirm_with": "CASE"},
        defaults={"source_agency": "NM0010100"},
    )
    assert reasons(read_list(HEADER + "ABC123,NM,SV,\n", mapping)) == [(2, "missing_value")]


@pytest.mark.parametrize(
    ("entered", "reason"),
    [
        ("31/13/2026", "bad_date"),
        ("2026-02-30", "bad_date"),
        ("yesterday", "bad_date"),
        ("2027-05-01", "future_time"),
        ("9999-12-31", "future_time"),
        ("1900-01-01", "ancient_time"),
        ("0001-01-01", "ancient_time"),
    ],
)
def test_a_bad_date_is_listed_by_line(entered: str, reason: str) -> None:
    parsed = read_list(f"PLATE,TYPE,IN,OUT\nABC123,SV,{entered},\n", dated())
    assert reasons(parsed) == [(2, reason)]


def test_a_row_that_ends_before_it_begins_is_bad() -> None:
    data = "PLATE,TYPE,IN,OUT\nABC123,SV,2026-05-01,2026-04-01\n"
    assert reasons(read_list(data, dated())) == [(2, "ends_before_it_begins")]


def test_an_expiry_in_the_year_9999_means_none() -> None:
    data = "PLATE,TYPE,IN,OUT\nABC123,SV,2026-05-01,9999-12-31\n"
    assert read_list(data, dated()).entries[0].expires_at is None


@pytest.mark.parametrize(
    ("pattern", "text", "moment"),
    [
        ("MM/DD/YYYY", "3/4/2026", datetime(2026, 3, 4, 7, tzinfo=UTC)),
        ("DD/MM/YYYY", "3/4/2026", datetime(2026, 4, 3, 6, tzinfo=UTC)),
        ("YYYYMMDD", "20260304", datetime(2026, 3, 4, 7, tzinfo=UTC)),
        ("YYMMDD", "260304", datetime(2026, 3, 4, 7, tzinfo=UTC)),
        ("YYYYMMDDhhmm", "202603040830", datetime(2026, 3, 4, 15, 30, tzinfo=UTC)),
        ("DD MON YY", "04 Mar 26", datetime(2026, 3, 4, 7, tzinfo=UTC)),
        ("M/D/YYYY h:mm am", "3/4/2026 1:05 PM", datetime(2026, 3, 4, 20, 5, tzinfo=UTC)),
        ("M/D/YYYY h:mm am", "3/4/2026 12:05 a.m.", datetime(2026, 3, 4, 7, 5, tzinfo=UTC)),
        ("YYYY-MM-DD hh:mm:ssZ", "2026-03-04 08:00:00+02:00", datetime(2026, 3, 4, 6, tzinfo=UTC)),
        ("iso", "2026-03-04T08:00:00Z", datetime(2026, 3, 4, 8, tzinfo=UTC)),
        ("iso", "2026-07-04T08:00:00", datetime(2026, 7, 4, 14, tzinfo=UTC)),
        ("epoch", "1772611200", datetime(2026, 3, 4, 8, tzinfo=UTC)),
        ("epoch", "1772611200000", datetime(2026, 3, 4, 8, tzinfo=UTC)),
    ],
)
def test_dates_are_read_in_the_mappings_format_and_zone(
    pattern: str, text: str, moment: datetime
) -> None:
    parsed = read_list(f"PLATE,TYPE,IN,OUT\nABC123,SV,{text},\n", dated(format=pattern))
    assert [e.entered_at for e in parsed.entries] == [moment]


def test_a_year_that_is_none_is_left_out_with_a_warning_and_the_row_goes_in() -> None:
    columns = {"plate": "PLATE", "category": "TYPE", "make": "ST", "year": "CASE"}
    parsed = read_list(HEADER + "ABC123,Honda,SV,20I5\n", a_mapping(columns=columns))
    assert parsed.entries[0].vehicle == ListedVehicle(make="honda")
    assert [(w.line, w.reason) for w in parsed.warnings] == [(2, "bad_year")]


def test_bad_rows_past_the_limit_are_counted_and_not_kept() -> None:
    parsed = read_list(HEADER + "?,NM,SV,1\n" * (BAD_ROWS_MAX + 5))
    assert len(parsed.bad) == BAD_ROWS_MAX
    assert parsed.bad_count == BAD_ROWS_MAX + 5


# -- what the law forbids ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    ["Immigration", "IMMIGRATION VIOLATOR", "immigration_violator", "ImmigrationViolator",
     "Immigration-Violator File", "I M M I G R A T I O N"],
)  # fmt: skip
@pytest.mark.parametrize("renamed", [False, True])
def test_a_forbidden_category_is_counted_and_nothing_of_it_is_kept(
    word: str, renamed: bool
) -> None:
    mapping = a_mapping(categories={word: "wanted_person", "SV": "stolen_vehicle"})
    data = HEADER + f"ABC123,NM,SV,1\nFORBID7,NM,{word},26-777\n"
    parsed = read_list(data, mapping if renamed else a_mapping())
    assert parsed.forbidden == 1
    assert plates(parsed) == ["ABC123"]
    assert b"FORBID7" not in msgspec.json.encode(parsed)
    assert b"26-777" not in msgspec.json.encode(parsed)


@pytest.mark.parametrize(
    "row", ["?,NM,Immigration,1", "FORBID7,ZZ,Immigration,1", "FORBID7,NM,Immigration,\x07"]
)
def test_a_forbidden_row_that_is_also_bad_is_forbidden_and_not_described(row: str) -> None:
    parsed = read_list(HEADER + row + "\n")
    assert (parsed.forbidden, parsed.bad_count, parsed.entries) == (1, 0, ())


def test_a_forbidden_reason_is_refused_whatever_the_category() -> None:
    data = '{"entries":[{"plate":"ABC123","reason":"Immigration hold","caseNumber":"1"}]}'
    parsed = read_list(data, ready_mapping("flock"), folded=True)
    assert (parsed.forbidden, parsed.entries) == (1, ())


def test_a_mapping_whose_default_is_forbidden_takes_nothing_in() -> None:
    mapping = a_mapping(
        columns={"plate": "PLATE"},
        defaults={"category": "immigration", "source_agency": "X", "confirm_with": "Y"},
    )
    assert read_list(HEADER + "ABC123,NM,SV,1\n", mapping).forbidden == 1


def test_a_short_forbidden_name_is_not_found_inside_other_words() -> None:
    law = ForbiddenCategories(frozenset({"ice"}))
    data = HEADER + "ABC123,NM,Stolen police vehicle,1\nDEF456,NM,ICE detainer,2\n"
    parsed = read_list(data, law=law)
    assert (plates(parsed), parsed.forbidden) == (["ABC123"], 1)


def test_a_law_that_forbids_nothing_lets_every_category_in() -> None:
    parsed = read_list(HEADER + "ABC123,NM,Immigration,1\n", law=ForbiddenCategories(frozenset()))
    assert parsed.forbidden == 0
    assert LAW.forbids("Immigration")


# -- which row is which -----------------------------------------------------------------------


def test_the_same_row_has_the_same_id_in_every_import() -> None:
    first = read_list(HEADER + "ABC123,NM,SV,1\n")
    again = read_list(HEADER + "ZZZ999,TX,SV,9\nabc-123,nm,SV,1\n")
    assert first.entries[0].entry_id == again.entries[1].entry_id


def test_the_lists_own_key_says_which_row_it_is_even_when_the_plate_is_corrected() -> None:
    mapping = a_mapping(columns={"plate": "PLATE", "category": "TYPE", "key": "CASE"})
    first = read_list(HEADER + "ABC123,NM,SV,V1\n", mapping)
    corrected = read_list(HEADER + "ABC128,NM,SV,V1\n", mapping)
    assert first.entries[0].entry_id == corrected.entries[0].entry_id


def test_a_key_that_two_plates_share_is_no_key() -> None:
    mapping = a_mapping(columns={"plate": "PLATE", "category": "TYPE", "key": "CASE"})
    parsed = read_list(HEADER + "ABC123,NM,SV,V1\nDEF456,NM,SV,V1\n", mapping)
    assert reasons(parsed) == [(3, "key_twice")]


def test_rows_that_folding_makes_equal_become_one() -> None:
    data = HEADER + "ABO123,NM,SV,1\nAB0123,NM,SV,1\nABO123,NM,SV,1\n"
    folded = read_list(data, folded=True)
    assert (plates(folded), folded.duplicates) == (["AB0123"], 2)
    assert plates(read_list(data)) == ["ABO123", "AB0123"]


def test_of_two_equal_rows_the_one_entered_last_counts() -> None:
    data = "PLATE,TYPE,IN,OUT\nABC123,SV,2026-05-01,\nABC123,SV,2026-06-01,2027-01-01\n"
    (entry,) = read_list(data, dated()).entries
    assert entry.expires_at is not None


def test_a_mapping_that_folds_for_a_list_that_does_not_is_rejected() -> None:
    with pytest.raises(Rejected) as told:
        read_list('{"entries":[]}', ready_mapping("flock"))
    assert told.value.reason == "folding_differs"


def test_an_import_time_without_a_zone_is_invalid() -> None:
    with pytest.raises(Invalid):
        read_list(HEADER, now=NOW.replace(tzinfo=None))
