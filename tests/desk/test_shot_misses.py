"""A shooting that nobody was told of is written down, and counts against the alerts."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from farolito.desk import Conflict
from farolito.model import FarolitoError, Invalid, ShotOutcome, SoundKind, Thing
from tests.desk.city import START, City, spot
from tests.desk.gunfire import Ears, shot

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def ears(shot_city: City) -> Ears:
    return await Ears.anew(shot_city)


async def test_a_miss_is_written_down_with_its_zone_and_its_chance(ears: Ears) -> None:
    ears.desk.chance_heard = lambda place: 0.75
    at = START - timedelta(hours=2)
    answer = await ears.desk.miss(ears.ask(), at, spot(50, 50), ShotOutcome.CASINGS, 3, "by bikes")
    miss = answer.value
    assert (miss.zone, miss.in_coverage, miss.rounds) == ("west", 0.75, 3)
    assert miss.by == ears.city.operator.person_id
    since, until = at - timedelta(hours=1), START
    assert (await ears.desk.misses(ears.ask(), since, until)).value == [miss]
    assert (await ears.desk.misses(ears.ask(), START, START + timedelta(1))).value == []


@pytest.mark.parametrize("gun", [0.9, 0.1])
async def test_what_was_heard_was_not_missed(ears: Ears, gun: float) -> None:
    """An alert that stands there has an outcome to be written down, a quiet one too."""
    alert = await ears.heard(shot(500, 500, gun=gun))
    ears.city.later(300)
    for x, seconds in ((640, 0), (500, 110), (500, -110)):
        with pytest.raises(Conflict) as why:
            await ears.desk.miss(
                ears.ask(), START + timedelta(seconds=seconds), spot(x, 500), ShotOutcome.VIDEO
            )
        assert str(alert.alert_id) in why.value.says
        assert "outcome" in why.value.do
    await ears.desk.miss(ears.ask(), START, spot(700, 500), ShotOutcome.VIDEO)
    await ears.desk.miss(
        ears.ask(), START - timedelta(seconds=130), spot(500, 500), ShotOutcome.VIDEO
    )


async def test_a_miss_is_counted_once(ears: Ears) -> None:
    await ears.desk.miss(ears.ask(), START, spot(500, 500), ShotOutcome.WITNESS)
    with pytest.raises(Conflict):
        await ears.desk.miss(ears.ask(), START, spot(520, 500), ShotOutcome.CASINGS)


@pytest.mark.parametrize(
    ("known_by", "at", "rounds"),
    [
        (ShotOutcome.UNKNOWN, START, None),
        (ShotOutcome.FIREWORKS, START, None),
        (ShotOutcome.CASINGS, START + timedelta(minutes=1), None),
        (ShotOutcome.CASINGS, START.replace(tzinfo=None), None),
        (ShotOutcome.CASINGS, START, 0),
    ],
)
async def test_what_cannot_be_a_known_shooting_is_named(
    ears: Ears, known_by: ShotOutcome, at: datetime, rounds: int | None
) -> None:
    with pytest.raises(Invalid) as why:
        await ears.desk.miss(ears.ask(), at, spot(1, 1), known_by, rounds)
    assert isinstance(why.value, FarolitoError)
    assert why.value.do


async def test_the_figures_are_of_what_the_desk_kept(ears: Ears) -> None:
    for n, outcome in enumerate([ShotOutcome.CASINGS, ShotOutcome.NOTHING_FOUND]):
        alert = await ears.reviewed(await ears.heard(shot(300 + 200 * n), f"boot1:{n}"))
        await ears.desk.outcome(ears.ask(), alert.alert_id, outcome)
    await ears.reviewed(await ears.heard(shot(1500), "boot1:8"), SoundKind.FIREWORK)
    await ears.heard(shot(1900, gun=0.05), "boot1:9")
    await ears.desk.miss(ears.ask(), START, spot(900, 900), ShotOutcome.VIDEO)
    ask, day = ears.ask(thing=Thing.SHOT_FIGURE), timedelta(days=1)
    answer = await ears.desk.record(ask, START - day, START + day)
    told = answer.value
    assert (told.all.alerts, told.all.confirmed, told.all.unfounded, told.all.misses) == (
        2, 1, 1, 1,
    )  # fmt: skip
    assert {row.name: row.alerts for row in told.by_zone} == {"east": 1, "west": 1}
    assert {row.name: row.alerts for row in told.by_kind} == {"gunshot": 2, "firework": 1}
    empty = await ears.desk.record(ask, START - 9 * day, START - 8 * day)
    assert empty.value.all.alerts == 0
