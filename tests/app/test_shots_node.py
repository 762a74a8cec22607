"""A whole node hears gunfire: from sealed pulses to the operator's queue with sound, and no
farther until somebody listened."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from farolito.model import ShotAlert
from farolito.simulator.metro import lat_lon
from farolito.store import Records
from tests.gunfire import Scape, metres_apart, place_of, registered, sensors_at_work, some_ears
from tests.running import AGENCY, RunningNode

pytestmark = [pytest.mark.node, pytest.mark.timeout(180)]

WAIT_S_MAX = 60.0  # the first tick of a machine compiles the locator's loops


@pytest.fixture
async def city(node: RunningNode) -> AsyncIterator[Scape]:
    """Sensors that have been heard of, and a locator that is up."""
    scape = Scape(some_ears())
    await registered(node, scape.ears)
    async with sensors_at_work(node.url, scape):
        await until(node, lambda: _up(node) >= len(scape.ears.ears) - 1)
        yield scape


def _up(node: RunningNode) -> int:
    return sum(view.state == "up" for view in node.node.shots.sensors.view())


async def until(node: RunningNode, claim: Callable[[], Any]) -> None:
    """Wait for a claim about the node to hold."""
    async with asyncio.timeout(WAIT_S_MAX):
        while not claim():
            await asyncio.sleep(0.05)


async def alerts(node: RunningNode) -> list[ShotAlert]:
    async with node.node.database.transaction(AGENCY) as connection:
        records = Records(connection, AGENCY)
        return [*await records.shots.queue(), *await records.shots.quiet()]


async def alert_where(
    node: RunningNode, claim: Callable[[ShotAlert], bool], many: int = 1
) -> list[ShotAlert]:
    async with asyncio.timeout(WAIT_S_MAX):
        while len(found := [one for one in await alerts(node) if claim(one)]) < many:
            await asyncio.sleep(0.1)
    return found


async def test_gunfire_is_located_and_heard_and_waits_for_an_ear(
    node: RunningNode, city: Scape
) -> None:
    operator = await node.sign_in("operator")
    fired = city.fire(120.0, -200.0, count=5)
    [alert] = await alert_where(node, lambda one: len(one.clips) >= 3 and one.rounds == 5)
    assert metres_apart(alert.shot.place, place_of(fired)) < 25
    assert alert.shot.ellipse is not None
    assert len(alert.shot.heard) >= 6
    assert alert.is_queued

    told = (await operator.get(f"/api/shots/{alert.alert_id}")).json()
    assert told["incident_id"] is None, "nothing else knows of it yet"
    clip = alert.clips[0]
    sound = await operator.get(f"/api/shots/{alert.alert_id}/clip/{clip.sensor}")
    assert sound.content.startswith(b"RIFF")
    assert int(sound.headers["X-Farolito-Permit"]) > 0

    answer = await operator.post(
        f"/api/shots/{alert.alert_id}/review",
        {"version": told["alert"]["version"], "kind": "gunshot", "listened": [clip.sensor]},
    )
    assert answer.status_code == 200, answer.text
    after = (await operator.get(f"/api/shots/{alert.alert_id}")).json()
    assert after["alert"]["state"] == "confirmed"
    assert after["alert"]["machine"]["revision"] == alert.machine.revision
    assert after["incident_id"] is not None


async def test_a_locator_that_is_killed_hears_the_last_moments_again(
    node: RunningNode, city: Scape
) -> None:
    await node.node.shots.locator.tick([], 0.0)
    [pid] = [c.pid for c in node.node.supervisor.status() if c.name == "locator"]
    fired = city.fire(-150.0, 90.0, count=4, after_s=0.1)
    os.kill(pid, signal.SIGKILL)
    [alert] = await alert_where(node, lambda one: one.rounds == 4)
    assert metres_apart(alert.shot.place, place_of(fired)) < 25


async def test_an_unreviewed_shot_reaches_no_officer(node: RunningNode, city: Scape) -> None:
    officer = await node.officer()
    fired = city.fire(60.0, 60.0, count=3)
    [alert] = await alert_where(node, lambda one: one.rounds == 3)
    assert metres_apart(alert.shot.place, place_of(fired)) < 25
    for path in ("/api/shots", f"/api/shots/{alert.alert_id}", "/api/sensors"):
        assert (await officer.get(path)).status_code == 403
    assert (await officer.get("/api/briefs/mine")).json()["briefs"] == []


async def test_the_buyer_sees_sensors_and_coverage(node: RunningNode, city: Scape) -> None:
    operator = await node.sign_in("operator")
    sensors = (await operator.get("/api/sensors")).json()["sensors"]
    assert len(sensors) == len(city.ears.ears)
    [silent] = [s for s in sensors if s["sensor"] in city.ears.silent]
    assert silent["state"] == "down"
    coverage = (await operator.get("/api/sensors/coverage")).json()
    assert len(coverage["p"]) == coverage["rows"] * coverage["columns"]
    assert silent["sensor"] in coverage["dead"]
    middle = coverage["p"][(coverage["rows"] // 2) * coverage["columns"] + coverage["columns"] // 2]
    assert middle > 90
    assert coverage["south"] < lat_lon(city.ears.centre)[0] < coverage["north"]
