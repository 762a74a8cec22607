"""Where a vehicle can be seen next: a town of four by four blocks, 10 m a second."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from farolito.geo import RoadGraph
from farolito.geo.reach import FAST, SLOW, Passing
from farolito.model import PictureState
from farolito.viewing import LastSeen, Roadside
from tests.geo.towns import grid_town
from tests.viewing.towns import NOON, block, camera, eyes, point

GRAPH = RoadGraph(grid_town())


def seen(x: float, y: float, heading_deg: float | None = None) -> LastSeen:
    return LastSeen(place=point(x, y), at=NOON, heading_deg=heading_deg)


def roadside(*cameras: Any, buildings: Any = ()) -> Roadside:
    return Roadside(eyes(*cameras, buildings=buildings), GRAPH)


def test_a_camera_counts_where_the_road_that_it_shows_is_passed() -> None:
    """It stands by Aspen Ave (y = 0) and looks north over Birch Ave, 100 m away by 2nd St."""
    side = roadside(camera(150, 50, "birch"))
    [told] = side.next_cameras(seen(0, 0))
    assert told.street == "Birch Ave NW"
    assert told.road_m == 250
    near = timedelta(seconds=0.01)
    assert abs(told.earliest_at - NOON - timedelta(seconds=25 / FAST)) < near
    assert abs(told.latest_at - NOON - timedelta(seconds=25 / SLOW)) < near
    assert told.reasons[0].says == "Birch Ave NW, 250 m by road, from 19:00:12 to 19:01:02"
    assert told.passing(NOON) is Passing.NOT_YET
    assert told.passing(NOON + timedelta(seconds=20)) is Passing.COULD_HAVE


def test_a_camera_that_shows_no_road_does_not_count() -> None:
    away = camera(150, 50, "yard", bearing_deg=90.0, optics=camera().optics)
    walled = camera(150, 50, "walled")
    short = camera(150, 50, "short", bearing_deg=270.0)
    house = block(100, 80, 100, 10)
    told = roadside(walled, buildings=[house]).next_cameras(seen(0, 0))
    assert told == []
    streets = {c.camera_id: c.street for c in roadside(away, short).next_cameras(seen(0, 0))}
    assert streets == {"short": "2nd St NW", "yard": "3rd St NW"}


def test_the_way_it_drove_leaves_out_what_lies_behind() -> None:
    ahead = camera(320, 190, "ahead", bearing_deg=0.0)
    behind = camera(30, 190, "behind", bearing_deg=0.0)
    side = roadside(ahead, behind)
    both = side.next_cameras(seen(150, 200))
    assert [one.camera_id for one in both] == ["behind", "ahead"]
    assert [one.camera_id for one in side.next_cameras(seen(150, 200, 90.0))] == ["ahead"]
    assert [one.camera_id for one in side.next_cameras(seen(150, 200, 270.0))] == ["behind"]


def test_it_does_not_turn_round_on_its_block() -> None:
    """Southwards at 2nd St and Cedar: what lies to the west is reached by the next corner."""
    side = roadside(camera(30, 190, "west"))
    [any_way] = side.next_cameras(seen(100, 160))
    [ahead] = side.next_cameras(seen(100, 160, 180.0))
    assert any_way.road_m == 40 + 70
    assert ahead.road_m == 60 + 100 + 100 + 30


def test_what_is_down_is_left_out_and_what_is_closed_is_said() -> None:
    side = roadside(camera(150, 50, "birch"), camera(350, 50, "far"))
    birch = side._eyes.eyes[0].camera.camera_id
    first, second = side.next_cameras(seen(0, 0), closed=lambda c: {"far": "no"}.get(c.name, ""))
    assert (first.closed, second.closed) == ("", "no")
    assert second.reasons[-1].word == "closed"
    side._eyes.state(birch, state=PictureState.UNREACHABLE)
    assert [one.camera_id for one in side.next_cameras(seen(0, 0))] == ["far"]


def test_two_cameras_on_one_point_of_road_are_told_once() -> None:
    side = roadside(camera(150, 50, "one"), camera(152, 50, "two"), camera(350, 50, "far"))
    assert [one.camera_id for one in side.next_cameras(seen(0, 0))] == ["one", "far"]
