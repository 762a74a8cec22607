"""A call is the same whatever the order its messages come in."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farolito.desk.calls import opened, premise, updated
from farolito.model import (
    AgencyId,
    Call,
    CalledUnit,
    CallKind,
    CallNote,
    CallState,
    CallUpdate,
    DeviceId,
    Level,
    Point,
    UnitId,
    UnitStatus,
)
from tests.desk.city import START


def update(at: datetime, **told: Any) -> CallUpdate:
    return CallUpdate(
        agency=AgencyId("city-pd"), source=DeviceId("cad-1"), number="26-1", sent_at=at,
        told_at=at + timedelta(seconds=1), **told,
    )  # fmt: skip


def heard(updates: list[CallUpdate]) -> Call:
    call = opened(updates[0])
    for one in updates[1:]:
        call = updated(call, one) or call
    return call


def known(call: Call) -> tuple[Any, ...]:
    """What a call says, without when it was heard and how often it changed."""
    units = {one.unit: one.status for one in call.units}
    return (
        call.kind, call.priority, call.state, call.address, call.place, call.within_m,
        call.people, call.notes, call.duplicate_of, call.sent_at, units,
    )  # fmt: skip


_UNITS = st.lists(
    st.tuples(st.sampled_from(["2A14", "2A20"]), st.sampled_from(UnitStatus)),
    max_size=2, unique_by=lambda pair: pair[0],
)  # fmt: skip
_TOLD = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from([CallKind.THEFT, CallKind.ROBBERY]),
        "priority": st.sampled_from([Level.P1, Level.P3]),
        "state": st.sampled_from(CallState),
        "address": st.sampled_from(["4th St @ D Ave", "5th St @ D Ave"]),
        "place": st.sampled_from([Point(35.1, -106.6), Point(35.2, -106.5)]),
        "people": st.sampled_from(["one man", "two men"]),
    },
)


@given(st.lists(_TOLD, min_size=2, max_size=4), st.data())
def test_the_order_of_arrival_does_not_matter(told: list[dict[str, Any]], data: Any) -> None:
    updates = []
    for i, one in enumerate(told):
        at = START + timedelta(seconds=30 * i)
        note = CallNote(note_id=str(i), at=at, says=f"remark {i}")
        updates.append(update(at, notes=(note,), **one))
    expected = known(heard(updates))
    assert known(heard(data.draw(st.permutations(updates)))) == expected


@given(st.lists(_UNITS, min_size=2, max_size=3))
def test_units_end_up_the_same_in_whatever_order_they_are_told(
    wholes: list[list[tuple[str, UnitStatus]]],
) -> None:
    """Each message tells the whole at its time; a closing at the end clears whom none names."""
    updates = []
    for i, whole in enumerate(wholes):
        at = START + timedelta(seconds=30 * i)
        units = tuple(CalledUnit(unit=UnitId(u), status=s, at=at) for u, s in whole)
        updates.append(update(at, units=units))
    updates.append(update(START + timedelta(seconds=300), state=CallState.CLOSED))
    expected = known(heard(updates))
    for order in permutations(updates):
        assert known(heard(list(order))) == expected


@given(st.lists(_TOLD, min_size=1, max_size=4))
def test_a_message_heard_twice_is_heard_once(told: list[dict[str, Any]]) -> None:
    updates = [update(START + timedelta(seconds=30 * i), **one) for i, one in enumerate(told)]
    call = heard(updates)
    for again in updates:
        after = updated(call, again)
        assert after is None or after.version == call.version


def test_units_never_stand_as_later_than_they_were_told() -> None:
    """A CAD clock four minutes ahead must not outrun an officer's tap."""
    ahead = START + timedelta(minutes=4)
    one = CalledUnit(unit=UnitId("2A14"), status=UnitStatus.ASSIGNED, at=ahead)
    call = opened(
        CallUpdate(
            agency=AgencyId("city-pd"), source=DeviceId("cad-1"), number="1", sent_at=ahead,
            told_at=START, units=(one,),
        )
    )  # fmt: skip
    assert call.units[0].at == START


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Central Av @ San Mateo Bl", "San Mateo Boulevard and Central Ave"),
        ("1200 Central Av NW Apt 4, Springfield", "1200 CENTRAL AVENUE NW #4"),
        ("4th St / D Ave", "D Avenue & Fourth Street"),
        ("100 Mount Vernon Pl", "100 Mt. Vernon Place"),
    ],
)
def test_two_spellings_of_one_address_are_one_premise(one: str, other: str) -> None:
    assert premise(one) == premise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1200 Central Av NW", "1200 Central Av SE"),
        ("1200 Central Av", "1202 Central Av"),
        ("1200 Central Av #4", "1200 Central Av #5"),
        ("4th St @ D Ave", "5th St @ D Ave"),
    ],
)
def test_two_addresses_are_two_premises(one: str, other: str) -> None:
    assert premise(one) != premise(other)


@pytest.mark.parametrize("nothing", [None, "", "  ", "@", ", Springfield"])
def test_no_address_is_no_premise(nothing: str | None) -> None:
    assert premise(nothing) is None


@given(st.text(max_size=60))
def test_any_text_has_a_premise_or_none(text: str) -> None:
    premise(text)
