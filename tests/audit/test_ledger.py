from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from farolito.audit import (
    Checkpoint,
    Ledger,
    LedgerBusy,
    LedgerDamaged,
    LedgerDown,
    Note,
    NotOpenable,
    Proof,
    Records,
    Seen,
    VerifierKey,
    Witness,
    verify,
)
from farolito.audit import ledger as ledger_
from farolito.audit.witness import write_request
from farolito.model import AgencyId, Invalid
from farolito.store import Database
from tests.audit.ledger_builders import CITY, START, WITNESS, chance, entry


def clock() -> datetime:
    return START


async def open_ledger(database: Database, tmp_path: Path, agency: AgencyId = CITY) -> Ledger:
    key_path = tmp_path / f"{agency}.key"
    return await Ledger.open(database, agency, key_path, clock, chance())


@pytest.fixture
async def ledger(database: Database, tmp_path: Path) -> AsyncIterator[Ledger]:
    opened = await open_ledger(database, tmp_path)
    yield opened
    await opened.close()


async def fill(ledger: Ledger, count: int) -> None:
    await asyncio.gather(*(ledger.append(entry(count=i)) for i in range(count)))


async def tamper(database: Database, sql: str) -> None:
    """What a superuser with a terminal can do: switch the triggers off and write."""
    async with database.system() as connection:
        await connection.execute("set local session_replication_role = replica")
        await connection.execute(sql)


async def kill_connections(database: Database) -> None:
    await database.pool.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )


async def test_entries_get_the_numbers_in_which_they_became_durable(ledger: Ledger) -> None:
    receipts = await asyncio.gather(*(ledger.append(entry(count=i)) for i in range(20)))
    assert sorted(r.index for r in receipts) == list(range(20))
    page = await ledger.entries()
    assert [r.leaf for r in page] == [
        r.leaf for r in sorted(receipts, key=lambda receipt: receipt.index)
    ]


async def test_a_page_shows_commitments_and_no_personal_value(ledger: Ledger) -> None:
    await fill(ledger, 5)
    page = await ledger.entries(after=2, limit=2)
    assert [r.index for r in page] == [3, 4]
    assert page[0].openable == ("case", "query", "user")
    shown = json.dumps([r.entry for r in page])
    assert "Ana Ortiz" not in shown
    assert "BKX291" not in shown


async def test_the_whole_ledger_and_every_part_of_it_verify_offline(ledger: Ledger) -> None:
    await fill(ledger, 12)
    await ledger.checkpoint()
    await fill(ledger, 9)
    for first, last in [(0, None), (0, 20), (5, 5), (3, 17), (12, 11), (20, 20)]:
        verdict = verify(await ledger.bundle(first, last), ledger.verifier_key)
        assert verdict.problems == ()
        assert (verdict.ok, verdict.size, verdict.first) == (True, 21, first)


async def test_a_ledger_of_many_tiles_proves_any_part_of_itself(ledger: Ledger) -> None:
    await fill(ledger, 1100)
    for first, last in [(0, None), (255, 256), (300, 900), (1099, 1099)]:
        assert verify(await ledger.bundle(first, last), ledger.verifier_key).problems == ()
    assert await ledger.check() == []
    old = Checkpoint.parse(Note.parse(await ledger.checkpoint()))
    await fill(ledger, 300)
    new = await ledger.checkpoint()
    seen = {old.origin: Seen(old.size, old.root)}
    witness = Witness(WITNESS, {old.origin: [ledger.verifier_key]}, seen)
    proof = await ledger.consistency(old.size, 1400)
    assert witness.add_checkpoint(write_request(1100, proof, new), START).status == 200


async def test_a_bundle_has_openings_only_when_asked_for(ledger: Ledger) -> None:
    await fill(ledger, 3)
    closed, opened = await ledger.bundle(), await ledger.bundle(openings=True)
    assert b"BKX291" not in closed
    assert b"BKX291" in opened
    assert verify(opened, ledger.verifier_key).problems == ()


