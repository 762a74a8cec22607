from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec
import pytest

from farolito.model import (
    AgencyId,
    EntryId,
    HotList,
    HotListEntry,
    ListedVehicle,
    ListId,
    Rejected,
    digest_id,
)
from farolito.store import Database, hot_lists
from farolito.store.hot_lists import BAD_LINES_MAX, BadLine, BadLines, Import

CITY, PUEBLO = AgencyId("city"), AgencyId("pueblo")
NOW = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=12)
LIST = HotList(
    list_id=ListId("state"),
    agency=CITY,
    name="State list",
    stale_after=timedelta(hours=24),
    dead_after=timedelta(hours=48),
    threshold=0.95,
)


class Change(msgspec.Struct, frozen=True):
    added: tuple[HotListEntry, ...] = ()
    changed: tuple[HotListEntry, ...] = ()
    removed: tuple[HotListEntry, ...] = ()


def an_entry(plate: str, **words: object) -> HotListEntry:
    told: dict[str, object] = {
        "entry_id": EntryId(digest_id(0, plate)),
        "list_id": LIST.list_id,
        "agency": CITY,
        "plate": plate,
        "state": "NM",
        "reason": "stolen vehicle",
        "category": "stolen_vehicle",
        "source_agency": "NM0010100",
        "entered_at": NOW,
        "expires_at": None,
        "confirm_with": "505-555-0100",
        **words,
    }
    return HotListEntry(**told)  # type: ignore[arg-type]


ABC = an_entry(
    "ABC123",
    case="26-1",
    vehicle=ListedVehicle(make="honda", colour="blue", year=2015),
    expires_at=NOW + timedelta(days=30),
    restricted=True,
)
DEF = an_entry("DEF456", state=None)


async def fill(database: Database, *entries: HotListEntry) -> None:
    async with database.transaction(CITY) as connection:
        await hot_lists.save_list(connection, LIST)
        await hot_lists.apply_diff(connection, LIST, Change(added=entries), NOW)


async def in_force(database: Database) -> list[HotListEntry]:
    async with database.transaction(CITY) as connection:
        found = [entry async for entry in hot_lists.all_in_force(connection, CITY)]
    return sorted(found, key=lambda entry: entry.plate)


async def test_an_entry_comes_back_as_it_was_stored(database: Database) -> None:
    await fill(database, ABC, DEF)
    assert await in_force(database) == [ABC, DEF]
    async with database.transaction(CITY) as connection:
        stored = await hot_lists.entry(connection, ABC.entry_id)
    assert stored == ABC
    assert msgspec.json.decode(msgspec.json.encode(stored), type=HotListEntry) == ABC


async def test_a_list_comes_back_as_it_was_saved_and_knows_its_import(database: Database) -> None:
    await fill(database, ABC)
    async with database.transaction(CITY) as connection:
        assert await hot_lists.lists(connection) == [msgspec.structs.replace(LIST, imported_at=NOW)]


async def test_saving_a_list_again_does_not_forget_its_import(database: Database) -> None:
    await fill(database, ABC)
    async with database.transaction(CITY) as connection:
        await hot_lists.save_list(connection, msgspec.structs.replace(LIST, name="New name"))
        (kept,) = await hot_lists.lists(connection)
    assert (kept.name, kept.imported_at) == ("New name", NOW)


async def test_a_diff_adds_changes_and_strikes_off(database: Database) -> None:
    await fill(database, ABC, DEF)
    new, corrected = an_entry("GHI789"), msgspec.structs.replace(ABC, reason="recovered plate")
    async with database.transaction(CITY) as connection:
        change = Change(added=(new,), changed=(corrected,), removed=(DEF,))
        await hot_lists.apply_diff(connection, LIST, change, LATER)
        assert (await hot_lists.lists(connection))[0].imported_at == LATER
        assert await hot_lists.entry(connection, DEF.entry_id) == DEF  # alerts still speak of it
    assert await in_force(database) == [corrected, new]


async def test_a_diff_that_fails_half_way_changes_nothing(database: Database) -> None:
    await fill(database, ABC)
    stranger = an_entry("GHI789", list_id=ListId("no-such-list"))
    change = Change(added=(stranger,), removed=(ABC,))
    async with database.transaction(CITY) as connection:
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await hot_lists.apply_diff(connection, LIST, change, LATER)
    assert await in_force(database) == [ABC]


async def test_an_entry_that_left_and_returned_is_in_force_again(database: Database) -> None:
    await fill(database, ABC)
    async with database.transaction(CITY) as connection:
        await hot_lists.apply_diff(connection, LIST, Change(removed=(ABC,)), LATER)
        await hot_lists.apply_diff(connection, LIST, Change(added=(ABC,)), LATER)
    assert await in_force(database) == [ABC]


