"""From pulses to alerts with sound: late ones, lost ones, clips, and a show of fireworks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from farolito.app.handing_over import HandingOver
from farolito.federation.land import LandBook
from farolito.federation.sharing_words import HandedShot
from farolito.media import Pictures
from farolito.model import (
    AgencyCard,
    AgencyId,
    Level,
    Partner,
    PartnerState,
    Point,
    ShotAlert,
    Zone,
)
from farolito.model.shared import Lane
from farolito.simulator.bang import Event
from farolito.simulator.gunfire import rounds
from farolito.simulator.noises import show
from farolito.store import Database
from tests.app.light import LightNode, metres_off
from tests.desk.city import AGENCY, a_city
from tests.gunfire import some_ears

NATION = AgencyId("pueblo-pd")
FAR_M = 25.0
ALARMS_MAX = 12
SHOW_S, SHELLS_PER_S, GUN_AFTER_S, IMPULSES = 75.0, 0.3, 60.0, 800


@pytest.fixture
async def node(database: Database, tmp_path: Path) -> AsyncIterator[LightNode]:
    async with a_city(database, tmp_path) as city:
        yield await LightNode(city, Pictures(tmp_path / "sounds"), some_ears(), 5).registered()


def string(node: LightNode, east_m: float, north_m: float, count: int = 5) -> Event:
    """Rounds from a place, so far from the middle of the net, from now on."""
    x, y = node.ears.centre
    event = rounds(count, node.now_s + 0.5, (0.2, 0.35), (x + east_m, y + north_m), node.rng)
    node.make([event])
    return event


async def the_alert(node: LightNode) -> ShotAlert:
    [alert] = await node.alerts()
    return alert


async def test_a_string_is_one_alert_and_its_nearest_sensors_are_asked(node: LightNode) -> None:
    fired = string(node, 100.0, -150.0)
    await node.seconds(12)
    alert = await the_alert(node)
    assert metres_off(alert, fired) < FAR_M
    assert alert.rounds == 5
    asked = {ear.sensor for ear in alert.shot.heard if node.wants.open(ear.sensor)}
    nearest = sorted(alert.shot.heard, key=lambda ear: ear.metres)
    assert len(asked) == 4
    assert asked <= {ear.sensor for ear in nearest[:8]}


async def test_each_string_of_an_alert_is_asked_for(node: LightNode) -> None:
    string(node, 100.0, -150.0, count=3)
    await node.seconds(8)
    before = wanted(node)
    string(node, 120.0, -160.0, count=3)
    await node.seconds(8)
    alert = await the_alert(node)
    assert len(alert.strings) == 2
    assert (before, wanted(node)) == (4, 8)


async def test_a_clip_is_kept_with_its_alert_and_one_of_none_is_let_go(node: LightNode) -> None:
    string(node, 100.0, -150.0)
    await node.seconds(8)
    alert = await the_alert(node)
    ear = alert.shot.heard[0]
    clip = await node.hear_clip(ear.sensor, ear.onset_at - timedelta(seconds=0.3))
    again = await node.hear_clip(ear.sensor, ear.onset_at + timedelta(minutes=5))
    after = await the_alert(node)
    assert [one.sha256 for one in after.clips] == [clip.sha256]
    assert node.pictures.get(clip.starts_at.date(), clip.sha256) is not None
    assert node.pictures.get(again.starts_at.date(), again.sha256) is None
    node.pictures.drop_before(clip.starts_at.date() + timedelta(days=40), clip.starts_at.date())
    assert node.pictures.get(clip.starts_at.date(), clip.sha256) is not None, "held while it counts"


async def handed(node: LightNode) -> list[HandedShot]:
    """What waits for the nation."""
    async with node.city.records() as records:
        rows = await records.sharing.waiting(NATION, Lane.HANDOVER, 10)
    return [msgspec.json.decode(row.body, type=HandedShot) for row in rows]


async def test_a_shot_on_a_nations_land_is_asked_for_and_all_its_sound_goes_there(
    node: LightNode,
) -> None:
    corners = ((-80, -179), (-80, 179), (80, 179), (80, -179))
    everywhere = Zone("land", tuple(Point(lat, lon) for lat, lon in corners))
    card = AgencyCard(
        agency_id=NATION, name="Pueblo Police", ori="NM9990300", law="us-nm",
        government="tribal", key="00" * 32, ledger_key="", witness_key="", ca_pem="",
        land=(everywhere,),
    )  # fmt: skip
    own = msgspec.structs.replace(card, agency_id=AGENCY.agency_id, government="city", land=())
    partner = Partner(card=card, state=PartnerState.CONFIRMED, since=node.city.clock())
    land = LandBook(lambda: own, lambda: {NATION: partner}, lambda: (), node.city.clock)
    land.changed()
    over = HandingOver(land, node.city.gate, node.city.system, node.city.clock)
    over.want_sound = node.listening.want_sound
    node.desk.elsewhere, node.listening.elsewhere = over.shot, over.sound
    string(node, 100.0, -150.0)
    await node.seconds(8)
    assert await node.alerts() == []
    assert wanted(node) == 4
    [waits] = await handed(node)
    ear = waits.shot.heard[0]
    clip = await node.hear_clip(ear.sensor, ear.onset_at - timedelta(seconds=0.3))
    [_, whole] = await handed(node)
    assert (whole.track, whole.clips, list(whole.sounds)) == (waits.track, (clip,), [clip.sha256])
    assert node.pictures.get(clip.starts_at.date(), clip.sha256) is None, "none of it is kept here"


async def test_the_ledger_knows_of_each_revision_and_clip(node: LightNode) -> None:
    size = node.city.ledger.status().size
    string(node, 100.0, -150.0)
    await node.seconds(12)
    alert = await the_alert(node)
    ear = alert.shot.heard[0]
    await node.hear_clip(ear.sensor, ear.onset_at - timedelta(seconds=0.3))
    after = await the_alert(node)
    said = [
        await node.city.ledger.open_field(entry, "query")
        for entry in range(size, node.city.ledger.status().size)
    ]
    assert sum(f"revision {alert.shot.revision}" in one for one in said) == 1
    assert sum("sound of shot alert" in one for one in said) == 1
    assert len(said) == after.version, "an entry for each version"


async def test_after_a_start_sound_that_never_came_is_asked_for_again(node: LightNode) -> None:
    string(node, 100.0, -150.0)
    await node.seconds(8)
    node.wants = type(node.wants)(node.city.clock)
    node.start()
    await node.sensors.load()
    assert wanted(node) == 0
    await node.listening.ask_again()
    assert wanted(node) == 4


async def test_pulses_that_come_a_minute_late_make_no_second_alert(node: LightNode) -> None:
    fired = string(node, 100.0, -150.0)
    cut = [str(ear.device.device_id) for ear in node.ears.ears][::2]
    held = node.hold_back(cut)
    await node.seconds(60)
    before = await the_alert(node)
    assert not {ear.sensor for ear in before.shot.heard} & set(cut)
    node.tell(held)
    await node.seconds(8)
    after = await the_alert(node)
    assert after.alert_id == before.alert_id
    assert metres_off(after, fired) < FAR_M
    assert len(after.shot.heard) > len(before.shot.heard), "and they are heard for what they are"


async def test_a_shot_of_which_all_pulses_come_late_is_raised_late(node: LightNode) -> None:
    fired = string(node, 100.0, -150.0)
    held = node.hold_back(str(ear.device.device_id) for ear in node.ears.ears)
    await node.seconds(60)
    assert await node.alerts() == []
    node.tell(held)
    await node.seconds(8)
    alert = await the_alert(node)
    assert metres_off(alert, fired) < FAR_M
    assert wanted(node) == 0, "no sensor keeps its sound for so long"


async def test_strays_that_come_late_raise_nothing(node: LightNode) -> None:
    string(node, 100.0, -150.0)
    pulses = node.hold_back(str(ear.device.device_id) for ear in node.ears.ears)
    await node.seconds(60)
    node.tell(pulses[:3])
    await node.seconds(8)
    assert await node.alerts() == []
    assert node.locator.asked_past == 1


async def test_a_sensor_that_is_not_believed_locates_nothing(node: LightNode) -> None:
    """Its clock says of itself that it is wrong: what it tells goes no farther."""
    liars = {str(ear.device.device_id) for ear in node.ears.ears[::3]}
    node.wrong_clocks = frozenset(liars)
    await node.seconds(11)
    string(node, 100.0, -150.0)
    await node.seconds(12)
    alert = await the_alert(node)
    assert not {ear.sensor for ear in alert.shot.heard} & liars
    assert set(alert.shot.down) & liars
    assert not set(alert.shot.silent) & liars


async def test_a_show_of_fireworks_costs_few_alarms_and_a_shot_in_it_still_comes(
    node: LightNode,
) -> None:
    x, y = node.ears.centre
    shells = show(node.now_s + 1, (x - 300.0, y - 200.0), SHOW_S, SHELLS_PER_S, node.rng)
    fired = rounds(5, node.now_s + GUN_AFTER_S, (0.2, 0.4), (x + 350.0, y + 250.0), node.rng)
    node.make([*shells, fired], SHOW_S)
    await node.seconds(SHOW_S + 10)
    assert node.impulses > IMPULSES
    alarms = list(node.queued.values())
    mine = [one for one in alarms if metres_off(one, fired) < FAR_M]
    assert len(mine) == 1
    assert mine[0].level in (Level.P1, Level.P2)
    assert len(alarms) <= ALARMS_MAX
    assert [one.kind for one in node.storms] == ["show"]


def wanted(node: LightNode) -> int:
    return sum(len(node.wants.open(ear.device.device_id)) for ear in node.ears.ears)
