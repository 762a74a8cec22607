"""The outcome ledger counts as its words say, and a few cases say little."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from farolito.desk.shot_record import csv_of, record_of, share
from farolito.model import Level, ShotOutcome, SoundKind
from tests.transparency.made_up import SINCE, UNTIL, Case, record

CONFIRMING = [o for o in ShotOutcome if o.confirms]


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
