"""Shots that sensors located, and who else heard them: by sound, which takes no road."""

from __future__ import annotations

from typing import Any

import pytest

from farolito.correlation import Candidate, Event, Verdict, correlate
from farolito.model import CallKind, IncidentId, LinkBy, PartKind
from tests.correlation.test_correlate import event, held, incident
from tests.desk.city import RIVER_WIDTH_M, RIVER_X_M, MapStreets, river_town

K = CallKind
STREETS = MapStreets(river_town())


def shots(x: float, y: float, seconds: float = 0, **more: Any) -> Event:
    told = {"part": PartKind.SHOT, "number": None, "within_m": 12.0, **more}
    return event(K.SHOTS_FIRED, x, y, seconds, **told)


def call(x: float, y: float, seconds: float, kind: CallKind = K.SHOTS_FIRED) -> Event:
    return event(kind, x, y, seconds)


def test_a_caller_across_the_river_heard_the_shots_though_no_road_is_near() -> None:
    here, there = RIVER_X_M, RIVER_X_M + RIVER_WIDTH_M
    verdict = held(call(there, 0, 40), shots(here, 0))
    assert verdict is not None
    assert verdict.link.by is LinkBy.NEAR
    assert verdict.link.says == (
        "told 40 s after these shots could be heard there, 80 m away as sound goes;"
        " shots fired told again: sensors located what was heard"
    )
    assert held(call(there, 0, 40, K.SHOOTING), shots(here, 0)) is None, "a victim is at a place"


def test_the_time_that_sound_needs_is_not_counted_as_waiting() -> None:
    five_minutes = 300.0
    assert held(call(343, 0, five_minutes + 0.9), shots(0, 0)) is not None
    assert held(call(343, 0, five_minutes + 1.1), shots(0, 0)) is None
    assert held(call(0, 0, five_minutes + 0.9), shots(0, 0)) is None


def test_a_call_before_the_shots_says_so() -> None:
    verdict = held(call(0, 100, -60), shots(0, 0))
    assert verdict is not None
    assert verdict.link.says.startswith("told 60 s before these shots could be heard there")


@pytest.mark.parametrize(
    ("metres", "seconds", "is_one"),
    [(120, 200, True), (370, 200, True), (380, 200, False), (120, 301, False)],
)
def test_strings_within_five_minutes_and_what_a_shot_is_heard_over_are_one_event(
    metres: float, seconds: float, is_one: bool
) -> None:
    """350 m and the ellipses of both."""
    verdict = held(shots(metres, 0, seconds), shots(0, 0))
    assert (verdict is not None) is is_one
    if verdict is not None:
        assert verdict.link.says.endswith("sensors located both")


def test_shots_that_nobody_listened_to_bring_nothing_together() -> None:
    calls = [incident(call(0, 0, 10)), incident(call(300, 0, 10))]
    sure = correlate(shots(150, 0), calls, STREETS.road)
    unsure = correlate(shots(150, 0, is_confirmed=False), calls, STREETS.road)
    assert _incidents(sure) == {one.incident_id for one in calls}
    assert len(_incidents(unsure)) == 1
    assert held(call(0, 0, 10), shots(0, 0, is_confirmed=False)) is None


def test_shots_whose_place_is_known_to_no_block_join_nothing() -> None:
    assert held(shots(0, 0, within_m=201.0), call(0, 0, 10)) is None


def test_a_place_that_was_split_off_stays_apart() -> None:
    first, lone = call(0, 0, 10), shots(0, 0)
    kept = Candidate(
        incident_id=IncidentId(first.part_id), opened_at=first.at, events=(first,),
        apart=frozenset({lone.part_id}),
    )  # fmt: skip
    assert correlate(lone, [kept], STREETS.road) is None


def _incidents(verdict: Verdict | None) -> set[IncidentId]:
    assert verdict is not None
    return {one.incident_id for one in (verdict, *verdict.also)}
