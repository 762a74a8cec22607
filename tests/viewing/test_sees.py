"""What one camera sees, in towns small enough to work out by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from farolito.geo.ground import Ground
from farolito.geo.sun import sun
from farolito.model import Ellipse, ImageFault, Optics, PictureState, PtzLimits
from farolito.viewing import Eye, Ranked, best, blind
from farolito.viewing.eyes import Eyes
from tests.geo.towns import at
from tests.viewing.towns import block, camera, eyes, question


def shown(of: Eyes, x: float, y: float, **more: Any) -> Ranked | None:
    """Its answer; None where it cannot."""
    found = best(of, question(x, y, **more))
    assert not found or not [one for one in blind(of, question(x, y, **more)) if not one.closed]
    return found[0] if found else None


def why_not(of: Eyes, x: float, y: float, **more: Any) -> list[str]:
    assert best(of, question(x, y, **more)) == []
    [one] = blind(of, question(x, y, **more))
    assert one.score == 0
    return [reason.word for reason in one.reasons]


@pytest.mark.parametrize(
    ("bearing", "x", "y", "sees"),
    [
        (0.0, 0, 50, True),
        (0.0, 34, 50, True),  # 34.2° aside of 35°
        (0.0, 36, 50, False),  # 35.8°
        (350.0, 20, 50, True),  # across north: 10° west of it, the place 21.8° east
        (350.0, 25, 50, False),  # 36.6°
        (10.0, -20, 50, True),
        (180.0, 0, 50, False),
        (180.0, 5, -50, True),
    ],
)
def test_a_place_is_in_the_picture_within_half_the_field_of_view(
    bearing: float, x: float, y: float, sees: bool
) -> None:
    of = eyes(camera(bearing_deg=bearing))
    assert (shown(of, x, y) is not None) == sees


def test_beyond_its_reach_it_sees_nothing_and_says_how_far_that_is() -> None:
    of = eyes(camera())
    assert shown(of, 0, 119) is not None
    assert why_not(of, 0, 310) == ["too_far"]
    [told] = blind(of, question(0, 310))
    assert told.says == ["too far to make out a person: 310 m, reach 120 m"]


def test_a_camera_without_a_tilt_has_the_horizon_at_the_top_of_its_picture() -> None:
    of = eyes(camera())  # 4.8 m above a person's middle, 40° high: nothing nearer than 5.7 m
    assert shown(of, 0, 6) is not None
    assert why_not(of, 0, 5.5) == ["beneath"]
    steep = eyes(camera(tilt_deg=60.0))  # 40° to 80° below
    assert shown(steep, 0, 5.5) is not None
    assert why_not(steep, 0, 6) == ["above"]


def test_a_building_hides_what_stands_lower_behind_it() -> None:
    """From 6 m over a wall at 20 m, a person's middle (1.2 m) at 40 m is on a line that passes
    the wall at 3.6 m, and leaves the far wall, at 30 m, at 2.4 m."""
    low, high = block(-20, 20, 40, 10, 2.3), block(-20, 20, 40, 10, 2.5)
    assert shown(eyes(camera(), buildings=[low]), 0, 40) is not None
    assert why_not(eyes(camera(), buildings=[high]), 0, 40) == ["building"]
    assert shown(eyes(camera(height_m=20.0), buildings=[high]), 0, 40) is not None


def test_the_wall_that_it_hangs_on_and_the_roof_that_it_stands_on_hide_nothing() -> None:
    hanging = eyes(camera(0, 0), buildings=[block(-10, -10, 20, 11)])  # 1 m inside its own wall
    assert shown(hanging, 0, 40) is not None
    turning = eyes(camera(0, 0, ptz=PtzLimits()), buildings=[block(-10, -10, 20, 11)])
    assert why_not(turning, 0, -40) == ["building"]  # through the house
    on_top = eyes(camera(0, 0, height_m=10.0), buildings=[block(-20, -20, 40, 60)])
    assert shown(on_top, 0, 50) is not None
    indoors = eyes(camera(0, 0), buildings=[block(-20, -20, 40, 60)])
    assert why_not(indoors, 0, 50) == ["indoors"]


def test_of_a_place_inside_a_building_the_outside_is_seen() -> None:
    told = shown(eyes(camera(), buildings=[block(-10, 40, 20, 20)]), 0, 50)
    assert told is not None
    assert "inside" in [reason.word for reason in told.reasons]


def test_the_ground_hides_what_lies_behind_a_hill() -> None:
    def hill(height_m: float, error_m: float = 0.0) -> Ground:
        heights = np.full((41, 41), 1500.0, dtype=np.float32)
        heights[18, :] += height_m  # a ridge some 50 m north of the middle
        step = (at(0, 25)[0] - at(0, 0)[0], at(25, 0)[1] - at(0, 0)[1])
        return Ground(heights, at(-500, 500), step, error_m)

    far = camera(optics=Optics(range_m=300))
    assert why_not(eyes(far, ground=hill(10)), 0, 150) == ["ground"]
    assert shown(eyes(far, ground=hill(1)), 0, 150) is not None
    assert shown(eyes(far, ground=hill(10, error_m=8.0)), 0, 150) is not None
    over = camera(optics=Optics(range_m=300), height_m=20.0)
    assert shown(eyes(over, ground=hill(10)), 0, 150) is not None


def test_an_area_is_seen_in_part_and_said_so() -> None:
    house = block(0, 20, 30, 10)  # hides the eastern half
    told = shown(eyes(camera(), buildings=[house]), 0, 50, around=15.0)
    assert told is not None
    assert told.how == "part"
    assert 0.3 < told.share_visible < 0.7
    assert {"part", "building"} <= {reason.word for reason in told.reasons}
    away = Ellipse(semi_major_m=40, semi_minor_m=2, bearing_deg=0)
    across = Ellipse(semi_major_m=40, semi_minor_m=2, bearing_deg=90)
    narrow = eyes(camera(optics=Optics(hfov_deg=30)))
    all_of, some_of = shown(narrow, 0, 60, around=away), shown(narrow, 0, 60, around=across)
    assert all_of is not None
    assert some_of is not None
    assert all_of.share_visible == 1.0 > some_of.share_visible


@pytest.mark.parametrize(
    ("pan", "x", "y", "seconds"),
    [
        ((None, None), 50, 0, 1.5),  # a quarter turn of 3 s a half
        ((None, None), 0, 50, 0.0),
        ((270.0, 90.0), 50, 0, 1.5),  # across north
        ((90.0, 270.0), 50, 0, 0.0),  # it rests at its limit, at 90
        ((10.0, 80.0), -50, 20, None),
        ((300.0, 350.0), 10, 60, 0.0),  # 19.5° past its limit: at the edge of the picture
        ((-90.0, 90.0), -50, 0, 1.5),
        ((0.0, 360.0), -50, 0, 1.5),
    ],
)
def test_a_camera_that_turns_sees_what_its_limits_let_it_see(
    pan: tuple[float | None, float | None], x: float, y: float, seconds: float | None
) -> None:
    limits = PtzLimits(pan_from_deg=pan[0], pan_to_deg=pan[1], tilt_to_deg=20)
    rest = {(90.0, 270.0): 90.0, (300.0, 350.0): 350.0}.get(pan, 0.0)  # type: ignore[arg-type]
    of = eyes(camera(ptz=limits, bearing_deg=rest))
    if seconds is None:
        assert why_not(of, x, y) == ["cannot_turn"]
        return
    told = shown(of, x, y)
    assert told is not None
    assert told.turn_s == pytest.approx(seconds, abs=0.05)
    assert told.how == ("after_turn" if seconds else "now")


def test_a_limit_is_not_turned_across() -> None:
    limits = PtzLimits(pan_from_deg=10, pan_to_deg=350)
    told = shown(eyes(camera(ptz=limits, bearing_deg=300.0)), 50, 20)  # at 68°: 128° by north
    assert told is not None
    assert told.turn_s == pytest.approx(232 / 180 * 3, abs=0.1)


def test_zoom_lengthens_the_reach_and_shows_more() -> None:
    far = eyes(camera(ptz=PtzLimits(zoom_max=10)))
    near, zoomed = eyes(camera()), shown(far, 0, 400)
    assert why_not(near, 0, 400) == ["too_far"]
    assert zoomed is not None
    fixed, turning = shown(near, 0, 80), shown(far, 0, 80)
    assert fixed is not None
    assert turning is not None
    assert turning.pixels_per_m > 5 * fixed.pixels_per_m
    assert turning.score > fixed.score


def test_where_it_looks_now_counts_for_a_camera_that_turns() -> None:
    of = eyes(camera(ptz=PtzLimits()))
    of.state(of.eyes[0].camera.camera_id, pan_deg=180.0)
    told = shown(of, 0, -50)
    assert told is not None
    assert told.turn_s == 0


def test_an_unknown_direction_is_said_and_counts_for_its_share_of_the_circle() -> None:
    known, unknown = shown(eyes(camera()), 0, 50), shown(eyes(camera(bearing_deg=None)), 0, 50)
    assert known is not None
    assert unknown is not None
    assert unknown.share_visible == pytest.approx(70 / 360, abs=0.001)
    assert unknown.score == pytest.approx(known.score * 70 / 360, rel=0.01)
    assert "unknown_direction" in [reason.word for reason in unknown.reasons]


def test_a_camera_that_shows_nothing_sinks_with_its_reason() -> None:
    since = datetime(2026, 6, 21, 10, 42, tzinfo=UTC)
    down = Eye(camera=camera(), state=PictureState.UNREACHABLE, since=since)
    assert why_not(eyes(down), 0, 50) == ["state_unreachable_since"]
    [told] = blind(eyes(down), question(0, 50))
    assert told.says == ["down since 10:42"]
    live = camera(2, 0, "two")
    black = Eye(camera=camera(), state=PictureState.LIVE, faults=(ImageFault.BLACK,))
    first, second = best(eyes(black, live), question(0, 50))
    assert (first.camera_id, second.camera_id) == ("two", "one")
    assert "fault_black" in [reason.word for reason in second.reasons]


def test_a_camera_that_its_owner_closes_is_told_among_those_that_cannot() -> None:
    of = eyes(camera())
    assert best(of, question(0, 50), lambda _: "only while an incident is open") == []
    [told] = blind(of, question(0, 50), lambda _: "only while an incident is open")
    assert [reason.word for reason in told.reasons] == ["closed"]
    assert told.share_visible == 1.0


def test_the_low_sun_is_said() -> None:
    evening = datetime(2026, 6, 22, 1, 45, tzinfo=UTC)  # 19:45 in Albuquerque, sunset at 20:24
    west = eyes(camera(bearing_deg=290.0))
    told, noon = shown(west, -50, 15, at=evening), shown(west, -50, 15)
    assert told is not None
    assert noon is not None
    assert told.score < noon.score
    assert [r.word for r in told.reasons if r not in noon.reasons] == ["sun"]


def test_the_sun_stands_where_spherical_trigonometry_has_it() -> None:
    """On the longest day 90° − latitude + 23.44° high at noon, which is at 19:08:30 UTC there; it
    sets where cos(bearing) = sin 23.44° / cos latitude, at 20:24 by the city's clocks."""
    noon = sun(datetime(2026, 6, 21, 19, 8, 30, tzinfo=UTC), at(0, 0))
    setting = sun(datetime(2026, 6, 22, 2, 24, tzinfo=UTC), at(0, 0))
    assert noon.elevation_deg == pytest.approx(90 - 35.084 + 23.44, abs=0.05)
    assert noon.bearing_deg == pytest.approx(180, abs=1.0)
    assert setting.elevation_deg == pytest.approx(-0.83, abs=0.3)
    assert setting.bearing_deg == pytest.approx(299.1, abs=0.7)
