"""Keys of devices: shown once, kept as a hash, fast to check, ended at once."""

from __future__ import annotations

import asyncio
import time

import asyncpg
import msgspec
import pytest

from farolito.identity import Identity
from farolito.model import AgencyId, Device, DeviceId, Point
from farolito.store import Database

from .conftest import CITY, Clock, NewIdentity

READER = Device(
    device_id=DeviceId("central-at-4th-eb"),
    agency=CITY,
    kind="plate_reader",
    name="Central @ 4th, eastbound",
    format="hikvision",
    place=Point(35.0844, -106.6504),
    heading_deg=90.0,
    zone="America/Denver",
    clock_trusted=False,
    is_recording=True,
    speaks_for=frozenset({DeviceId("central-at-5th-eb"), DeviceId("central-at-6th-eb")}),
)


async def test_a_key_names_its_device_with_all_that_is_known_of_it(identity: Identity) -> None:
    key = await identity.issue_device_key(READER)
    assert key.startswith("fk_")
    assert await identity.device_for_key(key) == READER
    bare = Device(
        device_id=DeviceId("bare"), agency=CITY, kind="camera", name="Bare", format="axis"
    )
    assert await identity.device_for_key(await identity.issue_device_key(bare)) == bare
    assert await identity.devices() == [bare, READER]


async def test_a_key_has_256_bits_and_only_its_hash_is_kept(
    identity: Identity, database: Database
) -> None:
    key = await identity.issue_device_key(READER)
    assert len(key) == 3 + 43
    (row,) = await database.pool.fetch("select k::text as line, key_hash from device_keys k")
    assert key not in row["line"]
    assert len(row["key_hash"]) == 32


@pytest.mark.parametrize("key", ["", "fk_", "fk_" + "A" * 43, "fk_" + "ñ" * 43, "x" * 100_000])
async def test_an_unknown_key_is_nobody_s(key: str, identity: Identity) -> None:
    assert await identity.device_for_key(key) is None


async def test_a_revoked_key_is_refused_at_once(identity: Identity) -> None:
    key, second = [await identity.issue_device_key(READER) for _ in range(2)]
    assert await identity.device_for_key(key)
    assert await identity.revoke_device_keys(READER.device_id) == 2
    assert await identity.device_for_key(key) is None
    assert await identity.device_for_key(second) is None
    assert await identity.device_for_key(await identity.issue_device_key(READER)) == READER


async def test_a_key_revoked_by_another_process_is_refused_within_ten_seconds(
    identity: Identity, new_identity: NewIdentity, clock: Clock
) -> None:
    key = await identity.issue_device_key(READER)
    assert await identity.device_for_key(key)
    await new_identity().revoke_device_keys(READER.device_id)
    clock.pass_(seconds=10)
    assert await identity.device_for_key(key) is None


async def test_a_key_issued_by_another_process_works_at_once(
    identity: Identity, new_identity: NewIdentity
) -> None:
    await identity.issue_device_key(READER)
    key = await new_identity().issue_device_key(READER)
    assert await identity.device_for_key(key) == READER


async def test_a_look_up_that_a_revocation_overtakes_is_not_believed(identity: Identity) -> None:
    key = await identity.issue_device_key(READER)
    await asyncio.gather(
        *(identity.device_for_key(key) for _ in range(20)),
        identity.revoke_device_keys(READER.device_id),
        *(identity.device_for_key(key) for _ in range(20)),
    )
    assert await identity.device_for_key(key) is None


async def test_a_changed_device_is_seen_at_the_next_message(identity: Identity) -> None:
    key = await identity.issue_device_key(READER)
    assert await identity.device_for_key(key)
    moved = msgspec.structs.replace(READER, place=Point(35.1, -106.6))
    await identity.keys.register(moved)
    assert await identity.device_for_key(key) == moved


async def test_a_removed_device_and_its_keys_are_gone_until_it_is_back(identity: Identity) -> None:
    key = await identity.issue_device_key(READER)
    assert await identity.keys.remove(CITY, READER.device_id)
    assert not await identity.keys.remove(CITY, READER.device_id)
    assert await identity.devices() == []
    assert await identity.device_for_key(key) is None
    await identity.keys.register(READER)
    assert await identity.devices() == [READER]
    assert await identity.device_for_key(key) is None


async def test_one_agency_s_device_is_not_another_s_of_the_same_name(identity: Identity) -> None:
    other = msgspec.structs.replace(READER, agency=AgencyId("sheriff"), name="Ours")
    keys = [await identity.issue_device_key(d) for d in (READER, other)]
    assert [await identity.device_for_key(k) for k in keys] == [READER, other]
    await identity.revoke_device_keys(READER.device_id)
    assert [await identity.device_for_key(k) for k in keys] == [None, other]


async def test_thousands_of_messages_a_second_are_checked_without_the_database(
    identity: Identity,
) -> None:
    key = await identity.issue_device_key(READER)
    await identity.device_for_key(key)
    before = time.process_time()
    for _ in range(5_000):
        assert await identity.device_for_key(key) is not None
    assert (time.process_time() - before) / 5_000 < 100e-6


async def test_secrets_are_out_of_reach_for_an_answer_to_a_person(database: Database) -> None:
    for table in ("sessions", "passkeys", "invitations", "device_keys", "challenges"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.transaction(CITY) as connection:
                await connection.fetch(f"select * from {table}")
    async with database.transaction(CITY) as connection:
        assert await connection.fetch("select * from devices") == []
