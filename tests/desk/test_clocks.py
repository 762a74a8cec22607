"""The honest clocks count what was written down, and say what they cannot know."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from farolito.desk.clocks import spread, timings
from farolito.model import CallKind, IncidentId, Level, UnitId, UnitTiming, WaitingCall

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def row(by_alert: bool = False, **times: float) -> UnitTiming:
    nothing = UnitTiming(
        incident_id=IncidentId(UUID(int=1)),
        label="26-1",
        kind=CallKind.ROBBERY,
        level=Level.P1,
        unit=UnitId("2A14"),
        by_alert=by_alert,
    )
    return msgspec.structs.replace(nothing, **{name: at(s) for name, s in times.items()})


def test_each_step_lies_between_its_two_times() -> None:
    found = timings(
        [row(call_at=0, here_at=2, assigned_at=30, composed_at=30.02, opened_at=33)],
        [],
        at(-60),
        at(600),
    )
    assert found.steps["call_to_here"].p50_s == 2
    assert found.steps["here_to_assigned"].p50_s == 28
    assert found.steps["here_to_opened"].p50_s == 31
    assert found.steps["composed_to_delivered"].n == 0
    assert found.steps["composed_to_delivered"].p50_s is None


def test_two_clocks_that_disagree_make_no_negative_time() -> None:
    found = timings([row(call_at=3600, here_at=2)], [], at(0), at(600))
    assert found.steps["call_to_here"].n == 0


def test_a_call_that_waits_while_an_alert_binds_a_unit_counts_only_that_time() -> None:
    bound = row(by_alert=True, assigned_at=10, freed_at=60)
    waits = [
        WaitingCall(here_at=at(0), assigned_at=at(30)),  # 20 s of it beside the alert
        WaitingCall(here_at=at(100), assigned_at=at(130)),  # none
        WaitingCall(here_at=at(50), assigned_at=None),  # 10 s, and still waiting
    ]
    delay = timings([bound], waits, at(-60), at(600)).p1_delay
    assert (delay.calls, delay.waited, delay.waited_s) == (3, 2, 30.0)
    assert (delay.busy.n, delay.free.n) == (0, 2)


def test_a_unit_that_a_call_sent_is_no_delay_by_an_alert() -> None:
    bound = row(assigned_at=0, freed_at=100)
    waits = [WaitingCall(here_at=at(10), assigned_at=at(50))]
    assert timings([bound], waits, at(-60), at(600)).p1_delay.waited_s == 0


def test_two_alerts_at_once_delay_a_call_once() -> None:
    bound = [row(by_alert=True, assigned_at=0, freed_at=100) for _ in range(2)]
    waits = [WaitingCall(here_at=at(10), assigned_at=at(50))]
    delay = timings(bound, waits, at(-60), at(600)).p1_delay
    assert delay.waited_s == 40
    assert delay.busy.p50_s == 40


@given(st.lists(st.floats(0, 10_000), min_size=1))
def test_half_the_cases_are_at_most_the_median(seconds: list[float]) -> None:
    found = spread(seconds)
    assert found.p50_s in seconds
    assert sum(1 for s in seconds if s <= (found.p50_s or 0)) * 2 >= len(seconds)
    assert (found.p95_s or 0) >= (found.p50_s or 0)
