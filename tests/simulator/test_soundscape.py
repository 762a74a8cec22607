"""The practice metro's sensors hear its shots before anybody calls, and other things besides."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from farolito.model import SoundKind
from farolito.simulator.ears import Ears, place_ears
from farolito.simulator.metro import metres
from farolito.simulator.soundscape import BEFORE_RING_S, Soundscape, Told
from farolito.simulator.world import SimulatorConfig, World, make_world
from tests.simulator.conftest import START

HOUR = 3600
SMALL = SimulatorConfig(start=START, vehicles=6_000, readers=40, list_rows=300)


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(SMALL)


def _hour(world: World) -> tuple[Soundscape, list[Told]]:
    assert world.soundscape is not None
    told = world.soundscape.until(START + timedelta(seconds=HOUR))
    return world.soundscape, told


def test_the_first_shots_are_heard_before_the_call_and_where_it_says(world: World) -> None:
    scape, _ = _hour(world)
    first = scape.truths[0]
    call, _scene = world._first_call or pytest.fail("the drill has a first call")
    assert first.kind is SoundKind.GUNSHOT
    assert first.event == call.event_id
    rings_s = (call.at - first.at).total_seconds() - call.tellings[0].talk_s
    assert rings_s == pytest.approx(BEFORE_RING_S)
    x, y = metres((first.place.lat, first.place.lon))
    at = metres(call.spot.at)
    assert abs(x - at[0]) < 50
    assert abs(y - at[1]) < 50


def test_an_hour_has_gunfire_and_much_that_is_none(world: World) -> None:
    kinds = Counter(truth.kind for truth in _hour(world)[0].truths)
    assert kinds[SoundKind.GUNSHOT] >= 2
    assert kinds[SoundKind.FIREWORK] >= 3
    assert kinds[SoundKind.VEHICLE] >= 2
    assert kinds[SoundKind.CONSTRUCTION] >= 1


def test_the_same_seed_gives_the_same_sound_and_pulses_come_in_order() -> None:
    def hear() -> list[Told]:
        return _hour(make_world(SMALL))[1][:500]

    one, two = hear(), hear()
    assert one == two
    times = [told.pulse.at_s for told in one]
    assert times == sorted(times)


def test_every_ear_signs_with_a_key_of_its_own() -> None:
    ears: Ears = place_ears(7, SimulatorConfig(start=START).agency, (35.1, -106.62), 40)
    assert len({ear.public_key for ear in ears.ears}) == len(ears.ears)
    assert len(ears.silent) == 1
