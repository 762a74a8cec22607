"""Node, NATS and PostgreSQL may be killed at any moment: a shot whose pulses were acknowledged is
at the desk, once, where it was."""

from __future__ import annotations

import asyncio
import base64
import signal
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import msgspec
import pytest

from farolito.acoustics import Pulse
from farolito.model import ShotAlert
from farolito.simulator import sensor_message
from farolito.simulator.bang import Event
from farolito.simulator.ears import Ear
from farolito.simulator.sensor_message import Body, Signing
from tests.app.separate import SeparateNode
from tests.gunfire import Scape, metres_apart, place_of, some_ears

pytestmark = [pytest.mark.node, pytest.mark.timeout(180)]

DOOR = "/ingest/gunshot/farolito"
WAIT_S_MAX = 60.0
HEARD_AGO_S = 4.0  # a string is told when all of its sound has come to all sensors
FAR_M = 25.0


class Net:
    """Sensors that send each message until it is acknowledged, and what was truly fired."""

    def __init__(self, node: SeparateNode) -> None:
        self.node = node
        self.scape = Scape(some_ears())
        boot = int(time.time())
        self.ears = [
            ear
            for ear in self.scape.ears.ears
            if ear.device.device_id not in self.scape.ears.silent
        ]
        self._signing = {_name(ear): Signing(_name(ear), ear.key, boot) for ear in self.ears}
        self.fired: list[Event] = []
        self.repeated = 0

    async def register(self) -> None:
        """The node knows their keys and has heard of each twice: they are believed."""
        for ear in self.ears:
            device = msgspec.to_builtins(ear.device)
            told = {**device, "public_key": base64.b64encode(ear.public_key).decode()}
            await self.node.admin("/api/admin/devices", told)
        for _ in range(2):
            beat = sensor_message.heartbeat(time.time(), 18.0, 40.0, None)
            await self._send_all({_name(ear): beat for ear in self.ears})

    def fire(self, east_m: float, north_m: float, count: int) -> list[dict[str, Body]]:
        """A string that is over by now: what each sensor tells of it, one half of them first."""
        self.fired.append(self.scape.fire(east_m, north_m, count, after_s=-HEARD_AGO_S))
        heard: dict[str, list[Pulse]] = defaultdict(list)
        for told in self.scape.until(datetime.now(UTC) + timedelta(seconds=HEARD_AGO_S)):
            if told.pulse.sensor in self._signing:
                heard[told.pulse.sensor].append(told.pulse)
        bodies = {name: sensor_message.pulses(pulses) for name, pulses in heard.items()}
        names = list(bodies)
        return [{name: bodies[name] for name in names[half::2]} for half in (0, 1)]

    async def tell(self, bodies: dict[str, Body]) -> None:
        """Returns when every message is acknowledged."""
        await self._send_all(bodies)

    async def _send_all(self, bodies: dict[str, Body]) -> None:
        async with httpx.AsyncClient(base_url=self.node.url, timeout=10, trust_env=False) as http:
            await asyncio.gather(*(self._send(http, *one) for one in bodies.items()))

    async def _send(self, http: httpx.AsyncClient, name: str, body: Body) -> None:
        message = self._signing[name].message(body, time.time())
        while not await _acknowledged(http, message):
            self.repeated += 1
            await asyncio.sleep(0.1)  # as a sensor does, before it tries again

    async def stand_once(self) -> None:
        """Everything that was fired comes to stand at the desk with its place, each shot once.

        What the machine took back itself, when the other half of the sensors told, is no shot.
        """
        async with asyncio.timeout(WAIT_S_MAX):
            while True:
                alerts = await self.kept()
                if all(_stands(event, alerts) for event in self.fired):
                    break
                await asyncio.sleep(0.1)
        standing = [one for one in alerts if one.is_queued]
        assert len(standing) == len(self.fired), [one.shot.place for one in standing]
        assert all(len(one.strings) == 1 for one in standing)
        for one in alerts:
            assert one.is_queued or one.shot.is_withdrawn

    async def kept(self) -> list[ShotAlert]:
        try:
            connection = await self.node.database()
            rows = await connection.fetch("select body::text from shot_alerts order by raised_at")
            await connection.close()
        except (OSError, asyncpg.PostgresError):  # killed a moment ago
            return []
        return [msgspec.json.decode(row["body"], type=ShotAlert) for row in rows]


def _stands(event: Event, alerts: list[ShotAlert]) -> bool:
    return any(metres_apart(one.shot.place, place_of(event)) < FAR_M for one in alerts)


async def _acknowledged(http: httpx.AsyncClient, message: bytes) -> bool:
    try:
        answer = await http.post(DOOR, content=message)
    except httpx.TransportError:
        return False
    assert answer.status_code in {202, 503}, answer.text
    return answer.status_code == 202


def _name(ear: Ear) -> str:
    return str(ear.device.device_id)


@pytest.fixture
async def net(state: Path) -> AsyncIterator[Net]:
    node = SeparateNode(state)
    await node.start()
    made = Net(node)
    await made.register()
    yield made
    await node.close()


async def test_what_sensors_were_promised_is_at_the_desk_once_whatever_is_killed(net: Net) -> None:
    node = net.node
    # The node, right after the last 202: nothing of it has been located yet.
    for half in net.fire(120.0, -200.0, count=5):
        await net.tell(half)
    await node.end(signal.SIGKILL)
    await node.start()
    await net.stand_once()

    # The node, when the alert stands: the last moments are heard again, and are no news.
    for half in net.fire(-500.0, 300.0, count=4):
        await net.tell(half)
    await net.stand_once()
    before = await net.kept()
    await node.end(signal.SIGKILL)
    await node.start()

    # NATS, when half of the sensors have told of a string.
    first, rest = net.fire(450.0, 420.0, count=4)
    await net.tell(first)
    node.kill_child("nats-server")
    await net.tell(rest)
    await net.stand_once()
    after = {one.alert_id: one for one in await net.kept()}
    for one in before:
        assert len(after[one.alert_id].shot.heard) >= len(one.shot.heard), "no half replaces it"

    # PostgreSQL in the same place.
    first, rest = net.fire(-350.0, -450.0, count=4)
    await net.tell(first)
    node.kill_child("postgres")
    await net.tell(rest)
    await net.stand_once()

    # The node, when half of the sensors have told: the others come when it stands again.
    first, rest = net.fire(250.0, -620.0, count=4)
    await net.tell(first)
    await node.end(signal.SIGKILL)
    telling = asyncio.create_task(net.tell(rest))
    await node.start()
    await telling
    await net.stand_once()
    assert net.repeated > 0, "nobody noticed the killing: it proved nothing"
