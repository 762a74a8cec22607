"""Each rule by itself: what makes it speak, and what keeps it still."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from farolito.geo.distance import Plane
from farolito.model import Purpose
from farolito.review.detectors import (
    AGAIN_AFTER,
    COPIED_MAX,
    SHARE_SEARCHES_MIN,
    TOGETHER,
    Detectors,
    Rule,
)
from farolito.review.search import (
    SAME_PLACE_M,
    Case,
    Search,
    subject_of_place,
    subject_of_plate,
)
from tests.review.year import START, a_search, person

PLATE = subject_of_plate("nm abc-123")
OWN = Case(number="26-1", opened_at=START, people=frozenset({person("ana")}))
ABOUT = msgspec.structs.replace(OWN, number="26-2", subjects={PLATE: START})
CASES = {c.number: c for c in (OWN, ABOUT)}


def search(hours: float = 0.0, **told: Any) -> Search:
    made = a_search(START + timedelta(hours=hours), "ana", PLATE, None)
    return msgspec.structs.replace(made, **{"entry": round(hours * 100), **told})


def rules(*searches: Search, **more: Any) -> list[Rule]:
    detectors = Detectors(CASES.get, **more)
    return [found.rule for one in searches for found in detectors.hear(one)]


def test_a_third_look_that_nothing_explains_is_found_once() -> None:
    looks = [search(24.0 * n) for n in range(8)]
    assert rules(*looks[:2]) == []
    assert rules(*looks[:3]) == [Rule.REPEAT]
    assert rules(*looks) == [Rule.REPEAT]


def test_looks_within_a_shift_are_one() -> None:
    step = AGAIN_AFTER.total_seconds() / 3600 / 10
    assert rules(*(search(step * n) for n in range(9))) == []


def test_a_case_about_it_explains_every_look() -> None:
    assert rules(*(search(24.0 * n, case="26-2") for n in range(9))) == []


def test_what_is_written_down_within_a_day_explains() -> None:
    late = msgspec.structs.replace(OWN, subjects={PLATE: START + timedelta(hours=23)})
    found = [Detectors({"26-1": late}.get).hear(search(24.0 * n, case="26-1")) for n in range(4)]
    assert found == [[]] * 4


def test_a_closed_case_explains_nothing() -> None:
    closed = msgspec.structs.replace(ABOUT, closed_at=START + timedelta(days=1))
    detectors = Detectors({"26-2": closed}.get)
    days = (1, 30, 40, 50)
    found = [detectors.hear(search(24.0 * day, case="26-2")) for day in days]
    assert [bool(f) for f in found] == [False, False, False, True]
    assert "closed before" in found[-1][0].says


def test_many_cases_of_ones_own_are_one_lead() -> None:
    """Whoever names another case of theirs each time is found one look later, not never."""
    cases = {f"26-{n}": msgspec.structs.replace(OWN, number=f"26-{n}") for n in range(9)}
    detectors = Detectors(cases.get)
    found = [detectors.hear(search(24.0 * n, case=f"26-{n}")) for n in range(5)]
    assert [bool(f) for f in found] == [False, False, True, False, False]


def corner(east_m: float) -> str:
    return subject_of_place(*Plane((35.0844, -106.65)).to_degrees((east_m, 0)))


def test_a_place_is_watched_like_a_plate_whichever_corner_of_it_is_asked_for() -> None:
    corners = [corner(120.0 * n) for n in range(3)]
    assert rules(*(search(24.0 * n, subject=s) for n, s in enumerate(corners))) == [Rule.REPEAT]
    apart = [corner(1.1 * SAME_PLACE_M * n) for n in range(8)]
    assert rules(*(search(24.0 * n, subject=s) for n, s in enumerate(apart))) == []


def test_a_case_about_a_place_explains_every_circle_that_holds_it() -> None:
    about = msgspec.structs.replace(OWN, subjects={corner(900): START, PLATE: START})
    cases = {"26-1": about}.get

    def found(radius_m: float) -> list[Rule]:
        detectors = Detectors(cases)
        looks = [
            search(24.0 * n, subject=corner(0), case="26-1", radius_m=radius_m) for n in range(5)
        ]
        return [one.rule for look in looks for one in detectors.hear(look)]

    assert found(1_000.0) == []
    assert found(800.0) == [Rule.REPEAT]


def test_places_that_are_forgotten_are_no_repeat_and_others_still_are() -> None:
    detectors = Detectors(CASES.get)
    for n, east_m in enumerate((0, 0, 5_000, 5_000)):
        assert detectors.hear(search(24.0 * n, subject=corner(east_m))) == []
    detectors.forget(START + timedelta(hours=36))
    assert detectors.hear(search(24.0 * 5, subject=corner(0))) == []
    assert [f.rule for f in detectors.hear(search(24.0 * 6, subject=corner(4_900)))] == [
        Rule.REPEAT
    ]


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({"purpose": Purpose.IMMIGRATION_ENFORCEMENT, "permitted": False}, [Rule.ON_BEHALF]),
        ({"on_behalf_of": "an agent"}, [Rule.ON_BEHALF]),
        ({}, []),
    ],
)
def test_for_somebody_else_or_for_what_the_law_rules_out(
    told: dict[str, Any], found: list[Rule]
) -> None:
    assert rules(search(**told)) == found


def test_a_protected_plate_is_told_at_the_first_look_unless_the_case_is_about_it() -> None:
    protected = frozenset({PLATE})
    assert rules(search(), protected=protected) == [Rule.PROTECTED]
    assert rules(search(case="26-1"), protected=protected) == [Rule.PROTECTED]
    assert rules(search(case="26-2"), protected=protected) == []


def test_off_shift_is_said_only_where_a_roster_is_known() -> None:
    assert rules(search(), on_duty=lambda *_: False) == [Rule.OFF_SHIFT]
    assert rules(search(), on_duty=lambda *_: True) == []
    assert rules(search(), on_duty=lambda *_: None) == []


def test_one_sign_in_on_two_devices_at_once() -> None:
    soon = TOGETHER.total_seconds() / 3600 / 4

    def in_turn(*devices: str, step: float = soon, other: str = "s") -> list[Rule]:
        sessions = {"car-7": other}
        return rules(
            *(
                search(n * step, session=sessions.get(d, "s"), device=d, subject=f"plate:{n}")
                for n, d in enumerate(devices)
            )
        )

    assert in_turn("desk-1", "car-7", "desk-1") == [Rule.SHARED_SESSION]
    assert in_turn("desk-1", "desk-1", "car-7", "car-7", "desk-1") == [Rule.SHARED_SESSION]
    assert in_turn("car-7", "desk-1", "desk-1") == [], "it moved to another network, once"
    assert in_turn("desk-1", "car-7", "desk-1", other="t") == [], "two sign-ins"
    assert in_turn("desk-1", "car-7", "desk-1", step=soon * 3) == [], "half a shift apart"


def test_one_sign_in_is_one_review() -> None:
    detectors = Detectors(CASES.get)
    devices = ["desk-1", "car-7"] * 5
    found = [
        finding
        for n, d in enumerate(devices)
        for finding in detectors.hear(search(n / 20, session="s", device=d, subject=f"plate:{n}"))
    ]
    assert len(found) == len(devices) - 2
    assert len({one.key for one in found}) == 1


def test_one_case_number_for_everything() -> None:
    many = [
        search(n, subject=subject_of_plate(f"X{n}"), case="26-1") for n in range(COPIED_MAX + 5)
    ]
    assert rules(*many) == [Rule.COPIED]
    assert rules(*many[:COPIED_MAX]) == []


def test_far_more_than_others_with_no_case_of_their_own() -> None:
    others = [
        msgspec.structs.replace(search(n), person=person(f"p{n}"), subject=f"plate:{n}")
        for n in range(10)
    ]
    mine = [search(20 + n, subject=subject_of_plate(f"M{n}")) for n in range(SHARE_SEARCHES_MIN)]
    assert rules(*others, *mine[:-1]) == []
    assert rules(*others, *mine) == [Rule.SHARE]
    explained_ones = [msgspec.structs.replace(s, case="26-1") for s in mine]
    assert Rule.SHARE not in rules(*others, *explained_ones)


def test_what_is_older_than_any_rule_looks_back_is_forgotten() -> None:
    detectors = Detectors(CASES.get)
    detectors.hear(search(0))
    detectors.hear(search(24))
    detectors.forget(START + timedelta(days=500))
    assert [detectors.hear(search(24.0 * 501 + n * 24)) for n in range(2)] == [[], []]
