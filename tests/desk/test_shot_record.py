"""The outcome ledger counts as its words say, and a few cases say little."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from farolito.desk import Conflict
from farolito.desk.shot_record import csv_of, record_of, share
from farolito.model import FarolitoError, Invalid, Level, ShotOutcome, SoundKind, Thing
from tests.desk.city import START, City, spot
from tests.desk.gunfire import Ears, shot
from tests.transparency.made_up import SINCE, UNTIL, Case, record

CONFIRMING = [o for o in ShotOutcome if o.confirms]


@pytest.fixture
def ears(city: City) -> Ears:
    return Ears(city)


def case(outcome: ShotOutcome | None = None, **more: object) -> Case:
    told = {"discharged_at": SINCE + timedelta(hours=3), "outcome": outcome, **more}
    return Case(**told)  # type: ignore[arg-type]


def test_each_outcome_is_counted_where_it_belongs() -> None:
    outcomes = [*CONFIRMING, ShotOutcome.FIREWORKS, ShotOutcome.NOTHING_FOUND,
                ShotOutcome.UNKNOWN, None]  # fmt: skip
    total = record([case(outcome) for outcome in outcomes], [(SINCE, "A1")]).all
    assert (total.alerts, total.confirmed, total.unfounded, total.unknown, total.open) == (
        8, 4, 2, 1, 1,
    )  # fmt: skip
    assert (total.precision.yes, total.precision.of) == (4, 6)
    assert (total.confirmed_of_all.yes, total.confirmed_of_all.of) == (4, 8)
    assert (total.found.yes, total.found.of) == (4, 5)


def test_what_a_person_turned_away_is_no_alert_and_a_miss_where_it_was_real() -> None:
    fireworks = SoundKind.FIREWORK
    told = record([
        case(ShotOutcome.CASINGS),
        case(ShotOutcome.VICTIM, reviewed_as=fireworks),
        case(ShotOutcome.NOTHING_FOUND, reviewed_as=fireworks),
        case(ShotOutcome.VIDEO, reviewed_as=None, level=Level.P3),
    ])  # fmt: skip
    assert (told.all.alerts, told.all.misses) == (1, 2)
    assert (told.all.found.yes, told.all.found.of) == (1, 3)
    assert {row.name: (row.alerts, row.confirmed) for row in told.by_kind} == {
        "gunshot": (1, 1), "firework": (2, 1),
    }  # fmt: skip
    assert all(row.found.share is None for row in told.by_kind), "a miss has no kind"


def test_an_alert_that_nobody_listened_to_is_told_as_such() -> None:
    told = record([case(reviewed_as=None), case(reviewed_as=None, level=Level.P3)])
    assert [(row.name, row.alerts) for row in told.by_kind] == [("unreviewed", 1)]
    assert told.all.alerts == 0


def test_zones_and_hours_add_up_to_all() -> None:
    cases = [case(zone="ABC"[n % 3], discharged_at=SINCE + timedelta(hours=n)) for n in range(50)]
    told = record(cases, [(SINCE, "D"), (SINCE, "A")])
    for rows in (told.by_zone, told.by_hour):
        assert sum(row.alerts for row in rows) == 50
        assert sum(row.misses for row in rows) == 2
    assert [row.name for row in told.by_zone] == ["A", "B", "C", "D"]


def test_an_hour_is_that_of_the_agencys_clocks_summer_and_winter() -> None:
    denver = ZoneInfo("America/Denver")
    summer, winter = (
        datetime(2026, 7, 1, 4, 30, tzinfo=UTC),
        datetime(2026, 1, 9, 4, 30, tzinfo=UTC),
    )
    cases = [case(discharged_at=at) for at in (summer, winter)]
    told = record_of(cases, [], SINCE, UNTIL, denver)
    assert [row.name for row in told.by_hour] == ["21", "22"]


@pytest.mark.parametrize(
    ("yes", "of", "low", "high"),
    [(15, 50, 0.1910, 0.4375), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (1, 2, 0.0945, 0.9055)],
)
def test_the_interval_is_wilsons(yes: int, of: int, low: float, high: float) -> None:
    """Of the score interval without continuity correction, reckoned by hand."""
    told = share(yes, of)
    assert told.share == yes / of
    assert told.low == pytest.approx(low, abs=5e-5)
    assert told.high == pytest.approx(high, abs=5e-5)


def test_of_no_case_no_share_is_told() -> None:
    assert (share(0, 0).share, share(0, 0).low) == (None, None)


def test_the_table_can_be_opened_anywhere_and_runs_no_formula() -> None:
    text = csv_of(record([case(ShotOutcome.CASINGS, zone="=cmd|'/c calc'!A1")]))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["by"] for row in rows] == ["all", "zone", "hour", "kind"]
    assert rows[0]["confirmed"] == rows[0]["alerts"] == "1"
    assert rows[1]["name"].startswith("'=")


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