@pytest.mark.parametrize(("first", "last"), [(-1, 1), (0, 3), (3, 1), (4, 4)])
async def test_a_range_that_is_not_in_the_ledger_is_refused(
    ledger: Ledger, first: int, last: int
) -> None:
    await fill(ledger, 3)
    with pytest.raises(Invalid):
        await ledger.bundle(first, last)


async def test_a_witness_s_answer_goes_into_checkpoint_and_bundle(ledger: Ledger) -> None:
    await fill(ledger, 4)
    checkpoint = await ledger.checkpoint()
    witness = Witness(WITNESS, {ledger.verifier_key.name: [ledger.verifier_key]}, {})
    answer = witness.add_checkpoint(write_request(0, [], checkpoint), START)
    await ledger.add_cosignatures(checkpoint, answer.body, WITNESS.verifier)
    verdict = verify(await ledger.bundle(), ledger.verifier_key, [WITNESS.verifier])
    assert verdict.problems == ()
    assert verdict.witnesses == (WITNESS.verifier.name,)
    await fill(ledger, 1)
    later = verify(await ledger.bundle(), ledger.verifier_key)
    assert (later.problems, later.witnesses) == ((), ())


async def test_an_answer_that_the_witness_did_not_sign_is_refused(ledger: Ledger) -> None:
    await fill(ledger, 1)
    checkpoint = await ledger.checkpoint()
    false = WITNESS.cosign("another text\n", 1).encode()
    with pytest.raises(Invalid):
        await ledger.add_cosignatures(checkpoint, false, WITNESS.verifier)


async def test_a_proof_file_stands_for_one_entry(ledger: Ledger) -> None:
    await fill(ledger, 30)
    raw = await ledger.proof(17)
    async with ledger._db.transaction(CITY) as connection:
        stored = await connection.fetchval(
            "select entry from ledger_entries where entry_index = 17"
        )
    assert Proof.parse(raw).problems(stored, ledger.verifier_key) == []
    with pytest.raises(NotOpenable):
        await ledger.proof(30)


async def test_a_destroyed_salt_closes_the_field_and_breaks_no_proof(ledger: Ledger) -> None:
    await ledger.append(entry(at=START))
    await ledger.append(entry(at=START + timedelta(days=2)))
    before = verify(await ledger.bundle())
    assert await ledger.open_field(0, "query") == "BKX291"
    assert await ledger.destroy_salts(START + timedelta(days=1)) == 3
    with pytest.raises(NotOpenable, match="destroyed"):
        await ledger.open_field(0, "query")
    assert await ledger.open_field(1, "query") == "BKX291"
    after = verify(await ledger.bundle(openings=True), ledger.verifier_key)
    assert after.problems == ()
    assert after.root == before.root


@pytest.mark.parametrize(("index", "field"), [(0, "on_behalf_of"), (0, "ori"), (9, "query")])
async def test_what_is_no_personal_field_does_not_open(
    ledger: Ledger, index: int, field: str
) -> None:
    await fill(ledger, 1)
    with pytest.raises(NotOpenable, match="no personal field"):
        await ledger.open_field(index, field)


async def test_a_value_exchanged_in_the_side_table_is_noticed(
    ledger: Ledger, database: Database
) -> None:
    await fill(ledger, 1)
    await tamper(database, "update ledger_personal set value = 'ABC123' where field = 'query'")
    with pytest.raises(LedgerDamaged, match="not the one committed to"):
        await ledger.open_field(0, "query")


async def test_text_that_postgresql_cannot_hold_is_kept_all_the_same(ledger: Ledger) -> None:
    await ledger.append(entry(personal={"query": "null \x00 and 🚓"}))
    assert await ledger.open_field(0, "query") == "null \x00 and 🚓"


@pytest.mark.parametrize(
    "table", ["ledger_entries", "ledger_tiles", "ledger_checkpoints", "ledger_cosignatures"]
)
@pytest.mark.parametrize("verb", ["update {} set agency = agency", "delete from {}", "truncate {}"])
async def test_the_database_itself_refuses_to_change_what_stands(
    ledger: Ledger, database: Database, table: str, verb: str
) -> None:
    await fill(ledger, 1)
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.FeatureNotSupportedError)):
        await database.pool.execute(verb.format(table))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction(CITY) as connection:
            await connection.execute(verb.format(table))


