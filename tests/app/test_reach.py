"""Which units could come to shots, and which cameras and readers to look at from which second."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from farolito.app.reach import Reach
from farolito.app.surroundings import MapSurroundings
from farolito.geo.reach import Passing
from farolito.model import DeviceId, Unit, Weather
from tests.app.test_surroundings import NOW, TOWN, device, unit
from tests.desk.city import spot
from tests.shot_builders import mode, shot, shot_alert

FIRED = NOW - timedelta(seconds=30)


class Believed:
    def __init__(self, *units: Unit) -> None:
        self._units = units

    def all(self) -> tuple[Unit, ...]:
        return self._units


async def reach(*units: Unit, map_: Any = TOWN, **of: Any) -> dict[str, Any]:
    """Of shots at 1st and A, 30 s ago."""
    devices = [
        device("plaza", "camera", 343, 0), device("far", "camera", 0, 1_600),
        device("near", "plate_reader", 100, 0), device("bridge", "plate_reader", 1_000, 1_000),
        device("ear", "gunshot_sensor", 10, 10),
    ]  # fmt: skip
    around = MapSurroundings({d.device_id: d for d in devices})
    around.use(map_)
    told = {"place": spot(0, 0), "weather": Weather(at=FIRED, temperature_c=20.0), **of}
    alert = shot_alert(shot(5, FIRED, **told))
    return dict(await Reach(around, Believed(*units), lambda: NOW).of(alert))


async def test_readers_are_told_by_how_soon_a_car_that_left_can_pass() -> None:
    near, bridge = (await reach())["readers"]
    assert (near.device, round(near.road_m), near.passing) == (
        DeviceId("near"), 100, Passing.COULD_HAVE
    )  # fmt: skip
    assert near.earliest_at - FIRED == pytest.approx(
        timedelta(seconds=4.5), abs=timedelta(seconds=1)
    )
    assert (bridge.device, bridge.passing) == (DeviceId("bridge"), Passing.NOT_YET)
    assert bridge.earliest_at > NOW


async def test_a_camera_is_told_when_the_sound_came_there_and_none_that_heard_nothing() -> None:
    [plaza] = (await reach())["cameras"]
    assert plaza.device == DeviceId("plaza")
    assert plaza.metres == pytest.approx(343, abs=1)
    assert plaza.sound_at - FIRED == pytest.approx(
        timedelta(seconds=1), abs=timedelta(seconds=0.01)
    )
    assert plaza.passing is Passing.COULD_HAVE


async def test_units_are_told_by_road_and_the_undercover_one_is_not() -> None:
    told = await reach(unit("2A14", 500, 0), unit("3B22", 200, 0), unit("9U01", 10, 0, muted=True))
    assert [(one.unit, round(one.eta_s or 0)) for one in told["units"]] == [
        ("3B22", 20),
        ("2A14", 50),
    ]


async def test_without_a_map_nothing_is_guessed() -> None:
    told = await reach(unit("2A14", 500, 0), map_=None)
    assert told["readers"] == []
    assert [one.passing for one in told["cameras"]] == [None]
    assert [(one.unit, one.eta_s) for one in told["units"]] == [("2A14", None)]


async def test_one_of_two_places_opens_the_window_at_the_nearer() -> None:
    sure = (await reach())["readers"][0]
    either = (await reach(modes=(mode(spot(0, 0), 0.6), mode(spot(100, 100), 0.4))))["readers"][0]
    assert either.earliest_at <= sure.earliest_at
    assert either.latest_at >= sure.latest_at


async def test_the_answer_names_where_to_look_and_no_plate() -> None:
    told = msgspec.json.encode(await reach())
    assert b"plate_reader" not in told
    assert b'"plate"' not in told
