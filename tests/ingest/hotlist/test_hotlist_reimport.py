"""A list imported again and again, through the real database."""

from __future__ import annotations

from datetime import datetime, timedelta

from farolito.ingest.hotlist import Diff, Mapping, diff
from farolito.store import Database, hot_lists
from tests.ingest.hotlist.hotlist_builders import NOW, a_list, a_mapping, read_list

LIST = a_list()
DATED = a_mapping(
    columns={
        "plate": "PLATE", "category": "TYPE", "case": "CASE", "entered_at": "IN",
        "expires_at": "OUT", "make": "MK", "year": "YR",
    },
)  # fmt: skip
HEADER = "PLATE,TYPE,CASE,IN,OUT,MK,YR\n"
STOLEN = "ABC123,SV,26-1,2026-11-01T08:00:00.123456Z,2027-01-01,Honda,2015\n"
OTHER = "DEF456,SV,,2026-11-02,,,\n"


async def bring_in(database: Database, data: str, mapping: Mapping, at: datetime) -> Diff:
    parsed = read_list(data, mapping, now=at)
    async with database.transaction(LIST.agency) as connection:
        await hot_lists.save_list(connection, LIST)
        held = await hot_lists.hold(connection, LIST.agency, LIST.list_id)
        change = diff(held.entries, parsed, held.struck_while_recalled)
        await hot_lists.apply_diff(connection, LIST, change, at)
    return change


async def plates_in_force(database: Database) -> list[str]:
    async with database.transaction(LIST.agency) as connection:
        return [e.plate async for e in hot_lists.all_in_force(connection, LIST.agency)]


async def recall(database: Database, change: Diff, at: datetime) -> None:
    async with database.transaction(LIST.agency) as connection:
        await hot_lists.recall(connection, change.added[0].entry_id, "car recovered", at)


async def test_the_same_file_again_changes_nothing_in_the_database(database: Database) -> None:
    for mapping, data in ((DATED, HEADER + STOLEN + OTHER), (a_mapping(), "PLATE,ST,TYPE,CASE\n")):
        await bring_in(database, data, mapping, NOW)
        again = await bring_in(database, data, mapping, NOW + timedelta(hours=12))
        assert (again.added, again.changed, again.removed) == ((), (), ())


async def test_a_list_without_dates_keeps_the_time_of_its_first_import(database: Database) -> None:
    data = "PLATE,ST,TYPE,CASE\nABC123,NM,SV,1\n"
    await bring_in(database, data, a_mapping(), NOW)
    again = await bring_in(database, data, a_mapping(), NOW + timedelta(hours=12))
    assert again.unchanged == 1
    async with database.transaction(LIST.agency) as connection:
        (entry,) = await hot_lists.entries(connection, LIST.agency, LIST.list_id)
    assert entry.entered_at == NOW


async def test_a_recall_outlives_repetition_absence_and_return(database: Database) -> None:
    first = await bring_in(database, HEADER + STOLEN + OTHER, DATED, NOW)
    await recall(database, first, NOW + timedelta(hours=1))
    for hours, data in ((12, STOLEN + OTHER), (24, OTHER), (36, STOLEN + OTHER)):
        await bring_in(database, HEADER + data, DATED, NOW + timedelta(hours=hours))
        assert await plates_in_force(database) == ["DEF456"]


async def test_a_car_stolen_again_after_its_recall_is_looked_for_again(database: Database) -> None:
    first = await bring_in(database, HEADER + STOLEN, DATED, NOW)
    await recall(database, first, NOW + timedelta(hours=1))
    again = STOLEN.replace("2026-11-01T08:00:00.123456Z", "2026-11-25T03:00:00Z")
    change = await bring_in(database, HEADER + again, DATED, NOW + timedelta(days=4))
    assert change.reinstated == 1
    assert await plates_in_force(database) == ["ABC123"]
