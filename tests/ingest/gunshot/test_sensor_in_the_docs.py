"""The sensor that docs/sensor-protocol.md prints, run as it stands there against a real door."""

from __future__ import annotations

import array
import asyncio
import base64
import os
import random
import re
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec
import pytest

from farolito.app.web import Web
from farolito.bus import ReadBatch
from farolito.ingest.door import Door, GunshotDoors
from farolito.ingest.gunshot.vendor_door import VendorDoor
from farolito.ingest.gunshot.wants import Wants
from farolito.model import Device
from tests.ingest.gunshot.sensor_builders import RIDGE, Behind, a_poll, us
from tests.ports import free_port
from tests.running import until

PAGE = Path(__file__).parents[3] / "docs" / "sensor-protocol.md"
RATE_HZ = 16_000


class Served(NamedTuple):
    behind: Behind
    url: str


async def _none(*_: object) -> None:
    raise AssertionError("a sensor sends sound alone")


async def _no_device(_: str) -> Device | None:
    return None


async def _no_reads(_: ReadBatch) -> None:
    await _none()


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """The node's HTTP door on a port of its own, by the clock on the wall."""
    behind, port = Behind(), free_port()
    behind.wants = Wants(lambda: datetime.now(UTC))
    doors = GunshotDoors(behind.start(), VendorDoor(_none, behind))
    door = Door(_no_reads, _no_device, behind, _none, gunshot=doors)
    web = await Web.start(door, "127.0.0.1", port)
    yield Served(behind, f"http://127.0.0.1:{port}")
    await door.close()
    await web.stop()


def program(folder: Path) -> Path:
    """The page's one Python block, byte for byte."""
    [code] = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    file = folder / "sensor.py"
    file.write_text(code)
    return file


def hiss(seconds: float, rng: random.Random) -> bytes:
    count = round(seconds * RATE_HZ)
    return array.array("h", (rng.randint(-20, 20) for _ in range(count))).tobytes()


def bang(rng: random.Random) -> bytes:
    """A tenth of a second that decays from full scale."""
    n = RATE_HZ // 10
    return array.array(
        "h", (round(rng.uniform(-1, 1) * 30_000 * (1 - at / n) ** 4) for at in range(n))
    ).tobytes()


async def play(microphone: asyncio.StreamWriter, pcm: bytes) -> None:
    """Writes sound as a recorder does: each hundredth of a second when it has passed."""
    loop = asyncio.get_running_loop()
    began, block = loop.time(), 2 * RATE_HZ // 100
    for at in range(0, len(pcm), block):
        await asyncio.sleep(began + at / (2 * RATE_HZ) - loop.time())
        microphone.write(pcm[at : at + block])


async def test_the_printed_sensor_tells_a_bang_and_sends_the_sound_that_is_wanted(
    served: Served, tmp_path: Path, rng: random.Random
) -> None:
    behind, url = served
    sensor = await asyncio.create_subprocess_exec(
        sys.executable, program(tmp_path), url, "ridge-04", tmp_path / "ridge.key",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env={**os.environ, "no_proxy": "127.0.0.1"},
    )  # fmt: skip
    assert sensor.stdin is not None
    assert sensor.stdout is not None
    assert sensor.stderr is not None
    try:
        shown = (await sensor.stdout.readline()).split()[-1]
        known = behind.registered.popitem()[1]
        known = msgspec.structs.replace(known, public_key=base64.b64decode(shown))
        behind.registered[known.device.device_id] = known

        await play(sensor.stdin, hiss(0.5, rng) + bang(rng) + hiss(0.3, rng))
        await until(lambda: len(behind.impulses) == 1)
        [impulse] = behind.impulses
        assert impulse.snr_db is not None
        assert impulse.snr_db > 40
        assert abs(datetime.now(UTC) - impulse.onset_at) < timedelta(seconds=5)
        assert [len(batch.reports) for batch in behind.published] == [1, 0], "a heartbeat first"

        starts_at = impulse.onset_at - timedelta(seconds=0.25)
        behind.wants.ask(impulse.sensor, starts_at, 0.5)
        await play(sensor.stdin, hiss(0.1, rng) + bang(rng) + hiss(0.1, rng))
        await until(lambda: bool(behind.published[-1].clips))
        [clip] = behind.published[-1].clips
        assert (clip.seconds, clip.rate_hz) == (0.5, RATE_HZ)
        assert us(clip.starts_at) == us(starts_at)
        pcm = array.array("h", behind.published[-1].sounds[clip.sha256][44:])
        loudest = max(range(len(pcm)), key=lambda at: abs(pcm[at]))
        assert abs(loudest / RATE_HZ - 0.25) < 0.05, "the bang is where it was told to be"
    finally:
        sensor.stdin.close()
        await sensor.wait()
    assert (await sensor.stderr.read(), behind.reasons) == (b"", [])


async def test_a_poll_held_at_the_http_door_brings_a_want_in_well_under_a_second(
    served: Served,
) -> None:
    async with httpx.AsyncClient(base_url=served.url, trust_env=False) as http:
        now = datetime.now(UTC)
        header = {"X-Farolito-Sealed": a_poll(sent_us=us(now))}
        waiting = asyncio.create_task(http.get("/ingest/gunshot/wants", headers=header, timeout=30))
        await until(lambda: served.behind.wants.waiting == 1)
        asked_at = datetime.now(UTC)
        number = served.behind.wants.ask(RIDGE.device_id, now, 1.5)
        answer = await waiting
        assert datetime.now(UTC) - asked_at < timedelta(seconds=0.5)
    [want] = answer.json()["wants"]
    assert want == {"want": number, "from": us(now), "seconds": 1.5}
