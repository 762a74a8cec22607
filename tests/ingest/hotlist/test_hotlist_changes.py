"""A re-import is a diff, and a recall outlives it."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest

from farolito.ingest.hotlist import Parsed, diff, refuse_collapse
from farolito.model import HotListEntry, Rejected
from tests.ingest.hotlist.hotlist_builders import NOW, a_mapping, read_list

HEADER = "PLATE,ST,TYPE,CASE\n"
LATER = NOW + timedelta(hours=12)


def dated(*entered: str) -> Parsed:
    """One row for each plate P0, P1… entered then."""
    columns = {"plate": "PLATE", "category": "TYPE", "entered_at": "IN"}
    mapping = a_mapping(columns=columns, dates={"zone": "UTC"})
    rows = "".join(f"P{i},SV,{at}\n" for i, at in enumerate(entered))
    return read_list("PLATE,TYPE,IN\n" + rows, mapping, now=LATER + timedelta(days=30))


def recalled(entry: HotListEntry, at: datetime) -> HotListEntry:
    return msgspec.structs.replace(entry, recalled_at=at, recall_reason="recovered")


def test_the_same_file_again_changes_nothing_though_it_names_no_dates() -> None:
    data = HEADER + "ABC123,NM,SV,1\nDEF456,NM,SV,2\n"
    old = read_list(data).entries
    change = diff(old, read_list(data, now=LATER))
    assert (change.unchanged, change.added, change.changed, change.removed) == (2, (), (), ())


def test_rows_come_go_and_change() -> None:
    mapping = a_mapping(
        columns={"plate": "PLATE", "state": "ST", "category": "TYPE", "reason": "CASE"}
    )
    old = read_list(HEADER + "AAA111,NM,SV,a\nBBB222,NM,SV,b\nCCC333,NM,SV,c\n", mapping).entries
    new = read_list(HEADER + "BBB222,NM,SV,new\nCCC333,NM,SV,c\nDDD444,NM,SV,d\n", mapping)
    change = diff(old, new)
    assert [e.plate for e in change.added] == ["DDD444"]
    assert [(e.plate, e.reason) for e in change.changed] == [("BBB222", "new")]
    assert [e.plate for e in change.removed] == ["AAA111"]
    assert change.unchanged == 1


def test_applying_a_diff_makes_the_old_list_the_new_one() -> None:
    old = read_list(HEADER + "AAA111,NM,SV,1\nBBB222,NM,SV,2\n").entries
    new = read_list(HEADER + "BBB222,NM,SV,2\nCCC333,NM,SV,3\n", now=LATER)
    change = diff(old, new)
    struck = {e.entry_id for e in change.removed}
    after = {e.entry_id: e for e in old if e.entry_id not in struck}
    after |= {e.entry_id: e for e in (*change.added, *change.changed)}
    assert {e.plate for e in after.values()} == {"BBB222", "CCC333"}
    assert diff(after.values(), new) == msgspec.structs.replace(
        change, added=(), removed=(), unchanged=2
    )


def test_a_recalled_row_stays_recalled_when_its_list_repeats_it() -> None:
    new = dated("2026-11-01T08:00:00")
    (entry,) = new.entries
    change = diff([recalled(entry, NOW)], new)
    assert (change.unchanged, change.changed) == (1, ())


def test_a_recalled_row_whose_reason_changes_stays_recalled() -> None:
    mapping = a_mapping(columns={"plate": "PLATE", "category": "TYPE", "reason": "CASE"})
    (entry,) = read_list(HEADER + "ABC123,NM,SV,old\n", mapping).entries
    change = diff([recalled(entry, NOW)], read_list(HEADER + "ABC123,NM,SV,new\n", mapping))
    assert [(e.reason, e.recalled_at) for e in change.changed] == [("new", NOW)]


def test_a_row_its_source_entered_again_after_the_recall_is_in_force() -> None:
    (old,) = dated("2026-11-01T08:00:00").entries
    change = diff([recalled(old, NOW)], dated("2026-11-23T08:00:00"))
    assert change.changed[0].recalled_at is None
    assert change.reinstated == 1


def test_a_file_written_before_the_recall_reinstates_nothing_though_its_row_is_newer() -> None:
    (old,) = dated("2026-11-01T08:00:00").entries
    change = diff([recalled(old, NOW)], dated("2026-11-22T08:00:00"))
    assert change.changed[0].recalled_at == NOW
    assert change.reinstated == 0


def test_a_list_dated_by_days_may_enter_a_row_again_on_the_day_of_its_recall() -> None:
    (old,) = dated("2026-11-01").entries
    change = diff([recalled(old, NOW)], dated("2026-11-22"))
    assert change.changed[0].recalled_at is None


def test_a_recalled_row_that_left_the_list_comes_back_recalled() -> None:
    new = dated("2026-11-01T08:00:00")
    (entry,) = new.entries
    change = diff([], new, struck_while_recalled=[recalled(entry, NOW)])
    assert change.added[0].recalled_at == NOW


def test_half_a_file_does_not_strike_off_half_a_list_unasked() -> None:
    old = dated(*["2026-11-01"] * 100)
    with pytest.raises(Rejected) as told:
        refuse_collapse(diff(old.entries, dated(*["2026-11-01"] * 40)))
    assert (told.value.reason, told.value.status) == ("list_collapsed", 409)
    refuse_collapse(diff(old.entries, dated(*["2026-11-01"] * 60)))
    refuse_collapse(diff(old.entries[:5], dated()))