async def test_the_head_cannot_go_back(ledger: Ledger, database: Database) -> None:
    await fill(ledger, 2)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.pool.execute("update ledger_heads set size = 1")


async def test_each_agency_has_a_ledger_of_its_own(database: Database, tmp_path: Path) -> None:
    city = await open_ledger(database, tmp_path)
    pueblo = await open_ledger(database, tmp_path, AgencyId("pueblo-pd"))
    await fill(city, 3)
    await fill(pueblo, 1)
    assert [r.index for r in await pueblo.entries()] == [0]
    assert city.verifier_key != pueblo.verifier_key
    await city.close()
    await pueblo.close()


async def test_a_reopened_ledger_goes_on_where_it_was(database: Database, tmp_path: Path) -> None:
    first = await open_ledger(database, tmp_path)
    await fill(first, 300)
    signed = await first.checkpoint()
    await first.close()
    with pytest.raises(LedgerDown, match="closed"):
        await first.append(entry())
    second = await open_ledger(database, tmp_path)
    assert second.status().root == first.status().root
    assert second.status().last_checkpoint_size == 300
    assert (await second.append(entry())).index == 300
    assert await second.checkpoint() != signed
    assert verify(await second.bundle(), first.verifier_key).problems == ()
    await second.close()


async def test_closing_writes_what_waits(database: Database, tmp_path: Path) -> None:
    ledger = await open_ledger(database, tmp_path)
    waiting = [asyncio.create_task(ledger.append(entry())) for _ in range(50)]
    await asyncio.sleep(0)
    await ledger.close()
    assert [r.index for r in await asyncio.gather(*waiting)] == list(range(50))


async def test_a_ledger_has_one_writer(
    ledger: Ledger, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_, "LOCK_WAIT_S_MAX", 0.0)
    with pytest.raises(LedgerBusy, match="another process"):
        await open_ledger(database, tmp_path)
    await ledger.append(entry())


async def test_readers_stand_beside_the_writer(
    ledger: Ledger, database: Database, tmp_path: Path
) -> None:
    await fill(ledger, 5)
    records = Records.at(database, CITY, tmp_path / f"{CITY}.key", clock, chance())
    assert verify(await records.bundle(), ledger.verifier_key).problems == ()
    assert verify(await ledger.bundle(), ledger.verifier_key).problems == ()


async def test_a_lost_database_is_told_at_once_and_comes_back_by_itself(
    ledger: Ledger, database: Database
) -> None:
    await fill(ledger, 3)
    await kill_connections(database)
    await ledger.until_down()
    status = ledger.status()
    assert not status.healthy
    assert "does not answer" in status.says
    with pytest.raises(LedgerDown):
        await ledger.append(entry())
    await ledger.until_up()
    assert ledger.status().healthy
    assert (await ledger.append(entry())).index == 3
    assert verify(await ledger.bundle(), ledger.verifier_key).problems == ()


async def test_connections_killed_under_load_lose_nothing_that_was_acknowledged(
    ledger: Ledger, database: Database
) -> None:
    acknowledged: dict[int, str] = {}
    progress = asyncio.Event()

    async def writer(number: int) -> None:
        for i in range(40):
            try:
                receipt = await ledger.append(entry(count=number * 1000 + i))
            except LedgerDown:
                await ledger.until_up()
            else:
                acknowledged[receipt.index] = receipt.leaf
            progress.set()

    async def killer() -> None:
        for _ in range(4):
            target = len(acknowledged) + 30
            while len(acknowledged) < target:
                progress.clear()
                await progress.wait()
            await kill_connections(database)
            await ledger.until_up()

    writers = [asyncio.create_task(writer(n)) for n in range(8)]
    await asyncio.gather(killer(), *writers)
    stored = {r.index: r.leaf for r in await ledger.entries(limit=500)}
    assert acknowledged.items() <= stored.items()
    assert sorted(stored) == list(range(len(stored)))
    assert await ledger.check() == []


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("update ledger_entries set leaf = sha256('x') where entry_index = 4", "does not fit"),
        ("delete from ledger_entries where entry_index = 5", "missing"),
        ("update ledger_heads set size = 4", "does not fit"),
        ("insert into ledger_entries select 6, at, agency, leaf, entry from ledger_entries"
         " where entry_index = 0", "beyond"),
    ],
)  # fmt: skip
async def test_a_ledger_whose_rows_were_changed_does_not_open(
    database: Database, tmp_path: Path, sql: str, says: str
) -> None:
    ledger = await open_ledger(database, tmp_path)
    await fill(ledger, 6)
    await ledger.close()
    await tamper(database, sql)
    with pytest.raises(LedgerDamaged, match=says):
        await open_ledger(database, tmp_path)


