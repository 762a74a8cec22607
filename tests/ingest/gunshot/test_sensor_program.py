"""The whole sensor and the real door: WAV in, durable pulses, heartbeats and wanted clips out."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from amqtt.broker import Broker
from typer.testing import CliRunner

from farolito.acoustics.onset import pick
from farolito.acoustics.wav import Recording, decode_wav, encode_wav
from farolito.cli import sensor as command
from farolito.ingest.door import Door, GunshotDoors
from farolito.ingest.gunshot.mqtt import SoundSource
from farolito.ingest.gunshot.sensor import sources
from farolito.ingest.gunshot.sensor.broker import BrokerLink
from farolito.ingest.gunshot.sensor.key import load_key, make_key
from farolito.ingest.gunshot.sensor.link import HttpLink
from farolito.ingest.gunshot.sensor.program import Outside, Sensor
from farolito.ingest.gunshot.sensor.settings import Mqtt, Settings
from farolito.ingest.gunshot.sources import GunshotMqtt
from farolito.ingest.gunshot.vendor_door import VendorDoor
from farolito.ingest.gunshot.wants import Wants
from farolito.model import FarolitoError, SoundClip
from tests.acoustics.sounds import noise, with_blast
from tests.ingest.gunshot.sensor_builders import KEY, RIDGE, Behind, sensor
from tests.ports import free_port

RATE = 12_000
SOON_S = 20.0
FIRED_S = (1.0, 1.4, 1.8)


class Standing(Behind):
    """What stands behind a door that serves now, not at the time of the builders."""

    def __init__(self) -> None:
        super().__init__()
        self.wants = Wants(lambda: datetime.now(UTC))
        self.start()

    @property
    def clips(self) -> list[SoundClip]:
        return [clip for batch in self.published for clip in batch.clips]


@asynccontextmanager
async def node(behind: Standing, port: int = 0) -> AsyncIterator[str]:
    """The real door on a real socket."""

    async def nobody(*_: object) -> None:
        return None

    vendors = VendorDoor(nobody, behind)
    door = Door(nobody, nobody, behind, nobody, gunshot=GunshotDoors(behind.door, vendors))
    config = uvicorn.Config(door, port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        await door.close()
        server.should_exit = server.force_exit = True  # a sensor may hold its poll open
        await serving


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON_S):
        while not true():
            await asyncio.sleep(0.01)


def a_wav(folder: Path, fired_s: tuple[float, ...] = FIRED_S, seconds: float = 3.0) -> Path:
    sound = noise(np.random.default_rng(4), seconds, RATE)
    for at_s in fired_s:
        sound = with_blast(sound, at_s, RATE)
    file = folder / "street.wav"
    file.write_bytes(encode_wav(Recording(sound, RATE)))
    return file


def a_sensor(link: HttpLink | BrokerLink, **outside: float) -> Sensor:
    settings = Settings(
        sensor="ridge-04", key_file="k", node="http://localhost", lat=35.1, lon=-106.6
    )
    boots = iter(range(1_000, 2_000))
    return Sensor(settings, KEY, link, lambda: next(boots), Outside(**outside))  # type: ignore[arg-type]


@asynccontextmanager
async def running(one: Sensor, source: AsyncIterator[sources.Piece]) -> AsyncIterator[None]:
    """It plays its source and then stays, as one with a microphone does."""
    task = asyncio.create_task(one.run(source, linger_s=SOON_S))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_rounds_in_a_wav_reach_the_bus_and_a_clip_comes_when_it_is_wanted(
    tmp_path: Path,
) -> None:
    behind = Standing()
    async with node(behind) as address:
        link = HttpLink(address)
        async with running(a_sensor(link), sources.files([a_wav(tmp_path)], 0.0)):
            await until(lambda: len(behind.impulses) == 3)
            onsets = [impulse.onset_at for impulse in behind.impulses]
            gaps = [(b - a).total_seconds() for a, b in pairwise(onsets)]
            assert gaps == pytest.approx([0.4, 0.4], abs=2e-4)

            behind.wants.ask(RIDGE.device_id, onsets[0] - timedelta(seconds=0.3), 2.0)
            await until(lambda: len(behind.clips) == 1)
            [clip] = behind.clips
            assert abs((clip.starts_at - onsets[0]).total_seconds() + 0.02) < 0.002
            assert clip.seconds <= 1.7
        await link.close()
    assert behind.reasons == []


async def test_a_want_for_what_was_never_told_gets_no_sound(tmp_path: Path) -> None:
    behind = Standing()
    async with node(behind) as address:
        link = HttpLink(address)
        one = a_sensor(link)
        async with running(one, sources.files([a_wav(tmp_path)], 0.0)):
            await until(lambda: len(behind.impulses) == 3)
            before = behind.impulses[0].onset_at - timedelta(seconds=0.9)
            behind.wants.ask(RIDGE.device_id, before, 0.5)
            await until(lambda: one.clips_refused == 1)
        await link.close()
    assert behind.clips == []


async def test_a_heartbeat_says_how_it_is(tmp_path: Path) -> None:
    behind = Standing()
    async with node(behind) as address:
        link = HttpLink(address)
        async with running(a_sensor(link), sources.files([a_wav(tmp_path)], 0.0)):
            await until(lambda: any(batch.reports for batch in behind.published))
        await link.close()
    report = next(batch.reports[0] for batch in behind.published if batch.reports)
    assert report.clock_source in {"none", "ntp", "gps", "pps"}
    assert report.place is not None
    assert report.place.lat == 35.1
    assert report.dropped == 0
    assert report.noise_db is None, "nobody calibrated it, so it says no dB SPL"
    assert report.version


async def test_while_the_bus_is_down_pulses_wait_and_then_each_comes_once(tmp_path: Path) -> None:
    behind = Standing()
    behind.bus_is_down = True
    async with node(behind) as address:
        link = HttpLink(address)
        one = a_sensor(link)
        async with running(one, sources.files([a_wav(tmp_path)], 0.0)):
            await until(lambda: one.waiting == 3)
            assert behind.impulses == []
            behind.bus_is_down = False
            await until(lambda: one.waiting == 0)
        await link.close()
    assert len({impulse.impulse_id for impulse in behind.impulses}) == 3
    assert len(behind.impulses) == 3
    assert one.dropped == 0


async def test_a_node_that_comes_back_gets_what_was_heard_without_it(tmp_path: Path) -> None:
    behind = Standing()
    port = free_port()
    link = HttpLink(f"http://127.0.0.1:{port}")
    one = a_sensor(link)
    async with running(one, sources.files([a_wav(tmp_path)], 0.0)):
        await until(lambda: one.waiting == 3)
        async with node(behind, port):
            await until(lambda: one.waiting == 0)
    await link.close()
    assert len(behind.impulses) == 3


async def test_a_start_number_that_was_used_is_counted_on_from(tmp_path: Path) -> None:
    """A board whose clock went back: the node has heard a later start of it."""
    behind = Standing()
    behind.registered[RIDGE.device_id] = sensor(boot=1_003, sequence=9)
    async with node(behind) as address:
        link = HttpLink(address)
        one = a_sensor(link)
        async with running(one, sources.files([a_wav(tmp_path)], 0.0)):
            await until(lambda: len(behind.impulses) == 3)
        await link.close()
    assert one.messages_refused >= 3
    assert one.dropped == 0


async def test_a_sensor_that_is_not_registered_yet_keeps_its_pulses(tmp_path: Path) -> None:
    behind = Standing()
    known = behind.registered.pop(RIDGE.device_id)
    async with node(behind) as address:
        link = HttpLink(address)
        one = a_sensor(link)
        async with running(one, sources.files([a_wav(tmp_path)], 0.0)):
            await until(lambda: "unknown_sensor" in behind.reasons and one.waiting == 3)
            behind.registered[RIDGE.device_id] = known
            await until(lambda: one.waiting == 0)
        await link.close()
    assert len(behind.impulses) == 3


async def test_over_a_broker_pulses_come_and_clips_are_wanted_as_over_http(tmp_path: Path) -> None:
    behind = Standing()
    port = free_port()
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {}},
        }
    )
    await broker.start()
    config = GunshotMqtt(name="yard", host="127.0.0.1", port=port, client_id="farolito-test")
    listening = asyncio.create_task(SoundSource(config, behind.door.hear, behind.wants).run())
    link = BrokerLink(Mqtt(host="127.0.0.1", port=port, tls=False), "ridge-04")
    try:
        # Heartbeats come until the node listens, so that the pulses find it there.
        one = a_sensor(link, heartbeat_s=0.1)
        async with running(one, later(behind, a_wav(tmp_path))):
            await until(lambda: len(behind.impulses) == 3)
            first = behind.impulses[0].onset_at
            behind.wants.ask(RIDGE.device_id, first - timedelta(seconds=0.3), 2.0)
            await until(lambda: len(behind.clips) == 1)
    finally:
        await link.close()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await broker.shutdown()


async def later(behind: Standing, file: Path) -> AsyncIterator[sources.Piece]:
    await until(lambda: any(batch.reports for batch in behind.published))
    async for piece in sources.files([file], 0.0):
        yield piece


def test_sound_and_clips_never_travel_in_the_clear() -> None:
    with pytest.raises(FarolitoError, match="use https://"):
        HttpLink("http://node.example.org")


# The command


def farolito(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "farolito", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **more},
    )


def written(folder: Path, node_url: str) -> Path:
    file = folder / "sensor.toml"
    file.write_text(f'sensor = "ridge-04"\nkey_file = "sensor.key"\nnode = "{node_url}"\n')
    return file


async def test_the_command_plays_a_recording_to_a_node_and_leaves_no_sound_behind(
    tmp_path: Path,
) -> None:
    home, scratch = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    scratch.mkdir()
    make_key(home / "sensor.key")
    wav = a_wav(tmp_path)
    behind = Standing()
    behind.registered[RIDGE.device_id] = sensor(key=load_key(home / "sensor.key"))
    async with node(behind) as address:
        config = str(written(home, address))
        play = ("sensor", "run", "-c", config, "--wav", str(wav), "--speed", "0", "--linger", "2")
        said = await asyncio.to_thread(farolito, *play, TMPDIR=str(scratch))
    assert said.returncode == 0, said.stderr
    assert "3 pulses told, 0 left untold, 0 dropped" in said.stdout
    assert len(behind.impulses) == 3
    assert sorted(file.name for file in home.iterdir()) == [
        "sensor.key",
        "sensor.key.boot",
        "sensor.toml",
    ]
    assert list(scratch.iterdir()) == []


def test_the_command_says_what_did_not_arrive(tmp_path: Path) -> None:
    make_key(tmp_path / "sensor.key")
    config = written(tmp_path, "http://127.0.0.1:9")
    wav = a_wav(tmp_path)
    play = ["run", "-c", str(config), "--wav", str(wav), "--speed", "0", "--linger", "0.5"]
    said = CliRunner().invoke(command.app, play)
    assert isinstance(said.exception, FarolitoError)
    assert "3 pulses did not reach the node" in str(said.exception)


def test_the_program_loads_no_part_of_a_node() -> None:
    """A board has numpy, scipy, msgspec, cryptography, httpx, aiomqtt, typer and rich."""
    asked = """
