"""Positions over MQTT, with a real broker."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec
import pytest
from amqtt.broker import Broker

from farolito.ingest.avl.heard import Origin
from farolito.ingest.avl.mqtt import MqttSource, decode
from farolito.ingest.avl.sources import MqttPositions
from farolito.model import AgencyId, FarolitoError, Rejected, UnitPosition
from tests.ports import free_port

SOON_S = 15
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ORIGIN = Origin(AgencyId("practice-pd"), "phones")
TOPIC = "owntracks/jdoe/phone"
LOCATION: dict[str, Any] = {
    "_type": "location",
    "lat": 35.0844,
    "lon": -106.6504,
    "tst": int(NOW.timestamp()) - 2,
    "vel": 45,
    "cog": 271,
    "acc": 10,
    "tid": "JD",
}
OURS = {"lat": 35.0844, "lon": -106.6504, "at": "2026-11-23T09:59:58Z", "speed_mps": 3.5}


def config(port: int = 1883, **said: Any) -> MqttPositions:
    given: dict[str, Any] = {"name": "phones", "host": "127.0.0.1", "client_id": "farolito-avl"}
    return MqttPositions(port=port, **(given | {"units": {TOPIC: "2A14"}} | said))


def told(body: Any, topic: str = TOPIC, **said: Any) -> UnitPosition | None:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return decode(topic, raw, config(**said), ORIGIN, NOW)


def test_an_owntracks_location_is_a_position() -> None:
    position = told(LOCATION)
    assert position is not None
    assert (position.unit, position.heading_deg) == ("2A14", 271.0)
    assert position.speed_mps == pytest.approx(12.5)
    assert position.accuracy_m == pytest.approx(16.2)
    assert position.at.timestamp() == LOCATION["tst"]


def test_our_own_json_is_a_position() -> None:
    position = told(OURS)
    assert position is not None
    assert (position.unit, position.speed_mps, position.heading_deg) == ("2A14", 3.5, None)


def test_the_topic_says_who_it_is_and_no_field_can() -> None:
    with pytest.raises(Rejected, match="no unit"):
        told(OURS | {"unit": "2A14"}, topic="owntracks/mallory/phone")
    position = told(OURS | {"unit": "2B20"}, topic="units/2C07", any_topic=True)
    assert position is not None
    assert position.unit == "2C07"


@pytest.mark.parametrize("kind", ["lwt", "transition", "waypoint", "status"])
def test_other_owntracks_messages_are_no_news(kind: str) -> None:
    assert told({"_type": kind, "tst": 1}) is None


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "malformed"),
        (b"\xff", "malformed"),
        (b"[1]", "malformed"),
        (LOCATION | {"lat": "north"}, "malformed"),
        (LOCATION | {"lat": 0, "lon": 0}, "no_place"),
        (LOCATION | {"lon": 500}, "no_place"),
        (LOCATION | {"tst": 10**18}, "bad_time"),
        (LOCATION | {"tst": LOCATION["tst"] + 10**6}, "future_time"),
        (OURS | {"at": "2026-11-23T09:59:58"}, "no_zone"),
        (b" " * 20_000, "too_large"),
    ],
)
def test_a_bad_message_has_a_named_reason(body: Any, why: str) -> None:
    with pytest.raises(Rejected) as rejected:
        told(body)
    assert rejected.value.reason == why


def test_noise_is_rejected_and_never_raises_anything_else(rng: random.Random) -> None:
    for good in (LOCATION, OURS):
        for _ in range(1_000):
            noise = bytearray(msgspec.json.encode(good))
            for _ in range(rng.randint(1, 5)):
                noise[rng.randrange(len(noise))] = rng.randrange(256)
            with contextlib.suppress(Rejected):
                told(bytes(noise))


@pytest.fixture
async def port() -> AsyncIterator[int]:
    port = free_port()
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {}},
        }
    )
    await broker.start()
    yield port
    await broker.shutdown()


async def test_what_phones_publish_is_heard_and_the_bad_told(port: int) -> None:
    heard: asyncio.Queue[UnitPosition] = asyncio.Queue()
    counted: Counter[str] = Counter()

    async def hear(positions: Sequence[UnitPosition]) -> None:
        for position in positions:
            heard.put_nowait(position)

    def tell(why: Rejected, _: bytes) -> None:
        counted[why.reason] += 1

    source = MqttSource(config(port), ORIGIN, hear, tell, lambda: NOW)
    running = asyncio.create_task(source.run())
    async with aiomqtt.Client("127.0.0.1", port) as phone, asyncio.timeout(SOON_S):
        while heard.empty():  # until the subscription stands
            await phone.publish(TOPIC, msgspec.json.encode(LOCATION))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await asyncio.shield(asyncio.sleep(0.05))
        await phone.publish(TOPIC, b"{")
        await phone.publish("owntracks/mallory/phone", msgspec.json.encode(LOCATION))
        await phone.publish(TOPIC, msgspec.json.encode(OURS))
        while (await heard.get()).speed_mps != 3.5:
            pass
    assert counted == {"malformed": 1, "unknown_unit": 1}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_broker_that_is_away_is_raised_to_the_supervisor() -> None:
    async def hear(_: Sequence[UnitPosition]) -> None:
        raise AssertionError

    source = MqttSource(config(free_port()), ORIGIN, hear, lambda *_: None)
    with pytest.raises(aiomqtt.MqttError):
        await source.run()


async def test_a_missing_secret_file_is_said_without_its_content(tmp_path: Path) -> None:
    async def hear(_: Sequence[UnitPosition]) -> None:
        raise AssertionError

    missing = config(username="farolito", secret_file=str(tmp_path / "none"))
    with pytest.raises(FarolitoError, match="cannot read"):
        await MqttSource(missing, ORIGIN, hear, lambda *_: None).run()