async def test_an_entry_edited_in_the_database_is_found_by_check_and_by_the_verifier(
    ledger: Ledger, database: Database
) -> None:
    await fill(ledger, 6)
    await tamper(
        database,
        "update ledger_entries set entry = replace(convert_from(entry, 'UTF8'), 'permit',"
        " 'refusal')::bytea where entry_index = 2",
    )
    assert await ledger.check() == ["entry 2 was changed"]
    assert not verify(await ledger.bundle(), ledger.verifier_key).ok


async def test_a_log_does_not_sign_again_after_it_was_wound_back(
    database: Database, tmp_path: Path
) -> None:
    ledger = await open_ledger(database, tmp_path)
    await fill(ledger, 4)
    await ledger.checkpoint()
    await ledger.close()
    await tamper(database, "delete from ledger_entries; delete from ledger_heads")
    with pytest.raises(LedgerDamaged, match="signed 4 entries and holds 0"):
        await open_ledger(database, tmp_path)


async def test_the_key_is_made_once_and_only_its_owner_may_read_it(
    database: Database, tmp_path: Path
) -> None:
    first = await open_ledger(database, tmp_path)
    await first.close()
    path = tmp_path / f"{CITY}.key"
    assert path.stat().st_mode & 0o777 == 0o600
    second = await open_ledger(database, tmp_path)
    assert VerifierKey.parse(second.status().verifier_key) == first.verifier_key
    await second.close()
    path.chmod(0o644)
    with pytest.raises(Invalid, match="chmod 600"):
        await open_ledger(database, tmp_path)


async def test_a_ledger_does_not_open_under_another_key(database: Database, tmp_path: Path) -> None:
    ledger = await open_ledger(database, tmp_path)
    await ledger.checkpoint()
    await ledger.close()
    with pytest.raises(LedgerDamaged, match="another key"):
        await Ledger.open(database, CITY, tmp_path / "new.key", clock, chance(7))


WRITER = """
import asyncio, sys
from pathlib import Path
from tests.audit.ledger_builders import CITY, START, chance, entry
from farolito.audit import Ledger
from farolito.store import Database

async def main(dsn, key):
    ledger = await Ledger.open(await Database.open(dsn), CITY, Path(key), lambda: START, chance(9))
    async def write(number):
        while True:
            receipt = await ledger.append(entry(count=number))
            print(receipt.index, receipt.leaf, flush=True)
    await asyncio.gather(*(write(n) for n in range(16)))

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_writer_killed_at_any_moment_loses_nothing_that_it_acknowledged(
    database: Database, tmp_path: Path
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        WRITER,
        database.dsn,
        str(tmp_path / f"{CITY}.key"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    told = [await process.stdout.readline() for _ in range(700)]
    process.kill()
    told += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    acknowledged = dict(line.decode().split() for line in told if line.endswith(b"\n"))
    assert len(acknowledged) >= 700
    ledger = await open_ledger(database, tmp_path)
    async with database.transaction(CITY) as connection:
        rows = await connection.fetch("select entry_index, leaf from ledger_entries")
    stored = {str(row["entry_index"]): row["leaf"].hex() for row in rows}
    assert acknowledged.items() <= stored.items()
    assert await ledger.check() == []
    assert (await ledger.append(entry())).index == len(stored)
    assert verify(await ledger.bundle(), ledger.verifier_key).problems == ()
    await ledger.close()
