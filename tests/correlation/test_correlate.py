"""Which events are one incident: by word of the CAD, by plate, by kind, time and road."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farolito.correlation import TABLE, Candidate, Event, Verdict, correlate
from farolito.correlation.correlate import FLED_M_MAX
from farolito.model import CallKind, IncidentId, LinkBy, PartKind
from tests.desk.city import RIVER_WIDTH_M, RIVER_X_M, START, MapStreets, NoMap, river_town, spot

K = CallKind
STREETS = MapStreets(river_town())
_numbers = count(1)


def event(kind: CallKind, x: float, y: float, seconds: float = 0, **more: Any) -> Event:
    number = next(_numbers)
    return Event(
        **{
            "part_id": UUID(int=number), "part": PartKind.CALL, "kind": kind,
            "at": START + timedelta(seconds=seconds), "place": spot(x, y), "number": str(number),
            **more,
        }
    )  # fmt: skip


def incident(*events: Event, apart: frozenset[UUID] = frozenset()) -> Candidate:
    return Candidate(
        incident_id=IncidentId(events[0].part_id), opened_at=events[0].at, events=events,
        apart=apart,
    )  # fmt: skip


def held(event: Event, *others: Event) -> Verdict | None:
    return correlate(event, [incident(*others)], STREETS.road)


def plated(plate: str, state: str | None = "NM") -> frozenset[tuple[str, str | None]]:
    return frozenset({(plate, state)})


def seen(plate: str, x: float, y: float, seconds: float = 0, **more: Any) -> Event:
    return event(K.WANTED_VEHICLE, x, y, seconds, part=PartKind.ALERT, plates=plated(plate), **more)


def test_shots_and_a_shooting_round_the_corner_are_one_with_the_numbers() -> None:
    verdict = held(event(K.SHOOTING, 400, 320, 41), event(K.SHOTS_FIRED, 300, 300))
    assert verdict is not None
    assert verdict.link.by is LinkBy.NEAR
    assert verdict.link.says == (
        "41 s and 120 m by road apart; shooting fits shots fired:"
        " the shots that were heard hit somebody"
    )
    assert (round(verdict.link.metres or 0), verdict.link.seconds) == (120, 41)


def test_a_river_between_two_corners_keeps_them_apart() -> None:
    """80 m as the crow flies, two kilometres and more by the bridge."""
    here, there = RIVER_X_M, RIVER_X_M + RIVER_WIDTH_M
    assert held(event(K.SHOTS_FIRED, there, 0, 10), event(K.SHOTS_FIRED, here, 0)) is None
    assert held(event(K.SHOTS_FIRED, here, 80, 10), event(K.SHOTS_FIRED, here, 0)) is not None


def test_without_roads_only_one_corner_is_near() -> None:
    def without_map(metres: float) -> Verdict | None:
        first = incident(event(K.SHOTS_FIRED, 0, 0))
        return correlate(event(K.SHOTS_FIRED, metres, 0), [first], NoMap().road)

    near = without_map(50)
    assert near is not None
    assert "no road is known" in near.link.says
    assert without_map(80) is None


@pytest.mark.parametrize(
    ("kind", "other", "metres"),
    [
        (K.DOMESTIC, K.SHOTS_FIRED, 300),
        (K.THEFT, K.SHOTS_FIRED, 10),
        (K.TRAFFIC_STOP, K.TRAFFIC_STOP, 0),
        (K.OTHER, K.OTHER, 0),
        (K.DOMESTIC, K.DOMESTIC, 60),
        (K.SHOTS_FIRED, K.SHOTS_FIRED, 450),
    ],
)
def test_what_is_doubtful_stays_alone(kind: CallKind, other: CallKind, metres: float) -> None:
    assert held(event(kind, metres, 0, 30), event(other, 0, 0)) is None


def test_too_much_later_is_another_event() -> None:
    assert held(event(K.CRASH, 0, 0, 14 * 60), event(K.CRASH, 0, 0)) is not None
    assert held(event(K.CRASH, 0, 0, 16 * 60), event(K.CRASH, 0, 0)) is None


def test_how_far_a_place_is_known_widens_it_a_little() -> None:
    first = event(K.ASSAULT, 0, 0, within_m=40.0)
    assert held(event(K.ASSAULT, 170, 0, within_m=40.0), first) is not None
    assert held(event(K.ASSAULT, 170, 0), event(K.ASSAULT, 0, 0)) is None
    assert held(event(K.ASSAULT, 250, 0, within_m=190.0), first) is None, "but never far"


@pytest.mark.parametrize("unknown", [{"place": None}, {"is_sure": False}, {"within_m": 300.0}])
def test_what_has_no_sure_place_is_never_near(unknown: dict[str, Any]) -> None:
    assert held(event(K.SHOTS_FIRED, 0, 0, **unknown), event(K.SHOTS_FIRED, 0, 0)) is None
    assert held(event(K.SHOTS_FIRED, 0, 0), event(K.SHOTS_FIRED, 0, 0, **unknown)) is None


def test_the_cads_own_word_joins_anything_anywhere() -> None:
    first = event(K.THEFT, 0, 0, number="26-1")
    for again in (
        held(event(K.DOMESTIC, 900, 900, 7200, duplicate_of="26-1"), first),
        held(event(K.DOMESTIC, 900, 900, number="26-2"),
             event(K.THEFT, 0, 0, duplicate_of="26-2")),
    ):  # fmt: skip
        assert again is not None
        assert again.link.by is LinkBy.TOLD


def test_one_plate_joins_calls_that_one_car_can_have_driven_between() -> None:
    def far(seconds: float, state: str | None = "NM") -> Verdict | None:
        first = event(K.HIT_AND_RUN, 0, 0, plates=plated("ABC123"))
        other = event(K.PURSUIT, 1000, 900, seconds, plates=plated("ABC123", state))
        return held(other, first)

    joined = far(240)
    assert joined is not None
    assert (joined.link.by, joined.link.says) == (LinkBy.PLATE, "the same plate, 4 min apart")
    assert far(20) is None, "1.9 km in 20 s: one of the callers has the plate wrong"
    assert far(240, "TX") is None, "another state's plate"
    assert far(240, None) is not None


def test_an_alert_joins_the_call_that_names_its_plate_however_far() -> None:
    call = event(K.STOLEN_VEHICLE, 0, 0, plates=plated("ABC123"))
    linked = held(seen("ABC123", 1080, 0, 5 * 3600), call)
    assert linked is not None
    assert linked.link.by is LinkBy.PLATE
    assert held(seen("XYZ987", 100, 0, 60), call) is None, "the stolen car's plate is another"


def test_a_wanted_vehicle_may_come_from_a_robbery_it_can_have_driven_from() -> None:
    robbery = event(K.ROBBERY, 0, 0, makes=frozenset({"ford"}))
    linked = held(seen("ABC123", 900, 0, 150), robbery)
    assert linked is not None
    assert linked.link.says == (
        "seen 2 min after and 900 m by road from it, a drive of 90 s; a wanted vehicle fits robbery"
    )
    assert held(seen("ABC123", 900, 0, 10), robbery) is None, "sooner than it can drive"
    assert held(seen("ABC123", 900, 0, -30), robbery) is None, "seen before"
    assert held(seen("ABC123", 900, 0, 3600), robbery) is None, "long after"
    assert held(seen("ABC123", 900, 0, 150, makes=frozenset({"kia"})), robbery) is None
    assert held(seen("ABC123", 900, 0, 150), event(K.DOMESTIC, 0, 0)) is None
    assert FLED_M_MAX < 10_000


def test_nothing_joins_on_account_of_an_alert_that_nobody_confirmed() -> None:
    unconfirmed = seen("ABC123", 0, 0, is_confirmed=False)
    call = event(K.STOLEN_VEHICLE, 0, 0, 60, plates=plated("ABC123"))
    assert held(call, unconfirmed) is None
    assert held(call, msgspec.structs.replace(unconfirmed, is_confirmed=True)) is not None


def test_an_alert_never_makes_two_incidents_one() -> None:
    calls = [event(K.HIT_AND_RUN, x, 0, plates=plated("ABC123")) for x in (0, 900)]
    verdict = correlate(seen("ABC123", 500, 0), [incident(c) for c in calls], STREETS.road)
    assert verdict is not None
    assert verdict.also == ()


def test_a_call_that_fits_two_incidents_shows_that_they_are_one() -> None:
    medical, quarrel = event(K.MEDICAL, 0, 0), event(K.DISTURBANCE, 60, 0, 20)
    assert held(quarrel, medical) is None
    verdict = correlate(
        event(K.SHOTS_FIRED, 30, 0, 40), [incident(medical), incident(quarrel)], STREETS.road
    )
    assert verdict is not None
    both = {verdict.incident_id, *(one.incident_id for one in verdict.also)}
    assert both == {medical.part_id, quarrel.part_id}


def test_a_row_of_near_events_does_not_grow_across_the_city() -> None:
    row = [event(K.SHOTS_FIRED, x, 0, x / 100) for x in (0, 300)]
    assert held(event(K.SHOTS_FIRED, 600, 0, 9), *row) is None, "300 m from one, 600 m from another"


def test_what_a_person_split_stays_apart() -> None:
    one, other = event(K.SHOTS_FIRED, 0, 0), event(K.SHOTS_FIRED, 10, 0, 5, duplicate_of="1")
    first = incident(one, apart=frozenset({other.part_id}))
    assert correlate(other, [first], STREETS.road) is None
    mine = incident(other, apart=frozenset({one.part_id}))
    assert correlate(other, [incident(one)], STREETS.road, mine) is None


def grouped(events: Sequence[Event]) -> set[frozenset[UUID]]:
    """Groups as dispatch makes them, event by event in this order."""
    groups: list[Candidate] = []
    for one in events:
        verdict = correlate(one, groups, STREETS.road)
        found = {v.incident_id for v in (verdict, *verdict.also)} if verdict else set()
        near = LinkBy.NEAR if found else LinkBy.FIRST
        whole = [msgspec.structs.replace(one, joined_by=near)]
        whole = [e for g in groups if g.incident_id in found for e in g.events] + whole
        groups = [g for g in groups if g.incident_id not in found]
        groups.append(incident(*whole))
    return {group.parts for group in groups}


_CLEAR = st.lists(
    st.tuples(
        st.sampled_from([(100.0, 100.0), (900.0, 100.0), (100.0, 900.0), (900.0, 900.0)]),
        st.sampled_from([K.SHOTS_FIRED, K.SHOOTING, K.WEAPON, K.ASSAULT, K.MEDICAL]),
        st.floats(-20, 20),
        st.integers(0, 200),
    ),
    max_size=8,
)


@given(_CLEAR, st.data())
def test_events_in_any_order_make_the_same_incidents(
    told: list[tuple[tuple[float, float], CallKind, float, int]], data: Any
) -> None:
    """Where events of one corner fit each other and other corners are far, as in most of life."""
    events = [event(k, x + off, y, at) for (x, y), k, off, at in told]
    assert grouped(data.draw(st.permutations(events))) == grouped(events)


@given(_CLEAR)
def test_every_event_is_in_exactly_one_incident(
    told: list[tuple[tuple[float, float], CallKind, float, int]],
) -> None:
    events = [event(k, x + off, y, at) for (x, y), k, off, at in told]
    parts = [part for group in grouped(events) for part in group]
    assert sorted(parts) == sorted(one.part_id for one in events)


@given(_CLEAR, _CLEAR, st.data())
def test_what_was_split_is_not_joined_by_any_replay_nor_by_what_comes_after(
    told: list[tuple[tuple[float, float], CallKind, float, int]],
    more: list[tuple[tuple[float, float], CallKind, float, int]],
    data: Any,
) -> None:
    first = event(K.SHOTS_FIRED, 100, 100, number="26-1")
    lone = event(K.SHOTS_FIRED, 105, 100, 5, duplicate_of="26-1", plates=plated("ABC123"))
    events = [first, lone, *(event(k, x + off, y, at) for (x, y), k, off, at in told)]
    [group] = [g for g in grouped(events) if lone.part_id in g]
    stay = [one for one in events if one.part_id in group - {lone.part_id}]
    groups = [
        incident(*stay, apart=frozenset({lone.part_id})),
        incident(lone, apart=frozenset(one.part_id for one in stay)),
    ]
    later = [event(k, x + off, y, at) for (x, y), k, off, at in more]
    for one in data.draw(st.permutations([*stay, lone, *later])):
        own = next((g for g in groups if one.part_id in g.parts), None)
        verdict = correlate(one, groups, STREETS.road, own)
        if verdict is None:
            continue
        named = {v.incident_id for v in (verdict, *verdict.also)} | (
            {own.incident_id} if own else set()
        )
        assert not named >= {g.incident_id for g in groups}
        if own is None:
            groups = [
                incident(*g.events, one, apart=g.apart) if g.incident_id in named else g
                for g in groups
            ]


def test_every_pair_of_kinds_has_a_reason_and_small_limits() -> None:
    for together in TABLE.values():
        assert together.reason
        assert 0 < together.minutes <= 60
        assert 0 < together.metres <= 1500