import json, sys
import farolito.cli.main, farolito.cli.sensor
from farolito.ingest.gunshot.sensor import broker, key, link, program, settings, sources
names = {name.partition(".")[0] for name in sys.modules if not name.startswith("_")}
print(json.dumps(sorted(names - set(sys.stdlib_module_names))))
"""
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    loaded = set(json.loads(said.stdout))
    node_only = {
        "alembic", "asyncpg", "cedarpy", "jsonschema", "litestar", "lxml", "nats", "numba",
        "PIL", "psycopg", "pyogrio", "shapely", "sqlalchemy", "starlette", "uvicorn", "webauthn",
    }  # fmt: skip
    assert not loaded & node_only
    assert {"numpy", "scipy", "msgspec", "cryptography", "httpx", "aiomqtt"} <= loaded


@pytest.mark.real_input
async def test_real_shots_played_to_the_door_are_the_pickers_onsets(real_inputs: Path) -> None:
    folder = real_inputs / "acoustics/pittsburgh/FP1/test_001"
    wav = sorted(folder.glob("*.wav"))[0]
    recording = decode_wav(wav.read_bytes())
    expected = [onset.at_sample / recording.rate_hz for onset in pick(recording.samples, RATE)]
    behind = Standing()
    async with node(behind) as address:
        link = HttpLink(address)
        async with running(a_sensor(link), sources.files([wav], 0.0)):
            await until(lambda: len(behind.impulses) >= len(expected))
        await link.close()
    heard = sorted(impulse.onset_at.timestamp() for impulse in behind.impulses)
    assert len(heard) == len(expected)
    off = np.array(heard) - heard[0] - (np.array(expected) - expected[0])
    assert np.abs(off).max() < 2e-6
