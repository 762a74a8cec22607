"""When an owner lets us look: the ladder, hours over midnight, and the clock that is put back."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from farolito.desk.consent import is_within, leave, told
from farolito.model import Consent, Hours
from tests.camera_builders import NOON, camera

DENVER = ZoneInfo("America/Denver")
WEEK_NIGHTS = Hours(days=(0, 1, 2, 3, 4), since=time(22), until=time(6))
SCHOOL = Hours(days=(0, 1, 2, 3, 4), since=time(7, 30), until=time(16))


@pytest.mark.parametrize(
    ("consent", "quiet", "alarm"),
    [
        (Consent.REGISTRY_ONLY, False, False),
        (Consent.ON_ALARM, False, True),
        (Consent.TIME_WINDOW, False, True),
        (Consent.ALWAYS, True, True),
    ],
)
def test_each_rung_lets_us_do_what_those_below_it_do(
    consent: Consent, quiet: bool, alarm: bool
) -> None:
    one = camera("gate", consent=consent, hours=(WEEK_NIGHTS,))
    for on_alarm, is_open in ((False, quiet), (True, alarm)):
        found = leave(one, NOON, DENVER, on_alarm=on_alarm)
        assert found.is_open is is_open
        assert found.says


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-11-23T22:00:00-07:00", True),  # Monday
        ("2026-11-23T21:59:59-07:00", False),
        ("2026-11-24T05:59:59-07:00", True),
        ("2026-11-24T06:00:00-07:00", False),
        ("2026-11-28T05:00:00-07:00", True),  # Saturday morning, begun on Friday
        ("2026-11-28T23:00:00-07:00", False),  # Saturday night
        ("2026-11-23T03:00:00-07:00", False),  # Monday morning: Sunday does not begin one
        ("2026-11-24T05:00:00+00:00", True),  # the same told in UTC: 22:00 on Monday
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_of_its_beginning(at: str, is_open: bool) -> None:
    assert is_within([WEEK_NIGHTS], datetime.fromisoformat(at), DENVER) is is_open


def test_an_hour_that_comes_twice_is_open_twice_and_one_that_does_not_come_never() -> None:
    half_past_one = Hours(days=(6,), since=time(1, 15), until=time(1, 45))
    back = [datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (6, 7, 8, 9)]
    assert [is_within([half_past_one], at, DENVER) for at in back] == [False, True, True, False]
    half_past_two = Hours(days=(6,), since=time(2, 15), until=time(2, 45))
    forward = [datetime(2026, 3, 8, 8, minute, tzinfo=UTC) for minute in range(0, 60, 15)]
    forward += [datetime(2026, 3, 8, 9, minute, tzinfo=UTC) for minute in range(0, 60, 15)]
    assert not any(is_within([half_past_two], at, DENVER) for at in forward)


def test_a_window_that_ends_when_it_begins_is_a_whole_day() -> None:
    sunday = Hours(days=(6,), since=time(12), until=time(12))
    days = ("2026-11-22T11:59", "2026-11-22T12:00", "2026-11-23T11:59", "2026-11-23T12:00")
    found = [is_within([sunday], datetime.fromisoformat(f"{d}-07:00"), DENVER) for d in days]
    assert found == [False, True, True, False]


def test_hours_are_told_as_people_say_them() -> None:
    weekend = Hours(days=(6, 5, 2), since=time(0), until=time(23, 59))
    assert told([SCHOOL, weekend]) == "Mon–Fri 07:30–16:00, Wed Sat–Sun 00:00–23:59"
    closed = leave(
        camera("gate", consent=Consent.TIME_WINDOW, hours=(SCHOOL,)),
        datetime(2026, 11, 22, 12, tzinfo=UTC), DENVER, on_alarm=False,
    )  # fmt: skip
    assert closed.says == (
        "its owner lets us look Mon–Fri 07:30–16:00, and while an incident is open within 300 m"
    )