async def test_a_recalled_entry_is_out_of_force_and_still_on_its_list(database: Database) -> None:
    await fill(database, ABC, DEF)
    async with database.transaction(CITY) as connection:
        recalled = await hot_lists.recall(connection, ABC.entry_id, "car recovered", LATER)
        again = await hot_lists.recall(connection, ABC.entry_id, "twice", LATER + timedelta(days=1))
        held = await hot_lists.hold(connection, CITY, LIST.list_id)
    assert recalled is not None
    assert (recalled.recalled_at, recalled.recall_reason) == (LATER, "car recovered")
    assert again == recalled
    assert recalled in held.entries
    assert await in_force(database) == [DEF]


async def test_a_recalled_entry_that_left_its_list_is_remembered_as_recalled(
    database: Database,
) -> None:
    await fill(database, ABC, DEF)
    async with database.transaction(CITY) as connection:
        recalled = await hot_lists.recall(connection, ABC.entry_id, "car recovered", LATER)
        change = Change(removed=(ABC, DEF))
        await hot_lists.apply_diff(connection, LIST, change, LATER)
        held = await hot_lists.hold(connection, CITY, LIST.list_id)
        assert await hot_lists.forget_removed(connection, CITY, LATER + timedelta(days=1)) == 1
        assert await hot_lists.entry(connection, DEF.entry_id) is None
    assert held.struck_while_recalled == [recalled]
    assert held.entries == []


async def test_recalling_what_is_not_there_answers_none(database: Database) -> None:
    async with database.transaction(CITY) as connection:
        missing = EntryId(UUID(int=1))
        assert await hot_lists.recall(connection, missing, "recovered", NOW) is None


async def test_another_agency_sees_and_recalls_nothing(database: Database) -> None:
    await fill(database, ABC)
    async with database.transaction(PUEBLO) as connection:
        assert await hot_lists.lists(connection) == []
        assert await hot_lists.entry(connection, ABC.entry_id) is None
        assert await hot_lists.recall(connection, ABC.entry_id, "mine", NOW) is None
        with pytest.raises(Rejected):
            await hot_lists.hold(connection, CITY, LIST.list_id)
    assert await in_force(database) == [ABC]


async def test_expired_rows_stay_in_reach_so_that_a_stop_has_a_reason(database: Database) -> None:
    gone = an_entry("OLD111", expires_at=NOW - timedelta(days=1))
    await fill(database, gone)
    assert await in_force(database) == [gone]
    async with database.transaction(CITY) as connection:
        (summary,) = await hot_lists.summaries(connection, NOW)
    assert (summary.rows, summary.expired, summary.recalled) == (1, 1, 0)


async def test_entries_are_found_by_the_beginning_of_a_plate_or_by_case(
    database: Database,
) -> None:
    await fill(database, ABC, DEF)
    async with database.transaction(CITY) as connection:
        assert await hot_lists.find(connection, CITY, "ABC") == [ABC]
        assert await hot_lists.find(connection, CITY, "26-1") == [ABC]
        assert await hot_lists.find(connection, CITY, "%") == []


async def test_an_import_is_remembered_with_its_bad_lines_up_to_the_limit(
    database: Database,
) -> None:
    bad = tuple(BadLine(n, "bad_plate", "no plate") for n in range(1, BAD_LINES_MAX + 10))
    done = Import(
        import_id=UUID(int=7), agency=CITY, list_id=LIST.list_id, at=NOW, file_sha256="ab" * 32,
        rows=2000, added=1, changed=0, removed=0, unchanged=3, forbidden=4,
        bad=BadLines(count=len(bad), rows=bad, left_out=5),
    )  # fmt: skip
    await fill(database)
    async with database.transaction(CITY) as connection:
        await hot_lists.record_import(connection, done)
        (stored,) = await hot_lists.last_imports(connection, CITY, LIST.list_id)
    assert stored.bad.count == BAD_LINES_MAX + 9
    assert len(stored.bad.rows) == BAD_LINES_MAX
    assert msgspec.structs.replace(stored, bad=done.bad) == done


async def test_only_the_last_imports_are_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hot_lists, "IMPORTS_KEPT_MAX", 2)
    await fill(database)
    async with database.transaction(CITY) as connection:
        for n in range(4):
            done = Import(
                import_id=UUID(int=n), agency=CITY, list_id=LIST.list_id,
                at=NOW + timedelta(hours=n), file_sha256="", rows=n, added=0, changed=0,
                removed=0, unchanged=0, forbidden=0,
            )  # fmt: skip
            await hot_lists.record_import(connection, done)
        kept = await hot_lists.last_imports(connection, CITY, LIST.list_id)
    assert [done.rows for done in kept] == [3, 2]
