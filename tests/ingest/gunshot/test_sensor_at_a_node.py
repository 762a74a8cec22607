"""A gunshot sensor at a whole node: registered, heard, and known after the node has fallen."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from farolito.bus import SoundBatch
from farolito.identity import Identity, SensorKeys
from farolito.ingest.gunshot.door import SensorDoor
from farolito.ingest.gunshot.envelope import Head, seal
from farolito.ingest.gunshot.wants import Wants
from farolito.model import Device, DeviceId
from farolito.store import Database
from farolito.store.database import AWAY
from tests.ingest.gunshot.sensor_builders import KEY, NOW, RIDGE, Behind, sealed, us
from tests.running import AGENCY, RunningNode

OURS = msgspec.structs.replace(RIDGE, agency=AGENCY)


async def test_a_door_that_fell_without_a_word_knows_what_it_had_accepted(
    database: Database,
) -> None:
    """Real keys in a real store; the first door is let go as a killed process is: nothing of it
    is ended in order, and what it held in memory is gone."""
    identity = Identity(
        database, "localhost", ["http://localhost"], lambda: NOW, os.urandom, agency=AGENCY
    )
    await identity.register_sensor(OURS, KEY.public_key().public_bytes_raw())
    published: list[SoundBatch] = []
    behind = Behind()

    async def publish(batch: SoundBatch) -> None:
        published.append(batch)

    def a_door() -> SensorDoor:
        keys = SensorKeys(database, AGENCY, lambda: NOW)
        wants = Wants(lambda: NOW)
        return SensorDoor(publish, keys.sensor, keys.heard, behind, wants, away=AWAY)

    first = a_door()
    told = [(await first.hear(sealed(n), NOW))[0] for n in range(1, 9)]
    assert told == [202] * 8
    second = a_door()
    again = [await second.hear(sealed(n), NOW) for n in range(1, 9)]
    assert [status for status, _ in again] == [409] * 7 + [202]
    assert again[-1][1] == {"accepted": 0, "known": True, "wants": []}
    assert len(published) == 8
    assert (await second.hear(sealed(9), NOW))[0] == 202


class Ears:
    """A sensor at the node's own port."""

    def __init__(self, node: RunningNode) -> None:
        self.node = node
        self.key = Ed25519PrivateKey.generate()
        self.sequence = 0

    async def register(self, device: Device = OURS, **said: Any) -> httpx.Response:
        raw = self.key.public_key().public_bytes_raw()
        told = {"public_key": base64.b64encode(raw).decode()} | said
        return await self.node.admin(
            "POST", "/api/admin/devices", msgspec.to_builtins(device) | told
        )

    async def send(self, name: DeviceId = OURS.device_id, **message: Any) -> httpx.Response:
        self.sequence += 1
        now = datetime.now(UTC)
        head = Head(sensor=name, boot=1, sequence=self.sequence, sent_us=us(now))
        body = seal(self.key, head, message or {"pulses": [{"at": us(now)}]})
        async with httpx.AsyncClient(base_url=self.node.url, trust_env=False) as http:
            return await http.post("/ingest/gunshot/farolito", content=body)


@pytest.mark.node
@pytest.mark.asyncio(loop_scope="module")
async def test_a_sensor_is_registered_with_the_command_lines_words_and_then_heard(
    shared_node: RunningNode,
) -> None:
    ears = Ears(shared_node)
    stranger = await ears.send()
    assert (stranger.status_code, stranger.json()["error"]) == (401, "unknown_sensor")
    answer = await ears.register()
    assert answer.status_code == 200, answer.text
    assert answer.json()["key"] == "", "it signs: there is no key to lose"
    heard = await ears.send()
    assert (heard.status_code, heard.json()) == (202, {"accepted": 1, "wants": []})
    async with shared_node.node.database.transaction(AGENCY) as connection:
        row = await connection.fetchrow("select * from sensors where device_id = 'ridge-04'")
    assert (row["boot"], row["sequence"]) == (1, ears.sequence)
    await shared_node.node.watch.keep()
    operator = await shared_node.sign_in("operator")
    health = (await operator.get("/api/health")).json()
    assert health["sound"]["sensors"] == 1
    assert "ridge-04" not in {one["device"] for one in health["sources"]}, "one tile for them all"


@pytest.mark.node
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "wrong", [{"public_key": ""}, {"public_key": "AAAA"}, {"place": None}, {"format": "vendor"}]
)
async def test_a_sensor_without_a_key_or_a_place_is_not_registered(
    shared_node: RunningNode, wrong: dict[str, Any]
) -> None:
    other = msgspec.structs.replace(OURS, device_id=DeviceId("valley-01"))
    answer = await Ears(shared_node).register(other, **wrong)
    assert answer.status_code == 422, answer.text
    assert "give" in answer.text, "what to do is said"
    assert "valley-01" not in {d.device_id for d in await shared_node.node.identity.devices()}
