from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from farolito.audit import Ledger, LedgerDown, Spool, verify
from farolito.audit.spool import read_lines
from farolito.model import Invalid
from farolito.store import Database
from tests.audit.ledger_builders import CITY, LOG, START, chance, entry


@pytest.fixture
async def ledger(database: Database, tmp_path: Path) -> AsyncIterator[Ledger]:
    opened = await Ledger.open(database, CITY, tmp_path / "log.key", lambda: START, chance())
    yield opened
    await opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def spool_of(folder: Path, seed: int = 5) -> Spool:
    return Spool(folder, LOG, chance(seed))


def fill(spool: Spool, count: int) -> None:
    for i in range(count):
        spool.append(entry(count=i))


async def counts(ledger: Ledger) -> list[int]:
    return [recorded.entry["count"] for recorded in await ledger.entries(limit=500)]


async def test_every_spooled_entry_comes_in_once_and_says_that_it_waited(
    ledger: Ledger, folder: Path
) -> None:
    await ledger.append(entry(count=100))
    spool = spool_of(folder)
    fill(spool, 5)
    assert spool.waiting == 5
    done = await spool.reconcile(ledger)
    assert (done.added, done.present) == (5, 0)
    assert sorted(await counts(ledger)) == [0, 1, 2, 3, 4, 100]
    page = await ledger.entries(after=0)
    assert {r.entry["spooled"]["id"] for r in page} == {done.spool_id}
    assert await ledger.open_field(page[0].index, "query") == "BKX291"
    assert spool.waiting == 0
    assert [Path(name).suffix for name in os.listdir(folder)] == [".done"]
    assert verify(await ledger.bundle(openings=True), ledger.verifier_key).problems == ()


async def test_a_reconciliation_cut_off_midway_goes_on_without_repeats(
    ledger: Ledger, folder: Path
) -> None:
    spool = spool_of(folder)
    fill(spool, 6)
    for line in read_lines((folder / "current.spool").read_bytes(), LOG.verifier)[:4]:
        await ledger.append_sealed(line.sealed, (line.spool_id, line.number))
    done = await spool_of(folder, seed=6).reconcile(ledger)  # as after a restart
    assert (done.added, done.present) == (2, 4)
    assert sorted(await counts(ledger)) == list(range(6))


async def test_two_equal_entries_both_come_in(ledger: Ledger, folder: Path) -> None:
    spool = spool_of(folder)
    spool.append(entry(personal={}))
    spool.append(entry(personal={}))
    assert (await spool.reconcile(ledger)).added == 2


async def test_entries_spooled_while_reconciling_come_along(ledger: Ledger, folder: Path) -> None:
    spool = spool_of(folder)
    fill(spool, 3)
    running = asyncio.create_task(spool.reconcile(ledger))
    await asyncio.sleep(0)
    spool.append(entry(count=3))
    done = await running
    assert done.added == 4
    assert sorted(await counts(ledger)) == [0, 1, 2, 3]


async def test_a_spool_waits_while_the_ledger_stays_down(ledger: Ledger, folder: Path) -> None:
    spool = spool_of(folder)
    fill(spool, 3)
    await ledger.close()
    with pytest.raises(LedgerDown):
        await spool.reconcile(ledger)
    assert spool.waiting == 3
    assert spool_of(folder).waiting == 3


async def test_an_empty_spool_reconciles_to_nothing(ledger: Ledger, folder: Path) -> None:
    assert (await spool_of(folder).reconcile(ledger)).added == 0


def test_a_new_spool_goes_on_after_a_restart(folder: Path) -> None:
    fill(spool_of(folder), 2)
    again = spool_of(folder, seed=6)
    assert again.append(entry()).number == 2
    assert len(read_lines((folder / "current.spool").read_bytes(), LOG.verifier)) == 3


def test_a_torn_last_line_was_never_acknowledged_and_goes(folder: Path) -> None:
    fill(spool_of(folder), 2)
    path = folder / "current.spool"
    path.write_bytes(path.read_bytes()[:-30])
    again = spool_of(folder, seed=6)
    assert again.waiting == 1
    assert again.append(entry()).number == 1
    assert again.damaged == []


@pytest.mark.parametrize("at", [3, 200, 900, 1500, -20])
def test_a_changed_spool_is_set_aside_for_a_person(folder: Path, at: int) -> None:
    fill(spool_of(folder), 3)
    path = folder / "current.spool"
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(bytes(raw))
    spool = spool_of(folder, seed=6)
    assert spool.waiting == 0
    assert len(spool.damaged) == 1
    assert spool.append(entry()).number == 0


def test_a_line_taken_out_or_exchanged_is_noticed(folder: Path) -> None:
    fill(spool_of(folder), 4)
    lines = (folder / "current.spool").read_bytes().splitlines(keepends=True)
    for changed in (lines[1:], lines[:1] + lines[2:], [lines[0], lines[2], lines[1], lines[3]]):
        with pytest.raises(Invalid):
            read_lines(b"".join(changed), LOG.verifier)


def test_only_its_owner_may_read_a_spool(folder: Path) -> None:
    fill(spool_of(folder), 1)
    assert (folder / "current.spool").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_spool_finds_its_own_key_again(folder: Path, tmp_path: Path) -> None:
    fill(Spool.open(folder, tmp_path / "spool.key", CITY, chance(1)), 2)
    assert Spool.open(folder, tmp_path / "spool.key", CITY, chance(2)).waiting == 2
    assert (tmp_path / "spool.key").stat().st_mode & 0o777 == 0o600
